//! The login: mechanisms, credentials, the presence that the desktop waits for, and where it stopped.

use super::{Code, Confidence, Fact, Finding};
use crate::finesse::dictionary::{List, look_up};
use crate::session::stage::{Ladder, Stage};

/// Features before authentication.
pub(in crate::session) fn mechanisms<S: AsRef<str>>(offered: &[S], sequence: u64) -> Option<Finding> {
    if offered.iter().any(|mechanism| mechanism.as_ref() == "PLAIN") {
        return None;
    }
    let list: Vec<&str> = offered.iter().map(AsRef::as_ref).collect();
    let list = if list.is_empty() { String::from("none") } else { list.join(" ") };
    Some(Finding::new(Code::NoPlain, Confidence::Certain).seen([sequence]).fact(Fact::Offered, list))
}

/// How credentials were refused.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Refusal<'r> {
    /// `sasl`, `basic` or `bearer`.
    pub(in crate::session) how: &'static str,
    /// The server's word for it.
    pub(in crate::session) reason: &'r str,
    /// The line that last accepted such credentials in this session.
    pub(in crate::session) accepted: Option<u64>,
    /// The line that refused them.
    pub(in crate::session) sequence: u64,
}

/// The same refusal means a wrong password at first, and an old token later.
pub(in crate::session) fn refused(refusal: Refusal<'_>) -> Finding {
    // That the server could not look says nothing about what it should have looked at.
    let looked = refusal.reason != "temporary-auth-failure";
    let expired = looked && (refusal.accepted.is_some() || refusal.how == "bearer");
    let code = if expired { Code::TokenExpired } else { Code::AuthRefused };
    Finding::new(code, Confidence::Likely)
        .about(refusal.how)
        .seen(refusal.accepted.into_iter().chain([refusal.sequence]))
        .fact(Fact::By, refusal.how)
        .fact(Fact::Reason, refusal.reason)
        .meaning(look_up(List::Sasl, refusal.reason))
}

/// 10 s after the client's presence.
pub(in crate::session) fn finesse_presence(ladder: &Ladder) -> Option<Finding> {
    let (sent, _) = ladder.at(Stage::Presence)?;
    if ladder.has(Stage::FinessePresence) {
        return None;
    }
    let bound = ladder.at(Stage::Bind).map_or(0, |(sequence, _)| sequence);
    Some(Finding::new(Code::NoFinessePresence, Confidence::Certain).seen([bound, sent]))
}

/// The presence came after all, behind the time that the desktop waits for it.
pub(in crate::session) fn late_presence(ladder: &Ladder, after_ms: u64, sequence: u64) -> Finding {
    let sent = ladder.at(Stage::Presence).map_or(0, |(sequence, _)| sequence);
    Finding::new(Code::PresenceLate, Confidence::Certain).seen([sent, sequence]).fact(Fact::AfterMs, after_ms)
}

/// At the end of a socket.
pub(in crate::session) fn stopped(ladder: &Ladder, sequence: u64) -> Option<Finding> {
    let stage = ladder.stopped_at()?;
    if stage > Stage::Presence {
        return None;
    }
    let (last, _) =
        Stage::ALL.into_iter().filter_map(|stage| ladder.at(stage)).max_by_key(|(sequence, _)| *sequence)?;
    let finding = Finding::new(Code::LoginStopped, Confidence::Certain).about(stage.as_str());
    Some(finding.seen([last, sequence]).fact(Fact::Stage, stage.as_str()))
}
