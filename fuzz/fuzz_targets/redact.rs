//! The whole way from bytes to lines: a planted password must not reach any line, whatever surrounds it, and every line
//! is one JSON object within its limit.
#![no_main]

mod stage;

use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{C2s, S2c};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "Canary-Secret-9f3a";
/// base64 of `1001:Canary-Secret-9f3a`.
const BASIC: &str = "MTAwMTpDYW5hcnktU2VjcmV0LTlmM2E=";

// The input stands in a REST body, in a header and in a WebSocket text message, next to the secret.
fuzz_target!(|text: &str| {
    let plain = text.replace(SECRET, "").replace(['\r', '\n'], " ");
    let body = format!("<a><password>{SECRET}</password>{text}{SECRET}</a>");
    let rest = format!(
        "PUT /finesse/api/User/1001?token={SECRET} HTTP/1.1\r\nAuthorization: Basic {BASIC}\r\nX-Odd: {plain}{SECRET}\r\n\
         Content-Type: application/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let stanza = format!("<message xmlns='jabber:client'><body>{text}</body><x>{SECRET}</x></message>");
    let said = [
        (C2s, rest.into_bytes()),
        (S2c, b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_vec()),
        (C2s, stage::UPGRADE.to_vec()),
        (S2c, stage::SWITCHED.to_vec()),
        (S2c, stage::frame(&stanza)),
    ];
    for line in stage::lines(Level::Auth, &said, usize::MAX) {
        assert!(!line.contains(SECRET) && !line.contains(BASIC), "leaked");
    }
});
