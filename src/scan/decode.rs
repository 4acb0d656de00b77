//! One level of decoding: JSON string escapes, XML character references, percent-encoding, base64.
//!
//! Forgiving: what is no valid escape stays as it is. Nothing grows, so the input's limit is the output's. Base64 yields
//! only what could be text.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig as Config};
use std::borrow::Cow;

/// Padding or none, leftover bits or none: whoever hides something need not be strict.
const FORGIVING: GeneralPurposeConfig =
    Config::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);

/// Without JSON's backslashes (RFC 8259 section 7).
pub(super) fn json(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let (head, mut rest) = text.split_at(first);
    let mut out = head.to_vec();
    out.reserve(rest.len());
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let taken = match rest {
            [_, b'n', ..] => one(b'\n', &mut out),
            [_, b't', ..] => one(b'\t', &mut out),
            [_, b'r', ..] => one(b'\r', &mut out),
            [_, b'b' | b'f', ..] => one(b' ', &mut out),
            [_, b'u', ..] => code_unit(rest, &mut out),
            [_, byte, ..] => one(*byte, &mut out),
            _ => {
                out.push(b'\\');
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Where in a text with escapes the bytes of what [`json`] makes of it come from. Made in one walk, so that many places
/// in a long text can be asked for.
#[derive(Default)]
pub(super) struct Offsets {
    /// Bytes without and with escapes, every [`STEP_BYTES`] or so.
    steps: Vec<(usize, usize)>,
}

/// Longest way from a known place to one asked for, bytes.
const STEP_BYTES: usize = 512;

impl Offsets {
    /// Of a text with escapes.
    pub(super) fn new(escaped: &[u8]) -> Self {
        let mut steps = vec![(0, 0)];
        let mut last = (0, 0);
        while last.1 < escaped.len() {
            last = walk(escaped, last, last.0 + STEP_BYTES);
            steps.push(last);
        }
        Self { steps }
    }

    /// How many bytes of the same text make the first `plain_bytes` without escapes.
    pub(super) fn of(&self, escaped: &[u8], plain_bytes: usize) -> usize {
        let behind = self.steps.partition_point(|step| step.0 <= plain_bytes);
        let step = behind.checked_sub(1).and_then(|at| self.steps.get(at)).copied().unwrap_or_default();
        walk(escaped, step, plain_bytes).1
    }
}

/// On from a place, as bytes without and with escapes, until there are `plain_bytes` without.
fn walk(escaped: &[u8], (mut made, mut from): (usize, usize), plain_bytes: usize) -> (usize, usize) {
    while made < plain_bytes {
        let rest = escaped.get(from..).unwrap_or_default();
        let taken = match rest {
            [] => break,
            [b'\\', b'u', ..] => {
                let mut out = Vec::new();
                let taken = code_unit(rest, &mut out);
                made += out.len() - 1;
                taken
            }
            [b'\\', _, ..] => 2,
            _ => 1,
        };
        from += taken;
        made += 1;
    }
    (made, from.min(escaped.len()))
}

/// With character references (named ones of XML, decimal, hexadecimal) replaced; nothing if there is none.
pub(super) fn entities(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        match reference(tail) {
            Some((character, taken)) => {
                push_char(character, &mut out);
                rest = tail.get(taken..).unwrap_or_default();
                found = true;
            }
            None => {
                out.push(b'&');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    found.then_some(out)
}

/// With percent-encoded bytes replaced; nothing if there is none.
pub(super) fn percent(text: &[u8]) -> Option<Vec<u8>> {
    match Cow::from(percent_encoding::percent_decode(text)) {
        Cow::Owned(decoded) => Some(decoded),
        Cow::Borrowed(_) => None,
    }
}

/// The text behind base64 of either alphabet; nothing if it is no base64, or is no text: control characters but NUL and
/// white space. `text` has no white space.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = match text.iter().rposition(|byte| *byte != b'=') {
        Some(last) => text.get(..=last)?,
        None => return None,
    };
    let whole = if text.len() % 4 == 1 { text.get(..text.len() - 1)? } else { text };
    let engine = if whole.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    // Most words are no base64 of text, as their first bytes tell.
    let mut head = [0; 9];
    engine.decode_slice_unchecked(whole.get(..12.min(whole.len() / 4 * 4))?, &mut head).ok()?;
    if !could_be_text(&head) {
        return None;
    }
    engine.decode(whole).ok().filter(|decoded| could_be_text(decoded))
}

fn could_be_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f || matches!(byte, 0 | b'\t' | b'\n' | b'\r'))
}

fn one(byte: u8, out: &mut Vec<u8>) -> usize {
    out.push(byte);
    2
}

/// `\uXXXX`, or two of them for what is beyond the basic plane.
fn code_unit(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6)?;
        let digits = digits.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some(first) = unit(0) else { return one(b'u', out) };
    let pair = [first, unit(6).unwrap_or_default()];
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => {
            push_char(character, out);
            if character.len_utf16() == 2 { 12 } else { 6 }
        }
        _ => {
            push_char(char::REPLACEMENT_CHARACTER, out);
            6
        }
    }
}

/// A reference at the beginning of `text`, and its bytes.
fn reference(text: &[u8]) -> Option<(char, usize)> {
    let end = text.iter().take(12).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}

fn push_char(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for text in ["plain", "a\"b\\c\n\t", "Süß \u{1f600}", "\u{1}x/"] {
            let written = serde_json::to_string(text).unwrap();
            let inner = &written[1..written.len() - 1];
            let plain = text.replace('\u{8}', " ");
            assert_eq!(json(inner.as_bytes()), plain.as_bytes());
            for (at, _) in text.char_indices() {
                let prefix = serde_json::to_string(&text[..at]).unwrap();
                assert_eq!(
                    Offsets::new(inner.as_bytes()).of(inner.as_bytes(), at),
                    prefix.len() - 2,
                    "{text:?} at {at}"
                );
            }
        }
        assert_eq!(json(br"\u0041\ud83d\ude00\ud83d \").as_ref(), "A\u{1f600}\u{fffd} \\".as_bytes());
        assert_eq!(entities(b"&lt;a&#32;&#x41;&amp;&bad; &").unwrap(), b"<a A&&bad; &");
        assert_eq!(entities(b"a & b"), None);
        assert_eq!(percent(b"a%3Db%zz%").unwrap(), b"a=b%zz%");
        assert_eq!(percent(b"ab"), None);
    }

    #[test]
    fn base64_is_text_or_nothing() {
        assert_eq!(base64(b"MTAwMTpzZWNyZXQ=").unwrap(), b"1001:secret");
        assert_eq!(base64(b"MTAwMTpzZWNyZXQ").unwrap(), b"1001:secret");
        assert_eq!(base64(b"AGEAYXBhc3N3b3Jk").unwrap(), b"\0a\0apassword");
        assert_eq!(base64("Pz8_Pj4-Pz8_eHh4".as_bytes()).unwrap(), b"???>>>???xxx");
        for not in ["iVBORw0KGgoAAAANSUhEUg", "=", "a.b"] {
            assert_eq!(base64(not.as_bytes()), None, "{not}");
        }
    }
}
