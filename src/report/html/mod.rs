//! The report as one HTML file: opens from disk, asks no network, prints, reads in light and dark, works without script.
//!
//! All text out of a capture goes through [`esc`]; it never becomes markup, style, script or the address of a link. The page's
//! own style and script are allowed by their hashes, everything else is forbidden by the policy in its head.

mod session;
mod timeline;

use super::headline::{Headline, facts, headlines, in_words};
use super::model::{Evidence, Finding, Mark, Report, Session};
use super::text::{completeness, redaction};
use super::words::{self, count, duration, plain, range, size, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
/// From so many sessions on each is folded until it is asked for.
const FOLD_FROM: usize = 6;

/// Renders the page.
pub(super) fn render(report: &Report) -> String {
    let mut page = Page { out: String::with_capacity(64 << 10), report };
    page.head();
    page.overview();
    for (index, _) in report.sessions.iter().enumerate() {
        page.session(index);
    }
    page.rest();
    page.foot();
    page.out
}

/// Text as character data or as the value of an attribute in double quotes.
pub(super) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A page under way.
struct Page<'r> {
    out: String,
    report: &'r Report,
}

/// Whose evidence a reference points into: a session by its index, or the report's own.
type Owner = Option<usize>;

impl Page<'_> {
    fn put(&mut self, markup: &str) {
        self.out.push_str(markup);
        self.out.push('\n');
    }

    fn head(&mut self) {
        let hash = |text: &str| STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        let span = self.report.from_us.zip(self.report.to_us).map(|(from, to)| range(from, to)).unwrap_or_default();
        let _ = write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
             script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n<meta name=\"referrer\" content=\"no-referrer\"/>\n\
             <title>Finesse desktop sessions, {} UTC</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
            esc(&span)
        );
    }

    fn overview(&mut self) {
        let report = self.report;
        let totals = &report.totals;
        let span = report.from_us.zip(report.to_us);
        self.put("<header class=\"top\">");
        self.put("<h1>Finesse desktop sessions</h1>");
        if let Some((from, to)) = span {
            let length = duration(words::between_us(from, to));
            self.put(&format!("<p class=\"when\">{} UTC <span class=\"soft\">({length})</span></p>", range(from, to)));
        }
        self.put("</header>\n<main>");
        self.verdict(&headlines(report));
        let bytes = report.files.iter().map(|file| file.bytes).sum();
        let numbers = [
            count(report.sessions.len() as u64, "session"),
            count(totals.sockets, "socket"),
            count(totals.requests, "HTTP request"),
            count(totals.updates, "Finesse event"),
        ];
        self.put(&format!(
            "<p class=\"soft\">{}. From {}, {}, {}; {}; redaction {}.</p>",
            numbers.join(", "),
            count(report.files.len() as u64, "file"),
            count(totals.lines, "line"),
            size(bytes),
            esc(&completeness(report)),
            esc(&redaction(report))
        ));
        for cut in &report.left_out {
            let whose = cut.session.as_ref().map(|id| format!(" of session {}", esc(id))).unwrap_or_default();
            self.put(&format!(
                "<p class=\"note\">A limit was reached: {} {}{whose} more are not told. Narrow the report with --user or --since.</p>",
                cut.count, cut.list
            ));
        }
        self.contents();
        if !report.findings.is_empty() {
            self.put("<section id=\"shared\"><h2>Beyond single sessions</h2>");
            self.findings(&report.findings, None);
            self.put("</section>");
        }
    }

    /// What happened, to whom, and what to do about the gravest of it.
    fn verdict(&mut self, headlines: &[Headline<'_>]) {
        let report = self.report;
        let stopped = report.sessions.iter().filter(|session| session.is_troubled()).count();
        let Some((first, others)) = headlines.split_first() else {
            let (class, words) = match (report.sessions.len(), stopped) {
                (0, _) => ("warn", String::from("Nobody logged in.")),
                (_, 0) => ("good", String::from("Every login went through, and nothing was found.")),
                (1, _) => ("bad", String::from("The login was not completed.")),
                (all, some) => ("bad", format!("{some} of {all} logins were not completed.")),
            };
            self.put(&format!(
                "<div class=\"verdict {class}\"><p class=\"headline\"><strong>{words}</strong></p></div>"
            ));
            return;
        };
        let class = if first.finding.level == "error" { "bad" } else { "warn" };
        let whom = |headline: &Headline<'_>| {
            let whom = esc(&headline.whom(report));
            match headline.sessions.first() {
                Some(index) => format!("<a href=\"#s{index}\">{whom}</a>"),
                None => format!("<a href=\"#shared\">{whom}</a>"),
            }
        };
        self.put(&format!(
            "<div class=\"verdict {class}\"><p class=\"headline\"><strong>{}</strong> {}</p>",
            esc(&first.finding.title),
            whom(first)
        ));
        let facts = facts(first.finding);
        if !facts.is_empty() {
            self.put(&format!("<p class=\"soft\">{}</p>", esc(&facts)));
        }
        if !first.finding.advice.is_empty() {
            self.put(&format!("<p><b>What to do:</b> {}</p>", esc(&first.finding.advice)));
        }
        if !others.is_empty() {
            self.put("<ul class=\"others\">");
            for other in others {
                let class = level_class(other.finding);
                let dot = format!("<span class=\"dot {class}\"></span>");
                self.put(&format!(
                    "<li>{dot}{} <span class=\"soft\">{}</span></li>",
                    esc(&other.finding.title),
                    whom(other)
                ));
            }
            self.put("</ul>");
        }
        self.put("</div>");
    }

    /// The list of sessions.
    fn contents(&mut self) {
        let report = self.report;
        if report.sessions.is_empty() {
            return;
        }
        if report.sessions.len() >= FOLD_FROM {
            self.put("<p class=\"filter\" hidden=\"hidden\"><label>Show agents with <input type=\"search\" id=\"filter\"/></label></p>");
        }
        let rows = report.sessions.iter().enumerate().map(|(index, session)| {
            let login = session.login().map_or_else(|| String::from("–"), super::text::verdict);
            let slowest = session.pings.xmpp.slowest.map_or_else(|| String::from("–"), |ping| duration(ping.rtt_us));
            let lost = session.pings.lost.len() as u64 + session.pings.lost.left_out;
            let lost = if lost > 0 { format!(" <span class=\"badge bad\">{lost} lost</span>") } else { String::new() };
            let class = match session.login().map(|ladder| ladder.login) {
                Some(super::ladder::Login::Complete) => "good",
                Some(super::ladder::Login::Stopped) => "bad",
                _ => "soft",
            };
            let findings = session.findings.len();
            vec![
                format!("<a href=\"#s{index}\">{} · {}</a>", esc(&session.id), esc(&session.who())),
                time(session.from_us).get(..8).unwrap_or_default().to_owned(),
                duration(words::between_us(session.from_us, session.to_us)),
                format!("<span class=\"badge {class}\">{}</span>", esc(&login)),
                session.sockets.len().to_string(),
                session.calls.len().to_string(),
                slowest + &lost,
                if findings > 0 {
                    format!("<span class=\"badge {}\">{findings}</span>", gravest(session))
                } else {
                    String::from("–")
                },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        let head = ["session", "from", ">for", "login", ">sockets", ">calls", ">slowest ping", ">findings"];
        self.table("Sessions", &head, &rows, "contents");
    }

    fn findings(&mut self, findings: &[Finding], owner: Owner) {
        if findings.is_empty() {
            return;
        }
        if owner.is_some() {
            self.put("<h3>Findings</h3>");
        }
        let mut findings: Vec<&Finding> = findings.iter().collect();
        findings.sort_by_key(|finding| finding.level != "error");
        for finding in findings {
            let times = if finding.count > 1 { format!(", {} times", finding.count) } else { String::new() };
            let class = level_class(finding);
            self.put(&format!("<article class=\"finding {class}\">"));
            self.put(&format!(
                "<h4>{} <span class=\"badge {class}\">{}</span></h4><p class=\"soft\">{}{times}, first at {}</p>",
                esc(&finding.title),
                esc(&finding.confidence),
                esc(&finding.code),
                time(finding.at_us)
            ));
            if !finding.facts.is_empty() {
                let facts = finding.facts.iter().map(|(name, value)| in_words(name, value));
                let facts = facts.map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", esc(&name), esc(&value)));
                let facts = facts.collect::<String>();
                self.put(&format!("<dl class=\"facts\">{facts}</dl>"));
            }
            if !finding.advice.is_empty() {
                self.put(&format!("<p><b>What to do:</b> {}</p>", esc(&finding.advice)));
            }
            let lines =
                [finding.line].iter().chain(&finding.evidence).map(|mark| self.link(*mark, owner)).collect::<String>();
            self.put(&format!("<p class=\"soft\">Lines{lines}</p></article>"));
        }
    }

    /// A table; cells are markup. Columns whose name begins with `>` hold numbers.
    fn table(&mut self, caption: &str, head: &[&str], rows: &[Vec<String>], class: &str) {
        let align = |name: &str| if name.starts_with('>') { " class=\"n\"" } else { "" };
        let _ =
            write!(self.out, "<div class=\"scroll\"><table class=\"{class}\"><caption>{caption}</caption><thead><tr>");
        for name in head {
            let _ = write!(self.out, "<th scope=\"col\"{}>{}</th>", align(name), name.trim_start_matches('>'));
        }
        self.put("</tr></thead><tbody>");
        for row in rows {
            self.out.push_str("<tr>");
            for (cell, name) in row.iter().zip(head) {
                let _ = write!(self.out, "<td{}>{cell}</td>", align(name));
            }
            self.put("</tr>");
        }
        self.put("</tbody></table></div>");
    }

    /// What concerns no session.
    fn rest(&mut self) {
        let report = self.report;
        if !report.strangers.is_empty() {
            let rows = report.strangers.iter().map(|stranger| {
                vec![
                    time(stranger.at_us),
                    esc(&stranger.client),
                    esc(&stranger.server),
                    esc(&stranger.what) + &self.link(stranger.line, None),
                ]
            });
            let rows = rows.collect::<Vec<_>>();
            self.table("Connections on which nobody logged in", &["at", "browser", "node", "what"], &rows, "");
        }
        if !report.oddities.is_empty() {
            let rows = report.oddities.iter().map(|oddity| {
                vec![esc(&self.where_is(oddity.line)), esc(&oddity.what) + &self.link(oddity.line, None)]
            });
            let rows = rows.collect::<Vec<_>>();
            self.table("Missing or unreadable", &["line", "what"], &rows, "");
        }
        self.evidence(&report.evidence, None);
    }

    /// A reference to a line, linked to the evidence if it is there.
    fn link(&self, mark: Mark, owner: Owner) -> String {
        if mark.line == 0 {
            return String::new();
        }
        let shown = if mark.sequence > 0 { format!("#{}", mark.sequence) } else { format!(":{}", mark.line) };
        let place = esc(&self.where_is(mark));
        match self.target(mark, owner) {
            Some(target) => format!(" <a class=\"ref\" href=\"#{target}\" title=\"{place}\">{shown}</a>"),
            None => format!(" <span class=\"ref\" title=\"{place}\">{shown}</span>"),
        }
    }

    /// The anchor of a line in its owner's evidence.
    fn target(&self, mark: Mark, owner: Owner) -> Option<String> {
        let session = owner.and_then(|index| self.report.sessions.get(index));
        let evidence = session.map_or(&self.report.evidence, |session| &session.evidence);
        evidence.binary_search_by_key(&mark, |line| line.line).ok().map(|_| anchor(mark, owner))
    }

    /// `file:line`.
    fn where_is(&self, mark: Mark) -> String {
        let file = usize::try_from(mark.file).ok().and_then(|file| self.report.files.get(file));
        let name = file.map_or("?", |file| file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path));
        format!("{name}:{}", mark.line)
    }

    fn evidence(&mut self, evidence: &[Evidence], owner: Owner) {
        if evidence.is_empty() {
            return;
        }
        let lines = count(evidence.len() as u64, "line");
        self.put(&format!("<details class=\"evidence\"><summary>Evidence: {lines} of the capture</summary>"));
        let several = self.report.files.len() > 1;
        self.put("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">line</th><th scope=\"col\">at</th><th scope=\"col\">on</th><th scope=\"col\"><span class=\"hide\">direction</span></th><th scope=\"col\">what</th></tr></thead><tbody>");
        for line in evidence {
            let arrow = match &*line.direction {
                "c2s" => "<span title=\"from the browser\">→</span>",
                "s2c" => "<span title=\"from the server\">←</span>",
                _ => "",
            };
            let sequence = if line.line.sequence > 0 { format!("#{} ", line.line.sequence) } else { String::new() };
            let file = if several { format!("[{}]", line.line.file + 1) } else { String::new() };
            let row = format!(
                "<tr id=\"{}\"><td class=\"mono\">{sequence}<span class=\"soft\">{file}:{}</span></td><td class=\"mono\">{}</td><td>{}</td><td>{arrow}</td><td>{} <span class=\"soft\">{}</span></td></tr>",
                anchor(line.line, owner),
                line.line.line,
                time(line.at_us),
                esc(&line.on),
                esc(&line.gist),
                esc(&line.action)
            );
            self.put(&row);
        }
        self.put("</tbody></table></div></details>");
    }

    fn foot(&mut self) {
        self.put("</main>\n<footer>");
        self.put("<h2>Where this comes from</h2>\n<ol class=\"files\">");
        for file in &self.report.files {
            let row = format!(
                "<li><span class=\"mono\">{}</span> <span class=\"soft\">{}, {}</span></li>",
                esc(&file.path),
                count(file.lines, "line"),
                size(file.bytes)
            );
            self.put(&row);
        }
        self.put(&format!(
            "</ol>\n<p class=\"soft\">Made by finesse-tap {} from captures of a relaying proxy, which saw every byte and changed none. \
             Times are UTC. #57 is the line whose event.sequence is 57, :58 the 58th line of its file. This page holds what the \
             capture holds; names and numbers are in it unless the capture was made without.</p>\n</footer>",
            env!("CARGO_PKG_VERSION")
        ));
        let _ = write!(self.out, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    }
}

fn level_class(finding: &Finding) -> &'static str {
    if finding.level == "error" { "bad" } else { "warn" }
}

/// How grave a session's findings are.
fn gravest(session: &Session) -> &'static str {
    if session.findings.iter().any(|finding| finding.level == "error") { "bad" } else { "warn" }
}

fn anchor(mark: Mark, owner: Owner) -> String {
    let owner = owner.map_or_else(|| String::from("r"), |index| index.to_string());
    format!("e{owner}-{}-{}", mark.file, mark.line)
}
