//! The whole way from bytes to lines: a planted password must not reach any line, whatever surrounds it, and every line
//! is one JSON object within its limit.
#![no_main]

use bytes::Bytes;
use finesse_tap::capture::observation::{Closed, End, How, Opened};
use finesse_tap::capture::rules::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use libfuzzer_sys::fuzz_target;

const CONN: ConnId = ConnId(1);
const SECRET: &str = "Canary-Secret-9f3a";
/// base64 of `1001:Canary-Secret-9f3a`.
const BASIC: &str = "MTAwMTpDYW5hcnktU2VjcmV0LTlmM2E=";
const LINE_BYTES: usize = 8_000;

// The input stands in a REST body, in a header and in a WebSocket text message, next to the secret.
fuzz_target!(|text: &str| {
    let plain = text.replace(SECRET, "").replace(['\r', '\n'], " ");
    let at = Moment::default();
    let redactor = Redactor::with_key(Level::Auth, &[7; 32]).expect("key");
    let mut decoder = Decoder::new(Door::new(redactor, String::from("RUN"), LINE_BYTES), Tracker::new(1));
    let peers = Peers {
        conn: CONN,
        client: "127.0.0.1:1".parse().expect("address"),
        server: Authority { host: String::from("h.test"), port: 8445 },
    };
    let listener = "127.0.0.1:8445".parse().expect("address");
    let opened = Opened { peers, at, listener, sni: None, upstream: None, connect_us: None, kind: Kind::Https };
    let body = format!("<a><password>{SECRET}</password>{text}{SECRET}</a>");
    let rest = format!(
        "PUT /finesse/api/User/1001?token={SECRET} HTTP/1.1\r\nAuthorization: Basic {BASIC}\r\nX-Odd: {plain}{SECRET}\r\n\
         Content-Type: application/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let upgrade = "GET /ws/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let stanza = format!("<message xmlns='jabber:client'><body>{text}</body><x>{SECRET}</x></message>");
    let mut frame = vec![0x81, 127];
    frame.extend((stanza.len() as u64).to_be_bytes());
    frame.extend(stanza.as_bytes());
    let said = |direction, bytes: &[u8]| Message::Bytes { conn: CONN, direction, at, bytes: Bytes::copy_from_slice(bytes) };
    let closed = Closed { at, by: End::Client, how: How::Fin, unclean: false, c2s_bytes: 0, s2c_bytes: 0, why: None };
    let messages = [
        Message::Opened(Box::new(opened)),
        said(Direction::C2s, rest.as_bytes()),
        said(Direction::S2c, b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
        said(Direction::C2s, upgrade.as_bytes()),
        said(Direction::S2c, switched.as_bytes()),
        said(Direction::S2c, &frame),
        Message::Closed(CONN, Box::new(closed), [0; 2]),
    ];
    for message in messages {
        decoder.take(message, &mut |record| {
            let line = record.line();
            assert!(line.len() <= LINE_BYTES && line.ends_with(b"\n") && line.iter().filter(|b| **b == b'\n').count() == 1);
            let text = std::str::from_utf8(line).expect("UTF-8");
            assert!(!text.contains(SECRET) && !text.contains(BASIC), "leaked");
        });
    }
});
