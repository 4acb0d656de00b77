//! A request's or response's head: start line and header fields (RFC 9112 section 2), field lines read with httparse.
//!
//! Keeps the field lines as they came: names in their own case, values as raw bytes, duplicates in order; a line that
//! is no field line at all is left out. `Debug` shows the shape of a head and none of its values. A head has at most
//! [`FIELD_LINES`] lines; its size is bounded by [`Limits::head_bytes`](super::Limits::head_bytes).

use bytes::{Bytes, BytesMut};
use std::fmt;

/// Most field lines of one head.
pub const FIELD_LINES: usize = 1_024;

/// The protocol version on the start line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, and higher minor versions, which are read as it (RFC 9110 section 2.5).
    Http11,
    /// HTTP/2: heads of [`crate::http2`], which have the same form.
    Http2,
}

/// One field line.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Name, case as sent.
    pub name: Bytes,
    /// Value without surrounding white space, any bytes; the line ends of obsolete folding are blanks.
    pub value: Bytes,
}

/// A request's start line and fields.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// Method as sent.
    pub method: String,
    /// Request target as sent (origin form, absolute form, `*`), lossy UTF-8.
    pub target: String,
    /// Version.
    pub version: Version,
    /// Field lines in order.
    pub fields: Vec<Field>,
    /// Bytes of the head on the wire, its blank line included.
    pub head_bytes: u64,
}

/// A response's start line and fields.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status code.
    pub status: u16,
    /// Reason phrase as sent, lossy UTF-8, possibly empty.
    pub reason: String,
    /// Version.
    pub version: Version,
    /// Field lines in order.
    pub fields: Vec<Field>,
    /// Bytes of the head on the wire, its blank line included.
    pub head_bytes: u64,
}

impl RequestHead {
    /// The first value of the field `name` (ASCII case ignored).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        values(&self.fields, name).next()
    }

    /// Whether the answer may end HTTP on the connection.
    pub(super) fn asks_to_switch(&self) -> bool {
        self.method == "CONNECT" || self.field("upgrade").is_some()
    }
}

impl ResponseHead {
    /// The first value of the field `name` (ASCII case ignored).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        values(&self.fields, name).next()
    }

    /// Whether another response to the same request follows.
    pub(super) fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199) && self.status != 101
    }

    /// Whether it ends HTTP for a request of this method that asked for it: RFC 9110 sections 15.2.2 (101) and 9.3.6
    /// (CONNECT).
    pub(super) fn switches(&self, method: &str) -> bool {
        self.status == 101 || method == "CONNECT" && matches!(self.status, 200..=299)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: <{} bytes>", String::from_utf8_lossy(&self.name), self.value.len())
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("target_bytes", &self.target.len())
            .field("version", &self.version)
            .field("fields", &self.fields)
            .field("head_bytes", &self.head_bytes)
            .finish()
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("reason_bytes", &self.reason.len())
            .field("version", &self.version)
            .field("fields", &self.fields)
            .field("head_bytes", &self.head_bytes)
            .finish()
    }
}

/// All values of the field `name` (ASCII case ignored), in order.
pub(super) fn values<'f>(fields: &'f [Field], name: &str) -> impl Iterator<Item = &'f [u8]> {
    fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| &f.value[..])
}

/// What is wrong with a head: a constant sentence.
pub(super) type Fault = &'static str;

/// A head that can be read from its wire form.
pub(super) trait Head: Sized {
    /// Its first line.
    type StartLine: fmt::Debug;

    /// Reads the first line, given without its line end.
    fn start_line(line: &[u8]) -> Result<Self::StartLine, Fault>;

    /// Puts the whole together.
    fn new(start: Self::StartLine, fields: Vec<Field>, head_bytes: u64) -> Self;
}

// Start lines are read here and not by httparse because it refuses targets and empties reason phrases that are not
// UTF-8, and because servers take more than it does (RFC 9112 section 3: blanks inside a target, section 2.2: bare LF).
impl Head for RequestHead {
    type StartLine = (String, String, Version);

    fn start_line(line: &[u8]) -> Result<Self::StartLine, Fault> {
        let parts = || {
            let line = line.trim_ascii_end();
            let method_end = line.iter().position(|&b| b == b' ')?;
            let version_start = line.iter().rposition(|&b| b == b' ')?;
            let target = line.get(method_end..version_start)?.trim_ascii();
            Some((line.get(..method_end)?, target, line.get(version_start + 1..)?))
        };
        let (method, target, version) = parts().ok_or("not a request line")?;
        if method.is_empty() || !method.iter().all(|&b| is_token_byte(b)) {
            return Err("not a request line: the method is no token");
        }
        if target.is_empty() {
            return Err("not a request line: no target");
        }
        let version = read_version(version).ok_or("not a request line: the version is not HTTP/1")?;
        Ok((lossy(method), lossy(target), version))
    }

    fn new((method, target, version): Self::StartLine, fields: Vec<Field>, head_bytes: u64) -> Self {
        Self { method, target, version, fields, head_bytes }
    }
}

impl Head for ResponseHead {
    type StartLine = (u16, String, Version);

    fn start_line(line: &[u8]) -> Result<Self::StartLine, Fault> {
        let mut parts = line.splitn(3, |&b| b == b' ');
        let version = parts.next().and_then(read_version).ok_or("not a status line: the version is not HTTP/1")?;
        let status = match parts.next() {
            Some(&[a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
                u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
            }
            _ => return Err("not a status line: the status is not three digits"),
        };
        Ok((status, lossy(parts.next().unwrap_or_default()), version))
    }

    fn new((status, reason, version): Self::StartLine, fields: Vec<Field>, head_bytes: u64) -> Self {
        Self { status, reason, version, fields, head_bytes }
    }
}

/// Collects one head line by line. Each byte is looked at once for the end and once when it is read, however it is cut.
pub(super) struct HeadReader<H: Head> {
    wire: BytesMut,
    /// Where the unfinished line starts.
    line_start: usize,
    /// The first line and where it ends, once it is there.
    start: Option<(H::StartLine, usize)>,
}

impl<H: Head> HeadReader<H> {
    pub(super) fn new() -> Self {
        Self { wire: BytesMut::new(), line_start: 0, start: None }
    }

    /// Bytes collected of an unfinished head.
    pub(super) fn collected_bytes(&self) -> usize {
        self.wire.len()
    }

    /// Whether the input could end here: nothing but white space between messages has come.
    pub(super) fn is_between_heads(&self) -> bool {
        matches!(&self.wire[..], b"" | b"\r")
    }

    /// Takes at most one line off `input`; the head, once its blank line is there. Blank lines before a start line are
    /// skipped (RFC 9112 section 2.2).
    pub(super) fn feed(&mut self, input: &mut Bytes, limit_bytes: usize) -> Result<Option<H>, Fault> {
        let line_end = memchr::memchr(b'\n', input);
        let room = limit_bytes.saturating_add(1).saturating_sub(self.wire.len());
        let taken = input.split_to(line_end.map_or(input.len(), |at| at + 1).min(room));
        self.wire.extend_from_slice(&taken);
        if self.wire.len() > limit_bytes {
            return Err("a head longer than the limit");
        }
        if line_end.is_none() {
            return Ok(None);
        }
        let line = self.wire.get(self.line_start..).unwrap_or_default();
        let is_blank = matches!(line, b"\n" | b"\r\n");
        self.line_start = self.wire.len();
        match self.start.take() {
            None if is_blank => {
                self.wire.clear();
                self.line_start = 0;
            }
            None => self.start = Some((H::start_line(without_line_end(line))?, self.line_start)),
            Some((start, start_end)) if is_blank => {
                let wire = std::mem::take(&mut self.wire);
                self.line_start = 0;
                return Ok(Some(H::new(start, fields(wire.get(start_end..).unwrap_or_default())?, wire.len() as u64)));
            }
            start => self.start = start,
        }
        Ok(None)
    }
}

/// Reads field lines and their closing blank line. httparse is lenient (folding, blanks before the colon) in responses
/// only, so it is told that this is one; the copy also lets go of the read buffers that the head came in.
fn fields(block: &[u8]) -> Result<Vec<Field>, Fault> {
    const STATUS_LINE: &[u8] = b"HTTP/1.1 200\n";
    let lines = memchr::memchr_iter(b'\n', block).count();
    if lines > FIELD_LINES + 1 {
        return Err("more field lines than the limit");
    }
    let mut wire = BytesMut::with_capacity(STATUS_LINE.len() + block.len());
    wire.extend_from_slice(STATUS_LINE);
    wire.extend_from_slice(block);
    let wire = wire.freeze();
    let mut headers = vec![httparse::EMPTY_HEADER; lines];
    let mut response = httparse::Response::new(&mut headers);
    let read = httparse::ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .parse_response(&mut response, &wire);
    if read != Ok(httparse::Status::Complete(wire.len())) {
        return Err("a field line with a NUL or a bare CR");
    }
    let field = |h: &httparse::Header<'_>| Field {
        name: wire.slice_ref(h.name.as_bytes()),
        value: match memchr::memchr(b'\n', h.value) {
            None => wire.slice_ref(h.value),
            Some(_) => unfolded(h.value),
        },
    };
    Ok(response.headers.iter().map(field).collect())
}

/// Line folding becomes blanks (RFC 9112 section 5.2).
fn unfolded(value: &[u8]) -> Bytes {
    value.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }).collect()
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn read_version(text: &[u8]) -> Option<Version> {
    match text.strip_prefix(b"HTTP/1.")? {
        b"0" => Some(Version::Http10),
        [b'1'..=b'9'] => Some(Version::Http11),
        _ => None,
    }
}

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
