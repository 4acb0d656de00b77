//! Lines of captures, as far as exports use them, and where they are.
//!
//! Which lines there are is [`stored`](crate::stored)'s business. An event that this version does not know ends an export:
//! it would be left out in silence.

use crate::filter::Filter;
use crate::stored::view::Line;
use crate::stored::{LeftOut, Read, Sources};
use anyhow::bail;
use std::borrow::Cow;

/// What is exported: the events of captures that a filter takes.
#[derive(Clone, Copy)]
pub struct Captures<'s> {
    /// The captures.
    pub sources: &'s Sources,
    /// Which events of them.
    pub filter: &'s Filter,
}

/// Where a line is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    file: usize,
    offset_bytes: u64,
}

/// What came of reading.
#[derive(Default, Debug)]
pub struct Told {
    /// Lines of ours that were picked.
    pub lines: u64,
    /// Those of them that were asked for by themselves.
    pub asked_for: u64,
    /// Lines of ours that were not.
    pub not_picked: u64,
    /// Stanzas that the capture holds only in part.
    pub cut: u64,
    /// A capture says that nothing was removed from it.
    pub is_unredacted: bool,
    /// What was left out.
    pub left_out: LeftOut,
}

impl Captures<'_> {
    /// Shows every line that is picked to `see`, in order, and says what else was there.
    pub(super) fn each(
        &self,
        progress: &mut dyn FnMut(u64, u64),
        see: &mut dyn FnMut(Place, &Line<'_>) -> std::io::Result<()>,
    ) -> anyhow::Result<Told> {
        let mut told = Told::default();
        let asked_for = self.sources.each(self.filter, progress, &mut |seen| {
            let line = match &seen.read {
                Ok(read) => &read.line,
                Err(why) => {
                    told.left_out.add(seen.source.name(), seen.mark, why);
                    return Ok(());
                }
            };
            told.is_unredacted |= line.finesse.redaction.as_ref().is_some_and(|r| &*r.level == "off");
            if !seen.is_picked {
                told.not_picked += 1;
                return Ok(());
            }
            if let Some(action) = line.unknown_action() {
                let (source, number, action) = (seen.source.name(), seen.mark.number, action.escape_debug());
                bail!(
                    "{source}:{number}: this version does not know the event `{action}` (schema {})\nhint: export with the version that captured it, or without: --filter 'not kind {action}'",
                    line.finesse.schema
                );
            }
            told.lines += 1;
            told.cut += u64::from(line.finesse.xml_truncated);
            Ok(see(Place { file: seen.file, offset_bytes: seen.mark.offset_bytes }, line)?)
        })?;
        Ok(Told { asked_for, ..told })
    }

    /// The line at a place again; the buffer is its own.
    pub(super) fn line<'b>(&self, place: Place, buffer: &'b mut Vec<u8>) -> std::io::Result<Option<Read<'b>>> {
        let Some(source) = self.sources.files().get(place.file) else { return Ok(None) };
        let text = source.line(place.offset_bytes, buffer)?;
        Ok(Line::read(text).ok().map(|line| Read { text, line }))
    }
}

/// A message's text, or what stands in for one that was never kept.
pub(super) fn payload<'l>(line: &'l Line<'_>) -> Cow<'l, str> {
    match &line.finesse.xml {
        Some(xml) => Cow::Borrowed(xml),
        None if line.finesse.keepalive => Cow::Borrowed(" "),
        None => {
            let ws = line.finesse.ws.as_ref();
            let bytes = ws.and_then(|ws| ws.payload_bytes).or(line.finesse.xml_bytes).unwrap_or(0);
            Cow::Owned(not_kept(bytes))
        }
    }
}

/// The message before: one with several notifications makes a line for each, and is one message all the same.
#[derive(Default)]
pub(super) struct Before {
    at_us: i64,
    is_sent: bool,
    payload: String,
}

impl Before {
    /// Whether `line` stands for the same message as the line before it.
    pub(super) fn is_same(&mut self, line: &Line<'_>) -> bool {
        let (at_us, is_sent) = (line.at_us, line.is_sent());
        let payload = payload(line);
        let same = self.at_us == at_us && self.is_sent == is_sent && self.payload == payload;
        *self = Self { at_us, is_sent, payload: payload.into_owned() };
        same && &*line.event.action == "finesse-update"
    }
}

/// A time in a HAR and a transcript.
pub(super) fn stamp(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map(|at| format!("{at:.6}")).unwrap_or_default()
}

/// What stands in for content that the capture never had.
pub(super) fn not_kept(bytes: u64) -> String {
    format!("[{bytes} bytes, not kept]")
}

/// The phrase of a status (RFC 9110 section 15), for those that Finesse and its neighbours send.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "-",
    }
}
