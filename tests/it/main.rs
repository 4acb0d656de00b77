//! The integration tests, one crate: through the public door, over real sockets on loopback, port 0.

#![cfg(test)]
#![allow(unreachable_pub, reason = "the crate is private as a whole")]
#![cfg_attr(windows, allow(dead_code, reason = "tests that send signals are not there, what they need is"))]

mod admin;
mod alpn;
mod assets;
mod bad_input;
mod browse;
mod canary;
mod certificates;
mod console;
mod contract;
mod demo;
mod doctor;
mod endings;
mod field;
mod har;
mod hosts;
mod http2;
mod layers;
mod makers;
mod old;
mod packaging;
mod playbook;
mod pressure;
mod program;
mod real;
mod refusals;
mod reload;
mod report;
mod rewrite;
mod routes;
mod rsyslog;
mod scale;
mod scan;
mod share;
mod ship;
mod sources;
mod support;
mod transparency;
mod windows;
mod words;
mod xmpp;
