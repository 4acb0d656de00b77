//! The leak guard: the last look at a finished line for secrets that were just seen on its connection.
//!
//! The rules should have removed them; this is the net below the rules. Remembers each secret in the forms it may hide in
//! (raw, base64 at any alignment, percent-encoded once and twice, XML entities, JSON escapes) and searches a line for all
//! of them at once. Limits: the last [`MAX_SECRETS`] secrets of a connection; nothing shorter than four bytes; from four
//! to seven bytes only as a whole word outside JSON numbers; never a word of our own vocabulary.

use aho_corasick::packed::Searcher;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::VecDeque;

/// Secrets remembered per connection.
pub const MAX_SECRETS: usize = 64;
/// Patterns in one vectorised search: what the widest registers take.
const GROUP: usize = 64;
/// Longest part of a secret that is searched for, bytes: a longer one (an SSO token) is known by its beginning.
const MAX_SECRET_BYTES: usize = 512;
/// Shortest secret searched for at all, bytes.
const MIN_SECRET_BYTES: usize = 4;
/// From this length on a secret is searched for inside words, bytes.
const FREE_SECRET_BYTES: usize = 8;

/// Words that every line holds: a password that is one of them cannot be searched for.
const OWN_WORDS: &str = "@timestamp event sequence id kind category network type action dataset duration outcome log level message \
    trace transaction protocol application websocket https client server domain port http request response method \
    status_code mime_type bytes body content tls version version_protocol cipher next_protocol established resumed \
    server_name subject issuer not_before not_after hash sha256 x509 alternative_names url path query user name user_agent \
    original error code finesse schema session conn upstream connect_us direction keepalive xmpp payload namespace pubsub \
    node item_id subscription resource mechanisms rtt_us in_reply_to update object source request_id caused_by latency_us \
    state previous_state pending_state state_change_time reason_code reason_label team_id dialog participants address \
    actions api_error decode layer offset opaque gap capture redaction count redact auth xml_bytes xml_truncated desktop \
    password passwd secret token credential authorization basic bearer cookie sasl plain jwt sso authentication connection \
    text/xml application/xml application/json request_headers response_headers jabber:client urn:ietf:params:xml:ns:xmpp-sasl \
    http://jabber.org/protocol/pubsub#event notification Update iq presence stanza true false null none \
    LOGIN LOGOUT READY NOT_READY RESERVED TALKING HOLD WORK ACTIVE ALERTING INITIATED DROPPED";

/// The secrets of one connection.
#[derive(Default)]
pub struct Guard {
    secrets: VecDeque<String>,
    search: Option<Search>,
}

/// What is searched for. Held per connection, so it is kept to a few kB: no automaton, which would take a hundred times
/// that.
struct Search {
    /// Vectorised searches for groups of the patterns, which nearly always say that there is nothing. Empty where the
    /// processor has no such instructions.
    quick: Vec<Searcher>,
    patterns: Vec<Pattern>,
}

struct Pattern {
    form: Vec<u8>,
    /// It must stand as a word of its own.
    whole_word: bool,
}

impl Guard {
    /// Remembers a secret. `public` names what is known and kept anyway (the user's name): a password equal to it is not
    /// searched for, or nothing could be written.
    pub fn learn(&mut self, secret: &str, public: &[&str]) {
        let secret = prefix(secret, MAX_SECRET_BYTES);
        let hopeless = secret.len() < MIN_SECRET_BYTES
            || OWN_WORDS.contains(secret)
            || is_mark(secret)
            || public.iter().any(|known| known.eq_ignore_ascii_case(secret));
        if hopeless || self.secrets.iter().any(|known| known == secret) {
            return;
        }
        if self.secrets.len() == MAX_SECRETS {
            self.secrets.pop_front();
        }
        self.secrets.push_back(secret.to_owned());
        self.search = Some(Search::of(&self.secrets));
    }

    /// Whether a finished line holds one of the secrets in any form.
    #[must_use]
    pub fn finds_leak(&self, line: &[u8]) -> bool {
        let Some(search) = &self.search else { return false };
        if !search.quick.is_empty() && search.quick.iter().all(|group| group.find(line).is_none()) {
            return false;
        }
        search.patterns.iter().any(|Pattern { form, whole_word }| {
            memmem::find_iter(line, form).any(|at| !whole_word || is_word(line, at, at + form.len()))
        })
    }
}

/// What our own rules leave in place of a credential: it is there when an export is read in again.
fn is_mark(text: &str) -> bool {
    let kind = text.strip_prefix("[cred:").and_then(|rest| rest.strip_suffix(']'));
    kind.is_some_and(|kind| kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

impl Search {
    fn of(secrets: &VecDeque<String>) -> Self {
        let mut all: Vec<Pattern> = secrets
            .iter()
            .flat_map(|secret| {
                let whole_word = secret.len() < FREE_SECRET_BYTES;
                forms(secret).into_iter().map(move |form| Pattern { form, whole_word })
            })
            .collect();
        all.sort_by_key(|pattern| pattern.form.len());
        let mut patterns: Vec<Pattern> = Vec::new();
        for pattern in all {
            // Whatever holds a shorter pattern is found by it.
            let found_by = |known: &Pattern| {
                known.form == pattern.form || (!known.whole_word && memmem::find(&pattern.form, &known.form).is_some())
            };
            if !patterns.iter().any(found_by) {
                patterns.push(pattern);
            }
        }
        let groups = patterns.chunks(GROUP).map(|group| Searcher::new(group.iter().map(|pattern| &pattern.form)));
        Self { quick: groups.collect::<Option<_>>().unwrap_or_default(), patterns }
    }
}

/// Every spelling of a secret that could stand in a line.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string();
    let json =
        |text: &str| serde_json::to_string(text).map(|quoted| quoted.trim_matches('"').to_owned()).unwrap_or_default();
    let mut forms = vec![secret.to_owned(), json(secret), percent.to_lowercase(), percent, twice.to_lowercase(), twice];
    // Writers of XML agree on escaping `&` and `<` in text, and on nothing else. An Update is escaped once more.
    for optional in ["", ">", ">\"", ">\"'"] {
        for text in [secret, &json(secret)] {
            let once: String = text.chars().map(|c| entity(c, optional)).collect();
            forms.push(once.replace('&', "&amp;"));
            forms.push(once);
        }
    }
    forms.push(STANDARD.encode(secret));
    forms.push(URL_SAFE_NO_PAD.encode(secret));
    if secret.len() >= FREE_SECRET_BYTES {
        forms.extend((0..3).map(|pad| inner_base64(secret, pad)));
    }
    // Whatever the form, the line is JSON: quotes and backslashes in it are escaped once more.
    let escaped: Vec<String> = forms.iter().map(|form| json(form)).collect();
    forms.extend(escaped);
    forms.retain(|form| form.len() >= MIN_SECRET_BYTES);
    forms.into_iter().map(String::into_bytes).collect()
}

fn entity(c: char, optional: &str) -> String {
    let name = match c {
        '&' => "amp",
        '<' => "lt",
        '>' if optional.contains(c) => "gt",
        '"' if optional.contains(c) => "quot",
        '\'' if optional.contains(c) => "apos",
        _ => return c.to_string(),
    };
    format!("&{name};")
}

/// The base64 characters that depend on `secret` alone when it stands behind `pad` unknown bytes (modulo 3).
fn inner_base64(secret: &str, pad: usize) -> String {
    let mut bytes = vec![0; pad];
    bytes.extend_from_slice(secret.as_bytes());
    let whole = bytes.len() / 3 * 4;
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let start = if pad == 0 { 0 } else { 4 };
    encoded.get(start..whole).unwrap_or_default().to_owned()
}

fn is_word(line: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| line.get(at)).copied().unwrap_or(b' ');
    let after = line.get(end).copied().unwrap_or(b' ');
    if before.is_ascii_alphanumeric() || after.is_ascii_alphanumeric() {
        return false;
    }
    // A number of our own (`"port":1234,`) is no string and no secret.
    let own_number = before == b':' && matches!(after, b',' | b'}' | b']');
    !own_number
}

fn prefix(text: &str, limit_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(limit_bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(secrets: &[&str]) -> Guard {
        let mut guard = Guard::default();
        secrets.iter().for_each(|secret| guard.learn(secret, &["1001"]));
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
            let line = format!(r#"{{"message":"a {form} b"}}"#);
            assert!(guard.finds_leak(line.as_bytes()), "{name} is not found");
        }
        assert!(!guard.finds_leak(br#"{"message":"nothing of it"}"#));
    }

    #[test]
    fn short_secrets_are_found_as_words_and_not_in_numbers() {
        let guard = guard(&["1234"]);
        assert!(guard.finds_leak(br#"{"x":"pin 1234"}"#));
        assert!(guard.finds_leak(br#"{"x":"1234"}"#));
        assert!(!guard.finds_leak(br#"{"port":1234,"x":"51234 12345"}"#));
    }

    #[test]
    fn what_would_block_every_line_is_not_searched_for() {
        let guard = guard(&["finesse", "1001", "abc", "password"]);
        assert!(guard.search.is_none());
    }

    #[test]
    fn the_latest_secrets_are_kept() {
        let many: Vec<String> = (0..MAX_SECRETS + 1).map(|n| format!("secret-number-{n:03}")).collect();
        let guard = guard(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!guard.finds_leak(b"secret-number-000"));
        assert!(guard.finds_leak(b"secret-number-064"));
    }
}
