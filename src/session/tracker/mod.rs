//! What spans connections: whose session it is, which REST call caused an event, what state came before, what went wrong.
//!
//! [`Tracker`] takes every fact with its [`Spot`] and answers with what the line about it should say. What it has to say
//! by itself, findings and summaries, waits in a queue: [`Tracker::next_told`] after every fact and every [`Tracker::tick`].
//! The facts come in by five files: `wire` (connections, HTTP, WebSocket frames), `tls`, `stream`, `stanza`, `update`. `rest`
//! looks at the course of REST calls, `agent` at the agent's own state and calls. `who` knows whose they are, `due` looks at
//! what time brings, `found` says what was found and takes back what was said too early.

mod agent;
mod due;
mod found;
mod rest;
mod stanza;
mod stream;
mod tls;
mod update;
mod who;
mod wire;

pub(super) use rest::Begun;
pub use stanza::StanzaRead;
pub use update::{Arrival, Call, UpdateRead};
pub use wire::{Opening, Rest};

use super::desktop::Desktop;
use super::findings::ending::Rival;
use super::findings::{self, Finding, Ledger};
use super::names::Names;
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
    /// Set if what is told may have to be taken back: [`Tracker::was_written`] wants to know the line.
    pub number: Option<u64>,
}

/// What is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tale {
    /// Something went wrong.
    Finding(Finding),
    /// A session in numbers.
    Summary(Summary),
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
    names: Names,
    sessions: Recent<(IpAddr, String), Session>,
    /// Sessions that turned out to be others.
    merged: Recent<SessionId, Session>,
    desktops: Recent<SessionId, Desktop>,
    /// Found out by requestId.
    owners: Recent<ConnId, (Session, String)>,
    /// Connections of `doctor`, on which nothing is found.
    probes: Recent<ConnId, ()>,
    /// Found out by `JSESSIONID`.
    cookies: Recent<CookieMark, (Session, String)>,
    streams: HashMap<StreamId, Stream>,
    servers: Vec<(String, Server)>,
    requests: Recent<String, (Cause, ConnId)>,
    /// Updates whose request is not over: line and time.
    early: Recent<String, (u64, Moment)>,
    /// Whose an awaited event is, by its number.
    outcomes: Recent<u64, SessionId>,
    last_awaited: u64,
    /// Binds by agent, over all clients.
    rivals: Recent<String, VecDeque<(StreamId, Rival)>>,
    users: Recent<String, Known>,
    dialogs: Recent<String, Known>,
    timers: Timers,
    ledger: Ledger,
    held: found::Held,
    said: found::Said,
    pace: due::Pace,
    browsers: rest::Browsers,
    shaken: tls::Shaken,
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
            names: Names::default(),
            sessions: Recent::new(MAX_SESSIONS),
            merged: Recent::new(MAX_SESSIONS),
            desktops: Recent::new(MAX_SESSIONS),
            owners: Recent::new(MAX_REMEMBERED),
            probes: Recent::new(MAX_REMEMBERED),
            cookies: Recent::new(MAX_REMEMBERED),
            streams: HashMap::new(),
            servers: Vec::new(),
            requests: Recent::new(MAX_REQUESTS),
            early: Recent::new(MAX_REQUESTS),
            outcomes: Recent::new(MAX_REQUESTS),
            last_awaited: 0,
            rivals: Recent::new(MAX_SESSIONS),
            users: Recent::new(MAX_REMEMBERED),
            dialogs: Recent::new(MAX_REMEMBERED),
            timers: Timers::default(),
            ledger: Ledger::default(),
            held: found::Held::default(),
            said: found::Said::default(),
            pace: due::Pace::default(),
            browsers: rest::Browsers::default(),
            shaken: tls::Shaken::default(),
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

    /// The connection is one of `doctor`'s: what goes wrong there, it says itself.
    pub fn probed(&mut self, conn: ConnId) {
        self.probes.insert(conn, ());
    }

    /// The next finding or summary to be written.
    pub fn next_told(&mut self) -> Option<Told> {
        self.told.pop_front()
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

#[cfg(test)]
mod tests;
