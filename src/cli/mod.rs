//! The command line, and what `--help` teaches. A command is one file: its options, what they become, and its help.
//!
//! The derive structs are also the schema of environment and configuration file: [`crate::config`] makes one command
//! line of all three, which is parsed here. An option that is added to a struct is read everywhere. Its field is named as it
//! is, unless it must not be set elsewhere than on the command line.

mod assets;
mod browse;
mod ca;
mod compare;
mod demo;
mod doctor;
mod export;
mod hosts;
mod import;
pub mod manual;
mod open;
mod record;
mod reload;
mod report;
mod run;
mod scan;
mod share;
mod ship;
mod traffic;
mod trust;

#[cfg(test)]
mod tests;

pub use assets::AssetsFlags;
pub use browse::{Browse, BrowseFlags, Browser, Page};
pub use ca::CaFlags;
pub use compare::CompareFlags;
pub use demo::{Demo, DemoFlags};
pub use doctor::{DoctorFlags, Format};
pub use export::{ExportFlags, Form};
pub use hosts::{Action, Hosts, HostsFlags, Names};
pub use import::{Import, ImportFlags};
pub use manual::ManFlags;
pub use open::{OpenFlags, Opening};
pub use record::{CaptureTo, DEFAULT_CERTS, Live, Recording};
pub use reload::ReloadFlags;
pub use report::ReportFlags;
pub use run::{Run, RunFlags};
pub use scan::ScanFlags;
pub use share::{ResolveFlags, Share, ShareFlags};
pub use ship::{Ship, ShipFlags};
pub use traffic::{Listener, Route, Traffic};
pub use trust::{Identity, TrustFlags};

use crate::config::{self, Environment, Scope, Sources, Stop};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use std::ffi::OsString;

const ROOT_NEXT: &str = "Start with `finesse-tap demo`; `--help` tells more than `-h`.";

const ROOT_MORE: &str = "\
First steps:
  finesse-tap demo                                 see it work; needs nothing
  finesse-tap doctor uccxpub.example.com           can it work with your server?
  finesse-tap run --upstream uccxpub.example.com   between desktop and server
  finesse-tap ca                                   make the browser trust it

Where things go, below the working directory by default:
  captures/        the log: finesse-HOST-TIME-RUN-NNNN.ndjson
  certs/HOST/      ca.pem, for the browser to trust; ca.key, to be kept secret
  standard error   facts at the start, a live view, the operational log

Exit codes: 0 done, 1 failed, 2 the command line, environment or configuration file is wrong.

Next: `finesse-tap run --help` tells how to point a browser at it.";

/// Help is no wider, however wide the terminal: columns.
const TEXT_COLUMNS: usize = 100;

/// A transparent debugging proxy between a Cisco Finesse agent desktop and its server
///
/// finesse-tap stands between a Cisco Finesse agent desktop and its server, relays every byte unchanged, and writes what
/// it saw (HTTP, WebSocket, XMPP, Finesse events) as one JSON object per line. Passwords, tokens and session cookies are
/// removed before anything is written.
#[derive(Clone, PartialEq, Eq, Debug, Parser)]
#[command(name = "finesse-tap", version, after_help = ROOT_NEXT, after_long_help = ROOT_MORE)]
#[command(arg_required_else_help = true, subcommand_required = true, max_term_width = TEXT_COLUMNS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand)]
pub enum Command {
    /// Stand between a browser and a Finesse server
    ///
    /// Accepts the browser's connections under the server's own name, passes every byte on to the server and back, and
    /// writes what it saw. Runs until Ctrl-C, which lets connections finish first.
    #[command(after_help = run::NEXT, after_long_help = run::MORE)]
    Run(Box<RunFlags>),
    /// Open a browser that goes through an already running proxy
    ///
    /// Chrome, Edge or Chromium with a profile of its own, deleted afterwards: only your Finesse hosts go through the proxy, and
    /// only its certificates are accepted. Nothing on the machine is changed, and no administrator is needed.
    #[command(after_long_help = browse::MORE)]
    Browse(Box<BrowseFlags>),
    /// See it work: a Finesse-like server and a desktop through the proxy
    ///
    /// Starts a small server that behaves like Finesse and desktops that sign in, take a call and sign out, all through the
    /// real proxy over real TLS. Needs no server, no browser and no network, and ends by itself within 15 seconds.
    #[command(after_long_help = demo::MORE)]
    Demo(Box<DemoFlags>),
    /// Find out why a desktop cannot work with a server, or whether it can
    ///
    /// Tests each step a desktop takes to connect: name, TCP, TLS, certificate, REST, WebSocket, XMPP, and with credentials a
    /// whole login to the subscription and out again. Reports how each step went and what to do, and at the end the
    /// `finesse-tap run` that would work. Changes nothing on the server.
    #[command(after_long_help = doctor::MORE)]
    Doctor(Box<DoctorFlags>),
    /// Where the certificate authority is, and how to make a browser trust it
    ///
    /// Lists every CA below the certificates' directory: where it lies, the names it may sign for, how long it lasts, its
    /// SHA-256 fingerprint, and the commands with which Windows, macOS, Linux and Firefox come to trust it, and forget it.
    #[command(after_long_help = ca::MORE)]
    Ca(CaFlags),
    /// Look for secrets and personal data left in files
    ///
    /// Captures, HARs, bundles, any text: before it is handed over. Exits with 1 and says where if anything is left, with 0
    /// if nothing is found. It never shows a value, only its first and last characters.
    #[command(after_long_help = scan::MORE)]
    Scan(ScanFlags),
    /// Make one file of captures that is safe to hand over
    ///
    /// Reads captures, removes what the level says, looks for what may be left, and writes a zip file with the redacted log, a
    /// report of what was removed, a manifest and a README for its receiver. If anything looks secret or personal, it says
    /// where and writes nothing.
    #[command(after_long_help = share::MORE)]
    Share(Box<ShareFlags>),
    /// What tokens of a bundle stand for
    ///
    /// From the index beside the key that they were made with (`share --stable-tokens`), which never leaves this machine.
    #[command(after_long_help = share::RESOLVE_MORE)]
    Resolve(ResolveFlags),
    /// Deliver captures to Splunk or Elasticsearch
    ///
    /// Reads the capture files of a directory in order and sends every event, in batches, until all are there; it remembers how
    /// far it has come, so that it can be ended at any time and started again. `run` does the same while it captures.
    #[command(after_long_help = ship::MORE)]
    Ship(Box<ShipFlags>),
    /// Tell what happened, from captures
    ///
    /// Reads captures and tells by agent how each login went, which sockets there were and how they ended, states, calls,
    /// pings, requests with the events they caused, subscriptions and findings, each with the lines it stands on: as text,
    /// as one HTML page that needs no network, or as JSON.
    #[command(after_long_help = report::more())]
    Report(Box<ReportFlags>),
    /// Look at captures in a browser: problems, agents, messages, timeline
    ///
    /// Serves a page on 127.0.0.1 that shows captures, those that are still written included: a list with filter and search, a
    /// detail with the decoded Update, what caused a message and what it caused, and the problems with advice and evidence.
    /// `run --console` shows the same live.
    #[command(after_long_help = open::more())]
    Open(OpenFlags),
    /// Lay a session that works beside one that does not, step by step
    ///
    /// Engineers always have one agent for whom it works. Login, requests and calls of both, side by side, and where they
    /// part first: a missing step, another order, status, header or certificate, or another timing.
    #[command(after_long_help = compare::MORE)]
    Compare(CompareFlags),
    /// Read a browser's own HAR through the same decoder and the same redaction
    ///
    /// For when the proxy was not there: somebody exported a HAR from a browser (Chrome, Edge, Firefox, Safari), from Playwright,
    /// or from a proxy (HTTP Toolkit, mitmproxy, Charles, Fiddler, Proxyman, Reqable). Requests and WebSocket messages become the
    /// events that a live capture would have, with secrets removed on the way. Several HARs are merged by time into one
    /// capture. A HAR holds passwords even where Chrome calls it sanitized: import it, and hand over the capture.
    #[command(after_long_help = import::MORE)]
    Import(Box<ImportFlags>),
    /// Make a HAR, a pcapng or a transcript of captures
    ///
    /// From the lines of captures only: what redaction removed is in none of them. Torn and foreign lines are named and left out.
    #[command(after_long_help = export::MORE)]
    Export(ExportFlags),
    /// Lines for the hosts file, so that every program here finds the proxy
    ///
    /// Prints the lines that make the servers' names lead to the proxy, and where the file is; or puts them in, between
    /// markers, and takes them out again.
    #[command(after_long_help = hosts::MORE)]
    Hosts(Box<HostsFlags>),
    /// Have a running `finesse-tap run` read its configuration again
    ///
    /// As SIGHUP does: redaction, capture, log filter, routes, trust and certificates change, a new capture file begins, and
    /// no connection is cut. What is wrong with the configuration is said, and then nothing changes.
    #[command(after_long_help = reload::MORE)]
    Reload(ReloadFlags),
    /// Ready-made files for Splunk, the Elastic stack and log collectors
    ///
    /// They are inside this program: an add-on and dashboards for Splunk, templates and saved objects for Elasticsearch and
    /// Kibana, configurations of Filebeat, Vector, Fluent Bit, rsyslog and the OpenTelemetry Collector, ready searches, and the
    /// schema of the events.
    #[command(after_long_help = assets::MORE)]
    Assets(AssetsFlags),
    /// Print a shell's completion script
    ///
    /// It goes to standard output.
    #[command(after_long_help = manual::COMPLETIONS_MORE)]
    Completions {
        /// The shell it is for
        shell: Shell,
    },
    /// Print the manual page
    ///
    /// It goes to standard output, in roff; or into a directory, with a page for every command.
    #[command(after_long_help = manual::MORE)]
    Man(ManFlags),
}

/// Commands that read the environment, and whose options have a variable.
const SCOPE: Scope = Scope {
    readers: &["run", "browse", "demo", "doctor", "ca", "ship", "import", "hosts", "reload"],
    owners: &["run", "demo"],
    file: "run",
    secrets: &ship::SECRETS,
};

/// What the program was asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The command with its options.
    pub command: Command,
    /// Where they were given.
    pub sources: Sources,
    /// Where help is, for a hint.
    pub help: String,
    /// Environment variables that begin like ours and have no effect.
    pub unknown: Vec<String>,
}

/// Reads what the program was asked to do, from its arguments (its own name first), its environment and its file.
///
/// # Errors
/// There is nothing to do, or no telling what.
pub fn read(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Result<Asked, Stop> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let root = Cli::command();
    let (matches, sources) = config::read(&root, &arguments, environment, &SCOPE)?;
    let name = matches.subcommand_name().unwrap_or_default().to_owned();
    let Cli { command } = Cli::from_arg_matches(&matches).map_err(Stop::Shown)?;
    let unknown = config::unknown_variables(&root, &name, environment, &SCOPE);
    Ok(Asked { command, sources, help: config::help_of(&name), unknown })
}
