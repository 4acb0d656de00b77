//! The second reading: entries and socket messages merged by time into what the wire would have said.
//!
//! A request counts from when its answer was complete, as it does live, a socket from its beginning. Requests of one
//! `connection` share one, one after the other; without that every entry has its own. Times inside a socket that run
//! backwards are kept, in the order of the file.

use super::har::{Entry, SocketMessage, Url, epoch_us, ms_as_us};
use super::index::Index;
use super::place::{self, Messages};
use super::wire;
use crate::capture::observation::{Closed, End, How, Opened};
use crate::clock::Moment;
use crate::conn::{Authority, ConnId, Direction, Kind, Peers};
use crate::tap::feed::Message;
use crate::ws::frame;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

/// Connections that wait for more requests of the same `connection`, at the most; the one idle longest ends first.
const MAX_SHARED: usize = 256;
/// Longest payload of a control frame (RFC 6455 section 5.5), bytes.
const MAX_CONTROL_BYTES: usize = 125;
/// Where nothing is known of an address.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// Why a connection of a HAR ends.
const WHY: &str = "a HAR does not tell when or how connections ended";

/// What came of a HAR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// HTTP exchanges.
    pub exchanges: u64,
    /// WebSockets.
    pub sockets: u64,
    /// Their messages.
    pub messages: u64,
    /// Messages that are none: errors that the browser noted, or without a known type.
    pub odd_messages: u64,
    /// Entries that could not be used: no date, no URL of HTTP, or not of HAR's form.
    pub skipped: u64,
    /// Connections made.
    pub connections: u64,
}

/// Gives what the wire would have said.
pub(super) fn play(
    file: &Rc<File>,
    index: &Index,
    first_conn: u64,
    feed: &mut dyn FnMut(Message),
    progress: &mut dyn FnMut(u64, u64),
) -> io::Result<Tally> {
    let mut due: Vec<(i64, usize)> = Vec::with_capacity(index.places.len());
    let mut player = Player {
        feed,
        tally: Tally::default(),
        first_conn,
        shared: Vec::new(),
        sockets: HashMap::new(),
        next: BinaryHeap::new(),
    };
    for (number, place) in index.places.iter().enumerate() {
        match place.start_us {
            Some(start) if place.is_socket => due.push((start, number)),
            Some(start) => due.push((start.saturating_add(place.took_us), number)),
            None => player.tally.skipped += 1,
        }
    }
    due.sort_unstable();
    let total = due.len() as u64;
    for (done, (at, number)) in (0..).zip(due) {
        while player.next.peek().is_some_and(|Reverse((message_at, _))| *message_at < at) {
            player.message()?;
        }
        let Some(place) = index.places.get(number) else { continue };
        match place::entry(file, place.offset) {
            Ok(entry) => player.entry(&entry, place.is_socket, place.messages.map(|at| Messages::at(file, at)))?,
            Err(error) if error.is_io() => return Err(error.into()),
            Err(_) => player.tally.skipped += 1,
        }
        progress(done, total);
    }
    while !player.next.is_empty() {
        player.message()?;
    }
    for shared in std::mem::take(&mut player.shared) {
        player.close(&shared.line, shared.last_us);
    }
    Ok(player.tally)
}

struct Player<'p> {
    feed: &'p mut dyn FnMut(Message),
    tally: Tally,
    first_conn: u64,
    shared: Vec<Shared>,
    /// The open ones, by number.
    sockets: HashMap<u64, Socket>,
    /// The sockets by the time of their next message.
    next: BinaryHeap<Reverse<(i64, u64)>>,
}

/// A connection and what went over it.
struct Line {
    conn: ConnId,
    c2s_bytes: u64,
    s2c_bytes: u64,
}

/// A connection that several entries name.
struct Shared {
    name: String,
    server: Authority,
    line: Line,
    last_us: i64,
}

/// A WebSocket and its next message.
struct Socket {
    line: Line,
    messages: Messages,
    pending: SocketMessage,
    at_us: i64,
    /// When the entry ended, if it says.
    end_us: i64,
    /// There is no next message, only the end.
    is_over: bool,
    close: Value,
}

impl Player<'_> {
    fn entry(&mut self, entry: &Entry, is_socket: bool, messages: Option<Messages>) -> io::Result<()> {
        let (Some(url), Some(start_us)) = (entry.url(), entry.started_us()) else {
            self.tally.skipped += 1;
            return Ok(());
        };
        // A refused upgrade is an ordinary answer.
        match is_socket && (messages.is_some() || entry.status() == Some(101)) {
            true => self.socket(entry, &url, start_us, messages),
            false => {
                self.exchange(entry, &url, start_us);
                Ok(())
            }
        }
    }

    fn exchange(&mut self, entry: &Entry, url: &Url, start_us: i64) {
        self.tally.exchanges += 1;
        let end_us = start_us.saturating_add(ms_as_us(&entry.time));
        let timings = &entry.timings;
        let before: i64 = [&timings.blocked, &timings.dns, &timings.connect].into_iter().map(ms_as_us).sum();
        let sent_us = start_us.saturating_add(before).min(end_us);
        let waited = ms_as_us(&timings.send).saturating_add(ms_as_us(&timings.wait));
        let answered_us = if timings.wait.is_null() { end_us } else { sent_us.saturating_add(waited).min(end_us) };

        // An answer that never came, or a change of protocol, leaves nothing to share.
        let status = entry.status().filter(|status| *status >= 200);
        let name = match &entry.connection {
            Value::String(name) if !name.is_empty() && name != "0" => Some(name.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let name = name.filter(|_| status.is_some());
        let known = name
            .as_ref()
            .and_then(|name| self.shared.iter().position(|shared| shared.name == *name && shared.server == url.server));
        let mut line = match known {
            Some(slot) => self.shared.remove(slot).line,
            None => self.open(entry, url, start_us),
        };
        self.send(&mut line, Direction::C2s, sent_us, wire::request(entry, url));
        if let Some(status) = status {
            let answer = wire::response(entry, status);
            // The first byte dates the answer, the last one the event.
            let first = answer.slice(..answer.len().min(1));
            self.send(&mut line, Direction::S2c, answered_us, first);
            self.send(&mut line, Direction::S2c, end_us, answer.slice(answer.len().min(1)..));
        }
        let Some(name) = name else { return self.close(&line, end_us) };
        self.shared.push(Shared { name, server: url.server.clone(), line, last_us: end_us });
        if self.shared.len() > MAX_SHARED {
            let oldest = self.shared.remove(0);
            self.close(&oldest.line, oldest.last_us);
        }
    }

    fn socket(&mut self, entry: &Entry, url: &Url, start_us: i64, messages: Option<Messages>) -> io::Result<()> {
        self.tally.sockets += 1;
        let end_us = start_us.saturating_add(ms_as_us(&entry.time));
        let mut line = self.open(entry, url, start_us);
        self.send(&mut line, Direction::C2s, start_us, wire::upgrade_request(entry, url));
        self.send(&mut line, Direction::S2c, start_us, wire::upgrade_response(entry));
        let Some(messages) = messages else {
            self.close(&line, end_us);
            return Ok(());
        };
        let pending = SocketMessage::default();
        let close = entry.close.clone();
        let mut socket = Socket { line, messages, pending, at_us: start_us, end_us, is_over: false, close };
        let number = self.tally.sockets;
        self.advance(&mut socket, number)?;
        self.sockets.insert(number, socket);
        Ok(())
    }

    /// Plays the earliest message that waits, or the end of its socket.
    fn message(&mut self) -> io::Result<()> {
        let Some(Reverse((_, number))) = self.next.pop() else { return Ok(()) };
        let Some(mut socket) = self.sockets.remove(&number) else { return Ok(()) };
        if socket.is_over {
            self.end(socket);
            return Ok(());
        }
        let message = std::mem::take(&mut socket.pending);
        let direction = match message.kind.as_str() {
            "send" | "request" => Some(Direction::C2s),
            "receive" | "response" => Some(Direction::S2c),
            _ => None,
        };
        let opcode = message.opcode.as_u64().unwrap_or(1);
        match (direction, u8::try_from(opcode)) {
            (Some(direction), Ok(opcode @ (1 | 2 | 8..=10))) => {
                self.tally.messages += 1;
                let mut payload = match opcode {
                    1 => message.data.into_bytes(),
                    _ => STANDARD.decode(message.data.as_bytes()).unwrap_or_else(|_| message.data.into_bytes()),
                };
                if opcode >= 8 {
                    payload.truncate(MAX_CONTROL_BYTES);
                }
                self.send(&mut socket.line, direction, socket.at_us, frame::encode(direction, opcode, &payload).into());
            }
            _ => self.tally.odd_messages += 1,
        }
        self.advance(&mut socket, number)?;
        self.sockets.insert(number, socket);
        Ok(())
    }

    /// Reads a socket's next message and puts it on the list; behind the last one stands the end.
    fn advance(&mut self, socket: &mut Socket, number: u64) -> io::Result<()> {
        match socket.messages.next()? {
            Some(message) => {
                socket.at_us = epoch_us(&message.time).unwrap_or(socket.at_us);
                socket.pending = message;
            }
            None => {
                let closed_us = socket.close.get("timestamp").and_then(epoch_us);
                socket.at_us = socket.at_us.max(closed_us.unwrap_or(socket.end_us));
                socket.is_over = true;
            }
        }
        self.next.push(Reverse((socket.at_us, number)));
        Ok(())
    }

    fn end(&mut self, mut socket: Socket) {
        let end_us = socket.at_us;
        if let Some(code) = socket.close.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()) {
            let text = |name: &str| socket.close.get(name).and_then(Value::as_str).unwrap_or_default();
            // Only our own exports tell who began; a server that ends a session is what people look for.
            let direction = if text("_initiator") == "client" { Direction::C2s } else { Direction::S2c };
            let reason = text("reason");
            let mut payload = code.to_be_bytes().to_vec();
            payload.extend(reason.get(..reason.floor_char_boundary(MAX_CONTROL_BYTES - 2)).unwrap_or_default().bytes());
            // Codes that only stand for an absence are never sent (RFC 6455 section 7.4.1).
            match code {
                1005 => self.send(&mut socket.line, direction, end_us, frame::encode(direction, 8, &[]).into()),
                1006 | 1015 => {}
                _ => self.send(&mut socket.line, direction, end_us, frame::encode(direction, 8, &payload).into()),
            }
        }
        self.close(&socket.line, end_us);
    }

    fn open(&mut self, entry: &Entry, url: &Url, at_us: i64) -> Line {
        let conn = ConnId(self.first_conn + self.tally.connections);
        self.tally.connections += 1;
        let ip = entry.server_ip.as_str().and_then(|ip| ip.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        let opened = Opened {
            peers: Peers { conn, client: NOBODY, server: url.server.clone() },
            at: moment(at_us),
            listener: NOBODY,
            sni: None,
            upstream: ip.map(|ip| SocketAddr::new(ip, url.server.port)),
            connect_us: None,
            kind: Kind::Https,
        };
        (self.feed)(Message::Opened(Box::new(opened)));
        Line { conn, c2s_bytes: 0, s2c_bytes: 0 }
    }

    fn send(&mut self, line: &mut Line, direction: Direction, at_us: i64, bytes: Bytes) {
        match direction {
            Direction::C2s => line.c2s_bytes += bytes.len() as u64,
            Direction::S2c => line.s2c_bytes += bytes.len() as u64,
        }
        if !bytes.is_empty() {
            (self.feed)(Message::Bytes { conn: line.conn, direction, at: moment(at_us), bytes });
        }
    }

    fn close(&mut self, line: &Line, at_us: i64) {
        let closed = Closed {
            at: moment(at_us),
            by: End::Unknown,
            how: How::Unknown,
            unclean: false,
            c2s_bytes: line.c2s_bytes,
            s2c_bytes: line.s2c_bytes,
            why: Some(String::from(WHY)),
        };
        (self.feed)(Message::Closed(line.conn, Box::new(closed), [0; 2]));
    }
}

/// A HAR has the wall clock only; it stands in for the other one.
fn moment(wall_us: i64) -> Moment {
    Moment { wall_us, mono_ns: u64::try_from(wall_us).unwrap_or(0).saturating_mul(1_000) }
}
