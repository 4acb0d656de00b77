//! Stanzas and Finesse updates as events.

use super::Removes;
use crate::capture::event::{
    ApiError, CausedBy, Classed, Event, Fault, Participant, Payload, Pubsub, Sasl, Thing, Update, UpdateDialog,
    UpdateUser, User, Xmpp, some,
};
use crate::capture::observation::{NotificationSeen, StanzaSeen};
use crate::finesse::update::{self, Object};
use crate::session::tracker::UpdateRead;
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

/// The stanza's id; that of a stream-management element is a session's secret and stays in the (redacted) XML.
fn identifier<'o, const WHAT: usize>(stanza: &'o Stanza<'o, 'o>) -> Option<Classed<'o, WHAT>> {
    if stanza.kind == Kind::StreamManagement { None } else { name(&stanza.id) }
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
    let request_id = name(&update.request_id);
    event.transaction =
        update.request_id.as_deref().map(|id| crate::capture::event::Transaction { id: Classed::new(id) });
    let api_error = update.api_errors.first();
    if let Some(error) = api_error {
        event.log.level = "error";
        event.error =
            Some(Fault { kind: name(&error.error_type), code: name(&error.data), message: name(&error.message) });
    }
    event.finesse.update = Some(Update {
        event: name(&update.event),
        object: update.object.as_str(),
        object_name: (update.object == Object::Other).then(|| Classed::new(&*update.object_name)),
        source: name(&update.source),
        request_id,
        caused_by: seen.read.cause.as_ref().map(|cause| CausedBy {
            sequence: cause.sequence,
            latency_us: at.us_since(cause.at),
            confidence: cause.confidence.as_str(),
            method: Classed::new(cause.method.clone()),
        }),
        arrival_ms: seen.read.arrival.map(|arrival| arrival.arrival_ms),
        skew_ms: seen.read.arrival.map(|arrival| arrival.skew_ms),
        user: update.user.as_ref().map(|user| self::user(user, seen.read.previous_state.as_deref())),
        dialog: update.dialogs.first().map(|dialog| self::dialog(dialog, &seen.read)),
        dialogs: (update.dialogs.len() > 1).then_some(update.dialogs.len() as u64),
        api_error: api_error.map(|error| ApiError {
            error_type: name(&error.error_type),
            message: name(&error.message),
            data: name(&error.data),
            peripheral_code: name(&error.peripheral_code),
            peripheral_text: name(&error.peripheral_text),
        }),
        thing: update.thing.as_ref().map(|thing| Thing {
            id: name(&thing.id),
            name: name(&thing.name),
            state: name(&thing.state),
        }),
    });
}

fn user<'o>(user: &'o update::User<'o>, previous_state: Option<&'o str>) -> UpdateUser<'o> {
    UpdateUser {
        id: name(&user.login_id),
        name: name(&user.login_name),
        extension: name(&user.extension),
        state: name(&user.state),
        previous_state: previous_state.map(Classed::new),
        pending_state: name(&user.pending_state),
        state_change_time: name(&user.state_change_time),
        reason_code: name(&user.reason_code),
        reason_label: name(&user.reason_label),
        team_id: name(&user.team_id),
    }
}

fn dialog<'o>(dialog: &'o update::Dialog<'o>, read: &'o UpdateRead) -> UpdateDialog<'o> {
    UpdateDialog {
        id: name(&dialog.id),
        state: name(&dialog.state),
        previous_state: read.previous_state.as_deref().map(Classed::new),
        call_type: name(&dialog.call_type),
        media_type: name(&dialog.media_type),
        from_address: name(&dialog.from_address),
        to_address: name(&dialog.to_address),
        first_sequence: read.call.map(|call| call.first_sequence),
        age_ms: read.call.map(|call| call.age_ms),
        agents: read.call.map(|call| call.agents),
        participants: dialog
            .participants
            .iter()
            .take(16)
            .map(|participant| Participant {
                address: name(&participant.media_address),
                state: name(&participant.state),
                actions: participant.actions.iter().take(16).map(|action| Classed::new(&**action)).collect(),
            })
            .collect(),
    }
}

fn name<'o, const WHAT: usize>(text: &'o Option<Cow<'o, str>>) -> Option<Classed<'o, WHAT>> {
    some(text.as_deref())
}
