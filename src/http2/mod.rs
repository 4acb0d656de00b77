//! HTTP/2 (RFC 9113) over TLS read passively from a copy of both directions.
//!
//! [`Http2`] is fed the bytes of either direction and yields the same exchanges that [`crate::http1`] yields, each with its
//! stream, and what only HTTP/2 has: connections told to go away, streams reset, settings, pings, and tunnels of an extended
//! CONNECT (RFC 8441), whose content is another codec's. It owns no connection, answers nothing, checks no more than it needs
//! to read on, knows nothing of Finesse, and holds at most what [`Limits`] allows. Cleartext HTTP/2 (`h2c`) is out of scope.

mod connection;
mod fields;
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
