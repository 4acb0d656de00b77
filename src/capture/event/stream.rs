//! The part of an event that tells of an XMPP stream which is no WebSocket: a BOSH session, or XMPP by itself.

use super::Word;
use super::classed::{CONDITION, Classed, OWN_ID, SESSION, Text, treat_all};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.stream.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Stream<'a> {
    /// `b2` of BOSH, `x2` of XMPP by itself; counts from 1 in a run, WebSockets included.
    pub(in crate::capture) id: Classed<'a, OWN_ID>,
    /// BOSH: the session's id, tokenised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sid: Text<'a, SESSION>,
    /// Number of the BOSH request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request: Option<u64>,
    /// `true` if the BOSH request was sent before; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) repeated: bool,
    /// BOSH requests without an answer when this one came, itself included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) open_requests: Option<u64>,
    /// BOSH: longest time a request is held back, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) wait_s: Option<u64>,
    /// BOSH: requests held back at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) hold: Option<u64>,
    /// BOSH: requests that the client may have open at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) most_requests: Option<u64>,
    /// BOSH: longest time without an open request, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) inactivity_s: Option<u64>,
    /// BOSH: shortest time between two polls, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) polling_s: Option<u64>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) close: Option<StreamClose<'a>>,
    /// BOSH: requests of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) requests: Option<u64>,
    /// Client to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) c2s: Option<StreamCount>,
    /// Server to client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) s2c: Option<StreamCount>,
}

/// `finesse.stream.close.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StreamClose<'a> {
    /// Who ended it first.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(in crate::capture) by: Word,
    /// How.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::STREAM_HOW)))]
    pub(in crate::capture) how: Word,
    /// BOSH: the server's reason (XEP-0124 section 17.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) condition: Text<'a, CONDITION>,
}

/// `finesse.stream.c2s.*`, `finesse.stream.s2c.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StreamCount {
    /// Stanzas and stream elements, without headers.
    pub stanzas: u64,
    /// What carried them, codings undone, without HTTP and TLS.
    pub bytes: u64,
}

treat_all! {
    Stream<'_> {
        id, sid, request, repeated, open_requests, wait_s, hold, most_requests, inactivity_s, polling_s, close,
        requests, c2s, s2c,
    }
    StreamClose<'_> { by, how, condition }
    StreamCount { stanzas, bytes }
}
