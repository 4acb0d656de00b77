//! XMPP, read leniently: what an element is, and where on a stream of its own it ends.
//!
//! RFC 7395 and XEP-0124 bring elements one by one or in a `<body/>`; on a connection of its own [`stream`] finds them.
//! [`parse`](parse::parse) turns text into a flat [`Document`] that borrows from it; [`Stanza::read`] says what one
//! top-level element is. Knows RFC 6120/6121 stanzas, SASL, XEP-0060 pub-sub, XEP-0198, XEP-0199; nothing of Finesse.
//! Never fails: what cannot be read is a [`Malformed`] note with its offset.

pub mod element;
pub mod parse;
pub mod pubsub;
pub mod sasl;
mod scope;
pub mod stanza;
pub mod stream;

pub use element::{Document, Element, Malformed};
pub use pubsub::Pubsub;
pub use scope::Scope;
pub use stanza::{Kind, Stanza};
