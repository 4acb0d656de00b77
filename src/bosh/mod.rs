//! BOSH (XEP-0124, XEP-0206): XMPP in the bodies of HTTP requests whose responses are held back until there is news.
//!
//! [`Body::read`] says what a `<body/>` is besides the stanzas in it; [`Window`] follows the request ids of one session. Knows
//! neither HTTP nor stanzas, does no I/O and reads no clock. A `sid` opens the session and a `rid` continues it: neither
//! is ever printed.

mod body;
mod window;

pub use body::{Body, Kind, NAMESPACE, Terms};
pub use window::{Asked, Window};
