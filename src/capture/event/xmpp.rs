//! Stanzas and stream elements, whatever carried them: role, addresses, payload, authentication.
//!
//! Values are the peers', redacted; the role is a word of this program's own.

use super::classed::{CONDITION, Classed, ID, JID, MECHANISM, NAMESPACE, PATH, RESOURCE, Text, WORD, treat_all};
use super::{Word, is_empty};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.sasl.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Sasl<'a> {
    /// `PLAIN` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) mechanism: Text<'a, MECHANISM>,
    /// The condition of a refusal, such as `not-authorized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason: Text<'a, CONDITION>,
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
    pub(in crate::capture) name: Text<'a, CONDITION>,
    /// The `type` attribute.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) stanza_type: Text<'a, WORD>,
    /// The `id` attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) id: Text<'a, ID>,
    /// The sender's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) from: Text<'a, JID>,
    /// The receiver's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) to: Text<'a, JID>,
    /// The first child element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) payload: Option<Payload<'a>>,
    /// Publish-subscribe (XEP-0060).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) pubsub: Option<Pubsub<'a>>,
    /// The resource asked for in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) resource: Text<'a, RESOURCE>,
    /// The full JID given in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) jid: Text<'a, JID>,
    /// SASL mechanisms offered, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) mechanisms: Vec<Classed<'a, MECHANISM>>,
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
    pub(in crate::capture) name: Classed<'a, CONDITION>,
    /// Its namespace.
    #[serde(skip_serializing_if = "is_empty")]
    pub(in crate::capture) namespace: Classed<'a, NAMESPACE>,
}

/// `finesse.xmpp.pubsub.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pubsub<'a> {
    /// `event`, `subscribe`, `unsubscribe`, `items` …
    pub(in crate::capture) action: Classed<'a, CONDITION>,
    /// Node, such as `/finesse/api/User/1001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) node: Text<'a, PATH>,
    /// Id of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) item_id: Text<'a, ID>,
    /// State of a subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) subscription: Text<'a, WORD>,
    /// The subscriber's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) jid: Text<'a, JID>,
}

treat_all! {
    Sasl<'_> { mechanism, reason }
    Xmpp<'_> { kind, name, stanza_type, id, from, to, payload, pubsub, resource, jid, mechanisms, rtt_us, in_reply_to }
    Payload<'_> { name, namespace }
    Pubsub<'_> { action, node, item_id, subscription, jid }
}
