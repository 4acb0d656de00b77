//! The parts of an event that tell of findings and of a session as a whole.
//!
//! Codes, titles, advice, names of facts and stages are words of this program's own; values of facts and agents' states
//! are redacted like every other.

use super::Word;
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.finding.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Finding<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) code: Word,
    #[serde(deserialize_with = "vocabulary::sentence")]
    pub(in crate::capture) title: Word,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) confidence: Word,
    pub(in crate::capture) count: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(in crate::capture) evidence: Cow<'a, [u64]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) facts: Vec<Fact<'a>>,
    #[serde(deserialize_with = "vocabulary::sentence")]
    pub(in crate::capture) advice: Word,
}

/// `finesse.finding.facts.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Fact<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) name: Word,
    pub(in crate::capture) value: Cow<'a, str>,
}

/// `finesse.summary.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Summary<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) reason: Word,
    pub(in crate::capture) duration_ms: u64,
    pub(in crate::capture) sockets: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) stages: Vec<SummaryStage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(in crate::capture) stopped_at: Option<Word>,
    pub(in crate::capture) requests: u64,
    pub(in crate::capture) updates: u64,
    pub(in crate::capture) pings: SummaryPings,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) states: Vec<SummaryState<'a>>,
    pub(in crate::capture) calls: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) findings: Vec<SummaryFinding>,
}

/// `finesse.summary.stages.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct SummaryStage {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) name: Word,
    pub(in crate::capture) sequence: u64,
    pub(in crate::capture) after_ms: u64,
}

/// `finesse.summary.pings.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct SummaryPings {
    pub(in crate::capture) sent: u64,
    pub(in crate::capture) answered: u64,
    pub(in crate::capture) slowest_ms: u64,
}

/// `finesse.summary.states.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct SummaryState<'a> {
    pub(in crate::capture) state: Cow<'a, str>,
    pub(in crate::capture) ms: u64,
}

/// `finesse.summary.findings.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct SummaryFinding {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) code: Word,
    pub(in crate::capture) count: u64,
}
