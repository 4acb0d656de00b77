//! The part of an event that tells of an XMPP stream which is no WebSocket: a BOSH session, or XMPP by itself.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.stream.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Stream<'a> {
    pub(in crate::capture) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sid: Text<'a>,
    /// Number of the BOSH request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) repeated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) open_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) wait_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) hold: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) most_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) inactivity_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) polling_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) close: Option<StreamClose<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) c2s: Option<StreamCount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) s2c: Option<StreamCount>,
}

/// `finesse.stream.close.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct StreamClose<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) by: Word,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(in crate::capture) how: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) condition: Text<'a>,
}

/// `finesse.stream.c2s.*`, `finesse.stream.s2c.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(default)]
pub struct StreamCount {
    /// Stanzas and stream elements, without headers.
    pub stanzas: u64,
    /// What carried them, codings undone, without HTTP and TLS.
    pub bytes: u64,
}
