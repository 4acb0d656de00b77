//! What spans connections: whose session it is, which REST call caused an event, what state came before, what went wrong.
//!
//! [`Tracker`] takes every fact with its [`Spot`] and answers with what the line about it should say. What it has to say
//! by itself, findings and summaries, waits in a queue: [`Tracker::next_told`] after every fact and every [`Tracker::tick`].
//! The facts come in by four doors: `wire` (connections, HTTP, WebSocket frames), `stream`, `stanza`, `update`.

mod stanza;
mod stream;
mod update;
mod wire;

pub use stanza::StanzaRead;
pub use update::{Arrival, Call, UpdateRead};
pub use wire::{Opening, Rest};

use super::desktop::Desktop;
use super::findings::ending::Rival;
use super::findings::{self, Finding, Ledger, Scope, Whose};
use super::recent::Recent;
use super::server::Server;
use super::spot::Spot;
use super::stream::Stream;
use super::summary::{Reason, Summary};
use super::timer::{Due, Timers};
use crate::clock::Moment;
use crate::conn::{Authority, ConnId, SessionId, StreamId};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::time::Duration;

/// Users and dialogs remembered, and cookies and connections whose owner is known.
const MAX_REMEMBERED: usize = 65_536;
/// Sessions remembered.
const MAX_SESSIONS: usize = 16_384;
/// REST calls remembered until their event comes, and events until their REST call is over.
const MAX_REQUESTS: usize = 16_384;
/// REST calls of one session that wait for their event.
const MAX_AWAITED: usize = 64;
/// Servers told apart.
const MAX_SERVERS: usize = 64;
/// Things to tell that nobody took.
const MAX_TOLD: usize = 4_096;

/// The desktop gives up on the presence of `finesse@`, and on a ping, after this.
const PATIENCE: Duration = Duration::from_secs(10);
/// An accepted request without its event by then.
const OUTCOME: Duration = Duration::from_secs(5);
/// A session without socket and request for so long is over; a reload and a failover take less.
const LINGER: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3_600);

/// A desktop session as every line names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// `finesse.session.id`
    pub id: SessionId,
    /// `trace.id`
    pub trace: u128,
}

/// What is kept of a `JSESSIONID`: a hash under a key, which opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CookieMark(u128);

/// The REST call behind an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Its `event.sequence`, if its exchange was over by then.
    pub sequence: Option<u64>,
    /// First byte of the request.
    pub at: Moment,
    /// Its method.
    pub method: String,
    /// Certain by requestId; else by agent, object and perhaps state.
    pub confidence: findings::Confidence,
}

/// Something the session layer has to say by itself, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The connection it is about, which may be gone.
    pub conn: Option<ConnId>,
    /// The stream.
    pub stream: Option<StreamId>,
    /// The session.
    pub session: Option<Session>,
    /// Its agent.
    pub user: Option<String>,
    /// When it was found.
    pub at: Moment,
    /// What.
    pub what: Tale,
}

/// What is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tale {
    /// Something went wrong.
    Finding(Finding),
    /// A session in numbers.
    Summary(Summary),
}

/// An accepted request whose event is still to come.
#[derive(Debug)]
struct Awaited {
    number: u64,
    request_id: Option<String>,
    object: u64,
    state: Option<String>,
    resource: String,
    operation: &'static str,
    cause: Cause,
}

#[derive(Debug)]
struct Known {
    state: String,
    previous: Option<String>,
    changed: Option<String>,
    call: Option<update::Life>,
}

/// Remembers across connections.
#[derive(Debug)]
pub struct Tracker {
    run: u128,
    /// Common to several instances.
    shared: Option<ring::hmac::Key>,
    fronted: Vec<Authority>,
    sessions: Recent<(IpAddr, String), Session>,
    desktops: Recent<SessionId, Desktop>,
    /// Found out by requestId.
    owners: Recent<ConnId, (Session, String)>,
    /// Found out by `JSESSIONID`.
    cookies: Recent<CookieMark, (Session, String)>,
    streams: HashMap<StreamId, Stream>,
    servers: Vec<(String, Server)>,
    requests: Recent<String, (Cause, ConnId)>,
    /// Updates whose request is not over: line and time.
    early: Recent<String, (u64, Moment)>,
    awaited: Recent<SessionId, Vec<Awaited>>,
    /// Whose an awaited event is, by its number.
    outcomes: Recent<u64, SessionId>,
    last_awaited: u64,
    /// Binds by agent, over all clients.
    rivals: Recent<String, VecDeque<(StreamId, Rival)>>,
    users: Recent<String, Known>,
    dialogs: Recent<String, Known>,
    timers: Timers,
    ledger: Ledger,
    told: VecDeque<Told>,
    last_session: u64,
}

impl Tracker {
    /// `run` is the run's own number (its ULID): traces of different runs differ.
    #[must_use]
    pub fn new(run: u128) -> Self {
        Self {
            run,
            shared: None,
            fronted: Vec::new(),
            sessions: Recent::new(MAX_SESSIONS),
            desktops: Recent::new(MAX_SESSIONS),
            owners: Recent::new(MAX_REMEMBERED),
            cookies: Recent::new(MAX_REMEMBERED),
            streams: HashMap::new(),
            servers: Vec::new(),
            requests: Recent::new(MAX_REQUESTS),
            early: Recent::new(MAX_REQUESTS),
            awaited: Recent::new(MAX_SESSIONS),
            outcomes: Recent::new(MAX_REQUESTS),
            last_awaited: 0,
            rivals: Recent::new(MAX_SESSIONS),
            users: Recent::new(MAX_REMEMBERED),
            dialogs: Recent::new(MAX_REMEMBERED),
            timers: Timers::default(),
            ledger: Ledger::default(),
            told: VecDeque::new(),
            last_session: 0,
        }
    }

    /// Traces are derived under `key` from agent and `JSESSIONID`: every tracker with this key gives a desktop the same,
    /// if it knows the cookie when the session begins.
    #[must_use]
    pub fn sharing(mut self, key: &[u8; 32]) -> Self {
        self.shared = Some(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key));
        self
    }

    /// Says which servers the proxy fronts; without it the rule about others is silent.
    #[must_use]
    pub fn fronting(mut self, servers: impl IntoIterator<Item = Authority>) -> Self {
        self.fronted.extend(servers);
        self
    }

    /// Says anew which servers the proxy fronts.
    pub fn front(&mut self, servers: Vec<Authority>) {
        self.fronted = servers;
    }

    /// The session of `user` (login name or JID, any case) on the browser at `client`, which has this cookie.
    pub fn session(&mut self, client: IpAddr, user: &str, cookie: Option<CookieMark>, at: Moment) -> Session {
        let key = (client, bare(user).to_lowercase());
        if let Some(session) = self.sessions.find(&key).filter(|session| self.is_alive(**session)) {
            return *session;
        }
        self.last_session += 1;
        let trace = match (&self.shared, cookie) {
            (Some(shared), Some(cookie)) => shared_trace(shared, &key.1, cookie),
            _ => trace(self.run, self.last_session),
        };
        let session = Session { id: SessionId(self.last_session), trace };
        self.sessions.insert(key, session);
        self.desktops.insert(session.id, Desktop::new(session, user, at));
        self.timers.set(at, HOUR, Due::Hour(session.id));
        self.expect_end(session.id, at);
        session
    }

    /// Whether the session goes on: a new one begins when an agent comes back after its end.
    #[must_use]
    pub fn is_alive(&self, session: Session) -> bool {
        self.desktops.find(&session.id).is_some()
    }

    /// Whose connection it is, as far as a requestId told.
    #[must_use]
    pub fn owner(&self, conn: ConnId) -> Option<(Session, &str)> {
        self.owners.find(&conn).map(|(session, user)| (*session, &**user))
    }

    /// A cookie is a secret: nothing but this is to be kept of it.
    #[must_use]
    pub fn mark(&self, cookie: &[u8]) -> CookieMark {
        if let Some(shared) = &self.shared {
            return CookieMark(keyed(shared, &[b"cookie", cookie]));
        }
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(&self.run.to_be_bytes());
        context.update(cookie);
        CookieMark(half(context.finish().as_ref()))
    }

    /// Whose session a `JSESSIONID` belongs to.
    #[must_use]
    pub fn cookie_owner(&self, cookie: CookieMark) -> Option<(Session, &str)> {
        self.cookies.find(&cookie).map(|(session, user)| (*session, &**user))
    }

    /// A `JSESSIONID` was used by, or given to, this session.
    pub fn cookie(&mut self, cookie: CookieMark, session: Session, user: &str) {
        if self.cookies.find(&cookie).is_none_or(|(known, _)| *known != session) {
            self.cookies.insert(cookie, (session, user.to_owned()));
        }
    }

    /// Time passes: looks at what is due. Cheap if nothing is.
    pub fn tick(&mut self, at: Moment) {
        while let Some(due) = self.timers.next(at) {
            self.due(due, at);
        }
    }

    /// The program ends: every session's summary.
    pub fn finish(&mut self, at: Moment) {
        self.tick(at);
        for number in 1..=self.last_session {
            self.end(SessionId(number), at);
        }
    }

    /// The next finding or summary to be written.
    pub fn next_told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    fn due(&mut self, due: Due, at: Moment) {
        match due {
            Due::FinessePresence(id) => {
                let Some(stream) = self.streams.get(&id) else { return };
                if let Some(finding) = findings::login::finesse_presence(&stream.ladder) {
                    self.find_on(id, at, finding);
                }
            }
            Due::Subscription(id) => {
                let Some(stream) = self.streams.get(&id) else { return };
                if let Some(finding) = findings::subscription::missing(&stream.ladder, stream.asked_for_user) {
                    self.find_on(id, at, finding);
                }
            }
            Due::IqPing(id, asked) | Due::WsPing(id, asked) => {
                let Some(level) = self.streams.get_mut(&id).and_then(|stream| stream.unanswered(asked)) else { return };
                self.find_on(id, at, findings::ping::unanswered(level, asked));
            }
            Due::Outcome(number) => self.outcome_due(number, at),
            Due::End(id) => {
                let Some(desktop) = self.desktops.find_mut(&id) else { return };
                desktop.end_is_set = false;
                let last = desktop.last;
                if desktop.open_sockets > 0 {
                    return;
                }
                if last.plus(LINGER).mono_ns <= at.mono_ns {
                    self.end(id, at);
                } else {
                    self.expect_end(id, last);
                }
            }
            Due::Hour(id) => {
                if self.desktops.find(&id).is_some() {
                    self.timers.set(at, HOUR, Due::Hour(id));
                    self.summarise(id, Reason::Hourly, at, at);
                }
            }
        }
    }

    fn end(&mut self, id: SessionId, at: Moment) {
        let Some(last) = self.desktops.find(&id).map(|desktop| desktop.last) else { return };
        let until = if self.desktops.find(&id).is_some_and(|desktop| desktop.open_sockets > 0) { at } else { last };
        self.summarise(id, Reason::End, until, at);
        self.desktops.remove(&id);
    }

    /// Queues a summary of the time until `until`, made at `at`.
    fn summarise(&mut self, id: SessionId, reason: Reason, until: Moment, at: Moment) {
        let Some(desktop) = self.desktops.find_mut(&id) else { return };
        let told = Told {
            conn: None,
            stream: None,
            session: Some(desktop.session),
            user: Some(desktop.user.clone()),
            at,
            what: Tale::Summary(desktop.summary(reason, until)),
        };
        self.tell(told);
    }

    fn expect_end(&mut self, id: SessionId, since: Moment) {
        let Some(desktop) = self.desktops.find_mut(&id) else { return };
        if !desktop.end_is_set {
            desktop.end_is_set = true;
            self.timers.set(since, LINGER, Due::End(id));
        }
    }

    /// Something was found about the fact at `spot`.
    fn find(&mut self, spot: &Spot<'_>, finding: Finding) {
        if let Some(stream) = self.stream(spot) {
            if stream.said.silence(finding.code) {
                return;
            }
            stream.said.insert(finding.code);
        }
        let session = spot.session.map(|session| session.id);
        let whose = match finding.code.scope() {
            Scope::Agent => session.map_or(Whose::Conn(spot.conn), Whose::Session),
            Scope::Server => Whose::Server(spot.server.to_owned()),
            Scope::Browser => Whose::Browser(spot.client),
        };
        self.find_in(whose, Some(spot.conn), spot.stream, session, spot.at, finding);
    }

    /// Something was found about a WebSocket, by time.
    fn find_on(&mut self, id: StreamId, at: Moment, finding: Finding) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.said.silence(finding.code)) else {
            return;
        };
        stream.said.insert(finding.code);
        let (conn, session) = (stream.conn, stream.session);
        let whose = session.map_or(Whose::Conn(conn), Whose::Session);
        self.find_in(whose, Some(conn), Some(id), session, at, finding);
    }

    fn find_in(
        &mut self,
        whose: Whose,
        conn: Option<ConnId>,
        stream: Option<StreamId>,
        session: Option<SessionId>,
        at: Moment,
        finding: Finding,
    ) {
        let desktop = session.and_then(|id| self.desktops.find_mut(&id));
        let (mut session, mut user) = (None, None);
        if let Some(desktop) = desktop {
            desktop.found(finding.code);
            session = Some(desktop.session);
            user = Some(desktop.user.clone());
        }
        if let Some(finding) = self.ledger.count(whose, finding) {
            self.tell(Told { conn, stream, session, user, at, what: Tale::Finding(finding) });
        }
    }

    fn tell(&mut self, told: Told) {
        if self.told.len() < MAX_TOLD {
            self.told.push_back(told);
        }
    }

    fn desktop(&mut self, spot: &Spot<'_>) -> Option<&mut Desktop> {
        self.desktops.find_mut(&spot.session?.id)
    }

    fn stream(&mut self, spot: &Spot<'_>) -> Option<&mut Stream> {
        self.streams.get_mut(&spot.stream?)
    }

    fn server(&mut self, name: &str) -> Option<&mut Server> {
        let index = match self.servers.iter().position(|(known, _)| known == name) {
            Some(index) => index,
            None if self.servers.len() < MAX_SERVERS => {
                self.servers.push((name.to_owned(), Server::default()));
                self.servers.len() - 1
            }
            None => return None,
        };
        self.servers.get_mut(index).map(|(_, server)| server)
    }
}

/// The user part of a JID, or a login name as it is.
pub(super) fn bare(user: &str) -> &str {
    user.split(['@', '/']).next().unwrap_or(user)
}

/// A hash to compare by, within one run.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// The 16-digit id that a REST call and its event share: a function of the `requestId` alone, so that both ends of the
/// join need not meet.
#[must_use]
pub fn transaction(request_id: &str) -> Cow<'static, str> {
    let digest = ring::digest::digest(&ring::digest::SHA256, request_id.as_bytes());
    Cow::Owned(format!("{:016x}", head(&digest)))
}

fn head(digest: &ring::digest::Digest) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

fn trace(run: u128, session: u64) -> u128 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(&run.to_be_bytes());
    context.update(&session.to_be_bytes());
    half(context.finish().as_ref())
}

/// A function of what every instance sees that shares the key, wherever the desktop comes to.
fn shared_trace(shared: &ring::hmac::Key, user: &str, cookie: CookieMark) -> u128 {
    keyed(shared, &[b"trace", user.as_bytes(), &cookie.0.to_be_bytes()])
}

/// Half of the HMAC of all parts, each with its length in front of it.
fn keyed(key: &ring::hmac::Key, parts: &[&[u8]]) -> u128 {
    let mut context = ring::hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    half(context.sign().as_ref())
}

fn half(digest: &[u8]) -> u128 {
    let mut head = [0; 16];
    head.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(head)
}

#[cfg(test)]
mod tests;
