//! `share`: captures become one bundle that is safe to hand over, and that people can read.
//!
//! Streams: a line is read, restricted, scanned and written, so that memory does not grow with the capture; before that the
//! captures are read once for what one made at `off` holds in the clear. What else a bundle holds for people is
//! made, by who is asked to, of the restricted lines. A line that is not ours is told and left out; an event that this
//! version does not know ends it, as nobody can say what in it is personal. The bundle is written aside and gets its name
//! only when it is whole; if the scan finds anything in it, there is none.

mod bundle;
mod explain;
pub mod index;
pub mod key;
mod note;
mod report;
mod seal;

pub use explain::explain;
pub use seal::Recipient;

use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::capture::redact::{Kept, Picked};
use crate::capture::token::{Key, Tokens};
use crate::capture::{Guards, Redactor};
use crate::filter::Filter;
use crate::scan::{Count, Hit, Scanner};
use crate::stored::{self, LeftOut, Read, Seen, Sources};
use anyhow::{Context as _, anyhow, bail};
use bundle::Bundle;
use index::Index;
use note::Names;
use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// Hits of the scan after which there is no use in going on.
const MAX_HITS: u64 = 20;
/// Gaps listed in the report.
const MAX_GAPS: usize = 1_000;

/// What is to be shared, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The bundle.
    pub out: PathBuf,
    /// Instead of a bundle: what becomes of the line of this number, from 1.
    pub explain: Option<u64>,
    /// `share` or `minimal`.
    pub level: Level,
    /// Which lines.
    pub filter: Filter,
    /// For its receiver, as it is; refused if it holds what the level removes.
    pub note: Option<String>,
    /// The file of the token key; a random key otherwise.
    pub stable_tokens: Option<PathBuf>,
    /// For whose eyes only.
    pub encrypt_to: Option<Recipient>,
    /// The user's own rules.
    pub rules: UserRules,
}

/// What became of it.
#[derive(Debug)]
pub struct Outcome {
    /// Where the bundle lies.
    pub path: PathBuf,
    /// Events in it.
    pub events: u64,
    /// Lines left out because they are torn or foreign.
    pub left_out: LeftOut,
    /// Free texts kept, for a human eye.
    pub texts: usize,
}

/// A file for people, made of the restricted captures.
pub struct Extra {
    /// Its name in the bundle.
    pub name: String,
    /// What is in it, from its beginning.
    pub file: File,
    /// Whether it is text, which is scanned; what is binary holds nothing that the lines do not.
    pub is_text: bool,
}

/// What is told while it goes on.
pub enum Told<'t> {
    /// Bytes read so far, of how many.
    Progress(u64, u64),
    /// The scan found something in what became of a line of a file, or in a file of the bundle's own.
    Left(&'t str, u64, &'t Hit),
}

/// What passed through.
#[derive(Default)]
struct Sums {
    events: u64,
    left_out: LeftOut,
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

/// Makes the bundle. `make` makes files for people of what is in it.
///
/// # Errors
/// A file cannot be read or written; something secret or personal is left; there is nothing to share, or an event that this
/// version does not know. No bundle is left.
pub fn share(
    plan: &Plan,
    sources: &Sources,
    make: &mut dyn FnMut(&Sources) -> anyhow::Result<Vec<Extra>>,
    tell: &mut dyn FnMut(Told<'_>),
) -> anyhow::Result<Outcome> {
    let out = bundle_path(plan);
    let endings: &[&str] = if plan.encrypt_to.is_some() { &["zip.age", "age", "zip"] } else { &["zip"] };
    sources.apart(&plan.out)?;
    sources.apart(&out)?;
    stored::promises(&plan.out, "a zip archive", endings)?;
    let scanner = Scanner::new(plan.level, []).allowing(plan.rules.clone());
    plan.encrypt_to.as_ref().map_or(Ok(()), Recipient::check)?;
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
    let mut names = Names::default();
    let tell = RefCell::new(tell);
    let told = |told: Told<'_>| (tell.borrow_mut())(told);
    sources.each(&Filter::default(), &mut |done, total| told(Told::Progress(done, 2 * total)), &mut |seen| {
        if let Ok(Read { text, line }) = &seen.read {
            redactor.learn(text, &mut guards);
            names.learn(line);
        }
        Ok(())
    })?;
    if let Some(note) = &plan.note {
        names.vet(note, &scanner, plan.level)?;
    }
    let mut bundle = Bundle::create(&out, plan.encrypt_to.as_ref(), &scanner)?;
    let mut through = Through {
        plan,
        redactor: &mut redactor,
        guards: &mut guards,
        bundle: &mut bundle,
        sums: Sums::default(),
        current: None,
        spools: Vec::new(),
    };
    let asked_for =
        sources.each(&plan.filter, &mut |done, total| told(Told::Progress(total + done, 2 * total)), &mut |seen| {
            through.line(seen, &told)
        })?;
    let Through { mut sums, spools, .. } = through;
    if sums.events == 0 || asked_for == 0 {
        return Err(nothing(plan, sources, &sums));
    }
    for Extra { name, file, is_text } in make(&Sources::of_files(spools).context("read a temporary file")?)? {
        bundle.copy(&name, file, is_text)?;
    }
    bundle.add("report.txt", &report::report(plan, &redactor, &sums))?;
    bundle.add("README.txt", &report::readme(plan))?;
    let entries = bundle.entries().to_vec();
    bundle.add("manifest.json", &report::manifest(plan, &redactor, &key.id(), &sums, &entries))?;
    for hit in bundle.hits() {
        sums.left(&hit.place.file, hit.place.line, &hit, &told);
    }
    sums.verdict()?;
    let texts = redactor.tally().texts.len();
    // Whoever makes tokens is gone before the index is whole.
    drop(redactor);
    let finished = bundle.finish()?;
    index.map_or(Ok(()), Index::finish)?;
    finished.name().with_context(|| format!("write {}", out.display()))?;
    Ok(Outcome { path: out, events: sums.events, left_out: sums.left_out, texts })
}

/// Why there is nothing to share.
fn nothing(plan: &Plan, sources: &Sources, sums: &Sums) -> anyhow::Error {
    if sums.not_picked == 0 && sums.first_us.is_none() {
        return sources.no_capture();
    }
    if plan.filter.is_all() {
        return anyhow!(
            "there is nothing to share: the capture holds no event\nhint: let traffic pass, and share it then"
        );
    }
    anyhow!(
        "there is nothing to share: none of {} lines fits {}\nhint: `finesse-tap report` shows times, agents and sessions of a capture",
        sums.not_picked,
        plan.filter
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

impl Sums {
    /// Something is left in what became of a line.
    fn left(&mut self, source: &str, number: u64, hit: &Hit, tell: &dyn Fn(Told<'_>)) {
        self.left.add(hit);
        if self.left.total() <= MAX_HITS {
            tell(Told::Left(source, number, hit));
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

    fn count(&mut self, kept: &Kept) {
        if kept.action != "log-opened" {
            self.events += 1;
        }
        self.first_us = Some(self.first_us.map_or(kept.at_us, |first| first.min(kept.at_us)));
        self.last_us = Some(self.last_us.map_or(kept.at_us, |last| last.max(kept.at_us)));
        self.removed_before += kept.removed_before;
        if let Some((events, message)) = &kept.gap {
            self.gap_events += events;
            if self.gaps.len() < MAX_GAPS {
                self.gaps.push(message.clone());
            }
        }
    }
}

/// Captures on their way into the bundle.
struct Through<'p, 's> {
    plan: &'p Plan,
    redactor: &'p mut Redactor,
    guards: &'p mut Guards,
    bundle: &'p mut Bundle<'s>,
    sums: Sums,
    current: Option<Current>,
    /// What was written, to make more of.
    spools: Vec<(String, File)>,
}

/// The capture that is being written.
struct Current {
    file: usize,
    /// Its opening line, while nothing else of it is picked.
    opening: Vec<u8>,
    is_begun: bool,
}

impl Through<'_, '_> {
    fn line(&mut self, seen: Seen<'_>, tell: &dyn Fn(Told<'_>)) -> anyhow::Result<()> {
        let Seen { file, source, mark, read, is_picked } = seen;
        if self.current.as_ref().is_none_or(|current| current.file != file) {
            self.current = Some(Current { file, opening: Vec::new(), is_begun: false });
        }
        let Read { text, line } = match read {
            Ok(read) => read,
            Err(why) => {
                self.sums.left_out.add(source.name(), mark, why);
                return Ok(());
            }
        };
        if !is_picked {
            self.sums.not_picked += 1;
            return Ok(());
        }
        if let Some(action) = line.unknown_action() {
            bail!(
                "{}:{}: this version does not know the event `{}` (schema {}), and cannot tell what in it is personal\nhint: share it with the version that captured it, or leave such events out: --filter 'not kind {}'",
                source.name(),
                mark.number,
                action.escape_debug(),
                line.finesse.schema,
                action.escape_debug()
            );
        }
        let Ok(Some(kept)) = self.redactor.line(text, &Picked::default(), self.guards) else {
            self.sums.left_out.add(source.name(), mark, "not a line that this version can redact");
            return Ok(());
        };
        self.sums.count(&kept);
        self.write(&kept)?;
        for hit in self.bundle.hits() {
            self.sums.left(source.name(), mark.number, &hit, tell);
        }
        if self.sums.left.total() >= MAX_HITS {
            return self.sums.verdict();
        }
        Ok(())
    }

    /// A file of which nothing but the opening line is picked is not written.
    fn write(&mut self, kept: &Kept) -> anyhow::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let marked = match kept.action {
            "log-opened" if !self.plan.filter.is_all() => Some(marked(&kept.line)),
            _ => None,
        };
        let line = marked.as_deref().unwrap_or(&kept.line);
        if !current.is_begun {
            current.opening.extend_from_slice(line);
            if kept.action == "log-opened" {
                return Ok(());
            }
            current.is_begun = true;
            let name = format!("captures/{:04}.ndjson", self.spools.len() + 1);
            self.bundle.begin(&name)?;
            self.spools.push((name, tempfile::tempfile().context("make a temporary file")?));
        }
        let opening = std::mem::take(&mut current.opening);
        let bytes = if opening.is_empty() { line } else { &opening };
        self.bundle.write(bytes)?;
        let Some((_, spool)) = self.spools.last_mut() else { return Ok(()) };
        spool.write_all(bytes).context("write a temporary file")
    }
}

/// An opening line that says that others of its capture were left out, so that nobody takes them for missing.
fn marked(line: &[u8]) -> Vec<u8> {
    let Ok(mut event) = serde_json::from_slice::<serde_json::Value>(line) else { return line.to_vec() };
    if let Some(capture) = event.pointer_mut("/finesse/capture").and_then(serde_json::Value::as_object_mut) {
        let settings = capture.entry("settings").or_insert_with(|| serde_json::json!([]));
        if let Some(settings) = settings.as_array_mut() {
            settings.push(serde_json::json!({ "name": stored::PICKED, "value": "true" }));
        }
    }
    let mut marked = event.to_string().into_bytes();
    marked.push(b'\n');
    marked
}
