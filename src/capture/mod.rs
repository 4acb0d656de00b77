//! From what was seen to what may be written.

pub mod observation;
