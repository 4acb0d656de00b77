//! Stanzas and stream elements, whatever carried them: role, addresses, payload, authentication.
//!
//! Values are the peers', redacted; the role is a word of this program's own.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.sasl.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Sasl<'a> {
    /// `PLAIN` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) mechanism: Text<'a>,
    /// The condition of a refusal, such as `not-authorized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason: Text<'a>,
}

/// `finesse.xmpp.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Xmpp<'a> {
    /// Role of the element.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::XMPP_KIND)))]
    pub(in crate::capture) kind: Word,
    /// Element name, where `kind` does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) name: Text<'a>,
    /// The `type` attribute.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) stanza_type: Text<'a>,
    /// The `id` attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a>,
    /// The sender's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) from: Text<'a>,
    /// The receiver's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) to: Text<'a>,
    /// The first child element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) payload: Option<Payload<'a>>,
    /// Publish-subscribe (XEP-0060).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) pubsub: Option<Pubsub<'a>>,
    /// The resource asked for in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) resource: Text<'a>,
    /// The full JID given in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) jid: Text<'a>,
    /// SASL mechanisms offered, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) mechanisms: Vec<Cow<'a, str>>,
    /// Of an answer: since its iq, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) rtt_us: Option<u64>,
    /// Of an answer: `event.sequence` of its iq.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) in_reply_to: Option<u64>,
}

/// `finesse.xmpp.payload.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Payload<'a> {
    /// Element name.
    pub(in crate::capture) name: Cow<'a, str>,
    /// Its namespace.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(in crate::capture) namespace: Cow<'a, str>,
}

/// `finesse.xmpp.pubsub.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pubsub<'a> {
    /// `event`, `subscribe`, `unsubscribe`, `items` …
    pub(in crate::capture) action: Cow<'a, str>,
    /// Node, such as `/finesse/api/User/1001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) node: Text<'a>,
    /// Id of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) item_id: Text<'a>,
    /// State of a subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) subscription: Text<'a>,
    /// The subscriber's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) jid: Text<'a>,
}
