//! The command line of `scan`.

use crate::capture::rules::Level;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The options of `scan`.
#[derive(Debug, Args)]
pub struct ScanFlags {
    /// What to look at: text of any kind, gzip, zip with all its members, a directory with all below it; - is standard input
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// Look for the secrets in FILE too, one a line
    ///
    /// As they are, in base64, percent-encoded once and twice, with XML entities and JSON escapes; in binary files as well.
    /// At least four bytes each; those below eight count as whole words only.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub secrets_file: Option<PathBuf>,
    /// What the files may hold: that of a redaction level [default: share]
    ///
    /// auth: everything but credentials and session ids. share: tokens in place of names, telephones, customer data, hosts
    /// and addresses. minimal: no tokens either.
    #[arg(long = "for", value_name = "LEVEL", value_parser = PossibleValuesParser::new([Level::Auth, Level::Share, Level::Minimal].map(Level::as_str)))]
    pub level: Option<String>,
    /// How hits are written to standard output [default: text]
    ///
    /// text: `FILE:LINE:COLUMN kind excerpt (why)`, or that nothing was found. json: an object a line for each. The sum of
    /// what was found is on standard error.
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub format: Option<String>,
}
