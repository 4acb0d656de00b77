//! What REST calls and page loads tell beside their content: that they were slow, lacked an answer, went in circles.

use super::wire::Rest;
use super::{Due, MAX_REMEMBERED, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::{ConnId, SessionId};
use crate::session::findings;
use crate::session::findings::handshake::Asked;
use crate::session::findings::rest::{Answer, CIRCLE};
use crate::session::findings::server::Sign;
use crate::session::recent::Recent;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

/// A desktop opens its socket right behind its sign-in.
const SOCKET: Duration = Duration::from_secs(30);
/// A request that a browser repeats by itself is repeated at once.
const ASKED_AGAIN: Duration = Duration::from_secs(10);
/// Where old servers take notifications alone.
const NOTIFICATION_PORT: u16 = 7443;

/// How a desktop begins.
#[derive(Debug, Default)]
pub(in crate::session) struct Begun {
    /// When the page was loaded last.
    page: Option<Moment>,
    /// When a socket was tried last.
    tried: Option<Moment>,
    /// Redirects of the single sign-on since the last token: line and time.
    circle: VecDeque<(u64, Moment)>,
}

/// What browsers did before it was known who sits there, by their addresses.
#[derive(Debug)]
pub(super) struct Browsers(Recent<IpAddr, Begun>);

impl Default for Browsers {
    fn default() -> Self {
        Self(Recent::new(MAX_REMEMBERED))
    }
}

impl Browsers {
    fn of(&mut self, client: IpAddr) -> Option<&mut Begun> {
        if self.0.find(&client).is_none() {
            self.0.insert(client, Begun::default());
        }
        self.0.find_mut(&client)
    }
}

impl Tracker {
    /// A connection was made to this port.
    pub fn connected(&mut self, conn: ConnId, client: IpAddr, port: u16, at: Moment) {
        if port == NOTIFICATION_PORT
            && self.probes.find(&conn).is_none()
            && let Some(begun) = self.browsers.of(client)
        {
            begun.tried = Some(at);
        }
    }

    /// Somebody tried to open a socket.
    pub(super) fn tries(&mut self, spot: &Spot<'_>) {
        if let Some(opening) = self.opening(spot) {
            opening.tried = Some(spot.at);
        }
    }

    /// The beginning of the desktop that does this: its agent's, once known, else its browser's.
    fn opening(&mut self, spot: &Spot<'_>) -> Option<&mut Begun> {
        match spot.session {
            Some(session) => self.desktops.find_mut(&session.id).map(|desktop| &mut desktop.opening),
            None => self.browsers.of(spot.client),
        }
    }

    /// Whether the agent's page was loaded and no socket tried since. What an unknown agent did at that address is this one's
    /// only if nobody else is there.
    fn lacks_socket(&mut self, id: SessionId) -> bool {
        let Some(own) = self.desktops.find(&id).map(|desktop| (desktop.opening.page, desktop.opening.tried)) else {
            return false;
        };
        let client = self.sessions.keys().find(|key| self.sessions.find(*key).is_some_and(|known| known.id == id));
        let Some(client) = client.map(|(client, _)| *client) else { return false };
        let here = self.sessions.keys().filter(|(other, _)| *other == client).count();
        let unknown = self.browsers.of(client).map(|begun| (begun.page, begun.tried)).unwrap_or_default();
        let page = own.0.or(unknown.0.filter(|_| here == 1));
        let tried = [own.1, unknown.1].into_iter().flatten().max_by_key(|tried| tried.mono_ns);
        page.is_some_and(|page| tried.is_none_or(|tried| tried.mono_ns < page.mono_ns))
    }

    /// All that an exchange tells beside its content.
    pub(super) fn course(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        if rest.asked != Asked::Nothing || spot.stream.is_some() {
            self.tries(spot);
        }
        match (rest.api, rest.gadget) {
            (Some(api), gadget) => {
                self.unanswered(spot, rest, &api.resource, api.operation);
                // How long an upload takes is the browser's line's affair.
                let uploads = api.operation == Some("upload-client-log");
                if gadget.is_none() && rest.status.is_some() && !uploads {
                    self.took(spot, rest, &api.resource);
                }
                self.writes(spot, rest);
            }
            (None, Some(url)) => {
                if let Some(finding) = findings::rest::gadget(host_of(url), rest.status, spot.sequence) {
                    self.find(spot, finding);
                }
            }
            (None, None) => {}
        }
        if rest.path.starts_with("/desktop") {
            self.desktop_page(spot, rest);
        }
    }

    fn unanswered(&mut self, spot: &Spot<'_>, rest: &Rest<'_>, resource: &str, operation: Option<&str>) {
        let again = || hash(&["unanswered", &spot.client.to_string(), rest.method, rest.path]);
        if rest.status.is_some() && !self.held.is_empty() {
            self.release(again());
        }
        let Some(lack) = rest.lack.filter(|_| rest.status.is_none() && spot.stream.is_none()) else { return };
        if self.stood_still(rest.started) {
            return;
        }
        let after_ms = spot.at.ms_since(rest.started);
        // A server may close an idle connection just when it is used: browsers ask once more by themselves.
        if let Some(finding) = findings::rest::unanswered((resource, operation), lack, after_ms, spot.sequence) {
            self.hold(spot, ASKED_AGAIN, again(), finding);
        }
    }

    /// How long an answer took, beside the last ones about the same.
    fn took(&mut self, spot: &Spot<'_>, rest: &Rest<'_>, resource: &str) {
        let ping_ms = self.desktop(spot).and_then(|desktop| desktop.ping_ms);
        let stood_still = self.stood_still(rest.started);
        let took_ms = if stood_still { 0 } else { spot.at.ms_since(rest.started) };
        let answer = Answer { took_ms, sequence: spot.sequence, ping_ms };
        let Some(last) = self.server(spot.server).and_then(|server| server.answered(resource, answer)) else { return };
        if took_ms < findings::rest::SLOW_MS {
            return;
        }
        let Some(finding) = findings::rest::slow(resource, last.iter()) else { return };
        // The next ones are counted anew.
        last.clear();
        self.find(spot, finding);
    }

    /// A change of the agent's was accepted here, or a sign-in after which the desktop opens its socket.
    fn writes(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let Some(api) = rest.api.filter(|_| rest.status.is_some_and(|status| status < 300)) else { return };
        if matches!(api.operation, None | Some("read" | "upload-client-log")) || !api.resource.starts_with("User") {
            return;
        }
        self.works_with(spot);
        if api.operation == Some("sign-in") && api.resource == "User" {
            let id = spot.session.map(|session| session.id);
            if let Some(id) = id.filter(|id| self.lacks_socket(*id)) {
                self.timers.set(spot.at, SOCKET, Due::NoSocket(id, spot.sequence));
            }
        }
    }

    /// The desktop of a session works with a server: by its socket, or by a change.
    pub(super) fn works_with(&mut self, spot: &Spot<'_>) {
        let Some(desktop) = self.desktop(spot) else { return };
        let Some((other, turns, span_ms)) = desktop.works_with(spot.server, spot.at) else { return };
        let finding = findings::server::wrong_node((spot.server, other), turns, span_ms, spot.sequence);
        if let Some(finding) = finding {
            self.find(spot, finding);
        }
    }

    /// 30 s after a sign-in.
    pub(super) fn no_socket_due(&mut self, id: SessionId, signed_in: u64, at: Moment) {
        if !self.sees_all() || self.desktops.find(&id).is_none_or(|desktop| desktop.sockets > 0) {
            return;
        }
        if self.lacks_socket(id) {
            let after_ms = u64::try_from(SOCKET.as_millis()).unwrap_or_default();
            self.find_for(id, at, findings::rest::no_socket(signed_in, after_ms));
        }
    }

    /// The desktop's page, its parts, and its single sign-on.
    fn desktop_page(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let (Some(status), Some(begun)) = (rest.status, self.opening(spot)) else { return };
        let path = rest.path.split('?').next().unwrap_or_default();
        if path.starts_with("/desktop/container") && matches!(status, 200 | 304) {
            begun.page = Some(rest.started);
        }
        let mut found = findings::rest::page(rest.path, status, spot.sequence);
        if path.starts_with("/desktop/sso/") {
            if status < 300 {
                begun.circle.clear();
            } else if status < 400 && rest.location.is_some() {
                begun.circle.push_back((spot.sequence, spot.at));
                if begun.circle.len() > CIRCLE {
                    begun.circle.pop_front();
                }
                let span_ms = begun.circle.front().map_or(0, |(_, first)| spot.at.ms_since(*first));
                let lines: Vec<u64> = begun.circle.iter().map(|(line, _)| *line).collect();
                found = findings::rest::circle(&lines, span_ms, spot.client);
                if found.is_some() {
                    begun.circle.clear();
                }
            }
        }
        if let Some(finding) = found {
            self.find(spot, finding);
        }
    }

    /// SystemInfo, polled. Of the node that the agent's socket is on it may speak of an outage; the other node is polled all the
    /// time and may be what it is. Tells whether its answer is judged by that.
    pub(super) fn polled(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) -> bool {
        if rest.api.is_none_or(|api| api.resource != "SystemInfo") {
            return false;
        }
        let system = rest.answer.and_then(|answer| answer.system.as_deref());
        if let Some(deployment) = system.and_then(|system| system.deployment.as_deref())
            && let Some(server) = self.server(spot.server)
            && server.deployment.as_deref() != Some(deployment)
        {
            server.deployment = Some(deployment.to_owned());
        }
        let is_out = system.and_then(|system| system.status.as_deref()).is_some_and(|status| status != "IN_SERVICE");
        let sign = match rest.status {
            Some(503) => Sign::PolledUnavailable,
            Some(200) if is_out => Sign::PolledOutOfService,
            _ => return false,
        };
        let server = hash(&[spot.server]);
        let is_its = self.streams.values().any(|stream| stream.client == spot.client && stream.server == server);
        if is_its {
            let reason = system.and_then(|system| system.status_reason.as_deref());
            self.outage(spot, sign, reason);
        }
        true
    }
}

/// The host of a URL.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}
