//! BOSH: any bodies of any posts of one session; where they are cut must not matter, and neither sid nor password reaches a
//! line.
#![no_main]

mod stage;

use finesse_tap::bosh::Body;
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{C2s, S2c};
use finesse_tap::xmpp::parse::parse;
use libfuzzer_sys::fuzz_target;

const SID: &str = "Canary-Sid-7c1e5b20";
const SECRET: &str = "Canary-Secret-9f3a";
/// base64 of NUL `1001` NUL and the secret.
const PLAIN: &str = "ADEwMDEAQ2FuYXJ5LVNlY3JldC05ZjNh";

// The input is request, response, request, … divided by `|`, each what stands in a body.
fuzz_target!(|text: &str| {
    let text = text.replace(SID, "").replace(SECRET, "").replace(PLAIN, "");
    let document = parse(&text);
    if let Ok(body) = Body::read(&document) {
        let wrapper = body.wrapper(&text);
        let document = parse(&wrapper);
        let again = Body::read(&document).ok().expect("what is left of a body is one");
        assert!(again.rid == body.rid && again.sid == body.sid && again.element.children().count() == 0);
    }
    let mut said = Vec::new();
    for (rid, part) in (7..).zip(text.split('|').take(16)) {
        if rid % 2 == 1 {
            let body = format!(
                "<body rid='{rid}' sid='{SID}' xmlns='http://jabber.org/protocol/httpbind'><auth \
                 xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{PLAIN}</auth>{part}</body>"
            );
            let head = format!("POST /http-bind/ HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
            said.push((C2s, [head, body].concat().into_bytes()));
        } else {
            let body = format!("<body sid='{SID}' xmlns='http://jabber.org/protocol/httpbind'>{part}</body>");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            said.push((S2c, [head, body].concat().into_bytes()));
        }
    }
    let lines = stage::lines(Level::Auth, &said, usize::MAX);
    assert!(lines == stage::lines(Level::Auth, &said, 1), "cut elsewhere, it says something else");
    for line in &lines {
        assert!(![SID, SECRET, PLAIN].iter().any(|secret| line.contains(secret)), "leaked");
    }
});
