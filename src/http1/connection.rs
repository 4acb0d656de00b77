//! Follows one connection's two directions and joins its requests with their responses.
//!
//! Takes bytes in the order they were observed, a request's before its response's, and gives [`Item`]s. Responses
//! belong to requests in order (RFC 9112 section 9.3.2), so the first pending exchange is the one being answered and the
//! last one the one being asked. What can be held is bounded by [`Limits`]; the queue of items by the caller, who takes
//! them after each feed.

use super::body::{BodyReader, Framing};
use super::exchange::{Body, Error, Exchange, INTERIM, Item, Keep, Limits, Request, Upgrade};
use super::head::{RequestHead, ResponseHead};
use super::stream::Stream;
use crate::clock::Moment;
use crate::conn::Direction;
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;

/// Follows one connection's two directions.
pub struct Http1 {
    limits: Limits,
    keep: fn(&RequestHead) -> Keep,
    c2s: Stream<RequestHead>,
    s2c: Stream<ResponseHead>,
    pending: VecDeque<Pending>,
    phase: Phase,
    items: VecDeque<Item>,
    error: Option<Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Http,
    /// The 101 is here, the end of its request is not.
    Switching,
    /// All was said, or the rest is somebody else's.
    Over,
}

impl Http1 {
    /// `keep` says from a request's head what is wanted of its exchange.
    #[must_use]
    pub fn new(limits: Limits, keep: fn(&RequestHead) -> Keep) -> Self {
        Self {
            limits,
            keep,
            c2s: Stream::new(Direction::C2s),
            s2c: Stream::new(Direction::S2c),
            pending: VecDeque::new(),
            phase: Phase::Http,
            items: VecDeque::new(),
            error: None,
        }
    }

    /// Takes the next bytes of a direction. Bytes that come between an upgrade and the call of [`next`](Self::next) that
    /// takes it are added to it; after that call and after an error they are ignored.
    pub fn feed(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        let result = match direction {
            Direction::C2s if !self.c2s.ended => self.read_requests(at, bytes),
            Direction::S2c if !self.s2c.ended => self.read_responses(at, bytes),
            Direction::C2s | Direction::S2c => Ok(()),
        };
        if let Err(error) = result {
            self.close(at, Some(error));
        }
    }

    /// That direction has ended (FIN, reset): bodies until EOF are complete; when both have ended, what is pending comes
    /// out cut, and a head that was begun and not finished is an error.
    pub fn end(&mut self, direction: Direction, at: Moment) {
        if self.phase == Phase::Over {
            return;
        }
        match direction {
            Direction::C2s => self.end_requests(at),
            Direction::S2c => self.end_responses(at),
        }
        if self.c2s.ended && self.s2c.ended && self.phase != Phase::Over {
            let cut_head = self.c2s.cut_head().or(self.s2c.cut_head());
            self.close(at, cut_head);
        }
    }

    /// The next item, `None` for more input. After an `Err` (given once, behind all exchanges that could still be told,
    /// cut ones included) nothing follows.
    ///
    /// # Errors
    /// Why the connection could not be read any further.
    #[expect(clippy::should_implement_trait, reason = "`None` asks for more input; an iterator's is final")]
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        self.items.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    fn read_requests(&mut self, at: Moment, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.phase == Phase::Over {
                self.add_to_upgrade(Direction::C2s, at, bytes);
                return Ok(());
            }
            if self.c2s.body.is_some() {
                if let Some(body) = self.c2s.read_body(&mut bytes)? {
                    self.request_over(at, Some(at), body);
                }
            } else if self.awaits_switch() {
                return self.c2s.hold(at, bytes, self.limits.early_bytes);
            } else if let Some(head) = self.c2s.read_head(at, &mut bytes, self.limits.head_bytes)? {
                self.begin_request(head, at)?;
            }
        }
        Ok(())
    }

    /// Whether it is open if what the client sends is HTTP.
    fn awaits_switch(&self) -> bool {
        self.pending.back().is_some_and(|p| p.asks_to_switch && p.exchange.response.is_none())
    }

    fn begin_request(&mut self, head: RequestHead, at: Moment) -> Result<(), Error> {
        if self.pending.len() >= self.limits.pending {
            return Err(self.c2s.head_error("more requests in wait of an answer than the limit"));
        }
        let framing = Framing::of_request(&head);
        let keep = (self.keep)(&head);
        let keep_bytes = (keep != Keep::Nothing).then_some(self.limits.body_bytes);
        self.pending.push_back(Pending::new(head, keep, keep_bytes, self.c2s.head_started));
        let framing = framing.map_err(|why| self.c2s.head_error(why))?;
        if let Some(body) = self.c2s.begin_body(BodyReader::new(framing, keep_bytes)) {
            self.request_over(at, Some(at), body);
        }
        Ok(())
    }

    fn request_over(&mut self, at: Moment, request_ended: Option<Moment>, body: Body) {
        if let Some(last) = self.pending.back_mut() {
            last.exchange.request_body = body;
            last.exchange.request_ended = request_ended;
            last.request_over = true;
            self.items.extend(last.tell_request(at));
        }
        match self.phase {
            Phase::Switching => self.switch(at),
            Phase::Http | Phase::Over => self.tell_finished(),
        }
    }

    fn end_requests(&mut self, at: Moment) {
        self.c2s.ended = true;
        // Held bytes may still turn out to be requests: see `release_held`.
        if let Some(body) = self.c2s.body.take() {
            self.request_over(at, None, body.finish());
        }
    }

    fn read_responses(&mut self, at: Moment, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            match self.phase {
                Phase::Http => {}
                Phase::Switching => return self.s2c.hold(at, bytes, self.limits.early_bytes),
                Phase::Over => {
                    self.add_to_upgrade(Direction::S2c, at, bytes);
                    return Ok(());
                }
            }
            if self.s2c.body.is_some() {
                if let Some(body) = self.s2c.read_body(&mut bytes)? {
                    self.response_over(at, body);
                }
            } else if let Some(head) = self.s2c.read_head(at, &mut bytes, self.limits.head_bytes)? {
                self.begin_response(head, at)?;
            }
        }
        Ok(())
    }

    fn begin_response(&mut self, head: ResponseHead, at: Moment) -> Result<(), Error> {
        let Some(first) = self.pending.front_mut().filter(|p| p.exchange.response.is_none()) else {
            return Err(self.s2c.head_error("a response to no request"));
        };
        let exchange = &mut first.exchange;
        if head.is_interim() {
            if exchange.interim.len() < INTERIM {
                exchange.interim.push(head.status);
            }
            return Ok(());
        }
        exchange.answered = Some(self.s2c.head_started);
        let switches = head.switches(&exchange.request.method);
        let framing = Framing::of_response(&head, &exchange.request.method);
        exchange.response = Some(head);
        if switches && first.asks_to_switch {
            exchange.response_body.complete = true;
            exchange.ended = at;
            first.response_over = true;
            self.phase = Phase::Switching;
            if first.request_over {
                self.switch(at);
            }
            return Ok(());
        }
        if switches {
            return Err(self.s2c.head_error("a 101 to a request that asks for no upgrade"));
        }
        let was_asked_to_switch = first.asks_to_switch;
        let keep_bytes = first.keep_bytes;
        let framing = framing.map_err(|why| self.s2c.head_error(why))?;
        if let Some(body) = self.s2c.begin_body(BodyReader::new(framing, keep_bytes)) {
            self.response_over(at, body);
        }
        if was_asked_to_switch { self.release_held(at) } else { Ok(()) }
    }

    fn response_over(&mut self, at: Moment, body: Body) {
        if let Some(first) = self.pending.front_mut() {
            first.exchange.response_body = body;
            first.exchange.ended = at;
            first.response_over = true;
        }
        self.tell_finished();
    }

    fn end_responses(&mut self, at: Moment) {
        self.s2c.ended = true;
        if let Some(body) = self.s2c.body.take() {
            self.response_over(at, body.finish());
        }
    }

    /// The upgrade was refused: what was held is the next request.
    fn release_held(&mut self, at: Moment) -> Result<(), Error> {
        for (held_at, bytes) in self.c2s.take_held() {
            self.read_requests(held_at, bytes)?;
        }
        if self.c2s.ended {
            self.end_requests(at);
        }
        Ok(())
    }

    /// Request and 101 are over: so is HTTP.
    fn switch(&mut self, at: Moment) {
        let c2s_rest = self.c2s.take_held();
        let s2c_rest = self.s2c.take_held();
        if let Some(Pending { exchange, .. }) = self.pending.pop_back() {
            self.items.push_back(Item::Upgraded(Box::new(Upgrade { exchange, c2s_rest, s2c_rest })));
        }
        self.close(at, None);
    }

    fn add_to_upgrade(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        if let Some(Item::Upgraded(upgrade)) = self.items.back_mut() {
            match direction {
                Direction::C2s => upgrade.c2s_rest.push((at, bytes)),
                Direction::S2c => upgrade.s2c_rest.push((at, bytes)),
            }
        }
    }

    fn tell_finished(&mut self) {
        while self.pending.front().is_some_and(|first| first.request_over && first.response_over) {
            let done = self.pending.pop_front();
            self.items.extend(done.map(|p| Item::Exchange(Box::new(p.exchange))));
        }
    }

    /// Tells what is pending as far as it came, and lets go of everything. Bytes still held behind an upgrade request
    /// that nobody answered are dropped: whose they are will never be known.
    fn close(&mut self, at: Moment, error: Option<Error>) {
        if let (Some(first), Some(body)) = (self.pending.front_mut(), self.s2c.body.take()) {
            first.exchange.response_body = body.cut();
        }
        if let (Some(last), Some(body)) = (self.pending.back_mut(), self.c2s.body.take()) {
            last.exchange.request_body = body.cut();
        }
        for mut pending in std::mem::take(&mut self.pending) {
            self.items.extend(pending.tell_request(at));
            if !pending.response_over {
                pending.exchange.ended = at;
            }
            self.items.push_back(Item::Exchange(Box::new(pending.exchange)));
        }
        self.c2s = Stream::new(Direction::C2s);
        self.s2c = Stream::new(Direction::S2c);
        self.phase = Phase::Over;
        self.error = error;
    }
}

impl fmt::Debug for Http1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

/// An exchange that is not over.
struct Pending {
    exchange: Exchange,
    /// The request is wanted by itself and has not been told.
    owes_request: bool,
    /// Content kept of either body, if any.
    keep_bytes: Option<usize>,
    asks_to_switch: bool,
    request_over: bool,
    response_over: bool,
}

impl Pending {
    fn new(request: RequestHead, keep: Keep, keep_bytes: Option<usize>, started: Moment) -> Self {
        Self {
            owes_request: keep == Keep::RequestFirst,
            asks_to_switch: request.asks_to_switch(),
            exchange: Exchange {
                request,
                request_body: Body::default(),
                interim: Vec::new(),
                response: None,
                response_body: Body::default(),
                started,
                request_ended: None,
                answered: None,
                ended: started,
            },
            keep_bytes,
            request_over: false,
            response_over: false,
        }
    }

    /// The request by itself, if it is wanted and was not told.
    fn tell_request(&mut self, at: Moment) -> Option<Item> {
        if !std::mem::take(&mut self.owes_request) {
            return None;
        }
        let exchange = &self.exchange;
        let (head, body) = (exchange.request.clone(), exchange.request_body.clone());
        Some(Item::Request(Box::new(Request { head, body, ended: exchange.request_ended.unwrap_or(at) })))
    }
}
