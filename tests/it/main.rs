//! The integration tests, one crate: through the public door, over real sockets on loopback, port 0.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![allow(unreachable_pub, reason = "the crate is private as a whole")]

mod bad_input;
mod certificates;
mod endings;
mod layers;
mod playbook;
mod support;
mod transparency;
