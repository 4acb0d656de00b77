//! finesse-tap.

pub mod bus;
pub mod capture;
pub mod clock;
pub mod conn;
pub mod demo;
pub mod finesse;
pub mod http1;
pub mod proxy;
pub mod session;
pub mod sinks;
pub mod tap;
pub mod tls;
pub mod ws;
pub mod xmpp;
