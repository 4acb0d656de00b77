//! The one place that reads a clock.
//!
//! Turns "now" into a [`Moment`], which the edges stamp on bytes as they read them; everything below takes time as an
//! argument. Wall time goes into `@timestamp`, monotonic time into durations.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When something happened, on both clocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Moment {
    /// Wall clock: microseconds since 1970-01-01T00:00:00Z.
    pub wall_us: i64,
    /// Monotonic clock: nanoseconds since the program first looked.
    pub mono_ns: u64,
}

impl Moment {
    /// Nanoseconds from `earlier` to this moment on the monotonic clock; 0 if `earlier` is later.
    #[must_use]
    pub fn ns_since(self, earlier: Self) -> u64 {
        self.mono_ns.saturating_sub(earlier.mono_ns)
    }

    /// Time from `earlier` to this moment on the monotonic clock; none if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.ns_since(earlier))
    }

    /// Microseconds from `earlier` to this moment on the monotonic clock; 0 if `earlier` is later.
    #[must_use]
    pub fn us_since(self, earlier: Self) -> u64 {
        self.ns_since(earlier) / 1_000
    }

    /// Milliseconds from `earlier` to this moment on the monotonic clock; 0 if `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.ns_since(earlier) / 1_000_000
    }

    /// This moment moved by `by` on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        Self {
            wall_us: self.wall_us.saturating_add(i64::try_from(ns / 1_000).unwrap_or(i64::MAX)),
            mono_ns: self.mono_ns.saturating_add(ns),
        }
    }
}

/// Reads both clocks.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn now() -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment {
        wall_us: i64::try_from(wall.as_micros()).unwrap_or(i64::MAX),
        mono_ns: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
    }
}
