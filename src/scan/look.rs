//! One text through all detectors, then what is encoded in it through them again.
//!
//! Order matters where findings overlap: of one place the first is told. Known secrets come first, then credentials by
//! shape, values by their names, numbers, and last the words one by one. Limits: [`MAX_DEPTH`] levels of encoding.

use super::finding::Finding;
use super::hit::Certainty::{Certain, Likely, Possible};
use super::name::{self, MAX_NAME_BYTES, Named, Written};
use super::{Scanner, decode, host, json, random, shape, value};
use crate::capture::policy::{Class, Level};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Levels of encoding that are undone.
const MAX_DEPTH: usize = 3;
/// Names whose meaning is remembered.
const MAX_NAMES: usize = 4_096;
/// Findings of one text that a new one is compared with.
const MAX_OVERLAPS: usize = 256;
/// What may stand behind `User/` instead of a login: resources below a user, as our own events name them.
const BELOW_USER: [&[u8]; 10] = [
    b"Dialogs",
    b"Queues",
    b"Media",
    b"ReasonCodes",
    b"WrapUpReasons",
    b"PhoneBooks",
    b"LayoutConfig",
    b"SignedInUsers",
    b"TeamMessages",
    b"MediaPropertiesLayout",
];
/// Shortest run that is decoded as base64, bytes: nine of text.
const MIN_BASE64_BYTES: usize = 12;
/// What is seen of the text in front of a word, bytes.
const MAX_CONTEXT_BYTES: usize = 16;
/// Of a longer value in a text the beginning counts, bytes. Without a bound, a text of nothing but names would be walked
/// to its end for each of them.
const MAX_VALUE_BYTES: usize = 4 << 10;
/// The same for `name=value`, which has no end to search for quickly, bytes.
const MAX_PAIR_BYTES: usize = 512;
/// How far back the element around an element is looked for, bytes.
const MAX_LOOK_BACK_BYTES: usize = 512;

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
    names: HashMap<Vec<u8>, Option<Named>>,
    /// Where a key of `names` is put together.
    key: Vec<u8>,
    hasher: RandomState,
    told: HashSet<(&'static str, u64)>,
}

/// Looks at the texts of one line.
pub(super) struct Look<'s> {
    scanner: &'s Scanner,
    tell: &'s mut dyn FnMut(usize, &Finding<'_>, &'static str),
    memory: &'s mut Memory,
    /// From, to: what was told of the current text.
    spans: Vec<(usize, usize)>,
    /// Of the last text with escapes: where it begins, its length, and its bytes' places.
    offsets: (usize, usize, decode::Offsets),
    depth: usize,
}

impl<'s> Look<'s> {
    /// `tell` takes the place in the line, the finding, and what it was decoded from.
    pub(super) fn new(
        scanner: &'s Scanner,
        memory: &'s mut Memory,
        tell: &'s mut dyn FnMut(usize, &Finding<'_>, &'static str),
    ) -> Self {
        memory.told.clear();
        Self { scanner, tell, memory, spans: Vec::new(), offsets: <_>::default(), depth: 0 }
    }

    /// A text without names.
    pub(super) fn text(&mut self, text: &[u8], origin: Origin<'_>) {
        self.named_text(text, origin, (b"", b""));
    }

    /// JSON up to its last whole token, with names that go on from the line before.
    pub(super) fn json(&mut self, text: &[u8], at: usize, names: &mut json::Names) {
        let mut from = 0;
        while let Ok(Some((token, end))) = json::next(text, from) {
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

    fn named_text(&mut self, text: &[u8], origin: Origin<'_>, (parent, name): (&[u8], &[u8])) {
        let outer = std::mem::take(&mut self.spans);
        self.known(text, origin);
        if !name.is_empty() && !self.by_name((parent, name), written(parent), text, 0, origin) {
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

    /// `name=value`, `name: value`, `"name":"value"` and `<name>value</name>`.
    fn pairs(&mut self, text: &[u8], origin: Origin<'_>) {
        let mut header_end = 0;
        for at in memchr::memchr3_iter(b'=', b':', b'>', text) {
            match text.get(at) {
                Some(b'>') => self.element(text, at, origin),
                Some(mark) => self.pair(text, at, *mark, &mut header_end, origin),
                None => {}
            }
        }
    }

    /// `header_end`: where the value of the last header ends.
    fn pair(&mut self, text: &[u8], at: usize, mark: u8, header_end: &mut usize, origin: Origin<'_>) {
        // Inside a value that was told there is nothing more to tell.
        if self.spans.last().is_some_and(|span| (span.0..span.1).contains(&(at + 1))) {
            return;
        }
        let ahead = text.get(at.saturating_sub(MAX_NAME_BYTES + 4)..at).unwrap_or_default();
        let quoted = ahead.last().is_some_and(|byte| matches!(byte, b'"' | b'\''));
        let end =
            ahead.iter().rposition(|byte| !matches!(byte, b'"' | b'\'' | b'\\' | b' ')).map_or(0, |last| last + 1);
        let ahead = ahead.get(..end).unwrap_or_default();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let start = ahead.iter().rposition(|byte| !is_name(byte)).map_or(0, |last| last + 1);
        let name = ahead.get(start..).unwrap_or_default();
        if name.len() < 2 || !name.first().is_some_and(u8::is_ascii_alphabetic) {
            return;
        }
        let begins_form = at == name.len() && memchr::memchr(b'&', text).is_some();
        let parameter = mark == b'='
            && (begins_form || matches!(start.checked_sub(1).and_then(|at| ahead.get(at)), Some(b'?' | b'&')));
        let written = if parameter { Written::Parameter } else { Written::Member };
        let meaning = self.meaning(b"", name, written);
        let header = is_header(name);
        if meaning.is_none() && !header || header && at < *header_end {
            return;
        }
        let behind = bounded(text, at + 1, if header { MAX_VALUE_BYTES } else { MAX_PAIR_BYTES });
        let skip = behind.iter().take(4).take_while(|byte| matches!(byte, b' ' | b'\\')).count();
        let spaced = behind.first() == Some(&b' ');
        let (from, value) = match behind.get(skip..).unwrap_or_default() {
            [quote @ (b'"' | b'\''), rest @ ..] => {
                let end = memchr::memchr2(*quote, b'\\', rest).unwrap_or(rest.len());
                (at + 1 + skip + 1, rest.get(..end).unwrap_or_default())
            }
            rest if mark == b':' && header => {
                (at + 1 + skip, rest.split(|byte| matches!(byte, b'\r' | b'\n' | b'"')).next().unwrap_or_default())
            }
            rest => {
                let end = rest.iter().position(|byte| is_delimiter(*byte)).unwrap_or(rest.len());
                (at + 1 + skip, value::with_rest(rest, end))
            }
        };
        if header {
            *header_end = from + value.len();
        }
        // "password: see below" is prose; "password: hunter" at the end of a line is not.
        let goes_on = text.get(from + value.len()) == Some(&b' ');
        let prose = mark == b':' && spaced && !quoted && goes_on && value.iter().all(u8::is_ascii_alphabetic);
        if prose {
            return;
        }
        // A bare word in front of a colon names a person or a host in prose as often as a field.
        let secret = |named: Named| matches!(named.class, Class::Credential | Class::Session);
        let counts = mark == b'=' || quoted || meaning.is_some_and(secret);
        if !(counts && self.by_name((b"", name), written, value, from, origin)) {
            self.cookies(name, value, from, origin);
        }
    }

    fn element(&mut self, text: &[u8], at: usize, origin: Origin<'_>) {
        let behind = bounded(text, at + 1, MAX_VALUE_BYTES);
        let value = value::with_rest(behind, memchr::memchr(b'<', behind).unwrap_or_default());
        if value.trim_ascii().is_empty() {
            return;
        }
        let look_back = at.saturating_sub(MAX_LOOK_BACK_BYTES);
        let ahead = text.get(look_back..at).unwrap_or_default();
        let Some(open) = memchr::memrchr(b'<', ahead) else { return };
        let tag = ahead.get(open + 1..).unwrap_or_default();
        let name_bytes = tag.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(tag.len());
        let name = tag.get(..name_bytes).unwrap_or_default();
        let name = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if name.first().is_some_and(u8::is_ascii_alphabetic) && !tag.ends_with(b"/") {
            // Finesse's objects begin with a capital, their properties do not.
            let parent = memchr::memrchr_iter(b'<', ahead.get(..open).unwrap_or_default()).find_map(|open| {
                let tag = ahead.get(open + 1..)?;
                let end = tag.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
                tag.get(..end).filter(|name| name.first().is_some_and(u8::is_ascii_uppercase))
            });
            let parent = parent.unwrap_or_default();
            if !(parent == b"CallVariable" && name == b"value" && self.allows_variable(ahead)) {
                self.by_name((parent, name), Written::Member, value, at + 1, origin);
            }
        }
    }

    /// The pairs of a cookie header.
    fn cookies(&mut self, name: &[u8], text: &[u8], at: usize, origin: Origin<'_>) {
        let pairs = match name.to_ascii_lowercase().as_slice() {
            b"cookie" => usize::MAX,
            // The rest are attributes (RFC 6265 section 4.1.1).
            b"set-cookie" => 1,
            _ => return,
        };
        let mut from = at;
        for pair in text.split(|byte| *byte == b';').take(pairs) {
            if let Some(sign) = memchr::memchr(b'=', pair) {
                let (cookie, value) = (pair.get(..sign).unwrap_or_default(), pair.get(sign + 1..).unwrap_or_default());
                self.by_name((b"", cookie.trim_ascii()), Written::Cookie, value, from + sign + 1, origin);
            }
            from += pair.len() + 1;
        }
    }

    /// Tells of `value` if its name says that it should not be there.
    fn by_name(
        &mut self,
        (parent, name): (&[u8], &[u8]),
        written: Written,
        text: &[u8],
        at: usize,
        origin: Origin<'_>,
    ) -> bool {
        let Some(named) = self.meaning(parent, name, written) else { return false };
        if !self.scanner.minds(named.class) {
            return false;
        }
        let trimmed = value::trim(text);
        if value::is_clean(trimmed) || !fits(named, trimmed) {
            return false;
        }
        let skip = text.iter().position(|byte| Some(byte) == trimmed.first()).unwrap_or_default();
        let certainty = if written == Written::Cookie { Likely } else { Certain };
        let finding = Finding {
            at: at + skip,
            value: trimmed,
            kind: named.kind,
            class: named.class,
            certainty,
            why: "by the name of its field",
        };
        self.found(finding, origin);
        true
    }

    fn meaning(&mut self, parent: &[u8], name: &[u8], written: Written) -> Option<Named> {
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        let key = &mut self.memory.key;
        key.clear();
        key.push(written as u8);
        key.extend_from_slice(parent);
        key.push(0);
        key.extend_from_slice(name);
        if let Some(known) = self.memory.names.get(key.as_slice()) {
            return *known;
        }
        let named = name::named(parent, name, written).filter(|named| !self.allows(*named, name));
        if self.memory.names.len() < MAX_NAMES {
            self.memory.names.insert(self.memory.key.clone(), named);
        }
        named
    }

    /// Whether a rule of the user's keeps what has this name.
    fn allows(&self, named: Named, name: &[u8]) -> bool {
        !self.scanner.rules.is_empty()
            && matches!(named.class, Class::Customer | Class::Infrastructure | Class::Unknown)
            && self.scanner.rules.allows(&String::from_utf8_lossy(name).to_lowercase())
    }

    /// The same of the call variable whose name stands in front: `<name>callVariable3</name><value>`.
    fn allows_variable(&self, ahead: &[u8]) -> bool {
        let name = memchr::memmem::rfind(ahead, b"<name>").and_then(|at| ahead.get(at + 6..));
        let name = name.and_then(|name| name.split(|byte| *byte == b'<').next()).unwrap_or_default();
        let customer = Named { class: Class::Customer, kind: "" };
        self.allows(customer, name)
    }

    /// Words: hosts, addresses, JIDs, logins in paths, and what may be base64, percent-encoded or random.
    fn words(&mut self, text: &[u8], origin: Origin<'_>, random_by_nature: bool) {
        let mut from = 0;
        while let Some(start) = text.get(from..).and_then(|rest| rest.iter().position(|byte| mark(*byte) != 0)) {
            let start = from + start;
            let rest = text.get(start..).unwrap_or_default();
            let mut marks = 0;
            let length = rest
                .iter()
                .position(|byte| {
                    let mark = mark(*byte);
                    marks |= mark;
                    mark == 0
                })
                .unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            if length >= 3 {
                let before = text.get(start.saturating_sub(MAX_CONTEXT_BYTES)..start).unwrap_or_default();
                let after = text.get(start + length..).unwrap_or_default();
                self.word(&Word { bytes: word, marks, at: start, before, after }, origin, random_by_nature);
            }
            from = start + length;
        }
    }

    fn word(&mut self, in_text: &Word<'_>, origin: Origin<'_>, random_by_nature: bool) {
        let Word { bytes: word, marks, at, before, .. } = *in_text;
        let personal = self.scanner.minds(Class::Person);
        let decoded = if marks & PERCENT != 0 { decode::percent(word) } else { None };
        if personal && decoded.is_none() {
            if marks & AT != 0 {
                host::persons(word, at, &mut |finding| self.found(finding, origin));
            }
            if marks & DOT != 0 {
                host::hosts(word, at, before, &mut |finding| self.found(finding, origin));
            }
            if marks & COLON != 0 {
                host::ipv6(word, at, &mut |finding| self.found(finding, origin));
            }
            if marks & SLASH != 0 {
                self.login_in_path(word, at, origin);
            }
        }
        if self.scanner.level == Level::Minimal && value::is_token(word) {
            self.found(
                Finding {
                    at,
                    value: word,
                    kind: "token",
                    class: Class::Unknown,
                    certainty: Certain,
                    why: "a token, which this level does not keep",
                },
                origin,
            );
        }
        if word.len() >= MIN_BASE64_BYTES {
            let known_random = random_by_nature || is_digest(in_text);
            self.runs(word, at, origin, known_random);
        }
        if let Some(decoded) = decoded {
            self.again(&decoded, origin, at, "percent-encoding");
        }
    }

    /// `/finesse/api/User/1001`.
    fn login_in_path(&mut self, word: &[u8], at: usize, origin: Origin<'_>) {
        for user in memchr::memmem::find_iter(word, b"User/") {
            let start = user + 5;
            let id = word.get(start..).unwrap_or_default();
            let id = id.split(|byte| matches!(byte, b'/' | b':' | b'@' | b'=' | b'%')).next().unwrap_or_default();
            // An item id goes on with a JID: `User/1001__1001@host__1-5`.
            let id = memchr::memmem::find(id, b"__").map_or(id, |join| id.get(..join).unwrap_or_default());
            if id.iter().any(u8::is_ascii_alphanumeric) && !value::is_clean(id) && !BELOW_USER.contains(&id) {
                let why = "the id of a user in a REST path or node";
                self.found(
                    Finding { at: at + start, value: id, kind: "login", class: Class::Person, certainty: Certain, why },
                    origin,
                );
            }
        }
    }

    /// Stretches of base64's characters in a word, and the parts between their slashes.
    fn runs(&mut self, word: &[u8], at: usize, origin: Origin<'_>, random_by_nature: bool) {
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
        let mut start = 0;
        // An equals sign ends a name, `name=BASE64`, or pads what is decoded without it.
        for run in word.split(|byte| !is_base64(byte)) {
            let run_at = at + start;
            start += run.len() + 1;
            if run.len() < MIN_BASE64_BYTES || self.base64(run, run_at, origin) {
                continue;
            }
            let parts = || {
                let mut at = run_at;
                let parts = run.split(|byte| *byte == b'/').map(move |part| {
                    let part_at = at;
                    at += part.len() + 1;
                    (part, part_at)
                });
                parts.filter(|(part, _)| part.len() >= MIN_BASE64_BYTES && part.len() < run.len())
            };
            // A path that holds base64 looks random as a whole, too.
            let mut any = false;
            for (part, at) in parts() {
                any |= self.base64(part, at, origin);
            }
            if any || random_by_nature || self.random(run, run_at, origin) {
                continue;
            }
            for (part, at) in parts() {
                self.random(part, at, origin);
            }
        }
    }

    /// Whether a run is base64 of something that should not be there.
    fn base64(&mut self, run: &[u8], at: usize, origin: Origin<'_>) -> bool {
        if let Some(text) = decode::base64(run) {
            let (kind, why, certainty) = match credentials(&text) {
                Some(Credentials::Sasl) => ("sasl-plain", "base64 of a SASL PLAIN message", Certain),
                Some(Credentials::Basic) => ("basic", "base64 of user:password", Likely),
                None => ("", "", Possible),
            };
            if !kind.is_empty() {
                self.found(Finding { at, value: run, kind, class: Class::Credential, certainty, why }, origin);
                return true;
            }
            if std::str::from_utf8(&text).is_ok() {
                let told = self.memory.told.len();
                self.again(&text, origin, at, "base64");
                if self.memory.told.len() > told {
                    return true;
                }
            }
        }
        false
    }

    fn random(&mut self, run: &[u8], at: usize, origin: Origin<'_>) -> bool {
        if !random::is_random(run) {
            return false;
        }
        let why = "a run of random characters, as keys are";
        self.found(
            Finding { at, value: run, kind: "random", class: Class::Credential, certainty: Possible, why },
            origin,
        );
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
    fn again(&mut self, decoded: &[u8], origin: Origin<'_>, at: usize, from: &'static str) {
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            let at = self.place(origin, at);
            self.text(decoded, Origin::Decoded(at, from));
            self.depth -= 1;
        }
    }

    fn found(&mut self, finding: Finding<'_>, origin: Origin<'_>) {
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
            (self.tell)(at, &finding, encoding);
        }
    }

    /// The place in the line of a byte of a text.
    fn place(&mut self, origin: Origin<'_>, at: usize) -> usize {
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

/// At most so many bytes of a text from a byte on.
fn bounded(text: &[u8], from: usize, most_bytes: usize) -> &[u8] {
    let rest = text.get(from..).unwrap_or_default();
    rest.get(..most_bytes).unwrap_or(rest)
}

fn written(parent: &[u8]) -> Written {
    if parent.eq_ignore_ascii_case(b"cookies") { Written::Cookie } else { Written::Member }
}

/// Whether a value can be what its name says.
fn fits(named: Named, value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    match named.class {
        Class::Credential => value.len() >= 3 && !(digits == value.len() && digits < 4),
        Class::Session => value.len() >= 4,
        Class::Phone => digits >= 3,
        Class::Infrastructure if named.kind == "host" => {
            !host::is_nobodys(value) && value.iter().any(u8::is_ascii_alphanumeric)
        }
        _ => !value.is_ascii() || value.iter().any(u8::is_ascii_alphanumeric),
    }
}

/// Headers whose whole value counts.
fn is_header(name: &[u8]) -> bool {
    [&b"authorization"[..], b"proxy-authorization", b"cookie", b"set-cookie"]
        .iter()
        .any(|header| header.eq_ignore_ascii_case(name))
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'&' | b';' | b',' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'}')
}

/// A word where it stands.
struct Word<'t> {
    bytes: &'t [u8],
    /// The bytes in it: [`DOT`] and so on.
    marks: u8,
    at: usize,
    before: &'t [u8],
    after: &'t [u8],
}

/// A digest that says so (`sha256:…`), or in the form of sha256sum: digest, two spaces, name.
fn is_digest(word: &Word<'_>) -> bool {
    let says = |text: &[u8]| memchr::memmem::find(&text.to_ascii_lowercase(), b"sha256").is_some();
    says(word.before)
        || word.bytes.starts_with(b"sha256")
        || word.bytes.len() == 64 && word.at == 0 && word.after.starts_with(b"  ")
}

enum Credentials {
    Sasl,
    Basic,
}

/// authzid NUL authcid NUL password (RFC 4616), or user:password (RFC 7617).
fn credentials(text: &[u8]) -> Option<Credentials> {
    let parts: Vec<&[u8]> = text.splitn(4, |byte| *byte == 0).collect();
    if let [_, user, password] = *parts {
        return (!user.is_empty() && !password.is_empty()).then_some(Credentials::Sasl);
    }
    let text = std::str::from_utf8(text).ok().filter(|_| parts.len() == 1)?;
    let (user, password) = text.split_once(':')?;
    let is_user = |c: char| c.is_alphanumeric() || "._-@\\+".contains(c);
    let one_word = !password.contains(char::is_whitespace) && !password.starts_with("//");
    (!user.is_empty() && user.chars().all(is_user) && one_word && password.chars().count() >= 3)
        .then_some(Credentials::Basic)
}

const WORD: u8 = 1;
const DOT: u8 = 2;
const AT: u8 = 4;
const COLON: u8 = 8;
const PERCENT: u8 = 16;
const SLASH: u8 = 32;

/// What a byte is in a word, 0 if no part of one.
fn mark(byte: u8) -> u8 {
    const MARKS: [u8; 256] = {
        let mut marks = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below 256")]
            {
                marks[byte] = match byte as u8 {
                    b'.' => DOT,
                    b'@' => AT,
                    b':' => COLON,
                    b'%' => PERCENT,
                    b'/' => SLASH,
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'+' | b'=' | b'~' => WORD,
                    _ => 0,
                };
            }
            byte += 1;
        }
        marks
    };
    MARKS.get(usize::from(byte)).copied().unwrap_or_default()
}
