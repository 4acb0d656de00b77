//! One WebSocket: messages become stanzas, stanzas updates, and all of them events.

use super::http::session_cookie;
use super::place::{Exit, Place, Unread};
use crate::capture::event::WsCount;
use crate::capture::observation::{Closed, End, NotificationSeen, StanzaSeen, WebSocketEnd, What};
use crate::clock::Moment;
use crate::conn::{Direction, WsId};
use crate::finesse::{Notification, Update};
use crate::http1::Upgrade;
use crate::rewrite::Edit;
use crate::session::findings::ending::By;
use crate::session::tracker::{Opening, StanzaRead};
use crate::ws::{Control, Decoder, Handshake, Item, Limits, Message, Opcode};
use crate::xmpp::parse::parse;
use crate::xmpp::{Document, Element, Kind, Stanza, sasl};
use bytes::Bytes;
use std::borrow::Cow;

/// Both directions of one WebSocket.
pub(super) struct Socket {
    id: WsId,
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
        number: u64,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) -> Option<Self> {
        let exchange = &upgrade.exchange;
        let handshake = Handshake::read(&exchange.request, exchange.response.as_ref()?)?;
        let id = WsId(number);
        place.may_belong_to(session_cookie(&exchange.request), exit.tracker);
        let spot = place.spot(Some(id), exchange.ended, exit.door);
        let opening = Opening {
            offered: &handshake.protocols_offered,
            selected: handshake.protocol.as_deref(),
            user_agent: exchange.request.field("user-agent").unwrap_or_default(),
        };
        exit.tracker.websocket_opened(&spot, opening);
        place.emit_on(exit, exchange.ended, id, None, What::WebSocketOpened { exchange, edits, handshake: &handshake });
        if handshake.unknown_extension {
            let why = "an extension was agreed that is not understood: messages are only counted";
            place.undecoded(
                exit,
                exchange.ended,
                Some(id),
                None,
                Unread { layer: "websocket", offset: None, why, opaque: false },
            );
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

    /// Its connection is over, as the next line will say.
    pub(super) fn ended(&self, closed: &Closed, place: &Place, exit: &mut Exit<'_>) {
        let by = match closed.by {
            End::Client => By::Client,
            End::Upstream => By::Upstream,
            End::Proxy => By::Proxy,
            // A HAR does not tell: nothing is to be concluded from it.
            End::Unknown => return,
        };
        exit.tracker.websocket_ended(&place.spot(Some(self.id), closed.at, exit.door), by, closed.how.as_str());
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
                        let unread = Unread { layer: "websocket", offset: Some(offset), why, opaque: false };
                        place.undecoded(exit, at, Some(self.id), Some(direction), unread);
                    }
                }
                Err(error) => {
                    let unread =
                        Unread { layer: "websocket", offset: Some(error.offset), why: error.why, opaque: true };
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
                    exit.tracker.close_frame(&spot);
                    let (code, reason) = control.close();
                    self.end.close = Some((direction, code, reason));
                }
                Some((first, ..)) => self.end.answered |= *first != direction,
            },
            _ => {}
        }
        place.emit_on(exit, at, self.id, Some(direction), What::Control { control, rtt_us, idle_ms });
    }
}

/// One message's surroundings while it is read.
struct Scope<'s, 'x> {
    id: WsId,
    direction: Direction,
    at: Moment,
    place: &'s mut Place,
    exit: &'s mut Exit<'x>,
}

impl Scope<'_, '_> {
    fn emit(&mut self, what: What<'_>) {
        self.place.emit_on(self.exit, self.at, self.id, Some(self.direction), what);
    }

    fn undecoded(&mut self, layer: &'static str, offset: Option<usize>, why: &'static str) {
        let offset = offset.map(|offset| offset as u64);
        let unread = Unread { layer, offset, why, opaque: false };
        self.place.undecoded(self.exit, self.at, Some(self.id), Some(self.direction), unread);
    }

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
            self.undecoded("websocket", None, "a message is cut: larger than the limit, or the connection ended in it");
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
            self.stanza(root, xml, broken);
        }
    }

    fn stanza(&mut self, root: Element<'_, '_>, xml: &str, broken: bool) {
        let stanza = Stanza::read(root);
        let plain = matches!(stanza.kind, Kind::Auth | Kind::Response).then(|| sasl::plain(&root.text())).flatten();
        if let Some(plain) = &plain {
            self.place.belongs_to(&plain.authcid, self.at, self.exit.tracker);
        } else if let Some(jid) = stanza.bind.as_ref().and_then(|bind| bind.jid.as_deref())
            && !self.place.has_user()
        {
            self.place.belongs_to(jid.split('@').next().unwrap_or(jid), self.at, self.exit.tracker);
        }
        let spot = self.place.spot(Some(self.id), self.at, self.exit.door);
        let StanzaRead { reply, stage } = self.exit.tracker.stanza(&spot, self.direction, &stanza);
        let seen = StanzaSeen {
            stanza: &stanza,
            xml,
            broken,
            keepalive: stanza.is_ping() || reply.is_some_and(|reply| reply.to_ping),
            reply,
            stage,
            sasl_user: plain.as_ref().map(|plain| &*plain.authcid),
            notification: None,
        };
        let notifications: Vec<Element<'_, '_>> = match (&stanza.pubsub, stanza.kind) {
            (Some(pubsub), Kind::Message) => pubsub.payloads.clone(),
            _ => Vec::new(),
        };
        if notifications.is_empty() {
            self.emit(What::Stanza(&seen));
        }
        for notification in notifications {
            self.notification(notification, &seen);
        }
    }

    /// A pub-sub event: its payload is a document of its own, escaped as text (or, in old releases over BOSH, in place).
    fn notification(&mut self, payload: Element<'_, '_>, seen: &StanzaSeen<'_>) {
        let in_place = payload.children().next().is_some();
        let text = if in_place {
            // Names are matched without their namespaces, so a part of the text reads like the whole.
            let start = seen.stanza.element.span().start;
            let inner = payload.inner_span();
            let range = inner.start.saturating_sub(start)..inner.end.saturating_sub(start);
            Cow::Borrowed(seen.xml.get(range).unwrap_or_default())
        } else {
            payload.text()
        };
        let form = Notification::of(&text);
        let document = (form == Notification::Xml).then(|| parse(&text));
        let update = match form {
            Notification::Xml => document.as_ref().and_then(Update::read_xml),
            Notification::Json => Update::read_json(&text),
            Notification::Text => None,
        };
        let spot = self.place.spot(Some(self.id), self.at, self.exit.door);
        let read = update.as_ref().map(|update| self.exit.tracker.update(&spot, update)).unwrap_or_default();
        let notification = NotificationSeen { update: update.as_ref(), read };
        self.emit(What::Stanza(&StanzaSeen { notification: Some(&notification), ..*seen }));
        if let Some(malformed) = document.as_ref().and_then(Document::malformed) {
            self.undecoded("update", Some(malformed.offset), malformed.why);
        } else if update.is_none() && !text.trim().is_empty() {
            self.undecoded("update", None, "a notification holds neither an XML nor a JSON object");
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
