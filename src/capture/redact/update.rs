//! Finesse's objects as fields of an event: of a notification, and of what the REST API answers.

use super::xmpp::name;
use crate::capture::event::{
    ApiError, Classed, Fault, Participant, Statistics, System, TeamMessage, Thing, Update, UpdateDialog, UpdateUser,
};
use crate::finesse::update::{self, Object};

/// Most parties of a call, actions of a party and teams of a message written.
const MAX_MEMBERS: usize = 16;
/// Most things of one list written.
const MAX_THINGS: usize = 64;

/// What the document itself says; what the session layer knows of it is the caller's.
pub(super) fn update<'o>(update: &'o update::Update<'o>) -> Update<'o> {
    let several = update.things.len() > 1;
    Update {
        event: name(&update.event),
        object: update.object.as_str(),
        object_name: (update.object == Object::Other).then(|| Classed::new(&*update.object_name)),
        source: name(&update.source),
        request_id: name(&update.request_id),
        user: update.user.as_ref().map(self::user),
        dialog: update.dialogs.first().map(self::dialog),
        dialogs: (update.dialogs.len() > 1).then_some(update.dialogs.len() as u64),
        api_error: update.api_errors.first().map(api_error),
        api_errors: (update.api_errors.len() > 1).then_some(update.api_errors.len() as u64),
        system: update.system.as_ref().map(|system| Box::new(self::system(system))),
        team_message: update.message.as_ref().map(|message| Box::new(self::message(message))),
        thing: update.things.first().map(self::thing),
        things: update.things.iter().take(if several { MAX_THINGS } else { 0 }).map(self::thing).collect(),
        ..Update::default()
    }
}

/// An error of the API in ECS's words.
pub(super) fn fault<'o>(error: &'o update::ApiError<'o>) -> Fault<'o> {
    Fault { kind: name(&error.error_type), code: name(&error.data), message: name(&error.message) }
}

fn user<'o>(user: &'o update::User<'o>) -> UpdateUser<'o> {
    UpdateUser {
        id: name(&user.login_id),
        name: name(&user.login_name),
        extension: name(&user.extension),
        state: name(&user.state),
        previous_state: None,
        pending_state: name(&user.pending_state),
        state_change_time: name(&user.state_change_time),
        reason_code: name(&user.reason_code),
        reason_label: name(&user.reason_label),
        team_id: name(&user.team_id),
        team_name: name(&user.team_name),
    }
}

fn dialog<'o>(dialog: &'o update::Dialog<'o>) -> UpdateDialog<'o> {
    UpdateDialog {
        id: name(&dialog.id),
        associated_id: name(&dialog.associated_id),
        secondary_id: name(&dialog.secondary_id),
        state: name(&dialog.state),
        state_cause: dialog.state_cause().map(|cause| Classed::new(&**cause)),
        call_type: name(&dialog.call_type),
        media_type: name(&dialog.media_type),
        from_address: name(&dialog.from_address),
        to_address: name(&dialog.to_address),
        dialed_number: name(&dialog.dialed_number),
        queue_id: name(&dialog.queue_id),
        queue_name: name(&dialog.queue_name),
        call_key_day: name(&dialog.call_key_day),
        call_key: name(&dialog.call_key),
        participants: dialog
            .participants
            .iter()
            .take(MAX_MEMBERS)
            .map(|participant| Participant {
                address: name(&participant.media_address),
                address_type: name(&participant.media_address_type),
                state: name(&participant.state),
                state_cause: name(&participant.state_cause),
                state_change_time: name(&participant.state_change_time),
                actions: participant.actions.iter().take(MAX_MEMBERS).map(|action| Classed::new(&**action)).collect(),
            })
            .collect(),
        ..UpdateDialog::default()
    }
}

fn api_error<'o>(error: &'o update::ApiError<'o>) -> ApiError<'o> {
    ApiError {
        error_type: name(&error.error_type),
        message: name(&error.message),
        data: name(&error.data),
        media: name(&error.media),
        peripheral_code: name(&error.peripheral_code),
        peripheral_name: name(&error.peripheral_name),
        peripheral_text: name(&error.peripheral_text),
    }
}

fn system<'o>(system: &'o update::System<'o>) -> System<'o> {
    System {
        status: name(&system.status),
        status_reason: name(&system.status_reason),
        deployment: name(&system.deployment),
        auth_mode: name(&system.auth_mode),
        cti_heartbeat: name(&system.cti_heartbeat),
        cti_heartbeat_time: name(&system.cti_heartbeat_time),
        cti_heartbeat_interval_s: system.cti_heartbeat_interval_s,
        cti_version: name(&system.cti_version),
        cti_maintenance: name(&system.cti_maintenance),
        finesse_maintenance: name(&system.finesse_maintenance),
        finesse_maintenance_s: system.finesse_maintenance_s,
        peripheral_id: name(&system.peripheral_id),
        current_time: name(&system.current_time),
        xmpp_domain: name(&system.xmpp_domain),
        primary_host: name(&system.primary_host),
        secondary_host: name(&system.secondary_host),
        cti_host: name(&system.cti_host),
        alternate_host: name(&system.alternate_host),
        alternate_available: system.alternate_available,
        redirects_to_alternate: system.redirects_to_alternate,
    }
}

fn message<'o>(message: &'o update::Message<'o>) -> TeamMessage<'o> {
    TeamMessage {
        id: name(&message.id),
        created_by: name(&message.created_by),
        created_at_s: message.created_at_s,
        duration_s: message.duration_s,
        content: name(&message.content),
        teams: message.teams.iter().take(MAX_MEMBERS).map(|team| Classed::new(&**team)).collect(),
    }
}

fn thing<'o>(thing: &'o update::Thing<'o>) -> Thing<'o> {
    Thing {
        id: name(&thing.id),
        name: name(&thing.name),
        state: name(&thing.state),
        state_change_time: name(&thing.state_change_time),
        reason_code: name(&thing.reason_code),
        reason_label: name(&thing.reason_label),
        statistics: thing.statistics.map(|counts| Statistics {
            calls: counts.calls,
            ready: counts.ready,
            not_ready: counts.not_ready,
            talking: counts.talking,
            logged_on: counts.logged_on,
        }),
    }
}
