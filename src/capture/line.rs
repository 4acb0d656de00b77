//! An event as one NDJSON line within a size limit.
//!
//! Beside JSON's own escapes it escapes what could forge or reorder a line on somebody's screen: DEL and C1 controls,
//! U+2028/2029, bidirectional controls. A line that would be too long loses the bulk of `finesse.xml` first, cut at a tag
//! boundary, then the bodies and header fields; what is cut is flagged.

use super::event::{Bulk, Event};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::borrow::Cow;
use std::io;

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
    if let Some(Bulk(xml)) = event.finesse.xml.take() {
        // `"xml_truncated":true,` comes on top.
        let room = escaped_len(&xml).saturating_sub(excess + 24);
        let kept = cut_at_tag(&xml, room);
        event.finesse.xml = (!kept.is_empty()).then(|| Bulk(Cow::Owned(kept.to_owned())));
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
                url.path = Cow::Owned(url.path.get(..url.path.floor_char_boundary(256)).unwrap_or_default().to_owned());
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
    // A Vec takes everything and the types hold nothing that JSON cannot.
    let _ = event.serialize(&mut Serializer::with_formatter(&mut *line, Plain(CompactFormatter)));
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

fn escaped_char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ if is_forger(c) => 6,
        _ => c.len_utf8(),
    }
}

/// Characters that a terminal or viewer may obey rather than show.
fn is_forger(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// serde_json's compact form with forgers escaped, and bytes written as the string they are.
struct Plain(CompactFormatter);

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Every forger but DEL is beyond ASCII, and nearly everything that is logged is not.
        if fragment.bytes().fold(0, u8::max) < 0x7f {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, forger)) = rest.char_indices().find(|(_, c)| is_forger(*c)) {
            let (before, behind) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            write!(writer, "\\u{:04x}", u32::from(forger))?;
            rest = behind.get(forger.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    /// `text` is UTF-8.
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &[u8]) -> io::Result<()> {
        self.begin_string(writer)?;
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, behind) = rest.split_at(plain_bytes(rest));
            writer.write_all(plain)?;
            // Plain bytes are ASCII, so whole characters stand between them.
            let (odd, behind) = behind.split_at(behind.iter().take_while(|byte| !is_plain(**byte)).count());
            for character in String::from_utf8_lossy(odd).chars() {
                match character {
                    '"' => writer.write_all(br#"\""#)?,
                    '\\' => writer.write_all(br"\\")?,
                    '\n' => writer.write_all(br"\n")?,
                    '\r' => writer.write_all(br"\r")?,
                    '\t' => writer.write_all(br"\t")?,
                    '\u{8}' => writer.write_all(br"\b")?,
                    '\u{c}' => writer.write_all(br"\f")?,
                    '\0'..='\u{1f}' => write!(writer, "\\u{:04x}", u32::from(character))?,
                    forger if is_forger(forger) => write!(writer, "\\u{:04x}", u32::from(forger))?,
                    other => writer.write_all(other.encode_utf8(&mut [0; 4]).as_bytes())?,
                }
            }
            rest = behind;
        }
        self.end_string(writer)
    }
}

/// How many bytes from the beginning of `text` on stand for themselves.
fn plain_bytes(text: &[u8]) -> usize {
    /// Looked at in one go, without a branch between them, so that the compiler makes vector instructions of it.
    const BLOCK: usize = 32;
    let blocks = text.as_chunks::<BLOCK>().0;
    let plain =
        blocks.iter().take_while(|block| block.iter().fold(true, |all, byte| all & is_plain(*byte))).count() * BLOCK;
    plain + text.get(plain..).unwrap_or_default().iter().take_while(|byte| is_plain(**byte)).count()
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(xml: &str, limit_bytes: usize) -> (Vec<u8>, serde_json::Value) {
        let mut event = Event::default();
        event.finesse.xml = Some(Bulk(Cow::Borrowed(xml)));
        let mut line = Vec::new();
        encode(&mut event, limit_bytes, &mut line);
        let value = serde_json::from_slice(&line).unwrap();
        (line, value)
    }

    #[test]
    fn forgers_are_escaped_and_come_back() {
        let text = "a\u{202e}b\u{2028}c\u{85}d\u{7f}e\nfé ü “quoted” \u{feff}";
        let (line, value) = line(text, 8_000);
        assert_eq!(value["finesse"]["xml"], text);
        let shown = String::from_utf8(line).unwrap();
        assert_eq!(shown.chars().filter(|c| is_forger(*c) || c.is_control()).collect::<String>(), "\n");
    }

    #[test]
    fn the_bulk_is_escaped_as_serde_json_would() {
        let ascii: String = (0..128_u8).map(char::from).collect();
        let texts = [ascii.repeat(3), "é\"".repeat(40), "x".repeat(31) + "\n" + &"y".repeat(65) + "ü", String::new()];
        for text in texts.iter().flat_map(|text| (0..text.len()).filter_map(|from| text.get(from..))) {
            let (line, value) = line(text, 8_000);
            assert_eq!(value["finesse"]["xml"], text);
            let plainly = serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f");
            assert!(String::from_utf8(line).unwrap().contains(&plainly), "{plainly}");
        }
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
