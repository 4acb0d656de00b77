//! One value through the policy: kept, masked, tokenised or reduced to its shape, and counted.

use crate::capture::guard::Guard;
use crate::capture::rules::{self, Class, Level, Treatment};
use crate::capture::token::Tokens;
use crate::http1::authorization;
use std::borrow::Cow;

/// From this length on a name is looked at like a text, bytes.
const MIN_TOKEN_BYTES: usize = 40;
/// From this length on what looks like a session identifier is one for the leak guard too, bytes.
const MIN_SESSION_BYTES: usize = 16;

/// The policy at work on one observation: what it removes it counts, and what opens something the guard learns.
pub(super) struct Scrub<'r> {
    pub(super) level: Level,
    pub(super) tokens: &'r Tokens,
    pub(super) guard: &'r mut Guard,
    pub(super) user: Option<&'r str>,
    pub(super) count: u64,
    /// Whether nothing was found in a text as a whole, so that nothing need be looked for in its parts.
    pub(super) is_clean: bool,
}

impl Scrub<'_> {
    /// A value of a known class; `name` says what it is called.
    pub(super) fn value<'v>(&mut self, class: Class, name: &str, value: &'v str) -> Cow<'v, str> {
        if value.is_empty() {
            return Cow::Borrowed(value);
        }
        match self.level.treatment(class) {
            Treatment::Keep if self.level == Level::Off => Cow::Borrowed(value),
            Treatment::Keep => self.text(value),
            Treatment::Mask => Cow::Owned(self.credential(rules::kind_of(&name.to_lowercase()), value)),
            Treatment::Token => Cow::Owned(self.session(value)),
            Treatment::Shape | Treatment::Mark | Treatment::Drop => {
                self.count += 1;
                Cow::Owned(shape(value))
            }
        }
    }

    /// A credential: masked, and remembered by the guard.
    pub(super) fn credential(&mut self, kind: &str, value: &str) -> String {
        if self.level == Level::Off {
            return value.to_owned();
        }
        self.learn(value);
        self.mask(kind)
    }

    /// A session identifier: tokenised, and remembered by the guard.
    pub(super) fn session(&mut self, value: &str) -> String {
        if self.level == Level::Off {
            return value.to_owned();
        }
        self.learn(value);
        self.count += 1;
        self.tokens.session(value)
    }

    /// `SCHEME credentials` (RFC 9110 section 11.4): the scheme stays.
    pub(super) fn authorization<'v>(&mut self, value: &'v str) -> Cow<'v, str> {
        if self.level == Level::Off || value.is_empty() {
            return Cow::Borrowed(value);
        }
        let Some((scheme, credentials)) = value.trim().split_once([' ', '\t']) else {
            return Cow::Owned(self.credential("authorization", value));
        };
        let credentials = credentials.trim();
        if let Some(basic) = authorization::basic(value.as_bytes()) {
            self.learn(&basic.password);
        }
        let known = ["basic", "bearer", "digest", "negotiate", "ntlm"];
        let kind = known.into_iter().find(|known| scheme.eq_ignore_ascii_case(known)).unwrap_or("authorization");
        let masked = self.credential(kind, credentials);
        Cow::Owned(if kind == "authorization" { masked } else { format!("{scheme} {masked}") })
    }

    /// Free text: kept but for what looks like a credential wherever it stands.
    pub(super) fn text<'v>(&mut self, text: &'v str) -> Cow<'v, str> {
        if self.level == Level::Off {
            return Cow::Borrowed(text);
        }
        let Self { guard, tokens, user, .. } = self;
        let (scrubbed, found) = super::pattern::scrub(text, |session| {
            // Found by its looks alone: a short one may be any word.
            if session.len() >= MIN_SESSION_BYTES {
                guard.learn(session, user.as_slice());
            }
            tokens.session(session)
        });
        self.count += found;
        scrubbed
    }

    /// The name of a field, an element or a member. No name of any protocol is as long as a token that stands in its place.
    pub(super) fn name<'v>(&mut self, name: &'v str) -> Cow<'v, str> {
        if name.len() < MIN_TOKEN_BYTES { Cow::Borrowed(name) } else { self.text(name) }
    }

    /// Content no rule can read: only its size is written.
    pub(super) fn unparsed(&mut self, bytes: usize) -> String {
        self.count += 1;
        format!("[unparsed:{bytes} bytes]")
    }

    pub(super) fn mask(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("[cred:{kind}]")
    }

    pub(super) fn learn(&mut self, secret: &str) {
        self.guard.learn(secret, self.user.as_slice());
    }
}

/// Kind of characters and length bucket: `[digits:4-7]`, `[text:16-31]`.
pub(in crate::capture) fn shape(value: &str) -> String {
    let kind = if value.bytes().all(|b| b.is_ascii_digit()) { "digits" } else { "text" };
    let low = value.len().checked_ilog2().map_or(0, |bits| 1_usize << bits);
    let high = low * 2 - usize::from(low > 0);
    format!("[{kind}:{low}-{high}]")
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
}
