//! XMPP as RFC 7395 carries it: one element a WebSocket text message, read leniently.
//!
//! [`parse`](parse::parse) turns text into a flat [`Document`] that borrows from it; [`Stanza::read`] says what one
//! top-level element is. Knows RFC 6120/6121 stanzas, SASL, XEP-0060 pub-sub, XEP-0198, XEP-0199; nothing of Finesse.
//! Never fails: what cannot be read is a [`Malformed`] note with its offset.

pub mod element;
pub mod parse;
pub mod pubsub;
pub mod sasl;
pub mod stanza;

pub use element::{Document, Element, Malformed};
pub use pubsub::Pubsub;
pub use stanza::{Kind, Stanza};
