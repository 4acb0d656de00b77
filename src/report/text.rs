//! The report as text: fits a terminal's width, plain enough for a pipe, a mail or a ticket.

use super::headline::{facts, headlines};
use super::ladder::{Ladder, Login, Stage};
use super::model::{Call, Finding, Mark, Pings, Report, Session};
use super::story;
use super::words::{between_us, count, duration, range, size, time};
use std::fmt::Write as _;

/// Rows of a table; what is beyond stands in the page and in JSON.
const MAX_TABLE_ROWS: usize = 20;

/// The last column of a table is at least this wide, or stands below the others.
const MIN_LAST_COLUMN: usize = 24;
/// A column is cut down to this to make the others fit.
const MIN_CUT_COLUMN: usize = 12;

/// Renders the report, `columns` wide.
pub(super) fn render(report: &Report, columns: usize) -> String {
    let mut page = Page { out: String::new(), columns };
    page.head(report);
    for session in &report.sessions {
        page.session(session, report);
    }
    page.out
}

struct Page {
    out: String,
    columns: usize,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        let text: Vec<char> = text.chars().collect();
        let room = self.columns.saturating_sub(indent).max(20);
        let _ = write!(self.out, "{:indent$}", "");
        if text.len() > room {
            self.out.extend(text.iter().take(room - 1));
            self.out.push('…');
        } else {
            self.out.extend(text);
        }
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    /// A paragraph, broken between words.
    fn paragraph(&mut self, indent: usize, text: &str) {
        for line in wrap(text, self.columns.saturating_sub(indent).max(20)) {
            self.line(indent, &line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(2, text);
    }

    /// Rows in columns as wide as they need; the last one takes what is left. Columns that begin with `>` are right-aligned.
    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = head.iter().map(|cell| cell.trim_start_matches('>').chars().count()).collect();
        for row in rows.iter().take(MAX_TABLE_ROWS) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        // A long text in the middle must not push the last columns out of sight.
        let last = widths.len().saturating_sub(1);
        for width in widths.iter_mut().take(last) {
            *width = (*width).min(self.columns * 2 / 5);
        }
        let room = self.columns.saturating_sub(4 + 2 * last);
        while widths.iter().take(last).sum::<usize>() > room
            && let Some(widest) = widths.iter_mut().take(last).max().filter(|widest| **widest > MIN_CUT_COLUMN)
        {
            *widest -= 1;
        }
        let names: Vec<String> = head.iter().map(|cell| cell.trim_start_matches('>').to_owned()).collect();
        // What stands in the last column is told in full, below itself if need be.
        let before: usize = widths.iter().take(last).map(|width| width + 2).sum();
        // Where it has no room beside the others it has a line of its own.
        let needed = widths.get(last).map_or(0, |width| *width.min(&MIN_LAST_COLUMN));
        let is_beside = self.columns >= 4 + before + needed;
        let mut put = |row: &[String]| {
            let mut line = String::new();
            for ((cell, width), head) in row.iter().zip(&widths).zip(head).take(last) {
                let cell: String = if cell.chars().count() > *width {
                    cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
                } else {
                    cell.clone()
                };
                let _ = match head.starts_with('>') {
                    true => write!(line, "{cell:>width$}  "),
                    false => write!(line, "{cell:<width$}  "),
                };
            }
            let cell = row.get(last).filter(|_| is_beside || row != names).map(String::as_str).unwrap_or_default();
            let cell = if head.get(last).is_some_and(|head| head.starts_with('>')) {
                format!("{cell:>width$}", width = widths.get(last).copied().unwrap_or(0))
            } else {
                cell.to_owned()
            };
            let (indent, mut lead) = if is_beside {
                (before, line)
            } else {
                let _ = writeln!(self.out, "{}", format!("    {line}").trim_end());
                (6, " ".repeat(6))
            };
            let parts = wrap(&cell, self.columns.saturating_sub(4 + indent).max(20));
            for part in parts.iter().filter(|part| is_beside || !part.is_empty()) {
                let _ = writeln!(self.out, "{}", format!("    {lead}{part}").trim_end());
                lead = " ".repeat(indent);
            }
        };
        put(&names);
        for row in rows.iter().take(MAX_TABLE_ROWS) {
            put(row);
        }
        if rows.len() > MAX_TABLE_ROWS {
            self.line(4, &format!("… and {} more (--format html or json tells them)", rows.len() - MAX_TABLE_ROWS));
        }
    }

    fn head(&mut self, report: &Report) {
        let totals = &report.totals;
        let bytes = report.files.iter().map(|file| file.bytes).sum();
        let (files, lines) = (report.files.len() as u64, totals.lines);
        self.line(
            0,
            &format!("finesse-tap report: {}, {}, {}", count(files, "file"), count(lines, "line"), size(bytes)),
        );
        if let Some((from, to)) = report.from_us.zip(report.to_us) {
            let span = duration(between_us(from, to));
            self.line(0, &format!("{} UTC ({span}), redaction {}", range(from, to), redaction(report)));
        }
        let sessions = count(report.sessions.len() as u64, "session");
        let [sockets, requests, updates] =
            [(totals.sockets, "socket"), (totals.requests, "HTTP request"), (totals.updates, "Finesse event")]
                .map(|(n, one)| count(n, one));
        self.paragraph(
            0,
            &format!("{sessions} told; in all {sockets}, {requests}, {updates}; {}", completeness(report)),
        );
        for (file, number) in report.files.iter().zip(1_u32..) {
            self.line(0, &format!("[{number}] {}", file.path));
        }
        self.headlines(report);
        self.oddities(report);
        for cut in &report.left_out {
            let whose = cut.session.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
            self.line(
                0,
                &format!(
                    "limit reached: {} {}{whose} more are not told; narrow with --user or --since",
                    cut.count, cut.list
                ),
            );
        }
        if !report.findings.is_empty() {
            self.heading("Beyond single sessions");
            report.findings.iter().for_each(|finding| self.finding(finding, report));
        }
        if !report.strangers.is_empty() {
            self.heading("Connections on which nobody logged in");
            let rows = report.strangers.iter().map(|stranger| {
                vec![time(stranger.at_us), stranger.client.clone(), place(stranger.line, report), stranger.what.clone()]
            });
            self.table(&["at", "client", "line", "what"], &rows.collect::<Vec<_>>());
        }
    }

    fn headlines(&mut self, report: &Report) {
        let headlines = headlines(report);
        if headlines.is_empty() {
            return;
        }
        self.heading("What happened");
        for headline in headlines.iter().take(MAX_TABLE_ROWS) {
            let mark = if headline.finding.level == "error" { "✗" } else { "!" };
            let whom = headline.whom(report);
            let facts = facts(headline.finding);
            let facts = if facts.is_empty() { facts } else { format!(" ({facts})") };
            self.paragraph(4, &format!("{mark} {}: {whom}{facts}", headline.finding.title));
        }
        if let Some(first) = headlines.first().filter(|first| !first.finding.advice.is_empty()) {
            self.heading("What to do first");
            self.paragraph(4, &first.finding.advice);
        }
    }

    fn oddities(&mut self, report: &Report) {
        if !report.oddities.is_empty() {
            self.heading("Missing or unreadable");
            let rows = report.oddities.iter().map(|oddity| vec![place(oddity.line, report), oddity.what.clone()]);
            self.table(&["line", "what"], &rows.collect::<Vec<_>>());
        }
    }

    fn session(&mut self, session: &Session, report: &Report) {
        let run = if report.runs.len() > 1 { format!(" of run {}", session.run) } else { String::new() };
        let title = format!("── {}{run} · agent {} ", session.id, session.who());
        self.out.push('\n');
        let rest = self.columns.saturating_sub(title.chars().count());
        self.line(0, &(title + &"─".repeat(rest)));
        self.paragraph(2, &session.story.join(" "));
        self.line(2, &format!("{} UTC, {}", range(session.from_us, session.to_us), count(session.lines, "line")));
        self.line(2, &format!("browser {} → {}", session.clients.join(", "), session.servers.join(", ")));
        for agent in &session.user_agents {
            self.line(2, agent);
        }
        if !session.findings.is_empty() {
            self.heading("Findings");
            session.findings.iter().for_each(|finding| self.finding(finding, report));
        }
        for socket in session.sockets.iter().take(MAX_TABLE_ROWS) {
            self.heading(&format!("Login on {} {}", socket.id, verdict(&socket.ladder)));
            self.ladder(&socket.ladder);
        }
        self.sockets(session, report);
        self.states(session);
        self.calls(session);
        self.pings(&session.pings);
        self.requests(session);
        self.joins(session);
        self.subscriptions(session);
        if !session.troubles.is_empty() {
            self.heading("Warnings in the log");
            let rows = session.troubles.iter().map(|trouble| {
                vec![time(trouble.at_us), trouble.level.to_owned(), place(trouble.line, report), trouble.what.clone()]
            });
            self.table(&["at", "level", "line", "what"], &rows.collect::<Vec<_>>());
        }
    }

    fn finding(&mut self, finding: &Finding, report: &Report) {
        let times = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
        let mark = if finding.level == "error" { "✗" } else { "!" };
        self.paragraph(4, &format!("{mark} {} [{}, {}]{times}", finding.title, finding.code, finding.confidence));
        let facts = facts(finding);
        if !facts.is_empty() {
            self.paragraph(6, &facts);
        }
        if !finding.advice.is_empty() {
            self.paragraph(6, &finding.advice);
        }
        let lines: Vec<String> =
            [finding.line].iter().chain(&finding.evidence).map(|mark| place(*mark, report)).collect();
        self.paragraph(6, &format!("see {}", lines.join(", ")));
    }

    fn ladder(&mut self, ladder: &Ladder) {
        let mut rows = Vec::new();
        for stage in Stage::ALL {
            let stopped = ladder.stopped_at == Some(stage);
            match ladder.reached(stage) {
                Some(rung) => rows.push(vec![
                    String::from("✓"),
                    stage.as_str().to_owned(),
                    format!("+{}", duration(rung.after_previous_us)),
                    duration(rung.after_start_us),
                    format!("#{}", rung.line.sequence),
                    stage.meaning().to_owned(),
                ]),
                None if stopped => {
                    let why = ladder.why.clone().unwrap_or_else(|| String::from("nothing came"));
                    let line = ladder.why_line.map(|mark| format!("#{}", mark.sequence)).unwrap_or_default();
                    rows.push(vec![
                        String::from("✗"),
                        stage.as_str().to_owned(),
                        String::new(),
                        String::new(),
                        line,
                        why,
                    ]);
                }
                None => {}
            }
        }
        if rows.is_empty() {
            self.line(4, "the capture begins after this login");
        } else {
            self.table(&["", "stage", ">step", ">since start", ">line", ""], &rows);
        }
    }

    fn sockets(&mut self, session: &Session, report: &Report) {
        if session.sockets.is_empty() {
            return;
        }
        self.heading("Sockets");
        let rows = session.sockets.iter().map(|socket| {
            let (line, end) = match &socket.ending {
                Some(ending) => (place(ending.line, report), story::ending_words(ending)),
                None => (place(socket.line, report), String::from("open when the capture ended")),
            };
            let age = duration(between_us(socket.from_us, socket.to_us));
            vec![socket.id.clone(), time(socket.from_us), age, socket.client.clone(), socket.server.clone(), line, end]
        });
        self.table(&["", "opened", ">age", "browser", "node", "line", "end"], &rows.collect::<Vec<_>>());
    }

    fn states(&mut self, session: &Session) {
        if session.states.is_empty() {
            return;
        }
        self.heading("Agent states");
        let rows = session.states.iter().map(|state| {
            let spent = duration(between_us(state.from_us, state.to_us));
            let latency = state.latency_us.map(|us| format!("{} after its request", duration(us))).unwrap_or_default();
            let line = format!("#{}", state.line.sequence);
            vec![
                time(state.from_us),
                state.state.clone(),
                spent,
                line,
                [state.reason.clone().unwrap_or_default(), latency].join("  ").trim().to_owned(),
            ]
        });
        self.table(&["since", "state", ">for", ">line", ""], &rows.collect::<Vec<_>>());
    }

    fn calls(&mut self, session: &Session) {
        if session.calls.is_empty() {
            return;
        }
        self.heading("Calls");
        let rows = session.calls.iter().map(|call| {
            let from = call.steps.first().map_or(0, |step| step.at_us);
            let line = call.steps.first().map(|step| format!("#{}", step.line.sequence)).unwrap_or_default();
            vec![
                time(from),
                call.id.clone(),
                call.call_type.clone().unwrap_or_default(),
                duration(call.total_us()),
                line,
                life(call),
            ]
        });
        self.table(&["at", "call", "type", ">seen for", ">line", "life"], &rows.collect::<Vec<_>>());
    }

    fn pings(&mut self, pings: &Pings) {
        if pings.xmpp.sent + pings.websocket.sent == 0 {
            return;
        }
        self.heading("Pings");
        let rows = [("XMPP, by the desktop", &pings.xmpp), ("WebSocket", &pings.websocket)];
        let rows = rows.iter().filter(|(_, count)| count.sent > 0).map(|(name, count)| {
            let slowest =
                count.slowest.map(|slowest| format!("{} (#{})", duration(slowest.rtt_us), slowest.line.sequence));
            vec![
                (*name).to_owned(),
                count.sent.to_string(),
                count.answered.to_string(),
                duration(count.mean_us()),
                slowest.unwrap_or_default(),
            ]
        });
        self.table(&["", ">sent", ">answered", ">mean", "slowest"], &rows.collect::<Vec<_>>());
    }

    fn requests(&mut self, session: &Session) {
        let requests = &session.requests;
        if !requests.failed.is_empty() {
            self.heading("Failed requests");
            let rows = requests.failed.iter().map(|request| {
                let status = request.status.map_or_else(|| String::from("none"), |status| status.to_string());
                vec![time(request.at_us), status, format!("#{}", request.line.sequence), request.what.clone()]
            });
            self.table(&["at", ">status", ">line", "request"], &rows.collect::<Vec<_>>());
        }
        if !requests.slowest.is_empty() {
            self.heading(&format!("Slowest of {} and {}", count(requests.rest, "REST call"), count(requests.iq, "iq")));
            let rows = requests.slowest.iter().take(5).map(|request| {
                vec![
                    duration(request.took_us),
                    time(request.at_us),
                    format!("#{}", request.line.sequence),
                    request.what.clone(),
                ]
            });
            self.table(&[">took", "at", ">line", "request"], &rows.collect::<Vec<_>>());
        }
    }

    fn joins(&mut self, session: &Session) {
        if session.joins.is_empty() {
            return;
        }
        self.heading("Requests and the events they caused");
        let rows = session.joins.iter().map(|join| {
            let (latency, line, event) = match &join.event {
                Some(event) => (
                    event.latency_us.map(duration).unwrap_or_default(),
                    format!("#{}", event.line.sequence),
                    event.what.clone(),
                ),
                None => (String::new(), String::new(), String::from("no event was seen")),
            };
            vec![time(join.at_us), join.what.clone(), duration(join.took_us), latency, line, event]
        });
        self.table(&["at", "request", ">answer", ">event", ">line", "event"], &rows.collect::<Vec<_>>());
    }

    fn subscriptions(&mut self, session: &Session) {
        if session.subscriptions.is_empty() {
            return;
        }
        self.heading("Subscriptions");
        let rows = session.subscriptions.iter().map(|subscription| {
            let counts = [
                subscription.requested,
                subscription.confirmed,
                subscription.refused,
                subscription.doubled,
                subscription.events,
            ];
            let mut row: Vec<String> = counts.iter().map(ToString::to_string).collect();
            row.push(format!("#{}", subscription.line.sequence));
            let why = subscription.why.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
            row.push(format!("{}{why}", subscription.node));
            row
        });
        self.table(
            &[">asked", ">confirmed", ">refused", ">doubled", ">events", ">line", "node"],
            &rows.collect::<Vec<_>>(),
        );
    }
}

/// Text in lines of at most `room` characters, broken between words where there are any.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for mut word in text.split(' ') {
        while let Some((at, _)) = word.char_indices().nth(room) {
            let (part, rest) = word.split_at(at);
            if lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(part);
            }
            word = rest;
        }
        let fits = |line: &String| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= room;
        if lines.last().is_some_and(|line| !fits(line)) {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// How a login went, in a word or three.
pub(super) fn verdict(ladder: &Ladder) -> String {
    match (ladder.login, ladder.stopped_at) {
        (Login::Complete, _) => String::from("complete"),
        (Login::Stopped, Some(stage)) => format!("stopped at {}", stage.as_str()),
        (Login::Unfinished, Some(stage)) => format!("under way, waiting for {}", stage.as_str()),
        (Login::Stopped | Login::Unfinished, None) => String::from("not complete"),
        (Login::Unseen, _) => String::from("before the capture"),
    }
}

/// A call's states with the time spent in each.
pub(super) fn life(call: &Call) -> String {
    let ends = call.steps.iter().skip(1).map(|step| Some(step.at_us)).chain([None]);
    let steps = call.steps.iter().zip(ends).map(|(step, end)| match end {
        Some(end) => format!("{} {}", step.state, duration(between_us(step.at_us, end))),
        None => step.state.clone(),
    });
    steps.collect::<Vec<_>>().join(" → ")
}

/// What the capture lacks, in words.
pub(super) fn completeness(report: &Report) -> String {
    let totals = &report.totals;
    let mut lacks = Vec::new();
    for (n, one) in [
        (totals.gaps, "gap"),
        (totals.lines_missing, "missing event"),
        (totals.decode_errors, "decode error"),
        (totals.lines_unreadable, "unreadable line"),
        (totals.lines_repeated, "repeated line"),
        (totals.lines_outside, "line outside the time asked for"),
    ] {
        if n > 0 {
            lacks.push(if n > 1 && one.starts_with("line ") {
                format!("{n} lines outside the time asked for")
            } else {
                count(n, one)
            });
        }
    }
    if lacks.is_empty() { String::from("nothing is missing") } else { lacks.join(", ") }
}

/// The redaction levels, in words.
pub(super) fn redaction(report: &Report) -> String {
    if report.redaction.is_empty() { String::from("unknown") } else { report.redaction.join(" and ") }
}

/// `file:line` as one can type it: the file by its number where there are several.
pub(super) fn place(mark: Mark, report: &Report) -> String {
    let number = if report.files.len() > 1 { format!("[{}]", mark.file + 1) } else { String::new() };
    match (mark.line, mark.sequence) {
        (0, _) => String::from("?"),
        (line, 0) => format!("{number}:{line}"),
        (line, sequence) => format!("{number}:{line} #{sequence}"),
    }
}
