//! REST calls: without an answer, slow, redirected in circles; the desktop's page; what gadgets fetch; no socket at all.

use super::ending::By;
use super::{Code, Confidence, Fact, Finding};
use std::net::IpAddr;

/// A browser that gives up sooner was told to: the page is left or loaded anew.
const GIVES_UP_MS: u64 = 30_000;
/// An answer behind this is slow, milliseconds.
pub(in crate::session) const SLOW_MS: u64 = 2_000;
/// Answers to one resource that are looked at together.
pub(in crate::session) const LAST: usize = 10;
/// So many of them must be slow.
const MANY: usize = 5;
/// A ping that took so long went a slow way, too.
const SLOW_PING_MS: u64 = 1_000;
/// Redirects in a row that lead nowhere.
pub(in crate::session) const CIRCLE: usize = 6;
/// Within this, milliseconds.
const CIRCLE_WITHIN_MS: u64 = 60_000;

/// Words of browsers for what the page or an extension wanted itself.
const LEAVES: [&str; 4] = ["ABORTED", "BLOCKED", "cancel", "NS_BINDING"];

/// What is known of an answer that did not come.
#[derive(Clone, Copy, Debug)]
pub enum Lack<'l> {
    /// Who ended the connection.
    CutBy(By),
    /// The browser's words.
    Said(&'l str),
}

/// A request whose exchange ended without an answer.
pub(in crate::session) fn unanswered(
    (resource, operation): (&str, Option<&str>),
    lack: Lack<'_>,
    after_ms: u64,
    sequence: u64,
) -> Option<Finding> {
    let (confidence, by) = match lack {
        Lack::CutBy(by @ By::Upstream) => (Confidence::Certain, Some(by)),
        Lack::CutBy(by @ By::Client) if after_ms >= GIVES_UP_MS => (Confidence::Likely, Some(by)),
        Lack::Said(words) if !LEAVES.iter().any(|word| words.contains(word)) => (Confidence::Likely, None),
        _ => return None,
    };
    let finding = Finding::new(Code::RequestUnanswered, confidence).about(resource).seen([sequence]);
    let finding = finding.fact(Fact::Resource, resource).maybe(Fact::Operation, operation);
    let finding = finding.fact(Fact::AfterMs, after_ms).maybe(Fact::By, by.map(By::as_str));
    let Lack::Said(words) = lack else { return Some(finding) };
    Some(finding.fact(Fact::Reason, words))
}

/// One of the last answers to a resource.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct Answer {
    pub(in crate::session) took_ms: u64,
    pub(in crate::session) sequence: u64,
    /// How long the agent's last ping took, if there was one.
    pub(in crate::session) ping_ms: Option<u64>,
}

impl Answer {
    fn is_slow(&self) -> bool {
        self.took_ms >= SLOW_MS
    }
}

/// The last answers to one resource, [`LAST`] at the most: slow ones by a slow way, or by a slow server.
pub(in crate::session) fn slow<'a>(resource: &str, last: impl Iterator<Item = &'a Answer>) -> Option<Finding> {
    let slow: Vec<&Answer> = last.filter(|answer| answer.is_slow()).collect();
    if slow.len() < MANY {
        return None;
    }
    let longest_ms = slow.iter().map(|answer| answer.took_ms).max()?;
    let pings: Vec<u64> = slow.iter().filter_map(|answer| answer.ping_ms).collect();
    let is_slow_path = !pings.is_empty() && pings.iter().all(|ping_ms| *ping_ms >= SLOW_PING_MS);
    // Without a ping nothing tells the server from the way to it.
    if pings.is_empty() {
        return None;
    }
    let code = if is_slow_path { Code::SlowPath } else { Code::RestSlow };
    let finding = Finding::new(code, Confidence::Likely).about(resource);
    let finding = finding.seen(slow.iter().map(|answer| answer.sequence)).fact(Fact::Resource, resource);
    let finding = finding.fact(Fact::RttMs, longest_ms).fact(Fact::Times, slow.len());
    Some(finding.maybe(Fact::PingMs, pings.into_iter().max().filter(|_| is_slow_path)))
}

/// The last redirects of one browser between the desktop's sign-on and the identity service, with the time they span.
pub(in crate::session) fn circle(lines: &[u64], span_ms: u64, client: IpAddr) -> Option<Finding> {
    if lines.len() < CIRCLE || span_ms > CIRCLE_WITHIN_MS {
        return None;
    }
    let finding = Finding::new(Code::RedirectLoop, Confidence::Likely).about(client.to_string());
    let finding = finding.seen(lines.iter().copied());
    Some(finding.fact(Fact::Times, lines.len()).fact(Fact::WithinMs, span_ms))
}

/// The desktop's page, or a part of it, does not come.
pub(in crate::session) fn page(path: &str, status: u16, sequence: u64) -> Option<Finding> {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let is_page = matches!(path, "/desktop" | "/desktop/container");
    let is_part = path.starts_with("/desktop/container/") || path.starts_with("/desktop/assets/");
    if !((is_page || is_part) && status >= 500 || is_page && status == 404) {
        return None;
    }
    let finding = Finding::new(Code::DesktopUnavailable, Confidence::Certain).about(status.to_string());
    Some(finding.seen([sequence]).fact(Fact::Status, status))
}

/// A gadget's own server answered with an error.
pub(in crate::session) fn gadget(host: &str, status: Option<u16>, sequence: u64) -> Option<Finding> {
    let status = status.filter(|status| *status >= 500)?;
    let finding = Finding::new(Code::GadgetFailed, Confidence::Certain).about(host).seen([sequence]);
    Some(finding.fact(Fact::Host, host).fact(Fact::Status, status))
}

/// So long after the sign-in no socket was tried.
pub(in crate::session) fn no_socket(signed_in: u64, after_ms: u64) -> Finding {
    Finding::new(Code::NoSocket, Confidence::Likely).seen([signed_in]).fact(Fact::AfterMs, after_ms)
}
