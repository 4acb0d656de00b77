//! What was lost, counted: the arithmetic of gaps.
//!
//! A [`Tally`] counts records, a [`Loss`] is a tally one sink lost for one reason, a [`Lot`] is what shares one fate.
//! Knows no queue and no sink.

use super::Item;

/// Why records did not reach a sink's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The sink fell behind (a slow or full disk, a slow reader) until its queue was full.
    QueueFull,
    /// They were written to a file that somebody removed or replaced.
    FileVanished,
    /// Their file was removed to make room before every receiver had it.
    Removed,
    /// Nobody reads the output any more.
    OutputClosed,
    /// The program ended before they could be written.
    Shutdown,
}

impl Why {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::FileVanished => "file_vanished",
            Self::Removed => "removed_undelivered",
            Self::OutputClosed => "output_closed",
            Self::Shutdown => "shutdown",
        }
    }

    /// As a person reads it.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::QueueFull => "the sink fell behind until its queue was full",
            Self::FileVanished => "the file they were written to was removed or replaced",
            Self::Removed => "their file was removed to make room before every receiver had it",
            Self::OutputClosed => "nobody reads the output any more",
            Self::Shutdown => "the program ended before they could be written",
        }
    }
}

/// A count of records.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// How many.
    pub events: u64,
    /// Bytes of their lines.
    pub bytes: u64,
    /// The lowest sequence among them; 0 if there are none, or not all are of this run.
    pub first: u64,
    /// The highest sequence among them; 0 if there are none.
    pub last: u64,
}

impl Tally {
    /// Counts one record.
    pub fn add(&mut self, sequence: u64, line_bytes: usize) {
        self.merge(Self { events: 1, bytes: line_bytes as u64, first: sequence, last: sequence });
    }

    /// Counts those of `other` too.
    pub fn merge(&mut self, other: Self) {
        if other.events == 0 {
            return;
        }
        if self.events == 0 {
            *self = other;
            return;
        }
        self.events += other.events;
        self.bytes += other.bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    /// Counts `part`, which is the oldest or the newest of those counted, no more.
    pub(super) fn take_out(&mut self, part: Self) {
        if part.events == 0 {
            return;
        }
        self.events = self.events.saturating_sub(part.events);
        self.bytes = self.bytes.saturating_sub(part.bytes);
        if self.events == 0 {
            *self = Self::default();
        } else if part.first <= self.first {
            self.first = part.last.saturating_add(1).min(self.last);
        } else {
            self.last = part.first.saturating_sub(1).max(self.first);
        }
    }
}

/// Records one sink lost for one reason and nobody has told yet: to be told by [`super::Bus::publish_gap`].
#[derive(Debug)]
#[must_use = "a loss that is dropped is never told"]
pub struct Loss {
    pub(super) sink: &'static str,
    pub(super) why: Why,
    pub(super) tally: Tally,
}

impl Loss {
    /// The sink's name.
    #[must_use]
    pub fn sink(&self) -> &'static str {
        self.sink
    }

    /// The reason.
    #[must_use]
    pub fn why(&self) -> Why {
        self.why
    }

    /// How much, and from where to where; records in between may have been written.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

/// Records that share a fate: written together, or lost together with the losses that some of them told.
#[derive(Debug, Default)]
pub struct Lot {
    pub(super) tally: Tally,
    pub(super) told: Vec<Loss>,
}

impl Lot {
    /// Adds a record.
    pub fn add(&mut self, item: Item) {
        if let Some(record) = item.record() {
            self.tally.add(record.sequence(), record.line().len());
        }
        if let Item::Gap(gap) = item {
            self.told.push(gap.1);
        }
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, mut other: Self) {
        self.tally.merge(other.tally);
        self.told.append(&mut other.told);
    }

    /// How many.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }
}
