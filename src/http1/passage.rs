//! One connection's bytes cut into heads and everything else, none lost, none added: for whoever edits heads on the way.
//!
//! Follows the framing as [`Http1`](super::Http1) does and knows which request a response belongs to, but is fed what is
//! about to be passed on and gives all of it back: a head once it is whole, bodies as they come, and after an upgrade, an
//! error or the end whatever comes. Held back are a head that is not whole, and client bytes behind an upgrade request while
//! it is open whose they are, each up to its limit in [`Limits`]; after an error nothing is looked at any more.

use super::body::{BodyReader, Framing};
use super::exchange::{Error, Limits};
use super::head::{Fault, Head, HeadReader, RequestHead, ResponseHead};
use crate::conn::Direction;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::fmt;

/// What a connection is cut into. The pieces of a direction, put together, are what was fed.
pub enum Piece {
    /// A request's head and its bytes, the blank line included.
    Request {
        /// The number of the request on this connection, from 0.
        exchange: u64,
        /// As it was read.
        head: RequestHead,
        /// As it came.
        wire: Bytes,
    },
    /// A response's head, an interim (1xx) one too.
    Response {
        /// The number of the request it answers.
        exchange: u64,
        /// As it was read.
        head: ResponseHead,
        /// As it came.
        wire: Bytes,
    },
    /// Anything else.
    Rest(Bytes),
}

/// Cuts one connection's two directions.
pub struct Passage {
    limits: Limits,
    c2s: Cut<RequestHead>,
    s2c: Cut<ResponseHead>,
    /// Requests without their final response.
    pending: VecDeque<Pending>,
    requests: u64,
    /// Client bytes that are the next request, or another protocol's first.
    early: BytesMut,
    /// Nothing is looked at any more.
    over: bool,
    error: Option<Error>,
    pieces: VecDeque<(Direction, Piece)>,
}

struct Pending {
    exchange: u64,
    method: String,
    asks_to_switch: bool,
}

impl Passage {
    /// A connection from its first byte. Of `limits` those on bodies do not matter: none is kept.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            c2s: Cut::new(),
            s2c: Cut::new(),
            pending: VecDeque::new(),
            requests: 0,
            early: BytesMut::new(),
            over: false,
            error: None,
            pieces: VecDeque::new(),
        }
    }

    /// Takes the next bytes of a direction: a request's before its response's.
    pub fn feed(&mut self, direction: Direction, bytes: Bytes) {
        let result = match direction {
            Direction::C2s if !self.c2s.ended => self.cut_requests(bytes),
            Direction::S2c if !self.s2c.ended => self.cut_responses(bytes),
            Direction::C2s | Direction::S2c => {
                self.rest(direction, bytes);
                Ok(())
            }
        };
        if let Err(error) = result {
            self.error = Some(error);
            self.let_go();
        }
    }

    /// That direction has ended: what was held of it comes out, and whatever comes nevertheless.
    pub fn end(&mut self, direction: Direction) {
        let held = match direction {
            Direction::C2s => self.c2s.end(),
            Direction::S2c => self.s2c.end(),
        };
        self.rest(direction, held);
        // Held for an answer that will not come, or that would come too late for what is ended already.
        if !self.early.is_empty() {
            self.let_go();
        }
    }

    /// The next piece and its direction, in the order of the feeds; `None` for more input.
    #[expect(clippy::should_implement_trait, reason = "`None` asks for more input; an iterator's is final")]
    pub fn next(&mut self) -> Option<(Direction, Piece)> {
        self.pieces.pop_front()
    }

    /// Why the rest of the connection comes out unread; given once.
    pub fn error(&mut self) -> Option<Error> {
        self.error.take()
    }

    /// Whether all that follows is [`Piece::Rest`].
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn cut_requests(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.over {
                self.rest(Direction::C2s, std::mem::take(&mut bytes));
            } else if self.c2s.body.is_some() {
                let (content, result) = self.c2s.read_body(&mut bytes);
                self.rest(Direction::C2s, content);
                self.or_rest(Direction::C2s, self.c2s.offset, result, &mut bytes)?;
            } else if self.pending.back().is_some_and(|last| last.asks_to_switch) {
                return self.hold(&bytes);
            } else {
                let result = self.c2s.read_head(&mut bytes, self.limits.head_bytes);
                let head = self.or_rest(Direction::C2s, self.c2s.head_offset, result, &mut bytes)?;
                let Some(head) = head else {
                    self.rest_if_between(Direction::C2s);
                    continue;
                };
                let result = self.begin_request(head);
                self.or_rest(Direction::C2s, self.c2s.head_offset, result, &mut bytes)?;
            }
        }
        Ok(())
    }

    fn begin_request(&mut self, head: RequestHead) -> Result<(), Fault> {
        if self.pending.len() >= self.limits.pending {
            return Err("more requests in wait of an answer than the limit");
        }
        self.c2s.begin_body(Framing::of_request(&head)?);
        let exchange = self.requests;
        self.requests += 1;
        let asks_to_switch = head.asks_to_switch();
        self.pending.push_back(Pending { exchange, method: head.method.clone(), asks_to_switch });
        let wire = self.c2s.take_held();
        self.pieces.push_back((Direction::C2s, Piece::Request { exchange, head, wire }));
        Ok(())
    }

    fn cut_responses(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.over {
                self.rest(Direction::S2c, std::mem::take(&mut bytes));
            } else if self.s2c.body.is_some() {
                let (content, result) = self.s2c.read_body(&mut bytes);
                self.rest(Direction::S2c, content);
                self.or_rest(Direction::S2c, self.s2c.offset, result, &mut bytes)?;
            } else {
                let result = self.s2c.read_head(&mut bytes, self.limits.head_bytes);
                let head = self.or_rest(Direction::S2c, self.s2c.head_offset, result, &mut bytes)?;
                let Some(head) = head else {
                    self.rest_if_between(Direction::S2c);
                    continue;
                };
                let result = self.begin_response(head);
                let requests = self.or_rest(Direction::S2c, self.s2c.head_offset, result, &mut bytes)?;
                let result = self.cut_requests(requests);
                if result.is_err() {
                    self.rest(Direction::S2c, std::mem::take(&mut bytes));
                }
                result?;
            }
        }
        Ok(())
    }

    /// The early client bytes that turn out to be requests.
    fn begin_response(&mut self, head: ResponseHead) -> Result<Bytes, Fault> {
        let first = self.pending.front().ok_or("a response to no request")?;
        let exchange = first.exchange;
        let mut requests = Bytes::new();
        if !head.is_interim() {
            if head.switches(&first.method) {
                if !first.asks_to_switch {
                    return Err("a 101 to a request that asks for no upgrade");
                }
                let wire = self.s2c.take_held();
                self.pieces.push_back((Direction::S2c, Piece::Response { exchange, head, wire }));
                self.let_go();
                return Ok(requests);
            }
            self.s2c.begin_body(Framing::of_response(&head, &first.method)?);
            if self.pending.pop_front().is_some_and(|first| first.asks_to_switch) {
                requests = std::mem::take(&mut self.early).freeze();
            }
        }
        let wire = self.s2c.take_held();
        self.pieces.push_back((Direction::S2c, Piece::Response { exchange, head, wire }));
        Ok(requests)
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.early.extend_from_slice(bytes);
        if self.early.len() > self.limits.early_bytes {
            return Err(Error {
                direction: Direction::C2s,
                offset: self.c2s.offset,
                why: "more bytes behind an upgrade than the limit",
            });
        }
        Ok(())
    }

    /// What came of `result`; where that is a fault, what was held and what is left of `bytes` come out unread.
    fn or_rest<T>(
        &mut self,
        direction: Direction,
        offset: u64,
        result: Result<T, Fault>,
        bytes: &mut Bytes,
    ) -> Result<T, Error> {
        result.map_err(|why| {
            let held = match direction {
                Direction::C2s => self.c2s.take_held(),
                Direction::S2c => self.s2c.take_held(),
            };
            self.rest(direction, held);
            self.rest(direction, std::mem::take(bytes));
            Error { direction, offset, why }
        })
    }

    /// Blank lines in front of a head are held for nothing.
    fn rest_if_between(&mut self, direction: Direction) {
        let blank = match direction {
            Direction::C2s if self.c2s.is_between_heads() => self.c2s.take_held(),
            Direction::S2c if self.s2c.is_between_heads() => self.s2c.take_held(),
            Direction::C2s | Direction::S2c => return,
        };
        self.rest(direction, blank);
    }

    /// From here on nothing is looked at, nor held.
    fn let_go(&mut self) {
        self.over = true;
        self.pending.clear();
        let held = self.c2s.take_held();
        self.rest(Direction::C2s, held);
        let early = std::mem::take(&mut self.early).freeze();
        self.rest(Direction::C2s, early);
        let held = self.s2c.take_held();
        self.rest(Direction::S2c, held);
    }

    fn rest(&mut self, direction: Direction, bytes: Bytes) {
        if !bytes.is_empty() {
            self.pieces.push_back((direction, Piece::Rest(bytes)));
        }
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage").field("requests", &self.requests).field("over", &self.over).finish_non_exhaustive()
    }
}

/// Where one direction stands.
struct Cut<H: Head> {
    /// Bytes read off this direction.
    offset: u64,
    head: HeadReader<H>,
    head_offset: u64,
    /// The bytes of the head that is being read.
    held: BytesMut,
    body: Option<BodyReader>,
    ended: bool,
}

impl<H: Head> Cut<H> {
    fn new() -> Self {
        Self { offset: 0, head: HeadReader::new(), head_offset: 0, held: BytesMut::new(), body: None, ended: false }
    }

    /// Takes at most a line, and holds it; the head, once it is whole.
    fn read_head(&mut self, bytes: &mut Bytes, limit_bytes: usize) -> Result<Option<H>, Fault> {
        if self.held.is_empty() {
            self.head_offset = self.offset;
        }
        let whole = bytes.clone();
        let head = self.head.feed(bytes, limit_bytes);
        let taken = whole.len() - bytes.len();
        self.held.extend_from_slice(whole.get(..taken).unwrap_or_default());
        self.offset += taken as u64;
        head
    }

    fn begin_body(&mut self, framing: Framing) {
        self.body = Some(BodyReader::new(framing, None)).filter(|body| !body.is_over());
    }

    /// Takes what belongs to the body; that, and whether it makes sense.
    fn read_body(&mut self, bytes: &mut Bytes) -> (Bytes, Result<(), Fault>) {
        let whole = bytes.clone();
        let result = self.body.as_mut().map_or(Ok(()), |body| body.feed(bytes));
        self.body.take_if(|body| body.is_over());
        let taken = whole.len() - bytes.len();
        self.offset += taken as u64;
        (whole.slice(..taken), result)
    }

    /// Whether what is held is no part of a head.
    fn is_between_heads(&self) -> bool {
        self.head.collected_bytes() == 0 && self.body.is_none()
    }

    fn end(&mut self) -> Bytes {
        self.ended = true;
        self.take_held()
    }

    fn take_held(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }
}
