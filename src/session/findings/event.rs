//! Events: missing after their request, unasked for, late.

use super::{Code, Confidence, Fact, Finding};

/// A change later than this behind its time is late, milliseconds.
pub(in crate::session) const LATE_MS: i64 = 5_000;

/// Whether an event tells what became of such a request, if it was accepted. Of media and of what Cisco's guide does not say
/// so, none need come.
pub(in crate::session) fn is_promised(resource: &str, operation: &str) -> bool {
    match resource {
        "User" => matches!(operation, "sign-in" | "sign-out" | "change-state"),
        "User/Dialogs" => matches!(operation, "make-call" | "silent-monitor" | "barge-in"),
        "Dialog" => !matches!(
            operation,
            "read"
                | "update"
                | "other-action"
                | "send-dtmf"
                | "start-recording"
                | "reclassify"
                | "update-callback"
                | "cancel-callback"
        ),
        _ => false,
    }
}

/// 5 s after a 202 that nothing followed.
pub(in crate::session) fn missing(resource: &str, operation: &str, asked: u64) -> Finding {
    Finding::new(Code::NoEvent, Confidence::Likely)
        .about(operation)
        .seen([asked])
        .fact(Fact::Resource, resource)
        .fact(Fact::Operation, operation)
}

/// The event of a request that was given up.
pub(in crate::session) fn late_after(asked: u64, after_ms: u64, sequence: u64) -> Finding {
    let finding = Finding::new(Code::LateEvent, Confidence::Certain).seen([asked, sequence]);
    finding.fact(Fact::AfterMs, after_ms)
}

/// An event on a socket whose session holds no such subscription.
pub(in crate::session) fn unsubscribed(node: &str, sequence: u64) -> Finding {
    Finding::new(Code::EventUnsubscribed, Confidence::Possible).about(node).seen([sequence]).fact(Fact::Node, node)
}

/// A change and how long after it the event arrived, the clocks' difference taken out.
pub(in crate::session) fn late(arrival_ms: i64, skew_ms: i64, sequence: u64) -> Option<Finding> {
    if arrival_ms <= LATE_MS {
        return None;
    }
    let finding = Finding::new(Code::LateEvent, Confidence::Likely).seen([sequence]);
    Some(finding.fact(Fact::ArrivalMs, arrival_ms).fact(Fact::SkewMs, skew_ms))
}
