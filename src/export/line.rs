//! Lines of captures, as far as exports use them, and where they are.
//!
//! A line is one of ours if it is a JSON object with our schema's major version.

use crate::stored::view::{Line, NoLine};
use crate::stored::{MAX_LINE_BYTES, Stored};
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// What is read at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;
/// Bad lines named one by one; the rest is counted.
const MAX_NAMED: usize = 20;

/// Capture files in the order they were written in.
pub struct Sources {
    files: Vec<(PathBuf, File)>,
}

/// Where a line is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    file: u32,
    bytes: u32,
    offset: u64,
}

/// What came of reading.
#[derive(Default, Debug)]
pub struct Told {
    /// Lines of ours.
    pub lines: u64,
    /// Stanzas that the capture holds only in part.
    pub cut: u64,
    /// A capture says that nothing was removed from it.
    pub is_unredacted: bool,
    /// The first lines that were left out.
    pub problems: Vec<Problem>,
    /// Lines that were left out.
    pub left_out: u64,
}

/// A line that was left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Its file.
    pub path: PathBuf,
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.why)
    }
}

impl Told {
    fn leave_out(&mut self, path: &Path, line: u64, why: &'static str) {
        self.left_out += 1;
        if self.problems.len() < MAX_NAMED {
            self.problems.push(Problem { path: path.to_owned(), line, why });
        }
    }
}

impl Sources {
    /// Opens the files.
    ///
    /// # Errors
    /// One cannot be opened; its path is told with it.
    pub fn open(paths: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let open = |path: &PathBuf| {
            let file = Stored::open(path).and_then(|stored| stored.text());
            file.map(|file| (path.clone(), file)).map_err(|error| (path.clone(), error))
        };
        Ok(Self { files: paths.iter().map(open).collect::<Result<_, _>>()? })
    }

    /// Shows every line of ours to `see`, in order, and says what else was there.
    pub(super) fn each(
        &self,
        progress: &mut dyn FnMut(u64, u64),
        see: &mut dyn FnMut(Place, &Line<'_>) -> io::Result<()>,
    ) -> io::Result<Told> {
        let mut told = Told::default();
        let total = self.files.iter().filter_map(|(_, file)| file.metadata().ok()).map(|meta| meta.len()).sum();
        let mut done = 0;
        for (number, (path, file)) in (0..).zip(&self.files) {
            let mut input = file;
            input.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::with_capacity(BUFFER_BYTES, input);
            let (mut offset, mut text) = (0, Vec::new());
            for count in 1.. {
                text.clear();
                let bytes = (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut text)? as u64;
                if bytes == 0 {
                    break;
                }
                let whole = text.ends_with(b"\n");
                let why = match read(&text) {
                    Ok(line) => {
                        told.lines += 1;
                        told.cut += u64::from(line.finesse.xml_truncated);
                        told.is_unredacted |= line.finesse.redaction.as_ref().is_some_and(|r| &*r.level == "off");
                        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                        see(Place { file: number, bytes, offset }, &line)?;
                        None
                    }
                    _ if text.trim_ascii().is_empty() => None,
                    Err(why) => Some(if whole { why } else { "torn: it breaks off" }),
                };
                let mut rest = 0;
                if !whole && bytes == MAX_LINE_BYTES {
                    rest = reader.skip_until(b'\n')? as u64;
                }
                if let Some(why) = why {
                    told.leave_out(path, count, why);
                }
                offset += bytes + rest;
                progress(done + offset, total);
            }
            done += offset;
        }
        Ok(told)
    }

    /// The line at a place; the buffer is its own.
    pub(super) fn text(&self, place: Place, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let Some((_, file)) = self.files.get(place.file as usize) else { return Ok(()) };
        let mut file = file;
        file.seek(SeekFrom::Start(place.offset))?;
        buffer.resize(place.bytes as usize, 0);
        file.read_exact(buffer)
    }
}

/// Reads a line of ours, or says in a constant sentence why it is none.
pub(super) fn read(text: &[u8]) -> Result<Line<'_>, &'static str> {
    match Line::read(text) {
        Ok(line) if line.is_known_schema() => Ok(line),
        Ok(_) => Err("foreign: of a schema that this version does not know"),
        Err(NoLine::Foreign) => Err("foreign: no line of a finesse-tap capture"),
        Err(NoLine::Torn) => Err("torn: no whole JSON object"),
    }
}

/// A message's text, or what stands in for one that was never kept.
pub(super) fn payload<'l>(line: &'l Line<'_>) -> Cow<'l, str> {
    match &line.finesse.xml {
        Some(xml) => Cow::Borrowed(xml),
        None if line.finesse.keepalive => Cow::Borrowed(" "),
        None => {
            let ws = line.finesse.ws.as_ref();
            let bytes = ws.and_then(|ws| ws.payload_bytes).or(line.finesse.xml_bytes).unwrap_or(0);
            Cow::Owned(not_kept(bytes))
        }
    }
}

/// The message before: one with several notifications makes a line for each, and is one message all the same.
#[derive(Default)]
pub(super) struct Before {
    at_us: i64,
    is_sent: bool,
    payload: String,
}

impl Before {
    /// Whether `line` stands for the same message as the line before it.
    pub(super) fn is_same(&mut self, line: &Line<'_>) -> bool {
        let (at_us, is_sent) = (line.at_us, line.is_sent());
        let payload = payload(line);
        let same = self.at_us == at_us && self.is_sent == is_sent && self.payload == payload;
        *self = Self { at_us, is_sent, payload: payload.into_owned() };
        same && &*line.event.action == "finesse-update"
    }
}

/// A time in a HAR and a transcript.
pub(super) fn stamp(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map(|at| format!("{at:.6}")).unwrap_or_default()
}

/// What stands in for content that the capture never had.
pub(super) fn not_kept(bytes: u64) -> String {
    format!("[{bytes} bytes, not kept]")
}

/// The phrase of a status (RFC 9110 section 15), for those that Finesse and its neighbours send.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "-",
    }
}
