//! What a report knows: plain values, bounded, the same for text, page and JSON.
//!
//! Every claim carries the [`Mark`] of the line it stands on; `evidence` turns marks into gists. Lists hold
//! at most what the constants say, and count what they left out. Times are microseconds since 1970, UTC.

use super::ladder::{Ladder, Login};
pub use super::list::List;
use super::story::Story;
use super::words::{serialize_stamp, serialize_stamp_if};
use serde::Serialize;

/// Sessions told in full.
pub const MAX_SESSIONS: usize = 1_000;
/// Sockets of a session.
pub const MAX_SOCKETS: usize = 200;
/// Names of an agent.
pub const MAX_NAMES: usize = 8;
/// State changes of a session.
pub const MAX_STATES: usize = 1_000;
/// Calls of a session.
pub const MAX_CALLS: usize = 500;
/// Changes of a call.
pub const MAX_CALL_STEPS: usize = 40;
/// Slowest requests told.
pub const MAX_SLOWEST: usize = 15;
/// Failed requests, requests with their events, warnings of a session: each.
pub const MAX_ROWS: usize = 300;
/// Nodes of a session.
pub const MAX_NODES: usize = 200;
/// Kinds of findings of a session.
pub const MAX_FINDINGS: usize = 100;
/// Lines of evidence of a finding.
pub const MAX_FINDING_EVIDENCE: usize = 20;
/// Ping times drawn; beyond, neighbours are merged and the slower one is kept.
pub const MAX_PINGS: usize = 1_024;
/// Gaps, holes and unreadable lines told, connections without an agent: each.
pub const MAX_ODDITIES: usize = 100;

/// A line of a capture. `file` counts from 0 through [`Report::files`], `line` from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
pub struct Mark {
    /// Which file.
    pub file: u32,
    /// Which line.
    pub line: u64,
    /// `event.sequence`; 0 for lines that have none.
    pub sequence: u64,
    /// Where it begins in the file, bytes.
    #[serde(skip)]
    pub offset_bytes: u64,
}

/// Where and when a line stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) at_us: i64,
    pub(super) mark: Mark,
}

/// The whole report.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub schema: &'static str,
    /// The captures, in order of their first lines' times.
    pub files: Vec<File>,
    /// Runs of the proxy that are in them.
    pub runs: Vec<String>,
    /// First line's time.
    #[serde(serialize_with = "serialize_stamp_if", skip_serializing_if = "Option::is_none", rename = "from")]
    pub from_us: Option<i64>,
    /// Last line's time.
    #[serde(serialize_with = "serialize_stamp_if", skip_serializing_if = "Option::is_none", rename = "to")]
    pub to_us: Option<i64>,
    /// Redaction levels in force.
    pub redaction: Vec<String>,
    /// What the report is about, as whoever asked for it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What agents felt and why, the gravest first.
    pub stories: Vec<Story>,
    /// Counts over all.
    pub totals: Totals,
    /// What the capture itself says is missing, and what could not be read.
    pub oddities: List<Oddity>,
    /// What a person wrote down while it happened.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub notes: List<super::note::Note>,
    /// Findings that belong to no session.
    pub findings: List<Finding>,
    /// Connections nobody logged in on and that did not go well.
    pub strangers: List<Stranger>,
    /// The sessions, in order of time.
    pub sessions: Vec<Session>,
    /// Lists that were cut: what, and how many entries.
    pub left_out: Vec<LeftOut>,
    /// The lines that [`Self::findings`], [`Self::oddities`] and [`Self::strangers`] stand on.
    pub evidence: Vec<Evidence>,
}

/// A capture file.
#[derive(Debug, Serialize)]
pub struct File {
    /// Its path as it was named.
    pub path: String,
    /// Its size when the report began.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
}

/// Counts.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Lines of ours, within the time asked for.
    pub lines: u64,
    /// Lines outside the time asked for.
    pub lines_outside: u64,
    /// Lines that could not be read.
    pub lines_unreadable: u64,
    /// Lines that came twice.
    pub lines_repeated: u64,
    /// Events missing by their sequence.
    pub lines_missing: u64,
    /// Whether events were left out on purpose, when the captures were shared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_picked: bool,
    /// Lines whose XML was cut to the line limit.
    pub lines_cut: u64,
    /// Connections.
    pub connections: u64,
    /// WebSockets.
    pub sockets: u64,
    /// HTTP requests.
    pub requests: u64,
    /// Finesse events.
    pub updates: u64,
    /// `capture-gap` and `redaction-blocked`.
    pub gaps: u64,
    /// Events these say are missing.
    pub gap_events: u64,
    /// Bytes these say were not looked at.
    pub gap_bytes: u64,
    /// `decode-error`.
    pub decode_errors: u64,
}

/// A line that says something is missing, or that is no line.
#[derive(Debug, Serialize)]
pub struct Oddity {
    /// In words.
    pub what: String,
    /// The line.
    pub line: Mark,
}

/// A connection without an agent.
#[derive(Debug, Serialize)]
pub struct Stranger {
    /// When it began.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// The browser's address.
    pub client: String,
    /// The server.
    pub server: String,
    /// The most telling line in words.
    pub what: String,
    /// That line.
    pub line: Mark,
}

/// A list that was cut.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// Of which session; none for the report's own lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which list.
    pub list: &'static str,
    /// Entries not told.
    pub count: u64,
}

/// One agent on one browser.
#[derive(Debug, Default, Serialize)]
pub struct Session {
    /// `finesse.session.id`
    pub id: String,
    /// The run it belongs to.
    pub run: String,
    /// Login or token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Every name the agent goes by: login id, login name, local part of the JID.
    pub names: Vec<String>,
    /// Login name, from events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Team id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// In a sentence or three, what happened.
    pub story: Vec<String>,
    /// First line.
    #[serde(serialize_with = "serialize_stamp", rename = "from")]
    pub from_us: i64,
    /// Last line.
    #[serde(serialize_with = "serialize_stamp", rename = "to")]
    pub to_us: i64,
    /// Lines.
    pub lines: u64,
    /// Browser addresses.
    pub clients: Vec<String>,
    /// Nodes.
    pub servers: Vec<String>,
    /// Browsers.
    pub user_agents: Vec<String>,
    /// WebSockets in order.
    pub sockets: List<Socket>,
    /// The agent's states in order.
    pub states: List<State>,
    /// Calls in order.
    pub calls: List<Call>,
    /// Pings of both kinds.
    pub pings: Pings,
    /// Requests in numbers.
    pub requests: Requests,
    /// REST calls and the events they caused.
    pub joins: List<Join>,
    /// Subscriptions by node.
    pub subscriptions: List<Subscription>,
    /// Finesse events.
    pub updates: u64,
    /// Warnings and errors of the log.
    pub troubles: List<Trouble>,
    /// Findings.
    pub findings: List<Finding>,
    /// How often the proxy's own summary counts each finding, said or not.
    #[serde(skip)]
    pub summary_findings: Vec<(String, u64)>,
    /// The older session of the same run that the proxy found it to be.
    #[serde(skip)]
    pub merged_into: Option<String>,
    /// Where the proxy's own summary says the login stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_stopped_at: Option<String>,
    /// The lines all this stands on.
    pub evidence: Vec<Evidence>,
}

impl Session {
    /// The agent as a heading names it.
    #[must_use]
    pub fn who(&self) -> String {
        match (&self.user, &self.name) {
            (Some(user), Some(name)) if user != name => format!("{user} ({name})"),
            (Some(user), _) => user.clone(),
            (None, _) => String::from("unknown agent"),
        }
    }

    /// How the last login went, if there was any.
    #[must_use]
    pub fn login(&self) -> Option<&Ladder> {
        self.sockets.last().map(|socket| &socket.ladder)
    }

    /// Takes in a session of the same agent that the capture tells apart. Both are in order of time, this one began first.
    pub(super) fn absorb(&mut self, other: Self) {
        other.names.iter().for_each(|name| self.name(name));
        self.name = self.name.take().or(other.name);
        self.extension = self.extension.take().or(other.extension);
        self.team = self.team.take().or(other.team);
        self.to_us = self.to_us.max(other.to_us);
        self.lines += other.lines;
        self.updates += other.updates;
        for (mine, theirs) in [
            (&mut self.clients, other.clients),
            (&mut self.servers, other.servers),
            (&mut self.user_agents, other.user_agents),
        ] {
            mine.extend(theirs);
            mine.dedup();
        }
        self.sockets.absorb(other.sockets, MAX_SOCKETS, |socket| socket.from_us);
        self.states.absorb(other.states, MAX_STATES, |state| state.from_us);
        self.calls.absorb(other.calls, MAX_CALLS, |call| call.to_us);
        self.joins.absorb(other.joins, MAX_ROWS, |join| join.at_us);
        self.troubles.absorb(other.troubles, MAX_ROWS, |trouble| trouble.at_us);
        self.findings.absorb(other.findings, MAX_FINDINGS, |finding| finding.at_us);
        self.subscriptions.absorb(other.subscriptions, MAX_NODES, |subscription| subscription.line.line.cast_signed());
        self.pings.absorb(other.pings);
        self.requests.absorb(other.requests);
        self.summary_findings.extend(other.summary_findings);
    }

    /// Adds a name that the agent goes by.
    pub(super) fn name(&mut self, name: &str) {
        let name = super::words::bare(name);
        if !name.is_empty() && self.names.len() < MAX_NAMES && !self.goes_by(&name) {
            self.names.push(name);
        }
    }

    /// Whether this is one of the agent's names, in any case, as login or JID.
    #[must_use]
    pub fn goes_by(&self, name: &str) -> bool {
        let name = super::words::bare(name);
        self.names.iter().any(|known| known.to_lowercase() == name.to_lowercase())
    }

    /// Whether a login was seen from its first step to its last.
    #[must_use]
    pub fn signed_in(&self) -> bool {
        self.sockets.iter().any(|socket| socket.ladder.login == Login::Complete)
    }

    /// Whether something needs a look: findings, failed logins.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        !self.findings.is_empty() || self.sockets.iter().any(|socket| socket.ladder.login == Login::Stopped)
    }
}

/// A WebSocket, or another stream.
#[derive(Clone, Debug, Serialize)]
pub struct Socket {
    /// `finesse.ws.id` or `finesse.stream.id`
    pub id: String,
    /// What it is if no WebSocket: `a BOSH session`, `an XMPP stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// `finesse.conn.id`, of several the first
    pub conn: String,
    /// When it was opened, or first heard of.
    #[serde(serialize_with = "serialize_stamp", rename = "from")]
    pub from_us: i64,
    /// When it ended, or was last heard of.
    #[serde(serialize_with = "serialize_stamp", rename = "to")]
    pub to_us: i64,
    /// The browser's address and port.
    pub client: String,
    /// The server's name and port.
    pub server: String,
    /// The server's address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Subprotocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<String>,
    /// The login.
    pub ladder: Ladder,
    /// How it ended; none if it was still open when the capture ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Its first line.
    pub line: Mark,
}

/// How a socket ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ending {
    /// WebSocket: close code; 1006 without a Close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// Reason given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who sent the first Close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
    /// `full`, `half`, `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<String>,
    /// Who ended the connection below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// And how: fin, rst, timeout, tls_alert, shutdown; of other streams terminate, status, inactive, stream-end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// That connection ended without TLS close_notify.
    pub unclean: bool,
    /// Bytes from the browser.
    pub c2s_bytes: u64,
    /// Bytes from the server.
    pub s2c_bytes: u64,
    /// The line.
    pub line: Mark,
    /// The line that tells of the end of the connection below.
    #[serde(skip)]
    pub(super) below_line: Option<Mark>,
}

impl Ending {
    /// Whether somebody said goodbye in good order. A desktop that logs out does not wait for the answer.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        match self.code {
            Some(code) => self.initiator.is_some() && matches!(code, 1_000 | 1_001 | 1_005),
            None => self.reason.is_none() && matches!(self.how.as_deref(), Some("terminate" | "stream-end")),
        }
    }
}

/// A time the agent spent in a state.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// The state.
    pub state: String,
    /// Reason label or code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When its event came.
    #[serde(serialize_with = "serialize_stamp", rename = "from")]
    pub from_us: i64,
    /// When the next one came, or the session's last line.
    #[serde(serialize_with = "serialize_stamp", rename = "to")]
    pub to_us: i64,
    /// Since the REST request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The line.
    pub line: Mark,
    #[serde(skip)]
    pub(super) changed: Option<String>,
}

/// A call.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Dialog id.
    pub id: String,
    /// Call type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// Calling address.
    #[serde(skip_serializing_if = "Option::is_none", rename = "from_address")]
    pub from: Option<String>,
    /// Called address.
    #[serde(skip_serializing_if = "Option::is_none", rename = "to_address")]
    pub to: Option<String>,
    /// Its changes.
    pub steps: List<CallStep>,
    /// It is gone, or dropped.
    pub ended: bool,
    /// When it was last heard of.
    #[serde(serialize_with = "serialize_stamp", rename = "to")]
    pub to_us: i64,
}

impl Call {
    /// From the first to the last event.
    #[must_use]
    pub fn total_us(&self) -> u64 {
        self.steps.first().map_or(0, |step| super::words::between_us(step.at_us, self.to_us))
    }

    /// How long it was in a state.
    #[must_use]
    pub fn spent_us(&self, wanted: &[&str]) -> u64 {
        let ends = self.steps.iter().skip(1).map(|step| step.at_us).chain([self.to_us]);
        let spans = self.steps.iter().zip(ends).filter(|(step, _)| wanted.contains(&&*step.state));
        spans.map(|(step, end)| super::words::between_us(step.at_us, end)).sum()
    }
}

/// A change of a call.
#[derive(Clone, Debug, Serialize)]
pub struct CallStep {
    /// The agent's part in it if it is known, else the dialog's state.
    pub state: String,
    /// When.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// The line.
    pub line: Mark,
}

/// Pings of both kinds.
#[derive(Debug, Default, Serialize)]
pub struct Pings {
    /// The desktop's XMPP pings.
    pub xmpp: PingCount,
    /// WebSocket pings.
    pub websocket: PingCount,
    /// Round trips of XMPP pings over time.
    pub points: Vec<Point>,
    /// How many round trips a point stands for.
    pub per_point: u64,
    /// XMPP pings that were never answered.
    pub lost: List<Point>,
    #[serde(skip)]
    pub(super) in_last: u64,
}

/// Pings in numbers.
#[derive(Debug, Default, Serialize)]
pub struct PingCount {
    /// Sent.
    pub sent: u64,
    /// Answered.
    pub answered: u64,
    /// All round trips together.
    #[serde(skip)]
    pub total_us: u64,
    /// Slowest round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<Point>,
}

impl PingCount {
    pub(super) fn answered(&mut self, point: Point) {
        self.answered += 1;
        self.total_us = self.total_us.saturating_add(point.rtt_us);
        if self.slowest.is_none_or(|slowest| point.rtt_us > slowest.rtt_us) {
            self.slowest = Some(point);
        }
    }

    /// Mean round trip.
    #[must_use]
    pub fn mean_us(&self) -> u64 {
        self.total_us.checked_div(self.answered).unwrap_or(0)
    }
}

/// A ping.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// When it was answered, or sent if it was not.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// Round trip; 0 if there was none.
    pub rtt_us: u64,
    /// The line.
    pub line: Mark,
}

impl PingCount {
    fn absorb(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.total_us = self.total_us.saturating_add(other.total_us);
        self.slowest = [self.slowest, other.slowest].into_iter().flatten().max_by_key(|point| point.rtt_us);
    }
}

impl Pings {
    fn absorb(&mut self, other: Self) {
        self.xmpp.absorb(other.xmpp);
        self.websocket.absorb(other.websocket);
        other.points.into_iter().for_each(|point| self.draw(point));
        self.lost.absorb(other.lost, MAX_ROWS, |point| point.at_us);
    }

    pub(super) fn draw(&mut self, point: Point) {
        self.per_point = self.per_point.max(1);
        if let Some(last) = self.points.last_mut().filter(|_| self.in_last < self.per_point) {
            self.in_last += 1;
            if point.rtt_us > last.rtt_us {
                *last = point;
            }
            return;
        }
        if self.points.len() >= MAX_PINGS {
            self.per_point *= 2;
            let pairs = self.points.chunks(2);
            self.points = pairs.filter_map(|pair| pair.iter().max_by_key(|point| point.rtt_us)).copied().collect();
        }
        self.points.push(point);
        self.in_last = 1;
    }
}

/// Requests in numbers.
#[derive(Debug, Default, Serialize)]
pub struct Requests {
    /// Calls of the REST API.
    pub rest: u64,
    /// Other HTTP requests.
    pub other: u64,
    /// XMPP iq requests that were answered, pings aside.
    pub iq: u64,
    /// The slowest REST and iq requests, slowest first.
    pub slowest: Vec<Request>,
    /// HTTP requests that were refused, cut or not answered.
    pub failed: List<Request>,
}

impl Requests {
    fn absorb(&mut self, other: Self) {
        (self.rest, self.other, self.iq) = (self.rest + other.rest, self.other + other.other, self.iq + other.iq);
        self.slowest.extend(other.slowest);
        self.slowest.sort_by_key(|request| std::cmp::Reverse(request.took_us));
        self.slowest.truncate(MAX_SLOWEST);
        self.failed.absorb(other.failed, MAX_ROWS, |request| request.at_us);
    }
}

/// A request.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// What was asked for.
    pub what: String,
    /// HTTP status; none for an iq or without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it was answered.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// How long it took.
    pub took_us: u64,
    /// The line.
    pub line: Mark,
}

/// A REST call that changes something, and the event it caused.
#[derive(Clone, Debug, Serialize)]
pub struct Join {
    /// What was asked for.
    pub what: String,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it was asked.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// How long the answer took.
    pub took_us: u64,
    /// The line of the request.
    pub line: Mark,
    /// The first event it caused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Effect>,
    #[serde(skip)]
    pub(super) request_id: String,
}

/// The event a REST call caused.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// In words.
    pub what: String,
    /// Since the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// How sure the join is, where the capture says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// The line.
    pub line: Mark,
}

/// A node and what became of its subscription.
#[derive(Clone, Debug, Serialize)]
pub struct Subscription {
    /// The node.
    pub node: String,
    /// Asked for.
    pub requested: u64,
    /// Confirmed.
    pub confirmed: u64,
    /// Refused.
    pub refused: u64,
    /// Asked for though it was in force on the same socket.
    pub doubled: u64,
    /// Given up.
    pub unsubscribed: u64,
    /// Events seen.
    pub events: u64,
    /// What the refusal said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The first line that names it.
    pub line: Mark,
    /// The lines that refuse it, as far as they are told.
    #[serde(skip)]
    pub(super) refusals: Vec<Mark>,
}

/// A warning or error of the log.
#[derive(Clone, Debug, Serialize)]
pub struct Trouble {
    /// When.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// `warn` or `error`.
    pub level: &'static str,
    /// In words.
    pub what: String,
    /// The line.
    pub line: Mark,
}

/// A finding.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Finding {
    /// Its stable code.
    pub code: String,
    /// In words.
    pub title: String,
    /// `error` or `warn`.
    pub level: &'static str,
    /// certain, likely, possible.
    pub confidence: String,
    /// How often.
    pub count: u64,
    /// Facts.
    pub facts: Vec<(String, String)>,
    /// What to do.
    pub advice: String,
    /// When it was first found.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// When it was last found.
    #[serde(serialize_with = "serialize_stamp", rename = "last")]
    pub last_us: i64,
    /// The line that says so.
    pub line: Mark,
    /// The lines it stands on, as far as they are in the capture.
    pub evidence: Vec<Mark>,
}

impl Finding {
    /// The value of a fact.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// A line that something stands on.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// The line.
    pub line: Mark,
    /// When.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// `event.action`
    pub action: String,
    /// `c2s`, `s2c` or empty.
    pub direction: String,
    /// Socket or connection.
    pub on: String,
    /// Its gist.
    pub gist: String,
    /// The message itself, redacted as it is in the capture; empty if the line holds none.
    #[serde(skip)]
    pub(super) raw: String,
}
