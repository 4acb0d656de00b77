//! What Cisco Finesse says over XMPP and REST: the `<Update>` inside a notification, its objects, its nodes, its URLs.
//!
//! Pure knowledge over [`crate::xmpp`]'s documents: borrows from the text it reads, never fails, reads children in any
//! order and names in either case. Shapes: Cisco Finesse Web Services Developer Guide.

pub mod api;
mod branch;
mod named;
pub mod node;
pub mod update;

pub use api::Api;
pub use named::{Exchange, Named, named};
pub use node::Node;
pub use update::{Notification, Update};
