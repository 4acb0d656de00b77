//! One text through all detectors, then what is encoded in it through them again. What single detectors do is in `pairs`,
//! `words` and `shape`.
//!
//! Order matters where findings overlap: of one place the first is told. Known secrets come first, then credentials by
//! shape, values by their names, numbers, and last the words one by one. Limits: [`MAX_DEPTH`] levels of encoding.

use super::finding::Finding;
use super::har::Within;
use super::hit::Certainty::Certain;
use super::name::{self, Named, Written};
use super::{Scanner, decode, json, shape};
use crate::capture::policy::Class;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Levels of encoding that are undone.
const MAX_DEPTH: usize = 3;
/// Findings of one text that a new one is compared with.
const MAX_OVERLAPS: usize = 256;

/// Where a text stands in the line.
#[derive(Clone, Copy)]
pub(super) enum Origin<'t> {
    /// It is a part of the line.
    Straight(usize),
    /// It had JSON's escapes: where that begins, and as it was written.
    Escaped(usize, &'t [u8]),
    /// The same, and what was written was looked at as well.
    EscapedToo(usize, &'t [u8]),
    /// It was decoded from what begins there.
    Decoded(usize, &'static str),
}

/// What outlasts a line: the meaning of names. And what of the current line was told, so that what stands there encoded
/// as well is told once.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) names: HashMap<Vec<u8>, Option<Named>>,
    /// Where a key of `names` is put together.
    pub(super) key: Vec<u8>,
    hasher: RandomState,
    pub(super) told: HashSet<(&'static str, u64)>,
}

/// Looks at the texts of one line.
pub(super) struct Look<'s> {
    pub(super) scanner: &'s Scanner,
    tell: Tell<'s>,
    pub(super) memory: &'s mut Memory,
    /// From, to: what was told of the current text.
    pub(super) spans: Vec<(usize, usize)>,
    /// Of the last text with escapes: where it begins, its length, and its bytes' places.
    offsets: (usize, usize, decode::Offsets),
    pub(super) depth: usize,
    /// Where in a HAR the current token stands.
    within: Within,
}

/// Takes the place in the line, the finding, what it was decoded from, and where in a HAR it stands.
pub(super) type Tell<'s> = &'s mut dyn FnMut(usize, &Finding<'_>, &'static str, &Within);

impl<'s> Look<'s> {
    pub(super) fn new(scanner: &'s Scanner, memory: &'s mut Memory, tell: Tell<'s>) -> Self {
        memory.told.clear();
        Self { scanner, tell, memory, spans: Vec::new(), offsets: <_>::default(), depth: 0, within: Within::default() }
    }

    /// A text without names.
    pub(super) fn text(&mut self, text: &[u8], origin: Origin<'_>) {
        self.named_text(text, origin, (b"", b""));
    }

    /// JSON up to its last whole token, with names that go on from the line before.
    pub(super) fn json(&mut self, text: &[u8], at: usize, names: &mut json::Names) {
        let mut from = 0;
        while let Ok(Some((token, end))) = json::next(text, from) {
            self.within.follow(&names.within);
            match token {
                json::Token::Text(start, to) => {
                    let escaped = text.get(start..to).unwrap_or_default();
                    let plain = decode::json(escaped);
                    let origin = Origin::Escaped(at + start, escaped);
                    if json::is_key(text, to) {
                        self.named_text(&plain, origin, (b"", b""));
                    } else {
                        self.named_text(&plain, origin, names.current());
                    }
                }
                json::Token::Bare(start, to) => {
                    let bare = text.get(start..to).unwrap_or_default();
                    let outer = std::mem::take(&mut self.spans);
                    self.known(bare, Origin::Straight(at + start));
                    self.by_name(names.current(), Written::Member, bare, 0, Origin::Straight(at + start));
                    self.spans = outer;
                }
                json::Token::Mark(_) => {}
            }
            names.take(text, &token);
            from = end;
        }
    }

    /// What stands under a name.
    pub(super) fn named_text(&mut self, text: &[u8], origin: Origin<'_>, (parent, name): (&[u8], &[u8])) {
        let outer = std::mem::take(&mut self.spans);
        self.known(text, origin);
        if !name.is_empty() && !self.by_name((parent, name), Written::below(parent, name), text, 0, origin) {
            self.cookies(name, text, 0, origin);
        }
        let inside = self.depth < MAX_DEPTH && self.json_inside(text, origin);
        let random_by_nature = name::is_random_by_nature(parent, name);
        if !inside {
            shape::credentials(text, &mut |finding| self.found(finding, origin));
            self.pairs(text, origin);
            if self.scanner.minds(Class::Person) {
                shape::numbers(text, &mut |finding| {
                    // Of random ids some are digits throughout, and of these some have a card's check digit.
                    if !(random_by_nature && finding.kind == "payment-card") {
                        self.found(finding, origin);
                    }
                });
            }
            self.words(text, origin, random_by_nature);
            self.entities(text, origin);
            self.escapes(text, origin);
        }
        self.spans = outer;
    }

    /// What is no JSON may quote some: a log line, a program's text, a string escaped twice.
    fn escapes(&mut self, text: &[u8], origin: Origin<'_>) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        let Cow::Owned(plain) = decode::json(text) else { return };
        let origin = match origin {
            Origin::Straight(start) => Origin::EscapedToo(start, text),
            _ => Origin::Decoded(self.place(origin, 0), "JSON escapes"),
        };
        self.depth += 1;
        self.text(&plain, origin);
        self.depth -= 1;
    }

    fn known(&mut self, text: &[u8], origin: Origin<'_>) {
        let Some(known) = &self.scanner.known else { return };
        known.find(text, &mut |hit| {
            let value = text.get(hit.at..hit.at + hit.bytes).unwrap_or_default();
            let why = "one of the secrets given";
            let finding =
                Finding { at: hit.at, value, kind: "known-secret", class: Class::Credential, certainty: Certain, why };
            self.found(finding, origin);
        });
    }

    /// JSON as a text's whole content.
    fn json_inside(&mut self, text: &[u8], origin: Origin<'_>) -> bool {
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        if !matches!(first, Some(b'{' | b'[')) {
            return false;
        }
        let Some(extent) = json::extent(text) else { return false };
        if text.get(extent..).is_some_and(|rest| !rest.trim_ascii().is_empty()) {
            return false;
        }
        self.depth += 1;
        let mut names = json::Names::default();
        let mut from = 0;
        while let Ok(Some((token, end))) = json::next(text, from) {
            if let json::Token::Text(start, to) | json::Token::Bare(start, to) = token {
                let inner = decode::json(text.get(start..to).unwrap_or_default());
                let names = if json::is_key(text, to) { (&b""[..], &b""[..]) } else { names.current() };
                let at = self.place(origin, start);
                self.named_text(&inner, Origin::Decoded(at, "JSON in a string"), names);
            }
            names.take(text, &token);
            from = end;
        }
        self.depth -= 1;
        true
    }

    fn entities(&mut self, text: &[u8], origin: Origin<'_>) {
        if self.depth >= MAX_DEPTH || memchr::memchr(b'&', text).is_none() {
            return;
        }
        let mut at = 0;
        for stretch in text.split(|byte| matches!(byte, b'<' | b'>')) {
            if let Some(decoded) = memchr::memchr(b'&', stretch).and_then(|_| decode::entities(stretch)) {
                self.again(&decoded, origin, at, "XML entities");
            }
            at += stretch.len() + 1;
        }
    }

    /// What was decoded from what stands at `at` in a text.
    pub(super) fn again(&mut self, decoded: &[u8], origin: Origin<'_>, at: usize, from: &'static str) {
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            let at = self.place(origin, at);
            self.text(decoded, Origin::Decoded(at, from));
            self.depth -= 1;
        }
    }

    pub(super) fn found(&mut self, finding: Finding<'_>, origin: Origin<'_>) {
        if !self.scanner.minds(finding.class) {
            return;
        }
        let (from, to) = (finding.at, finding.at + finding.value.len());
        if self.spans.iter().rev().take(MAX_OVERLAPS).any(|span| from < span.1 && span.0 < to) {
            return;
        }
        self.spans.push((from, to));
        let fresh = self.memory.told.insert((finding.kind, self.memory.hasher.hash_one(finding.value)));
        let encoding = match origin {
            Origin::Straight(_) | Origin::Escaped(..) => "",
            Origin::EscapedToo(..) => "JSON escapes",
            Origin::Decoded(_, encoding) => encoding,
        };
        if encoding.is_empty() || fresh {
            let at = self.place(origin, from);
            (self.tell)(at, &finding, encoding, &self.within);
        }
    }

    /// The place in the line of a byte of a text.
    pub(super) fn place(&mut self, origin: Origin<'_>, at: usize) -> usize {
        match origin {
            Origin::Straight(start) => start + at,
            Origin::Decoded(start, _) => start,
            Origin::Escaped(start, escaped) | Origin::EscapedToo(start, escaped) => {
                if (self.offsets.0, self.offsets.1) != (start, escaped.len()) {
                    self.offsets = (start, escaped.len(), decode::Offsets::new(escaped));
                }
                start + self.offsets.2.of(escaped, at)
            }
        }
    }
}
