//! Captures in the order of their first lines, and their lines one after the other.
//!
//! Which files are meant and how they are opened is [`stored`]'s business. Files are read once, front to back; a line longer
//! than [`MAX_LINE_BYTES`] is passed over and told.

use super::model::Mark;
use crate::capture::line::MAX_LINE_BYTES;
use crate::stored::view::Line;
use crate::stored::{self, Stored};
use anyhow::Context as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Read at a time, bytes.
const CHUNK_BYTES: usize = 256 << 10;
/// How far into a file its first time is looked for, lines.
const MAX_PEEK_LINES: usize = 64;

/// A file to read.
pub(super) struct Source {
    stored: Stored,
    first_us: i64,
}

impl Source {
    pub(super) fn path(&self) -> &Path {
        self.stored.path()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.stored.bytes()
    }
}

/// What a file yields.
pub(super) enum Piece<'p> {
    /// A line without its end.
    Line(&'p [u8]),
    /// A line that is too long, by its length so far.
    TooLong,
    /// The last line has no end: whoever wrote it is at it, or was cut off.
    Torn(&'p [u8]),
}

/// The files that `paths` mean, in order of their first lines.
///
/// # Errors
/// A path means no file, or a file cannot be read.
pub(super) fn sources(paths: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let found = stored::paths(paths)?;
    let mut sources = found.iter().map(|path| open(path)).collect::<anyhow::Result<Vec<_>>>()?;
    sources.sort_by(|a, b| (a.first_us, a.path()).cmp(&(b.first_us, b.path())));
    Ok(sources)
}

/// Reads a file's lines in order. `take` gets each with its place; the mark's sequence is not known yet.
///
/// # Errors
/// The file cannot be read.
pub(super) fn each_line(source: &Source, file: u32, mut take: impl FnMut(Piece<'_>, Mark)) -> anyhow::Result<u64> {
    let failed = || format!("read {}", source.path().display());
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, source.stored.text().with_context(failed)?);
    let mut line = Vec::new();
    let mut mark = Mark { file, line: 0, sequence: 0, offset_bytes: 0 };
    loop {
        line.clear();
        let limit = MAX_LINE_BYTES as u64 + 1;
        let mut read = reader.by_ref().take(limit).read_until(b'\n', &mut line).with_context(failed)? as u64;
        if read == 0 {
            return Ok(mark.line);
        }
        mark.line += 1;
        let ended = line.last() == Some(&b'\n');
        if !ended && read == limit {
            read += skip_line(&mut reader).with_context(failed)?;
            take(Piece::TooLong, mark);
        } else if ended {
            line.pop();
            take(Piece::Line(line.strip_suffix(b"\r").unwrap_or(&line)), mark);
        } else {
            take(Piece::Torn(&line), mark);
        }
        mark.offset_bytes += read;
    }
}

/// Reads single lines of a file again.
pub(super) struct Again {
    reader: BufReader<fs::File>,
}

impl Again {
    pub(super) fn open(source: &Source) -> io::Result<Self> {
        Ok(Self { reader: BufReader::with_capacity(16 << 10, source.stored.text()?) })
    }

    /// The line that begins at `offset_bytes`.
    pub(super) fn line<'l>(&mut self, offset_bytes: u64, line: &'l mut Vec<u8>) -> io::Result<&'l [u8]> {
        let now = self.reader.stream_position()?;
        match offset_bytes.checked_sub(now).and_then(|ahead| i64::try_from(ahead).ok()) {
            Some(ahead) => self.reader.seek_relative(ahead)?,
            None => drop(self.reader.seek(SeekFrom::Start(offset_bytes))?),
        }
        line.clear();
        self.reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', line)?;
        Ok(line)
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = memchr::memchr(b'\n', buffer);
        let length = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

fn open(path: &Path) -> anyhow::Result<Source> {
    let shown = path.display();
    let stored = Stored::open(path).with_context(|| format!("open {shown}"))?;
    let text = stored.text().with_context(|| format!("open {shown}"))?;
    let mut reader = BufReader::with_capacity(16 << 10, text);
    let mut line = Vec::new();
    let mut first_us = i64::MAX;
    for _ in 0..MAX_PEEK_LINES {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line);
        if read.with_context(|| format!("read {shown}"))? == 0 {
            break;
        }
        if let Ok(line) = Line::read(&line) {
            first_us = line.at_us;
            break;
        }
    }
    Ok(Source { stored, first_us })
}
