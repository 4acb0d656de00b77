//! The session's own agent and its calls: changes that the system made, that came in the wrong order or never.

use super::{Due, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::SessionId;
use crate::finesse::update::{Dialog, User};
use crate::session::desktop::LastTold;
use crate::session::findings;
use crate::session::findings::state::{Change, Compared};
use crate::session::stage::Stage;
use std::time::Duration;

/// A call that all have left is gone by then.
const GONE: Duration = Duration::from_secs(60);
/// The event of a change that an answer told of is there by then.
const TOLD: Duration = Duration::from_secs(10);

impl Tracker {
    /// An event tells the session's own agent's state. `reason` is that of a change that just happened.
    pub(super) fn own_state(&mut self, spot: &Spot<'_>, user: &User<'_>, state: &str, reason: Option<&str>) {
        let changed_ms = changed_ms(user);
        let Some(desktop) = self.desktop(spot) else { return };
        desktop.state(state, spot.at);
        let gone = desktop.gone.map(|(line, at)| (line, spot.at.ms_since(at)));
        if let (Some(changed_ms), Some(stream)) = (changed_ms, spot.stream)
            && desktop.told.as_ref().is_none_or(|told| told.changed_ms <= changed_ms)
        {
            desktop.told = Some(LastTold { state: state.to_owned(), changed_ms, stream, sequence: spot.sequence });
        }
        if !self.held.is_empty() {
            self.release(untold(spot, state));
        }
        if let Some(changed_ms) = changed_ms {
            self.in_order(spot, changed_ms, state);
        }
        if reason.is_none() {
            return;
        }
        let deployment = self.server(spot.server).and_then(|server| server.deployment.clone());
        let change = Change {
            state,
            reason,
            is_key: user.reason_is_key,
            deployment: deployment.as_deref(),
            gone,
            sequence: spot.sequence,
        };
        if let Some(finding) = findings::state::forced(change) {
            self.find(spot, finding);
        }
    }

    /// Whether the event is newer than the one before it on the same node by the same publisher.
    fn in_order(&mut self, spot: &Spot<'_>, changed_ms: i64, state: &str) {
        let Some(stream) = self.stream(spot) else { return };
        let Some((behind_ms, line)) = stream.changed(changed_ms, spot.sequence) else { return };
        let Some(node) = self.desktop(spot).map(|desktop| format!("/finesse/api/User/{}", desktop.user)) else {
            return;
        };
        if let Some(finding) = findings::state::out_of_order(&node, state, behind_ms, [line, spot.sequence]) {
            self.find(spot, finding);
        }
    }

    /// The server answers what state the agent is in: its events should have said so.
    pub(super) fn compare(&mut self, spot: &Spot<'_>, user: &User<'_>) {
        let (Some(state), Some(changed_ms)) = (user.state.as_deref(), changed_ms(user)) else { return };
        if !self.sees_all() {
            return;
        }
        let Some(server) = self.server(spot.server) else { return };
        let (skew_ms, deployment) = (server.skew_ms(), server.deployment.clone());
        let Some(desktop) = self.desktop(spot) else { return };
        if user.login_id.as_deref().is_none_or(|id| !desktop.is(id)) {
            return;
        }
        let Some(LastTold { state: last_state, changed_ms: last_changed_ms, stream, sequence }) = &desktop.told else {
            return;
        };
        let (last_state, last_changed_ms, line, stream) = (last_state.clone(), *last_changed_ms, *sequence, *stream);
        // Only a socket that was open all the time should have brought the event.
        if self.streams.get(&stream).is_none_or(|stream| !stream.ladder.has(Stage::FinessePresence)) {
            return;
        }
        let age_ms = spot.at.wall_us.div_euclid(1_000).saturating_sub(changed_ms).saturating_sub(skew_ms);
        let told = Compared {
            state,
            changed_ms,
            last_state: &last_state,
            last_changed_ms,
            age_ms,
            deployment: deployment.as_deref(),
        };
        if let Some(finding) = findings::state::missed(told, [line, spot.sequence]) {
            self.hold(spot, TOLD, untold(spot, state), finding);
        }
    }

    /// An event about a call: whether all have left it, and whether it is gone.
    pub(super) fn call_goes_on(&mut self, spot: &Spot<'_>, dialog: &Dialog<'_>, verb: Option<&str>) {
        let Some(id) = dialog.id.as_deref().filter(|id| !id.contains('_')) else { return };
        let has_left = |state: Option<&str>| state == Some("DROPPED");
        let is_over = verb != Some("DELETE")
            && has_left(dialog.state.as_deref())
            && dialog.participants.iter().all(|party| has_left(party.state.as_deref()));
        let call = hash(&["call", id]);
        let Some(desktop) = self.desktop(spot) else { return };
        let session = desktop.session.id;
        if desktop.call_is_over(call, is_over.then_some((spot.sequence, spot.at))) {
            self.timers.set(spot.at, GONE, Due::Stuck(session, call));
        }
    }

    /// A call that all have left may be gone by now.
    pub(super) fn stuck_due(&mut self, id: SessionId, call: u64, at: Moment) {
        let Some(desktop) = self.desktops.find(&id) else { return };
        let Some((line, since)) = desktop.over_since(call) else { return };
        if desktop.wraps_up() {
            return self.timers.set(at, GONE, Due::Stuck(id, call));
        }
        // Whether it is gone only a socket tells that was open all the time.
        let listens = self.streams.values().any(|stream| {
            stream.session == Some(id) && stream.opened.mono_ns < since.mono_ns && stream.is_lively(at, 60_000)
        });
        if let Some(desktop) = self.desktops.find_mut(&id) {
            desktop.call_is_over(call, None);
        }
        if listens && self.sees_all() && !self.stood_still(since) {
            self.find_for(id, at, findings::state::stuck(&call.to_string(), at.ms_since(since), line));
        }
    }
}

/// What is held back until an event tells this state.
fn untold(spot: &Spot<'_>, state: &str) -> u64 {
    hash(&["untold", &spot.session.map(|session| session.id.to_string()).unwrap_or_default(), state])
}

fn changed_ms(user: &User<'_>) -> Option<i64> {
    let changed: jiff::Timestamp = user.state_change_time.as_deref()?.parse().ok()?;
    Some(changed.as_millisecond())
}
