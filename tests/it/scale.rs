//! Several instances: a desktop's trace is the same at each of them; the browser's address behind a balancer.

use crate::support::frames::{Length, frame};
use crate::support::{HOST, Rig, Setup, soon};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use finesse_tap::capture::observation::{End, How, Opened};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::proxy::Preface;
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// One instance of several, without sockets.
struct Instance {
    decoder: Decoder,
    conns: u64,
    lines: Vec<Value>,
}

impl Instance {
    fn new(run: u128, name: &str, level: Level, key: Option<[u8; 32]>) -> Self {
        let redactor = Redactor::with_key(level, &[7; 32]).unwrap();
        let door = Door::new(redactor, format!("01RUN{run}"), 8_000).observed_by(name.into());
        let tracker = match key {
            Some(key) => Tracker::new(run).sharing(&key),
            None => Tracker::new(run),
        };
        Self { decoder: Decoder::new(door, tracker), conns: 0, lines: Vec::new() }
    }

    fn take(&mut self, message: Message) {
        let lines = &mut self.lines;
        self.decoder.take(message, &mut |record| {
            crate::contract::assert_valid(str::from_utf8(record.line()).unwrap());
            lines.push(serde_json::from_slice(record.line()).unwrap());
        });
    }

    fn play(&mut self, script: &[(Direction, Vec<u8>)]) {
        self.conns += 1;
        let at = Moment { wall_us: 1_768_468_360_000_000, mono_ns: 1_000_000_000 + self.conns };
        let conn = ConnId(self.conns);
        let server = Authority { host: HOST.into(), port: 8445 };
        let peers = Peers { conn, client: "192.0.2.7:51734".parse().unwrap(), server };
        let listener = "127.0.0.1:8445".parse().unwrap();
        let sni = Some(HOST.into());
        let opened = Opened { peers, at, listener, sni, upstream: None, connect_us: None, kind: Kind::Https };
        self.take(Message::Opened(Box::new(opened)));
        for (direction, bytes) in script {
            self.take(Message::Bytes { conn, direction: *direction, at, bytes: Bytes::copy_from_slice(bytes) });
        }
    }

    /// A REST request by `user`, whose browser has this cookie; the answer may give another.
    fn rest(&mut self, user: &str, cookie: Option<&str>, given: Option<&str>) {
        let basic = BASE64_STANDARD.encode(format!("{user}:Canary-Password"));
        let cookie = cookie.map(|cookie| format!("Cookie: x=y; JSESSIONID={cookie}\r\n")).unwrap_or_default();
        let given = given.map(|cookie| format!("Set-Cookie: JSESSIONID={cookie}; Path=/\r\n")).unwrap_or_default();
        self.play(&[
            (
                Direction::C2s,
                format!(
                    "GET /finesse/api/User/{user} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {basic}\r\n{cookie}\r\n"
                )
                .into_bytes(),
            ),
            (Direction::S2c, format!("HTTP/1.1 200 OK\r\n{given}Content-Length: 0\r\n\r\n").into_bytes()),
        ]);
    }

    /// A WebSocket on which `user` signs in.
    fn socket(&mut self, user: &str, cookie: &str) {
        let plain = BASE64_STANDARD.encode(format!("{user}@{HOST}\0{user}\0Canary-Password"));
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        self.play(&[
            (
                Direction::C2s,
                format!(
                    "GET /ws/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: JSESSIONID={cookie}\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
                )
                .into_bytes(),
            ),
            (
                Direction::S2c,
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
                    .to_vec(),
            ),
            (Direction::C2s, frame(0x81, Some([1, 2, 3, 4]), Length::Minimal, auth.as_bytes())),
        ]);
    }

    fn traces(&self) -> BTreeSet<String> {
        self.lines.iter().filter_map(|line| Some(line["trace"]["id"].as_str()?.to_owned())).collect()
    }

    fn names(&self) -> BTreeSet<String> {
        self.lines.iter().map(|line| line["observer"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

const KEY: Option<[u8; 32]> = Some([42; 32]);

fn trace_of(run: u128, key: Option<[u8; 32]>, play: impl Fn(&mut Instance)) -> String {
    let mut instance = Instance::new(run, "tap", Level::Auth, key);
    play(&mut instance);
    let traces = instance.traces();
    assert_eq!(traces.len(), 1, "{traces:?}");
    traces.into_iter().next().unwrap()
}

#[test]
fn a_desktop_has_one_trace_at_whatever_instance_its_sockets_are() {
    let here = trace_of(1, KEY, |one| {
        one.rest("1001", Some("C1"), None);
        one.socket("1001", "C1");
    });
    assert_eq!(trace_of(2, KEY, |two| two.socket("1001", "C1")), here, "its socket at another instance");
    assert_eq!(trace_of(2, KEY, |two| two.rest("1001", None, Some("C1"))), here, "the answer gave the cookie");
    assert_eq!(trace_of(2, KEY, |two| two.rest("1001", Some("C0"), Some("C1"))), here, "the answer changed the cookie");
    assert_ne!(trace_of(2, KEY, |two| two.socket("1001", "C2")), here, "a later login");
    assert_ne!(trace_of(2, KEY, |two| two.socket("1002", "C1")), here, "another agent");
    assert_ne!(trace_of(2, None, |two| two.socket("1001", "C1")), here, "no key");
    assert_ne!(trace_of(2, Some([43; 32]), |two| two.socket("1001", "C1")), here, "another key");
    assert_ne!(
        trace_of(2, KEY, |two| two.rest("1001", None, None)),
        trace_of(3, KEY, |two| two.rest("1001", None, None))
    );
}

#[test]
fn every_line_tells_its_instance_as_far_as_its_level_lets() {
    let names = |level| {
        let mut one = Instance::new(1, "tap-1.hq.example", level, KEY);
        one.socket("1001", "C1");
        one.rest("1001", Some("C1"), None);
        one.names()
    };
    for level in [Level::Off, Level::Auth] {
        assert_eq!(names(level), BTreeSet::from([String::from("tap-1.hq.example")]));
    }
    let shared = names(Level::Share);
    assert!(shared.len() == 1 && shared.iter().all(|name| name.starts_with("h-")), "{shared:?}");
    assert_eq!(names(Level::Minimal), BTreeSet::from([String::new()]));
}

#[tokio::test]
async fn behind_a_balancer_the_browsers_address_is_known_and_no_byte_is_lost() {
    let rig = Rig::with(Setup { preface: Preface::ProxyProtocol, ..Setup::default() }).await;
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x07\xc6\x33\x64\x01\xc8\x55\x20\xfd\x04\0\0";
    for (header, client) in [
        (&b"PROXY TCP4 192.0.2.7 198.51.100.1 51285 8445\r\n"[..], Some("192.0.2.7:51285")),
        (b"PROXY TCP6 2001:db8::9 2001:db8::1 51285 8445\r\n", Some("[2001:db8::9]:51285")),
        (v2, Some("192.0.2.7:51285")),
        (b"PROXY UNKNOWN\r\n", None),
    ] {
        let mut tcp = rig.tcp().await;
        let own = tcp.local_addr().unwrap();
        // In pieces, as a slow network may deliver it.
        for byte in header {
            tcp.write_all(&[*byte]).await.unwrap();
            tcp.flush().await.unwrap();
        }
        let (shaken, mut upstream) = tokio::join!(rig.secure(tcp, HOST, rustls::ALL_VERSIONS), rig.upstream());
        let mut shaken = shaken.unwrap();
        shaken.write_all(b"PROXY is not mine any more").await.unwrap();
        shaken.shutdown().await.unwrap();
        let mut got = Vec::new();
        soon("the client's bytes", upstream.read_to_end(&mut got)).await.unwrap();
        assert_eq!(got, b"PROXY is not mine any more");
        upstream.shutdown().await.unwrap();
        soon("the end", shaken.read_to_end(&mut Vec::new())).await.unwrap();
        let capture = rig.closed().await;
        let client = client.map_or(own, |client| client.parse().unwrap());
        assert_eq!(capture.opened.as_ref().unwrap().peers.client, client);
        assert_eq!(capture.c2s, got);
    }
}

#[tokio::test]
async fn who_does_not_come_through_the_balancer_is_refused() {
    let rig = Rig::with(Setup { preface: Preface::ProxyProtocol, ..Setup::default() }).await;
    assert!(rig.client_as(HOST).await.is_err());
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Client, How::Refused));
    assert!(capture.ending().why.as_deref().unwrap().contains("--accept-proxy-protocol"));
    assert!(capture.c2s.is_empty() && capture.tls.is_empty());
    let mut tcp = rig.tcp().await;
    tcp.write_all(b"PROXY TC").await.unwrap();
    drop(tcp);
    let ending = rig.closed().await;
    assert_eq!(ending.ending().by, End::Client);
}

#[tokio::test]
async fn nobody_is_believed_who_was_not_asked_for_a_header() {
    let rig = Rig::new().await;
    let mut tcp = rig.tcp().await;
    tcp.write_all(b"PROXY TCP4 192.0.2.7 198.51.100.1 51285 8445\r\n\r\n").await.unwrap();
    soon("the end", tcp.read_to_end(&mut Vec::new())).await.unwrap();
    let capture = rig.closed().await;
    assert!(capture.opened.as_ref().unwrap().peers.client.ip().is_loopback());
}
