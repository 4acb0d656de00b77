//! How long a test waits for what must come.

use std::time::{Duration, Instant};

/// A moment from which on waiting is given up.
pub struct Deadline(Instant);

impl Deadline {
    /// So far from now.
    #[expect(clippy::disallowed_methods, reason = "waiting is not measuring: nothing that is checked depends on it")]
    pub fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// How long until then.
    #[expect(clippy::disallowed_methods, reason = "waiting is not measuring: nothing that is checked depends on it")]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has come.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
