//! Findings and session summaries: what a fact's value is, its name tells; one that no rule names must be a number.
//!
//! Titles, advice, codes and counts are this program's own. A stored line does not say what a fact's value was for the
//! redactor, so live traffic too is judged by the name. A peer's sentence is dropped: the line it came on has it, and is
//! named as evidence.

use super::Restrictor;
use super::known;
use super::user::Place;
use crate::capture::event::{Fact, Finding, Summary, SummaryState};
use crate::capture::rules::Level;
use crate::session::findings;
use crate::session::findings::fact::{Unit, Value};
use std::borrow::Cow;

/// Longest number kept, digits: milliseconds of some years.
const MAX_DIGITS: usize = 12;
/// Most digits of a code.
const MAX_CODE_DIGITS: usize = 6;

impl Restrictor {
    pub(super) fn finding<'e>(&mut self, finding: Finding<'e>) -> Finding<'e> {
        let Finding { code, title, confidence, count, revises, evidence, facts, advice, revised } = finding;
        let revises = revises.filter(|id| super::stored::own_id(id));
        let facts = facts.into_iter().filter_map(|fact| self.fact(fact)).collect();
        Finding { code, title, confidence, count, revises, evidence, facts, advice, revised }
    }

    fn fact<'e>(&mut self, Fact { name, value }: Fact<'e>) -> Option<Fact<'e>> {
        if name.is_empty() {
            return None;
        }
        // A rule for a JSON member or an element of that name is meant for what a finding says of it, too.
        let ruled = self.ruled(Place::Json, name, &value).or_else(|| self.ruled(Place::Xml, name, &value));
        if let Some(value) = ruled.map(Cow::Owned) {
            return Some(Fact { name, value }).filter(|fact| !fact.value.is_empty());
        }
        if self.level <= Level::Auth {
            return Some(Fact { name, value });
        }
        let what = findings::Fact::ALL.into_iter().find(|fact| fact.as_str() == name).map(findings::Fact::value);
        let value = self.with(value, |this, value| match what {
            Some(Value::Host) => this.host(value),
            Some(Value::Node) => this.path(value),
            Some(Value::Resource) => this.api_resource(value),
            Some(Value::ErrorType) => this.sentence_or_word(value),
            Some(Value::Word) => this.list(value, Self::word),
            Some(Value::Offer) => this.list(value, Self::offered),
            Some(Value::Subprotocol) => this.subprotocols(value),
            Some(Value::Condition) if value == "none given" => value.to_owned(),
            Some(Value::Condition) if !is_number(value) => this.element_name(value),
            Some(Value::Sentence) => this.own_text(value),
            // Codes are short; what is longer may be a telephone's or an agent's number.
            Some(Value::Number(Unit::Code)) if is_number(value) => this.number(value, MAX_CODE_DIGITS),
            _ if is_number(value) => this.number(value, MAX_DIGITS),
            Some(Value::Condition | Value::Number(_) | Value::Text) | None => this.unknown(value),
        });
        Some(Fact { name, value }).filter(|fact| !fact.value.is_empty())
    }

    /// Every word of a list, perhaps with commas between them, through a rule.
    fn list(&mut self, value: &str, rule: fn(&mut Self, &str) -> String) -> String {
        let mut one = |part: &str| match part.strip_suffix(',') {
            Some(word) => rule(self, word) + ",",
            None => rule(self, part),
        };
        value.split(' ').map(&mut one).collect::<Vec<_>>().join(" ")
    }

    /// A subprotocol or SASL mechanism; `none` if none was offered.
    fn offered(&mut self, name: &str) -> String {
        let kept = name == "none" || known::subprotocol(&name.to_lowercase());
        if kept { name.to_owned() } else { self.mechanism(name) }
    }

    pub(super) fn summary<'e>(&mut self, summary: Summary<'e>) -> Summary<'e> {
        let Summary {
            reason,
            names,
            into,
            duration_ms,
            sockets,
            stages,
            stopped_at,
            requests,
            updates,
            pings,
            states,
            calls,
            findings,
        } = summary;
        let states = states.into_iter();
        let states =
            states.map(|SummaryState { state, ms }| SummaryState { state: self.with(state, Self::word), ms }).collect();
        let names = names.into_iter().map(|name| self.with(name, Self::login)).collect();
        let into = into.filter(|id| id.strip_prefix('s').is_some_and(is_number));
        Summary {
            reason,
            names,
            into,
            duration_ms,
            sockets,
            stages,
            stopped_at,
            requests,
            updates,
            pings,
            states,
            calls,
            findings,
        }
    }
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}
