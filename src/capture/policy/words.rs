//! Words that may be written at any level: of sentences, of paths, of browsers, of protocols' registries.
//!
//! Sentences go by allow-list: `words.txt` lists the words that they may keep, a word of several parts (`close_notify`,
//! `UnknownIssuer`, `NOT_READY`) is known if all of its parts are. What tells of nobody by its form stays, too: times, UUIDs,
//! versions, names of Java classes, codes of Cisco's. Lists are closed: what they do not hold may be somebody's.

use super::name;
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Longest number that is nobody's telephone or extension, digits.
const MAX_DIGITS: usize = 3;

static LISTED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("words.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).collect()
});

/// Forms that are nobody's: dates and times, UUIDs with the number that pub-sub puts behind them, versions, sizes with a unit.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)^(?:
            [0-9]{4}-[01][0-9]-[0-3][0-9] (?: T[0-9:.]{5,16} (?: Z | [+-][0-9:]{4,5} )? )?
          | [0-2]?[0-9] (?: :[0-5][0-9] ){1,2} (?: \.[0-9]{1,6} )? Z?
          | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} [0-9]{0,10}
          | [0-9]{1,2} (?: \.[0-9]{1,5} ){1,4} (?: [-(][0-9]{1,4}\)? )?
          | [0-9]{1,9} (?: ms | us | µs | ns | s | min | h | d | b | kb | mb | gb | % )
          | (?: tls|ssl )v?[123](?:[._]?[0-3])? | sha-?(?:1|256|384|512) | x\.?509 | x25519 | utf-?(?:8|16|16le|16be|32)
          | h[23] | http/?[123](?:\.[01])? | rfc[0-9]{3,4} | ipv[46] | md5 | base64 | aes-?(?:128|256)
        )$",
    )
    .expect("constant")
});

/// Classes of Java's, of Cisco's and of Openfire's.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static JAVA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:java|javax|sun|com\.sun|com\.cisco|org\.apache|org\.jivesoftware|org\.igniterealtime|org\.eclipse\.jetty|org\.springframework|org\.hibernate)(?:\.[a-z][a-z0-9]{1,19}){0,6}\.[A-Z][A-Za-z]{2,60}(?:\$[A-Za-z0-9]{1,40})?$",
    )
    .expect("constant")
});

/// Reason codes and failures of Cisco's contact centres of more digits than a number keeps: system reasons, peripheral errors.
fn is_code(number: u32) -> bool {
    matches!(
        number,
        6030 | 10001..=10004 | 10101..=10125 | 13042..=13072 | 20001..=20003 | 20700 | 20999 | 32740..=32767
            | 50001..=50045 | 51004 | 65533..=65535
    )
}

/// Whether a word of a sentence tells of nobody: listed, or of a form that is nobody's.
#[must_use]
pub fn is_listed(word: &str) -> bool {
    is_word(word) || is_number(word) || is_form(word) || is_class(word) || is_compound(word)
}

/// Whether a word is on the list as it is.
#[must_use]
pub fn is_word(word: &str) -> bool {
    LISTED.contains(word) || LISTED.contains(&*word.to_lowercase())
}

/// Whether a text is a time, a UUID, a version or the like.
#[must_use]
pub fn is_form(text: &str) -> bool {
    text.len() <= 64 && FORMS.is_match(text)
}

/// Whether a number is too short to be anybody's, or a code of Cisco's.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_digits && (digits.len() <= MAX_DIGITS || digits.len() <= 5 && digits.parse().is_ok_and(is_code))
}

/// Whether a word names a class of Java's, with its package or with the words that such names are made of.
#[must_use]
pub fn is_class(word: &str) -> bool {
    JAVA.is_match(word)
}

/// Whether a word is made of listed words and short numbers. Digits alone are no word, and many of them may be a telephone's.
fn is_compound(word: &str) -> bool {
    const MAX_DIGITS_IN_ALL: usize = 6;
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits > MAX_DIGITS_IN_ALL || !word.bytes().any(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    let is_part = |part: &str| part.is_empty() || is_word(part) || is_number(part) || is_form(part);
    let by_humps = |part: &str| is_part(part) || name::split_camel_case(part).all(is_part);
    word.is_ascii() && word.len() <= 80 && word.split(['_', '-', '.', '/', ':', '$', '+', '#']).all(by_humps)
}

/// Namespaces whose elements are understood; text in any other is unknown.
#[must_use]
pub fn is_known_namespace(namespace: &str) -> bool {
    NAMESPACES.contains(&namespace)
}

/// Whether a request's method is one of RFC 9110, RFC 5789 or WebDAV. Anything may stand in its place, a token too.
#[must_use]
pub fn is_method(method: &str) -> bool {
    METHODS.contains(&method)
}

/// Whether a name is a condition of XMPP's (RFC 6120 sections 4.9.3, 6.5, 8.3.3; XEP-0060; XEP-0124 section 17).
#[must_use]
pub fn is_condition(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.len() <= 48 && CONDITIONS.split_ascii_whitespace().any(|known| known == lower)
}

/// Whether a SASL mechanism is a registered one or Openfire's, or what stands for another (IANA's registry, in capitals).
#[must_use]
pub fn is_mechanism(name: &str) -> bool {
    const NAMES: &str = "ANONYMOUS CRAM-MD5 DIGEST-MD5 EXTERNAL GS2-KRB5 GSS-SPNEGO GSSAPI JIVE-SHAREDSECRET KERBEROS_V4 LOGIN NTLM \
        OAUTHBEARER PLAIN SAML20 XOAUTH2 X-OAUTH2 unknown";
    let scram = name.strip_prefix("SCRAM-").map(|hash| hash.strip_suffix("-PLUS").unwrap_or(hash));
    NAMES.split_ascii_whitespace().any(|known| known == name)
        || scram.is_some_and(|hash| matches!(hash, "SHA-1" | "SHA-256" | "SHA-512" | "SHA3-512"))
}

/// Whether a WebSocket subprotocol is a registered one; some programs carry a token in its place.
#[must_use]
pub fn is_subprotocol(name: &str) -> bool {
    const NAMES: &str = "xmpp mqtt mqttv3.1 v10.stomp v11.stomp v12.stomp wamp.2.json graphql-ws graphql-transport-ws soap sip \
        binary base64 chat none";
    NAMES.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a segment of a path is a word of the product's, not somebody's.
#[must_use]
pub fn is_path_word(segment: &str) -> bool {
    PATH_WORDS.split_ascii_whitespace().any(|known| known == segment)
}

/// Whether a call variable's name is Cisco's own; ECC variables (`user.…`) are named by whoever runs the call centre.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    const OUTBOUND: &str = "baaccountnumber babuddyname bacampaign bacustomername bacustomernumber badialedlistid baresponse bastatus \
        batimezone bauseraccountnumber";
    const OWN: [&str; 4] = ["user.microapp.", "user.cvp_server_info", "user.media.id", "user.courtesycallbackenabled"];
    let name = name.to_lowercase();
    let is_short = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let numbered = name.strip_prefix("callvariable").is_some_and(is_short);
    let (bare, index) = name.split_once('[').map_or((&*name, None), |(bare, index)| (bare, Some(index)));
    let plain = bare.len() <= 48 && bare.bytes().all(|b| b.is_ascii_alphabetic() || b"._".contains(&b));
    let counted = index.is_none_or(|index| index.strip_suffix(']').is_some_and(is_short));
    let outbound = OUTBOUND.split_ascii_whitespace().any(|known| known == name);
    numbered || outbound || plain && counted && OWN.iter().any(|own| bare.starts_with(own))
}

/// Whether a word of a `User-Agent` is a browser's: `Chrome/143.0.0.0`, `(X11;`, `rv:109.0`, `10_15_7`.
#[must_use]
pub fn is_agent_word(word: &str) -> bool {
    let is_version = |text: &str| {
        // `Gecko/20100101` is the longest number in use.
        text.len() <= 20
            && text.bytes().all(|b| b.is_ascii_digit() || b"._".contains(&b))
            && text.split(['.', '_']).all(|part| part.len() <= 8)
    };
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok() || text.len() > 12;
    let word = word.trim_matches(['(', ')', ';', ',']);
    let (name, version) = word.split_once(['/', ':']).unwrap_or((word, ""));
    let known = name.is_empty() || AGENTS.split_ascii_whitespace().any(|known| known == name);
    known && is_version(version) || name == word && is_version(word) && !is_address(word)
}

const METHODS: [&str; 18] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
];

const AGENTS: &str = "Android AppleWebKit ARM64 CPU Chrome Chromium CrOS Debian Edg Edge EdgA EdgiOS Electron Fedora Firefox Gecko \
    HeadlessChrome Intel Java KHTML, KHTML Linux MSIE Mac Macintosh Mobile Mozilla NT OPR OS Opera Presto Safari Trident Ubuntu \
    Version WOW64 Win64 Windows X X11 aarch64 amd64 arm64 armv7l axios compatible curl de en en-US i686 iPad iPhone like node \
    okhttp on rv x64 x86_64 Wget finesse-tap Python python-requests Apache-HttpClient Go-http-client Jakarta";

const PATH_WORDS: &str = "finesse api User Users Team Teams Queue Queues Dialog Dialogs SystemInfo SystemVariables TeamMessage \
    TeamMessages Media Devices ClientLog ClientLogs Contact Contacts LayoutConfig MediaPropertiesLayout MediaPropertiesLayouts \
    PhoneBook PhoneBooks ReasonCode ReasonCodes WorkflowAction WorkflowActions Workflow Workflows WrapUpReason WrapUpReasons \
    TeamResource DesktopConfig UserAuthMode ReservationDialogs MaintenanceMode ConnectedUsersInfo RuntimeConfigInfo ChatConfig \
    ECCVariableConfig MediaDomain SystemConfig ConfigInfo ClusterConfig EnterpriseDatabaseConfig CloudConnect CloudConnectConfig \
    desktop container sso token authcode ws http-bind tunnel gadgets ifr makeRequest concat proxy metadata rpc js css images img \
    fonts assets scripts 3rdpartygadget files cuic nls lib thirdparty theme locale favicon.ico index.html nocache login logout \
    EventTunnel.js default Desktop SsoToken Gadget";

const NAMESPACES: [&str; 40] = [
    "",
    "jabber:client",
    "jabber:server",
    "urn:ietf:params:xml:ns:xmpp-framing",
    "urn:ietf:params:xml:ns:xmpp-streams",
    "urn:ietf:params:xml:ns:xmpp-stanzas",
    "urn:ietf:params:xml:ns:xmpp-sasl",
    "urn:ietf:params:xml:ns:xmpp-bind",
    "urn:ietf:params:xml:ns:xmpp-session",
    "urn:ietf:params:xml:ns:xmpp-tls",
    "http://etherx.jabber.org/streams",
    "http://www.w3.org/XML/1998/namespace",
    "http://jabber.org/protocol/pubsub",
    "http://jabber.org/protocol/pubsub#event",
    "http://jabber.org/protocol/pubsub#errors",
    "http://jabber.org/protocol/pubsub#owner",
    "http://jabber.org/protocol/pubsub#node_config",
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/httpbind",
    "http://jabber.org/protocol/chatstates",
    "http://jabber.org/protocol/shim",
    "http://jabber.org/features/compress",
    "http://jabber.org/features/iq-auth",
    "http://jabber.org/features/iq-register",
    "jabber:iq:auth",
    "jabber:iq:register",
    "jabber:iq:roster",
    "jabber:iq:version",
    "jabber:iq:last",
    "jabber:x:data",
    "jabber:x:delay",
    "urn:xmpp:ping",
    "urn:xmpp:delay",
    "urn:xmpp:time",
    "urn:xmpp:sm:2",
    "urn:xmpp:sm:3",
    "urn:xmpp:features:rosterver",
    "urn:xmpp:bosh",
];

const CONDITIONS: &str = "aborted account-disabled bad-format bad-namespace-prefix bad-request closed-node configuration-required \
    conflict connection-timeout credentials-expired encryption-required feature-not-implemented forbidden gone host-gone \
    host-unknown improper-addressing incorrect-encoding internal-server-error invalid-authzid invalid-from invalid-id invalid-jid \
    invalid-mechanism invalid-namespace invalid-options invalid-payload invalid-subid invalid-xml item-not-found item-required \
    jid-malformed jid-required malformed-request max-items-exceeded mechanism-too-weak nodeid-required not-acceptable not-allowed \
    not-authorized not-in-roster-group not-subscribed not-well-formed other-request payload-required payload-too-big \
    pending-subscription policy-violation presence-subscription-required recipient-unavailable redirect registration-required \
    remote-connection-failed remote-server-not-found remote-server-timeout remote-stream-error reset resource-constraint \
    restricted-xml see-other-host see-other-uri service-unavailable subid-required subscription-required system-shutdown \
    temporary-auth-failure too-many-subscriptions undefined-condition unexpected-request unsupported unsupported-access-model \
    unsupported-encoding unsupported-feature unsupported-stanza-type unsupported-version";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_forms_of_nobody_are_listed() {
        for word in [
            "refused",
            "NOT_READY",
            "UnknownIssuer",
            "close_notify",
            "2019-05-21T04:07:38.017Z",
            "12:30:05",
            "50002",
            "-1",
            "12.6.1",
            "10a3d6b2-aa05-411a-9123-4567890001a3",
            "0be528bc-744b-4c44-a9ed-b564c97397ba1102",
            "java.net.SocketTimeoutException",
            "org.jivesoftware.openfire.session.LocalClientSession",
            "NullPointerException",
            "CF_INVALID_OBJECT_STATE",
            "TLSv1.2",
            "250ms",
            "PREROUTE_ACD_IN",
            "HTTP/1.1",
            "PERERR_TELDRIVE_AGENTRESERVED",
        ] {
            assert!(is_listed(word), "{word}");
        }
        for word in [
            "ann",
            "zoraj",
            "2001",
            "12345678",
            "hq.example.test",
            "proxy-hq",
            "finesse1x",
            "ZQAQALTD",
            "10.1.2.3.4.5.6",
            "Müller",
            "com.zqcorp.hidden.Secrets",
            "Rq9aehLm4xTz7vPw2",
            "u:p@h",
        ] {
            assert!(!is_listed(word), "{word}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case() {
        assert!(LISTED.iter().all(|word| **word == *word.to_lowercase()));
        assert!(LISTED.len() > 1_000);
    }

    #[test]
    fn what_browsers_say_of_themselves_is_known() {
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "curl/8.5.0",
        ] {
            assert!(agent.split(' ').all(is_agent_word), "{agent}");
        }
        for word in ["ann", "ann/1.0", "10.1.2.3", "Chrome/ann", "2025550143", "hq.example.test"] {
            assert!(!is_agent_word(word), "{word}");
        }
    }

    #[test]
    fn only_variables_of_ciscos_are_known() {
        assert!(is_variable("callVariable10") && is_variable("user.microapp.ToExtVXML[2]"));
        assert!(!is_variable("user.ann") && !is_variable("user.microapp.4711") && !is_variable("callVariable4711"));
        assert!(is_condition("not-authorized") && !is_condition("ann") && !is_subprotocol("c2VjcmV0"));
    }
}
