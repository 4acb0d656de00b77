//! One direction: whether a head or a body comes now, at which offset, and the bytes put aside.
//!
//! Knows nothing of the other direction. Heads and held bytes have limits, given by the caller; bodies pass through.

use super::body::BodyReader;
use super::exchange::{Body, Error};
use super::head::{Fault, Head, HeadReader};
use crate::clock::Moment;
use crate::conn::Direction;
use bytes::Bytes;

/// Where one direction stands.
pub(super) struct Stream<H: Head> {
    direction: Direction,
    /// Bytes read off this direction, held ones not included.
    offset: u64,
    head: HeadReader<H>,
    /// Offset of the head's first byte.
    head_offset: u64,
    /// When the head's first byte came.
    pub(super) head_started: Moment,
    /// The body that comes now; `None` while a head is expected.
    pub(super) body: Option<BodyReader>,
    held: Vec<(Moment, Bytes)>,
    held_bytes: usize,
    pub(super) ended: bool,
}

impl<H: Head> Stream<H> {
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            offset: 0,
            head: HeadReader::new(),
            head_offset: 0,
            head_started: Moment::default(),
            body: None,
            held: Vec::new(),
            held_bytes: 0,
            ended: false,
        }
    }

    /// Takes at most a line; the head, once it is whole.
    pub(super) fn read_head(&mut self, at: Moment, bytes: &mut Bytes, limit_bytes: usize) -> Result<Option<H>, Error> {
        if self.head.collected_bytes() == 0 {
            self.head_offset = self.offset;
            self.head_started = at;
        }
        let before = bytes.len();
        let head = self.head.feed(bytes, limit_bytes);
        self.offset += (before - bytes.len()) as u64;
        head.map_err(|why| self.head_error(why))
    }

    /// The body at once, if it is over before it began.
    pub(super) fn begin_body(&mut self, body: BodyReader) -> Option<Body> {
        if body.is_over() {
            return Some(body.finish());
        }
        self.body = Some(body);
        None
    }

    /// Takes what belongs to the body; the body, once it is over.
    pub(super) fn read_body(&mut self, bytes: &mut Bytes) -> Result<Option<Body>, Error> {
        let Some(body) = &mut self.body else { return Ok(None) };
        let before = bytes.len();
        let result = body.feed(bytes);
        self.offset += (before - bytes.len()) as u64;
        result.map_err(|why| self.error(self.offset, why))?;
        Ok(self.body.take_if(|body| body.is_over()).map(BodyReader::finish))
    }

    /// Puts bytes aside until it is known what they are.
    pub(super) fn hold(&mut self, at: Moment, bytes: Bytes, limit_bytes: usize) -> Result<(), Error> {
        self.held_bytes += bytes.len();
        if self.held_bytes > limit_bytes {
            return Err(self.error(self.offset + limit_bytes as u64, "more bytes behind an upgrade than the limit"));
        }
        self.held.push((at, bytes));
        Ok(())
    }

    pub(super) fn take_held(&mut self) -> Vec<(Moment, Bytes)> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }

    /// The error of a direction that ended within a head.
    pub(super) fn cut_head(&self) -> Option<Error> {
        (!self.head.is_between_heads()).then(|| self.head_error("the end within a head"))
    }

    pub(super) fn head_error(&self, why: Fault) -> Error {
        self.error(self.head_offset, why)
    }

    fn error(&self, offset: u64, why: Fault) -> Error {
        Error { direction: self.direction, offset, why }
    }
}
