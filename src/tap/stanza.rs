//! Elements of a stream, whatever carries it: stanzas with their questions and stages, notifications with their updates.

use super::place::{Exit, Place, Unread};
use crate::capture::observation::{NotificationSeen, StanzaSeen, What};
use crate::clock::Moment;
use crate::conn::{Direction, StreamId};
use crate::finesse::{Notification, Update};
use crate::session::tracker::StanzaRead;
use crate::xmpp::parse::parse;
use crate::xmpp::{Document, Element, Kind, Stanza, sasl};
use std::borrow::Cow;

/// How many notifications of one stanza have a line of their own: each has the whole stanza in it.
const MAX_NOTIFICATIONS: usize = 64;

/// An element's surroundings while it is read.
pub(super) struct Scope<'s, 'x> {
    pub(super) id: StreamId,
    pub(super) direction: Direction,
    pub(super) at: Moment,
    pub(super) place: &'s mut Place,
    pub(super) exit: &'s mut Exit<'x>,
}

impl Scope<'_, '_> {
    pub(super) fn emit(&mut self, what: What<'_>) {
        self.place.emit_on(self.exit, self.at, self.id, Some(self.direction), what);
    }

    /// Something could not be read; the direction goes on.
    pub(super) fn undecoded(&mut self, layer: &'static str, offset: Option<usize>, why: &'static str) {
        let offset = offset.map(|offset| offset as u64);
        let unread = Unread::new(layer, offset, why);
        self.place.undecoded(self.exit, self.at, Some(self.id), Some(self.direction), unread);
    }

    /// A limit of this program's was reached; the direction goes on.
    pub(super) fn own_limit(&mut self, layer: &'static str, why: &'static str) {
        let unread = Unread::new(layer, None, why).own_limit();
        self.place.undecoded(self.exit, self.at, Some(self.id), Some(self.direction), unread);
    }

    /// A stanza or stream element of this text; `broken` if the document breaks off inside it.
    pub(super) fn stanza(&mut self, stanza: &Stanza<'_, '_>, xml: &str, broken: bool) {
        #[cfg(test)]
        super::fault::point(xml);
        let root = stanza.element;
        let plain = matches!(stanza.kind, Kind::Auth | Kind::Response).then(|| sasl::plain(&root.text())).flatten();
        if let Some(plain) = &plain {
            self.place.belongs_to(&plain.authcid, self.at, self.exit.tracker);
        } else if let Some(jid) = stanza.bind.as_ref().and_then(|bind| bind.jid.as_deref())
            && !self.place.has_user()
        {
            self.place.belongs_to(jid.split('@').next().unwrap_or(jid), self.at, self.exit.tracker);
        }
        let spot = self.place.spot(Some(self.id), self.at, self.exit.door);
        let StanzaRead { reply, stage } = self.exit.tracker.stanza(&spot, self.direction, stanza);
        let seen = StanzaSeen {
            stanza,
            xml,
            broken,
            keepalive: stanza.is_ping() || reply.is_some_and(|reply| reply.to_ping),
            reply,
            stage,
            sasl_user: plain.as_ref().map(|plain| &*plain.authcid),
            notification: None,
        };
        let notifications = match (&stanza.pubsub, stanza.kind) {
            (Some(pubsub), Kind::Message) => pubsub.payloads.as_slice(),
            _ => &[],
        };
        if notifications.is_empty() {
            self.emit(What::Stanza(&seen));
        }
        for notification in notifications.iter().take(MAX_NOTIFICATIONS) {
            self.notification(*notification, &seen);
        }
        if notifications.len() > MAX_NOTIFICATIONS {
            self.own_limit("update", "more notifications in one stanza than are told");
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
