//! Connections, HTTP and WebSocket frames as the session layer sees them.

use super::{Awaited, Cause, MAX_AWAITED, OUTCOME, PATIENCE, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::finesse::{Exchange, Update, named};
use crate::session::findings::handshake::Asked;
use crate::session::findings::login::Refusal;
use crate::session::findings::{self, Confidence, Whose};
use crate::session::stage::Stage;
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
    /// The answer's content, if it is kept and text.
    pub content: Option<&'r str>,
    /// The object in the answer.
    pub answer: Option<&'r Update<'r>>,
    /// It was a gadget's, sent by `makeRequest`: method, credentials, requestId, call and status are of what stands inside.
    pub by_gadget: bool,
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
        if let Some(date_ms) = rest.api.and(rest.date).and_then(http_date_ms)
            && let Some(server) = self.server(spot.server)
        {
            // The stamp has whole seconds: half of one is its expectation.
            server.stamped(date_ms + 500, spot.at);
        }
        if let Some(finding) = findings::handshake::not_upgraded(rest.asked, rest.status, spot.sequence) {
            self.find(spot, finding);
        }
        self.credentials(spot, rest);
        self.answer(spot, rest);
        self.elsewhere(spot, rest);
        self.await_event(spot, rest)
    }

    fn credentials(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let (Some(how), Some(status)) = (rest.credentials, rest.status) else { return };
        if (200..300).contains(&status) && rest.api.is_some() {
            if let Some(desktop) = self.desktop(spot) {
                desktop.accepted = Some(spot.sequence);
            }
        } else if status == 401 {
            let accepted = self.desktop(spot).and_then(|desktop| desktop.accepted);
            let refusal = Refusal { how, reason: "401", accepted, sequence: spot.sequence };
            self.find(spot, findings::login::refused(refusal));
        }
    }

    /// What an answer's content tells of errors.
    fn answer(&mut self, spot: &Spot<'_>, rest: &Rest<'_>) {
        let (Some(_), Some(status)) = (rest.api, rest.status) else { return };
        if status >= 400 && status != 401 {
            let error = rest.answer.and_then(|answer| answer.api_errors.first());
            let told = findings::api::Told {
                error_type: error.and_then(|error| error.error_type.as_deref()),
                message: error.and_then(|error| error.message.as_deref()),
                data: error.and_then(|error| error.data.as_deref()),
                media: error.and_then(|error| error.media.as_deref()),
                peripheral_code: error.and_then(|error| error.peripheral_code.as_deref()),
                object: rest.api.and_then(|api| api.resource.split('/').next()),
                status: Some(status),
                asked: None,
                sequence: spot.sequence,
            };
            if let Some(finding) = findings::api::refused(told) {
                self.find(spot, finding);
            }
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
        let promises = matches!(&*api.resource, "User" | "User/Dialogs" | "User/Media" | "Dialog");
        let operation =
            api.operation.filter(|operation| promises && !matches!(*operation, "read" | "upload-client-log"))?;
        let session = spot.session?;
        let object = match (&*api.resource, api.object_id.as_deref()) {
            ("User" | "User/Media", Some(id)) => hash(&["User", id]),
            ("Dialog", Some(id)) => hash(&["Dialog", id]),
            _ => hash(&["Dialog"]),
        };
        let desktop = self.desktops.find(&session.id)?;
        // Without a socket no event can come here, and another finding says why.
        if desktop.open_sockets == 0
            || !desktop.ladder.has(Stage::FinessePresence)
            || desktop.was_touched(object, rest.started)
        {
            return None;
        }
        self.last_awaited += 1;
        let awaited = Awaited {
            number: self.last_awaited,
            request_id: rest.request_id.map(str::to_owned),
            object,
            state: api.state.clone(),
            resource: api.resource.clone(),
            operation,
            cause: Cause { confidence: Confidence::Likely, ..cause },
        };
        match self.awaited.find_mut(&session.id) {
            Some(list) if list.len() < MAX_AWAITED => list.push(awaited),
            Some(_) => return None,
            None => self.awaited.insert(session.id, vec![awaited]),
        }
        self.timers.set(spot.at, OUTCOME, Due::Outcome(self.last_awaited));
        self.outcomes.insert(self.last_awaited, session.id);
        None
    }

    pub(super) fn outcome_due(&mut self, number: u64, at: Moment) {
        let Some(id) = self.outcomes.remove(&number) else { return };
        let Some(list) = self.awaited.find_mut(&id) else { return };
        let Some(index) = list.iter().position(|awaited| awaited.number == number) else { return };
        let awaited = list.remove(index);
        let asked = awaited.cause.sequence.unwrap_or_default();
        let finding = findings::event::missing(&awaited.resource, awaited.operation, asked);
        let reading = self.desktops.find(&id).is_some_and(|desktop| desktop.open_sockets > 0);
        if reading {
            self.find_in(Whose::Session(id), None, None, Some(id), at, finding);
        }
    }

    /// The browser ended a TLS handshake.
    pub fn tls_refused(&mut self, spot: &Spot<'_>, alert: Option<&str>, sni: Option<&str>, port: u16) {
        if let Some(finding) = findings::tls::refused(alert, sni, port, spot.sequence) {
            self.find(spot, finding);
        }
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
        if let Some(finding) = findings::ping::slow(level, rtt_us, asked, spot.sequence) {
            self.find(spot, finding);
        }
        Some(rtt_us)
    }

    /// Something could not be read.
    pub fn undecoded(&mut self, spot: &Spot<'_>, layer: &'static str, why: &'static str) {
        self.find(spot, findings::decode::unread(layer, why, spot.sequence));
    }
}

fn http_date_ms(date: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp().as_millisecond())
}
