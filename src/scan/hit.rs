//! What the scan tells: a place, what stands there by kind and class, how certain that is, and a masked excerpt.
//!
//! A [`Hit`] never holds the value itself: [`mask`] leaves at most four characters of it, none of a short one.

use crate::capture::policy::Class;
use std::fmt;

/// Most characters of a value that are shown on either side.
const MAX_SHOWN_CHARS: usize = 2;

/// Something secret or personal that is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Where it begins; what was decoded has the place of its encoded form.
    pub place: Place,
    /// What it looks like: `jwt`, `phone`, `host` …
    pub kind: &'static str,
    /// Its class in the redaction policy; [`Class::Unknown`] is what could not be looked at.
    pub class: Class,
    /// How sure that is.
    pub certainty: Certainty,
    /// Where in a HAR: entry, message and path, without what may be secret in them.
    pub within: Option<String>,
    /// By what it was recognised, for a person.
    pub why: String,
    /// Its beginning and end.
    pub shown: String,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// The member, if the file is an archive.
    pub member: Option<String>,
    /// The line from 1; 0 in what has no lines: binary files and names of members.
    pub line: u64,
    /// The byte in the line from 1; 0 where there are no lines.
    pub column: u64,
    /// The byte in the file or member from 0, decompressed.
    pub offset: u64,
}

impl fmt::Display for Place {
    /// `file[/member]:line:column`, or `file[/member]:offset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(member) = &self.member {
            write!(f, "/{member}")?;
        }
        match self.line {
            0 => write!(f, ":{}", self.offset),
            line => write!(f, ":{line}:{}", self.column),
        }
    }
}

/// How sure a hit is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Certainty {
    /// It has the looks, as other things may have.
    Possible,
    /// Little else looks like that.
    Likely,
    /// A known secret, a format that only secrets have, or a field that holds nothing else.
    Certain,
}

impl Certainty {
    /// As reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// The value's first and last characters, at most a third of it together; nothing of one shorter than six.
#[must_use]
pub(super) fn mask(value: &[u8]) -> String {
    // What is longer than any excerpt needs is cut in the middle first, not converted as a whole.
    const ENDS_BYTES: usize = 64;
    let head = String::from_utf8_lossy(value.get(..ENDS_BYTES).unwrap_or(value));
    let tail = String::from_utf8_lossy(value.get(value.len().saturating_sub(ENDS_BYTES)..).unwrap_or_default());
    let length = if value.len() <= ENDS_BYTES { head.chars().count() } else { ENDS_BYTES };
    let side = (length / 6).min(MAX_SHOWN_CHARS);
    let plain = |c: char| if c.is_alphanumeric() || c.is_ascii_graphic() { c } else { '.' };
    let mut shown: String = head.chars().take(side).map(plain).collect();
    shown.push('…');
    let tail: Vec<char> = tail.chars().rev().take(side).map(plain).collect();
    shown.extend(tail.into_iter().rev());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_never_shows_more_than_a_third() {
        for (value, expected) in [
            ("", "…"),
            ("12345", "…"),
            ("secret", "s…t"),
            ("Demo-Secret-1001!", "De…1!"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "ey…ln"),
            ("ab\u{202e}\ncd", "a…d"),
        ] {
            assert_eq!(mask(value.as_bytes()), expected);
        }
        assert_eq!(mask(&[0xff; 4_096]), "..…..");
    }

    #[test]
    fn places_are_written_as_editors_read_them() {
        let place = Place { file: "a.zip".into(), member: Some("b.ndjson".into()), line: 3, column: 7, offset: 99 };
        assert_eq!(place.to_string(), "a.zip/b.ndjson:3:7");
        assert_eq!(Place { line: 0, member: None, ..place }.to_string(), "a.zip:99");
    }
}
