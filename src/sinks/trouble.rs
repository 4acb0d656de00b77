//! Tells the operator once when an output begins to fail and once when it is well again, however often it is tried.

use crate::clock::{self, Moment};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a sink waits after a failed attempt.
pub(super) const BACK_OFF: Duration = Duration::from_secs(1);

/// Whether an output is failing.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<Moment>,
}

impl Trouble {
    /// An attempt failed.
    pub(super) fn begin(&mut self, output: &Path, error: &io::Error) {
        if self.since.is_none() {
            self.since = Some(clock::now());
            tracing::warn!(output = %output.display(), %error, "capture cannot be written; events wait, traffic flows");
        }
    }

    /// An attempt succeeded.
    pub(super) fn end(&mut self, output: &Path) {
        if let Some(since) = self.since.take() {
            let failed_ms = clock::now().ms_since(since);
            tracing::info!(output = %output.display(), failed_ms, "capture is written again");
        }
    }
}
