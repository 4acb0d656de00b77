//! The part of an event that tells of a Finesse `<Update/>`.
//!
//! Values are the server's, redacted; only what names an object's kind is a word of this program's own.

use super::classed::{
    CONDITION, CUSTOMER, Classed, HOST, ID, LABEL, LOGIN, METHOD, NUMBER, PATH, PHONE, SENTENCE, Text, WORD, treat_all,
};
use super::{Word, is_empty};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.update.*`: what changed, or the object that an answer of the REST API holds.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Update<'a> {
    /// `PUT`, `POST` or `DELETE`, as the server wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) event: Text<'a, WORD>,
    /// Kind of object.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OBJECT)))]
    pub(in crate::capture) object: Word,
    /// Its element's name, where `object` is `Other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) object_name: Text<'a, CONDITION>,
    /// Path of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) source: Text<'a, PATH>,
    /// `requestId` of the REST request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_id: Text<'a, ID>,
    /// The REST request behind it, where it passed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) caused_by: Option<CausedBy<'a>>,
    /// From `stateChangeTime` to arrival, milliseconds, `skew_ms` taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) arrival_ms: Option<i64>,
    /// How far the proxy's clock is taken to be ahead of the server's, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) skew_ms: Option<i64>,
    /// An agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) user: Option<UpdateUser<'a>>,
    /// A call, or the first of a collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialog: Option<UpdateDialog<'a>>,
    /// Dialogs in a collection, the first of which is in `dialog`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialogs: Option<u64>,
    /// Why a request failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) api_error: Option<ApiError<'a>>,
    /// Errors in a list, the first of which is in `api_error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) api_errors: Option<u64>,
    /// The state of the servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) system: Option<Box<System<'a>>>,
    /// A team message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_message: Option<Box<TeamMessage<'a>>>,
    /// A queue, team, media or the like, or the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) thing: Option<Thing<'a>>,
    /// All of them where there are several, at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) things: Vec<Thing<'a>>,
}

/// `finesse.update.caused_by.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CausedBy<'a> {
    /// `event.sequence` of the request's line; absent while its answer is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sequence: Option<u64>,
    /// From the request to this update, microseconds.
    pub(in crate::capture) latency_us: u64,
    /// `certain` by its `requestId`, less by time and object.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::CONFIDENCE)))]
    pub(in crate::capture) confidence: Word,
    /// The request's method.
    #[serde(skip_serializing_if = "is_empty")]
    pub(in crate::capture) method: Classed<'a, METHOD>,
}

/// `finesse.update.user.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateUser<'a> {
    /// Login id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, LOGIN>,
    /// Login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a, LOGIN>,
    /// Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extension: Text<'a, PHONE>,
    /// State, such as `READY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
    /// The state before, as far as it was seen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a, WORD>,
    /// The state to come after the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) pending_state: Text<'a, WORD>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a, WORD>,
    /// Id of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_code: Text<'a, WORD>,
    /// Label of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_label: Text<'a, SENTENCE>,
    /// Id of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_id: Text<'a, NUMBER>,
    /// Name of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_name: Text<'a, LABEL>,
}

/// `finesse.update.dialog.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateDialog<'a> {
    /// Id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, NUMBER>,
    /// Id of the call it belongs to: of a consult call, the customer's (`associatedDialogUri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) associated_id: Text<'a, NUMBER>,
    /// Id of the call that was merged into it by a transfer or conference (`secondaryId`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) secondary_id: Text<'a, NUMBER>,
    /// State, such as `ALERTING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
    /// Why it failed: the first `stateCause` of its parties, such as `BUSY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_cause: Text<'a, WORD>,
    /// The state before, as far as it was seen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a, WORD>,
    /// Type, such as `ACD_IN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_type: Text<'a, WORD>,
    /// Medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) media_type: Text<'a, WORD>,
    /// Calling number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) from_address: Text<'a, PHONE>,
    /// Called number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) to_address: Text<'a, PHONE>,
    /// Dialed number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialed_number: Text<'a, PHONE>,
    /// Id of the queue it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) queue_id: Text<'a, NUMBER>,
    /// Name of that queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) queue_name: Text<'a, LABEL>,
    /// The router's day of the call (`callKeyPrefix`, RouterCallKeyDay).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_key_day: Text<'a, NUMBER>,
    /// The router's number of the call on that day (`callKeyCallId`, RouterCallKey).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_key: Text<'a, NUMBER>,
    /// `event.sequence` of the call's first event seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) first_sequence: Option<u64>,
    /// Since that event, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) age_ms: Option<u64>,
    /// Agents whose desktops have seen the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) agents: Option<u64>,
    /// Parties, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) participants: Vec<Participant<'a>>,
}

/// `finesse.update.dialog.participants.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Participant<'a> {
    /// Number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) address: Text<'a, PHONE>,
    /// `AGENT_DEVICE`; absent for a party outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) address_type: Text<'a, WORD>,
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
    /// Why the state is what it is, such as `BUSY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_cause: Text<'a, WORD>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a, WORD>,
    /// What the party may do, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) actions: Vec<Classed<'a, WORD>>,
}

/// `finesse.update.api_error.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ApiError<'a> {
    /// Finesse `errorType`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) error_type: Text<'a, SENTENCE>,
    /// Finesse `errorMessage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) message: Text<'a, SENTENCE>,
    /// Finesse `errorData`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) data: Text<'a, WORD>,
    /// Finesse `errorMedia`: the media routing domain it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) media: Text<'a, WORD>,
    /// Code of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_code: Text<'a, WORD>,
    /// Name of the peripheral's error, such as `PERERR_TELDRIVE_AGENTRESERVED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_name: Text<'a, SENTENCE>,
    /// Text of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_text: Text<'a, SENTENCE>,
}

/// `finesse.update.thing.*`: queues, teams, media …
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Thing<'a> {
    /// Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, NUMBER>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a, LABEL>,
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a, WORD>,
    /// Media: code of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_code: Text<'a, WORD>,
    /// Media: label of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_label: Text<'a, SENTENCE>,
    /// Queue: its statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) statistics: Option<Statistics>,
}

/// `finesse.update.thing.statistics.*`: a queue in numbers; absent is what the server does not know.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Statistics {
    /// Calls that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) calls: Option<u64>,
    /// Agents in READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) ready: Option<u64>,
    /// Agents in NOT_READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) not_ready: Option<u64>,
    /// Agents in calls of all kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) talking: Option<u64>,
    /// Agents signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) logged_on: Option<u64>,
}

/// `finesse.update.system.*`: the state of the servers, of SystemInfo or a desktop's configuration.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct System<'a> {
    /// `IN_SERVICE`, `OUT_OF_SERVICE` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) status: Text<'a, WORD>,
    /// Why, in the server's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) status_reason: Text<'a, SENTENCE>,
    /// `UCCE` or `UCCX`: what a reason code means depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) deployment: Text<'a, WORD>,
    /// `SSO`, `NON_SSO` or `HYBRID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) auth_mode: Text<'a, WORD>,
    /// Last heartbeat of the CTI server: `success` or `failure` (`lastCTIHeartbeatStatus`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat: Text<'a, WORD>,
    /// The last heartbeat that succeeded, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat_time: Text<'a, WORD>,
    /// Seconds between heartbeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat_interval_s: Option<i64>,
    /// Version of the CTI protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_version: Text<'a, WORD>,
    /// Planned maintenance of the CTI server (`ctiMMode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_maintenance: Text<'a, WORD>,
    /// Planned maintenance of Finesse (`finesseMMode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) finesse_maintenance: Text<'a, WORD>,
    /// Seconds in that maintenance; negative outside of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) finesse_maintenance_s: Option<i64>,
    /// Id of the peripheral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_id: Text<'a, NUMBER>,
    /// The server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) current_time: Text<'a, WORD>,
    /// XMPP domain: the node that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) xmpp_domain: Text<'a, HOST>,
    /// Host of the primary node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) primary_host: Text<'a, HOST>,
    /// Host of the secondary node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) secondary_host: Text<'a, HOST>,
    /// Host of the active CTI server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_host: Text<'a, HOST>,
    /// The other node, as a desktop is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) alternate_host: Text<'a, HOST>,
    /// `true` if a desktop is told that the other node is in service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) alternate_available: Option<bool>,
    /// `true` if a desktop is sent to the other node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) redirects_to_alternate: Option<bool>,
}

/// `finesse.update.team_message.*`: what a supervisor tells a team.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TeamMessage<'a> {
    /// Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, ID>,
    /// Login id of its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) created_by: Text<'a, LOGIN>,
    /// When it was written, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) created_at_s: Option<i64>,
    /// How long it is shown, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) duration_s: Option<i64>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) content: Text<'a, CUSTOMER>,
    /// Ids of the teams it is for, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) teams: Vec<Classed<'a, NUMBER>>,
}

treat_all! {
    Update<'_> {
        event, object, object_name, source, request_id, caused_by, arrival_ms, skew_ms, user, dialog, dialogs,
        api_error, api_errors, system, team_message, thing, things,
    }
    CausedBy<'_> { sequence, latency_us, confidence, method }
    UpdateUser<'_> {
        id, name, extension, state, previous_state, pending_state, state_change_time, reason_code, reason_label,
        team_id, team_name,
    }
    UpdateDialog<'_> {
        id, associated_id, secondary_id, state, state_cause, previous_state, call_type, media_type, from_address,
        to_address, dialed_number, queue_id, queue_name, call_key_day, call_key, first_sequence, age_ms, agents,
        participants,
    }
    Participant<'_> { address, address_type, state, state_cause, state_change_time, actions }
    ApiError<'_> { error_type, message, data, media, peripheral_code, peripheral_name, peripheral_text }
    Thing<'_> { id, name, state, state_change_time, reason_code, reason_label, statistics }
    Statistics { calls, ready, not_ready, talking, logged_on }
    System<'_> {
        status, status_reason, deployment, auth_mode, cti_heartbeat, cti_heartbeat_time, cti_heartbeat_interval_s,
        cti_version, cti_maintenance, finesse_maintenance, finesse_maintenance_s, peripheral_id, current_time,
        xmpp_domain, primary_host, secondary_host, cti_host, alternate_host, alternate_available,
        redirects_to_alternate,
    }
    TeamMessage<'_> { id, created_by, created_at_s, duration_s, content, teams }
}
