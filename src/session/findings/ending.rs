//! Ends of sockets: conflicts, ends without a close frame, and the same end again and again.

use super::{Code, Confidence, Finding, Kind};
use std::net::IpAddr;

/// Ends alike that make a pattern.
pub(in crate::session) const ALIKE: usize = 3;
/// Ages or silences that differ by no more are alike, milliseconds.
const ALIKE_WITHIN_MS: u64 = 1_500;
/// Shorter ones say nothing about a time limit, milliseconds.
const SHORTEST_LIMIT_MS: u64 = 5_000;

/// Who ended a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The browser.
    Client,
    /// Finesse.
    Upstream,
    /// The proxy itself.
    Proxy,
}

impl By {
    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Proxy => "proxy",
        }
    }
}

/// A connection's end.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Who ended it.
    pub by: By,
    /// `fin`, `rst`, `timeout` …
    pub how: &'static str,
    /// Whether a Close frame or a stream's `<close/>` announced it.
    pub announced: Announced,
}

/// Whether an end was announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announced {
    /// By a Close frame or `<close/>`.
    Yes,
    /// By nothing.
    No,
}

/// The other login of the same agent.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Rival {
    pub(in crate::session) client: IpAddr,
    pub(in crate::session) sequence: u64,
}

/// `<conflict/>`: by whom. A rival that did not come through this proxy is somebody else.
pub(in crate::session) fn conflict(client: IpAddr, rival: Option<Rival>, sequence: u64) -> Finding {
    let finding = match rival {
        Some(rival) if rival.client == client => Finding::new(Code::ConflictSelf, Confidence::Likely),
        Some(_) => Finding::new(Code::Conflict, Confidence::Certain),
        None => Finding::new(Code::Conflict, Confidence::Likely),
    };
    let finding = finding.seen(rival.map(|rival| rival.sequence).into_iter().chain([sequence]));
    let finding = finding.fact("client", Kind::Host, client);
    match rival {
        Some(rival) => finding.fact("other_client", Kind::Host, rival.client),
        None => finding.fact("other", Kind::Plain, "not seen by this proxy"),
    }
}

/// A socket's connection is over.
pub(in crate::session) fn unannounced(ending: Ending, age_ms: u64, idle_ms: u64, sequence: u64) -> Option<Finding> {
    if ending.announced == Announced::Yes || ending.by == By::Proxy {
        return None;
    }
    let finding = Finding::new(Code::EndedWithoutClose, Confidence::Certain).about(ending.by.as_str()).seen([sequence]);
    Some(
        finding
            .fact("by", Kind::Plain, ending.by.as_str())
            .fact("how", Kind::Plain, ending.how)
            .fact("age_ms", Kind::Plain, age_ms)
            .fact("idle_ms", Kind::Plain, idle_ms),
    )
}

/// One unannounced end of several.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Cut {
    pub(in crate::session) age_ms: u64,
    pub(in crate::session) idle_ms: u64,
    pub(in crate::session) sequence: u64,
}

/// The last ends of an agent's sockets. A silence explains more than an age: it is looked at first.
pub(in crate::session) fn middlebox<'c>(cuts: impl Iterator<Item = &'c Cut> + Clone) -> Option<Finding> {
    let alike = |measure: fn(&Cut) -> u64| {
        let (low, high) = (cuts.clone().map(measure).min()?, cuts.clone().map(measure).max()?);
        (low >= SHORTEST_LIMIT_MS && high - low <= ALIKE_WITHIN_MS).then_some(low)
    };
    if cuts.clone().count() < ALIKE {
        return None;
    }
    let (name, limit_ms) = match (alike(|cut| cut.idle_ms), alike(|cut| cut.age_ms)) {
        (Some(idle_ms), _) => ("idle_ms", idle_ms),
        (None, Some(age_ms)) => ("age_ms", age_ms),
        (None, None) => return None,
    };
    let finding = Finding::new(Code::Middlebox, Confidence::Likely).about(name).seen(cuts.map(|cut| cut.sequence));
    Some(finding.fact(name, Kind::Plain, limit_ms).fact("times", Kind::Plain, ALIKE))
}
