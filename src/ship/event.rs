//! A line of a capture file as shippers see it: an event with its id and time, the rest untouched.
//!
//! What the capture says is what the receiver gets, the line of a later version too. A line that is no event (torn by a
//! crash, foreign) is told from one by the reason, never sent.

use crate::stored::Read;
use crate::stored::view::{Line, NoLine};
use bytes::Bytes;
use std::sync::Arc;

/// Longest id that is taken: Elasticsearch takes no longer `_id`.
const ID_MAX_BYTES: usize = 512;

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
    /// The file that it opens says that nothing was removed.
    pub(super) is_unredacted: bool,
}

impl Event {
    /// Reads a line without its LF; `host` is the server that its file is of. `see` is shown what it says.
    ///
    /// # Errors
    /// Why it is no event. The reason quotes nothing of it.
    pub(super) fn read(
        line: Bytes,
        host: Option<&Arc<str>>,
        see: &mut dyn FnMut(&Read<'_>),
    ) -> Result<Self, &'static str> {
        let read = match Line::read(&line) {
            Ok(read) => Read { text: &line, line: read },
            Err(NoLine::Torn) => return Err("it is torn: no whole JSON object"),
            Err(NoLine::Foreign) => return Err("not a line of a finesse-tap capture"),
        };
        let id: &str = &read.line.event.id;
        if id.is_empty() || id.len() > ID_MAX_BYTES {
            return Err("event.id is empty or too long");
        }
        see(&read);
        let observer = read.line.observer.as_ref().and_then(|observer| observer.name.as_deref()).map(Arc::from);
        let (id, at_us) = (id.to_owned(), read.line.at_us);
        let is_unredacted = read.line.setting("redact") == Some("off");
        Ok(Self { line, id, at_us, host: observer.or_else(|| host.cloned()), is_unredacted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Event, &'static str> {
        Event::read(Bytes::copy_from_slice(line.as_bytes()), None, &mut |_| ())
    }

    #[test]
    fn id_and_time_are_read_and_the_line_is_kept() {
        let line = r#"{"@timestamp":"2026-01-15T09:12:40.561300Z","event":{"sequence":57,"id":"01K-57","action":"x-y"},"finesse":{},"x":"\u00e9"}"#;
        let event = read(line).unwrap();
        assert_eq!((event.id.as_str(), event.at_us), ("01K-57", 1_768_468_360_561_300));
        assert_eq!(event.line, line);
    }

    #[test]
    fn what_is_no_event_is_named_without_being_quoted() {
        let of = |at: &str, id: &str| {
            format!(r#"{{"@timestamp":"{at}","event":{{"id":"{id}","action":"a"}},"finesse":{{}}}}"#)
        };
        assert!(read(&of("2026-01-15T09:12:40Z", "a")[..50]).unwrap_err().contains("torn"));
        assert!(read("hello").unwrap_err().contains("torn"));
        assert!(read(r#"{"event":{"id":"a"}}"#).unwrap_err().contains("finesse-tap"));
        assert!(read(&of("x", "a")).unwrap_err().contains("finesse-tap"));
        assert!(read(&of("2026-01-15T09:12:40Z", "")).unwrap_err().contains("empty"));
        assert!(Event::read(Bytes::from_static(b"\xff"), None, &mut |_| ()).is_err());
    }

    #[test]
    fn a_file_made_without_redaction_says_so() {
        let opening = |level: &str| {
            let line = format!(
                r#"{{"@timestamp":"2026-01-15T09:12:40Z","event":{{"id":"a","action":"log-opened"}},"finesse":{{"capture":{{"settings":[{{"name":"redact","value":"{level}"}}]}}}}}}"#
            );
            read(&line).unwrap().is_unredacted
        };
        assert_eq!((opening("auth"), opening("off")), (false, true));
    }
}
