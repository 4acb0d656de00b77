//! Values that give nothing away: the marks and tokens that redaction leaves behind, and words that stand for nothing.

/// Whether a value is what redaction leaves: empty, a mark, a token, stars, or a scheme in front of one of these.
pub(super) fn is_clean(value: &[u8]) -> bool {
    let value = trim(value);
    let value = match value.iter().position(|byte| matches!(byte, b' ' | b'+')) {
        Some(end) if value.get(..end).is_some_and(is_scheme) => trim(value.get(end + 1..).unwrap_or_default()),
        _ => value,
    };
    is_mark(value) || is_token(value) || is_nothing(value) || is_replaced(value)
}

/// Whether a mark or token stands first, and what follows is the text around it: `k-…/y`, `[cred:x]</token>`,
/// `[cred:x] was refused`; or it stands behind its own name: `password=[cred:password]`.
fn is_replaced(value: &[u8]) -> bool {
    let named = value.iter().position(|byte| *byte == b'=').unwrap_or(0);
    if named > 0 && value.iter().take(named).all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(byte)) {
        return value.get(named + 1..).is_some_and(|rest| is_mark(rest) || is_token(rest));
    }
    let end = match value.first() {
        Some(b'[') => value.iter().position(|byte| *byte == b']').map_or(0, |at| at + 1),
        _ => 12,
    };
    let Some((first, rest)) = value.split_at_checked(end) else { return false };
    let plain =
        |word: &[u8]| word.len() <= 12 && word.iter().all(|byte| byte.is_ascii_lowercase() || b".,".contains(byte));
    let follows = match rest.first() {
        Some(b' ') => {
            rest.split(|byte| b"<&".contains(byte)).next().unwrap_or_default().split(|byte| *byte == b' ').all(plain)
        }
        Some(byte) => b"/?<&#;]".contains(byte),
        None => false,
    };
    (is_mark(first) || is_token(first)) && follows
}

/// Whether it is a token of redaction: `u-` and so on with ten characters of Crockford base32, a host's with `.invalid`.
pub(super) fn is_token(value: &[u8]) -> bool {
    let value = value.strip_suffix(b".invalid").unwrap_or(value);
    let [kind, b'-', rest @ ..] = value else { return false };
    b"hkpqtu".contains(kind) && rest.len() == 10 && rest.iter().all(|byte| is_crockford(*byte))
}

/// `[cred:basic]`, `[text:8-15]`, `[unparsed:…]`, `[person]`.
pub(super) fn is_mark(value: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
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
            "password=[cred:password]",
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
