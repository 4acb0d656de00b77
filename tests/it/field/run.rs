//! A timeline is fed to the decoder, time as an argument; out come the findings, net of what was taken back.

use bytes::Bytes;
use finesse_tap::capture::observation::{Certificate, Closed, End, How, Leg, Opened, TlsFailure, TlsHandshake};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::report;
use finesse_tap::session::Tracker;
use finesse_tap::stored::Sources;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

/// When every scenario begins, microseconds since 1970.
pub const START_US: i64 = 1_768_468_360_000_000;

/// Something that happens on the wire.
#[derive(Clone, Debug)]
pub enum Step {
    Open {
        client: IpAddr,
        server: String,
        port: u16,
        kind: Kind,
    },
    Bytes(Direction, Vec<u8>),
    Close(End, How),
    Tls {
        leg: Leg,
        made: bool,
        alert: Option<String>,
        sni: String,
        why: String,
    },
    Unreached {
        why: String,
    },
    /// Both sides agreed on HTTP/2.
    Http2,
}

/// What happens when on which connection.
#[derive(Clone, Debug)]
pub struct Event {
    pub at_ms: u64,
    pub conn: u64,
    pub step: Step,
}

/// A scenario ready to be fed.
#[derive(Clone, Default)]
pub struct Timeline {
    pub events: Vec<Event>,
    /// When nothing is told any more.
    pub end_ms: u64,
    /// From when to when the proxy stands still, ms.
    pub stalls: Vec<(u64, u64)>,
    pub fronted: Vec<Authority>,
}

/// What came of it.
pub struct Told {
    pub findings: Vec<(String, BTreeMap<String, String>)>,
    pub lines: String,
}

impl Timeline {
    pub fn run(&self) -> Told {
        let redactor = Redactor::with_key(Level::Auth, &[7; 32]).unwrap();
        let door = Door::new(redactor, String::from("01FIELD"), 64 << 10);
        let tracker = Tracker::new(7).fronting(self.fronted.clone());
        let mut stage = Stage {
            decoder: live(Decoder::new(door, tracker)),
            now: Moment { wall_us: START_US, mono_ns: 1_000_000_000 },
            open: BTreeMap::new(),
            lines: String::new(),
        };
        let mut events = self.events.clone();
        for event in &mut events {
            event.at_ms = self.as_seen(event.at_ms);
        }
        events.sort_by_key(|event| event.at_ms);
        for event in &events {
            stage.until(event.at_ms, &self.stalls);
            stage.step(ConnId(event.conn), &event.step);
        }
        stage.until(self.end_ms, &self.stalls);
        for conn in stage.open.keys().copied().collect::<Vec<_>>() {
            stage.step(conn, &Step::Close(End::Proxy, How::Shutdown));
        }
        let Stage { decoder, now, lines, .. } = &mut stage;
        decoder.finish(*now, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
        Told { findings: findings(&stage.lines), lines: stage.lines }
    }

    /// When a proxy that stood still gets to see it.
    fn as_seen(&self, at_ms: u64) -> u64 {
        self.stalls.iter().find(|(from, to)| (*from..*to).contains(&at_ms)).map_or(at_ms, |(_, to)| *to)
    }
}

/// The stories of a report on these lines: code, sentence and advice of each, the gravest first.
pub fn stories(lines: &str) -> Vec<[String; 3]> {
    let report = report(lines, report::Filter::default());
    report.stories.into_iter().map(|story| [story.code, story.text, story.advice]).collect()
}

/// A report on these lines.
pub fn report(lines: &str, filter: report::Filter) -> report::model::Report {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    let sources = Sources::of_files([(String::from("day.ndjson"), file)]).unwrap();
    report::build(&sources, &filter, &mut |_, _| {}).unwrap()
}

/// What comes of messages that the tap got.
pub fn told(messages: Vec<Message>) -> Told {
    let door = Door::new(Redactor::with_key(Level::Auth, &[7; 32]).unwrap(), String::from("01FIELD"), 64 << 10);
    let mut decoder = Decoder::new(door, Tracker::new(7));
    let mut lines = String::new();
    let mut out = |record: finesse_tap::capture::Record| lines.push_str(str::from_utf8(record.line()).unwrap());
    messages.into_iter().for_each(|message| decoder.take(message, &mut out));
    decoder.finish(finesse_tap::clock::now(), &mut out);
    Told { findings: findings(&lines), lines }
}

/// Time is told once a second, as by the running program.
fn live(mut decoder: Decoder) -> Decoder {
    decoder.is_live();
    decoder
}

/// The findings of these lines; a line that revises another stands for it.
pub fn findings(lines: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found: Vec<(String, String, BTreeMap<String, String>)> = Vec::new();
    for line in lines.lines().filter(|line| line.contains("\"action\":\"finding\"")) {
        let event: Value = serde_json::from_str(line).unwrap();
        let finding = &event["finesse"]["finding"];
        if let Some(revised) = finding["revises"].as_str() {
            found.retain(|(id, ..)| id != revised);
        }
        if finding["count"] == 0 {
            continue;
        }
        let fact = |fact: &Value| (text(&fact["name"]), text(&fact["value"]));
        let facts = finding["facts"].as_array().into_iter().flatten().map(fact).collect();
        found.push((text(&event["event"]["id"]), text(&finding["code"]), facts));
    }
    found.into_iter().map(|(_, code, facts)| (code, facts)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

struct Stage {
    decoder: Decoder,
    now: Moment,
    /// Connections with their bytes each way.
    open: BTreeMap<ConnId, [u64; 2]>,
    lines: String,
}

impl Stage {
    /// Time passes, looked at once a second as the tap's thread does, unless the proxy stands still.
    fn until(&mut self, at_ms: u64, stalls: &[(u64, u64)]) {
        let start = Moment { wall_us: START_US, mono_ns: 1_000_000_000 };
        let end = start.plus(Duration::from_millis(at_ms));
        while self.now.mono_ns < end.mono_ns {
            let rest = end.since(self.now);
            self.now = self.now.plus(rest.min(Duration::from_secs(1)));
            let ms = self.now.ms_since(start);
            if !stalls.iter().any(|(from, to)| (*from..*to).contains(&ms)) {
                let Self { decoder, lines, now, .. } = self;
                decoder.tick(*now, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
            }
        }
    }

    fn step(&mut self, conn: ConnId, step: &Step) {
        let at = self.now;
        let message = match step {
            Step::Open { client, server, port, kind } => {
                self.open.insert(conn, [0; 2]);
                Message::Opened(Box::new(opened(conn, at, *client, server, *port, *kind)))
            }
            Step::Bytes(direction, bytes) => {
                let Some(count) = self.open.get_mut(&conn) else { return };
                count[usize::from(*direction == Direction::S2c)] += bytes.len() as u64;
                Message::Bytes { conn, direction: *direction, at, bytes: Bytes::copy_from_slice(bytes) }
            }
            Step::Close(by, how) => {
                let Some([c2s_bytes, s2c_bytes]) = self.open.remove(&conn) else { return };
                let (by, how) = (*by, *how);
                let closed = Closed { at, by, how, unclean: false, c2s_bytes, s2c_bytes, why: None };
                Message::Closed(conn, Box::new(closed), [0; 2])
            }
            Step::Http2 => {
                let agreed = TlsHandshake { alpn: Some("h2".to_owned()), ..shaken(at, Leg::Client, "fin1", None) };
                Message::Tls(conn, Box::new(agreed))
            }
            Step::Tls { leg, made, alert, sni, why } => {
                let failure = (!made).then(|| TlsFailure {
                    alert: alert.clone(),
                    by: if *leg == Leg::Client { End::Client } else { End::Proxy },
                    why: why.clone(),
                });
                Message::Tls(conn, Box::new(shaken(at, *leg, sni, failure)))
            }
            Step::Unreached { why } => {
                let Some([c2s_bytes, s2c_bytes]) = self.open.remove(&conn) else { return };
                let (by, how, why) = (End::Upstream, How::Unreachable, Some(why.clone()));
                let closed = Closed { at, by, how, unclean: false, c2s_bytes, s2c_bytes, why };
                Message::Closed(conn, Box::new(closed), [0; 2])
            }
        };
        let Self { decoder, lines, .. } = self;
        decoder.take(message, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    }
}

fn opened(conn: ConnId, at: Moment, client: IpAddr, server: &str, port: u16, kind: Kind) -> Opened {
    let client_port = 40_000 + u16::try_from(conn.0 % 20_000).unwrap();
    Opened {
        peers: Peers {
            conn,
            client: (client, client_port).into(),
            server: Authority { host: server.to_owned(), port },
        },
        at,
        listener: "127.0.0.1:8445".parse().unwrap(),
        sni: Some(server.to_owned()),
        upstream: Some("192.0.2.200:8445".parse().unwrap()),
        connect_us: Some(350),
        kind,
    }
}

/// A handshake of one leg; the server has shown a certificate.
fn shaken(at: Moment, leg: Leg, sni: &str, failure: Option<TlsFailure>) -> TlsHandshake {
    let certificate = Certificate {
        subject: format!("CN={sni}"),
        issuer: format!("CN={sni}"),
        sans: vec![format!("DNS:{sni}")],
        not_before: 1_600_000_000,
        not_after: 1_700_000_000,
        sha256: "ab".repeat(32),
    };
    TlsHandshake {
        leg,
        at,
        took_us: 900,
        version: None,
        cipher: None,
        alpn: None,
        offered: Vec::new(),
        pinned: None,
        sni: Some(sni.to_owned()),
        resumed: false,
        client_certificate_requested: false,
        certificate: Some(certificate).filter(|_| leg == Leg::Upstream),
        failure,
    }
}
