//! Frames joined into messages, control frames apart.

use crate::conn::Direction;
use crate::ws::Deflate;
use bytes::Bytes;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Payload kept of one message after inflating, bytes; the rest is counted (and inflated, to keep the window in step).
    pub message_bytes: usize,
    /// Inflated size of one message at which the direction is given up, bytes.
    pub inflate_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 1 << 20, inflate_bytes: 64 << 20 }
    }
}

/// What a message or control frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opcode {
    /// 0x1, or its continuations.
    Text,
    /// 0x2, or its continuations.
    Binary,
    /// 0x8
    Close,
    /// 0x9
    Ping,
    /// 0xA
    Pong,
    /// 0x3 to 0x7 and 0xB to 0xF, reserved.
    Reserved(u8),
}

/// A data message, whole or as far as it was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Text, Binary or a reserved data opcode.
    pub opcode: Opcode,
    /// The payload, unmasked and inflated, cut at the limit.
    pub payload: Bytes,
    /// Payload bytes after inflating, kept or not.
    pub payload_bytes: u64,
    /// Payload bytes on the wire (compressed, without frame headers).
    pub wire_bytes: u64,
    /// Frames it came in.
    pub fragments: u64,
    /// RSV1 was set on its first frame.
    pub compressed: bool,
    /// `payload` is not the whole message: cut at the limit, or the connection ended inside it.
    pub truncated: bool,
}

/// A control frame (at most 125 payload bytes; more is a violation and cut).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Control {
    /// Close, Ping, Pong or a reserved control opcode.
    pub opcode: Opcode,
    /// Unmasked payload.
    pub payload: Bytes,
}

impl Control {
    /// A Close frame's status code and reason (RFC 6455 section 5.5.1); `(None, "")` for an empty payload, lossy UTF-8.
    #[must_use]
    pub fn close(&self) -> (Option<u16>, String) {
        todo!()
    }
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A data message.
    Message(Message),
    /// A control frame.
    Control(Control),
    /// A peer broke a rule; the stream can still be read.
    Violation {
        /// A constant sentence naming the rule.
        why: &'static str,
        /// Offset of the frame in this direction's stream behind the handshake, bytes.
        offset: u64,
    },
}

/// Why the direction went opaque.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {offset}: {why}")]
pub struct Error {
    /// Offset in this direction's stream behind the handshake, bytes.
    pub offset: u64,
    /// A constant sentence; never a byte of the input.
    pub why: &'static str,
}

/// Follows one direction of one WebSocket.
#[derive(Debug)]
pub struct Decoder {}

impl Decoder {
    /// `direction` decides which side's deflate parameters apply and whether frames should be masked.
    #[must_use]
    pub fn new(direction: Direction, deflate: Option<Deflate>, limits: Limits) -> Self {
        let _ = (direction, deflate, limits);
        todo!()
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: Bytes) {
        let _ = bytes;
        todo!()
    }

    /// The direction has ended: a message that is not complete comes out truncated.
    pub fn end(&mut self) {
        todo!()
    }

    /// The next item, `None` for more input. After an `Err` nothing follows.
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        todo!()
    }
}
