//! A session over time as a drawing: sockets, states, calls, requests, pings and findings above one axis.
//!
//! Everything in it stands in a table too; the drawing is for the eye. Positions are numbers we compute, texts are escaped.

use super::{Owner, Page, esc};
use crate::report::model::{Mark, Session};
use crate::report::story;
use crate::report::words::{between_us, duration, time};
use std::fmt::Write as _;

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

impl Page<'_> {
    /// Draws a session.
    pub(super) fn timeline(&mut self, session: &Session, owner: Owner) {
        if session.to_us <= session.from_us {
            return;
        }
        let mut lanes = Lanes::new(session.from_us, session.to_us);
        lanes.sockets(self, session, owner);
        lanes.states(self, session, owner);
        lanes.calls(self, session, owner);
        lanes.requests(self, session, owner);
        lanes.pings(self, session, owner);
        lanes.findings(self, session, owner);
        let axis = lanes.axis();
        let height = lanes.y + 22.0;
        let what = format!("Timeline of session {}, which the tables below tell in text", esc(&session.id));
        let _ = write!(
            self.out,
            "<h3>Timeline</h3>\n<figure class=\"scroll\"><svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{what}\">\
             {axis}{}</svg></figure>\n",
            lanes.out
        );
    }
}

struct Lanes {
    from_us: i64,
    span_us: f64,
    y: f64,
    out: String,
}

impl Lanes {
    fn new(from_us: i64, to_us: i64) -> Self {
        Self { from_us, span_us: to_f64(between_us(from_us, to_us)).max(1.0), y: 4.0, out: String::new() }
    }

    fn x(&self, at_us: i64) -> f64 {
        let share = to_f64(between_us(self.from_us, at_us)) / self.span_us;
        GUTTER + share.clamp(0.0, 1.0) * (WIDTH - GUTTER - 6.0)
    }

    fn name(&mut self, name: &str, height: f64) {
        let middle = self.y + height / 2.0 + 4.0;
        let _ = write!(self.out, "<text class=\"lane\" x=\"0\" y=\"{middle:.1}\">{name}</text>");
        let below = self.y + height + 4.0;
        let _ = write!(self.out, "<line class=\"rule\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{below:.1}\" y2=\"{below:.1}\"/>");
    }

    fn bar(&mut self, bar: &Bar<'_>, page: &Page<'_>, owner: Owner) {
        let (x, end) = (self.x(bar.from_us), self.x(bar.to_us));
        let width = (end - x).max(2.0);
        let room = to_f64(bar.label.chars().count() as u64) * 6.6 + 8.0;
        let label = if room <= width {
            format!("<text class=\"in\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 4.0, bar.y + 13.0, esc(&bar.label))
        } else {
            String::new()
        };
        let body = format!(
            "<g><title>{}</title><rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"18\" rx=\"3\"/>{label}</g>",
            esc(&bar.title),
            bar.class,
            bar.y
        );
        self.linked(&body, bar.line, page, owner);
    }

    fn linked(&mut self, body: &str, line: Mark, page: &Page<'_>, owner: Owner) {
        match page.target(line, owner) {
            Some(target) => drop(write!(self.out, "<a href=\"#{target}\">{body}</a>")),
            None => self.out.push_str(body),
        }
    }

    fn sockets(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        let mut rows = Rows::default();
        let top = self.y;
        for socket in session.sockets.iter() {
            let y = top + rows.place(socket.from_us, socket.to_us) * ROW;
            let end =
                socket.ending.as_ref().map_or_else(|| String::from("open when the capture ended"), story::ending_words);
            let age = duration(between_us(socket.from_us, socket.to_us));
            let bad = socket.ending.as_ref().is_some_and(|ending| !ending.is_clean());
            let class = if bad { "socket cut" } else { "socket" };
            let title = format!("{} from {}, {age}: {end}", socket.id, time(socket.from_us));
            let label = format!("{} {}", socket.id, if bad { "✕" } else { "" });
            let bar = Bar {
                from_us: socket.from_us,
                to_us: socket.to_us,
                y,
                class,
                label: label.trim().to_owned(),
                title,
                line: socket.line,
            };
            self.bar(&bar, page, owner);
        }
        self.lane("Sockets", rows.count());
    }

    fn states(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        if session.states.is_empty() {
            return;
        }
        for state in session.states.iter() {
            let spent = duration(between_us(state.from_us, state.to_us));
            let reason = state.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let bar = Bar {
                from_us: state.from_us,
                to_us: state.to_us,
                y: self.y,
                class: state_class(&state.state),
                label: state.state.clone(),
                title: format!("{}{reason} from {} for {spent}", state.state, time(state.from_us)),
                line: state.line,
            };
            self.bar(&bar, page, owner);
        }
        self.lane("State", 1);
    }

    fn calls(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        let mut rows = Rows::default();
        let top = self.y;
        for call in session.calls.iter() {
            let Some(first) = call.steps.first() else { continue };
            let to_us = if call.ended { call.to_us } else { session.to_us };
            let y = top + rows.place(first.at_us, to_us) * ROW;
            let ends = call.steps.iter().skip(1).map(|step| step.at_us).chain([to_us]);
            for (step, end) in call.steps.iter().zip(ends).filter(|(step, _)| step.state != "gone") {
                let class = match &*step.state {
                    "ACTIVE" => "call active",
                    "ALERTING" | "INITIATED" | "INITIATING" => "call ringing",
                    "HELD" => "call held",
                    _ => "call after",
                };
                let spent = duration(between_us(step.at_us, end));
                let title = format!("dialog {} {} from {} for {spent}", call.id, step.state, time(step.at_us));
                let bar = Bar {
                    from_us: step.at_us,
                    to_us: end,
                    y,
                    class,
                    label: step.state.clone(),
                    title,
                    line: step.line,
                };
                self.bar(&bar, page, owner);
            }
        }
        if rows.count() > 0 {
            self.lane("Calls", rows.count());
        }
    }

    fn requests(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        let failed = session.requests.failed.iter();
        if session.joins.is_empty() && session.requests.failed.is_empty() {
            return;
        }
        for join in session.joins.iter().filter(|join| join.line.line > 0) {
            let (x, y) = (self.x(join.at_us), self.y + 3.0);
            let (class, event) = match &join.event {
                Some(event) => ("ask", format!(", event after {}", event.latency_us.map(duration).unwrap_or_default())),
                None => ("ask lost", String::from(", no event was seen")),
            };
            let to = join.event.as_ref().and_then(|event| i64::try_from(event.latency_us?).ok());
            let end = self.x(join.at_us.saturating_add(to.unwrap_or(0))).max(x + 2.0);
            let body = format!(
                "<g><title>{}</title><rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"12\" rx=\"1\"/></g>",
                esc(&format!("{} at {}{event}", join.what, time(join.at_us))),
                end - x
            );
            self.linked(&body, join.line, page, owner);
        }
        for request in failed {
            let (x, y) = (self.x(request.at_us), self.y);
            let status = request.status.map_or_else(|| String::from("no answer"), |status| status.to_string());
            let body = format!(
                "<g><title>{}</title><path class=\"fail\" d=\"M{:.1} {:.1}l8 12m0 -12l-8 12\"/></g>",
                esc(&format!("{} at {}: {status}", request.what, time(request.at_us))),
                x - 4.0,
                y + 3.0
            );
            self.linked(&body, request.line, page, owner);
        }
        self.lane("Requests", 1);
    }

    fn pings(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        let pings = &session.pings;
        if pings.points.is_empty() && pings.lost.is_empty() {
            return;
        }
        for (decade, label) in [(3.0, "1 ms"), (5.0, "100 ms"), (7.0, "10 s")] {
            let y = self.y + ping_y(decade);
            let _ =
                write!(self.out, "<line class=\"grid\" x1=\"{GUTTER}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            let _ = write!(
                self.out,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                GUTTER - 5.0,
                y + 3.5
            );
        }
        for point in &pings.points {
            let (x, y) = (self.x(point.at_us), self.y + ping_y(to_f64(point.rtt_us).max(1.0).log10()));
            let slow = if point.rtt_us >= 5_000_000 { "ping slow" } else { "ping" };
            let _ = write!(
                self.out,
                "<circle class=\"{slow}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\"><title>ping at {}: {}</title></circle>",
                time(point.at_us),
                duration(point.rtt_us)
            );
        }
        for point in pings.lost.iter() {
            let (x, y) = (self.x(point.at_us), self.y);
            let body = format!(
                "<g><title>ping at {} was never answered</title><path class=\"fail\" d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\"/></g>",
                time(point.at_us),
                x - 4.0,
                y
            );
            self.linked(&body, point.line, page, owner);
        }
        self.name("Pings", PINGS);
        self.y += PINGS + 8.0;
    }

    fn findings(&mut self, page: &Page<'_>, session: &Session, owner: Owner) {
        if session.findings.is_empty() && session.troubles.is_empty() {
            return;
        }
        for trouble in session.troubles.iter() {
            let body = format!(
                "<g><title>{}</title><circle class=\"trouble {}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/></g>",
                esc(&format!("{} at {}", trouble.what, time(trouble.at_us))),
                trouble.level,
                self.x(trouble.at_us),
                self.y + 9.0
            );
            self.linked(&body, trouble.line, page, owner);
        }
        for finding in session.findings.iter() {
            let body = format!(
                "<g><title>{}</title><path class=\"found\" d=\"M{:.1} {:.1}l7 8l-7 8l-7 -8z\"/></g>",
                esc(&format!("{} at {}", finding.title, time(finding.at_us))),
                self.x(finding.at_us),
                self.y + 1.0
            );
            self.linked(&body, finding.line, page, owner);
        }
        self.lane("To look at", 1);
    }

    fn lane(&mut self, name: &str, rows: usize) {
        let height = to_f64(rows.max(1) as u64) * ROW - 4.0;
        self.name(name, height);
        self.y += height + 8.0;
    }

    /// The axis with its grid, drawn first so that it lies below.
    fn axis(&self) -> String {
        let mut out = String::new();
        let step_us = tick_us(self.span_us);
        let mut at_us = self.from_us - self.from_us.rem_euclid(step_us) + step_us;
        let to_us = self.from_us.saturating_add(self.span_us as i64);
        while at_us <= to_us {
            let x = self.x(at_us);
            let label = time(at_us);
            let label = if step_us >= 1_000_000 { label.get(..8).unwrap_or_default() } else { &label };
            let _ = write!(out, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{:.1}\"/>", self.y);
            if x < WIDTH - 34.0 && x > GUTTER + 20.0 {
                let _ = write!(
                    out,
                    "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                    self.y + 14.0
                );
            }
            at_us += step_us;
        }
        out
    }
}

struct Bar<'b> {
    from_us: i64,
    to_us: i64,
    y: f64,
    class: &'b str,
    label: String,
    title: String,
    line: Mark,
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

fn state_class(state: &str) -> &'static str {
    match state {
        "READY" => "state ready",
        "NOT_READY" => "state not-ready",
        "TALKING" | "HOLD" => "state talking",
        "RESERVED" | "RESERVED_OUTBOUND" | "RESERVED_OUTBOUND_PREVIEW" => "state reserved",
        "WORK" | "WORK_READY" => "state work",
        "LOGOUT" => "state logout",
        _ => "state other",
    }
}

fn to_f64(n: u64) -> f64 {
    n as f64
}
