//! The second reading: entries and socket messages of all HARs, merged by time into what the wire would have said.
//!
//! A request counts from when its answer was complete, as it does live, a socket from its beginning. Requests of one
//! `connection` of a HAR share one, one after the other; without that every entry has its own. Times inside a socket that
//! run backwards are kept, in the order of the file.

use super::failure::Failure;
use super::har::{Entry, SocketMessage, Url, epoch_us, from_base64, ms_as_us};
use super::place::{self, Condition, Messages};
use super::{Har, Tally, wire};
use crate::capture::observation::{Closed, End, How, Leg, Opened, QUOTED, TlsFailure, TlsHandshake};
use crate::clock::Moment;
use crate::conn::{Authority, ConnId, Direction, Kind, Peers};
use crate::tap::feed::Message;
use crate::ws::frame;
use bytes::Bytes;
use serde_json::Value;
use std::cmp::Reverse;

use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connections that wait for more requests of the same `connection`, at the most; the one idle longest ends first.
const MAX_SHARED: usize = 256;
/// Longest payload of a control frame (RFC 6455 section 5.5), bytes.
const MAX_CONTROL_BYTES: usize = 125;
/// Most that is kept of what a browser says of a failure, bytes.
const MAX_WORDS_BYTES: usize = 300;
/// Where nothing is known of an address.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// Why a connection of a HAR ends.
const WHY: &str = "a HAR does not tell when or how connections ended";

/// Gives the messages that the wire would have given, in the order of time, to `feed`, and what came of each HAR.
///
/// # Errors
/// A file can no longer be read.
pub fn play(hars: &[Har], feed: &mut dyn FnMut(Message), progress: &mut dyn FnMut(u64, u64)) -> io::Result<Vec<Tally>> {
    let mut player = Player {
        hars,
        feed,
        tallies: (0..hars.len()).map(|har| (har, Tally::default())).collect(),
        connections: 0,
        shared: Vec::new(),
        sockets: HashMap::new(),
        next: BinaryHeap::new(),
    };
    let mut due = Vec::new();
    for (har, read) in hars.iter().enumerate() {
        for (number, entry) in read.index.entries.iter().enumerate() {
            match entry.start {
                Some(start) if entry.is_socket => due.push((start.us, har, number)),
                Some(start) => due.push((start.us.saturating_add(entry.took_us), har, number)),
                None => player.tally(har).undated += 1,
            }
        }
    }
    due.sort_unstable();
    let total = due.len() as u64;
    for (done, (at, har, number)) in (0..).zip(due) {
        while player.next.peek().is_some_and(|Reverse((message_at, _))| *message_at < at) {
            player.message()?;
        }
        player.entry(har, number)?;
        progress(done, total);
    }
    while !player.next.is_empty() {
        player.message()?;
    }
    for shared in std::mem::take(&mut player.shared) {
        player.close(&shared.line, shared.last_us, None);
    }
    Ok(player.tallies.into_values().collect())
}

struct Player<'p> {
    hars: &'p [Har],
    feed: &'p mut dyn FnMut(Message),
    /// Of each HAR, by its number.
    tallies: BTreeMap<usize, Tally>,
    connections: u64,
    shared: Vec<Shared>,
    /// By number, for the list of what comes next.
    sockets: HashMap<u64, Socket>,
    /// When which socket's next message, or its end, is due.
    next: BinaryHeap<Reverse<(i64, u64)>>,
}

/// A connection as it is told.
struct Line {
    har: usize,
    conn: ConnId,
    c2s_bytes: u64,
    s2c_bytes: u64,
}

/// A connection that more requests may use.
struct Shared {
    name: String,
    server: Authority,
    line: Line,
    last_us: i64,
}

struct Socket {
    line: Line,
    messages: Messages,
    pending: Option<SocketMessage>,
    /// When the pending message, or the end, is due.
    at_us: i64,
    end_us: i64,
    is_over: bool,
    close: Value,
    /// What the browser noted of its failure.
    error: Option<String>,
}

impl Player<'_> {
    fn tally(&mut self, har: usize) -> &mut Tally {
        self.tallies.entry(har).or_default()
    }

    fn entry(&mut self, har: usize, number: usize) -> io::Result<()> {
        let Some((read, extent)) = self.hars.get(har).and_then(|har| Some((har, har.index.entries.get(number)?)))
        else {
            return Ok(());
        };
        let found = place::entry(&read.file, extent)?;
        let tally = self.tally(har);
        let (Some((entry, condition)), Some(start)) = (found, extent.start) else {
            tally.malformed += 1;
            return Ok(());
        };
        tally.repaired += u64::from(condition == Condition::Repaired);
        tally.zoneless += u64::from(start.is_zoneless);
        if entry.request.method.eq_ignore_ascii_case("CONNECT") {
            tally.tunnels += 1;
            return Ok(());
        }
        let Some(url) = entry.url() else {
            let is_local = entry.request.url.split_once(':').is_some_and(|(scheme, _)| is_local(scheme));
            *(if is_local { &mut tally.local } else { &mut tally.malformed }) += 1;
            return Ok(());
        };
        let asks = url.is_socket || extent.is_socket;
        let messages = extent.messages.clone().filter(|_| extent.is_socket);
        // A refused upgrade is an ordinary answer. Messages without a status: the maker keeps none.
        let opened = entry.status() == Some(101)
            || asks && entry.status().is_none() && messages.is_some() && entry.failure().is_none();
        if opened && (asks || upgrades(&entry)) {
            let messages = messages.map(|list| Messages::at(&read.file, list));
            return self.socket(har, &entry, &url, start.us, messages);
        }
        self.exchange(har, &entry, &url, start.us, asks);
        Ok(())
    }

    fn exchange(&mut self, har: usize, entry: &Entry, url: &Url, start_us: i64, asks: bool) {
        let tally = self.tally(har);
        tally.exchanges += 1;
        let end_us = start_us.saturating_add(ms_as_us(entry.time));
        let timings = &entry.timings;
        let before: i64 = [timings.blocked, timings.dns, timings.connect].into_iter().map(ms_as_us).sum();
        let sent_us = start_us.saturating_add(before).min(end_us);
        let waited = ms_as_us(timings.send).saturating_add(ms_as_us(timings.wait));
        let answered_us = if timings.wait.is_none() { end_us } else { sent_us.saturating_add(waited).min(end_us) };

        // An answer that never came, or a change of protocol, leaves nothing to share.
        let status = entry.status().filter(|status| *status >= 200);
        let failure = entry.failure().filter(|_| status.is_none());
        let mut unknown = wire::unknown(entry, asks);
        tally.failures += u64::from(failure.is_some());
        let absent = [unknown.request_bytes, unknown.response_bytes];
        tally.bodies_absent += absent.iter().flatten().count() as u64;
        let name =
            Some(&entry.connection).filter(|name| !matches!(name.as_str(), "" | "0") && status.is_some() && !asks);
        let known = name.and_then(|name| {
            let is_it = |shared: &Shared| shared.line.har == har && shared.name == *name && shared.server == url.server;
            self.shared.iter().position(is_it)
        });
        let mut line = match known {
            Some(slot) => self.shared.remove(slot).line,
            None => self.open(har, entry, url, start_us),
        };
        let ended = failure.map(|words| (Failure::read(words), words));
        if let Some((Failure { by, tls: Some(alert), .. }, words)) = ended {
            self.refuse(&line, url, sent_us, by, alert, words);
            // Said already.
            unknown.failure = None;
        }
        (self.feed)(Message::Unknown(line.conn, Box::new(unknown)));
        self.send(&mut line, Direction::C2s, sent_us, wire::request(entry, url, asks));
        if let Some(status) = status {
            let answer = wire::response(entry, status);
            // The first byte dates the answer, the last one the event.
            let first = answer.slice(..answer.len().min(1));
            self.send(&mut line, Direction::S2c, answered_us, first);
            self.send(&mut line, Direction::S2c, end_us, answer.slice(answer.len().min(1)..));
        }
        let Some(name) = name else { return self.close(&line, end_us, ended) };
        self.shared.push(Shared { name: name.clone(), server: url.server.clone(), line, last_us: end_us });
        if self.shared.len() > MAX_SHARED {
            let oldest = self.shared.remove(0);
            self.close(&oldest.line, oldest.last_us, None);
        }
    }

    fn socket(
        &mut self,
        har: usize,
        entry: &Entry,
        url: &Url,
        start_us: i64,
        messages: Option<Messages>,
    ) -> io::Result<()> {
        self.tally(har).sockets += 1;
        let end_us = start_us.saturating_add(ms_as_us(entry.time));
        let mut line = self.open(har, entry, url, start_us);
        (self.feed)(Message::Unknown(line.conn, Box::new(wire::unknown(entry, true))));
        self.send(&mut line, Direction::C2s, start_us, wire::request(entry, url, true));
        self.send(&mut line, Direction::S2c, start_us, wire::upgrade_response(entry));
        let error = entry.failure().map(str::to_owned);
        let Some(messages) = messages else {
            let failure = error.as_deref().map(|words| (Failure::of_socket(words), words));
            self.tally(har).failures += u64::from(failure.is_some());
            self.close(&line, end_us, failure);
            return Ok(());
        };
        let close = entry.close.clone();
        let mut socket =
            Socket { line, messages, pending: None, at_us: start_us, end_us, is_over: false, close, error };
        let number = self.connections;
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
        let message = socket.pending.take();
        let har = socket.line.har;
        match message.map(read) {
            Some(Read::Frame(direction, opcode, payload)) => {
                self.tally(har).messages += 1;
                self.send(&mut socket.line, direction, socket.at_us, frame::encode(direction, opcode, &payload).into());
            }
            // The last one is why it ended; the browser stops there.
            Some(Read::Error(words)) => socket.error = Some(words),
            Some(Read::Odd) | None => self.tally(har).odd_messages += 1,
        }
        self.advance(&mut socket, number)?;
        self.sockets.insert(number, socket);
        Ok(())
    }

    /// Reads a socket's next message and puts it on the list; behind the last one stands the end.
    fn advance(&mut self, socket: &mut Socket, number: u64) -> io::Result<()> {
        match socket.messages.next()? {
            Some(message) => {
                if let Some((message, condition)) = message {
                    socket.at_us = epoch_us(&message.time).unwrap_or(socket.at_us);
                    socket.pending = Some(message);
                    self.tally(socket.line.har).repaired += u64::from(condition == Condition::Repaired);
                }
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
        let code = socket.close.get("code").and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
        if let Some(code) = code.and_then(|code| u16::try_from(code).ok()) {
            let text = |name: &str| socket.close.get(name).and_then(Value::as_str).unwrap_or_default();
            // Only our own exports tell who began; a server that ends a session is what people look for.
            let direction = if text("_initiator") == "client" { Direction::C2s } else { Direction::S2c };
            let mut payload = code.to_be_bytes().to_vec();
            payload.extend(clipped(text("reason"), MAX_CONTROL_BYTES - 2).bytes());
            // Codes that only stand for an absence are never sent (RFC 6455 section 7.4.1).
            match code {
                1005 => self.send(&mut socket.line, direction, end_us, frame::encode(direction, 8, &[]).into()),
                1006 | 1015 => {}
                _ => self.send(&mut socket.line, direction, end_us, frame::encode(direction, 8, &payload).into()),
            }
        }
        let failure = socket.error.as_deref().map(|words| (Failure::of_socket(words), words));
        self.tally(socket.line.har).failures += u64::from(failure.is_some());
        self.close(&socket.line, end_us, failure);
    }

    fn open(&mut self, har: usize, entry: &Entry, url: &Url, at_us: i64) -> Line {
        self.connections += 1;
        self.tally(har).connections += 1;
        let conn = ConnId(self.connections);
        let ip = entry.server_ip.trim_matches(['[', ']']).parse::<IpAddr>().ok();
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
        Line { har, conn, c2s_bytes: 0, s2c_bytes: 0 }
    }

    /// The handshake of TLS failed between the browser and the server, or whatever stood there.
    fn refuse(&mut self, line: &Line, url: &Url, at_us: i64, by: End, alert: Option<&str>, words: &str) {
        let is_name = url.server.host.parse::<IpAddr>().is_err();
        let handshake = TlsHandshake {
            leg: Leg::Client,
            at: moment(at_us),
            took_us: 0,
            version: None,
            cipher: None,
            alpn: None,
            offered: Vec::new(),
            pinned: None,
            sni: is_name.then(|| url.server.host.clone()),
            resumed: false,
            client_certificate_requested: false,
            certificate: None,
            failure: Some(TlsFailure { alert: alert.map(str::to_owned), by, why: quoted(words) }),
        };
        (self.feed)(Message::Tls(line.conn, Box::new(handshake)));
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

    fn close(&mut self, line: &Line, at_us: i64, failure: Option<(Failure, &str)>) {
        let (by, how) = failure.map_or((End::Unknown, How::Unknown), |(failure, _)| (failure.by, failure.how));
        let closed = Closed {
            at: moment(at_us),
            by,
            how,
            unclean: false,
            c2s_bytes: line.c2s_bytes,
            s2c_bytes: line.s2c_bytes,
            why: Some(failure.map_or_else(|| WHY.to_owned(), |(_, words)| quoted(words))),
        };
        (self.feed)(Message::Closed(line.conn, Box::new(closed), [0; 2]));
    }
}

/// What a message is.
enum Read {
    Frame(Direction, u8, Vec<u8>),
    /// What the browser noted.
    Error(String),
    Odd,
}

fn read(message: SocketMessage) -> Read {
    let kind = message.kind.to_ascii_lowercase();
    let opcode = message.opcode.unwrap_or(1.0);
    if kind == "error" || opcode < 0.0 {
        return Read::Error(message.data);
    }
    let direction = match kind.as_str() {
        "send" | "sent" | "request" | "outgoing" | "client" => Direction::C2s,
        "receive" | "received" | "response" | "incoming" | "server" => Direction::S2c,
        _ => return Read::Odd,
    };
    let Some(opcode) = [1_u8, 2, 8, 9, 10].into_iter().find(|known| f64::from(*known) == opcode) else {
        return Read::Odd;
    };
    let mut payload = match opcode {
        1 => message.data.into_bytes(),
        _ => from_base64(&message.data).unwrap_or_else(|| message.data.into_bytes()),
    };
    if opcode >= 8 {
        payload.truncate(MAX_CONTROL_BYTES);
    }
    Read::Frame(direction, opcode, payload)
}

/// Whether the heads speak of a change to WebSocket, where nothing else does.
fn upgrades(entry: &Entry) -> bool {
    let fields = entry.request.headers.iter().chain(&entry.response.headers);
    fields.into_iter().any(|pair| pair.name.to_ascii_lowercase().starts_with("sec-websocket-"))
}

/// Schemes of what uses no network.
fn is_local(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    matches!(scheme.as_str(), "data" | "blob" | "about" | "file" | "filesystem" | "javascript")
        || scheme.ends_with("extension")
}

/// What the browser says, as a sentence.
fn quoted(words: &str) -> String {
    format!("{QUOTED}{}", clipped(words.trim(), MAX_WORDS_BYTES))
}

fn clipped(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

/// A HAR has the wall clock only; it stands in for the other one.
fn moment(wall_us: i64) -> Moment {
    Moment { wall_us, mono_ns: u64::try_from(wall_us).unwrap_or(0).saturating_mul(1_000) }
}
