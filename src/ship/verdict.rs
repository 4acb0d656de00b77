//! What became of a request, whatever receiver it went to: the vocabulary between receivers and delivery.

use super::http::Answer;
use std::time::Duration;

/// What a receiver said of a batch, or its silence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// All of it is the receiver's now.
    Taken,
    /// Each event has its own fate, in the order they were sent in.
    Each(Vec<Fate>),
    /// The batch is refused because of some event in it; where the receiver says which, counted from 0.
    Refused { why: String, culprit: Option<usize> },
    /// It may go well later; after so long at the earliest, if the receiver said so.
    Later { why: String, hint: Option<String>, after: Option<Duration> },
    /// Nothing will go well until a person changes something.
    Stop(Stop),
}

/// What became of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It is the receiver's now.
    Taken,
    /// It was already.
    Known,
    /// Not now.
    Later(String),
    /// Never.
    Refused(String),
}

/// Why delivery ended, and what a person can do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}{}", hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
pub struct Stop {
    /// What happened, one sentence.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Stop {
    pub(super) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: Some(hint.into()) }
    }
}

impl Verdict {
    pub(super) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), hint: None, after: None }
    }

    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into(), culprit: None }
    }
}

/// That a receiver sends us elsewhere, if it does: nobody follows, as the secret would follow too.
pub(super) fn redirected(answer: &Answer, asked_path: &str, option: &str) -> Option<Verdict> {
    let location = answer.location.as_deref().filter(|_| answer.status.is_redirection())?;
    let location = quote(location.split(['?', '#']).next().unwrap_or_default());
    let path = asked_path.split('?').next().unwrap_or_default();
    let hint = match location.strip_suffix(path).filter(|base| base.contains("://")) {
        Some(base) => format!("if that is yours too, give its address itself: {option} {base}"),
        None => format!("redirects are not followed: give {option} the address that answers by itself"),
    };
    let why = format!("the receiver answers {} and sends us to {location}", answer.status.as_u16());
    Some(Verdict::Stop(Stop::new(why, hint)))
}

/// Longest piece of a receiver's words that is passed on, characters.
const QUOTE_MAX_CHARS: usize = 300;

/// A receiver's words, short and free of control characters.
pub(super) fn quote(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(QUOTE_MAX_CHARS).map(clean).collect::<String>().trim().to_owned()
}
