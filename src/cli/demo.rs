//! `demo`: its options, what they become, and its help.

use super::record::{CaptureTo, KeepFlags, Live, Recording, RedactFlags, Rows, ShowFlags};
use super::traffic::addresses;
use crate::config::value::{self, Wrong};
use crate::config::{Given, Problem, Sources, given};
use crate::log::Log;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where its captures go: apart from those of real traffic.
const DEMO_CAPTURES: &str = "demo-captures";
/// Most desktops in the demo.
const MAX_AGENTS: usize = 200;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap demo
  finesse-tap demo --agents 20 && finesse-tap report demo-captures
  finesse-tap demo --keep      look around with a browser, end with Ctrl-C
  finesse-tap demo --capture - 2>/dev/null | jq -r .message

The variables FINESSE_TAP_CAPTURE, FINESSE_TAP_CERTS and so on count here as they do for `run`.

Next: `finesse-tap run --upstream HOST`.";

/// The options of `demo`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct DemoFlags {
    /// How many desktops, 1 to 200
    #[arg(long, value_name = "N", default_value = "1", value_parser = agents)]
    pub agents: usize,
    /// Leave server and proxy up afterwards, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Accept browsers here; repeatable [default: 127.0.0.1 and any free port]
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Traffic", value_parser = given(value::listen))]
    pub listen: Vec<Given<SocketAddr>>,
    /// Where records go.
    #[command(flatten)]
    pub files: KeepFlags,
    /// What is removed from them.
    #[command(flatten)]
    pub redact: RedactFlags,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowFlags,
}

fn agents(text: &str) -> Result<usize, Wrong> {
    value::count(text, 1..=MAX_AGENTS)
}

/// What `demo` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demo {
    /// How many desktops, 1 to 200.
    pub agents: usize,
    /// Leave server and proxy up afterwards.
    pub keep: bool,
    /// Where to accept browsers; not empty.
    pub listen: Vec<SocketAddr>,
    /// Where the CA is kept.
    pub certs: PathBuf,
    /// What becomes of what is seen.
    pub record: Recording,
    /// The operational log.
    pub log: Log,
}

impl DemoFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// An address is named twice.
    pub fn check(self, sources: &Sources) -> Result<Demo, Problem> {
        let live = if self.show.verbose { Live::Everything } else { Live::Messages };
        Ok(Demo {
            agents: self.agents,
            keep: self.keep,
            listen: addresses(&self.listen, 0, sources)?,
            certs: self.files.certs,
            record: Recording::new(
                CaptureTo::from(self.files.capture.unwrap_or_else(|| DEMO_CAPTURES.into())),
                self.redact,
                live,
            )?,
            log: self.show.log(),
        })
    }
}

impl Demo {
    /// Every setting in force, as option and value.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        rows.row("agents", self.agents);
        rows.row("keep", self.keep);
        self.listen.iter().for_each(|address| rows.row("listen", address));
        rows.row("certs", self.certs.display());
        rows.recording(&self.record);
        rows.log(&self.log);
        rows.0
    }
}
