//! The one exception to "the relay copies bytes": a browser that calls the server by another name (`https://localhost:8445`)
//! gets a server that seems to be called so, and the server a browser that seems to know its name.
//!
//! [`Rewriter`] is fed what is about to be passed on and gives back what to pass on instead. It edits the values of a few
//! header fields, `value` says which and how, and leaves every other byte where it was: bodies, framing, other fields,
//! order, white space, line ends, and everything behind a `101`. Each [`Edit`] says what was there, so that undoing them
//! gives the bytes as they came. What cannot be read as HTTP passes untouched from there on, with one [`Error`] to say so.
//! What links in bodies say is not touched.

mod names;
mod value;

#[cfg(test)]
mod tests;

pub use crate::http1::{Error, Field};
pub use names::Names;

use crate::conn::{Authority, Direction};
use crate::http1::{Limits, Passage, Piece};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

/// What is held at the most: a head that is not whole, and client bytes behind an upgrade that is not answered.
const LIMITS: Limits = Limits { head_bytes: 256 << 10, body_bytes: 0, pending: 256, early_bytes: 64 << 10 };

/// One header field that passed with another value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Which way.
    pub direction: Direction,
    /// The number of the request on its connection, from 0; for a response, of the request it answers.
    pub exchange: u64,
    /// Name, and the value that was passed on.
    pub field: Field,
    /// What was replaced, in order.
    pub splices: Vec<Splice>,
}

impl Edit {
    /// What it takes of memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let splices = self.splices.iter().map(|splice| size_of::<Splice>() + splice.was.len() + splice.now.len());
        size_of::<Self>() + self.field.name.len() + self.field.value.len() + splices.sum::<usize>()
    }
}

/// Some bytes in the place of others.
#[derive(Clone, PartialEq, Eq)]
pub struct Splice {
    /// Where, in the direction's bytes as they came.
    pub offset: u64,
    /// What was there.
    pub was: Bytes,
    /// What was passed on.
    pub now: Bytes,
}

/// Edits one connection's two directions.
pub struct Rewriter {
    names: Names,
    passage: Passage,
    c2s: Way,
    s2c: Way,
    /// What the browser calls the server in each request that may still be answered.
    called: VecDeque<(u64, Option<Authority>)>,
    edits: Vec<Edit>,
}

/// One direction's bytes on their way.
#[derive(Default)]
struct Way {
    /// Bytes that have left the passage.
    offset: u64,
    out: VecDeque<Bytes>,
}

impl Rewriter {
    /// For a connection from its first byte.
    #[must_use]
    pub fn new(names: Names) -> Self {
        Self {
            names,
            passage: Passage::new(LIMITS),
            c2s: Way::default(),
            s2c: Way::default(),
            called: VecDeque::new(),
            edits: Vec::new(),
        }
    }

    /// Takes the next bytes of a direction, a request's before its response's. Either direction may have something to
    /// [`take`](Self::take) then.
    pub fn feed(&mut self, direction: Direction, bytes: Bytes) {
        self.passage.feed(direction, bytes);
        self.drain();
    }

    /// That direction has ended: nothing of it is held any more.
    pub fn end(&mut self, direction: Direction) {
        self.passage.end(direction);
        self.drain();
    }

    /// What is to be passed on now; empty for nothing.
    pub fn take(&mut self, direction: Direction) -> Bytes {
        let out = &mut self.way(direction).out;
        match out.len() {
            0 | 1 => out.pop_front().unwrap_or_default(),
            _ => {
                let mut whole = BytesMut::with_capacity(out.iter().map(Bytes::len).sum());
                out.drain(..).for_each(|piece| whole.extend_from_slice(&piece));
                whole.freeze()
            }
        }
    }

    /// Whether there is something to take.
    #[must_use]
    pub fn has(&self, direction: Direction) -> bool {
        match direction {
            Direction::C2s => !self.c2s.out.is_empty(),
            Direction::S2c => !self.s2c.out.is_empty(),
        }
    }

    /// The edits since the last call, in order.
    pub fn edits(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.edits)
    }

    /// Why the rest of the connection passes untouched, if it could not be read; given once.
    pub fn error(&mut self) -> Option<Error> {
        self.passage.error()
    }

    /// Whether all that is fed from here on passes as it is, and nothing is left to take.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.passage.is_over() && !self.has(Direction::C2s) && !self.has(Direction::S2c)
    }

    fn drain(&mut self) {
        while let Some((direction, piece)) = self.passage.next() {
            let (wire, splices) = match piece {
                Piece::Request { exchange, head, wire } => {
                    let called = head.field("host").and_then(names::authority);
                    let splices = self.edit(direction, exchange, called.as_ref(), &wire);
                    self.called.push_back((exchange, called));
                    (wire, splices)
                }
                Piece::Response { exchange, wire, .. } => {
                    while self.called.front().is_some_and(|(n, _)| *n < exchange) {
                        self.called.pop_front();
                    }
                    let called = self.called.front().and_then(|(_, called)| called.clone());
                    let splices = self.edit(direction, exchange, called.as_ref(), &wire);
                    (wire, splices)
                }
                Piece::Rest(bytes) => (bytes, Vec::new()),
            };
            self.pass(direction, &wire, &splices);
        }
    }

    /// Notes the edits of one head; all their splices.
    fn edit(
        &mut self,
        direction: Direction,
        exchange: u64,
        called: Option<&Authority>,
        wire: &Bytes,
    ) -> Vec<(Range<usize>, String)> {
        let mut all = Vec::new();
        let Some(called) = called else { return all };
        let offset = self.way(direction).offset;
        for line in field_lines(wire) {
            let (Some(name), Some(value)) = (wire.get(line.name.clone()), wire.get(line.value.clone())) else {
                continue;
            };
            let splices = value::splices(direction, name, value, called, &self.names);
            if splices.is_empty() {
                continue;
            }
            let new = spliced(value, &splices);
            let field = Field { name: Bytes::copy_from_slice(name), value: new };
            let place = |range: &Range<usize>| range.start + line.value.start..range.end + line.value.start;
            let seen = splices.iter().map(|(range, now)| Splice {
                offset: offset + place(range).start as u64,
                was: Bytes::copy_from_slice(wire.get(place(range)).unwrap_or_default()),
                now: Bytes::copy_from_slice(now.as_bytes()),
            });
            self.edits.push(Edit { direction, exchange, field, splices: seen.collect() });
            all.extend(splices.into_iter().map(|(range, now)| (place(&range), now)));
        }
        all
    }

    fn pass(&mut self, direction: Direction, wire: &Bytes, splices: &[(Range<usize>, String)]) {
        let way = self.way(direction);
        way.offset += wire.len() as u64;
        way.out.push_back(if splices.is_empty() { wire.clone() } else { spliced(wire, splices) });
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::C2s => &mut self.c2s,
            Direction::S2c => &mut self.s2c,
        }
    }
}

/// `bytes` with some ranges of it, in order, replaced.
fn spliced(bytes: &[u8], splices: &[(Range<usize>, String)]) -> Bytes {
    let mut out = BytesMut::with_capacity(bytes.len());
    let mut done = 0;
    for (range, now) in splices {
        out.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
        out.extend_from_slice(now.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    out.freeze()
}

/// Where the name and the value of a field are.
struct FieldLine {
    name: Range<usize>,
    /// Without white space around it; line folding (RFC 9112 section 5.2) within it.
    value: Range<usize>,
}

/// The field lines of a whole head.
fn field_lines(head: &[u8]) -> Vec<FieldLine> {
    let mut lines: Vec<FieldLine> = Vec::new();
    // Neither a fold in front of all fields nor one behind a line without a colon belongs to anything.
    let mut folds = false;
    let mut start = 0;
    let mut is_start_line = true;
    for end in memchr::memchr_iter(b'\n', head).map(|at| at + 1) {
        let range = start..end;
        start = end;
        let line = head.get(range.clone()).unwrap_or_default();
        let text = line.trim_ascii();
        if is_start_line {
            is_start_line = text.is_empty();
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(last) = lines.last_mut().filter(|_| folds && !text.is_empty()) {
                if last.value.is_empty() {
                    last.value.start = range.end - line.trim_ascii_start().len();
                }
                last.value.end = range.start + line.trim_ascii_end().len();
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
            let value = line.get(colon + 1..).unwrap_or_default();
            let from = range.start + colon + 1 + (value.len() - value.trim_ascii_start().len());
            let to = range.start + line.trim_ascii_end().len();
            lines.push(FieldLine { name: range.start..range.start + name.len(), value: from.min(to)..to });
            folds = true;
        } else {
            folds = false;
        }
    }
    lines
}

impl fmt::Debug for Splice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: <{} bytes> for <{} bytes>", self.offset, self.now.len(), self.was.len())
    }
}

impl fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewriter").field("passage", &self.passage).finish_non_exhaustive()
    }
}
