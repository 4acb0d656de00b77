//! The vocabulary every layer shares: which connection, which stream, which direction.
//!
//! Knows no protocol and does no I/O. Identifiers count from 1 within one run of the program and are written the way
//! the event stream writes them: `c7` for a connection, `w2` for a WebSocket (`b2` for a BOSH session, `x2` for XMPP by itself), `s3` for a desktop
//! session.

use std::fmt;
use std::net::SocketAddr;

/// One accepted client connection with its one upstream connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u64);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// What an XMPP stream travels in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Carrier {
    /// RFC 7395: a connection after its `101 Switching Protocols`.
    WebSocket,
    /// XEP-0124: requests and responses of several connections.
    Bosh,
    /// RFC 6120: a connection of its own.
    Tcp,
}

/// One XMPP stream, whatever carries it. Numbers count over all carriers: the larger one is the younger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StreamId {
    /// Its number in this run.
    pub number: u64,
    /// What carries it.
    pub carrier: Carrier,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.carrier {
            Carrier::WebSocket => 'w',
            Carrier::Bosh => 'b',
            Carrier::Tcp => 'x',
        };
        write!(f, "{letter}{}", self.number)
    }
}

/// One desktop session: what one agent does on one browser, over several sockets if need be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// Which way bytes travel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// Client (browser) to server (Finesse).
    C2s,
    /// Server (Finesse) to client (browser).
    S2c,
}

impl Direction {
    /// As the event stream writes it: `c2s` or `s2c`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::C2s => "c2s",
            Self::S2c => "s2c",
        }
    }

    /// The other direction.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::C2s => Self::S2c,
            Self::S2c => Self::C2s,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is spoken on a connection, and when TLS begins on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// HTTP and WebSocket behind TLS.
    Https,
    /// An XMPP stream behind TLS (XEP-0368).
    Xmpps,
    /// An XMPP stream that turns to TLS by STARTTLS (RFC 6120 section 5).
    XmppStartTls,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Https, Self::Xmpps, Self::XmppStartTls];

    /// As routes write it: `https`, `xmpps` or `xmpp`.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Xmpps => "xmpps",
            Self::XmppStartTls => "xmpp",
        }
    }

    /// The port on which Finesse serves it.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Https => 8445,
            Self::Xmpps => 5223,
            Self::XmppStartTls => 5222,
        }
    }
}

/// A host and a port as a person types them: `uccxpub.example.com:8445`, `[::1]:8445`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Authority {
    /// DNS name in lower case, or an IP address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What the `User-Agent` of `doctor`'s own requests begins with: they are no desktop's.
pub const PROBE_AGENT: &str = "finesse-tap-doctor/";

impl Authority {
    /// Reads `HOST`, `HOST:PORT`, `IPv4[:PORT]`, `[IPv6][:PORT]`, or a bare IPv6 address; `default_port` where none is named.
    ///
    /// # Errors
    /// A plain-language sentence about what is wrong with the text.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let text = text.trim();
        if text.contains("://") || text.contains('/') {
            return Err(format!("`{text}` is a URL; name only HOST or HOST:PORT"));
        }
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Ok(Self { host: text.to_lowercase(), port: default_port });
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, "")) => (inner, None),
            Some((inner, rest)) => {
                (inner, Some(rest.strip_prefix(':').ok_or(format!("`{text}`: expected `:PORT` after `]`"))?))
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => default_port,
            Some(p) => p.parse().map_err(|_| format!("`{p}` in `{text}` is not a port (0 to 65535)"))?,
        };
        let well_formed = !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'));
        if !well_formed {
            return Err(format!("`{host}` is not a host name (write international names in their xn-- form)"));
        }
        Ok(Self { host: host.trim_end_matches('.').to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What stays the same over a connection's life: who it is and between whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peers {
    /// This connection.
    pub conn: ConnId,
    /// The browser's address.
    pub client: SocketAddr,
    /// The name and port the browser wants: the upstream's name as it is dialled.
    pub server: Authority,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authority_reads_what_people_type() {
        let parse = |t| Authority::parse(t, 8445).map(|a| a.to_string());
        assert_eq!(parse("UCCXpub.example.com"), Ok("uccxpub.example.com:8445".into()));
        assert_eq!(parse("host:7443"), Ok("host:7443".into()));
        assert_eq!(parse("[::1]:1"), Ok("[::1]:1".into()));
        assert_eq!(parse("[::1]"), Ok("[::1]:8445".into()));
        assert_eq!(parse("::1"), Ok("[::1]:8445".into()));
        for bad in ["", "https://h", "h:99999", "h:", "[::1]x", "a b", "h/desktop"] {
            assert!(parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
