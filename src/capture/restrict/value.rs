//! One value through a level stricter than `auth`, by what it is: kept, tokenised, reduced to its shape, or dropped.
//!
//! Composite values (JIDs, URLs, paths, ids, sentences) are taken apart, and every part that is not known to be harmless is
//! replaced. What is a token or a mark already stays one, so that restricting twice changes nothing.

use super::sentence::is_operational;
use super::{Restrictor, known, spelling};
use crate::capture::redact::{pattern, scrub::shape};
use crate::capture::rules::{self, Class, Level, Treatment};
use crate::capture::token::{Kind, is_token};
use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

/// Longest text whose parts are looked at, bytes; the rest is cut off.
const MAX_TEXT_BYTES: usize = 2_048;
/// From this many digits on, a number in free text may be somebody's.
const PHONE_DIGITS: usize = 4;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static SPACED_PHONE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\+?\(?\d[\d ()/.-]{5,}\d").expect("constant"));

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static GENERATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
            (?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) [0-9]{0,10} (?: :[A-Za-z]{1,20} )?
          | _(?:bind|session|roster|ping)(?:_auth)?_[0-9]{1,3}
          | [0-9]{1,3} (?: : (?:ping|subscribenode|unsubscribenode|sendIQ|presence|pubsub|publish) )?
        )$",
    )
    .expect("constant")
});

impl Restrictor {
    /// Whether this level leaves values of a class alone.
    pub(super) fn keeps(&self, class: Class) -> bool {
        self.level.treatment(class) == Treatment::Keep
    }

    pub(super) fn removed(&mut self, class: Class) {
        self.count += 1;
        *self.tally.removed.entry(class).or_default() += 1;
    }

    fn replace(&mut self, class: Class, kind: Kind, value: &str) -> String {
        if value.trim().is_empty() || self.keeps(class) {
            return value.to_owned();
        }
        let marks = self.level.treatment(class) != Treatment::Token;
        if is_mark(value) || (!marks && is_token(value)) {
            return value.to_owned();
        }
        self.removed(class);
        if marks { format!("[{}]", class.as_str()) } else { self.tokens.token(kind, value) }
    }

    pub(super) fn login(&mut self, value: &str) -> String {
        // Openfire's presence of Finesse itself; without it a login hangs, so it must stay visible.
        if value == "finesse" { value.to_owned() } else { self.replace(Class::Person, Kind::Login, value) }
    }

    pub(super) fn person(&mut self, value: &str) -> String {
        self.replace(Class::Person, Kind::Name, value)
    }

    pub(super) fn phone(&mut self, value: &str) -> String {
        self.replace(Class::Phone, Kind::Phone, value)
    }

    /// The name of a team, a queue and the like.
    pub(super) fn label(&mut self, value: &str) -> String {
        self.replace(Class::Infrastructure, Kind::Label, value)
    }

    pub(super) fn session(&mut self, value: &str) -> String {
        self.replace(Class::Session, Kind::Session, value)
    }

    pub(super) fn customer(&mut self, value: &str) -> String {
        if value.trim().is_empty() || self.keeps(Class::Customer) || is_mark(value) && self.level == Level::Share {
            return value.to_owned();
        }
        self.removed(Class::Customer);
        if self.level == Level::Share { shape(value) } else { String::from("[customer]") }
    }

    pub(super) fn credential(&mut self, name: &str, value: &str) -> String {
        if value.is_empty() || self.keeps(Class::Credential) || is_mark(value) {
            return value.to_owned();
        }
        self.removed(Class::Credential);
        format!("[cred:{}]", rules::kind_of(&name.to_lowercase()))
    }

    /// A value of a thing that no rule knows: nothing stays.
    pub(super) fn unknown(&mut self, value: &str) -> String {
        if self.keeps(Class::Unknown) || self.level <= Level::Auth {
            return value.to_owned();
        }
        if !value.trim().is_empty() {
            self.removed(Class::Unknown);
        }
        String::new()
    }

    /// A state, a code, a time, a count: one word that names nobody.
    pub(super) fn word(&mut self, value: &str) -> String {
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b"_.:+-/*[]".contains(&b);
        let fine = value.len() <= 64 && value.bytes().all(harmless) && digit_run(value) < 11;
        if fine || self.level <= Level::Auth || is_mark(value) {
            return value.to_owned();
        }
        self.removed(Class::Unknown);
        shape(value)
    }

    /// A number of at most `digits` digits; a longer one may be somebody's.
    pub(super) fn number(&mut self, value: &str, digits: usize) -> String {
        let bare = value.trim().trim_start_matches('-');
        let short = bare.len() <= digits && bare.bytes().all(|b| b.is_ascii_digit());
        let fine = short && (bare.len() < PHONE_DIGITS || self.tokens.known(bare).is_none());
        if fine { value.to_owned() } else { self.identifier(value) }
    }

    /// A host or IP address, perhaps with a port or a service's label in front.
    pub(super) fn host(&mut self, value: &str) -> String {
        if value.is_empty() || self.keeps(Class::Infrastructure) || is_mark(value) {
            return value.to_owned();
        }
        // Once each, whoever repeats them: a stack is not deep enough for what a peer may write.
        let value = value.trim();
        let (service, value) = match value.split_once('.') {
            Some((service @ ("pubsub" | "conference" | "search" | "proxy"), host)) => (Some(service), host),
            _ => (None, value),
        };
        let is_address = |host: &str| unbracketed(host).parse::<IpAddr>().is_ok();
        let (host, port) = match value.rsplit_once(':').filter(|(_, port)| !is_address(value) && is_port(port)) {
            Some((host, port)) => (host, Some(port)),
            None => (value, None),
        };
        let mut out = service.map_or_else(String::new, |service| format!("{service}."));
        out.push_str(&self.bare_host(host));
        if let Some(port) = port {
            out.push(':');
            out.push_str(port);
        }
        out
    }

    /// A host that this program's own sentences name, too.
    pub(super) fn machine(&mut self, value: &str) -> String {
        if self.level > Level::Auth {
            self.name_machine(value);
        }
        self.host(value)
    }

    fn bare_host(&mut self, value: &str) -> String {
        let bare = unbracketed(value);
        let is_address = bare.parse::<IpAddr>().is_ok();
        let stands = value.is_empty() || is_mark(value) || value == "localhost";
        if stands || (self.level == Level::Share && is_token(bare)) {
            return value.to_owned();
        }
        self.removed(Class::Infrastructure);
        if self.level == Level::Minimal {
            return String::from("[host]");
        }
        let token = self.tokens.token(if is_address { Kind::Address } else { Kind::Host }, bare);
        if bare.len() < value.len() { format!("[{token}]") } else { token }
    }

    /// `localpart@host/resource` (RFC 7622); parts may be missing.
    pub(super) fn jid(&mut self, value: &str) -> String {
        if value.is_empty() || self.level <= Level::Auth {
            return value.to_owned();
        }
        let (bare, resource) = value.split_once('/').map_or((value, None), |(bare, rest)| (bare, Some(rest)));
        let mut out = match bare.rsplit_once('@') {
            Some((local, host)) => format!("{}@{}", self.login(&local.to_lowercase()), self.host(&host.to_lowercase())),
            None => self.host(&bare.to_lowercase()),
        };
        if let Some(resource) = resource {
            out.push('/');
            out.push_str(&self.resource(resource));
        }
        out
    }

    /// An XMPP resource: the desktop's is fixed, others are generated.
    pub(super) fn resource(&mut self, value: &str) -> String {
        if matches!(value, "desktop" | "User" | "finesse" | "cuic" | "ccx") {
            value.to_owned()
        } else if value.contains(['@', '/']) {
            // Not a JID in a JID in a JID, but any text that a client chose.
            self.opaque(value)
        } else {
            self.identifier(value)
        }
    }

    /// A text that is nothing but different from others.
    fn opaque(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        self.removed(Class::Unknown);
        // Still the same for the same text, where there may be tokens.
        if self.level == Level::Share { self.tokens.session(value) } else { shape(value) }
    }

    /// An id of a request, stanza, item or dialog: generated ones stay, those that name somebody do not.
    pub(super) fn identifier(&mut self, value: &str) -> String {
        let is_kept_token = self.level == Level::Share && is_token(value);
        if value.is_empty() || self.level <= Level::Auth || is_mark(value) || is_kept_token {
            return value.to_owned();
        }
        if value.contains("__") {
            // Openfire's `/finesse/api/User/1071__1071@host__x`.
            return value.split("__").map(|part| self.identifier(part)).collect::<Vec<_>>().join("__");
        }
        if value.starts_with('/') {
            return self.path(value);
        }
        if value.contains('@') {
            return self.jid(value);
        }
        if GENERATED.is_match(value) {
            return value.to_owned();
        }
        if let Some(token) = self.tokens.known(value).filter(|_| self.level == Level::Share) {
            return token.to_owned();
        }
        self.opaque(value)
    }

    /// The path of a URL, a node's name, a `uri`: words of the API stay, ids do not.
    pub(super) fn path(&mut self, value: &str) -> String {
        if value.is_empty() || self.level <= Level::Auth {
            return value.to_owned();
        }
        let (path, query) = value.split_once('?').map_or((value, None), |(path, query)| (path, Some(query)));
        let path = path.split('#').next().unwrap_or(path);
        let api = path.starts_with("/finesse/api/");
        let mut out = String::with_capacity(path.len());
        let mut before = String::new();
        for (place, segment) in path.split('/').enumerate() {
            if place > 0 {
                out.push('/');
            }
            let (segment, parameters) =
                segment.split_once(';').map_or((segment, None), |(segment, rest)| (segment, Some(rest)));
            let plain = percent_decode_str(segment).decode_utf8_lossy().into_owned();
            let kept = if api && place > 3 { self.api_segment(&before, &plain) } else { self.segment(&plain) };
            out.push_str(&kept);
            for parameter in parameters.into_iter().flat_map(|rest| rest.split(';')) {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                if name.eq_ignore_ascii_case("jsessionid") {
                    out.push_str(&format!(";jsessionid={}", self.session(value)));
                } else {
                    self.removed(Class::Unknown);
                }
            }
            before = plain;
        }
        if let Some(query) = query {
            out.push('?');
            out.push_str(&self.pairs(query));
        }
        out
    }

    /// A segment behind `/finesse/api/OBJECT`; `before` stands in front of it.
    fn api_segment(&mut self, before: &str, segment: &str) -> String {
        match before {
            _ if segment.is_empty() => String::new(),
            "User" | "Users" => self.login(segment),
            _ if PATH_WORDS.contains(&segment) => segment.to_owned(),
            _ if PATH_WORDS.contains(&before) && segment.bytes().all(|b| b.is_ascii_digit()) => {
                self.number(segment, 12)
            }
            "Team" | "Queue" | "Media" => self.label(segment),
            _ => self.identifier(segment),
        }
    }

    fn segment(&mut self, segment: &str) -> String {
        if segment.is_empty() || PATH_WORDS.contains(&segment) || is_mark(segment) {
            return segment.to_owned();
        }
        self.removed(Class::Unknown);
        const FILES: [&str; 14] =
            ["js", "css", "html", "htm", "jsp", "png", "svg", "gif", "jpg", "ico", "woff", "woff2", "json", "xml"];
        match segment.rsplit_once('.').filter(|(_, extension)| FILES.contains(extension)) {
            Some((_, extension)) => format!("-.{extension}"),
            None => String::from("-"),
        }
    }

    /// A URL, absolute or not.
    pub(super) fn url(&mut self, value: &str) -> String {
        if value.is_empty() || self.level <= Level::Auth {
            return value.to_owned();
        }
        let value = value.split('#').next().unwrap_or(value);
        let Some((scheme, rest)) = value.split_once("://") else {
            return if value == "null" || value == "*" { value.to_owned() } else { self.path(value) };
        };
        let scheme =
            if matches!(scheme, "http" | "https" | "ws" | "wss") { scheme.to_owned() } else { self.segment(scheme) };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{}{}", self.host(host), self.path(path))
    }

    /// `name=value&…` of a query or form.
    pub(super) fn pairs(&mut self, text: &str) -> String {
        if self.level <= Level::Auth && self.rules.is_empty() {
            return text.to_owned();
        }
        let kept: Vec<String> = text.split('&').filter_map(|pair| self.pair(pair)).collect();
        kept.join("&")
    }

    fn pair(&mut self, pair: &str) -> Option<String> {
        let Some((name, raw)) = pair.split_once('=') else {
            return if self.level <= Level::Auth { Some(pair.to_owned()) } else { self.drop_unknown() };
        };
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let (key, once) = (decode(name).to_lowercase(), decode(raw));
        if let Some(value) = self.ruled(super::user::Place::Pair, &key, &once) {
            return Some(format!("{name}={value}"));
        }
        if self.level <= Level::Auth {
            return Some(pair.to_owned());
        }
        let value = match rules::query(&key) {
            Class::Credential if !rules::is_short_credential(&key) && !rules::is_telling(&key) => {
                self.removed(Class::Credential);
                return None;
            }
            Class::Credential => self.credential(&key, &once),
            Class::Session => self.session(&once),
            Class::Operational => match &*key {
                // Without its query, in which there may be a URL again, and so on.
                "url" | "redirect_uri" | "gadget" => self.url(once.split('?').next().unwrap_or_default()),
                "_" | "nocache" if raw.bytes().all(|b| b.is_ascii_digit()) => raw.to_owned(),
                "id" | "client_id" | "nodes" => return self.drop_unknown(),
                _ if digit_run(&once) < PHONE_DIGITS && once.len() <= 32 && !once.contains('@') => self.word(&once),
                _ => return self.drop_unknown(),
            },
            _ => return self.drop_unknown(),
        };
        Some(format!("{name}={value}"))
    }

    pub(super) fn drop_unknown(&mut self) -> Option<String> {
        self.removed(Class::Unknown);
        None
    }

    /// A peer's sentence: kept for a vendor without what looks like somebody's or somewhere's, and listed for a human eye.
    pub(super) fn text(&mut self, value: &str) -> String {
        if self.level <= Level::Auth || value.trim().is_empty() || is_mark(value) {
            return value.to_owned();
        }
        let code = value.len() <= 64 && value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if self.level == Level::Minimal && !code {
            self.removed(Class::Unknown);
            return shape(value);
        }
        let value = value.get(..value.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(value);
        let nameless = self.without_names(value);
        let kept = self.own_text(&nameless);
        let kept = self.without_numbers(&kept);
        self.tally.keep_text(&kept);
        kept
    }

    /// A sentence of this program's own, in which hosts and addresses may stand.
    pub(super) fn own_text(&mut self, value: &str) -> String {
        if self.level <= Level::Auth || value.trim().is_empty() {
            return value.to_owned();
        }
        let value = value.get(..value.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(value);
        let value = spelling::plain(value);
        let (value, found) = pattern::scrub(&value, |session| match self.level {
            Level::Minimal => String::from("[session]"),
            _ if is_token(session) => session.to_owned(),
            _ => self.tokens.session(session),
        });
        for _ in 0..found {
            self.removed(Class::Credential);
        }
        let spaced = SPACED_PHONE.replace_all(&value, |hit: &Captures<'_>| {
            let text = hit.get(0).map_or("", |m| m.as_str());
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let address = text.parse::<IpAddr>().is_ok() || is_token(text);
            // A time of day behind a date is looked at as a word of its own.
            let dated = text.split(' ').next().is_some_and(is_operational);
            if digits < 7 || address || dated { text.to_owned() } else { self.phone(text) }
        });
        let mut out = String::with_capacity(spaced.len());
        let edge = |c: char| c.is_whitespace() || "\"'<>(),;={}|".contains(c);
        let mut rest: &str = &spaced;
        while let Some(first) = rest.chars().next() {
            if edge(first) {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let end = rest.find(edge).unwrap_or(rest.len());
            let (piece, behind) = rest.split_at(end);
            let trimmed = piece.trim_end_matches(['.', ':', '!', '?']);
            out.push_str(&self.piece(trimmed));
            out.push_str(piece.get(trimmed.len()..).unwrap_or_default());
            rest = behind;
        }
        out
    }

    /// One word of a sentence.
    fn piece(&mut self, piece: &str) -> Cow<'static, str> {
        let digits = piece.bytes().filter(u8::is_ascii_digit).count();
        let numeric = piece.bytes().all(|b| b.is_ascii_digit() || b"+-./()".contains(&b));
        let looks_like_host = || {
            let mut labels = piece.split('.');
            let last = labels.next_back().unwrap_or_default();
            labels.next().is_some()
                && last.len() >= 2
                && last.bytes().all(|b| b.is_ascii_alphabetic())
                && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b))
        };
        Cow::Owned(match piece {
            _ if is_token(piece) && self.level == Level::Share || is_mark(piece) => piece.to_owned(),
            _ if piece.contains("://") => self.url(piece),
            _ if piece.starts_with('/') => self.path(piece),
            _ if piece.contains('@') => self.jid(piece),
            _ if piece.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() => self.host(piece),
            _ if piece.contains(':') => {
                let parts: Vec<String> = piece
                    .split(':')
                    .enumerate()
                    .map(
                        |(place, part)| {
                            if place > 0 && is_port(part) { part.to_owned() } else { self.piece(part).into_owned() }
                        },
                    )
                    .collect();
                parts.join(":")
            }
            _ if spelling::is_wrapped(piece) => {
                self.removed(Class::Unknown);
                shape(piece)
            }
            _ if is_operational(piece) => piece.to_owned(),
            _ if numeric && digits >= PHONE_DIGITS => self.phone(piece),
            _ if looks_like_host() => self.host(piece),
            _ if digit_run(piece) >= 7 => self.phone(piece),
            _ => match self.tokens.known(piece) {
                Some(token) if self.level == Level::Share => token.to_owned(),
                Some(_) => String::from("[person]"),
                None => piece.to_owned(),
            },
        })
    }

    /// What a browser says it is, without what browsers do not say.
    pub(super) fn user_agent(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        let value = value.get(..value.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(value);
        let word = |word| match known::agent_word(word) || word == "-" {
            true => word,
            false => {
                self.removed(Class::Unknown);
                "-"
            }
        };
        value.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    /// The name of a call variable: Cisco's own stays, and that of a value that the user keeps.
    pub(super) fn variable(&mut self, name: &str) -> String {
        let lower = name.to_lowercase();
        let kept = known::variable(&lower) || self.rules.keeps_variable(&lower);
        if kept { name.to_owned() } else { self.label(name) }
    }

    /// The name of an element that stands by itself.
    pub(super) fn element_name(&mut self, name: &str) -> String {
        if self.level <= Level::Auth || known::element(&name.to_lowercase()) {
            return name.to_owned();
        }
        self.removed(Class::Unknown);
        String::from("unknown")
    }

    /// The name of a SASL mechanism: an attribute or an element's text, in which a peer may write anything.
    pub(super) fn mechanism(&mut self, name: &str) -> String {
        if self.level <= Level::Auth || known::mechanism(name) {
            return name.to_owned();
        }
        self.removed(Class::Unknown);
        String::from("unknown")
    }

    /// The names of WebSocket subprotocols, separated by commas.
    pub(super) fn subprotocols(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        let one = |name: &str| match known::subprotocol(&name.trim().to_lowercase()) || is_mark(name.trim()) {
            true => name.trim().to_owned(),
            false => {
                self.removed(Class::Unknown);
                shape(name.trim())
            }
        };
        value.split(',').map(one).collect::<Vec<_>>().join(", ")
    }

    /// A header field's operational value; empty if there is more in it than such values hold.
    pub(super) fn plain(&mut self, name: &str, value: &str) -> String {
        let fine = match name {
            "date" | "expires" | "last-modified" | "if-modified-since" => is_date(value),
            "cache-control"
            | "strict-transport-security"
            | "keep-alive"
            | "range"
            | "content-range"
            | "retry-after"
            | "content-length"
            | "age"
            | "max-forwards"
            | "access-control-max-age" => {
                let word = |word: &str| {
                    word.len() < 10 && word.bytes().all(|b| b.is_ascii_digit())
                        || word.len() < 24 && word.bytes().all(|b| b.is_ascii_alphabetic())
                };
                value.split(|c| "=,; *\"/-".contains(c)).all(word)
            }
            _ => self.own_text(value) == value,
        };
        if fine { value.to_owned() } else { self.unknown(value) }
    }
}

/// A host without the brackets of an IPv6 address.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn digit_run(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default()
}

/// `Thu, 15 Jan 2026 09:12:40 GMT` (RFC 9110 section 5.6.7), or the 0 that many write in its place.
fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '0',
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            other => other,
        })
        .collect();
    matches!(&*shape, "Aaa, 00 Aaa 0000 00:00:00 AAA" | "0" | "-0")
}

/// Whether a text is what a rule left in a value's place.
pub(super) fn is_mark(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    match inside.split_once(':') {
        None => matches!(inside, "person" | "phone" | "customer" | "session" | "host" | "infrastructure"),
        Some(("text" | "digits", range)) => {
            range.len() <= 24 && range.bytes().all(|b| b.is_ascii_digit() || b == b'-') && range.contains('-')
        }
        Some(("unparsed", size)) => {
            size.strip_suffix(" bytes").is_some_and(|n| n.len() <= 12 && n.bytes().all(|b| b.is_ascii_digit()))
        }
        Some(("customer", count)) => count.len() <= 6 && count.bytes().all(|b| b.is_ascii_digit()),
        Some(("cred", kind)) => CREDENTIALS.contains(&kind),
        Some(_) => false,
    }
}

const CREDENTIALS: [&str; 17] = [
    "pem",
    "jwt",
    "userinfo",
    "password",
    "token",
    "sso",
    "key",
    "authorization",
    "secret",
    "sasl",
    "basic",
    "bearer",
    "digest",
    "negotiate",
    "ntlm",
    "splunk",
    "header",
];

/// Segments of paths that are words of the product's, not somebody's.
const PATH_WORDS: &[&str] = &[
    "finesse",
    "api",
    "User",
    "Users",
    "Team",
    "Teams",
    "Queue",
    "Queues",
    "Dialog",
    "Dialogs",
    "SystemInfo",
    "SystemVariables",
    "TeamMessage",
    "TeamMessages",
    "Media",
    "Devices",
    "ClientLog",
    "ClientLogs",
    "Contact",
    "Contacts",
    "LayoutConfig",
    "MediaPropertiesLayout",
    "MediaPropertiesLayouts",
    "PhoneBook",
    "PhoneBooks",
    "ReasonCode",
    "ReasonCodes",
    "WorkflowAction",
    "WorkflowActions",
    "Workflow",
    "Workflows",
    "WrapUpReason",
    "WrapUpReasons",
    "TeamResource",
    "DesktopConfig",
    "Desktop",
    "SsoToken",
    "Gadget",
    "desktop",
    "container",
    "sso",
    "token",
    "authcode",
    "ws",
    "http-bind",
    "tunnel",
    "gadgets",
    "ifr",
    "makeRequest",
    "concat",
    "proxy",
    "metadata",
    "rpc",
    "js",
    "css",
    "images",
    "img",
    "fonts",
    "assets",
    "scripts",
    "3rdpartygadget",
    "files",
    "cuic",
    "nls",
    "lib",
    "thirdparty",
    "theme",
    "locale",
    "favicon.ico",
    "index.html",
    "nocache",
];
