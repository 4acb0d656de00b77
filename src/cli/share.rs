//! The options of `share` and `resolve`.

use crate::capture::rules::Level;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The options of `share`.
#[derive(Debug, Args)]
pub struct ShareFlags {
    /// Capture files, compressed by gzip or not, or directories of them
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// The bundle to write, a zip file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// How much to remove [default: share]
    ///
    /// share: for a vendor; persons, telephones, hosts and teams become tokens. minimal: for a public tracker; only what
    /// happened and when stays.
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new([Level::Share, Level::Minimal].map(Level::as_str)))]
    pub level: Option<String>,
    /// Only what happened at or after TIME
    ///
    /// Such as 2026-01-15T09:00:00Z or 2026-01-15, in UTC unless it says otherwise.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what happened before TIME
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only events of the agent with this login id
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// Only events of this session, such as s3, or its trace id
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// A note to the receiver, on top of README.txt
    ///
    /// It is handed over as it is, and refused if it holds what the level removes.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Make tokens with the key in FILE, which is made if it is not there
    ///
    /// The same value then has the same token in every bundle of a long case, and `finesse-tap resolve` can tell what a token
    /// stands for. Otherwise the key is random and forgotten.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub stable_tokens: Option<PathBuf>,
    /// Encrypt the bundle for this age recipient, into FILE.age
    ///
    /// AGE-KEY is a public key, age1…, as age-keygen prints it, or ssh-…; `age -d -i key.txt FILE.age` decrypts. The program
    /// `age` must be installed: the bundle goes through it on its way to the disk and never lies there as it is.
    #[arg(long, value_name = "AGE-KEY")]
    pub encrypt_to: Option<String>,
    /// Remove this too; repeatable
    ///
    /// RULE is PLACE:NAME[=CLASS], as for `run`.
    #[arg(long, value_name = "RULE")]
    pub deny: Vec<String>,
    /// Keep this, though the level would remove it; repeatable
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
}

/// The options of `resolve`.
#[derive(Debug, Args)]
pub struct ResolveFlags {
    /// Tokens, as they stand in a bundle
    #[arg(required = true, value_name = "TOKEN")]
    pub tokens: Vec<String>,
    /// The key they were made with [default: certs/tokens.key]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
}
