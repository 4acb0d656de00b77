//! The scan: looks for what should not be in a file that is to be handed over, and says where.
//!
//! The detectors take bytes and yield [`Hit`]s, [`Lines`] takes them as they come; only `file`, `archive`, `tar` and `packets`
//! read. What cannot be looked at is a hit: nothing is clean that nobody saw. What is encoded
//! (JSON strings, XML entities, percent, base64) is looked at again. A second opinion, not the redaction: it knows shapes,
//! names and the secrets it was given, not what else may be personal. A hit shows a masked excerpt, never the value.
//!
//! `hit` is what is told, `report` how; `form` says what a file is; `look` puts one text through `shape`, `pairs` (with the
//! meaning of `name`), `words` (`host`, `random`) and the secrets of `known`; `table` gives values names from elsewhere; `value` knows what redaction leaves; `json` and `decode` open what is wrapped; `lines` cuts a stream.

mod archive;
mod decode;
mod file;
mod finding;
mod form;
mod har;
mod hit;
mod host;
mod json;
mod known;
mod lines;
mod look;
mod name;
mod packets;
mod pairs;
mod random;
mod report;
mod shape;
mod table;
mod tar;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use file::{Scanned, files};
pub use hit::{Certainty, Hit, Place};
pub use lines::Lines;
pub use report::{Count, Groups, json as hit_as_json, text as hit_as_text};

use crate::capture::policy::user::UserRules;
use crate::capture::policy::{Class, Level};

/// Looks for secrets and personal data. Holds the known secrets, so it has no `Debug`.
pub struct Scanner {
    known: Option<known::Known>,
    level: Level,
    rules: UserRules,
}

impl Scanner {
    /// A scanner for files of this level that also searches for these secrets, in any encoding. Those shorter than
    /// [`MIN_SECRET_BYTES`](crate::capture::form::MIN_SECRET_BYTES) are not searched for. Up to [`Level::Auth`] only
    /// credentials and session identifiers are looked for.
    #[must_use]
    pub fn new<'s>(level: Level, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        Self { known: known::Known::new(secrets), level, rules: UserRules::default() }
    }

    /// The same, but what a user's rule keeps is no hit by its name; by its looks it still is.
    #[must_use]
    pub fn allowing(self, rules: UserRules) -> Self {
        Self { rules, ..self }
    }

    /// Looks at a whole text. `file` is the name that hits have.
    pub fn text(&self, file: &str, text: &str, found: &mut dyn FnMut(Hit)) {
        let place = Place { file: file.to_owned(), ..Place::default() };
        let mut lines = Lines::new(self, &place, found);
        lines.feed(text.as_bytes());
        lines.finish();
    }

    /// Whether things of a class are looked for.
    fn minds(&self, class: Class) -> bool {
        self.level > Level::Auth || matches!(class, Class::Credential | Class::Session | Class::Unknown)
    }
}
