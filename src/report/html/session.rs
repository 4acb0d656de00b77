//! A session's part of the page.

use super::{FOLD_FROM, Owner, Page, esc, gravest};
use crate::report::ladder::{Ladder, Login, Stage};
use crate::report::model::{PingCount, Session};
use crate::report::story;
use crate::report::text::{life, verdict};
use crate::report::words::{between_us, count, duration, range, time};
use std::fmt::Write as _;

/// A request that takes this long is slow.
const SLOW_REQUEST_US: u64 = 1_000_000;
/// Logins told in full, the first and the last ones; the others are in the table of sockets.
const MAX_LADDERS: usize = 6;

impl Page<'_> {
    pub(super) fn session(&mut self, index: usize) {
        let report = self.report;
        let Some(session) = report.sessions.get(index) else { return };
        let owner = Some(index);
        let open = if report.sessions.len() < FOLD_FROM { " open=\"open\"" } else { "" };
        let (mark, word) = match session.is_troubled() {
            true if session.findings.is_empty() => ("bad", String::from("login not completed")),
            true => (gravest(session), count(session.findings.len() as u64, "finding")),
            false => ("good", String::from("nothing found")),
        };
        self.put(&format!(
            "<details class=\"session\" id=\"s{index}\"{open}><summary><h2>{} · {}</h2> <span class=\"badge {mark}\">{word}</span></summary>",
            esc(&session.id),
            esc(&session.who())
        ));
        let story: Vec<String> = session.story.iter().map(|sentence| esc(sentence)).collect();
        self.put(&format!("<p class=\"story\">{}</p>", story.join(" ")));
        self.who(session);
        self.findings(&session.findings, owner);
        self.timeline(session, owner);
        self.ladders(session, owner);
        self.sockets(session, owner);
        self.states(session, owner);
        self.calls(session, owner);
        self.joins(session, owner);
        self.requests(session, owner);
        self.pings(session, owner);
        self.subscriptions(session, owner);
        self.troubles(session, owner);
        self.evidence(&session.evidence, owner);
        self.put("</details>");
    }

    fn who(&mut self, session: &Session) {
        let mut facts = vec![("when", format!("{} UTC", range(session.from_us, session.to_us)))];
        let list = |texts: &[String]| texts.iter().map(|text| esc(text)).collect::<Vec<_>>().join(", ");
        facts.push(("browser at", list(&session.clients)));
        facts.push(("node", list(&session.servers)));
        let own = [("extension", &session.extension), ("team", &session.team)];
        facts.extend(own.iter().filter_map(|(name, value)| Some((*name, esc(value.as_ref()?)))));
        if !session.user_agents.is_empty() {
            facts.push(("browser", list(&session.user_agents)));
        }
        if self.report.runs.len() > 1 {
            facts.push(("run of the proxy", esc(&session.run)));
        }
        if let Some(stage) = &session.summary_stopped_at {
            facts.push(("the proxy’s own summary", format!("stopped at {}", esc(stage))));
        }
        let facts: String =
            facts.iter().map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>")).collect();
        self.put(&format!("<dl class=\"who\">{facts}</dl>"));
    }

    fn ladders(&mut self, session: &Session, owner: Owner) {
        if session.sockets.is_empty() {
            return;
        }
        self.put("<h3>Login</h3>\n<div class=\"ladders\">");
        let sockets = session.sockets.len();
        for (number, socket) in session.sockets.iter().enumerate() {
            if number > 0 && number + MAX_LADDERS <= sockets {
                continue;
            }
            let class = login_class(&socket.ladder);
            let took = socket.ladder.took_us().map(|us| format!(" in {}", duration(us))).unwrap_or_default();
            self.put(&format!(
                "<section class=\"ladder\"><h4>{} at {} <span class=\"badge {class}\">{}{took}</span></h4>",
                esc(&socket.id),
                time(socket.from_us),
                esc(&verdict(&socket.ladder))
            ));
            self.ladder(&socket.ladder, owner);
            self.put("</section>");
        }
        self.put("</div>");
        if sockets > MAX_LADDERS {
            self.put(&format!(
                "<p class=\"note\">{} logins in between are in the table of sockets.</p>",
                sockets - MAX_LADDERS
            ));
        }
    }

    fn ladder(&mut self, ladder: &Ladder, owner: Owner) {
        if ladder.rungs.is_empty() {
            self.put("<p class=\"soft\">The capture begins after this login.</p>");
            return;
        }
        let total =
            ladder.rungs.iter().filter(|rung| rung.stage != Stage::FirstEvent).map(|rung| rung.after_start_us).max();
        let total = total.unwrap_or(0).max(1);
        self.out.push_str("<ol>");
        for stage in Stage::ALL {
            let name = stage.as_str();
            if let Some(rung) = ladder.reached(stage) {
                let width = (rung.after_previous_us.min(total) * 100 / total).max(1);
                let start = rung.after_start_us.saturating_sub(rung.after_previous_us).min(total) * 100 / total;
                let link = self.link(rung.line, owner);
                // The first event's wait is no part of the login: it has no bar.
                let bar = if stage == Stage::FirstEvent {
                    String::new()
                } else {
                    format!(
                        "<rect class=\"step\" x=\"{}\" y=\"1\" width=\"{width}\" height=\"6\" rx=\"1\"/>",
                        start.min(100 - width.min(100))
                    )
                };
                let _ = write!(
                    self.out,
                    "<li class=\"ok\"><span><b>{name}</b> <span class=\"soft\">{}</span>{link}</span><span class=\"time\">+{}</span>\
                     <svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bar}</svg>\
                     <span class=\"time total\">{}</span></li>",
                    stage.meaning(),
                    duration(rung.after_previous_us),
                    duration(rung.after_start_us)
                );
            } else if ladder.stopped_at == Some(stage) {
                let why = ladder.why.as_deref().unwrap_or("nothing came");
                let link = ladder.why_line.map(|mark| self.link(mark, owner)).unwrap_or_default();
                let class = if ladder.login == Login::Stopped { "stop" } else { "wait" };
                let _ = write!(self.out, "<li class=\"{class}\"><b>{name}</b> {}{link}</li>", esc(why));
            }
        }
        self.put("</ol>");
    }

    fn sockets(&mut self, session: &Session, owner: Owner) {
        let rows = session.sockets.iter().map(|socket| {
            let (class, end, line) = match &socket.ending {
                Some(ending) => {
                    let class = if ending.is_clean() { "good" } else { "bad" };
                    (class, esc(&story::ending_words(ending)), ending.line)
                }
                None => ("soft", String::from("open when the capture ended"), socket.line),
            };
            let bytes = socket
                .ending
                .as_ref()
                .map_or_else(String::new, |ending| format!("{} ↑ {} ↓", ending.c2s_bytes, ending.s2c_bytes));
            let upstream = socket
                .upstream
                .as_ref()
                .map(|to| format!(" <span class=\"soft\">{}</span>", esc(to)))
                .unwrap_or_default();
            vec![
                esc(&socket.id) + &self.link(socket.line, owner),
                time(socket.from_us),
                duration(between_us(socket.from_us, socket.to_us)),
                esc(&socket.client),
                esc(&socket.server) + &upstream,
                format!(
                    "<span class=\"badge {}\">{}</span>",
                    login_class(&socket.ladder),
                    esc(&verdict(&socket.ladder))
                ),
                format!("<span class=\"dot {class}\"></span>{end}{}", self.link(line, owner)),
                bytes,
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            let head = ["", "opened", ">age", "browser", "node", "login", "end", ">bytes"];
            self.table("Sockets and how they ended", &head, &rows, "");
        }
    }

    fn states(&mut self, session: &Session, owner: Owner) {
        let rows = session.states.iter().map(|state| {
            vec![
                time(state.from_us) + &self.link(state.line, owner),
                esc(&state.state),
                duration(between_us(state.from_us, state.to_us)),
                state.reason.as_deref().map(esc).unwrap_or_default(),
                state.latency_us.map(|us| format!("{} after its request", duration(us))).unwrap_or_default(),
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            self.table("Agent states", &["since", "state", ">for", "reason", "came"], &rows, "");
        }
    }

    fn calls(&mut self, session: &Session, owner: Owner) {
        let rows = session.calls.iter().map(|call| {
            let first = call.steps.first();
            let links = call.steps.iter().take(12).map(|step| self.link(step.line, owner)).collect::<String>();
            vec![
                first.map(|step| time(step.at_us)).unwrap_or_default(),
                esc(&call.id),
                call.call_type.as_deref().map(esc).unwrap_or_default(),
                format!("{} → {}", esc(call.from.as_deref().unwrap_or("?")), esc(call.to.as_deref().unwrap_or("?"))),
                duration(call.spent_us(&["ALERTING"])),
                duration(call.spent_us(&["ACTIVE"])),
                format!("{} <span class=\"soft\">{links}</span>", esc(&life(call))),
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            self.table("Calls", &["at", "call", "type", "from → to", ">rang", ">active", "life"], &rows, "");
        }
    }

    fn joins(&mut self, session: &Session, owner: Owner) {
        let rows = session.joins.iter().map(|join| {
            let (latency, event) = match &join.event {
                Some(event) => {
                    let sure =
                        event.confidence.as_ref().map(|sure| format!(" <span class=\"soft\">({})</span>", esc(sure)));
                    let text = esc(&event.what) + &sure.unwrap_or_default() + &self.link(event.line, owner);
                    (event.latency_us.map(duration).unwrap_or_default(), text)
                }
                None => (String::new(), String::from("<span class=\"badge warn\">no event was seen</span>")),
            };
            vec![
                time(join.at_us),
                esc(&join.what) + &self.link(join.line, owner),
                duration(join.took_us),
                latency,
                event,
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            let head = ["at", "request", ">answer after", ">event after", "event"];
            self.table("Requests and the events they caused", &head, &rows, "");
        }
    }

    fn requests(&mut self, session: &Session, owner: Owner) {
        let requests = &session.requests;
        let status = |status: Option<u16>| status.map_or_else(|| String::from("none"), |status| status.to_string());
        let failed = requests.failed.iter().map(|request| {
            vec![
                time(request.at_us),
                format!("<span class=\"badge bad\">{}</span>", status(request.status)),
                esc(&request.what) + &self.link(request.line, owner),
                duration(request.took_us),
            ]
        });
        let failed = failed.collect::<Vec<_>>();
        if !failed.is_empty() {
            self.table("Failed requests", &["at", "status", "request", ">took"], &failed, "");
        }
        let slowest = requests.slowest.iter().map(|request| {
            let slow = if request.took_us >= SLOW_REQUEST_US { " <span class=\"badge warn\">slow</span>" } else { "" };
            vec![
                duration(request.took_us) + slow,
                time(request.at_us),
                request.status.map(|status| status.to_string()).unwrap_or_default(),
                esc(&request.what) + &self.link(request.line, owner),
            ]
        });
        let slowest = slowest.collect::<Vec<_>>();
        if !slowest.is_empty() {
            let of =
                format!("Slowest requests of {} and {}", count(requests.rest, "REST call"), count(requests.iq, "iq"));
            self.table(&of, &[">took", "at", "status", "request"], &slowest, "");
        }
    }

    fn pings(&mut self, session: &Session, owner: Owner) {
        let pings = &session.pings;
        let row = |name: &str, count: &PingCount| {
            let slowest = count.slowest.map(|ping| duration(ping.rtt_us) + &self.link(ping.line, owner));
            vec![
                name.to_owned(),
                count.sent.to_string(),
                count.answered.to_string(),
                if count.answered > 0 { duration(count.mean_us()) } else { String::from("–") },
                slowest.unwrap_or_else(|| String::from("–")),
            ]
        };
        let both = [("XMPP, by the desktop", &pings.xmpp), ("WebSocket", &pings.websocket)];
        let rows: Vec<_> =
            both.iter().filter(|(_, count)| count.sent > 0).map(|(name, count)| row(name, count)).collect();
        if !rows.is_empty() {
            self.table("Pings", &["", ">sent", ">answered", ">mean round trip", ">slowest"], &rows, "");
        }
        if !pings.lost.is_empty() {
            let lost =
                pings.lost.iter().map(|ping| time(ping.at_us) + &self.link(ping.line, owner)).collect::<Vec<_>>();
            self.put(&format!("<p class=\"note\">Never answered: {}</p>", lost.join(", ")));
        }
    }

    fn subscriptions(&mut self, session: &Session, owner: Owner) {
        let rows = session.subscriptions.iter().map(|subscription| {
            let bad = |n: u64| if n > 0 { format!("<span class=\"badge bad\">{n}</span>") } else { String::from("0") };
            let why = subscription.why.as_ref().map(|why| format!(" <span class=\"soft\">{}</span>", esc(why)));
            vec![
                esc(&subscription.node) + &self.link(subscription.line, owner),
                subscription.requested.to_string(),
                subscription.confirmed.to_string(),
                bad(subscription.refused) + &why.unwrap_or_default(),
                bad(subscription.doubled),
                subscription.unsubscribed.to_string(),
                subscription.events.to_string(),
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            let head = ["node", ">asked for", ">confirmed", ">refused", ">doubled", ">given up", ">events"];
            self.table("Subscriptions", &head, &rows, "");
        }
    }

    fn troubles(&mut self, session: &Session, owner: Owner) {
        let rows = session.troubles.iter().map(|trouble| {
            let class = if trouble.level == "error" { "bad" } else { "warn" };
            let level = format!("<span class=\"badge {class}\">{}</span>", trouble.level);
            vec![time(trouble.at_us), level, esc(&trouble.what) + &self.link(trouble.line, owner)]
        });
        let rows = rows.collect::<Vec<_>>();
        if !rows.is_empty() {
            self.table("Warnings in the log", &["at", "level", "what"], &rows, "");
        }
    }
}

fn login_class(ladder: &Ladder) -> &'static str {
    match ladder.login {
        Login::Complete => "good",
        Login::Stopped => "bad",
        Login::Unfinished => "warn",
        Login::Unseen => "soft",
    }
}
