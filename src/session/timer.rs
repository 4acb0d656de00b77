//! What is to be looked at later: a bounded queue of dues, ordered by time. Reads no clock.

use crate::clock::Moment;
use crate::conn::{SessionId, StreamId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Dues waiting at the most; what does not fit is not looked at, which costs a finding, never a wrong one.
const MAX_DUES: usize = 65_536;

/// What to look at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// Has the presence of `finesse@` come to this socket?
    FinessePresence(StreamId),
    /// Has the iq sent as this line been answered?
    IqPing(StreamId, u64),
    /// Has the WebSocket ping sent as this line been answered?
    WsPing(StreamId, u64),
    /// Has the event come that the REST call of this number promised?
    Outcome(u64),
    /// Does what was held back with this key still hold?
    Held(u64),
    /// Has the session whose agent signed in as this line tried to open a socket?
    NoSocket(SessionId, u64),
    /// Is the call of this number, which all have left, still there?
    Stuck(SessionId, u64),
    /// Has this session ended?
    End(SessionId),
    /// This session is another hour old.
    Hour(SessionId),
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(u64, u64, Due)>>,
    set: u64,
}

impl Timers {
    /// Looks at `due` once `wait` has passed since `at`.
    pub(super) fn set(&mut self, at: Moment, wait: Duration, due: Due) {
        if self.heap.len() < MAX_DUES {
            self.set += 1;
            self.heap.push(Reverse((at.plus(wait).mono_ns, self.set, due)));
        }
    }

    /// What is due before `wait` has passed since `at` is looked at then.
    pub(super) fn postpone(&mut self, at: Moment, wait: Duration) {
        let until_ns = at.plus(wait).mono_ns;
        let all = std::mem::take(&mut self.heap).into_iter();
        self.heap = all.map(|Reverse((due_ns, set, due))| Reverse((due_ns.max(until_ns), set, due))).collect();
    }

    /// Whether anything is due. Cheap: asked for every message.
    pub(super) fn is_due(&self, at: Moment) -> bool {
        self.heap.peek().is_some_and(|Reverse((due_ns, ..))| *due_ns <= at.mono_ns)
    }

    /// The next thing that is due.
    pub(super) fn next(&mut self, at: Moment) -> Option<Due> {
        if !self.is_due(at) {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, due))| due)
    }
}
