//! What stands in a removed value's place: marks such as `[cred:password]`, `[digits:4-7]`, `[person]`.
//!
//! A mark tells a class or a shape and nothing of the value. A text that is one already is left alone, so that redacting
//! twice changes nothing.

/// What a credential's mark may name.
const CREDENTIALS: [&str; 18] = [
    "authorization",
    "basic",
    "bearer",
    "digest",
    "header",
    "jwt",
    "key",
    "negotiate",
    "ntlm",
    "password",
    "pem",
    "sasl",
    "secret",
    "seen",
    "splunk",
    "sso",
    "token",
    "userinfo",
];

/// Kind of characters and length bucket: `[digits:4-7]`, `[text:16-31]`.
#[must_use]
pub fn shape(value: &str) -> String {
    let kind = if value.bytes().all(|b| b.is_ascii_digit()) { "digits" } else { "text" };
    let low = value.len().checked_ilog2().map_or(0, |bits| 1_usize << bits);
    let high = low * 2 - usize::from(low > 0);
    format!("[{kind}:{low}-{high}]")
}

/// Content that no rule can read: its size.
#[must_use]
pub fn unparsed(bytes: usize) -> String {
    format!("[unparsed:{bytes} bytes]")
}

/// Whether a text is a mark and nothing else.
#[must_use]
pub fn is_mark(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    let is_number = |text: &str| (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match inside.split_once(':') {
        None => {
            matches!(inside, "person" | "phone" | "customer" | "session" | "host" | "infrastructure" | "word" | "id")
        }
        Some(("text" | "digits", range)) => {
            range.split_once('-').is_some_and(|(low, high)| is_number(low) && is_number(high))
        }
        Some(("unparsed", size)) => size.strip_suffix(" bytes").is_some_and(is_number),
        Some(("customer", count)) => is_number(count),
        Some(("cred", kind)) => CREDENTIALS.contains(&kind),
        Some(_) => false,
    }
}

/// The mark that a text begins with.
#[must_use]
pub fn leading(text: &str) -> Option<&str> {
    let end = text.find(']')? + 1;
    text.get(..end).filter(|mark| is_mark(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_tells_neither_value_nor_exact_length() {
        assert_eq!(shape("1234567"), "[digits:4-7]");
        assert_eq!(shape("1"), "[digits:1-1]");
        assert_eq!(shape("sixteen letters!"), "[text:16-31]");
    }

    #[test]
    fn only_marks_are_marks() {
        for mark in ["[cred:password]", "[text:8-15]", "[person]", "[unparsed:12 bytes]", "[customer:3]", "[word]"] {
            assert!(is_mark(mark), "{mark}");
        }
        for text in ["[ann]", "[cred:hunter2]", "[text:ann]", "[", "[unparsed:ann bytes]", "[customer:ann]"] {
            assert!(!is_mark(text), "{text}");
        }
        assert_eq!(leading("[cred:jwt] and more"), Some("[cred:jwt]"));
        assert_eq!(leading("[x] and more"), None);
    }
}
