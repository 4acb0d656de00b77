//! A capture front to back, a line at a time, in bounded memory, each line read or left out with the reason.
//!
//! A line of over [`MAX_LINE_BYTES`] is passed over; a last line without an end is taken if it is whole. Empty lines are
//! passed over in silence. [`LeftOut`] is the list of what was not read, one for every command.

use super::view::{Line, NoLine};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek, SeekFrom};

/// Longest line read, bytes: above the longest that captures are made with.
pub const MAX_LINE_BYTES: u64 = 17 << 20;
/// Read at a time, bytes.
const CHUNK_BYTES: usize = 256 << 10;
/// Lines left out that are told one by one.
const MAX_TOLD: usize = 20;

/// Where a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Its number, from 1.
    pub number: u64,
    /// Where it begins, bytes.
    pub offset_bytes: u64,
}

/// A line that was read.
pub struct Read<'l> {
    /// The line without its end.
    pub text: &'l [u8],
    /// What it says.
    pub line: Line<'l>,
}

/// The lines of one capture.
pub struct Lines<'f> {
    reader: BufReader<Positioned<'f>>,
    line: Vec<u8>,
    next: Mark,
}

impl<'f> Lines<'f> {
    pub(super) fn new(file: Positioned<'f>) -> Self {
        let reader = BufReader::with_capacity(CHUNK_BYTES, file);
        Self { reader, line: Vec::new(), next: Mark { number: 1, offset_bytes: 0 } }
    }

    /// The next line, or why it is none; `None` at the end.
    ///
    /// # Errors
    /// It cannot be read.
    #[expect(clippy::should_implement_trait, reason = "what it yields is borrowed, which no Iterator can")]
    pub fn next(&mut self) -> io::Result<Option<(Mark, Result<Read<'_>, &'static str>)>> {
        let mark = loop {
            self.line.clear();
            let mark = self.next;
            let read = (&mut self.reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.next.number += 1;
            self.next.offset_bytes += read;
            if read == MAX_LINE_BYTES && !self.line.ends_with(b"\n") {
                self.next.offset_bytes += self.reader.skip_until(b'\n')? as u64;
                return Ok(Some((mark, Err("it is longer than any line of a capture"))));
            }
            if !self.line.trim_ascii().is_empty() {
                break mark;
            }
        };
        let is_ended = self.line.ends_with(b"\n");
        let text = self.line.trim_ascii_end();
        Ok(Some((
            mark,
            match Line::read(text) {
                Ok(line) => Ok(Read { text, line }),
                Err(_) if !is_ended => {
                    Err("the last line is torn: it was still being written, or the proxy was stopped by force")
                }
                Err(NoLine::Torn) => Err("it is torn: no whole JSON object"),
                Err(NoLine::Foreign) => Err("not a line of a finesse-tap capture"),
            },
        )))
    }

    /// Bytes read so far.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.next.offset_bytes
    }
}

/// One line of a file, without its end.
pub(super) fn one<'l>(file: Positioned<'_>, buffer: &'l mut Vec<u8>) -> io::Result<&'l [u8]> {
    buffer.clear();
    BufReader::with_capacity(16 << 10, file).take(MAX_LINE_BYTES).read_until(b'\n', buffer)?;
    Ok(buffer.trim_ascii_end())
}

/// Lines that were left out, the first by name.
#[derive(Default, Debug)]
pub struct LeftOut {
    told: Vec<String>,
    count: u64,
}

impl LeftOut {
    /// One more.
    pub fn add(&mut self, source: &str, mark: Mark, why: &str) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(format!("{source}:{}: {why}", mark.number));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// A line each, and how many there are in all where they are more.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.told {
            writeln!(f, "left out {line}")?;
        }
        if self.count > self.told.len() as u64 {
            writeln!(f, "left out {} lines in all", self.count)?;
        }
        Ok(())
    }
}

/// A file read from a place of one's own, so that several may read it at once.
pub struct Positioned<'f> {
    file: &'f File,
    at: u64,
}

impl<'f> Positioned<'f> {
    /// From its first byte.
    #[must_use]
    pub fn whole(file: &'f File) -> Self {
        Self::at(file, 0)
    }

    /// From this byte on.
    #[must_use]
    pub fn at(file: &'f File, at: u64) -> Self {
        Self { file, at }
    }
}

impl io::Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Positioned<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning"))?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
