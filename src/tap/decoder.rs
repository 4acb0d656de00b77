//! What the feeds deliver becomes records: the state of every connection, and which codec reads it now.
//!
//! Sans-IO: takes [`Message`]s in their order, gives [`Record`]s. HTTP (2 where ALPN said so) until a `101`, then WebSocket, then
//! nothing more once a direction cannot be read; or XMPP by itself, where a connection is known to speak that. Decoding never fails here;
//! what cannot be read becomes a `decode-error` event. So does a panic: what was being read is not read on, all else is.

use super::bosh::Bosh;
use super::feed::{Change, Message};
use super::http::HttpTap;
use super::http2::Http2Tap;
use super::place::{Exit, Place, Unread, tell_apart};
use super::socket::Socket;
use super::stream::XmppStream;
use crate::bus::Sink;
use crate::capture::observation::{Closed, End, How, Leg, Observation, Opened, TlsHandshake, What};
use crate::capture::{Door, Record};
use crate::clock::Moment;
use crate::conn::{Carrier, ConnId, Direction, Kind, StreamId};
use crate::rewrite::{self, Edit};
use crate::session::findings::ending::By;
use crate::session::findings::tls::Unreached;
use crate::session::{Spot, Tracker};
use bytes::Bytes;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Everything the tap knows: the connections under way, what spans them, and the door.
pub struct Decoder {
    door: Door,
    tracker: Tracker,
    connections: HashMap<ConnId, Connection>,
    bosh: Bosh,
    streams: Streams,
}

/// Numbers the streams of all carriers.
#[derive(Default)]
pub(super) struct Streams {
    last: u64,
}

impl Streams {
    pub(super) fn next(&mut self, carrier: Carrier) -> StreamId {
        self.last += 1;
        StreamId { number: self.last, carrier }
    }
}

struct Connection {
    place: Place,
    protocol: Protocol,
    /// Directions that a panic ended, `c2s` and `s2c`.
    broken: [bool; 2],
}

enum Protocol {
    Http(Box<HttpTap>),
    Http2(Box<Http2Tap>),
    WebSocket(Box<Socket>),
    Xmpp(Box<XmppStream>),
    /// Something else after an upgrade, or bytes were lost.
    Opaque,
}

impl Decoder {
    /// A decoder whose records go through `door`.
    #[must_use]
    pub fn new(door: Door, tracker: Tracker) -> Self {
        Self { door, tracker, connections: HashMap::new(), bosh: Bosh::default(), streams: Streams::default() }
    }

    /// From now on time is told at least once a second as long as the program runs: what takes longer is its own standstill.
    pub fn is_live(&mut self) {
        self.tracker.is_live();
    }

    /// The door, for what the program itself has to record.
    pub fn door(&mut self) -> &mut Door {
        &mut self.door
    }

    /// Takes one message and gives its records to `out`, in order.
    pub fn take(&mut self, message: Message, out: &mut dyn FnMut(Record)) {
        if let Some(at) = message.at() {
            self.tick(at, out);
        }
        match message {
            Message::Opened(opened) => self.opened(*opened, out),
            Message::Tls(conn, handshake) => {
                self.guarded(conn, None, handshake.at, out, |tap, out| tap.tls(conn, &handshake, out));
            }
            Message::Bytes { conn, direction, at, bytes } => {
                self.guarded(conn, Some(direction), at, out, |tap, out| tap.bytes(conn, direction, at, bytes, out));
            }
            Message::Edited(conn, edits) => self.edited(conn, edits),
            Message::Unknown(conn, unknown) => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.place.unknown = *unknown;
                }
            }
            Message::Unedited { conn, at, error } => {
                self.guarded(conn, None, at, out, |tap, out| tap.unedited(conn, at, &error, out));
            }
            Message::Answered(conn) => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.place.answered_by_proxy = true;
                }
            }
            Message::Lost { conn, direction, at } => {
                self.guarded(conn, Some(direction), at, out, |tap, out| tap.lost(conn, direction, at, out));
            }
            Message::Ended { conn, direction, at } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    let by = if direction == Direction::C2s { By::Client } else { By::Upstream };
                    connection.place.ended_by.get_or_insert(by);
                }
                self.guarded(conn, Some(direction), at, out, |tap, out| tap.ended(conn, direction, at, out));
            }
            Message::Closed(conn, closed, lost) => {
                if let Some(connection) = self.connections.get_mut(&conn)
                    && let Some(by) = by(closed.by)
                {
                    connection.place.ended_by.get_or_insert(by);
                }
                for direction in [Direction::C2s, Direction::S2c] {
                    self.guarded(conn, Some(direction), closed.at, out, |tap, out| {
                        tap.ended(conn, direction, closed.at, out);
                    });
                }
                self.guarded(conn, None, closed.at, out, |tap, out| tap.settle(conn, &closed, lost, out));
                self.closed(conn, &closed, out);
            }
            Message::Change(change) => drop(self.change(*change)),
            Message::Note(at, text) => {
                let what = What::Note(&text);
                let (peers, session, user, stream, direction) = (None, None, None, None, None);
                out(self.door.admit(&Observation { at, peers, session, user, stream, direction, what }));
            }
        }
    }

    /// Does `work` on a connection. If that panics, its direction (both without one) is not read any more and an event says
    /// so; the other direction, other connections and the program go on.
    fn guarded(
        &mut self,
        conn: ConnId,
        direction: Option<Direction>,
        at: Moment,
        out: &mut dyn FnMut(Record),
        work: impl FnOnce(&mut Self, &mut dyn FnMut(Record)),
    ) {
        // Whatever it leaves half done is the connection's own, which is given up, or a count that may be one off.
        if catch_unwind(AssertUnwindSafe(|| work(self, out))).is_ok() {
            return;
        }
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let both = direction.is_none() || matches!(connection.protocol, Protocol::Http(_));
        let [c2s, s2c] = &mut connection.broken;
        *c2s |= both || direction == Some(Direction::C2s);
        *s2c |= both || direction == Some(Direction::S2c);
        let told = AssertUnwindSafe(|| self.give_up(conn, direction.filter(|_| !both), at, out));
        if catch_unwind(told).is_err() {
            tracing::error!(
                conn = conn.0,
                "an error while an error in the tap was recorded: nothing says it in the capture"
            );
        }
    }

    /// What a panic left is put away.
    fn give_up(&mut self, conn: ConnId, direction: Option<Direction>, at: Moment, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if let Protocol::Http(http) = &mut connection.protocol {
            self.bosh.missed(connection.place.peers());
            http.abandon(&mut self.bosh);
            connection.protocol = Protocol::Opaque;
        }
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let why = "an error in finesse-tap itself, which standard error tells the place of; please report it";
        let unread = Unread::new("tap", None, why).opaque();
        connection.place.undecoded(&mut exit, at, None, direction, unread);
    }

    /// What is recorded from now on; connections under way are read on. Gives back the sinks, which are not its business.
    pub fn change(&mut self, change: Change) -> Vec<Sink> {
        self.door.adopt(change.door);
        self.tracker.front(change.fronted);
        change.sinks
    }

    /// Time has passed: findings and summaries that nothing but time brings up. Call it at least once a second; it costs
    /// next to nothing when nothing is due.
    pub fn tick(&mut self, at: Moment, out: &mut dyn FnMut(Record)) {
        self.tracker.tick(at);
        self.tell(out);
        self.bosh.tick(at, &mut Exit { tracker: &mut self.tracker, door: &mut self.door, out });
    }

    /// The end of the program: what is left to say.
    pub fn finish(&mut self, at: Moment, out: &mut dyn FnMut(Record)) {
        self.bosh.finish(at, &mut Exit { tracker: &mut self.tracker, door: &mut self.door, out });
        self.tracker.finish(at);
        self.tell(out);
    }

    fn tell(&mut self, out: &mut dyn FnMut(Record)) {
        while let Some(told) = self.tracker.next_told() {
            match told.conn.and_then(|conn| self.connections.get_mut(&conn)) {
                Some(connection) => connection.place.tell(&told, &mut self.tracker, &mut self.door, out),
                None => tell_apart(&told, &mut self.tracker, &mut self.door, out),
            }
        }
    }

    fn opened(&mut self, opened: Opened, out: &mut dyn FnMut(Record)) {
        let mut place = Place::new(opened.peers.clone(), opened.at);
        place.emit(
            &mut Exit { tracker: &mut self.tracker, door: &mut self.door, out },
            opened.at,
            What::Opened(&opened),
        );
        let protocol = match opened.kind {
            Kind::Https => Protocol::Http(Box::default()),
            Kind::Xmpps | Kind::XmppStartTls => {
                Protocol::Xmpp(Box::new(XmppStream::new(self.streams.next(Carrier::Tcp))))
            }
        };
        self.tracker.connected(opened.peers.conn, opened.peers.client.ip(), opened.peers.server.port, opened.at);
        self.connections.insert(opened.peers.conn, Connection { place, protocol, broken: [false; 2] });
    }

    fn tls(&mut self, conn: ConnId, handshake: &TlsHandshake, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let place = &mut connection.place;
        if let (Leg::Client, Some(failure)) = (handshake.leg, &handshake.failure)
            && failure.by == End::Client
        {
            let spot = place.spot(None, handshake.at, exit.door);
            exit.tracker.tls_refused(&spot, failure.alert.as_deref(), handshake.sni.as_deref(), place.port());
        }
        match (handshake.leg, &handshake.failure) {
            (Leg::Client, None) => {
                exit.tracker.tls_made(place.peers().client.ip(), handshake.sni.as_deref(), place.port());
            }
            (Leg::Upstream, Some(failure)) => {
                place.is_unreached = true;
                let told = Unreached {
                    why: Some(&failure.why),
                    alert: failure.alert.as_deref(),
                    shown: handshake.certificate.is_some() && failure.by == End::Proxy,
                    port: place.port(),
                };
                exit.tracker.unreached(&place.spot(None, handshake.at, exit.door), told);
            }
            _ => {}
        }
        place.emit(&mut exit, handshake.at, What::Tls(handshake));
        if handshake.leg == Leg::Client
            && handshake.alpn.as_deref() == Some("h2")
            && matches!(connection.protocol, Protocol::Http(_))
        {
            connection.protocol = Protocol::Http2(Box::default());
        }
    }

    fn bytes(&mut self, conn: ConnId, direction: Direction, at: Moment, bytes: Bytes, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn).filter(|connection| connection.reads(direction)) else {
            return;
        };
        match &mut connection.protocol {
            Protocol::Http(http) => http.feed(direction, at, bytes),
            Protocol::Http2(http) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                http.feed(direction, at, bytes);
                http.drain(at, &mut connection.place, &mut exit, &mut self.bosh, &mut self.streams);
                return;
            }
            Protocol::WebSocket(socket) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                socket.feed(direction, at, bytes, &mut connection.place, &mut exit);
                return;
            }
            Protocol::Xmpp(stream) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                stream.feed(direction, at, &bytes, &mut connection.place, &mut exit);
                return;
            }
            Protocol::Opaque => return,
        }
        self.drain_http(conn, at, out);
    }

    fn edited(&mut self, conn: ConnId, edits: Vec<Edit>) {
        if let Some(Connection { protocol: Protocol::Http(http), .. }) = self.connections.get_mut(&conn) {
            http.edited(edits);
        }
    }

    fn unedited(&mut self, conn: ConnId, at: Moment, error: &rewrite::Error, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let unread = Unread::new("rewrite", Some(error.offset), error.why);
        connection.place.undecoded(&mut exit, at, None, Some(error.direction), unread);
    }

    /// Takes what HTTP has ready; an upgrade changes the protocol and hands over what came behind it.
    fn drain_http(&mut self, conn: ConnId, at: Moment, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Connection { place, protocol, .. } = connection;
        let Protocol::Http(http) = protocol else { return };
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let Some((upgrade, edits)) = http.drain(at, place, &mut exit, &mut self.bosh, &mut self.streams) else {
            return;
        };
        http.abandon(&mut self.bosh);
        match Socket::open(&upgrade, &edits, &mut self.streams, place, &mut exit) {
            Some(mut socket) => {
                for (direction, rest) in [(Direction::C2s, upgrade.c2s_rest), (Direction::S2c, upgrade.s2c_rest)] {
                    for (at, bytes) in rest {
                        socket.feed(direction, at, bytes, place, &mut exit);
                    }
                }
                *protocol = Protocol::WebSocket(Box::new(socket));
            }
            None => {
                super::http::emit_exchange(&upgrade.exchange, &edits, None, place, &mut exit);
                let why = "the connection switched to a protocol other than WebSocket";
                place.undecoded(&mut exit, at, None, None, Unread::new("http", None, why).opaque());
                *protocol = Protocol::Opaque;
            }
        }
    }

    fn lost(&mut self, conn: ConnId, direction: Direction, at: Moment, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        self.bosh.missed(connection.place.peers());
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let mut opaque = |direction, why| {
            let unread = Unread::new("tap", None, why).opaque().own_limit();
            connection.place.undecoded(&mut exit, at, None, Some(direction), unread);
        };
        const HOLE: &str = "the decoding queue was full: bytes passed that were not decoded";
        match &mut connection.protocol {
            Protocol::Http(http) => {
                http.abandon(&mut self.bosh);
                opaque(direction, HOLE);
                opaque(direction.opposite(), "with a hole in one direction requests and responses cannot be paired");
                connection.protocol = Protocol::Opaque;
            }
            Protocol::Http2(http) => {
                http.abandon(&mut self.bosh);
                opaque(direction, HOLE);
                opaque(direction.opposite(), "with a hole in one direction requests and responses cannot be paired");
                connection.protocol = Protocol::Opaque;
            }
            // The feed sends nothing more in that direction; the other one lives on.
            Protocol::WebSocket(_) | Protocol::Xmpp(_) => opaque(direction, HOLE),
            Protocol::Opaque => {}
        }
    }

    fn ended(&mut self, conn: ConnId, direction: Direction, at: Moment, out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn).filter(|connection| connection.reads(direction)) else {
            return;
        };
        match &mut connection.protocol {
            Protocol::Http(http) => {
                http.end(direction, at);
                self.drain_http(conn, at, out);
            }
            Protocol::Http2(http) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                http.end(direction, at);
                http.drain(at, &mut connection.place, &mut exit, &mut self.bosh, &mut self.streams);
            }
            Protocol::WebSocket(socket) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                socket.end(direction, at, &mut connection.place, &mut exit);
            }
            Protocol::Xmpp(stream) => {
                let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
                stream.end(direction, at, &mut connection.place, &mut exit);
            }
            Protocol::Opaque => {}
        }
    }

    /// A connection's end, for what it carried.
    fn settle(&mut self, conn: ConnId, closed: &Closed, lost: [u64; 2], out: &mut dyn FnMut(Record)) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Connection { place, protocol, .. } = connection;
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        match protocol {
            Protocol::WebSocket(socket) => {
                // What is concluded from the end stands behind its line, and in front of the connection's last.
                socket.ended(closed, place, &mut exit);
                socket.closed(closed.at, place, &mut exit);
            }
            Protocol::Xmpp(stream) => stream.closed(closed, place, &mut exit),
            Protocol::Http(http) => http.abandon(&mut self.bosh),
            Protocol::Http2(http) => {
                http.closed(closed, place, &mut exit);
                http.abandon(&mut self.bosh);
            }
            Protocol::Opaque => {}
        }
        let bytes = lost.iter().sum();
        if bytes > 0 {
            let why = "the decoding queue was full";
            let what =
                What::Gap { place: String::from("tap"), code: "queue_full", why, events: 0, bytes, sequences: None };
            place.emit(&mut exit, closed.at, what);
        }
    }

    /// A connection's last event, which comes whatever happened before.
    fn closed(&mut self, conn: ConnId, closed: &Closed, out: &mut dyn FnMut(Record)) {
        if closed.how == How::Unreachable
            && let Some(connection) = self.connections.get(&conn).filter(|connection| !connection.place.is_unreached)
        {
            // No line tells why but the last one, behind which nothing more is said.
            let place = &connection.place;
            let told = Unreached { why: closed.why.as_deref(), alert: None, shown: false, port: place.port() };
            let spot = Spot { sequence: 0, ..place.spot(None, closed.at, &self.door) };
            self.tracker.unreached(&spot, told);
            self.tell(out);
        }
        let Some(Connection { mut place, protocol, .. }) = self.connections.remove(&conn) else { return };
        let http2 = match protocol {
            Protocol::Http2(http) => Some(http.count()),
            _ => None,
        };
        let mut exit = Exit { tracker: &mut self.tracker, door: &mut self.door, out };
        let duration_ns = closed.at.ns_since(place.opened);
        place.emit(&mut exit, closed.at, What::Closed { closed, duration_ns, http2 });
    }
}

impl Connection {
    fn reads(&self, direction: Direction) -> bool {
        let [c2s, s2c] = self.broken;
        !(if direction == Direction::C2s { c2s } else { s2c })
    }
}

/// The side that ended a connection; a HAR does not tell.
fn by(end: End) -> Option<By> {
    Some(match end {
        End::Client => By::Client,
        End::Upstream => By::Upstream,
        End::Proxy => By::Proxy,
        End::Unknown => return None,
    })
}

#[cfg(test)]
mod tests;
