//! A line of a capture file as shippers see it: an event with its id and time, the rest untouched.
//!
//! Reads three values and keeps the bytes: what the capture says is what the receiver gets. A line that is no event (torn
//! by a crash, foreign) is told from one by the reason, never sent.

use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;

/// One event, ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Event {
    /// The line, without its LF.
    pub(super) line: Bytes,
    /// `event.id`, by which a receiver knows it again.
    pub(super) id: String,
    /// `@timestamp`, microseconds since 1970-01-01T00:00:00Z.
    pub(super) at_us: i64,
    /// Where it was seen: `observer.name`, else the server that the capture is of.
    pub(super) host: Option<Arc<str>>,
}

/// What a line is when it begins a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Redaction {
    /// Credentials were removed, at the least.
    Some,
    /// The file says that nothing was removed.
    Off,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "@timestamp", borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    event: EventHead<'a>,
    #[serde(borrow, default)]
    observer: Option<Observer<'a>>,
}

#[derive(Deserialize)]
struct Observer<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct EventHead<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// Longest id that is taken: Elasticsearch takes no longer `_id`.
const ID_MAX_BYTES: usize = 512;

impl Event {
    /// Reads a line without its LF; `host` is the server that its file is of.
    ///
    /// # Errors
    /// Why it is no event. The reason quotes nothing of it.
    pub(super) fn read(line: Bytes, host: Option<&Arc<str>>) -> Result<Self, &'static str> {
        let Ok(text) = simdutf8::basic::from_utf8(&line) else { return Err("not UTF-8") };
        let head: Head<'_> = match serde_json::from_str(text) {
            Ok(head) => head,
            Err(error) if error.is_eof() => return Err("the line breaks off: it was torn by a crash"),
            Err(error) if error.is_syntax() => return Err("not JSON"),
            Err(_) => return Err("no event: @timestamp or event.id is missing"),
        };
        let Ok(at) = head.timestamp.parse::<jiff::Timestamp>() else { return Err("@timestamp is no time") };
        if head.event.id.is_empty() || head.event.id.len() > ID_MAX_BYTES {
            return Err("event.id is empty or too long");
        }
        let id = head.event.id.into_owned();
        let observer = head.observer.and_then(|observer| observer.name).map(Arc::from);
        Ok(Self { at_us: at.as_microsecond(), id, host: observer.or_else(|| host.cloned()), line })
    }

    /// What the opening line of a file says of its redaction; any other line says nothing against it.
    #[must_use]
    pub(super) fn redaction(&self) -> Redaction {
        #[derive(Deserialize)]
        struct Opening<'a> {
            #[serde(borrow)]
            finesse: Finesse<'a>,
        }
        #[derive(Deserialize)]
        struct Finesse<'a> {
            #[serde(borrow)]
            capture: Capture<'a>,
        }
        #[derive(Deserialize)]
        struct Capture<'a> {
            #[serde(borrow)]
            settings: Vec<Setting<'a>>,
        }
        #[derive(Deserialize)]
        struct Setting<'a> {
            name: Cow<'a, str>,
            value: Cow<'a, str>,
        }
        let opening: Result<Opening<'_>, _> = serde_json::from_slice(&self.line);
        let off = opening.is_ok_and(|opening| {
            opening.finesse.capture.settings.iter().any(|setting| setting.name == "redact" && setting.value == "off")
        });
        if off { Redaction::Off } else { Redaction::Some }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Event, &'static str> {
        Event::read(Bytes::copy_from_slice(line.as_bytes()), None)
    }

    #[test]
    fn id_and_time_are_read_and_the_line_is_kept() {
        let line = r#"{"@timestamp":"2026-01-15T09:12:40.561300Z","event":{"sequence":57,"id":"01K-57"},"x":"\u00e9"}"#;
        let event = read(line).unwrap();
        assert_eq!((event.id.as_str(), event.at_us), ("01K-57", 1_768_468_360_561_300));
        assert_eq!(event.line, line);
    }

    #[test]
    fn what_is_no_event_is_named_without_being_quoted() {
        let torn = r#"{"@timestamp":"2026-01-15T09:12:40.561300Z","event":{"id":"a"#;
        assert!(read(torn).unwrap_err().contains("torn"));
        assert_eq!(read("hello"), Err("not JSON"));
        assert!(read(r#"{"event":{"id":"a"}}"#).unwrap_err().contains("missing"));
        assert!(read(r#"{"@timestamp":"x","event":{"id":"a"}}"#).unwrap_err().contains("time"));
        assert!(read(r#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":""}}"#).unwrap_err().contains("empty"));
        assert_eq!(Event::read(Bytes::from_static(b"\xff"), None), Err("not UTF-8"));
    }

    #[test]
    fn a_file_made_without_redaction_says_so() {
        let opening = |level: &str| {
            let line = format!(
                r#"{{"@timestamp":"2026-01-15T09:12:40Z","event":{{"id":"a"}},"finesse":{{"capture":{{"settings":[{{"name":"redact","value":"{level}"}}]}}}}}}"#
            );
            read(&line).unwrap().redaction()
        };
        assert_eq!((opening("auth"), opening("off")), (Redaction::Some, Redaction::Off));
    }
}
