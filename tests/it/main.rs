//! The integration tests, one crate: through the public door, over real sockets on loopback, port 0.

mod bad_input;
mod certificates;
mod endings;
mod layers;
mod playbook;
mod support;
mod transparency;
