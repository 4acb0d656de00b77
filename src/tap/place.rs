//! Where on the map an observation belongs: its connection, session and agent.

use crate::capture::observation::{Observation, What};
use crate::capture::{Door, Record};
use crate::clock::Moment;
use crate::conn::{Direction, Peers, StreamId};
use crate::session::tracker::{Tale, Told};
use crate::session::{CookieMark, Session, Spot, Tracker};

/// The way out: what spans connections, the door, and who takes its records.
pub(super) struct Exit<'x> {
    pub(super) tracker: &'x mut Tracker,
    pub(super) door: &'x mut Door,
    pub(super) out: &'x mut dyn FnMut(Record),
}

/// What could not be read: see [`What::Undecoded`].
pub(super) struct Unread {
    pub(super) layer: &'static str,
    pub(super) offset: Option<u64>,
    pub(super) why: &'static str,
    pub(super) opaque: bool,
}

/// One connection's place.
pub(super) struct Place {
    pub(super) opened: Moment,
    peers: Peers,
    session: Option<Session>,
    user: Option<String>,
    cookie: Option<CookieMark>,
}

impl Place {
    pub(super) fn new(peers: Peers, opened: Moment) -> Self {
        Self { opened, peers, session: None, user: None, cookie: None }
    }

    /// The browser has this `JSESSIONID`: it tells logins apart if a session begins here.
    pub(super) fn carries(&mut self, cookie: Option<&[u8]>, tracker: &Tracker) {
        if let Some(cookie) = cookie {
            self.cookie = Some(tracker.mark(cookie));
        }
    }

    /// The connection turns out to be this agent's.
    pub(super) fn belongs_to(&mut self, user: &str, at: Moment, tracker: &mut Tracker) {
        let known = self.session.is_some_and(|session| tracker.is_alive(session));
        if !known || self.user.as_deref() != Some(user) {
            self.session = Some(tracker.session(self.peers.client.ip(), user, self.cookie, at));
            self.user = Some(user.to_owned());
        }
    }

    /// Whose session a cookie or an earlier requestId says it is, if nothing else has said.
    pub(super) fn may_belong_to(&mut self, cookie: Option<&[u8]>, tracker: &mut Tracker) {
        let cookie = cookie.map(|cookie| tracker.mark(cookie));
        match (self.session, &self.user, cookie) {
            (Some(session), Some(user), Some(cookie)) => tracker.cookie(cookie, session, user),
            (None, None, _) => {
                let by_cookie = cookie.and_then(|cookie| tracker.cookie_owner(cookie));
                if let Some((session, user)) = by_cookie.or_else(|| tracker.owner(self.peers.conn)) {
                    self.session = Some(session);
                    self.user = Some(user.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Where the session layer is to put what is seen next.
    pub(super) fn spot(&self, stream: Option<StreamId>, at: Moment, door: &Door) -> Spot<'_> {
        Spot {
            conn: self.peers.conn,
            client: self.peers.client.ip(),
            server: &self.peers.server.host,
            stream,
            session: self.session,
            sequence: door.next_sequence(),
            at,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.peers.server.port
    }

    /// What the session layer tells by itself, about this connection.
    pub(super) fn tell(&mut self, told: &Told, door: &mut Door, out: &mut dyn FnMut(Record)) {
        out(door.admit(&observed(told, Some(&self.peers))));
    }

    pub(super) fn has_user(&self) -> bool {
        self.user.is_some()
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Something about the connection as a whole.
    pub(super) fn emit(&mut self, exit: &mut Exit<'_>, at: Moment, what: What<'_>) {
        self.admit(exit, at, None, None, what);
    }

    /// Something on a stream.
    pub(super) fn emit_on(
        &mut self,
        exit: &mut Exit<'_>,
        at: Moment,
        stream: StreamId,
        direction: Option<Direction>,
        what: What<'_>,
    ) {
        self.admit(exit, at, Some(stream), direction, what);
    }

    /// Something could not be read.
    pub(super) fn undecoded(
        &mut self,
        exit: &mut Exit<'_>,
        at: Moment,
        stream: Option<StreamId>,
        direction: Option<Direction>,
        unread: Unread,
    ) {
        let Unread { layer, offset, why, opaque } = unread;
        exit.tracker.undecoded(&self.spot(stream, at, exit.door), layer, why);
        self.admit(exit, at, stream, direction, What::Undecoded { layer, offset, why, opaque });
    }

    fn admit(
        &mut self,
        exit: &mut Exit<'_>,
        at: Moment,
        stream: Option<StreamId>,
        direction: Option<Direction>,
        what: What<'_>,
    ) {
        let Self { peers, session, user, .. } = self;
        let seen =
            Observation { at, peers: Some(peers), session: *session, user: user.as_deref(), stream, direction, what };
        let record = exit.door.admit(&seen);
        (exit.out)(record);
        let conn = self.peers.conn;
        while let Some(told) = exit.tracker.next_told() {
            match told.conn {
                Some(about) if about == conn => self.tell(&told, exit.door, exit.out),
                _ => tell_apart(&told, exit.door, exit.out),
            }
        }
    }
}

/// What the session layer tells by itself, about a session or a connection that is gone.
pub(super) fn tell_apart(told: &Told, door: &mut Door, out: &mut dyn FnMut(Record)) {
    out(door.admit(&observed(told, None)));
}

fn observed<'o>(told: &'o Told, peers: Option<&'o Peers>) -> Observation<'o> {
    let what = match &told.what {
        Tale::Finding(finding) => What::Finding(finding),
        Tale::Summary(summary) => What::Summary(summary),
    };
    let (user, stream) = (told.user.as_deref(), told.stream);
    Observation { at: told.at, peers, session: told.session, user, stream, direction: None, what }
}
