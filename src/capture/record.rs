//! A finished event: one redacted line and what a live view needs of it.
//!
//! Only the door of [`crate::capture`] makes one; a sink takes nothing else, so nothing reaches a sink unredacted.

use super::event::Event;
use crate::clock::Moment;
use crate::conn::Direction;

/// How much a person should care (`log.level`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Routine.
    Info,
    /// Something was lost, refused or unreadable.
    Warn,
    /// Something failed for the agent.
    Error,
}

/// One event, redacted and encoded.
#[derive(Debug)]
pub struct Record {
    pub(super) line: Vec<u8>,
    pub(super) sequence: u64,
    pub(super) at: Moment,
    pub(super) action: &'static str,
    pub(super) level: Level,
    pub(super) keepalive: bool,
    pub(super) direction: Option<Direction>,
    pub(super) who: String,
    pub(super) agent: Option<String>,
    pub(super) advice: Option<&'static str>,
    pub(super) message: String,
    pub(super) facts: Facts,
}

/// What of an event can be counted: words of this program's own ([`words`]) and times, no value of the traffic.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Facts {
    /// `event.action`.
    pub happened: &'static str,
    /// `finesse.finding.code`.
    pub finding: Option<&'static str>,
    /// The code of the finding that this one revises.
    pub revised: Option<&'static str>,
    /// `finesse.decode.layer`.
    pub layer: Option<&'static str>,
    /// `finesse.xmpp.kind`.
    pub stanza: Option<&'static str>,
    /// `finesse.conn.how`.
    pub how: Option<&'static str>,
    /// The code a WebSocket was closed with, one of [`words::CLOSE_CODE`].
    pub close: Option<&'static str>,
    /// The class of an exchange's status, one of [`words::STATUS`].
    pub status: Option<&'static str>,
    /// The leg on which a TLS handshake failed.
    pub tls_failure: Option<&'static str>,
    /// Of a pong, an answer, an exchange or an update: since its cause, microseconds.
    pub took_us: Option<u64>,
    /// Values that the leak guard masked.
    pub masked: u64,
}

impl Facts {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let happened = event.event.action;
        let finesse = &event.finesse;
        let ws = finesse.ws.as_ref();
        let xmpp = finesse.xmpp.as_ref();
        let exchange = (happened == "http-exchange").then_some(());
        let status = || event.http.as_ref()?.response.as_ref().map(|response| response.status_code);
        let took_us = match happened {
            "http-exchange" => event.event.duration.map(|ns| ns / 1_000),
            "finesse-update" => {
                finesse.update.as_ref().and_then(|update| update.caused_by.as_ref()).map(|cause| cause.latency_us)
            }
            "websocket-control" => ws.and_then(|ws| ws.rtt_us),
            _ => xmpp.and_then(|xmpp| xmpp.rtt_us),
        };
        Self {
            happened,
            finding: finesse.finding.as_ref().filter(|finding| finding.count > 0).map(|finding| finding.code),
            revised: finesse.finding.as_ref().and_then(|finding| finding.revised),
            layer: finesse.decode.as_ref().map(|decode| decode.layer),
            stanza: xmpp.map(|xmpp| xmpp.kind),
            how: finesse.conn.as_ref().and_then(|conn| conn.how),
            close: (happened == "websocket-closed")
                .then(|| words::close_code(ws.and_then(|ws| ws.close.as_ref()).map_or(1006, |close| close.code))),
            status: exchange.map(|()| words::status(status())),
            tls_failure: finesse.tls.as_ref().filter(|tls| tls.failed_by.is_some()).map(|tls| tls.leg),
            took_us,
            masked: finesse.redaction.map_or(0, |redaction| redaction.masked),
        }
    }
}

/// The lists that the words of [`Facts`] are from.
pub mod words {
    pub use crate::capture::vocabulary::{ACTION, HOW, LAYER, LEG, XMPP_KIND};
    use crate::session::findings::Code;

    /// Close codes that mean something here (RFC 6455 section 7.4.1), and any other.
    pub const CLOSE_CODE: &[&str] = &["1000", "1001", "1002", "1005", "1006", "1008", "1009", "1011", "other"];
    /// Classes of final status codes, and no answer at all.
    pub const STATUS: &[&str] = &["1xx", "2xx", "3xx", "4xx", "5xx", "other", "none"];

    /// The codes of findings.
    #[must_use]
    pub fn findings() -> Vec<&'static str> {
        Code::ALL.map(Code::as_str).to_vec()
    }

    pub(super) fn close_code(code: u16) -> &'static str {
        CLOSE_CODE.iter().find(|known| known.parse() == Ok(code)).copied().unwrap_or("other")
    }

    pub(super) fn status(status: Option<u16>) -> &'static str {
        match status.map(|status| status / 100) {
            Some(1) => "1xx",
            Some(2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(5) => "5xx",
            Some(_) => "other",
            None => "none",
        }
    }
}

impl Record {
    /// The NDJSON line, LF included.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// `event.sequence`.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// `@timestamp`.
    #[must_use]
    pub fn at(&self) -> Moment {
        self.at
    }

    /// `event.action`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// `log.level`.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether this is a keep-alive (ping, pong, white space), hidden from people unless asked for.
    #[must_use]
    pub fn keepalive(&self) -> bool {
        self.keepalive
    }

    /// `finesse.direction`.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.direction
    }

    /// The session (`s3`) or, before one is known, the connection (`c7`); empty for the program itself.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// `user.name`: the agent, once known.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// `finesse.finding.advice`.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        self.advice
    }

    /// `message`: the gist in plain words, free of control characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What of it can be counted.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The same as a finding about this agent.
    #[cfg(test)]
    pub(crate) fn as_finding(self, agent: &str, advice: &'static str) -> Self {
        Self { action: "finding", agent: Some(agent.to_owned()), advice: Some(advice), ..self }
    }

    /// A record as the door would make it, for tests of what stands behind the door.
    #[cfg(test)]
    pub(crate) fn for_test(sequence: u64, line: &str) -> Self {
        Self {
            line: format!("{line}\n").into_bytes(),
            sequence,
            at: Moment::default(),
            action: "xmpp-stanza",
            level: Level::Info,
            keepalive: false,
            direction: Some(Direction::S2c),
            who: "s1".into(),
            agent: None,
            advice: None,
            message: line.into(),
            facts: Facts::default(),
        }
    }
}

/// The first line of every capture file (`log-opened`): the same facts each time, under the file's own number. It stands
/// outside the numbered stream, so that a new file takes no sequence from it.
#[derive(Clone, Debug)]
pub struct Opening {
    pub(super) run: String,
    pub(super) level: super::policy::Level,
    pub(super) observer: Option<String>,
    pub(super) settings: Vec<(String, String)>,
}

impl Opening {
    /// The line for file `number` (1 …) opened at `at`: at least 1,024 bytes, unique within its first 256, LF included.
    #[must_use]
    pub fn line(&self, at: Moment, number: u32) -> Vec<u8> {
        super::log_opened(self, at, number)
    }

    /// An opening as the door would make it, for tests of what stands behind the door.
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self { run: "01TEST".into(), level: super::policy::Level::Auth, observer: None, settings: Vec::new() }
    }
}
