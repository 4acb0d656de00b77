//! Levels stricter than `auth`: an [`Event`] becomes one that may be handed to others.
//!
//! One rule set for live traffic (behind the redactor) and for stored captures (a line read back). Takes every field of the
//! event apart by name, so that a new field does not compile until somebody has said what it is. By allow-list: what no
//! rule knows is dropped, what does not parse is measured. Does no I/O and reads no clock.

mod event;
mod finding;
mod known;
mod learn;
mod names;
mod ours;
mod sentence;
mod spelling;
mod stored;
pub mod user;
mod value;
mod xml;

#[cfg(test)]
mod tests;

pub use stored::{Foreign, Kept, Picked};
pub use user::UserRules;

use super::event::Event;
use super::rules::{Class, Level};
use super::token::Tokens;
use std::collections::{BTreeMap, HashSet};
use std::hash::RandomState;

/// Distinct kept texts remembered for the report.
const MAX_TEXTS: usize = 2_000;

/// Makes events as strict as its level.
pub struct Restrictor {
    level: Level,
    tokens: Tokens,
    rules: UserRules,
    tally: Tally,
    /// Removed from the event at hand.
    count: u64,
    /// Names of machines that sentences about connections may hold, in lower case.
    machines: HashSet<String>,
    /// Where names were learnt already.
    seen: HashSet<u64>,
    hasher: RandomState,
}

/// What was removed, and what free text was kept.
#[derive(Default)]
pub struct Tally {
    /// Values removed, by class.
    pub removed: BTreeMap<Class, u64>,
    /// Distinct sentences kept, with how often.
    pub texts: BTreeMap<String, u64>,
    /// Sentences beyond the limit of what is remembered.
    pub more_texts: u64,
}

impl Tally {
    fn keep_text(&mut self, text: &str) {
        if let Some(count) = self.texts.get_mut(text) {
            *count += 1;
        } else if self.texts.len() < MAX_TEXTS {
            self.texts.insert(text.to_owned(), 1);
        } else {
            self.more_texts += 1;
        }
    }
}

impl Restrictor {
    /// For one level, with one set of tokens and the user's own rules.
    #[must_use]
    pub fn new(level: Level, tokens: Tokens, rules: UserRules) -> Self {
        Self {
            level,
            tokens,
            rules,
            tally: Tally::default(),
            count: 0,
            machines: HashSet::new(),
            seen: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether it does anything: at `auth` and below only the user's rules do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.level <= Level::Auth && self.rules.is_empty()
    }

    /// What was removed so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// SHA-256 over the built-in treatment of every class at this level and the user's rules, hex.
    #[must_use]
    pub fn policy_sha256(&self) -> String {
        let rows: String = Class::ALL
            .iter()
            .map(|class| format!("{}={}\n", class.as_str(), self.level.treatment(*class).as_str()))
            .collect();
        super::hex_sha256((rows + &self.rules.text()).as_bytes())
    }

    /// The settings of a run that say nothing of where it ran.
    pub(super) fn settings(&mut self, settings: &[(String, String)]) -> Vec<(String, String)> {
        if self.level <= Level::Auth {
            return settings.to_vec();
        }
        let keep = |name: &str| {
            matches!(
                name,
                "redact"
                    | "max-line-bytes"
                    | "quiet"
                    | "verbose"
                    | "grace"
                    | "max-connections"
                    | "connect-timeout"
                    | "handshake-timeout"
                    | "log-format"
                    | "agents"
                    | "keep"
                    | "no-capture"
                    | "upstream-insecure"
                    | "source"
            )
        };
        let mut kept = Vec::new();
        for (name, value) in settings {
            match &**name {
                _ if value.is_empty() => {}
                _ if keep(name) => kept.push((name.clone(), self.word(value))),
                "unknown" => kept.push((name.clone(), self.own_text(value))),
                "upstream" | "listen" if self.level == Level::Share => kept.push((name.clone(), self.host(value))),
                _ => self.removed(Class::Infrastructure),
            }
        }
        kept
    }

    /// An event as this level allows it; the gist is left to the door.
    pub(super) fn restrict<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        if self.is_idle() {
            return event;
        }
        self.count = 0;
        self.event(event)
    }
}
