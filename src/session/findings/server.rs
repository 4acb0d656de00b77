//! The server's side: restarts, outages, forced logouts, and nodes that the proxy does not front.

use super::ending::{AT_ONCE, By, Cut};
use super::{Code, Confidence, Fact, Finding};
use crate::clock::Moment;
use crate::conn::Authority;
use crate::finesse::Named;

/// Agents cut off at once that make an outage.
const ALL_AT_ONCE: usize = 3;

/// Where Finesse, its notification service, CUIC, Live Data and Unified CCX listen. A page that goes elsewhere, to a
/// customer's application or identity provider, does so on every good day.
const CISCO_PORTS: [u16; 10] = [7443, 8443, 8444, 8445, 8447, 9443, 12_005, 12_008, 12_015, IDENTITY_PORT];
/// Where the identity service listens: every single sign-on goes by it.
const IDENTITY_PORT: u16 = 8_553;

/// What says that the server's side is out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::session) enum Sign {
    /// `<system-shutdown/>`
    SystemShutdown,
    /// A SystemInfo event with another status than in service.
    OutOfService,
    /// The presence of `finesse@` went away.
    PresenceGone,
    /// Several agents' sockets ended at once.
    AllCut,
}

impl Sign {
    fn as_str(self) -> &'static str {
        match self {
            Self::SystemShutdown => "system-shutdown",
            Self::OutOfService => "SystemInfo out of service",
            Self::PresenceGone => "presence of finesse@ unavailable",
            Self::AllCut => "all sockets cut at once",
        }
    }
}

/// A sign was seen.
pub(in crate::session) fn outage(sign: Sign, evidence: impl IntoIterator<Item = u64>) -> Finding {
    let sure = if sign == Sign::AllCut { Confidence::Likely } else { Confidence::Certain };
    Finding::new(Code::ServerOutage, sure).about(sign.as_str()).seen(evidence).fact(Fact::Sign, sign.as_str())
}

/// Several agents' sockets were cut off by the server at once.
pub(in crate::session) fn all_cut<'c>(cuts: impl Iterator<Item = &'c Cut>, at: Moment) -> Option<Finding> {
    let is_one = |cut: &&Cut| cut.by == By::Upstream && cut.at.plus(AT_ONCE).mono_ns >= at.mono_ns;
    let lines: Vec<u64> = cuts.filter(is_one).map(|cut| cut.sequence).collect();
    (lines.len() >= ALL_AT_ONCE).then(|| outage(Sign::AllCut, lines))
}

/// Nothing was seen for so long because the proxy itself stood still.
pub(in crate::session) fn paused(gap_ms: u64) -> Finding {
    Finding::new(Code::TapPaused, Confidence::Certain).fact(Fact::PausedMs, gap_ms)
}

/// Items of a node come from another process than before: its first line, and the last line of the one before.
pub(in crate::session) fn restart(last: u64, sequence: u64) -> Finding {
    Finding::new(Code::ServerRestart, Confidence::Likely).seen([last, sequence])
}

/// An agent's new state and its reason. `gone` is the line at which its presence or socket went away.
///
/// UCCE writes 255, 50001 or 50002 (by its desk settings also as NOT_READY), UCCX 255 or 32765.
pub(in crate::session) fn forced_logout(
    state: &str,
    reason: Option<&str>,
    gone: Option<(u64, u64)>,
    sequence: u64,
) -> Option<Finding> {
    let reason = reason.filter(|reason| matches!(*reason, "255" | "50001" | "50002" | "32765"))?;
    if !matches!(state, "LOGOUT" | "NOT_READY") {
        return None;
    }
    let finding = Finding::new(Code::ForcedLogout, Confidence::Certain);
    let finding = finding.seen(gone.map(|(sequence, _)| sequence).into_iter().chain([sequence]));
    Some(finding.fact(Fact::State, state).fact(Fact::Code, reason).maybe(Fact::GoneForMs, gone.map(|(_, ms)| ms)))
}

/// A server that the browser is sent to. One without a port has that of the server that named it, and is fronted whatever
/// its port.
pub(in crate::session) fn not_fronted(
    named: &Named,
    port: u16,
    fronted: &[Authority],
    sequence: u64,
) -> Option<Finding> {
    let Named { host, port: own, by } = named;
    let is_it = |server: &Authority| server.host.eq_ignore_ascii_case(host) && own.is_none_or(|own| server.port == own);
    let is_cisco =
        own.is_none_or(|own| CISCO_PORTS.contains(&own)) && (*by != "Location" || *own != Some(IDENTITY_PORT));
    if fronted.is_empty() || !is_cisco || fronted.iter().any(is_it) {
        return None;
    }
    let port = own.unwrap_or(port);
    let finding = Finding::new(Code::HostNotFronted, Confidence::Certain).about(format!("{host}:{port}"));
    let finding = finding.seen([sequence]).fact(Fact::Host, host).fact(Fact::Port, port);
    Some(finding.fact(Fact::By, by))
}
