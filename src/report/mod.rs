//! `report`: captures become what happened, for a person: text for a terminal, one HTML file, or JSON.
//!
//! [`stored`] reads, `gather` sorts lines by run, session and connection, `fold` and `ladder` take each into the
//! bounded `model`, `evidence` looks up the lines that claims stand on, `story` finds out what agents felt and why. `compose`
//! makes of it a `page` of sections with typed cells, which `text` and `html` dress. Streams once, so the size of a capture
//! costs time and not memory. It reads nothing but captures, and what it reads is untrusted.
//!
//! A new column is one line in `compose`; a new kind of cell is one in `page` and one in each of the two that dress it.

pub mod compare;
mod compose;
mod evidence;
mod fold;
mod gather;
mod html;
pub mod ladder;
mod list;
pub mod model;
pub mod note;
mod page;
mod reason;
mod story;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use gather::Filter;
pub use words::Zone;

use crate::stored::{self, Aside, Sources};
use anyhow::{Context as _, bail};
use gather::Gather;
use model::{List, Report};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

/// Widest text, columns.
const MAX_COLUMNS: usize = 160;
/// Narrowest text, columns.
const MIN_COLUMNS: usize = 60;
/// Where there is no terminal to fit.
const PLAIN_COLUMNS: usize = 110;

/// What a report is made of, and into what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What of the captures.
    pub filter: Filter,
    /// In which form.
    pub format: Format,
    /// Where to; none is standard output.
    pub output: Option<PathBuf>,
    /// Where times are told, UTC aside.
    pub zone: Zone,
    /// What it is about, for its title.
    pub case: Option<String>,
}

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// One self-contained page.
    Html,
    /// For programs.
    Json,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Text, Self::Html, Self::Json];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Json => "json",
        }
    }

    fn written(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "HTML",
            Self::Json => "JSON",
        }
    }

    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt", "text", "log", "md"],
            Self::Html => &["html", "htm"],
            Self::Json => &["json"],
        }
    }

    /// The form that a file's name suggests.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Self::Html,
            Some("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("`{text}` is none of text, html and json"))
    }
}

/// A time as a person writes it, in microseconds since 1970: RFC 3339, or a date with or without a time of day in UTC.
///
/// # Errors
/// It is none, with what would be one.
pub fn time_us(text: &str) -> Result<i64, String> {
    words::parse_time_us(text).ok_or_else(|| {
        format!("`{text}` is no time: write 2026-01-15T09:12:40Z, or 2026-01-15 for its beginning, both in UTC")
    })
}

/// Makes the report and writes it where it belongs.
///
/// # Errors
/// A capture cannot be read, nothing that was asked for is in it, or the report cannot be written.
pub fn run(request: &Request, sources: &Sources) -> anyhow::Result<()> {
    if let Some(out) = &request.output {
        sources.apart(out)?;
        stored::promises(out, request.format.written(), request.format.endings())?;
    }
    let mut progress = Progress::new();
    let report = build(sources, &request.filter, &mut |done, total| progress.show(done, total));
    progress.clear();
    let mut report = report?;
    report.case.clone_from(&request.case);
    let rendered = render(&report, request.format, &request.zone, columns(request.output.is_none()))?;
    write(&rendered, request.output.as_deref(), "report")
}

/// Writes it where it belongs: it appears when it is whole.
fn write(rendered: &str, output: Option<&Path>, what: &str) -> anyhow::Result<()> {
    let Some(path) = output else { return print(rendered) };
    let failed = || format!("write {}", path.display());
    let aside = Aside::create(path).with_context(failed)?;
    aside.file().and_then(|mut file| file.write_all(rendered.as_bytes())).with_context(failed)?;
    aside.name().with_context(failed)?;
    // Nobody reading standard error is no reason to fail.
    let _ = writeln!(io::stderr(), "{what} {}", path.display());
    Ok(())
}

/// Reads captures into a report. `progress` is told bytes done and bytes in all.
///
/// # Errors
/// A capture cannot be read, or nothing that was asked for is in it.
pub fn build(sources: &Sources, filter: &Filter, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Report> {
    let mut gather = Gather::new(filter.clone());
    let mut lines = vec![0; sources.files().len()];
    let asked_for = sources.each(&filter.events, progress, &mut |seen| {
        let file = u32::try_from(seen.file).unwrap_or(u32::MAX);
        let mark = model::Mark { file, line: seen.mark.number, sequence: 0, offset_bytes: seen.mark.offset_bytes };
        if let Some(lines) = lines.get_mut(seen.file) {
            *lines = seen.mark.number;
        }
        match &seen.read {
            Ok(read) => gather.line(&read.line, mark, seen.is_picked),
            Err(why) => gather.unreadable(why, mark),
        }
        Ok(())
    })?;
    let files = sources.files().iter().zip(lines);
    let files =
        files.map(|(source, lines)| model::File { path: source.name().to_owned(), bytes: source.bytes(), lines });
    let (mut report, named) = gather.finish();
    report.files = files.collect();
    complain(&report, filter, &named, sources, asked_for)?;
    report.stories = story::stories(&report);
    evidence::fill(&mut report, sources);
    Ok(report)
}

/// Renders a report; `columns` is how wide text may be.
///
/// # Errors
/// None in practice: it is written into memory.
pub fn render(report: &Report, format: Format, zone: &Zone, columns: usize) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => text::render(&compose::page(report), report, zone, columns),
        Format::Html => html::render(&compose::page(report), report, zone),
        Format::Json => serde_json::to_string_pretty(report)? + "\n",
    })
}

/// That nothing is left to report on is an error that says what there was.
fn complain(
    report: &Report,
    filter: &Filter,
    named: &List<String>,
    sources: &Sources,
    asked_for: u64,
) -> anyhow::Result<()> {
    let totals = &report.totals;
    if totals.lines == 0 && totals.lines_outside == 0 {
        return Err(sources.no_capture());
    }
    if asked_for == 0 && !filter.events.is_all() {
        bail!(
            "none of {} fits {}\nhint: without --filter a report shows times, agents and sessions",
            words::count(totals.lines + totals.lines_outside, "line"),
            filter.events
        );
    }
    let filtered = filter.user.is_some() || filter.session.is_some();
    if !report.sessions.is_empty() || !(filtered || totals.lines == 0) {
        return Ok(());
    }
    if totals.lines == 0 {
        bail!(
            "no line in the time asked for: {} before or after it\nhint: widen --since and --until",
            words::count(totals.lines_outside, "line")
        );
    }
    let wanted = [("--user", &filter.user), ("--session", &filter.session)];
    let wanted: Vec<String> =
        wanted.iter().filter_map(|(option, value)| Some(format!("{option} {}", value.as_ref()?))).collect();
    let range = report.from_us.zip(report.to_us).map(|(from, to)| Zone::default().range(from, to)).unwrap_or_default();
    let more = if named.left_out > 0 { format!(" and {} more", named.left_out) } else { String::new() };
    let hint = if named.is_empty() {
        String::from("nobody logged in within these files; leave the option out to see the connections")
    } else {
        format!("there are {}{more}", named.join(", "))
    };
    bail!("no session fits {} in {} lines of {range}\nhint: {hint}", wanted.join(" "), totals.lines);
}

fn columns(to_stdout: bool) -> usize {
    let terminal = io::stdout().is_terminal() && to_stdout;
    let size = terminal.then(|| terminal_size::terminal_size_of(io::stdout())).flatten();
    // POSIX, "Environment Variables": the width a user prefers, whatever the terminal.
    let preferred = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = size.map_or(PLAIN_COLUMNS, |(terminal_size::Width(columns), _)| usize::from(columns));
    preferred.unwrap_or(columns).clamp(MIN_COLUMNS, MAX_COLUMNS)
}

/// Writes to standard output. A reader that has gone has seen enough.
fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// How far it is, on a terminal.
struct Progress {
    shown_percent: Option<u64>,
    is_on: bool,
}

impl Progress {
    /// Captures below this are read before anybody wonders, bytes.
    const WORTH_BYTES: u64 = 32 << 20;

    fn new() -> Self {
        Self { shown_percent: None, is_on: io::stderr().is_terminal() }
    }

    fn show(&mut self, done: u64, total: u64) {
        let percent = done.saturating_mul(100) / total.max(1);
        if self.is_on && total >= Self::WORTH_BYTES && self.shown_percent != Some(percent) {
            self.shown_percent = Some(percent);
            let _ = write!(io::stderr(), "\rreading {} of {}, {percent} %  ", words::size(done), words::size(total));
        }
    }

    fn clear(&self) {
        if self.shown_percent.is_some() {
            let _ = write!(io::stderr(), "\r{:60}\r", "");
        }
    }
}
