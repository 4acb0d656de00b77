//! Subscriptions: refused, missing, doubled.

use super::{Code, Confidence, Fact, Finding};
use crate::finesse::dictionary::{List, look_up};
use crate::session::stage::{Ladder, Stage};

/// The server answered a subscription with an error.
pub(in crate::session) fn refused(node: &str, condition: Option<&str>, asked: u64, answered: u64) -> Finding {
    Finding::new(Code::SubscriptionRefused, Confidence::Certain)
        .about(node)
        .seen([asked, answered])
        .fact(Fact::Node, node)
        .maybe(Fact::Condition, condition)
        .meaning(condition.and_then(|condition| look_up(List::Stanza, condition)))
}

/// A change was accepted and no event of the agent has ever come on its socket, nor was any asked for.
pub(in crate::session) fn missing(ladder: &Ladder, asked_for_user: Option<u64>, change: u64) -> Option<Finding> {
    if ladder.has(Stage::UserSubscription) || asked_for_user.is_some() {
        return None;
    }
    let (presence, _) = ladder.at(Stage::FinessePresence)?;
    Some(Finding::new(Code::SubscriptionMissing, Confidence::Likely).seen([presence, change]))
}

/// A node that this socket holds already is subscribed again.
pub(in crate::session) fn again(node: &str, held_since: Option<u64>, sequence: u64) -> Option<Finding> {
    let finding = Finding::new(Code::SubscriptionDoubled, Confidence::Likely).about(node);
    Some(finding.seen([held_since?, sequence]).fact(Fact::Node, node).fact(Fact::Sign, "subscribed again"))
}

/// The same item came twice on one socket.
pub(in crate::session) fn delivered_twice(node: &str, before: u64, sequence: u64) -> Finding {
    Finding::new(Code::SubscriptionDoubled, Confidence::Certain)
        .about(node)
        .seen([before, sequence])
        .fact(Fact::Node, node)
        .fact(Fact::Sign, "the same item twice")
}
