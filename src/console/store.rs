//! Where the lines lie that the console shows: capture files, which may still be written, or the last lines in memory.
//!
//! The file is the store: nothing of a line is kept but its place. Without files a [`Ring`] of a named size holds the newest
//! lines. A line is found again by [`Place`]; what has left the ring is gone, and said to be.

use crate::stored::{Positioned, ReadToEndOf as _};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the ring holds at the most, bytes of lines.
pub const RING_BYTES: usize = 64 << 20;
/// What is read at once, bytes.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// Where a line lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Number of the source.
    pub(super) source: u32,
    /// Its first byte there.
    pub(super) offset: u64,
    /// Its length without the line feed, bytes.
    pub(super) bytes: u32,
}

/// One source of lines.
pub(super) enum Source {
    /// A file.
    File {
        /// Where it lies, for a person.
        path: PathBuf,
        /// Read by position.
        file: File,
    },
    /// The newest lines.
    Memory(Pushed),
}

impl Source {
    /// A file that is read as far as it goes, and again when it has grown.
    pub(super) fn file(path: &Path, file: File) -> Self {
        Self::File { path: path.to_owned(), file }
    }

    /// What it is called, for a person.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Memory(_) => String::from("memory"),
        }
    }

    /// Its first byte that is still there.
    pub(super) fn begin(&self) -> u64 {
        match self {
            Self::File { .. } => 0,
            Self::Memory(pushed) => lock(&pushed.0).begin(),
        }
    }

    /// Its size now, bytes.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        match self {
            Self::File { file, .. } => Ok(file.metadata()?.len()),
            Self::Memory(pushed) => Ok(lock(&pushed.0).end),
        }
    }

    /// Appends what lies in `range` to `into`, as far as it is there.
    pub(super) fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> io::Result<()> {
        let length = range.end.saturating_sub(range.start);
        match self {
            Self::File { file, .. } => Positioned::at(file, range.start).take(length).read_to_end_of(into),
            Self::Memory(pushed) => {
                lock(&pushed.0).read(range, into);
                Ok(())
            }
        }
    }
}

/// Lines that are handed over, where no file holds them; the newest are kept.
#[derive(Clone, Default)]
pub struct Pushed(Arc<Mutex<Ring>>);

impl Pushed {
    /// Takes lines, each with its line feed.
    pub fn push(&self, lines: Vec<u8>) {
        lock(&self.0).push(lines);
    }

    /// All that is held.
    #[must_use]
    pub fn lines(&self) -> Vec<u8> {
        let ring = lock(&self.0);
        ring.chunks.iter().flat_map(|(_, lines)| lines).copied().collect()
    }
}

/// The newest lines, numbered by bytes since the beginning as a file would be.
#[derive(Default)]
pub(super) struct Ring {
    chunks: VecDeque<(u64, Vec<u8>)>,
    end: u64,
    held: usize,
}

impl Ring {
    /// Appends whole lines; the oldest leave.
    pub(super) fn push(&mut self, lines: Vec<u8>) {
        self.held += lines.len();
        let at = self.end;
        self.end += lines.len() as u64;
        self.chunks.push_back((at, lines));
        while self.held > RING_BYTES
            && let Some((_, oldest)) = self.chunks.pop_front()
        {
            self.held -= oldest.len();
        }
    }

    /// Where the oldest that is held begins.
    fn begin(&self) -> u64 {
        self.chunks.front().map_or(self.end, |(at, _)| *at)
    }

    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) {
        if range.start < self.begin() {
            return;
        }
        let first = self.chunks.partition_point(|(at, lines)| at + lines.len() as u64 <= range.start);
        for (at, lines) in self.chunks.iter().skip(first).take_while(|(at, _)| *at < range.end) {
            let from = range.start.saturating_sub(*at) as usize;
            let to = ((range.end - at) as usize).min(lines.len());
            into.extend_from_slice(lines.get(from..to).unwrap_or_default());
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
