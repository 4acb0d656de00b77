//! Values that give nothing away: the marks and tokens that redaction leaves behind, and words that stand for nothing.

use super::name::{self, Written};
use crate::capture::policy::{Class, words};

/// Length of every token but a host's, bytes: a kind, a hyphen, ten characters.
const TOKEN_BYTES: usize = 12;

/// Whether a value is what redaction leaves: empty, a mark, a token, stars, or a scheme in front of one of these.
pub(super) fn is_clean(value: &[u8]) -> bool {
    let value = trim(value);
    let value = match value.iter().position(|byte| matches!(byte, b' ' | b'+')) {
        Some(end) if value.get(..end).is_some_and(is_scheme) => trim(value.get(end + 1..).unwrap_or_default()),
        _ => value,
    };
    is_mark(value) || is_token(value) || is_nothing(value) || is_replaced(value)
}

/// Whether a mark or token stands first, and behind it only what our redaction leaves there: `[cred:x]</token>`,
/// `[cred:x] was refused`, `k-…/desktop`; or it stands behind a credential's own name: `password=[cred:password]`.
///
/// What follows is told apart from a value that was replaced in part, `[cred:x]</hunter2`, by its form alone.
fn is_replaced(value: &[u8]) -> bool {
    if let Some(sign) = memchr::memchr(b'=', value) {
        let (name, rest) = (value.get(..sign).unwrap_or_default(), trim(value.get(sign + 1..).unwrap_or_default()));
        let named = name::named(b"", name, Written::Parameter);
        let secret = named.is_some_and(|named| matches!(named.class, Class::Credential | Class::Session));
        if secret && (is_mark(rest) || is_token(rest)) {
            return true;
        }
    }
    let end = match value.first() {
        Some(b'[') => value.iter().position(|byte| *byte == b']').map_or(0, |at| at + 1),
        _ => TOKEN_BYTES,
    };
    let Some((first, rest)) = value.split_at_checked(end) else { return false };
    match rest.first() {
        Some(b' ') => is_mark(first) && is_said(rest),
        Some(b'<' | b'&') => (is_mark(first) || is_token(first)) && is_closing_tag(rest),
        Some(b'/' | b'?') => (is_token(first) || first == b"[session]") && is_rest_of_path(rest),
        _ => false,
    }
}

/// The value that `text` begins with and that a delimiter ends after `bytes`: longer where a mark stands for its beginning
/// only, `[cred:password]</hunter2`.
pub(super) fn with_rest(text: &[u8], bytes: usize) -> &[u8] {
    let (value, rest) = text.split_at_checked(bytes).unwrap_or((text, b""));
    let closes = rest.starts_with(b"</") || strip_reference(rest, b"lt;").is_some_and(|rest| rest.starts_with(b"/"));
    if !closes || !is_mark(value) || is_closing_tag(rest) {
        return value;
    }
    let end = text.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''));
    text.get(..end.unwrap_or(text.len())).unwrap_or(value)
}

/// Words that a sentence may keep, up to their end or a closing tag.
fn is_said(text: &[u8]) -> bool {
    let end = memchr::memchr2(b'<', b'&', text).unwrap_or(text.len());
    let (sentence, rest) = text.split_at(end);
    let known = |word: &[u8]| {
        let end = word.iter().rposition(|byte| !b".,;:!".contains(byte)).map_or(0, |last| last + 1);
        let word = word.get(..end).unwrap_or_default();
        word.is_empty() || std::str::from_utf8(word).is_ok_and(words::is_listed)
    };
    sentence.split(|byte| *byte == b' ').all(known) && (rest.is_empty() || is_closing_tag(rest))
}

/// `</name>`, escaped however often; what stands behind it is another text.
fn is_closing_tag(text: &[u8]) -> bool {
    let (opened, escaped) = match text.strip_prefix(b"<") {
        Some(rest) => (Some(rest), false),
        None => (strip_reference(text, b"lt;"), true),
    };
    let Some(tag) = opened.and_then(|rest| rest.strip_prefix(b"/")) else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(byte);
    let name_bytes = tag.iter().position(|byte| !is_name(byte)).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(name_bytes);
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && if escaped { strip_reference(rest, b"gt;").is_some() } else { rest.starts_with(b">") }
}

/// What stands behind `&lt;`, `&amp;lt;` and so on.
fn strip_reference<'t>(text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let mut rest = text.strip_prefix(b"&")?;
    while let Some(deeper) = rest.strip_prefix(b"amp;") {
        rest = deeper;
    }
    rest.strip_prefix(name)
}

/// Behind a session's token or mark in a URL: segments of letters, or the query, whose fields are looked at one by one.
fn is_rest_of_path(text: &[u8]) -> bool {
    let (path, query) = text.split_at(memchr::memchr(b'?', text).unwrap_or(text.len()));
    let plain = |segment: &[u8]| {
        is_token(segment) || segment.iter().all(|byte| byte.is_ascii_alphabetic() || b"._-".contains(byte))
    };
    path.split(|byte| *byte == b'/').all(plain) && (query.is_empty() || query.contains(&b'='))
}

/// Whether it is a token of redaction: `u-` and so on with ten characters of Crockford base32, a host's with `.invalid`.
pub(super) fn is_token(value: &[u8]) -> bool {
    let value = value.strip_suffix(b".invalid").unwrap_or(value);
    let [kind, b'-', rest @ ..] = value else { return false };
    b"hkpqtuw".contains(kind) && rest.len() == 10 && rest.iter().all(|byte| is_crockford(*byte))
}

/// `[cred:basic]`, `[text:8-15]`, `[unparsed:…]`, `[person]`.
pub(super) fn is_mark(value: &[u8]) -> bool {
    const NAMES: [&[u8]; 13] = [
        b"word",
        b"id",
        b"cred",
        b"text",
        b"digits",
        b"unparsed",
        b"person",
        b"phone",
        b"customer",
        b"session",
        b"host",
        b"infrastructure",
        b"unknown",
    ];
    let Some(inner) = value.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) else { return false };
    let name = inner.split(|byte| *byte == b':').next().unwrap_or_default();
    NAMES.contains(&name) && inner.len() <= 40 && !inner.contains(&b']')
}

fn is_nothing(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 12] = [
        b"null",
        b"true",
        b"false",
        b"none",
        b"undefined",
        b"yes",
        b"no",
        b"redacted",
        b"<redacted>",
        b"removed",
        b"masked",
        b"required",
    ];
    let filler = |byte: u8| value.iter().all(|other| *other == byte);
    value.is_empty()
        || WORDS.iter().any(|word| word.eq_ignore_ascii_case(value))
        || is_scheme(value)
        || b"*xX.-_".iter().any(|byte| filler(*byte))
}

/// An authentication scheme's or SASL mechanism's name by itself.
fn is_scheme(value: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 8] =
        [b"basic", b"bearer", b"digest", b"negotiate", b"ntlm", b"splunk", b"plain", b"anonymous"];
    SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(value))
}

/// Without the white space, quotes and backslashes around it.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let outer = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\');
    let start = value.iter().position(|byte| !outer(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !outer(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

fn is_crockford(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redaction_leaves_is_clean() {
        for clean in [
            "",
            " ",
            "[cred:basic]",
            "Basic [cred:basic]",
            "basic+[cred:basic]",
            "[text:8-15]",
            "[unparsed:20 bytes]",
            "[person]",
            "k-7f8f1f9frb",
            "u-0123456789",
            "h-0123456789.invalid",
            "****",
            "null",
            "\"[cred:x]\"",
            "Bearer",
            "PLAIN",
            "k-7f8f1f9frb/y",
            "[cred:authorization] was refused</ErrorMessage>",
            "[cred:token]</token>",
            "[cred:token]&lt;/token&gt;&lt;state&gt;READY",
            "[cred:authorization] refused.&amp;lt;/errorMessage&amp;gt;",
            "k-7f8f1f9frb</sid>",
            "k-7f8f1f9frb?code=[cred:sso]",
            "[session]/-",
            "[session]?code=[cred:sso]",
            "Basic [cred:basic] is wrong",
            "password=[cred:password]",
            r"password=\[cred:password]",
        ] {
            assert!(is_clean(clean.as_bytes()), "{clean}");
        }
        for left in [
            "x1",
            "Basic abc",
            "[CRED]",
            "[hunter]",
            "[cred:basic] and 4711",
            "[cred:basic]hunter",
            "password=hunter2",
            "[cred:basic] hunter",
            "[cred:basic] was hunter</x>",
            "[cred:token]</hunter2",
            "[cred:token]</hunter2/x>",
            "[cred:token]<hunter2>",
            "[cred:token]&hunter2",
            "[cred:token]&lt;/hunter2",
            "[cred:token]/hunter",
            "[cred:token];hunter2",
            "[cred:token]]hunter2",
            "k-7f8f1f9frb#hunter2",
            "k-7f8f1f9frb/hunter2",
            "[session]/hunter2",
            "k-7f8f1f9frb?hunter2",
            "k-7f8f1f9frb hunter",
            "hunter2=[cred:password]",
            "u-012345678",
            "u-012345678i",
            "z-0123456789",
            "[",
            "2001",
        ] {
            assert!(!is_clean(left.as_bytes()), "{left}");
        }
    }
}
