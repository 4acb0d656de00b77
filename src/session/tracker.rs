//! What spans connections: whose session it is, which REST call caused an event, what state came before.

use super::recent::Recent;
use crate::clock::Moment;
use crate::conn::SessionId;
use std::borrow::Cow;
use std::net::IpAddr;

/// Sessions, users and dialogs remembered.
const MAX_REMEMBERED: usize = 65_536;
/// REST calls remembered until their event comes.
const MAX_REQUESTS: usize = 16_384;

/// A desktop session as every line names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// `finesse.session.id`
    pub id: SessionId,
    /// `trace.id`
    pub trace: u128,
}

/// The REST call behind an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Its `event.sequence`, if its exchange was over by then.
    pub sequence: Option<u64>,
    /// First byte of the request.
    pub at: Moment,
    /// Its method.
    pub method: String,
}

#[derive(Debug)]
struct Known {
    state: String,
    previous: Option<String>,
    changed: Option<String>,
}

/// Remembers across connections.
#[derive(Debug)]
pub struct Tracker {
    run: u128,
    sessions: Recent<(IpAddr, String), Session>,
    requests: Recent<String, Cause>,
    users: Recent<String, Known>,
    dialogs: Recent<String, Known>,
    last_session: u64,
}

impl Tracker {
    /// `run` is the run's own number (its ULID): traces of different runs differ.
    #[must_use]
    pub fn new(run: u128) -> Self {
        Self {
            run,
            sessions: Recent::new(MAX_REMEMBERED),
            requests: Recent::new(MAX_REQUESTS),
            users: Recent::new(MAX_REMEMBERED),
            dialogs: Recent::new(MAX_REMEMBERED),
            last_session: 0,
        }
    }

    /// The session of `user` (login name or JID, any case) on the browser at `client`.
    pub fn session(&mut self, client: IpAddr, user: &str) -> Session {
        let bare = user.split(['@', '/']).next().unwrap_or(user);
        let key = (client, bare.to_lowercase());
        if let Some(session) = self.sessions.find(&key) {
            return *session;
        }
        self.last_session += 1;
        let session = Session { id: SessionId(self.last_session), trace: trace(self.run, self.last_session) };
        self.sessions.insert(key, session);
        session
    }

    /// A REST call with this `requestId` began at `at`, or (called again with `sequence`) became an event.
    pub fn request(&mut self, request_id: &str, method: &str, at: Moment, sequence: Option<u64>) {
        self.requests.insert(request_id.to_owned(), Cause { sequence, at, method: method.to_owned() });
    }

    /// The REST call whose `requestId` an event carries.
    #[must_use]
    pub fn cause(&self, request_id: &str) -> Option<&Cause> {
        self.requests.find(request_id)
    }

    /// A user's state arrived; tells the state before it. `changed` is its `stateChangeTime`: the same event on a second
    /// socket is the same change, not a new one.
    pub fn user_state(&mut self, user: &str, state: &str, changed: Option<&str>) -> Option<String> {
        Self::state(&mut self.users, user, state, changed)
    }

    /// A dialog's state arrived; tells the state before it.
    pub fn dialog_state(&mut self, dialog: &str, state: &str) -> Option<String> {
        Self::state(&mut self.dialogs, dialog, state, None)
    }

    fn state(known: &mut Recent<String, Known>, key: &str, state: &str, changed: Option<&str>) -> Option<String> {
        let previous = match known.find(key) {
            Some(k) if k.state == state && k.changed.as_deref() == changed => {
                return k.previous.clone().filter(|_| changed.is_some());
            }
            Some(k) => Some(k.state.clone()),
            None => None,
        };
        let entry = Known { state: state.to_owned(), previous: previous.clone(), changed: changed.map(str::to_owned) };
        known.insert(key.to_owned(), entry);
        previous
    }
}

/// The 16-digit id that a REST call and its event share: a function of the `requestId` alone, so that both ends of the
/// join need not meet.
#[must_use]
pub fn transaction(request_id: &str) -> Cow<'static, str> {
    let digest = ring::digest::digest(&ring::digest::SHA256, request_id.as_bytes());
    let mut head = [0; 8];
    head.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    Cow::Owned(format!("{:016x}", u64::from_be_bytes(head)))
}

fn trace(run: u128, session: u64) -> u128 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(&run.to_be_bytes());
    context.update(&session.to_be_bytes());
    let mut head = [0; 16];
    head.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_on_one_browser_is_one_session() {
        let mut tracker = Tracker::new(7);
        let here = IpAddr::from([127, 0, 0, 1]);
        let there = IpAddr::from([192, 0, 2, 9]);
        let first = tracker.session(here, "1001@finesse.test/desktop");
        assert_eq!(tracker.session(here, "1001"), first);
        assert_eq!(tracker.session(here, "1001@FINESSE.test"), first);
        assert_ne!(tracker.session(there, "1001"), first);
        assert_ne!(tracker.session(here, "1002").trace, first.trace);
    }

    #[test]
    fn the_same_change_seen_twice_has_the_same_past() {
        let mut tracker = Tracker::new(7);
        assert_eq!(tracker.user_state("1001", "NOT_READY", Some("t1")), None);
        assert_eq!(tracker.user_state("1001", "READY", Some("t2")), Some("NOT_READY".into()));
        assert_eq!(tracker.user_state("1001", "READY", Some("t2")), Some("NOT_READY".into()));
        assert_eq!(tracker.user_state("1001", "NOT_READY", Some("t3")), Some("READY".into()));
    }

    #[test]
    fn a_transaction_is_known_by_its_request_id() {
        assert_eq!(transaction("a").len(), 16);
        assert_eq!(transaction("a"), transaction("a"));
        assert_ne!(transaction("a"), transaction("b"));
    }
}
