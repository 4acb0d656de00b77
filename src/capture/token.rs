//! Tokens: a value replaced by something that is the same for the same value, still parses as what it replaces, and
//! tells nothing else.
//!
//! HMAC-SHA-256 under a key per kind, derived by HKDF (RFC 5869) from a master key that never leaves the machine and the
//! name of a case; 50 bits in Crockford base32, for addresses 17 bits in 198.18/15 (RFC 2544) or 80 in a prefix of our
//! own below fd00::/8 (RFC 4193). Without the key a token cannot be tested against a guess. Of IPv4 addresses, two in a
//! few hundred may share a token.

use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::mpsc::Sender;

/// Values remembered for an index at the most.
const MAX_REMEMBERED: usize = 200_000;
/// The first 48 bits of every IPv6 token: below fd00::/8, with a global id that nobody draws by chance.
const OWN_PREFIX: [u16; 3] = [0xfdf1, 0x7e55, 0xe7a9];

/// What a token stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// `k-`: a session identifier.
    Session,
    /// `u-`: a login id or JID localpart.
    Login,
    /// `p-`: a name or e-mail address of a person.
    Name,
    /// `t-`: a telephone's number, by its digits.
    Phone,
    /// `q-`: the name of a team, queue or the like.
    Label,
    /// `w-`: a word of a sentence that no list knows.
    Word,
    /// `h-….invalid`: a host.
    Host,
    /// An IP address in the token ranges.
    Address,
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Session, Self::Login, Self::Name, Self::Phone, Self::Label, Self::Host, Self::Address, Self::Word];

    /// As the index writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Login => "login",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Label => "label",
            Self::Word => "word",
            Self::Host => "host",
            Self::Address => "address",
        }
    }
}

/// What tokens are made with: 32 random bytes and the name of a case. No `Debug`.
#[derive(Clone)]
pub struct Key {
    /// The master key.
    pub master: [u8; 32],
    /// Which case it is for: other cases have other tokens.
    pub case: String,
}

impl Key {
    /// A fresh key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        let mut master = [0; 32];
        SystemRandom::new().fill(&mut master)?;
        Ok(Self { master, case: String::new() })
    }

    /// A name for the key that tells nothing about it.
    #[must_use]
    pub fn id(&self) -> String {
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.master), format!("id {}", self.case).as_bytes());
        base32_50(mac.as_ref())
    }
}

/// A token that was made, for an index beside the key and nowhere else. No `Debug`.
pub struct Note {
    /// The token.
    pub token: String,
    /// What it stands for.
    pub kind: Kind,
    /// That itself, normalised.
    pub value: String,
}

/// Makes tokens under one key, and remembers what they stand for.
pub struct Tokens {
    keys: Vec<hmac::Key>,
    known: BTreeMap<(Kind, String), String>,
    notes: Option<Sender<Note>>,
}

impl Tokens {
    /// Tokens under a fresh random key: stable within this run, unrelated to any other.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn random() -> Result<Self, ring::error::Unspecified> {
        Self::of(&Key::random()?)
    }

    /// Tokens under a key of one's own.
    ///
    /// # Errors
    /// The key could not be derived.
    pub fn under(master: &[u8; 32]) -> Result<Self, ring::error::Unspecified> {
        Self::of(&Key { master: *master, case: String::new() })
    }

    /// Tokens under a key and its case.
    ///
    /// # Errors
    /// The keys could not be derived.
    pub fn of(key: &Key) -> Result<Self, ring::error::Unspecified> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"finesse-tap tokens 1").extract(&key.master);
        let derive = |kind: Kind| -> Result<hmac::Key, ring::error::Unspecified> {
            // A word that turns out to be a login has the login's letters.
            let kind = if kind == Kind::Word { Kind::Login } else { kind };
            Ok(prk.expand(&[kind.as_str().as_bytes(), key.case.as_bytes()], hmac::HMAC_SHA256)?.into())
        };
        Ok(Self {
            keys: Kind::ALL.into_iter().map(derive).collect::<Result<_, _>>()?,
            known: BTreeMap::new(),
            notes: None,
        })
    }

    /// The same, telling every token that is made; session identifiers are told to nobody.
    #[must_use]
    pub fn noting(self, notes: Sender<Note>) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// The token of a session identifier: `k-` and ten characters.
    #[must_use]
    pub fn session(&self, value: &str) -> String {
        format!("k-{}", base32_50(&self.mac(Kind::Session, value)))
    }

    /// What ties the lines about one REST request together (`transaction.id`): 16 hex digits that tell nothing of its id.
    #[must_use]
    pub fn transaction(&self, request_id: &str) -> String {
        let mac = self.mac(Kind::Session, &format!("transaction\0{request_id}"));
        mac.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The token of a value, normalised first: logins and hosts in lower case, telephones by their digits.
    pub fn token(&mut self, kind: Kind, value: &str) -> String {
        let normal = normal(kind, value);
        let key = (kind, normal);
        if let Some(token) = self.known.get(&key) {
            return token.clone();
        }
        let mac = self.mac(kind, &key.1);
        let token = match kind {
            Kind::Session => format!("k-{}", base32_50(&mac)),
            Kind::Login => format!("u-{}", base32_50(&mac)),
            Kind::Name => format!("p-{}", base32_50(&mac)),
            Kind::Phone => format!("t-{}", base32_50(&mac)),
            Kind::Label => format!("q-{}", base32_50(&mac)),
            Kind::Word => format!("w-{}", base32_50(&mac)),
            Kind::Host => format!("h-{}.invalid", base32_50(&mac)),
            Kind::Address => address(&mac, key.1.contains(':')).to_string(),
        };
        if let Some(notes) = self.notes.as_ref().filter(|_| kind != Kind::Session) {
            // Nobody listening means nobody will ask.
            let _ = notes.send(Note { token: token.clone(), kind, value: key.1.clone() });
        }
        if kind != Kind::Session && self.known.len() < MAX_REMEMBERED {
            self.known.insert(key, token.clone());
        }
        token
    }

    fn mac(&self, kind: Kind, value: &str) -> Vec<u8> {
        let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        self.keys.get(place).map(|key| hmac::sign(key, value.as_bytes()).as_ref().to_vec()).unwrap_or_default()
    }
}

/// Whether a text is a token already.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let body = match text.as_bytes() {
        [b'u' | b'p' | b't' | b'q' | b'k' | b'w', b'-', ..] => text.get(2..),
        [b'h', b'-', ..] => text.get(2..).map(|rest| rest.strip_suffix(".invalid").unwrap_or(rest)),
        _ => return text.parse::<IpAddr>().is_ok_and(is_token_address),
    };
    body.is_some_and(|body| body.len() == 10 && body.bytes().all(|b| ALPHABET.contains(&(b as char))))
}

/// Whether an address lies in the ranges that tokens are made in.
#[must_use]
pub fn is_token_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(v4.octets(), [198, 18 | 19, ..]),
        IpAddr::V6(v6) => v6.segments().starts_with(&OWN_PREFIX),
    }
}

fn normal(kind: Kind, value: &str) -> String {
    let value = value.trim();
    match kind {
        Kind::Session => value.to_owned(),
        Kind::Login => value.replace("\\40", "@").to_lowercase(),
        Kind::Phone => {
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            if digits.is_empty() { value.to_lowercase() } else { digits }
        }
        Kind::Host => value.trim_end_matches('.').to_lowercase(),
        Kind::Name | Kind::Label | Kind::Word | Kind::Address => value.to_lowercase(),
    }
}

fn address(mac: &[u8], v6: bool) -> IpAddr {
    let byte = |at: usize| mac.get(at).copied().unwrap_or_default();
    if !v6 {
        return IpAddr::V4(Ipv4Addr::new(198, 18 | (byte(0) & 1), byte(1), byte(2)));
    }
    let [a, b, c] = OWN_PREFIX;
    let word = |at: usize| u16::from_be_bytes([byte(at), byte(at + 1)]);
    IpAddr::V6(Ipv6Addr::new(a, b, c, word(0), word(2), word(4), word(6), word(8)))
}

const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p',
    'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
];

fn base32_50(bytes: &[u8]) -> String {
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
    fn a_case_has_tokens_of_its_own() {
        let key = |case: &str| Key { master: [7; 32], case: case.into() };
        let token = |case| Tokens::of(&key(case)).unwrap().token(Kind::Login, "1001");
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert_ne!(key("a").id(), key("b").id());
    }

    #[test]
    fn spellings_of_one_thing_share_a_token_and_all_are_recognised() {
        let mut tokens = Tokens::under(&[1; 32]).unwrap();
        assert_eq!(tokens.token(Kind::Phone, "+1 (202) 555-0143"), tokens.token(Kind::Phone, "12025550143"));
        assert_eq!(tokens.token(Kind::Login, "Ann\\40x.test"), tokens.token(Kind::Login, "ann@X.test"));
        for (kind, value) in [
            (Kind::Session, "x"),
            (Kind::Login, "ann"),
            (Kind::Name, "Ann"),
            (Kind::Phone, "2001"),
            (Kind::Label, "Sales"),
            (Kind::Host, "a.b"),
            (Kind::Address, "10.1.2.3"),
            (Kind::Address, "2001:db8::1"),
        ] {
            let token = tokens.token(kind, value);
            assert!(is_token(&token), "{token}");
        }
        let (login, word) = (tokens.token(Kind::Login, "ann"), tokens.token(Kind::Word, "ANN"));
        assert_eq!(login.strip_prefix('u'), word.strip_prefix('w'));
        for other in ["u-short", "x-0123456789", "1001", "fd00::1", "10.1.2.3", "h-0123456789.test"] {
            assert!(!is_token(other), "{other}");
        }
    }

    #[test]
    fn fifty_bits_in_crockford_base32() {
        assert_eq!(base32_50(&[0xff; 32]), "zzzzzzzzzz");
        assert_eq!(base32_50(&[0; 32]), "0000000000");
        assert_eq!(base32_50(&[0x08, 0, 0, 0, 0, 0, 0, 0]), "1000000000");
    }
}
