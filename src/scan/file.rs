//! Files of any kind become text for the detectors: plain, UTF-16, gzip, archives; and binary files, in which only the
//! known secrets are searched for.
//!
//! Reads through [`READ_BYTES`] at a time. What a file claims about its size is not believed.

use super::finding::Finding;
use super::hit::{Certainty, Hit, Place};
use super::lines::{self, Lines};
use super::{Scanner, archive};
use crate::capture::rules::Class;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

/// Read at a time, bytes.
const READ_BYTES: usize = 256 << 10;
/// How much of a file is looked at to tell binary from text, bytes.
const SNIFF_BYTES: usize = 8 << 10;
/// Most that a compressed file is unpacked to, bytes.
pub(super) const MAX_UNPACKED_BYTES: u64 = 64 << 30;

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
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end_of(&mut magic)?;
        file.seek(SeekFrom::Start(0)).or_else(|error| if magic.is_empty() { Ok(0) } else { Err(error) })?;
        let place = Place { file: path.display().to_string(), ..Place::default() };
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
        if head.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = flate2::read::MultiGzDecoder::new(head.chain(input)).take(MAX_UNPACKED_BYTES);
            let mut head = Vec::new();
            (&mut unpacked).take(SNIFF_BYTES as u64).read_to_end_of(&mut head)?;
            let scanned = self.plain(&head, &mut unpacked, place, tick, found)?;
            if scanned.bytes >= MAX_UNPACKED_BYTES {
                found(unseen(place.clone(), "it unpacks to more than is looked at"));
            }
            return Ok(scanned);
        }
        if place.member.is_some() && head.starts_with(b"PK\x03\x04") {
            found(unseen(place.clone(), "an archive in an archive"));
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

/// Reads until the end of what a `take` has limited.
pub(super) trait ReadToEndOf {
    /// Appends all of it.
    fn read_to_end_of(self, into: &mut Vec<u8>) -> io::Result<()>;
}

impl<R: Read> ReadToEndOf for io::Take<R> {
    #[expect(clippy::disallowed_methods, reason = "it is limited: that is what Take does")]
    fn read_to_end_of(mut self, into: &mut Vec<u8>) -> io::Result<()> {
        self.read_to_end(into).map(|_| ())
    }
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
