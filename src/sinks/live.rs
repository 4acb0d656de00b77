//! The view for a person: one line per record on standard error.
//!
//! `09:12:40.561  1001 ←  update   User 1001 NOT_READY → READY`: local time, agent (session or connection until one is
//! known), arrow, kind, message. Keep-alives are hidden unless asked for; a filter says which events are shown at all. On a
//! terminal a line is cut to its width, but findings, which are shown whole with what to do about them; and coloured unless
//! `NO_COLOR` is set. It is no capture: what a slow terminal misses is said in a line of its own and is no gap in the stream.
//!
//! Always UTF-8: the messages hold arrows and names anyway, and a Windows console is written to in its own encoding.

use crate::bus::{Abandoned, LINGER, Lot, Receiver};
use crate::capture::{Level, Record};
use crate::conn::Direction;
use crate::filter::{Filter, Owners};
use crate::glyph::is_obeyed;
use crate::stored::Read;
use crate::stored::view::Line;
use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

/// Whether pings, pongs and white space are worth a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepAlives {
    /// Leave them out.
    Hidden,
    /// Show them like the rest.
    Shown,
}

/// The sink for the eyes.
pub struct Live {
    keepalives: KeepAlives,
    zone: TimeZone,
    filter: Filter,
    /// Whose connections are, as far as it is known by then.
    owners: Owners,
}

impl Live {
    /// In the system's time zone; UTC where it has none.
    #[must_use]
    pub fn new(keepalives: KeepAlives, filter: Filter) -> Self {
        Self { keepalives, zone: TimeZone::system(), filter, owners: Owners::default() }
    }

    /// Shows records on standard error until the bus closes or nobody looks.
    pub fn run(mut self, receiver: &mut Receiver) {
        let mut stderr = anstream::stderr();
        let width = || {
            let size = terminal_size::terminal_size_of(std::io::stderr());
            size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
        };
        // Told to give up, or nobody looks: the receiver counts what is left.
        let _: Result<(), Abandoned> = self.show(&mut stderr, width, receiver);
    }

    fn show(
        &mut self,
        output: &mut impl Write,
        width_columns: impl Fn() -> Option<usize>,
        receiver: &mut Receiver,
    ) -> Result<(), Abandoned> {
        while let Some(items) = receiver.take() {
            let width_columns = width_columns();
            let mut text = String::new();
            for loss in receiver.own_losses() {
                let _ = writeln!(text, "{DIM}… {} events not shown{DIM:#}", loss.tally().events);
            }
            let records = items.iter().filter_map(|item| item.record());
            let mut records: Vec<&Record> = records.filter(|record| self.takes(record)).collect();
            // What began earlier may end later.
            records.sort_by_key(|record| record.at().wall_us);
            records.iter().for_each(|record| self.line(&mut text, record, width_columns));
            let mut lot = Lot::default();
            items.into_iter().for_each(|item| lot.add(item));
            write_all(output, text.as_bytes(), receiver)?;
            receiver.written(&lot);
        }
        Ok(())
    }

    fn takes(&mut self, record: &Record) -> bool {
        if self.filter.is_all() {
            return true;
        }
        let text = record.line();
        let Ok(line) = Line::read(text) else { return true };
        let read = Read { text, line };
        self.owners.learn(&read);
        self.filter.takes(&read, &self.owners)
    }

    fn line(&self, text: &mut String, record: &Record, width_columns: Option<usize>) {
        if record.keepalive() && self.keepalives == KeepAlives::Hidden {
            return;
        }
        let time = self.time(record);
        let who = plain(record.agent().unwrap_or(record.who()));
        let (arrow, arrow_style) = arrow(record.direction());
        let kind = kind(record.action());
        let style = level_style(record.level());
        let mut message = plain(record.message());
        let head_columns = time.len() + 2 + who.chars().count().max(4) + 2 + kind.len().max(7) + 4;
        let room = width_columns.map(|columns| columns.saturating_sub(head_columns));
        if record.action() == "finding" {
            let wrapped = |text: &str| match room.filter(|room| *room >= LEAST_COLUMNS) {
                Some(room) => textwrap::wrap(text, room).join(&format!("\n{:head_columns$}", "")),
                None => text.to_owned(),
            };
            message = wrapped(&message);
            if let Some(advice) = record.advice() {
                message += &format!("\n{:head_columns$}{}", "", wrapped(&format!("→ {advice}")));
            }
        } else if let Some(room) = room {
            cut(&mut message, room);
        }
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{DIM}{time}{DIM:#}  {who:<4} {arrow_style}{arrow}{arrow_style:#}  {kind:<7}  {style}{message}{style:#}"
        );
    }

    fn time(&self, record: &Record) -> String {
        let at = jiff::Timestamp::from_microsecond(record.at().wall_us).unwrap_or_default();
        let time = at.to_zoned(self.zone.clone()).time();
        format!("{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond())
    }
}

fn write_all(output: &mut impl Write, mut text: &[u8], receiver: &mut Receiver) -> Result<(), Abandoned> {
    while !text.is_empty() {
        match output.write(text) {
            Ok(n) if n > 0 => text = text.get(n..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A terminal set to non-blocking by whoever shares it is merely slow.
            Err(error) if error.kind() == ErrorKind::WouldBlock => receiver.pause(LINGER)?,
            Ok(_) | Err(_) => {
                receiver.stop();
                return Err(Abandoned);
            }
        }
    }
    Ok(())
}

/// With less room than this, lines are left to the terminal.
const LEAST_COLUMNS: usize = 20;

const DIM: Style = Style::new().dimmed();

fn arrow(direction: Option<Direction>) -> (char, Style) {
    match direction {
        Some(Direction::C2s) => ('→', AnsiColor::Cyan.on_default()),
        Some(Direction::S2c) => ('←', AnsiColor::Green.on_default()),
        None => ('·', DIM),
    }
}

fn level_style(level: Level) -> Style {
    match level {
        Level::Info => Style::new(),
        Level::Warn => AnsiColor::Yellow.on_default(),
        Level::Error => AnsiColor::Red.on_default(),
    }
}

/// At most seven letters for an `event.action`.
fn kind(action: &'static str) -> &'static str {
    match action {
        "log-opened" => "log",
        "connection-opened" | "connection-closed" => "conn",
        "tls-handshake" => "tls",
        "http-exchange" => "http",
        "websocket-opened" | "websocket-closed" | "websocket-control" | "websocket-message" => "ws",
        "stream-opened" | "stream-closed" => "stream",
        "xmpp-stanza" => "xmpp",
        "sasl-auth-sent" | "sasl-auth-result" => "auth",
        "finesse-update" => "update",
        "decode-error" => "decode",
        "capture-gap" => "gap",
        "redaction-blocked" => "blocked",
        "session-summary" => "session",
        other => other,
    }
}

/// The message without anything that moves a cursor or reorders text. There should be nothing of the kind; a terminal is
/// worth a second look.
fn plain(message: &str) -> String {
    message.chars().filter(|c| !is_obeyed(*c)).collect()
}

/// Cuts to `columns`, the last of them an ellipsis. Counts two columns for everything from U+1100 on but arrows and
/// punctuation: too much for some scripts, which only cuts earlier, but never too little.
fn cut(message: &mut String, columns: usize) {
    let columns_of = |c: char| if c < '\u{1100}' || ('\u{2000}'..'\u{2300}').contains(&c) { 1 } else { 2 };
    if message.chars().map(columns_of).sum::<usize>() <= columns {
        return;
    }
    let mut used = 0;
    let fits = |(_, c): &(usize, char)| {
        used += columns_of(*c);
        used < columns
    };
    let end = message.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8());
    message.truncate(end);
    if columns > 0 {
        message.push('…');
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
