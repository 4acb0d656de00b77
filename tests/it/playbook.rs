//! Playbooks: what a browser and a server say, beside the events that must come of it.
//!
//! `tests/playbook/NAME.play` is a script, `NAME.ndjson` the golden event stream. Adding a case is adding a script and
//! running with `UPDATE=1`. Every case is fed whole and byte by byte: the events must be the same.
//!
//! ```text
//! # a comment
//! +250ms               time passes
//! >> GET / HTTP/1.1\r\n     raw bytes from the client: \r \n \\ \xHH are understood, a trailing newline is not sent
//! << HTTP/1.1 ...           raw bytes from the server
//! >ws <open .../>      a WebSocket text message from the client, masked
//! <ws <open .../>      a WebSocket text message from the server
//! >ping TEXT, <pong TEXT, >close 1000 REASON, …
//! >end, <end           that side ends
//! ```

use bytes::Bytes;
use finesse_tap::capture::observation::{Closed, End, How, Opened};
use finesse_tap::capture::restrict::{Picked, UserRules};
use finesse_tap::capture::rules::Level;
use finesse_tap::capture::token::{Key, Tokens};
use finesse_tap::capture::{Door, Redactor, Restrictor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};

const CONN: ConnId = ConnId(1);

#[test]
fn every_playbook_gives_its_events() {
    let mut paths: Vec<_> = std::fs::read_dir("tests/playbook").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "play"));
    paths.sort();
    assert!(paths.len() >= 5, "the playbooks are gone");
    for path in paths {
        check(&path);
    }
}

fn check(path: &Path) {
    let script = std::fs::read_to_string(path).unwrap();
    let steps = steps(&script);
    let golden = path.with_extension("ndjson");
    let whole = play(&steps, usize::MAX);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &whole).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_same(path, "fed whole", &expected, &whole);
    stored_and_live_are_the_same(path, &steps, &expected);
    for piece in [1, 7] {
        assert_same(path, &format!("fed by {piece}"), &expected, &play(&steps, piece));
    }
}

/// What is restricted while it passes is what comes of restricting the stored lines with the same key.
fn stored_and_live_are_the_same(path: &Path, steps: &[Step], stored: &str) {
    for level in [Level::Share, Level::Minimal] {
        let mut restrictor = restrictor(level);
        let kept =
            stored.lines().map(|line| restrictor.line(line.as_bytes(), &Picked::default()).unwrap().unwrap().line);
        let from_stored = kept.map(|line| String::from_utf8(line).unwrap()).collect::<String>();
        assert_same(path, "stored", &play_at(steps, usize::MAX, level), &from_stored);
        for gone in ["1001", "uccxpub", "2830", "Ada", "Canary", "192.0.2.10", "127.0.0.1"] {
            let place = from_stored
                .find(gone)
                .map(|at| &from_stored[from_stored.floor_char_boundary(at.saturating_sub(200))..at + gone.len()]);
            assert!(place.is_none(), "{}: {gone} is left at {level}: {}", path.display(), place.unwrap_or_default());
        }
    }
}

fn restrictor(level: Level) -> Restrictor {
    let key = Key { master: [7; 32], case: String::new() };
    Restrictor::new(level, Tokens::of(&key).unwrap(), UserRules::default())
}

fn assert_same(path: &Path, how: &str, expected: &str, found: &str) {
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, expected, "{} {how}, line {} (found, expected)", path.display(), number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{} {how}: number of events", path.display());
}

enum Step {
    Wait(Duration),
    Bytes(Direction, Vec<u8>),
    End(Direction),
}

fn steps(script: &str) -> Vec<Step> {
    let lines = script.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            if let Some(ms) = line.strip_prefix('+') {
                return Step::Wait(Duration::from_millis(ms.trim_end_matches("ms").parse().unwrap()));
            }
            let (verb, text) = line.split_once(' ').unwrap_or((line, ""));
            let direction = if verb.starts_with('>') { Direction::C2s } else { Direction::S2c };
            let frame = match &verb[1..] {
                ">" | "<" => return Step::Bytes(direction, unescape(text)),
                "end" => return Step::End(direction),
                "ws" => Frame::message(text.as_bytes().to_vec(), OpCode::Data(Data::Text), true),
                "binary" => Frame::message(unescape(text), OpCode::Data(Data::Binary), true),
                "ping" => Frame::ping(text.as_bytes().to_vec()),
                "pong" => Frame::pong(text.as_bytes().to_vec()),
                "close" => {
                    let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
                    let code = code.parse::<u16>().ok().map(CloseCode::from);
                    Frame::close(code.map(|code| CloseFrame { code, reason: reason.into() }))
                }
                other => panic!("no such step: {other}"),
            };
            Step::Bytes(direction, encode(direction, frame))
        })
        .collect()
}

fn encode(direction: Direction, frame: Frame) -> Vec<u8> {
    let mut header = frame.header().clone();
    let mut payload = frame.into_payload().to_vec();
    if direction == Direction::C2s {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        header.mask = Some(mask);
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    }
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    assert!(!matches!(header.opcode, OpCode::Control(Control::Reserved(_))));
    bytes.extend(payload);
    bytes
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('r')) => out.push(b'\r'),
            ('\\', Some('n')) => out.push(b'\n'),
            ('\\', Some('\\')) => out.push(b'\\'),
            ('\\', Some('x')) => {
                let hex: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            ('\\', other) => panic!("no such escape: \\{other:?}"),
            _ => out.extend(c.to_string().bytes()),
        }
    }
    out
}

/// The events of a script whose bytes are fed in pieces of at most `piece` bytes.
fn play(steps: &[Step], piece: usize) -> String {
    play_at(steps, piece, Level::Auth)
}

fn play_at(steps: &[Step], piece: usize, level: Level) -> String {
    let redactor = Redactor::with_key(level, &[7; 32]).unwrap();
    let door = Door::new(redactor, String::from("01PLAYBOOK"), 16 << 20).restricting(restrictor(level));
    let mut decoder = Decoder::new(door, Tracker::new(7));
    let mut lines = String::new();
    let mut at = Moment { wall_us: 1_768_468_360_000_000, mono_ns: 1_000_000_000 };
    let opened = Opened {
        peers: Peers {
            conn: CONN,
            client: "127.0.0.1:51734".parse().unwrap(),
            server: Authority { host: "uccxpub.example.test".into(), port: 8445 },
        },
        at,
        listener: "127.0.0.1:8445".parse().unwrap(),
        sni: Some("uccxpub.example.test".into()),
        upstream: Some("192.0.2.10:8445".parse().unwrap()),
        connect_us: Some(350),
    };
    let mut messages = vec![Message::Opened(Box::new(opened))];
    let mut bytes_each = [0_u64; 2];
    for step in steps {
        match step {
            Step::Wait(time) => at = at.plus(*time),
            Step::End(direction) => messages.push(Message::Ended { conn: CONN, direction: *direction, at }),
            Step::Bytes(direction, bytes) => {
                bytes_each[usize::from(*direction == Direction::S2c)] += bytes.len() as u64;
                for part in bytes.chunks(piece.min(bytes.len()).max(1)) {
                    let bytes = Bytes::copy_from_slice(part);
                    messages.push(Message::Bytes { conn: CONN, direction: *direction, at, bytes });
                }
            }
        }
    }
    let [c2s_bytes, s2c_bytes] = bytes_each;
    let closed = Closed { at, by: End::Client, how: How::Fin, unclean: false, c2s_bytes, s2c_bytes, why: None };
    messages.push(Message::Closed(CONN, Box::new(closed), [0; 2]));
    for message in messages {
        decoder.take(message, &mut |record| write!(lines, "{}", str::from_utf8(record.line()).unwrap()).unwrap());
    }
    lines
}
