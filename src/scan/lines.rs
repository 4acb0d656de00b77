//! A stream of bytes becomes lines, and a line too long for memory becomes windows; each goes through the detectors.
//!
//! Limits: a line of over [`MAX_LINE_BYTES`] is looked at in windows: JSON is cut between its tokens, other text with
//! [`OVERLAP_BYTES`] in common. Cutting the stream differently changes nothing.

use super::Scanner;
use super::finding::Finding;
use super::har::Within;
use super::hit::{Hit, Place, mask};
use super::json::{self, Names};
use super::look::{Look, Memory, Origin};
use super::table::{self, Table};

/// Longest line looked at as a whole, bytes.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;
/// What two windows of a longer line have in common, bytes: more than any form of a known secret.
pub(super) const OVERLAP_BYTES: usize = 16 << 10;

/// Looks at lines as they come.
pub struct Lines<'s> {
    scanner: &'s Scanner,
    place: Place,
    found: Box<dyn FnMut(Hit) + 's>,
    names: Names,
    memory: Memory,
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer that the window before saw as well. What begins in their first half was told
    /// with that window, what begins in their second half could not be seen whole there.
    overlap: usize,
    /// The line in the buffer, from 1.
    line: u64,
    /// The buffer's first byte in the stream, and in its line.
    offset: u64,
    column: u64,
    naming: Naming,
    pub(super) max_line_bytes: usize,
}

/// Where a line's values may have their names from.
enum Naming {
    /// Nowhere else.
    Itself,
    /// The first line, which has not come yet.
    Awaited,
    /// The first line.
    Header(Table),
    /// The key in front, as in YAML, or the one on the line before.
    Key(Option<Vec<u8>>),
}

impl<'s> Lines<'s> {
    /// `place` names file and member; `found` is told every hit.
    #[must_use]
    pub fn new(scanner: &'s Scanner, place: &Place, found: impl FnMut(Hit) + 's) -> Self {
        Self {
            scanner,
            place: place.clone(),
            found: Box::new(found),
            names: Names::default(),
            memory: Memory::default(),
            buffer: Vec::new(),
            overlap: 0,
            line: 1,
            offset: 0,
            column: 0,
            naming: Naming::Itself,
            max_line_bytes: MAX_LINE_BYTES,
        }
    }

    /// The same for what may be a table with a header row, or YAML.
    #[must_use]
    pub fn naming_values(self) -> Self {
        Self { naming: Naming::Awaited, ..self }
    }

    /// The next bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, rest) = bytes.split_at(end + 1);
            if self.buffer.is_empty() {
                self.whole(head);
            } else {
                self.hold(head);
                let line = std::mem::take(&mut self.buffer);
                self.whole(&line);
                self.buffer = line;
                self.buffer.clear();
            }
            self.overlap = 0;
            self.line += 1;
            self.column = 0;
            bytes = rest;
        }
        self.hold(bytes);
    }

    /// The stream is over. Returns the number of lines.
    pub fn finish(mut self) -> u64 {
        let rest = std::mem::take(&mut self.buffer);
        if rest.is_empty() {
            return self.line - 1;
        }
        self.whole(&rest);
        self.line
    }

    fn hold(&mut self, mut bytes: &[u8]) {
        while self.buffer.len() + bytes.len() > self.max_line_bytes {
            let room = self.max_line_bytes.saturating_sub(self.buffer.len());
            let (head, rest) = bytes.split_at(room);
            self.buffer.extend_from_slice(head);
            bytes = rest;
            self.window();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The rest of a line, or all of it.
    fn whole(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.look(text, Ending::Line);
        self.offset += line.len() as u64;
        self.column += line.len() as u64;
    }

    /// The buffer is full and the line goes on.
    fn window(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let used = self.look(&buffer, Ending::Window);
        let kept = buffer.get(used..).unwrap_or_default();
        self.offset += used as u64;
        self.column += used as u64;
        self.buffer = kept.to_vec();
    }

    /// Looks at a text; returns from where on it must be seen again.
    fn look(&mut self, text: &[u8], ending: Ending) -> usize {
        let (line, column, offset, place) = (self.line, self.column, self.offset, &self.place);
        let own_end = if ending == Ending::Window { text.len().saturating_sub(OVERLAP_BYTES / 2) } else { usize::MAX };
        let (found, own) = (&mut *self.found, self.overlap / 2..own_end);
        let mut tell = |at: usize, finding: &Finding<'_>, encoding: &'static str, within: &Within| {
            if own.contains(&at) {
                let place = Place { line, column: column + at as u64 + 1, offset: offset + at as u64, ..place.clone() };
                found(hit(place, finding, encoding, within.text()));
            }
        };
        let mut look = Look::new(self.scanner, &mut self.memory, &mut tell);
        // Behind a window of JSON anything may be next, such as a number.
        let extent = match ending {
            _ if !json::begins(text) && (self.column == 0 || self.overlap > 0) => None,
            Ending::Line => json::extent(text),
            Ending::Window => json::extent_so_far(text),
        };
        if let Some(extent) = extent {
            let rest = text.get(extent..).unwrap_or_default();
            let torn = ending == Ending::Line && !rest.trim_ascii().is_empty();
            // One string that fills the window is looked at as text.
            if !torn && (ending == Ending::Line || extent > text.len() / 2) {
                look.json(text.get(..extent).unwrap_or_default(), 0, &mut self.names);
                self.overlap = 0;
                return extent;
            }
        }
        if ending == Ending::Line && self.column == 0 && self.naming.look(text, &mut look) {
            return text.len();
        }
        look.text(text, Origin::Straight(0));
        let kept = text.len().min(OVERLAP_BYTES);
        self.overlap = kept;
        text.len() - kept
    }
}

impl Naming {
    /// Whether a line's values have their names from elsewhere, and are looked at by them.
    fn look(&mut self, line: &[u8], look: &mut Look<'_>) -> bool {
        match self {
            Self::Itself => return false,
            Self::Awaited => {
                let table = Table::header(line).filter(|table| table.columns().any(|name| look.knows(name)));
                *self = table.map_or(Self::Key(None), Self::Header);
            }
            Self::Header(table) => {
                let Some(row) = table.row(line) else { return false };
                for (name, at) in row {
                    let value = line.get(at.clone()).unwrap_or_default();
                    look.named_text(value, Origin::Straight(at.start), (b"", name));
                }
                return true;
            }
            Self::Key(_) => {}
        }
        let Self::Key(before) = self else { return false };
        let before = before.take();
        let Some(entry) = table::entry(line).filter(|entry| look.knows(entry.name)) else {
            let Some(name) = before.filter(|_| line.first() == Some(&b' ')) else { return false };
            let at = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(line.len());
            look.named_text(line.get(at..).unwrap_or_default(), Origin::Straight(at), (b"", &name));
            return true;
        };
        if entry.value.is_empty() {
            *self = Self::Key(Some(entry.name.to_vec()));
            return false;
        }
        let value = line.get(entry.value.clone()).unwrap_or_default();
        look.named_text(value, Origin::Straight(entry.value.start), (b"", entry.name));
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Line,
    Window,
}

pub(super) fn hit(place: Place, finding: &Finding<'_>, encoding: &'static str, within: Option<String>) -> Hit {
    let why = match encoding {
        "" => finding.why.to_owned(),
        encoding => format!("{}, in {encoding}", finding.why),
    };
    let shown = if finding.kind == "known-secret" { "…".to_owned() } else { mask(finding.value) };
    Hit { place, kind: finding.kind, class: finding.class, certainty: finding.certainty, within, why, shown }
}
