//! The page as one HTML file: opens from disk, asks no network, prints, reads in light and dark, works without script.
//!
//! The page's own style and script are allowed by their hashes, everything else is forbidden by the policy in its head.
//! [`Markup`] escapes.

mod markup;
mod timeline;

use super::model::{Evidence, Mark, Report};
use super::page::{Block, Cell, Fold, Kind, Page, Piece, Problem, Section, Style, Table, Tone};
use super::text::{line, symbol};
use super::words::{Zone, count, say};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use markup::Markup;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
/// From so many sessions on they can be searched.
const FILTER_FROM: usize = 6;

/// Dresses the page.
pub(super) fn render(page: &Page, report: &Report, zone: &Zone) -> String {
    let mut sheet = Sheet { out: Markup::default(), report, zone, owner: None };
    sheet.head(page);
    sheet.blocks(&page.blocks);
    sheet.foot();
    format!("<!DOCTYPE html>\n{}", sheet.out.finish())
}

/// Whose lines a reference means: a session's by its index, or the report's own.
type Owner = Option<usize>;

struct Sheet<'p> {
    out: Markup,
    report: &'p Report,
    zone: &'p Zone,
    owner: Owner,
}

impl Sheet<'_> {
    fn head(&mut self, page: &Page) {
        let hash = |text: &str| STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let out = &mut self.out;
        out.open("html", &[("lang", &"en")]);
        out.open("head", &[]);
        out.void("meta", &[("charset", &"utf-8")]);
        out.void("meta", &[("http-equiv", &"Content-Security-Policy"), ("content", &policy)]);
        out.void("meta", &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")]);
        out.void("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
        out.void("meta", &[("name", &"referrer"), ("content", &"no-referrer")]);
        let name = self.say(&page.name);
        self.out.element("title", &[], &name);
        self.out.own("style", STYLE);
        self.out.close("head");
        self.out.open("body", &[]);
        self.out.open("main", &[]);
        let title = self.say(&page.title);
        self.out.element("h1", &[], &title);
    }

    fn foot(&mut self) {
        let zone = self.zone.name();
        let said = format!(
            "Made by finesse-tap {} from captures of a relaying proxy, which saw every byte and changed none. Times are {zone}. \
             #57 is the line whose event.sequence is 57, :58 the 58th line of its file. This page holds what the capture holds; \
             names and numbers are in it unless the capture was made without.",
            env!("CARGO_PKG_VERSION")
        );
        self.out.element("p", &[("class", &"quiet")], &said);
        self.out.close("main");
        self.out.own("script", SCRIPT);
        self.out.close("body");
        self.out.close("html");
    }

    /// Pieces as bare text.
    fn say(&self, cell: &[Piece]) -> String {
        cell.iter().map(|piece| say(piece, self.zone, |mark| line(mark, false))).collect()
    }

    fn cell(&mut self, cell: &[Piece]) {
        for piece in cell {
            self.piece(piece);
        }
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Quiet(text) => self.out.element("span", &[("class", &"quiet")], text),
            Piece::Badge(tone, text) => {
                self.out.element("span", &[("class", &format!("badge {}", class(*tone)))], text);
            }
            Piece::Symbol(tone) => {
                self.out.element("span", &[("class", &format!("symbol {}", class(*tone)))], symbol(*tone));
            }
            Piece::Line(mark) => self.line(*mark),
            Piece::To(anchor, text) => self.out.element("a", &[("href", &format!("#{anchor}"))], text),
            Piece::Bar(from, to) => {
                let (x, width) = (format!("{:.1}", from * 100.0), format!("{:.1}", ((to - from) * 100.0).max(1.0)));
                let frame: markup::Attributes<'_> = &[
                    ("class", &"bar"),
                    ("viewBox", &"0 0 100 8"),
                    ("preserveAspectRatio", &"none"),
                    ("aria-hidden", &"true"),
                ];
                self.out.open("svg", frame);
                self.out.void("rect", &[("x", &x), ("y", &0), ("width", &width), ("height", &8)]);
                self.out.close("svg");
            }
            Piece::Time(_) | Piece::Clock(_) | Piece::Took(_) | Piece::Count(_) => {
                let text = self.say(std::slice::from_ref(piece));
                self.out.element("span", &[("class", &"time")], &text);
            }
            Piece::Text(_) | Piece::Range(..) => {
                let text = self.say(std::slice::from_ref(piece));
                self.out.text(&text);
            }
        }
    }

    /// A reference to a line, linked if the page has it.
    fn line(&mut self, mark: Mark) {
        if mark.line == 0 {
            return;
        }
        let shown = line(mark, self.report.files.len() > 1);
        let place = self.place(mark);
        match self.target(mark) {
            Some(target) => {
                self.out.element("a", &[("class", &"ref"), ("href", &format!("#{target}")), ("title", &place)], &shown);
            }
            None => self.out.element("span", &[("class", &"ref"), ("title", &place)], &shown),
        }
    }

    /// The anchor of a line among its owner's.
    fn target(&self, mark: Mark) -> Option<String> {
        let session = self.owner.and_then(|index| self.report.sessions.get(index));
        let evidence = session.map_or(&self.report.evidence, |session| &session.evidence);
        evidence.binary_search_by_key(&mark, |line| line.line).ok().map(|_| anchor(mark, self.owner))
    }

    /// `file:line`.
    fn place(&self, mark: Mark) -> String {
        let file = usize::try_from(mark.file).ok().and_then(|file| self.report.files.get(file));
        let name = file.map_or("?", |file| file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path));
        format!("{name}:{}", mark.line)
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(style, cell) => {
                    let class = match style {
                        Style::Plain => "plain",
                        Style::Story => "story",
                        Style::Note => "note",
                        Style::Quiet => "quiet",
                    };
                    self.out.open("p", &[("class", &class)]);
                    self.cell(cell);
                    self.out.close("p");
                }
                Block::Facts(facts) => {
                    self.out.open("dl", &[]);
                    for (name, cell) in facts {
                        self.out.open("div", &[]);
                        self.out.element("dt", &[], name);
                        self.out.open("dd", &[]);
                        self.cell(cell);
                        self.out.close("dd");
                        self.out.close("div");
                    }
                    self.out.close("dl");
                }
                Block::Verdict(tone, cell) => {
                    self.out.open("p", &[("class", &format!("verdict {}", class(*tone)))]);
                    self.piece(&Piece::Symbol(*tone));
                    self.cell(cell);
                    self.out.close("p");
                }
                Block::Problem(problem) => self.problem(problem),
                Block::Table(table) => self.table(table),
                Block::Drawing(index) => self.timeline(*index),
                Block::Lines(lines) => self.lines(lines),
                Block::Section(section) => self.section(section),
            }
        }
    }

    fn problem(&mut self, problem: &Problem) {
        let before = std::mem::replace(&mut self.owner, problem.owner);
        self.out.open("article", &[("id", &problem.anchor), ("class", &format!("problem {}", class(problem.tone)))]);
        self.out.open("h2", &[]);
        self.piece(&Piece::Symbol(problem.tone));
        self.cell(&problem.head);
        self.out.close("h2");
        if !problem.advice.is_empty() {
            self.out.open("p", &[]);
            self.out.element("b", &[], "What to do: ");
            self.out.text(&problem.advice);
            self.out.close("p");
        }
        self.table(&problem.course);
        for note in &problem.notes {
            self.out.open("p", &[("class", &"quiet")]);
            self.cell(note);
            self.out.close("p");
        }
        self.out.close("article");
        self.owner = before;
    }

    fn section(&mut self, section: &Section) {
        let before = std::mem::replace(&mut self.owner, section.owner);
        let mut attributes: Vec<(&'static str, &dyn std::fmt::Display)> =
            vec![("id", &section.anchor), ("class", &"session")];
        if section.fold == Fold::Open {
            attributes.push(("open", &"open"));
        }
        self.out.open("details", &attributes);
        self.out.open("summary", &[]);
        self.out.open("h2", &[]);
        self.cell(&section.title);
        self.out.close("h2");
        self.out.close("summary");
        self.blocks(&section.blocks);
        self.out.close("details");
        self.owner = before;
    }

    /// A table. On a narrow screen each row is a card, hence the columns' names with the cells.
    fn table(&mut self, table: &Table) {
        let used: Vec<bool> = (0..table.columns.len())
            .map(|column| table.rows.iter().any(|row| row.get(column).is_some_and(|cell| !is_empty(cell))))
            .collect();
        if !used.contains(&true) {
            return;
        }
        let is_list = table.title == "Sessions" && table.rows.len() >= FILTER_FROM;
        if is_list {
            self.out.open("p", &[("class", &"filter"), ("hidden", &"hidden")]);
            self.out.open("label", &[]);
            self.out.text("Show sessions with ");
            self.out.void("input", &[("type", &"search"), ("id", &"filter")]);
            self.out.close("label");
            self.out.close("p");
        }
        self.out.open("table", &[("class", &if is_list { "list" } else { "" })]);
        if !table.title.is_empty() {
            self.out.element("caption", &[], &table.title);
        }
        let local = (!self.zone.is_utc()).then_some("UTC");
        let columns = || table.columns.iter().zip(&used).filter(|(_, used)| **used).map(|(column, _)| column);
        if columns().any(|(name, _)| !name.is_empty()) {
            self.out.open("thead", &[]);
            self.out.open("tr", &[]);
            for (name, kind) in columns() {
                self.out.element("th", &[("scope", &"col"), ("class", &column(*kind))], name);
                if let Some(utc) = local.filter(|_| *kind == Kind::Time) {
                    self.out.element("th", &[("scope", &"col")], utc);
                }
            }
            self.out.close("tr");
            self.out.close("thead");
        }
        self.out.open("tbody", &[]);
        for row in &table.rows {
            self.out.open("tr", &[]);
            for ((cell, (name, kind)), _) in row.iter().zip(&table.columns).zip(&used).filter(|(_, used)| **used) {
                let empty = if is_empty(cell) { " empty" } else { "" };
                self.out.open("td", &[("class", &format!("{}{empty}", column(*kind))), ("data-name", name)]);
                self.cell(cell);
                self.out.close("td");
                if let (Some(utc), Kind::Time, [Piece::Time(at_us), ..]) = (local, kind, &cell[..]) {
                    self.out.element("td", &[("class", &"quiet"), ("data-name", &utc)], &Zone::default().time(*at_us));
                }
            }
            self.out.close("tr");
        }
        self.out.close("tbody");
        self.out.close("table");
        if table.left_out > 0 {
            self.out.element(
                "p",
                &[("class", &"quiet")],
                &format!("… and {} more, which are not told", table.left_out),
            );
        }
    }

    /// Lines of the capture, each with what it holds behind it.
    fn lines(&mut self, lines: &[Evidence]) {
        self.out.open("details", &[("class", &"lines")]);
        self.out.element(
            "summary",
            &[],
            &format!("{} of the capture that this stands on", count(lines.len() as u64, "line")),
        );
        self.out.open("ol", &[]);
        for evidence in lines {
            self.out.open("li", &[("id", &anchor(evidence.line, self.owner))]);
            let shown = line(evidence.line, self.report.files.len() > 1);
            let place = self.place(evidence.line);
            self.out.element("span", &[("class", &"ref"), ("title", &place)], &shown);
            self.piece(&Piece::Time(evidence.at_us));
            let arrow = match &*evidence.direction {
                "c2s" => "→",
                "s2c" => "←",
                _ => "·",
            };
            self.out.element("span", &[("class", &"quiet")], &format!("{} {arrow}", evidence.on));
            if evidence.raw.is_empty() {
                self.out.element("span", &[], &evidence.gist);
            } else {
                self.out.open("details", &[("class", &"raw")]);
                self.out.element("summary", &[], &evidence.gist);
                self.out.element("pre", &[], &evidence.raw);
                self.out.close("details");
            }
            self.out.close("li");
        }
        self.out.close("ol");
        self.out.close("details");
    }
}

fn is_empty(cell: &Cell) -> bool {
    cell.iter().all(|piece| matches!(piece, Piece::Text(text) | Piece::Quiet(text) if text.is_empty()))
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Warn => "warn",
        Tone::Quiet => "quiet",
    }
}

fn column(kind: Kind) -> &'static str {
    match kind {
        Kind::Words => "words",
        Kind::Number => "n",
        Kind::Time => "time",
        Kind::Drawn => "drawn",
    }
}

fn anchor(mark: Mark, owner: Owner) -> String {
    let owner = owner.map_or_else(|| String::from("r"), |index| index.to_string());
    format!("e{owner}-{}-{}", mark.file, mark.line)
}
