//! What could not be read.

use super::{Code, Confidence, Finding, Kind};

/// A layer gave something up.
pub(in crate::session) fn unread(layer: &'static str, why: &'static str, sequence: u64) -> Finding {
    let finding = Finding::new(Code::DecodeError, Confidence::Certain).about(format!("{layer}: {why}"));
    finding.seen([sequence]).fact("layer", Kind::Plain, layer).fact("why", Kind::Plain, why)
}
