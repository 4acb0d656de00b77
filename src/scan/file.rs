//! Files of any kind become text for the detectors: plain, UTF-16, gzip, archives; and binary files, in which only the
//! known secrets are searched for.
//!
//! Reads through [`READ_BYTES`] at a time. What a file claims about its size is not believed.

use super::finding::Finding;
use super::hit::{Certainty, Hit, Place};
use super::lines::{self, Lines};
use super::{Scanner, archive};
use crate::capture::policy::Class;
use crate::stored::{ReadToEndOf as _, Unpacked, is_gzip, starred};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Read at a time, bytes.
const READ_BYTES: usize = 256 << 10;
/// How much of a file is looked at to tell binary from text, bytes.
const SNIFF_BYTES: usize = 8 << 10;

/// What paths mean: a directory every file below it, in order of their names; a `*` in a name what fits. Links to directories
/// are not followed, as they may lead in a circle.
///
/// # Errors
/// A directory cannot be read; its path is told with it.
pub fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            below(path, &mut files)?;
        } else {
            files.extend(starred(path).map_err(|error| (path.clone(), error))?);
        }
    }
    Ok(files)
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (folder.to_owned(), error);
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => below(&path, files)?,
            Ok(meta) if meta.is_symlink() && path.is_dir() => {}
            _ => files.push(path),
        }
    }
    Ok(())
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scanned {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Lines of text.
    pub lines: u64,
    /// Files, or members of archives, that are no text: only known secrets were searched for in them.
    pub binary: u64,
}

impl Scanner {
    /// Looks at a file, or at every member of a zip archive. `tick` is told bytes as they are read, unpacked.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file(&self, path: &Path, tick: &mut dyn FnMut(u64), found: &mut dyn FnMut(Hit)) -> io::Result<Scanned> {
        let place = Place { file: path.display().to_string(), ..Place::default() };
        if is_special(path) {
            // Opening a pipe would wait for whoever writes into it.
            found(unseen(place, "a pipe, a socket or a device"));
            return Ok(Scanned::default());
        }
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end_of(&mut magic)?;
        file.seek(SeekFrom::Start(0)).or_else(|error| if magic.is_empty() { Ok(0) } else { Err(error) })?;
        if magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06") {
            return archive::scan(self, file, &place, tick, found);
        }
        self.stream(&mut file, &place, tick, found)
    }

    /// Looks at every member of a zip archive. `name` is the name that hits have.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn archive(
        &self,
        name: &str,
        archive: impl Read + io::Seek,
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        let place = Place { file: name.to_owned(), ..Place::default() };
        archive::scan(self, archive, &place, &mut |_| (), found)
    }

    /// Looks at what can be read but not sought in: standard input, a pipe, a member.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn stream(
        &self,
        input: &mut dyn Read,
        place: &Place,
        tick: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        let mut head = Vec::new();
        input.take(SNIFF_BYTES as u64).read_to_end_of(&mut head)?;
        if is_gzip(&head) {
            let mut unpacked = Unpacked::new(head.chain(input));
            let mut head = Vec::new();
            (&mut unpacked).take(SNIFF_BYTES as u64).read_to_end_of(&mut head)?;
            return self.plain(&head, &mut unpacked, place, tick, found);
        }
        self.plain(&head, input, place, tick, found)
    }

    fn plain(
        &self,
        head: &[u8],
        rest: &mut dyn Read,
        place: &Place,
        tick: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        if let Some(what) = is_wrapped(head) {
            found(unseen(place.clone(), what));
        }
        let wide = match head {
            [0xff, 0xfe, ..] => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
            [0xfe, 0xff, ..] => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
            _ => None,
        };
        let mut input = head.chain(rest);
        if wide.is_none() && head.contains(&0) {
            return self.binary(&mut input, place, tick, found);
        }
        let mut lines = Lines::new(self, place, found);
        let mut wide = wide.map(Wide::new);
        let mut buffer = vec![0; READ_BYTES];
        let mut bytes = 0;
        loop {
            let part = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => buffer.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            match &mut wide {
                Some(wide) => lines.feed(wide.feed(part).as_bytes()),
                None => lines.feed(part.strip_prefix(b"\xef\xbb\xbf").filter(|_| bytes == 0).unwrap_or(part)),
            }
            bytes += part.len() as u64;
            tick(part.len() as u64);
        }
        Ok(Scanned { bytes, lines: lines.finish(), binary: 0 })
    }

    fn binary(
        &self,
        input: &mut dyn Read,
        place: &Place,
        tick: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        let overlap = self.known.as_ref().map_or(0, super::known::Known::longest_bytes);
        let (mut window, mut offset, mut told) = (Vec::new(), 0_u64, 0_u64);
        let mut bytes = 0;
        loop {
            let before = window.len();
            input.take(READ_BYTES as u64).read_to_end_of(&mut window)?;
            let read = (window.len() - before) as u64;
            if read == 0 {
                break;
            }
            bytes += read;
            tick(read);
            if let Some(known) = &self.known {
                known.find(&window, &mut |hit| {
                    let place = Place { offset: offset + hit.at as u64, ..place.clone() };
                    if place.offset >= told {
                        told = place.offset + 1;
                        let value = window.get(hit.at..hit.at + hit.bytes).unwrap_or_default();
                        let why = "one of the secrets given, in a binary file";
                        let (class, certainty) = (Class::Credential, Certainty::Certain);
                        let finding = Finding { at: hit.at, value, kind: "known-secret", class, certainty, why };
                        found(lines::hit(place, &finding, ""));
                    }
                });
            }
            let used = window.len().saturating_sub(overlap);
            offset += used as u64;
            window.drain(..used);
        }
        Ok(Scanned { bytes, lines: 0, binary: 1 })
    }
}

/// What could not be looked at may hold anything.
pub(super) fn unseen(place: Place, why: &str) -> Hit {
    let (kind, certainty) = ("not-scanned", Certainty::Certain);
    Hit { place, kind, class: Class::Unknown, certainty, why: why.to_owned(), shown: "…".to_owned() }
}

#[cfg(unix)]
fn is_special(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::metadata(path).is_ok_and(|meta| {
        let kind = meta.file_type();
        // A pipe of the shell's, `<(unzip -p …)`, is asked for by its name.
        let named = !path.starts_with("/dev") && !path.starts_with("/proc");
        named && (kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device())
    })
}

#[cfg(not(unix))]
fn is_special(_: &Path) -> bool {
    false
}

/// What else a file may be wrapped in, by its first bytes.
fn is_wrapped(head: &[u8]) -> Option<&'static str> {
    const FORMS: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "an archive that cannot be looked into here"),
        (b"\x1f\x8b", "compressed twice"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
        (b"\xfd7zXZ\0", "compressed by xz"),
        (b"BZh", "compressed by bzip2"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"age-encryption.org/", "encrypted by age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted by age"),
    ];
    FORMS.into_iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| what)
}

/// UTF-16 as Windows PowerShell writes it becomes UTF-8.
struct Wide {
    unit: fn([u8; 2]) -> u16,
    /// The first byte of a unit, and the first unit of a pair.
    half: Option<u8>,
    high: Option<u16>,
}

impl Wide {
    fn new(unit: fn([u8; 2]) -> u16) -> Self {
        Self { unit, half: None, high: None }
    }

    fn feed(&mut self, bytes: &[u8]) -> String {
        let mut units = Vec::with_capacity(bytes.len() / 2 + 2);
        units.extend(self.high.take());
        for byte in bytes {
            match self.half.take() {
                Some(first) => units.push((self.unit)([first, *byte])),
                None => self.half = Some(*byte),
            }
        }
        self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .filter(|c| *c != '\u{feff}')
            .collect()
    }
}
