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
pub mod policy;
pub mod record;
pub mod redact;
pub mod token;
mod vocabulary;
pub mod walk;

pub use guard::Guards;
pub use record::{Level, Opening, Record};
pub use redact::Redactor;
pub use vocabulary::ACTION as ACTIONS;

use crate::clock::Moment;
use event::{Capture, Classed, Event, Observer, Setting, Treatment};
use observation::{Observation, What};
use record::Facts;
use std::borrow::Cow;

/// Makes records, numbered without holes from 1.
pub struct Door {
    redactor: Redactor,
    guards: Guards,
    observer: Option<String>,
    run: String,
    line_limit_bytes: usize,
    last_sequence: u64,
}

impl Door {
    /// `run` is the run's ULID, `line_limit_bytes` the longest line.
    #[must_use]
    pub fn new(redactor: Redactor, run: String, line_limit_bytes: usize) -> Self {
        Self { redactor, guards: Guards::default(), observer: None, run, line_limit_bytes, last_sequence: 0 }
    }

    /// The same with `observer.name` on every line.
    #[must_use]
    pub fn observed_by(self, name: String) -> Self {
        Self { observer: Some(name), ..self }
    }

    /// Redacts from now on as `other` would, in the same stream: run, numbers, session tokens and known secrets stay.
    pub fn adopt(&mut self, other: Self) {
        self.redactor.adopt(other.redactor);
        self.observer = other.observer;
        self.line_limit_bytes = other.line_limit_bytes;
    }

    /// The sequence the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.last_sequence + 1
    }

    /// Redacts and encodes one observation. If its line still holds a secret that was seen between the same client and server,
    /// that is masked.
    pub fn admit(&mut self, seen: &Observation<'_>) -> Record {
        let guard = self.guards.of(seen.peers);
        let mut event = self.redactor.redact(seen, self.observer.as_deref(), guard);
        self.last_sequence += 1;
        event.event.sequence = Some(self.last_sequence);
        event.event.id = format!("{}-{}", self.run, self.last_sequence);
        if let (What::Finding(found), Some(finding)) = (&seen.what, &mut event.finesse.finding) {
            finding.revises = found.revises.map(|(_, sequence)| Classed::new(format!("{}-{sequence}", self.run)));
        }
        event.message = gist::gist(&event);
        let mut line = Vec::with_capacity(1_024 + event.finesse.xml.as_ref().map_or(0, |xml| xml.len() * 5 / 4));
        let mut facts = Facts::of(&event);
        line::encode(&mut event, self.line_limit_bytes, &mut line);
        if guard.finds_leak(&line) && self.redactor.mask(&mut event, guard) > 0 {
            event.message = gist::gist(&event);
            facts.masked = event.finesse.redaction.map_or(0, |redaction| redaction.masked);
            line::encode(&mut event, self.line_limit_bytes, &mut line);
        }
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

    /// The first line of every capture file: version, settings in force, policy.
    #[must_use]
    pub fn opening(&mut self, settings: &[(String, String)]) -> Opening {
        let setting = |(name, value): &(String, String)| Setting {
            name: Cow::Owned(name.clone()),
            value: Cow::Owned(value.clone()),
        };
        let observer = self.observer.as_deref().map(|name| Observer { name: Classed::new(name) });
        let mut event = Event { observer, ..Event::default() };
        let settings = settings.iter().map(setting).collect();
        event.finesse.capture = Some(Box::new(Capture { settings, ..Capture::default() }));
        self.redactor.treat(&mut event, None, self.guards.of(None));
        let settings = event.finesse.capture.map(|capture| capture.settings).unwrap_or_default();
        Opening {
            run: self.run.clone(),
            level: self.redactor.level(),
            observer: event.observer.map(|observer| observer.name.to_string()),
            settings: settings
                .into_iter()
                .map(|Setting { name, value }| (name.into_owned(), value.into_owned()))
                .collect(),
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
    event.observer = opening.observer.as_deref().map(|name| Observer { name: Classed::new(name) });
    let off = opening.level == policy::Level::Off;
    event.log.level = if off { "warn" } else { "info" };
    event.message = format!("capture file {number} of run {}, redaction {}", opening.run, opening.level);
    event.finesse.capture = Some(Box::new(Capture {
        version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
        run: Classed::new(&*opening.run),
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
fn log_opened_policy(capture: &mut Capture<'_>, level: policy::Level) {
    capture.policy = policy::Class::ALL
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
        policy::Level::Off => {
            "NOT REDACTED: this file holds passwords and session cookies in the clear; do not hand it to anybody"
        }
        policy::Level::Auth => {
            "credentials and session identifiers were removed before anything was written; names, telephone numbers and customer data were not, and values of names that no rule knows stay in Finesse's XML and JSON unless they look secret"
        }
        policy::Level::Share => {
            "credentials, customer data and unknown values were removed; persons, telephones, hosts, teams and words of sentences that no list knows are tokens, the same for the same: as strict as a bundle"
        }
        policy::Level::Minimal => {
            "credentials, persons, telephones, customer data, infrastructure, unknown values and words of sentences that no list knows were removed: as strict as a bundle"
        }
    };
}

fn hex_sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
