//! Ends of sockets: conflicts, ends without a close frame, and the same end again and again.

use super::{Code, Confidence, Fact, Finding};
use crate::clock::Moment;
use crate::conn::SessionId;
use crate::finesse::dictionary::{List, look_up};
use std::net::IpAddr;
use std::time::Duration;

/// Ends alike that make a pattern.
pub(in crate::session) const ALIKE: usize = 3;
/// Ages or silences that differ by no more are alike, milliseconds.
const ALIKE_WITHIN_MS: u64 = 1_500;
/// Shorter ones say nothing about a time limit, milliseconds.
const SHORTEST_LIMIT_MS: u64 = 5_000;
/// The same for a silence of several agents: their pings come every 10 s, so that a dying server leaves shorter ones.
const SHORTEST_SHARED_LIMIT_MS: u64 = 11_000;
/// Ends of several agents within this time are one event, and say nothing about an age.
pub(in crate::session) const AT_ONCE: Duration = Duration::from_secs(5);

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
    pub(super) fn as_str(self) -> &'static str {
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
    /// Whether a ping waited for its answer.
    pub waits_for_pong: bool,
}

impl Ending {
    /// Whether it may be somebody's time limit: unannounced, and not because one side missed the other's answer.
    pub(in crate::session) fn is_cut(self) -> bool {
        self.announced == Announced::No && self.by != By::Proxy && !self.waits_for_pong
    }
}

/// Whether an end was announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announced {
    /// By a Close frame or `<close/>`.
    Yes,
    /// By nothing.
    No,
}

/// A login of an agent.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Rival {
    pub(in crate::session) client: IpAddr,
    /// Its user agent, as a hash.
    pub(in crate::session) browser: u64,
    /// The line that bound it, or ended it.
    pub(in crate::session) sequence: u64,
}

/// How the socket was that was thrown out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::session) enum Health {
    /// Nothing was wrong with it.
    Alive,
    /// A ping was unanswered, or waits for its answer.
    Ailing,
}

/// `<conflict/>` on `own`: by whom. The same browser at the same address is the desktop itself, and so is the same browser
/// elsewhere if the old socket was dying: a computer that changed its network. A rival that did not come through this
/// proxy is somebody else.
pub(in crate::session) fn conflict(own: Rival, rival: Option<Rival>, health: Health) -> Finding {
    let address = rival.map(|rival| rival.client == own.client);
    let browser = rival.map(|rival| rival.browser == own.browser);
    let (code, confidence) = match (address, browser, health) {
        (Some(true), Some(true), Health::Ailing) => (Code::ConflictSelf, Confidence::Likely),
        (Some(true), Some(true), Health::Alive) | (Some(false), Some(true), Health::Ailing) => {
            (Code::ConflictSelf, Confidence::Possible)
        }
        (Some(false), ..) => (Code::Conflict, Confidence::Certain),
        _ => (Code::Conflict, Confidence::Likely),
    };
    let finding =
        Finding::new(code, confidence).seen(rival.map(|rival| rival.sequence).into_iter().chain([own.sequence]));
    let finding = finding.fact(Fact::Client, own.client);
    let health = match health {
        Health::Alive => "answered its pings",
        Health::Ailing => "had a ping without an answer",
    };
    let finding = finding.fact(Fact::OldSocket, health);
    match rival {
        Some(rival) => finding
            .fact(Fact::OtherClient, rival.client)
            .fact(Fact::OtherBrowser, if browser == Some(true) { "the same" } else { "another" }),
        None => finding.fact(Fact::Other, "not seen by this proxy"),
    }
}

/// The server ended the stream with an error. `unanswered` is the line of its ping that the client did not answer.
pub(in crate::session) fn stream_error(
    condition: Option<&str>,
    text: Option<&str>,
    unanswered: Option<u64>,
    sequence: u64,
) -> Finding {
    let condition = condition.unwrap_or("none given");
    let finding = Finding::new(Code::StreamError, Confidence::Certain).about(condition);
    let finding = finding.seen(unanswered.into_iter().chain([sequence])).fact(Fact::Condition, condition);
    let finding = finding.maybe(Fact::Message, text);
    let finding = finding.maybe(Fact::Sign, unanswered.map(|_| "the client did not answer the server's ping"));
    finding.meaning(look_up(List::Stream, condition))
}

/// A Close frame that is none of a regular end (RFC 6455 section 7.4.1). A page that is left says 1001; a server that says so
/// leaves its clients alone.
pub(in crate::session) fn close(by: By, code: u16, reason: &str, sequence: u64) -> Option<Finding> {
    let finding = match (by, code) {
        (_, 1000 | 1005) | (By::Client, 1001) | (By::Proxy, _) => return None,
        (By::Client, _) => Finding::new(Code::CloseError, Confidence::Certain).fact(Fact::By, by.as_str()),
        (By::Upstream, _) => Finding::new(Code::ClosedByServer, Confidence::Certain),
    };
    let finding = finding.about(code.to_string()).seen([sequence]).fact(Fact::Code, code);
    let finding = finding.maybe(Fact::Message, Some(reason).filter(|reason| !reason.is_empty()));
    Some(finding.meaning(look_up(List::Close, &code.to_string())))
}

/// A socket's connection is over.
pub(in crate::session) fn unannounced(ending: Ending, age_ms: u64, idle_ms: u64, sequence: u64) -> Option<Finding> {
    if ending.announced == Announced::Yes || ending.by == By::Proxy {
        return None;
    }
    let finding = Finding::new(Code::EndedWithoutClose, Confidence::Certain).about(ending.by.as_str()).seen([sequence]);
    Some(
        finding
            .fact(Fact::By, ending.by.as_str())
            .fact(Fact::How, ending.how)
            .fact(Fact::AgeMs, age_ms)
            .fact(Fact::IdleMs, idle_ms),
    )
}

/// One unannounced end of several.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Cut {
    pub(in crate::session) session: SessionId,
    pub(in crate::session) client: IpAddr,
    pub(in crate::session) by: By,
    pub(in crate::session) at: Moment,
    pub(in crate::session) age_ms: u64,
    pub(in crate::session) idle_ms: u64,
    pub(in crate::session) sequence: u64,
}

/// The last [`ALIKE`] ends of an agent's sockets, or one each of so many agents'. A silence explains more than an age: it is
/// looked at first.
pub(in crate::session) fn middlebox<'c>(cuts: impl Iterator<Item = &'c Cut> + Clone) -> Option<Finding> {
    if cuts.clone().count() < ALIKE {
        return None;
    }
    let alike = |measure: fn(&Cut) -> u64| {
        let (low, high) = (cuts.clone().map(measure).min()?, cuts.clone().map(measure).max()?);
        (low >= SHORTEST_LIMIT_MS && high - low <= ALIKE_WITHIN_MS).then_some(low)
    };
    let first = cuts.clone().next()?;
    let is_shared = cuts.clone().any(|cut| cut.session != first.session);
    let at_once = is_shared && cuts.clone().all(|cut| cut.at.mono_ns.abs_diff(first.at.mono_ns) <= at_once_ns());
    let silence = alike(|cut| cut.idle_ms).filter(|idle_ms| !is_shared || *idle_ms >= SHORTEST_SHARED_LIMIT_MS);
    let (name, limit_ms) = match (silence, alike(|cut| cut.age_ms).filter(|_| !at_once)) {
        (Some(idle_ms), _) => (Fact::IdleMs, idle_ms),
        (None, Some(age_ms)) => (Fact::AgeMs, age_ms),
        (None, None) => return None,
    };
    let finding = Finding::new(Code::Middlebox, Confidence::Likely).about(name.as_str());
    let finding = finding.seen(cuts.clone().map(|cut| cut.sequence)).fact(name, limit_ms);
    let agents = if is_shared { ALIKE } else { 1 };
    Some(finding.fact(Fact::Times, ALIKE).fact(Fact::Agents, agents))
}

/// The clients' sides of several agents at one address went away at once.
pub(in crate::session) fn site<'c>(cuts: impl Iterator<Item = &'c Cut>, last: &Cut) -> Option<Finding> {
    let near = |cut: &&Cut| {
        cut.by == By::Client
            && cut.client == last.client
            && last.at.mono_ns.saturating_sub(cut.at.mono_ns) <= at_once_ns()
    };
    let lines: Vec<u64> = cuts.filter(near).map(|cut| cut.sequence).collect();
    if lines.len() < ALIKE {
        return None;
    }
    let agents = lines.len();
    let finding = Finding::new(Code::SiteOutage, Confidence::Likely).about(last.client.to_string()).seen(lines);
    Some(finding.fact(Fact::Client, last.client).fact(Fact::Agents, agents))
}

fn at_once_ns() -> u64 {
    u64::try_from(AT_ONCE.as_nanos()).unwrap_or(u64::MAX)
}
