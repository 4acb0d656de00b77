//! Captures on disk, opened: which files are meant, unpacked if they are gzip, line by line.
//!
//! `scan`, `share`, `report` and `export` come here, so that what one of them can read all can. [`paths`] says which files;
//! [`Stored`] opens one for whoever goes back and forth in it; [`Lines`] reads one front to back; [`is_torn`] is for whoever
//! appends, [`Aside`] is for what is made of them; [`Kind`] says what a file is that was taken for
//! one; [`view::Line`] is what is in a line, for everybody who reads. Limits: [`MAX_LINE_BYTES`] a line, and those of [`Unpacked`].

mod aside;
mod kind;
mod line;
mod private;
mod unpack;
pub mod view;

pub use aside::Aside;
pub use kind::Kind;
pub use line::{Lines, MAX_LINE_BYTES, Piece};
pub use private::{Readers, keep_from_others, refuse_other_readers};
pub use unpack::{MAX_FREE_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES, Unpacked, is_bomb, is_gzip};

use anyhow::{Context as _, anyhow, bail};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// As much of a file's beginning as tells its form, bytes.
const MAGIC_BYTES: u64 = 4;

/// How a capture's name may end.
const ENDINGS: [&str; 2] = ["*.ndjson", "*.ndjson.gz"];

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

/// A capture that can be read more than once.
///
/// One that is compressed is unpacked into a temporary file without a name, which is gone with this value.
pub struct Stored {
    path: PathBuf,
    bytes: u64,
    unpacked: Option<File>,
}

impl Stored {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is no gzip though it begins like one, or unpacks to more than is believed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut bytes = file.metadata()?.len();
        let mut magic = Vec::new();
        (&mut file).take(MAGIC_BYTES).read_to_end_of(&mut magic)?;
        let unpacked = if is_gzip(&magic) {
            file.rewind()?;
            let mut unpacked = tempfile::tempfile()?;
            bytes = io::copy(&mut Unpacked::new(file), &mut unpacked)?;
            Some(unpacked)
        } else {
            None
        };
        Ok(Self { path: path.to_owned(), bytes, unpacked })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size, unpacked.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its text, from the beginning. Of one that was compressed, only the file returned last may be read.
    ///
    /// # Errors
    /// It cannot be opened again.
    pub fn text(&self) -> io::Result<File> {
        let Some(unpacked) = &self.unpacked else { return File::open(&self.path) };
        let mut file = unpacked.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

/// The files that paths mean: a directory the captures in it, a `*` in a name (where no shell understood it) what fits.
/// Each file once.
///
/// # Errors
/// A directory cannot be read or has no capture in it, nothing fits, or a file is of a kind that holds no captures.
pub fn paths(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in named {
        found.extend(expand(path)?);
    }
    for path in &found {
        let kind = Kind::of(path).with_context(|| format!("read {}", path.display()))?;
        if kind.is_foreign() {
            bail!(
                "{} is no capture: it is {}\nhint: {}",
                path.display(),
                kind.as_str(),
                kind.instead_of_a_capture(path)
            );
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(found)
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
        1 => format!("in {}: it is {}", first.display(), kind.as_str()),
        more => format!("in any of {more} files; {} is {}", first.display(), kind.as_str()),
    };
    anyhow!("there is no line of a capture {of}\nhint: {}", kind.instead_of_a_capture(first))
}

fn expand(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_dir() {
        let found = matching(path, &ENDINGS).with_context(|| format!("look into {}", path.display()))?;
        if found.is_empty() {
            bail!(
                "there is no capture in the directory {}\nhint: captures end in .ndjson or .ndjson.gz; directories below it are not looked into",
                path.display()
            );
        }
        return Ok(found);
    }
    match starred(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("no file fits {}\nhint: captures are in captures/, unless --capture said otherwise", path.display())
        }
        found => found.with_context(|| format!("look for {}", path.display())),
    }
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

impl<R: Read> ReadToEndOf for io::Take<R> {
    #[expect(clippy::disallowed_methods, reason = "it is limited: that is what Take does")]
    fn read_to_end_of(mut self, into: &mut Vec<u8>) -> io::Result<()> {
        self.read_to_end(into).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

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

    #[test]
    fn a_compressed_capture_reads_like_a_plain_one() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.ndjson"), dir.path().join("b.ndjson.gz"));
        // Two members, as `cat a.gz b.gz` makes them, the last line torn.
        let parts = ["one\r\n\n", "two\nthr"];
        fs::write(&plain, parts.concat()).unwrap();
        let mut file = File::create(&packed).unwrap();
        for part in parts {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(part.as_bytes()).unwrap();
            file.write_all(&gzip.finish().unwrap()).unwrap();
        }
        assert_eq!(paths(&[dir.path().to_owned(), plain.clone()]).unwrap(), [plain.clone(), packed.clone()]);
        assert_eq!(paths(&[dir.path().join("*.ndjson")]).unwrap(), std::slice::from_ref(&plain));
        let nothing = paths(&[dir.path().join("c*")]).unwrap_err().to_string();
        assert!(nothing.starts_with("no file fits ") && nothing.contains("\nhint: "), "{nothing}");
        for path in [&plain, &packed] {
            let stored = Stored::open(path).unwrap();
            assert_eq!(stored.bytes(), 13);
            for _ in 0..2 {
                let mut text = Vec::new();
                stored.text().unwrap().take(99).read_to_end_of(&mut text).unwrap();
                assert_eq!(text, parts.concat().as_bytes());
            }
            let mut lines = Lines::open(path).unwrap();
            let mut read = Vec::new();
            while let Some(piece) = lines.next().unwrap() {
                read.push(match piece {
                    Piece::Line(line) => format!("line {}", String::from_utf8_lossy(line)),
                    Piece::Torn(line) => format!("torn {}", String::from_utf8_lossy(line)),
                    Piece::TooLong => String::from("too long"),
                });
            }
            assert_eq!(read, ["line one", "line ", "line two", "torn thr"]);
            assert_eq!((lines.number(), lines.read_bytes()), (4, fs::metadata(path).unwrap().len()));
        }
        fs::write(&packed, b"\x1f\x8bnonsense").unwrap();
        assert!(Stored::open(&packed).is_err() && Lines::open(&packed).unwrap().next().is_err());
        for unreadable in [&b"\xff\xfe{\0"[..], b"\x28\xb5\x2f\xfd"] {
            fs::write(&plain, unreadable).unwrap();
            assert!(paths(std::slice::from_ref(&plain)).is_err_and(|error| error.to_string().contains("\nhint: ")));
        }
    }
}
