//! What was found: whose it is, whether it is said, held back until it is certain, or taken back.
//!
//! The log cannot be changed. What was said too early is taken back by a later finding that revises it; what is likely to
//! be taken back soon is held until then.

use super::{Due, Finding, Session, Spot, Tale, Told, Tracker};
use crate::clock::Moment;
use crate::conn::{ConnId, SessionId, StreamId};
use crate::session::findings::{Code, Confidence, Scope, Whose};
use crate::session::recent::Recent;
use std::collections::HashMap;
use std::time::Duration;

/// Findings held back at once; one too many is said at once.
const MAX_HELD: usize = 16_384;
/// Findings remembered that may be taken back.
const MAX_SAID: usize = 16_384;

/// Where something was found.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) whose: Whose,
    pub(super) conn: Option<ConnId>,
    pub(super) stream: Option<StreamId>,
    pub(super) session: Option<SessionId>,
}

/// What is held back, by what would make it needless.
pub(super) type Held = HashMap<u64, (At, Finding)>;

/// A finding that may be taken back.
#[derive(Debug)]
struct Occasion {
    at: At,
    code: Code,
    subject: String,
    /// It has a line of its own; else it was only counted.
    is_told: bool,
    /// That line.
    sequence: Option<u64>,
}

/// Findings that may be taken back, by their numbers.
#[derive(Debug)]
pub(super) struct Said {
    last: u64,
    occasions: Recent<u64, Occasion>,
}

impl Default for Said {
    fn default() -> Self {
        Self { last: 0, occasions: Recent::new(MAX_SAID) }
    }
}

impl Tracker {
    /// Something was found about the fact at `spot`.
    pub(super) fn find(&mut self, spot: &Spot<'_>, finding: Finding) {
        if let Some(at) = self.whose(spot, finding.code) {
            self.find_in(at, spot.at, finding);
        }
    }

    /// Something was found about a stream, by time. Gives its number, to revise it by.
    pub(super) fn find_on(&mut self, id: StreamId, at: Moment, finding: Finding) -> Option<u64> {
        let stream = self.streams.get_mut(&id).filter(|stream| !stream.said.silence(finding.code))?;
        stream.said.insert(finding.code);
        let (conn, session) = (stream.conn, stream.session);
        let whose = session.map_or(Whose::Conn(conn), Whose::Session);
        Some(self.find_in(At { whose, conn: Some(conn), stream: Some(id), session }, at, finding))
    }

    /// Something was found about a session.
    pub(super) fn find_for(&mut self, id: SessionId, at: Moment, finding: Finding) -> u64 {
        self.find_in(At { whose: Whose::Session(id), conn: None, stream: None, session: Some(id) }, at, finding)
    }

    /// Something was found that holds only if nothing with this key comes within `wait`: see [`Self::release`].
    pub(super) fn hold(&mut self, spot: &Spot<'_>, wait: Duration, key: u64, finding: Finding) {
        if self.held.len() >= MAX_HELD {
            return self.find(spot, finding);
        }
        let Some(at) = self.whose(spot, finding.code) else { return };
        if self.held.insert(key, (at, finding)).is_none() {
            self.timers.set(spot.at, wait, Due::Held(key));
        }
    }

    /// What was held back with this key does not hold.
    pub(super) fn release(&mut self, key: u64) {
        if !self.held.is_empty() {
            self.held.remove(&key);
        }
    }

    /// What was held back with this key holds.
    pub(super) fn held_due(&mut self, key: u64, now: Moment) {
        if let Some((at, finding)) = self.held.remove(&key) {
            self.find_in(at, now, finding);
        }
    }

    /// What was found turns out to be this instead.
    pub(super) fn revise(&mut self, numbers: &[u64], spot: &Spot<'_>, mut finding: Finding) {
        for number in numbers {
            let Some(occasion) = self.said.occasions.remove(number) else { continue };
            if let Some(desktop) = occasion.at.session.and_then(|id| self.desktops.find_mut(&id)) {
                desktop.unfound(occasion.code);
            }
            match (occasion.is_told, occasion.sequence) {
                (true, Some(sequence)) if finding.revises.is_none() => {
                    finding.revises = Some((occasion.code, sequence))
                }
                (true, Some(sequence)) => self.take_back(occasion.at, spot.at, (occasion.code, sequence)),
                // It waits to be written, and need not be.
                (true, None) => self.told.retain(|told| told.number != Some(*number)),
                (false, _) => self.ledger.take_back(occasion.at.whose, occasion.code, occasion.subject),
            }
        }
        self.find(spot, finding);
    }

    /// Says that a finding did not hold, and nothing else.
    fn take_back(&mut self, at: At, now: Moment, before: (Code, u64)) {
        let finding = Finding { count: 0, revises: Some(before), ..Finding::new(before.0, Confidence::Certain) };
        let desktop = at.session.and_then(|id| self.desktops.find(&id));
        let (session, user) = desktop.map(|desktop| (desktop.session, desktop.user.clone())).unzip();
        let what = Tale::Finding(finding);
        self.tell(Told { conn: at.conn, stream: at.stream, session, user, at: now, what, number: None });
    }

    /// What was told with this number is the line `sequence`.
    pub fn was_written(&mut self, number: u64, sequence: u64) {
        if let Some(occasion) = self.said.occasions.find_mut(&number) {
            occasion.sequence = Some(sequence);
        }
    }

    /// Whose a finding is; nobody's if its stream has had one that makes it needless.
    fn whose(&mut self, spot: &Spot<'_>, code: Code) -> Option<At> {
        if let Some(stream) = self.stream(spot) {
            if stream.said.silence(code) {
                return None;
            }
            stream.said.insert(code);
        }
        let session = spot.session.map(|session| session.id);
        let whose = match code.scope() {
            Scope::Agent => session.map_or(Whose::Conn(spot.conn), Whose::Session),
            Scope::Server => Whose::Server(spot.server.to_owned()),
            Scope::Browser => Whose::Browser(spot.client),
        };
        Some(At { whose, conn: Some(spot.conn), stream: spot.stream, session })
    }

    pub(super) fn find_in(&mut self, at: At, now: Moment, finding: Finding) -> u64 {
        if at.conn.is_some_and(|conn| self.probes.find(&conn).is_some()) {
            return 0;
        }
        let (mut session, mut user) = (None::<Session>, None);
        if let Some(desktop) = at.session.and_then(|id| self.desktops.find_mut(&id)) {
            desktop.found(finding.code);
            session = Some(desktop.session);
            user = Some(desktop.user.clone());
        }
        self.said.last += 1;
        let number = self.said.last;
        let (code, subject) = (finding.code, finding.subject.clone());
        let told = self.ledger.count(at.whose.clone(), finding);
        let is_told = told.is_some();
        if let Some(finding) = told {
            let (conn, stream, number) = (at.conn, at.stream, Some(number));
            self.tell(Told { conn, stream, session, user, at: now, what: Tale::Finding(finding), number });
        }
        self.said.occasions.insert(number, Occasion { at, code, subject, is_told, sequence: None });
        number
    }
}
