//! `report`: its options, what they become, and its help.

use super::record::DEFAULT_CAPTURES;
use super::share::PickFlags;
use crate::config::{Problem, Sources, value};
use crate::filter;
use crate::report::{Filter, Format, Request, Zone};
use clap::{Args, ValueHint};
use std::path::PathBuf;

const MORE: &str = "\
Examples:
  finesse-tap report captures                         everything, as text
  finesse-tap report captures -o report.html          one page to forward
  finesse-tap report --user 1001 --since 1h           one agent of captures/
  finesse-tap report case.zip                         a bundle, or desktop.har
  finesse-tap report captures \\
    --since 2026-01-15T09:00:00Z --until 2026-01-15T10:00:00Z
  finesse-tap report captures --format json | jq '.sessions[].story'

How to read it: a login is a ladder of stages, from the WebSocket to the first event; the stage before which it \
stopped is where to look. #57 is the line with event.sequence 57, :58 the 58th line of its file:
  jq 'select(.event.sequence == 57)' captures/FILE.ndjson

Problems come first, the worst at the top, each with what agents felt, why, how it went and what to do. Times are UTC; \
--time-zone tells local ones beside them. Captures made for a vendor, with tokens in the place of names, work as well; --user then takes a token. \
The page and the text hold what the capture holds: names and numbers too, unless it was made without.

Next: open the page in a browser, print it or send it on.";

/// What stands below the options.
pub(super) fn more() -> String {
    format!("{MORE}\n\nFilters, for --filter of this and other commands:\n{}", filter::HELP)
}

/// The options of `report`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ReportFlags {
    /// Captures: files, directories and those below, .gz, .tar.gz, bundles (.zip), HARs, or - for standard input
    #[arg(value_name = "CAPTURE", default_value = DEFAULT_CAPTURES, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,
    /// Which events of them.
    #[command(flatten)]
    pub pick: PickFlags,
    /// Form of the report [default: as FILE's name says, else text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output", value_parser = value::one_of(&Format::ALL, Format::as_str))]
    pub format: Option<Format>,
    /// Write the report to FILE, or to standard output with - [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Tell times in this zone, with UTC beside them: Europe/Berlin, or local for this computer's
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = Zone::read, help_heading = "Output")]
    pub time_zone: Zone,
    /// What the report is about, for its title, such as a case number
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub case: Option<String>,
}

impl ReportFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They do not go together.
    pub fn check(&self, sources: &Sources) -> Result<Request, Problem> {
        let (since_us, until_us) = self.pick.range(sources)?;
        let output = self.output.clone().filter(|path| path.as_os_str() != "-");
        Ok(Request {
            filter: Filter {
                user: self.pick.user.clone(),
                session: self.pick.session.clone(),
                since_us,
                until_us,
                events: self.pick.filter.clone().unwrap_or_default(),
            },
            format: self.format.unwrap_or_else(|| output.as_deref().map(Format::of).unwrap_or_default()),
            output,
            zone: self.time_zone.clone(),
            case: self.case.clone(),
        })
    }
}
