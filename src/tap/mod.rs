//! The tap: a copy of the traffic becomes observations, observations become records.
//!
//! [`Intake`] and [`Feed`] are the relay's end; [`Decoder`] is the sans-IO middle.

mod decoder;
pub mod feed;
mod http;
mod place;
mod socket;

pub use decoder::Decoder;
pub use feed::{Feed, Intake};
pub use http::OWN_SERVER_NAME;
