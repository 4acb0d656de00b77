//! The first reading of a HAR: where each entry begins, when it was, and whether it is a socket.
//!
//! Holds no more of the file than one value at a time. JSON that cannot be read ends the index there.

use super::MAX_ENTRY_BYTES;
use super::har::{date_us, ms_as_us};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};

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
    pub(super) places: Vec<Place>,
}

/// Where an entry is, and when it was.
pub(super) struct Place {
    pub(super) offset: u64,
    /// Microseconds since 1970; `None` if the date cannot be read.
    pub(super) start_us: Option<i64>,
    pub(super) took_us: i64,
    pub(super) is_socket: bool,
    /// Where its messages are.
    pub(super) messages: Option<u64>,
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
    let mut input = file;
    input.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, input);
    let meter = Meter { position: Cell::new(0), limit: Cell::new(u64::MAX) };
    if reader.fill_buf()?.starts_with(MARK) {
        reader.consume(MARK.len());
        meter.position.set(MARK.len() as u64);
    }
    let mut scan = Scan { meter: &meter, index: Index::default(), has_entries: false, total, progress };
    let mut json = serde_json::Deserializer::from_reader(Metered { reader, meter: &meter });
    let outcome = Object { scan: &mut scan, of: Of::Root }.deserialize(&mut json).and_then(|()| json.end());
    let broken = match outcome {
        Ok(()) if scan.has_entries => None,
        Ok(()) => Some(broken("it has no log.entries", 1, 1, 0)),
        Err(error) => {
            let oversize = meter.position.get() >= meter.limit.get();
            let why = match error.classify() {
                _ if oversize => "an entry is larger than 64 MiB without its messages",
                Category::Io => return Err(error.into()),
                Category::Eof => "the file breaks off",
                Category::Syntax => "no JSON",
                Category::Data => "something is not what HAR 1.2 says",
            };
            Some(broken(why, error.line(), error.column(), meter.position.get()))
        }
    };
    Ok((scan.index, broken))
}

fn broken(why: &'static str, line: usize, column: usize, offset: u64) -> Broken {
    Broken { why, line, column, offset }
}

/// How far the parser has read, and how far it may.
struct Meter {
    position: Cell<u64>,
    limit: Cell<u64>,
}

impl Meter {
    fn allow(&self, bytes: u64) {
        self.limit.set(self.position.get().saturating_add(bytes));
    }
}

struct Metered<'m, R> {
    reader: R,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.meter.position.get() >= self.meter.limit.get() {
            return Err(io::Error::other("the limit is reached"));
        }
        let count = self.reader.read(buffer)?;
        self.meter.position.set(self.meter.position.get() + count as u64);
        Ok(count)
    }
}

/// The reading under way.
struct Scan<'s> {
    meter: &'s Meter,
    index: Index,
    has_entries: bool,
    total: u64,
    progress: &'s mut dyn FnMut(u64, u64),
}

/// Which object is read.
#[derive(Clone, Copy)]
enum Of {
    Root,
    Log,
    Entry,
}

struct Object<'a, 's> {
    scan: &'a mut Scan<'s>,
    of: Of,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.of {
            Of::Root => self.root(map),
            Of::Log => self.log(map),
            Of::Entry => self.entry(map),
        }
    }
}

impl Object<'_, '_> {
    fn root<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "log" => map.next_value_seed(Object { scan: &mut *self.scan, of: Of::Log })?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn log<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.scan.meter.allow(MAX_ENTRY_BYTES);
            match key.as_str() {
                "creator" => {
                    let creator: Value = map.next_value()?;
                    let text = |name: &str| creator.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                    let creator = format!("{} {}", text("name"), text("version"));
                    self.scan.index.creator = creator.trim().chars().filter(|c| !c.is_control()).take(100).collect();
                }
                "entries" => {
                    self.scan.has_entries = true;
                    map.next_value_seed(Entries(&mut *self.scan))?;
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn entry<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // The parser has looked at the brace and at nothing behind it.
        let offset = self.scan.meter.position.get().saturating_sub(1);
        let mut place = Place { offset, start_us: None, took_us: 0, is_socket: false, messages: None };
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "startedDateTime" => place.start_us = map.next_value::<Value>()?.as_str().and_then(date_us),
                "time" => place.took_us = ms_as_us(&map.next_value()?),
                "_resourceType" => place.is_socket |= map.next_value::<Value>()?.as_str() == Some("websocket"),
                "_webSocketMessages" => {
                    place.messages = map.next_value_seed(Skipped(self.scan.meter))?;
                    place.is_socket |= place.messages.is_some();
                    self.scan.meter.allow(MAX_ENTRY_BYTES);
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        self.scan.index.places.push(place);
        Ok(())
    }
}

struct Entries<'a, 's>(&'a mut Scan<'s>);

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            self.0.meter.allow(MAX_ENTRY_BYTES);
            if seq.next_element_seed(Object { scan: &mut *self.0, of: Of::Entry })?.is_none() {
                return Ok(());
            }
            (self.0.progress)(self.0.meter.position.get(), self.0.total);
        }
    }
}

/// Skips messages, whatever their size, and tells where they are; `None` if they are no list.
struct Skipped<'m>(&'m Meter);

impl<'de> DeserializeSeed<'de> for Skipped<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        // The parser has taken the colon and looked at nothing behind it.
        let offset = self.0.position.get();
        self.0.limit.set(u64::MAX);
        deserializer.deserialize_any(SkippedList).map(|is_list| is_list.then_some(offset))
    }
}

struct SkippedList;

impl<'de> Visitor<'de> for SkippedList {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut count = 0_u64;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count > 0)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<bool, A::Error> {
        Err(A::Error::custom("no list"))
    }
}
