//! Requests of one session that were accepted and whose event is still to come.
//!
//! Finesse works on one request at a time for each object and begins the next only when the one before is confirmed or
//! refused, so a request waits from the end of the one before it. An event without a requestId is joined by object and by
//! the state that was asked for; one with a requestId of its own says that something else caused it.

use super::tracker::Cause;
use crate::clock::Moment;
use crate::conn::StreamId;
use std::time::Duration;

/// Requests of one session that wait for their event, and such as were given up.
const MAX_AWAITED: usize = 64;
/// How long after it was given up a request may still get its event.
const FORGET: Duration = Duration::from_secs(600);

/// What a request was about, and what an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Object {
    /// A user or a dialog, by the hash of its class and id.
    One(u64),
    /// A dialog that the request makes.
    NewDialog,
}

/// An accepted request whose event is still to come.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) number: u64,
    pub(super) request_id: Option<String>,
    pub(super) object: Object,
    /// The state asked for.
    pub(super) state: Option<String>,
    pub(super) resource: String,
    pub(super) operation: &'static str,
    pub(super) cause: Cause,
    /// When it was accepted.
    pub(super) since: Moment,
    /// The socket that its event is to come on.
    pub(super) stream: StreamId,
    /// What was said of it when it was given up: numbers of findings.
    pub(super) said: Vec<u64>,
}

/// An event as far as it can answer a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'o> {
    pub(super) request_id: Option<&'o str>,
    pub(super) object: u64,
    /// The user's state, and the one that is to follow it.
    pub(super) state: Option<&'o str>,
    pub(super) pending: Option<&'o str>,
    /// A dialog, by its state.
    pub(super) dialog: Option<Option<&'o str>>,
    /// It tells an error.
    pub(super) is_error: bool,
}

impl Outcome<'_> {
    fn answers(&self, awaited: &Awaited) -> bool {
        if self.request_id.is_some() {
            return self.request_id == awaited.request_id.as_deref();
        }
        let is_about = match awaited.object {
            Object::One(object) => object == self.object,
            // A call that is made does not begin with ringing here.
            Object::NewDialog => self.dialog.is_some_and(|state| state != Some("ALERTING")),
        };
        is_about && (self.is_error || self.dialog.is_some() || self.has_state(awaited))
    }

    /// A sign-in keeps the state that the agent is in.
    fn has_state(&self, awaited: &Awaited) -> bool {
        let asked = awaited.state.as_deref();
        asked.is_none_or(|asked| asked == "LOGIN" || [self.state, self.pending].contains(&Some(asked)))
    }
}

/// All of one session's.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    list: Vec<Awaited>,
    /// When the newest request of an object was answered or given up.
    settled: Vec<(Object, Moment)>,
}

impl Outcomes {
    /// One more, if there is room.
    pub(super) fn expect(&mut self, awaited: Awaited, at: Moment) -> bool {
        self.list.retain(|old| old.said.is_empty() || old.since.plus(FORGET).mono_ns > at.mono_ns);
        if self.list.len() == MAX_AWAITED {
            return false;
        }
        self.list.push(awaited);
        true
    }

    /// The request that an event answers, the oldest first.
    pub(super) fn answered(&mut self, outcome: &Outcome<'_>, at: Moment) -> Option<Awaited> {
        let index = self.list.iter().position(|awaited| outcome.answers(awaited))?;
        let awaited = self.list.remove(index);
        self.settle(awaited.object, at);
        Some(awaited)
    }

    /// Whether a request has waited for its event all of `patience`; if not, how long it still may.
    pub(super) fn due(
        &mut self,
        number: u64,
        patience: Duration,
        at: Moment,
    ) -> Option<Result<&mut Awaited, Duration>> {
        let index = self.list.iter().position(|awaited| awaited.number == number)?;
        let awaited = self.list.get(index)?;
        let (object, asked) = (awaited.object, awaited.since);
        if object != Object::NewDialog {
            let waits = |before: &Awaited| before.object == object && before.said.is_empty();
            if self.list.iter().take(index).any(waits) {
                return Some(Err(patience));
            }
            let settled = self.settled.iter().find(|(settled, _)| *settled == object);
            let since = settled.map_or(asked, |(_, settled)| (*settled).max(asked));
            let until = since.plus(patience);
            if until.mono_ns > at.mono_ns {
                return Some(Err(until.since(at)));
            }
        }
        self.settle(object, at);
        self.list.get_mut(index).map(Ok)
    }

    /// The request of this number.
    pub(super) fn find(&mut self, number: u64) -> Option<&mut Awaited> {
        self.list.iter_mut().find(|awaited| awaited.number == number)
    }

    /// What came of it cannot be told any more.
    pub(super) fn forget(&mut self, number: u64) {
        self.list.retain(|awaited| awaited.number != number);
    }

    fn settle(&mut self, object: Object, at: Moment) {
        self.settled.retain(|(settled, _)| *settled != object);
        if self.settled.len() == MAX_AWAITED {
            self.settled.remove(0);
        }
        self.settled.push((object, at));
    }
}
