//! Paths become lines: which files are meant, in which order, and their lines one after the other.
//!
//! A directory means the captures in it; a `*` in a file's name is understood where no shell did it. Files are read once,
//! front to back, in order of their first lines' times. A line longer than [`MAX_LINE_BYTES`] is passed over and told.

use super::line::Line;
use super::model::Mark;
use super::words;
use crate::capture::line::MAX_LINE_BYTES;
use anyhow::{Context as _, bail};
use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Read at a time, bytes.
const CHUNK_BYTES: usize = 256 << 10;
/// How far into a file its first time is looked for, lines.
const MAX_PEEK_LINES: usize = 64;

/// A file to read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    first_us: i64,
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
    let mut found = Vec::new();
    for path in paths {
        found.extend(expand(path)?);
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    let mut sources = found.into_iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    sources.sort_by(|a, b| (a.first_us, &a.path).cmp(&(b.first_us, &b.path)));
    Ok(sources)
}

/// Reads a file's lines in order. `take` gets each with its place; the mark's sequence is not known yet.
///
/// # Errors
/// The file cannot be read.
pub(super) fn each_line(source: &Source, file: u32, mut take: impl FnMut(Piece<'_>, Mark)) -> anyhow::Result<u64> {
    let failed = || format!("read {}", source.path.display());
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, fs::File::open(&source.path).with_context(failed)?);
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
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { reader: BufReader::with_capacity(16 << 10, fs::File::open(path)?) })
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

fn expand(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_dir() {
        let found = matching(path, "*.ndjson")?;
        if found.is_empty() {
            bail!("{} has no *.ndjson in it", path.display());
        }
        return Ok(found);
    }
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains('*'));
    if let Some(pattern) = name.filter(|_| !path.exists()) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let found = matching(folder, pattern)?;
        if found.is_empty() {
            bail!("{}: no such file", path.display());
        }
        return Ok(found);
    }
    Ok(vec![path.to_owned()])
}

fn matching(folder: &Path, pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("look into {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("look into {}", folder.display()))?.path();
        let fits = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| fits(name, pattern));
        if fits && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether `name` fits a pattern in which `*` stands for any text.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(name) = name.strip_prefix(head) else { return false };
    let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.into_iter().any(|at| name.get(at..).is_some_and(|tail| fits(tail, rest)))
}

fn open(path: PathBuf) -> anyhow::Result<Source> {
    let shown = path.display().to_string();
    let file = fs::File::open(&path).with_context(|| format!("open {shown}"))?;
    let bytes = file.metadata().with_context(|| format!("open {shown}"))?.len();
    let mut reader = BufReader::with_capacity(16 << 10, file);
    let mut line = Vec::new();
    let mut first_us = i64::MAX;
    for _ in 0..MAX_PEEK_LINES {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line);
        if read.with_context(|| format!("read {shown}"))? == 0 {
            break;
        }
        if line.starts_with(&[0x1f, 0x8b]) || line.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            bail!("{shown} is compressed: unpack it first");
        }
        let parsed = serde_json::from_slice::<Line<'_>>(&line).ok();
        if let Some(us) = parsed.and_then(|line| words::parse_stamp_us(&line.timestamp)) {
            first_us = us;
            break;
        }
    }
    Ok(Source { path, bytes, first_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (name, pattern, expected) in [
            ("a.ndjson", "*.ndjson", true),
            ("a.ndjson.tmp", "*.ndjson", false),
            ("finesse-x-0001.ndjson", "finesse-*-*.ndjson", true),
            ("finesse.ndjson", "finesse-*", false),
            ("", "*", true),
        ] {
            assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
        }
    }
}
