//! Connections through one decoder, one of which makes it panic.

use super::*;
use crate::capture::Redactor;
use crate::capture::observation::How;
use crate::capture::policy::Level;
use crate::conn::{Authority, Peers};
use crate::tap::fault;
use serde_json::Value;

const UPGRADE: &str = "GET /ws/ HTTP/1.1\r\nHost: f\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const AT: Moment = Moment { wall_us: 1_768_468_360_000_000, mono_ns: 1_000_000_000 };
const FIRST: ConnId = ConnId(1);
const OTHER: ConnId = ConnId(2);

struct Stage {
    decoder: Decoder,
    events: Vec<Value>,
}

impl Stage {
    fn new(kind: Kind) -> Self {
        let redactor = Redactor::with_key(Level::Auth, &[7; 32]).unwrap();
        let door = Door::new(redactor, String::from("01STAGE"), 8_000);
        let mut stage = Self { decoder: Decoder::new(door, Tracker::new(7)), events: Vec::new() };
        for conn in [FIRST, OTHER] {
            let client = "127.0.0.1:51734".parse().unwrap();
            let peers = Peers { conn, client, server: Authority { host: "f.test".into(), port: 8445 } };
            let listener = "127.0.0.1:8445".parse().unwrap();
            let opened = Opened { peers, at: AT, listener, sni: None, upstream: None, connect_us: None, kind };
            stage.take(Message::Opened(Box::new(opened)));
        }
        stage
    }

    fn take(&mut self, message: Message) {
        let events = &mut self.events;
        self.decoder.take(message, &mut |record| events.push(serde_json::from_slice(record.line()).unwrap()));
    }

    fn say(&mut self, conn: ConnId, direction: Direction, bytes: &[u8]) {
        self.take(Message::Bytes { conn, direction, at: AT, bytes: Bytes::copy_from_slice(bytes) });
    }

    fn upgrade(&mut self, conn: ConnId) {
        self.say(conn, Direction::C2s, UPGRADE.as_bytes());
        self.say(conn, Direction::S2c, SWITCH.as_bytes());
    }

    /// A text message of less than 126 bytes.
    fn message(&mut self, conn: ConnId, direction: Direction, text: &str) {
        let length = u8::try_from(text.len()).unwrap();
        let head = match direction {
            Direction::C2s => vec![0x81, 0x80 | length, 0, 0, 0, 0],
            Direction::S2c => vec![0x81, length],
        };
        self.say(conn, direction, &[&head, text.as_bytes()].concat());
    }

    fn close(&mut self, conn: ConnId) {
        let why = None;
        let closed = Closed { at: AT, by: End::Client, how: How::Fin, unclean: false, c2s_bytes: 0, s2c_bytes: 0, why };
        self.take(Message::Closed(conn, Box::new(closed), [0; 2]));
    }

    /// Actions of a connection but findings, in order, with the direction where there is one.
    fn actions(&self, conn: ConnId) -> Vec<String> {
        let own = self.events.iter().filter(|event| event["finesse"]["conn"]["id"] == format!("c{}", conn.0));
        own.filter(|event| event["event"]["action"] != "finding")
            .map(|event| {
                let action = event["event"]["action"].as_str().unwrap();
                match event["finesse"]["direction"].as_str() {
                    Some(direction) => format!("{action} {direction}"),
                    None => action.to_owned(),
                }
            })
            .collect()
    }
}

#[test]
fn a_panic_costs_one_direction_of_one_websocket_and_is_told() {
    fault::set("<boom");
    let mut stage = Stage::new(Kind::Https);
    stage.upgrade(FIRST);
    stage.upgrade(OTHER);
    stage.message(FIRST, Direction::C2s, "<iq type='get' id='a'/>");
    stage.message(FIRST, Direction::C2s, "<boom/>");
    let before = stage.events.len();
    stage.message(FIRST, Direction::C2s, "<iq type='get' id='b'/>");
    stage.say(FIRST, Direction::C2s, &[0x81, 0xff]);
    assert_eq!(stage.events.len(), before, "{:?}", stage.events);
    stage.message(FIRST, Direction::S2c, "<iq type='result' id='a'/>");
    stage.message(OTHER, Direction::C2s, "<iq type='get' id='c'/>");
    stage.close(FIRST);
    stage.close(OTHER);
    let actions = stage.actions(FIRST);
    let told: Vec<&str> = actions.iter().map(String::as_str).skip(2).collect();
    assert_eq!(
        told,
        ["xmpp-stanza c2s", "decode-error c2s", "xmpp-stanza s2c", "websocket-closed", "connection-closed"],
    );
    let error = stage.events.iter().find(|event| event["event"]["action"] == "decode-error").unwrap();
    assert_eq!(error["finesse"]["decode"]["opaque"], true, "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("an error in finesse-tap itself"), "{error}");
    assert!(stage.actions(OTHER).contains(&"xmpp-stanza c2s".to_owned()));
    assert!(!stage.actions(OTHER).iter().any(|action| action.starts_with("decode-error")));
}

#[test]
fn a_panic_in_http_ends_both_directions_and_every_connection_is_closed_once() {
    fault::set("/boom");
    let mut stage = Stage::new(Kind::Https);
    for target in ["/desktop/a", "/boom", "/desktop/b"] {
        for conn in [FIRST, OTHER] {
            let target = if conn == OTHER { "/desktop/c" } else { target };
            stage.say(conn, Direction::C2s, format!("GET {target} HTTP/1.1\r\nHost: f\r\n\r\n").as_bytes());
            stage.say(conn, Direction::S2c, b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    }
    stage.close(FIRST);
    stage.close(OTHER);
    assert_eq!(stage.actions(FIRST), ["connection-opened", "http-exchange", "decode-error", "connection-closed"]);
    assert_eq!(stage.actions(OTHER).iter().filter(|action| *action == "http-exchange").count(), 3);
}

#[test]
fn a_servers_name_does_not_make_an_answer_the_proxys_own() {
    let mut stage = Stage::new(Kind::Https);
    stage.take(Message::Answered(OTHER));
    for conn in [FIRST, OTHER] {
        stage.say(conn, Direction::C2s, b"GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: f\r\n\r\n");
        stage.say(
            conn,
            Direction::S2c,
            b"HTTP/1.1 502 Bad Gateway\r\nServer: finesse-tap\r\nContent-Length: 0\r\n\r\n",
        );
    }
    let own: Vec<bool> = stage
        .events
        .iter()
        .filter(|event| event["event"]["action"] == "http-exchange")
        .map(|event| event["finesse"]["http"]["by_proxy"] == true)
        .collect();
    assert_eq!(own, [false, true]);
}
