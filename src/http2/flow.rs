//! Flow control (RFC 9113 section 5.2) as it can be seen from outside: how much either side may still send, and for how long
//! it may send nothing though it is not done.
//!
//! A sender that used its window to the last byte waits with more in hand: senders stop there for no other reason. Told when
//! it may go on, or when it never could.

use crate::clock::Moment;
use std::time::Duration;

/// What a window begins with, bytes.
pub(super) const DEFAULT_BYTES: i64 = 65_535;
/// A wait that is told.
pub(super) const LONG: Duration = Duration::from_secs(5);

/// What one side may still send, on a stream or on a connection.
#[derive(Clone, Copy)]
pub(super) struct Window {
    left: i64,
    /// Since when nothing.
    closed: Option<Moment>,
}

impl Window {
    pub(super) fn new(bytes: i64) -> Self {
        Self { left: bytes, closed: None }
    }

    /// So many bytes were sent.
    pub(super) fn used(&mut self, bytes: usize, at: Moment) {
        self.left = self.left.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
        if self.left <= 0 {
            self.closed.get_or_insert(at);
        }
    }

    /// The receiver takes so many more, or less after a setting; how long that was waited for, if it was long.
    pub(super) fn add(&mut self, bytes: i64, at: Moment) -> Option<Duration> {
        self.left = self.left.saturating_add(bytes);
        if self.left > 0 {
            return self.over(at);
        }
        None
    }

    /// Nothing more is sent; how long that could not be, if it was long.
    pub(super) fn over(&mut self, at: Moment) -> Option<Duration> {
        let waited = Duration::from_nanos(at.ns_since(self.closed.take()?));
        (waited >= LONG).then_some(waited)
    }
}
