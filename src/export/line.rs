//! Lines of captures, as far as exports use them, and where they are.
//!
//! A line is one of ours if it is a JSON object with our schema's major version. Fields that are not known here are ignored.

use crate::stored::{MAX_LINE_BYTES, Stored};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
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
                let why = match Line::read(&text) {
                    Ok(line) => {
                        told.lines += 1;
                        told.cut += u64::from(line.finesse.xml_truncated);
                        told.is_unredacted |= line.finesse.redaction.as_ref().is_some_and(|r| r.level == "off");
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

/// One line.
#[derive(Deserialize)]
pub(super) struct Line<'l> {
    #[serde(rename = "@timestamp", deserialize_with = "timestamp")]
    pub(super) timestamp: jiff::Timestamp,
    #[serde(borrow)]
    pub(super) event: Event<'l>,
    #[serde(borrow, default)]
    pub(super) message: Cow<'l, str>,
    pub(super) client: Option<Endpoint>,
    pub(super) server: Option<Endpoint>,
    #[serde(borrow)]
    pub(super) http: Option<Http<'l>>,
    pub(super) url: Option<Url>,
    pub(super) user: Option<User>,
    #[serde(borrow)]
    pub(super) finesse: Finesse<'l>,
}

impl<'l> Line<'l> {
    /// Reads a line, or says in a constant sentence why it is none of ours.
    pub(super) fn read(text: &'l [u8]) -> Result<Self, &'static str> {
        let line: Self = serde_json::from_slice(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => "foreign: no line of a finesse-tap capture",
            _ => "torn: no whole JSON object",
        })?;
        match line.finesse.schema.split('.').next() {
            Some("1") => Ok(line),
            _ => Err("foreign: of a schema that this version does not know"),
        }
    }

    /// When, microseconds since 1970.
    pub(super) fn at_us(&self) -> i64 {
        self.timestamp.as_microsecond()
    }

    /// When it began, where it took a while.
    pub(super) fn start_us(&self) -> i64 {
        let took_us = i64::try_from(self.event.duration.unwrap_or(0) / 1_000).unwrap_or(0);
        self.at_us().saturating_sub(took_us)
    }

    /// The run that wrote it: connections and sockets are numbered within one.
    pub(super) fn run(&self) -> &str {
        self.event.id.split('-').next().unwrap_or_default()
    }

    /// Its connection's number, as written.
    pub(super) fn conn(&self) -> Option<&str> {
        self.finesse.conn.as_ref().map(|conn| &*conn.id)
    }

    /// Its socket's number, as written.
    pub(super) fn ws(&self) -> Option<&str> {
        self.finesse.ws.as_ref().map(|ws| &*ws.id)
    }

    /// Its stream's number, as written, if that is no WebSocket: `b2` of BOSH, `x2` of XMPP by itself.
    pub(super) fn stream(&self) -> Option<&str> {
        self.finesse.stream.as_ref().map(|stream| &*stream.id)
    }

    /// Whether the client sent it.
    pub(super) fn is_sent(&self) -> bool {
        self.finesse.direction.as_deref() == Some("c2s")
    }

    /// Whether it stands for a stanza or the like, on a WebSocket or any other stream.
    pub(super) fn is_message(&self) -> bool {
        matches!(
            &*self.event.action,
            "xmpp-stanza" | "sasl-auth-sent" | "sasl-auth-result" | "finesse-update" | "websocket-message"
        )
    }

    /// A message's text, or what stands in for one that was never kept.
    pub(super) fn payload(&self) -> Cow<'_, str> {
        match &self.finesse.xml {
            Some(xml) => Cow::Borrowed(xml),
            None if self.finesse.keepalive => Cow::Borrowed(" "),
            None => {
                let ws = self.finesse.ws.as_ref();
                let bytes = ws.and_then(|ws| ws.payload_bytes).or(self.finesse.xml_bytes).unwrap_or(0);
                Cow::Owned(not_kept(bytes))
            }
        }
    }
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
    Cow::<str>::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("no date"))
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
        let (at_us, is_sent) = (line.at_us(), line.is_sent());
        let payload = line.payload();
        let same = self.at_us == at_us && self.is_sent == is_sent && self.payload == payload;
        *self = Self { at_us, is_sent, payload: payload.into_owned() };
        same && line.event.action == "finesse-update"
    }
}

/// What stands in for content that the capture never had.
pub(super) fn not_kept(bytes: u64) -> String {
    format!("[{bytes} bytes, not kept]")
}

#[derive(Deserialize)]
pub(super) struct Event<'l> {
    pub(super) sequence: Option<u64>,
    #[serde(borrow)]
    pub(super) id: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) action: Cow<'l, str>,
    /// Nanoseconds.
    pub(super) duration: Option<u64>,
}

#[derive(Deserialize, Clone, Default)]
pub(super) struct Endpoint {
    pub(super) domain: Option<String>,
    pub(super) ip: Option<String>,
    #[serde(default)]
    pub(super) port: u16,
}

#[derive(Deserialize)]
pub(super) struct Http<'l> {
    #[serde(borrow)]
    pub(super) version: Cow<'l, str>,
    pub(super) request: HttpMessage,
    pub(super) response: Option<HttpMessage>,
}

#[derive(Deserialize)]
pub(super) struct HttpMessage {
    pub(super) method: Option<String>,
    pub(super) status_code: Option<u16>,
    pub(super) mime_type: Option<String>,
    pub(super) bytes: u64,
    pub(super) body: Body,
}

#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) bytes: u64,
    pub(super) content: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Url {
    pub(super) path: String,
    pub(super) query: Option<String>,
}

impl Url {
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Finesse<'l> {
    #[serde(borrow)]
    pub(super) schema: Cow<'l, str>,
    pub(super) session: Option<Id>,
    pub(super) conn: Option<Conn>,
    pub(super) ws: Option<Ws>,
    pub(super) stream: Option<Id>,
    #[serde(borrow)]
    pub(super) direction: Option<Cow<'l, str>>,
    #[serde(default)]
    pub(super) keepalive: bool,
    pub(super) http: Option<HttpFacts>,
    #[serde(borrow)]
    pub(super) api: Option<&'l RawValue>,
    #[serde(borrow)]
    pub(super) xmpp: Option<&'l RawValue>,
    #[serde(borrow)]
    pub(super) update: Option<&'l RawValue>,
    pub(super) redaction: Option<Redaction>,
    pub(super) xml_bytes: Option<u64>,
    #[serde(default)]
    pub(super) xml_truncated: bool,
    #[serde(borrow)]
    pub(super) xml: Option<Cow<'l, str>>,
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Conn {
    pub(super) id: String,
    pub(super) by: Option<String>,
    pub(super) how: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Ws {
    pub(super) id: String,
    pub(super) opcode: Option<String>,
    pub(super) payload_bytes: Option<u64>,
    pub(super) close: Option<Close>,
}

#[derive(Deserialize)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: Option<String>,
    pub(super) initiator: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct HttpFacts {
    pub(super) ttfb_us: Option<u64>,
    #[serde(default)]
    pub(super) cut: bool,
    #[serde(default)]
    pub(super) request_headers: Vec<Header>,
    #[serde(default)]
    pub(super) response_headers: Vec<Header>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Deserialize)]
pub(super) struct Redaction {
    pub(super) level: String,
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
