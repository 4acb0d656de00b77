//! Who is called what: a server's own name, and the name by which a browser came to it.

use crate::conn::Authority;

/// HTTPS without a port means this one.
const HTTPS_PORT: u16 = 443;

/// The names of one connection's server, and of the servers behind the proxy's other ports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// The server of this connection, by its real name and port.
    pub server: Authority,
    /// The server that a browser reaches at each port of ours when it does not name one.
    pub ports: Vec<(u16, Authority)>,
}

impl Names {
    /// What the server knows as the thing that a browser, which came by `called`, names `named`; `None` where that is
    /// neither us nor a wrong name.
    pub(super) fn real(&self, called: &Authority, named: &Authority) -> Option<&Authority> {
        if named.host != called.host {
            return None;
        }
        let behind = |port| self.ports.iter().find(|(ours, _)| *ours == port).map(|(_, server)| server);
        let real = if named.port == called.port { Some(&self.server) } else { behind(named.port) };
        real.filter(|real| *real != named)
    }

    /// The way back: how a browser, which came by `called`, reaches what a server names `named`.
    pub(super) fn ours(&self, called: &Authority, named: &Authority) -> Option<Authority> {
        let ours = if *named == self.server {
            called.clone()
        } else {
            let (port, _) = self.ports.iter().find(|(_, server)| server == named)?;
            Authority { host: called.host.clone(), port: *port }
        };
        Some(ours).filter(|ours| ours != named)
    }

    /// All servers: this one first.
    pub(super) fn servers(&self) -> impl Iterator<Item = &Authority> {
        let others = self.ports.iter().map(|(_, server)| server).filter(|server| **server != self.server);
        std::iter::once(&self.server).chain(others)
    }
}

/// `host` or `host:port`, as `https` understands it.
pub(super) fn authority(text: &[u8]) -> Option<Authority> {
    Authority::parse(str::from_utf8(text).ok()?, HTTPS_PORT).ok()
}

/// As it stands in a URL: without the port that `https` implies.
pub(super) fn text(authority: &Authority) -> String {
    let text = authority.to_string();
    match text.strip_suffix(":443") {
        Some(host) if authority.port == HTTPS_PORT => host.to_owned(),
        _ => text,
    }
}
