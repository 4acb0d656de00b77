//! Reads single things at a known place of the file: an entry, or the messages of a socket one by one.
//!
//! All readers share one open file, each seeking before it reads, so that any number of sockets can be open at once.

use super::MAX_ENTRY_BYTES;
use super::har::{Entry, SocketMessage};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::rc::Rc;

/// What is read at once, bytes.
const BUFFER_BYTES: usize = 32 << 10;

/// The entry that begins at `offset`.
pub(super) fn entry(file: &Rc<File>, offset: u64) -> Result<Entry, serde_json::Error> {
    let reader = BufReader::with_capacity(BUFFER_BYTES, At { file: Rc::clone(file), offset });
    // The messages were measured with the rest; they are skipped without being held.
    Entry::deserialize(&mut serde_json::Deserializer::from_reader(reader))
}

/// The messages of one socket, in the order of the file.
pub(super) struct Messages {
    reader: BufReader<At>,
    is_over: bool,
}

impl Messages {
    /// Those of the array that begins at or behind `offset`, behind white space only.
    pub(super) fn at(file: &Rc<File>, offset: u64) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, At { file: Rc::clone(file), offset });
        Self { reader, is_over: false }
    }

    /// The next message; `None` behind the last, or where the array cannot be understood.
    pub(super) fn next(&mut self) -> io::Result<Option<SocketMessage>> {
        while !self.is_over {
            match self.glyph()? {
                Some(b'[' | b',') => self.consume(),
                Some(b'{') => {
                    let limited = (&mut self.reader).take(MAX_ENTRY_BYTES);
                    // An object ends with its brace: nothing behind it is taken from the reader.
                    let message = SocketMessage::deserialize(&mut serde_json::Deserializer::from_reader(limited));
                    self.is_over = message.is_err();
                    return Ok(message.ok());
                }
                _ => self.is_over = true,
            }
        }
        Ok(None)
    }

    /// The next byte that is no white space; not taken.
    fn glyph(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.reader.fill_buf()?.first() {
                Some(byte) if byte.is_ascii_whitespace() => self.consume(),
                byte => return Ok(byte.copied()),
            }
        }
    }

    fn consume(&mut self) {
        self.reader.consume(1);
    }
}

/// A reader of its own position in a shared file.
struct At {
    file: Rc<File>,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.offset))?;
        let count = file.read(buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}
