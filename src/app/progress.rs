//! How far a long reading has come, on a terminal only.

use crate::glyph::tame;
use std::io::{IsTerminal as _, Write as _};

const MEGABYTE: u64 = 1_000_000;
/// How often bytes are shown, megabytes.
const STEP_MEGABYTES: u64 = 10;

/// A line that is written over itself.
pub(super) struct Progress {
    what: String,
    is_shown: bool,
    /// What was shown last: percent, or megabytes.
    last: Option<u64>,
}

impl Progress {
    /// `what` is going on: `reading desktop.har`.
    pub(super) fn new(what: String) -> Self {
        Self { what: tame(&what).into_owned(), is_shown: std::io::stderr().is_terminal(), last: None }
    }

    /// `done` of `total`, whatever is counted.
    pub(super) fn at(&mut self, done: u64, total: u64) {
        self.show(done.saturating_mul(100) / total.max(1), "%");
    }

    /// `done` bytes of nobody knows how many.
    pub(super) fn bytes(&mut self, done: u64) {
        self.show(done / MEGABYTE / STEP_MEGABYTES * STEP_MEGABYTES, "MB");
    }

    /// Makes room for another line on the terminal.
    pub(super) fn hide(&mut self) {
        if self.last.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn show(&mut self, number: u64, unit: &str) {
        if self.is_shown && self.last != Some(number) {
            self.last = Some(number);
            let _ = write!(std::io::stderr(), "\r{} {number} {unit}\x1b[K", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}
