//! How long to wait before the next try: doubling with full jitter, and never less than the receiver asks for.
//!
//! Pure but for the random numbers. Every wait is bounded, whatever `Retry-After` says (RFC 9110 section 10.2.3).

use ring::rand::{SecureRandom as _, SystemRandom};
use std::time::Duration;

/// Longest wait that a receiver can ask for: a mistaken `Retry-After` must not stop delivery for a year.
const ASKED_MAX: Duration = Duration::from_secs(600);

/// The waits of one chain of tries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits between 0 and `base` after the first failure, twice that after the second, up to `cap`.
    #[must_use]
    pub(super) fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0 }
    }

    /// The wait after another failure; `asked` is what the receiver wants at least.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let ceiling = self.base.saturating_mul(1 << self.failures.min(20)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        match asked {
            // Beside what was asked for, so that all who were told the same do not come back together.
            Some(asked) => asked.min(ASKED_MAX) + share_of(self.base.min(self.cap)),
            None => share_of(ceiling),
        }
    }

    /// Something went well.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// What a `Retry-After` field asks for: seconds, or an HTTP date (RFC 9110 section 5.6.7) as seen at `now_s` (Unix time).
#[must_use]
pub(super) fn retry_after(field: &str, now_s: i64) -> Option<Duration> {
    let field = field.trim();
    if let Ok(seconds) = field.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(field).ok()?;
    Some(Duration::from_secs(u64::try_from(at.as_second().saturating_sub(now_s)).unwrap_or(0)))
}

/// A random part of `whole`.
fn share_of(whole: Duration) -> Duration {
    let mut bytes = [0; 4];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return whole;
    }
    whole.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        for ceiling_ms in [100, 200, 400, 800, 1600, 2000, 2000] {
            assert!(backoff.next(None) <= Duration::from_millis(ceiling_ms));
        }
        (0..100).for_each(|_| assert!(backoff.next(None) <= Duration::from_secs(2)));
        backoff.reset();
        assert!(backoff.next(None) <= Duration::from_millis(100));
    }

    #[test]
    fn the_whole_range_is_used() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        let waits: Vec<_> = (0..200).map(|_| backoff.next(None)).collect();
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(300)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(700)));
    }

    #[test]
    fn what_the_receiver_asks_for_is_honoured_within_reason() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        assert!(backoff.next(Some(Duration::from_secs(7))) >= Duration::from_secs(7));
        assert!(backoff.next(Some(Duration::from_secs(1 << 40))) <= ASKED_MAX + Duration::from_secs(1));
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = 784_111_777;
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
