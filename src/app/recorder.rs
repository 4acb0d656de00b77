//! Tap, bus and sinks as one thing: started before traffic, finished behind it.

use crate::bus::{Bus, CAPTURE_QUEUE_BYTES, Duty, LIVE_QUEUE_BYTES};
use crate::capture::rules::Level;
use crate::capture::token::{Key, Tokens};
use crate::capture::{Door, Redactor, Restrictor};
use crate::clock;
use crate::config::{CaptureTo, Live, Recording};
use crate::session::Tracker;
use crate::share::index::Index;
use crate::share::key;
use crate::ship;
use crate::sinks::{self, CaptureName, FileSink, KeepAlives, StdoutSink};
use crate::tap::{self, Decoder, Intake};
use anyhow::{Context as _, anyhow};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use ulid::Ulid;

/// How long the sinks may take to write what is left.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// When a person is shown the live view.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// If standard error is a terminal.
    OnTerminal,
    /// Wherever standard error leads.
    Always,
}

/// Everything behind the feeds.
pub(super) struct Recorder {
    intake: Intake,
    bus: Arc<Bus>,
    tap: Option<JoinHandle<()>>,
    index: Option<Index>,
    place: String,
}

impl Recorder {
    /// Opens the capture and starts the threads. The first of the fronted `hosts` goes into file names, `settings` into each
    /// file's first line.
    pub(super) fn start(
        record: &Recording,
        hosts: &[String],
        settings: Vec<(String, String)>,
        show: Show,
    ) -> anyhow::Result<Self> {
        let host = hosts.first().map_or("", String::as_str);
        let start = clock::now();
        let run = Ulid::generate();
        let (mut door, index) = door(record, run)?;
        let opening = door.opening(&settings);
        let mut bus = Bus::new();
        let place = match &record.capture {
            CaptureTo::Off => String::from("off"),
            CaptureTo::Stdout => {
                let sink = StdoutSink::new(&opening).context("write to standard output")?;
                bus.attach("stdout", Duty::Keep, CAPTURE_QUEUE_BYTES, |receiver| sink.run(receiver))?;
                String::from("standard output")
            }
            CaptureTo::Dir(dir) => {
                sinks::repair(dir).with_context(|| format!("look through {}", dir.display()))?;
                let name = CaptureName::new(shown(host, record.redact), start, run);
                let keep = record.capture_limit_bytes.map(|limit_bytes| keep(dir, limit_bytes));
                let sink = FileSink::create(dir, name, opening, limits(record))?.keeping(keep);
                let place = sink.path().display().to_string();
                bus.attach("file", Duty::Keep, CAPTURE_QUEUE_BYTES, |receiver| sink.run(receiver))?;
                place
            }
        };
        let keepalives = match record.live {
            _ if show == Show::OnTerminal && !std::io::stderr().is_terminal() => None,
            Live::Off => None,
            Live::Messages => Some(KeepAlives::Hidden),
            Live::Everything => Some(KeepAlives::Shown),
        };
        if let Some(keepalives) = keepalives {
            let live = sinks::Live::new(keepalives);
            bus.attach("live", Duty::Show, LIVE_QUEUE_BYTES, |receiver| live.run(receiver))?;
        }
        let bus = Arc::new(bus);
        if record.capture == CaptureTo::Off && keepalives.is_none() {
            return Ok(Self { intake: Intake::off(), bus, tap: None, index, place });
        }
        let (intake, receiver, budget) = Intake::new(tap::QUEUE_BYTES);
        let decoder = Decoder::new(door, Tracker::new(run.0).fronting(hosts.iter().cloned()));
        let to = Arc::clone(&bus);
        let work = move || {
            let decoding = AssertUnwindSafe(|| tap::run(&receiver, &budget, decoder, &to));
            if std::panic::catch_unwind(decoding).is_err() {
                tracing::error!(
                    "an error in the tap itself: traffic goes on, nothing more is recorded; please report it"
                );
            }
        };
        let tap = std::thread::Builder::new().name(String::from("tap")).spawn(work).context("start the tap")?;
        Ok(Self { intake, bus, tap: Some(tap), index, place })
    }

    /// What the proxy's feeds come from.
    pub(super) fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Where a new capture file can be asked for.
    pub(super) fn bus(&self) -> Arc<Bus> {
        Arc::clone(&self.bus)
    }

    /// Where the capture goes, for a person.
    pub(super) fn place(&self) -> String {
        self.place.clone()
    }

    /// Decodes and writes what is left. Call when no feed is left.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self { intake, bus, tap, index, .. } = self;
        drop(intake);
        if let Some(tap) = tap {
            // A panic in it was told when it happened.
            let _ = tap.join();
        }
        for done in bus.finish(FLUSH_LIMIT) {
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
        index.map_or(Ok(()), Index::finish).context("tokens of this run cannot all be resolved")
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
    let redactor = Redactor::new(record.redact).map_err(|_| anyhow!("the system gives no random numbers"))?;
    let key = match &record.stable_tokens {
        Some(path) => key::open(path)?,
        None => Key::random().map_err(|_| anyhow!("the system gives no random numbers"))?,
    };
    let mut tokens = Tokens::of(&key).map_err(|_| anyhow!("no token key can be derived"))?;
    let resolvable = record.stable_tokens.as_ref().filter(|_| record.redact == Level::Share);
    let index = resolvable.map(|path| Index::beside(path)).transpose()?;
    if let Some(index) = &index {
        tokens = tokens.noting(index.notes());
    }
    let restrictor = Restrictor::new(record.redact, tokens, record.rules.clone());
    Ok((Door::new(redactor, run.to_string(), record.max_line_bytes).restricting(restrictor), index))
}

/// The host in a file's name, which travels with the file.
pub(super) fn shown(host: &str, level: Level) -> &str {
    if level >= Level::Share { "redacted" } else { host }
}
