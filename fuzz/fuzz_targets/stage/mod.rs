//! One connection through decoder, door and levels: messages in, lines out.

#![allow(dead_code, reason = "each target uses a part of it")]

use bytes::Bytes;
use finesse_tap::capture::observation::{Closed, End, How, Opened};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use finesse_tap::ws::frame;

pub const LINE_BYTES: usize = 8_000;

/// A desktop asks for a WebSocket.
pub const UPGRADE: &[u8] = b"GET /ws/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// And gets it.
pub const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

const CONN: ConnId = ConnId(1);

/// What redacts at `level`, always with the same tokens.
pub fn redactor(level: Level) -> Redactor {
    Redactor::with_key(level, &[7; 32]).expect("key")
}

/// A decoder whose records are redacted at `level`.
pub fn decoder(level: Level) -> Decoder {
    let door = Door::new(redactor(level), String::from("RUN"), LINE_BYTES);
    Decoder::new(door, Tracker::new(1))
}

/// A server's text message in one frame.
pub fn frame(text: &str) -> Vec<u8> {
    frame::encode(Direction::S2c, 1, text.as_bytes())
}

/// The lines of a connection on which this is said, each piece cut into parts of `part_bytes`.
pub fn lines(level: Level, said: &[(Direction, Vec<u8>)], part_bytes: usize) -> Vec<String> {
    let mut decoder = decoder(level);
    let mut lines = Vec::new();
    let mut take = |message| {
        decoder.take(message, &mut |record| {
            let line = record.line();
            assert!(line.len() <= LINE_BYTES && line.ends_with(b"\n"));
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            lines.push(String::from_utf8(line.to_vec()).expect("UTF-8"));
        });
    };
    let at = Moment::default();
    let peers = Peers {
        conn: CONN,
        client: "127.0.0.1:1".parse().expect("address"),
        server: Authority { host: String::from("h.test"), port: 8445 },
    };
    let listener = "127.0.0.1:8445".parse().expect("address");
    let opened = Opened { peers, at, listener, sni: None, upstream: None, connect_us: None, kind: Kind::Https };
    take(Message::Opened(Box::new(opened)));
    for (direction, bytes) in said {
        for part in bytes.chunks(part_bytes.min(bytes.len()).max(1)) {
            let (direction, bytes) = (*direction, Bytes::copy_from_slice(part));
            take(Message::Bytes { conn: CONN, direction, at, bytes });
        }
    }
    let closed = Closed { at, by: End::Client, how: How::Fin, unclean: false, c2s_bytes: 0, s2c_bytes: 0, why: None };
    take(Message::Closed(CONN, Box::new(closed), [0; 2]));
    lines
}
