//! One WebSocket: messages become stanzas, stanzas updates, and all of them events.

use super::place::{Exit, Place};
use crate::capture::event::WsCount;
use crate::capture::observation::{NotificationSeen, StanzaSeen, WebSocketEnd, What};
use crate::clock::Moment;
use crate::conn::{Direction, WsId};
use crate::finesse::{Notification, Update};
use crate::http1::Upgrade;
use crate::session::{Stream, Tracker};
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
    stream: Stream,
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
    pub(super) fn open(upgrade: &Upgrade, number: u64, place: &mut Place, exit: &mut Exit<'_>) -> Option<Self> {
        let exchange = &upgrade.exchange;
        let handshake = Handshake::read(&exchange.request, exchange.response.as_ref()?)?;
        let id = WsId(number);
        place.emit_on(exit, exchange.ended, id, None, What::WebSocketOpened { exchange, handshake: &handshake });
        if handshake.unknown_extension {
            let why = "an extension was agreed that is not understood: messages are only counted";
            let what = What::Undecoded { layer: "websocket", offset: None, why, opaque: false };
            place.emit_on(exit, exchange.ended, id, None, what);
        }
        Some(Self {
            id,
            opened: exchange.ended,
            c2s: Way::new(Direction::C2s, &handshake),
            s2c: Way::new(Direction::S2c, &handshake),
            readable: !handshake.unknown_extension,
            stream: Stream::default(),
            end: WebSocketEnd::default(),
        })
    }

    pub(super) fn feed(
        &mut self,
        direction: Direction,
        at: Moment,
        bytes: Bytes,
        place: &mut Place,
        tracker: &mut Tracker,
        exit: &mut Exit<'_>,
    ) {
        self.way(direction).decoder.feed(bytes);
        self.drain(direction, at, place, tracker, exit);
    }

    pub(super) fn end(
        &mut self,
        direction: Direction,
        at: Moment,
        place: &mut Place,
        tracker: &mut Tracker,
        exit: &mut Exit<'_>,
    ) {
        self.way(direction).decoder.end();
        self.drain(direction, at, place, tracker, exit);
    }

    pub(super) fn closed(&mut self, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        self.end.duration_ns = at.ns_since(self.opened);
        place.emit_on(exit, at, self.id, None, What::WebSocketClosed(&self.end));
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

    fn drain(
        &mut self,
        direction: Direction,
        at: Moment,
        place: &mut Place,
        tracker: &mut Tracker,
        exit: &mut Exit<'_>,
    ) {
        while let Some(item) = self.way(direction).decoder.next() {
            match item {
                Ok(Item::Message(message)) => {
                    let count = self.count(direction);
                    count.messages += 1;
                    count.payload_bytes += message.payload_bytes;
                    count.wire_bytes += message.wire_bytes;
                    self.stream.passed(at);
                    let mut scope = Scope { id: self.id, direction, at, place: &mut *place, exit: &mut *exit };
                    scope.message(&message, self.readable, &mut self.stream, tracker);
                }
                Ok(Item::Control(control)) => self.control(&control, direction, at, place, exit),
                Ok(Item::Violation { why, offset }) => {
                    let told = &mut self.way(direction).told;
                    if !told.contains(&why) {
                        told.push(why);
                        let what = What::Undecoded { layer: "websocket", offset: Some(offset), why, opaque: false };
                        place.emit_on(exit, at, self.id, Some(direction), what);
                    }
                }
                Err(error) => {
                    let (offset, why) = (Some(error.offset), error.why);
                    let what = What::Undecoded { layer: "websocket", offset, why, opaque: true };
                    place.emit_on(exit, at, self.id, Some(direction), what);
                }
            }
        }
    }

    fn control(&mut self, control: &Control, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        self.count(direction).controls += 1;
        let idle_ms = self.stream.passed(at);
        let mut rtt_us = None;
        match control.opcode {
            Opcode::Ping => self.stream.ping(direction, control.payload.clone(), at),
            Opcode::Pong => rtt_us = self.stream.pong(direction, &control.payload, at),
            Opcode::Close => match &self.end.close {
                None => {
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
        self.emit(What::Undecoded { layer, offset, why, opaque: false });
    }

    fn message(&mut self, message: &Message, readable: bool, stream: &mut Stream, tracker: &mut Tracker) {
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
            self.document(&document, message, stream, tracker);
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

    fn document(&mut self, document: &Document<'_>, message: &Message, stream: &mut Stream, tracker: &mut Tracker) {
        if document.roots().next().is_none() {
            self.emit(What::Message { message, keepalive: false });
        }
        for root in document.roots() {
            let broken = !root.is_closed();
            let span = root.span();
            let end = if broken { document.source().len() } else { span.end };
            let xml = document.source().get(span.start..end).unwrap_or_default();
            self.stanza(root, xml, broken, stream, tracker);
        }
    }

    fn stanza(&mut self, root: Element<'_, '_>, xml: &str, broken: bool, stream: &mut Stream, tracker: &mut Tracker) {
        let stanza = Stanza::read(root);
        let plain = matches!(stanza.kind, Kind::Auth | Kind::Response).then(|| sasl::plain(&root.text())).flatten();
        if let Some(plain) = &plain {
            self.place.belongs_to(&plain.authcid, tracker);
        } else if let Some(jid) = stanza.bind.as_ref().and_then(|bind| bind.jid.as_deref())
            && !self.place.has_user()
        {
            self.place.belongs_to(jid.split('@').next().unwrap_or(jid), tracker);
        }
        let reply = stream.stanza(self.direction, &stanza, self.exit.door.next_sequence(), self.at);
        let seen = StanzaSeen {
            stanza: &stanza,
            xml,
            broken,
            keepalive: stanza.is_ping() || reply.is_some_and(|reply| reply.to_ping),
            reply,
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
            self.notification(notification, &seen, tracker);
        }
    }

    /// A pub-sub event: its payload is a document of its own, escaped as text (or, in old releases over BOSH, in place).
    fn notification(&mut self, payload: Element<'_, '_>, seen: &StanzaSeen<'_>, tracker: &mut Tracker) {
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
        let notification = NotificationSeen {
            update: update.as_ref(),
            cause: update.as_ref().and_then(|u| u.request_id.as_deref()).and_then(|id| tracker.cause(id)).cloned(),
            previous_state: update.as_ref().and_then(|update| previous_state(update, tracker)),
        };
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

fn previous_state(update: &Update<'_>, tracker: &mut Tracker) -> Option<String> {
    if let Some(user) = &update.user {
        let id = user.login_id.as_deref().or_else(|| update.source.as_deref()?.rsplit('/').next())?;
        return tracker.user_state(id, user.state.as_deref()?, user.state_change_time.as_deref());
    }
    let dialog = update.dialogs.first()?;
    tracker.dialog_state(dialog.id.as_deref()?, dialog.state.as_deref()?)
}
