//! What belongs together: answers with their questions, events with the REST calls that caused them, sockets with the
//! agent who owns them. And what went wrong with it: [`findings`].
//!
//! Takes decoded stanzas, updates and times; does no I/O and reads no clock. Everything it remembers is bounded: the
//! oldest is forgotten first, which costs a join, never a wrong one.

mod desktop;
pub mod findings;
mod names;
mod outcome;
mod recent;
mod server;
pub mod spot;
pub mod stage;
pub mod stream;
pub mod summary;
mod timer;
pub mod tracker;

pub use findings::Finding;
pub use spot::Spot;
pub use stage::Stage;
pub use stream::Reply;
pub use summary::Summary;
pub use tracker::{Cause, CookieMark, Session, Tracker};
