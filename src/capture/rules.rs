//! The redaction policy as data: what class a thing belongs to, and what a level does with a class.
//!
//! The one place to look when asking "is this name a secret?". By allow-list: a header or query key that no rule knows is
//! [`Class::Unknown`], whose value is not written. Names are compared in lower case.

use crate::bosh;
use std::fmt;
use std::str::FromStr;

/// How much is removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Nothing. Must be asked for by name.
    Off,
    /// Credentials masked, session identifiers tokenised.
    #[default]
    Auth,
    /// For a vendor: persons, telephones, machines and teams as tokens, customer data as its shape, unknown things dropped.
    Share,
    /// For a public tracker: only what happened, when.
    Minimal,
}

impl Level {
    /// All levels, the least removed first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Auth, Self::Share, Self::Minimal];

    /// As options and events write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auth => "auth",
            Self::Share => "share",
            Self::Minimal => "minimal",
        }
    }

    /// What this level does with a class.
    #[must_use]
    pub fn treatment(self, class: Class) -> Treatment {
        match (self, class) {
            (Self::Off, _) => Treatment::Keep,
            (Self::Auth, Class::Credential) => Treatment::Mask,
            (Self::Auth, Class::Session) => Treatment::Token,
            (Self::Auth, Class::Unknown) => Treatment::Shape,
            (Self::Auth, _) | (_, Class::Operational) => Treatment::Keep,
            (_, Class::Credential) => Treatment::Mask,
            (_, Class::Unknown) | (Self::Minimal, Class::Infrastructure) => Treatment::Drop,
            (Self::Share, Class::Customer) => Treatment::Shape,
            (Self::Share, _) => Treatment::Token,
            (Self::Minimal, _) => Treatment::Mark,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "auth" => Ok(Self::Auth),
            "share" => Ok(Self::Share),
            "minimal" => Ok(Self::Minimal),
            _ => Err(format!("`{text}` is not a redaction level: use auth (the default), share, minimal or off")),
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Opens something: passwords, tokens, SASL data, SSO codes.
    Credential,
    /// Names a session: cookies, `JSESSIONID`, BOSH `sid`, stream-management ids.
    Session,
    /// Names a person.
    Person,
    /// Names a telephone.
    Phone,
    /// Customer data.
    Customer,
    /// Names a machine, team or queue.
    Infrastructure,
    /// Tells what happened.
    Operational,
    /// No rule knows it.
    Unknown,
}

impl Class {
    /// All classes, in the policy's order.
    pub const ALL: [Self; 8] = [
        Self::Credential,
        Self::Session,
        Self::Person,
        Self::Phone,
        Self::Customer,
        Self::Infrastructure,
        Self::Operational,
        Self::Unknown,
    ];

    /// As the policy table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Person => "person",
            Self::Phone => "phone",
            Self::Customer => "customer",
            Self::Infrastructure => "infrastructure",
            Self::Operational => "operational",
            Self::Unknown => "unknown",
        }
    }

    /// What falls under it, for the policy that every file opens with.
    #[must_use]
    pub fn covers(self) -> &'static str {
        match self {
            Self::Credential => "SASL data, Authorization, passwords, tokens, JWTs, SSO codes, WebSocket query strings",
            Self::Session => "cookies, JSESSIONID, BOSH sid, XEP-0198 ids",
            Self::Person => "login ids, names, JID localparts, e-mail",
            Self::Phone => "addresses, DNIS, extensions",
            Self::Customer => "call variables, ECC values, wrap-up texts, messages",
            Self::Infrastructure => "hosts, IP addresses, certificates, team and queue names",
            Self::Operational => "states, codes, types, nodes, status codes, timings, request ids",
            Self::Unknown => "elements, attributes, headers and keys that no rule knows",
        }
    }
}

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// Written as it is.
    Keep,
    /// `[cred:kind]`: that it was there, and what.
    Mask,
    /// `k-…`: equal values stay equal.
    Token,
    /// `[text:8-15]`: kind of characters and length bucket.
    Shape,
    /// `[person]`: its class alone.
    Mark,
    /// Not written at all.
    Drop,
}

impl Treatment {
    /// As the policy table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "kept",
            Self::Mask => "replaced by [cred:kind]",
            Self::Token => "replaced by a token that is the same for the same value within a run",
            Self::Shape => "replaced by kind of characters and length bucket",
            Self::Mark => "replaced by the name of the class",
            Self::Drop => "dropped",
        }
    }
}

/// Whether a request's method is one of RFC 9110, RFC 5789 or WebDAV. Anything may stand in its place, a token too.
#[must_use]
pub fn is_method(method: &str) -> bool {
    matches!(
        method,
        "GET"
            | "HEAD"
            | "POST"
            | "PUT"
            | "DELETE"
            | "PATCH"
            | "OPTIONS"
            | "TRACE"
            | "CONNECT"
            | "PROPFIND"
            | "PROPPATCH"
            | "MKCOL"
            | "COPY"
            | "MOVE"
            | "LOCK"
            | "UNLOCK"
            | "REPORT"
            | "SEARCH"
    )
}

/// What to do with a header field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// Plain text of a class.
    Text(Class),
    /// A URL.
    Url,
    /// `SCHEME realm="…"` (RFC 9110 section 11.6.1).
    Challenge,
    /// `SCHEME credentials` (RFC 9110 section 11.4).
    Authorization,
    /// `name=value; name=value`.
    Cookie,
    /// `name=value; Attribute; …`.
    SetCookie,
}

/// The rule for a header field (name in lower case).
#[must_use]
pub fn field(name: &str) -> Field {
    match name {
        "authorization" | "proxy-authorization" => Field::Authorization,
        "www-authenticate" | "proxy-authenticate" => Field::Challenge,
        "cookie" => Field::Cookie,
        "set-cookie" => Field::SetCookie,
        "referer" | "location" | "content-location" | "origin" | "access-control-allow-origin" | "refresh" => {
            Field::Url
        }
        "host" | "server" | "via" | "alt-svc" => Field::Text(Class::Infrastructure),
        "accept"
        | "accept-charset"
        | "accept-encoding"
        | "accept-language"
        | "accept-ranges"
        | "access-control-allow-credentials"
        | "access-control-allow-headers"
        | "access-control-allow-methods"
        | "access-control-expose-headers"
        | "access-control-max-age"
        | "access-control-request-headers"
        | "access-control-request-method"
        | "age"
        | "allow"
        | "cache-control"
        | "connection"
        | "content-disposition"
        | "content-encoding"
        | "content-language"
        | "content-length"
        | "content-range"
        | "content-security-policy"
        | "content-type"
        | "date"
        | "dnt"
        | "expect"
        | "expires"
        | "if-modified-since"
        | "keep-alive"
        | "last-modified"
        | "max-forwards"
        | "pragma"
        | "priority"
        | "proxy-connection"
        | "range"
        | "requestid"
        | "referrer-policy"
        | "retry-after"
        | "sec-ch-ua"
        | "sec-ch-ua-mobile"
        | "sec-ch-ua-platform"
        | "sec-fetch-dest"
        | "sec-fetch-mode"
        | "sec-fetch-site"
        | "sec-fetch-user"
        | "sec-websocket-extensions"
        | "sec-websocket-protocol"
        | "sec-websocket-version"
        | "strict-transport-security"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "upgrade-insecure-requests"
        | "user-agent"
        | "vary"
        | "warning"
        | "x-content-type-options"
        | "x-frame-options"
        | "x-requested-with"
        | "x-xss-protection" => Field::Text(Class::Operational),
        _ if is_credential_name(name) => Field::Text(Class::Credential),
        _ => Field::Text(Class::Unknown),
    }
}

/// The class of a cookie's value (name in lower case). Unknown cookies name sessions.
#[must_use]
pub fn cookie(name: &str) -> Class {
    match name {
        "timebeforefailover" | "attemptsmade" | "seqnumbergenerated" | "timebeforeloadingotherside" => {
            Class::Operational
        }
        "cc_username" => Class::Person,
        "finesse_ag_extension" => Class::Phone,
        _ if name.starts_with("finesse_ma_") || name.starts_with("activedeviceid") => Class::Person,
        _ => Class::Session,
    }
}

/// The class of a query or form field's value (name in lower case, decoded).
#[must_use]
pub fn query(name: &str) -> Class {
    match name {
        "sid" | "jsessionid" => Class::Session,
        "code" | "st" | "headers" | "samlrequest" | "samlresponse" | "relaystate" | "uniqueid" | "assertion"
        | "sig" | "signature" | "ticket" | "rid" => Class::Credential,
        _ if is_credential_name(name) => Class::Credential,
        "_" | "nocache" | "category" | "locale" | "lang" | "language" | "country" | "version" | "v" | "ver"
        | "libs" | "container" | "view" | "debug" | "mid" | "synd" | "nodes" | "url" | "httpmethod" | "contenttype"
        | "type" | "refresh" | "id" | "gadget" | "output" | "summary" | "startindex" | "count" | "limit" | "offset"
        | "sort" | "bypassspeccache" | "getsummaries" | "numentries" | "signowner" | "signviewer" | "authz" | "eio"
        | "transport" | "client_id" | "response_type" | "response_mode" | "scope" | "grant_type" | "redirect_uri"
        | "callbacktype" => Class::Operational,
        _ => Class::Unknown,
    }
}

/// The class of an element's text, an attribute's or a JSON member's value by its name (lower case), under a payload
/// whose other values are known to be Finesse's.
#[must_use]
pub fn member(name: &str) -> Class {
    match name {
        "previd" | "sid" | "jsessionid" => Class::Session,
        "authorization" | "samlresponse" | "samlrequest" | "relaystate" | "uniqueid" | "digest" => Class::Credential,
        _ if is_credential_name(name) => Class::Credential,
        _ => Class::Operational,
    }
}

/// The class of an attribute's value by its name (lower case), and by its element's namespace and name where these make it
/// one.
#[must_use]
pub fn attribute(namespace: &str, element: &str, name: &str) -> Class {
    let resumes = namespace.starts_with("urn:xmpp:sm:") && matches!(element, "enabled" | "resumed" | "resume");
    let is_bosh = namespace == bosh::NAMESPACE;
    match (member(name), name) {
        (Class::Operational, "id") if resumes => Class::Session,
        (Class::Operational, "rid") => Class::Credential,
        // XEP-0124 section 15: the keys continue the session, and the authid names it.
        (Class::Operational, "key" | "newkey") if is_bosh => Class::Credential,
        (Class::Operational, "authid") if is_bosh => Class::Session,
        (class, _) => class,
    }
}

/// Whether a name by itself says that its value opens something.
fn is_credential_name(name: &str) -> bool {
    const PARTS: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "token",
        "secret",
        "apikey",
        "api_key",
        "api-key",
        "credential",
        "authorization",
    ];
    name == "pass" || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a query's key is a credential's by a name of its own.
#[must_use]
pub fn is_short_credential(name: &str) -> bool {
    matches!(name, "code" | "st" | "headers" | "sig" | "rid" | "ticket" | "assertion" | "signature" | "uniqueid")
}

/// Whether the (lower-case) name of a credential or session is made of words for such things and nothing else, so that
/// the name itself tells nothing: `x-csrf-token`, `newPassword`, not `ann.smith.password`.
#[must_use]
pub fn is_telling(name: &str) -> bool {
    const WORDS: [&str; 45] = [
        "access",
        "api",
        "apikey",
        "assertion",
        "auth",
        "authorization",
        "bearer",
        "client",
        "code",
        "confirm",
        "credential",
        "credentials",
        "csrf",
        "current",
        "device",
        "digest",
        "expired",
        "finesse",
        "id",
        "j",
        "jsessionid",
        "jwt",
        "key",
        "login",
        "new",
        "oauth",
        "old",
        "passphrase",
        "passwd",
        "password",
        "previd",
        "pwd",
        "refresh",
        "relaystate",
        "request",
        "reset",
        "saml",
        "samlrequest",
        "samlresponse",
        "secret",
        "session",
        "sid",
        "sso",
        "state",
        "token",
    ];
    const MORE: [&str; 10] =
        ["pass", "passcode", "tokens", "type", "uniqueid", "user", "verification", "x", "xsrf", "signature"];
    const MAX_NAME_BYTES: usize = 48;
    if name.len() > MAX_NAME_BYTES {
        return false;
    }
    name.split(['-', '_', '.']).all(|part| {
        // Which beginnings of the part are words put together.
        let mut reached = vec![false; part.len() + 1];
        for end in 0..=part.len() {
            let from = |start: &usize| reached.get(*start) == Some(&true) || *start == 0;
            let word = |start: usize| {
                let word = part.get(start..end).unwrap_or_default();
                WORDS.contains(&word) || MORE.contains(&word)
            };
            let is_reached = end == 0 || (0..end).filter(from).any(word);
            if let Some(place) = reached.get_mut(end) {
                *place = is_reached;
            }
        }
        reached.last() == Some(&true)
    })
}

/// What a plain credential's name is masked as.
#[must_use]
pub fn kind_of(name: &str) -> &'static str {
    match name {
        _ if name.contains("pass") || name.contains("pwd") => "password",
        _ if name.contains("token") || name == "st" => "token",
        _ if name.contains("saml") || matches!(name, "relaystate" | "uniqueid" | "code" | "assertion" | "ticket") => {
            "sso"
        }
        _ if name.contains("key") => "key",
        _ if name == "headers" || name.contains("authorization") => "authorization",
        _ => "secret",
    }
}

/// Namespaces whose elements are understood; text in any other is [`Class::Unknown`].
#[must_use]
pub fn is_known_namespace(namespace: &str) -> bool {
    matches!(
        namespace,
        "" | "jabber:client"
            | "jabber:server"
            | "urn:ietf:params:xml:ns:xmpp-framing"
            | "urn:ietf:params:xml:ns:xmpp-streams"
            | "urn:ietf:params:xml:ns:xmpp-stanzas"
            | "urn:ietf:params:xml:ns:xmpp-sasl"
            | "urn:ietf:params:xml:ns:xmpp-bind"
            | "urn:ietf:params:xml:ns:xmpp-session"
            | "urn:ietf:params:xml:ns:xmpp-tls"
            | "http://etherx.jabber.org/streams"
            | "http://www.w3.org/XML/1998/namespace"
            | "http://jabber.org/protocol/pubsub"
            | "http://jabber.org/protocol/pubsub#event"
            | "http://jabber.org/protocol/pubsub#errors"
            | "http://jabber.org/protocol/pubsub#owner"
            | "http://jabber.org/protocol/pubsub#node_config"
            | "http://jabber.org/protocol/caps"
            | "http://jabber.org/protocol/disco#info"
            | "http://jabber.org/protocol/disco#items"
            | "http://jabber.org/protocol/httpbind"
            | "http://jabber.org/protocol/chatstates"
            | "http://jabber.org/protocol/shim"
            | "http://jabber.org/features/compress"
            | "http://jabber.org/features/iq-auth"
            | "http://jabber.org/features/iq-register"
            | "jabber:iq:auth"
            | "jabber:iq:register"
            | "jabber:iq:roster"
            | "jabber:iq:version"
            | "jabber:iq:last"
            | "jabber:x:data"
            | "jabber:x:delay"
            | "urn:xmpp:ping"
            | "urn:xmpp:delay"
            | "urn:xmpp:time"
            | "urn:xmpp:sm:2"
            | "urn:xmpp:sm:3"
            | "urn:xmpp:push:0"
            | "urn:xmpp:features:rosterver"
            | "urn:xmpp:bosh"
    )
}

/// Words whose presence in a text, in any case, sends it through the full rules; without any of them, of the shorter and
/// the key ones (and without character references, which could spell one) no credential rule can apply. Every name that a
/// rule above calls a credential or session contains one of them, which a test holds.
///
/// At most 32 of at least four bytes: one search for these takes a fraction of what it takes for more or shorter ones.
pub(super) const HINTS: &[&str] = &[
    "pass",
    "token",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "authorization",
    "basic",
    "bearer",
    "negotiate",
    "ntlm",
    "splunk",
    "digest",
    // `eyj` in base64.
    "zxlk",
    "saml",
    "relaystate",
    "uniqueid",
    "sessionid",
    "previd",
    "cookie",
    "assertion",
    "signature",
    "ticket",
    "-----begin",
    "xmpp-sasl",
    "urn:xmpp:sm",
    // Behind an escape there may be any of these.
    "\\u00",
];

/// The same, of three bytes.
pub(super) const SHORT_HINTS: &[&str] = &["pwd", "eyj", "sid"];

/// The same in front of `=`, white space between them or not, or of a percent-encoding. A word behind another is found
/// too: `newkey`.
pub(super) const KEY_HINTS: &[&str] = &["code", "st", "rid", "headers", "sig", "key", "authid"];

/// The same in front of `%`: `ey` percent-encoded once and twice.
pub(super) const ENCODED_HINTS: &[&str] = &["%65", "%2565"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_credential_name_is_hinted_at() {
        let names = [
            "password",
            "j_password",
            "newPasswd",
            "pwd",
            "pass",
            "agentPasscode",
            "passphrase",
            "access_token",
            "refresh-token",
            "client_secret",
            "apikey",
            "api_key",
            "x-api-key",
            "credentials",
            "authorization",
            "SAMLRequest",
            "SAMLResponse",
            "RelayState",
            "uniqueId",
            "digest",
            "previd",
            "sid",
            "jsessionid",
            "assertion",
            "signature",
            "ticket",
        ];
        for name in names {
            let lower = name.to_lowercase();
            let secret =
                [member(&lower), query(&lower)].iter().any(|c| matches!(c, Class::Credential | Class::Session));
            assert!(secret, "{name} is no secret by any rule");
            let mut hints = HINTS.iter().chain(SHORT_HINTS);
            assert!(hints.any(|hint| lower.contains(hint)), "{name} is not hinted at");
        }
        // Short query names are secrets only in front of their equals sign.
        for name in ["code", "st", "rid", "sig", "headers"] {
            assert_eq!(query(name), Class::Credential);
            assert!(KEY_HINTS.contains(&name), "{name}");
        }
        // So are a body's attributes, whose namespace may be declared outside the text.
        for name in ["rid", "key", "newkey", "authid"] {
            assert_ne!(attribute(bosh::NAMESPACE, "body", name), Class::Operational, "{name}");
            assert!(KEY_HINTS.iter().any(|hint| name.ends_with(hint)), "{name}");
        }
    }

    #[test]
    fn hints_are_few_and_long_enough() {
        assert!(HINTS.len() <= 32 && HINTS.iter().all(|hint| hint.len() >= 4));
    }

    #[test]
    fn a_name_made_of_other_words_tells_something() {
        for name in ["password", "j_password", "x-csrf-token", "newpassword", "access_token", "idtoken", "jsessionid"] {
            assert!(is_telling(name), "{name}");
        }
        for name in ["annspassword", "x-zebra-token", "4711token", "ann.smith.password", &"token".repeat(20)] {
            assert!(!is_telling(name), "{name}");
        }
    }

    #[test]
    fn a_level_only_gets_stricter() {
        for class in Class::ALL {
            assert_eq!(Level::Off.treatment(class), Treatment::Keep);
        }
        assert_eq!(Level::Auth.treatment(Class::Credential), Treatment::Mask);
        assert_eq!("auth".parse(), Ok(Level::Auth));
        assert!("none".parse::<Level>().is_err());
    }
}
