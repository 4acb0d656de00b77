//! The door: from what was seen, secrets included, to what may be written.
//!
//! [`Door::admit`] is the only way from an [`Observation`] to a [`Record`]: it redacts, numbers,
//! puts into words, encodes within the line limit, and has the leak guard look at the finished line. A sink takes nothing
//! but records, so forgetting to redact does not compile. Does no I/O and reads no clock.

pub mod event;
pub mod form;
mod gist;
pub mod guard;
mod json;
pub mod line;
pub mod observation;
pub mod record;
pub mod redact;
pub mod restrict;
pub mod rules;
pub mod token;
mod vocabulary;

pub use guard::Guard;
pub use record::{Level, Opening, Record};
pub use redact::Redactor;
pub use restrict::Restrictor;
pub use vocabulary::ACTION as ACTIONS;

use crate::clock::Moment;
use event::{Capture, Event, Observer, Setting, Treatment};
use observation::{Observation, What};
use record::Facts;
use std::borrow::Cow;

/// Makes records, numbered without holes from 1.
pub struct Door {
    redactor: Redactor,
    restrictor: Option<Restrictor>,
    observer: Option<String>,
    run: String,
    line_limit_bytes: usize,
    last_sequence: u64,
}

impl Door {
    /// `run` is the run's ULID, `line_limit_bytes` the longest line.
    #[must_use]
    pub fn new(redactor: Redactor, run: String, line_limit_bytes: usize) -> Self {
        Self { redactor, restrictor: None, observer: None, run, line_limit_bytes, last_sequence: 0 }
    }

    /// The same with levels stricter than `auth`, and the user's own rules, behind the redactor.
    #[must_use]
    pub fn restricting(self, restrictor: Restrictor) -> Self {
        Self { restrictor: Some(restrictor).filter(|restrictor| !restrictor.is_idle()), ..self }
    }

    /// The same with `observer.name` on every line.
    #[must_use]
    pub fn observed_by(self, name: String) -> Self {
        Self { observer: Some(name), ..self }
    }

    /// Redacts from now on as `other` would, in the same stream: run, numbers and session tokens stay.
    pub fn adopt(&mut self, other: Self) {
        self.redactor.at(other.redactor.level());
        self.restrictor = other.restrictor;
        self.observer = other.observer;
        self.line_limit_bytes = other.line_limit_bytes;
    }

    /// The sequence the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.last_sequence + 1
    }

    /// Redacts and encodes one observation. If its line still holds one of the connection's secrets, the record says so
    /// in its place (`redaction-blocked`).
    pub fn admit(&mut self, seen: &Observation<'_>, guard: &mut Guard) -> Record {
        let mut event = self.redactor.redact(seen, guard);
        self.restrict(&mut event);
        let record = self.finish(&mut event, seen);
        if !guard.finds_leak(&record.line) {
            return record;
        }
        self.last_sequence -= 1;
        let mut blocked = self.redactor.blocked(seen, record.action, record.line.len() as u64);
        self.restrict(&mut blocked);
        Record { facts: record.facts, ..self.finish(&mut blocked, seen) }
    }

    /// The first line of every capture file: version, settings in force, policy.
    #[must_use]
    pub fn opening(&mut self, settings: &[(String, String)]) -> Opening {
        let (settings, observer) = match &mut self.restrictor {
            Some(restrictor) => (
                restrictor.settings(settings),
                self.observer.as_deref().and_then(|name| restrictor.observer(Observer { name: Cow::Borrowed(name) })),
            ),
            None => (settings.to_vec(), self.observer.as_deref().map(|name| Observer { name: Cow::Borrowed(name) })),
        };
        let observer = observer.map(|observer| observer.name.into_owned());
        Opening { run: self.run.clone(), level: self.redactor.level(), observer, settings }
    }

    /// In place: an event is some 3 kB, and most need no more than this.
    fn restrict(&mut self, event: &mut Event<'_>) {
        event.observer = self.observer.clone().map(|name| Observer { name: Cow::Owned(name) });
        if let Some(restrictor) = &mut self.restrictor {
            *event = restrictor.restrict(std::mem::take(event));
        }
    }

    fn finish(&mut self, event: &mut Event<'_>, seen: &Observation<'_>) -> Record {
        self.last_sequence += 1;
        event.event.sequence = Some(self.last_sequence);
        event.event.id = format!("{}-{}", self.run, self.last_sequence);
        if let (What::Finding(found), Some(finding)) = (&seen.what, &mut event.finesse.finding) {
            finding.revises = found.revises.map(|(_, sequence)| format!("{}-{sequence}", self.run));
        }
        event.message = gist::gist(event);
        let facts = Facts::of(event);
        let mut line = Vec::with_capacity(1_024 + event.finesse.xml.as_ref().map_or(0, |xml| xml.len() * 5 / 4));
        line::encode(event, self.line_limit_bytes, &mut line);
        let who = seen.session.map(|s| s.id.to_string()).or(seen.peers.map(|p| p.conn.to_string()));
        Record {
            line,
            sequence: self.last_sequence,
            at: seen.at,
            action: event.event.action,
            level: match event.log.level {
                "error" => Level::Error,
                "warn" => Level::Warn,
                _ => Level::Info,
            },
            keepalive: event.finesse.keepalive,
            direction: seen.direction,
            who: who.unwrap_or_default(),
            agent: event.user.as_ref().map(|user| user.name.to_string()),
            advice: event.finesse.finding.as_ref().map(|finding| finding.advice),
            message: std::mem::take(&mut event.message),
            facts,
        }
    }
}

/// The `log-opened` event of one file.
fn log_opened(opening: &Opening, at: Moment, number: u32) -> Vec<u8> {
    let mut event = Event { timestamp: at, ..Event::default() };
    event.event.dataset = "finesse.event";
    event.event.kind = "event";
    event.event.action = "log-opened";
    event.event.types = &["info"];
    event.event.id = format!("{}-file-{number}", opening.run);
    event.observer = opening.observer.as_deref().map(|name| Observer { name: Cow::Borrowed(name) });
    let off = opening.level == rules::Level::Off;
    event.log.level = if off { "warn" } else { "info" };
    event.message = format!("capture file {number} of run {}, redaction {}", opening.run, opening.level);
    event.finesse.capture = Some(Box::new(Capture {
        version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
        run: Cow::Borrowed(&opening.run),
        settings: opening
            .settings
            .iter()
            .map(|(name, value)| Setting { name: Cow::Borrowed(name), value: Cow::Borrowed(value) })
            .collect(),
        file: u64::from(number),
        ..Capture::default()
    }));
    if let Some(capture) = &mut event.finesse.capture {
        log_opened_policy(capture, opening.level);
    }
    let mut line = Vec::new();
    line::encode(&mut event, line::MAX_LINE_BYTES, &mut line);
    line
}

/// What a level does, as a file's first line tells it.
fn log_opened_policy(capture: &mut Capture<'_>, level: rules::Level) {
    capture.policy = rules::Class::ALL
        .iter()
        .map(|class| Treatment {
            class: class.as_str(),
            covers: class.covers(),
            treatment: level.treatment(*class).as_str(),
        })
        .collect();
    let text: String = capture.policy.iter().map(|row| format!("{}={}\n", row.class, row.treatment)).collect();
    capture.policy_sha256 = hex_sha256(text.as_bytes());
    capture.note = match level {
        rules::Level::Off => {
            "NOT REDACTED: this file holds passwords and session cookies in the clear; do not hand it to anybody"
        }
        rules::Level::Auth => {
            "credentials were removed before anything was written; names, telephone numbers and customer data were not"
        }
        rules::Level::Share => {
            "credentials and customer data were removed; persons, telephones, hosts and teams are tokens, the same for the same"
        }
        rules::Level::Minimal => "credentials, persons, telephones, customer data and infrastructure were removed",
    };
}

fn hex_sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
