//! Findings become stories: what agents felt and why, the gravest first.
//!
//! The findings' table says which finding explains which ([`Code::explains`]) and what an agent feels of it. A cause takes its
//! symptoms in, if they lie close in time in the same session or the cause is the server's. Stories of one cause are one
//! story of several agents.

use super::ladder::Login;
use super::model::{Ending, Finding, Mark, Report, Session, Socket};
use super::page::{Cell, Piece, cell};
use super::reason::{self, first, reason};
use super::words::{self, between_us, count};
use crate::session::findings::{Code, Scope, Trouble};
use serde::Serialize;
use std::cmp::Reverse;

/// A symptom begins at most so long after its cause was last found, and the other way round: the server signs an agent out
/// up to 180 s after a crash.
const SLACK_US: i64 = 180_000_000;
/// What belongs to a story is looked for so far around its findings.
const AROUND_US: i64 = 40_000_000;
/// Whoever is not back so long before the capture ends is gone, microseconds.
const GONE_AFTER_US: u64 = 60_000_000;
/// Agents named before the others are counted.
const MAX_NAMED: usize = 4;

/// What agents felt, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// What they felt: `lost connection`, `cannot sign in` …
    pub trouble: &'static str,
    /// Code of the finding that is the cause.
    pub code: String,
    /// Codes of those that it explains.
    pub symptoms: Vec<String>,
    /// `error` or `warn`: the gravest of them.
    pub level: &'static str,
    /// In a sentence, times in UTC.
    pub text: String,
    /// The agents, as a heading names them; none if it concerns everybody or came before a login.
    pub agents: Vec<String>,
    /// How often: how many connections were lost, or how often the cause was found.
    pub times: u64,
    /// How long agents were without a connection, all together, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_us: Option<u64>,
    /// First time.
    #[serde(serialize_with = "words::serialize_stamp", rename = "from")]
    pub from_us: i64,
    /// Last time.
    #[serde(serialize_with = "words::serialize_stamp", rename = "to")]
    pub to_us: i64,
    /// What to do.
    pub advice: String,
    /// The sentence.
    #[serde(skip)]
    pub(super) head: Cell,
    /// One for each session; one without a session for what concerns no single one.
    #[serde(skip)]
    pub(super) cases: Vec<Case>,
}

/// A story in one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    /// The session by its index.
    pub(super) session: Option<usize>,
    /// Its findings, the cause first.
    findings: Vec<Finding>,
    /// Steps in order of time.
    pub(super) course: Vec<Step>,
    /// Without a connection.
    lost_us: u64,
    /// It did not come back while the capture went on.
    is_gone: bool,
    /// How often a socket on which the agent was signed in was lost.
    outages: u64,
    /// How the first of them ended.
    ended: Option<String>,
}

/// Something that happened in the course of a story.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at_us: i64,
    pub(super) what: Cell,
    pub(super) lines: Vec<Mark>,
}

/// A finding and whose it is.
#[derive(Clone, Copy)]
struct Entry<'r> {
    session: Option<usize>,
    finding: &'r Finding,
    code: Option<Code>,
}

impl Entry<'_> {
    /// Whether this is why `other` happened.
    fn explains(&self, other: &Entry<'_>) -> bool {
        let (Some(cause), Some(symptom)) = (self.code, other.code) else { return false };
        let reaches = self.session == other.session || self.session.is_none() && cause.scope() == Scope::Server;
        let near = self.finding.at_us <= other.finding.last_us.saturating_add(SLACK_US)
            && other.finding.at_us <= self.finding.last_us.saturating_add(SLACK_US);
        reaches && near && cause.explains(symptom)
    }
}

/// All stories, the gravest first.
pub(super) fn stories(report: &Report) -> Vec<Story> {
    let own = report.findings.iter().map(|finding| (None, finding));
    let theirs = report.sessions.iter().enumerate();
    let theirs = theirs.flat_map(|(index, session)| session.findings.iter().map(move |found| (Some(index), found)));
    let entries: Vec<Entry<'_>> = own
        .chain(theirs)
        .map(|(session, finding)| Entry { session, finding, code: Code::read(&finding.code) })
        .collect();
    let mut told: Vec<(Entry<'_>, Vec<Entry<'_>>)> = Vec::new();
    for entry in &entries {
        let root = root(*entry, &entries);
        // A cause of everybody's is one, wherever its symptoms show.
        let known = told.iter_mut().find(|(cause, _)| {
            cause.finding.code == root.finding.code && cause.session.is_none() == root.session.is_none()
        });
        match known {
            Some((_, taken)) => taken.push(*entry),
            None => told.push((root, vec![*entry])),
        }
    }
    let mut stories: Vec<(u64, Story)> = told.iter().map(|(cause, taken)| story(*cause, taken, report)).collect();
    stories.sort_by_key(|(weight, story)| (Reverse(*weight), story.from_us));
    stories.into_iter().map(|(_, story)| story).collect()
}

/// The cause of the cause of it.
fn root<'r>(of: Entry<'r>, entries: &[Entry<'r>]) -> Entry<'r> {
    let mut root = of;
    // No chain of causes is longer than there are findings.
    for _ in 0..entries.len().min(Code::ALL.len()) {
        let causes = entries.iter().filter(|cause| cause.explains(&root));
        let gravest =
            |cause: &&Entry<'_>| (cause.session.is_some(), cause.code.map(Code::trouble), cause.finding.at_us);
        match causes.min_by_key(gravest) {
            Some(cause) => root = *cause,
            None => break,
        }
    }
    root
}

fn story(cause: Entry<'_>, taken: &[Entry<'_>], report: &Report) -> (u64, Story) {
    let mut cases: Vec<Case> = Vec::new();
    for entry in taken {
        let index = cases.iter().position(|case| case.session == entry.session).unwrap_or_else(|| {
            cases.push(Case { session: entry.session, ..Case::default() });
            cases.len() - 1
        });
        if let Some(case) = cases.get_mut(index) {
            case.findings.push(entry.finding.clone());
        }
    }
    for case in &mut cases {
        case.findings.sort_by_key(|finding| (finding.code != cause.finding.code, finding.at_us));
        let session = case.session.and_then(|index| report.sessions.get(index));
        case.run(session, report);
    }
    let is_everybodys = cause.session.is_none() && cause.code.is_some_and(|code| code.scope() == Scope::Server);
    if is_everybodys && cases.len() > 1 {
        // What it did to each agent is told with the agents; the cause itself stands first.
        cases.sort_by_key(|case| case.session);
    }
    let mut agents: Vec<String> = Vec::new();
    for session in cases.iter().filter_map(|case| report.sessions.get(case.session?)) {
        let who = session.user.clone().unwrap_or_else(|| session.who());
        if !agents.contains(&who) {
            agents.push(who);
        }
    }
    let mut symptoms: Vec<String> = Vec::new();
    for finding in taken.iter().map(|entry| entry.finding).filter(|finding| finding.code != cause.finding.code) {
        if !symptoms.contains(&finding.code) {
            symptoms.push(finding.code.clone());
        }
    }
    let is_error = taken.iter().any(|entry| entry.finding.level == "error");
    let cases_lost: u64 = cases.iter().map(|case| case.lost_us).sum();
    let is_cut = cases.iter().any(|case| case.outages > 0);
    let felt = taken.iter().chain([&cause]).filter_map(|entry| felt(entry.code?, is_cut)).min();
    let felt = match cause.code.map(Code::trouble) {
        // Who was not signed in had no connection to lose.
        Some(Trouble::CannotSignIn) if !is_cut => Trouble::CannotSignIn,
        _ => felt.unwrap_or(Trouble::Odd),
    };
    let times = taken.iter().map(|entry| entry.finding).filter(|finding| finding.code == cause.finding.code);
    let times: u64 = times.map(|finding| finding.count).sum();
    let outages: u64 = cases.iter().map(|case| case.outages).sum();
    let mut story = Story {
        trouble: felt.as_str(),
        code: cause.finding.code.clone(),
        symptoms,
        level: if is_error { "error" } else { "warn" },
        text: String::new(),
        agents,
        times: if felt == Trouble::LostConnection && outages > 0 { outages } else { times },
        lost_us: (cases_lost > 0).then_some(cases_lost),
        from_us: taken.iter().map(|entry| entry.finding.at_us).min().unwrap_or(cause.finding.at_us),
        to_us: taken.iter().map(|entry| entry.finding.last_us).max().unwrap_or(cause.finding.last_us),
        advice: match cause.finding.fact("remedy") {
            Some(remedy) => format!("{remedy} {}", cause.finding.advice),
            None => cause.finding.advice.clone(),
        },
        head: Cell::new(),
        cases,
    };
    if let Some(at_us) = story.cases.iter().filter_map(|case| case.course.first()).map(|step| step.at_us).min() {
        story.from_us = story.from_us.min(at_us);
    }
    story.head = head(&story, felt, cause, report);
    story.text = words::flat(&story.head);
    let all = report.sessions.len().max(1) as u64;
    let concerned = if is_everybodys { all } else { story.cases.len() as u64 };
    (weight(felt, is_error, concerned, story.to_us - story.from_us), story)
}

/// What an agent felt of it. A finding that may cost the connection is odd as long as it did not.
fn felt(code: Code, is_cut: bool) -> Option<Trouble> {
    let may = matches!(code, Code::HiddenTab | Code::ComputerSlept | Code::ServerRestart | Code::TapPaused);
    Some(if may && !is_cut { Trouble::Odd } else { code.trouble() })
}

/// How grave: what was felt first, then by how many, then for how long.
fn weight(felt: Trouble, is_error: bool, agents: u64, lasted_us: i64) -> u64 {
    let base = match felt {
        Trouble::LostConnection => 64,
        Trouble::CannotSignIn => 48,
        Trouble::WrongState => 24,
        Trouble::CallControl => 12,
        Trouble::Slow => 6,
        Trouble::Odd => 1,
    };
    let minutes = u64::try_from(lasted_us / 60_000_000).unwrap_or(0);
    // Twice as many agents, or twice as long, is one step more.
    base * (1 + u64::from(is_error)) * (4 + u64::from(agents.max(1).ilog2()) + u64::from((minutes + 1).ilog2()))
}

fn head(story: &Story, felt: Trouble, cause: Entry<'_>, report: &Report) -> Cell {
    let why = reason(cause.finding, report);
    let sessions = report.sessions.len();
    let is_shared = cause.session.is_none();
    let one = match (&story.agents[..], is_shared) {
        ([], true) if cause.code.is_some_and(|code| code.scope() == Scope::Server) && sessions > 0 => match sessions {
            1 => format!("Agent {}", report.sessions.iter().map(Session::short).collect::<String>()),
            _ => String::from("Everybody"),
        },
        ([], _) => String::from("A browser"),
        ([one], _) => format!("Agent {one}"),
        (several, _) => {
            let more = several.len().saturating_sub(MAX_NAMED);
            let named = several.get(..several.len() - more).unwrap_or(several);
            match (more, named.split_last()) {
                (0, Some((last, others))) => format!("Agents {} and {last}", others.join(", ")),
                _ => format!("Agents {} and {more} more", named.join(", ")),
            }
        }
    };
    let mut said = cell![one];
    let felt = match (felt, story.times) {
        (Trouble::LostConnection, _) => "lost the connection",
        (Trouble::CannotSignIn, _) => "could not sign in",
        (Trouble::WrongState, _) => "had a wrong or late state",
        (Trouble::CallControl, 1) => "had a request refused",
        (Trouble::CallControl, _) => "had requests refused",
        (Trouble::Slow, _) => "had to wait",
        (Trouble::Odd, _) => "had no trouble so far",
    };
    said.push(format!(" {felt}").into());
    if story.times > 1 && story.from_us < story.to_us {
        said.push(format!(", {} between ", count(story.times, "time")).into());
        said.extend([Piece::Clock(story.from_us), " and ".into(), Piece::Clock(story.to_us)]);
    } else {
        said.extend([" at ".into(), Piece::Clock(story.from_us)]);
    }
    let is_lost = felt == "lost the connection";
    match (story.lost_us.filter(|_| is_lost), story.cases.len()) {
        (Some(lost), 1) if story.times <= 1 => said.extend([" for ".into(), Piece::Took(lost)]),
        (Some(lost), _) => said.extend([" (".into(), Piece::Took(lost), " in all)".into()]),
        (None, 1) if is_lost && story.cases.iter().any(|case| case.is_gone) => {
            said.push(" and did not come back".into())
        }
        (None, _) => {}
    }
    said.push(": ".into());
    said.extend(why);
    let ended =
        story.cases.iter().find_map(|case| case.ended.as_ref()).filter(|_| cause.code == Some(Code::PingUnanswered));
    said.extend(ended.map(|ended| Piece::from(format!(", then {ended}"))));
    said.push(".".into());
    said
}

impl Case {
    /// What happened, step by step.
    fn run(&mut self, session: Option<&Session>, report: &Report) {
        let from = self.findings.iter().map(|finding| finding.at_us).min().unwrap_or(0).saturating_sub(AROUND_US);
        let to = self.findings.iter().map(|finding| finding.last_us).max().unwrap_or(0).saturating_add(AROUND_US);
        let about = |trouble: Trouble| {
            self.findings.iter().any(|finding| Code::read(&finding.code).is_some_and(|code| code.trouble() == trouble))
        };
        let mut told = Vec::new();
        if let Some(session) = session.filter(|_| about(Trouble::LostConnection)) {
            let lost: Vec<_> = session.pings.lost.iter().filter(|ping| (from..=to).contains(&ping.at_us)).collect();
            if let Some(first) = lost.first() {
                told.push("ping-unanswered");
                let lines = lost.iter().take(3).map(|ping| ping.line).collect();
                let what = match lost.len() {
                    1 => cell!["a ping stays without an answer"],
                    more => cell![format!("the first of {} that stay without an answer", count(more as u64, "ping"))],
                };
                self.course.push(Step { at_us: first.at_us, what, lines });
            }
            let ends = session.sockets.iter().filter_map(|socket| Some((socket, socket.ending.as_ref()?)));
            let ends = ends.filter(|(socket, end)| (from..=to).contains(&socket.to_us) && !end.is_clean());
            // Whether and when an agent was back; what ends meanwhile is part of the same outage.
            let mut back_us = i64::MIN;
            for (socket, ending) in ends {
                told.push("ended-without-close");
                let what = cell![format!("{} ends: {}", socket.id, ending_words(ending))];
                self.course.push(Step { at_us: socket.to_us, what, lines: vec![ending.line] });
                if socket.to_us < back_us || socket.ladder.login == Login::Stopped {
                    continue;
                }
                self.outages += 1;
                self.ended =
                    self.ended.take().or_else(|| Some(reason::ending(ending.by.as_deref()?, ending.how.as_deref())));
                let next = session.sockets.iter().filter_map(|next| Some((next, next.ladder.done_us()?)));
                let Some((next, at_us)) =
                    next.filter(|(_, done_us)| *done_us >= socket.to_us).min_by_key(|(_, at)| *at)
                else {
                    self.is_gone = between_us(socket.to_us, report.to_us.unwrap_or(socket.to_us)) > GONE_AFTER_US;
                    back_us = i64::MAX;
                    continue;
                };
                let silent_us = lost.iter().map(|ping| ping.at_us).find(|at_us| *at_us > back_us);
                self.lost_us += between_us(silent_us.map_or(socket.to_us, |silent| silent.min(socket.to_us)), at_us);
                let later = Piece::Took(between_us(socket.to_us, at_us));
                let what = cell![format!("signed in again on {}, ", next.id), later, " after its end"];
                self.course.push(Step { at_us, what, lines: vec![next.line] });
                back_us = at_us;
            }
        }
        for (index, finding) in self.findings.iter().enumerate() {
            if told.contains(&&*finding.code) {
                // Its line and what it stands on are still worth a look.
                let mut lines = vec![finding.line];
                lines.extend(&finding.evidence);
                if let Some(step) =
                    self.course.iter_mut().find(|step| step.lines.iter().any(|line| lines.contains(line)))
                {
                    lines.retain(|line| !step.lines.contains(line));
                    step.lines.extend(lines.into_iter().take(1));
                }
                continue;
            }
            let mut what =
                if index == 0 { cell![first(&finding.title, char::to_lowercase)] } else { reason(finding, report) };
            if finding.count > 1 {
                what.push(format!(", {}", count(finding.count, "time")).into());
            }
            let lines = [finding.line].iter().chain(&finding.evidence).copied().collect();
            self.course.push(Step { at_us: finding.at_us, what, lines });
        }
        self.course.sort_by_key(|step| step.at_us);
        self.course.dedup_by(|a, b| a.at_us == b.at_us && a.what == b.what);
    }
}

/// A session in two or three sentences: what a colleague would say who has read the capture. `capture_to_us` is when the
/// capture ends.
pub(super) fn tell(session: &Session, capture_to_us: i64) -> Vec<String> {
    let mut story = vec![login(session)];
    story.extend(work(session));
    story.extend(pings(session));
    story.extend(session.sockets.last().map(|socket| end(socket, capture_to_us)));
    story
}

/// A ping slower than this is worth a word, microseconds.
const SLOW_PING_US: u64 = 5_000_000;

fn login(session: &Session) -> String {
    let (Some(first), Some(last)) = (session.sockets.first(), session.sockets.last()) else {
        let requests = words::count(session.requests.rest + session.requests.other, "HTTP request");
        return format!("No WebSocket was seen, only {requests}.");
    };
    let sockets = session.sockets.len() as u64;
    let stopped = session.sockets.iter().filter(|socket| socket.ladder.login == Login::Stopped).count() as u64;
    let mut said = match last.ladder.login {
        Login::Complete => match last.ladder.took_us() {
            Some(took) => format!("Logged in within {}", words::duration(took)),
            None => String::from("Logged in"),
        },
        Login::Stopped => {
            let stage = last.ladder.stopped_at.map_or("?", |stage| stage.as_str());
            let why = last.ladder.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("The login stopped at “{stage}”{why}")
        }
        Login::Unfinished => String::from("The login was still under way when the capture ended"),
        Login::Unseen => String::from("Was logged in already when the capture began"),
    };
    if sockets > 1 {
        let span = words::duration(words::between_us(first.from_us, last.from_us));
        said = format!("{said}; {sockets} sockets in a row, the last opened {span} after the first");
        if stopped > 0 {
            said = format!("{said}, {} of {sockets} logins stopped early", stopped);
        }
    }
    said + "."
}

fn work(session: &Session) -> Option<String> {
    let states = session.states.len() as u64;
    let calls = session.calls.len() as u64;
    if states + calls == 0 {
        let events = words::count(session.updates, "Finesse event");
        return Some(format!("{}{} came.", events.get(..1)?.to_uppercase(), events.get(1..)?));
    }
    let last = session.states.last().map(|state| format!(", the last one {}", state.state)).unwrap_or_default();
    let said = format!("{}{last}, and {}.", words::count(states, "agent state"), words::count(calls, "call"));
    Some(said.get(..1)?.to_uppercase() + said.get(1..)?)
}

/// What was lost is told with the problems.
fn pings(session: &Session) -> Option<String> {
    if !session.findings.is_empty() {
        return None;
    }
    let lost = session.pings.lost.len() as u64 + session.pings.lost.left_out;
    let slow = session.pings.xmpp.slowest.filter(|slowest| slowest.rtt_us >= SLOW_PING_US);
    match (lost, slow) {
        (0, None) => None,
        (0, Some(slow)) => Some(format!("The slowest ping took {}.", words::duration(slow.rtt_us))),
        (lost, _) => Some(format!("{} stayed without an answer.", words::count(lost, "ping"))),
    }
}

fn end(socket: &Socket, capture_to_us: i64) -> String {
    let age = words::duration(words::between_us(socket.from_us, socket.to_us));
    match &socket.ending {
        None => {
            let open = words::duration(words::between_us(socket.from_us, capture_to_us));
            format!("The socket was still open when the capture ended, {open} old.")
        }
        Some(ending) => format!("The socket ended after {age}: {}.", ending_words(ending)),
    }
}

/// How a socket ended, in words.
pub(super) fn ending_words(ending: &Ending) -> String {
    let given = ending.reason.as_ref().map(|reason| format!(" “{reason}”")).unwrap_or_default();
    let below = ending.by.as_deref().zip(ending.how.as_deref());
    let below = below.map(|(by, how)| reason::ending(by, Some(how))).unwrap_or_default();
    let Some(code) = ending.code else { return format!("{below}{given}") };
    let who = |name: &str| match name {
        "client" => "the browser",
        "upstream" => "the server",
        "proxy" => "this proxy",
        _ => "an unknown side",
    };
    let said = match (ending.initiator.as_deref(), ending.handshake.as_deref()) {
        (Some(by), Some("full")) => format!("closed by {} and confirmed (code {code}{given})", who(by)),
        (Some(by), _) => format!("closed by {} (code {code}{given}), not confirmed", who(by)),
        (None, _) => format!("no Close frame (code {code})"),
    };
    match (ending.initiator.is_some(), below.is_empty()) {
        (false, false) => format!("{below} without a Close frame (code {code})"),
        _ => said,
    }
}
