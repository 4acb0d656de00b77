//! The first reading of a HAR: where each entry begins and ends, when it was, and whether it is a socket.
//!
//! Holds no more of the file than one value at a time. JSON that cannot be read ends the index there.

use super::MAX_ENTRY_BYTES;
use super::har::{Date, date, ms_as_us};
use super::json::{Fault, Json};
use super::lenient::text;
use super::source::beginning;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

/// What is read at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;
/// The byte order mark that some programs put in front.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What is remembered of a HAR.
#[derive(Default)]
pub(super) struct Index {
    /// `log.creator`: name and version.
    pub(super) creator: String,
    /// The entries in the order of the file.
    pub(super) entries: Vec<Extent>,
}

/// Where an entry is, and when it was.
pub(super) struct Extent {
    pub(super) bytes: Range<u64>,
    /// `None` if the date cannot be read.
    pub(super) start: Option<Date>,
    pub(super) took_us: i64,
    pub(super) is_socket: bool,
    /// Where its messages are, if it has a list of them.
    pub(super) messages: Option<Range<u64>>,
}

/// Why and where a HAR cannot be read any further. Holds nothing of its content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// One plain sentence.
    pub why: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// Bytes read until then.
    pub offset: u64,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, column {} (byte {})", self.why, self.line, self.column, self.offset)
    }
}

/// Reads through the file.
pub(super) fn read(file: &File, progress: &mut dyn FnMut(u64, u64)) -> io::Result<(Index, Option<Broken>)> {
    let total = file.metadata()?.len();
    let head = beginning(file, MARK.len() as u64)?;
    let begin = if head == MARK { MARK.len() as u64 } else { 0 };
    (&mut &*file).seek(SeekFrom::Start(begin))?;
    let mut scan = Scan {
        json: Json::new(file, begin, BUFFER_BYTES),
        index: Index::default(),
        has_entries: false,
        total,
        progress,
    };
    let outcome = scan.root();
    let offset = scan.json.offset();
    let why = match outcome {
        Ok(()) if scan.has_entries => return Ok((scan.index, None)),
        Ok(()) => return Ok((scan.index, Some(broken(file, "it has no log.entries", 0)?))),
        Err(Fault::Io(error)) => return Err(error),
        Err(Fault::Eof) => return Ok((scan.index, Some(broken(file, "the file breaks off", total)?))),
        Err(Fault::Large) => "an entry is larger than 64 MiB without its messages",
        Err(Fault::Syntax) => "no JSON",
        Err(Fault::Other) => "something is not what HAR 1.2 says",
    };
    Ok((scan.index, Some(broken(file, why, offset)?)))
}

/// That place, and its line.
fn broken(file: &File, why: &'static str, offset: u64) -> io::Result<Broken> {
    let mut file = file;
    file.seek(SeekFrom::Start(0))?;
    let (mut line, mut column, mut left) = (1, 1, offset);
    let mut buffer = vec![0; BUFFER_BYTES];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read(buffer.get_mut(..room).unwrap_or_default())?;
        let bytes = buffer.get(..count).filter(|bytes| !bytes.is_empty());
        let Some(bytes) = bytes else { break };
        line += memchr::memchr_iter(b'\n', bytes).count();
        column = memchr::memrchr(b'\n', bytes).map_or(column + count, |at| count - at);
        left -= count as u64;
    }
    Ok(Broken { why, line, column, offset })
}

/// The reading under way.
struct Scan<'s> {
    json: Json<&'s File>,
    index: Index,
    has_entries: bool,
    total: u64,
    progress: &'s mut dyn FnMut(u64, u64),
}

impl Scan<'_> {
    fn root(&mut self) -> Result<(), Fault> {
        self.opens(b'{')?;
        let mut first = true;
        while let Some(name) = self.json.member(&mut first)? {
            match &name[..] {
                b"\"log\"" => self.log()?,
                _ => self.json.skip(u64::MAX)?,
            }
        }
        match self.json.peek() {
            Err(Fault::Eof) => Ok(()),
            Ok(_) => Err(Fault::Syntax),
            Err(fault) => Err(fault),
        }
    }

    fn log(&mut self) -> Result<(), Fault> {
        self.opens(b'{')?;
        let mut first = true;
        while let Some(name) = self.json.member(&mut first)? {
            match &name[..] {
                b"\"creator\"" => {
                    let creator = self.json.value(MAX_ENTRY_BYTES)?;
                    let creator: Creator = serde_json::from_slice(creator).unwrap_or_default();
                    let creator = format!("{} {}", creator.name, creator.version);
                    self.index.creator = creator.trim().chars().filter(|c| !c.is_control()).take(100).collect();
                }
                b"\"entries\"" => {
                    self.has_entries = true;
                    self.entries()?;
                }
                _ => self.json.skip(u64::MAX)?,
            }
        }
        Ok(())
    }

    fn entries(&mut self) -> Result<(), Fault> {
        self.opens(b'[')?;
        let mut first = true;
        while self.json.element(&mut first)? {
            self.entry()?;
            (self.progress)(self.json.offset(), self.total);
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<(), Fault> {
        self.json.peek()?;
        let begin = self.json.offset();
        let mut entry = Extent { bytes: begin..begin, start: None, took_us: 0, is_socket: false, messages: None };
        self.opens(b'{')?;
        let mut first = true;
        while let Some(name) = self.json.member(&mut first)? {
            match &name[..] {
                b"\"startedDateTime\"" => entry.start = self.value()?.as_ref().and_then(date),
                b"\"time\"" => {
                    let time = self.json.value(MAX_ENTRY_BYTES)?;
                    entry.took_us = ms_as_us(serde_json::from_slice(time).ok().and_then(|Number(time)| time));
                }
                b"\"_resourceType\"" => {
                    entry.is_socket |= self.value()?.is_some_and(|kind| kind.as_str() == Some("websocket"));
                }
                b"\"_webSocketMessages\"" => {
                    let is_list = self.json.peek()? == b'[';
                    let from = self.json.offset();
                    self.json.skip(u64::MAX)?;
                    let messages = from..self.json.offset();
                    // `[]` of a request that is no socket says nothing.
                    entry.is_socket |= is_list && messages.end - from > 2;
                    entry.messages = Some(messages);
                }
                _ => self.json.skip(MAX_ENTRY_BYTES)?,
            }
        }
        entry.bytes.end = self.json.offset();
        let messages = entry.messages.as_ref().map_or(0, |messages| messages.end - messages.start);
        if entry.bytes.end - entry.bytes.start - messages > MAX_ENTRY_BYTES {
            return Err(Fault::Large);
        }
        self.index.entries.push(entry);
        Ok(())
    }

    /// A small value; `None` if it is none that `serde_json` reads.
    fn value(&mut self) -> Result<Option<Value>, Fault> {
        Ok(serde_json::from_slice(self.json.value(MAX_ENTRY_BYTES)?).ok())
    }

    fn opens(&mut self, bracket: u8) -> Result<(), Fault> {
        match self.json.takes(bracket)? {
            true => Ok(()),
            false => Err(Fault::Other),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Creator {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text")]
    version: String,
}

#[derive(Deserialize)]
struct Number(#[serde(deserialize_with = "super::lenient::number")] Option<f64>);
