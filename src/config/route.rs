//! Where traffic comes from and goes to: `--upstream`, `--listen` and `--route` become listeners with the servers behind them.

use super::Problem;
use super::read::read_value;
use super::said::Said;
use super::value;
use crate::conn::{Authority, Kind};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// Where traffic comes from and goes to, as it was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traffic {
    /// Servers at every address in `listen`.
    pub upstreams: Vec<Authority>,
    /// Where `upstreams` are served; empty only if they are.
    pub listen: Vec<SocketAddr>,
    /// Further servers, each with its address.
    pub routes: Vec<Route>,
}

/// One `--route`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Where to accept.
    pub listen: SocketAddr,
    /// What is spoken.
    pub kind: Kind,
    /// The server.
    pub upstream: Authority,
}

impl fmt::Display for Route {
    /// As the option takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}://{}", self.listen, self.kind.scheme(), self.upstream)
    }
}

/// An address to accept at, with the servers that it leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Where to accept; every address with port 0 is a listener of its own.
    pub address: SocketAddr,
    /// What is spoken.
    pub kind: Kind,
    /// The servers, told apart by the name a browser asks for; the first is meant without one. Not empty.
    pub servers: Vec<Authority>,
}

impl Traffic {
    /// All listeners. `upstreams` come before `routes` on a listener they share.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        let of_upstreams =
            |address: &SocketAddr| Listener { address: *address, kind: Kind::Https, servers: self.upstreams.clone() };
        let mut listeners: Vec<Listener> = self.listen.iter().map(of_upstreams).collect();
        for Route { listen, kind, upstream } in &self.routes {
            match shared(&mut listeners, *listen) {
                Some(listener) => listener.servers.push(upstream.clone()),
                None => listeners.push(Listener { address: *listen, kind: *kind, servers: vec![upstream.clone()] }),
            }
        }
        listeners
    }

    /// Every server once, in the order of the listeners.
    #[must_use]
    pub fn servers(&self) -> Vec<Authority> {
        let mut servers: Vec<Authority> = Vec::new();
        for server in self.listeners().into_iter().flat_map(|listener| listener.servers) {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// Every server's host once, in that order. The first is the run's own.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for server in self.servers() {
            if !hosts.contains(&server.host) {
                hosts.push(server.host);
            }
        }
        hosts
    }
}

/// The listener that a route would join. Port 0 is a new port each time.
fn shared(listeners: &mut [Listener], address: SocketAddr) -> Option<&mut Listener> {
    listeners.iter_mut().find(|listener| address.port() != 0 && listener.address == address)
}

/// What was said of traffic.
pub(super) fn traffic(said: &Said) -> Result<Traffic, Problem> {
    let mut traffic = Traffic { upstreams: Vec::new(), listen: Vec::new(), routes: Vec::new() };
    for value in said.all("upstream") {
        let upstream = read_value(value, value::upstream)?;
        if traffic.upstreams.iter().any(|other| other.host == upstream.host) {
            return Err(value
                .problem(format!("{} is named twice", upstream.host))
                .hint(format!("another port of it needs a listener of its own: --route PORT={}:PORT", upstream.host)));
        }
        traffic.upstreams.push(upstream);
    }
    if traffic.upstreams.is_empty() {
        if let (Some(value), Some(_)) = (said.one("listen"), said.one("route")) {
            let hint = "add --upstream HOST; a --route names the address it listens on itself";
            return Err(value.problem("no server is named that would be behind it").hint(hint));
        }
    } else {
        traffic.listen = listen(said, value::FINESSE_PORT)?;
    }
    for value in said.all("route") {
        let route = read_value(value, value::route)?;
        let at = route.listen;
        if let Some(there) = shared(&mut traffic.listeners(), at) {
            if there.kind != route.kind {
                let why = format!("{at} speaks {} already, not {}", there.kind.scheme(), route.kind.scheme());
                return Err(value.problem(why).hint("give it a port of its own"));
            }
            if let Some(other) = there.servers.iter().find(|other| other.host == route.upstream.host) {
                let why = format!("{at} leads to {other} already");
                return Err(value
                    .problem(why)
                    .hint("one listener tells servers apart by their names: keep one of the two"));
            }
        }
        traffic.routes.push(route);
    }
    if traffic.upstreams.is_empty() && traffic.routes.is_empty() {
        let hint = "add --upstream HOST, such as --upstream uccxpub.example.com";
        return Err(Problem::new("no server is named").hint(hint));
    }
    Ok(traffic)
}

/// Addresses to listen on, one at least.
pub(super) fn listen(said: &Said, default_port: u16) -> Result<Vec<SocketAddr>, Problem> {
    let mut addresses = Vec::new();
    for said in said.all("listen") {
        let address = read_value(said, value::listen)?;
        if address.port() != 0 && addresses.contains(&address) {
            return Err(said.problem(format!("{address} is named twice")));
        }
        addresses.push(address);
    }
    if addresses.is_empty() {
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, default_port)));
    }
    Ok(addresses)
}
