//! How a shipper fares, for whoever asks meanwhile: counters, lag, the last error.
//!
//! Written by the shipper, read by metrics, progress and summaries. Counts since the shipper started.

use super::deliver::Settled;
use crate::clock;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared between a shipper and its readers.
#[derive(Debug, Default)]
pub struct Status {
    now: Mutex<Snapshot>,
    /// Events given up since one was taken. Here, because it outlives an attempt that ends for it.
    refused: Mutex<u64>,
}

/// How it fares at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The receiver, as `splunk https://…` or `elastic https://…`.
    pub receiver: String,
    /// What it is doing.
    pub state: State,
    /// Events the receiver has confirmed, those it knew already among them.
    pub delivered: u64,
    /// Bytes of their lines.
    pub delivered_bytes: u64,
    /// Events it knew already.
    pub duplicates: u64,
    /// Lines that will never be delivered: in the dead-letter file.
    pub dead_letters: u64,
    /// Batches confirmed.
    pub batches: u64,
    /// Requests that failed or were told to come later, and are tried again.
    pub errors: u64,
    /// The last of those errors, or why delivery stopped.
    pub last_error: Option<String>,
    /// Events read and not confirmed yet.
    pub in_flight: u64,
    /// Bytes in the capture files that are not confirmed; compressed files count compressed.
    pub lag_bytes: u64,
    /// About how many events those are, by the mean length of the lines so far.
    pub lag_events: u64,
    /// `@timestamp` of the oldest event that is read and not confirmed, microseconds since 1970; `None` if there is none.
    pub oldest_at_us: Option<i64>,
    /// Bytes of capture files that were removed before they were delivered.
    pub lost_bytes: u64,
}

/// What a shipper is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Nothing yet.
    #[default]
    Starting,
    /// Delivering, or waiting for events.
    Well,
    /// The receiver is not reached or refuses for now.
    Retrying,
    /// A person must change something.
    Stopped,
}

impl Snapshot {
    /// How long ago the oldest event that is not confirmed was seen; 0 if there is none.
    #[must_use]
    pub fn lag_seconds(&self) -> u64 {
        let age_us = self.oldest_at_us.map_or(0, |at_us| clock::now().wall_us.saturating_sub(at_us));
        u64::try_from(age_us / 1_000_000).unwrap_or(0)
    }
}

impl Status {
    /// Nothing done yet, for this receiver.
    #[must_use]
    pub fn new(receiver: String) -> Self {
        Self { now: Mutex::new(Snapshot { receiver, ..Snapshot::default() }), refused: Mutex::default() }
    }

    /// How it fares now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    /// Nothing will go well until a person changes something.
    pub fn stopped(&self, why: &str) {
        self.change(|now| {
            now.state = State::Stopped;
            now.last_error = Some(why.to_owned());
        });
    }

    /// Events refused for good since one was taken, this batch's among them; 0 if one of its own was taken. Those that make it
    /// `limit` are not given up, and will be counted when they are refused again.
    pub(super) fn refused_in_a_row(&self, batch: &Settled, limit: u64) -> u64 {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let in_a_row = if batch.delivered > 0 { 0 } else { *refused + batch.dead.len() as u64 };
        if in_a_row < limit {
            *refused = in_a_row;
        }
        in_a_row
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
