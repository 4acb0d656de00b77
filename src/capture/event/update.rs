//! The part of an event that tells of a Finesse `<Update/>`.
//!
//! Values are the server's, redacted; only what names an object's kind is a word of this program's own.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.update.*`: what changed, or the object that an answer of the REST API holds.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Update<'a> {
    /// `PUT`, `POST` or `DELETE`, as the server wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) event: Text<'a>,
    /// Kind of object.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OBJECT)))]
    pub(in crate::capture) object: Word,
    /// Its element's name, where `object` is `Other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) object_name: Text<'a>,
    /// Path of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) source: Text<'a>,
    /// `requestId` of the REST request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_id: Text<'a>,
    /// The REST request behind it, where it passed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) caused_by: Option<CausedBy>,
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
pub struct CausedBy {
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
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::capture) method: String,
}

/// `finesse.update.user.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateUser<'a> {
    /// Login id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    /// Login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a>,
    /// Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extension: Text<'a>,
    /// State, such as `READY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    /// The state before, as far as it was seen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a>,
    /// The state to come after the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) pending_state: Text<'a>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a>,
    /// Id of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_code: Text<'a>,
    /// Label of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_label: Text<'a>,
    /// Id of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_id: Text<'a>,
    /// Name of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_name: Text<'a>,
}

/// `finesse.update.dialog.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateDialog<'a> {
    /// Id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    /// Id of the call it belongs to: of a consult call, the customer's (`associatedDialogUri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) associated_id: Text<'a>,
    /// Id of the call that was merged into it by a transfer or conference (`secondaryId`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) secondary_id: Text<'a>,
    /// State, such as `ALERTING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    /// Why it failed: the first `stateCause` of its parties, such as `BUSY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_cause: Text<'a>,
    /// The state before, as far as it was seen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a>,
    /// Type, such as `ACD_IN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_type: Text<'a>,
    /// Medium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) media_type: Text<'a>,
    /// Calling number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) from_address: Text<'a>,
    /// Called number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) to_address: Text<'a>,
    /// Dialed number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialed_number: Text<'a>,
    /// Id of the queue it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) queue_id: Text<'a>,
    /// Name of that queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) queue_name: Text<'a>,
    /// The router's day of the call (`callKeyPrefix`, RouterCallKeyDay).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_key_day: Text<'a>,
    /// The router's number of the call on that day (`callKeyCallId`, RouterCallKey).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_key: Text<'a>,
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
    pub(in crate::capture) address: Text<'a>,
    /// `AGENT_DEVICE`; absent for a party outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) address_type: Text<'a>,
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    /// Why the state is what it is, such as `BUSY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_cause: Text<'a>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a>,
    /// What the party may do, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) actions: Vec<Cow<'a, str>>,
}

/// `finesse.update.api_error.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ApiError<'a> {
    /// Finesse `errorType`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) error_type: Text<'a>,
    /// Finesse `errorMessage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) message: Text<'a>,
    /// Finesse `errorData`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) data: Text<'a>,
    /// Finesse `errorMedia`: the media routing domain it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) media: Text<'a>,
    /// Code of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_code: Text<'a>,
    /// Name of the peripheral's error, such as `PERERR_TELDRIVE_AGENTRESERVED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_name: Text<'a>,
    /// Text of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_text: Text<'a>,
}

/// `finesse.update.thing.*`: queues, teams, media …
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Thing<'a> {
    /// Id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a>,
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    /// When the state changed, by the server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a>,
    /// Media: code of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_code: Text<'a>,
    /// Media: label of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_label: Text<'a>,
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
    pub(in crate::capture) status: Text<'a>,
    /// Why, in the server's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) status_reason: Text<'a>,
    /// `UCCE` or `UCCX`: what a reason code means depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) deployment: Text<'a>,
    /// `SSO`, `NON_SSO` or `HYBRID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) auth_mode: Text<'a>,
    /// Last heartbeat of the CTI server: `success` or `failure` (`lastCTIHeartbeatStatus`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat: Text<'a>,
    /// The last heartbeat that succeeded, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat_time: Text<'a>,
    /// Seconds between heartbeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_heartbeat_interval_s: Option<i64>,
    /// Version of the CTI protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_version: Text<'a>,
    /// Planned maintenance of the CTI server (`ctiMMode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_maintenance: Text<'a>,
    /// Planned maintenance of Finesse (`finesseMMode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) finesse_maintenance: Text<'a>,
    /// Seconds in that maintenance; negative outside of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) finesse_maintenance_s: Option<i64>,
    /// Id of the peripheral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_id: Text<'a>,
    /// The server's clock, as the server writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) current_time: Text<'a>,
    /// XMPP domain: the node that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) xmpp_domain: Text<'a>,
    /// Host of the primary node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) primary_host: Text<'a>,
    /// Host of the secondary node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) secondary_host: Text<'a>,
    /// Host of the active CTI server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) cti_host: Text<'a>,
    /// The other node, as a desktop is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) alternate_host: Text<'a>,
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
    pub(in crate::capture) id: Text<'a>,
    /// Login id of its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) created_by: Text<'a>,
    /// When it was written, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) created_at_s: Option<i64>,
    /// How long it is shown, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) duration_s: Option<i64>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) content: Text<'a>,
    /// Ids of the teams it is for, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) teams: Vec<Cow<'a, str>>,
}
