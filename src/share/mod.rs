//! `share`: captures become one bundle that is safe to hand over.
//!
//! Streams: a line is read, restricted, scanned and written, so that memory does not grow with the capture; before that the
//! captures are read once for the secrets that one made at `off` holds in the clear. A line that is not ours is told by file
//! and number and left out. The bundle is written aside and gets its name only when it is whole; if the scan finds anything
//! in it, there is none.

mod bundle;
mod explain;
pub mod index;
pub mod key;
mod report;
mod seal;

pub use explain::explain;
pub use seal::Recipient;

use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::capture::redact::Picked;
use crate::capture::token::{Key, Tokens};
use crate::capture::{Guards, Redactor};
use crate::scan::{Count, Hit, Scanner};
use crate::stored::{self, Lines, Piece};
use anyhow::{Context as _, anyhow, bail};
use bundle::Bundle;
use index::Index;
use std::path::{Path, PathBuf};

/// Lines left out that are told one by one.
const MAX_TOLD: u64 = 20;
/// Hits of the scan after which there is no use in going on.
const MAX_HITS: u64 = 20;
/// Lines between two tellings of progress.
const PROGRESS_LINES: u64 = 256;
/// Gaps listed in the report.
const MAX_GAPS: usize = 1_000;

/// What is to be shared, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Capture files, or directories of them.
    pub files: Vec<PathBuf>,
    /// The bundle.
    pub out: PathBuf,
    /// Instead of a bundle: what becomes of the line of this number, from 1.
    pub explain: Option<u64>,
    /// `share` or `minimal`.
    pub level: Level,
    /// Which lines.
    pub picked: Picked,
    /// For its receiver, as it is; refused if the scan finds anything in it.
    pub note: Option<String>,
    /// The file of the token key; a random key otherwise.
    pub stable_tokens: Option<PathBuf>,
    /// For whose eyes only.
    pub encrypt_to: Option<Recipient>,
    /// The user's own rules.
    pub rules: UserRules,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Where the bundle lies.
    pub path: PathBuf,
    /// Events in it.
    pub events: u64,
    /// Lines left out because they are torn or foreign.
    pub skipped: u64,
    /// Free texts kept, for a human eye.
    pub texts: usize,
}

/// What is told while it goes on.
pub enum Told<'t> {
    /// Bytes read so far, of how many.
    Progress(u64, u64),
    /// A line was left out.
    LeftOut(&'t Path, u64, &'static str),
    /// The scan found something in what became of a line of a file, or in a file of the bundle's own.
    Left(&'t Path, u64, &'t Hit),
}

/// What passed through.
#[derive(Default)]
struct Sums {
    events: u64,
    skipped: u64,
    not_picked: u64,
    first_us: Option<i64>,
    last_us: Option<i64>,
    gaps: Vec<String>,
    gap_events: u64,
    /// Values that were gone when the captures were made.
    removed_before: u64,
    /// What the scan found.
    left: Count,
}

/// Makes the bundle.
///
/// # Errors
/// A file cannot be read or written; something secret or personal is left; there is nothing to share. No bundle is left.
pub fn share(plan: &Plan, tell: &mut dyn FnMut(Told<'_>)) -> anyhow::Result<Outcome> {
    let scanner = Scanner::new(plan.level, []).allowing(plan.rules.clone());
    plan.note.as_deref().map_or(Ok(()), |note| vet(note, &scanner, plan.level))?;
    let mut files = stored::paths(&plan.files)?;
    files.sort();
    stored::apart(&bundle_path(plan), files.iter().map(PathBuf::as_path))?;
    let key = match &plan.stable_tokens {
        Some(path) => key::open(path)?,
        None => Key::random().map_err(|_| anyhow!("the system gives no random numbers"))?,
    };
    let mut tokens = Tokens::of(&key).map_err(|_| anyhow!("no token key can be derived"))?;
    let index = plan.stable_tokens.as_deref().map(Index::beside).transpose()?;
    if let Some(index) = &index {
        tokens = tokens.noting(index.notes());
    }
    let mut redactor = Redactor::with(plan.level, tokens, plan.rules.clone());
    let mut guards = Guards::default();
    let sizes: Vec<u64> = files.iter().map(|path| size(path)).collect::<anyhow::Result<_>>()?;
    let mut progress = Progress { done: 0, total: 2 * sizes.iter().sum::<u64>(), tell };
    for (path, bytes) in files.iter().zip(&sizes) {
        learn(path, &mut redactor, &mut guards, &mut progress)?;
        progress.done += bytes;
    }
    let out = bundle_path(plan);
    let mut bundle = Bundle::create(&out, plan.encrypt_to.as_ref(), &scanner)?;
    let mut sums = Sums::default();
    for (number, (path, bytes)) in files.iter().zip(&sizes).enumerate() {
        bundle.begin(&format!("captures/{:04}.ndjson", number + 1))?;
        Through { plan, guards: &mut guards, redactor: &mut redactor, bundle: &mut bundle, sums: &mut sums }
            .file(path, &mut progress)?;
        progress.done += bytes;
    }
    if sums.events == 0 {
        return Err(nothing(plan, &files, &sums));
    }
    bundle.add("report.txt", &report::report(plan, &redactor, &sums))?;
    bundle.add("README.txt", &report::readme(plan))?;
    let entries = bundle.entries().to_vec();
    bundle.add("manifest.json", &report::manifest(plan, &redactor, &key.id(), &sums, &entries))?;
    for hit in bundle.hits() {
        sums.left(Path::new(&hit.place.file), hit.place.line, &hit, progress.tell);
    }
    sums.verdict()?;
    let texts = redactor.tally().texts.len();
    // Whoever makes tokens is gone before the index is whole.
    drop(redactor);
    let finished = bundle.finish()?;
    index.map_or(Ok(()), Index::finish)?;
    finished.name().with_context(|| format!("write {}", out.display()))?;
    Ok(Outcome { path: out, events: sums.events, skipped: sums.skipped, texts })
}

/// Why there is nothing to share.
fn nothing(plan: &Plan, files: &[PathBuf], sums: &Sums) -> anyhow::Error {
    let Picked { since_us, until_us, user, session } = &plan.picked;
    if sums.not_picked == 0 && sums.first_us.is_none() {
        return stored::no_capture(files);
    }
    let given = [
        since_us.map(|_| String::from("--since")),
        until_us.map(|_| String::from("--until")),
        user.as_ref().map(|user| format!("--user {user}")),
        session.as_ref().map(|session| format!("--session {session}")),
    ];
    let given: Vec<String> = given.into_iter().flatten().collect();
    if given.is_empty() {
        return anyhow!(
            "there is nothing to share: the capture holds no event\nhint: let traffic pass, and share it then"
        );
    }
    let events = sums.not_picked;
    anyhow!(
        "there is nothing to share: none of {events} lines fits {}\nhint: `finesse-tap report` shows times, agents and sessions of a capture",
        given.join(" and ")
    )
}

/// An error if a note holds what its level removes.
fn vet(note: &str, scanner: &Scanner, level: Level) -> anyhow::Result<()> {
    let mut first = None;
    scanner.text("note", note, &mut |hit| {
        first.get_or_insert(hit);
    });
    let Some(hit) = first else { return Ok(()) };
    bail!(
        "--note is handed over as it is, and holds what level {level} removes: {} at character {} ({})\nhint: say it without, or with a token",
        hit.kind,
        hit.place.column,
        hit.why
    )
}

/// Where the bundle comes to lie.
fn bundle_path(plan: &Plan) -> PathBuf {
    let mut name = plan.out.as_os_str().to_owned();
    if plan.encrypt_to.is_some() && plan.out.extension().is_none_or(|ending| ending != "age") {
        name.push(".age");
    }
    PathBuf::from(name)
}

/// How far it has come, and whom to tell.
struct Progress<'t> {
    /// Bytes of files that are behind us.
    done: u64,
    total: u64,
    tell: &'t mut dyn FnMut(Told<'_>),
}

impl Progress<'_> {
    fn at(&mut self, lines: &Lines) {
        if lines.number().is_multiple_of(PROGRESS_LINES) {
            (self.tell)(Told::Progress(self.done + lines.read_bytes(), self.total));
        }
    }
}

/// Reads a capture for what it holds in the clear.
fn learn(path: &Path, redactor: &mut Redactor, guards: &mut Guards, progress: &mut Progress<'_>) -> anyhow::Result<()> {
    let context = || format!("read {}", path.display());
    let mut lines = Lines::open(path).with_context(context)?;
    while let Some(piece) = lines.next().with_context(context)? {
        if let Piece::Line(line) = piece {
            redactor.learn(line, guards);
        }
        progress.at(&lines);
    }
    Ok(())
}

impl Sums {
    /// Something is left in what became of a line.
    fn left(&mut self, path: &Path, number: u64, hit: &Hit, tell: &mut dyn FnMut(Told<'_>)) {
        self.left.add(hit);
        if self.left.total() <= MAX_HITS {
            tell(Told::Left(path, number, hit));
        }
    }

    fn verdict(&self) -> anyhow::Result<()> {
        if self.left.total() == 0 {
            return Ok(());
        }
        bail!(
            "no bundle was written, as the scan finds what should not be left in it: {}\nhint: --deny PLACE:NAME removes more (`finesse-tap run --help`); please report what is no secret, or was not removed by itself",
            self.left
        )
    }
}

/// One capture on its way into the bundle.
struct Through<'p, 's> {
    plan: &'p Plan,
    redactor: &'p mut Redactor,
    guards: &'p mut Guards,
    bundle: &'p mut Bundle<'s>,
    sums: &'p mut Sums,
}

impl Through<'_, '_> {
    fn file(&mut self, path: &Path, progress: &mut Progress<'_>) -> anyhow::Result<()> {
        let context = || format!("read {}", path.display());
        let mut lines = Lines::open(path).with_context(context)?;
        while let Some(piece) = lines.next().with_context(context)? {
            let why = match piece {
                Piece::Line(line) if line.trim_ascii().is_empty() => None,
                Piece::Line(line) => match self.redactor.line(line, &self.plan.picked, self.guards) {
                    Err(_) => Some("it is no line of a capture"),
                    Ok(None) => {
                        self.sums.not_picked += 1;
                        None
                    }
                    Ok(Some(kept)) => {
                        self.bundle.write(&kept.line)?;
                        self.count(&kept);
                        None
                    }
                },
                Piece::TooLong => Some("it is too long"),
                Piece::Torn(_) => Some("it is torn"),
            };
            if let Some(why) = why {
                self.left_out(path, lines.number(), why, progress.tell);
            }
            for hit in self.bundle.hits() {
                self.sums.left(path, lines.number(), &hit, progress.tell);
            }
            if self.sums.left.total() >= MAX_HITS {
                return self.sums.verdict();
            }
            progress.at(&lines);
        }
        Ok(())
    }

    fn count(&mut self, kept: &crate::capture::redact::Kept) {
        if kept.action != "log-opened" {
            self.sums.events += 1;
        }
        self.sums.first_us = Some(self.sums.first_us.map_or(kept.at_us, |first| first.min(kept.at_us)));
        self.sums.last_us = Some(self.sums.last_us.map_or(kept.at_us, |last| last.max(kept.at_us)));
        self.sums.removed_before += kept.removed_before;
        if let Some((events, message)) = &kept.gap {
            self.sums.gap_events += events;
            if self.sums.gaps.len() < MAX_GAPS {
                self.sums.gaps.push(message.clone());
            }
        }
    }

    fn left_out(&mut self, path: &Path, number: u64, why: &'static str, tell: &mut dyn FnMut(Told<'_>)) {
        self.sums.skipped += 1;
        if self.sums.skipped <= MAX_TOLD {
            tell(Told::LeftOut(path, number, why));
        }
    }
}

fn size(path: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len())
}
