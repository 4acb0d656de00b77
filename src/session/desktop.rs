//! One desktop session's memory: what its summary counts and what its rules look back at.

use super::findings::Code;
use super::findings::ending::{ALIKE, Cut};
use super::findings::reconnect::STORM;
use super::recent::Recent;
use super::stage::Ladder;
use super::summary::{Pings, Reason, Summary};
use super::tracker::{Session, bare};
use crate::clock::Moment;
use std::collections::{BTreeMap, VecDeque};

/// Calls remembered so that each counts once.
const MAX_CALLS: usize = 1_024;
/// Nodes remembered as subscribed.
const MAX_NODES: usize = 512;
/// Updates remembered in case their request's answer comes behind them.
const MAX_TOUCHED: usize = 16;
/// Different states counted.
const MAX_STATES: usize = 32;

/// One agent on one browser.
#[derive(Debug)]
pub(super) struct Desktop {
    pub(super) session: Session,
    pub(super) user: String,
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
    /// What the newest updates were about, as hashes.
    touched: VecDeque<(u64, Moment)>,
    state: Option<(String, Moment)>,
    states: Vec<(String, u64)>,
    calls: Recent<String, ()>,
    calls_seen: u64,
    logins: VecDeque<(u64, Moment)>,
    cuts: VecDeque<Cut>,
    findings: BTreeMap<Code, u64>,
}

impl Desktop {
    pub(super) fn new(session: Session, user: &str, at: Moment) -> Self {
        Self {
            session,
            user: user.to_owned(),
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
            touched: VecDeque::new(),
            state: None,
            states: Vec::new(),
            calls: Recent::new(MAX_CALLS),
            calls_seen: 0,
            logins: VecDeque::new(),
            cuts: VecDeque::new(),
            findings: BTreeMap::new(),
        }
    }

    /// Whether an id names this agent.
    pub(super) fn is(&self, user: &str) -> bool {
        bare(&self.user).eq_ignore_ascii_case(user)
    }

    pub(super) fn found(&mut self, code: Code) {
        *self.findings.entry(code).or_default() += 1;
    }

    /// The agent's own state changed.
    pub(super) fn state(&mut self, state: &str, at: Moment) {
        self.settle(at);
        if self.state.as_ref().is_none_or(|(current, _)| current != state) {
            self.state = Some((state.to_owned(), at));
        }
    }

    /// An update about this object came.
    pub(super) fn touch(&mut self, object: u64, at: Moment) {
        if self.touched.len() == MAX_TOUCHED {
            self.touched.pop_front();
        }
        self.touched.push_back((object, at));
    }

    /// Whether an update about this object came since.
    pub(super) fn was_touched(&self, object: u64, since: Moment) -> bool {
        self.touched.iter().any(|(touched, at)| *touched == object && at.mono_ns >= since.mono_ns)
    }

    /// A dialog's event came.
    pub(super) fn call(&mut self, dialog: &str) {
        if self.calls.find(dialog).is_none() {
            self.calls.insert(dialog.to_owned(), ());
            self.calls_seen += 1;
        }
    }

    /// Credentials were accepted on a socket; gives the last [`STORM`] logins and the time they span.
    pub(super) fn login(&mut self, sequence: u64, at: Moment) -> (Vec<u64>, u64) {
        self.logins.push_back((sequence, at));
        if self.logins.len() > STORM {
            self.logins.pop_front();
        }
        let span_ms = self.logins.front().map_or(0, |(_, first)| at.ms_since(*first));
        (self.logins.iter().map(|(sequence, _)| *sequence).collect(), span_ms)
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

    /// The numbers at `at`.
    pub(super) fn summary(&mut self, reason: Reason, at: Moment) -> Summary {
        self.settle(at);
        Summary {
            reason,
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
