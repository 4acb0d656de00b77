//! Tap, bus and sinks as one thing: started before traffic, finished behind it.

use crate::admin::{Health, Shipped, Watched};
use crate::bus::{Bus, CAPTURE_QUEUE_BYTES, Duty, LIVE_QUEUE_BYTES, Output, Receiver, Sink};
use crate::capture::policy::Level;
use crate::capture::token::{Key, Tokens};
use crate::capture::{Door, Redactor};
use crate::cli::{CaptureTo, Live, Recording};
use crate::clock::{self, Moment};
use crate::conn::Authority;
use crate::console::{Marks, Pushed};
use crate::session::Tracker;
use crate::share::index::Index;
use crate::share::key;
use crate::ship;
use crate::sinks::{self, CaptureName, FileSink, KeepAlives, StdoutSink};
use crate::tap::{self, Attention, Change, Decoder, Intake};
use anyhow::{Context as _, anyhow};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use ulid::Ulid;

/// The sink of capture files.
const FILE: &str = "file";

/// How long the sinks may take to write what is left.
pub(super) const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// What of such a limit is the sinks' to write what is decoded: [`Bus::finish`] returns so long after its deadline.
const WRITE_LIMIT: Duration = Duration::from_millis(500);

/// How often the end of decoding is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// When a person is shown the live view.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// If standard error is a terminal.
    OnTerminal,
    /// Wherever standard error leads.
    Always,
}

/// Whether somebody reads the counts, so that traffic must be decoded though it is neither kept nor shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// There are metrics.
    Yes,
    /// There are none.
    No,
}

/// Everything behind the feeds.
pub(super) struct Recorder {
    intake: Intake,
    /// The same for notes.
    notes: Arc<Mutex<Option<Intake>>>,
    bus: Arc<Bus>,
    tap: JoinHandle<()>,
    /// There is no time to decode what waits.
    hurry: Arc<AtomicBool>,
    prelude: Prelude,
    /// Of tokens that can be asked for, by the file of their key.
    indexes: Vec<(PathBuf, Index)>,
    place: String,
    health: Arc<Health>,
}

/// What stays the same however often the rules change.
#[derive(Clone)]
struct Prelude {
    run: Ulid,
    start: Moment,
    show: Show,
    counted: Counted,
    /// Where records go, too, if no file holds them and a console shows them.
    pushed: Option<Pushed>,
    /// The key of tokens, and the file it is from.
    key: Arc<(Option<PathBuf>, Key)>,
}

/// How the next records are to be kept: made, but not in force.
struct Prepared {
    door: Door,
    sinks: Vec<Sink>,
    place: String,
}

impl Recorder {
    /// Opens the capture and starts the threads. The host of the first of the fronted `servers` goes into file names, `settings` into each
    /// file's first line.
    pub(super) fn start(
        record: &Recording,
        servers: &[Authority],
        settings: &[(String, String)],
        show: Show,
        counted: Counted,
        pushed: Option<Pushed>,
    ) -> anyhow::Result<Self> {
        let key = Arc::new((record.stable_tokens.clone(), key_of(record)?));
        let prelude = Prelude { run: Ulid::generate(), start: clock::now(), show, counted, pushed, key };
        if let CaptureTo::Dir(dir) = &record.capture {
            sinks::repair(dir).with_context(|| format!("look through {}", dir.display()))?;
        }
        let mut indexes = Vec::new();
        let Prepared { door, sinks, place } = prelude.prepare(record, servers, settings, 1, &mut indexes)?;
        let (intake, receiver, budget) = Intake::new(tap::QUEUE_BYTES);
        intake.listen(attention(&sinks, counted));
        let bus = Arc::new(Bus::new());
        bus.replace(sinks);
        let mut tracker = Tracker::new(prelude.run.0).fronting(servers.iter().cloned());
        if let Some(key) = record.session_key.as_deref().map(session_key).transpose()?.flatten() {
            tracker = tracker.sharing(&key.master);
        }
        let decoder = Decoder::new(door, tracker);
        let health = Arc::new(Health::default());
        let (to, told) = (Arc::clone(&bus), Arc::clone(&health));
        let hurry = Arc::new(AtomicBool::new(false));
        let hurried = Arc::clone(&hurry);
        let work = move || {
            let decoding = AssertUnwindSafe(|| tap::run(&receiver, &budget, decoder, &to, &hurried));
            if std::panic::catch_unwind(decoding).is_err() {
                told.tap_failed();
                tracing::error!(
                    "an error in the tap itself: traffic goes on, nothing more is recorded; please report it"
                );
            }
        };
        let tap = std::thread::Builder::new().name(String::from("tap")).spawn(work).context("start the tap")?;
        let notes = Arc::new(Mutex::new(Some(intake.clone())));
        Ok(Self { intake, notes, bus, tap, hurry, prelude, indexes, place, health })
    }

    /// Records differently from now on, in new files. Connections under way are read on; those that began while nothing was
    /// recorded stay unread.
    ///
    /// # Errors
    /// The capture cannot be opened, or the key of tokens cannot be read. Nothing has changed then.
    pub(super) fn change(
        &mut self,
        record: &Recording,
        servers: &[Authority],
        settings: &[(String, String)],
    ) -> anyhow::Result<()> {
        let mut prelude = self.prelude.clone();
        if prelude.key.0 != record.stable_tokens {
            prelude.key = Arc::new((record.stable_tokens.clone(), key_of(record)?));
        }
        let first = self.bus.files(FILE) + 1;
        let Prepared { door, sinks, place } = prelude.prepare(record, servers, settings, first, &mut self.indexes)?;
        self.prelude = prelude;
        self.place = place;
        self.intake.listen(attention(&sinks, self.prelude.counted));
        self.intake.change(Change { door, fronted: servers.to_vec(), sinks });
        Ok(())
    }

    /// What the proxy's feeds come from.
    pub(super) fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Writes notes into the capture, until the recorder finishes: whoever holds an intake keeps the tap up.
    pub(super) fn notes(&self) -> Marks {
        let notes = Arc::clone(&self.notes);
        Box::new(move |text| {
            let intake = notes.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(intake) = &*intake {
                intake.note(clock::now(), &text);
            }
        })
    }

    /// Begins a new capture file each time it is called.
    pub(super) fn rotation(&self) -> impl Fn() + Send + 'static {
        let bus = Arc::clone(&self.bus);
        move || {
            tracing::info!("a new capture file was asked for");
            bus.rotate();
        }
    }

    /// What metrics are made of. `ships` tells how delivery fares.
    pub(super) fn watched(&self, ships: impl Fn() -> Vec<Shipped> + Send + Sync + 'static) -> Watched {
        Watched {
            bus: Arc::clone(&self.bus),
            queue: self.intake.budget(),
            health: Arc::clone(&self.health),
            start: self.prelude.start,
            ships: Box::new(ships),
        }
    }

    /// The id of this run.
    pub(super) fn run(&self) -> String {
        self.prelude.run.to_string()
    }

    /// The place to say that the program stops.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Where the capture goes, for a person.
    pub(super) fn place(&self) -> String {
        self.place.clone()
    }

    /// Decodes and writes what is left, as far as `limit` allows; the rest is counted as lost. Call when no feed is left.
    pub(super) fn finish(self, limit: Duration) -> anyhow::Result<()> {
        let Self { intake, notes, bus, tap, hurry, indexes, .. } = self;
        let begun = clock::now();
        let left = || limit.saturating_sub(clock::now().since(begun));
        drop((intake, notes.lock().unwrap_or_else(PoisonError::into_inner).take()));
        while !tap.is_finished() && left() > WRITE_LIMIT {
            std::thread::sleep(LOOK);
        }
        hurry.store(true, Ordering::Relaxed);
        // A panic in it was told when it happened.
        let _ = tap.join();
        for done in bus.finish(left().saturating_sub(WRITE_LIMIT)) {
            if done.lost.events > 0 || !done.returned {
                tracing::warn!(
                    sink = done.sink,
                    events = done.lost.events,
                    bytes = done.lost.bytes,
                    "events were lost"
                );
            } else {
                tracing::debug!(sink = done.sink, events = done.written.events, bytes = done.written.bytes, "written");
            }
        }
        for (_, index) in indexes {
            index.finish().context("tokens of this run cannot all be resolved")?;
        }
        Ok(())
    }
}

impl Prelude {
    /// Makes door and sinks, the first capture file included, which is number `first` of the run.
    fn prepare(
        &self,
        record: &Recording,
        servers: &[Authority],
        settings: &[(String, String)],
        first: u32,
        indexes: &mut Vec<(PathBuf, Index)>,
    ) -> anyhow::Result<Prepared> {
        let host = servers.first().map_or("", |server| &server.host);
        let mut door = door_with(record, self.run, &self.key.1, indexes)?;
        let opening = door.opening(settings);
        let mut all = Vec::new();
        let place = match &record.capture {
            CaptureTo::Off => String::from("off"),
            CaptureTo::Stdout => {
                let sink = StdoutSink::new(&opening).context("write to standard output")?;
                let run = |receiver: &mut Receiver| sink.run(receiver);
                all.push(Sink::new("stdout", Duty::Keep, Output::Shared, CAPTURE_QUEUE_BYTES, run)?);
                String::from("standard output")
            }
            CaptureTo::Dir(dir) => {
                let name = CaptureName::new(shown(host, record.redact), self.start, self.run);
                let keep = record.capture_limit_bytes.map(|limit_bytes| keep(dir, limit_bytes));
                let sink = FileSink::create(dir, name, first, opening, limits(record))?.keeping(keep);
                let place = sink.path().display().to_string();
                let run = |receiver: &mut Receiver| sink.run(receiver);
                all.push(Sink::new(FILE, Duty::Keep, Output::Own, CAPTURE_QUEUE_BYTES, run)?);
                place
            }
        };
        if let (CaptureTo::Off | CaptureTo::Stdout, Some(pushed)) = (&record.capture, &self.pushed) {
            let first = door.opening(settings);
            let run = super::console::pushing(pushed.clone(), &first);
            all.push(Sink::new("console", Duty::Show, Output::Own, LIVE_QUEUE_BYTES, run)?);
        }
        let keepalives = match record.live {
            _ if self.show == Show::OnTerminal && !std::io::stderr().is_terminal() => None,
            Live::Off => None,
            Live::Messages => Some(KeepAlives::Hidden),
            Live::Everything => Some(KeepAlives::Shown),
        };
        if let Some(keepalives) = keepalives {
            let live = sinks::Live::new(keepalives, record.filter.clone());
            let run = |receiver: &mut Receiver| live.run(receiver);
            all.push(Sink::new("live", Duty::Show, Output::Shared, LIVE_QUEUE_BYTES, run)?);
        }
        Ok(Prepared { door, sinks: all, place })
    }
}

/// With neither a sink nor anybody who counts the relay need copy nothing.
fn attention(sinks: &[Sink], counted: Counted) -> Attention {
    if sinks.is_empty() && counted == Counted::No { Attention::Spare } else { Attention::Pay }
}

fn key_of(record: &Recording) -> anyhow::Result<Key> {
    match &record.stable_tokens {
        Some(path) => key::open(path),
        None => Key::random().map_err(|_| anyhow!("the system gives no random numbers")),
    }
}

/// Files small enough for some of them to fit what is kept.
fn limits(record: &Recording) -> sinks::Limits {
    let limits = sinks::Limits::default();
    let file_bytes = record.capture_limit_bytes.map_or(limits.file_bytes, |limit| limits.file_bytes.min(limit / 8));
    sinks::Limits { file_bytes, ..limits }
}

/// What delivery has not reached yet is a loss when it is removed.
fn keep(dir: &Path, limit_bytes: u64) -> sinks::Keep {
    let dir = dir.to_owned();
    let delivered = move || match ship::delivered(&dir) {
        Ok(positions) => Some(positions?.into_iter().map(|(name, position)| (name, position.offset)).collect()),
        Err(error) => {
            tracing::warn!(error = %format!("{error:#}"), "what has been delivered is not known: nothing counts as delivered");
            Some(BTreeMap::new())
        }
    };
    sinks::Keep { limit_bytes, delivered: Box::new(delivered) }
}

/// What redacts as the recording says, and the index of its tokens if there will be any to be asked for.
pub(super) fn door(record: &Recording, run: Ulid) -> anyhow::Result<(Door, Option<Index>)> {
    let mut indexes = Vec::new();
    let door = door_with(record, run, &key_of(record)?, &mut indexes)?;
    Ok((door, indexes.pop().map(|(_, index)| index)))
}

/// Adds an index to `indexes` if one is needed that is not among them.
fn door_with(record: &Recording, run: Ulid, key: &Key, indexes: &mut Vec<(PathBuf, Index)>) -> anyhow::Result<Door> {
    let mut tokens = Tokens::of(key).map_err(|_| anyhow!("no token key can be derived"))?;
    if let Some(path) = record.stable_tokens.as_ref().filter(|_| record.redact == Level::Share) {
        if !indexes.iter().any(|(known, _)| known == path) {
            indexes.push((path.clone(), Index::beside(path)?));
        }
        if let Some((_, index)) = indexes.iter().find(|(known, _)| known == path) {
            tokens = tokens.noting(index.notes());
        }
    }
    let redactor = Redactor::with(record.redact, tokens, record.rules.clone());
    let door = Door::new(redactor, run.to_string(), record.max_line_bytes);
    Ok(door.observed_by(record.observer.clone().unwrap_or_else(machine)))
}

/// The key in `path`, which is made beside the CAs. Without a directory, or where nothing can be written, there is none:
/// then instances do not agree on `trace.id`, and nothing else is amiss.
fn session_key(path: &Path) -> anyhow::Result<Option<Key>> {
    if !path.parent().is_some_and(Path::is_dir) {
        return Ok(None);
    }
    match key::open(path) {
        Err(error) if !path.exists() => {
            tracing::warn!(error = format!("{error:#}"), "trace.id will be this instance's own");
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// The machine's name, of characters that `--observer-name` takes too.
fn machine() -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let name: String = gethostname::gethostname().to_string_lossy().chars().map(plain).take(64).collect();
    if name.is_empty() { String::from("finesse-tap") } else { name }
}

/// The host in a file's name, which travels with the file.
pub(super) fn shown(host: &str, level: Level) -> &str {
    if level >= Level::Share { "redacted" } else { host }
}
