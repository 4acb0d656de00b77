//! HTTP/2 (RFC 9113) over TLS read passively from a copy of both directions.
//!
//! [`Http2`] is fed the bytes of either direction and yields the same exchanges that [`crate::http1`] yields, each with its
//! stream, and what only HTTP/2 has: connections told to go away, streams reset, settings, pings, and tunnels of an extended
//! CONNECT (RFC 8441), whose content is another codec's. It owns no connection, answers nothing, checks no more than it needs
//! to read on, knows nothing of Finesse, and holds at most what [`Limits`] allows. Cleartext HTTP/2 (`h2c`) is out of scope.

mod connection;
mod fields;
mod flow;
mod frame;
mod hpack;
mod table;

#[cfg(test)]
mod tests;

pub use connection::Http2;

use crate::clock::Moment;
use crate::conn::Direction;
use crate::http1::{Exchange, Request};
use bytes::Bytes;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A header block, coded or decoded, longer than this makes its direction opaque, bytes.
    pub head_bytes: usize,
    /// Content kept of one body, bytes; the rest is counted.
    pub body_bytes: usize,
    /// Streams under way at a time.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 1 << 20, body_bytes: 1 << 20, streams: 4_096 }
    }
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A request of which [`Keep::RequestFirst`](crate::http1::Keep::RequestFirst) was wanted; it comes before its exchange.
    Request {
        /// Its stream.
        stream: u32,
        /// As HTTP/1 has it.
        request: Box<Request>,
    },
    /// A request whose exchange is over, complete or cut.
    Exchange {
        /// Its stream.
        stream: u32,
        /// As HTTP/1 has it.
        exchange: Box<Exchange>,
    },
    /// An extended CONNECT was accepted: its stream carries another protocol from here on.
    Tunnel {
        /// Its stream.
        stream: u32,
        /// What it carries, as the client names it: `websocket`.
        protocol: String,
        /// The CONNECT and its response.
        exchange: Box<Exchange>,
    },
    /// Bytes of a tunnel.
    TunnelBytes {
        /// Its stream.
        stream: u32,
        /// Which way.
        direction: Direction,
        /// When they were read.
        at: Moment,
        /// The bytes.
        bytes: Bytes,
    },
    /// One side of a tunnel has ended.
    TunnelEnded {
        /// Its stream.
        stream: u32,
        /// Which way.
        direction: Direction,
        /// When.
        at: Moment,
    },
    /// A stream was ended before its time (RFC 9113 section 6.4). Its exchange, cut, came before.
    Reset {
        /// Who sent it: the sender of this direction.
        direction: Direction,
        /// When.
        at: Moment,
        /// The stream.
        stream: u32,
        /// Error code (RFC 9113 section 7).
        code: u32,
        /// It was an extended CONNECT (RFC 8441) without an answer.
        was_connect: bool,
    },
    /// A side takes no more streams (RFC 9113 section 6.8).
    GoAway {
        /// Who sent it.
        direction: Direction,
        /// When.
        at: Moment,
        /// The last stream that it has looked at.
        last_stream: u32,
        /// Error code (RFC 9113 section 7).
        code: u32,
        /// Streams under way that it will not look at.
        left: u64,
    },
    /// What a side can do (RFC 9113 section 6.5).
    Settings {
        /// Who sent them.
        direction: Direction,
        /// When.
        at: Moment,
        /// In order.
        settings: Vec<Setting>,
    },
    /// Data waited for a window (RFC 9113 section 5.2) for long; told when it was over.
    Stalled {
        /// Which way the data went; its receiver let it wait.
        direction: Direction,
        /// When it was over.
        at: Moment,
        /// The stream; none if it was the connection's window.
        stream: Option<u32>,
        /// How long it was.
        waited_ms: u64,
    },
    /// As many streams are open as the server takes; told once.
    StreamLimit {
        /// When.
        at: Moment,
        /// How many.
        limit: u32,
    },
    /// A request's header list is larger than the server said it would take.
    OverHeaderLimit {
        /// When.
        at: Moment,
        /// Its stream.
        stream: u32,
        /// Its size as RFC 9113 section 6.5.2 counts it.
        bytes: u64,
        /// What the server takes.
        limit: u32,
    },
    /// A PING was answered.
    Ping {
        /// Who asked.
        asker: Direction,
        /// When the answer came.
        at: Moment,
        /// Since it was asked, microseconds.
        rtt_us: u64,
    },
}

/// What a connection amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// Streams that were opened.
    pub streams: u64,
    /// The most at a time.
    pub most_open: u64,
    /// Streams reset by the client, and by the server.
    pub resets: [u64; 2],
    /// GOAWAY frames.
    pub go_aways: u64,
    /// PINGs that were answered.
    pub pings: u64,
}

/// An error code by its name in RFC 9113 section 7; `UNKNOWN` for others.
#[must_use]
pub fn code_name(code: u32) -> &'static str {
    usize::try_from(code).ok().and_then(|code| CODES.get(code)).copied().unwrap_or("UNKNOWN")
}

/// The names of error codes in their order (RFC 9113 section 7), and of any other.
pub const CODES: [&str; 15] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
    "UNKNOWN",
];

/// One setting (RFC 9113 section 6.5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its identifier.
    pub id: u16,
    /// Its value.
    pub value: u32,
}

impl Setting {
    /// `SETTINGS_HEADER_TABLE_SIZE`.
    pub const HEADER_TABLE_SIZE: u16 = 1;
    /// `SETTINGS_ENABLE_PUSH`.
    pub const ENABLE_PUSH: u16 = 2;
    /// `SETTINGS_INITIAL_WINDOW_SIZE`.
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    /// `SETTINGS_MAX_FRAME_SIZE`.
    pub const MAX_FRAME_SIZE: u16 = 5;
    /// `SETTINGS_MAX_HEADER_LIST_SIZE`.
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
    /// `SETTINGS_MAX_CONCURRENT_STREAMS`.
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    /// `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441 section 3).
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;
}

/// Why a direction went opaque.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{direction} byte {offset}: {why}")]
pub struct Error {
    /// The direction that could not be read.
    pub direction: Direction,
    /// Offset in that direction's stream, bytes.
    pub offset: u64,
    /// A constant sentence; never a byte of the input.
    pub why: &'static str,
}
