//! One line of a capture as far as a report needs it: the reading half of [`capture::event`](crate::capture::event).
//!
//! Borrows from the line, ignores fields it does not know, takes every field but four as optional: captures of older and newer
//! versions, and of every redaction level, read alike. What stands in a line is somebody else's text: nothing here is
//! fit for a terminal or a page before it went through [`words::plain`](super::words::plain).

use serde::Deserialize;
use std::borrow::Cow;

/// Text out of a line. (serde borrows a `Cow` only where it stands alone, hence the wrapper.)
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An optional text field.
type Word<'a> = Option<Text<'a>>;

/// The line.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    #[serde(rename = "@timestamp", borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) event: Meta<'a>,
    #[serde(borrow, default)]
    pub(super) log: Log<'a>,
    #[serde(borrow, default)]
    pub(super) message: Text<'a>,
    #[serde(borrow, default)]
    pub(super) client: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    pub(super) server: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    pub(super) http: Option<Http<'a>>,
    #[serde(borrow, default)]
    pub(super) url: Option<Url<'a>>,
    #[serde(borrow, default)]
    pub(super) user: Option<User<'a>>,
    #[serde(borrow, default)]
    pub(super) user_agent: Option<UserAgent<'a>>,
    #[serde(borrow, default)]
    pub(super) error: Option<Fault<'a>>,
    #[serde(borrow)]
    pub(super) finesse: Finesse<'a>,
}

#[derive(Deserialize)]
pub(super) struct Meta<'a> {
    pub(super) sequence: Option<u64>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    #[serde(borrow, default)]
    pub(super) outcome: Word<'a>,
    /// Nanoseconds.
    pub(super) duration: Option<u64>,
}

#[derive(Deserialize, Default)]
pub(super) struct Log<'a> {
    #[serde(borrow, default)]
    pub(super) level: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Id<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Endpoint<'a> {
    #[serde(borrow, default)]
    pub(super) domain: Word<'a>,
    #[serde(borrow, default)]
    pub(super) ip: Word<'a>,
    #[serde(default)]
    pub(super) port: u16,
}

#[derive(Deserialize)]
pub(super) struct Http<'a> {
    #[serde(borrow, default)]
    pub(super) request: Option<HttpMessage<'a>>,
    #[serde(borrow, default)]
    pub(super) response: Option<HttpMessage<'a>>,
}

#[derive(Deserialize)]
pub(super) struct HttpMessage<'a> {
    #[serde(borrow, default)]
    pub(super) method: Word<'a>,
    pub(super) status_code: Option<u16>,
}

#[derive(Deserialize)]
pub(super) struct Url<'a> {
    #[serde(borrow, default)]
    pub(super) path: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct User<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct UserAgent<'a> {
    #[serde(borrow, default)]
    pub(super) original: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Fault<'a> {
    #[serde(borrow, default)]
    pub(super) code: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct Finesse<'a> {
    #[serde(borrow, default)]
    pub(super) session: Option<Id<'a>>,
    #[serde(borrow, default)]
    pub(super) conn: Option<Conn<'a>>,
    #[serde(borrow, default)]
    pub(super) ws: Option<Ws<'a>>,
    #[serde(borrow, default)]
    pub(super) stream: Option<Stream<'a>>,
    #[serde(borrow, default)]
    pub(super) direction: Word<'a>,
    #[serde(default)]
    pub(super) keepalive: bool,
    #[serde(borrow, default)]
    pub(super) stage: Word<'a>,
    #[serde(default)]
    pub(super) http: Option<HttpFacts>,
    #[serde(borrow, default)]
    pub(super) api: Option<Api<'a>>,
    #[serde(borrow, default)]
    pub(super) xmpp: Option<Xmpp<'a>>,
    #[serde(borrow, default)]
    pub(super) update: Option<Update<'a>>,
    #[serde(borrow, default)]
    pub(super) finding: Option<Finding<'a>>,
    #[serde(borrow, default)]
    pub(super) summary: Option<Summary<'a>>,
    #[serde(default)]
    pub(super) gap: Option<Gap>,
    #[serde(borrow, default)]
    pub(super) redaction: Option<Redaction<'a>>,
    #[serde(borrow, default)]
    pub(super) capture: Option<Capture<'a>>,
    #[serde(default)]
    pub(super) xml_truncated: bool,
}

#[derive(Deserialize)]
pub(super) struct Conn<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) upstream: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    pub(super) by: Word<'a>,
    #[serde(borrow, default)]
    pub(super) how: Word<'a>,
    #[serde(default)]
    pub(super) unclean: bool,
    pub(super) c2s_bytes: Option<u64>,
    pub(super) s2c_bytes: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Ws<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) protocol: Word<'a>,
    #[serde(borrow, default)]
    pub(super) extensions: Word<'a>,
    #[serde(borrow, default)]
    pub(super) opcode: Word<'a>,
    pub(super) rtt_us: Option<u64>,
    #[serde(borrow, default)]
    pub(super) close: Option<WsClose<'a>>,
}

/// A stream that is no WebSocket.
#[derive(Deserialize)]
pub(super) struct Stream<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) close: Option<StreamClose<'a>>,
    #[serde(default)]
    pub(super) c2s: Option<StreamCount>,
    #[serde(default)]
    pub(super) s2c: Option<StreamCount>,
}

#[derive(Deserialize)]
pub(super) struct StreamClose<'a> {
    #[serde(borrow, default)]
    pub(super) by: Word<'a>,
    #[serde(borrow, default)]
    pub(super) how: Word<'a>,
    #[serde(borrow, default)]
    pub(super) condition: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct StreamCount {
    #[serde(default)]
    pub(super) bytes: u64,
}

#[derive(Deserialize)]
pub(super) struct WsClose<'a> {
    #[serde(default)]
    pub(super) code: u16,
    #[serde(borrow, default)]
    pub(super) reason: Word<'a>,
    #[serde(borrow, default)]
    pub(super) initiator: Word<'a>,
    #[serde(borrow, default)]
    pub(super) handshake: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct HttpFacts {
    #[serde(default)]
    pub(super) cut: bool,
}

#[derive(Deserialize)]
pub(super) struct Api<'a> {
    #[serde(borrow, default)]
    pub(super) operation: Word<'a>,
    #[serde(borrow, default)]
    pub(super) request_id: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct Xmpp<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
    #[serde(rename = "type", borrow, default)]
    pub(super) stanza_type: Word<'a>,
    #[serde(borrow, default)]
    pub(super) id: Word<'a>,
    #[serde(borrow, default)]
    pub(super) from: Word<'a>,
    #[serde(borrow, default)]
    pub(super) payload: Option<Payload<'a>>,
    #[serde(borrow, default)]
    pub(super) pubsub: Option<Pubsub<'a>>,
    pub(super) rtt_us: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Pubsub<'a> {
    #[serde(borrow, default)]
    pub(super) action: Text<'a>,
    #[serde(borrow, default)]
    pub(super) node: Word<'a>,
    #[serde(borrow, default)]
    pub(super) subscription: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct Update<'a> {
    #[serde(borrow, default)]
    pub(super) event: Word<'a>,
    #[serde(borrow, default)]
    pub(super) request_id: Word<'a>,
    #[serde(borrow, default)]
    pub(super) caused_by: Option<CausedBy<'a>>,
    #[serde(borrow, default)]
    pub(super) user: Option<UpdateUser<'a>>,
    #[serde(borrow, default)]
    pub(super) dialog: Option<UpdateDialog<'a>>,
    #[serde(borrow, default)]
    pub(super) api_error: Option<ApiError<'a>>,
}

#[derive(Deserialize)]
pub(super) struct CausedBy<'a> {
    pub(super) sequence: Option<u64>,
    pub(super) latency_us: Option<u64>,
    #[serde(borrow, default)]
    pub(super) confidence: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct UpdateUser<'a> {
    #[serde(borrow, default)]
    pub(super) id: Word<'a>,
    #[serde(borrow, default)]
    pub(super) name: Word<'a>,
    #[serde(borrow, default)]
    pub(super) extension: Word<'a>,
    #[serde(borrow, default)]
    pub(super) state: Word<'a>,
    #[serde(borrow, default)]
    pub(super) state_change_time: Word<'a>,
    #[serde(borrow, default)]
    pub(super) reason_code: Word<'a>,
    #[serde(borrow, default)]
    pub(super) reason_label: Word<'a>,
    #[serde(borrow, default)]
    pub(super) team_id: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct UpdateDialog<'a> {
    #[serde(borrow, default)]
    pub(super) id: Word<'a>,
    #[serde(borrow, default)]
    pub(super) state: Word<'a>,
    #[serde(borrow, default)]
    pub(super) call_type: Word<'a>,
    #[serde(borrow, default)]
    pub(super) from_address: Word<'a>,
    #[serde(borrow, default)]
    pub(super) to_address: Word<'a>,
    #[serde(borrow, default)]
    pub(super) participants: Vec<Participant<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Participant<'a> {
    #[serde(borrow, default)]
    pub(super) address: Word<'a>,
    #[serde(borrow, default)]
    pub(super) state: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct ApiError<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(super) error_type: Word<'a>,
}

#[derive(Deserialize)]
pub(super) struct Finding<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) title: Text<'a>,
    #[serde(borrow, default)]
    pub(super) confidence: Text<'a>,
    pub(super) count: Option<u64>,
    #[serde(default)]
    pub(super) evidence: Vec<u64>,
    #[serde(borrow, default)]
    pub(super) facts: Vec<Fact<'a>>,
    #[serde(borrow, default)]
    pub(super) advice: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Fact<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    /// A text, number or truth.
    pub(super) value: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct Summary<'a> {
    #[serde(borrow, default)]
    pub(super) stopped_at: Word<'a>,
    #[serde(borrow, default)]
    pub(super) findings: Vec<Counted<'a>>,
}

/// How often a session had a finding.
#[derive(Deserialize)]
pub(super) struct Counted<'a> {
    #[serde(borrow)]
    pub(super) code: Text<'a>,
    #[serde(default)]
    pub(super) count: u64,
}

#[derive(Deserialize)]
pub(super) struct Gap {
    #[serde(default)]
    pub(super) events: u64,
    #[serde(default)]
    pub(super) bytes: u64,
}

#[derive(Deserialize)]
pub(super) struct Redaction<'a> {
    #[serde(borrow)]
    pub(super) level: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Capture<'a> {
    #[serde(borrow, default)]
    pub(super) version: Text<'a>,
}

/// The run a line belongs to: its `event.id` without the part behind the last `-`, or for an opening line without
/// `-file-N`.
pub(super) fn run<'l>(line: &'l Line<'_>) -> &'l str {
    let id: &str = &line.event.id;
    let run = id.rsplit_once('-').map_or(id, |(run, _)| run);
    run.strip_suffix("-file").unwrap_or(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_golden_line_reads_and_borrows() {
        let golden = include_str!("../../tests/playbook/login.ndjson");
        for text in golden.lines() {
            let line: Line<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(run(&line), "01PLAYBOOK");
            assert!(matches!(line.event.action.0, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn what_is_unknown_is_passed_over() {
        let text = r#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":"R-file-1","action":"new","odd":[1,{}]},
            "finesse":{"schema":"9.9","later":{"a":[null]}},"labels":{"x":"y"}}"#;
        let line: Line<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(run(&line), "R");
    }
}
