//! An event as one NDJSON line within a size limit.
//!
//! A line that would be too long loses the bulk of `finesse.xml` first, cut at a tag boundary, then the bodies and header
//! fields; what is cut is flagged. How values are written is `json`'s affair.

use super::event::{Classed, Event};
use super::json::{Json, escaped_char_len};
use serde::Serialize;

/// Longest line unless the user says otherwise, bytes with LF (rsyslog cuts at 8 KiB).
pub const DEFAULT_LINE_BYTES: usize = 8_000;
/// Shortest limit that can be asked for: room for every event without its bulk.
pub const MIN_LINE_BYTES: usize = 4_000;
/// Longest limit that can be asked for.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// Encodes `event` into `line` (cleared first), LF included, at most `limit_bytes` long.
pub(super) fn encode(event: &mut Event<'_>, limit_bytes: usize, line: &mut Vec<u8>) {
    write(event, line);
    if line.len() <= limit_bytes {
        return;
    }
    let excess = line.len() - limit_bytes;
    if let Some(xml) = event.finesse.xml.take() {
        // `"xml_truncated":true,` comes on top.
        let room = escaped_len(&xml).saturating_sub(excess + 24);
        let kept = cut_at_tag(&xml, room);
        event.finesse.xml = (!kept.is_empty()).then(|| Classed::new(kept.to_owned()));
        event.finesse.xml_truncated = true;
        write(event, line);
        if line.len() <= limit_bytes {
            return;
        }
    }
    shorten(event, limit_bytes, line);
}

/// What else is bulky, given up one after the other.
fn shorten(event: &mut Event<'_>, limit_bytes: usize, line: &mut Vec<u8>) {
    let steps: [fn(&mut Event<'_>); 6] = [
        |event| event.finesse.xml = None,
        |event| {
            if let Some(response) = event.http.as_mut().and_then(|http| http.response.as_mut()) {
                response.body.content = None;
            }
        },
        |event| {
            if let Some(http) = &mut event.http {
                http.request.body.content = None;
            }
        },
        |event| {
            if let Some(facts) = &mut event.finesse.http {
                facts.request_headers.clear();
                facts.response_headers.clear();
                if let Some(rewrite) = &mut facts.rewrite {
                    rewrite.request_headers.clear();
                    rewrite.response_headers.clear();
                }
            }
        },
        |event| {
            if let Some(url) = &mut event.url {
                url.query = None;
                url.path.cut(256);
            }
            event.user_agent = None;
        },
        |event| {
            event.finesse.update = None;
            event.finesse.xmpp = None;
            event.tls = None;
        },
    ];
    for step in steps {
        step(event);
        if let Some(facts) = &mut event.finesse.http {
            facts.truncated = true;
        }
        write(event, line);
        if line.len() <= limit_bytes {
            return;
        }
    }
}

fn write(event: &Event<'_>, line: &mut Vec<u8>) {
    line.clear();
    let written = event.serialize(&mut Json::new(line));
    debug_assert!(written.is_ok(), "a field of a kind that `json` cannot write");
    if written.is_err() {
        // Rather a line whose odd characters are not escaped than half a line.
        line.clear();
        let _ = serde_json::to_writer(&mut *line, event);
    }
    line.push(b'\n');
}

/// The longest beginning of `xml` that ends behind a `>` and is at most `room` bytes long once escaped.
fn cut_at_tag(xml: &str, room: usize) -> &str {
    let mut cost = 0;
    let mut end = 0;
    for (at, c) in xml.char_indices() {
        cost += escaped_char_len(c);
        if cost > room {
            break;
        }
        if c == '>' {
            end = at + 1;
        }
    }
    xml.get(..end).unwrap_or_default()
}

fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(xml: &str, limit_bytes: usize) -> (Vec<u8>, serde_json::Value) {
        let mut event = Event::default();
        event.finesse.xml = Some(Classed::new(xml));
        let mut line = Vec::new();
        encode(&mut event, limit_bytes, &mut line);
        let value = serde_json::from_slice(&line).unwrap();
        (line, value)
    }

    #[test]
    fn a_long_line_is_cut_at_a_tag() {
        let xml = format!("<a>{}</a>", "<b x=\"1\">text</b>".repeat(1_000));
        for limit in [1_000, 1_001, 1_002, 8_000] {
            let (line, value) = line(&xml, limit);
            assert!(line.len() <= limit && line.len() > limit - 60, "{} of {limit}", line.len());
            let kept = value["finesse"]["xml"].as_str().unwrap();
            assert!(kept.ends_with('>') && xml.starts_with(kept));
            assert_eq!(value["finesse"]["xml_truncated"], true);
        }
    }

    #[test]
    fn one_text_longer_than_the_line_leaves_no_half() {
        let (line, value) = line(&"x".repeat(20_000), 1_000);
        assert!(line.len() <= 1_000);
        assert!(value["finesse"].get("xml").is_none());
    }
}
