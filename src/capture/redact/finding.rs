//! Findings and session summaries as events.

use super::Removes;
use crate::capture::event::{self, Classed, Event, Fact, SummaryFinding, SummaryPings, SummaryStage, SummaryState};
use crate::session::findings::Weight;
use crate::session::{Finding, Summary};
use std::borrow::Cow;

pub(super) fn finding<'o>(found: &'o Finding, event: &mut Event<'o>) -> Removes {
    event.event.action = "finding";
    event.event.kind = "alert";
    event.event.category = &["network"];
    event.event.types = &["info"];
    event.log.level = match found.code.weight() {
        Weight::Error => "error",
        Weight::Warn => "warn",
    };
    let fact = |fact: &'o crate::session::findings::Fact| Fact { name: fact.name, value: Cow::Borrowed(&*fact.value) };
    event.finesse.finding = Some(Box::new(event::Finding {
        code: found.code.as_str(),
        title: found.code.title(),
        confidence: found.confidence.as_str(),
        count: found.count,
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
        crate::session::summary::Reason::End => &["end"],
        crate::session::summary::Reason::Hourly => &["info"],
    };
    event.event.duration = Some(summary.duration_ms.saturating_mul(1_000_000));
    let stage = |step: &crate::session::stage::Step| SummaryStage {
        name: step.stage.as_str(),
        sequence: step.sequence,
        after_ms: step.after_ms,
    };
    event.finesse.summary = Some(Box::new(event::Summary {
        reason: summary.reason.as_str(),
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
