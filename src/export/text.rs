//! A transcript to read: time in UTC, session, direction, gist; a stanza's XML, indented, if asked for. The document that
//! stands escaped in a notification is shown as the XML it is.
//!
//! Keep-alives are left out. Nothing in it can move a terminal's cursor or reorder what it shows.

use super::line::{Captures, Told};
use crate::glyph::one_line;
use crate::stored::view::Line;
use std::io::Write;

/// Documents inside texts that are shown as such.
const MAX_NESTING: usize = 3;

/// What is shown of a stanza.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// Its gist.
    Gist,
    /// Its XML too.
    Xml,
}

/// Writes a transcript of `captures` to `out`.
///
/// # Errors
/// Reading or writing failed, or an event is not known.
pub fn text(
    captures: Captures<'_>,
    show: Show,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<Told> {
    let mut day = String::new();
    captures.each(progress, &mut |_, line| {
        if line.finesse.keepalive {
            return Ok(());
        }
        let at = super::line::stamp(line.at_us);
        let (date, time) = at.trim_end_matches('Z').split_once('T').unwrap_or(("", &at));
        if date != day {
            writeln!(out, "{}{date} UTC", if day.is_empty() { "" } else { "\n" })?;
            date.clone_into(&mut day);
        }
        writeln!(out, "{time}  {:<4} {}  {}", one_line(who(line)), arrow(line), one_line(&line.message))?;
        match (&line.finesse.xml, show) {
            (Some(xml), Show::Xml) => {
                let mut shown = String::with_capacity(xml.len() * 2);
                indent(xml, 0, 0, &mut shown);
                writeln!(out, "{shown}")
            }
            _ => Ok(()),
        }
    })
}

fn who<'l>(line: &'l Line<'_>) -> &'l str {
    line.session().or(line.conn()).unwrap_or("")
}

fn arrow(line: &Line<'_>) -> &'static str {
    match line.finesse.direction.as_deref() {
        Some("c2s") => "→",
        Some("s2c") => "←",
        _ if &*line.event.action == "http-exchange" => "↔",
        _ => "·",
    }
}

/// One tag a line, indented by depth, an element with nothing but text on one line. Does not understand XML beyond its
/// tags: whatever it is given is shown.
fn indent(xml: &str, base: usize, nesting: usize, out: &mut String) {
    let mut depth = base;
    let mut open = false;
    for piece in xml.split_inclusive('>') {
        let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        let (text, tag) = (one_line(text.trim()), one_line(tag));
        let is_end = tag.starts_with("</");
        if is_end {
            depth = depth.saturating_sub(1);
        }
        let below = depth + usize::from(is_end);
        let document = (nesting < MAX_NESTING && text.starts_with("&lt;")).then(|| unescaped(&text));
        // `<state>READY</state>` stays together.
        let stays = open && is_end && document.is_none();
        match document {
            Some(document) => indent(&document, below, nesting + 1, out),
            None if stays || text.is_empty() => {}
            None => line(out, below, &text),
        }
        match (stays, tag.is_empty()) {
            (true, _) => out.extend([text, tag.clone()]),
            (false, false) => line(out, depth, &tag),
            (false, true) => {}
        }
        open = tag.len() > 1 && !is_end && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!");
        depth += usize::from(open);
    }
}

/// One layer of XML's own references undone.
fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

fn line(out: &mut String, depth: usize, text: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&" ".repeat(10 + 2 * depth.min(40)));
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::stored::Sources;
    use std::path::PathBuf;

    /// Whoever made a capture may have put anything into any of its fields.
    #[test]
    fn no_field_of_a_capture_is_obeyed_by_a_terminal() {
        let wild = "\u{1b}[2Jx\u{202e}y\u{9b}31m";
        let capture = tempfile::NamedTempFile::new().unwrap();
        let line = serde_json::json!({
            "@timestamp": "2026-01-15T09:12:40.561300Z",
            "event": { "id": format!("RUN-1{wild}"), "action": "xmpp-stanza" },
            "message": format!("m{wild}"),
            "finesse": {
                "schema": "1.0", "session": { "id": format!("s1{wild}") }, "conn": { "id": wild },
                "direction": format!("c2s{wild}"), "xml": format!("<a {wild}='{wild}'>{wild}</a>"),
            },
        });
        std::fs::write(capture.path(), line.to_string() + "\n").unwrap();
        let sources = Sources::open(&[PathBuf::from(capture.path())], &mut |_| unreachable!()).unwrap();
        let captures = Captures { sources: &sources, filter: &Filter::default() };
        let mut out = Vec::new();
        text(captures, Show::Xml, &mut out, &mut |_, _| ()).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("s1") && out.contains("<a "), "{out}");
        assert!(!out.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{out:?}");
    }
}
