//! Whatever somebody names, opened: a capture or several, plain or in gzip, in a zip or tar, in a directory, from a pipe.
//!
//! [`Sources::open`] finds out by the first bytes what a file is, unpacks what is packed into temporary files without a
//! name, within the limits of [`Unpacked`], and sorts by first line. Afterwards all are alike. A HAR is handed to who can
//! import it. What is no capture and cannot hold one is refused, with what to do instead. Limits: [`MAX_MEMBERS`] members
//! of an archive, [`MAX_DEPTH`] archives and directories within one another.

use super::kind::Kind;
use super::line::{Lines, Mark, Positioned, Read};
use super::unpack::{MAX_UNPACKED_BYTES, Unpacked, is_bomb};
use super::{matching, no_capture, starred};
use crate::filter::{Filter, Owners};
use anyhow::{Context as _, anyhow, bail};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// Most members of an archive.
const MAX_MEMBERS: usize = 100_000;
/// Archives and directories within one another.
const MAX_DEPTH: usize = 16;
/// How far into a file its first line is looked for.
const MAX_PEEK_LINES: usize = 64;
/// Lines between two tellings of progress.
const PROGRESS_LINES: u64 = 256;
/// Standard input, as it is named on a command line.
const STDIN: &str = "-";

/// Who makes captures of a HAR: they lie in the directory for as long as that is kept.
pub type Importer<'i> = &'i mut dyn FnMut(&Path) -> anyhow::Result<TempDir>;

/// Captures that can be read more than once, in order of their first lines.
pub struct Sources {
    files: Vec<Source>,
    /// What was named, to be told where nothing is found.
    named: Vec<PathBuf>,
    /// Captures made of HARs.
    imported: Vec<TempDir>,
}

/// One capture.
pub struct Source {
    name: String,
    /// What it was opened from.
    origin: PathBuf,
    file: File,
    bytes: u64,
    first_us: i64,
    run: String,
}

/// A run of finesse-tap that sources are of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its first line's time, microseconds since 1970.
    pub first_us: i64,
    /// Sources that begin with it.
    pub files: usize,
}

/// What was read at one place.
pub struct Seen<'s> {
    /// The number of its source, from 0.
    pub file: usize,
    /// Its source.
    pub source: &'s Source,
    /// Where it is in there.
    pub mark: Mark,
    /// The line, or why it is none.
    pub read: Result<Read<'s>, &'static str>,
    /// Whether the filter takes it.
    pub is_picked: bool,
}

impl Sources {
    /// Opens what is named: files, directories and those below, names with `*` in them, `-` for standard input.
    ///
    /// # Errors
    /// Something cannot be read, is of a kind that holds no captures, or holds none.
    pub fn open(named: &[PathBuf], importer: Importer<'_>) -> anyhow::Result<Self> {
        let mut sources = Self { files: Vec::new(), named: named.to_vec(), imported: Vec::new() };
        for path in named {
            let before = sources.files.len();
            sources.name(path, importer)?;
            if sources.files.len() == before && path.is_dir() {
                bail!(
                    "there is no capture in the directory {}\nhint: captures end in .ndjson or .ndjson.gz",
                    path.display()
                );
            }
        }
        let mut seen = HashSet::new();
        sources.files.retain(|source| seen.insert(source.identity()));
        sources.files.sort_by(|a, b| (a.first_us, &a.name).cmp(&(b.first_us, &b.name)));
        Ok(sources)
    }

    /// The captures.
    #[must_use]
    pub fn files(&self) -> &[Source] {
        &self.files
    }

    /// Shows every line to `take`, in order, and says how many are what the filter asks for, those aside that go with
    /// whatever is asked for. `progress` is told bytes done and bytes in all.
    ///
    /// Reads twice where the filter chooses agents, sessions or the like: it must be known whose a connection is before its
    /// first line is judged.
    ///
    /// # Errors
    /// A source cannot be read, or `take` fails.
    pub fn each(
        &self,
        filter: &Filter,
        progress: &mut dyn FnMut(u64, u64),
        take: &mut dyn FnMut(Seen<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let mut owners = Owners::default();
        let (mut done, mut total) = (0, self.bytes());
        if filter.names_somebody() {
            total *= 2;
            self.pass(&mut done, total, progress, &mut |seen| {
                if let Ok(read) = &seen.read {
                    owners.learn(read);
                }
                Ok(())
            })?;
        }
        let mut asked_for = 0;
        self.pass(&mut done, total, progress, &mut |mut seen| {
            if let Ok(read) = &seen.read {
                seen.is_picked = filter.takes(read, &owners);
                asked_for += u64::from(seen.is_picked && filter.asks_for(read, &owners));
            }
            take(seen)
        })?;
        Ok(asked_for)
    }

    fn pass(
        &self,
        done: &mut u64,
        total: u64,
        progress: &mut dyn FnMut(u64, u64),
        take: &mut dyn FnMut(Seen<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for (file, source) in self.files.iter().enumerate() {
            let failed = || format!("read {}", source.name);
            let mut lines = source.lines();
            while let Some((mark, read)) = lines.next().with_context(failed)? {
                take(Seen { file, source, mark, read, is_picked: false })?;
                if mark.number.is_multiple_of(PROGRESS_LINES) {
                    progress(*done + mark.offset_bytes, total);
                }
            }
            *done += source.bytes;
        }
        Ok(())
    }

    /// Bytes of all, unpacked.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|source| source.bytes).sum()
    }

    /// Makes sure that what is written to `out` does not take the place of what is read.
    ///
    /// # Errors
    /// It would.
    pub fn apart(&self, out: &Path) -> anyhow::Result<()> {
        super::apart(out, self.files.iter().map(|source| &*source.origin))
    }

    /// The runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for source in self.files.iter().filter(|source| !source.run.is_empty()) {
            match runs.iter_mut().find(|run| run.id == source.run) {
                Some(run) => run.files += 1,
                None => runs.push(Run { id: source.run.clone(), first_us: source.first_us, files: 1 }),
            }
        }
        runs
    }

    /// Captures that lie in these files, which have no name elsewhere.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn of_files(files: impl IntoIterator<Item = (String, File)>) -> io::Result<Self> {
        let files: Vec<Source> =
            files.into_iter().map(|(name, file)| Source::new(name, PathBuf::new(), file)).collect::<io::Result<_>>()?;
        Ok(Self { files, named: Vec::new(), imported: Vec::new() })
    }

    /// Every capture with its name, open once more by itself.
    ///
    /// # Errors
    /// The system gives no other handle of it.
    pub fn opened(&self) -> io::Result<Vec<(String, File)>> {
        self.files.iter().map(|source| Ok((source.name.clone(), source.file.try_clone()?))).collect()
    }

    /// Leaves only the sources of one run: its id, the beginning of it, or `last`.
    ///
    /// # Errors
    /// There is no such run, or several begin so; with those that there are.
    pub fn keep_run(&mut self, wanted: &str) -> anyhow::Result<()> {
        let runs = self.runs();
        let found: Vec<&Run> = match wanted {
            "last" => runs.last().into_iter().collect(),
            _ => runs.iter().filter(|run| run.id.to_lowercase().starts_with(&wanted.to_lowercase())).collect(),
        };
        let [run] = *found else {
            let what = if found.is_empty() { "no run begins" } else { "several runs begin" };
            let there: Vec<&str> = runs.iter().map(|run| &*run.id).collect();
            bail!("--run: {what} with `{wanted}`\nhint: there are {}; `last` is the newest", there.join(", "));
        };
        self.files.retain(|source| source.run == run.id);
        Ok(())
    }

    /// The error that no line of a capture is in them.
    #[must_use]
    pub fn no_capture(&self) -> anyhow::Error {
        no_capture(&self.named)
    }

    fn name(&mut self, path: &Path, importer: Importer<'_>) -> anyhow::Result<()> {
        if path == Path::new(STDIN) {
            let mut spool = tempfile::tempfile().context("make a temporary file")?;
            copy(&mut io::stdin().lock(), &mut spool).context("read standard input")?;
            return self.add("standard input", path, spool, 0, importer);
        }
        if path.is_dir() {
            return self.directory(path, 0, importer);
        }
        let found = starred(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow!("no file fits {}\nhint: {}", path.display(), super::WHERE),
            _ => anyhow::Error::new(error).context(format!("look for {}", path.display())),
        })?;
        for path in found {
            self.path(&path, importer)?;
        }
        Ok(())
    }

    fn directory(&mut self, folder: &Path, depth: usize, importer: Importer<'_>) -> anyhow::Result<()> {
        let failed = || format!("look into {}", folder.display());
        for path in matching(folder, &["*.ndjson", "*.ndjson.gz"]).with_context(failed)? {
            // While one is being compressed both are there.
            let plain = path.with_extension("");
            if path.extension().is_none_or(|ending| ending != "gz") || !plain.is_file() {
                self.path(&path, importer)?;
            }
        }
        let mut below: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // A link may lead back up.
            if !is_hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                below.push(entry.path());
            }
        }
        below.sort();
        if depth < MAX_DEPTH {
            for folder in below {
                self.directory(&folder, depth + 1, importer)?;
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &Path, importer: Importer<'_>) -> anyhow::Result<()> {
        let failed = || format!("read {}", path.display());
        let mut file = File::open(path).with_context(failed)?;
        if !file.metadata().with_context(failed)?.is_file() {
            let mut spool = tempfile::tempfile().context("make a temporary file")?;
            copy(&mut file, &mut spool).with_context(failed)?;
            file = spool;
        }
        self.add(&path.display().to_string(), path, file, 0, importer)
    }

    /// One file, whatever it holds.
    fn add(
        &mut self,
        name: &str,
        origin: &Path,
        mut file: File,
        depth: usize,
        importer: Importer<'_>,
    ) -> anyhow::Result<()> {
        let failed = || format!("read {name}");
        if depth > MAX_DEPTH {
            bail!("{name}: too many archives within one another");
        }
        let (kind, is_packed) = Kind::sniffed(&file).with_context(failed)?;
        if is_packed {
            let mut unpacked = tempfile::tempfile().context("make a temporary file")?;
            file.rewind().with_context(failed)?;
            io::copy(&mut Unpacked::new(file), &mut unpacked).with_context(failed)?;
            file = unpacked;
        }
        match kind {
            Kind::Zip => self.zip(name, origin, file, depth, importer),
            Kind::Tar => self.tar(name, origin, file, depth, importer),
            Kind::Har => self.har(name, origin, file, importer),
            kind if kind.is_foreign() => {
                bail!("{name} is no capture: it is {}\nhint: {}", kind.as_str(), kind.instead_of_a_capture(origin))
            }
            _ => {
                self.files.push(Source::new(name.to_owned(), origin.to_owned(), file).with_context(failed)?);
                Ok(())
            }
        }
    }

    /// What looks like a capture in a zip archive, such as a bundle of `share`.
    fn zip(
        &mut self,
        name: &str,
        origin: &Path,
        file: File,
        depth: usize,
        importer: Importer<'_>,
    ) -> anyhow::Result<()> {
        let failed = || format!("unpack {name}");
        let mut archive = zip::ZipArchive::new(Positioned::whole(&file)).map_err(|error| {
            anyhow!("{name} is a zip archive that cannot be unpacked: {error}\nhint: was it cut off on its way?")
        })?;
        let before = self.files.len();
        for number in 0..archive.len().min(MAX_MEMBERS) {
            let mut member = archive.by_index(number).with_context(failed)?;
            let inner = String::from_utf8_lossy(member.name_raw()).into_owned();
            if member.is_file() && may_hold_captures(&inner) {
                let packed_bytes = member.compressed_size();
                let spool = spool(&mut member, packed_bytes).with_context(failed)?;
                self.add(&format!("{name}: {}", inner.escape_debug()), origin, spool, depth + 1, importer)?;
            }
        }
        self.something(before, name, "zip archive")
    }

    /// What looks like a capture in a tar archive.
    fn tar(
        &mut self,
        name: &str,
        origin: &Path,
        file: File,
        depth: usize,
        importer: Importer<'_>,
    ) -> anyhow::Result<()> {
        let failed = || format!("unpack {name}");
        let mut archive = tar::Archive::new(Positioned::whole(&file));
        let before = self.files.len();
        for member in archive.entries().with_context(failed)?.take(MAX_MEMBERS) {
            let mut member = member.with_context(failed)?;
            let inner = String::from_utf8_lossy(&member.path_bytes()).into_owned();
            if member.header().entry_type().is_file() && may_hold_captures(&inner) {
                let spool = spool(&mut member, MAX_UNPACKED_BYTES).with_context(failed)?;
                self.add(&format!("{name}: {}", inner.escape_debug()), origin, spool, depth + 1, importer)?;
            }
        }
        self.something(before, name, "tar archive")
    }

    fn something(&self, before: usize, name: &str, what: &str) -> anyhow::Result<()> {
        if self.files.len() == before {
            bail!("{name} is a {what} without a capture\nhint: captures end in .ndjson or .ndjson.gz");
        }
        Ok(())
    }

    fn har(&mut self, name: &str, origin: &Path, file: File, importer: Importer<'_>) -> anyhow::Result<()> {
        let kept;
        let is_plain = origin.is_file() && Kind::sniffed(&File::open(origin)?)? == (Kind::Har, false);
        let path = if is_plain {
            origin
        } else {
            let mut named = NamedTempFile::new().context("make a temporary file")?;
            io::copy(&mut Positioned::whole(&file), &mut named).with_context(|| format!("read {name}"))?;
            kept = named;
            kept.path()
        };
        let folder = importer(path)?;
        for (number, path) in matching(folder.path(), &["*.ndjson"])?.into_iter().enumerate() {
            let part = if number == 0 { String::new() } else { format!(", part {}", number + 1) };
            let file = File::open(&path).with_context(|| format!("read {name}"))?;
            self.files.push(Source::new(format!("{name}{part}"), origin.to_owned(), file)?);
        }
        self.imported.push(folder);
        Ok(())
    }
}

impl Source {
    fn new(name: String, origin: PathBuf, file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let mut source = Self { name, origin, file, bytes, first_us: i64::MAX, run: String::new() };
        let mut first = None;
        let mut lines = source.lines();
        for _ in 0..MAX_PEEK_LINES {
            match lines.next()? {
                None => break,
                Some((_, Ok(Read { line, .. }))) => {
                    first = Some((line.at_us, line.run().to_owned()));
                    break;
                }
                Some((_, Err(_))) => {}
            }
        }
        if let Some((at_us, run)) = first {
            (source.first_us, source.run) = (at_us, run);
        }
        Ok(source)
    }

    /// What it is called: its path, or that of its archive and its name in there.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that was named, or found in a directory that was.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// Its size, unpacked.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its lines, from the first.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines::new(Positioned::whole(&self.file))
    }

    /// The line at a place that [`Lines`] told, again.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn line<'l>(&self, offset_bytes: u64, buffer: &'l mut Vec<u8>) -> io::Result<&'l [u8]> {
        super::line::one(Positioned::at(&self.file, offset_bytes), buffer)
    }

    /// The same file named twice is read once.
    fn identity(&self) -> (PathBuf, String) {
        (fs::canonicalize(&self.origin).unwrap_or_else(|_| self.origin.clone()), {
            let shown = self.origin.display().to_string();
            self.name.strip_prefix(&shown).unwrap_or(&self.name).to_owned()
        })
    }
}

/// Whether a member of an archive is looked into.
fn may_hold_captures(name: &str) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    !name.starts_with('.') && (name.ends_with(".ndjson") || name.ends_with(".ndjson.gz"))
}

/// What a packed member holds, within limits.
fn spool(member: &mut impl io::Read, packed_bytes: u64) -> io::Result<File> {
    let mut spool = tempfile::tempfile()?;
    let mut bytes = 0;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = member.read(&mut buffer)?;
        if read == 0 {
            return Ok(spool);
        }
        bytes += read as u64;
        if is_bomb(packed_bytes, bytes) {
            return Err(io::Error::other("it unpacks to far more than text does: it may be made to exhaust"));
        }
        io::Write::write_all(&mut spool, buffer.get(..read).unwrap_or_default())?;
    }
}

fn copy(from: &mut dyn io::Read, to: &mut File) -> io::Result<()> {
    match io::copy(&mut from.take(MAX_UNPACKED_BYTES), to)? {
        MAX_UNPACKED_BYTES => Err(io::Error::other("it has no end within reason")),
        _ => Ok(()),
    }
}
