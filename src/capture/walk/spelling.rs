//! Free text as a reader would understand it: percent, entity and JSON escapes undone, base64 recognised.
//!
//! What is written in another way is no less somebody's. Errs towards reading more into a text than there is: at the levels
//! that look at free text, losing a word costs less than keeping a name.

use crate::xmpp::parse::unescape;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// How often a text may be escaped.
const MAX_DEPTH: usize = 4;
/// Shortest base64 recognised, characters: six bytes.
const MIN_BASE64: usize = 8;
/// From this length on letters of both cases and digits mixed are no word.
const MIN_RANDOM: usize = 20;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The text with its escapes undone, as often as there are any.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_DEPTH {
        let escaped = ['%', '&', '\\'].iter().any(|mark| text.contains(*mark));
        if !escaped {
            return text;
        }
        let next = once(&text);
        if next == *text {
            return text;
        }
        text = Cow::Owned(next);
    }
    text
}

/// Whether a word is base64 of a readable text, or too random to be a word.
pub(super) fn is_wrapped(word: &str) -> bool {
    let word = word.trim_end_matches('=');
    if word.len() < MIN_BASE64 || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b)) {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|b| kind(&b));
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    mixed && word.len() >= MIN_RANDOM || [&STANDARD, &URL_SAFE].into_iter().any(|alphabet| is_readable(word, alphabet))
}

fn is_readable(word: &str, alphabet: &base64::alphabet::Alphabet) -> bool {
    let decoded = GeneralPurpose::new(alphabet, LENIENT).decode(word);
    decoded.is_ok_and(|bytes| bytes.iter().all(|b| (0x20..0x7f).contains(b)))
}

fn once(text: &str) -> String {
    let text = percent_decode_str(text).decode_utf8_lossy();
    let text = unescape(&text);
    let mut out = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some((before, behind)) = rest.split_once("\\u") {
        out.push_str(before);
        let unit = behind.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        match unit {
            Some(c) => {
                out.push(c);
                rest = behind.get(4..).unwrap_or_default();
            }
            None => {
                out.push_str("\\u");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_however_often() {
        for text in ["ann%40x", "ann%2540x", "ann&#64;x", "ann&amp;#x40;x", "ann\\u0040x", "&#37;61nn%2540x", "ann@x"] {
            assert_eq!(plain(text), "ann@x", "{text}");
        }
        for text in ["100% of it", "a & b", "C:\\users", "\\u00", "plain"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn base64_is_told_from_words() {
        for word in ["YW5uLnNtaXRo", "YW5uQGV4YW1wbGU", "MjAyNTU1MDE0Mw==", "q8Zk1xY0LmN3pQ7rT5vW"] {
            assert!(is_wrapped(word), "{word}");
        }
        for word in ["password", "disabled", "connection", "subscription", "NOT_READY", "ann", "temporarily", "1234567"]
        {
            assert!(!is_wrapped(word), "{word}");
        }
    }
}
