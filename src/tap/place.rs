//! Where on the map an observation belongs: its connection, session and agent, with the secrets seen there.

use super::feed::Unknown;
use crate::capture::observation::{Observation, What};
use crate::capture::{Door, Record};
use crate::clock::Moment;
use crate::conn::{Direction, PROBE_AGENT, Peers, StreamId};
use crate::session::findings::ending::By;
use crate::session::findings::rest::Lack;
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
    /// A limit of this program's was reached: the line says so, and nothing is wrong with what passed.
    pub(super) is_own_limit: bool,
}

impl Unread {
    /// What a peer sent cannot be read.
    pub(super) fn new(layer: &'static str, offset: Option<u64>, why: &'static str) -> Self {
        Self { layer, offset, why, opaque: false, is_own_limit: false }
    }

    /// Nothing more is read in that direction.
    pub(super) fn opaque(self) -> Self {
        Self { opaque: true, ..self }
    }

    /// A limit of this program's was reached.
    pub(super) fn own_limit(self) -> Self {
        Self { is_own_limit: true, ..self }
    }
}

/// One connection's place.
pub(super) struct Place {
    pub(super) opened: Moment,
    /// What is not known of the exchange under way.
    pub(super) unknown: Unknown,
    /// The stream of the exchange that is told, in HTTP/2.
    pub(super) stream: Option<u32>,
    /// Who ended the connection, as far as that is seen.
    pub(super) ended_by: Option<By>,
    /// That its server is not reached was told.
    pub(super) is_unreached: bool,
    /// The proxy answers here itself, as there is no server.
    pub(super) answered_by_proxy: bool,
    peers: Peers,
    session: Option<Session>,
    user: Option<String>,
    cookie: Option<CookieMark>,
    /// `doctor` made it: it is no session's, and nothing is found on it.
    probe: bool,
    /// How many names of agents were known when this was last looked at.
    knows: u64,
}

impl Place {
    pub(super) fn new(peers: Peers, opened: Moment) -> Self {
        Self {
            opened,
            unknown: Unknown::default(),
            stream: None,
            ended_by: None,
            is_unreached: false,
            answered_by_proxy: false,
            peers,
            session: None,
            user: None,
            cookie: None,
            probe: false,
            knows: 0,
        }
    }

    /// The browser has this `JSESSIONID`: it tells logins apart if a session begins here.
    pub(super) fn carries(&mut self, cookie: Option<&[u8]>, tracker: &Tracker) {
        if let Some(cookie) = cookie {
            self.cookie = Some(tracker.mark(cookie));
        }
    }

    /// What sent a request over the connection, by its `User-Agent`.
    pub(super) fn asked_by(&mut self, user_agent: Option<&[u8]>, tracker: &mut Tracker) {
        if !self.probe && user_agent.is_some_and(|agent| agent.starts_with(PROBE_AGENT.as_bytes())) {
            self.probe = true;
            tracker.probed(self.peers.conn);
        }
    }

    /// The connection turns out to be this agent's.
    pub(super) fn belongs_to(&mut self, user: &str, at: Moment, tracker: &mut Tracker) {
        if self.probe {
            self.user = Some(user.to_owned());
            return;
        }
        let known = self.session.is_some_and(|session| tracker.is_alive(session));
        if !known || self.user.as_deref() != Some(user) {
            self.session = Some(tracker.session(self.peers.client.ip(), user, self.cookie, at));
            self.user = Some(user.to_owned());
            self.refresh(tracker);
        }
    }

    /// What was learned of the agent meanwhile: an older session that goes on, a name that is known better.
    fn refresh(&mut self, tracker: &Tracker) {
        let Some(session) = &mut self.session else { return };
        *session = tracker.current(*session);
        if let Some(name) = tracker.called(*session)
            && self.user.as_deref() != Some(name)
        {
            self.user = Some(name.to_owned());
        }
    }

    /// Whose session a cookie or an earlier requestId says it is, if nothing else has said.
    pub(super) fn may_belong_to(&mut self, cookie: Option<&[u8]>, tracker: &mut Tracker) {
        if self.probe {
            return;
        }
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

    /// What is known of an answer that did not come.
    pub(super) fn lack(&self, by_proxy: bool) -> Option<Lack<'_>> {
        let said = self.unknown.failure.as_deref().map(Lack::Said);
        said.or(self.ended_by.map(Lack::CutBy)).filter(|_| !by_proxy)
    }

    pub(super) fn port(&self) -> u16 {
        self.peers.server.port
    }

    /// What the session layer tells by itself, about this connection.
    pub(super) fn tell(&mut self, told: &Told, tracker: &mut Tracker, door: &mut Door, out: &mut dyn FnMut(Record)) {
        write(told, Some(&self.peers), tracker, door, out);
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

    /// Something about the connection that one side did.
    pub(super) fn emit_towards(&mut self, exit: &mut Exit<'_>, at: Moment, direction: Direction, what: What<'_>) {
        self.admit(exit, at, None, Some(direction), what);
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
        let Unread { layer, offset, why, opaque, is_own_limit } = unread;
        if !is_own_limit {
            exit.tracker.undecoded(&self.spot(stream, at, exit.door), layer, why);
        }
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
                Some(about) if about == conn => self.tell(&told, exit.tracker, exit.door, exit.out),
                _ => tell_apart(&told, exit.tracker, exit.door, exit.out),
            }
        }
        if self.session.is_some() && self.knows != exit.tracker.names_known() {
            self.knows = exit.tracker.names_known();
            self.refresh(exit.tracker);
        }
    }
}

/// What the session layer tells by itself, about a session or a connection that is gone.
pub(super) fn tell_apart(told: &Told, tracker: &mut Tracker, door: &mut Door, out: &mut dyn FnMut(Record)) {
    write(told, None, tracker, door, out);
}

fn write(told: &Told, peers: Option<&Peers>, tracker: &mut Tracker, door: &mut Door, out: &mut dyn FnMut(Record)) {
    let record = door.admit(&observed(told, peers));
    if let Some(number) = told.number {
        tracker.was_written(number, record.sequence());
    }
    out(record);
}

fn observed<'o>(told: &'o Told, peers: Option<&'o Peers>) -> Observation<'o> {
    let what = match &told.what {
        Tale::Finding(finding) => What::Finding(finding),
        Tale::Summary(summary) => What::Summary(summary),
    };
    let (user, stream) = (told.user.as_deref(), told.stream);
    Observation { at: told.at, peers, session: told.session, user, stream, direction: None, what }
}
