//! The parts of an event that tell of findings and of a session as a whole.
//!
//! Codes, titles, advice, names of facts and stages are words of this program's own; values of facts and agents' states
//! are redacted like every other.

use super::Word;
use super::classed::{Classed, LOGIN, OWN_ID, RUN_ID, Treat, WORD, treat_all};
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.finding.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Finding<'a> {
    /// Stable name; `docs/findings.md` explains each.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::codes"))]
    pub(in crate::capture) code: Word,
    /// One line for a person.
    #[serde(deserialize_with = "vocabulary::sentence")]
    pub(in crate::capture) title: Word,
    /// How sure: `certain` if the wire says so.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::CONFIDENCE)))]
    pub(in crate::capture) confidence: Word,
    /// How often it was found so far; 0 if this only takes back what `revises` names.
    pub(in crate::capture) count: u64,
    /// `event.id` of an earlier finding that did not hold: this one takes its place, and one from its count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) revises: Option<Classed<'a, RUN_ID>>,
    /// The code of that one, to count by.
    #[serde(skip)]
    pub(in crate::capture) revised: Option<Word>,
    /// `event.sequence` of the lines it stands on.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(in crate::capture) evidence: Cow<'a, [u64]>,
    /// What it was drawn from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) facts: Vec<Fact<'a>>,
    /// What to do.
    #[serde(deserialize_with = "vocabulary::sentence")]
    pub(in crate::capture) advice: Word,
}

/// `finesse.finding.facts.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Fact<'a> {
    /// Name.
    #[serde(deserialize_with = "vocabulary::sentence")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::facts"))]
    pub(in crate::capture) name: Word,
    /// Value, redacted.
    pub(in crate::capture) value: Cow<'a, str>,
}

/// `finesse.summary.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Summary<'a> {
    /// `end` of the session, `hourly`, or `merged`: it turned out to be another.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::SUMMARY_REASON)))]
    pub(in crate::capture) reason: Word,
    /// Every name of the agent's: login id, login name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) names: Vec<Classed<'a, LOGIN>>,
    /// The older session that this one turned out to be (`merged`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) into: Option<Classed<'a, OWN_ID>>,
    /// How long the session has lasted, milliseconds.
    pub(in crate::capture) duration_ms: u64,
    /// WebSockets it has had.
    pub(in crate::capture) sockets: u64,
    /// Stages of its last login that were reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) stages: Vec<SummaryStage>,
    /// The first stage that its last login needed and did not reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::stages"))]
    pub(in crate::capture) stopped_at: Option<Word>,
    /// HTTP exchanges.
    pub(in crate::capture) requests: u64,
    /// Finesse notifications.
    pub(in crate::capture) updates: u64,
    /// Application pings.
    pub(in crate::capture) pings: SummaryPings,
    /// How long the agent was in each state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) states: Vec<SummaryState<'a>>,
    /// Different calls seen.
    pub(in crate::capture) calls: u64,
    /// Findings by code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) findings: Vec<SummaryFinding>,
}

/// `finesse.summary.stages.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SummaryStage {
    /// Stage.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::stages"))]
    pub(in crate::capture) name: Word,
    /// `event.sequence` of the line that reached it.
    pub(in crate::capture) sequence: u64,
    /// Since the login began, milliseconds.
    pub(in crate::capture) after_ms: u64,
}

/// `finesse.summary.pings.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SummaryPings {
    /// Pings sent.
    pub(in crate::capture) sent: u64,
    /// Pings answered.
    pub(in crate::capture) answered: u64,
    /// The slowest answer, milliseconds.
    pub(in crate::capture) slowest_ms: u64,
}

/// `finesse.summary.states.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SummaryState<'a> {
    /// State, such as `READY`.
    pub(in crate::capture) state: Classed<'a, WORD>,
    /// Milliseconds.
    pub(in crate::capture) ms: u64,
}

/// `finesse.summary.findings.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SummaryFinding {
    /// Code.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(schema_with = "super::schema::codes"))]
    pub(in crate::capture) code: Word,
    /// How often.
    pub(in crate::capture) count: u64,
}

treat_all! {
    Summary<'_> {
        reason, names, into, duration_ms, sockets, stages, stopped_at, requests, updates, pings, states, calls,
        findings,
    }
    SummaryStage { name, sequence, after_ms }
    SummaryPings { sent, answered, slowest_ms }
    SummaryState<'_> { state, ms }
    SummaryFinding { code, count }
}

impl Treat for Finding<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { code, title, confidence, count, revises, evidence: _, facts, advice, revised } = self;
        pass.all(&mut [code, title, confidence, count, revises, facts, advice, revised]);
    }
}

impl Treat for Fact<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { name, value } = self;
        let kept = if pass.masks { pass.guard.mask(value) } else { pass.fact(name, value) };
        if let Some(kept) = kept {
            pass.masked += u64::from(pass.masks);
            *value = Cow::Owned(kept);
        }
    }

    fn is_gone(&self) -> bool {
        self.value.is_empty()
    }
}
