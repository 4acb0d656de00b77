//! A text's words, one by one: hosts, addresses, JIDs, logins in paths, and what may be base64, percent-encoded or random.

use super::finding::Finding;
use super::hit::Certainty::{Certain, Likely, Possible};
use super::look::{Look, Origin};
use super::{decode, host, random, value};
use crate::capture::policy::{Class, Level};

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

impl Look<'_> {
    /// Words: hosts, addresses, JIDs, logins in paths, and what may be base64, percent-encoded or random.
    pub(super) fn words(&mut self, text: &[u8], origin: Origin<'_>, random_by_nature: bool) {
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
