//! `hosts`: its options, what they become, and its help.

use super::traffic::{Traffic, TrafficFlags, traffic};
use crate::config::{Problem, Sources};
use clap::{Args, ValueHint};
use std::net::IpAddr;
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap hosts --upstream uccxpub.example.com \\
    --upstream uccxsub.example.com
  finesse-tap hosts --config tap.toml --apply
  finesse-tap hosts --undo

Without --apply or --undo nothing is changed. Every line but ours stays as it is, and the file as it was is kept beside it with \
.finesse-tap.bak behind its name. Changing the system's file needs the rights of an administrator; the error says the command.

A hosts file maps names, not ports, and it maps them for this proxy too: `run` then needs the servers' real addresses by \
--resolve, which are said. Where that is too much, `finesse-tap run` tells at its start how one browser alone finds the proxy.

The variables of `run` count here too, such as FINESSE_TAP_UPSTREAM.

Next: finesse-tap run, with the --resolve options shown.";

/// The options of `hosts`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct HostsFlags {
    /// Read the routes from the TOML file of `run`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Which names, and where they lead.
    #[command(flatten)]
    pub traffic: TrafficFlags,
    /// Put the lines into the hosts file, after asking
    #[arg(long, conflicts_with = "undo")]
    pub apply: bool,
    /// Take our lines out of the hosts file, after asking
    #[arg(long)]
    pub undo: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Change FILE instead of the system's hosts file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// What `hosts` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosts {
    /// What is to be done.
    pub action: Action,
    /// Without asking.
    pub yes: bool,
    /// The file, if it is not the system's.
    pub file: Option<PathBuf>,
}

/// What is to be done to a hosts file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show the lines.
    Show(Names),
    /// Put them in.
    Apply(Names),
    /// Take ours out.
    Undo,
}

/// Whose lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// The routes.
    pub traffic: Traffic,
    /// Addresses that `run` is told, so that it need not be told again.
    pub resolve: Vec<(String, IpAddr)>,
}

impl HostsFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They name no server.
    pub fn check(self, sources: &Sources) -> Result<Hosts, Problem> {
        let upstream = self.traffic.upstreams();
        let TrafficFlags { listen, route, resolve, .. } = self.traffic;
        let names = || Ok(Names { traffic: traffic(&upstream, &listen, &route, sources)?, resolve });
        let action = match (self.apply, self.undo) {
            (_, true) => Action::Undo,
            (true, false) => Action::Apply(names()?),
            (false, false) => Action::Show(names()?),
        };
        Ok(Hosts { action, yes: self.yes, file: self.file })
    }
}
