//! What belongs together: answers with their questions, events with the REST calls that caused them, sockets with the
//! agent who owns them.
//!
//! Takes decoded stanzas, updates and times; does no I/O and reads no clock. Everything it remembers is bounded: the
//! oldest is forgotten first, which costs a join, never a wrong one.

mod recent;
pub mod stream;
pub mod tracker;

pub use stream::{Reply, Stream};
pub use tracker::{Cause, Session, Tracker};
