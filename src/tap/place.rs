//! Where on the map an observation belongs: its connection, session and agent, with the secrets seen there.

use crate::capture::observation::{Observation, What};
use crate::capture::{Door, Guard, Record};
use crate::clock::Moment;
use crate::conn::{Direction, Peers, WsId};
use crate::session::{Session, Tracker};

/// The way out: the door and who takes its records.
pub(super) struct Exit<'x> {
    pub(super) door: &'x mut Door,
    pub(super) out: &'x mut dyn FnMut(Record),
}

/// One connection's place.
pub(super) struct Place {
    pub(super) opened: Moment,
    peers: Peers,
    session: Option<Session>,
    user: Option<String>,
    guard: Guard,
}

impl Place {
    pub(super) fn new(peers: Peers, opened: Moment) -> Self {
        Self { opened, peers, session: None, user: None, guard: Guard::default() }
    }

    /// The connection turns out to be this agent's.
    pub(super) fn belongs_to(&mut self, user: &str, tracker: &mut Tracker) {
        if self.user.as_deref() != Some(user) {
            self.session = Some(tracker.session(self.peers.client.ip(), user));
            self.user = Some(user.to_owned());
        }
    }

    pub(super) fn has_user(&self) -> bool {
        self.user.is_some()
    }

    /// Something about the connection as a whole.
    pub(super) fn emit(&mut self, exit: &mut Exit<'_>, at: Moment, what: What<'_>) {
        self.admit(exit, at, None, None, what);
    }

    /// Something in one direction, outside a WebSocket.
    pub(super) fn emit_towards(&mut self, exit: &mut Exit<'_>, at: Moment, direction: Direction, what: What<'_>) {
        self.admit(exit, at, None, Some(direction), what);
    }

    /// Something on a WebSocket.
    pub(super) fn emit_on(
        &mut self,
        exit: &mut Exit<'_>,
        at: Moment,
        ws: WsId,
        direction: Option<Direction>,
        what: What<'_>,
    ) {
        self.admit(exit, at, Some(ws), direction, what);
    }

    fn admit(
        &mut self,
        exit: &mut Exit<'_>,
        at: Moment,
        ws: Option<WsId>,
        direction: Option<Direction>,
        what: What<'_>,
    ) {
        let Self { peers, session, user, guard, .. } = self;
        let seen =
            Observation { at, peers: Some(peers), session: *session, user: user.as_deref(), ws, direction, what };
        let record = exit.door.admit(&seen, guard);
        (exit.out)(record);
    }
}
