//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692), read passively from a copy of one direction.
//!
//! [`Decoder`] is fed one direction's bytes behind the `101` and yields messages and control frames; [`handshake`] judges
//! the upgrade itself. Unmasks and inflates on the copy; knows nothing of XMPP; holds at most what [`Limits`] allows.

pub mod decoder;
pub mod deflate;
mod extension;
pub mod frame;
pub mod handshake;
pub mod message;

pub use decoder::Decoder;
pub use handshake::{Deflate, Handshake};
pub use message::{Control, Error, Item, Limits, Message, Opcode};
