//! What takes the slow way, and what that way writes.

use super::*;
use crate::capture::guard::Guard;
use crate::capture::token::Tokens;
use crate::xmpp::parse::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS};

/// Each of these sends a text through the full rules, wherever it stands and in any case.
const HINTED_AT: &[&str] = &[
    "pass",
    "pwd",
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
    "eyj",
    "zxlk",
    "%65%79",
    "%2565%2579",
    "saml",
    "relaystate",
    "uniqueid",
    "sid",
    "sessionid",
    "previd",
    "cookie",
    "code=",
    "code%",
    "st=",
    "st%",
    "rid=",
    "rid =",
    "key=",
    "newkey\t=",
    "authid=",
    "https://ann:hun&amp;ter2@h/x",
    "https:\\/\\/ann:hunter2@h\\/x",
    "headers=",
    "headers%",
    "assertion",
    "sig=",
    "sig%",
    "signature",
    "ticket",
    "-----begin",
    "xmpp-sasl",
    "urn:xmpp:sm",
    "&lt;!",
    "&lt;?",
    "amp;#",
    "\\u00",
    "<!",
    "<?",
    "&#",
];

#[test]
fn every_hint_is_seen_wherever_it_stands() {
    let clean =
        "<message xmlns='jabber:client' id='a?b!'><body>&lt;a&gt;1 = 2 # 100%&lt;/a&gt; &amp; more</body></message>";
    assert!(is_clean(clean));
    for hint in HINTED_AT {
        for hint in [hint.to_string(), hint.to_uppercase()] {
            for at in (0..=clean.len()).filter(|at| clean.is_char_boundary(*at)) {
                let (before, behind) = clean.split_at(at);
                assert!(!is_clean(&format!("{before}{hint}{behind}")), "{hint} behind {before}");
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_hint_is_clean() {
    for text in ["<a>code &lt; st</a>", "<a>5 % 65</a>", "<a b='#'>?!#</a>", "<a>&amp;lt;</a>", "<a>&gt;!&gt;?</a>"] {
        assert!(is_clean(text), "{text}");
    }
}

#[test]
fn a_namespace_declared_far_from_its_name_is_not_looked_for() {
    let declared = |spaces: usize| format!("<a xmlns{}='jabber:client'/>", " ".repeat(spaces));
    assert!(is_clean(&declared(8)));
    assert!(!is_clean(&declared(80)));
}

/// The first child of the first root as a stanza of its own, redacted.
fn carried(body: &str) -> String {
    let document = parse(body);
    let stanza = document.roots().next().and_then(|body| body.children().next()).unwrap();
    redacted(|scrub| self::stanza(scrub, stanza, &body[stanza.span()], false).into_owned())
}

fn redacted(write: impl FnOnce(&mut Scrub<'_>) -> String) -> String {
    let (tokens, mut guard) = (Tokens::under(&[7; 32]).unwrap(), Guard::default());
    write(&mut Scrub { level: Level::Auth, tokens: &tokens, guard: &mut guard, user: None, count: 0, is_clean: false })
}

#[test]
fn what_a_body_declares_holds_for_what_it_carries() {
    for (body, expected) in [
        (
            "<body xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'><s:auth>hunter2-hunter2</s:auth></body>",
            "<s:auth>[cred:sasl]</s:auth>",
        ),
        ("<body xmlns:o='urn:example:odd'><o:x>hunter2</o:x></body>", "<o:x>[text:4-7]</o:x>"),
        ("<body xmlns='http://jabber.org/protocol/httpbind'><x key='hunter2'/></body>", "<x key=\"[cred:key]\"/>"),
        ("<body xmlns='jabber:client'><x key='hunter2'/></body>", "<x key='hunter2'/>"),
    ] {
        assert_eq!(carried(body), expected);
    }
}

#[test]
fn sasl_is_masked_whatever_its_namespace() {
    for (text, expected) in [
        ("<auth>hunter2-hunter2</auth>", "<auth>[cred:sasl]</auth>"),
        ("<s:response>hunter2-hunter2</s:response>", "<s:response>[cred:sasl]</s:response>"),
        (
            "<auth xmlns='jabber:client'><x y='hunter2'>hunter2</x></auth>",
            "<auth xmlns=\"jabber:client\"><x y=\"[cred:sasl]\">[cred:sasl]</x></auth>",
        ),
    ] {
        assert_eq!(carried(&format!("<body>{text}</body>")), expected);
    }
}

#[test]
fn attributes_whose_names_are_tokens_are_left_out() {
    let token = |n| format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.signature{n}");
    let text = format!("<a><b {}='1' id='7' {}='2'/></a>", token(1), token(2));
    assert_eq!(carried(&text), "<b id=\"7\"/>");
}

/// Each element asked for its namespace on its own would read the attributes of all around it: minutes here.
#[test]
fn many_attributes_around_many_elements_are_read_once() {
    let attributes: String = (1..MAX_ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    let levels = MAX_DEPTH - 1;
    let inner = "<a/><p:b/>".repeat((MAX_ELEMENTS - levels) / 2);
    let text = format!("{}{inner}{}", format!("<a{attributes}>").repeat(levels), "</a>".repeat(levels));
    let document = parse(&text);
    assert!(document.malformed().is_none());
    let written = redacted(|scrub| payload(scrub, &document).into_owned());
    assert_eq!(written.matches("<p:b/>").count(), (MAX_ELEMENTS - levels) / 2);
}
