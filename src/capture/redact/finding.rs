//! Findings and session summaries as events.

use super::Removes;
use crate::capture::event::{self, Classed, Event, Fact, SummaryFinding, SummaryPings, SummaryStage, SummaryState};
use crate::session::findings::{self, Gravity};
use crate::session::summary::Reason;
use crate::session::{Finding, Summary};
use std::borrow::Cow;

pub(super) fn finding<'o>(found: &'o Finding, event: &mut Event<'o>) -> Removes {
    event.event.action = "finding";
    event.event.kind = "alert";
    event.event.category = &["network"];
    event.event.types = &["info"];
    event.log.level = match found.code.gravity() {
        _ if found.count == 0 => "info",
        Gravity::Error => "error",
        Gravity::Warn => "warn",
    };
    let fact =
        |(fact, value): &'o (findings::Fact, String)| Fact { name: fact.as_str(), value: Cow::Borrowed(&**value) };
    event.finesse.finding = Some(Box::new(event::Finding {
        code: found.code.as_str(),
        title: found.code.title(),
        confidence: found.confidence.as_str(),
        count: found.count,
        revises: None,
        revised: found.revises.map(|(code, _)| code.as_str()),
        evidence: Cow::Borrowed(&found.evidence),
        facts: found.facts.iter().map(fact).collect(),
        advice: found.code.advice(),
    }));
    Removes::Payload
}

pub(super) fn summary<'o>(summary: &'o Summary, event: &mut Event<'o>) -> Removes {
    event.event.action = "session-summary";
    event.event.category = &["network", "session"];
    event.event.types = match summary.reason {
        Reason::End => &["end"],
        Reason::Hourly | Reason::Merged(_) => &["info"],
    };
    event.event.duration = Some(summary.duration_ms.saturating_mul(1_000_000));
    let stage = |step: &crate::session::stage::Step| SummaryStage {
        name: step.stage.as_str(),
        sequence: step.sequence,
        after_ms: step.after_ms,
    };
    event.finesse.summary = Some(Box::new(event::Summary {
        reason: summary.reason.as_str(),
        names: summary.names.iter().map(|name| Classed::new(&**name)).collect(),
        into: match summary.reason {
            Reason::Merged(into) => Some(Classed::new(into.to_string())),
            _ => None,
        },
        duration_ms: summary.duration_ms,
        sockets: summary.sockets,
        stages: summary.stages.iter().map(stage).collect(),
        stopped_at: summary.stopped_at.map(|stage| stage.as_str()),
        requests: summary.requests,
        updates: summary.updates,
        pings: SummaryPings {
            sent: summary.pings.sent,
            answered: summary.pings.answered,
            slowest_ms: summary.pings.slowest_ms,
        },
        states: summary
            .states
            .iter()
            .map(|(state, ms)| SummaryState { state: Classed::new(&**state), ms: *ms })
            .collect(),
        calls: summary.calls,
        findings: summary
            .findings
            .iter()
            .map(|(code, count)| SummaryFinding { code: code.as_str(), count: *count })
            .collect(),
    }));
    Removes::Payload
}
