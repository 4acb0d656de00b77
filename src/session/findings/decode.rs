//! What could not be read.

use super::{Code, Confidence, Fact, Finding};

/// A layer gave something up.
pub(in crate::session) fn unread(layer: &'static str, why: &'static str, sequence: u64) -> Finding {
    let finding = Finding::new(Code::DecodeError, Confidence::Certain).about(format!("{layer}: {why}"));
    finding.seen([sequence]).fact(Fact::Layer, layer).fact(Fact::Why, why)
}
