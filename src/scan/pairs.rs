//! Values by the names that stand in front of them: `name=value`, elements, cookies, members, columns.
//!
//! Of a long value the beginning counts. What a name means is remembered, [`MAX_NAMES`] of them.

use super::finding::Finding;
use super::hit::Certainty::{Certain, Likely};
use super::look::{Look, Origin};
use super::name::{self, MAX_NAME_BYTES, Named, Written};
use super::{host, value};
use crate::capture::policy::Class;

/// Names whose meaning is remembered.
const MAX_NAMES: usize = 4_096;
/// Of a longer value in a text the beginning counts, bytes. Without a bound, a text of nothing but names would be walked
/// to its end for each of them.
const MAX_VALUE_BYTES: usize = 4 << 10;
/// The same for `name=value`, which has no end to search for quickly, bytes.
const MAX_PAIR_BYTES: usize = 512;
/// How far back the element around an element is looked for, bytes.
const MAX_LOOK_BACK_BYTES: usize = 512;

impl Look<'_> {
    /// `name=value`, `name: value`, `"name":"value"` and `<name>value</name>`.
    pub(super) fn pairs(&mut self, text: &[u8], origin: Origin<'_>) {
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
        // `host:"fin1"` is how web servers' logs have it.
        let quotes = behind.starts_with(b"\"");
        let counts = mark == b'=' || quoted || quotes || meaning.is_some_and(secret);
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
    pub(super) fn cookies(&mut self, name: &[u8], text: &[u8], at: usize, origin: Origin<'_>) {
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
    pub(super) fn by_name(
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

    /// Whether a name by itself says what its value is.
    pub(super) fn knows(&mut self, name: &[u8]) -> bool {
        self.meaning(b"", name, Written::Member).is_some() || is_header(name)
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
}

/// At most so many bytes of a text from a byte on.
fn bounded(text: &[u8], from: usize, most_bytes: usize) -> &[u8] {
    let rest = text.get(from..).unwrap_or_default();
    rest.get(..most_bytes).unwrap_or(rest)
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
