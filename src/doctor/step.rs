//! What one step of the examination found: verdict, time, facts, advice.
//!
//! Much of a step's text comes from the server, so control characters are replaced and lengths capped here, once for all.
//! Knows no protocol and prints nothing.

use crate::glyph::is_obeyed;
use serde::Serialize;

/// Longest text of a step, characters.
const TEXT_MAX_CHARS: usize = 2_000;

/// A password shorter than this stands in too many words to be taken out of them, bytes.
const SECRET_MIN_BYTES: usize = 4;

/// How a step went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// A desktop may work, but somebody should know.
    Warn,
    /// A desktop cannot work.
    Fail,
    /// Not tried, and why.
    Skipped,
}

impl Verdict {
    /// As text and JSON write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }

    /// The worse of two; what was skipped is no worse than what is well.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Warn, _) | (_, Self::Warn) => Self::Warn,
            _ => Self::Ok,
        }
    }
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// As it was seen.
    pub value: String,
    /// It should be the same by any way and at any time.
    #[serde(skip)]
    pub lasting: bool,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// Its name, one word.
    pub name: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took, microseconds.
    pub took_us: u64,
    /// What was seen, one line.
    pub seen: String,
    /// Details.
    pub facts: Vec<Fact>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Step {
    /// The value of the fact `name`.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    }
}

impl Step {
    /// The step without these texts, whoever brought them in.
    pub(super) fn without(mut self, secrets: &[String]) -> Self {
        let facts = self.facts.iter_mut().map(|fact| &mut fact.value);
        for text in facts.chain([&mut self.seen]).chain(&mut self.advice) {
            for secret in secrets.iter().filter(|secret| secret.len() >= SECRET_MIN_BYTES) {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "[password]");
                }
            }
        }
        self
    }
}

/// Who is told about the examination while it goes on.
pub trait Watch {
    /// A way is begun.
    fn way(&mut self, server: &str, way: super::Way);
    /// A step is begun.
    fn begins(&mut self, step: &'static str);
    /// A step has ended.
    fn ends(&mut self, step: &Step);
}

/// A step's outcome, without its name and time.
pub(super) struct Outcome {
    verdict: Verdict,
    seen: String,
    facts: Vec<Fact>,
    advice: Option<String>,
}

impl Outcome {
    pub(super) fn ok(seen: impl AsRef<str>) -> Self {
        Self { verdict: Verdict::Ok, seen: printable(seen.as_ref()), facts: Vec::new(), advice: None }
    }

    pub(super) fn warn(seen: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self { verdict: Verdict::Warn, advice: Some(printable(advice.as_ref())), ..Self::ok(seen) }
    }

    pub(super) fn fail(seen: impl AsRef<str>, advice: impl AsRef<str>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(seen, advice) }
    }

    pub(super) fn skipped(why: impl AsRef<str>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::ok(why) }
    }

    /// Adds what should be the same by any way.
    pub(super) fn fact(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.facts.push(Fact { name, value: printable(value.as_ref()), lasting: true });
        self
    }

    /// Adds what may differ.
    pub(super) fn passing(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.facts.push(Fact { name, value: printable(value.as_ref()), lasting: false });
        self
    }

    /// Adds facts that were collected before the verdict.
    pub(super) fn with(mut self, facts: Vec<Fact>) -> Self {
        self.facts.extend(facts);
        self
    }

    pub(super) fn into_facts(self) -> Vec<Fact> {
        self.facts
    }

    pub(super) fn into_step(self, name: &'static str, took_us: u64) -> Step {
        Step { name, verdict: self.verdict, took_us, seen: self.seen, facts: self.facts, advice: self.advice }
    }
}

/// Why something could not be done.
pub(super) struct Fault {
    pub(super) why: String,
    pub(super) advice: Option<String>,
}

impl Fault {
    pub(super) fn new(why: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { why: why.into(), advice: Some(advice.into()) }
    }

    /// An error of ours with its hint, if it carries one on a line of its own.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let text = format!("{error:#}");
        match text.split_once("\nhint: ") {
            Some((why, hint)) => Self::new(why, hint),
            None => Self { why: text, advice: None },
        }
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self { advice: fault.advice.as_deref().map(printable), ..Self::fail(fault.why, "") }
    }
}

/// Text of strangers without anything that moves a cursor or reorders text, and not too long.
fn printable(text: &str) -> String {
    let harmless = |c: char| if is_obeyed(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(TEXT_MAX_CHARS).map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        let step = Outcome::ok("a\u{1b}[2Jb").fact("server", "x\r\ny\u{202e}").into_step("http", 1);
        assert_eq!((&*step.seen, step.fact("server")), ("a\u{fffd}[2Jb", Some("x\u{fffd}\u{fffd}y\u{fffd}")));
        assert_eq!(Outcome::ok("x".repeat(100_000)).into_step("http", 1).seen.len(), TEXT_MAX_CHARS);
    }

    #[test]
    fn a_skipped_step_spoils_nothing() {
        use Verdict::{Fail, Ok, Skipped, Warn};
        assert_eq!([Ok, Skipped].into_iter().fold(Ok, Verdict::worse), Ok);
        assert_eq!([Warn, Skipped, Ok].into_iter().fold(Ok, Verdict::worse), Warn);
        assert_eq!([Fail, Warn].into_iter().fold(Ok, Verdict::worse), Fail);
    }
}
