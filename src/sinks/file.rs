//! Capture files: NDJSON, uniquely named, opened once, append-only, never renamed or truncated.
//!
//! Each begins with its opening line. A new one comes with the first record after 64 MiB, an hour, or a request; a sink
//! without records makes none. An output that fails is tried again each second while the queue fills; a line of which half
//! is written is finished first. A file that somebody removed or replaced is noticed within a second of writing to it:
//! what went into it since the last look counts as lost, and a new file is made, its directory too.

use super::disk::{Disk, Medium};
use super::keep::Keep;
use super::name::CaptureName;
use super::pending::{CHUNK_BYTES, Pending};
use super::trouble::{BACK_OFF, Trouble};
use crate::bus::{Abandoned, Lot, Receiver};
use crate::capture::Opening;
use crate::clock::{self, Moment};
use anyhow::Context;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most names in a row that may be taken already.
const MAX_TAKEN: u32 = 100;

/// When a file is full, and how often things are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A record that would make a file larger begins the next one, bytes.
    pub file_bytes: u64,
    /// A record that comes this long after a file's opening begins the next one.
    pub file_age: Duration,
    /// A file is looked for at most this often while writing.
    pub check_interval: Duration,
    /// Wait after a failed attempt.
    pub back_off: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            file_age: Duration::from_secs(3600),
            check_interval: Duration::from_secs(1),
            back_off: BACK_OFF,
        }
    }
}

/// The sink that keeps the capture in a directory.
#[derive(Debug)]
pub struct FileSink<M: Medium = Disk> {
    medium: M,
    dir: PathBuf,
    name: CaptureName,
    opening: Opening,
    limits: Limits,
    keep: Option<Keep>,
    number: u32,
    file: OpenFile<M::Out>,
    pending: Pending,
    trouble: Trouble,
    /// A new file is due, and could not be made at the last attempt.
    stays_since: Option<Moment>,
    rotation_asked: bool,
}

#[derive(Debug)]
struct OpenFile<O> {
    out: O,
    path: PathBuf,
    opened: Moment,
    /// Written or pending.
    bytes: u64,
    has_records: bool,
    /// When it was last seen in its place; `None` if in doubt.
    checked: Option<Moment>,
    /// Written since then.
    unchecked: Lot,
}

impl FileSink {
    /// Makes the directory, if need be, and a file, numbered `first` or as soon after it as there is none.
    ///
    /// # Errors
    /// Either cannot be made.
    pub fn create(dir: &Path, name: CaptureName, first: u32, opening: Opening, limits: Limits) -> anyhow::Result<Self> {
        Self::create_on(Disk, dir, name, first, opening, limits)
            .with_context(|| format!("create a capture file in {}", dir.display()))
    }
}

impl<M: Medium> FileSink<M> {
    fn create_on(
        mut medium: M,
        dir: &Path,
        name: CaptureName,
        first: u32,
        opening: Opening,
        limits: Limits,
    ) -> io::Result<Self> {
        let mut pending = Pending::default();
        let mut number = first;
        let file = loop {
            match open(&mut medium, dir.join(name.file(number)), &opening, number, &mut pending) {
                // A file of this run that is about to end has grown meanwhile.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < first.saturating_add(MAX_TAKEN) => {
                    number += 1;
                }
                opened => break opened?,
            }
        };
        Ok(Self {
            medium,
            dir: dir.to_owned(),
            name,
            opening,
            limits,
            keep: None,
            number,
            file,
            pending,
            trouble: Trouble::default(),
            stays_since: None,
            rotation_asked: false,
        })
    }

    /// The same, within a total size.
    #[must_use]
    pub fn keeping(self, keep: Option<Keep>) -> Self {
        Self { keep, ..self }
    }

    /// The file now written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Writes until the bus closes.
    pub fn run(mut self, receiver: &mut Receiver) {
        receiver.opened(self.file.path.clone());
        self.make_room(receiver);
        // Told to give up: the receiver counts what is left.
        let _: Result<(), Abandoned> = self.write(receiver);
        self.check(receiver);
    }

    fn write(&mut self, receiver: &mut Receiver) -> Result<(), Abandoned> {
        self.flush(receiver)?;
        while let Some(items) = receiver.take() {
            for item in items {
                let line_bytes = item.record().map(|record| record.line().len());
                self.rotation_asked |= line_bytes.is_none();
                if self.is_full(line_bytes.unwrap_or(0)) {
                    self.flush(receiver)?;
                    self.turn(receiver);
                }
                if let Some(line_bytes) = line_bytes {
                    self.file.bytes += line_bytes as u64;
                    self.file.has_records = true;
                    self.pending.push(item);
                }
                if self.pending.len_bytes() >= CHUNK_BYTES {
                    self.flush(receiver)?;
                }
            }
            self.flush(receiver)?;
        }
        Ok(())
    }

    /// Whether a line of `line_bytes` belongs into the next file. A failed attempt to make it is not repeated at once.
    fn is_full(&self, line_bytes: usize) -> bool {
        let now = clock::now();
        let is_old = now.since(self.file.opened) >= self.limits.file_age;
        let is_large = self.file.bytes + line_bytes as u64 > self.limits.file_bytes;
        let due = self.rotation_asked || (self.file.has_records && (is_old || is_large));
        due && self.stays_since.is_none_or(|failed| now.since(failed) >= self.limits.back_off)
    }

    /// Goes on to the next file. If it cannot be made, the old one serves: a name is not worth a record.
    fn turn(&mut self, receiver: &mut Receiver) {
        self.check(receiver);
        match self.open_next(receiver) {
            Ok(()) => {}
            Err(error) => {
                if self.stays_since.is_none() {
                    let path = self.file.path.display();
                    tracing::warn!(%path, %error, "no new capture file; the old one goes on");
                }
                self.stays_since = Some(clock::now());
            }
        }
    }

    /// Writes what is pending, however long it takes.
    fn flush(&mut self, receiver: &mut Receiver) -> Result<(), Abandoned> {
        loop {
            match self.attempt(receiver) {
                Ok(()) => {
                    self.trouble.end(&self.file.path);
                    return Ok(());
                }
                Err(error) => {
                    self.trouble.begin(&self.file.path, &error);
                    self.file.checked = None;
                    receiver.pause(self.limits.back_off)?;
                }
            }
        }
    }

    fn attempt(&mut self, receiver: &mut Receiver) -> io::Result<()> {
        let now = clock::now();
        let is_recent = |checked| now.since(checked) < self.limits.check_interval;
        if !self.file.checked.is_some_and(is_recent) && !self.check(receiver) {
            self.open_next(receiver)?;
        }
        let (lot, result) = self.pending.send(&mut self.file.out);
        receiver.written(&lot);
        self.file.unchecked.merge(lot);
        result
    }

    /// Whether the file is still in its place; if not, what was written since the last look is lost.
    fn check(&mut self, receiver: &mut Receiver) -> bool {
        let holds = self.medium.holds(&self.file.path, &self.file.out);
        let unchecked = std::mem::take(&mut self.file.unchecked);
        if holds {
            self.file.checked = Some(clock::now());
        } else if unchecked.tally().events > 0 {
            tracing::warn!(path = %self.file.path.display(), "capture file has vanished");
            receiver.vanished(unchecked);
        }
        holds
    }

    /// Makes the next file and puts its opening line before what is pending.
    fn open_next(&mut self, receiver: &mut Receiver) -> io::Result<()> {
        let number = self.number + 1;
        let path = self.dir.join(self.name.file(number));
        let opened = open(&mut self.medium, path, &self.opening, number, &mut self.pending);
        if opened.is_ok() || opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
            self.number = number;
        }
        self.file = opened?;
        self.stays_since = None;
        self.rotation_asked = false;
        receiver.opened(self.file.path.clone());
        self.make_room(receiver);
        Ok(())
    }

    /// Removes what is oldest, so that this file can grow.
    fn make_room(&self, receiver: &mut Receiver) {
        if let Some(keep) = &self.keep {
            let run = self.name.stem();
            receiver.removed(keep.make_room(&self.dir, &self.file.path, run, self.limits.file_bytes));
        }
    }
}

fn open<M: Medium>(
    medium: &mut M,
    path: PathBuf,
    opening: &Opening,
    number: u32,
    pending: &mut Pending,
) -> io::Result<OpenFile<M::Out>> {
    let out = medium.create(&path)?;
    let opened = clock::now();
    pending.restart(&opening.line(opened, number));
    let bytes = pending.len_bytes() as u64;
    let has_records = pending.has_records();
    Ok(OpenFile { out, path, opened, bytes, has_records, checked: Some(opened), unchecked: Lot::default() })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
