//! An event as one NDJSON line within a size limit.
//!
//! A line that would be too long loses the ends of its long texts: of the stanza, then of the answer's and the request's
//! content. Each is cut behind a tag or in front of a member, be they of the text itself or of a document that is escaped in
//! it, so that the envelope and the head of the payload stay; how long it was stands beside it. Only if that is not enough
//! do header fields and the rest go. How values are written is `json`'s affair.

use super::event::{Classed, Event};
use super::json::{Json, escaped_char_len};
use serde::Serialize;
use std::borrow::Cow;

/// Longest line unless the user says otherwise, bytes with LF: room for a call with all its variables, which is 7 to 12 kB
/// long, and below the 32 KiB at which collectors begin to give up.
pub const DEFAULT_LINE_BYTES: usize = 30_000;
/// Shortest limit that can be asked for: room for every event without its bulk.
pub const MIN_LINE_BYTES: usize = 4_000;
/// Longest limit that can be asked for.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// What says that something was cut, bytes: `"response_content_bytes":16777216,"truncated":true,`.
const NOTE_BYTES: usize = 64;

/// Encodes `event` into `line` (cleared first), LF included, at most `limit_bytes` long.
pub(super) fn encode(event: &mut Event<'_>, limit_bytes: usize, line: &mut Vec<u8>) {
    write(event, line);
    for shorten in [shorten_xml, shorten_response, shorten_request] {
        if line.len() <= limit_bytes {
            return;
        }
        if shorten(event, line.len() - limit_bytes) {
            write(event, line);
        }
    }
    if line.len() > limit_bytes {
        give_up(event, limit_bytes, line);
    }
}

fn shorten_xml(event: &mut Event<'_>, excess: usize) -> bool {
    let finesse = &mut event.finesse;
    let is_long = finesse.xml.is_some();
    if let Some(bytes) = shorten(&mut finesse.xml, excess) {
        finesse.xml_bytes.get_or_insert(bytes);
        finesse.xml_truncated = true;
    }
    is_long
}

fn shorten_response(event: &mut Event<'_>, excess: usize) -> bool {
    let Some(response) = event.http.as_mut().and_then(|http| http.response.as_mut()) else { return false };
    let Some(bytes) = shorten(&mut response.body.content, excess) else { return false };
    if let Some(facts) = &mut event.finesse.http {
        facts.response_content_bytes = Some(bytes);
        facts.truncated = true;
    }
    true
}

fn shorten_request(event: &mut Event<'_>, excess: usize) -> bool {
    let Some(http) = &mut event.http else { return false };
    let Some(bytes) = shorten(&mut http.request.body.content, excess) else { return false };
    if let Some(facts) = &mut event.finesse.http {
        facts.request_content_bytes = Some(bytes);
        facts.truncated = true;
    }
    true
}

/// Takes at least `excess` bytes of the line out of a text; tells how long the text was, if there is one.
fn shorten<const WHAT: usize>(text: &mut Option<Classed<'_, WHAT>>, excess: usize) -> Option<u64> {
    let whole = text.take()?;
    let room = escaped_len(&whole).saturating_sub(excess + NOTE_BYTES);
    let kept = head(&whole, room);
    let bytes = whole.len() as u64;
    *text = (!kept.is_empty()).then(|| Classed::new(kept.to_owned()));
    Some(bytes)
}

/// What else is bulky, given up one after the other.
fn give_up(event: &mut Event<'_>, limit_bytes: usize, line: &mut Vec<u8>) {
    let steps: [fn(&mut Event<'_>); 3] = [
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

/// The longest beginning of `text` that ends at a boundary and is at most `room` bytes long once escaped for JSON.
fn head(text: &str, room: usize) -> &str {
    let mut cost = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if c == ',' && is_member(text.get(at + 1..).unwrap_or_default()) {
            end = at;
        }
        cost += escaped_char_len(c);
        if cost > room {
            break;
        }
        let behind = at + c.len_utf8();
        if c == '>' || c == ';' && text.get(..behind).is_some_and(|before| before.ends_with("&gt;")) {
            end = behind;
        }
    }
    text.get(..end).unwrap_or_default()
}

/// Whether what follows a comma is another member or item of a JSON document, which may be escaped in XML.
fn is_member(rest: &str) -> bool {
    let rest = rest.trim_start();
    ["\"", "{", "[", "&quot;", "&#34;"].iter().any(|start| rest.starts_with(start))
}

fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::event::{Http, HttpBody, HttpRequest, HttpResponse};

    fn encoded(mut event: Event<'_>, limit_bytes: usize) -> (Vec<u8>, serde_json::Value) {
        let mut line = Vec::new();
        encode(&mut event, limit_bytes, &mut line);
        let value = serde_json::from_slice(&line).unwrap();
        (line, value)
    }

    fn line(xml: &str, limit_bytes: usize) -> (Vec<u8>, serde_json::Value) {
        let mut event = Event::default();
        event.finesse.xml = Some(Cow::Borrowed(xml));
        encoded(event, limit_bytes)
    }

    #[test]
    fn a_long_line_is_cut_at_a_tag_or_member_wherever_it_stands() {
        let cases = [
            (format!("<a>{}</a>", "<b x=\"1\">text</b>".repeat(2_000)), ">", 20),
            (format!("<m><n>{}</n></m>", "&lt;b&gt;a, b&lt;/b&gt;".repeat(2_000)), "&gt;", 30),
            (format!("<m><n>{{{}}}</n></m>", "&quot;a&quot;:&quot;b, c&quot;,".repeat(2_000)), "&quot;", 40),
            (format!("<m>{{{}}}</m>", "\"a\": {\"b\": [1, 2]}, ".repeat(2_000)), "}", 40),
        ];
        for (xml, end, slack) in cases {
            for limit in [4_000, 4_001, 4_002, 8_000] {
                let (line, value) = line(&xml, limit);
                assert!(line.len() <= limit && line.len() > limit - NOTE_BYTES - slack, "{} of {limit}", line.len());
                let kept = value["finesse"]["xml"].as_str().unwrap();
                assert!(kept.ends_with(end) && xml.starts_with(kept), "{}", &kept[kept.len() - 40..]);
                assert_eq!(value["finesse"]["xml_truncated"], true);
                assert_eq!(value["finesse"]["xml_bytes"], xml.len());
            }
        }
    }

    #[test]
    fn one_text_longer_than_the_line_leaves_no_half() {
        let (line, value) = line(&"x".repeat(20_000), 4_000);
        assert!(line.len() <= 4_000);
        assert!(value["finesse"].get("xml").is_none());
        assert_eq!(value["finesse"]["xml_truncated"], true);
    }

    #[test]
    fn of_long_bodies_the_heads_stay() {
        let body = |content: &str| HttpBody { bytes: 7, content: Some(Cow::Owned(content.to_owned())) };
        let (asked, answered) = ("<a>&amp;</a>".repeat(300), "{\"a\":\"b\",\"c\":[\"d\",\"e\"]},".repeat(3_000));
        let event = Event {
            http: Some(Box::new(Http {
                request: HttpRequest { body: body(&asked), ..HttpRequest::default() },
                response: Some(HttpResponse { body: body(&answered), ..HttpResponse::default() }),
                ..Http::default()
            })),
            ..Event::default()
        };
        let mut event = event;
        event.finesse.http = Some(Box::default());
        let (line, value) = encoded(event, 8_000);
        assert!(line.len() <= 8_000 && line.len() > 7_800, "{}", line.len());
        let kept = value["http"]["response"]["body"]["content"].as_str().unwrap();
        assert!(answered.starts_with(kept) && kept.len() > 1_000);
        assert_eq!(value["http"]["request"]["body"]["content"], asked);
        let facts = &value["finesse"]["http"];
        assert_eq!((&facts["truncated"], &facts["response_content_bytes"]), (&true.into(), &answered.len().into()));
        assert!(facts.get("request_content_bytes").is_none());
    }
}
