//! What comes out of a connection: requests joined with their responses, an upgrade, or why it could not be read.
//!
//! Values only; [`Http1`](super::Http1) makes them. `Debug` counts content and never shows it.

use super::{RequestHead, ResponseHead};
use crate::clock::Moment;
use crate::conn::Direction;
use bytes::Bytes;
use std::fmt;

/// Most interim responses remembered of one exchange.
pub const INTERIM: usize = 64;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A head longer than this makes the connection opaque, bytes.
    pub head_bytes: usize,
    /// Content kept of one body, decoded of its transfer coding, bytes; the rest is counted.
    pub body_bytes: usize,
    /// Requests that wait for their response on one connection (pipelining).
    pub pending: usize,
    /// Bytes held of either direction while it is open whether they still are HTTP: client bytes behind an upgrade
    /// request that waits for its answer, server bytes behind a 101 whose request is not over.
    pub early_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 1 << 20, body_bytes: 1 << 20, pending: 256, early_bytes: 1 << 20 }
    }
}

/// A message's content.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// The content after transfer coding, still content-coded (gzip …); empty unless it was asked for.
    pub kept: Bytes,
    /// Content bytes that passed, kept or not.
    pub content_bytes: u64,
    /// Whether `kept` is shorter than the content because of the limit.
    pub truncated: bool,
    /// Whether the end of the body was seen as its framing says.
    pub complete: bool,
}

/// A request and what came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// The request.
    pub request: RequestHead,
    /// Its body.
    pub request_body: Body,
    /// Status codes of interim (1xx) responses, in order; the first [`INTERIM`] of them.
    pub interim: Vec<u16>,
    /// The final response, if one came.
    pub response: Option<ResponseHead>,
    /// Its body.
    pub response_body: Body,
    /// First byte of the request.
    pub started: Moment,
    /// Last byte of the request, if it came.
    pub request_ended: Option<Moment>,
    /// First byte of the final response.
    pub answered: Option<Moment>,
    /// Last byte of the response (the end of its direction, where that is what ends it), or when the connection ended.
    pub ended: Moment,
}

/// A connection that stopped speaking HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The request and its 101 (or the 2xx to a CONNECT).
    pub exchange: Exchange,
    /// Client bytes that came behind the request head, in order.
    pub c2s_rest: Vec<(Moment, Bytes)>,
    /// Server bytes that came behind the 101's head, in order.
    pub s2c_rest: Vec<(Moment, Bytes)>,
}

/// What is wanted of an exchange besides its heads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Nothing: content is counted.
    Nothing,
    /// The content of request and response.
    Content,
    /// The same, and the request as soon as it is over: its response may be held back for a minute (RFC 6202 section 2.1).
    RequestFirst,
}

/// A request whose response may be long in coming.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its head.
    pub head: RequestHead,
    /// Its body, incomplete if it was cut.
    pub body: Body,
    /// Its last byte, or when it was cut.
    pub ended: Moment,
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A request of which [`Keep::RequestFirst`] was wanted. Exactly one comes before its exchange, in the order of requests.
    Request(Box<Request>),
    /// A request whose exchange is over, complete or cut.
    Exchange(Box<Exchange>),
    /// HTTP is over; nothing comes after this.
    Upgraded(Box<Upgrade>),
}

/// Why the connection went opaque.
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

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("kept_bytes", &self.kept.len())
            .field("content_bytes", &self.content_bytes)
            .field("truncated", &self.truncated)
            .field("complete", &self.complete)
            .finish()
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = |rest: &[(Moment, Bytes)]| rest.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        f.debug_struct("Upgrade")
            .field("exchange", &self.exchange)
            .field("c2s_rest_bytes", &total(&self.c2s_rest))
            .field("s2c_rest_bytes", &total(&self.s2c_rest))
            .finish()
    }
}
