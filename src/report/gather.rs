//! Lines become a [`Report`]: whose line it is, by run, session and connection, and what is missing.
//!
//! Lines that come before a connection's agent is known wait with the connection. Knows nothing of files but their number;
//! memory is bounded by the limits in [`model`](super::model) and here, whatever the capture's size.

use super::fold::{self, Track};
use super::model::{
    Finding, LeftOut, List, MAX_FINDING_EVIDENCE, MAX_FINDINGS, MAX_ODDITIES, MAX_ROWS, MAX_SESSIONS, MAX_SOCKETS,
    Mark, Oddity, Place, Report, Session, Socket, Stranger, Trouble,
};
use super::note::Note;
use super::{story, words};
use crate::conn::PROBE_AGENT;
use crate::session::findings::{Code, Scope};
use crate::stored::PICKED;
use crate::stored::view::Line;
use std::collections::HashMap;

/// Connections followed at once in a run.
const MAX_CONNECTIONS: usize = 65_536;
/// Lines whose place is remembered, so that findings can point at them.
const MAX_PLACES: usize = 1 << 16;
/// Warnings kept until a connection's agent is known.
const MAX_WAITING: usize = 16;
/// Sessions kept until it is known whether they are the agent's who was asked for.
const MAX_CANDIDATES: usize = 20_000;
/// Sessions named when the one that was asked for is not there.
const MAX_NAMED: usize = 30;

/// What of the captures is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// This agent's sessions: login, bare JID or token, in any case.
    pub user: Option<String>,
    /// The session with this id.
    pub session: Option<String>,
    /// Lines from here on, microseconds since 1970.
    pub since_us: Option<i64>,
    /// Lines before this, microseconds since 1970.
    pub until_us: Option<i64>,
    /// Of these the events that are asked for.
    pub events: crate::filter::Filter,
}

impl Filter {
    fn is_for_all(&self) -> bool {
        self.user.is_none() && self.session.is_none()
    }

    /// Whether a session is asked for, all its names being known.
    fn takes(&self, session: &Session) -> bool {
        self.takes_id(&session.id) && self.user.as_deref().is_none_or(|wanted| session.goes_by(wanted))
    }

    fn takes_id(&self, id: &str) -> bool {
        self.session.as_deref().is_none_or(|wanted| wanted == id)
    }
}

/// Builds a report line by line.
#[derive(Default)]
pub(super) struct Gather {
    filter: Filter,
    report: Report,
    runs: Vec<Run>,
    places: Vec<(u32, Mark)>,
    sessions_left_out: u64,
    named: List<String>,
    /// When the first file was opened: for an import, long after all it tells of.
    opened_us: Option<i64>,
    /// Findings by the `event.id` of their lines, for those that take them back.
    said: HashMap<String, (Owner, String)>,
}

struct Run {
    name: String,
    /// Events were left out of it on purpose.
    is_picked: bool,
    last_sequence: u64,
    sessions: HashMap<String, Owner>,
    connections: HashMap<String, Connection>,
}

/// Whose a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    Session(usize),
    /// A session that was not asked for, or one too many.
    Other,
}

struct Connection {
    owner: Owner,
    opened: Place,
    client: String,
    server: String,
    upstream: Option<String>,
    user_agent: Option<String>,
    socket: Slot,
    track: Track,
    waiting: List<Trouble>,
}

/// Where a connection's socket is kept.
enum Slot {
    None,
    Waiting(Box<Socket>),
    In(usize),
    Lost,
}

impl Gather {
    pub(super) fn new(filter: Filter) -> Self {
        Self { filter, report: Report { schema: "1.0", ..Report::default() }, ..Self::default() }
    }

    /// Takes one line; of one that is not picked, no more than its place.
    pub(super) fn line(&mut self, line: &Line<'_>, mut mark: Mark, is_picked: bool) {
        let at_us = line.at_us;
        mark.sequence = line.event.sequence.unwrap_or(0);
        let place = Place { at_us, mark };
        let run = self.run(line.run());
        if line.setting(PICKED).is_some()
            && let Some(run) = self.runs.get_mut(run)
        {
            run.is_picked = true;
            if !std::mem::replace(&mut self.report.totals.is_picked, true) {
                let what =
                    String::from("what was not picked when this was shared is not in it; nothing is missing for that");
                self.report.oddities.push(Oddity { what, line: mark }, MAX_ODDITIES);
            }
        }
        if !self.is_next(run, mark) {
            return;
        }
        if !is_picked
            || self.filter.since_us.is_some_and(|since| at_us < since)
            || self.filter.until_us.is_some_and(|until| at_us >= until)
        {
            self.report.totals.lines_outside += 1;
            return;
        }
        self.report.totals.lines += 1;
        if &*line.event.action == "log-opened" {
            self.opened_us = Some(self.opened_us.map_or(at_us, |opened| opened.min(at_us)));
        } else {
            self.report.from_us = Some(self.report.from_us.map_or(at_us, |from| from.min(at_us)));
            self.report.to_us = Some(self.report.to_us.map_or(at_us, |to| to.max(at_us)));
        }
        self.total(line, place);
        // Of an agent who was not picked only what struck all is there, which makes no session.
        let is_others = self.is_about_others(run, line);
        let owner = if is_others { Owner::Nobody } else { self.owner(run, line, place) };
        self.connection(run, owner, line, place);
        if &*line.event.action == "finding" {
            self.finding(run, owner, line, place);
        }
    }

    fn is_about_others(&self, run: usize, line: &Line<'_>) -> bool {
        let shared = line
            .finesse
            .finding
            .as_ref()
            .and_then(|told| Code::read(&told.code))
            .is_some_and(|code| code.scope() == Scope::Server);
        let Some(run) = self.runs.get(run).filter(|_| shared) else { return false };
        let is_picked = run.is_picked || self.filter.events.names_somebody();
        is_picked && line.session().is_some_and(|session| !run.sessions.contains_key(session))
    }

    /// A line that is none.
    pub(super) fn unreadable(&mut self, why: &str, mark: Mark) {
        self.report.totals.lines_unreadable += 1;
        self.report.oddities.push(Oddity { what: why.to_owned(), line: mark }, MAX_ODDITIES);
    }

    /// The report, all lines being read, and the sessions that there were.
    pub(super) fn finish(mut self) -> (Report, List<String>) {
        for run in std::mem::take(&mut self.runs) {
            self.report.runs.push(run.name);
            let mut open: Vec<Connection> = run.connections.into_values().collect();
            open.sort_by_key(|connection| connection.opened.mark);
            for connection in open {
                self.close(connection, None);
            }
        }
        let filter = self.filter;
        let report = &mut self.report;
        report.from_us = report.from_us.into_iter().chain(self.opened_us).min();
        report.to_us = report.to_us.or(self.opened_us);
        report.sessions.sort_by_key(|session| session.from_us);
        unite(&mut report.sessions);
        report.sessions.retain(|session| filter.takes(session));
        self.sessions_left_out += report.sessions.len().saturating_sub(MAX_SESSIONS) as u64;
        report.sessions.truncate(MAX_SESSIONS);
        for session in &mut report.sessions {
            fold::conclude(session);
            session.story = story::tell(session, report.to_us.unwrap_or(session.to_us));
            left_out(session, &mut report.left_out);
        }
        report.findings.iter_mut().for_each(|finding| finding.evidence.dedup());
        let mut own = |list, count| report.left_out.push(LeftOut { session: None, list, count });
        for (list, count) in [
            ("sessions", self.sessions_left_out),
            ("oddities", report.oddities.left_out),
            ("findings", report.findings.left_out),
            ("strangers", report.strangers.left_out),
        ] {
            if count > 0 {
                own(list, count);
            }
        }
        (self.report, self.named)
    }

    fn run(&mut self, name: &str) -> usize {
        // Lines of different runs seldom alternate: the last one is nearly always it.
        if let Some(index) = self.runs.iter().rposition(|run| run.name == name) {
            return index;
        }
        self.runs.push(Run {
            name: name.to_owned(),
            is_picked: false,
            last_sequence: 0,
            sessions: HashMap::new(),
            connections: HashMap::new(),
        });
        self.runs.len() - 1
    }

    /// Watches the numbering: whether the line is new, and how many are missing before it.
    fn is_next(&mut self, index: usize, mark: Mark) -> bool {
        let Some(run) = self.runs.get_mut(index).filter(|_| mark.sequence > 0) else { return true };
        if mark.sequence <= run.last_sequence {
            self.report.totals.lines_repeated += 1;
            return false;
        }
        let missing = mark.sequence - run.last_sequence - 1;
        // A run's first file may have been left at home.
        if missing > 0 && run.last_sequence > 0 && !run.is_picked {
            self.report.totals.lines_missing += missing;
            let what = format!("{} before this line", words::count(missing, "event") + " missing");
            self.report.oddities.push(Oddity { what, line: mark }, MAX_ODDITIES);
        }
        run.last_sequence = mark.sequence;
        let slot = usize::try_from(mark.sequence).unwrap_or(0) % MAX_PLACES;
        if slot >= self.places.len() {
            self.places.resize(slot + 1, (u32::MAX, Mark::default()));
        }
        if let Some(entry) = self.places.get_mut(slot) {
            *entry = (u32::try_from(index).unwrap_or(u32::MAX), mark);
        }
        true
    }

    fn total(&mut self, line: &Line<'_>, place: Place) {
        let totals = &mut self.report.totals;
        totals.lines_cut += u64::from(line.finesse.xml_truncated);
        match &*line.event.action {
            "connection-opened" => totals.connections += 1,
            "websocket-opened" | "stream-opened" => totals.sockets += 1,
            "http-exchange" => totals.requests += 1,
            "finesse-update" => totals.updates += 1,
            "decode-error" => totals.decode_errors += 1,
            "capture-gap" | "redaction-blocked" => {
                totals.gaps += 1;
                if let Some(gap) = &line.finesse.gap {
                    totals.gap_events += gap.events;
                    totals.gap_bytes += gap.bytes;
                }
                let oddity = Oddity { what: words::plain(&line.message), line: place.mark };
                self.report.oddities.push(oddity, MAX_ODDITIES);
            }
            "note" => {
                let note = Note { at_us: line.at_us, text: words::plain(&line.message), line: place.mark };
                self.report.notes.push(note, MAX_ODDITIES);
            }
            _ => {}
        }
        let level = match (&line.finesse.redaction, &line.finesse.capture) {
            (Some(redaction), _) => Some(&*redaction.level),
            // `capture file 1 of run R, redaction auth`: a capture without traffic names its level only there.
            (None, Some(capture)) if !capture.version.is_empty() => line.message.rsplit(' ').next(),
            _ => None,
        };
        let levels = &mut self.report.redaction;
        if let Some(level) = level.filter(|level| levels.len() < 8 && !levels.iter().any(|known| known == level)) {
            levels.push(words::plain(level));
        }
    }

    /// The session a line names, made if it is new.
    fn owner(&mut self, run: usize, line: &Line<'_>, place: Place) -> Owner {
        let Some(id) = line.session() else { return Owner::Nobody };
        let Some(run) = self.runs.get_mut(run) else { return Owner::Other };
        if let Some(owner) = run.sessions.get(id) {
            return *owner;
        }
        let user = line.user.as_ref().map(|user| words::plain(&user.name));
        self.named.push(format!("{} {}", words::plain(id), user.as_deref().unwrap_or("?")), MAX_NAMED);
        // An agent's other names may come with later lines.
        let limit = if self.filter.user.is_some() { MAX_CANDIDATES } else { MAX_SESSIONS };
        let owner = if !self.filter.takes_id(id) {
            Owner::Other
        } else if self.report.sessions.len() >= limit {
            self.sessions_left_out += 1;
            Owner::Other
        } else {
            self.report.sessions.push(Session {
                id: words::plain(id),
                run: words::plain(&run.name),
                user,
                from_us: place.at_us,
                to_us: place.at_us,
                ..Session::default()
            });
            Owner::Session(self.report.sessions.len() - 1)
        };
        run.sessions.insert(id.to_owned(), owner);
        owner
    }

    fn connection(&mut self, run: usize, owner: Owner, line: &Line<'_>, place: Place) {
        // A finding or a summary concerns a session, and may come when the connection it names is long gone.
        let concluded = matches!(&*line.event.action, "finding" | "session-summary");
        // A stream has a life of its own: BOSH lies on several connections.
        let Some(id) = line.stream().or(line.conn()).filter(|_| !concluded) else {
            if let Some(session) = self.session(owner) {
                fold::session(session, line, place, None);
            }
            return;
        };
        let Some(connections) = self.runs.get_mut(run).map(|run| &mut run.connections) else { return };
        if !connections.contains_key(id) {
            if connections.len() >= MAX_CONNECTIONS {
                return;
            }
            connections.insert(id.to_owned(), Connection::new(line, place));
        }
        let Some(connection) = connections.get_mut(id) else { return };
        if owner != Owner::Nobody && connection.owner != owner {
            connection.hand_over(owner, &mut self.report.sessions);
        }
        connection.take(line, place, &mut self.report.sessions);
        if matches!(&*line.event.action, "connection-closed" | "stream-closed")
            && let Some(connection) = connections.remove(id)
        {
            self.close(connection, Some((line, place)));
        }
    }

    fn session(&mut self, owner: Owner) -> Option<&mut Session> {
        match owner {
            Owner::Session(index) => self.report.sessions.get_mut(index),
            _ => None,
        }
    }

    fn close(&mut self, mut connection: Connection, closed: Option<(&Line<'_>, Place)>) {
        connection.track.end(connection.owner.of(&mut self.report.sessions), closed.map(|(_, place)| place));
        if connection.owner != Owner::Nobody || !self.filter.is_for_all() {
            return;
        }
        // Our own examination was no stranger.
        if connection.user_agent.as_deref().is_some_and(|agent| agent.starts_with(PROBE_AGENT)) {
            return;
        }
        let told = connection.waiting.last().map(|trouble| (trouble.what.clone(), trouble.line)).or_else(|| {
            let Slot::Waiting(socket) = &connection.socket else { return None };
            Some((format!("{} on which nobody logged in", words::carrier(&socket.id)), socket.line))
        });
        if let Some((what, line)) = told {
            let stranger = Stranger {
                at_us: connection.opened.at_us,
                client: connection.client,
                server: connection.server,
                what,
                line,
            };
            self.report.strangers.push(stranger, MAX_ODDITIES);
        }
    }

    fn finding(&mut self, run: usize, owner: Owner, line: &Line<'_>, place: Place) {
        let Some(told) = &line.finesse.finding else { return };
        if let Some(id) = told.revises.as_deref() {
            self.take_back(id);
        }
        if told.count == Some(0) {
            return;
        }
        let sequences = told.evidence.iter().take(MAX_FINDING_EVIDENCE);
        let evidence: Vec<Mark> = sequences.filter_map(|sequence| self.place(run, *sequence)).collect();
        let is_for_all = self.filter.is_for_all();
        if self.said.len() < MAX_PLACES {
            self.said.insert(line.event.id.to_string(), (owner, words::plain(&told.code)));
        }
        let is_shared = Code::read(&told.code).is_some_and(|code| code.scope() == Scope::Server);
        let findings = match owner {
            // Whoever asks for one agent must know what struck all of them.
            _ if is_shared => Some(&mut self.report.findings),
            Owner::Session(index) => self.report.sessions.get_mut(index).map(|session| &mut session.findings),
            Owner::Nobody if is_for_all => Some(&mut self.report.findings),
            _ => None,
        };
        let Some(findings) = findings else { return };
        let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let facts = told.facts.iter().take(MAX_FINDING_EVIDENCE);
        let facts = facts.map(|fact| (words::plain(&fact.name), words::plain(&value(&fact.value))));
        if let Some(known) = findings.iter_mut().find(|finding| finding.code == *told.code) {
            // A finding that comes again counts on by itself, or says how often it came so far.
            known.count = match told.count {
                None | Some(1) => known.count + 1,
                Some(count) => known.count.max(count),
            };
            known.last_us = known.last_us.max(place.at_us);
            // Another node, another sign: worth telling. Another measure is not.
            for fact in facts.filter(|(_, value)| value.parse::<i64>().is_err()) {
                if known.facts.len() < MAX_FINDING_EVIDENCE && !known.facts.contains(&fact) {
                    known.facts.push(fact);
                }
            }
            let room = MAX_FINDING_EVIDENCE.saturating_sub(known.evidence.len());
            known.evidence.extend(evidence.into_iter().take(room));
            return;
        }
        let finding = Finding {
            code: words::plain(&told.code),
            title: words::plain(if told.title.is_empty() { &line.message } else { &told.title }),
            level: if &*line.log.level == "error" { "error" } else { "warn" },
            confidence: words::plain(&told.confidence),
            count: told.count.unwrap_or(1),
            facts: facts.collect(),
            advice: words::plain(&told.advice),
            at_us: place.at_us,
            last_us: place.at_us,
            line: place.mark,
            evidence,
        };
        findings.push(finding, MAX_FINDINGS);
    }

    /// A later line says that a finding was none, or another: it counts one less.
    fn take_back(&mut self, id: &str) {
        let Some((owner, code)) = self.said.remove(id) else { return };
        let theirs = owner.of(&mut self.report.sessions).map(|session| &mut session.findings);
        for findings in theirs.into_iter().chain([&mut self.report.findings]) {
            if let Some(finding) = findings.iter_mut().find(|finding| finding.code == code) {
                finding.count = finding.count.saturating_sub(1);
                findings.retain(|finding| finding.count > 0);
                return;
            }
        }
    }

    fn place(&self, run: usize, sequence: u64) -> Option<Mark> {
        let (its_run, mark) = self.places.get(usize::try_from(sequence).ok()? % MAX_PLACES)?;
        (mark.sequence == sequence && usize::try_from(*its_run) == Ok(run)).then_some(*mark)
    }
}

impl Owner {
    fn of(self, sessions: &mut [Session]) -> Option<&mut Session> {
        match self {
            Self::Session(index) => sessions.get_mut(index),
            _ => None,
        }
    }
}

impl Connection {
    fn new(line: &Line<'_>, place: Place) -> Self {
        let address = |ip: Option<&str>, port: u16| match ip {
            Some(ip) if ip.contains(':') => format!("[{}]:{port}", words::plain(ip)),
            Some(ip) => format!("{}:{port}", words::plain(ip)),
            None => String::from("?"),
        };
        let client = line.client.as_ref();
        let server = line.server.as_ref();
        let upstream = line.finesse.conn.as_ref().and_then(|conn| conn.upstream.as_ref());
        Self {
            owner: Owner::Nobody,
            opened: place,
            client: client.map_or_else(|| String::from("?"), |client| address(client.ip.as_deref(), client.port)),
            server: server.map_or_else(|| String::from("?"), |server| address(server.host(), server.port)),
            upstream: upstream.and_then(|to| Some(address(Some(to.ip.as_deref()?), to.port))),
            user_agent: None,
            socket: Slot::None,
            track: Track::default(),
            waiting: List::default(),
        }
    }

    /// The agent is known now, or another than before.
    fn hand_over(&mut self, owner: Owner, sessions: &mut [Session]) {
        self.owner = owner;
        let Some(session) = owner.of(sessions) else {
            self.socket = Slot::Lost;
            self.waiting = List::default();
            return;
        };
        session.from_us = session.from_us.min(self.opened.at_us);
        let client = self.client.rsplit_once(':').map_or(&*self.client, |(ip, _)| ip);
        remember(&mut session.clients, client);
        remember(&mut session.servers, &self.server);
        if let Some(user_agent) = &self.user_agent {
            remember(&mut session.user_agents, user_agent);
        }
        for trouble in std::mem::take(&mut self.waiting).iter() {
            session.troubles.push(trouble.clone(), MAX_ROWS);
        }
        if let Slot::Waiting(socket) = std::mem::replace(&mut self.socket, Slot::None) {
            self.socket = session.sockets.push(*socket, MAX_SOCKETS).map_or(Slot::Lost, Slot::In);
        }
    }

    fn take(&mut self, line: &Line<'_>, place: Place, sessions: &mut [Session]) {
        if self.user_agent.is_none() {
            self.user_agent = line.user_agent.as_ref().map(|agent| words::plain(&agent.original));
        }
        let mut session = self.owner.of(sessions);
        if matches!(self.socket, Slot::None)
            && self.owner != Owner::Other
            && let Some(socket) = Socket::new(line, place, self)
        {
            self.socket = match &mut session {
                Some(session) => session.sockets.push(socket, MAX_SOCKETS).map_or(Slot::Lost, Slot::In),
                None => Slot::Waiting(Box::new(socket)),
            };
        }
        let answered = self.track.feed(line, place, session.as_deref_mut());
        let socket = match (&mut self.socket, &mut session) {
            (Slot::Waiting(socket), _) => Some(&mut **socket),
            (Slot::In(index), Some(session)) => session.sockets.get_mut(*index),
            _ => None,
        };
        if let Some(socket) = socket {
            fold::socket(socket, line, place, answered.as_deref());
        }
        match session {
            Some(session) => fold::session(session, line, place, answered.as_deref()),
            None => {
                if let Some(trouble) = fold::trouble(line, place) {
                    self.waiting.push(trouble, MAX_WAITING);
                }
            }
        }
    }
}

impl Socket {
    fn new(line: &Line<'_>, place: Place, on: &Connection) -> Option<Self> {
        let ws = line.finesse.ws.as_ref();
        let id = words::plain(line.ws().or(line.stream())?);
        let carrier = line.stream().map(|id| words::carrier(id).to_owned());
        Some(Self {
            id,
            conn: line.conn().map(words::plain).unwrap_or_default(),
            from_us: place.at_us,
            to_us: place.at_us,
            client: on.client.clone(),
            server: on.server.clone(),
            upstream: on.upstream.clone(),
            carrier,
            protocol: ws.and_then(|ws| ws.protocol.as_deref()).map(words::plain),
            extensions: ws.and_then(|ws| ws.extensions.as_deref()).map(words::plain),
            ladder: super::ladder::Ladder::default(),
            ending: None,
            line: place.mark,
        })
    }
}

/// Adds a text to a short list of different ones.
fn remember(list: &mut Vec<String>, text: &str) {
    if list.len() < 8 && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

/// One agent under several names is one session: what the proxy found to be one, and those of one run and browser whose names
/// meet, though neither began under the other's name (then the capture tells them apart on purpose).
fn unite(sessions: &mut Vec<Session>) {
    let mut united: Vec<Session> = Vec::with_capacity(sessions.len());
    for session in sessions.drain(..) {
        let is_same = |known: &Session| {
            known.user.is_some()
                && session.user.is_some()
                && !known.user.as_ref().zip(session.user.as_ref()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
                && known.clients.iter().any(|client| session.clients.contains(client))
                && session.names.iter().any(|name| known.goes_by(name))
        };
        let is_merged = |known: &Session| session.merged_into.as_deref() == Some(&*known.id);
        let same = united.iter_mut().find(|known| known.run == session.run && (is_merged(known) || is_same(known)));
        match same {
            Some(known) => known.absorb(session),
            None => united.push(session),
        }
    }
    *sessions = united;
}

fn left_out(session: &Session, to: &mut Vec<LeftOut>) {
    for (list, count) in [
        ("sockets", session.sockets.left_out),
        ("states", session.states.left_out),
        ("calls", session.calls.left_out),
        ("failed requests", session.requests.failed.left_out),
        ("requests with events", session.joins.left_out),
        ("subscriptions", session.subscriptions.left_out),
        ("warnings", session.troubles.left_out),
        ("findings", session.findings.left_out),
        ("unanswered pings", session.pings.lost.left_out),
    ] {
        if count > 0 {
            to.push(LeftOut { session: Some(session.id.clone()), list, count });
        }
    }
}
