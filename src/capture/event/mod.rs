//! The event: the typed, redacted shape of one line of the log.
//!
//! Declaration order is key order. What is absent is omitted, counts and sizes are integers, a field has one type for
//! ever. Names outside `finesse` are ECS 8.17's; `docs/events.md` tells what each means. Built by
//! [`redact`](super::redact) alone; borrows what it can from the observation.

mod capture;
mod finding;
#[cfg(test)]
#[path = "schema_tests.rs"]
mod schema;
mod stream;
mod update;
mod web;

pub use capture::{Capture, Gap, Setting, Treatment};
pub use finding::{Fact, Finding, Summary, SummaryFinding, SummaryPings, SummaryStage, SummaryState};
pub use stream::{Stream, StreamClose, StreamCount};
pub use update::{ApiError, CausedBy, Participant, Thing, Update, UpdateDialog, UpdateUser};
pub use web::{Hash, Http, HttpBody, HttpRequest, HttpResponse, Tls, TlsClient, TlsServer, X509};

use super::vocabulary;
use crate::clock::Moment;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Version of the `finesse` part: a new field is a new minor version.
pub const SCHEMA: &str = "1.0";
/// The ECS version that the other names are taken from.
pub const ECS: &str = "8.17.0";

type Text<'a> = Option<Cow<'a, str>>;
/// A word of our own vocabulary ([`vocabulary`](super::vocabulary)): read back from a line, nothing else is taken.
type Word = &'static str;
type Words = &'static [&'static str];

/// One event.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Event<'a> {
    /// When the proxy read the bytes (for findings and summaries: when they were drawn), UTC, microseconds.
    #[serde(rename = "@timestamp", serialize_with = "rfc3339", deserialize_with = "moment")]
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub(super) timestamp: Moment,
    /// What kind of line this is, and its place in the stream.
    pub(super) event: Meta,
    /// How much a person should care.
    pub(super) log: Log,
    /// The gist in plain words, one line. For eyes, not for parsing: its wording may change.
    pub(super) message: String,
    /// The desktop session over all its sockets and REST calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<Id<'a>>,
    /// A REST request together with the update it caused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction: Option<Id<'a>>,
    /// The protocol the line is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<Network>,
    /// The browser's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Endpoint<'a>>,
    /// The Finesse server's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<Endpoint<'a>>,
    /// The request and its response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Box<Http<'a>>>,
    /// A TLS handshake of one leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Box<Tls<'a>>>,
    /// What was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<Url<'a>>,
    /// The agent, once known on the connection or socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<User<'a>>,
    /// The browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<UserAgent<'a>>,
    /// What went wrong, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Fault<'a>>,
    /// Everything of our own.
    pub(super) finesse: Finesse<'a>,
    /// Where the names outside `finesse` come from.
    pub(super) ecs: Ecs,
}

/// `event.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Meta {
    /// Numbers the stream of a run from 1 without holes. Absent for `log-opened`, which stands outside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    /// The run's ULID, `-`, and the sequence: the same for the same event, however often it is delivered.
    pub(super) id: String,
    /// Whether something happened (`event`), was concluded (`alert`), or is missing from the log (`pipeline_error`).
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::KIND)))]
    pub(super) kind: Word,
    /// ECS categories.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    #[cfg_attr(test, schemars(schema_with = "schema::categories"))]
    pub(super) category: Words,
    /// ECS types.
    #[serde(rename = "type", skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    #[cfg_attr(test, schemars(schema_with = "schema::types"))]
    pub(super) types: Words,
    /// What happened: the first field to filter by.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::ACTION)))]
    pub(super) action: Word,
    /// Always the same.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::DATASET)))]
    pub(super) dataset: Word,
    /// How it went; `unknown` for a request without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OUTCOME)))]
    pub(super) outcome: Option<Word>,
    /// How long it took, from the monotonic clock, nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<u64>,
}

/// `log.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Log {
    /// `error` if it failed for the agent, `warn` if something was lost, refused or unreadable.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LEVEL)))]
    pub(super) level: Word,
}

/// `trace.id`, `transaction.id`, `finesse.session.id` …
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Id<'a> {
    /// The identifier.
    pub(super) id: Cow<'a, str>,
}

/// `network.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Network {
    /// For the life of connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::TRANSPORT)))]
    pub(super) transport: Option<Word>,
    /// For what travels in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::PROTOCOL)))]
    pub(super) protocol: Option<Word>,
    /// Always the same.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::APPLICATION)))]
    pub(super) application: Word,
}

/// `client.*`, `server.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Endpoint<'a> {
    /// The name it was asked for by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) domain: Text<'a>,
    /// IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Text<'a>,
    /// TCP port.
    pub(super) port: u16,
}

/// `url.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Url<'a> {
    /// Path, redacted.
    pub(super) path: Cow<'a, str>,
    /// Query without `?`, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Text<'a>,
}

/// `user.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct User<'a> {
    /// Login id.
    pub(super) name: Cow<'a, str>,
}

/// `user_agent.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UserAgent<'a> {
    /// The header field as it was sent.
    pub(super) original: Cow<'a, str>,
}

/// `error.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Fault<'a> {
    /// TLS alert, XMPP error type, Finesse `errorType`; of `redaction-blocked` the action withheld.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Text<'a>,
    /// XMPP condition, Finesse `errorData`, reason of a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Text<'a>,
    /// In words: ours, or the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Text<'a>,
}

/// `ecs.*`
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ecs {
    /// Version of the Elastic Common Schema.
    #[serde(skip_deserializing)]
    #[cfg_attr(test, schemars(extend("const" = ECS)))]
    version: Word,
}

impl Default for Ecs {
    fn default() -> Self {
        Self { version: ECS }
    }
}

/// `finesse.*`: everything of our own.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Finesse<'a> {
    /// Version of this schema; a new field is a new minor version.
    #[serde(skip_deserializing)]
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub(super) schema: Word,
    /// The desktop session: one agent on one browser, over several sockets if need be (`s3`); counts from 1 in a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<Id<'a>>,
    /// The connection: one of the client and one to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conn: Option<Conn<'a>>,
    /// The WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ws: Option<Ws<'a>>,
    /// The XMPP stream, where that is no WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<Box<Stream<'a>>>,
    /// `c2s` browser to server, `s2c` server to browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::DIRECTION)))]
    pub(super) direction: Option<Word>,
    /// The stage of the login that this line reaches, first time in its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(schema_with = "schema::stages"))]
    pub(super) stage: Option<Word>,
    /// `true` for pings, pongs and white space; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) keepalive: bool,
    /// Which leg, and who refused whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<TlsLeg>,
    /// What ECS has no names for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Box<HttpFacts<'a>>>,
    /// The call of the Finesse REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Api<'a>>,
    /// XMPP authentication; never its payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sasl: Option<Sasl<'a>>,
    /// The stanza or stream element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xmpp: Option<Xmpp<'a>>,
    /// The Finesse notification in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) update: Option<Update<'a>>,
    /// What could not be read. Traffic is never affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decode: Option<Decode>,
    /// Something that went wrong or is about to, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finding: Option<Box<Finding<'a>>>,
    /// A desktop session in numbers: at its end, and each hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Box<Summary<'a>>>,
    /// What is missing from the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Gap>,
    /// The file this line opens (`log-opened`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capture: Option<Box<Capture<'a>>>,
    /// What was removed from this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redaction: Option<Redaction>,
    /// Size of the stanza before redaction and cutting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml_bytes: Option<u64>,
    /// `true` if `xml` was cut, at a tag, to keep the line within its limit; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) xml_truncated: bool,
    /// The stanza, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml: Option<Bulk<'a>>,
}

/// The bulk of most lines. It reaches the encoder as bytes, which [`line`](super::line) escapes many at a time; serde_json
/// looks at a text byte by byte.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Bulk<'a>(pub(super) Cow<'a, str>);

impl Serialize for Bulk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

impl Default for Finesse<'_> {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            session: None,
            conn: None,
            ws: None,
            stream: None,
            direction: None,
            stage: None,
            keepalive: false,
            tls: None,
            http: None,
            api: None,
            sasl: None,
            xmpp: None,
            update: None,
            decode: None,
            finding: None,
            summary: None,
            gap: None,
            capture: None,
            redaction: None,
            xml_bytes: None,
            xml_truncated: false,
            xml: None,
        }
    }
}

/// `finesse.conn.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Conn<'a> {
    /// `c7`; counts from 1 in a run.
    pub(super) id: String,
    /// The name the browser asked for in its ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sni: Text<'a>,
    /// The connection to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<Upstream>,
    /// Who ended it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(super) by: Option<Word>,
    /// How it ended. `unreachable`: the browser got a 502 page; `refused`: not TLS, or a name that is not fronted;
    /// `limit`: too many connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::HOW)))]
    pub(super) how: Option<Word>,
    /// `true` if the ending side sent no close_notify before its FIN; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) unclean: bool,
    /// Application bytes relayed from browser to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) c2s_bytes: Option<u64>,
    /// Application bytes relayed from server to browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s2c_bytes: Option<u64>,
}

/// `finesse.conn.upstream.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Upstream {
    /// The address dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<String>,
    /// TCP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    /// How long the TCP connect took, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connect_us: Option<u64>,
}

/// `finesse.tls.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TlsLeg {
    /// `client`: browser and proxy; `upstream`: proxy and server.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LEG)))]
    pub(super) leg: Word,
    /// Who ended the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(super) failed_by: Option<Word>,
    /// `true` if the server asked for a certificate; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) client_certificate_requested: bool,
}

/// `finesse.ws.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ws<'a> {
    /// `w2`; counts from 1 in a run.
    pub(super) id: String,
    /// Subprotocols in the request, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) protocols_offered: Vec<Cow<'a, str>>,
    /// Subprotocol selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Text<'a>,
    /// `Sec-WebSocket-Extensions` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions_offered: Text<'a>,
    /// `Sec-WebSocket-Extensions` of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Text<'a>,
    /// Whether `Sec-WebSocket-Accept` is right (RFC 6455 section 4.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accept_valid: Option<bool>,
    /// `text`, `binary`, `close`, `ping`, `pong` or `reserved-X`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("pattern" = "^(text|binary|close|ping|pong|reserved-[0-9a-f])$")))]
    pub(super) opcode: Text<'static>,
    /// Size of the payload, inflated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload_bytes: Option<u64>,
    /// Size of the payload on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wire_bytes: Option<u64>,
    /// Frames that carried the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fragments: Option<u64>,
    /// `true` for permessage-deflate; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) compressed: bool,
    /// Of JSON and Socket.IO: the message with its names, and of values their shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Text<'a>,
    /// Of a pong: since its ping, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtt_us: Option<u64>,
    /// How long nothing had passed on the socket before, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idle_ms: Option<u64>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close: Option<WsClose<'a>>,
    /// What passed from browser to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) c2s: Option<WsCount>,
    /// What passed from server to browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s2c: Option<WsCount>,
}

/// `finesse.ws.close.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct WsClose<'a> {
    /// Close code (RFC 6455 section 7.4); 1005: none in the frame; 1006: no frame.
    pub(super) code: u16,
    /// Close reason, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Text<'a>,
    /// Who sent the first Close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(super) initiator: Option<Word>,
    /// `full`: answered, `half`: not, `none`: no Close frame at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::CLOSE_HANDSHAKE)))]
    pub(super) handshake: Option<Word>,
}

/// `finesse.ws.c2s.*`, `finesse.ws.s2c.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct WsCount {
    /// Data messages.
    pub messages: u64,
    /// Their payload, inflated.
    pub payload_bytes: u64,
    /// Their payload on the wire.
    pub wire_bytes: u64,
    /// Control frames.
    pub controls: u64,
}

/// `finesse.http.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpFacts<'a> {
    /// From the request's first byte to the response's, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttfb_us: Option<u64>,
    /// Status codes of interim responses (1xx).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) interim: Vec<u16>,
    /// `true` if request or response is incomplete; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cut: bool,
    /// `true` if the answer is the proxy's own; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) by_proxy: bool,
    /// Header fields of the request, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) request_headers: Vec<Header<'a>>,
    /// Header fields of the response, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) response_headers: Vec<Header<'a>>,
    /// What was passed on with other values; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rewrite: Option<Rewrite<'a>>,
    /// `true` if something was left out to keep the line within its limit; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) truncated: bool,
}

/// `finesse.http.rewrite.*`: header fields as they were passed on, where that is not as they came.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rewrite<'a> {
    /// How many fields.
    pub(super) count: u64,
    /// Those of the request as the server received them, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) request_headers: Vec<Header<'a>>,
    /// Those of the response as the browser received them, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) response_headers: Vec<Header<'a>>,
}

/// One header field, redacted.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Header<'a> {
    /// Name, lower case.
    pub(super) name: Cow<'a, str>,
    /// Value, redacted.
    pub(super) value: Cow<'a, str>,
}

/// `finesse.api.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Api<'a> {
    /// Class of the node: `User`, `User/Dialogs`, `SystemInfo` …
    pub(super) resource: Cow<'a, str>,
    /// What the call does, from method, path and body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OPERATION)))]
    pub(super) operation: Option<Word>,
    /// The object's id in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_id: Text<'a>,
    /// The `requestId` that the update will carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Text<'a>,
    /// The state that the request asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Text<'a>,
    /// The update that came before the answer to the request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caused: Option<Caused>,
}

/// `finesse.api.caused.*`: the event that came before the answer.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Caused {
    /// Its `event.sequence`.
    pub(super) sequence: u64,
    /// How long after the request it came, milliseconds.
    pub(super) after_ms: u64,
}

/// `finesse.sasl.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Sasl<'a> {
    /// `PLAIN` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mechanism: Text<'a>,
    /// The condition of a refusal, such as `not-authorized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Text<'a>,
}

/// `finesse.xmpp.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Xmpp<'a> {
    /// Role of the element.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::XMPP_KIND)))]
    pub(super) kind: Word,
    /// Element name, where `kind` does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Text<'a>,
    /// The `type` attribute.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) stanza_type: Text<'a>,
    /// The `id` attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Text<'a>,
    /// The sender's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Text<'a>,
    /// The receiver's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Text<'a>,
    /// The first child element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Payload<'a>>,
    /// Publish-subscribe (XEP-0060).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pubsub: Option<Pubsub<'a>>,
    /// The resource asked for in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Text<'a>,
    /// The full JID given in a bind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jid: Text<'a>,
    /// SASL mechanisms offered, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mechanisms: Vec<Cow<'a, str>>,
    /// Of an answer: since its iq, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtt_us: Option<u64>,
    /// Of an answer: `event.sequence` of its iq.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_reply_to: Option<u64>,
}

/// `finesse.xmpp.payload.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Payload<'a> {
    /// Element name.
    pub(super) name: Cow<'a, str>,
    /// Its namespace.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) namespace: Cow<'a, str>,
}

/// `finesse.xmpp.pubsub.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Pubsub<'a> {
    /// `event`, `subscribe`, `unsubscribe`, `items` …
    pub(super) action: Cow<'a, str>,
    /// Node, such as `/finesse/api/User/1001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Text<'a>,
    /// Id of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Text<'a>,
    /// State of a subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscription: Text<'a>,
    /// The subscriber's JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jid: Text<'a>,
}

/// `finesse.decode.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Decode {
    /// Which decoder.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LAYER)))]
    pub(super) layer: Word,
    /// Where, bytes from the start of what that decoder was reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    /// Whether nothing more is read in that direction.
    pub(super) opaque: bool,
}

/// `finesse.redaction.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Redaction {
    /// The level in force.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::REDACTION_LEVEL)))]
    pub(super) level: Word,
    /// Values removed or replaced in this line.
    pub(super) count: u64,
}

fn rfc3339<S: Serializer>(at: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stamp_us(at.wall_us))
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    let stamp: jiff::Timestamp = text.parse().map_err(|_| serde::de::Error::custom("not a time"))?;
    Ok(Moment { wall_us: stamp.as_microsecond(), mono_ns: 0 })
}

/// Microseconds since 1970 as `2026-01-15T09:12:40.561300Z`.
pub(super) fn stamp_us(wall_us: i64) -> String {
    match jiff::Timestamp::from_microsecond(wall_us) {
        Ok(stamp) => format!("{stamp:.6}"),
        Err(_) => String::from("1970-01-01T00:00:00.000000Z"),
    }
}

/// Seconds since 1970 as `2026-01-15T09:12:40Z`.
pub(super) fn stamp_s(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(stamp) => format!("{stamp:.0}"),
        Err(_) => String::from("1970-01-01T00:00:00Z"),
    }
}
