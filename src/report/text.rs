//! The page as text: fits a terminal's width, plain enough for a pipe, a mail or a ticket.

use super::model::{Mark, Report};
use super::page::{Block, Cell, Fold, Kind, Page, Piece, Problem, Section, Style, Table, Tone};
use super::words::{Zone, say};
use crate::glyph::one_line;
use std::fmt::Write as _;

/// Rows of a table; what is beyond stands in the page and in JSON.
const MAX_TABLE_ROWS: usize = 20;
/// The last column of a table is at least this wide, or stands below the others.
const MIN_LAST_COLUMN: usize = 24;
/// A column is cut down to this to make the others fit.
const MIN_CUT_COLUMN: usize = 12;

/// Dresses the page, `columns` wide.
pub(super) fn render(page: &Page, report: &Report, zone: &Zone, columns: usize) -> String {
    let mut sheet = Sheet { out: String::new(), columns, report, zone };
    sheet.line(0, &sheet.cell(&page.title));
    sheet.blocks(&page.blocks);
    sheet.out
}

/// A line of the capture as it can be looked up: by its sequence, or where there is none by its number in the file.
pub(super) fn line(mark: Mark, several_files: bool) -> String {
    let file = if several_files { format!("[{}]", mark.file + 1) } else { String::new() };
    match (mark.line, mark.sequence) {
        (0, _) => String::from("?"),
        (line, 0) => format!("{file}:{line}"),
        (_, sequence) => format!("#{sequence}"),
    }
}

struct Sheet<'p> {
    out: String,
    columns: usize,
    report: &'p Report,
    zone: &'p Zone,
}

impl Sheet<'_> {
    /// Pieces on one line. Nothing in it moves a cursor.
    fn cell(&self, cell: &[Piece]) -> String {
        let several = self.report.files.len() > 1;
        let text: String = cell.iter().map(|piece| say(piece, self.zone, |mark| line(mark, several))).collect();
        one_line(text.trim())
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.hanging(indent, indent, text);
    }

    /// Text whose further lines begin at `below`.
    fn hanging(&mut self, indent: usize, below: usize, text: &str) {
        let room = self.columns.saturating_sub(below).max(20);
        for (number, part) in wrap(text, room).iter().enumerate() {
            let indent = if number == 0 { indent } else { below };
            let _ = writeln!(self.out, "{}", format!("{:indent$}{part}", "").trim_end());
        }
    }

    /// An empty line, but not behind a heading's or another.
    fn gap(&mut self) {
        if self.out.ends_with("\n\n") || self.out.ends_with("─\n") {
            return;
        }
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(2, text);
    }

    fn blocks(&mut self, blocks: &[Block]) {
        let mut were_folded = 0;
        for block in blocks {
            match block {
                Block::Paragraph(Style::Quiet, cell) => {
                    self.out.push('\n');
                    self.line(0, &self.cell(cell));
                }
                Block::Paragraph(Style::Note, cell) => self.line(0, &self.cell(cell)),
                Block::Paragraph(Style::Plain | Style::Story, cell) => self.line(2, &self.cell(cell)),
                Block::Facts(facts) => {
                    self.gap();
                    facts.iter().for_each(|(name, cell)| self.line(2, &format!("{name}: {}", self.cell(cell))));
                }
                Block::Verdict(tone, cell) => {
                    let said = format!("{}{}", symbol(*tone), self.cell(cell));
                    self.out.push('\n');
                    self.line(0, &said);
                }
                Block::Problem(problem) => self.problem(problem),
                Block::Table(table) => self.table(table),
                Block::Section(section) => {
                    if section.fold == Fold::Folded && were_folded == 0 {
                        self.out.push('\n');
                        self.line(0, "── without a problem (more with --session ID or --format html)");
                    }
                    were_folded += usize::from(section.fold == Fold::Folded);
                    self.section(section);
                }
                // For the eye, and for those who open a line.
                Block::Drawing(_) | Block::Lines(_) => {}
            }
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.out.push('\n');
        let head = format!("{}{}", symbol(problem.tone), self.cell(&problem.head));
        self.hanging(2, 4, &head);
        // One step alone is what the head says.
        if !problem.course.rows.is_empty() {
            self.rows(
                &Table {
                    columns: problem.course.columns.iter().map(|(_, kind)| ("", *kind)).collect(),
                    ..Table::default()
                },
                &problem.course.rows,
            );
        }
        for note in &problem.notes {
            self.line(4, &self.cell(note));
        }
        if !problem.advice.is_empty() {
            self.line(4, &format!("What to do: {}", one_line(&problem.advice)));
        }
    }

    fn section(&mut self, section: &Section) {
        let title = self.cell(&section.title);
        if section.fold == Fold::Folded {
            self.line(2, &title);
            self.line(4, &self.cell(&section.brief));
            return;
        }
        self.out.push('\n');
        let title = format!("── {title} ");
        let rest = self.columns.saturating_sub(title.chars().count());
        self.line(0, &(title + &"─".repeat(rest)));
        self.blocks(&section.blocks);
    }

    fn table(&mut self, table: &Table) {
        if !table.title.is_empty() {
            self.heading(&table.title);
        }
        self.rows(table, &table.rows);
        let left_out = table.rows.len().saturating_sub(limit(table)) as u64 + table.left_out;
        if left_out > 0 {
            self.line(4, &format!("… and {left_out} more (--format html or json tells them)"));
        }
    }

    /// Rows in columns as wide as they need; the last one takes what is left.
    fn rows(&mut self, table: &Table, rows: &[Vec<Cell>]) {
        let columns: Vec<(&str, Kind)> =
            table.columns.iter().copied().filter(|(_, kind)| *kind != Kind::Drawn).collect();
        let mut head: Vec<String> = Vec::new();
        let mut right: Vec<bool> = Vec::new();
        for (name, kind) in &columns {
            head.push((*name).to_owned());
            right.push(*kind == Kind::Number);
            if *kind == Kind::Time && !self.zone.is_utc() {
                head.push(String::from(if name.is_empty() { "" } else { "UTC" }));
                right.push(false);
            }
        }
        let cells = |row: &Vec<Cell>| {
            let mut cells = Vec::new();
            for (cell, (_, kind)) in row.iter().zip(&table.columns).filter(|(_, (_, kind))| *kind != Kind::Drawn) {
                cells.push(self.cell(cell));
                if let (Kind::Time, false, [Piece::Time(at_us), ..]) = (kind, self.zone.is_utc(), &cell[..]) {
                    cells.push(Zone::default().time(*at_us));
                } else if *kind == Kind::Time && !self.zone.is_utc() {
                    cells.push(String::new());
                }
            }
            cells
        };
        let rows: Vec<Vec<String>> = rows.iter().take(limit(table)).map(cells).collect();
        // A column that nobody fills is left out.
        let used: Vec<bool> = (0..head.len())
            .map(|column| rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.is_empty())))
            .collect();
        let keep = |cells: Vec<String>| -> Vec<String> {
            cells.into_iter().zip(&used).filter(|(_, used)| **used).map(|(cell, _)| cell).collect()
        };
        let right: Vec<bool> =
            right.into_iter().zip(&used).filter(|(_, used)| **used).map(|(right, _)| right).collect();
        let rows: Vec<Vec<String>> = rows.into_iter().map(keep).collect();
        let head = keep(head);
        let widths = self.widths(&head, &rows);
        let last = widths.len().saturating_sub(1);
        let before: usize = widths.iter().take(last).map(|width| width + 2).sum();
        // Where the last column has no room beside the others it has a line of its own.
        let needed = widths.get(last).map_or(0, |width| *width.min(&MIN_LAST_COLUMN));
        let is_beside = self.columns >= 4 + before + needed;
        if head.iter().any(|name| !name.is_empty()) {
            self.row(&head, &widths, &right, is_beside, true);
        }
        for row in &rows {
            self.row(row, &widths, &right, is_beside, false);
        }
    }

    fn widths(&self, head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
        let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
        for row in rows {
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
        widths
    }

    fn row(&mut self, row: &[String], widths: &[usize], right: &[bool], is_beside: bool, is_head: bool) {
        let last = widths.len().saturating_sub(1);
        let mut lead = String::new();
        for ((cell, width), right) in row.iter().zip(widths).zip(right).take(last) {
            let cell: String = if cell.chars().count() > *width {
                cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
            } else {
                cell.clone()
            };
            let _ = if *right { write!(lead, "{cell:>width$}  ") } else { write!(lead, "{cell:<width$}  ") };
        }
        let mut cell = row.get(last).filter(|_| is_beside || !is_head).cloned().unwrap_or_default();
        if right.get(last) == Some(&true) {
            cell = format!("{cell:>width$}", width = widths.get(last).copied().unwrap_or(0));
        }
        let mut indent = lead.chars().count();
        if !is_beside {
            let _ = writeln!(self.out, "{}", format!("    {lead}").trim_end());
            (indent, lead) = (6, " ".repeat(6));
        }
        // What stands in the last column is told in full, below itself if need be.
        let parts = wrap(&cell, self.columns.saturating_sub(4 + indent).max(20));
        for part in parts.iter().filter(|part| is_beside || !part.is_empty()) {
            let _ = writeln!(self.out, "{}", format!("    {lead}{part}").trim_end());
            lead = " ".repeat(indent);
        }
    }
}

/// Rows told of a table.
fn limit(table: &Table) -> usize {
    if table.is_whole { usize::MAX } else { MAX_TABLE_ROWS }
}

/// A verdict as a character, with the space behind it.
pub(super) fn symbol(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✓ ",
        Tone::Bad => "✗ ",
        Tone::Warn => "! ",
        Tone::Quiet => "· ",
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
