//! The server's side: restarts, outages, maintenance, its clock, and nodes that are not fronted or used by turns.

use super::ending::{AT_ONCE, By, Cut};
use super::{Code, Confidence, Fact, Finding};
use crate::clock::Moment;
use crate::conn::Authority;
use crate::finesse::Named;
use std::time::Duration;

/// Agents cut off at once that make an outage.
const ALL_AT_ONCE: usize = 3;
/// Pings that wait are of one event if they were given up within this.
pub(in crate::session) const ALL_SILENT: Duration = Duration::from_secs(15);
/// Clocks that differ by less do no harm, milliseconds.
const CLOCKS_APART_MS: i64 = 30_000;
/// A failover and the way back are two turns.
pub(in crate::session) const TURNS: usize = 4;
/// What is over sooner is a failover that was tried twice, milliseconds.
const TURNS_SPAN_MS: u64 = 60_000;

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
    /// Nobody's pings are answered.
    AllSilent,
    /// SystemInfo, as the desktop polls it.
    PolledOutOfService,
    /// SystemInfo is answered with 503.
    PolledUnavailable,
}

impl Sign {
    fn as_str(self) -> &'static str {
        match self {
            Self::SystemShutdown => "system-shutdown",
            Self::OutOfService => "SystemInfo out of service",
            Self::PresenceGone => "presence of finesse@ unavailable",
            Self::AllCut => "all sockets cut at once",
            Self::AllSilent => "nobody's pings are answered",
            Self::PolledOutOfService => "SystemInfo out of service, polled",
            Self::PolledUnavailable => "SystemInfo answered with 503",
        }
    }
}

/// A sign was seen.
pub(in crate::session) fn outage(sign: Sign, evidence: impl IntoIterator<Item = u64>) -> Finding {
    let sure = if matches!(sign, Sign::AllCut | Sign::AllSilent) { Confidence::Likely } else { Confidence::Certain };
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

/// Pings of several agents wait for their answers, and those of nobody have any.
pub(in crate::session) fn all_silent(lines: &[u64]) -> Option<Finding> {
    if lines.len() < ALL_AT_ONCE {
        return None;
    }
    Some(outage(Sign::AllSilent, lines.iter().copied()).fact(Fact::Agents, lines.len()))
}

/// A socket was closed for planned maintenance, and its agent did not come back.
pub(in crate::session) fn maintenance(sequence: u64) -> Finding {
    let finding = Finding::new(Code::Maintenance, Confidence::Certain).seen([sequence]);
    finding.fact(Fact::Sign, "SystemInfo in maintenance mode")
}

/// The clocks' difference by the answers' `Date`: how many answers, and their median.
pub(in crate::session) fn clock((answers, median_ms): (usize, i64), sequence: u64) -> Option<Finding> {
    if median_ms.abs() < CLOCKS_APART_MS {
        return None;
    }
    let finding = Finding::new(Code::ClockSkew, Confidence::Likely).seen([sequence]);
    Some(finding.fact(Fact::SkewMs, median_ms).fact(Fact::Times, answers))
}

/// An agent's desktop speaks to two nodes by turns: how often it changed between them, and the time from the first to the last
/// change.
pub(in crate::session) fn wrong_node(
    (host, other): (&str, &str),
    turns: usize,
    span_ms: u64,
    sequence: u64,
) -> Option<Finding> {
    if turns < TURNS || span_ms < TURNS_SPAN_MS {
        return None;
    }
    let finding = Finding::new(Code::WrongNode, Confidence::Likely).seen([sequence]);
    let finding = finding.fact(Fact::Host, host).fact(Fact::OtherHost, other);
    Some(finding.fact(Fact::Times, turns).fact(Fact::WithinMs, span_ms))
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
