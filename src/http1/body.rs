//! Body framing (RFC 9112 section 6): where a body ends, and which of its bytes are content.
//!
//! [`Framing`] is decided from the heads; [`BodyReader`] then counts the content, keeps its beginning if that was asked
//! for, and lets everything else pass unbuffered. Chunk extensions and trailers are skipped; transfer codings other than
//! `chunked` are not undone.

use super::Body;
use super::head::{Fault, Field, RequestHead, ResponseHead, values};
use bytes::{Buf, Bytes, BytesMut};

/// How a body's end is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// Behind the last chunk and its trailers.
    Chunked,
    /// When the direction ends.
    UntilEof,
}

const NO_BODY: Framing = Framing::Length(0);

impl Framing {
    /// RFC 9112 section 6.3, rules 3 to 7.
    pub(super) fn of_request(head: &RequestHead) -> Result<Self, Fault> {
        match last_transfer_coding(&head.fields) {
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            Some(_) => Err("a request whose last transfer coding is not chunked"),
            None => Ok(content_length(&head.fields)?.map_or(NO_BODY, Self::Length)),
        }
    }

    /// Of the response to a request of this method. RFC 9112 section 6.3, rules 1 and 3 to 8; tunnels (rule 2) are not
    /// bodies.
    pub(super) fn of_response(head: &ResponseHead, method: &str) -> Result<Self, Fault> {
        if method == "HEAD" || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(NO_BODY);
        }
        match last_transfer_coding(&head.fields) {
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            Some(_) => Ok(Self::UntilEof),
            None => Ok(content_length(&head.fields)?.map_or(Self::UntilEof, Self::Length)),
        }
    }
}

/// The coding applied last, parameters cut off. `identity` is none (RFC 2616 section 3.6, obsolete but seen).
fn last_transfer_coding(fields: &[Field]) -> Option<&[u8]> {
    values(fields, "transfer-encoding")
        .flat_map(|value| value.split(|&b| b == b','))
        .map(|coding| coding.split(|&b| b == b';').next().unwrap_or_default().trim_ascii())
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
        .last()
}

/// The one length that all `Content-Length` values, lists included, agree upon.
fn content_length(fields: &[Field]) -> Result<Option<u64>, Fault> {
    let mut length = None;
    for text in values(fields, "content-length").flat_map(|value| value.split(|&b| b == b',')) {
        let read = read_length(text.trim_ascii()).ok_or("a Content-Length that is not a number")?;
        if length.is_some_and(|known| known != read) {
            return Err("two Content-Lengths that differ");
        }
        length = Some(read);
    }
    Ok(length)
}

fn read_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |length, &b| match b {
        b'0'..=b'9' => length.checked_mul(10)?.checked_add(u64::from(b - b'0')),
        _ => None,
    })
}

/// Follows one body to its end.
pub(super) struct BodyReader {
    state: State,
    kept: BytesMut,
    /// How much more may be kept; `None` if nothing was asked for.
    room_bytes: Option<usize>,
    content_bytes: u64,
    truncated: bool,
}

#[derive(Clone, Copy)]
enum State {
    Length {
        left: u64,
    },
    UntilEof,
    /// The digits of a chunk size (RFC 9112 section 7.1).
    ChunkSize {
        size: u64,
        digits: u32,
    },
    /// The CR behind a chunk size was seen.
    ChunkSizeCr {
        size: u64,
    },
    /// Between a chunk size and its line end.
    ChunkExtension {
        size: u64,
    },
    ChunkData {
        left: u64,
    },
    ChunkDataEnd,
    /// The CR behind a chunk's data was seen.
    ChunkDataEndCr,
    /// At the beginning of a trailer line.
    Trailer,
    /// A CR began a trailer line.
    TrailerCr,
    /// In the middle of a trailer line.
    TrailerText,
    Over,
}

impl BodyReader {
    /// Keeps content up to `keep_bytes`, or none at all.
    pub(super) fn new(framing: Framing, keep_bytes: Option<usize>) -> Self {
        let state = match framing {
            Framing::Length(0) => State::Over,
            Framing::Length(left) => State::Length { left },
            Framing::Chunked => State::ChunkSize { size: 0, digits: 0 },
            Framing::UntilEof => State::UntilEof,
        };
        Self { state, kept: BytesMut::new(), room_bytes: keep_bytes, content_bytes: 0, truncated: false }
    }

    /// Whether the end was seen.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Takes this body's bytes off `input`; on a fault, all bytes before the one at fault.
    pub(super) fn feed(&mut self, input: &mut Bytes) -> Result<(), Fault> {
        while let Some(&byte) = input.first()
            && !self.is_over()
        {
            self.state = self.step(byte, input)?;
        }
        Ok(())
    }

    /// What was seen, when the body is over or its direction has ended.
    pub(super) fn finish(self) -> Body {
        Body {
            complete: matches!(self.state, State::Over | State::UntilEof),
            kept: self.kept.freeze(),
            content_bytes: self.content_bytes,
            truncated: self.truncated,
        }
    }

    /// What was seen, when it is not known whether more would have come.
    pub(super) fn cut(self) -> Body {
        let complete = self.is_over();
        Body { complete, ..self.finish() }
    }

    fn step(&mut self, byte: u8, input: &mut Bytes) -> Result<State, Fault> {
        let next = match (self.state, byte) {
            (State::Over, _) => return Ok(State::Over),
            (State::UntilEof, _) => {
                self.content(input, u64::MAX);
                return Ok(State::UntilEof);
            }
            (State::Length { left }, _) => {
                return Ok(match self.content(input, left) {
                    0 => State::Over,
                    left => State::Length { left },
                });
            }
            (State::ChunkData { left }, _) => {
                return Ok(match self.content(input, left) {
                    0 => State::ChunkDataEnd,
                    left => State::ChunkData { left },
                });
            }
            (State::ChunkExtension { size }, _) => {
                return Ok(if skip_line(input) { after_size(size) } else { State::ChunkExtension { size } });
            }
            (State::TrailerText, _) => {
                return Ok(if skip_line(input) { State::Trailer } else { State::TrailerText });
            }

            (State::ChunkSize { digits: 0, .. }, b'\r' | b'\n' | b';' | b' ' | b'\t') => {
                return Err("a chunk without a size");
            }
            (State::ChunkSize { size, .. } | State::ChunkSizeCr { size }, b'\n') => after_size(size),
            (State::ChunkSize { size, .. }, b'\r') => State::ChunkSizeCr { size },
            // Blanks behind the size are bad white space that real servers send (RFC 9112 section 7.1.1).
            (State::ChunkSize { size, .. }, b';' | b' ' | b'\t') => State::ChunkExtension { size },
            (State::ChunkSize { size, digits }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or("a chunk size that is not a hexadecimal number")?;
                let size = size.checked_mul(16).ok_or("a chunk size of more than 64 bits")? | u64::from(digit);
                State::ChunkSize { size, digits: digits.saturating_add(1) }
            }
            (State::ChunkSizeCr { .. }, _) => return Err("a CR without LF behind a chunk size"),

            (State::ChunkDataEnd | State::ChunkDataEndCr, b'\n') => State::ChunkSize { size: 0, digits: 0 },
            (State::ChunkDataEnd, b'\r') => State::ChunkDataEndCr,
            (State::ChunkDataEnd | State::ChunkDataEndCr, _) => return Err("a chunk longer than its size"),

            (State::Trailer | State::TrailerCr, b'\n') => State::Over,
            (State::Trailer, b'\r') => State::TrailerCr,
            (State::Trailer | State::TrailerCr, _) => State::TrailerText,
        };
        input.advance(1);
        Ok(next)
    }

    /// Takes up to `left` bytes of content off `input`; how many are left then.
    fn content(&mut self, input: &mut Bytes, left: u64) -> u64 {
        let taken = input.split_to(usize::try_from(left).unwrap_or(usize::MAX).min(input.len()));
        self.content_bytes = self.content_bytes.saturating_add(taken.len() as u64);
        if let Some(room) = &mut self.room_bytes {
            let keep = taken.get(..*room).unwrap_or(&taken);
            self.kept.extend_from_slice(keep);
            *room -= keep.len();
            self.truncated |= keep.len() < taken.len();
        }
        left - taken.len() as u64
    }
}

fn after_size(size: u64) -> State {
    if size == 0 { State::Trailer } else { State::ChunkData { left: size } }
}

/// Drops the rest of a line; whether its end was there.
fn skip_line(input: &mut Bytes) -> bool {
    let line_end = memchr::memchr(b'\n', input);
    input.advance(line_end.map_or(input.len(), |at| at + 1));
    line_end.is_some()
}
