//! `demo`: its options, what they become, and its help.

use super::browse::{Browser, BrowserFlags};
use super::open::{Opening, PageFlags};
use super::record::{CaptureTo, KeepFlags, Live, Recording, RedactFlags, Rows, ShowFlags};
use super::traffic::addresses;
use crate::config::value::{self, Wrong};
use crate::config::{Given, Problem, Sources, given};
use crate::demo::Trouble;
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
  finesse-tap demo --browse            a desktop and faults to switch on
  finesse-tap demo --trouble pings     what unanswered pings look like
  finesse-tap demo --trouble all && finesse-tap open demo-captures
  finesse-tap demo --keep              leave it up for another browser
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
    /// Have a desktop to click on, faults to switch on, and the console beside it
    ///
    /// Server and proxy stay up until Ctrl-C, and nobody else signs in. Opens the desktop and the console in a browser of its
    /// own, as `finesse-tap browse` does, or prints how to open them.
    #[arg(long, help_heading = "Console", conflicts_with_all = ["keep", "trouble"])]
    pub browse: bool,
    /// How the page is shown.
    #[command(flatten)]
    pub page: PageFlags,
    /// The browser, and what it opens.
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// Play a fault, or all of them one after another, and tell what the report would
    ///
    /// pings: they get no answer. middlebox: silent sockets are cut. wrong-password. second-login. no-presence: the server never
    /// says that it is there. refused-subscription. lost-event, late-event: after a request that was accepted. server-restart.
    /// certificate: another one, which has expired. maintenance. overload. One takes 5 to 45 seconds.
    #[arg(long, value_name = "NAME", value_parser = trouble)]
    pub trouble: Option<Troubles>,
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

/// Faults to play.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Troubles(pub Vec<Trouble>);

fn trouble(text: &str) -> Result<Troubles, Wrong> {
    if text == "all" {
        return Ok(Troubles(Trouble::ALL.into()));
    }
    let names = || Trouble::ALL.iter().map(|trouble| trouble.name()).collect::<Vec<_>>().join(", ");
    let known = Trouble::of(text).map(|trouble| Troubles(vec![trouble]));
    known.ok_or_else(|| Wrong::new(format!("`{text}` is no fault"), Some(format!("all, or one of {}", names()))))
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
    /// A desktop to click on, and the console beside it.
    pub browse: Option<(Browser, Opening)>,
    /// Faults to play.
    pub troubles: Vec<Trouble>,
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
            browse: self.browse.then(|| (self.browser.browser(), self.page.opening())),
            troubles: self.trouble.map(|troubles| troubles.0).unwrap_or_default(),
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
        if self.browse.is_some() {
            rows.row("browse", true);
        }
        self.troubles.iter().for_each(|trouble| rows.row("trouble", trouble.name()));
        self.listen.iter().for_each(|address| rows.row("listen", address));
        rows.row("certs", self.certs.display());
        rows.recording(&self.record);
        rows.log(&self.log);
        rows.0
    }
}
