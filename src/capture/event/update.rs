//! The part of an event that tells of a Finesse `<Update/>`.
//!
//! Values are the server's, redacted; only what names an object's kind is a word of this program's own.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.update.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) event: Text<'a>,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) object: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) object_name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) source: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) caused_by: Option<CausedBy>,
    /// From `stateChangeTime` to arrival, milliseconds, `skew_ms` taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) arrival_ms: Option<i64>,
    /// How far the proxy's clock is taken to be ahead of the server's, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) skew_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) user: Option<UpdateUser<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialog: Option<UpdateDialog<'a>>,
    /// Dialogs in a collection, the first of which is in `dialog`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) dialogs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) api_error: Option<ApiError<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) thing: Option<Thing<'a>>,
}

/// `finesse.update.caused_by.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct CausedBy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sequence: Option<u64>,
    pub(in crate::capture) latency_us: u64,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) confidence: Word,
    /// The request's method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::capture) method: String,
}

/// `finesse.update.user.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct UpdateUser<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extension: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) pending_state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state_change_time: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_code: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason_label: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) team_id: Text<'a>,
}

/// `finesse.update.dialog.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct UpdateDialog<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) previous_state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) call_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) media_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) from_address: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) to_address: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) first_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) age_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) agents: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) participants: Vec<Participant<'a>>,
}

/// `finesse.update.dialog.participants.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Participant<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) address: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) actions: Vec<Cow<'a, str>>,
}

/// `finesse.update.api_error.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct ApiError<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) error_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) message: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) data: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_code: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_text: Text<'a>,
}

/// `finesse.update.thing.*`: queues, teams, media …
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Thing<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
}
