//! HTTP Basic credentials (RFC 7617) out of an `Authorization` value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Who authenticates, and with what. Holds a secret: no `Debug`.
pub struct Basic {
    /// The user-id.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Reads `Basic BASE64(user:password)`; `None` for any other scheme or shape.
#[must_use]
pub fn basic(value: &[u8]) -> Option<Basic> {
    let value = str::from_utf8(value).ok()?;
    let (scheme, credentials) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Basic { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
