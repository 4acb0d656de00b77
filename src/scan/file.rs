//! Files of any kind become text for the detectors: plain, UTF-16, gzip, archives, packet captures. What is none of these is
//! a hit, and the words in it are looked at all the same.
//!
//! Reads through [`READ_BYTES`] at a time. What a file claims about its size is not believed.

use super::form::Form;
use super::hit::{Certainty, Hit, Place};
use super::lines::Lines;
use super::{Scanner, archive, packets, tar};
use crate::capture::policy::Class;
use crate::stored::{ReadToEndOf as _, Unpacked, starred};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most layers of gzip and tar that are taken off.
const MAX_LAYERS: u8 = 3;
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
}

impl Scanned {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
    }
}

impl Scanner {
    /// Looks at a file, or at every member of an archive. `tick` is told bytes as they are read, unpacked.
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
        if let Some((stub_bytes, archive)) = archive::open(&mut file)? {
            let mut scanned = archive::scan(self, archive, &place, tick, found)?;
            if stub_bytes > 0 {
                // A program that unpacks itself.
                let mut file = File::open(path)?;
                scanned.add(self.stream(&mut (&mut file).take(stub_bytes), &place, tick, found)?);
            }
            return Ok(scanned);
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
        let archive = zip::ZipArchive::new(archive).map_err(io::Error::from)?;
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
        self.layer(input, place, MAX_LAYERS, tick, found)
    }

    /// One layer of wrapping less, of `layers` at the most.
    pub(super) fn layer(
        &self,
        input: &mut dyn Read,
        place: &Place,
        layers: u8,
        tick: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        let mut head = Vec::new();
        input.take(SNIFF_BYTES as u64).read_to_end_of(&mut head)?;
        let mut whole = head.chain(input);
        match Form::of(&head) {
            Form::Gzip if layers > 0 => self.layer(&mut Unpacked::new(whole), place, layers - 1, tick, found),
            Form::Tar if layers > 0 => tar::scan(self, &mut whole, place, layers - 1, tick, found),
            Form::Packets => packets::scan(self, &mut whole, place, tick, found),
            form => self.text_of(&form, &mut whole, place, tick, found),
        }
    }

    /// Text, or the words in what is none.
    fn text_of(
        &self,
        form: &Form,
        input: &mut dyn Read,
        place: &Place,
        tick: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(Hit),
    ) -> io::Result<Scanned> {
        let mut is_told = false;
        if let Some(what) = form.unseen() {
            found(unseen(place.clone(), what));
            is_told = true;
        }
        let found = RefCell::new(found);
        let mut tell = |hit| (found.borrow_mut())(hit);
        let mut lines = Lines::new(self, place, &mut tell).naming_values();
        let mut wide = if let Form::Wide(unit) = form { Some(Wide::new(*unit)) } else { None };
        let mut buffer = vec![0; READ_BYTES];
        let mut bytes = 0;
        loop {
            let part = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => buffer.get_mut(..read).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let read = part.len() as u64;
            match &mut wide {
                Some(wide) => lines.feed(wide.feed(part).as_bytes()),
                None => {
                    if let Some(at) = blank_controls(part)
                        && !std::mem::replace(&mut is_told, true)
                    {
                        let place = Place { offset: bytes + at as u64, ..place.clone() };
                        (found.borrow_mut())(unseen(place, "binary data: only the words in it were looked at"));
                    }
                    lines.feed(part.strip_prefix(b"\xef\xbb\xbf").filter(|_| bytes == 0).unwrap_or(part));
                }
            }
            bytes += read;
            tick(read);
        }
        Ok(Scanned { bytes, lines: lines.finish() })
    }
}

/// Puts a space in the place of every byte that no text has. Tells the place of the first if they make it binary data: a
/// NUL, or more than one byte in a hundred.
pub(super) fn blank_controls(bytes: &mut [u8]) -> Option<usize> {
    let is_control = |byte: u8| matches!(byte, 0..=0x07 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    let (mut first, mut nul, mut controls) = (None, false, 0);
    let length = bytes.len();
    for (at, byte) in bytes.iter_mut().enumerate().filter(|(_, byte)| is_control(**byte)) {
        nul |= *byte == 0;
        controls += 1;
        first.get_or_insert(at);
        *byte = b' ';
    }
    first.filter(|_| nul || controls * 100 > length)
}

/// What could not be looked at may hold anything.
pub(super) fn unseen(place: Place, why: &str) -> Hit {
    let (kind, certainty) = ("not-scanned", Certainty::Certain);
    Hit { place, kind, class: Class::Unknown, certainty, within: None, why: why.to_owned(), shown: "…".to_owned() }
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
            .filter(|c| !matches!(c, '\u{feff}' | '\0'))
            .collect()
    }
}
