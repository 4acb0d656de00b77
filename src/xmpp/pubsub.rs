//! XEP-0060: subscribe, unsubscribe, publish and events.

use crate::xmpp::Element;
use std::borrow::Cow;

/// The pub-sub part of an iq or message.
#[derive(Debug)]
pub struct Pubsub<'d, 'a> {
    /// `subscribe`, `unsubscribe`, `subscription`, `subscriptions`, `publish`, `items`, `event`, `create`, …
    pub action: &'a str,
    /// The node, entities resolved.
    pub node: Option<Cow<'a, str>>,
    /// First item's id.
    pub item_id: Option<Cow<'a, str>>,
    /// Number of items.
    pub items: usize,
    /// `subscription='…'` state.
    pub subscription: Option<Cow<'a, str>>,
    /// `jid` of a subscription.
    pub jid: Option<Cow<'a, str>>,
    /// The payload elements: first child element of every item (Finesse: `<notification>`).
    pub payloads: Vec<Element<'d, 'a>>,
}
