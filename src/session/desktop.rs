//! One desktop session's memory: what its summary counts and what its rules look back at.

use super::findings::Code;
use super::findings::ending::{ALIKE, Cut};
use super::findings::reconnect::STORM;
use super::names::bare;
use super::outcome::Outcomes;
use super::recent::Recent;
use super::stage::Ladder;
use super::summary::{Pings, Reason, Summary};
use super::tracker::{Begun, Session};
use crate::clock::Moment;
use crate::conn::StreamId;
use std::collections::{BTreeMap, VecDeque};

/// Calls remembered so that each counts once.
const MAX_CALLS: usize = 1_024;
/// Nodes remembered as subscribed.
const MAX_NODES: usize = 512;
/// Updates remembered in case their request's answer comes behind them.
const MAX_TOUCHED: usize = 16;
/// Changes between two servers remembered.
const MAX_TURNS: usize = 16;
/// What lies further apart is no working with both, milliseconds.
const TURNS_WITHIN_MS: u64 = 300_000;
/// Calls that are over and not gone.
const MAX_OVER: usize = 32;
/// Names and clients of one agent.
const MAX_NAMES: usize = 8;
/// Different states counted.
const MAX_STATES: usize = 32;

/// The last logins of one client of the agent's, each after an end of the one before.
#[derive(Debug, Default)]
struct Logins {
    resource: String,
    last: VecDeque<(u64, Moment)>,
    has_ended: bool,
}

/// An agent's state as the last event told it.
#[derive(Debug)]
pub(super) struct LastTold {
    pub(super) state: String,
    pub(super) changed_ms: i64,
    pub(super) stream: StreamId,
    pub(super) sequence: u64,
}

/// Which server the desktop works with, and when it changed between two.
#[derive(Debug, Default)]
struct Turns {
    now: String,
    before: String,
    at: VecDeque<Moment>,
}

/// One agent on one browser.
#[derive(Debug)]
pub(super) struct Desktop {
    pub(super) session: Session,
    /// The agent as lines name it: by its login id once that is known.
    pub(super) user: String,
    /// Every name of the agent's.
    names: Vec<String>,
    pub(super) began: Moment,
    /// The last sign of life.
    pub(super) last: Moment,
    pub(super) open_sockets: u64,
    pub(super) sockets: u64,
    /// The newest login.
    pub(super) ladder: Ladder,
    pub(super) requests: u64,
    pub(super) updates: u64,
    pub(super) pings: Pings,
    /// The last line that accepted credentials.
    pub(super) accepted: Option<u64>,
    /// When presence or socket went away: line and time.
    pub(super) gone: Option<(u64, Moment)>,
    /// A look at its end is set.
    pub(super) end_is_set: bool,
    pub(super) nodes: Recent<String, ()>,
    /// Requests that wait for their event.
    pub(super) outcomes: Outcomes,
    /// What the newest updates without a requestId were about, as hashes, and the state that they told.
    touched: VecDeque<(u64, Option<String>, Moment)>,
    state: Option<(String, Moment)>,
    states: Vec<(String, u64)>,
    calls: Recent<String, ()>,
    calls_seen: u64,
    /// Logins one after the other of one client, by its resource.
    logins: Vec<Logins>,
    cuts: VecDeque<Cut>,
    /// How long the last ping took, milliseconds.
    pub(super) ping_ms: Option<u64>,
    /// What the last event said of the agent.
    pub(super) told: Option<LastTold>,
    /// Calls that all have left, by hash: number, line and time.
    over: Vec<(u64, u64, Moment)>,
    nodes_used: Turns,
    /// Its page, and its first try to open a socket.
    pub(super) opening: Begun,
    findings: BTreeMap<Code, u64>,
}

impl Desktop {
    pub(super) fn new(session: Session, user: &str, at: Moment) -> Self {
        Self {
            session,
            user: user.to_owned(),
            names: vec![bare(user).to_owned()],
            began: at,
            last: at,
            open_sockets: 0,
            sockets: 0,
            ladder: Ladder::default(),
            requests: 0,
            updates: 0,
            pings: Pings::default(),
            accepted: None,
            gone: None,
            end_is_set: false,
            nodes: Recent::new(MAX_NODES),
            outcomes: Outcomes::default(),
            touched: VecDeque::new(),
            state: None,
            states: Vec::new(),
            calls: Recent::new(MAX_CALLS),
            calls_seen: 0,
            logins: Vec::new(),
            cuts: VecDeque::new(),
            ping_ms: None,
            told: None,
            over: Vec::new(),
            nodes_used: Turns::default(),
            opening: Begun::default(),
            findings: BTreeMap::new(),
        }
    }

    /// Whether an id names this agent.
    pub(super) fn is(&self, user: &str) -> bool {
        self.names.iter().any(|name| name.eq_ignore_ascii_case(user))
    }

    /// The agent has this name, too.
    pub(super) fn is_called(&mut self, name: &str) {
        if !self.is(name) && self.names.len() < MAX_NAMES {
            self.names.push(name.to_owned());
        }
    }

    /// What another session of the same agent has seen.
    pub(super) fn absorb(&mut self, other: Self) {
        other.names.iter().for_each(|name| self.is_called(name));
        self.began = self.began.min(other.began);
        self.last = self.last.max(other.last);
        self.open_sockets += other.open_sockets;
        self.sockets += other.sockets;
        if self.ladder.stopped_at().is_some() || self.ladder.steps().is_empty() {
            self.ladder = other.ladder;
        }
        self.requests += other.requests;
        self.updates += other.updates;
        self.pings.sent += other.pings.sent;
        self.pings.answered += other.pings.answered;
        self.pings.slowest_ms = self.pings.slowest_ms.max(other.pings.slowest_ms);
        self.accepted = self.accepted.max(other.accepted);
        self.gone = self.gone.or(other.gone);
        self.calls_seen += other.calls_seen;
        other.findings.into_iter().for_each(|(code, count)| *self.findings.entry(code).or_default() += count);
    }

    pub(super) fn found(&mut self, code: Code) {
        *self.findings.entry(code).or_default() += 1;
    }

    /// A finding was none.
    pub(super) fn unfound(&mut self, code: Code) {
        if let Some(count) = self.findings.get_mut(&code) {
            *count = count.saturating_sub(1);
        }
        self.findings.retain(|_, count| *count > 0);
    }

    /// The agent's own state changed.
    pub(super) fn state(&mut self, state: &str, at: Moment) {
        self.settle(at);
        if self.state.as_ref().is_none_or(|(current, _)| current != state) {
            self.state = Some((state.to_owned(), at));
        }
    }

    /// An update about this object came that names no request.
    pub(super) fn touch(&mut self, object: u64, state: Option<&str>, at: Moment) {
        if self.touched.len() == MAX_TOUCHED {
            self.touched.pop_front();
        }
        self.touched.push_back((object, state.map(str::to_owned), at));
    }

    /// Whether an update about this object, with this state if one is named, came since.
    pub(super) fn was_touched(&self, object: u64, state: Option<&str>, since: Moment) -> bool {
        self.touched.iter().any(|(touched, told, at)| {
            *touched == object && at.mono_ns >= since.mono_ns && (state.is_none() || told.as_deref() == state)
        })
    }

    /// A dialog's event came.
    pub(super) fn call(&mut self, dialog: &str) {
        if self.calls.find(dialog).is_none() {
            self.calls.insert(dialog.to_owned(), ());
            self.calls_seen += 1;
        }
    }

    /// A client bound this resource; gives its last [`STORM`] logins and the time they span. One beside another that goes
    /// on is no login after it.
    pub(super) fn login(&mut self, resource: &str, sequence: u64, at: Moment) -> (Vec<u64>, u64) {
        let Some(logins) = self.logins_of(resource) else { return (Vec::new(), 0) };
        if !logins.last.is_empty() && !std::mem::take(&mut logins.has_ended) {
            return (Vec::new(), 0);
        }
        logins.last.push_back((sequence, at));
        if logins.last.len() > STORM {
            logins.last.pop_front();
        }
        let span_ms = logins.last.front().map_or(0, |(_, first)| at.ms_since(*first));
        (logins.last.iter().map(|(sequence, _)| *sequence).collect(), span_ms)
    }

    /// A socket of this resource ended.
    pub(super) fn has_ended(&mut self, resource: &str) {
        if let Some(logins) = self.logins_of(resource) {
            logins.has_ended = true;
        }
    }

    fn logins_of(&mut self, resource: &str) -> Option<&mut Logins> {
        let index = self.logins.iter().position(|logins| logins.resource == resource).unwrap_or_else(|| {
            if self.logins.len() == MAX_NAMES {
                self.logins.remove(0);
            }
            self.logins.push(Logins { resource: resource.to_owned(), ..Logins::default() });
            self.logins.len() - 1
        });
        self.logins.get_mut(index)
    }

    /// A socket was cut off; gives the last ones.
    pub(super) fn cut(&mut self, cut: Cut) -> &VecDeque<Cut> {
        self.cuts.push_back(cut);
        if self.cuts.len() > ALIKE {
            self.cuts.pop_front();
        }
        &self.cuts
    }

    /// A socket ended in order: no pattern.
    pub(super) fn ended_in_order(&mut self) {
        self.cuts.clear();
    }

    /// The desktop works with this server. After a change tells the other one, how often it changed, and within how many
    /// milliseconds.
    pub(super) fn works_with(&mut self, server: &str, at: Moment) -> Option<(&str, usize, u64)> {
        let turns = &mut self.nodes_used;
        if turns.now == server {
            return None;
        }
        if turns.before != server {
            turns.at.clear();
        }
        turns.before = std::mem::replace(&mut turns.now, server.to_owned());
        if turns.before.is_empty() {
            return None;
        }
        if turns.at.len() == MAX_TURNS {
            turns.at.pop_front();
        }
        // What lies apart so far is one failover each.
        turns.at.retain(|turn| at.ms_since(*turn) <= TURNS_WITHIN_MS);
        turns.at.push_back(at);
        let span_ms = turns.at.front().map_or(0, |first| at.ms_since(*first));
        Some((&turns.before, turns.at.len(), span_ms))
    }

    /// All have left this call, or it goes on.
    pub(super) fn call_is_over(&mut self, call: u64, over: Option<(u64, Moment)>) -> bool {
        let known = self.over.iter().position(|(known, ..)| *known == call);
        match (known, over) {
            (Some(index), None) => drop(self.over.remove(index)),
            (None, Some((sequence, at))) if self.over.len() < MAX_OVER => {
                self.over.push((call, sequence, at));
                return true;
            }
            _ => {}
        }
        false
    }

    /// Since when a call is over and not gone: line and time.
    pub(super) fn over_since(&self, call: u64) -> Option<(u64, Moment)> {
        self.over.iter().find(|(known, ..)| *known == call).map(|(_, sequence, at)| (*sequence, *at))
    }

    /// Whether the agent still wraps up.
    pub(super) fn wraps_up(&self) -> bool {
        self.state.as_ref().is_some_and(|(state, _)| matches!(&**state, "WORK" | "WORK_READY" | "TALKING" | "HOLD"))
    }

    /// The numbers at `at`.
    pub(super) fn summary(&mut self, reason: Reason, at: Moment) -> Summary {
        self.settle(at);
        Summary {
            reason,
            names: self.names.clone(),
            duration_ms: at.ms_since(self.began),
            sockets: self.sockets,
            stages: self.ladder.steps(),
            stopped_at: self.ladder.stopped_at(),
            requests: self.requests,
            updates: self.updates,
            pings: self.pings,
            states: self.states.clone(),
            calls: self.calls_seen,
            findings: self.findings.iter().map(|(code, count)| (*code, *count)).collect(),
        }
    }

    /// Adds the time in the present state to its sum.
    fn settle(&mut self, at: Moment) {
        let Some((state, since)) = &mut self.state else { return };
        let ms = at.ms_since(*since);
        if let Some((_, sum_ms)) = self.states.iter_mut().find(|(known, _)| known == state) {
            *sum_ms += ms;
        } else if self.states.len() < MAX_STATES {
            self.states.push((state.clone(), ms));
        }
        *since = at;
    }
}
