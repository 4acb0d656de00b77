//! SASL (RFC 6120 section 6, RFC 4616 PLAIN): what an `<auth/>` says.
//!
//! Turns the base64 of an initial response into who signs in and with what secret. Knows PLAIN only; other mechanisms'
//! data stays opaque. Nothing here can be printed: the password is for the redactor's leak guard.

use crate::xmpp::Element;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The namespace of SASL in XMPP (RFC 6120 section 6.2).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Base64 as RFC 6120 section 6.4.2 wants it, its padding optional.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a PLAIN (or two-part) initial response holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// Authorization identity: the bare JID, may be empty.
    pub authzid: String,
    /// Authentication identity: the user.
    pub authcid: String,
    /// The password or SSO access token. A secret: for the redactor's leak guard only.
    pub password: String,
}

/// Whether an element of SASL with this name carries data of a mechanism (RFC 6120 section 6.4).
#[must_use]
pub fn carries_data(name: &str) -> bool {
    matches!(name, "auth" | "response" | "challenge" | "success")
}

/// `mechanism` of an `<auth/>`.
#[must_use]
pub fn mechanism<'a>(auth: Element<'_, 'a>) -> Option<std::borrow::Cow<'a, str>> {
    auth.attribute("mechanism")
}

/// Decodes the base64 text of a PLAIN `<auth/>` or `<response/>`: `authzid NUL authcid NUL password`, or the two-part
/// `authcid NUL password`. `None` if it is not of that shape, as is the empty response `=`. White space is ignored;
/// bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn plain(text: &str) -> Option<Plain> {
    let packed: String = text.split_ascii_whitespace().collect();
    let response = BASE64.decode(packed).ok()?;
    let parts: Vec<_> = response.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let (authzid, authcid, password) = match parts.as_slice() {
        [authzid, authcid, password] => (authzid.as_ref(), authcid, password),
        [authcid, password] => ("", authcid, password),
        _ => return None,
    };
    if authcid.is_empty() {
        return None;
    }
    Some(Plain { authzid: authzid.to_owned(), authcid: authcid.to_string(), password: password.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(response: &[u8]) -> Option<(String, String, String)> {
        plain(&BASE64.encode(response)).map(|plain| (plain.authzid, plain.authcid, plain.password))
    }

    fn parts(authzid: &str, authcid: &str, password: &str) -> Option<(String, String, String)> {
        Some((authzid.to_owned(), authcid.to_owned(), password.to_owned()))
    }

    #[test]
    fn plain_has_two_or_three_parts() {
        assert_eq!(read(b"ann@uccx.example.test\0ann\0s3cret"), parts("ann@uccx.example.test", "ann", "s3cret"));
        assert_eq!(read(b"\0ann\0s3cret"), parts("", "ann", "s3cret"));
        assert_eq!(read(b"ann\0s3cret"), parts("", "ann", "s3cret"));
        assert_eq!(read("\0jürgen\0grün".as_bytes()), parts("", "jürgen", "grün"));
        assert_eq!(read(b"\0ann\0\xfc"), parts("", "ann", "\u{fffd}"));
        for other in [&b"ann"[..], b"", b"\0\0s3cret", b"a\0b\0c\0d"] {
            assert_eq!(read(other), None);
        }
    }

    #[test]
    fn base64_is_read_as_found() {
        // RFC 4616 section 4: tim, tanstaaftanstaaf.
        for text in ["AHRpbQB0YW5zdGFhZnRhbnN0YWFm", " AHRpbQB0YW5z\n dGFhZnRhbnN0YWFm\n"] {
            assert!(plain(text).is_some_and(|plain| plain.authcid == "tim" && plain.password == "tanstaaftanstaaf"));
        }
        for padding in ["AGFubgBw", "AGFubgBwdw==", "AGFubgBwdw"] {
            assert!(plain(padding).is_some_and(|plain| plain.authcid == "ann"));
        }
        for unreadable in ["=", "", "====", "not base64!", "AGFubgBw\u{fc}"] {
            assert!(plain(unreadable).is_none(), "{unreadable}");
        }
    }
}
