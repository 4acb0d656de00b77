//! BOSH sessions: requests left out, too many at once, sessions that the server no longer knows or ends by itself.

use super::{Code, Confidence, Fact, Finding};
use crate::finesse::dictionary::{List, look_up};

/// How a session stood when one of its requests was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Requests that were open when it came, itself included.
    pub open: u64,
    /// Requests that may be.
    pub allowed: Option<u64>,
    /// Requests that never came before it: the first one's number, and how many.
    pub missing: Option<(u64, u64)>,
}

/// How a server ended a session, or refused one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goodbye<'g> {
    /// Its reason (XEP-0124 section 17).
    pub condition: Option<&'g str>,
    /// The HTTP status, where that is how it was said.
    pub status: Option<u16>,
    /// The session had been granted, as far as was seen.
    pub is_granted: bool,
    /// Since it was granted, or first seen, milliseconds.
    pub age_ms: u64,
    /// How long nothing had passed before the client's request, milliseconds.
    pub idle_ms: u64,
    /// Longest silence the server bears, seconds.
    pub patience_s: u64,
}

/// A request was answered, and some before it never came.
pub(in crate::session) fn missing(load: Load, sequence: u64) -> Option<Finding> {
    let (first, count) = load.missing?;
    let finding = Finding::new(Code::BoshRequestMissing, Confidence::Certain).about(first.to_string()).seen([sequence]);
    Some(finding.fact(Fact::Request, first).fact(Fact::Missing, count))
}

/// More requests were open than the server allows.
pub(in crate::session) fn too_many(load: Load, sequence: u64) -> Option<Finding> {
    let allowed = load.allowed.filter(|allowed| load.open > *allowed)?;
    let finding = Finding::new(Code::BoshTooManyRequests, Confidence::Certain).seen([sequence]);
    Some(finding.fact(Fact::Open, load.open).fact(Fact::Allowed, allowed))
}

/// The server ends the session, or does not grant it.
pub(in crate::session) fn ended(goodbye: Goodbye<'_>, sequence: u64) -> Finding {
    let unknown = goodbye.condition == Some("item-not-found") && goodbye.is_granted;
    let code = if unknown { Code::BoshSessionUnknown } else { Code::BoshTerminated };
    let condition = goodbye.condition.unwrap_or("none given");
    let finding = Finding::new(code, Confidence::Certain).about(condition).seen([sequence]);
    let finding = finding
        .fact(Fact::Condition, condition)
        .maybe(Fact::Status, goodbye.status)
        .fact(Fact::IdleMs, goodbye.idle_ms)
        .meaning(look_up(List::Bosh, condition));
    if unknown {
        finding.fact(Fact::InactivityS, goodbye.patience_s)
    } else {
        finding.fact(Fact::AgeMs, goodbye.age_ms)
    }
}
