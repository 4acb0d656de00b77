//! Sentences that a peer wrote: names known from elsewhere and runs of digits, wherever they stand in them.
//!
//! Names are compared by up to [`MAX_NAME_WORDS`] words at a time with everything a token was made for. A run of
//! [`MIN_DIGITS`] digits and more may be a telephone's, an extension or a login, unless its form says what it is: a time, a
//! version, a UUID, an id in a path. What neither tells stays, and is listed for a human eye.

use super::Restrictor;
use crate::capture::rules::Level;
use crate::capture::token::is_token;
use regex::Regex;
use std::sync::LazyLock;

/// Longest name looked for, words.
const MAX_NAME_WORDS: usize = 4;
/// Shortest name looked for, bytes.
const MIN_NAME_BYTES: usize = 2;
/// From this many digits on, a run may be somebody's.
const MIN_DIGITS: usize = 4;

/// Forms of digits that are nobody's: times and dates, UUIDs, versions.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static OPERATIONAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)^(?:
            [12][0-9]{3}-[01][0-9]-[0-3][0-9] (?: T[0-9:.]{5,16} (?: Z | [+-][0-9:]{4,5} )? )?
          | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} [0-9]{0,10}
          | [0-9]{1,2} (?: \.[0-9]{1,5} ){2,4} (?: -[0-9]{1,4} )?
        )$",
    )
    .expect("constant")
});

impl Restrictor {
    /// The text with every name in it that a token was made for replaced by that token.
    pub(super) fn without_names(&mut self, value: &str) -> String {
        if self.level != Level::Share {
            return value.to_owned();
        }
        let words: Vec<(usize, usize)> = words(value).collect();
        let mut out = String::with_capacity(value.len());
        let (mut next, mut copied) = (0, 0);
        while let Some((start, _)) = words.get(next).copied() {
            let ends = words.iter().enumerate().skip(next).take(MAX_NAME_WORDS);
            let longest = ends.rev().find_map(|(last, (_, end))| {
                let name = value.get(start..*end).filter(|name| name.len() >= MIN_NAME_BYTES)?;
                Some((last, *end, self.tokens.known(name).filter(|token| *token != name)?.to_owned()))
            });
            match longest {
                Some((last, end, token)) => {
                    out.push_str(value.get(copied..start).unwrap_or_default());
                    out.push_str(&token);
                    self.removed(crate::capture::rules::Class::Person);
                    (copied, next) = (end, last + 1);
                }
                None => next += 1,
            }
        }
        out.push_str(value.get(copied..).unwrap_or_default());
        out
    }

    /// The text with every run of digits in it that may be somebody's replaced by a telephone's token.
    pub(super) fn without_numbers(&mut self, value: &str) -> String {
        let mut out = String::with_capacity(value.len());
        let mut copied = 0;
        for (start, end) in words(value) {
            let word = value.get(start..end).unwrap_or_default();
            if !has_number(word) {
                continue;
            }
            out.push_str(value.get(copied..start).unwrap_or_default());
            out.push_str(&self.without_number(word));
            copied = end;
        }
        out.push_str(value.get(copied..).unwrap_or_default());
        out
    }

    fn without_number(&mut self, word: &str) -> String {
        let mut out = String::with_capacity(word.len());
        let mut rest = word;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, digits) = rest.split_at(at);
            let length = digits.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, behind) = digits.split_at(length);
            out.push_str(before);
            if length < MIN_DIGITS {
                out.push_str(digits);
            } else {
                // A token stands by itself.
                if out.ends_with(char::is_alphanumeric) {
                    out.push('-');
                }
                out.push_str(&self.phone(digits));
                if behind.starts_with(char::is_alphanumeric) {
                    out.push('-');
                }
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

/// Whether a word's digits are nobody's: a time, a version, a UUID.
pub(super) fn is_operational(word: &str) -> bool {
    OPERATIONAL.is_match(word)
}

/// Where the words of a sentence begin and end, without the punctuation around them.
fn words(value: &str) -> impl Iterator<Item = (usize, usize)> {
    let edge = |c: char| c.is_whitespace() || "\"'<>(),;={}|".contains(c);
    let mut next = 0;
    value.split_inclusive(edge).filter_map(move |piece| {
        let start = next;
        next += piece.len();
        let word = piece.trim_end_matches(edge).trim_end_matches(['.', ':', '!', '?']);
        (!word.is_empty()).then_some((start, start + word.len()))
    })
}

/// Whether a word holds a run of digits that its form does not explain.
fn has_number(word: &str) -> bool {
    let longest = word.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    let holds_token = || word.split(['@', '/', ':', '[', ']']).any(is_token);
    longest >= MIN_DIGITS
        && !word.starts_with('/')
        && !word.contains("://")
        && !is_operational(word)
        && !super::value::is_mark(word)
        && !holds_token()
}
