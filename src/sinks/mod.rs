//! Where the event stream goes: capture files, standard output, a person's terminal.
//!
//! A sink takes finished, redacted records from its [`crate::bus::Receiver`] on its own thread and returns when there are
//! no more. What keeps it from writing costs counted records, never traffic. It may block; the relay and the tap do not
//! notice. Sinks know nothing of each other.

pub mod disk;
pub mod file;
pub mod keep;
pub mod live;
mod name;
mod pending;
pub mod repair;
pub mod stdout;
mod trouble;

pub use file::{FileSink, Limits};
pub use keep::Keep;
pub use live::{KeepAlives, Live};
pub use name::CaptureName;
pub use repair::repair;
pub use stdout::StdoutSink;
