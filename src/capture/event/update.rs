//! The part of an event that tells of a Finesse `<Update/>`.
//!
//! Values are the server's, redacted; only what names an object's kind is a word of this program's own.

use super::classed::{CONDITION, Classed, ID, LABEL, LOGIN, METHOD, NUMBER, PATH, PHONE, SENTENCE, Text, Treat, WORD};
use super::{Word, is_empty};
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};

/// `finesse.update.*`
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
    /// A queue, team, media or the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) thing: Option<Thing<'a>>,
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
}

/// `finesse.update.dialog.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateDialog<'a> {
    /// Id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, NUMBER>,
    /// State, such as `ALERTING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
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
    /// State.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
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
    /// Code of the peripheral's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) peripheral_code: Text<'a, WORD>,
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
}

impl Treat for Update<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self {
            event,
            object,
            object_name,
            source,
            request_id,
            caused_by,
            arrival_ms,
            skew_ms,
            user,
            dialog,
            dialogs,
            api_error,
            thing,
        } = self;
        pass.all(&mut [
            event,
            object,
            object_name,
            source,
            request_id,
            caused_by,
            arrival_ms,
            skew_ms,
            user,
            dialog,
            dialogs,
            api_error,
            thing,
        ]);
    }
}

impl Treat for CausedBy<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { sequence, latency_us, confidence, method } = self;
        pass.all(&mut [sequence, latency_us, confidence, method]);
    }
}

impl Treat for UpdateUser<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self {
            id,
            name,
            extension,
            state,
            previous_state,
            pending_state,
            state_change_time,
            reason_code,
            reason_label,
            team_id,
        } = self;
        pass.all(&mut [
            id,
            name,
            extension,
            state,
            previous_state,
            pending_state,
            state_change_time,
            reason_code,
            reason_label,
            team_id,
        ]);
    }
}

impl Treat for UpdateDialog<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self {
            id,
            state,
            previous_state,
            call_type,
            media_type,
            from_address,
            to_address,
            first_sequence,
            age_ms,
            agents,
            participants,
        } = self;
        pass.all(&mut [
            id,
            state,
            previous_state,
            call_type,
            media_type,
            from_address,
            to_address,
            first_sequence,
            age_ms,
            agents,
            participants,
        ]);
    }
}

impl Treat for Participant<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { address, state, actions } = self;
        pass.all(&mut [address, state, actions]);
    }
}

impl Treat for ApiError<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { error_type, message, data, peripheral_code, peripheral_text } = self;
        pass.all(&mut [error_type, message, data, peripheral_code, peripheral_text]);
    }
}

impl Treat for Thing<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { id, name, state } = self;
        pass.all(&mut [id, name, state]);
    }
}
