//! Reads single things at a known place of the file: an entry, or the messages of a socket one by one.
//!
//! All readers share one open file, each seeking before it reads, so that any number of sockets can be open at once. JSON
//! that `serde_json` refuses is read once more [`repaired`].

use super::MAX_ENTRY_BYTES;
use super::har::{Entry, SocketMessage};
use super::index::Extent;
use super::json::{Fault, Json, repaired};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::rc::Rc;

/// What is read of a socket's messages at once, bytes.
const BUFFER_BYTES: usize = 32 << 10;

/// How something could be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Good,
    /// Bytes in it are no Unicode.
    Repaired,
}

/// The entry that is there, without its messages; `None` if it is none.
#[expect(clippy::disallowed_methods, reason = "the place that was found for it limits it")]
pub(super) fn entry(file: &Rc<File>, extent: &Extent) -> io::Result<Option<(Entry, Condition)>> {
    let Range { start, end } = extent.bytes.clone();
    let messages = extent.messages.clone().unwrap_or(end..end);
    let mut json = Vec::new();
    at(file, start..messages.start).read_to_end(&mut json)?;
    if extent.messages.is_some() {
        json.extend(b"null");
        at(file, messages.end..end).read_to_end(&mut json)?;
    }
    Ok(read(&json))
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Option<(T, Condition)> {
    if let Ok(value) = serde_json::from_slice(json) {
        return Some((value, Condition::Good));
    }
    serde_json::from_slice(&repaired(json)).ok().map(|value| (value, Condition::Repaired))
}

/// The messages of one socket, in the order of the file.
pub(super) struct Messages {
    json: Json<io::Take<At>>,
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Before,
    Further,
    Over,
}

impl Messages {
    /// Those of the list that is there.
    pub(super) fn at(file: &Rc<File>, list: Range<u64>) -> Self {
        let offset = list.start;
        Self { json: Json::new(at(file, list), offset, BUFFER_BYTES), progress: Progress::Before }
    }

    /// The next message; `Some(None)` for one that is none, `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Option<(SocketMessage, Condition)>>> {
        match self.step() {
            Ok(found) => Ok(found),
            Err(Fault::Io(error)) => Err(error),
            // The first reading has matched its brackets, so that this is a message larger than the limit.
            Err(_) => {
                let was_over = self.progress == Progress::Over;
                self.progress = Progress::Over;
                Ok((!was_over).then_some(None))
            }
        }
    }

    fn step(&mut self) -> Result<Option<Option<(SocketMessage, Condition)>>, Fault> {
        let mut first = match self.progress {
            Progress::Over => return Ok(None),
            Progress::Before => {
                self.json.expect(b'[')?;
                true
            }
            Progress::Further => false,
        };
        if !self.json.element(&mut first)? {
            self.progress = Progress::Over;
            return Ok(None);
        }
        self.progress = Progress::Further;
        let message = self.json.value(MAX_ENTRY_BYTES)?;
        Ok(Some(if message.starts_with(b"{") { read(message) } else { None }))
    }
}

fn at(file: &Rc<File>, bytes: Range<u64>) -> io::Take<At> {
    At { file: Rc::clone(file), offset: bytes.start }.take(bytes.end.saturating_sub(bytes.start))
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
