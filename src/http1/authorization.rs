//! HTTP Basic credentials (RFC 7617) out of an `Authorization` value.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding is optional here: what a server accepts must not stay unread.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who authenticates, and with what. Holds a secret: no `Debug`.
pub struct Basic {
    /// The user-id.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Reads `Basic BASE64(user:password)`; `None` for any other scheme or shape. Bytes that are not UTF-8 (RFC 7617
/// section 2.1 leaves the charset open) become U+FFFD.
#[must_use]
pub fn basic(value: &[u8]) -> Option<Basic> {
    let value = str::from_utf8(value).ok()?;
    let (scheme, credentials) = value.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = BASE64.decode(credentials.trim()).ok()?;
    let decoded = String::from_utf8_lossy(&bytes);
    let (user, password) = decoded.split_once(':')?;
    Some(Basic { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn odd_spellings_are_read() {
        for value in [&b"Basic\tMTAwMTph"[..], b"Basic   MTAwMTph", b" basic MTAwMTph "] {
            assert!(basic(value).is_some_and(|basic| basic.user == "1001" && basic.password == "a"));
        }
        assert!(basic(b"Basic MTAwMTphYg").is_some_and(|basic| basic.password == "ab"), "no padding");
        let latin1 = format!("Basic {}", STANDARD.encode(b"1001:gr\xfcn"));
        assert!(basic(latin1.as_bytes()).is_some_and(|basic| basic.user == "1001"));
    }

    #[test]
    fn the_password_may_hold_colons() {
        let basic = basic(format!("bAsIc {}", STANDARD.encode("1001:a:b")).as_bytes()).unwrap();
        assert_eq!((&*basic.user, &*basic.password), ("1001", "a:b"));
    }

    #[test]
    fn anything_else_is_none() {
        for value in [&b"Bearer abc"[..], b"Basic", b"Basic !!!", b"Basic MTAwMQ==", b"\xff"] {
            assert!(basic(value).is_none());
        }
    }
}
