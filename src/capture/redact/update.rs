//! Finesse's objects as fields of an event: of a notification, and of what the REST API answers.

use super::scrub::Scrub;
use super::xmpp::{error_text, name, part};
use crate::capture::event::{
    ApiError, Fault, Participant, Statistics, System, TeamMessage, Thing, Update, UpdateDialog, UpdateUser,
};
use crate::finesse::update::{self, Object};
use std::borrow::Cow;

/// Most parties of a call, actions of a party and teams of a message written.
const MAX_MEMBERS: usize = 16;
/// Most things of one list written.
const MAX_THINGS: usize = 64;

/// What the document itself says; what the session layer knows of it is the caller's.
pub(super) fn update<'o>(scrub: &mut Scrub<'_>, update: &'o update::Update<'o>) -> Update<'o> {
    let several = update.things.len() > 1;
    Update {
        event: name(scrub, &update.event),
        object: update.object.as_str(),
        object_name: (update.object == Object::Other).then(|| part(scrub, &update.object_name)),
        source: name(scrub, &update.source),
        request_id: name(scrub, &update.request_id),
        user: update.user.as_ref().map(|user| self::user(scrub, user)),
        dialog: update.dialogs.first().map(|dialog| self::dialog(scrub, dialog)),
        dialogs: (update.dialogs.len() > 1).then_some(update.dialogs.len() as u64),
        api_error: update.api_errors.first().map(|error| api_error(scrub, error)),
        api_errors: (update.api_errors.len() > 1).then_some(update.api_errors.len() as u64),
        system: update.system.as_ref().map(|system| Box::new(self::system(scrub, system))),
        team_message: update.message.as_ref().map(|message| Box::new(self::message(scrub, message))),
        thing: update.things.first().map(|thing| self::thing(scrub, thing)),
        things: update
            .things
            .iter()
            .take(if several { MAX_THINGS } else { 0 })
            .map(|thing| self::thing(scrub, thing))
            .collect(),
        ..Update::default()
    }
}

/// An error of the API in ECS's words.
pub(super) fn fault<'o>(scrub: &mut Scrub<'_>, error: &'o update::ApiError<'o>) -> Fault<'o> {
    Fault { kind: name(scrub, &error.error_type), code: name(scrub, &error.data), message: name(scrub, &error.message) }
}

fn user<'o>(scrub: &mut Scrub<'_>, user: &'o update::User<'o>) -> UpdateUser<'o> {
    UpdateUser {
        id: name(scrub, &user.login_id),
        name: name(scrub, &user.login_name),
        extension: name(scrub, &user.extension),
        state: name(scrub, &user.state),
        previous_state: None,
        pending_state: name(scrub, &user.pending_state),
        state_change_time: name(scrub, &user.state_change_time),
        reason_code: name(scrub, &user.reason_code),
        reason_label: name(scrub, &user.reason_label),
        team_id: name(scrub, &user.team_id),
        team_name: name(scrub, &user.team_name),
    }
}

fn dialog<'o>(scrub: &mut Scrub<'_>, dialog: &'o update::Dialog<'o>) -> UpdateDialog<'o> {
    UpdateDialog {
        id: name(scrub, &dialog.id),
        associated_id: name(scrub, &dialog.associated_id),
        secondary_id: name(scrub, &dialog.secondary_id),
        state: name(scrub, &dialog.state),
        state_cause: dialog.state_cause().map(|cause| part(scrub, cause)),
        call_type: name(scrub, &dialog.call_type),
        media_type: name(scrub, &dialog.media_type),
        from_address: name(scrub, &dialog.from_address),
        to_address: name(scrub, &dialog.to_address),
        dialed_number: name(scrub, &dialog.dialed_number),
        queue_id: name(scrub, &dialog.queue_id),
        queue_name: name(scrub, &dialog.queue_name),
        call_key_day: name(scrub, &dialog.call_key_day),
        call_key: name(scrub, &dialog.call_key),
        participants: dialog
            .participants
            .iter()
            .take(MAX_MEMBERS)
            .map(|participant| Participant {
                address: name(scrub, &participant.media_address),
                address_type: name(scrub, &participant.media_address_type),
                state: name(scrub, &participant.state),
                state_cause: name(scrub, &participant.state_cause),
                state_change_time: name(scrub, &participant.state_change_time),
                actions: participant.actions.iter().take(MAX_MEMBERS).map(|action| part(scrub, action)).collect(),
            })
            .collect(),
        ..UpdateDialog::default()
    }
}

fn api_error<'o>(scrub: &mut Scrub<'_>, error: &'o update::ApiError<'o>) -> ApiError<'o> {
    ApiError {
        error_type: name(scrub, &error.error_type),
        message: name(scrub, &error.message),
        data: name(scrub, &error.data),
        media: name(scrub, &error.media),
        peripheral_code: name(scrub, &error.peripheral_code),
        peripheral_name: name(scrub, &error.peripheral_name),
        peripheral_text: error.peripheral_text.as_deref().map(|text| Cow::Owned(error_text(scrub, text))),
    }
}

fn system<'o>(scrub: &mut Scrub<'_>, system: &'o update::System<'o>) -> System<'o> {
    System {
        status: name(scrub, &system.status),
        status_reason: system.status_reason.as_deref().map(|text| Cow::Owned(error_text(scrub, text))),
        deployment: name(scrub, &system.deployment),
        auth_mode: name(scrub, &system.auth_mode),
        cti_heartbeat: name(scrub, &system.cti_heartbeat),
        cti_heartbeat_time: name(scrub, &system.cti_heartbeat_time),
        cti_heartbeat_interval_s: system.cti_heartbeat_interval_s,
        cti_version: name(scrub, &system.cti_version),
        cti_maintenance: name(scrub, &system.cti_maintenance),
        finesse_maintenance: name(scrub, &system.finesse_maintenance),
        finesse_maintenance_s: system.finesse_maintenance_s,
        peripheral_id: name(scrub, &system.peripheral_id),
        current_time: name(scrub, &system.current_time),
        xmpp_domain: name(scrub, &system.xmpp_domain),
        primary_host: name(scrub, &system.primary_host),
        secondary_host: name(scrub, &system.secondary_host),
        cti_host: name(scrub, &system.cti_host),
        alternate_host: name(scrub, &system.alternate_host),
        alternate_available: system.alternate_available,
        redirects_to_alternate: system.redirects_to_alternate,
    }
}

fn message<'o>(scrub: &mut Scrub<'_>, message: &'o update::Message<'o>) -> TeamMessage<'o> {
    TeamMessage {
        id: name(scrub, &message.id),
        created_by: name(scrub, &message.created_by),
        created_at_s: message.created_at_s,
        duration_s: message.duration_s,
        content: message.content.as_deref().map(|text| Cow::Owned(error_text(scrub, text))),
        teams: message.teams.iter().take(MAX_MEMBERS).map(|team| part(scrub, team)).collect(),
    }
}

fn thing<'o>(scrub: &mut Scrub<'_>, thing: &'o update::Thing<'o>) -> Thing<'o> {
    Thing {
        id: name(scrub, &thing.id),
        name: name(scrub, &thing.name),
        state: name(scrub, &thing.state),
        state_change_time: name(scrub, &thing.state_change_time),
        reason_code: name(scrub, &thing.reason_code),
        reason_label: name(scrub, &thing.reason_label),
        statistics: thing.statistics.map(|counts| Statistics {
            calls: counts.calls,
            ready: counts.ready,
            not_ready: counts.not_ready,
            talking: counts.talking,
            logged_on: counts.logged_on,
        }),
    }
}
