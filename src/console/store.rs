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
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    Memory(Mutex<Ring>),
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

    /// Its size now, bytes.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        match self {
            Self::File { file, .. } => Ok(file.metadata()?.len()),
            Self::Memory(ring) => Ok(lock(ring).end),
        }
    }

    /// Appends what lies in `range` to `into`, as far as it is there.
    pub(super) fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> io::Result<()> {
        let length = range.end.saturating_sub(range.start);
        match self {
            Self::File { file, .. } => {
                Positioned::at(file, range.start).take(length).read_to_end_of(into)
            }
            Self::Memory(ring) => {
                lock(ring).read(range, into);
                Ok(())
            }
        }
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

    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) {
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
