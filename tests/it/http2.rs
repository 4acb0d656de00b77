//! HTTP/2 through the whole decoder: recorded streams become the events that HTTP/1's become, with their stream.

use finesse_tap::capture::observation::{Closed, End, How, Leg, Opened, TlsHandshake};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use serde_json::{Value, json};

const CURL: &str = include_str!("../../src/http2/tests/curl.txt");
const H2LOAD: &str = include_str!("../../src/http2/tests/h2load.txt");
const SCRIPTED: &str = include_str!("../../src/http2/tests/scripted.txt");
const CONN: ConnId = ConnId(1);

fn at(ms: u64) -> Moment {
    Moment { wall_us: 1_768_468_360_000_000 + i64::try_from(ms).unwrap() * 1_000, mono_ns: ms * 1_000_000 }
}

/// The events of a recording on a connection whose handshake agreed on `alpn`, each read cut into pieces of so many bytes.
fn events(recording: &str, alpn: &str, piece: usize) -> Vec<Value> {
    let redactor = Redactor::with_key(Level::Auth, &[7; 32]).unwrap();
    let mut decoder = Decoder::new(Door::new(redactor, "01H2".into(), 8_000), Tracker::new(1));
    let mut lines = String::new();
    let mut take =
        |message| decoder.take(message, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    let address = "127.0.0.1:51734".parse().unwrap();
    let server = Authority { host: "fin.example.test".into(), port: 8445 };
    take(Message::Opened(Box::new(Opened {
        peers: Peers { conn: CONN, client: address, server },
        at: at(0),
        listener: address,
        sni: None,
        upstream: None,
        connect_us: None,
        kind: Kind::Https,
    })));
    take(Message::Tls(
        CONN,
        Box::new(TlsHandshake {
            leg: Leg::Client,
            at: at(0),
            took_us: 0,
            version: Some("1.3"),
            cipher: None,
            alpn: Some(alpn.to_owned()),
            offered: Vec::new(),
            pinned: None,
            sni: None,
            resumed: false,
            client_certificate_requested: false,
            certificate: None,
            failure: None,
        }),
    ));
    let mut ms = 0;
    for line in recording.lines() {
        let (mark, hex) = line.split_once(' ').unwrap();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let direction = if mark == ">>" { Direction::C2s } else { Direction::S2c };
        ms += 1;
        for piece in bytes.chunks(piece) {
            take(Message::Bytes { conn: CONN, direction, at: at(ms), bytes: piece.to_vec().into() });
        }
    }
    let closed = Closed {
        at: at(ms + 1),
        by: End::Client,
        how: How::Fin,
        unclean: false,
        c2s_bytes: 0,
        s2c_bytes: 0,
        why: None,
    };
    take(Message::Closed(CONN, Box::new(closed), [0, 0]));
    crate::contract::assert_valid(&lines);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'e>(events: &'e [Value], action: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"]["action"] == action).collect()
}

#[test]
fn an_exchange_says_version_and_stream() {
    let events = events(CURL, "h2", usize::MAX);
    let [exchange] = of(&events, "http-exchange")[..] else { panic!("{events:?}") };
    assert_eq!(exchange["http"]["version"], "2");
    assert_eq!(exchange["finesse"]["http"]["stream"], 1);
    assert_eq!(
        (
            &exchange["http"]["request"]["method"],
            &exchange["url"]["path"],
            &exchange["http"]["response"]["status_code"]
        ),
        (&json!("GET"), &json!("/a.txt"), &json!(200))
    );
    // Redaction is the same by construction: the session cookie is a token.
    assert!(!events.iter().any(|event| event.to_string().contains("JSESSIONID=abc")), "{events:?}");
    assert_eq!(of(&events, "decode-error").len(), 0);
}

#[test]
fn forty_requests_at_a_time_are_forty_exchanges() {
    let events = events(H2LOAD, "h2", usize::MAX);
    let mut streams: Vec<u64> = of(&events, "http-exchange")
        .iter()
        .map(|exchange| exchange["finesse"]["http"]["stream"].as_u64().unwrap())
        .collect();
    streams.sort_unstable();
    streams.dedup();
    assert_eq!(streams.len(), 40);
}

#[test]
fn a_websocket_in_a_stream_is_a_websocket() {
    let events = events(SCRIPTED, "h2", usize::MAX);
    let opened = of(&events, "websocket-opened");
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0]["finesse"]["ws"]["protocol"], "xmpp");
    assert_eq!(
        (&opened[0]["http"]["version"], &opened[0]["http"]["request"]["method"]),
        (&json!("2"), &json!("CONNECT"))
    );
    assert_eq!(of(&events, "websocket-message").len(), 2);
    assert_eq!(of(&events, "websocket-closed").len(), 1);
    let exchange = of(&events, "http-exchange")[0];
    assert_eq!(exchange["http"]["request"]["body"]["content"], "<User></User>");
    assert_eq!(exchange["finesse"]["http"]["interim"], json!([103]));
}

#[test]
fn where_it_is_cut_does_not_matter() {
    for recording in [CURL, H2LOAD, SCRIPTED] {
        assert_eq!(events(recording, "h2", 1), events(recording, "h2", usize::MAX));
    }
}

/// Without the word of ALPN it is HTTP/1, and what is not that is not read.
#[test]
fn only_alpn_makes_it_http_2() {
    let events = events(CURL, "http/1.1", usize::MAX);
    assert_eq!(of(&events, "http-exchange").iter().filter(|event| event["http"]["version"] == "2").count(), 0);
    assert!(!of(&events, "decode-error").is_empty());
}
