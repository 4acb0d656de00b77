//! Stanzas and Finesse updates as events.

use super::scrub::Scrub;
use super::{Removes, clip, wire, xml};
use crate::capture::event::{CausedBy, Event, Fault, Payload, Pubsub, Sasl, Update, User, Xmpp};
use crate::capture::observation::{NotificationSeen, StanzaSeen};
use crate::session::tracker::transaction;
use crate::xmpp::{Kind, Stanza};
use std::borrow::Cow;

/// Longest error text of a peer written, bytes.
const MAX_ERROR_BYTES: usize = 512;

pub(super) fn stanza<'o>(scrub: &mut Scrub<'_>, seen: &'o StanzaSeen<'o>, event: &mut Event<'o>) -> Removes {
    let stanza = seen.stanza;
    event.event.action = "xmpp-stanza";
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    event.finesse.keepalive = seen.keepalive;
    event.finesse.stage = seen.stage.map(|stage| stage.as_str());
    let text = xml::stanza(scrub, stanza.element, seen.xml, seen.broken);
    scrub.is_clean = matches!(text, Cow::Borrowed(_));
    event.finesse.xml_bytes = Some(seen.xml.len() as u64);
    event.finesse.xml = Some(text);
    event.finesse.xmpp = Some(summary(scrub, seen));
    match stanza.kind {
        Kind::Auth => {
            event.event.action = "sasl-auth-sent";
            event.event.category = &["authentication"];
            event.event.types = &["start"];
            let mechanism = stanza.element.attribute("mechanism");
            let mechanism = mechanism.map(|text| Cow::Owned(part(scrub, &text).into_owned()));
            event.finesse.sasl = Some(Sasl { mechanism, reason: None });
        }
        Kind::Success | Kind::Failure => {
            let failed = stanza.kind == Kind::Failure;
            event.event.action = "sasl-auth-result";
            event.event.category = &["authentication"];
            event.event.types = &["info"];
            event.event.outcome = Some(if failed { "failure" } else { "success" });
            event.log.level = if failed { "error" } else { "info" };
            let condition = stanza.error.as_ref().and_then(|error| error.condition);
            let reason = condition.map(|condition| clip(scrub.name(condition)));
            event.finesse.sasl = Some(Sasl { mechanism: None, reason });
        }
        _ => {}
    }
    if let Some(user) = seen.sasl_user {
        event.user = Some(User { name: clip(Cow::Borrowed(user)) });
    }
    if let Some(error) = &stanza.error {
        event.error = Some(Fault {
            kind: name(scrub, &error.error_type),
            code: error.condition.map(|condition| clip(scrub.name(condition))),
            message: error.text.as_deref().map(|text| Cow::Owned(error_text(scrub, text))),
        });
        if stanza.kind != Kind::Failure {
            event.log.level = if stanza.kind == Kind::StreamError { "error" } else { "warn" };
        }
    }
    if let Some(notification) = seen.notification {
        self::notification(scrub, notification, event);
    }
    Removes::Payload
}

fn summary<'o>(scrub: &mut Scrub<'_>, seen: &'o StanzaSeen<'o>) -> Xmpp<'o> {
    let stanza = seen.stanza;
    let bind = stanza.bind.as_ref();
    Xmpp {
        kind: stanza.kind.as_str(),
        name: matches!(stanza.kind, Kind::Other | Kind::StreamManagement)
            .then(|| clip(scrub.name(stanza.element.name()))),
        stanza_type: name(scrub, &stanza.stanza_type),
        id: identifier(scrub, stanza),
        from: name(scrub, &stanza.from),
        to: name(scrub, &stanza.to),
        payload: stanza.payload.as_ref().map(|payload| Payload {
            name: clip(scrub.name(payload.name)),
            namespace: part(scrub, &payload.namespace),
        }),
        pubsub: stanza.pubsub.as_ref().map(|pubsub| Pubsub {
            action: clip(scrub.name(pubsub.action)),
            node: name(scrub, &pubsub.node),
            item_id: name(scrub, &pubsub.item_id),
            subscription: name(scrub, &pubsub.subscription),
            jid: name(scrub, &pubsub.jid),
        }),
        resource: bind.and_then(|bind| name(scrub, &bind.resource)),
        jid: bind.and_then(|bind| name(scrub, &bind.jid)),
        mechanisms: stanza.mechanisms.iter().take(32).map(|mechanism| part(scrub, mechanism)).collect(),
        rtt_us: seen.reply.map(|reply| reply.rtt_us),
        in_reply_to: seen.reply.map(|reply| reply.in_reply_to),
    }
}

/// The stanza's id; that of a stream-management element is a session's secret and stays in the (redacted) XML.
fn identifier<'o>(scrub: &mut Scrub<'_>, stanza: &'o Stanza<'o, 'o>) -> Option<Cow<'o, str>> {
    if stanza.kind == Kind::StreamManagement { None } else { name(scrub, &stanza.id) }
}

fn notification<'o>(scrub: &mut Scrub<'_>, seen: &'o NotificationSeen<'o>, event: &mut Event<'o>) {
    let Some(update) = seen.update else { return };
    event.event.action = "finesse-update";
    event.event.category = &["network", "api"];
    event.event.types = match update.event.as_deref() {
        Some("POST") => &["creation"],
        Some("DELETE") => &["deletion"],
        _ => &["change"],
    };
    let at = event.timestamp;
    event.transaction = update.request_id.as_deref().map(|id| crate::capture::event::Id { id: transaction(id) });
    if let Some(error) = update.api_errors.first() {
        event.log.level = "error";
        event.error = Some(super::update::fault(scrub, error));
    }
    event.finesse.update = Some(Update {
        caused_by: seen.read.cause.as_ref().map(|cause| CausedBy {
            sequence: cause.sequence,
            latency_us: at.us_since(cause.at),
            confidence: cause.confidence.as_str(),
            method: wire::method(scrub, &cause.method).into_owned(),
        }),
        arrival_ms: seen.read.arrival.map(|arrival| arrival.arrival_ms),
        skew_ms: seen.read.arrival.map(|arrival| arrival.skew_ms),
        ..super::update::update(scrub, update)
    });
    let Some(told) = &mut event.finesse.update else { return };
    let previous = seen.read.previous_state.as_deref().map(|state| part(scrub, state));
    if let Some(user) = &mut told.user {
        user.previous_state = previous;
    } else if let Some(dialog) = &mut told.dialog {
        dialog.previous_state = previous;
        dialog.first_sequence = seen.read.call.map(|call| call.first_sequence);
        dialog.age_ms = seen.read.call.map(|call| call.age_ms);
        dialog.agents = seen.read.call.map(|call| call.agents);
    }
}

pub(super) fn error_text(scrub: &mut Scrub<'_>, text: &str) -> String {
    scrub.text(text.get(..text.floor_char_boundary(MAX_ERROR_BYTES)).unwrap_or(text)).into_owned()
}

pub(super) fn name<'o>(scrub: &mut Scrub<'_>, text: &'o Option<Cow<'o, str>>) -> Option<Cow<'o, str>> {
    text.as_ref().map(|text| part(scrub, text))
}

/// A part of the stanza in a field of its own: free of what was found in the whole.
pub(super) fn part<'o>(scrub: &mut Scrub<'_>, text: &'o str) -> Cow<'o, str> {
    clip(if scrub.is_clean { Cow::Borrowed(text) } else { scrub.text(text) })
}
