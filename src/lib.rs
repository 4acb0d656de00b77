//! finesse-tap.

pub mod app;
pub mod ca_text;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conn;
pub mod demo;
pub mod finesse;
pub mod http1;
pub mod log;
pub mod session;
pub mod tap;
pub mod ws;
pub mod xmpp;
