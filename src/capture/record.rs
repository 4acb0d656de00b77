//! A finished event: one redacted line and what a live view needs of it.
//!
//! Only the door of [`crate::capture`] makes one; a sink takes nothing else, so nothing reaches a sink unredacted.

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
    pub(super) message: String,
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

    /// `message`: the gist in plain words, free of control characters.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
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
            message: line.into(),
        }
    }
}

/// The first line of every capture file (`log-opened`): the same facts each time, under the file's own number. It stands
/// outside the numbered stream, so that a new file takes no sequence from it.
#[derive(Clone, Debug)]
pub struct Opening {
    pub(super) run: String,
    pub(super) level: super::rules::Level,
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
        Self { run: "01TEST".into(), level: super::rules::Level::Auth, observer: None, settings: Vec::new() }
    }
}
