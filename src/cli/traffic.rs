//! Where traffic comes from and goes to: `--upstream`, `--listen` and `--route` become listeners with the servers behind them.

use crate::config::value::{self, FINESSE_PORT, Wrong};
use crate::config::{Given, Problem, Sources, given};
use crate::conn::{Authority, Kind};
use crate::proxy::{Alpn, Rewriting};
use clap::{Args, ValueHint};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where traffic comes from and goes to.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Traffic")]
pub struct TrafficFlags {
    /// As --upstream
    #[arg(value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, value_parser = given(value::upstream))]
    #[arg(conflicts_with = "upstream")]
    pub server: Vec<Given<Authority>>,
    /// The Finesse server; port 8445 unless given; repeatable
    ///
    /// By the name that browsers use for it; of a URL the host and port count. Name both nodes of a cluster: connections are
    /// told apart by the name that the browser asks for, and one that asks for none of them, such as localhost, means the first.
    #[arg(long, value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, value_parser = given(value::upstream))]
    pub upstream: Vec<Given<Authority>>,
    /// Accept browsers for every --upstream here; repeatable [default: 127.0.0.1:8445]
    ///
    /// The port should be the server's, as the browser asks for the same name and port; port 0 takes any free one and says
    /// which. Any address but a loopback one lets other machines in.
    #[arg(long, value_name = "ADDR:PORT", value_parser = given(value::listen))]
    pub listen: Vec<Given<SocketAddr>>,
    /// Accept at LISTEN for one more server or port; repeatable
    ///
    /// LISTEN is a port of 127.0.0.1, or ADDR:PORT. The server's port is that of LISTEN unless given. SCHEME is https, xmpps
    /// (XMPP behind TLS, 5223) or xmpp (with STARTTLS, 5222). Releases before 12.6 use port 7443 for notifications:
    /// --route 7443=HOST. Several servers may share a listener, as those of --upstream do, which come first on it.
    #[arg(long, value_name = "LISTEN=[SCHEME://]HOST[:PORT]", value_parser = given(route))]
    pub route: Vec<Given<Route>>,
    /// Every connection begins with a PROXY protocol header, version 1 or 2
    ///
    /// Behind a balancer that sends one (HAProxy: send-proxy-v2), so that the log has the browser's address. A connection
    /// without it is refused. Let nobody but the balancer reach the listeners: a header can claim any address.
    #[arg(long)]
    pub accept_proxy_protocol: bool,
    /// Dial ADDR for the name HOST; repeatable
    ///
    /// ADDR is an IP address, IPv6 in brackets. Needed where a hosts file on this machine leads HOST to the proxy, which
    /// would dial itself otherwise.
    #[arg(long, value_name = "HOST=ADDR", value_parser = value::resolve)]
    pub resolve: Vec<(String, IpAddr)>,
    /// Whose headers to rewrite, for browsers that use another name
    ///
    /// auto: connections that do not ask for a server by its real name, such as those of https://localhost:8445. The server
    /// then finds its own name in Host, Origin and Referer, the browser the one that it used in Location, Set-Cookie,
    /// Access-Control-Allow-Origin and Content-Security-Policy; Strict-Transport-Security is taken back. Every other byte
    /// passes as it is, and the log tells each change. Best effort: names within pages are not touched.
    ///
    /// always: all connections. never: none.
    #[arg(long, value_name = "WHOSE", default_value = "auto", value_parser = value::one_of(&Rewriting::ALL, Rewriting::as_str))]
    pub rewrite: Rewriting,
    /// Which versions of HTTP either side may agree on
    ///
    /// mirror: the server is offered what the browser offers (h2, http/1.1), and the browser gets what the server chose, so that
    /// both speak as they would without the proxy. Where headers are rewritten, and at listeners where one --cert stands for
    /// several servers, it is HTTP/1.1 nevertheless; the log says so.
    ///
    /// http1: HTTP/1.1 alone.
    #[arg(long, value_name = "WHICH", default_value = "mirror", value_parser = value::one_of(&Alpn::ALL, Alpn::as_str))]
    pub alpn: Alpn,
}

impl TrafficFlags {
    /// The servers, whichever way they were named.
    pub(super) fn upstreams(&self) -> Vec<Given<Authority>> {
        self.server.iter().chain(&self.upstream).cloned().collect()
    }
}

/// Where traffic comes from and goes to, checked.
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

/// Servers, addresses and routes, checked against each other.
///
/// # Errors
/// No server is named, or two names or addresses collide.
pub(super) fn traffic(
    upstream: &[Given<Authority>],
    listen: &[Given<SocketAddr>],
    route: &[Given<Route>],
    sources: &Sources,
) -> Result<Traffic, Problem> {
    let mut traffic = Traffic { upstreams: Vec::new(), listen: Vec::new(), routes: Vec::new() };
    for server in upstream {
        let host = &server.host;
        if traffic.upstreams.iter().any(|other| other.host == *host) {
            return Err(sources
                .problem(server, format!("{host} is named twice"))
                .hint(format!("another port of it needs a listener of its own: --route PORT={host}:PORT")));
        }
        traffic.upstreams.push((**server).clone());
    }
    if !traffic.upstreams.is_empty() {
        traffic.listen = addresses(listen, FINESSE_PORT, sources)?;
    } else if let (Some(address), false) = (listen.first(), route.is_empty()) {
        let hint = "add --upstream HOST; a --route names the address it listens on itself";
        return Err(sources.problem(address, "no server is named that would be behind it").hint(hint));
    }
    for route in route {
        let at = route.listen;
        if let Some(there) = shared(&mut traffic.listeners(), at) {
            if there.kind != route.kind {
                let why = format!("{at} speaks {} already, not {}", there.kind.scheme(), route.kind.scheme());
                return Err(sources.problem(route, why).hint("give it a port of its own"));
            }
            if let Some(other) = there.servers.iter().find(|other| other.host == route.upstream.host) {
                return Err(sources
                    .problem(route, format!("{at} leads to {other} already"))
                    .hint("one listener tells servers apart by their names: keep one of the two"));
            }
        }
        traffic.routes.push((**route).clone());
    }
    if traffic.upstreams.is_empty() && traffic.routes.is_empty() {
        let hint = "add --upstream HOST, such as --upstream uccxpub.example.com";
        return Err(Problem::new("no server is named").hint(hint));
    }
    Ok(traffic)
}

/// Addresses to listen on, one at least.
pub(super) fn addresses(
    given: &[Given<SocketAddr>],
    default_port: u16,
    sources: &Sources,
) -> Result<Vec<SocketAddr>, Problem> {
    let mut addresses = Vec::new();
    for address in given {
        if address.port() != 0 && addresses.contains(&**address) {
            return Err(sources.problem(address, format!("{} is named twice", **address)));
        }
        addresses.push(**address);
    }
    if addresses.is_empty() {
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, default_port)));
    }
    Ok(addresses)
}

/// `LISTEN=[SCHEME://]HOST[:PORT]`.
pub(super) fn route(text: &str) -> Result<Route, Wrong> {
    let Some((at, to)) = text.split_once('=') else {
        let why = format!("`{text}` is not LISTEN=HOST[:PORT], such as 7443=uccxpub.example.com:7443");
        let better = Authority::parse(text, FINESSE_PORT).ok().map(|server| format!("{}={text}", server.port));
        return Err(Wrong::new(why, better));
    };
    let listen = match at.parse::<u16>() {
        Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Err(_) => value::listen(at).map_err(|found| Wrong {
            why: format!("`{at}` is neither a port nor ADDR:PORT with an IP address"),
            better: found.better.map(|at| format!("{at}={to}")),
        })?,
    };
    let (kind, server) = match to.split_once("://") {
        None => (Kind::Https, to),
        Some((scheme, server)) => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.scheme().eq_ignore_ascii_case(scheme));
            (kind.ok_or_else(|| Wrong::new(format!("`{scheme}` is none of https, xmpps and xmpp"), None))?, server)
        }
    };
    if server.is_empty() {
        return Err(Wrong::new(format!("`{text}` names no server: LISTEN=HOST[:PORT]"), None));
    }
    let default_port = if listen.port() == 0 { kind.port() } else { listen.port() };
    let upstream = Authority::parse(server, default_port).map_err(|why| {
        let host = server.split(['/', '?', '#']).next().filter(|host| *host != server && !host.is_empty());
        Wrong::new(why, host.map(|host| format!("{at}={}://{host}", kind.scheme())))
    })?;
    if upstream.port == 0 {
        return Err(Wrong::new(format!("`{text}`: nobody listens on port 0"), format!("{at}={}", upstream.host)));
    }
    Ok(Route { listen, kind, upstream })
}
