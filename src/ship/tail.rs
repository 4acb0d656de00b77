//! A directory of capture files becomes whole lines, in the order of the files' names, from given positions on.
//!
//! Files are opened once and only grow, so a name and an offset say everything. The directory is listed now and then: no
//! notification works everywhere. A line without its LF is not there yet. Compressed files (`.ndjson.gz`) are read as what
//! they hold; where both forms are there, the plain one. What cannot be read is named, and tried again at the next look.

use super::checkpoint::{Position, Positions};
use super::event::Event;
use crate::filter::{Filter, Owners};
use crate::stored::{MAX_LINE_BYTES, Read, Sources};
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const READ_BYTES: usize = 256 << 10;

/// Reads one directory.
pub(super) struct Tail {
    dir: PathBuf,
    seen: BTreeMap<String, Seen>,
    todo: VecDeque<(String, Form, u64)>,
    current: Option<Open>,
    is_listed: bool,
    faults: BTreeMap<String, String>,
    unread_bytes: u64,
    lost_bytes: u64,
    filter: Filter,
    owners: Owners,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Step {
    /// An event, and where its line ends.
    Event { file: Arc<str>, end: u64, event: Event },
    /// An event that is not to be delivered.
    NotPicked { file: Arc<str>, start: u64, end: u64 },
    /// A line that is none.
    Foreign { file: Arc<str>, start: u64, end: u64, line: Bytes, why: &'static str },
    /// The end of a compressed file of this length.
    Finished { file: Arc<str>, end: u64, gz_bytes: u64 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Plain,
    Gzip,
}

/// What is known of a file.
#[derive(Clone, Debug, Default)]
struct Seen {
    offset: u64,
    /// Its length when its end was reached, if it was.
    end_at_bytes: Option<u64>,
    /// Its length when last listed.
    bytes: u64,
    /// It holds what was never redacted.
    is_refused: bool,
    is_there: bool,
    /// Its last line has no end yet.
    is_torn: bool,
}

struct Open {
    name: Arc<str>,
    host: Option<Arc<str>>,
    form: Form,
    file_bytes: u64,
    reader: Box<dyn BufRead + Send>,
    offset: u64,
    line: Vec<u8>,
    /// The line is longer than any of ours: it is passed over.
    overflow_bytes: u64,
    /// The end of a compressed file has been told.
    is_finished: bool,
}

impl Tail {
    pub(super) fn new(dir: PathBuf, positions: &Positions) -> Self {
        let seen =
            |position: &Position| Seen { offset: position.offset, end_at_bytes: position.gz_bytes, ..Seen::default() };
        Self {
            dir,
            seen: positions.iter().map(|(name, position)| (name.clone(), seen(position))).collect(),
            todo: VecDeque::new(),
            current: None,
            is_listed: false,
            faults: BTreeMap::new(),
            unread_bytes: 0,
            lost_bytes: 0,
            filter: Filter::default(),
            owners: Owners::default(),
        }
    }

    /// Only what this filter takes. Whose connections are, is learnt of what is there already before anything is read; of
    /// what is written later the first lines of a connection belong to nobody yet.
    pub(super) fn picking(self, filter: Filter) -> Self {
        let mut owners = Owners::default();
        let there = [self.dir.clone()];
        if filter.names_somebody()
            && let Ok(sources) = Sources::open(&there, &mut |_| anyhow::bail!("a HAR is no capture"))
        {
            // What cannot be read is told when it is read for delivery.
            let _ = sources.each(&Filter::default(), &mut |_, _| (), &mut |seen| {
                seen.read.iter().for_each(|read| owners.learn(read));
                Ok(())
            });
        }
        Self { filter, owners, ..self }
    }

    /// The next line; `None` where there is none for now: the next call looks at the directory again.
    pub(super) fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(open) = &mut self.current {
                match open.read(&self.filter, &mut self.owners) {
                    Ok(Some(step)) => match self.passed(step) {
                        Some(step) => return Some(step),
                        None => self.current = None,
                    },
                    Ok(None) => self.close(None),
                    Err(error) => self.close(Some(&error)),
                }
                continue;
            }
            if let Some((name, form, bytes)) = self.todo.pop_front() {
                self.open(name, form, bytes);
                continue;
            }
            if self.is_listed {
                self.is_listed = false;
                return None;
            }
            self.list();
            self.is_listed = true;
        }
    }

    /// Files that could not be read at the last look, and why.
    pub(super) fn faults(&self) -> &BTreeMap<String, String> {
        &self.faults
    }

    /// Bytes not read yet, as of the last look; of compressed files their compressed length.
    pub(super) fn unread_bytes(&self) -> u64 {
        self.unread_bytes
    }

    /// Bytes that went with files which disappeared before they were read.
    pub(super) fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// Capture files that are there.
    pub(super) fn files(&self) -> usize {
        self.seen.values().filter(|seen| seen.is_there).count()
    }

    /// Files whose last line has no end yet.
    pub(super) fn torn(&self) -> usize {
        self.seen.values().filter(|seen| seen.is_there && seen.is_torn).count()
    }

    /// Notes how far it has come; `None` if the file is not to be read at all.
    fn passed(&mut self, step: Step) -> Option<Step> {
        let (file, start, end) = match &step {
            Step::Event { file, end, event } => (file, end - event.line.len() as u64 - 1, *end),
            Step::Foreign { file, start, end, .. } | Step::NotPicked { file, start, end } => (file, *start, *end),
            Step::Finished { file, end, .. } => (file, *end, *end),
        };
        let is_unredacted = start == 0 && matches!(&step, Step::Event { event, .. } if event.is_unredacted);
        let seen = self.seen.entry(file.to_string()).or_default();
        if is_unredacted {
            seen.is_refused = true;
            self.fault(file, "it was made with --level off and holds passwords: not delivered".to_owned());
            return None;
        }
        self.unread_bytes = self.unread_bytes.saturating_sub(end - seen.offset.min(end));
        seen.offset = end;
        Some(step)
    }

    fn list(&mut self) {
        let found = match found(&self.dir) {
            Ok(found) => found,
            Err(error) => {
                self.fault(".", format!("the directory cannot be read: {error}"));
                return;
            }
        };
        self.faults.remove(".");
        self.faults.retain(|name, _| found.contains_key(name));
        let gone: BTreeSet<String> = self
            .seen
            .iter()
            .filter(|(name, seen)| seen.is_there && !found.contains_key(*name))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            let Some(seen) = self.seen.get_mut(&name) else { continue };
            seen.is_there = false;
            let lost_bytes = seen.bytes.saturating_sub(seen.offset);
            if lost_bytes > 0 && seen.end_at_bytes != Some(seen.bytes) && !seen.is_refused {
                self.lost_bytes += lost_bytes;
                tracing::warn!(file = name, lost_bytes, "a capture file disappeared before it was delivered");
            }
        }
        self.unread_bytes = 0;
        for (name, (form, bytes)) in found {
            let seen = self.seen.entry(name.clone()).or_default();
            (seen.is_there, seen.bytes) = (true, bytes);
            if seen.is_refused {
                continue;
            }
            let is_due = seen.end_at_bytes != Some(bytes)
                && match form {
                    Form::Plain => bytes > seen.offset,
                    Form::Gzip => bytes > 0,
                };
            if form == Form::Plain && bytes < seen.offset {
                let offset = seen.offset;
                self.fault(&name, format!("it is {bytes} bytes long, but {offset} were delivered: it was cut"));
            } else if is_due {
                self.unread_bytes += if form == Form::Plain { bytes - seen.offset } else { bytes };
                self.todo.push_back((name, form, bytes));
            }
        }
    }

    fn open(&mut self, name: String, form: Form, bytes: u64) {
        let offset = self.seen.get(&name).map_or(0, |seen| seen.offset);
        match Open::new(&self.dir, &name, form, bytes, offset) {
            Ok(open) => self.current = Some(open),
            // Removed, or compressed since the list was made: the next look tells.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.fault(&name, error.to_string()),
        }
    }

    fn close(&mut self, error: Option<&io::Error>) {
        let Some(open) = self.current.take() else { return };
        let seen = self.seen.entry(open.name.to_string()).or_default();
        match error {
            None => {
                seen.end_at_bytes = Some(open.file_bytes);
                seen.is_torn = !open.line.is_empty() || open.overflow_bytes > 0;
                self.faults.remove(&*open.name);
            }
            Some(error) => {
                // A compressed file that is still being copied breaks off: it is looked at again when it has grown.
                seen.end_at_bytes = (open.form == Form::Gzip).then_some(open.file_bytes);
                let why =
                    if open.form == Form::Gzip { format!("it cannot be unpacked: {error}") } else { error.to_string() };
                self.fault(&open.name, why);
            }
        }
    }

    fn fault(&mut self, name: &str, why: String) {
        if self.faults.get(name) != Some(&why) {
            tracing::warn!(file = name, why, "a capture file is not delivered");
        }
        self.faults.insert(name.to_owned(), why);
    }
}

impl Open {
    fn new(dir: &Path, name: &str, form: Form, bytes: u64, offset: u64) -> io::Result<Self> {
        let path = match form {
            Form::Plain => dir.join(name),
            Form::Gzip => dir.join(format!("{name}.gz")),
        };
        let mut file = File::open(path)?;
        let reader: Box<dyn BufRead + Send> = match form {
            Form::Plain => {
                file.seek(SeekFrom::Start(offset))?;
                Box::new(BufReader::with_capacity(READ_BYTES, file))
            }
            Form::Gzip => {
                let mut content = BufReader::with_capacity(READ_BYTES, MultiGzDecoder::new(BufReader::new(file)));
                let skipped = io::copy(&mut io::Read::by_ref(&mut content).take(offset), &mut io::sink())?;
                if skipped < offset {
                    return Err(io::Error::other("it holds less than was delivered of it"));
                }
                Box::new(content)
            }
        };
        let name = Arc::from(name);
        let host = host(&name);
        let line = Vec::new();
        Ok(Self { name, host, form, file_bytes: bytes, reader, offset, line, overflow_bytes: 0, is_finished: false })
    }

    /// The next whole line; `None` at the end.
    fn read(&mut self, filter: &Filter, owners: &mut Owners) -> io::Result<Option<Step>> {
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(self.finished(filter, owners));
            }
            let end = memchr::memchr(b'\n', chunk);
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            if (self.line.len() + part.len()) as u64 > MAX_LINE_BYTES {
                self.overflow_bytes += (self.line.len() + part.len()) as u64;
                self.line.clear();
            } else {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(Some(self.step(filter, owners)));
            }
        }
    }

    fn step(&mut self, filter: &Filter, owners: &mut Owners) -> Step {
        let (file, start) = (Arc::clone(&self.name), self.offset);
        self.offset += self.overflow_bytes + self.line.len() as u64 + 1;
        let end = self.offset;
        let line = Bytes::from(std::mem::take(&mut self.line));
        if std::mem::take(&mut self.overflow_bytes) > 0 {
            return Step::Foreign { file, start, end, line: Bytes::new(), why: "longer than any line of a capture" };
        }
        let mut is_picked = true;
        let mut judge = |read: &Read<'_>| {
            if !filter.is_all() {
                owners.learn(read);
                is_picked = filter.takes(read, owners);
            }
        };
        match Event::read(line.clone(), self.host.as_ref(), &mut judge) {
            Ok(_) if !is_picked => Step::NotPicked { file, start, end },
            Ok(event) => Step::Event { file, end, event },
            Err(why) => Step::Foreign { file, start, end, line, why },
        }
    }

    /// A compressed file grows no more: what is behind its last LF is a line too, and its end is worth remembering.
    fn finished(&mut self, filter: &Filter, owners: &mut Owners) -> Option<Step> {
        if self.form == Form::Plain || self.is_finished {
            return None;
        }
        if !self.line.is_empty() || self.overflow_bytes > 0 {
            return Some(self.step(filter, owners));
        }
        self.is_finished = true;
        Some(Step::Finished { file: Arc::clone(&self.name), end: self.offset, gz_bytes: self.file_bytes })
    }
}

/// Whether capture files are in a directory; if it cannot be read, they are not.
pub(super) fn holds_captures(dir: &Path) -> bool {
    found(dir).is_ok_and(|found| !found.is_empty())
}

fn found(dir: &Path) -> io::Result<BTreeMap<String, (Form, u64)>> {
    let mut found = BTreeMap::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let (stem, form) = match name.strip_suffix(".gz") {
            Some(stem) => (stem, Form::Gzip),
            None => (name, Form::Plain),
        };
        if !is_capture(stem) {
            continue;
        }
        // It may have been removed since.
        let Ok(metadata) = entry.path().metadata() else { continue };
        if metadata.is_file() && (form == Form::Plain || !found.contains_key(stem)) {
            found.insert(stem.to_owned(), (form, metadata.len()));
        }
    }
    Ok(found)
}

/// Whether a file of this name is one of ours: `finesse-….ndjson` as they are written, `0001.ndjson` as in a shared bundle.
fn is_capture(name: &str) -> bool {
    name.strip_suffix(".ndjson").is_some_and(|stem| {
        stem.starts_with("finesse-") || !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The server that a capture is of, from the file's name: `finesse-<host>-<UTC start>-<run>-<nnnn>.ndjson`.
fn host(name: &str) -> Option<Arc<str>> {
    let stem = name.strip_prefix("finesse-")?.strip_suffix(".ndjson")?;
    let host = stem.rsplitn(4, '-').nth(3)?;
    (!host.is_empty()).then(|| Arc::from(host))
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
