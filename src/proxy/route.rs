//! Which server a browser means: by the listener it came to, and the name it asked for.
//!
//! A [`Route`] is one fronted server on one listener. [`Plan`] is what holds for connections that arrive now: all routes
//! with both TLS configurations; those that came earlier keep theirs. Knows names and addresses, resolves nothing.

use super::Config;
use super::alpn::Alpn;
use super::dial::{Dialer, Unreachable};
use super::filter::{Filter, Rewriting};
use super::preface::Preface;
use crate::capture::observation::Certificate;
use crate::clock;
use crate::conn::{Authority, Kind};
use crate::rewrite::{Names, Rewriter};
use crate::tls::front::{Front, Meaning};
use crate::tls::leaf::Identity;
use crate::tls::upstream::Upstream;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// What arrives at a listener for a server's name goes to that server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The address the listener is bound to.
    pub listener: SocketAddr,
    /// The server: the name that browsers ask for, and where it is dialled.
    pub upstream: Authority,
    /// What is spoken; the same for all routes of a listener.
    pub kind: Kind,
}

impl Route {
    /// Whether this is the server that a ClientHello with this name asks for. Without a name, or by any other (such as
    /// `localhost`), a client does not address the server by its own name.
    #[must_use]
    pub fn is_named(&self, sni: Option<&str>) -> bool {
        sni.is_some_and(|name| self.upstream.host.eq_ignore_ascii_case(name))
    }
}

/// What holds for connections that arrive now.
pub(crate) struct Plan {
    gates: Vec<Arc<Gate>>,
    pub(crate) dialer: Dialer,
    pub(crate) front: Front,
    pub(crate) upstream: Upstream,
    rewriting: Rewriting,
    pub(crate) alpn: Alpn,
    pub(crate) preface: Preface,
}

/// One listener with its routes.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    /// The server that is meant when a client names none.
    pub(crate) first: Route,
    others: Vec<Route>,
    /// TLS towards the browser; who names no server gets the first one's certificate.
    pub(crate) tls: Meaning,
}

impl Plan {
    /// Listeners without a route are left out.
    pub(crate) fn new(config: Config) -> Self {
        let listeners: BTreeSet<SocketAddr> = config.routes.iter().map(|route| route.listener).collect();
        let gate = |address: &SocketAddr| {
            let mut routes = config.routes.iter().filter(|route| route.listener == *address).cloned();
            let first = routes.next()?;
            let tls = config.front.meaning(&first.upstream.host, first.kind);
            Some(Arc::new(Gate { address: *address, first, others: routes.collect(), tls }))
        };
        Self {
            gates: listeners.iter().filter_map(gate).collect(),
            dialer: Dialer {
                resolve: config.resolve,
                listeners: listeners.iter().copied().collect(),
                limit: config.limits.connect,
            },
            front: config.front,
            upstream: config.upstream,
            rewriting: config.rewriting,
            alpn: config.alpn,
            preface: config.preface,
        }
    }

    /// The listener at an address.
    pub(crate) fn gate(&self, address: SocketAddr) -> Option<&Arc<Gate>> {
        self.gates.iter().find(|gate| gate.address == address)
    }

    /// The server that a client means who came to `gate` and asked for `sni`.
    ///
    /// # Errors
    /// The name is fronted, but on other listeners only: what is meant for that server must not reach another.
    pub(crate) fn route<'g>(&self, gate: &'g Gate, sni: Option<&str>) -> Result<&'g Route, Unreachable> {
        if let Some(route) = gate.routes().find(|route| route.is_named(sni)) {
            return Ok(route);
        }
        let mut elsewhere = self.gates.iter().flat_map(|gate| gate.routes()).filter(|route| route.is_named(sni));
        match elsewhere.next() {
            None => Ok(&gate.first),
            Some(route) => Err(Unreachable::not_here(&route.upstream.host, gate.address, route.listener)),
        }
    }

    /// Whether header fields are edited between the client that asked for `sni` and this route's server.
    pub(crate) fn rewrites(&self, route: &Route, sni: Option<&str>) -> bool {
        let meant = match self.rewriting {
            Rewriting::Auto => !route.is_named(sni),
            Rewriting::Always => true,
            Rewriting::Never => false,
        };
        meant && route.kind == Kind::Https
    }

    /// What stands between the client that asked for `sni` and this route's server.
    pub(crate) fn filter(&self, route: &Route, sni: Option<&str>) -> Filter {
        let ports = || {
            let desktops = self.gates.iter().filter(|gate| gate.first.kind == Kind::Https);
            desktops.map(|gate| (gate.address.port(), gate.first.upstream.clone())).collect()
        };
        Filter::new(
            self.rewrites(route, sni).then(|| Rewriter::new(Names { server: route.upstream.clone(), ports: ports() })),
        )
    }

    /// Whether a certificate is the one we minted for this server ourselves. (One that the user brought along may
    /// well be the server's.)
    pub(crate) fn is_own_leaf(&self, shown: &Certificate, server: &Authority) -> bool {
        let identity = &self.front.identity;
        matches!(**identity, Identity::Minted(_))
            && matches!(identity.leaf(Some(&server.host), clock::now()), Ok(Some(leaf)) if leaf.certificate.sha256 == shown.sha256)
    }
}

impl Gate {
    /// All its routes, the one that is meant without a name first.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether servers of several names are behind it.
    pub(crate) fn leads_to_several(&self) -> bool {
        self.others.iter().any(|other| !other.upstream.host.eq_ignore_ascii_case(&self.first.upstream.host))
    }

    /// The servers it stands for, as a person reads it.
    pub(crate) fn names(&self) -> String {
        self.routes().map(|route| &*route.upstream.host).collect::<Vec<_>>().join(", ")
    }
}
