//! Tap, bus and sinks as one thing: started before traffic, finished behind it.

use crate::admin::{Health, Shipped, Watched};
use crate::bus::{Bus, CAPTURE_QUEUE_BYTES, Duty, LIVE_QUEUE_BYTES};
use crate::capture::rules::Level;
use crate::capture::token::{Key, Tokens};
use crate::capture::{Door, Redactor, Restrictor};
use crate::clock::{self, Moment};
use crate::config::{CaptureTo, Live, Recording};
use crate::session::Tracker;
use crate::share::index::Index;
use crate::share::key;
use crate::sinks::{self, CaptureName, FileSink, KeepAlives, StdoutSink};
use crate::tap::{self, Decoder, Intake};
use anyhow::{Context as _, anyhow};
use std::io::IsTerminal as _;
use std::panic::AssertUnwindSafe;
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
    bus: Arc<Bus>,
    tap: Option<JoinHandle<()>>,
    index: Option<Index>,
    place: String,
    health: Arc<Health>,
    start: Moment,
}

impl Recorder {
    /// Opens the capture and starts the threads. The first of the fronted `hosts` goes into file names, `settings` into each
    /// file's first line.
    pub(super) fn start(
        record: &Recording,
        hosts: &[String],
        settings: Vec<(String, String)>,
        show: Show,
        counted: Counted,
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
                let sink = FileSink::create(dir, name, opening, sinks::Limits::default())?;
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
        let health = Arc::new(Health::default());
        if record.capture == CaptureTo::Off && keepalives.is_none() && counted == Counted::No {
            return Ok(Self { intake: Intake::off(), bus, tap: None, index, place, health, start });
        }
        let (intake, receiver, budget) = Intake::new(tap::QUEUE_BYTES);
        let decoder = Decoder::new(door, Tracker::new(run.0).fronting(hosts.iter().cloned()));
        let (to, told) = (Arc::clone(&bus), Arc::clone(&health));
        let work = move || {
            let decoding = AssertUnwindSafe(|| tap::run(&receiver, &budget, decoder, &to));
            if std::panic::catch_unwind(decoding).is_err() {
                told.tap_failed();
                tracing::error!(
                    "an error in the tap itself: traffic goes on, nothing more is recorded; please report it"
                );
            }
        };
        let tap = std::thread::Builder::new().name(String::from("tap")).spawn(work).context("start the tap")?;
        Ok(Self { intake, bus, tap: Some(tap), index, place, health, start })
    }

    /// What the proxy's feeds come from.
    pub(super) fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Where a new capture file can be asked for.
    pub(super) fn bus(&self) -> Arc<Bus> {
        Arc::clone(&self.bus)
    }

    /// What metrics are made of. `ships` tells how delivery fares.
    pub(super) fn watched(&self, ships: impl Fn() -> Vec<Shipped> + Send + Sync + 'static) -> Watched {
        Watched {
            bus: self.bus(),
            queue: self.intake.budget(),
            health: Arc::clone(&self.health),
            start: self.start,
            ships: Box::new(ships),
        }
    }

    /// The place to say that the program stops.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
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
