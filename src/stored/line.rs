//! A capture front to back, a line at a time, in bounded memory.
//!
//! A line of over [`MAX_LINE_BYTES`] is passed over and told; a last line without an end is told as torn. Counts lines and
//! the bytes that were read of the file itself, which for a compressed one are fewer than came out.

use super::unpack::{Unpacked, is_gzip};
use super::{MAGIC_BYTES, ReadToEndOf as _};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::Path;
use std::rc::Rc;

/// Longest line read, bytes: above the longest that captures are made with.
pub const MAX_LINE_BYTES: u64 = 17 << 20;
/// Read at a time, bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// What a capture yields.
pub enum Piece<'l> {
    /// A line without its end.
    Line(&'l [u8]),
    /// A line that is too long.
    TooLong,
    /// The last line has no end: whoever wrote it is at it, or was cut off.
    Torn(&'l [u8]),
}

/// The lines of one capture.
pub struct Lines {
    reader: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
    read_bytes: Rc<Cell<u64>>,
}

impl Lines {
    /// Opens the file at `path`, compressed or not.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        (&mut file).take(MAGIC_BYTES).read_to_end_of(&mut magic)?;
        file.rewind()?;
        let read_bytes = Rc::new(Cell::new(0));
        let counted = Counted { file, read_bytes: Rc::clone(&read_bytes) };
        let input: Box<dyn Read> = if is_gzip(&magic) { Box::new(Unpacked::new(counted)) } else { Box::new(counted) };
        Ok(Self { reader: BufReader::with_capacity(CHUNK_BYTES, input), line: Vec::new(), number: 0, read_bytes })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// It cannot be read, or not be unpacked any further.
    #[expect(clippy::should_implement_trait, reason = "what it yields is borrowed, which no Iterator can")]
    pub fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.line.clear();
        let read = (&mut self.reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(Some(Piece::Line(self.line.strip_suffix(b"\r").unwrap_or(&self.line))));
        }
        if read == MAX_LINE_BYTES {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Piece::TooLong));
        }
        Ok(Some(Piece::Torn(&self.line)))
    }

    /// The number of the line that came last, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Bytes of the file read so far.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.get()
    }
}

struct Counted {
    file: File,
    read_bytes: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read_bytes.set(self.read_bytes.get() + read as u64);
        Ok(read)
    }
}
