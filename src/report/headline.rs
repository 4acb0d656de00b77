//! The findings of all sessions as one short list, the gravest first: what a reader must know before anything else.
//!
//! Also says facts in a person's words: `idle_ms 20034` is “idle 20.0 s”.

use super::model::{Finding, Report};
use super::words::{count, duration, time};

/// Agents named before the others are counted.
const MAX_NAMED: usize = 6;

/// One finding, whoever had it.
pub(super) struct Headline<'r> {
    /// The first of its kind.
    pub(super) finding: &'r Finding,
    /// How often in all.
    pub(super) times: u64,
    /// The sessions that had it, by index; none if it concerns no single one.
    pub(super) sessions: Vec<usize>,
}

/// All of them, errors before warnings, what concerns many before what concerns one.
pub(super) fn headlines(report: &Report) -> Vec<Headline<'_>> {
    let mut list: Vec<Headline<'_>> = Vec::new();
    let own = report.findings.iter().map(|finding| (None, finding));
    let sessions = report.sessions.iter().enumerate();
    let theirs =
        sessions.flat_map(|(index, session)| session.findings.iter().map(move |finding| (Some(index), finding)));
    for (session, finding) in own.chain(theirs) {
        let is_own = session.is_none();
        let known =
            list.iter_mut().find(|known| known.finding.code == finding.code && known.sessions.is_empty() == is_own);
        match known {
            Some(known) => {
                known.times += finding.count;
                known.sessions.extend(session);
            }
            None => list.push(Headline { finding, times: finding.count, sessions: session.into_iter().collect() }),
        }
    }
    list.sort_by_key(|headline| {
        let agents = if headline.sessions.is_empty() { usize::MAX } else { headline.sessions.len() };
        (headline.finding.level != "error", std::cmp::Reverse(agents), headline.finding.at_us)
    });
    list
}

impl Headline<'_> {
    /// Whom it concerns, how often and since when.
    pub(super) fn whom(&self, report: &Report) -> String {
        let mut agents: Vec<String> = Vec::new();
        for session in self.sessions.iter().filter_map(|index| report.sessions.get(*index)) {
            let who = session.user.clone().unwrap_or_else(|| session.who());
            if !agents.contains(&who) {
                agents.push(who);
            }
        }
        let more = agents.len().saturating_sub(MAX_NAMED);
        agents.truncate(MAX_NAMED);
        let whom = match (agents.len(), more) {
            (0, _) if self.finding.is_shared() => String::from("all agents"),
            (0, _) => String::from("before any login"),
            (1, _) => format!("agent {}", agents.concat()),
            (_, 0) => format!("agents {}", agents.join(", ")),
            (_, more) => format!("agents {} and {more} more", agents.join(", ")),
        };
        let times = if self.times > 1 { format!(", {}", count(self.times, "time")) } else { String::new() };
        let at = time(self.finding.at_us);
        format!("{whom}{times}, first at {}", at.get(..8).unwrap_or(&at))
    }
}

/// A finding's facts in one line.
pub(super) fn facts(finding: &Finding) -> String {
    let facts = finding.facts.iter().map(|(name, value)| in_words(name, value));
    facts.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// A fact's name and value in words.
pub(super) fn in_words(name: &str, value: &str) -> (String, String) {
    let milliseconds = name.strip_suffix("_ms").and_then(|name| Some((name, value.parse::<u64>().ok()?)));
    if let Some((name, ms)) = milliseconds {
        return (name.replace('_', " "), duration(ms.saturating_mul(1_000)));
    }
    let said = match (name, value) {
        ("by", "upstream") => "the server (upstream)",
        ("by", "client") => "the browser (client)",
        ("by", "sasl") => "the socket's login (SASL)",
        ("by", "basic") => "REST (HTTP Basic)",
        ("by", "bearer") => "REST (bearer token)",
        ("how", "fin") => "closed the connection (FIN)",
        ("how", "rst") => "reset the connection (RST)",
        ("how", "timeout") => "let it time out",
        (_, value) => value,
    };
    (name.replace('_', " "), said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_said_in_words() {
        let said = |name, value| in_words(name, value);
        assert_eq!(said("idle_ms", "20034"), ("idle".into(), "20.0 s".into()));
        assert_eq!(said("other_client", "192.0.2.7"), ("other client".into(), "192.0.2.7".into()));
        assert_eq!(said("skew_ms", "-70"), ("skew ms".into(), "-70".into()));
        assert_eq!(said("by", "upstream").1, "the server (upstream)");
    }
}
