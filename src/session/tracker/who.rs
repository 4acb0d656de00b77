//! Whose something is: agents by any of their names, their sessions, cookies and connections.

use super::{CookieMark, Due, HOUR, Reason, Session, Tracker};
use crate::clock::Moment;
use crate::conn::{ConnId, SessionId};
use crate::session::desktop::Desktop;
use std::net::IpAddr;

impl Tracker {
    /// The session of `user` (login id, login name or JID, any case) on the browser at `client`, which has this cookie.
    pub fn session(&mut self, client: IpAddr, user: &str, cookie: Option<CookieMark>, at: Moment) -> Session {
        let key = (client, self.names.agent(user));
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

    /// The same session, by the id that it has now.
    #[must_use]
    pub fn current(&self, session: Session) -> Session {
        self.merged.find(&session.id).copied().unwrap_or(session)
    }

    /// The agent of a session as lines name it.
    #[must_use]
    pub fn called(&self, session: Session) -> Option<&str> {
        self.desktops.find(&session.id).map(|desktop| &*desktop.user)
    }

    /// Grows with every name that is learned.
    #[must_use]
    pub fn names_known(&self) -> u64 {
        self.names.known()
    }

    /// A User object tells that both names are one agent's: what was two sessions on one browser is one from now on.
    pub(super) fn same_agent(&mut self, id: &str, name: &str, at: Moment) {
        let Some(name) = self.names.tie(id, name) else { return };
        let id = self.names.agent(id);
        let clients: Vec<IpAddr> =
            self.sessions.keys().filter(|(_, user)| *user == name).map(|(client, _)| *client).collect();
        for client in clients {
            let Some(by_name) = self.sessions.remove(&(client, name.clone())) else { continue };
            let key = (client, id.clone());
            let by_id = self.sessions.find(&key).copied().filter(|session| self.is_alive(*session));
            let first = match by_id {
                Some(by_id) if self.is_alive(by_name) => self.merge(by_name, by_id, at),
                Some(by_id) => by_id,
                None => by_name,
            };
            if let Some(desktop) = self.desktops.find_mut(&first.id) {
                desktop.is_called(&id);
                desktop.is_called(&name);
                desktop.user.clone_from(&id);
            }
            self.sessions.insert(key, first);
        }
    }

    /// The younger of two sessions goes on as the older one.
    fn merge(&mut self, one: Session, other: Session, at: Moment) -> Session {
        let (first, second) = if one.id.0 < other.id.0 { (one, other) } else { (other, one) };
        self.summarise(second.id, Reason::Merged(first.id), at, at);
        if let Some(second) = self.desktops.remove(&second.id)
            && let Some(first) = self.desktops.find_mut(&first.id)
        {
            first.absorb(second);
        }
        for stream in self.streams.values_mut().filter(|stream| stream.session == Some(second.id)) {
            stream.session = Some(first.id);
        }
        self.merged.insert(second.id, first);
        first
    }

    /// Whose connection it is, as far as a requestId told.
    #[must_use]
    pub fn owner(&self, conn: ConnId) -> Option<(Session, &str)> {
        self.owners.find(&conn).map(|(session, user)| (self.current(*session), &**user))
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
        self.cookies.find(&cookie).map(|(session, user)| (self.current(*session), &**user))
    }

    /// A `JSESSIONID` was used by, or given to, this session.
    pub fn cookie(&mut self, cookie: CookieMark, session: Session, user: &str) {
        if self.cookies.find(&cookie).is_none_or(|(known, _)| *known != session) {
            self.cookies.insert(cookie, (session, user.to_owned()));
        }
    }
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
