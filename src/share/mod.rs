//! `share`: captures become one bundle that is safe to hand over.
//!
//! Streams: a line is read, restricted, looked at once more and written, so that memory does not grow with the capture. A
//! line that is not ours is told by file and number and left out. The bundle is written aside and gets its name only when
//! it is whole; if anything in it looks secret or personal, there is none.

mod bundle;
pub mod key;
mod report;
mod vet;

use crate::capture::Restrictor;
use crate::capture::restrict::{Picked, UserRules};
use crate::capture::rules::Level;
use crate::capture::token::{Key, Tokens};
use anyhow::{Context as _, anyhow, bail};
use bundle::Bundle;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest line read; a capture's lines are at most 16 MiB.
const MAX_LINE_BYTES: u64 = 17 << 20;
/// Lines left out that are told one by one.
const MAX_TOLD: u64 = 20;
/// Gaps listed in the report.
const MAX_GAPS: usize = 1_000;

/// What is to be shared, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Capture files.
    pub files: Vec<PathBuf>,
    /// The bundle.
    pub out: PathBuf,
    /// `share` or `minimal`.
    pub level: Level,
    /// Which lines.
    pub picked: Picked,
    /// For its receiver, as it is.
    pub note: Option<String>,
    /// The file of the token key; a random key otherwise.
    pub stable_tokens: Option<PathBuf>,
    /// An age recipient.
    pub encrypt_to: Option<String>,
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
}

/// Makes the bundle.
///
/// # Errors
/// A file cannot be read or written; something secret or personal is left; there is nothing to share. No bundle is left.
pub fn share(plan: &Plan, tell: &mut dyn FnMut(Told<'_>)) -> anyhow::Result<Outcome> {
    let age = plan.encrypt_to.as_ref().map(|_| age()).transpose()?;
    let key = match &plan.stable_tokens {
        Some(path) => key::open(path)?,
        None => Key::random().map_err(|_| anyhow!("the system gives no random numbers"))?,
    };
    let tokens = Tokens::of(&key).map_err(|_| anyhow!("no token key can be derived"))?;
    let mut restrictor = Restrictor::new(plan.level, tokens, plan.rules.clone());
    let mut files = plan.files.clone();
    files.sort();
    files.dedup();
    let total = files.iter().map(|path| size(path)).sum::<anyhow::Result<u64>>()?;
    let mut bundle = Bundle::create(&plan.out)?;
    let mut sums = Sums::default();
    let mut done = 0;
    for (number, path) in files.iter().enumerate() {
        bundle.begin(&format!("captures/{:04}.ndjson", number + 1))?;
        let mut to = Through { plan, restrictor: &mut restrictor, bundle: &mut bundle, sums: &mut sums };
        to.file(path, done, total, tell)?;
        done += size(path)?;
    }
    if sums.events == 0 {
        bail!(
            "there is nothing to share: no event was picked\nhint: --since, --until, --user and --session must all fit"
        );
    }
    for (name, text) in [("report.txt", report::report(plan, &restrictor, &sums)), ("README.txt", report::readme(plan))]
    {
        if let Some(what) = vet::vet(&text) {
            bail!("{name} of the bundle would hold {what}: nothing was written");
        }
        bundle.add(name, &text)?;
    }
    let entries = bundle.entries().to_vec();
    bundle.add("manifest.json", &report::manifest(plan, &restrictor, &key.id(), &sums, &entries))?;
    let finished = bundle.finish()?;
    if let Some(path) = &plan.stable_tokens {
        key::remember(path, restrictor.index())?;
    }
    let out = match (&plan.encrypt_to, age) {
        (Some(to), Some(age)) => encrypted(finished.path(), &plan.out, to, age)?,
        _ => {
            finished.name(&plan.out)?;
            plan.out.clone()
        }
    };
    Ok(Outcome { path: out, events: sums.events, skipped: sums.skipped, texts: restrictor.tally().texts.len() })
}

/// One capture on its way into the bundle.
struct Through<'p> {
    plan: &'p Plan,
    restrictor: &'p mut Restrictor,
    bundle: &'p mut Bundle,
    sums: &'p mut Sums,
}

impl Through<'_> {
    fn file(&mut self, path: &Path, before: u64, total: u64, tell: &mut dyn FnMut(Told<'_>)) -> anyhow::Result<()> {
        let context = || format!("read {}", path.display());
        let mut reader = BufReader::with_capacity(256 << 10, File::open(path).with_context(context)?);
        let (mut line, mut number, mut read) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let bytes = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).with_context(context)?;
            if bytes == 0 {
                return Ok(());
            }
            number += 1;
            read += bytes as u64;
            if line.last() != Some(&b'\n') {
                // Too long for one of ours, or the last line of a run that was cut off.
                let too_long = bytes as u64 == MAX_LINE_BYTES;
                let why = if too_long { "it is too long" } else { "it is torn" };
                if too_long {
                    read += skip_line(&mut reader).with_context(context)?;
                }
                self.left_out(path, number, why, tell);
                continue;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match self.restrictor.line(&line, &self.plan.picked) {
                Err(_) => self.left_out(path, number, "it is no line of a capture", tell),
                Ok(None) => self.sums.not_picked += 1,
                Ok(Some(kept)) => {
                    let text = String::from_utf8_lossy(&kept.line);
                    if let Some(what) = vet::vet(&text) {
                        let place = format!("{}:{number}", path.display());
                        bail!(
                            "{place}: {what} is left after redaction: nothing was written\nhint: please report this; --deny can remove it meanwhile"
                        );
                    }
                    self.bundle.write(&kept.line)?;
                    self.count(&kept);
                }
            }
            if number.is_multiple_of(2_048) {
                tell(Told::Progress(before + read, total));
            }
        }
    }

    fn count(&mut self, kept: &crate::capture::restrict::Kept) {
        if kept.action != "log-opened" {
            self.sums.events += 1;
        }
        self.sums.first_us = Some(self.sums.first_us.map_or(kept.at_us, |first| first.min(kept.at_us)));
        self.sums.last_us = Some(self.sums.last_us.map_or(kept.at_us, |last| last.max(kept.at_us)));
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

/// Reads to the end of a line that is too long, and says how far that was.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |at| at + 1);
        let over = end.is_some() || buffer.is_empty();
        reader.consume(used);
        skipped += used as u64;
        if over {
            return Ok(skipped);
        }
    }
}

fn size(path: &Path) -> anyhow::Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len())
}

/// The installed program that encrypts for an age recipient.
fn age() -> anyhow::Result<&'static str> {
    let runs = |program: &&str| Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    ["age", "rage"].into_iter().find(runs).ok_or_else(|| {
        anyhow!("--encrypt-to needs the program age (or rage), and neither is installed\nhint: see https://age-encryption.org")
    })
}

fn encrypted(zip: &Path, out: &Path, to: &str, age: &str) -> anyhow::Result<PathBuf> {
    let mut name = out.as_os_str().to_owned();
    name.push(".age");
    let (path, mut aside) = (PathBuf::from(&name), name);
    aside.push(".part");
    let aside = PathBuf::from(aside);
    let done = Command::new(age).arg("-r").arg(to).arg("-o").arg(&aside).arg(zip).output();
    match done {
        Ok(output) if output.status.success() => {
            fs::rename(&aside, &path).with_context(|| format!("write {}", path.display()))?;
            Ok(path)
        }
        Ok(output) => {
            let _ = fs::remove_file(&aside);
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{age} could not encrypt: {}", why.lines().next().unwrap_or("it did not say why"))
        }
        Err(error) => Err(error).with_context(|| format!("run {age}")),
    }
}
