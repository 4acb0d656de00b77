//! The section of a session: its login, sockets, states, calls, requests and pings.

use super::super::ladder::{Ladder, Login, Stage};
use super::super::model::{Mark, PingCount, Report, Request, Session};
use super::super::page::{Block, Cell, Fold, Kind, Piece, Section, Style, Table, Tone, cell};
use super::super::story;
use super::super::words::{between_us, count};
use super::{anchor, is_told, table, tone};

/// A request is slow from here on, microseconds.
const SLOW_REQUEST_US: u64 = 2_000_000;

/// Composes the section; one of an agent without a problem is folded.
pub(super) fn section(report: &Report, index: usize, session: &Session, is_open: bool) -> Section {
    let run = if report.runs.len() > 1 { format!(" of run {}", session.run) } else { String::new() };
    let (verdict_tone, login) = verdict(session);
    let title = cell![
        format!("{}{run} · agent {} ", session.id, session.who()),
        Piece::Badge(verdict_tone, format!("login {login}"))
    ];
    let brief = cell![session.story.join(" ")];
    let mut blocks = vec![Block::Paragraph(Style::Story, cell![session.story.join(" ")]), Block::Facts(who(session))];
    let mine = report.stories.iter().enumerate().filter_map(|(number, story)| {
        let case = story.cases.iter().find(|case| case.session == Some(index))?;
        Some((number, story, case))
    });
    let mut told: Vec<Mark> = Vec::new();
    for (number, story, case) in mine {
        told.extend(case.course.iter().flat_map(|step| &step.lines));
        let mut see =
            cell![Piece::Symbol(tone(story)), Piece::To(anchor(number), format!("Problem {}", number + 1)), ": "];
        see.push(story.trouble.into());
        // The course of the first case stands with the problem.
        if story.cases.iter().position(|case| case.session == Some(index)) == Some(0) {
            blocks.push(Block::Paragraph(Style::Plain, see));
        } else {
            let course = Table { title: format!("Problem {}: {}", number + 1, story.trouble), ..super::course(case) };
            blocks.extend(table(course));
        }
    }
    if session.to_us > session.from_us {
        blocks.push(Block::Drawing(index));
    }
    for socket in session.sockets.iter() {
        told.extend(socket.ladder.why_line);
        told.extend(socket.ending.iter().flat_map(|ending| [Some(ending.line), ending.below_line]).flatten());
        blocks.extend(ladder(&socket.id, &socket.ladder));
    }
    told.extend(session.requests.failed.iter().map(|request| request.line));
    told.extend(session.subscriptions.iter().flat_map(|subscription| &subscription.refusals));
    told.extend(session.findings.iter().flat_map(|finding| [finding.line].into_iter().chain(finding.evidence.clone())));
    told.sort_unstable();
    let tables = [
        sockets(session),
        states(session),
        calls(session),
        joins(session),
        failed(session),
        slowest(session),
        pings(session),
        subscriptions(session),
        warnings(session, &told),
    ];
    blocks.extend(tables.into_iter().filter_map(table));
    if !session.evidence.is_empty() {
        blocks.push(Block::Lines(session.evidence.clone()));
    }
    Section {
        anchor: format!("s{index}"),
        title,
        brief,
        fold: if is_open { Fold::Open } else { Fold::Folded },
        owner: Some(index),
        blocks,
    }
}

/// How the last login went, in a word or three.
pub(super) fn verdict(session: &Session) -> (Tone, String) {
    session.login().map_or((Tone::Quiet, String::from("not seen")), state)
}

fn state(ladder: &Ladder) -> (Tone, String) {
    match (ladder.login, ladder.stopped_at) {
        (Login::Complete, _) => (Tone::Good, String::from("complete")),
        (Login::Stopped, Some(stage)) => (Tone::Bad, format!("stopped before {}", stage.as_str())),
        (Login::Unfinished, Some(stage)) => (Tone::Warn, format!("under way, waiting for {}", stage.as_str())),
        (Login::Stopped | Login::Unfinished, None) => (Tone::Warn, String::from("not complete")),
        (Login::Unseen, _) => (Tone::Quiet, String::from("before the capture")),
    }
}

fn who(session: &Session) -> Vec<(&'static str, Cell)> {
    let mut facts = vec![(
        "time",
        cell![Piece::Range(session.from_us, session.to_us), format!(", {}", count(session.lines, "line"))],
    )];
    let mut add = |name, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push((name, cell![value]));
        }
    };
    add("agent", (session.names.len() > 1).then(|| session.names.join(", ")));
    add("extension", session.extension.clone());
    add("team", session.team.clone());
    add("browser", Some(session.clients.join(", ")));
    add("node", Some(session.servers.join(", ")));
    add("user agent", Some(session.user_agents.join("; ")));
    facts
}

fn new(title: impl Into<String>, columns: &[(&'static str, Kind)], rows: impl Iterator<Item = Vec<Cell>>) -> Table {
    Table { title: title.into(), columns: columns.to_vec(), rows: rows.collect(), left_out: 0, is_whole: false }
}

fn maybe<T>(value: Option<T>, piece: impl Fn(T) -> Piece) -> Cell {
    value.map(|value| vec![piece(value)]).unwrap_or_default()
}

fn ladder(socket: &str, ladder: &Ladder) -> Option<Block> {
    let total = ladder.rungs.iter().map(|rung| rung.after_start_us).max().unwrap_or(0).max(1);
    let share = |us: u64| us as f64 / total as f64;
    let mut rows = Vec::new();
    for stage in Stage::ALL {
        let is_stop = ladder.stopped_at == Some(stage);
        match ladder.reached(stage) {
            Some(rung) => rows.push(vec![
                cell![Piece::Symbol(Tone::Good)],
                cell![stage.as_str()],
                cell!["+", Piece::Took(rung.after_previous_us)],
                cell![Piece::Bar(
                    share(rung.after_start_us.saturating_sub(rung.after_previous_us)),
                    share(rung.after_start_us)
                )],
                cell![Piece::Took(rung.after_start_us)],
                cell![rung.line],
                cell![stage.meaning()],
            ]),
            None if is_stop => {
                let tone = if ladder.login == Login::Stopped { Tone::Bad } else { Tone::Warn };
                let why = ladder.why.clone().unwrap_or_else(|| String::from("nothing came"));
                let line = maybe(ladder.why_line, Piece::Line);
                rows.push(vec![
                    cell![Piece::Symbol(tone)],
                    cell![stage.as_str()],
                    Cell::new(),
                    Cell::new(),
                    Cell::new(),
                    line,
                    cell![why],
                ]);
            }
            None => {}
        }
    }
    let columns = [
        ("", Kind::Words),
        ("stage", Kind::Words),
        ("step", Kind::Number),
        ("", Kind::Drawn),
        ("since start", Kind::Number),
        ("line", Kind::Number),
        ("", Kind::Words),
    ];
    let (_, state) = state(ladder);
    table(new(format!("Login on {socket}: {state}"), &columns, rows.into_iter()))
}

fn sockets(session: &Session) -> Table {
    let rows = session.sockets.iter().map(|socket| {
        let (line, end) = match &socket.ending {
            Some(ending) => {
                let tone = if ending.is_clean() { Tone::Good } else { Tone::Bad };
                (ending.line, cell![Piece::Symbol(tone), story::ending_words(ending)])
            }
            None => (socket.line, cell!["open when the capture ended"]),
        };
        // A WebSocket of subprotocol xmpp is what everybody has.
        let what = socket.carrier.clone().or_else(|| socket.protocol.clone().filter(|protocol| protocol != "xmpp"));
        let node =
            socket.upstream.as_ref().map_or_else(|| socket.server.clone(), |to| format!("{} ({to})", socket.server));
        vec![
            cell![socket.id.clone()],
            cell![Piece::Time(socket.from_us)],
            cell![Piece::Took(between_us(socket.from_us, socket.to_us))],
            cell![socket.client.clone()],
            cell![node],
            cell![what.unwrap_or_default()],
            cell![line],
            end,
        ]
    });
    let columns = [
        ("", Kind::Words),
        ("opened", Kind::Time),
        ("age", Kind::Number),
        ("browser", Kind::Words),
        ("node", Kind::Words),
        ("protocol", Kind::Words),
        ("line", Kind::Number),
        ("end", Kind::Words),
    ];
    new("Sockets", &columns, rows)
}

fn states(session: &Session) -> Table {
    let rows = session.states.iter().map(|state| {
        vec![
            cell![Piece::Time(state.from_us)],
            cell![state.state.clone()],
            cell![Piece::Took(between_us(state.from_us, state.to_us))],
            cell![state.reason.clone().unwrap_or_default()],
            maybe(state.latency_us, Piece::Took),
            cell![state.line],
        ]
    });
    let columns = [
        ("since", Kind::Time),
        ("state", Kind::Words),
        ("for", Kind::Number),
        ("reason", Kind::Words),
        ("after its request", Kind::Number),
        ("line", Kind::Number),
    ];
    Table { left_out: session.states.left_out, ..new("Agent states", &columns, rows) }
}

fn calls(session: &Session) -> Table {
    let rows = session.calls.iter().map(|call| {
        let ends = call.steps.iter().skip(1).map(|step| Some(step.at_us)).chain([None]);
        let mut life = Cell::new();
        for (step, end) in call.steps.iter().zip(ends) {
            if !life.is_empty() {
                life.push(" → ".into());
            }
            life.push(step.state.clone().into());
            if let Some(end) = end {
                life.extend([" ".into(), Piece::Took(between_us(step.at_us, end))]);
            }
        }
        let other = |address: &Option<String>| address.clone().unwrap_or_else(|| String::from("?"));
        vec![
            cell![Piece::Time(call.steps.first().map_or(call.to_us, |step| step.at_us))],
            cell![call.id.clone()],
            cell![call.call_type.clone().unwrap_or_default()],
            cell![format!("{} → {}", other(&call.from), other(&call.to))],
            cell![Piece::Took(call.total_us())],
            maybe(call.steps.first().map(|step| step.line), Piece::Line),
            life,
        ]
    });
    let columns = [
        ("at", Kind::Time),
        ("call", Kind::Words),
        ("type", Kind::Words),
        ("from → to", Kind::Words),
        ("seen for", Kind::Number),
        ("line", Kind::Number),
        ("life", Kind::Words),
    ];
    new("Calls", &columns, rows)
}

fn joins(session: &Session) -> Table {
    let rows = session.joins.iter().map(|join| {
        let mut event = match &join.event {
            Some(event) => cell![event.what.clone(), " ", event.line],
            None => cell![Piece::Badge(Tone::Warn, String::from("no event was seen"))],
        };
        let unsure =
            join.event.as_ref().and_then(|event| event.confidence.as_deref()).filter(|sure| *sure != "certain");
        event.extend(unsure.map(|sure| Piece::Quiet(format!(" ({sure})"))));
        vec![
            cell![Piece::Time(join.at_us)],
            cell![join.what.clone(), " ", join.line],
            cell![Piece::Took(join.took_us)],
            maybe(join.event.as_ref().and_then(|event| event.latency_us), Piece::Took),
            event,
        ]
    });
    let columns = [
        ("at", Kind::Time),
        ("request", Kind::Words),
        ("answer", Kind::Number),
        ("event", Kind::Number),
        ("what came", Kind::Words),
    ];
    new("Requests and the events they caused", &columns, rows)
}

fn failed(session: &Session) -> Table {
    let rows = session.requests.failed.iter().map(|request| {
        let status = request.status.map_or_else(|| String::from("none"), |status| status.to_string());
        vec![
            cell![Piece::Time(request.at_us)],
            cell![Piece::Badge(Tone::Bad, status)],
            cell![Piece::Took(request.took_us)],
            cell![request.line],
            cell![request.what.clone()],
        ]
    });
    let columns = [
        ("at", Kind::Time),
        ("status", Kind::Number),
        ("took", Kind::Number),
        ("line", Kind::Number),
        ("request", Kind::Words),
    ];
    new("Failed requests", &columns, rows)
}

fn slowest(session: &Session) -> Table {
    let row = |request: &Request| {
        let tone = if request.took_us >= SLOW_REQUEST_US { cell![Piece::Symbol(Tone::Warn)] } else { Cell::new() };
        vec![
            [cell![Piece::Took(request.took_us)], tone].concat(),
            cell![Piece::Time(request.at_us)],
            cell![request.status.map(|status| status.to_string()).unwrap_or_default()],
            cell![request.line],
            cell![request.what.clone()],
        ]
    };
    let columns = [
        ("took", Kind::Number),
        ("at", Kind::Time),
        ("status", Kind::Number),
        ("line", Kind::Number),
        ("request", Kind::Words),
    ];
    let requests = &session.requests;
    let of = format!("Slowest of {} and {}", count(requests.rest, "REST call"), count(requests.iq, "iq"));
    new(of, &columns, requests.slowest.iter().take(5).map(row))
}

fn pings(session: &Session) -> Table {
    let row = |(name, count): (&str, &PingCount), lost: u64| {
        vec![
            cell![name],
            cell![Piece::Count(count.sent)],
            cell![Piece::Count(count.answered)],
            if lost > 0 { cell![Piece::Badge(Tone::Bad, lost.to_string())] } else { cell!["0"] },
            maybe((count.answered > 0).then(|| count.mean_us()), Piece::Took),
            count.slowest.map(|ping| cell![Piece::Took(ping.rtt_us), " ", ping.line]).unwrap_or_default(),
        ]
    };
    let lost = session.pings.lost.len() as u64 + session.pings.lost.left_out;
    let both = [("XMPP, by the desktop", &session.pings.xmpp, lost), ("WebSocket", &session.pings.websocket, 0)];
    let seen = both.into_iter().filter(|(_, count, _)| count.sent > 0);
    let columns = [
        ("", Kind::Words),
        ("sent", Kind::Number),
        ("answered", Kind::Number),
        ("lost", Kind::Number),
        ("mean", Kind::Number),
        ("slowest", Kind::Words),
    ];
    new("Pings", &columns, seen.map(|(name, count, lost)| row((name, count), lost)))
}

fn subscriptions(session: &Session) -> Table {
    let rows = session.subscriptions.iter().map(|subscription| {
        let bad = |n: u64| if n > 0 { Piece::Badge(Tone::Bad, n.to_string()) } else { Piece::Count(n) };
        let why = subscription.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        vec![
            cell![Piece::Count(subscription.requested)],
            cell![Piece::Count(subscription.confirmed)],
            cell![bad(subscription.refused)],
            cell![bad(subscription.doubled)],
            cell![Piece::Count(subscription.events)],
            cell![subscription.line],
            cell![subscription.node.clone(), Piece::Quiet(why)],
        ]
    });
    let columns = [
        ("asked", Kind::Number),
        ("confirmed", Kind::Number),
        ("refused", Kind::Number),
        ("doubled", Kind::Number),
        ("events", Kind::Number),
        ("line", Kind::Number),
        ("node", Kind::Words),
    ];
    new("Subscriptions", &columns, rows)
}

/// What the log warns of and nothing above tells.
fn warnings(session: &Session, told: &[Mark]) -> Table {
    let new_ones = session.troubles.iter().filter(|trouble| !is_told(told, trouble.line));
    let rows = new_ones.map(|trouble| {
        let tone = if trouble.level == "error" { Tone::Bad } else { Tone::Warn };
        vec![cell![Piece::Time(trouble.at_us)], cell![trouble.line], cell![Piece::Symbol(tone), trouble.what.clone()]]
    });
    new("Other warnings", &[("at", Kind::Time), ("line", Kind::Number), ("what", Kind::Words)], rows)
}
