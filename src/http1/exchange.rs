//! Requests joined with their responses, over keep-alive, pipelining and early answers.

use crate::clock::Moment;
use crate::conn::Direction;
use crate::http1::{RequestHead, ResponseHead};
use bytes::Bytes;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A head longer than this makes the connection opaque, bytes.
    pub head_bytes: usize,
    /// Content kept of one body, decoded of its transfer coding, bytes; the rest is counted.
    pub body_bytes: usize,
    /// Requests that wait for their response on one connection (pipelining).
    pub pending: usize,
    /// Client bytes held while an upgrade request waits for its answer.
    pub early_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 1 << 20, body_bytes: 1 << 20, pending: 256, early_bytes: 1 << 20 }
    }
}

/// A message's content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
    /// Status codes of interim (1xx) responses, in order.
    pub interim: Vec<u16>,
    /// The final response, if one came.
    pub response: Option<ResponseHead>,
    /// Its body.
    pub response_body: Body,
    /// First byte of the request.
    pub started: Moment,
    /// Last byte of the request.
    pub request_ended: Option<Moment>,
    /// First byte of the final response.
    pub answered: Option<Moment>,
    /// Last byte of the response, or when the connection ended.
    pub ended: Moment,
}

/// A connection that stopped speaking HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upgrade {
    /// The request and its 101 (or the 2xx to a CONNECT).
    pub exchange: Exchange,
    /// Client bytes that came behind the request head, in order.
    pub c2s_rest: Vec<(Moment, Bytes)>,
    /// Server bytes that came behind the 101's head, in order.
    pub s2c_rest: Vec<(Moment, Bytes)>,
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
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

/// Follows one connection's two directions.
#[derive(Debug)]
pub struct Http1 {}

impl Http1 {
    /// `keep_body` says from a request's head whether its and its response's content is wanted.
    #[must_use]
    pub fn new(limits: Limits, keep_body: fn(&RequestHead) -> bool) -> Self {
        let _ = (limits, keep_body);
        todo!()
    }

    /// Takes the next bytes of a direction.
    pub fn feed(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        let _ = (direction, at, bytes);
        todo!()
    }

    /// That direction has ended (FIN, reset): bodies until EOF are complete; when both have ended, what is pending comes out cut.
    pub fn end(&mut self, direction: Direction, at: Moment) {
        let _ = (direction, at);
        todo!()
    }

    /// The next item, `None` for more input. After an `Err` (given once, behind all exchanges that could still be told, cut ones included) nothing follows.
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        todo!()
    }
}
