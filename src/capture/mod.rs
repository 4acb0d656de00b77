//! From what was seen to what may be written.

pub mod observation;
pub mod record;

pub use record::{Level, Opening, Record};
