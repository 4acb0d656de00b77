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

Hits are certain, likely or possible; the worst come first. What cannot be looked at (binary data, encrypted, compressed by xz, \
bzip2 or zstd, a zip in an archive, TLS in a pcap) is a hit of its own, `not-scanned`; the words in it are looked at all the same. \
Of a directory every file below it is looked at. Values are known by their shape and by their names: members, elements, headers, \
cookies, columns of CSV, keys of YAML, fields of Finesse's, Openfire's and the proxy's own logs.

Exit codes: 0 nothing found, 1 something is left or a file cannot be read, 2 the command line is wrong.";

/// The options of `scan`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ScanFlags {
    /// What to look at: text of any kind, gzip, zip and tar with all their members, pcap, a directory with all below it; - is
    /// standard input
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// Look for the secrets in FILE too, one per line
    ///
    /// As they are, in base64, percent-encoded once and twice, with XML entities and JSON escapes.
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
    /// text: `FILE:LINE:COLUMN kind excerpt (why)`, the worst first, one line per kind and file, in a HAR per entry and message.
    /// json: one object per line for every hit. The sum of what was found is on standard error.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = value::one_of(&Format::ALL, Format::as_str))]
    pub format: Format,
    /// One line for every hit, in the order of the files
    #[arg(long)]
    pub all: bool,
}
