//! What went wrong, said once and plainly: one file a group of rules.
//!
//! A rule is a pure function from what is known to a [`Finding`], if there is one. It keeps nothing, reads no clock and
//! writes nothing; the [`Tracker`](super::Tracker) calls it with what it remembers. All that is fixed about a finding stands in
//! the [table], and what it may be drawn from in [`fact`]. A `Ledger` counts repeats.

pub mod api;
pub mod bosh;
mod code;
mod complaint;
pub mod decode;
pub mod ending;
pub mod event;
pub mod fact;
pub mod handshake;
pub mod http2;
mod ledger;
pub mod login;
pub mod ping;
pub mod reconnect;
pub mod rest;
pub mod server;
pub mod state;
pub mod subscription;
pub mod table;
pub mod tls;

pub(super) use code::Codes;
pub use code::{Gravity, Scope, Trouble};
pub use complaint::COMPLAINTS;
pub use fact::Fact;
pub(super) use ledger::{Ledger, Whose};
pub use table::Code;

use crate::finesse::dictionary::Entry;

/// How sure a rule is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confidence {
    /// The wire says so.
    Certain,
    /// The usual reading of what the wire says.
    Likely,
    /// One reading of several.
    Possible,
}

impl Confidence {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// Longest value of a fact, bytes.
pub const MAX_FACT_BYTES: usize = 256;
/// Lines a finding refers to at the most.
const MAX_EVIDENCE: usize = 8;

/// Something that went wrong, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which.
    pub code: Code,
    /// How sure.
    pub confidence: Confidence,
    /// What tells one occasion from another besides the session: a node, a side, a reason. Never written.
    pub(super) subject: String,
    /// Sequences of the lines it is based on.
    pub evidence: Vec<u64>,
    /// What it is based on.
    pub facts: Vec<(Fact, String)>,
    /// The finding that this one takes the place of, and its line. With a count of 0 it only takes it back.
    pub revises: Option<(Code, u64)>,
    /// How often it was found, this time included; set by the `Ledger`.
    pub count: u64,
}

impl Finding {
    /// A finding without facts.
    #[must_use]
    pub fn new(code: Code, confidence: Confidence) -> Self {
        Self {
            code,
            confidence,
            subject: String::new(),
            evidence: Vec::new(),
            facts: Vec::new(),
            revises: None,
            count: 1,
        }
    }

    /// Says what tells it from another finding of the same code.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self.subject.truncate(self.subject.floor_char_boundary(MAX_FACT_BYTES));
        self
    }

    /// Adds lines to its evidence; 0 is no line.
    #[must_use]
    pub fn seen(mut self, sequences: impl IntoIterator<Item = u64>) -> Self {
        self.evidence.extend(sequences.into_iter().filter(|sequence| *sequence > 0));
        self.evidence.sort_unstable();
        self.evidence.dedup();
        // The last lines tell more than the first.
        let surplus = self.evidence.len().saturating_sub(MAX_EVIDENCE);
        self.evidence.drain(..surplus);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, fact: Fact, value: impl ToString) -> Self {
        debug_assert!(self.code.facts().contains(&fact), "{} has no {}", self.code.as_str(), fact.as_str());
        let mut value = value.to_string();
        value.truncate(value.floor_char_boundary(MAX_FACT_BYTES));
        self.facts.push((fact, value));
        self
    }

    /// Adds what a code stands for and what to do about it, if the dictionary has it.
    #[must_use]
    pub fn meaning(self, entry: Option<&Entry>) -> Self {
        self.maybe(Fact::Meaning, entry.map(|entry| entry.meaning))
            .maybe(Fact::Remedy, entry.and_then(|entry| entry.remedy))
    }

    /// Adds a fact that may not be known.
    #[must_use]
    pub fn maybe(self, fact: Fact, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.fact(fact, value),
            None => self,
        }
    }
}
