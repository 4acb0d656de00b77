//! `share` and `resolve`: their options, what they become, and the help.

use super::record::RuleFlags;
use crate::capture::policy::Level;
use crate::capture::redact::Picked;
use crate::config::value::{self, Wrong};
use crate::config::{Given, Problem, Sources, given};
use crate::report;
use crate::share::{Plan, Recipient};
use clap::{Args, ValueHint};
use std::path::PathBuf;
use std::str::FromStr as _;

/// Where the key of tokens is kept unless said otherwise.
const DEFAULT_TOKEN_KEY: &str = "certs/tokens.key";

pub(super) const MORE: &str = "\
Examples:
  finesse-tap share captures/*.ndjson -o case-1234.zip
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --user 1001 --since 2026-01-15T09:00:00Z
  finesse-tap share captures/*.ndjson -o case-1234.zip \\
    --stable-tokens certs/tokens.key --note \"login fails\"
  finesse-tap share captures -o issue.zip --level minimal
  finesse-tap share captures/x.ndjson --explain 12
  finesse-tap share captures -o case-1234.zip \\
    --encrypt-to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p

Next: unzip -p case-1234.zip report.txt, and read it before you hand the bundle on.";

pub(super) const RESOLVE_MORE: &str = "\
Examples:
  finesse-tap resolve u-7h2k9m4q1x
  finesse-tap resolve t-0s8d6f4g2h h-5j7k9m1n3p.invalid --key certs/tokens.key";

/// The options of `share`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ShareFlags {
    /// Capture files, compressed by gzip or not, or directories of them
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// The bundle to write, a zip file
    #[arg(short, long, alias = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "explain")]
    pub output: Option<PathBuf>,
    /// Show what becomes of one line of the capture and why, and write no bundle
    ///
    /// LINE is the number of a line of FILE, from 1. Shows each field that changes, before and after, and of every name in
    /// headers, queries, stanzas and bodies which class it has, and what says so. Shows what is removed: keep it to yourself.
    #[arg(long, value_name = "LINE", conflicts_with = "output", value_parser = clap::value_parser!(u64).range(1..))]
    pub explain: Option<u64>,
    /// How much to remove
    ///
    /// share: for a vendor; persons, telephones, hosts and teams become tokens. minimal: for a public tracker; only what
    /// happened and when stays.
    #[arg(long, value_name = "LEVEL", default_value = "share")]
    #[arg(value_parser = value::one_of(&[Level::Share, Level::Minimal], Level::as_str))]
    pub level: Level,
    /// Which lines of the captures.
    #[command(flatten)]
    pub pick: PickFlags,
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
    /// AGE-KEY is a public key, age1…, as age-keygen prints it; `age -d -i key.txt FILE.age` decrypts. The bundle is encrypted on
    /// its way to the disk and never lies there as it is.
    #[arg(long, value_name = "AGE-KEY", value_parser = recipient)]
    pub encrypt_to: Option<Recipient>,
    /// The user's own rules.
    #[command(flatten)]
    pub rules: RuleFlags,
}

/// Which lines of captures, in `share` and `report`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "What")]
pub struct PickFlags {
    /// Only this agent, by login or token
    #[arg(long, value_name = "LOGIN", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// Only the session with this id, such as s3
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub session: Option<String>,
    /// Only from this time on
    ///
    /// Such as 2026-01-15T09:12:40Z, 2026-01-15T10:12:40+01:00, or 2026-01-15; UTC if nothing else is said.
    #[arg(long, value_name = "TIME", value_parser = time_us)]
    pub since: Option<i64>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = given(time_us))]
    pub until: Option<Given<i64>>,
}

impl PickFlags {
    /// Since and until, microseconds since 1970.
    pub(super) fn range(&self, sources: &Sources) -> Result<(Option<i64>, Option<i64>), Problem> {
        match (self.since, &self.until) {
            (Some(since), Some(until)) if **until <= since => {
                Err(sources.problem(until, format!("`{}` is not later than --since", until.text())))
            }
            (since, until) => Ok((since, until.as_deref().copied())),
        }
    }
}

fn time_us(text: &str) -> Result<i64, Wrong> {
    report::time_us(text).map_err(Wrong::from)
}

fn recipient(text: &str) -> Result<Recipient, Wrong> {
    let how = "age-keygen -o key.txt makes a pair; the receiver keeps key.txt and tells you the public key";
    Recipient::from_str(text).map_err(|why| Wrong::from(format!("{why}; {how}")))
}

impl ShareFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They do not go together.
    pub fn check(self, sources: &Sources) -> Result<Plan, Problem> {
        let (since_us, until_us) = self.pick.range(sources)?;
        Ok(Plan {
            rules: self.rules.rules()?,
            files: self.files,
            out: self.output.unwrap_or_default(),
            explain: self.explain,
            level: self.level,
            picked: Picked { since_us, until_us, user: self.pick.user, session: self.pick.session },
            note: self.note,
            stable_tokens: self.stable_tokens,
            encrypt_to: self.encrypt_to,
        })
    }
}

/// The options of `resolve`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ResolveFlags {
    /// Tokens, as they stand in a bundle
    #[arg(required = true, value_name = "TOKEN")]
    pub tokens: Vec<String>,
    /// The key they were made with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, default_value = DEFAULT_TOKEN_KEY)]
    pub key: PathBuf,
}
