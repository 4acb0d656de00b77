//! What SSO's token answers tell of a token's life; the token itself is dropped here.
//!
//! `/desktop/sso/token` answers with JSON: `token`, `refresh_token`, `expires_in` and who it is for. The token is a signed
//! JWT (RFC 7519), whose `iat` and `exp` anybody can read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// How long a token lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Token {
    /// `expires_in` of the answer, seconds.
    pub expires_in_s: Option<u64>,
    /// `iat` inside the token, seconds since 1970.
    pub issued_at_s: Option<u64>,
    /// `exp` inside the token, seconds since 1970.
    pub expires_at_s: Option<u64>,
    /// A refresh token came with it.
    pub refreshable: bool,
}

/// Longest claims that are read, bytes of base64.
const MAX_CLAIMS_BYTES: usize = 16 << 10;

impl Token {
    /// Whether a path (with or without its query) gives out tokens.
    #[must_use]
    pub fn is_at(path: &str) -> bool {
        path.split('?').next() == Some("/desktop/sso/token")
    }

    /// Reads an answer. `None` if there is no token in it.
    #[must_use]
    pub fn read(content: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            refresh_token: Option<String>,
            expires_in: Option<Value>,
        }
        let answer: Answer = serde_json::from_str(content).ok()?;
        let token = answer.token?;
        let claims = claims(&token).unwrap_or_default();
        let seconds = |value: Option<&Value>| match value? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        Some(Self {
            expires_in_s: seconds(answer.expires_in.as_ref()),
            issued_at_s: seconds(claims.get("iat")),
            expires_at_s: seconds(claims.get("exp")),
            refreshable: answer.refresh_token.is_some_and(|token| !token.is_empty()),
        })
    }
}

fn claims(token: &str) -> Option<Value> {
    let middle = token.split('.').nth(1).filter(|claims| claims.len() <= MAX_CLAIMS_BYTES)?;
    let bytes = URL_SAFE_NO_PAD.decode(middle.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_told() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"{\"user_id\":\"1001\"}","iat":1767225600,"exp":1767225900}"#);
        let answer = format!(
            r#"{{"token":"eyJhbGciOiJSUzI1NiJ9.{claims}.c2ln","refresh_token":"x","expires_in":"300","user_id":"1001"}}"#
        );
        let expected = Token {
            expires_in_s: Some(300),
            issued_at_s: Some(1_767_225_600),
            expires_at_s: Some(1_767_225_900),
            refreshable: true,
        };
        assert_eq!(Token::read(&answer), Some(expected));
        let opaque = r#"{"token":"not-a-jwt","expires_in":300}"#;
        assert_eq!(Token::read(opaque), Some(Token { expires_in_s: Some(300), ..Token::default() }));
        for none in ["", "{}", "[]", "<html>", r#"{"error":"invalid"}"#, r#"{"token":null}"#] {
            assert_eq!(Token::read(none), None, "{none}");
        }
    }
}
