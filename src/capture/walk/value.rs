//! Single values at a level stricter than `auth`: kept, tokenised, reduced to their shape, or dropped.
//!
//! Composite values (hosts, JIDs, ids) are taken apart, and every part that is not known to be harmless is replaced. What is a
//! token or a mark already stays one, so that redacting twice changes nothing.

use super::Pass;
use crate::capture::policy::mark::{is_mark, shape};
use crate::capture::policy::{Class, Level, Place, What, table, words};
use crate::capture::token::{Kind, is_token};
use regex::Regex;
use std::net::IpAddr;
use std::sync::LazyLock;

/// Longest number that names a dialog, team or queue, digits; a longer one may be a telephone's.
const MAX_NUMBER_DIGITS: usize = 9;
/// Longest count, code or duration, digits.
const MAX_COUNT_DIGITS: usize = 5;
/// Seconds since 1970 that are a time, not a telephone: 2008 to 2033; the same in milliseconds.
const EPOCH_S: std::ops::Range<u64> = 1_200_000_000..2_000_000_000;

/// Ids that are generated or numbered, and name nobody.
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

impl Pass<'_> {
    /// A value at a level stricter than `auth`.
    pub(super) fn strict(&mut self, what: What, name: &str, value: &str) -> String {
        match what {
            What::Credential | What::Authorization | What::Challenge => self.credential(name, value),
            What::Session | What::Cookies | What::SetCookie => self.session(value),
            What::Login if value.starts_with('/') => self.path(value),
            What::Login => self.login(value),
            What::Person => self.token(Class::Person, Kind::Name, value),
            What::Phone => self.phone(value),
            What::Customer => self.customer(value),
            What::Label => self.label(value),
            What::Host => self.host(value),
            What::Jid => self.jid(value),
            What::Path if value.starts_with('/') => self.path(value),
            What::Path => self.gone(value),
            What::Node => {
                let path = self.path(&format!("/finesse/api/{value}"));
                path.strip_prefix("/finesse/api/").unwrap_or_default().to_owned()
            }
            What::Url => self.url(value),
            What::Number => self.number(value),
            What::Id => self.id(value),
            What::Resource => self.resource(value),
            What::Variable => self.variable(value),
            What::Word => self.word(value),
            What::Sentence => self.sentence(value),
            What::Own => self.own_sentence(value),
            What::Names => {
                self.listed(value, ',', |part| table::find(Place::Header, "", part).is_some() || words::is_listed(part))
            }
            What::Methods => self.listed(value, ',', words::is_method),
            What::Languages => self.listed(value, ',', is_language),
            What::Media => self.media(value),
            What::Directives => self.listed(value, ',', is_directive),
            What::Date if is_date(value) => value.to_owned(),
            What::Method if words::is_method(value) || value == "?" => value.to_owned(),
            What::Method => self.instead(value, "?"),
            What::Condition if words::is_condition(value) || words::is_number(value) || value == "none given" => {
                value.to_owned()
            }
            What::Condition if table::is_known_member(value) => value.to_owned(),
            What::Mechanism if words::is_mechanism(value) => value.to_owned(),
            What::Condition | What::Mechanism => self.instead(value, "unknown"),
            What::Namespace if words::is_known_namespace(value) => value.to_owned(),
            What::UserAgent => self.user_agent(value),
            What::Subprotocols => self.subprotocols(value),
            What::Extensions if is_extensions(value) => value.to_owned(),
            What::DistinguishedName => self.distinguished_name(value),
            What::Pairs => self.pairs(value, name),
            What::Stanza => self.stanza(value).into_owned(),
            What::Content => self.content(value, name).into_owned(),
            What::Packet => self.gone(value),
            What::OwnId | What::RunId | What::Transaction => value.to_owned(),
            What::Date | What::Namespace | What::Extensions | What::Structure | What::Unknown => self.gone(value),
        }
    }

    /// Nothing stays.
    pub(super) fn gone(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        if !value.trim().is_empty() {
            self.removed(Class::Unknown);
        }
        String::new()
    }

    fn instead(&mut self, value: &str, other: &str) -> String {
        if value == other {
            return value.to_owned();
        }
        self.removed(Class::Unknown);
        other.to_owned()
    }

    pub(super) fn login(&mut self, value: &str) -> String {
        // Openfire's presence of Finesse itself; without it a login hangs, so it must stay visible.
        if value == "finesse" { value.to_owned() } else { self.token(Class::Person, Kind::Login, value) }
    }

    pub(super) fn phone(&mut self, value: &str) -> String {
        self.token(Class::Phone, Kind::Phone, value)
    }

    /// The name of a team, a queue and the like.
    pub(super) fn label(&mut self, value: &str) -> String {
        if self.level == Level::Minimal && !is_mark(value) {
            self.removed(Class::Infrastructure);
            return String::from("[infrastructure]");
        }
        self.token(Class::Infrastructure, Kind::Label, value)
    }

    fn customer(&mut self, value: &str) -> String {
        if is_mark(value) && (self.level == Level::Share || value.starts_with("[customer")) {
            return value.to_owned();
        }
        self.removed(Class::Customer);
        if self.level == Level::Share { shape(value) } else { String::from("[customer]") }
    }

    /// A word that no list knows: the same token for the same word.
    pub(super) fn stranger(&mut self, word: &str) -> String {
        if is_mark(word) || self.level == Level::Share && is_token(word) {
            return word.to_owned();
        }
        self.removed(Class::Unknown);
        if self.level == Level::Share { self.tokens.token(Kind::Word, word) } else { String::from("[word]") }
    }

    /// A state, a code, a type, a time, a count: words that name nobody, and short numbers.
    pub(super) fn word(&mut self, value: &str) -> String {
        let value = value.trim();
        if value.contains(char::is_whitespace) {
            return self.sentence(value);
        }
        let fine = is_address(value).is_none() && words::is_listed(value) || is_count(value) || is_epoch(value);
        if fine { value.to_owned() } else { self.stranger(value) }
    }

    /// A number that the server gave: of a dialog, a team, a queue.
    pub(super) fn number(&mut self, value: &str) -> String {
        let bare = value.trim().trim_start_matches('-');
        let is_short =
            |part: &str| (1..=MAX_NUMBER_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        // Of calls without voice there are three: `151635_312_1`.
        if bare.split('_').count() <= 3 && bare.split('_').all(is_short) { value.to_owned() } else { self.id(value) }
    }

    /// A host or IP address, perhaps with a port or a service's label in front.
    pub(super) fn host(&mut self, value: &str) -> String {
        if value.is_empty() || self.level <= Level::Auth || is_mark(value) {
            return value.to_owned();
        }
        // Once each, whoever repeats them: a stack is not deep enough for what a peer may write.
        let value = value.trim();
        let (service, value) = match value.split_once('.') {
            Some((service @ ("pubsub" | "conference" | "search" | "proxy"), host)) => (Some(service), host),
            _ => (None, value),
        };
        let (host, port) = match value.rsplit_once(':').filter(|(_, port)| is_address(value).is_none() && is_port(port))
        {
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

    fn bare_host(&mut self, value: &str) -> String {
        let bare = unbracketed(value);
        let stands = value.is_empty() || is_mark(value) || value == "localhost";
        if stands || (self.level == Level::Share && is_token(bare)) {
            return value.to_owned();
        }
        self.removed(Class::Infrastructure);
        if self.level == Level::Minimal {
            return String::from("[host]");
        }
        let kind = if bare.parse::<IpAddr>().is_ok() { Kind::Address } else { Kind::Host };
        let token = self.tokens.token(kind, bare);
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
    fn resource(&mut self, value: &str) -> String {
        if matches!(value, "desktop" | "User" | "finesse" | "cuic" | "ccx") {
            value.to_owned()
        } else if value.contains(['@', '/']) {
            // Not a JID in a JID in a JID, but any text that a client chose.
            self.opaque(value)
        } else {
            self.id(value)
        }
    }

    /// A text that is nothing but different from others.
    fn opaque(&mut self, value: &str) -> String {
        self.removed(Class::Unknown);
        if self.level == Level::Share { self.tokens.session(value) } else { shape(value) }
    }

    /// An id of a request, stanza, item: generated ones stay, those that may name somebody do not.
    pub(super) fn id(&mut self, value: &str) -> String {
        let is_kept_token = self.level == Level::Share && is_token(value);
        if value.is_empty() || self.level <= Level::Auth || is_mark(value) || is_kept_token {
            return value.to_owned();
        }
        if value.contains("__") {
            // Openfire's `/finesse/api/User/1071__1071@host__x`.
            return value.split("__").map(|part| self.id(part)).collect::<Vec<_>>().join("__");
        }
        match value {
            _ if value.starts_with('/') => self.path(value),
            _ if value.contains('@') => self.jid(value),
            _ if GENERATED.is_match(value) => value.to_owned(),
            _ => self.opaque(value),
        }
    }

    /// The name of a call variable: Cisco's own stays, and that of a value that the user keeps.
    fn variable(&mut self, name: &str) -> String {
        let kept = words::is_variable(name) || self.rules.keeps_variable(&name.to_lowercase());
        if kept { name.to_owned() } else { self.label(name) }
    }

    /// `CN=host, O=…`: of the parts only the common name, as a token (RFC 4514).
    fn distinguished_name(&mut self, value: &str) -> String {
        let name = value.split(',').find_map(|part| part.trim().strip_prefix("CN=")).unwrap_or(value);
        let host = name.contains('.') && !name.contains(' ');
        format!("CN={}", if host { self.host(name) } else { self.label(name) })
    }

    /// What a browser says it is, without what browsers do not say.
    fn user_agent(&mut self, value: &str) -> String {
        let word = |word| match words::is_agent_word(word) || word == "-" {
            true => word,
            false => {
                self.removed(Class::Unknown);
                "-"
            }
        };
        value.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

/// A host without the brackets of an IPv6 address.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// An IP address, brackets around it or not.
pub(super) fn is_address(text: &str) -> Option<IpAddr> {
    unbracketed(text).parse().ok()
}

pub(super) fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_count(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=MAX_COUNT_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_epoch(text: &str) -> bool {
    let seconds = match text.len() {
        10 => text.parse().ok(),
        13 => text.get(..10).and_then(|seconds| seconds.parse().ok()),
        _ => None,
    };
    text.bytes().all(|b| b.is_ascii_digit()) && seconds.is_some_and(|seconds: u64| EPOCH_S.contains(&seconds))
}

/// `de-DE;q=0.9`
fn is_language(text: &str) -> bool {
    let (tag, weight) = text.split_once(";q=").unwrap_or((text, "1"));
    let is_part =
        |part: &str| part == "*" || (2..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let parts = tag.trim().split(['-', '_']);
    parts.clone().count() <= 3 && parts.into_iter().all(is_part) && is_weight(weight)
}

pub(super) fn is_weight(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// `max-age=3600`
fn is_directive(text: &str) -> bool {
    let is_number = |text: &str| text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    text.split(['=', ';', ' ', '"', '/', '*', '-', '?']).all(|part| is_number(part) || words::is_word(part))
}

fn is_extensions(text: &str) -> bool {
    const WORDS: &str = "permessage-deflate x-webkit-deflate-frame client_max_window_bits server_max_window_bits \
        client_no_context_takeover server_no_context_takeover";
    let is_known = |part: &str| {
        let part = part.trim().trim_matches('"');
        part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit())
            || WORDS.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(part))
    };
    text.len() <= 256 && text.split([',', ';', '=']).all(is_known)
}

/// `Thu, 15 Jan 2026 09:12:40 GMT` (RFC 9110 section 5.6.7), or the 0 that many write in its place.
fn is_date(text: &str) -> bool {
    let shape = |c: char| match c {
        '0'..='9' => '0',
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        other => other,
    };
    let shape: String = text.chars().map(shape).collect();
    matches!(&*shape, "Aaa, 00 Aaa 0000 00:00:00 AAA" | "0" | "-0")
}
