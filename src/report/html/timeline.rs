//! A session over time as a drawing: sockets, states, calls, requests, pings and findings above one axis, and what its marks
//! mean below it.
//!
//! Everything in it stands in a table too; the drawing is for the eye.

use super::Sheet;
use super::markup::Markup;
use crate::report::model::{Mark, Session};
use crate::report::story;
use crate::report::words::{between_us, duration};

/// Width of the drawing and of the names at its left, in its own units.
const WIDTH: f64 = 1_000.0;
const GUTTER: f64 = 84.0;
const ROW: f64 = 22.0;
/// Height of the lane of pings.
const PINGS: f64 = 44.0;
/// Most rows of bars that overlap in time.
const MAX_ROWS: usize = 4;
/// Round trips at the bottom and at the top of the lane of pings: 100 µs to 10 s, by powers of ten.
const PING_DECADES: (f64, f64) = (2.0, 7.0);

/// What is drawn.
enum Shape {
    /// From one time to another, with a name in it if there is room.
    Bar(i64, i64, String),
    Cross(i64),
    Dot(i64),
    Diamond(i64),
}

impl Sheet<'_> {
    /// Draws a session.
    pub(super) fn timeline(&mut self, index: usize) {
        let Some(session) = self.report.sessions.get(index).filter(|session| session.to_us > session.from_us) else {
            return;
        };
        let mut lanes = Lanes {
            sheet: self,
            from_us: session.from_us,
            span_us: to_f64(between_us(session.from_us, session.to_us)).max(1.0),
            y: 4.0,
            out: Markup::default(),
            legend: Vec::new(),
        };
        lanes.sockets(session);
        lanes.states(session);
        lanes.calls(session);
        lanes.requests(session);
        lanes.pings(session);
        lanes.findings(session);
        let axis = lanes.axis();
        let (height, drawn, legend) = (lanes.y + 22.0, lanes.out, lanes.legend);
        let out = &mut self.out;
        out.open("figure", &[]);
        out.element("h3", &[], "Timeline");
        out.open("div", &[("class", &"scroll")]);
        let name = format!("Timeline of session {}, which the tables below tell in text", session.id);
        let frame = format!("0 0 {WIDTH} {height:.0}");
        out.open("svg", &[("class", &"timeline"), ("viewBox", &frame), ("role", &"img"), ("aria-label", &name)]);
        out.append(axis);
        out.append(drawn);
        out.close("svg");
        out.close("div");
        out.open("figcaption", &[("class", &"legend")]);
        for (class, name) in legend {
            out.open("span", &[]);
            out.open("svg", &[("viewBox", &"0 0 12 12"), ("aria-hidden", &"true")]);
            match class {
                "fail" | "fail ping" => out.void("path", &[("class", &class), ("d", &"M2 2l8 8m0 -8l-8 8")]),
                "trouble warn" | "trouble error" | "ping" | "ping slow" => {
                    out.void("circle", &[("class", &class), ("cx", &6), ("cy", &6), ("r", &4)]);
                }
                "found" => out.void("path", &[("class", &class), ("d", &"M6 0l6 6l-6 6l-6 -6z")]),
                _ => out.void("rect", &[("class", &class), ("width", &12), ("height", &12), ("rx", &2)]),
            }
            out.close("svg");
            out.text(name);
            out.close("span");
        }
        out.close("figcaption");
        out.close("figure");
    }
}

struct Lanes<'s, 'p> {
    sheet: &'s Sheet<'p>,
    from_us: i64,
    span_us: f64,
    y: f64,
    out: Markup,
    /// Classes drawn so far and what they mean.
    legend: Vec<(&'static str, &'static str)>,
}

impl Lanes<'_, '_> {
    fn x(&self, at_us: i64) -> f64 {
        let share = to_f64(between_us(self.from_us, at_us)) / self.span_us;
        GUTTER + share.clamp(0.0, 1.0) * (WIDTH - GUTTER - 6.0)
    }

    /// Draws a shape `down` below the lane's top, with what it says when pointed at and the line it leads to.
    fn draw(&mut self, shape: &Shape, down: f64, class: &'static str, means: &'static str, title: &str, line: Mark) {
        if !means.is_empty() && !self.legend.contains(&(class, means)) {
            self.legend.push((class, means));
        }
        let target = self.sheet.target(line);
        let y = self.y + down;
        if let Some(target) = &target {
            self.out.open("a", &[("href", &format!("#{target}"))]);
        }
        self.out.open("g", &[]);
        self.out.element("title", &[], title);
        match shape {
            Shape::Bar(from_us, to_us, label) => {
                let (x, end) = (self.x(*from_us), self.x(*to_us));
                let width = (end - x).max(2.0);
                let (left, top, wide) = (format!("{x:.1}"), format!("{y:.1}"), format!("{width:.1}"));
                self.out.void(
                    "rect",
                    &[("class", &class), ("x", &left), ("y", &top), ("width", &wide), ("height", &18), ("rx", &3)],
                );
                if to_f64(label.chars().count() as u64) * 6.6 + 8.0 <= width {
                    let (x, y) = (format!("{:.1}", x + 4.0), format!("{:.1}", y + 13.0));
                    self.out.element("text", &[("class", &"in"), ("x", &x), ("y", &y)], label);
                }
            }
            Shape::Cross(at_us) => {
                let path = format!("M{:.1} {y:.1}l8 10m0 -10l-8 10", self.x(*at_us) - 4.0);
                self.out.void("path", &[("class", &class), ("d", &path)]);
            }
            Shape::Dot(at_us) => {
                let (x, y) = (format!("{:.1}", self.x(*at_us)), format!("{y:.1}"));
                let r = if class.starts_with("ping") { 2.6 } else { 4.0 };
                self.out.void("circle", &[("class", &class), ("cx", &x), ("cy", &y), ("r", &r)]);
            }
            Shape::Diamond(at_us) => {
                let path = format!("M{:.1} {y:.1}l7 8l-7 8l-7 -8z", self.x(*at_us));
                self.out.void("path", &[("class", &class), ("d", &path)]);
            }
        }
        self.out.close("g");
        if target.is_some() {
            self.out.close("a");
        }
    }

    /// Names the lane and moves below it.
    fn lane(&mut self, name: &str, height: f64) {
        let middle = format!("{:.1}", self.y + height / 2.0 + 4.0);
        self.out.element("text", &[("class", &"lane"), ("x", &0), ("y", &middle)], name);
        let below = format!("{:.1}", self.y + height + 4.0);
        self.out.void("line", &[("class", &"rule"), ("x1", &0), ("x2", &WIDTH), ("y1", &below), ("y2", &below)]);
        self.y += height + 8.0;
    }

    fn at(&self, at_us: i64) -> String {
        self.sheet.zone.time(at_us)
    }

    fn sockets(&mut self, session: &Session) {
        let mut rows = Rows::default();
        for socket in session.sockets.iter() {
            let down = rows.place(socket.from_us, socket.to_us) * ROW;
            let end =
                socket.ending.as_ref().map_or_else(|| String::from("open when the capture ended"), story::ending_words);
            let age = duration(between_us(socket.from_us, socket.to_us));
            let is_cut = socket.ending.as_ref().is_some_and(|ending| !ending.is_clean());
            let title = format!("{} from {}, {age}: {end}", socket.id, self.at(socket.from_us));
            let label = format!("{}{}", socket.id, if is_cut { " ✕" } else { "" });
            let (class, means) = if is_cut { ("socket cut", "socket, lost (✕)") } else { ("socket", "socket") };
            self.draw(&Shape::Bar(socket.from_us, socket.to_us, label), down, class, means, &title, socket.line);
        }
        if rows.count() > 0 {
            self.lane("Sockets", rows.height());
        }
    }

    fn states(&mut self, session: &Session) {
        for state in session.states.iter() {
            let spent = duration(between_us(state.from_us, state.to_us));
            let reason = state.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let title = format!("{}{reason} from {} for {spent}", state.state, self.at(state.from_us));
            let (class, means) = state_class(&state.state);
            let bar = Shape::Bar(state.from_us, state.to_us, state.state.clone());
            self.draw(&bar, 0.0, class, means, &title, state.line);
        }
        if !session.states.is_empty() {
            self.lane("State", 18.0);
        }
    }

    fn calls(&mut self, session: &Session) {
        let mut rows = Rows::default();
        for call in session.calls.iter() {
            let Some(first) = call.steps.first() else { continue };
            let to_us = if call.ended { call.to_us } else { session.to_us };
            let down = rows.place(first.at_us, to_us) * ROW;
            let ends = call.steps.iter().skip(1).map(|step| step.at_us).chain([to_us]);
            for (step, end) in call.steps.iter().zip(ends).filter(|(step, _)| step.state != "gone") {
                let (class, means) = match &*step.state {
                    "ACTIVE" => ("call active", "call: active"),
                    "ALERTING" | "INITIATED" | "INITIATING" => ("call ringing", "call: ringing"),
                    "HELD" => ("call held", "call: held"),
                    _ => ("call after", "call: other"),
                };
                let spent = duration(between_us(step.at_us, end));
                let title = format!("dialog {} {} from {} for {spent}", call.id, step.state, self.at(step.at_us));
                self.draw(&Shape::Bar(step.at_us, end, step.state.clone()), down, class, means, &title, step.line);
            }
        }
        if rows.count() > 0 {
            self.lane("Calls", rows.height());
        }
    }

    fn requests(&mut self, session: &Session) {
        if session.joins.is_empty() && session.requests.failed.is_empty() {
            return;
        }
        for join in session.joins.iter().filter(|join| join.line.line > 0) {
            let latency_us = join.event.as_ref().and_then(|event| event.latency_us);
            let (class, means, event) = match &join.event {
                Some(_) => (
                    "ask",
                    "request until its event",
                    format!(", event after {}", latency_us.map(duration).unwrap_or_default()),
                ),
                None => ("ask lost", "request without an event", String::from(", no event was seen")),
            };
            let to_us = join.at_us.saturating_add(latency_us.and_then(|us| i64::try_from(us).ok()).unwrap_or(0));
            let title = format!("{} at {}{event}", join.what, self.at(join.at_us));
            self.draw(&Shape::Bar(join.at_us, to_us, String::new()), 0.0, class, means, &title, join.line);
        }
        for request in session.requests.failed.iter() {
            let status = request.status.map_or_else(|| String::from("no answer"), |status| status.to_string());
            let title = format!("{} at {}: {status}", request.what, self.at(request.at_us));
            self.draw(
                &Shape::Cross(request.at_us),
                4.0,
                "fail",
                "request refused, cut or not answered",
                &title,
                request.line,
            );
        }
        self.lane("Requests", 18.0);
    }

    fn pings(&mut self, session: &Session) {
        let pings = &session.pings;
        if pings.points.is_empty() && pings.lost.is_empty() {
            return;
        }
        for (decade, label) in [(3.0, "1 ms"), (5.0, "100 ms"), (7.0, "10 s")] {
            let y = self.y + ping_y(decade);
            let (line, text) = (format!("{y:.1}"), format!("{:.1}", y + 3.5));
            self.out.void("line", &[("class", &"grid"), ("x1", &GUTTER), ("x2", &WIDTH), ("y1", &line), ("y2", &line)]);
            let place: super::markup::Attributes<'_> =
                &[("class", &"tick"), ("x", &(GUTTER - 5.0)), ("y", &text), ("text-anchor", &"end")];
            self.out.element("text", place, label);
        }
        for point in &pings.points {
            let down = ping_y(to_f64(point.rtt_us).max(1.0).log10());
            let (class, means) =
                if point.rtt_us >= 5_000_000 { ("ping slow", "ping over 5 s") } else { ("ping", "ping, by its time") };
            let title = format!("ping at {}: {}", self.at(point.at_us), duration(point.rtt_us));
            self.draw(&Shape::Dot(point.at_us), down, class, means, &title, point.line);
        }
        for point in pings.lost.iter() {
            let title = format!("ping at {} was never answered", self.at(point.at_us));
            self.draw(&Shape::Cross(point.at_us), 0.0, "fail ping", "ping without an answer", &title, point.line);
        }
        self.lane("Pings", PINGS);
    }

    fn findings(&mut self, session: &Session) {
        for trouble in session.troubles.iter() {
            let title = format!("{} at {}", trouble.what, self.at(trouble.at_us));
            let (class, means) = match trouble.level {
                "error" => ("trouble error", "error in the log"),
                _ => ("trouble warn", "warning in the log"),
            };
            self.draw(&Shape::Dot(trouble.at_us), 9.0, class, means, &title, trouble.line);
        }
        for finding in session.findings.iter() {
            let title = format!("{} at {}", finding.title, self.at(finding.at_us));
            self.draw(&Shape::Diamond(finding.at_us), 1.0, "found", "finding", &title, finding.line);
        }
        if !session.findings.is_empty() || !session.troubles.is_empty() {
            self.lane("Problems", 18.0);
        }
    }

    /// The axis with its grid, drawn first so that it lies below.
    fn axis(&self) -> Markup {
        let mut out = Markup::default();
        let step_us = tick_us(self.span_us);
        let mut at_us = self.from_us - self.from_us.rem_euclid(step_us) + step_us;
        let to_us = self.from_us.saturating_add(self.span_us as i64);
        while at_us <= to_us {
            let x = self.x(at_us);
            let label = self.at(at_us);
            let label = if step_us >= 1_000_000 { label.get(..8).unwrap_or_default() } else { &label };
            let (left, low, text) = (format!("{x:.1}"), format!("{:.1}", self.y), format!("{:.1}", self.y + 14.0));
            out.void("line", &[("class", &"grid"), ("x1", &left), ("x2", &left), ("y1", &0), ("y2", &low)]);
            if x < WIDTH - 34.0 && x > GUTTER + 20.0 {
                let place: super::markup::Attributes<'_> =
                    &[("class", &"tick"), ("x", &left), ("y", &text), ("text-anchor", &"middle")];
                out.element("text", place, label);
            }
            at_us += step_us;
        }
        out
    }
}

/// Rows of bars: each goes into the first row that is free.
#[derive(Default)]
struct Rows {
    ends_us: Vec<i64>,
}

impl Rows {
    fn place(&mut self, from_us: i64, to_us: i64) -> f64 {
        let free = self.ends_us.iter().position(|end| *end <= from_us);
        let row = match free {
            Some(row) => row,
            None if self.ends_us.len() < MAX_ROWS => {
                self.ends_us.push(i64::MIN);
                self.ends_us.len() - 1
            }
            None => MAX_ROWS - 1,
        };
        if let Some(end) = self.ends_us.get_mut(row) {
            *end = to_us.max(*end);
        }
        to_f64(row as u64)
    }

    fn count(&self) -> usize {
        self.ends_us.len()
    }

    fn height(&self) -> f64 {
        to_f64(self.count().max(1) as u64) * ROW - 4.0
    }
}

fn ping_y(decade: f64) -> f64 {
    let (low, high) = PING_DECADES;
    PINGS * (1.0 - (decade.clamp(low, high) - low) / (high - low))
}

/// The step between ticks: the roundest that gives at most eight.
fn tick_us(span_us: f64) -> i64 {
    const STEPS_MS: [i64; 26] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
        600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000,
    ];
    let wanted_ms = (span_us / 8_000.0) as i64;
    let day_ms = 86_400_000;
    let step_ms = STEPS_MS.iter().copied().find(|step| *step >= wanted_ms).unwrap_or((wanted_ms / day_ms + 1) * day_ms);
    step_ms * 1_000
}

fn state_class(state: &str) -> (&'static str, &'static str) {
    match state {
        "READY" => ("state ready", "ready"),
        "NOT_READY" => ("state not-ready", "not ready"),
        "TALKING" | "HOLD" => ("state talking", "talking, hold"),
        "RESERVED" | "RESERVED_OUTBOUND" | "RESERVED_OUTBOUND_PREVIEW" => ("state reserved", "reserved"),
        "WORK" | "WORK_READY" => ("state work", "work"),
        "LOGOUT" => ("state logout", "signed out"),
        _ => ("state other", "other state"),
    }
}

fn to_f64(n: u64) -> f64 {
    n as f64
}
