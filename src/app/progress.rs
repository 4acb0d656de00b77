//! How far a long reading has come, on a terminal only.

use std::io::{IsTerminal as _, Write as _};

/// A line that is written over itself.
pub(super) struct Progress {
    what: String,
    is_shown: bool,
    percent: Option<u64>,
}

impl Progress {
    /// `what` is going on: `reading desktop.har`.
    pub(super) fn new(what: String) -> Self {
        Self { what, is_shown: std::io::stderr().is_terminal(), percent: None }
    }

    /// `done` of `total`, whatever is counted.
    pub(super) fn at(&mut self, done: u64, total: u64) {
        let percent = done.saturating_mul(100) / total.max(1);
        if self.is_shown && self.percent != Some(percent) {
            self.percent = Some(percent);
            let _ = write!(std::io::stderr(), "\r{} {percent} %\x1b[K", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.percent.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
