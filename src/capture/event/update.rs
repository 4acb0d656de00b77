//! The part of an event that tells of a Finesse `<Update/>`.
//!
//! Values are the server's, redacted; only what names an object's kind is a word of this program's own.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.update.*`
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
    /// A queue, team, media or the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) thing: Option<Thing<'a>>,
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
}

/// `finesse.update.dialog.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateDialog<'a> {
    /// Id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    /// State, such as `ALERTING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
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
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
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
    /// Code of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_code: Text<'a>,
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
}
