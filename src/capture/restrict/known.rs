//! Names that may be written at a stricter level: those of the protocols, of the product and of browsers.
//!
//! A name is a place where a value can hide (`finesse_ma_ann`, `<ann.smith>`, `user.4711`), so names too go by allow-list. In
//! lower case, but for what a browser calls itself. From Cisco's Finesse developer guides, the XMPP RFCs and XEPs, and
//! IANA's registries of WebSocket subprotocols and SASL mechanisms.

use super::names;
use crate::capture::rules;

/// Whether an element's or JSON member's name is one of the protocols or of Finesse.
pub(super) fn element(name: &str) -> bool {
    names::is_value(name) || rules::is_telling(name) || ELEMENTS.contains(&name)
}

/// Whether a cookie's name tells nothing of whose it is.
pub(super) fn cookie(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "timebeforefailover",
        "attemptsmade",
        "seqnumbergenerated",
        "timebeforeloadingotherside",
        "cc_username",
        "finesse_ag_extension",
    ];
    NAMES.contains(&name)
        || rules::is_telling(name)
        || name.strip_prefix("jsessionid").is_some_and(|rest| matches!(rest, "sso" | "_sso" | "finesse" | "cuic"))
}

/// The beginning of a cookie's name behind which stands whose it is.
pub(super) fn cookie_prefix(name: &str) -> Option<usize> {
    ["finesse_ma_", "activedeviceid"].iter().find(|prefix| name.starts_with(**prefix)).map(|prefix| prefix.len())
}

/// Whether a call variable's name is Cisco's own; ECC variables (`user.…`) are named by whoever runs the call centre.
pub(super) fn variable(name: &str) -> bool {
    const OUTBOUND: [&str; 10] = [
        "baaccountnumber",
        "babuddyname",
        "bacampaign",
        "bacustomername",
        "bacustomernumber",
        "badialedlistid",
        "baresponse",
        "bastatus",
        "batimezone",
        "bauseraccountnumber",
    ];
    const OWN: [&str; 4] = ["user.microapp.", "user.cvp_server_info", "user.media.id", "user.courtesycallbackenabled"];
    let numbered = name.strip_prefix("callvariable").is_some_and(is_short_number);
    let (bare, index) = name.split_once('[').map_or((name, None), |(bare, index)| (bare, Some(index)));
    let plain = bare.len() <= 48 && bare.bytes().all(|b| b.is_ascii_alphabetic() || b"._".contains(&b));
    let counted = index.is_none_or(|index| index.strip_suffix(']').is_some_and(is_short_number));
    numbered || OUTBOUND.contains(&name) || plain && counted && OWN.iter().any(|own| bare.starts_with(own))
}

/// Whether a SASL mechanism is a registered one or Openfire's, or what stands for another (IANA's registry, in capitals).
pub(super) fn mechanism(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "ANONYMOUS",
        "CRAM-MD5",
        "DIGEST-MD5",
        "EXTERNAL",
        "GS2-KRB5",
        "GSS-SPNEGO",
        "GSSAPI",
        "JIVE-SHAREDSECRET",
        "KERBEROS_V4",
        "LOGIN",
        "NTLM",
        "OAUTHBEARER",
        "PLAIN",
        "SAML20",
        "XOAUTH2",
        "X-OAUTH2",
        "unknown",
    ];
    let scram = name.strip_prefix("SCRAM-").map(|hash| hash.strip_suffix("-PLUS").unwrap_or(hash));
    NAMES.contains(&name) || scram.is_some_and(|hash| matches!(hash, "SHA-1" | "SHA-256" | "SHA-512" | "SHA3-512"))
}

/// Whether a WebSocket subprotocol is a registered one; some programs carry a token in its place.
pub(super) fn subprotocol(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "xmpp",
        "mqtt",
        "mqttv3.1",
        "v10.stomp",
        "v11.stomp",
        "v12.stomp",
        "wamp.2.json",
        "graphql-ws",
        "graphql-transport-ws",
        "soap",
        "sip",
        "binary",
        "base64",
        "chat",
    ];
    NAMES.contains(&name)
}

/// Whether a word of a `User-Agent` is a browser's: `Chrome/143.0.0.0`, `(X11;`, `rv:109.0`, `10_15_7`.
pub(super) fn agent_word(word: &str) -> bool {
    const WORDS: [&str; 62] = [
        "Android",
        "AppleWebKit",
        "ARM64",
        "CPU",
        "Chrome",
        "Chromium",
        "CrOS",
        "Debian",
        "Edg",
        "Edge",
        "EdgA",
        "EdgiOS",
        "Electron",
        "Fedora",
        "Firefox",
        "Gecko",
        "HeadlessChrome",
        "Intel",
        "Java",
        "KHTML,",
        "KHTML",
        "Linux",
        "MSIE",
        "Mac",
        "Macintosh",
        "Mobile",
        "Mozilla",
        "NT",
        "OPR",
        "OS",
        "Opera",
        "Presto",
        "Safari",
        "Trident",
        "Ubuntu",
        "Version",
        "WOW64",
        "Win64",
        "Windows",
        "X",
        "X11",
        "aarch64",
        "amd64",
        "arm64",
        "armv7l",
        "axios",
        "compatible",
        "curl",
        "de",
        "en",
        "en-US",
        "i686",
        "iPad",
        "iPhone",
        "like",
        "node",
        "okhttp",
        "on",
        "rv",
        "x64",
        "x86_64",
        "Wget",
    ];
    const MORE: [&str; 6] =
        ["finesse-tap", "Python", "python-requests", "Apache-HttpClient", "Go-http-client", "Jakarta"];
    let word = word.trim_matches(['(', ')', ';', ',']);
    let (name, version) = word.split_once(['/', ':']).unwrap_or((word, ""));
    let known = |name: &str| name.is_empty() || WORDS.contains(&name) || MORE.contains(&name);
    known(name) && is_version(version) || name == word && is_version(word) && !is_address(word)
}

fn is_version(text: &str) -> bool {
    // `Gecko/20100101` is the longest number in use.
    text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_digit() || b"._".contains(&b))
        && text.split(['.', '_']).all(|part| part.len() <= 8)
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || text.len() > 12
}

fn is_short_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// What [`names`] does not tell the value of: structure, conditions, and values that are dropped.
const ELEMENTS: &[&str] = &[
    // Finesse.
    "apierror",
    "apierrors",
    "callvariable",
    "callvariables",
    "column",
    "config",
    "configs",
    "contact",
    "contacts",
    "createdby",
    "data",
    "desktopconfig",
    "device",
    "devices",
    "dialog",
    "dialogs",
    "entry",
    "errordata",
    "followupcall",
    "header",
    "layoutconfig",
    "log",
    "logdata",
    "media",
    "mediadialogs",
    "medialist",
    "mediaproperties",
    "mediapropertieslayout",
    "mediapropertieslayouts",
    "mediaproperty",
    "medias",
    "name",
    "node",
    "notification",
    "participant",
    "participants",
    "phonebook",
    "phonebooks",
    "primarynode",
    "queue",
    "queues",
    "reasoncode",
    "reasoncodes",
    "reporter",
    "row",
    "scheduledcallbackinfo",
    "secondarynode",
    "section",
    "settings",
    "skillgroup",
    "statistics",
    "systeminfo",
    "systemvariable",
    "systemvariables",
    "team",
    "teammessage",
    "teammessages",
    "teamresource",
    "teamresources",
    "teams",
    "update",
    "user",
    "users",
    "value",
    "variables",
    "workflow",
    "workflowaction",
    "workflowactions",
    "workflows",
    "wrapupreason",
    "wrapupreasons",
    "params",
    "param",
    "handledby",
    "trigger",
    "triggerset",
    "conditions",
    "condition",
    "conditionset",
    "uitype",
    "unknown",
    // XMPP.
    "a",
    "abort",
    "active",
    "affiliation",
    "affiliations",
    "answer",
    "auth",
    "authenticate",
    "bind",
    "body",
    "c",
    "challenge",
    "close",
    "composing",
    "compress",
    "compression",
    "configure",
    "create",
    "default",
    "delay",
    "delete",
    "enable",
    "enabled",
    "error",
    "event",
    "failed",
    "failure",
    "feature",
    "features",
    "field",
    "gone",
    "group",
    "headers",
    "identity",
    "inactive",
    "instructions",
    "invalid-payload",
    "iq",
    "item",
    "items",
    "mechanisms",
    "message",
    "open",
    "option",
    "options",
    "paused",
    "ping",
    "presence",
    "proceed",
    "publish",
    "pubsub",
    "purge",
    "push",
    "query",
    "r",
    "redirect",
    "register",
    "registered",
    "response",
    "resume",
    "resumed",
    "retract",
    "session",
    "sm",
    "starttls",
    "stream",
    "subscribe",
    "subscribe-options",
    "subscription",
    "subscriptions",
    "success",
    "terminate",
    "thread",
    "title",
    "unsubscribe",
    "unsupported",
    "x",
    // Conditions (RFC 6120 sections 4.9.3, 6.5, 8.3.3; XEP-0060; XEP-0124 section 17).
    "aborted",
    "account-disabled",
    "bad-format",
    "bad-namespace-prefix",
    "bad-request",
    "closed-node",
    "configuration-required",
    "conflict",
    "connection-timeout",
    "credentials-expired",
    "encryption-required",
    "feature-not-implemented",
    "forbidden",
    "host-gone",
    "host-unknown",
    "improper-addressing",
    "incorrect-encoding",
    "internal-server-error",
    "invalid-authzid",
    "invalid-from",
    "invalid-jid",
    "invalid-mechanism",
    "invalid-namespace",
    "invalid-options",
    "invalid-subid",
    "invalid-xml",
    "item-not-found",
    "item-required",
    "jid-malformed",
    "jid-required",
    "malformed-request",
    "max-items-exceeded",
    "mechanism-too-weak",
    "nodeid-required",
    "not-acceptable",
    "not-allowed",
    "not-authorized",
    "not-in-roster-group",
    "not-subscribed",
    "not-well-formed",
    "other-request",
    "payload-required",
    "payload-too-big",
    "pending-subscription",
    "policy-violation",
    "presence-subscription-required",
    "recipient-unavailable",
    "registration-required",
    "remote-connection-failed",
    "remote-server-not-found",
    "remote-server-timeout",
    "remote-stream-error",
    "reset",
    "resource-constraint",
    "restricted-xml",
    "see-other-host",
    "see-other-uri",
    "service-unavailable",
    "subid-required",
    "subscription-required",
    "system-shutdown",
    "temporary-auth-failure",
    "too-many-subscriptions",
    "undefined-condition",
    "unexpected-request",
    "unsupported-access-model",
    "unsupported-encoding",
    "unsupported-feature",
    "unsupported-stanza-type",
    "unsupported-version",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_say_of_themselves_is_known() {
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "curl/8.5.0",
        ] {
            assert!(agent.split(' ').all(agent_word), "{agent}");
        }
        for word in ["ann", "ann/1.0", "10.1.2.3", "Chrome/ann", "2025550143", "hq.example.test"] {
            assert!(!agent_word(word), "{word}");
        }
    }

    #[test]
    fn only_names_that_are_nobodys_are_known() {
        for (known, name) in [
            (cookie("jsessionidsso"), "JSESSIONIDSSO"),
            (variable("callvariable10"), "callVariable10"),
            (variable("user.microapp.toextvxml[2]"), "user.microapp.ToExtVXML[2]"),
            (element("participants"), "participants"),
            (element("not-authorized"), "not-authorized"),
        ] {
            assert!(known, "{name}");
        }
        for (known, name) in [
            (cookie("finesse_ma_ann"), "finesse_ma_ann"),
            (variable("user.ann"), "user.ann"),
            (variable("user.microapp.4711"), "user.microapp.4711"),
            (variable("callvariable4711"), "callVariable4711"),
            (element("ann"), "ann"),
            (element("annspassword"), "annsPassword"),
            (subprotocol("c2vjcmv0"), "c2VjcmV0"),
        ] {
            assert!(!known, "{name}");
        }
    }
}
