//! The tap: a copy of the traffic becomes observations, observations become events.

pub mod feed;

pub use feed::{Feed, Intake};
