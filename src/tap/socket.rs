//! One WebSocket: its messages become stanzas, and they and its frames events.

use super::decoder::Streams;
use super::http::session_cookie;
use super::place::{Exit, Place, Unread};
use super::stanza::Scope;
use crate::capture::event::WsCount;
use crate::capture::observation::{Closed, End, WebSocketEnd, What};
use crate::clock::Moment;
use crate::conn::{Carrier, Direction, StreamId};
use crate::http1::Upgrade;
use crate::rewrite::Edit;
use crate::session::findings::ending::By;
use crate::session::tracker::Opening;
use crate::ws::{Control, Decoder, Handshake, Item, Limits, Message, Opcode};
use crate::xmpp::parse::parse;
use crate::xmpp::{Document, Stanza};
use bytes::Bytes;

/// Both directions of one WebSocket.
pub(super) struct Socket {
    id: StreamId,
    opened: Moment,
    c2s: Way,
    s2c: Way,
    /// Without it messages are frames of unknown meaning (an extension that is not understood).
    readable: bool,
    end: WebSocketEnd,
}

struct Way {
    decoder: Decoder,
    /// Violations told already: each kind once.
    told: Vec<&'static str>,
}

impl Way {
    fn new(direction: Direction, handshake: &Handshake) -> Self {
        Self { decoder: Decoder::new(direction, handshake.deflate, Limits::default()), told: Vec::new() }
    }
}

impl Socket {
    /// The socket that an upgrade opened, if it is a WebSocket.
    pub(super) fn open(
        upgrade: &Upgrade,
        edits: &[Edit],
        streams: &mut Streams,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) -> Option<Self> {
        let exchange = &upgrade.exchange;
        let handshake = Handshake::read(&exchange.request, exchange.response.as_ref()?)?;
        let id = streams.next(Carrier::WebSocket);
        place.asked_by(exchange.request.field("user-agent"), exit.tracker);
        let cookie = session_cookie(&exchange.request);
        place.carries(cookie, exit.tracker);
        place.may_belong_to(cookie, exit.tracker);
        let spot = place.spot(Some(id), exchange.ended, exit.door);
        let opening = Opening {
            // What one side said means nothing without the other.
            offered: if place.unknown.response_head { &[] } else { &handshake.protocols_offered },
            selected: handshake.protocol.as_deref(),
            user_agent: exchange.request.field("user-agent").unwrap_or_default(),
        };
        exit.tracker.websocket_opened(&spot, opening);
        place.emit_on(exit, exchange.ended, id, None, What::WebSocketOpened { exchange, edits, handshake: &handshake });
        if handshake.unknown_extension {
            let why = "an extension was agreed that is not understood: messages are only counted";
            place.undecoded(exit, exchange.ended, Some(id), None, Unread::new("websocket", None, why).own_limit());
        }
        Some(Self {
            id,
            opened: exchange.ended,
            c2s: Way::new(Direction::C2s, &handshake),
            s2c: Way::new(Direction::S2c, &handshake),
            readable: !handshake.unknown_extension,
            end: WebSocketEnd::default(),
        })
    }

    pub(super) fn feed(
        &mut self,
        direction: Direction,
        at: Moment,
        bytes: Bytes,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        self.way(direction).decoder.feed(bytes);
        self.drain(direction, at, place, exit);
    }

    pub(super) fn end(&mut self, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        self.way(direction).decoder.end();
        self.drain(direction, at, place, exit);
    }

    pub(super) fn closed(&mut self, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        self.end.duration_ns = at.ns_since(self.opened);
        place.emit_on(exit, at, self.id, None, What::WebSocketClosed(&self.end));
    }

    /// Its connection is over, as the next line will say. In front of [`Self::closed`] that is the socket's own last line.
    pub(super) fn ended(&self, closed: &Closed, place: &Place, exit: &mut Exit<'_>) {
        let by = match closed.by {
            End::Client => By::Client,
            End::Upstream => By::Upstream,
            End::Proxy => By::Proxy,
            // A HAR does not tell: nothing is to be concluded from it.
            End::Unknown => return,
        };
        exit.tracker.stream_ended(&place.spot(Some(self.id), closed.at, exit.door), by, closed.how.as_str());
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::C2s => &mut self.c2s,
            Direction::S2c => &mut self.s2c,
        }
    }

    fn count(&mut self, direction: Direction) -> &mut WsCount {
        match direction {
            Direction::C2s => &mut self.end.c2s,
            Direction::S2c => &mut self.end.s2c,
        }
    }

    fn drain(&mut self, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        while let Some(item) = self.way(direction).decoder.next() {
            match item {
                Ok(Item::Message(message)) => {
                    let count = self.count(direction);
                    count.messages += 1;
                    count.payload_bytes += message.payload_bytes;
                    count.wire_bytes += message.wire_bytes;
                    exit.tracker.passed(&place.spot(Some(self.id), at, exit.door));
                    let mut scope = Scope { id: self.id, direction, at, place: &mut *place, exit: &mut *exit };
                    scope.message(&message, self.readable);
                }
                Ok(Item::Control(control)) => self.control(&control, direction, at, place, exit),
                Ok(Item::Violation { why, offset }) => {
                    let told = &mut self.way(direction).told;
                    if !told.contains(&why) {
                        told.push(why);
                        let unread = Unread::new("websocket", Some(offset), why);
                        place.undecoded(exit, at, Some(self.id), Some(direction), unread);
                    }
                }
                Err(error) => {
                    let unread = Unread::new("websocket", Some(error.offset), error.why).opaque();
                    place.undecoded(exit, at, Some(self.id), Some(direction), unread);
                }
            }
        }
    }

    fn control(&mut self, control: &Control, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        self.count(direction).controls += 1;
        let spot = place.spot(Some(self.id), at, exit.door);
        let idle_ms = exit.tracker.passed(&spot);
        let mut rtt_us = None;
        match control.opcode {
            Opcode::Ping => exit.tracker.ping(&spot, direction, control.payload.clone()),
            Opcode::Pong => rtt_us = exit.tracker.pong(&spot, direction, &control.payload),
            Opcode::Close => match &self.end.close {
                None => {
                    let (code, reason) = control.close();
                    let by = if direction == Direction::C2s { By::Client } else { By::Upstream };
                    exit.tracker.announced(&spot, code.map(|code| (by, code, &*reason)));
                    self.end.close = Some((direction, code, reason));
                }
                Some((first, ..)) => self.end.answered |= *first != direction,
            },
            _ => {}
        }
        place.emit_on(exit, at, self.id, Some(direction), What::Control { control, rtt_us, idle_ms });
    }
}

impl Scope<'_, '_> {
    fn message(&mut self, message: &Message, readable: bool) {
        if !readable || message.opcode != Opcode::Text {
            self.emit(What::Message { message, keepalive: false });
            return;
        }
        let payload = if message.truncated { whole_characters(&message.payload) } else { &message.payload };
        let Ok(text) = simdutf8::basic::from_utf8(payload) else {
            self.emit(What::Message { message, keepalive: false });
            self.undecoded("websocket", None, "a text message is not UTF-8");
            return;
        };
        let trimmed = text.trim_ascii();
        let malformed = if trimmed.starts_with('<') {
            let document = parse(text);
            self.document(&document, message);
            document.malformed()
        } else {
            self.emit(What::Message { message, keepalive: trimmed.is_empty() && !message.truncated });
            None
        };
        if message.truncated {
            self.own_limit("websocket", "a message is cut: larger than the limit, or the connection ended in it");
        } else if let Some(malformed) = malformed {
            self.undecoded("xmpp", Some(malformed.offset), malformed.why);
        }
    }

    fn document(&mut self, document: &Document<'_>, message: &Message) {
        if document.roots().next().is_none() {
            self.emit(What::Message { message, keepalive: false });
        }
        for root in document.roots() {
            let broken = !root.is_closed();
            let span = root.span();
            let end = if broken { document.source().len() } else { span.end };
            let xml = document.source().get(span.start..end).unwrap_or_default();
            self.stanza(&Stanza::read(root), xml, broken);
        }
    }
}

/// A cut message may end inside a character.
fn whole_characters(payload: &[u8]) -> &[u8] {
    match str::from_utf8(payload) {
        Err(error) if error.error_len().is_none() => payload.get(..error.valid_up_to()).unwrap_or_default(),
        _ => payload,
    }
}
