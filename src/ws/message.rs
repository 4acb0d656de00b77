//! What comes out of one direction: messages, control frames, broken rules (RFC 6455 sections 5.4 and 5.5).
//!
//! Values only; [`Decoder`](crate::ws::Decoder) makes them. Payloads are bytes in clear: whether text is UTF-8 and what
//! it says is the reader's business. None of these types shows payload bytes in its `Debug` output.

use bytes::Bytes;
use std::fmt;

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

/// What a message or control frame is. A continuation that continues nothing starts a `Binary` message.
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

impl From<u8> for Opcode {
    /// From the four bits of a frame header.
    fn from(bits: u8) -> Self {
        match bits {
            0x1 => Self::Text,
            0x0 | 0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            reserved => Self::Reserved(reserved),
        }
    }
}

/// A data message, whole or as far as it was kept.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Message {
    /// Sizes only: the payload may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("opcode", &self.opcode)
            .field("kept_bytes", &self.payload.len())
            .field("payload_bytes", &self.payload_bytes)
            .field("wire_bytes", &self.wire_bytes)
            .field("fragments", &self.fragments)
            .field("compressed", &self.compressed)
            .field("truncated", &self.truncated)
            .finish()
    }
}

/// A control frame (at most 125 payload bytes; more is a violation and cut).
#[derive(Clone, PartialEq, Eq)]
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
        match self.payload.split_first_chunk() {
            Some((&code, reason)) => (Some(u16::from_be_bytes(code)), String::from_utf8_lossy(reason).into_owned()),
            None => (None, String::new()),
        }
    }
}

impl fmt::Debug for Control {
    /// The size only, as for [`Message`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("opcode", &self.opcode).field("kept_bytes", &self.payload.len()).finish()
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
