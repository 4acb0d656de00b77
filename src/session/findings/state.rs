//! The agent's state and calls: changed by the system, told in the wrong order, not told at all; calls that do not go away.

use super::{Code, Confidence, Fact, Finding};
use crate::finesse::dictionary;

/// What a system sets because of a fault, at UCCE and at UCCX. What agents and supervisors do, and what a working day brings
/// along, is none.
const FAULTS_UCCE: &[&str] =
    &["50003", "50010", "50020", "50030", "50040", "50042", "51004", "65533", "65534", "65535"];
const FAULTS_UCCX: &[&str] = &["32740", "32741", "32750", "32753", "32754", "32757", "32759", "32764"];
/// The server took the desktop for gone: UCCE writes 255, 50001 or 50002 (by its desk settings also as NOT_READY), UCCX 255 or 32765.
const GONE: &[&str] = &["255", "50001", "50002", "32765"];
/// A `stateChangeTime` that differs by less may be another reading of the same change, milliseconds.
pub(in crate::session) const MISSED_MS: i64 = 5_000;

/// A change of an agent's state.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Change<'c> {
    pub(in crate::session) state: &'c str,
    pub(in crate::session) reason: Option<&'c str>,
    /// The reason is the key of Finesse's database, not the code.
    pub(in crate::session) is_key: bool,
    pub(in crate::session) deployment: Option<&'c str>,
    /// The line at which the agent's presence or socket went away, and how long before.
    pub(in crate::session) gone: Option<(u64, u64)>,
    pub(in crate::session) sequence: u64,
}

/// The system changed an agent's state.
pub(in crate::session) fn forced(change: Change<'_>) -> Option<Finding> {
    let Change { state, reason, is_key, deployment, gone, sequence } = change;
    let reason = reason.filter(|_| matches!(state, "LOGOUT" | "NOT_READY"))?;
    let (ucce, uccx) = (FAULTS_UCCE.contains(&reason), FAULTS_UCCX.contains(&reason));
    let is_fault = match deployment {
        Some("UCCX") => uccx,
        Some(_) => ucce,
        // The lists have no code in common.
        None => ucce || uccx,
    };
    let is_gone = GONE.contains(&reason);
    // Somebody's own reason may have any key: only what went before it tells.
    if !is_gone && (!is_fault || is_key) || is_gone && is_key && (state != "LOGOUT" || gone.is_none()) {
        return None;
    }
    let confidence = if is_key { Confidence::Possible } else { Confidence::Certain };
    let code = if is_gone { Code::ForcedLogout } else { Code::ForcedState };
    let finding = Finding::new(code, confidence).about(reason);
    let gone = gone.filter(|_| is_gone);
    let finding = finding.seen(gone.map(|(line, _)| line).into_iter().chain([sequence]));
    let finding = finding.fact(Fact::State, state).fact(Fact::Code, reason);
    let finding = finding.maybe(Fact::GoneForMs, gone.map(|(_, ms)| ms)).maybe(Fact::Deployment, deployment);
    Some(finding.meaning(dictionary::reason(deployment, reason)))
}

/// An event is older than the one before it.
pub(in crate::session) fn out_of_order(node: &str, state: &str, behind_ms: i64, lines: [u64; 2]) -> Option<Finding> {
    if behind_ms <= 0 {
        return None;
    }
    let finding = Finding::new(Code::OutOfOrder, Confidence::Certain).about(node).seen(lines);
    Some(finding.fact(Fact::Node, node).fact(Fact::BehindMs, behind_ms).fact(Fact::State, state))
}

/// What the server answers about the agent, and what its last event said: state and time of change.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Compared<'c> {
    pub(in crate::session) state: &'c str,
    pub(in crate::session) changed_ms: i64,
    pub(in crate::session) last_state: &'c str,
    pub(in crate::session) last_changed_ms: i64,
    /// How long ago the change was, by the server's clock.
    pub(in crate::session) age_ms: i64,
    pub(in crate::session) deployment: Option<&'c str>,
}

/// The agent's state changed and no event told.
pub(in crate::session) fn missed(told: Compared<'_>, lines: [u64; 2]) -> Option<Finding> {
    let Compared { state, changed_ms, last_state, last_changed_ms, age_ms, deployment } = told;
    // UCCX sets an agent to NOT_READY during a call of its own and tells nobody.
    let may_be_untold = state == "NOT_READY" && deployment != Some("UCCE");
    if state == last_state || may_be_untold || changed_ms - last_changed_ms < MISSED_MS || age_ms < MISSED_MS {
        return None;
    }
    let finding = Finding::new(Code::MissedEvent, Confidence::Likely).about(state).seen(lines);
    Some(finding.fact(Fact::State, state).fact(Fact::LastState, last_state).fact(Fact::AfterMs, age_ms))
}

/// A call that all have left was not deleted for so long.
pub(in crate::session) fn stuck(dialog: &str, after_ms: u64, sequence: u64) -> Finding {
    Finding::new(Code::StuckCall, Confidence::Likely).about(dialog).seen([sequence]).fact(Fact::AfterMs, after_ms)
}
