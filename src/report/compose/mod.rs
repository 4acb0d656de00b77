//! A report becomes a page: problems first, then who was there, then one section for each session.
//!
//! Says everything once. What nobody has is left out with its heading; sessions without a problem are folded as soon as there
//! are others.

mod session;

use super::model::{Mark, Report, Session};
use super::note::Note;
use super::page::{Block, Cell, Kind, Page, Piece, Problem, Style, Table, Tone, cell};
use super::story::{Case, Story};
use super::words::{between_us, count, size};

/// Sessions from which the table of them is worth its room.
const LIST_FROM: usize = 2;

/// Composes the page.
pub(super) fn page(report: &Report) -> Page {
    let mut blocks = vec![verdict(report)];
    for (index, story) in report.stories.iter().enumerate() {
        blocks.push(Block::Problem(problem(index, story, report)));
    }
    blocks.push(Block::Paragraph(Style::Quiet, numbers(report)));
    blocks.extend(limits(report));
    blocks.extend(table(notes(report)));
    blocks.extend(table(oddities(report)));
    blocks.extend(table(strangers(report)));
    if report.sessions.len() >= LIST_FROM {
        blocks.push(Block::Table(agents(report)));
    }
    let mut order: Vec<usize> = (0..report.sessions.len()).collect();
    order.sort_by_key(|index| rank(report, *index));
    let is_alone = report.sessions.len() == 1;
    for index in order {
        if let Some(session) = report.sessions.get(index) {
            let is_troubled = is_alone || session.is_troubled() || rank(report, index) < report.stories.len();
            blocks.push(Block::Section(session::section(report, index, session, is_troubled)));
        }
    }
    if !report.evidence.is_empty() {
        blocks.push(Block::Lines(report.evidence.clone()));
    }
    blocks.push(Block::Facts(files(report)));
    Page { title: title(report), name: name(report), blocks }
}

fn table(table: Table) -> Option<Block> {
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// What it was that is reported on: the case, the servers.
fn title(report: &Report) -> Cell {
    let what = report.case.clone().unwrap_or_else(|| String::from("Finesse desktop sessions"));
    match &servers(report)[..] {
        [] => cell![what],
        servers => cell![format!("{what} on {}", servers.join(", "))],
    }
}

fn name(report: &Report) -> Cell {
    let mut name = title(report);
    if let Some((from, to)) = report.from_us.zip(report.to_us) {
        name.extend([", ".into(), Piece::Range(from, to)]);
    }
    if let Some(story) = report.stories.first() {
        name.push(": ".into());
        name.extend(story.head.clone());
    }
    name
}

/// Hosts that sessions went to.
fn servers(report: &Report) -> Vec<String> {
    let mut servers: Vec<String> = Vec::new();
    for server in report.sessions.iter().flat_map(|session| &session.servers) {
        let host = server.rsplit_once(':').map_or(&**server, |(host, _)| host);
        if host != "?" && servers.len() < 4 && !servers.iter().any(|known| known == host) {
            servers.push(host.to_owned());
        }
    }
    servers
}

fn verdict(report: &Report) -> Block {
    let stopped = report.sessions.iter().filter(|session| session.is_troubled()).count();
    let signed_in = report.sessions.iter().filter(|session| session.signed_in()).count();
    let (tone, words) = match (report.stories.len(), report.sessions.len(), stopped) {
        (0, 0, _) => (Tone::Warn, String::from("Nobody signed in.")),
        (0, 1, 0) if signed_in == 1 => (Tone::Good, String::from("The login succeeded; no problems found.")),
        (0, all, 0) if signed_in == all => (Tone::Good, String::from("All logins succeeded; no problems found.")),
        (0, _, 0) if signed_in == 0 => (Tone::Good, String::from("No problems found; no login was seen.")),
        (0, all, 0) => (Tone::Good, format!("No problems found; {signed_in} of {all} logins were seen.")),
        (0, 1, _) => (Tone::Bad, String::from("The login was not completed.")),
        (0, all, some) => (Tone::Bad, format!("{some} of {all} logins were not completed.")),
        (1, ..) => (worst(report), String::from("1 problem")),
        (more, ..) => (worst(report), format!("{more} problems, the worst first")),
    };
    Block::Verdict(tone, cell![words])
}

fn worst(report: &Report) -> Tone {
    if report.stories.iter().any(|story| story.level == "error") { Tone::Bad } else { Tone::Warn }
}

fn tone(story: &Story) -> Tone {
    if story.level == "error" { Tone::Bad } else { Tone::Warn }
}

/// The anchor of a story.
fn anchor(index: usize) -> String {
    format!("p{}", index + 1)
}

fn problem(index: usize, story: &Story, report: &Report) -> Problem {
    let of_session = |case: &&Case| case.session.is_some();
    let case = story.cases.iter().find(|case| !of_session(case)).or(story.cases.iter().find(of_session));
    let mut notes = Vec::new();
    let sessions: Vec<usize> = story.cases.iter().filter_map(|case| case.session).collect();
    let others = sessions.iter().filter(|other| Some(**other) != case.and_then(|case| case.session)).count() as u64;
    if others > 0 {
        notes.push(cell![format!("The same in {}: ", count(others, "other session"))]);
        if let Some(note) = notes.last_mut() {
            let named = sessions.iter().filter_map(|index| Some((index, report.sessions.get(*index)?))).take(12);
            for (number, (index, session)) in named.enumerate() {
                note.push(if number == 0 { "".into() } else { ", ".into() });
                note.push(Piece::To(format!("s{index}"), format!("{} {}", session.id, session.short())));
            }
        }
    }
    Problem {
        anchor: anchor(index),
        tone: tone(story),
        head: story.head.clone(),
        course: case.map(course).unwrap_or_default(),
        advice: story.advice.clone(),
        owner: case.and_then(|case| case.session),
        notes,
    }
}

/// How a story went in one session.
fn course(case: &Case) -> Table {
    let rows = case.course.iter().map(|step| {
        let mut lines: Cell = Vec::new();
        for line in step.lines.iter().take(6) {
            if !lines.is_empty() {
                lines.push(" ".into());
            }
            lines.push(Piece::Line(*line));
        }
        vec![cell![Piece::Time(step.at_us)], lines, step.what.clone()]
    });
    let columns = vec![("at", Kind::Time), ("lines", Kind::Words), ("what happened", Kind::Words)];
    Table { title: String::new(), columns, rows: rows.collect(), left_out: 0, is_whole: false }
}

fn numbers(report: &Report) -> Cell {
    let totals = &report.totals;
    let mut said = Cell::new();
    if let Some((from, to)) = report.from_us.zip(report.to_us) {
        said.extend([Piece::Range(from, to), " (".into(), Piece::Took(between_us(from, to)), "); ".into()]);
    }
    let redaction = if report.redaction.is_empty() { String::from("unknown") } else { report.redaction.join(" and ") };
    let parts = [
        (report.sessions.len() as u64, "session"),
        (totals.sockets, "socket"),
        (totals.requests, "HTTP request"),
        (totals.updates, "Finesse event"),
    ]
    .map(|(n, one)| count(n, one));
    let bytes = report.files.iter().map(|file| file.bytes).sum();
    said.push(
        format!(
            "{}. {} of {}, {}; {}; redaction {redaction}.",
            parts.join(", "),
            count(totals.lines, "line"),
            count(report.files.len() as u64, "file"),
            size(bytes),
            completeness(report)
        )
        .into(),
    );
    said
}

/// What the capture lacks, in words.
fn completeness(report: &Report) -> String {
    let totals = &report.totals;
    let lacks = [
        (totals.gaps, "gap"),
        (totals.lines_missing, "missing event"),
        (totals.decode_errors, "decode error"),
        (totals.lines_unreadable, "unreadable line"),
        (totals.lines_repeated, "repeated line"),
        (totals.lines_outside, "line outside the time asked for"),
    ];
    let lacks: Vec<String> = lacks
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, one)| match one.split_once(' ') {
            Some(("line", rest)) if n > 1 => format!("{n} lines {rest}"),
            _ => count(n, one),
        })
        .collect();
    if lacks.is_empty() { String::from("nothing is missing") } else { lacks.join(", ") }
}

fn limits(report: &Report) -> impl Iterator<Item = Block> + '_ {
    report.left_out.iter().map(|cut| {
        let whose = cut.session.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
        let said = format!(
            "Limit reached: {} more {}{whose} are not told. Narrow the report with --user or --since.",
            cut.count, cut.list
        );
        Block::Paragraph(Style::Note, cell![said])
    })
}

fn notes(report: &Report) -> Table {
    let row = |note: &Note| vec![cell![Piece::Time(note.at_us)], cell![note.line], cell![note.text.clone()]];
    Table {
        title: String::from("Notes"),
        columns: vec![("at", Kind::Time), ("line", Kind::Words), ("what was written down", Kind::Words)],
        rows: report.notes.iter().map(row).collect(),
        left_out: 0,
        is_whole: false,
    }
}

fn oddities(report: &Report) -> Table {
    let rows = report.oddities.iter().map(|oddity| vec![cell![oddity.line], cell![oddity.what.clone()]]);
    Table {
        title: String::from("Missing or unreadable"),
        columns: vec![("line", Kind::Words), ("what", Kind::Words)],
        rows: rows.collect(),
        left_out: 0,
        is_whole: false,
    }
}

fn strangers(report: &Report) -> Table {
    let rows = report.strangers.iter().map(|stranger| {
        vec![
            cell![Piece::Time(stranger.at_us)],
            cell![stranger.client.clone()],
            cell![stranger.server.clone()],
            cell![stranger.what.clone(), " ", stranger.line],
        ]
    });
    Table {
        title: String::from("Connections on which nobody signed in"),
        columns: vec![("at", Kind::Time), ("browser", Kind::Words), ("node", Kind::Words), ("what", Kind::Words)],
        rows: rows.collect(),
        left_out: 0,
        is_whole: false,
    }
}

/// Where a session stands: by its gravest story, then healthy ones by time.
fn rank(report: &Report, index: usize) -> usize {
    let concerns = |story: &Story| story.cases.iter().any(|case| case.session == Some(index));
    report.stories.iter().position(concerns).unwrap_or(report.stories.len())
}

fn agents(report: &Report) -> Table {
    let mut order: Vec<usize> = (0..report.sessions.len()).collect();
    order.sort_by_key(|index| rank(report, *index));
    let rows =
        order.into_iter().filter_map(|index| Some((index, report.sessions.get(index)?))).map(|(index, session)| {
            let (tone, login) = session::verdict(session);
            let mine = report.stories.iter().enumerate();
            let mine = mine.filter(|(_, story)| story.cases.iter().any(|case| case.session == Some(index)));
            let mut problems = Cell::new();
            for (index, story) in mine {
                if !problems.is_empty() {
                    problems.push(" ".into());
                }
                problems.push(Piece::Symbol(self::tone(story)));
                problems.push(Piece::To(anchor(index), story.trouble.to_owned()));
            }
            vec![
                cell![Piece::To(format!("s{index}"), format!("{} {}", session.id, session.who()))],
                cell![Piece::Time(session.from_us)],
                cell![Piece::Took(between_us(session.from_us, session.to_us))],
                cell![Piece::Badge(tone, login)],
                cell![Piece::Count(session.sockets.len() as u64)],
                cell![Piece::Count(session.calls.len() as u64)],
                session.pings.xmpp.slowest.map(|ping| cell![Piece::Took(ping.rtt_us)]).unwrap_or_default(),
                problems,
            ]
        });
    Table {
        title: String::from("Sessions"),
        columns: vec![
            ("session", Kind::Words),
            ("from", Kind::Time),
            ("for", Kind::Number),
            ("login", Kind::Words),
            ("sockets", Kind::Number),
            ("calls", Kind::Number),
            ("slowest ping", Kind::Number),
            ("problems", Kind::Words),
        ],
        rows: rows.collect(),
        left_out: 0,
        is_whole: false,
    }
}

fn files(report: &Report) -> Vec<(&'static str, Cell)> {
    let several = report.files.len() > 1;
    let mut facts: Vec<(&'static str, Cell)> = Vec::new();
    for (number, file) in report.files.iter().enumerate() {
        let number = if several { format!("[{}] ", number + 1) } else { String::new() };
        facts.push(("file", cell![format!("{number}{}", file.path)]));
    }
    facts
}

/// Which lines of a session are told already.
fn is_told(told: &[Mark], line: Mark) -> bool {
    told.binary_search(&line).is_ok()
}

/// The agent in a word.
impl Session {
    pub(super) fn short(&self) -> String {
        self.user.clone().or_else(|| self.name.clone()).unwrap_or_else(|| String::from("unknown"))
    }
}
