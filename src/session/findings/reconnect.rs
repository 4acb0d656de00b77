//! Logins one after the other.

use super::{Code, Confidence, Fact, Finding};

/// Logins that make a storm.
pub(in crate::session) const STORM: usize = 5;
/// Within this time, milliseconds.
const STORM_WITHIN_MS: u64 = 60_000;

/// The last [`STORM`] logins of one agent on one browser, and the time from the first to the last of them.
pub(in crate::session) fn storm(logins: &[u64], span_ms: u64) -> Option<Finding> {
    if logins.len() < STORM || span_ms > STORM_WITHIN_MS {
        return None;
    }
    let finding = Finding::new(Code::ReconnectStorm, Confidence::Certain).seen(logins.iter().copied());
    Some(finding.fact(Fact::Logins, logins.len()).fact(Fact::WithinMs, span_ms))
}
