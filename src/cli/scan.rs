//! `scan`: its options and its help.

use super::doctor::Format;
use crate::capture::policy::Level;
use crate::config::value;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap scan case-1234.zip
  finesse-tap scan desktop.har --secrets-file my-passwords.txt
  finesse-tap scan captures --level auth   as they are: credentials only
  finesse-tap scan log.txt --format json | jq -r .kind | sort | uniq -c

Hits are certain, likely or possible. What cannot be looked at (encrypted, an archive in an archive, more than text unpacks to) \
is a hit, too. Of a directory every file below it is looked at. In binary files only the secrets of --secrets-file are \
looked for, and that is said.

Exit codes: 0 nothing found, 1 something is left or a file cannot be read, 2 the command line is wrong.";

/// The options of `scan`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
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
    /// What the files may hold: that of a redaction level
    ///
    /// auth: everything but credentials and session ids. share: tokens in place of names, telephones, customer data, hosts
    /// and addresses. minimal: no tokens either.
    #[arg(long, alias = "for", value_name = "LEVEL", default_value = "share")]
    #[arg(value_parser = value::one_of(&[Level::Auth, Level::Share, Level::Minimal], Level::as_str))]
    pub level: Level,
    /// How hits are written to standard output
    ///
    /// text: `FILE:LINE:COLUMN kind excerpt (why)`, or that nothing was found. json: one object per line for each. The sum of
    /// what was found is on standard error.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = value::one_of(&Format::ALL, Format::as_str))]
    pub format: Format,
}
