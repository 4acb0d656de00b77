//! One direction's bytes become frames (RFC 9113 section 4), whatever their pieces.
//!
//! Content of DATA passes as it comes, padding taken off; other frames come whole. What nobody needs (PRIORITY, unknown
//! types) is passed over. Limits: [`MAX_HELD_BYTES`] of a frame that has to be whole.

use bytes::{Buf as _, Bytes, BytesMut};

/// What the client begins with (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest frame that is held until it is whole, bytes of payload. Peers agree on 16,384 unless they say otherwise.
pub(super) const MAX_HELD_BYTES: usize = 1 << 20;

const HEAD_BYTES: usize = 9;

/// A constant sentence; never a byte of the input.
pub(super) type Fault = &'static str;

/// Flags (RFC 9113 section 6); ACK has the bit of END_STREAM.
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

/// Types (RFC 9113 section 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Data,
    Headers,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// PRIORITY, and what extensions add.
    Other,
}

impl Kind {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Data,
            1 => Self::Headers,
            3 => Self::RstStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            _ => Self::Other,
        }
    }
}

/// The nine bytes in front of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
    /// Of the payload.
    pub(super) bytes: usize,
}

impl Head {
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What comes out of a direction.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// A whole frame of another kind than DATA: its payload, padding and all.
    Frame(Head, Bytes),
    /// Content of a DATA frame.
    Content(u32, Bytes),
    /// A DATA frame is over, and with it the sender's part of the stream if it says so.
    DataOver(Head),
}

/// Takes one direction apart.
pub(super) struct Frames {
    /// What is still to come of the preface.
    preface: &'static [u8],
    held: BytesMut,
    state: State,
    /// Bytes that were taken.
    pub(super) offset: u64,
}

#[derive(Clone, Copy)]
enum State {
    Head,
    /// A frame that has to be whole.
    Whole(Head),
    /// The length of a DATA frame's padding comes next.
    PadLength(Head),
    Content {
        head: Head,
        left: usize,
        padding: usize,
    },
    /// So many bytes that nobody needs.
    Pass {
        left: usize,
    },
}

impl Frames {
    /// A direction that begins with these bytes.
    pub(super) fn new(preface: &'static [u8]) -> Self {
        Self { preface, held: BytesMut::new(), state: State::Head, offset: 0 }
    }

    /// Whether it stands between two frames.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Head) && self.held.is_empty()
    }

    /// Takes bytes off `input`, up to the next piece; `None` when all is taken.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Fault> {
        let before = input.len();
        let found = self.step(input);
        self.offset += (before - input.len()) as u64;
        found
    }

    fn step(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Fault> {
        loop {
            if !self.preface.is_empty() {
                let taken = input.split_to(self.preface.len().min(input.len()));
                self.preface = self.preface.strip_prefix(&*taken).ok_or("the client's preface of HTTP/2 is missing")?;
                if !self.preface.is_empty() {
                    return Ok(None);
                }
            }
            match self.state {
                State::Head => {
                    let Some(bytes) = self.hold(HEAD_BYTES, input) else { return Ok(None) };
                    self.state = begin(read_head(&bytes))?;
                }
                State::Whole(head) => {
                    let Some(payload) = self.hold(head.bytes, input) else { return Ok(None) };
                    self.state = State::Head;
                    return Ok(Some(Piece::Frame(head, payload)));
                }
                State::PadLength(head) => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let padding = usize::from(input.get_u8());
                    let left =
                        (head.bytes - 1).checked_sub(padding).ok_or("a DATA frame with more padding than payload")?;
                    self.state = State::Content { head, left, padding };
                }
                State::Content { head, left: 0, padding } => {
                    self.state = State::Pass { left: padding };
                    return Ok(Some(Piece::DataOver(head)));
                }
                State::Content { head, left, padding } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let content = input.split_to(left.min(input.len()));
                    self.state = State::Content { head, left: left - content.len(), padding };
                    return Ok(Some(Piece::Content(head.stream, content)));
                }
                State::Pass { left } => {
                    let passed = left.min(input.len());
                    input.advance(passed);
                    if passed < left {
                        self.state = State::Pass { left: left - passed };
                        return Ok(None);
                    }
                    self.state = State::Head;
                }
            }
        }
    }

    /// So many bytes, once they are there.
    fn hold(&mut self, bytes: usize, input: &mut Bytes) -> Option<Bytes> {
        if self.held.is_empty() && input.len() >= bytes {
            return Some(input.split_to(bytes));
        }
        let taken = input.split_to((bytes - self.held.len()).min(input.len()));
        self.held.extend_from_slice(&taken);
        (self.held.len() == bytes).then(|| self.held.split().freeze())
    }
}

/// RFC 9113 section 4.1.
fn read_head(bytes: &[u8]) -> Head {
    match *bytes {
        [l0, l1, l2, kind, flags, s0, s1, s2, s3] => Head {
            kind: Kind::of(kind),
            flags,
            stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
            bytes: usize::from(l0) << 16 | usize::from(l1) << 8 | usize::from(l2),
        },
        // It is asked for nine bytes.
        _ => Head { kind: Kind::Other, flags: 0, stream: 0, bytes: 0 },
    }
}

fn begin(head: Head) -> Result<State, Fault> {
    match head.kind {
        Kind::Data if head.has(PADDED) && head.bytes == 0 => {
            Err("a padded DATA frame without the length of its padding")
        }
        Kind::Data if head.has(PADDED) => Ok(State::PadLength(head)),
        Kind::Data => Ok(State::Content { head, left: head.bytes, padding: 0 }),
        Kind::Other => Ok(State::Pass { left: head.bytes }),
        _ if head.bytes > MAX_HELD_BYTES => Err("a frame larger than the limit"),
        _ => Ok(State::Whole(head)),
    }
}

/// The payload of a HEADERS or PUSH_PROMISE frame without padding, and without what HEADERS may say of priority.
pub(super) fn unpadded(head: &Head, mut payload: Bytes) -> Result<Bytes, Fault> {
    if head.has(PADDED) {
        if payload.is_empty() {
            return Err("a padded frame without the length of its padding");
        }
        let padding = usize::from(payload.get_u8());
        let left = payload.len().checked_sub(padding).ok_or("a frame with more padding than payload")?;
        payload.truncate(left);
    }
    if head.kind == Kind::Headers && head.has(PRIORITY) {
        if payload.len() < 5 {
            return Err("a HEADERS frame that ends within its priority");
        }
        payload.advance(5);
    }
    Ok(payload)
}
