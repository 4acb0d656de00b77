//! The redactor: an [`Observation`] with its secrets becomes an [`Event`] without them, and so does a stored line.
//!
//! What was seen is put into an event's fields as it is, by one file for each kind of thing; then every field is treated by what
//! its type says it is ([`Treat`]). One way for all levels, for live traffic and for stored captures. Does no I/O and reads no
//! clock.

mod finding;
mod http2;
mod stored;
mod stream;
mod update;
mod wire;
mod xmpp;

pub use stored::{Explained, Foreign, Kept, Picked};

use super::event::{
    Classed, Conn, Decode, Endpoint, Event, Fault, Gap, Id, Network, Note, Observer, Redaction, Stream, Treat, User, Ws,
};
use super::guard::Guard;
use super::observation::{Observation, What};
use super::policy::user::UserRules;
use super::policy::{self, Class, Level};
use super::token::Tokens;
use super::walk::{Pass, Tally};
use crate::conn::Carrier;

/// Turns observations and stored lines into events at one redaction level.
pub struct Redactor {
    level: Level,
    tokens: Tokens,
    rules: UserRules,
    tally: Tally,
}

impl Redactor {
    /// A redactor with a fresh token key.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn new(level: Level) -> Result<Self, ring::error::Unspecified> {
        Ok(Self::with(level, Tokens::random()?, UserRules::default()))
    }

    /// A redactor whose tokens are the same in every run with the same key.
    ///
    /// # Errors
    /// The key could not be derived.
    pub fn with_key(level: Level, key: &[u8; 32]) -> Result<Self, ring::error::Unspecified> {
        Ok(Self::with(level, Tokens::under(key)?, UserRules::default()))
    }

    /// A redactor with these tokens and the user's own rules.
    #[must_use]
    pub fn with(level: Level, tokens: Tokens, rules: UserRules) -> Self {
        Self { level, tokens, rules, tally: Tally::default() }
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// What was removed so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// SHA-256 over the treatment of every class at this level and the user's rules, hex.
    #[must_use]
    pub fn policy_sha256(&self) -> String {
        let row = |class: &Class| format!("{}={}\n", class.as_str(), self.level.treatment(*class).as_str());
        let rows: String = Class::ALL.iter().map(row).collect();
        super::hex_sha256((rows + &self.rules.text()).as_bytes())
    }

    /// Redacts from now on as `other` would; tokens stay what they are, unless `other` begins to make tokens for persons.
    pub(super) fn adopt(&mut self, other: Self) {
        if self.level != Level::Share && other.level == Level::Share {
            self.tokens = other.tokens;
        }
        (self.level, self.rules) = (other.level, other.rules);
    }

    /// Redacts one observation. What it removes, the `guard` of its client and server remembers.
    pub(super) fn redact<'o>(
        &mut self,
        seen: &Observation<'o>,
        observer: Option<&str>,
        guard: &mut Guard,
    ) -> Event<'o> {
        let mut event = event(seen, self.level);
        event.observer = observer.map(|name| Observer { name: Classed::new(name.to_owned()) });
        self.treat(&mut event, seen.user, guard);
        event
    }

    /// Treats every field of an event, and says in it how many values went.
    pub(super) fn treat(&mut self, event: &mut Event<'_>, user: Option<&str>, guard: &mut Guard) {
        let mut pass = self.pass(user, guard);
        event.treat(&mut pass);
        let count = pass.count;
        let before = event.finesse.redaction;
        if count > 0 || before.is_some() {
            let before = before.unwrap_or_default();
            // A line that is stricter already does not become less so.
            let level = self.level.max(before.level.parse().unwrap_or_default());
            event.finesse.redaction = Some(Redaction { level: level.as_str(), count: before.count + count, ..before });
        }
        if guard.take_unsearchable() {
            let told = event
                .finesse
                .redaction
                .get_or_insert_with(|| Redaction { level: self.level.as_str(), ..Redaction::default() });
            told.unsearchable = true;
        }
    }

    /// Masks what the guard knows in every text of an event; how many were.
    pub(super) fn mask(&mut self, event: &mut Event<'_>, guard: &mut Guard) -> u64 {
        let level = self.level.as_str();
        let mut pass = Pass { masks: true, ..self.pass(None, guard) };
        event.treat(&mut pass);
        let masked = pass.masked;
        if masked > 0 {
            let told = event.finesse.redaction.get_or_insert_with(|| Redaction { level, ..Redaction::default() });
            told.masked += masked;
            *self.tally.removed.entry(Class::Credential).or_default() += masked;
        }
        masked
    }

    /// One text treated as what it is said to be.
    pub fn text(&mut self, what: policy::What, text: &str) -> String {
        self.pass(None, &mut Guard::default()).value(what, "", text).into_owned()
    }

    fn pass<'r>(&'r mut self, user: Option<&'r str>, guard: &'r mut Guard) -> Pass<'r> {
        let Self { level, tokens, rules, tally } = self;
        Pass {
            level: *level,
            tokens,
            rules,
            tally,
            guard,
            user,
            count: 0,
            is_clean: false,
            is_broken: false,
            masks: false,
            masked: 0,
            judged: None,
        }
    }
}

/// What was seen as an event, nothing removed.
fn event<'o>(seen: &Observation<'o>, level: Level) -> Event<'o> {
    let mut event = Event { timestamp: seen.at, ..Event::default() };
    event.event.dataset = "finesse.event";
    event.event.kind = "event";
    event.log.level = "info";
    place(seen, &mut event);
    let removes = match &seen.what {
        What::Opened(opened) => wire::opened(opened, &mut event),
        What::Tls(handshake) => wire::tls(handshake, &mut event),
        What::Closed { closed, duration_ns, http2: count } => {
            let removes = wire::closed(closed, *duration_ns, &mut event);
            if let (Some(conn), Some(count)) = (&mut event.finesse.conn, count) {
                conn.http2 = Some(http2::count(*count));
            }
            removes
        }
        What::Http2(item) => http2::http2(item, &mut event),
        What::Exchange(exchange) => wire::exchange(level, exchange, &mut event),
        What::WebSocketOpened { exchange, edits, handshake } => {
            wire::websocket_opened(exchange, edits, handshake, &mut event)
        }
        What::WebSocketClosed(end) => wire::websocket_closed(end, &mut event),
        What::StreamOpened { sid, terms } => stream::opened(*sid, *terms, &mut event),
        What::StreamClosed(end) => stream::closed(end, &mut event),
        What::Space => stream::space(&mut event),
        What::Message { message, keepalive } => wire::message(message, *keepalive, &mut event),
        What::Control { control, rtt_us, idle_ms } => {
            wire::control(control, *rtt_us, *idle_ms, seen.direction, &mut event)
        }
        What::Stanza(stanza) => xmpp::stanza(stanza, &mut event),
        What::Finding(found) => finding::finding(found, &mut event),
        What::Summary(summary) => finding::summary(summary, &mut event),
        What::Undecoded { layer, offset, why, opaque } => {
            event.event.action = "decode-error";
            event.event.category = &["network"];
            event.event.types = &["protocol", "error"];
            event.log.level = "warn";
            event.error = Some(Fault { kind: None, code: None, message: Some(Classed::new(*why)) });
            event.finesse.decode = Some(Decode { layer, offset: *offset, opaque: *opaque });
            Removes::Nothing
        }
        What::Note(text) => {
            event.event.action = "note";
            event.finesse.note = Some(Note { text: Classed::new(*text) });
            Removes::Nothing
        }
        What::Gap { place, code, why, events, bytes, sequences } => {
            event.event.action = "capture-gap";
            event.event.kind = "pipeline_error";
            event.log.level = "warn";
            let (code, message) = (Some(Classed::new(*code)), Some(Classed::new(*why)));
            event.error = Some(Fault { kind: None, code, message });
            event.finesse.gap = Some(Gap {
                at: Classed::new(place.clone()),
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
        event.finesse.redaction = Some(Redaction { level: level.as_str(), ..Redaction::default() });
    }
    event
}

/// Where it was seen: connection, socket, session, agent.
fn place<'o>(seen: &Observation<'o>, event: &mut Event<'o>) {
    if let Some(session) = seen.session {
        event.trace = Some(Id { id: Classed::new(format!("{:032x}", session.trace)) });
        event.finesse.session = Some(Id { id: Classed::new(session.id.to_string()) });
    }
    event.user = seen.user.map(|name| User { name: Classed::new(name) });
    event.finesse.direction = seen.direction.map(|direction| direction.as_str());
    if let Some(stream) = seen.stream {
        let id = stream.to_string();
        match stream.carrier {
            Carrier::WebSocket => event.finesse.ws = Some(Ws { id: Classed::new(id), ..Ws::default() }),
            Carrier::Bosh | Carrier::Tcp => {
                event.finesse.stream = Some(Box::new(Stream { id: Classed::new(id), ..Stream::default() }));
            }
        }
    }
    let Some(peers) = seen.peers else { return };
    event.finesse.conn = Some(Conn { id: Classed::new(peers.conn.to_string()), ..Conn::default() });
    event.client = Some(Endpoint {
        domain: None,
        ip: Some(Classed::new(peers.client.ip().to_string())),
        port: peers.client.port(),
    });
    event.server =
        Some(Endpoint { domain: Some(Classed::new(&*peers.server.host)), ip: None, port: peers.server.port });
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

/// Whether a kind of event carries payload that the policy was applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removes {
    Nothing,
    Payload,
}
