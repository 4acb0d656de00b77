//! What Cisco Finesse says over XMPP and REST: the `<Update>` inside a notification, its objects, its nodes, its URLs.
//!
//! Pure knowledge over [`crate::xmpp`]'s documents: borrows from the text it reads, never fails, reads children in any
//! order and names in either case. Shapes: Cisco Finesse Web Services Developer Guide.

pub mod api;
mod branch;
mod client_log;
pub mod dictionary;
mod gadget;
mod named;
pub mod node;
mod token;
pub mod update;

pub use api::Api;
pub use client_log::ClientLog;
pub use gadget::{Gadget, GadgetAnswer};
pub use named::{Exchange, Named, named};
pub use node::Node;
pub use token::Token;
pub use update::{Notification, Update};
