//! A decoder without sockets: bytes of one connection in, the finished lines out.

use super::HOST;
use bytes::Bytes;
use finesse_tap::capture::observation::{Closed, End, How, Opened};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use serde_json::Value;
use std::time::Duration;

const CONN: ConnId = ConnId(1);

/// One connection through one decoder.
pub struct Stage {
    decoder: Decoder,
    at: Moment,
    lines: Vec<String>,
}

impl Stage {
    pub fn new(level: Level, line_limit_bytes: usize) -> Self {
        let redactor = Redactor::with_key(level, &[7; 32]).unwrap();
        let door = Door::new(redactor, String::from("01STAGE"), line_limit_bytes);
        let at = Moment { wall_us: 1_768_468_360_000_000, mono_ns: 1_000_000_000 };
        let mut stage = Self { decoder: Decoder::new(door, Tracker::new(7)), at, lines: Vec::new() };
        let peers = Peers {
            conn: CONN,
            client: "127.0.0.1:51734".parse().unwrap(),
            server: Authority { host: HOST.into(), port: 8445 },
        };
        let listener = "127.0.0.1:8445".parse().unwrap();
        let opened =
            Opened { peers, at, listener, sni: Some(HOST.into()), upstream: None, connect_us: None, kind: Kind::Https };
        stage.take(Message::Opened(Box::new(opened)));
        stage
    }

    pub fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.at = self.at.plus(Duration::from_millis(1));
        let (at, bytes) = (self.at, Bytes::copy_from_slice(bytes));
        self.take(Message::Bytes { conn: CONN, direction, at, bytes });
        self
    }

    pub fn play(&mut self, script: &[(Direction, Vec<u8>)]) {
        for (direction, bytes) in script {
            self.say(*direction, bytes);
        }
    }

    #[cfg(target_os = "linux")]
    pub fn lose(&mut self, direction: Direction) -> &mut Self {
        self.take(Message::Lost { conn: CONN, direction, at: self.at });
        self
    }

    /// Both ends leave; every line that came of it, held against the schema.
    pub fn end(self) -> Vec<String> {
        let lines = self.end_unchecked();
        lines.iter().for_each(|line| crate::contract::assert_valid(line));
        lines
    }

    /// The same without the schema, which takes longer than everything else.
    pub fn end_unchecked(mut self) -> Vec<String> {
        let (at, why) = (self.at, None);
        let closed = Closed { at, by: End::Client, how: How::Fin, unclean: false, c2s_bytes: 0, s2c_bytes: 0, why };
        self.take(Message::Closed(CONN, Box::new(closed), [0; 2]));
        self.lines
    }

    fn take(&mut self, message: Message) {
        let lines = &mut self.lines;
        self.decoder.take(message, &mut |record| lines.push(String::from_utf8(record.line().to_vec()).unwrap()));
    }
}

/// The lines as JSON, each of which has to be.
pub fn values(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}
