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

    /// Whether it has come.
    #[expect(clippy::disallowed_methods, reason = "waiting is not measuring: nothing that is checked depends on it")]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.0
    }
}
