//! HTTP/2 on one connection: its exchanges become the events that HTTP/1's become, each with its stream; a WebSocket that an
//! extended CONNECT opened (RFC 8441) becomes a socket's.

use super::bosh::{Asked, Bosh};
use super::decoder::Streams;
use super::http::{emit_exchange, keep};
use super::place::{Exit, Place, Unread};
use super::socket::Socket;
use crate::capture::observation::{Closed, What};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::http1::{Exchange, Keep, Upgrade};
use crate::http2::{Count, Http2, Item, Limits};
use crate::session::findings::http2::Seen;
use bytes::Bytes;
use std::collections::HashMap;

/// One connection while it speaks HTTP/2.
pub(super) struct Http2Tap {
    http: Http2,
    /// BOSH requests without their exchange yet, by stream.
    asked: HashMap<u32, Asked>,
    sockets: HashMap<u32, Tunnel>,
}

/// A WebSocket in a stream.
struct Tunnel {
    socket: Socket,
    /// Sides that have not ended.
    open: u8,
}

impl Default for Http2Tap {
    fn default() -> Self {
        Self { http: Http2::new(Limits::default(), keep), asked: HashMap::new(), sockets: HashMap::new() }
    }
}

impl Http2Tap {
    pub(super) fn count(&self) -> Count {
        self.http.count()
    }

    pub(super) fn feed(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        self.http.feed(direction, at, bytes);
    }

    pub(super) fn end(&mut self, direction: Direction, at: Moment) {
        self.http.end(direction, at);
    }

    /// Gives out what is ready.
    pub(super) fn drain(
        &mut self,
        at: Moment,
        place: &mut Place,
        exit: &mut Exit<'_>,
        bosh: &mut Bosh,
        streams: &mut Streams,
    ) {
        while let Some(item) = self.http.next() {
            match item {
                Ok(Item::Request { stream, request }) => {
                    self.asked.insert(stream, bosh.asked(&request, place, exit, streams));
                }
                Ok(Item::Exchange { stream, exchange }) => {
                    place.stream = Some(stream);
                    if keep(&exchange.request) == Keep::RequestFirst {
                        let asked = self.asked.remove(&stream).unwrap_or_default();
                        bosh.answered(&asked, &exchange, &[], place, exit);
                    } else {
                        emit_exchange(&exchange, &[], None, place, exit);
                    }
                }
                Ok(Item::Tunnel { stream, protocol, exchange }) => {
                    place.stream = Some(stream);
                    self.tunnel(stream, &protocol, *exchange, streams, place, exit);
                }
                Ok(Item::TunnelBytes { stream, direction, at, bytes }) => {
                    if let Some(tunnel) = self.sockets.get_mut(&stream) {
                        tunnel.socket.feed(direction, at, bytes, place, exit);
                    }
                }
                Ok(Item::TunnelEnded { stream, direction, at }) => self.ended(stream, direction, at, place, exit),
                Ok(item) => tell(&item, place, exit),
                Err(error) => {
                    let unread = Unread {
                        layer: "http",
                        offset: Some(error.offset),
                        why: error.why,
                        opaque: true,
                        is_own_limit: false,
                    };
                    place.undecoded(exit, at, None, Some(error.direction), unread);
                }
            }
        }
    }

    fn tunnel(
        &mut self,
        stream: u32,
        protocol: &str,
        exchange: Exchange,
        streams: &mut Streams,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        let at = exchange.ended;
        let upgrade = Upgrade { exchange, c2s_rest: Vec::new(), s2c_rest: Vec::new() };
        let is_socket = protocol.eq_ignore_ascii_case("websocket");
        match is_socket.then(|| Socket::open(&upgrade, &[], streams, place, exit)).flatten() {
            Some(socket) => _ = self.sockets.insert(stream, Tunnel { socket, open: 2 }),
            None => {
                emit_exchange(&upgrade.exchange, &[], None, place, exit);
                let why = "a stream switched to a protocol other than WebSocket";
                place.undecoded(
                    exit,
                    at,
                    None,
                    None,
                    Unread { layer: "http", offset: None, why, opaque: false, is_own_limit: false },
                );
            }
        }
    }

    fn ended(&mut self, stream: u32, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        let Some(tunnel) = self.sockets.get_mut(&stream) else { return };
        tunnel.socket.end(direction, at, place, exit);
        tunnel.open = tunnel.open.saturating_sub(1);
        if tunnel.open == 0
            && let Some(mut tunnel) = self.sockets.remove(&stream)
        {
            tunnel.socket.closed(at, place, exit);
        }
    }

    /// Nothing more is read: open requests stay without an answer.
    pub(super) fn abandon(&mut self, bosh: &mut Bosh) {
        self.asked.drain().for_each(|(_, asked)| bosh.abandoned(&asked));
    }

    /// Its connection is over, and with it the sockets that were open.
    pub(super) fn closed(&mut self, closed: &Closed, place: &mut Place, exit: &mut Exit<'_>) {
        let mut open: Vec<(u32, Tunnel)> = self.sockets.drain().collect();
        open.sort_unstable_by_key(|(stream, _)| *stream);
        for (_, mut tunnel) in open {
            tunnel.socket.closed(closed.at, place, exit);
            tunnel.socket.ended(closed, place, exit);
        }
    }
}

/// What only HTTP/2 has: a line, and what the session layer finds in it.
fn tell(item: &Item, place: &mut Place, exit: &mut Exit<'_>) {
    let (at, direction) = match *item {
        // What a client can take concerns nobody here.
        Item::Settings { at, direction: Direction::S2c, .. } => (at, Direction::S2c),
        Item::Reset { at, direction, .. }
        | Item::GoAway { at, direction, .. }
        | Item::Stalled { at, direction, .. } => (at, direction),
        Item::Ping { at, asker, .. } => (at, asker),
        Item::StreamLimit { at, .. } | Item::OverHeaderLimit { at, .. } => (at, Direction::C2s),
        _ => return,
    };
    let seen = match *item {
        Item::Reset { direction, code, was_connect, .. } => Some(Seen::Reset { direction, code, was_connect }),
        Item::GoAway { direction, last_stream, code, left, .. } => {
            Some(Seen::GoAway { direction, last_stream, code, left })
        }
        Item::Stalled { direction, waited_ms, .. } => Some(Seen::Stalled { direction, waited_ms }),
        Item::StreamLimit { limit, .. } => Some(Seen::StreamLimit { limit }),
        Item::OverHeaderLimit { bytes, limit, .. } => Some(Seen::OverHeaderLimit { bytes, limit }),
        _ => None,
    };
    if let Some(seen) = seen {
        let spot = place.spot(None, at, exit.door);
        exit.tracker.http2(&spot, seen);
    }
    place.emit_towards(exit, at, direction, What::Http2(item));
}
