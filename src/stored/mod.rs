//! Captures that were written, opened: whatever they lie in, line by line, each read through one model.
//!
//! `share`, `report`, `export` and the console come here, so that what one of them can read all can. [`Sources`] opens what
//! is named; [`Lines`] reads one of them front to back, [`view`] is what a line says, [`LeftOut`] what was not read; a line
//! answers a [`Filter`](crate::filter::Filter). [`is_torn`] is for whoever appends, [`Aside`] and [`promises`] for what is
//! made of captures; [`Kind`] says what a file is. Limits: [`MAX_LINE_BYTES`] a line, and those of [`Unpacked`].

mod aside;
mod facts;
mod kind;
mod line;
mod private;
mod source;
mod unpack;
pub mod view;

pub use aside::Aside;
pub use kind::Kind;
pub use line::{LeftOut, Lines, MAX_LINE_BYTES, Mark, Positioned, Read};
pub use private::{Readers, keep_from_others, refuse_other_readers};
pub use source::{Importer, Run, Seen, Source, Sources};
pub use unpack::{MAX_FREE_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES, Unpacked, is_bomb, is_gzip};

use anyhow::{anyhow, bail};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The setting by which the first line of a capture says that events were left out of it on purpose.
pub const PICKED: &str = "picked";

/// Where captures usually are.
const WHERE: &str = "`run` and `import` write captures: *.ndjson in captures/, unless --capture said otherwise";

/// Whether a file of lines ends in half a line, as a crash or a full disk leaves it. Moves the file's position.
///
/// # Errors
/// It cannot be read.
pub fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Makes sure that what is written to `out` does not take the place of what is read.
///
/// # Errors
/// It would.
pub fn apart<'f>(out: &Path, files: impl IntoIterator<Item = &'f Path>) -> anyhow::Result<()> {
    let Ok(real) = fs::canonicalize(out) else { return Ok(()) };
    if files.into_iter().any(|path| fs::canonicalize(path).is_ok_and(|path| path == real)) {
        bail!("{} is among what is read, and would be overwritten\nhint: name another file to write to", out.display());
    }
    Ok(())
}

/// Refuses a file's name that promises another form than the one that is written: `case.pdf`, `case.tar.gz`.
///
/// # Errors
/// It does, with the endings that would be honest.
pub fn promises(out: &Path, what: &str, endings: &[&str]) -> anyhow::Result<()> {
    const KNOWN: &[&str] = &[
        "pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "csv", "zip", "age", "gz", "tgz", "bz2", "xz", "zst", "tar",
        "7z", "rar", "png", "jpg", "jpeg", "svg", "html", "htm", "xml", "json", "ndjson", "har", "pcap", "pcapng",
        "txt", "text", "log", "md", "yaml", "yml",
    ];
    let ending = out.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if endings.contains(&&*ending) || !KNOWN.contains(&&*ending) {
        return Ok(());
    }
    let better = out.with_extension("").with_extension(endings.first().copied().unwrap_or_default());
    bail!("{} is not what its name says: {what} is written\nhint: name it {}", out.display(), better.display())
}

/// The error that none of the files, of which there is at least one, holds a line of a capture.
#[must_use]
pub fn no_capture(files: &[PathBuf]) -> anyhow::Error {
    let Some(first) = files.first() else { return anyhow!("no file is named") };
    let kind = Kind::of(first).unwrap_or(Kind::Text);
    if kind == Kind::Capture {
        return anyhow!(
            "no line of {} can be read, though it begins like a capture\nhint: was it edited, or made by a later version?",
            first.display()
        );
    }
    let of = match files.len() {
        1 if first.is_dir() => format!("in {}", first.display()),
        1 => format!("in {}: it is {}", first.display(), kind.as_str()),
        more => format!("in any of {more} files; {} is {}", first.display(), kind.as_str()),
    };
    anyhow!("there is no line of a capture {of}\nhint: {}", kind.instead_of_a_capture(first))
}

/// What a `*` in a path's name stands for where no shell understood it, as on Windows; another path is itself.
///
/// # Errors
/// Nothing fits, or the directory cannot be read.
pub fn starred(path: &Path) -> io::Result<Vec<PathBuf>> {
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.contains('*'));
    let Some(pattern) = name.filter(|_| !path.exists()) else { return Ok(vec![path.to_owned()]) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = matching(folder, &[pattern])?;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no such file"));
    }
    Ok(found)
}

fn matching(folder: &Path, patterns: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if patterns.iter().any(|pattern| fits(name, pattern)) && path.is_file() {
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

/// Reads until the end of what a `take` has limited.
pub trait ReadToEndOf {
    /// Appends all of it.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_to_end_of(self, into: &mut Vec<u8>) -> io::Result<()>;
}

impl<R: io::Read> ReadToEndOf for io::Take<R> {
    #[expect(clippy::disallowed_methods, reason = "it is limited: that is what Take does")]
    fn read_to_end_of(mut self, into: &mut Vec<u8>) -> io::Result<()> {
        self.read_to_end(into).map(|_| ())
    }
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
