//! A line of a capture as everybody reads it: the tolerant half of [`capture::event`](crate::capture::event).
//!
//! Borrows from the line where JSON has no escapes, ignores what it does not know, and needs only `@timestamp`, `event.id`,
//! `event.action` and `finesse`: lines of older and newer versions and of every redaction level read alike. Each field is
//! the one of that name in `docs/fields.md`, absent where the line has none. Nothing here is fit for a terminal or a page yet: it is somebody else's text.

#![expect(missing_docs, reason = "the fields are those of `docs/fields.md`")]

use crate::capture::ACTIONS;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// The major version of the schema that this program writes.
const SCHEMA_MAJOR: &str = "1";

/// Text out of a line. (serde borrows a `Cow` only where it stands alone, hence the wrapper.)
#[derive(Deserialize, Serialize, Clone, Default, PartialEq, Eq, Debug)]
#[serde(transparent)]
pub struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that may be absent.
pub type Word<'l> = Option<Text<'l>>;

/// Why a line is none of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoLine {
    /// It is no whole JSON object.
    Torn,
    /// It is JSON, but not of finesse-tap.
    Foreign,
}

/// One line.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'l"))]
pub struct Line<'l> {
    /// `@timestamp`, microseconds since 1970.
    #[serde(rename = "@timestamp", deserialize_with = "stamp_us")]
    pub at_us: i64,
    pub event: Meta<'l>,
    #[serde(default)]
    pub log: Log<'l>,
    #[serde(default)]
    pub message: Text<'l>,
    pub trace: Option<Id<'l>>,
    pub transaction: Option<Id<'l>>,
    pub client: Option<Endpoint<'l>>,
    pub server: Option<Endpoint<'l>>,
    pub http: Option<Http<'l>>,
    pub tls: Option<Tls<'l>>,
    pub url: Option<Url<'l>>,
    pub user: Option<User<'l>>,
    pub user_agent: Option<UserAgent<'l>>,
    pub observer: Option<Observer<'l>>,
    pub error: Option<Fault<'l>>,
    pub finesse: Finesse<'l>,
}

impl<'l> Line<'l> {
    /// Reads a line.
    ///
    /// # Errors
    /// It is none of a capture.
    pub fn read(text: &'l [u8]) -> Result<Self, NoLine> {
        serde_json::from_slice(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => NoLine::Foreign,
            _ => NoLine::Torn,
        })
    }

    /// Whether its schema is one that this program knows, but for fields that came later.
    #[must_use]
    pub fn is_known_schema(&self) -> bool {
        self.finesse.schema.split('.').next() == Some(SCHEMA_MAJOR)
    }

    /// The run that wrote it, in which sessions, connections and sockets are numbered: its `event.id` without the
    /// sequence, or of an opening line without `-file-N`.
    #[must_use]
    pub fn run(&self) -> &str {
        let id: &str = &self.event.id;
        let run = id.rsplit_once('-').map_or(id, |(run, _)| run);
        run.strip_suffix("-file").unwrap_or(run)
    }

    /// How long it took, microseconds; 0 for what has no length.
    #[must_use]
    pub fn took_us(&self) -> i64 {
        i64::try_from(self.event.duration.unwrap_or(0) / 1_000).unwrap_or(0)
    }

    /// When it began, microseconds since 1970.
    #[must_use]
    pub fn start_us(&self) -> i64 {
        self.at_us.saturating_sub(self.took_us())
    }

    /// Its event, where that is one this program does not know.
    #[must_use]
    pub fn unknown_action(&self) -> Option<&str> {
        let action: &str = &self.event.action;
        (!ACTIONS.contains(&action)).then_some(action)
    }

    /// What an opening line says of a setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let capture = self.finesse.capture.as_ref()?;
        capture.settings.iter().find(|setting| &*setting.name == name).map(|setting| &*setting.value)
    }

    /// Id of its session: `s1`.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.finesse.session.as_ref().map(|session| &*session.id)
    }

    /// Id of its connection: `c1`.
    #[must_use]
    pub fn conn(&self) -> Option<&str> {
        self.finesse.conn.as_ref().map(|conn| &*conn.id)
    }

    /// Id of its WebSocket: `w1`.
    #[must_use]
    pub fn ws(&self) -> Option<&str> {
        self.finesse.ws.as_ref().map(|ws| &*ws.id)
    }

    /// Id of its stream, if that is no WebSocket: `b2` of BOSH, `x2` of XMPP by itself.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.finesse.stream.as_ref().map(|stream| &*stream.id)
    }

    /// Whether the client sent it.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.finesse.direction.as_deref() == Some("c2s")
    }

    /// Whether the server sent it.
    #[must_use]
    pub fn is_received(&self) -> bool {
        self.finesse.direction.as_deref() == Some("s2c")
    }

    /// Whether it stands for a stanza or the like, on a WebSocket or any other stream.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(
            &*self.event.action,
            "xmpp-stanza" | "sasl-auth-sent" | "sasl-auth-result" | "finesse-update" | "websocket-message"
        )
    }

    /// The method of its request.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.http.as_ref()?.request.method.as_deref()
    }

    /// The status of its response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.http.as_ref()?.response.as_ref()?.status_code
    }
}

fn stamp_us<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let at: jiff::Timestamp = Text::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("no date"))?;
    Ok(at.as_microsecond())
}

/// `event.*`
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'l"))]
pub struct Meta<'l> {
    pub sequence: Option<u64>,
    pub id: Text<'l>,
    pub action: Text<'l>,
    pub outcome: Word<'l>,
    /// Nanoseconds.
    pub duration: Option<u64>,
}

/// `log.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Log<'l> {
    pub level: Text<'l>,
}

/// `transaction.id`, `finesse.session.id`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Id<'l> {
    pub id: Text<'l>,
}

/// `client.*`, `server.*`, `finesse.conn.upstream.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Endpoint<'l> {
    pub domain: Word<'l>,
    pub ip: Word<'l>,
    pub port: u16,
    pub connect_us: Option<u64>,
}

impl Endpoint<'_> {
    /// The name it was asked for by, or its address.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.domain.as_deref().or(self.ip.as_deref())
    }
}

/// `http.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Http<'l> {
    pub version: Text<'l>,
    pub request: HttpMessage<'l>,
    pub response: Option<HttpMessage<'l>>,
}

/// `http.request.*`, `http.response.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct HttpMessage<'l> {
    pub method: Word<'l>,
    pub status_code: Option<u16>,
    pub mime_type: Word<'l>,
    pub bytes: u64,
    pub body: HttpBody<'l>,
}

/// `http.*.body.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct HttpBody<'l> {
    pub bytes: u64,
    pub content: Word<'l>,
}

/// `tls.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Tls<'l> {
    pub version: Word<'l>,
    pub cipher: Word<'l>,
    pub next_protocol: Word<'l>,
    pub established: bool,
    pub resumed: bool,
    pub server: Option<TlsServer<'l>>,
}

/// `tls.server.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct TlsServer<'l> {
    pub subject: Text<'l>,
    pub issuer: Text<'l>,
    pub not_after: Text<'l>,
    pub hash: Hash<'l>,
}

/// `tls.server.hash.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Hash<'l> {
    pub sha256: Text<'l>,
}

/// `url.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Url<'l> {
    pub path: Text<'l>,
    pub query: Word<'l>,
}

impl Url<'_> {
    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_string(),
        }
    }
}

/// `user.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct User<'l> {
    pub name: Text<'l>,
}

/// `observer.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Observer<'l> {
    pub name: Word<'l>,
}

/// `user_agent.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct UserAgent<'l> {
    pub original: Text<'l>,
}

/// `error.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Fault<'l> {
    #[serde(rename = "type")]
    pub kind: Word<'l>,
    pub code: Word<'l>,
    pub message: Word<'l>,
}

/// `finesse.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Finesse<'l> {
    pub schema: Text<'l>,
    pub session: Option<Id<'l>>,
    pub conn: Option<Conn<'l>>,
    pub ws: Option<Ws<'l>>,
    pub stream: Option<Stream<'l>>,
    pub direction: Word<'l>,
    pub stage: Word<'l>,
    pub keepalive: bool,
    pub tls: Option<TlsLeg<'l>>,
    pub http: Option<HttpFacts<'l>>,
    pub api: Option<Api<'l>>,
    pub sasl: Option<Sasl<'l>>,
    pub xmpp: Option<Xmpp<'l>>,
    pub update: Option<Update<'l>>,
    pub finding: Option<Finding<'l>>,
    pub summary: Option<Summary<'l>>,
    pub gap: Option<Gap>,
    pub capture: Option<Capture<'l>>,
    pub redaction: Option<Redaction<'l>>,
    pub xml_bytes: Option<u64>,
    pub xml_truncated: bool,
    pub xml: Word<'l>,
}

/// `finesse.conn.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Conn<'l> {
    pub id: Text<'l>,
    pub upstream: Option<Endpoint<'l>>,
    pub by: Word<'l>,
    pub how: Word<'l>,
    pub unclean: bool,
    pub c2s_bytes: Option<u64>,
    pub s2c_bytes: Option<u64>,
}

/// `finesse.ws.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Ws<'l> {
    pub id: Text<'l>,
    pub protocol: Word<'l>,
    pub extensions: Word<'l>,
    pub opcode: Word<'l>,
    pub payload_bytes: Option<u64>,
    pub rtt_us: Option<u64>,
    pub idle_ms: Option<u64>,
    pub close: Option<WsClose<'l>>,
}

/// `finesse.ws.close.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct WsClose<'l> {
    pub code: u16,
    pub reason: Word<'l>,
    pub initiator: Word<'l>,
    pub handshake: Word<'l>,
}

/// `finesse.stream.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Stream<'l> {
    pub id: Text<'l>,
    pub close: Option<StreamClose<'l>>,
    pub c2s: Option<StreamCount>,
    pub s2c: Option<StreamCount>,
}

/// `finesse.stream.close.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct StreamClose<'l> {
    pub by: Word<'l>,
    pub how: Word<'l>,
    pub condition: Word<'l>,
}

/// `finesse.stream.c2s.*`, `finesse.stream.s2c.*`
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct StreamCount {
    pub bytes: u64,
}

/// `finesse.tls.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct TlsLeg<'l> {
    pub leg: Text<'l>,
    pub failed_by: Word<'l>,
}

/// `finesse.http.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct HttpFacts<'l> {
    pub ttfb_us: Option<u64>,
    pub cut: bool,
    pub request_headers: Vec<Header<'l>>,
    pub response_headers: Vec<Header<'l>>,
}

/// A header field.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Header<'l> {
    pub name: Text<'l>,
    pub value: Text<'l>,
}

/// `finesse.api.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Api<'l> {
    pub resource: Text<'l>,
    pub operation: Word<'l>,
    pub object_id: Word<'l>,
    pub request_id: Word<'l>,
    pub state: Word<'l>,
}

/// `finesse.sasl.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Sasl<'l> {
    pub mechanism: Word<'l>,
    pub reason: Word<'l>,
}

/// `finesse.xmpp.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Xmpp<'l> {
    pub kind: Text<'l>,
    #[serde(rename = "type")]
    pub stanza_type: Word<'l>,
    pub id: Word<'l>,
    pub from: Word<'l>,
    pub to: Word<'l>,
    pub payload: Option<Payload<'l>>,
    pub pubsub: Option<Pubsub<'l>>,
    pub resource: Word<'l>,
    pub jid: Word<'l>,
    pub rtt_us: Option<u64>,
    pub in_reply_to: Option<u64>,
}

/// `finesse.xmpp.payload.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Payload<'l> {
    pub name: Text<'l>,
    pub namespace: Text<'l>,
}

/// `finesse.xmpp.pubsub.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Pubsub<'l> {
    pub action: Text<'l>,
    pub node: Word<'l>,
    pub subscription: Word<'l>,
}

/// `finesse.update.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Update<'l> {
    pub event: Word<'l>,
    pub object: Text<'l>,
    pub source: Word<'l>,
    pub request_id: Word<'l>,
    pub caused_by: Option<CausedBy<'l>>,
    pub user: Option<UpdateUser<'l>>,
    pub dialog: Option<UpdateDialog<'l>>,
    pub api_error: Option<ApiError<'l>>,
}

/// `finesse.update.caused_by.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct CausedBy<'l> {
    pub sequence: Option<u64>,
    pub latency_us: Option<u64>,
    pub confidence: Word<'l>,
}

/// `finesse.update.user.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct UpdateUser<'l> {
    pub id: Word<'l>,
    pub name: Word<'l>,
    pub extension: Word<'l>,
    pub state: Word<'l>,
    pub state_change_time: Word<'l>,
    pub reason_code: Word<'l>,
    pub reason_label: Word<'l>,
    pub team_id: Word<'l>,
}

/// `finesse.update.dialog.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct UpdateDialog<'l> {
    pub id: Word<'l>,
    pub state: Word<'l>,
    pub call_type: Word<'l>,
    pub from_address: Word<'l>,
    pub to_address: Word<'l>,
    pub participants: Vec<Participant<'l>>,
}

/// `finesse.update.dialog.participants.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Participant<'l> {
    pub address: Word<'l>,
    pub state: Word<'l>,
}

/// `finesse.update.api_error.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct ApiError<'l> {
    #[serde(rename = "type")]
    pub error_type: Word<'l>,
}

/// `finesse.finding.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Finding<'l> {
    pub code: Text<'l>,
    pub title: Text<'l>,
    pub confidence: Text<'l>,
    pub count: Option<u64>,
    pub evidence: Vec<u64>,
    pub facts: Vec<Fact<'l>>,
    pub advice: Text<'l>,
    /// `event.id` of the finding that this one takes back or replaces.
    pub revises: Word<'l>,
}

/// `finesse.finding.facts.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Fact<'l> {
    pub name: Text<'l>,
    /// A text, number or truth.
    pub value: serde_json::Value,
}

/// `finesse.summary.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Summary<'l> {
    pub names: Vec<Text<'l>>,
    pub into: Word<'l>,
    pub stopped_at: Word<'l>,
    pub findings: Vec<Counted<'l>>,
}

/// `finesse.summary.findings.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Counted<'l> {
    pub code: Text<'l>,
    pub count: u64,
}

/// `finesse.gap.*`
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Gap {
    pub events: u64,
    pub bytes: u64,
}

/// `finesse.capture.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Capture<'l> {
    pub version: Text<'l>,
    pub settings: Vec<Setting<'l>>,
}

/// `finesse.capture.settings.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Setting<'l> {
    pub name: Text<'l>,
    pub value: Text<'l>,
}

/// `finesse.redaction.*`
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'l"))]
pub struct Redaction<'l> {
    pub level: Text<'l>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_golden_line_reads_and_borrows() {
        for text in include_str!("../../tests/playbook/login.ndjson").lines() {
            let line = Line::read(text.as_bytes()).unwrap();
            assert_eq!(line.run(), "01PLAYBOOK");
            assert!(line.is_known_schema());
            assert!(matches!(line.event.action.0, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn what_is_unknown_is_passed_over() {
        let text = br#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":"R-file-1","action":"new","odd":[1,{}]},
            "finesse":{"schema":"9.9","later":{"a":[null]}},"labels":{"x":"y"}}"#;
        let line = Line::read(text).unwrap();
        assert_eq!((line.run(), line.is_known_schema()), ("R", false));
    }

    #[test]
    fn what_is_none_is_told_apart() {
        let read = |text: &'static str| Line::read(text.as_bytes()).err();
        assert_eq!(read(r#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":"R-"#), Some(NoLine::Torn));
        assert_eq!(read(r#"{"a":1}"#), Some(NoLine::Foreign));
        assert_eq!(
            read(r#"{"@timestamp":"noon","event":{"id":"R-1","action":"x"},"finesse":{}}"#),
            Some(NoLine::Foreign)
        );
    }
}
