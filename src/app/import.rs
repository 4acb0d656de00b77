//! `import`: HARs through the decoder, the door and the sinks of live traffic, at the sinks' pace.

use super::prepare_process;
use super::progress::Progress;
use super::recorder;
use crate::bus::{Bus, CAPTURE_QUEUE_BYTES, Duty};
use crate::capture::policy::Level;
use crate::cli::{CaptureTo, Import};
use crate::clock;
use crate::glyph::tame;
use crate::import::{Har, Tally, UNKNOWN};
use crate::session::Tracker;
use crate::share::index::Index;
use crate::sinks::{self, CaptureName, FileSink, StdoutSink};
use crate::stored::{self, Kind, Sources};
use crate::tap::Decoder;
use anyhow::{Context as _, anyhow, bail};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use ulid::Ulid;

/// How long the sinks may take to write what is left.
const FLUSH_LIMIT: Duration = Duration::from_secs(60);

/// Reads the HARs and writes one capture.
///
/// # Errors
/// A file cannot be opened or is damaged, or the capture cannot be written. What could be read is in the capture all the same.
pub fn import(config: &Import) -> anyhow::Result<()> {
    prepare_process();
    if let CaptureTo::Dir(dir) = &config.record.capture {
        not_twice(dir, &config.files)?;
    }
    let Imported { place, events, lost, damage } = write(config)?;
    say(&format!("unknown {UNKNOWN}\ncapture {place} ({events} events)\nredaction {}\n", config.record.redact));
    if config.record.redact == Level::Off {
        say("warning the capture holds passwords in the clear: keep it to yourself\n");
    }
    if lost > 0 {
        bail!("{lost} events could not be written to {place}");
    }
    match damage {
        Some(damage) => Err(anyhow!("{damage}\nhint: what was read before that place is in the capture")),
        None => Ok(()),
    }
}

/// A capture of a HAR in a directory of its own, for whoever reads captures; credentials are removed.
pub(super) fn aside(har: &Path) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().context("make a temporary directory")?;
    let Imported { lost, damage, .. } = write(&Import::aside(har, folder.path())?)?;
    match damage {
        _ if lost > 0 => bail!("{lost} events of {} could not be written", har.display()),
        Some(damage) => bail!("{damage}\nhint: `finesse-tap import` makes a capture of what is whole"),
        None => Ok(folder),
    }
}

/// What came of an import.
struct Imported {
    place: String,
    events: u64,
    lost: u64,
    damage: Option<String>,
}

/// Refuses a directory that holds a capture of the same file already: each event would be there twice.
fn not_twice(dir: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let Ok(sources) = Sources::open(&[dir.to_owned()], &mut |_| bail!("a HAR is no capture")) else { return Ok(()) };
    for source in sources.files() {
        let mut lines = source.lines();
        let Ok(Some((_, Ok(first)))) = lines.next() else { continue };
        let Some(capture) = first.line.finesse.capture.as_ref() else { continue };
        let of = capture.settings.iter().filter(|setting| &*setting.name == "file");
        let is_same = |name: &str| files.iter().any(|file| file.file_name().is_some_and(|own| own == name));
        if let Some(name) = of.map(|setting| &*setting.value).find(|name| is_same(name)) {
            bail!(
                "{} holds a capture of {name} already\nhint: `finesse-tap report {}` reads it; to import it anew, name another directory with --output DIR",
                dir.display(),
                dir.display()
            );
        }
    }
    Ok(())
}

fn write(config: &Import) -> anyhow::Result<Imported> {
    let mut hars = Vec::new();
    for path in &config.files {
        for path in stored::starred(path).with_context(|| format!("look for {}", path.display()))? {
            hars.push(open(&path)?);
        }
    }
    if hars.iter().all(|har| har.entries() == 0) {
        return Err(nothing(&hars));
    }
    let mut settings = config.settings();
    for har in hars.iter().filter(|har| !har.creator().is_empty()) {
        settings.push((String::from("creator"), har.creator().to_owned()));
    }
    settings.push((String::from("unknown"), String::from(UNKNOWN)));

    let run = Ulid::generate();
    let (mut door, index) = recorder::door(&config.record, run)?;
    let opening = door.opening(&settings);
    let mut bus = Bus::new();
    let place = match &config.record.capture {
        CaptureTo::Dir(dir) => {
            let host = hars.iter().find_map(Har::server).map_or_else(|| String::from("har"), |server| server.host);
            let name = CaptureName::new(recorder::shown(&host, config.record.redact), clock::now(), run);
            let sink = FileSink::create(dir, name, 1, opening, sinks::Limits::default())?;
            let place = sink.path().display().to_string();
            bus.attach("file", Duty::Keep, CAPTURE_QUEUE_BYTES, |receiver| sink.run(receiver))?;
            place
        }
        CaptureTo::Stdout => {
            let sink = StdoutSink::new(&opening).context("write to standard output")?;
            bus.attach("stdout", Duty::Keep, CAPTURE_QUEUE_BYTES, |receiver| sink.run(receiver))?;
            String::from("standard output")
        }
        CaptureTo::Off => bail!("there is nothing to do without a capture"),
    };

    let mut decoder = Decoder::new(door, Tracker::new(run.0));
    let mut connections = 0;
    let mut events = 0_u64;
    for har in &hars {
        let name = har.path().display();
        let mut progress = Progress::new(format!("importing {name}"));
        let mut feed = |message| {
            decoder.take(message, &mut |record| {
                events += 1;
                bus.wait_for_room();
                bus.publish(&Arc::new(record));
            });
        };
        let tally = har
            .play(connections + 1, &mut feed, &mut |done, total| progress.at(done, total))
            .with_context(|| format!("read {name}"))?;
        drop(progress);
        connections += tally.connections;
        say(&told(har, tally));
    }
    drop(decoder);
    index.map_or(Ok(()), Index::finish)?;
    let lost: u64 = bus.finish(FLUSH_LIMIT).iter().map(|done| done.lost.events).sum();
    Ok(Imported { place, events, lost, damage: damage(&hars) })
}

fn open(path: &Path) -> anyhow::Result<Har> {
    let name = path.display();
    let mut progress = Progress::new(format!("reading {name}"));
    Har::open(path, &mut |done, total| progress.at(done, total)).with_context(|| format!("read {name}"))
}

/// Why there is nothing to import.
fn nothing(hars: &[Har]) -> anyhow::Error {
    let Some(har) = hars.iter().find(|har| har.broken().is_some()).or(hars.first()) else {
        return anyhow!("no file is named");
    };
    let path = har.path();
    let kind = Kind::of(path).unwrap_or(Kind::Text);
    let what = match har.broken() {
        None => format!("there is no request in {}", path.display()),
        Some(broken) if kind == Kind::Har => format!("{}: {broken}", path.display()),
        Some(broken) => format!("{} is no HAR: it is {} ({broken})", path.display(), kind.as_str()),
    };
    let hint = match kind {
        Kind::Har => "open DevTools (F12) before the login, and export again when it has happened".to_owned(),
        kind => kind.instead_of_a_har(path),
    };
    anyhow!("{what}\nhint: {hint}")
}

fn damage(hars: &[Har]) -> Option<String> {
    hars.iter().find_map(|har| Some(format!("{}: {}", har.path().display(), har.broken()?)))
}

fn told(har: &Har, tally: Tally) -> String {
    let Tally { exchanges, sockets, messages, odd_messages, skipped, connections: _ } = tally;
    let mut text =
        format!("read {}: {exchanges} requests, {sockets} WebSockets, {messages} messages", har.path().display());
    if odd_messages > 0 {
        text += &format!("; {odd_messages} noted by the browser that are no messages");
    }
    if skipped > 0 {
        text += &format!("; {skipped} entries without a date or an HTTP address left out");
    }
    text + "\n"
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(tame(text).as_bytes());
}
