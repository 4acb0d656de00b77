//! Connections, HTTP and WebSocket frames as the session layer sees them.

use super::stanza::RENEWED;
use super::{Cause, OUTCOME, PATIENCE, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::{Direction, SessionId, StreamId};
use crate::finesse::{Exchange, Node, Update, named};
use crate::session::findings::ending::Announced;
use crate::session::findings::handshake::{Asked, Preflight};
use crate::session::findings::rest::Lack;
use crate::session::findings::{self, Confidence};
use crate::session::outcome::{Awaited, Object};
use crate::session::stage::Stage;
use crate::session::stream::Stream;
use crate::session::timer::Due;
use bytes::Bytes;

/// An HTTP exchange as far as sessions care.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'r> {
    /// First byte of the request.
    pub started: Moment,
    /// Method.
    pub method: &'r str,
    /// Path and query.
    pub path: &'r str,
    /// The server's port.
    pub port: u16,
    /// Whether it asks for the WebSocket.
    pub asked: Asked,
    /// Why no response came, in the browser's words.
    pub failure: Option<&'r str>,
    /// `basic` or `bearer`, if it carried credentials.
    pub credentials: Option<&'static str>,
    /// The requestId header.
    pub request_id: Option<&'r str>,
    /// Node class, id, operation and wanted state of a REST call.
    pub api: Option<&'r crate::finesse::Api>,
    /// Status of the server's own answer; `None` if there was none, or it was the proxy's.
    pub status: Option<u16>,
    /// The answer's `Date`.
    pub date: Option<&'r str>,
    /// The answer's `Location`.
    pub location: Option<&'r str>,
    /// The answer's `Retry-After`.
    pub retry_after: Option<&'r str>,
    /// What a browser asks before it lets a page of another origin make a request.
    pub preflight: Option<Preflight<'r>>,
    /// The answer's content, if it is kept and text.
    pub content: Option<&'r str>,
    /// The object in the answer.
    pub answer: Option<&'r Update<'r>>,
    /// The URL, if it was a gadget's, sent by `makeRequest`: method, credentials, requestId, call and status are of what stands
    /// inside.
    pub gadget: Option<&'r str>,
    /// What is known of an answer that did not come.
    pub lack: Option<Lack<'r>>,
}

/// A WebSocket's handshake as far as sessions care.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'o> {
    /// Subprotocols the browser offered.
    pub offered: &'o [String],
    /// The one the server selected.
    pub selected: Option<&'o str>,
    /// The browser's User-Agent; only whether two are equal matters.
    pub user_agent: &'o [u8],
}

impl Tracker {
    /// An HTTP exchange is over, the line `spot.sequence` will say so. Tells the event that came before its answer: line
    /// and milliseconds from the request.
    pub fn exchange(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) -> Option<(u64, u64)> {
        if let Some(desktop) = self.desktop(spot) {
            // BOSH posts carry a stream: they are no requests of the desktop's.
            desktop.requests += u64::from(spot.stream.is_none());
            desktop.last = spot.at;
            let (id, idle) = (desktop.session.id, desktop.open_sockets == 0);
            if idle {
                self.expect_end(id, spot.at);
            }
        }
        let sees_all = self.sees_all();
        if let Some(date_ms) = rest.api.and(rest.date).and_then(http_date_ms)
            && let Some(server) = self.server(spot.server)
        {
            // The stamp has whole seconds: half of one is its expectation.
            server.stamped(date_ms + 500, spot.at);
            // A cache gives out what was stamped long ago; another program's record has its own clock.
            let told = if rest.status == Some(304) || !sees_all { None } else { server.dated(date_ms + 500, spot.at) };
            if let Some(finding) = told.and_then(|told| findings::server::clock(told, spot.sequence)) {
                server.clock_is_told();
                self.find(spot, finding);
            }
        }
        if let Some(finding) = findings::handshake::not_upgraded(rest.asked, rest.status, rest.failure, spot.sequence) {
            self.find(spot, finding);
        }
        if let Some(finding) = findings::handshake::preflight(rest.preflight, rest.status, spot.sequence) {
            self.find(spot, finding);
        }
        self.credentials(spot, rest);
        if !self.polled(spot, rest) {
            self.answer(spot, rest);
        }
        self.course(spot, rest);
        self.elsewhere(spot, rest);
        self.await_event(spot, rest)
    }

    fn credentials(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let (Some(how), Some(status)) = (rest.credentials, rest.status) else { return };
        if (200..300).contains(&status) && rest.api.is_some() {
            if let Some(desktop) = self.desktop(spot) {
                desktop.accepted = Some(spot.sequence);
            }
            self.accepted(spot);
        } else if status == 401 && rest.api.is_some() {
            self.refused(spot, how, "401");
        }
    }

    /// What an answer's content tells of errors.
    fn answer(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let (Some(api), Some(status)) = (rest.api, rest.status) else { return };
        let operation = api.operation.unwrap_or_default();
        let again =
            || hash(&["again", &spot.session.map(|id| id.id.to_string()).unwrap_or_default(), rest.method, rest.path]);
        if status < 400 {
            if !self.held.is_empty() {
                self.release(again());
            }
            let user = rest.answer.and_then(|answer| answer.user.as_ref());
            if let Some(user) = user.filter(|_| api.resource == "User" && operation == "read") {
                self.names_of(spot, user);
                self.compare(spot, user);
            }
            return;
        }
        if findings::api::is_expected(operation, &api.resource, status) {
            return;
        }
        let error = rest.answer.and_then(|answer| answer.api_errors.first());
        let told = findings::api::Told {
            error_type: error.and_then(|error| error.error_type.as_deref()),
            message: error.and_then(|error| error.message.as_deref()),
            data: error.and_then(|error| error.data.as_deref()),
            media: error.and_then(|error| error.media.as_deref()),
            peripheral_code: error.and_then(|error| error.peripheral_code.as_deref()),
            object: api.resource.split('/').next(),
            status: Some(status),
            signs_in: operation == "sign-in" && api.resource == "User",
            asked: None,
            sequence: spot.sequence,
        };
        let Some(finding) = findings::api::refused(told) else { return };
        // Who is told to come back later does, and all is well.
        match rest.retry_after {
            Some(_) => self.hold(spot, RENEWED, again(), finding),
            None => self.find(spot, finding),
        }
    }

    /// Servers that the browser is sent to, and that are not fronted.
    fn elsewhere(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let content = rest.content.filter(|_| rest.status.is_some_and(|status| status < 400));
        for named in named(Exchange { path: rest.path, location: rest.location, content }) {
            if let Some(finding) = findings::server::not_fronted(&named, rest.port, &self.fronted, spot.sequence) {
                self.find(spot, finding);
            }
        }
    }

    /// Remembers the request for its event, or finds the event that was faster.
    fn await_event(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) -> Option<(u64, u64)> {
        let cause = Cause {
            sequence: Some(spot.sequence),
            at: rest.started,
            method: rest.method.to_owned(),
            confidence: Confidence::Certain,
        };
        if let Some(id) = rest.request_id {
            if let Some((sequence, at)) = self.early.remove(id) {
                return Some((sequence, at.ms_since(rest.started)));
            }
            self.requests.insert(id.to_owned(), (cause.clone(), spot.conn));
        }
        let api = rest.api.filter(|_| rest.status == Some(202))?;
        let operation = api.operation.filter(|operation| findings::event::is_promised(&api.resource, operation))?;
        let session = spot.session?;
        let stream = self.listening(session.id)?;
        let desktop = self.desktops.find_mut(&session.id)?;
        let (object, state) = match (&*api.resource, api.object_id.as_deref()) {
            // What becomes of another agent is told to that one.
            ("User" | "User/Dialogs", Some(id)) if !desktop.is(id) => return None,
            ("User", Some(id)) => (Object::One(hash(&["User", &id.to_lowercase()])), api.state.clone()),
            // Of a task no event tells who caused it.
            ("Dialog", Some(id)) if id.contains('_') => return None,
            ("Dialog", Some(id)) => (Object::One(hash(&["Dialog", id])), None),
            _ => (Object::NewDialog, None),
        };
        if let Object::One(object) = object
            && desktop.was_touched(object, state.as_deref(), rest.started)
        {
            return None;
        }
        self.last_awaited += 1;
        let awaited = Awaited {
            number: self.last_awaited,
            request_id: rest.request_id.map(str::to_owned),
            object,
            state,
            resource: api.resource.clone(),
            operation,
            cause: Cause { confidence: Confidence::Likely, ..cause },
            since: spot.at,
            stream,
            said: Vec::new(),
        };
        if desktop.outcomes.expect(awaited, spot.at) {
            self.timers.set(spot.at, OUTCOME, Due::Outcome(self.last_awaited));
            self.outcomes.insert(self.last_awaited, session.id);
        }
        None
    }

    /// The session's newest stream on which the agent's events come, all of whose login was seen.
    fn listening(&self, id: SessionId) -> Option<StreamId> {
        let reads = |stream: &Stream| {
            let leaves = |node: &&String| Node::read(node).is_some_and(|node| node.object == "User");
            stream.session == Some(id)
                && stream.announced == Announced::No
                && stream.ladder.has(Stage::FinessePresence)
                && stream.left.keys().find(leaves).is_none()
        };
        self.streams.iter().filter(|(_, stream)| reads(stream)).map(|(id, _)| *id).max()
    }

    /// A WebSocket began.
    pub fn websocket_opened(&mut self, spot: &Spot<'_>, opening: Opening<'_>) {
        let Opening { offered, selected, user_agent } = opening;
        self.stream_opened(spot, Some(Stage::Handshake), user_agent);
        if let Some(finding) = findings::handshake::subprotocol(offered, selected, spot.sequence) {
            self.find(spot, finding);
        }
    }

    /// A WebSocket ping.
    pub fn ping(&mut self, spot: &Spot<'_>, direction: Direction, payload: Bytes) {
        let Some(id) = spot.stream else { return };
        if let Some(stream) = self.stream(spot) {
            stream.ping(direction, payload, spot);
            self.timers.set(spot.at, PATIENCE, Due::WsPing(id, spot.sequence));
        }
    }

    /// A WebSocket pong; tells the round trip in microseconds if it answers the other side's last ping.
    pub fn pong(&mut self, spot: &Spot<'_>, direction: Direction, payload: &[u8]) -> Option<u64> {
        let (rtt_us, asked) = self.stream(spot)?.pong(direction, payload, spot.at)?;
        let level = match direction {
            Direction::C2s => findings::ping::Level::WebSocketOfServer,
            Direction::S2c => findings::ping::Level::WebSocketOfClient,
        };
        self.pong_came(spot, level, rtt_us, asked);
        Some(rtt_us)
    }

    /// Something that only HTTP/2 has.
    pub fn http2(&mut self, spot: &Spot<'_>, seen: findings::http2::Seen) {
        if let Some(finding) = findings::http2::seen(seen, spot.sequence) {
            self.find(spot, finding);
        }
    }

    /// Something could not be read.
    pub fn undecoded(&mut self, spot: &Spot<'_>, layer: &'static str, why: &'static str) {
        self.find(spot, findings::decode::unread(layer, why, spot.sequence));
    }
}

fn http_date_ms(date: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp().as_millisecond())
}
