//! What was seen, before redaction: facts with secrets still in them.
//!
//! Lives between decoders and redactor only. Neither `Serialize` nor `Debug` with payloads: an observation cannot reach
//! a sink or a log by accident.

use super::event::{StreamCount, WsCount};
use crate::bosh::Terms;
use crate::clock::Moment;
use crate::conn::{Direction, Kind, Peers, StreamId};
use crate::finesse::{Api, ClientLog, Gadget, Token, Update};
use crate::http1::Exchange;
use crate::http2::{self, Count};
use crate::rewrite::Edit;
use crate::session::tracker::UpdateRead;
use crate::session::{Finding, Reply, Session, Stage, Summary};
use crate::ws::{Control, Handshake, Message};
use crate::xmpp::Stanza;
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
    /// What was offered in ALPN, in its order; see [`crate::tls::offer_names`].
    pub offered: Vec<&'static str>,
    /// Why the client's offer was not handed on to the server, if it was not (client leg): `option`, `rewriting` or
    /// `certificate`.
    pub pinned: Option<&'static str>,
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

/// Begins a sentence that ends in a browser's own words.
pub const QUOTED: &str = "the browser says: ";

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The browser.
    Client,
    /// Finesse.
    Upstream,
    /// This program.
    Proxy,
    /// Not known: what is decoded was not captured here.
    Unknown,
}

impl End {
    /// As the event stream writes it: `client`, `upstream`, `proxy` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
            Self::Unknown => "unknown",
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
    /// Not known: what is decoded was not captured here.
    Unknown,
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
            Self::Unknown => "unknown",
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
    /// What is spoken on it.
    pub kind: Kind,
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

/// Anything seen, with what is known of its place.
pub struct Observation<'o> {
    /// When the proxy read the bytes.
    pub at: Moment,
    /// The connection; `None` for the program itself.
    pub peers: Option<&'o Peers>,
    /// The desktop session, once known.
    pub session: Option<Session>,
    /// The agent, once known.
    pub user: Option<&'o str>,
    /// The XMPP stream, or WebSocket.
    pub stream: Option<StreamId>,
    /// Which way it travelled.
    pub direction: Option<Direction>,
    /// What it is.
    pub what: What<'o>,
}

/// What was seen.
pub enum What<'o> {
    /// A connection was accepted.
    Opened(&'o Opened),
    /// A TLS handshake ended.
    Tls(&'o TlsHandshake),
    /// A connection ended.
    Closed {
        /// How.
        closed: &'o Closed,
        /// How long it lived, nanoseconds.
        duration_ns: u64,
        /// What it amounted to, if it was HTTP/2.
        http2: Option<Count>,
    },
    /// Something that only HTTP/2 has.
    Http2(&'o http2::Item),
    /// An HTTP exchange is over.
    Exchange(&'o HttpExchange<'o>),
    /// A WebSocket began.
    WebSocketOpened {
        /// The upgrade.
        exchange: &'o Exchange,
        /// What was passed on with other values.
        edits: &'o [Edit],
        /// What it agreed on.
        handshake: &'o Handshake,
    },
    /// A WebSocket ended.
    WebSocketClosed(&'o WebSocketEnd),
    /// A stream that is no WebSocket began.
    StreamOpened {
        /// BOSH: the session's id.
        sid: Option<&'o str>,
        /// BOSH: what was agreed upon.
        terms: Terms,
    },
    /// A stream that is no WebSocket ended.
    StreamClosed(&'o StreamEnd),
    /// White space between elements: a keep-alive (RFC 6120 section 4.6.1).
    Space,
    /// A stanza or stream element.
    Stanza(&'o StanzaSeen<'o>),
    /// A WebSocket message that is no XMPP.
    Message {
        /// The message; its payload is never written.
        message: &'o Message,
        /// White space only: RFC 7395 keep-alive.
        keepalive: bool,
    },
    /// A WebSocket control frame.
    Control {
        /// The frame.
        control: &'o Control,
        /// For a pong: since its ping, microseconds.
        rtt_us: Option<u64>,
        /// How long nothing had passed before it, milliseconds.
        idle_ms: Option<u64>,
    },
    /// Something could not be read.
    Undecoded {
        /// `http`, `content`, `websocket`, `bosh`, `xmpp`, `update`.
        layer: &'static str,
        /// Where, bytes.
        offset: Option<u64>,
        /// A constant sentence.
        why: &'static str,
        /// Nothing more is read in that direction.
        opaque: bool,
    },
    /// Something went wrong, or is about to.
    Finding(&'o Finding),
    /// A desktop session in numbers.
    Summary(&'o Summary),
    /// What the person at the proxy wrote down.
    Note(&'o str),
    /// Events or bytes are missing from the log.
    Gap {
        /// Where they were lost: `tap` or the sink's name.
        place: String,
        /// The reason as filters match it.
        code: &'static str,
        /// The reason as a person reads it.
        why: &'static str,
        /// Events lost.
        events: u64,
        /// Bytes lost.
        bytes: u64,
        /// First and last sequence lost.
        sequences: Option<(u64, u64)>,
    },
}

/// An exchange and what was made of it.
pub struct HttpExchange<'o> {
    /// As either side sent it.
    pub exchange: &'o Exchange,
    /// What was passed on with other values.
    pub edits: &'o [Edit],
    /// The REST call, if it is one; a gadget's stands inside.
    pub api: Option<&'o Api>,
    /// The request that a gadget made, and its status.
    pub gadget: Option<(&'o Gadget, Option<u16>)>,
    /// A token that the answer gave out.
    pub token: Option<Token>,
    /// The log that was uploaded.
    pub client_log: Option<&'o ClientLog>,
    /// The object in the answer.
    pub answer: Option<&'o Update<'o>>,
    /// Its `requestId` header.
    pub request_id: Option<&'o str>,
    /// The event that came before the answer: its line, and milliseconds from the request.
    pub caused: Option<(u64, u64)>,
    /// The answer was this program's own.
    pub by_proxy: bool,
    /// What it is to its BOSH session.
    pub bosh: Option<&'o BoshRequest<'o>>,
    /// Why no response came, in the browser's words.
    pub failure: Option<&'o str>,
    /// Its stream, in HTTP/2.
    pub stream: Option<u32>,
    /// Request content to be written, decoded.
    pub request_content: Option<&'o [u8]>,
    /// Response content to be written, decoded.
    pub response_content: Option<&'o [u8]>,
}

/// A post as a request of a BOSH session.
pub struct BoshRequest<'o> {
    /// The session.
    pub id: StreamId,
    /// Its id on the wire, once granted.
    pub sid: Option<&'o str>,
    /// The request's number, from 0.
    pub number: Option<u64>,
    /// It was sent before.
    pub repeated: bool,
    /// Requests open when it came, itself included.
    pub open: u64,
}

/// How a stream that is no WebSocket ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEnd {
    /// Who ended it first.
    pub by: End,
    /// How.
    pub how: StreamHow,
    /// BOSH: the server's reason.
    pub condition: Option<String>,
    /// How long it lived, nanoseconds.
    pub duration_ns: u64,
    /// BOSH: its requests.
    pub requests: Option<u64>,
    /// What passed from client to server.
    pub c2s: StreamCount,
    /// What passed from server to client.
    pub s2c: StreamCount,
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamHow {
    /// BOSH: by a body that says so.
    Terminate,
    /// BOSH: by an HTTP status.
    Status,
    /// BOSH: nobody went on with it.
    Inactive,
    /// The program ends before it.
    Shutdown,
    /// By `</stream:stream>`.
    StreamEnd,
    /// With its connection.
    Connection(How),
}

impl StreamHow {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Status => "status",
            Self::Inactive => "inactive",
            Self::Shutdown => "shutdown",
            Self::StreamEnd => "stream-end",
            Self::Connection(how) => how.as_str(),
        }
    }
}

/// How a WebSocket ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WebSocketEnd {
    /// The first Close frame: who sent it, its code (RFC 6455 section 7.1.5) and reason.
    pub close: Option<(Direction, Option<u16>, String)>,
    /// The other side answered with a Close frame.
    pub answered: bool,
    /// How long it lived, nanoseconds.
    pub duration_ns: u64,
    /// What passed from client to server.
    pub c2s: WsCount,
    /// What passed from server to client.
    pub s2c: WsCount,
}

/// A stanza and what was made of it.
#[derive(Clone, Copy)]
pub struct StanzaSeen<'o> {
    /// As it was read.
    pub stanza: &'o Stanza<'o, 'o>,
    /// Its text.
    pub xml: &'o str,
    /// The document breaks off inside this stanza; what follows could not be read.
    pub broken: bool,
    /// The question it answers.
    pub reply: Option<Reply>,
    /// The stage of the login that it reaches.
    pub stage: Option<Stage>,
    /// A ping or the answer to one.
    pub keepalive: bool,
    /// The user whom a SASL element names.
    pub sasl_user: Option<&'o str>,
    /// The Finesse notification in it.
    pub notification: Option<&'o NotificationSeen<'o>>,
}

/// A notification's payload, read as a second document.
pub struct NotificationSeen<'o> {
    /// The update in it.
    pub update: Option<&'o Update<'o>>,
    /// What the session layer makes of it.
    pub read: UpdateRead,
}
