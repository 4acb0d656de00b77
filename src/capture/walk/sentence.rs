//! Sentences: text of errors, reasons and labels, word by word against the list of words that tell of nobody.
//!
//! By allow-list: a word stays if [`words::is_listed`] knows it; a URL, path, JID, host, address or number is treated as what
//! it is; any other word becomes a token, the same for the same word, or a mark. Nothing depends on what was seen before.

use super::value::{is_address, is_port};
use super::{Pass, looks, spelling};
use crate::capture::policy::mark::{self, is_mark};
use crate::capture::policy::{Class, Level, words};
use crate::capture::token::is_token;
use crate::finesse::dictionary;
use crate::glyph::is_obeyed;
use regex::{Captures, Regex};
use std::net::IpAddr;
use std::sync::LazyLock;

/// Longest text whose words are looked at, bytes; the rest is cut off.
const MAX_TEXT_BYTES: usize = 2_048;
/// Fewest digits of a telephone that is written with blanks.
const MIN_PHONE_DIGITS: usize = 7;

/// In the place of a word that looks like a key.
const SECRET: &str = "[cred:secret]";

/// A number with blanks, dots, dashes or slashes in it, in the digits of any script.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static SPACED_PHONE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\+?\(?\d[\d\s()/.\-\u{2010}-\u{2015}\u{2212}]{5,}\d").expect("constant"));

/// Whose sentence it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Author {
    /// Anybody's.
    Peer,
    /// This program's: ports and other short numbers are told in it.
    Own,
}

impl Pass<'_> {
    /// A sentence that somebody else wrote; what is kept of it is listed in reports.
    pub(super) fn sentence(&mut self, value: &str) -> String {
        if is_mark(value.trim()) {
            return value.to_owned();
        }
        let kept = self.words(value, Author::Peer);
        self.tally.keep_text(&kept);
        kept
    }

    /// A sentence of this program's own, in which hosts and the owners of certificates may stand.
    pub(super) fn own_sentence(&mut self, value: &str) -> String {
        if dictionary::says(value) { value.to_owned() } else { self.words(value, Author::Own) }
    }

    fn words(&mut self, value: &str, author: Author) -> String {
        let value = spelling::plain(value);
        // Marks of direction, joiners and the like are no part of any word.
        let value: String =
            value.chars().filter(|c| c.is_whitespace() || !is_obeyed(*c) && !is_invisible(*c)).collect();
        let scrubbed = self.text(&value).into_owned();
        let spaced = SPACED_PHONE.replace_all(&scrubbed, |hit: &Captures<'_>| {
            let found = hit.get(0);
            let text = found.map_or("", |m| m.as_str());
            // Within a word, such as a UUID, it is none.
            let is_part = |c: char| c.is_alphanumeric() || "-_".contains(c);
            let (before, behind) = found.map_or(("", ""), |m| {
                (scrubbed.get(..m.start()).unwrap_or_default(), scrubbed.get(m.end()..).unwrap_or_default())
            });
            if before.ends_with(is_part) || behind.starts_with(is_part) {
                return text.to_owned();
            }
            let digits = text.chars().filter(|c| c.is_numeric()).count();
            let is_known = text.parse::<IpAddr>().is_ok() || is_token(text);
            // A time of day behind a date is looked at as a word of its own.
            let dated = text.split(' ').next().is_some_and(words::is_form);
            if digits < MIN_PHONE_DIGITS || is_known || dated { text.to_owned() } else { self.phone(text) }
        });
        let spaced = super::cut(spaced, MAX_TEXT_BYTES);
        let mut out = String::with_capacity(spaced.len());
        let mut rest: &str = &spaced;
        while let Some(first) = rest.chars().next() {
            if let Some(mark) = mark::leading(rest).filter(|_| first == '[') {
                out.push_str(mark);
                rest = rest.get(mark.len()..).unwrap_or_default();
                continue;
            }
            if is_edge(first) {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let (piece, behind) = rest.split_at(rest.find(is_edge).unwrap_or(rest.len()));
            let trimmed = piece.trim_end_matches(['.', ':', '!', '?', '…']);
            let kept = self.piece(trimmed, author);
            out.push_str(&kept);
            out.push_str(piece.get(trimmed.len()..).unwrap_or_default());
            // base64 ends in padding, which goes with it.
            rest = if kept == SECRET { behind.trim_start_matches('=') } else { behind };
        }
        out
    }

    /// One word of a sentence.
    fn piece(&mut self, piece: &str, author: Author) -> String {
        let is_digits = !piece.is_empty() && piece.chars().all(|c| c.is_numeric() || "+-./".contains(c));
        let digits = piece.chars().filter(|c| c.is_numeric()).count();
        let split = |this: &mut Self, separator: char| {
            let parts: Vec<String> = piece
                .split(separator)
                .enumerate()
                .map(|(place, part)| {
                    if place > 0 && is_port(part) && separator == ':' {
                        part.to_owned()
                    } else {
                        this.piece(part, author)
                    }
                })
                .collect();
            parts.join(separator.encode_utf8(&mut [0; 4]))
        };
        match piece {
            "" => String::new(),
            _ if is_mark(piece) || self.level == Level::Share && is_token(piece) => piece.to_owned(),
            _ if piece.contains("://") => self.url(piece),
            _ if piece.starts_with('/') => self.path(piece),
            _ if piece.contains('@') => self.jid(piece),
            _ if is_address(piece).is_some() => self.host(piece),
            _ if author == Author::Own && is_port(piece) => piece.to_owned(),
            _ if words::is_listed(piece) => piece.to_owned(),
            _ if piece.contains(':') => split(self, ':'),
            _ if piece.contains('\\') => split(self, '\\'),
            _ if is_digits && digits > 0 => self.phone(piece),
            _ if is_host(piece) => self.host(piece),
            _ if spelling::is_wrapped(piece) || looks::is_random(piece) => {
                self.removed(Class::Credential);
                String::from(SECRET)
            }
            _ if piece.contains('/') => split(self, '/'),
            _ if piece.contains('_') && piece.split('_').any(words::is_word) => split(self, '_'),
            _ => self.stranger(piece),
        }
    }
}

fn is_edge(c: char) -> bool {
    c.is_whitespace() || "\"'`<>(),;={}[]|&*~^’‘“”„«»–—•·".contains(c)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether a word is a name with a domain behind it.
fn is_host(piece: &str) -> bool {
    let mut labels = piece.split('.');
    let last = labels.next_back().unwrap_or_default();
    labels.next().is_some()
        && last.len() >= 2
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
}
