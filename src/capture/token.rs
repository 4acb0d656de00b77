//! Tokens: a value replaced by something that is the same for the same value and tells nothing else.
//!
//! HMAC-SHA-256 under a key per class, derived by HKDF (RFC 5869) from a master key that never leaves the process; the
//! first 50 bits in Crockford base32. Without the key a token cannot be tested against a guess.

use super::rules::Class;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};

/// Makes tokens under one master key.
pub struct Tokens {
    session: hmac::Key,
}

impl Tokens {
    /// Tokens under a fresh random key: stable within this run, unrelated to any other.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        let mut master = [0; 32];
        SystemRandom::new().fill(&mut master)?;
        Self::under(&master)
    }

    /// Tokens under a key of one's own.
    ///
    /// # Errors
    /// The key could not be derived.
    pub fn under(master: &[u8; 32]) -> Result<Self, ring::error::Unspecified> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"finesse-tap tokens 1").extract(master);
        let session = prk.expand(&[Class::Session.as_str().as_bytes()], hmac::HMAC_SHA256)?.into();
        Ok(Self { session })
    }

    /// The token of a session identifier: `k-` and ten characters.
    #[must_use]
    pub fn session(&self, value: &str) -> String {
        format!("k-{}", base32_50(hmac::sign(&self.session, value.as_bytes()).as_ref()))
    }
}

fn base32_50(bytes: &[u8]) -> String {
    const ALPHABET: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n',
        'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
    ];
    let head = bytes.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let digit = |place: u32| ALPHABET.get((head >> (59 - 5 * place) & 31) as usize).copied().unwrap_or('0');
    (0..10).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_value_same_token_within_a_key_only() {
        let (one, other) = (Tokens::random().unwrap(), Tokens::random().unwrap());
        assert_eq!(one.session("abc"), one.session("abc"));
        assert_ne!(one.session("abc"), one.session("abd"));
        assert_ne!(one.session("abc"), other.session("abc"));
        assert_eq!(one.session("abc").len(), 12);
    }

    #[test]
    fn fifty_bits_in_crockford_base32() {
        assert_eq!(base32_50(&[0xff; 32]), "zzzzzzzzzz");
        assert_eq!(base32_50(&[0; 32]), "0000000000");
        assert_eq!(base32_50(&[0x08, 0, 0, 0, 0, 0, 0, 0]), "1000000000");
    }
}
