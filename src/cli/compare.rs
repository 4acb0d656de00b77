//! `compare`: its options, what they become, and its help.

use crate::config::value;
use crate::report::Format;
use crate::report::compare::{Request, Wanted};
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap compare good.ndjson bad.ndjson            two captures
  finesse-tap compare captures#1001 captures#1002       two agents of one
  finesse-tap compare captures#s1 captures#s4           two sessions of one
  finesse-tap compare case-1.zip case-2.zip -o diff.html

Of a capture with several sessions, GOOD is the one that signed in with the fewest warnings and BAD the one with the most, \
or one that did not sign in. CAPTURE#NAME says which: a session's id, an agent's login or a token.

How to read it: each step stands where it came first in the session that works. The first one that differs is where to \
look: a missing step, another order, another status, header or certificate, or more than three times and half a second \
longer. Names of the two agents and numbers in paths do not count.

Next: read the line where they part, with `finesse-tap report CAPTURE --session ID`.";

/// The options of `compare`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct CompareFlags {
    /// The session that works: CAPTURE or CAPTURE#SESSION or CAPTURE#AGENT
    #[arg(value_name = "GOOD", value_hint = ValueHint::AnyPath)]
    pub good: PathBuf,
    /// The session that does not
    #[arg(value_name = "BAD", value_hint = ValueHint::AnyPath)]
    pub bad: PathBuf,
    /// Form of the comparison [default: as FILE's name says, else text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output", value_parser = value::one_of(&Format::ALL, Format::as_str))]
    pub format: Option<Format>,
    /// Write it to FILE, or to standard output with - [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
}

impl CompareFlags {
    /// What is compared, and into what.
    #[must_use]
    pub fn request(&self) -> Request {
        let output = self.output.clone().filter(|path| path.as_os_str() != "-");
        Request {
            good: Wanted::from(self.good.as_path()),
            bad: Wanted::from(self.bad.as_path()),
            format: self.format.unwrap_or_else(|| output.as_deref().map(Format::of).unwrap_or_default()),
            output,
        }
    }
}
