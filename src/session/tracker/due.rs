//! What time brings: things to look at, hourly summaries, the ends of sessions, and the proxy's own standstills.
//!
//! What fell due while the proxy stood still is looked at later: whatever answers it waits to be read.

use super::found::At;
use super::{HOUR, LINGER, OUTCOME, PATIENCE, Stream, Tale, Told, Tracker, hash};
use crate::clock::Moment;
use crate::conn::{SessionId, StreamId};
use crate::session::findings::ending::Announced;
use crate::session::findings::ping::Level;
use crate::session::findings::{self, Whose};
use crate::session::summary::Reason;
use crate::session::timer::Due;

/// A proxy that nothing keeps from it looks at the time once a second.
const STANDSTILL_MS: u64 = 5_000;

/// How time has passed so far.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Time is looked at regularly: this is no capture of another program that is read afterwards.
    is_live: bool,
    last: Option<Moment>,
    /// From when to when nothing was seen.
    paused: Option<(Moment, Moment)>,
}

impl Pace {
    /// How long the proxy stood still until `at`, milliseconds.
    fn standstill(&mut self, at: Moment) -> Option<u64> {
        let last = self.last.replace(at).filter(|_| self.is_live)?;
        // A computer that sleeps stops the monotonic clock.
        let wall_ms = at.wall_us.saturating_sub(last.wall_us) / 1_000;
        let gap_ms = at.ms_since(last).max(u64::try_from(wall_ms).unwrap_or(0));
        if gap_ms <= STANDSTILL_MS {
            return None;
        }
        self.paused = Some((last, at));
        Some(gap_ms)
    }
}

impl Tracker {
    /// From now on [`Self::tick`] is called at least once a second, as long as the proxy runs.
    pub fn is_live(&mut self) {
        self.pace.is_live = true;
    }

    /// Whether all that passes is seen: what another program recorded may leave things out, which proves nothing.
    pub(super) fn sees_all(&self) -> bool {
        self.pace.is_live
    }

    /// Time passes: looks at what is due. Cheap if nothing is.
    pub fn tick(&mut self, at: Moment) {
        if let Some(gap_ms) = self.pace.standstill(at) {
            self.timers.postpone(at, PATIENCE);
            let whose = Whose::Server(String::new());
            let nowhere = At { whose, conn: None, stream: None, session: None };
            self.find_in(nowhere, at, findings::server::paused(gap_ms));
        }
        while let Some(due) = self.timers.next(at) {
            self.due(due, at);
        }
    }

    /// The program ends: what was held back, and every session's summary.
    pub fn finish(&mut self, at: Moment) {
        self.tick(at);
        let mut held: Vec<u64> = self.held.keys().copied().collect();
        held.sort_by_key(|key| self.held.get(key).and_then(|(_, finding)| finding.evidence.first().copied()));
        held.into_iter().for_each(|key| self.held_due(key, at));
        for number in 1..=self.last_session {
            self.end(SessionId(number), at);
        }
    }

    /// Whether the proxy stood still at any time from `since` on: what took long then says nothing about a peer.
    pub(super) fn stood_still(&self, since: Moment) -> bool {
        self.pace.paused.is_some_and(|(_, until)| until.mono_ns >= since.mono_ns)
    }

    /// The same of the last `ms` milliseconds until `at`.
    pub(super) fn stood_still_for(&self, at: Moment, ms: u64) -> bool {
        self.stood_still(Moment { mono_ns: at.mono_ns.saturating_sub(ms.saturating_mul(1_000_000)), ..at })
    }

    fn due(&mut self, due: Due, at: Moment) {
        match due {
            Due::FinessePresence(id) => {
                let Some(stream) = self.streams.get(&id).filter(|stream| stream.is_desktop()) else { return };
                if let Some(finding) = findings::login::finesse_presence(&stream.ladder) {
                    let number = self.find_on(id, at, finding);
                    if let Some(stream) = self.streams.get_mut(&id) {
                        stream.no_presence = number;
                    }
                }
            }
            Due::IqPing(id, asked) | Due::WsPing(id, asked) => {
                let Some(level) = self.streams.get_mut(&id).and_then(|stream| stream.unanswered(asked)) else { return };
                let number = self.find_on(id, at, findings::ping::unanswered(level, asked));
                if level == Level::XmppOfClient {
                    self.all_silent(id, at, asked);
                }
                if let (Some(stream), Some(number)) = (self.streams.get_mut(&id), number) {
                    stream.given_up(asked, number);
                }
            }
            Due::Outcome(number) => self.outcome_due(number, at),
            Due::Held(key) => self.held_due(key, at),
            Due::NoSocket(id, signed_in) => self.no_socket_due(id, signed_in, at),
            Due::Stuck(id, call) => self.stuck_due(id, call, at),
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

    /// A ping of this stream was given up: perhaps those of everybody are.
    fn all_silent(&mut self, id: StreamId, at: Moment, asked: u64) {
        let Some((name, conn, session)) = self.streams.get(&id).and_then(|stream| {
            let index = self.servers.iter().position(|(name, _)| hash(&[name]) == stream.server)?;
            Some((self.servers.get(index)?.0.clone(), stream.conn, stream.session?))
        }) else {
            return;
        };
        let Some(server) = self.server(&name) else { return };
        let silent = server.silent(session, at, asked);
        let server = hash(&[&name]);
        let speaks = |stream: &Stream| {
            stream.server == server && stream.announced == Announced::No && stream.last_ping.is_some()
        };
        let all = self.streams.values().filter(|stream| speaks(stream));
        let mut sessions = all.filter_map(|stream| stream.session);
        if !sessions.all(|session| silent.iter().any(|(known, _)| *known == session)) {
            return;
        }
        let lines: Vec<u64> = silent.iter().map(|(_, line)| *line).collect();
        if let Some(finding) = findings::server::all_silent(&lines) {
            let whose = Whose::Server(name);
            self.find_in(At { whose, conn: Some(conn), stream: Some(id), session: Some(session) }, at, finding);
        }
    }

    /// An accepted request may have waited long enough for its event.
    fn outcome_due(&mut self, number: u64, at: Moment) {
        let Some(id) = self.outcomes.find(&number).copied() else { return };
        let Some(desktop) = self.desktops.find_mut(&id) else { return };
        let awaited = match desktop.outcomes.due(number, OUTCOME, at) {
            None => return,
            Some(Err(wait)) => return self.timers.set(at, wait, Due::Outcome(number)),
            Some(Ok(awaited)) => awaited,
        };
        let Some(stream) = self.streams.get(&awaited.stream) else {
            desktop.outcomes.forget(number);
            return;
        };
        let asked = awaited.cause.sequence.unwrap_or_default();
        let finding = findings::event::missing(&awaited.resource, awaited.operation, asked);
        let unsubscribed = findings::subscription::missing(&stream.ladder, stream.asked_for_user, asked);
        let said: Vec<u64> =
            [unsubscribed, Some(finding)].into_iter().flatten().map(|finding| self.find_for(id, at, finding)).collect();
        if let Some(awaited) = self.desktops.find_mut(&id).and_then(|desktop| desktop.outcomes.find(number)) {
            awaited.said = said;
        }
    }

    pub(super) fn end(&mut self, id: SessionId, at: Moment) {
        let Some(last) = self.desktops.find(&id).map(|desktop| desktop.last) else { return };
        let until = if self.desktops.find(&id).is_some_and(|desktop| desktop.open_sockets > 0) { at } else { last };
        self.summarise(id, Reason::End, until, at);
        self.desktops.remove(&id);
    }

    /// Queues a summary of the time until `until`, made at `at`.
    pub(super) fn summarise(&mut self, id: SessionId, reason: Reason, until: Moment, at: Moment) {
        let Some(desktop) = self.desktops.find_mut(&id) else { return };
        let told = Told {
            conn: None,
            stream: None,
            session: Some(desktop.session),
            user: Some(desktop.user.clone()),
            at,
            what: Tale::Summary(desktop.summary(reason, until)),
            number: None,
        };
        self.tell(told);
    }

    pub(super) fn expect_end(&mut self, id: SessionId, since: Moment) {
        let Some(desktop) = self.desktops.find_mut(&id) else { return };
        if !desktop.end_is_set {
            desktop.end_is_set = true;
            self.timers.set(since, LINGER, Due::End(id));
        }
    }
}
