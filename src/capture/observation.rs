//! What was seen, before redaction: facts with secrets still in them.
//!
//! Lives between decoders and redactor only. Neither `Serialize` nor `Debug` with payloads: an observation cannot reach
//! a sink or a log by accident.

use crate::clock::Moment;
use crate::conn::Peers;
use std::net::SocketAddr;

/// One of the two TLS connections the proxy stands between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leg {
    /// Browser to proxy.
    Client,
    /// Proxy to Finesse.
    Upstream,
}

impl Leg {
    /// As the event stream writes it: `client` or `upstream`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
        }
    }
}

/// A certificate as a person compares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Subject, RFC 4514 style.
    pub subject: String,
    /// Issuer, RFC 4514 style.
    pub issuer: String,
    /// Subject alternative names: `DNS:name`, `IP:address`.
    pub sans: Vec<String>,
    /// Start of validity, seconds since 1970.
    pub not_before: i64,
    /// End of validity, seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of the DER form, lower-case hex.
    pub sha256: String,
}

/// How a TLS handshake went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsHandshake {
    /// Which leg.
    pub leg: Leg,
    /// When it ended.
    pub at: Moment,
    /// How long it took, microseconds.
    pub took_us: u64,
    /// `1.2` or `1.3`.
    pub version: Option<&'static str>,
    /// IANA name of the cipher suite.
    pub cipher: Option<String>,
    /// Negotiated ALPN protocol.
    pub alpn: Option<String>,
    /// Server name in the ClientHello.
    pub sni: Option<String>,
    /// The session was resumed.
    pub resumed: bool,
    /// The peer asked for a client certificate (upstream leg).
    pub client_certificate_requested: bool,
    /// The server's certificate: Finesse's on the upstream leg, ours on the client leg.
    pub certificate: Option<Certificate>,
    /// Set if it failed.
    pub failure: Option<TlsFailure>,
}

/// Why a TLS handshake failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFailure {
    /// The alert by its RFC 8446 name (`unknown_ca`, `certificate_unknown` …), if one was sent or received.
    pub alert: Option<String>,
    /// Who sent the alert or gave up.
    pub by: End,
    /// One plain sentence, no payload.
    pub why: String,
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The browser.
    Client,
    /// Finesse.
    Upstream,
    /// This program.
    Proxy,
}

impl End {
    /// As the event stream writes it: `client`, `upstream` or `proxy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Both directions ended in order (FIN, with TLS with or without close_notify; see `unclean`).
    Fin,
    /// A TCP reset.
    Rst,
    /// A handshake, connect or grace limit passed, or the kernel's own time-out.
    Timeout,
    /// A TLS alert or a TLS record that could not be read.
    TlsAlert,
    /// The program is shutting down.
    Shutdown,
    /// The upstream could not be reached or was refused; the browser got a 502 page.
    Unreachable,
    /// Not TLS, or a name the proxy does not front.
    Refused,
    /// The connection limit was reached.
    Limit,
    /// Any other I/O error.
    Error,
}

impl How {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
            Self::TlsAlert => "tls_alert",
            Self::Shutdown => "shutdown",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Limit => "limit",
            Self::Error => "error",
        }
    }
}

/// A connection was accepted, and what is known of its two ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Who, between whom.
    pub peers: Peers,
    /// When it was accepted.
    pub at: Moment,
    /// The listener's address.
    pub listener: SocketAddr,
    /// Server name in the client's ClientHello.
    pub sni: Option<String>,
    /// The address dialled, once connected.
    pub upstream: Option<SocketAddr>,
    /// How long the TCP connect to the upstream took, microseconds.
    pub connect_us: Option<u64>,
}

/// A connection is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// When.
    pub at: Moment,
    /// Who ended it first.
    pub by: End,
    /// How.
    pub how: How,
    /// The ending side sent no TLS close_notify before its FIN.
    pub unclean: bool,
    /// Application bytes relayed from client to server.
    pub c2s_bytes: u64,
    /// Application bytes relayed from server to client.
    pub s2c_bytes: u64,
    /// One plain sentence where `how` does not say it all; no payload.
    pub why: Option<String>,
}
