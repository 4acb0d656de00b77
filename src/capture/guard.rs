//! The leak guard: a last look at every finished line for secrets that were seen between the same client and server.
//!
//! The rules should have removed them; this is the net below the rules. A secret is known in the forms it may hide in
//! ([`form`](super::form)); a hit is masked where it stands, and told. Learns what opens something, and of session identifiers
//! those that are long and random; a password that is a public word (`finesse`, the user's own name) cannot be searched for,
//! and that is told once. Short secrets and those of digits alone are found as whole words only.
//!
//! Costs no more for many secrets than for few: of each form some windows are remembered, and a line is looked at only where
//! one of them must lie if the form is in it at all. Limits: [`MAX_CREDENTIALS`] and [`MAX_SESSIONS`] of a client and server,
//! [`MAX_PAIRS`] of those; whatever is older is forgotten, credentials never for session identifiers.

use super::event::Event;
use super::form::{FREE_SECRET_BYTES, MIN_SECRET_BYTES, forms};
use super::policy::{mark, words};
use super::walk::looks;
use crate::conn::Peers;
use crate::http1::authorization;
use crate::xmpp::sasl;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;
use std::ops::Range;

/// Passwords and tokens remembered of a client and server.
pub const MAX_CREDENTIALS: usize = 10_000;
/// Session identifiers remembered of a client and server.
pub const MAX_SESSIONS: usize = 10_000;
/// Clients with their servers whose secrets are remembered.
pub const MAX_PAIRS: usize = 4_096;
/// Longest part of a secret that is searched for, bytes: a longer one (an SSO token) is known by its beginning.
const MAX_SECRET_BYTES: usize = 512;
/// Shortest session identifier that is worth searching for, if it does not look random.
const MIN_SESSION_BYTES: usize = 16;
/// Stands where a secret stood.
const MASK: &str = "[cred:seen]";

/// The guards of a run.
#[derive(Default)]
pub struct Guards {
    pairs: HashMap<(IpAddr, Box<str>), Guard>,
    order: VecDeque<(IpAddr, Box<str>)>,
    /// For what belongs to no connection.
    nobody: Guard,
}

impl Guards {
    /// The guard of a client and its server.
    pub fn of(&mut self, peers: Option<&Peers>) -> &mut Guard {
        let Some(peers) = peers else { return &mut self.nobody };
        self.pair(peers.client.ip(), &peers.server.host)
    }

    /// The guard of the client and the server that a stored line names.
    pub(super) fn between(&mut self, event: &Event<'_>) -> &mut Guard {
        let client = event.client.as_ref().and_then(|client| client.ip.as_deref()?.parse().ok());
        let server = event.server.as_ref().and_then(|server| server.domain.as_deref());
        match (client, server) {
            (Some(client), Some(server)) => self.pair(client, server),
            _ => &mut self.nobody,
        }
    }

    fn pair(&mut self, client: IpAddr, server: &str) -> &mut Guard {
        let pair = (client, Box::from(server));
        if !self.pairs.contains_key(&pair) {
            if self.pairs.len() >= MAX_PAIRS
                && let Some(oldest) = self.order.pop_front()
            {
                self.pairs.remove(&oldest);
            }
            self.order.push_back(pair.clone());
        }
        self.pairs.entry(pair).or_default()
    }
}

/// The secrets between a client and a server. No `Debug`.
#[derive(Default)]
pub struct Guard {
    known: HashSet<Box<str>>,
    credentials: Store,
    sessions: Store,
    /// A secret could not be searched for, and nobody was told yet.
    unsearchable: Unsearchable,
}

/// Whether some secret is a public word.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Unsearchable {
    #[default]
    None,
    Untold,
    Told,
}

impl Guard {
    /// Remembers what opens something, and what is packed in it. `user` is the name of the agent, which is kept anyway.
    pub fn learn_credential(&mut self, secret: &str, user: Option<&str>) {
        let secret = secret.trim();
        if secret.len() < MIN_SECRET_BYTES || mark::is_mark(secret) || looks::is_flag(secret) {
            return;
        }
        self.unpack(secret, user);
        let is_public = words::is_listed(secret) || user.is_some_and(|user| user.eq_ignore_ascii_case(secret));
        if is_public && self.unsearchable == Unsearchable::None {
            self.unsearchable = Unsearchable::Untold;
        }
        if !is_public {
            self.remember(secret, |guard| (&mut guard.credentials, MAX_CREDENTIALS));
        }
    }

    /// Remembers what names a session, if it is long and no word.
    pub fn learn_session(&mut self, secret: &str, user: Option<&str>) {
        let is_long = secret.len() >= MIN_SESSION_BYTES
            && !secret.contains([' ', '.', '/', '@', ','])
            && !words::is_listed(secret)
            && user != Some(secret);
        if is_long || looks::is_random(secret) {
            self.remember(secret, |guard| (&mut guard.sessions, MAX_SESSIONS));
        }
    }

    /// Whether a secret that is a public word was seen for the first time since this was asked.
    pub(super) fn take_unsearchable(&mut self) -> bool {
        let is_new = self.unsearchable == Unsearchable::Untold;
        if is_new {
            self.unsearchable = Unsearchable::Told;
        }
        is_new
    }

    /// Whether a finished line holds one of the secrets in any form.
    #[must_use]
    pub fn finds_leak(&self, line: &[u8]) -> bool {
        self.credentials.find(line).or_else(|| self.sessions.find(line)).is_some()
    }

    /// The text without the secrets in it; `None` if there is none.
    #[must_use]
    pub fn mask(&self, text: &str) -> Option<String> {
        let mut rest = text;
        let mut out = String::new();
        loop {
            let bytes = rest.as_bytes();
            let Some(hit) = [&self.credentials, &self.sessions]
                .into_iter()
                .filter_map(|s| s.find(bytes))
                .min_by_key(|hit| hit.start)
            else {
                break;
            };
            let (Some(before), Some(behind)) = (rest.get(..hit.start), rest.get(hit.end..)) else { break };
            out.push_str(before);
            out.push_str(MASK);
            rest = behind;
        }
        if out.is_empty() {
            return None;
        }
        out.push_str(rest);
        Some(out)
    }

    fn remember(&mut self, secret: &str, store: impl Fn(&mut Self) -> (&mut Store, usize)) {
        let secret = secret.get(..secret.floor_char_boundary(MAX_SECRET_BYTES)).unwrap_or(secret);
        if self.known.contains(secret) {
            return;
        }
        self.known.insert(Box::from(secret));
        let (store, limit) = store(self);
        if let Some(forgotten) = store.add(secret, limit) {
            self.known.remove(&forgotten);
        }
    }

    /// What base64 holds: `user:password`, the parts of SASL PLAIN and OAUTHBEARER; the parts of a JWT.
    fn unpack(&mut self, blob: &str, user: Option<&str>) {
        if let Some(plain) = sasl::plain(blob) {
            self.learn_credential(&plain.password, user);
            return;
        }
        if let Some(basic) = authorization::basic(format!("Basic {blob}").as_bytes()) {
            self.learn_credential(&basic.password, user);
            return;
        }
        if blob.starts_with("ey") && blob.contains('.') {
            blob.split('.')
                .filter(|part| part.len() >= MIN_SESSION_BYTES)
                .for_each(|part| self.learn_session(part, user));
            return;
        }
        let decoded = STANDARD.decode(blob).or_else(|_| URL_SAFE_NO_PAD.decode(blob));
        let Some(text) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { return };
        // RFC 7628 section 3.1.
        if let Some((_, token)) = text.split_once("auth=Bearer ") {
            self.learn_credential(token.split('\u{1}').next().unwrap_or_default(), user);
        }
    }
}

/// Secrets in all their forms, the oldest first.
#[derive(Default)]
struct Store {
    forms: Vec<Form>,
    /// Of each secret, where its forms end in `forms`.
    secrets: VecDeque<(Box<str>, Range<u32>)>,
    long: Windows<8, 9>,
    medium: Windows<4, 5>,
    words: Windows<4, 1>,
}

struct Form {
    bytes: Box<[u8]>,
    /// It must stand as a word of its own.
    is_word: bool,
    is_alive: bool,
}

impl Store {
    /// Adds a secret, and says which one it forgets for it.
    fn add(&mut self, secret: &str, limit: usize) -> Option<Box<str>> {
        let is_word = secret.len() < FREE_SECRET_BYTES || secret.bytes().all(|b| b.is_ascii_digit());
        let first = self.forms.len() as u32;
        for bytes in distinct(secret) {
            self.push(Form { bytes: bytes.into_boxed_slice(), is_word, is_alive: true });
        }
        self.secrets.push_back((Box::from(secret), first..self.forms.len() as u32));
        if self.secrets.len() <= limit {
            return None;
        }
        let (secret, forms) = self.secrets.pop_front()?;
        for form in self.forms.get_mut(forms.start as usize..forms.end as usize).into_iter().flatten() {
            form.is_alive = false;
        }
        // Now and then what is forgotten is thrown away.
        if forms.end as usize > self.forms.len() / 2 {
            self.rebuild();
        }
        Some(secret)
    }

    fn push(&mut self, form: Form) {
        let place = self.forms.len() as u32;
        match form.bytes.len() {
            _ if form.is_word => self.words.add(&form.bytes, place),
            ..8 => self.words.add(&form.bytes, place),
            8..16 => self.medium.add(&form.bytes, place),
            _ => self.long.add(&form.bytes, place),
        }
        self.forms.push(form);
    }

    fn rebuild(&mut self) {
        let old = std::mem::take(&mut self.forms);
        let gone = old.iter().take_while(|form| !form.is_alive).count() as u32;
        (self.long, self.medium, self.words) = (Windows::default(), Windows::default(), Windows::default());
        old.into_iter().filter(|form| form.is_alive).for_each(|form| self.push(form));
        for (_, forms) in &mut self.secrets {
            *forms = forms.start - gone..forms.end - gone;
        }
    }

    /// Where the first form stands that some part of the search finds.
    fn find(&self, line: &[u8]) -> Option<Range<usize>> {
        let holds = |form: u32, start: usize| {
            let form = self.forms.get(form as usize).filter(|form| form.is_alive)?;
            let end = start + form.bytes.len();
            let stands = line.get(start..end)? == &*form.bytes && (!form.is_word || is_word(line, start, end));
            stands.then_some(start..end)
        };
        let hits = [self.long.find(line, holds), self.medium.find(line, holds), self.words.find(line, holds)];
        hits.into_iter().flatten().min_by_key(|hit| hit.start)
    }
}

/// The forms of a secret, each once.
fn distinct(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = forms(secret);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Windows of `WIDTH` bytes at `STRIDE` places in a row of each form: wherever in a line the form stands, one of them lies at
/// a multiple of `STRIDE`.
struct Windows<const WIDTH: usize, const STRIDE: usize> {
    /// By window: which form, and how far behind its beginning.
    places: HashMap<u64, Vec<(u32, u16)>, BuildHasherDefault<Spread>>,
    /// One bit for the hash of each window, which nearly always says that there is nothing.
    filter: Vec<u64>,
    count: usize,
}

impl<const WIDTH: usize, const STRIDE: usize> Default for Windows<WIDTH, STRIDE> {
    fn default() -> Self {
        Self { places: HashMap::default(), filter: Vec::new(), count: 0 }
    }
}

/// Bits of a filter for each window in it.
const FILTER_BITS: usize = 16;

impl<const WIDTH: usize, const STRIDE: usize> Windows<WIDTH, STRIDE> {
    fn add(&mut self, form: &[u8], place: u32) {
        let last = form.len().saturating_sub(WIDTH + STRIDE - 1);
        // Tokens of one maker begin alike: of three places the one that fewest others share.
        let crowd =
            |start: &usize| window::<WIDTH>(form, *start).and_then(|key| self.places.get(&key)).map_or(0, Vec::len);
        let start = [last, last / 2, 0].into_iter().min_by_key(crowd).unwrap_or_default();
        for offset in start..start + STRIDE {
            let Some(key) = window::<WIDTH>(form, offset) else { break };
            self.places.entry(key).or_default().push((place, offset as u16));
            self.count += 1;
            if self.count * FILTER_BITS > self.filter.len() * 64 {
                let words = (self.count * FILTER_BITS * 4 / 64).next_power_of_two().max(16);
                self.filter = vec![0; words];
                let keys: Vec<u64> = self.places.keys().copied().collect();
                keys.into_iter().for_each(|key| self.mark(key));
            } else {
                self.mark(key);
            }
        }
    }

    fn mark(&mut self, key: u64) {
        let bit = self.bit(key);
        if let Some(word) = self.filter.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn bit(&self, key: u64) -> usize {
        (spread(key) >> 20) as usize & (self.filter.len() * 64 - 1)
    }

    fn find<T>(&self, line: &[u8], holds: impl Fn(u32, usize) -> Option<T>) -> Option<T> {
        if self.count == 0 {
            return None;
        }
        let mut at = 0;
        while let Some(key) = window::<WIDTH>(line, at) {
            let bit = self.bit(key);
            if self.filter.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1) {
                let places = self.places.get(&key).into_iter().flatten();
                let hit =
                    places.filter_map(|(form, offset)| holds(*form, at.checked_sub(usize::from(*offset))?)).next();
                if hit.is_some() {
                    return hit;
                }
            }
            at += STRIDE;
        }
        None
    }
}

fn window<const WIDTH: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let window: &[u8; WIDTH] = bytes.get(at..at + WIDTH)?.try_into().ok()?;
    Some(window.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)))
}

/// Windows are text: multiplied, all of their bits reach the upper ones.
fn spread(key: u64) -> u64 {
    (key ^ key >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hashes a window.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = spread(key ^ self.0.rotate_left(31));
        self.0 ^= self.0 >> 32;
    }
}

fn is_word(line: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| line.get(at)).copied().unwrap_or(b' ');
    let after = line.get(end).copied().unwrap_or(b' ');
    !before.is_ascii_alphanumeric() && !after.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    fn guard(secrets: &[&str]) -> Guard {
        let mut guard = Guard::default();
        secrets.iter().for_each(|secret| guard.learn_credential(secret, Some("1001")));
        guard
    }

    #[test]
    fn every_form_of_a_secret_is_found() {
        let secret = "S3cr\"t<&>pä ss/w+rd";
        let guard = guard(&[secret]);
        let json = serde_json::to_string(secret).unwrap();
        let mut entities = String::new();
        crate::xmpp::parse::escape(secret, &mut entities);
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let triple = format!("1001@finesse.test\u{0}1001\u{0}{secret}");
        for (name, form) in [
            ("raw", secret.to_owned()),
            ("json", json.trim_matches('"').to_owned()),
            ("entities", entities),
            ("entities, the needed ones", secret.replace('&', "&amp;").replace('<', "&lt;")),
            ("percent", percent.clone()),
            ("percent, lower case", percent.to_lowercase()),
            ("percent twice", utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string()),
            ("base64", STANDARD.encode(secret)),
            ("base64 in Basic", STANDARD.encode(format!("1001:{secret}"))),
            ("base64 in SASL PLAIN", STANDARD.encode(triple)),
            ("base64 behind one byte", STANDARD.encode(format!("x{secret}xyz"))),
        ] {
            for before in 0..12 {
                let text = format!("{}{form} b", "a ".repeat(before));
                assert!(guard.finds_leak(text.as_bytes()), "{name} is not found behind {before} words");
                let masked = guard.mask(&text).unwrap();
                assert!(
                    !masked.contains(&form) && masked.contains(MASK) && masked.starts_with(&"a ".repeat(before)),
                    "{masked}"
                );
            }
        }
        assert!(!guard.finds_leak(br#"{"message":"nothing of it"}"#));
    }

    #[test]
    fn secrets_of_every_length_are_found_wherever_they_stand() {
        for length in MIN_SECRET_BYTES..80 {
            let secret: String = (0..length).map(|n| char::from(b'A' + ((n * 7 + length) % 26) as u8)).collect();
            let guard = guard(&[&secret]);
            for at in 0..20 {
                let line = format!("{}{secret} and more", " ".repeat(at));
                assert!(guard.finds_leak(line.as_bytes()), "{length} bytes at {at}");
            }
        }
    }

    #[test]
    fn short_secrets_and_digits_are_found_as_words() {
        for secret in ["x4z1", "4711", "7391046285"] {
            let guard = guard(&[secret]);
            assert!(
                guard.finds_leak(format!("pin {secret}").as_bytes())
                    && guard.finds_leak(format!("\"{secret}\"").as_bytes())
            );
            assert!(!guard.finds_leak(format!("5{secret} {secret}5").as_bytes()));
        }
    }

    #[test]
    fn what_is_public_is_not_searched_for_and_told_once() {
        let mut guard = guard(&["finesse", "1001", "abc", "password", "true", "desktop"]);
        assert!(guard.known.is_empty());
        assert!(guard.take_unsearchable() && !guard.take_unsearchable());
        for session in ["en_US", "2001", "127.0.0.1", "uccx1.example.test", "true", "Agent"] {
            guard.learn_session(session, None);
        }
        assert!(guard.known.is_empty());
    }

    #[test]
    fn what_is_packed_is_learnt() {
        let oauth = STANDARD.encode("n,a=1001@h,\u{1}auth=Bearer Rq9aamLm4xTz7vPw2\u{1}\u{1}");
        for (blob, secret) in [
            (STANDARD.encode("1001:hunter2hunter2"), "hunter2hunter2"),
            (STANDARD.encode("a@b\u{0}a\u{0}hunter2hunter2"), "hunter2hunter2"),
            (oauth, "Rq9aamLm4xTz7vPw2"),
        ] {
            assert!(guard(&[&blob]).finds_leak(format!("so {secret} it is").as_bytes()), "{secret}");
        }
    }

    #[test]
    fn sessions_never_push_a_credential_out() {
        let mut guard = guard(&["the-password-of-somebody"]);
        let name = |n| format!("session{n:06}Ab3dE5gH");
        for n in 0..MAX_SESSIONS + 10 {
            guard.learn_session(&name(n), None);
        }
        assert!(guard.finds_leak(b"the-password-of-somebody"));
        assert!(!guard.finds_leak(name(0).as_bytes()) && guard.finds_leak(name(MAX_SESSIONS + 9).as_bytes()));
        assert!(guard.known.len() <= MAX_SESSIONS + 1 && guard.sessions.forms.len() < 100_000);
    }
}
