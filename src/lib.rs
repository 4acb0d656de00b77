//! finesse-tap.

pub mod capture;
pub mod clock;
pub mod conn;
pub mod finesse;
pub mod http1;
pub mod proxy;
pub mod tap;
pub mod tls;
pub mod ws;
pub mod xmpp;
