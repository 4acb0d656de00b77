//! What has passed, counted: by kind, by outcome, by time taken.
//!
//! Fed on the publisher's thread with each record's [`Facts`] and with the size of what was relayed; read at any time from
//! elsewhere. Labels come from this program's own lists of words, so their number is fixed and none of them is a value of
//! the traffic. Relaxed atomics: a reader may see one record's counts in part, the next reading has them all.

use crate::capture::Record;
use crate::capture::record::{Facts, words};
use crate::conn::Direction;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of a histogram's buckets, microseconds; a last one without bound follows.
pub const BOUNDS_US: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000,
];

/// The counts of a run.
#[derive(Debug)]
pub struct Counts {
    /// Events by `event.action`.
    pub events: Labelled,
    /// Stanzas by `finesse.xmpp.kind`, from browser to server and from server to browser.
    pub stanzas: [Labelled; 2],
    /// Findings by code.
    pub findings: Labelled,
    /// Findings that did not hold, by code: those above are to be lessened by them.
    pub revised: Labelled,
    /// Things that could not be read, by layer.
    pub decode_errors: Labelled,
    /// Connections closed, by how.
    pub closed: Labelled,
    /// WebSockets closed, by code ([`words::CLOSE_CODE`]).
    pub sockets_closed: Labelled,
    /// REST and other exchanges, by class of status ([`words::STATUS`]).
    pub exchanges: Labelled,
    /// TLS handshakes that failed, by leg.
    pub tls_failures: Labelled,
    /// From a WebSocket ping to its pong.
    pub ping: Histogram,
    /// From an XMPP ping to its answer.
    pub xmpp_ping: Histogram,
    /// From any other iq to its answer.
    pub iq: Histogram,
    /// From a request's first byte to its end.
    pub exchange: Histogram,
    /// From a request to the update it caused.
    pub update: Histogram,
    /// Payload relayed and decoded, from browser to server and from server to browser, bytes.
    pub decoded_bytes: [AtomicU64; 2],
    /// Payload relayed that the tap did not get, as far as its connections are closed, bytes.
    pub undecoded_bytes: AtomicU64,
    /// Values that the leak guard masked.
    pub masked: AtomicU64,
    opened: AtomicU64,
    sockets_opened: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            events: Labelled::of(words::ACTION),
            stanzas: [Labelled::of(words::XMPP_KIND), Labelled::of(words::XMPP_KIND)],
            findings: Labelled::of(&words::findings()),
            revised: Labelled::of(&words::findings()),
            decode_errors: Labelled::of(words::LAYER),
            closed: Labelled::of(words::HOW),
            sockets_closed: Labelled::of(words::CLOSE_CODE),
            exchanges: Labelled::of(words::STATUS),
            tls_failures: Labelled::of(words::LEG),
            ping: Histogram::default(),
            xmpp_ping: Histogram::default(),
            iq: Histogram::default(),
            exchange: Histogram::default(),
            update: Histogram::default(),
            decoded_bytes: Default::default(),
            undecoded_bytes: AtomicU64::new(0),
            masked: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            sockets_opened: AtomicU64::new(0),
        }
    }
}

impl Counts {
    /// Counts a record.
    pub fn record(&self, record: &Record) {
        self.events.add(record.action());
        let Facts { happened, finding, revised, layer, stanza, how, close, status, tls_failure, took_us, masked } =
            *record.facts();
        bump(&self.masked, masked);
        match happened {
            "connection-opened" => bump(&self.opened, 1),
            "websocket-opened" => bump(&self.sockets_opened, 1),
            _ => {}
        }
        let labelled = [
            (&self.findings, finding),
            (&self.revised, revised),
            (&self.decode_errors, layer),
            (&self.closed, how),
            (&self.sockets_closed, close),
            (&self.exchanges, status),
            (&self.tls_failures, tls_failure),
        ];
        for (counts, word) in labelled {
            word.into_iter().for_each(|word| counts.add(word));
        }
        if let (Some(kind), Some(direction)) = (stanza, record.direction()) {
            by(&self.stanzas, direction).add(kind);
        }
        let Some(took_us) = took_us else { return };
        let histogram = match (happened, record.keepalive()) {
            ("websocket-control", _) => &self.ping,
            ("http-exchange", _) => &self.exchange,
            ("finesse-update", _) => &self.update,
            (_, true) => &self.xmpp_ping,
            _ => &self.iq,
        };
        histogram.observe(took_us);
    }

    /// Counts relayed payload that is about to be decoded.
    pub fn decoded(&self, direction: Direction, bytes: usize) {
        bump(by(&self.decoded_bytes, direction), bytes as u64);
    }

    /// Counts relayed payload that will never be decoded.
    pub fn undecoded(&self, bytes: u64) {
        bump(&self.undecoded_bytes, bytes);
    }

    /// Connections accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Connections open.
    #[must_use]
    pub fn connections_open(&self) -> u64 {
        self.connections().saturating_sub(self.closed.total())
    }

    /// WebSockets opened.
    #[must_use]
    pub fn sockets(&self) -> u64 {
        self.sockets_opened.load(Ordering::Relaxed)
    }

    /// WebSockets open.
    #[must_use]
    pub fn sockets_open(&self) -> u64 {
        self.sockets().saturating_sub(self.sockets_closed.total())
    }
}

/// A count for each of a list of words.
#[derive(Debug)]
pub struct Labelled {
    counts: Box<[(&'static str, AtomicU64)]>,
}

impl Labelled {
    fn of(words: &[&'static str]) -> Self {
        Self { counts: words.iter().map(|word| (*word, AtomicU64::new(0))).collect() }
    }

    fn add(&self, word: &str) {
        if let Some((_, count)) = self.counts.iter().find(|(known, _)| *known == word) {
            bump(count, 1);
        }
    }

    /// Every word with its count, those at zero too.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(word, count)| (*word, count.load(Ordering::Relaxed)))
    }

    /// Of one word.
    #[must_use]
    pub fn of_word(&self, word: &str) -> u64 {
        self.each().find(|(known, _)| *known == word).map_or(0, |(_, count)| count)
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.each().map(|(_, count)| count).sum()
    }
}

/// Times taken, in buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    /// One a bound, and one above them all.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    fn observe(&self, us: u64) {
        let at = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
        if let Some(bucket) = self.buckets.get(at) {
            bump(bucket, 1);
        }
        bump(&self.sum_us, us);
    }

    /// How many took as long as each bound at the most; the last is how many there are.
    #[must_use]
    pub fn cumulative(&self) -> [u64; BOUNDS_US.len() + 1] {
        let mut sum = 0;
        self.buckets.each_ref().map(|bucket| {
            sum += bucket.load(Ordering::Relaxed);
            sum
        })
    }

    /// All times together, microseconds.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        self.sum_us.load(Ordering::Relaxed)
    }
}

fn by<T>([c2s, s2c]: &[T; 2], direction: Direction) -> &T {
    match direction {
        Direction::C2s => c2s,
        Direction::S2c => s2c,
    }
}

fn bump(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_their_buckets_bounds_included() {
        let histogram = Histogram::default();
        for us in [0, 1_000, 1_001, 30_000_000, 30_000_001] {
            histogram.observe(us);
        }
        let cumulative = histogram.cumulative();
        assert_eq!((cumulative[0], cumulative[1], cumulative[13], cumulative[14]), (2, 3, 4, 5));
        assert_eq!(histogram.sum_us(), 60_002_002);
    }

    #[test]
    fn a_word_that_is_on_no_list_is_not_counted() {
        let labelled = Labelled::of(&["a", "b"]);
        ["a", "c", "a", ""].into_iter().for_each(|word| labelled.add(word));
        assert_eq!(labelled.each().collect::<Vec<_>>(), [("a", 2), ("b", 0)]);
        assert_eq!((labelled.total(), labelled.of_word("c")), (2, 0));
    }
}
