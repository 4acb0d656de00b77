//! The redactor: an [`Observation`] with its secrets becomes an [`Event`] without them.
//!
//! The one way from what was seen to what may be written. Works on parsed structures by allow-list
//! ([`rules`](super::rules)); what could not be parsed is measured, not written. Does no I/O and reads no clock.

mod finding;
mod http;
mod json;
pub(super) mod pattern;
pub(super) mod scrub;
mod stream;
mod update;
mod url;
mod wire;
mod xml;
mod xmpp;

use super::event::{Conn, Decode, Endpoint, Event, Gap, Id, Network, Redaction, Stream, User, Ws};
use super::guard::Guard;
use super::observation::{Observation, What};
use super::rules::Level;
use super::token::Tokens;
use crate::conn::Carrier;
use scrub::Scrub;
use std::borrow::Cow;

/// Turns observations into events at one redaction level.
pub struct Redactor {
    level: Level,
    tokens: Tokens,
}

impl Redactor {
    /// A redactor with a fresh token key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn new(level: Level) -> Result<Self, ring::error::Unspecified> {
        Ok(Self { level, tokens: Tokens::random()? })
    }

    /// A redactor whose tokens are the same in every run with the same key.
    ///
    /// # Errors
    /// The key could not be derived.
    pub fn with_key(level: Level, key: &[u8; 32]) -> Result<Self, ring::error::Unspecified> {
        Ok(Self { level, tokens: Tokens::under(key)? })
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Changes the level; tokens stay what they are.
    pub(super) fn at(&mut self, level: Level) {
        self.level = level;
    }

    /// Redacts one observation. What it removes, the connection's `guard` remembers.
    pub(super) fn redact<'o>(&self, seen: &Observation<'o>, guard: &mut Guard) -> Event<'o> {
        let mut event = Event { timestamp: seen.at, ..Event::default() };
        event.event.dataset = "finesse.event";
        event.event.kind = "event";
        event.log.level = "info";
        self.place(seen, &mut event);
        let mut scrub = Scrub {
            level: self.level.min(Level::Auth),
            tokens: &self.tokens,
            guard,
            user: seen.user,
            count: 0,
            is_clean: false,
        };
        let removes = match &seen.what {
            What::Opened(opened) => wire::opened(opened, &mut event),
            What::Tls(handshake) => wire::tls(&mut scrub, handshake, &mut event),
            What::Closed { closed, duration_ns } => wire::closed(&mut scrub, closed, *duration_ns, &mut event),
            What::Exchange(exchange) => wire::exchange(&mut scrub, exchange, &mut event),
            What::WebSocketOpened { exchange, edits, handshake } => {
                wire::websocket_opened(&mut scrub, exchange, edits, handshake, &mut event)
            }
            What::WebSocketClosed(end) => wire::websocket_closed(&mut scrub, end, &mut event),
            What::StreamOpened { sid, terms } => stream::opened(&mut scrub, *sid, *terms, &mut event),
            What::StreamClosed(end) => stream::closed(end, &mut event),
            What::Space => stream::space(&mut event),
            What::Message { message, keepalive } => wire::message(&mut scrub, message, *keepalive, &mut event),
            What::Control { control, rtt_us, idle_ms } => {
                wire::control(&mut scrub, control, *rtt_us, *idle_ms, seen.direction, &mut event)
            }
            What::Stanza(stanza) => xmpp::stanza(&mut scrub, stanza, &mut event),
            What::Finding(found) => finding::finding(&mut scrub, found, &mut event),
            What::Summary(summary) => finding::summary(&mut scrub, summary, &mut event),
            What::Undecoded { layer, offset, why, opaque } => {
                event.event.action = "decode-error";
                event.event.category = &["network"];
                event.event.types = &["protocol", "error"];
                event.log.level = "warn";
                event.error = Some(super::event::Fault { kind: None, code: None, message: Some(Cow::Borrowed(*why)) });
                event.finesse.decode = Some(Decode { layer, offset: *offset, opaque: *opaque });
                Removes::Nothing
            }
            What::Gap { place, code, why, events, bytes, sequences } => {
                event.event.action = "capture-gap";
                event.event.kind = "pipeline_error";
                event.log.level = "warn";
                let (code, message) = (Some(Cow::Borrowed(*code)), Some(Cow::Borrowed(*why)));
                event.error = Some(super::event::Fault { kind: None, code, message });
                event.finesse.gap = Some(Gap {
                    at: place.clone(),
                    events: *events,
                    bytes: *bytes,
                    first_sequence: sequences.map(|(first, _)| first),
                    last_sequence: sequences.map(|(_, last)| last),
                    relay_affected: false,
                });
                Removes::Nothing
            }
        };
        if removes == Removes::Payload {
            event.finesse.redaction = Some(Redaction { level: self.level.as_str(), count: scrub.count });
        }
        event
    }

    /// What stands in for an event whose finished line held a secret.
    pub(super) fn blocked<'o>(&self, seen: &Observation<'o>, action: &'static str, line_bytes: u64) -> Event<'o> {
        let mut event = Event { timestamp: seen.at, ..Event::default() };
        event.event.dataset = "finesse.event";
        event.event.kind = "pipeline_error";
        event.event.action = "redaction-blocked";
        event.log.level = "warn";
        self.place(seen, &mut event);
        let why = "a secret seen on this connection was found in the finished line, which is withheld";
        event.error = Some(super::event::Fault {
            kind: Some(Cow::Borrowed(action)),
            code: None,
            message: Some(Cow::Borrowed(why)),
        });
        event.finesse.gap = Some(Gap {
            at: String::from("redaction"),
            events: 1,
            bytes: line_bytes,
            first_sequence: None,
            last_sequence: None,
            relay_affected: false,
        });
        event
    }

    /// Where it was seen: connection, socket, session, agent.
    fn place<'o>(&self, seen: &Observation<'o>, event: &mut Event<'o>) {
        if let Some(session) = seen.session {
            event.trace = Some(Id { id: Cow::Owned(format!("{:032x}", session.trace)) });
            event.finesse.session = Some(Id { id: Cow::Owned(session.id.to_string()) });
        }
        event.user = seen.user.map(|name| User { name: clip(Cow::Borrowed(name)) });
        event.finesse.direction = seen.direction.map(|direction| direction.as_str());
        if let Some(stream) = seen.stream {
            let id = stream.to_string();
            match stream.carrier {
                Carrier::WebSocket => event.finesse.ws = Some(Ws { id, ..Ws::default() }),
                Carrier::Bosh | Carrier::Tcp => {
                    event.finesse.stream = Some(Box::new(Stream { id, ..Stream::default() }));
                }
            }
        }
        let Some(peers) = seen.peers else { return };
        event.finesse.conn = Some(Conn { id: peers.conn.to_string(), ..Conn::default() });
        event.client = Some(Endpoint {
            domain: None,
            ip: Some(Cow::Owned(peers.client.ip().to_string())),
            port: peers.client.port(),
        });
        event.server =
            Some(Endpoint { domain: Some(Cow::Borrowed(&peers.server.host)), ip: None, port: peers.server.port });
        let protocol = match seen.what {
            What::Opened(_) | What::Closed { .. } => None,
            What::Tls(_) => Some("tls"),
            What::Finding(_) | What::Summary(_) => None,
            What::Exchange(_) => Some("http"),
            _ => Some(match seen.stream.map(|id| id.carrier) {
                Some(Carrier::WebSocket) => "websocket",
                Some(Carrier::Bosh) => "bosh",
                Some(Carrier::Tcp) => "xmpp",
                None => "http",
            }),
        };
        let transport = matches!(protocol, None | Some("xmpp")).then_some("tcp");
        event.network = Some(Network { transport, protocol, application: "finesse" });
    }
}

/// Whether a kind of event carries payload that the policy was applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removes {
    Nothing,
    Payload,
}

/// Longest identifier (JID, stanza id, node, state …) written, bytes.
const MAX_NAME_BYTES: usize = 256;

/// Cuts an identifier that no honest peer would send so long.
fn clip(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_NAME_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(MAX_NAME_BYTES);
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}
