//! Stanzas and Finesse updates as events.

use super::Removes;
use crate::capture::event::{
    CausedBy, Classed, Event, Fault, Payload, Pubsub, Sasl, Transaction, Update, User, Xmpp, some,
};
use crate::capture::observation::{NotificationSeen, StanzaSeen};
use crate::xmpp::{Kind, Stanza};
use std::borrow::Cow;

pub(super) fn stanza<'o>(seen: &'o StanzaSeen<'o>, event: &mut Event<'o>) -> Removes {
    let stanza = seen.stanza;
    event.event.action = "xmpp-stanza";
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    event.finesse.keepalive = seen.keepalive;
    event.finesse.stage = seen.stage.map(|stage| stage.as_str());
    event.finesse.xml_bytes = Some(seen.xml.len() as u64);
    event.finesse.is_broken = seen.broken;
    event.finesse.xml = Some(Classed::new(seen.xml));
    event.finesse.xmpp = Some(summary(seen));
    match stanza.kind {
        Kind::Auth => {
            event.event.action = "sasl-auth-sent";
            event.event.category = &["authentication"];
            event.event.types = &["start"];
            let mechanism = stanza.element.attribute("mechanism");
            let mechanism = mechanism.map(Classed::new);
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
            let reason = condition.map(Classed::new);
            event.finesse.sasl = Some(Sasl { mechanism: None, reason });
        }
        _ => {}
    }
    if let Some(user) = seen.sasl_user {
        event.user = Some(User { name: Classed::new(user) });
    }
    if let Some(error) = &stanza.error {
        event.error = Some(Fault {
            kind: name(&error.error_type),
            code: error.condition.map(Classed::new),
            message: name(&error.text),
        });
        if stanza.kind != Kind::Failure {
            event.log.level = if stanza.kind == Kind::StreamError { "error" } else { "warn" };
        }
    }
    if let Some(notification) = seen.notification {
        self::notification(notification, event);
    }
    Removes::Payload
}

fn summary<'o>(seen: &'o StanzaSeen<'o>) -> Xmpp<'o> {
    let stanza = seen.stanza;
    let bind = stanza.bind.as_ref();
    Xmpp {
        kind: stanza.kind.as_str(),
        name: matches!(stanza.kind, Kind::Other | Kind::StreamManagement).then(|| Classed::new(stanza.element.name())),
        stanza_type: name(&stanza.stanza_type),
        id: identifier(stanza),
        from: name(&stanza.from),
        to: name(&stanza.to),
        payload: stanza
            .payload
            .as_ref()
            .map(|payload| Payload { name: Classed::new(payload.name), namespace: Classed::new(&*payload.namespace) }),
        pubsub: stanza.pubsub.as_ref().map(|pubsub| Pubsub {
            action: Classed::new(pubsub.action),
            node: name(&pubsub.node),
            item_id: name(&pubsub.item_id),
            subscription: name(&pubsub.subscription),
            jid: name(&pubsub.jid),
        }),
        resource: bind.and_then(|bind| name(&bind.resource)),
        jid: bind.and_then(|bind| name(&bind.jid)),
        mechanisms: stanza.mechanisms.iter().take(32).map(|mechanism| Classed::new(&**mechanism)).collect(),
        rtt_us: seen.reply.map(|reply| reply.rtt_us),
        in_reply_to: seen.reply.map(|reply| reply.in_reply_to),
    }
}

/// The stanza's id. What is no stanza of RFC 6120 may be stream management's, with or without its namespace: there an id is a
/// session's secret and stays in the (redacted) XML.
fn identifier<'o, const WHAT: usize>(stanza: &'o Stanza<'o, 'o>) -> Option<Classed<'o, WHAT>> {
    if matches!(stanza.kind, Kind::StreamManagement | Kind::Other) { None } else { name(&stanza.id) }
}

fn notification<'o>(seen: &'o NotificationSeen<'o>, event: &mut Event<'o>) {
    let Some(update) = seen.update else { return };
    event.event.action = "finesse-update";
    event.event.category = &["network", "api"];
    event.event.types = match update.event.as_deref() {
        Some("POST") => &["creation"],
        Some("DELETE") => &["deletion"],
        _ => &["change"],
    };
    let at = event.timestamp;
    event.transaction = update.request_id.as_deref().map(|id| Transaction { id: Classed::new(id) });
    if let Some(error) = update.api_errors.first() {
        event.log.level = "error";
        event.error = Some(super::update::fault(error));
    }
    event.finesse.update = Some(Update {
        caused_by: seen.read.cause.as_ref().map(|cause| CausedBy {
            sequence: cause.sequence,
            latency_us: at.us_since(cause.at),
            confidence: cause.confidence.as_str(),
            method: Classed::new(cause.method.clone()),
        }),
        arrival_ms: seen.read.arrival.map(|arrival| arrival.arrival_ms),
        skew_ms: seen.read.arrival.map(|arrival| arrival.skew_ms),
        ..super::update::update(update)
    });
    let Some(told) = &mut event.finesse.update else { return };
    let previous = seen.read.previous_state.as_deref();
    if let Some(user) = &mut told.user {
        user.previous_state = some(previous);
    } else if let Some(dialog) = &mut told.dialog {
        dialog.previous_state = some(previous);
        dialog.first_sequence = seen.read.call.map(|call| call.first_sequence);
        dialog.age_ms = seen.read.call.map(|call| call.age_ms);
        dialog.agents = seen.read.call.map(|call| call.agents);
    }
}

pub(super) fn name<'o, const WHAT: usize>(text: &'o Option<Cow<'o, str>>) -> Option<Classed<'o, WHAT>> {
    some(text.as_deref())
}
