//! The scan: looks for what should not be in a file that is to be handed over, and says where.
//!
//! The detectors take bytes and yield [`Hit`]s; only [`file`] and `archive` read, through any `Read`. What is encoded
//! (JSON strings, XML entities, percent, base64) is looked at again. A second opinion, not the redaction: it knows shapes,
//! names and the secrets it was given, not what else may be personal. A hit shows a masked excerpt, never the value.
//!
//! `hit` is what is told; `look` puts one text through `shape`, `host`, `random`, the names of `name` and the secrets of
//! `known`; `value` knows what redaction leaves; `json` and `decode` open what is wrapped; `lines` cuts a stream.

mod archive;
mod decode;
mod file;
mod finding;
mod hit;
mod host;
mod json;
mod known;
mod lines;
mod look;
mod name;
mod random;
mod report;
mod shape;
mod value;

#[cfg(test)]
mod tests;

pub use file::Scanned;
pub use hit::{Certainty, Hit, Place};
pub use report::{Count, json as hit_as_json, text as hit_as_text};

use crate::capture::rules::Class;
use std::fmt;
use std::str::FromStr;

/// What a file may still hold: that of a redaction level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strictness {
    /// Names, telephones, customer data, hosts: only credentials and session ids are looked for.
    Auth,
    /// Tokens in place of values.
    #[default]
    Share,
    /// Marks in place of values, no tokens.
    Minimal,
}

impl Strictness {
    /// All, the most lenient first.
    pub const ALL: [Self; 3] = [Self::Auth, Self::Share, Self::Minimal];

    /// As the option writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Share => "share",
            Self::Minimal => "minimal",
        }
    }

    /// Whether things of a class are looked for.
    fn minds(self, class: Class) -> bool {
        self != Self::Auth || matches!(class, Class::Credential | Class::Session | Class::Unknown)
    }
}

impl FromStr for Strictness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is no level to scan for: use auth, share or minimal"))
    }
}

impl fmt::Display for Strictness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Looks for secrets and personal data. Holds the known secrets, so it has no `Debug`.
pub struct Scanner {
    known: Option<known::Known>,
    strictness: Strictness,
}

impl Scanner {
    /// A scanner that also searches for these secrets, in any encoding. Those shorter than
    /// [`MIN_SECRET_BYTES`](crate::capture::form::MIN_SECRET_BYTES) are not searched for.
    #[must_use]
    pub fn new<'s>(strictness: Strictness, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        Self { known: known::Known::new(secrets), strictness }
    }

    /// Looks at a whole text. `file` is the name that hits have.
    pub fn text(&self, file: &str, text: &str, found: &mut dyn FnMut(Hit)) {
        let place = Place { file: file.to_owned(), ..Place::default() };
        let mut lines = lines::Lines::new(self, &place, found);
        lines.feed(text.as_bytes());
        lines.finish();
    }
}
