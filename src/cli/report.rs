//! The options of `report`, and what its `--help` teaches.

use crate::report::Format;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use std::ffi::OsString;

/// What stands below the options.
pub(super) const MORE: &str = "\
Examples:
  finesse-tap report captures                         everything, as text
  finesse-tap report captures -o report.html          one page to forward
  finesse-tap report captures/*.ndjson --user 1001    one agent
  finesse-tap report captures \\
    --since 2026-01-15T09:00:00Z --until 2026-01-15T10:00:00Z
  finesse-tap report captures --format json | jq '.sessions[].story'

How to read it: a login is a ladder of stages, from the WebSocket to the first event; the stage before which it \
stopped is where to look. #57 is the line with event.sequence 57, :58 the 58th line of its file:
  jq 'select(.event.sequence == 57)' captures/FILE.ndjson

Times are UTC. Captures made for a vendor, with tokens in the place of names, work as well; --user then takes a token. \
The page and the text hold what the capture holds: names and numbers too, unless it was made without.

Next: open the page in a browser, print it or send it on.";

/// The options of `report`.
#[derive(Debug, Args)]
pub struct ReportFlags {
    /// Captures: files, or directories of *.ndjson
    #[arg(value_name = "CAPTURE", required = true, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<OsString>,
    /// Only this agent's sessions, by login or token
    #[arg(long, value_name = "LOGIN", help_heading = "What")]
    pub user: Option<OsString>,
    /// Only the session with this id, such as s3
    #[arg(long, value_name = "ID", help_heading = "What")]
    pub session: Option<OsString>,
    /// Only from this time on
    ///
    /// Such as 2026-01-15T09:12:40Z, 2026-01-15T10:12:40+01:00, or 2026-01-15; UTC if nothing else is said.
    #[arg(long, value_name = "TIME", help_heading = "What")]
    pub since: Option<OsString>,
    /// Only before this time
    #[arg(long, value_name = "TIME", help_heading = "What")]
    pub until: Option<OsString>,
    /// Form of the report [default: as FILE's name says, else text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    #[arg(value_parser = PossibleValuesParser::new(Format::ALL.map(Format::as_str)))]
    pub format: Option<String>,
    /// Write the report to FILE [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<OsString>,
}
