//! Values that give nothing away: the marks and tokens that redaction leaves behind, and words that stand for nothing.

/// Whether a value is what redaction leaves: empty, a mark, a token, stars, or a scheme in front of one of these.
pub(super) fn is_clean(value: &[u8]) -> bool {
    let value = trim(value);
    let value = match value.iter().position(|byte| matches!(byte, b' ' | b'+')) {
        Some(end) if value.get(..end).is_some_and(is_scheme) => trim(value.get(end + 1..).unwrap_or_default()),
        _ => value,
    };
    is_mark(value) || is_token(value) || is_nothing(value)
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
        ] {
            assert!(is_clean(clean.as_bytes()), "{clean}");
        }
        for left in [
            "x1",
            "Basic abc",
            "[CRED]",
            "[hunter]",
            "[cred:basic] and more",
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
