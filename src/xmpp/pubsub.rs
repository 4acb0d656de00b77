//! XEP-0060: `<pubsub/>` of an iq and `<event/>` of a message, to what is done to which node and what it carries.
//!
//! Knows no payload's meaning and checks no namespace. One pass over the children; the first action counts.

use crate::xmpp::Element;
use crate::xmpp::parse::unescape;
use std::borrow::Cow;

/// The pub-sub part of an iq or message.
#[derive(Debug)]
pub struct Pubsub<'d, 'a> {
    /// `subscribe`, `unsubscribe`, `subscription`, `subscriptions`, `publish`, `items`, `create`, …; `event` for an
    /// `<event>` with items, else what the event is about (`purge`, `delete`, `subscription` …).
    pub action: &'a str,
    /// The node, entities resolved.
    pub node: Option<Cow<'a, str>>,
    /// First item's (or retraction's) id.
    pub item_id: Option<Cow<'a, str>>,
    /// Number of items, retractions or listed subscriptions.
    pub items: usize,
    /// `subscription='…'` state.
    pub subscription: Option<Cow<'a, str>>,
    /// `jid` of a subscription.
    pub jid: Option<Cow<'a, str>>,
    /// The payload elements: first child element of every item (Finesse: `<notification>`).
    pub payloads: Vec<Element<'d, 'a>>,
}

impl<'d, 'a> Pubsub<'d, 'a> {
    /// Reads `<pubsub/>` or `<event/>`.
    #[must_use]
    pub fn read(element: Element<'d, 'a>) -> Self {
        let action = element.children().next();
        let mut pubsub = Self {
            action: match (element.name(), action.map(|action| action.name())) {
                (container @ "event", Some("items") | None) => container,
                (_, Some(action)) => action,
                (container, None) => container,
            },
            node: None,
            item_id: None,
            items: 0,
            subscription: None,
            jid: None,
            payloads: Vec::new(),
        };
        let Some(action) = action else { return pubsub };
        pubsub.read_subscription(action);
        for child in action.children() {
            match child.name() {
                "item" | "retract" => {
                    if pubsub.items == 0 {
                        pubsub.item_id = child.attribute("id");
                    }
                    pubsub.payloads.extend(child.children().next());
                }
                "subscription" => pubsub.read_subscription(child),
                _ => continue,
            }
            pubsub.items += 1;
        }
        pubsub
    }

    /// Takes node, jid and state from `element` as far as they are not known yet.
    fn read_subscription(&mut self, element: Element<'d, 'a>) {
        for (name, raw) in element.attributes() {
            let field = match name {
                "node" => &mut self.node,
                "jid" => &mut self.jid,
                "subscription" => &mut self.subscription,
                _ => continue,
            };
            field.get_or_insert_with(|| unescape(raw));
        }
    }
}
