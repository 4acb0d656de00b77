//! What `hosts` needs to know.

use super::read::read_value;
use super::route::{Traffic, traffic};
use super::said::Said;
use super::{Problem, value};
use crate::cli::HostsFlags;
use std::net::IpAddr;
use std::path::PathBuf;

/// Options of `run` that say which names there are.
pub(super) const OF_RUN: [&str; 4] = ["upstream", "listen", "route", "resolve"];

/// What `hosts` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosts {
    /// What is to be done.
    pub deed: Deed,
    /// Without asking.
    pub yes: bool,
    /// The file, if it is not the system's.
    pub file: Option<PathBuf>,
}

/// What is to be done to a hosts file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
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

pub(super) fn hosts(flags: HostsFlags, said: &Said) -> Result<Hosts, Problem> {
    let names = || -> Result<Names, Problem> {
        let resolve =
            said.all("resolve").iter().map(|one| read_value(one, value::resolve)).collect::<Result<_, _>>()?;
        Ok(Names { traffic: traffic(said)?, resolve })
    };
    let deed = match (flags.apply, flags.undo) {
        (_, true) => Deed::Undo,
        (true, false) => Deed::Apply(names()?),
        (false, false) => Deed::Show(names()?),
    };
    Ok(Hosts { deed, yes: flags.yes, file: flags.file })
}
