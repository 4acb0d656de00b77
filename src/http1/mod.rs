//! HTTP/1.0 and HTTP/1.1 (RFC 9112) read passively from a copy of both directions.
//!
//! [`Http1`] is fed the bytes of either direction in the order they were observed and yields one [`Exchange`] a request,
//! or [`Item::Upgraded`] when a `101` ends HTTP on the connection. It never fails on odd input it can still frame, knows
//! nothing of Finesse, and holds at most what [`Limits`] allows. [`Passage`] follows the same framing for whoever stands in
//! the way of the bytes: it gives all of them back, heads whole.

pub mod authorization;
mod body;
mod connection;
pub mod content;
pub mod exchange;
pub mod head;
mod passage;
mod stream;

#[cfg(test)]
mod tests;

pub use connection::Http1;
pub use exchange::{Body, Error, Exchange, Item, Keep, Limits, Request, Upgrade};
pub use head::{Field, RequestHead, ResponseHead, Version};
pub use passage::{Passage, Piece};
