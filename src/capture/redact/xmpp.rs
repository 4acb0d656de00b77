//! Stanzas and Finesse updates as events.

use super::scrub::Scrub;
use super::{Removes, clip, wire, xml};
use crate::capture::event::{
    ApiError, CausedBy, Event, Fault, Participant, Payload, Pubsub, Sasl, Thing, Update, UpdateDialog, UpdateUser,
    User, Xmpp,
};
use crate::capture::observation::{NotificationSeen, StanzaSeen};
use crate::finesse::update::{self, Object};
use crate::session::tracker::{UpdateRead, transaction};
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
    let request_id = name(scrub, &update.request_id);
    event.transaction = update.request_id.as_deref().map(|id| crate::capture::event::Id { id: transaction(id) });
    let api_error = update.api_errors.first();
    if let Some(error) = api_error {
        event.log.level = "error";
        event.error = Some(Fault {
            kind: name(scrub, &error.error_type),
            code: name(scrub, &error.data),
            message: name(scrub, &error.message),
        });
    }
    event.finesse.update = Some(Update {
        event: name(scrub, &update.event),
        object: update.object.as_str(),
        object_name: (update.object == Object::Other).then(|| part(scrub, &update.object_name)),
        source: name(scrub, &update.source),
        request_id,
        caused_by: seen.read.cause.as_ref().map(|cause| CausedBy {
            sequence: cause.sequence,
            latency_us: at.us_since(cause.at),
            confidence: cause.confidence.as_str(),
            method: wire::method(scrub, &cause.method).into_owned(),
        }),
        arrival_ms: seen.read.arrival.map(|arrival| arrival.arrival_ms),
        skew_ms: seen.read.arrival.map(|arrival| arrival.skew_ms),
        user: update.user.as_ref().map(|user| self::user(scrub, user, seen.read.previous_state.as_deref())),
        dialog: update.dialogs.first().map(|dialog| self::dialog(scrub, dialog, &seen.read)),
        dialogs: (update.dialogs.len() > 1).then_some(update.dialogs.len() as u64),
        api_error: api_error.map(|error| ApiError {
            error_type: name(scrub, &error.error_type),
            message: name(scrub, &error.message),
            data: name(scrub, &error.data),
            peripheral_code: name(scrub, &error.peripheral_code),
            peripheral_text: error.peripheral_text.as_deref().map(|text| Cow::Owned(error_text(scrub, text))),
        }),
        thing: update.thing.as_ref().map(|thing| Thing {
            id: name(scrub, &thing.id),
            name: name(scrub, &thing.name),
            state: name(scrub, &thing.state),
        }),
    });
}

fn user<'o>(scrub: &mut Scrub<'_>, user: &'o update::User<'o>, previous_state: Option<&'o str>) -> UpdateUser<'o> {
    UpdateUser {
        id: name(scrub, &user.login_id),
        name: name(scrub, &user.login_name),
        extension: name(scrub, &user.extension),
        state: name(scrub, &user.state),
        previous_state: previous_state.map(|state| part(scrub, state)),
        pending_state: name(scrub, &user.pending_state),
        state_change_time: name(scrub, &user.state_change_time),
        reason_code: name(scrub, &user.reason_code),
        reason_label: name(scrub, &user.reason_label),
        team_id: name(scrub, &user.team_id),
    }
}

fn dialog<'o>(scrub: &mut Scrub<'_>, dialog: &'o update::Dialog<'o>, read: &'o UpdateRead) -> UpdateDialog<'o> {
    UpdateDialog {
        id: name(scrub, &dialog.id),
        state: name(scrub, &dialog.state),
        previous_state: read.previous_state.as_deref().map(|state| part(scrub, state)),
        call_type: name(scrub, &dialog.call_type),
        media_type: name(scrub, &dialog.media_type),
        from_address: name(scrub, &dialog.from_address),
        to_address: name(scrub, &dialog.to_address),
        first_sequence: read.call.map(|call| call.first_sequence),
        age_ms: read.call.map(|call| call.age_ms),
        agents: read.call.map(|call| call.agents),
        participants: dialog
            .participants
            .iter()
            .take(16)
            .map(|participant| Participant {
                address: name(scrub, &participant.media_address),
                state: name(scrub, &participant.state),
                actions: participant.actions.iter().take(16).map(|action| part(scrub, action)).collect(),
            })
            .collect(),
    }
}

fn error_text(scrub: &mut Scrub<'_>, text: &str) -> String {
    scrub.text(text.get(..text.floor_char_boundary(MAX_ERROR_BYTES)).unwrap_or(text)).into_owned()
}

fn name<'o>(scrub: &mut Scrub<'_>, text: &'o Option<Cow<'o, str>>) -> Option<Cow<'o, str>> {
    text.as_ref().map(|text| part(scrub, text))
}

/// A part of the stanza in a field of its own: free of what was found in the whole.
fn part<'o>(scrub: &mut Scrub<'_>, text: &'o str) -> Cow<'o, str> {
    clip(if scrub.is_clean { Cow::Borrowed(text) } else { scrub.text(text) })
}
