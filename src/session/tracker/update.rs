//! Updates as the session layer sees them: what caused them, what came before, how long they took.

use super::{Cause, Known, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::SessionId;
use crate::finesse::Update;
use crate::finesse::update::{Object, User};
use crate::session::findings::server::Sign;
use crate::session::findings::{self, Confidence};
use crate::session::outcome::{Awaited, Outcome};
use crate::session::recent::Recent;
use std::borrow::Cow;

/// Longest requestId remembered until its request is over; a UUID has 36.
const MAX_REQUEST_ID_BYTES: usize = 256;
/// A change older than this when its user is first heard of is none that just happened, milliseconds.
const RELIC_MS: i64 = 300_000;
/// Agents of one call remembered.
const MAX_AGENTS: usize = 16;

/// What the line about an update should say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpdateRead {
    /// The REST call behind it.
    pub cause: Option<Cause>,
    /// The user's or dialog's state before.
    pub previous_state: Option<String>,
    /// How long after the change it arrived.
    pub arrival: Option<Arrival>,
    /// The call it is about.
    pub call: Option<Call>,
}

/// From the server's `stateChangeTime` to here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Milliseconds, the clocks' difference taken out.
    pub arrival_ms: i64,
    /// How far the proxy's clock is taken to be ahead of the server's, milliseconds.
    pub skew_ms: i64,
}

/// A call's life so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// The line of its first event.
    pub first_sequence: u64,
    /// Since then, milliseconds.
    pub age_ms: u64,
    /// Agents whose desktops saw it.
    pub agents: u64,
}

/// What is remembered of a call.
#[derive(Debug)]
pub(super) struct Life {
    first: u64,
    began: Moment,
    agents: Vec<SessionId>,
}

/// Whether a state is news.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// The state or its time is another than before.
    Change,
    /// The same change again: another node, socket or supervisor.
    Known,
}

impl Tracker {
    /// An update passed; the line `spot.sequence` will say so. On the hot path.
    pub fn update(&mut self, spot: &Spot<'_>, update: &Update<'_>) -> UpdateRead {
        let mut read = UpdateRead::default();
        if let Some(user) = &update.user {
            self.names_of(spot, user);
        }
        let object = object(update);
        let answered = self.answered(spot, update, object);
        read.cause = self.cause(spot, update, answered.as_ref());
        if let Some(desktop) = self.desktop(spot) {
            desktop.updates += 1;
            if update.request_id.is_none() {
                desktop.touch(object, update.user.as_ref().and_then(|user| user.state.as_deref()), spot.at);
            }
        }
        if let Some(user) = &update.user {
            let id = user.login_id.as_deref().or_else(|| update.source.as_deref()?.rsplit('/').next());
            if let (Some(id), Some(state)) = (id, user.state.as_deref()) {
                let changed = user.state_change_time.as_deref();
                let (previous, news) = self.user_state(id, state, changed);
                // The first state seen may be hours old, unless somebody just asked for it.
                let fresh = news == News::Change && (previous.is_some() || read.cause.is_some());
                read.arrival = changed.filter(|_| fresh).and_then(|changed| self.arrival(spot, changed));
                let is_first = previous.is_none();
                read.previous_state = previous;
                let reason = user.reason_code.as_deref().filter(|_| news == News::Change);
                let reason = reason.filter(|_| !is_first || self.is_recent(spot, changed));
                if self.desktop(spot).is_some_and(|desktop| desktop.is(id)) {
                    self.own_state(spot, user, state, reason);
                }
            }
        } else if let Some(dialog) = update.dialogs.first() {
            if let Some(id) = dialog.id.as_deref() {
                if let Some(desktop) = self.desktop(spot) {
                    desktop.call(id);
                }
                let state = dialog.state.as_deref();
                read.previous_state = state.and_then(|state| self.dialog_state(id, state));
                read.call = self.call(spot, id);
                self.call_goes_on(spot, dialog, update.event.as_deref());
            }
        } else if update.object == Object::SystemInfo {
            self.system_info(spot, update);
        }
        self.judge(spot, update, &read, answered);
        read
    }

    /// The request that this update answers.
    fn answered(&mut self, spot: &Spot<'_>, update: &Update<'_>, object: u64) -> Option<Awaited> {
        let user = update.user.as_ref();
        let outcome = Outcome {
            request_id: update.request_id.as_deref(),
            object,
            state: user.and_then(|user| user.state.as_deref()),
            pending: user.and_then(|user| user.pending_state.as_deref()),
            dialog: update.dialogs.first().map(|dialog| dialog.state.as_deref()),
            is_error: !update.api_errors.is_empty(),
        };
        self.desktop(spot)?.outcomes.answered(&outcome, spot.at)
    }

    /// A User object holds the agent's login id and login name.
    pub(super) fn names_of(&mut self, spot: &Spot<'_>, user: &User<'_>) {
        let (Some(id), Some(name)) = (user.login_id.as_deref(), user.login_name.as_deref()) else { return };
        if self.desktop(spot).is_none_or(|desktop| !desktop.is(id) || !desktop.is(name)) {
            self.same_agent(id, name, spot.at);
        }
    }

    /// Whether the change is no relic of an earlier day that an event about something else brings along.
    fn is_recent(&mut self, spot: &Spot<'_>, changed: Option<&str>) -> bool {
        let Some(changed) = changed.and_then(|changed| changed.parse::<jiff::Timestamp>().ok()) else { return true };
        let skew_ms = self.server(spot.server).map_or(0, |server| server.skew_ms());
        let age_ms = spot.at.wall_us.div_euclid(1_000).saturating_sub(changed.as_millisecond()).saturating_sub(skew_ms);
        age_ms < RELIC_MS
    }

    fn system_info(&mut self, spot: &Spot<'_>, update: &Update<'_>) {
        let system = update.system.as_deref();
        let Some(server) = self.server(spot.server) else { return };
        let told = system.and_then(|system| system.finesse_maintenance.as_deref()).filter(|mode| !mode.is_empty());
        server.is_in_maintenance = told.is_some_and(|mode| !matches!(mode, "COMPLETED" | "FAILED"));
        if let Some(deployment) = system.and_then(|system| system.deployment.as_deref()) {
            server.deployment = Some(deployment.to_owned());
        }
        if system.and_then(|system| system.status.as_deref()).is_some_and(|state| state != "IN_SERVICE") {
            self.outage(spot, Sign::OutOfService, system.and_then(|system| system.status_reason.as_deref()));
        }
    }

    fn judge(&mut self, spot: &Spot<'_>, update: &Update<'_>, read: &UpdateRead, answered: Option<Awaited>) {
        let arrival = read.arrival.filter(|arrival| !self.stood_still_for(spot.at, arrival.arrival_ms.unsigned_abs()));
        let mut late =
            arrival.and_then(|arrival| findings::event::late(arrival.arrival_ms, arrival.skew_ms, spot.sequence));
        let signs_in = answered.as_ref().is_some_and(|answered| answered.operation == "sign-in");
        if let Some(answered) = answered.filter(|answered| !answered.said.is_empty()) {
            let asked = answered.cause.sequence.unwrap_or_default();
            let after_ms = spot.at.ms_since(answered.cause.at);
            let finding = late.take().unwrap_or_else(|| findings::event::late_after(asked, after_ms, spot.sequence));
            self.revise(&answered.said, spot, finding);
        }
        let error = update.api_errors.first().and_then(|error| {
            findings::api::refused(findings::api::Told {
                error_type: error.error_type.as_deref(),
                message: error.message.as_deref().or(error.peripheral_text.as_deref()),
                data: error.data.as_deref(),
                media: error.media.as_deref(),
                peripheral_code: error.peripheral_code.as_deref(),
                object: update.source.as_deref().and_then(crate::finesse::Node::read).map(|node| node.object),
                status: None,
                signs_in: signs_in || findings::api::is_of_sign_in(error.data.as_deref()),
                asked: read.cause.as_ref().and_then(|cause| cause.sequence),
                sequence: spot.sequence,
            })
        });
        for finding in [late, error].into_iter().flatten() {
            self.find(spot, finding);
        }
    }

    /// The REST call behind an update: by requestId, else the request that it answers.
    fn cause(&mut self, spot: &Spot<'_>, update: &Update<'_>, answered: Option<&Awaited>) -> Option<Cause> {
        let request_id = update.request_id.as_deref();
        let certain = request_id.and_then(|id| self.requests.find(id)).cloned();
        if let (None, Some(id)) = (&certain, request_id)
            && id.len() <= MAX_REQUEST_ID_BYTES
            && self.early.find(id).is_none()
        {
            self.early.insert(id.to_owned(), (spot.sequence, spot.at));
        }
        if let Some((_, conn)) = &certain
            && let Some(session) = spot.session
            && self.owners.find(conn).is_none()
            && let Some(user) = self.desktops.find(&session.id).map(|desktop| desktop.user.clone())
        {
            self.owners.insert(*conn, (session, user));
        }
        if let Some((cause, _)) = certain {
            return Some(cause);
        }
        // An id of its own says that something else caused it.
        let answered = answered.filter(|_| request_id.is_none())?;
        let state = update.user.as_ref().and_then(|user| user.state.as_deref());
        let same_state = answered.state.is_some() && answered.state.as_deref() == state;
        let confidence = if same_state { Confidence::Likely } else { Confidence::Possible };
        Some(Cause { confidence, ..answered.cause.clone() })
    }

    fn arrival(&mut self, spot: &Spot<'_>, changed: &str) -> Option<Arrival> {
        let changed: jiff::Timestamp = changed.parse().ok()?;
        let changed_ms = changed.as_millisecond();
        let server = self.server(spot.server)?;
        server.stamped(changed_ms, spot.at);
        let skew_ms = server.skew_ms();
        let arrival_ms = spot.at.wall_us.div_euclid(1_000).saturating_sub(changed_ms).saturating_sub(skew_ms);
        Some(Arrival { arrival_ms, skew_ms })
    }

    /// A user's state arrived; tells the state before it. `changed` is its `stateChangeTime`: the same event on a second
    /// socket is the same change, not a new one.
    pub(super) fn user_state(&mut self, user: &str, state: &str, changed: Option<&str>) -> (Option<String>, News) {
        Self::state(&mut self.users, user, state, changed)
    }

    /// A dialog's state arrived; tells the state before it.
    fn dialog_state(&mut self, dialog: &str, state: &str) -> Option<String> {
        Self::state(&mut self.dialogs, dialog, state, None).0
    }

    fn state(
        known: &mut Recent<String, Known>,
        key: &str,
        state: &str,
        changed: Option<&str>,
    ) -> (Option<String>, News) {
        match known.find_mut(key) {
            Some(k) if k.state == state && k.changed.as_deref() == changed => {
                (k.previous.clone().filter(|_| changed.is_some()), News::Known)
            }
            Some(k) => {
                let previous = std::mem::replace(&mut k.state, state.to_owned());
                k.previous = Some(previous.clone());
                k.changed = changed.map(str::to_owned);
                (Some(previous), News::Change)
            }
            None => {
                let changed = changed.map(str::to_owned);
                known.insert(key.to_owned(), Known { state: state.to_owned(), previous: None, changed, call: None });
                (None, News::Change)
            }
        }
    }

    fn call(&mut self, spot: &Spot<'_>, dialog: &str) -> Option<Call> {
        let known = self.dialogs.find_mut(dialog)?;
        let life = known.call.get_or_insert_with(|| Life { first: spot.sequence, began: spot.at, agents: Vec::new() });
        if let Some(session) = spot.session
            && life.agents.len() < MAX_AGENTS
            && !life.agents.contains(&session.id)
        {
            life.agents.push(session.id);
        }
        Some(Call {
            first_sequence: life.first,
            age_ms: spot.at.ms_since(life.began),
            agents: life.agents.len() as u64,
        })
    }
}

/// What an update is about, to compare with what a request is about.
fn object(update: &Update<'_>) -> u64 {
    if let Some(user) = &update.user {
        let source = || Some(Cow::Borrowed(update.source.as_deref()?.rsplit('/').next()?));
        let id = user.login_id.clone().or_else(source).unwrap_or_default();
        return hash(&["User", &id.to_lowercase()]);
    }
    match update.dialogs.first() {
        Some(dialog) => hash(&["Dialog", dialog.id.as_deref().unwrap_or_default()]),
        // An error about a request names its object in the source alone.
        None => {
            let mut parts = update.source.as_deref().unwrap_or_default().rsplit('/');
            let (id, object) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            hash(&[object, id])
        }
    }
}
