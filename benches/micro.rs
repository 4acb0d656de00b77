//! What one typical event costs on the tap's side, step by step: `cargo bench --bench micro`.
//!
//! The event everywhere is a pub-sub message of about 2 kB whose `<Update>` is escaped as text; the REST exchange is a
//! state change with its 202. Figures are per event; bytes a second count the stanza's own bytes.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench that cannot go on has failed")]

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use finesse_tap::capture::observation::Opened;
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, Carrier, ConnId, Direction, Kind, Peers, StreamId};
use finesse_tap::finesse::{Api, Update};
use finesse_tap::http1::{Http1, Keep, Limits};
use finesse_tap::session::findings::handshake::Asked;
use finesse_tap::session::tracker::{Opening, Rest};
use finesse_tap::session::{Spot, Tracker};
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use finesse_tap::ws;
use finesse_tap::xmpp::Stanza;
use finesse_tap::xmpp::parse::{escape, parse, unescape};

fn main() {
    divan::main();
}

const CONN: ConnId = ConnId(1);
const UPGRADE: &str = "GET /ws/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
const AUTH: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\
    MTAwMUBoLnRlc3QAMTAwMQBEZW1vLVNlY3JldC0xMDAxIQ==</auth>";

const PING: &str = "<iq xmlns='jabber:client' type='get' id='7:ping'><ping xmlns='urn:xmpp:ping'/></iq>";
const PONG: &str = "<iq xmlns='jabber:client' type='result' id='7:ping'/>";
/// The reference login, as far as it tells the session anything.
const LOGIN: [(Direction, &str); 10] = [
    (Direction::S2c, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>"),
    (
        Direction::S2c,
        "<features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>",
    ),
    (Direction::S2c, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    (Direction::S2c, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>"),
    (Direction::C2s, "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"),
    (
        Direction::S2c,
        "<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>1001@h.test/desktop</jid></bind></iq>",
    ),
    (Direction::C2s, "<presence xmlns='jabber:client'/>"),
    (Direction::S2c, "<presence xmlns='jabber:client' from='finesse@h.test/User'/>"),
    (
        Direction::C2s,
        "<iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/User/1001'/></pubsub></iq>",
    ),
    (Direction::S2c, "<iq type='result' id='2'/>"),
];

fn update() -> String {
    let teams: String = (5001..5006)
        .map(|id| format!("<Team><id>{id}</id><name>Team {id}</name><uri>/finesse/api/Team/{id}</uri></Team>"))
        .collect();
    format!(
        "<Update><data><user><dialogs>/finesse/api/User/1001/Dialogs</dialogs><extension>2830</extension>\
         <firstName>Ada</firstName><lastName>Agent</lastName><loginId>1001</loginId><loginName>ada.agent</loginName>\
         <mediaType>1</mediaType><pendingState></pendingState><roles><role>Agent</role></roles><settings>\
         <wrapUpOnIncoming>OPTIONAL</wrapUpOnIncoming></settings><state>READY</state>\
         <stateChangeTime>2026-01-15T09:12:40.466Z</stateChangeTime><teamId>5001</teamId><teamName>Team 5001</teamName>\
         <teams>{teams}</teams><uri>/finesse/api/User/1001</uri></user></data><event>PUT</event>\
         <requestId>6f1c2a2e-0000-4000-8000-000000000001</requestId><source>/finesse/api/User/1001</source></Update>"
    )
}

fn stanza() -> String {
    let mut escaped = String::new();
    escape(&update(), &mut escaped);
    format!(
        "<message xmlns=\"jabber:client\" from=\"pubsub.h.test\" to=\"1001@h.test\" id=\"QM0FAiNp\">\
         <event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"/finesse/api/User/1001\">\
         <item id=\"a6ca891f-8b34-443f-8c7d-dac020d41838330\"><notification xmlns=\"http://jabber.org/protocol/pubsub\">\
         {escaped}</notification></item></items></event></message>"
    )
}

fn frame(payload: &[u8], mask: Option<[u8; 4]>) -> Bytes {
    let mut frame = vec![0x81, 126 | if mask.is_some() { 0x80 } else { 0 }];
    frame.extend(u16::try_from(payload.len()).expect("a short payload").to_be_bytes());
    frame.extend(mask.unwrap_or_default().iter().filter(|_| mask.is_some()));
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    Bytes::from(frame)
}

#[divan::bench(args = ["plain", "masked"])]
fn websocket_frame(bencher: Bencher, kind: &str) {
    let text = stanza();
    let mask = (kind == "masked").then_some([1, 2, 3, 4]);
    let direction = if mask.is_some() { Direction::C2s } else { Direction::S2c };
    let bytes = frame(text.as_bytes(), mask);
    let mut decoder = ws::Decoder::new(direction, None, ws::Limits::default());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        decoder.feed(bytes.clone());
        decoder.next()
    });
}

#[divan::bench]
fn websocket_inflate(bencher: Bencher) {
    let text = stanza();
    let mut deflated = Vec::with_capacity(text.len() + 64);
    flate2::Compress::new(flate2::Compression::default(), false)
        .compress_vec(text.as_bytes(), &mut deflated, flate2::FlushCompress::Sync)
        .expect("compresses");
    deflated.truncate(deflated.len() - 4);
    let mut bytes = frame(&deflated, None).to_vec();
    bytes[0] |= 0x40;
    let bytes = Bytes::from(bytes);
    let deflate = ws::Deflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    let mut decoder = ws::Decoder::new(Direction::S2c, Some(deflate), ws::Limits::default());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        decoder.feed(bytes.clone());
        decoder.next()
    });
}

#[divan::bench]
fn stanza_parse(bencher: Bencher) {
    let text = stanza();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let document = parse(black_box(&text));
        document.roots().map(|root| Stanza::read(root).kind).last()
    });
}

#[divan::bench]
fn update_unescape_and_parse(bencher: Bencher) {
    let mut escaped = String::new();
    escape(&update(), &mut escaped);
    bencher.counter(BytesCount::of_str(&escaped)).bench(|| {
        let text = unescape(black_box(&escaped));
        let document = parse(&text);
        Update::read_xml(&document).map(|update| update.object)
    });
}

#[divan::bench]
fn http_exchange(bencher: Bencher) {
    let request = Bytes::from_static(
        b"PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: h.test:8445\r\nAuthorization: Basic MTAwMTpzZWNyZXQ=\r\n\
          Content-Type: application/xml\r\nContent-Length: 33\r\n\r\n<User><state>READY</state></User>",
    );
    let response = Bytes::from_static(b"HTTP/1.1 202 Accepted\r\nServer: x\r\nContent-Length: 0\r\n\r\n");
    let mut http = Http1::new(Limits::default(), |_| Keep::Content);
    bencher.counter(BytesCount::new(request.len() + response.len())).bench_local(|| {
        http.feed(Direction::C2s, Moment::default(), request.clone());
        http.feed(Direction::S2c, Moment::default(), response.clone());
        http.next()
    });
}

/// From relayed bytes to the finished line: frame, stanza, update, session, redaction, guard, encoding.
#[divan::bench(args = ["off", "auth"])]
fn frame_to_line(bencher: Bencher, level: &str) {
    let text = stanza();
    let mut decoder = logged_in(level.parse().expect("a level"));
    let bytes = frame(text.as_bytes(), None);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut line_bytes = 0;
        let at = Moment::default();
        let message = Message::Bytes { conn: CONN, direction: Direction::S2c, at, bytes: bytes.clone() };
        decoder.take(message, &mut |record| line_bytes += record.line().len());
        assert!(line_bytes > text.len());
        line_bytes
    });
}

/// What sessions and findings add to an event that was parsed before: joins, stages, states, rules, timers.
#[divan::bench(args = ["update", "ping", "exchange"])]
fn session_and_findings(bencher: Bencher, kind: &str) {
    let client = "127.0.0.1".parse().expect("an address");
    let mut tracker = Tracker::new(1);
    let mut spot = Spot {
        conn: CONN,
        client,
        server: "h.test",
        stream: Some(StreamId { number: 1, carrier: Carrier::WebSocket }),
        session: None,
        sequence: 0,
        at: Moment::default(),
    };
    spot.session = Some(tracker.session(client, "1001", None, spot.at));
    let offered = [String::from("xmpp")];
    tracker.websocket_opened(&spot, Opening { offered: &offered, selected: Some("xmpp"), user_agent: b"bench" });
    for (direction, text) in LOGIN {
        spot.sequence += 1;
        let document = parse(text);
        let root = document.roots().next().expect("an element");
        tracker.stanza(&spot, direction, &Stanza::read(root));
    }
    assert!(tracker.next_told().is_none(), "nothing is wrong with this login");

    // Two items by turns: the same one twice would be a finding.
    let texts = [stanza(), stanza().replace("d41838330", "d41838331")];
    let documents = texts.each_ref().map(|text| parse(text));
    let messages = documents.each_ref().map(|document| Stanza::read(document.roots().next().expect("an element")));
    let update_text = update();
    let update_document = parse(&update_text);
    let update = Update::read_xml(&update_document).expect("an update");
    let pings = [PING, PONG].map(parse);
    let [ping, pong] = pings.each_ref().map(|document| Stanza::read(document.roots().next().expect("an element")));
    let api = Api::read("PUT", "/finesse/api/User/1001", Some("<User><state>READY</state></User>"));
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        spot.sequence += 1;
        spot.at.mono_ns += 5_000_000_000;
        spot.at.wall_us += 5_000_000;
        tracker.tick(spot.at);
        tracker.passed(&spot);
        match kind {
            "update" => {
                tracker.stanza(&spot, Direction::S2c, &messages[turn % 2]);
                tracker.update(&spot, &update);
            }
            "ping" => {
                tracker.stanza(&spot, Direction::C2s, &ping);
                tracker.stanza(&spot, Direction::S2c, &pong);
            }
            _ => {
                let rest = Rest {
                    started: spot.at,
                    method: "PUT",
                    path: "/finesse/api/User/1001",
                    port: 8445,
                    location: None,
                    retry_after: None,
                    preflight: None,
                    asked: Asked::Nothing,
                    failure: None,
                    credentials: Some("basic"),
                    request_id: Some("6f1c2a2e-0000-4000-8000-000000000001"),
                    api: api.as_ref(),
                    status: Some(202),
                    date: None,
                    content: None,
                    answer: None,
                    gadget: None,
                    lack: None,
                };
                tracker.exchange(&Spot { stream: None, ..spot }, &rest);
                tracker.update(&spot, &update);
            }
        }
        tracker.next_told()
    });
}

/// A decoder with one WebSocket on which an agent has authenticated, so that the leak guard has something to look for.
fn logged_in(level: Level) -> Decoder {
    let redactor = Redactor::with_key(level, &[7; 32]).expect("a key");
    let mut decoder = Decoder::new(Door::new(redactor, String::from("RUN"), 8_000), Tracker::new(1));
    let at = Moment::default();
    let address = "127.0.0.1:8445".parse().expect("an address");
    let peers = Peers { conn: CONN, client: address, server: Authority { host: String::from("h.test"), port: 8445 } };
    let opened =
        Opened { peers, at, listener: address, sni: None, upstream: None, connect_us: None, kind: Kind::Https };
    let said = |direction, bytes| Message::Bytes { conn: CONN, direction, at, bytes };
    let messages = [
        Message::Opened(Box::new(opened)),
        said(Direction::C2s, Bytes::from_static(UPGRADE.as_bytes())),
        said(Direction::S2c, Bytes::from_static(SWITCHED.as_bytes())),
        said(Direction::C2s, frame(AUTH.as_bytes(), Some([9, 8, 7, 6]))),
    ];
    for message in messages {
        decoder.take(message, &mut |_| {});
    }
    decoder
}
