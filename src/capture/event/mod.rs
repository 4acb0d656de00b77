//! The event: the typed, redacted shape of one line of the log.
//!
//! Declaration order is key order. What is absent is omitted, counts and sizes are integers, a field has one type for
//! ever. Names outside `finesse` are ECS 8.17's; `docs/events.md` tells what each means. Built by
//! [`redact`](super::redact) alone; borrows what it can from the observation.

mod finding;
mod stream;
mod update;

pub use finding::{Fact, Finding, Summary, SummaryFinding, SummaryPings, SummaryStage, SummaryState};
pub use stream::{Stream, StreamClose, StreamCount};
pub use update::{ApiError, CausedBy, Participant, Thing, Update, UpdateDialog, UpdateUser};

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
#[serde(default)]
pub struct Event<'a> {
    #[serde(rename = "@timestamp", serialize_with = "rfc3339", deserialize_with = "moment")]
    pub(super) timestamp: Moment,
    pub(super) event: Meta,
    pub(super) log: Log,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Box<Http<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Box<Tls<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<UserAgent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Fault<'a>>,
    pub(super) finesse: Finesse<'a>,
    pub(super) ecs: Ecs,
}

/// `event.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Meta {
    /// Absent for `log-opened`, which stands outside the numbered stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    pub(super) id: String,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) kind: Word,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    pub(super) category: Words,
    #[serde(rename = "type", skip_serializing_if = "<[_]>::is_empty")]
    #[serde(deserialize_with = "vocabulary::words")]
    pub(super) types: Words,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) action: Word,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) dataset: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) outcome: Option<Word>,
    /// Nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<u64>,
}

/// `log.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Log {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) level: Word,
}

/// `trace.id`, `transaction.id`, `finesse.session.id` …
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Id<'a> {
    pub(super) id: Cow<'a, str>,
}

/// `network.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[serde(default)]
pub struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) transport: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) protocol: Option<Word>,
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) application: Word,
}

/// `client.*`, `server.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) domain: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Text<'a>,
    pub(super) port: u16,
}

/// `http.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Http<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) version: Word,
    pub(super) request: HttpMessage<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<HttpMessage<'a>>,
}

/// `http.request.*`, `http.response.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct HttpMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Text<'a>,
    /// Head and body on the wire.
    pub(super) bytes: u64,
    pub(super) body: HttpBody<'a>,
}

/// `http.*.body.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct HttpBody<'a> {
    pub(super) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Text<'a>,
}

/// `tls.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Tls<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) version: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) version_protocol: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cipher: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_protocol: Text<'a>,
    pub(super) established: bool,
    pub(super) resumed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<TlsClient<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<TlsServer<'a>>,
}

/// `tls.client.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct TlsClient<'a> {
    pub(super) server_name: Cow<'a, str>,
}

/// `tls.server.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct TlsServer<'a> {
    pub(super) subject: Cow<'a, str>,
    pub(super) issuer: Cow<'a, str>,
    pub(super) not_before: String,
    pub(super) not_after: String,
    pub(super) hash: Hash<'a>,
    pub(super) x509: X509<'a>,
}

/// `tls.server.hash.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Hash<'a> {
    pub(super) sha256: Cow<'a, str>,
}

/// `tls.server.x509.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct X509<'a> {
    pub(super) alternative_names: Vec<Cow<'a, str>>,
}

/// `url.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Url<'a> {
    pub(super) path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Text<'a>,
}

/// `user.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct User<'a> {
    pub(super) name: Cow<'a, str>,
}

/// `user_agent.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct UserAgent<'a> {
    pub(super) original: Cow<'a, str>,
}

/// `error.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Fault<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Text<'a>,
}

/// `ecs.*`
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Ecs {
    #[serde(skip_deserializing)]
    version: Word,
}

impl Default for Ecs {
    fn default() -> Self {
        Self { version: ECS }
    }
}

/// `finesse.*`: everything of our own.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Finesse<'a> {
    #[serde(skip_deserializing)]
    pub(super) schema: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conn: Option<Conn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ws: Option<Ws<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<Box<Stream<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) direction: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) stage: Option<Word>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) keepalive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<TlsLeg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<Box<HttpFacts<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Api<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sasl: Option<Sasl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xmpp: Option<Xmpp<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) update: Option<Update<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decode: Option<Decode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finding: Option<Box<Finding<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Box<Summary<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Gap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capture: Option<Box<Capture<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redaction: Option<Redaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml_bytes: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) xml_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml: Text<'a>,
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
#[serde(default)]
pub struct Conn<'a> {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sni: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<Upstream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) by: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) how: Option<Word>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) unclean: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) c2s_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s2c_bytes: Option<u64>,
}

/// `finesse.conn.upstream.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Upstream {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connect_us: Option<u64>,
}

/// `finesse.tls.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct TlsLeg {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) leg: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) failed_by: Option<Word>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) client_certificate_requested: bool,
}

/// `finesse.ws.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Ws<'a> {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) protocols_offered: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions_offered: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accept_valid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opcode: Text<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wire_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fragments: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) compressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtt_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idle_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close: Option<WsClose<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) c2s: Option<WsCount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s2c: Option<WsCount>,
}

/// `finesse.ws.close.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct WsClose<'a> {
    pub(super) code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) initiator: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) handshake: Option<Word>,
}

/// `finesse.ws.c2s.*`, `finesse.ws.s2c.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
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
#[serde(default)]
pub struct HttpFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttfb_us: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) interim: Vec<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cut: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) by_proxy: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) request_headers: Vec<Header<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) response_headers: Vec<Header<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) truncated: bool,
}

/// One header field, redacted.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Header<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

/// `finesse.api.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Api<'a> {
    pub(super) resource: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    pub(super) operation: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caused: Option<Caused>,
}

/// `finesse.api.caused.*`: the event that came before the answer.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Caused {
    pub(super) sequence: u64,
    pub(super) after_ms: u64,
}

/// `finesse.sasl.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Sasl<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mechanism: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Text<'a>,
}

/// `finesse.xmpp.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Xmpp<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) kind: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Text<'a>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) stanza_type: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<Payload<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pubsub: Option<Pubsub<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jid: Text<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mechanisms: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtt_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_reply_to: Option<u64>,
}

/// `finesse.xmpp.payload.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Payload<'a> {
    pub(super) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) namespace: Cow<'a, str>,
}

/// `finesse.xmpp.pubsub.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Pubsub<'a> {
    pub(super) action: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subscription: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jid: Text<'a>,
}

/// `finesse.decode.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Decode {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) layer: Word,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    pub(super) opaque: bool,
}

/// `finesse.gap.*`
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Gap {
    pub(super) at: String,
    pub(super) events: u64,
    pub(super) bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_sequence: Option<u64>,
    /// Always `false`: a gap in the log never touches the traffic.
    pub(super) relay_affected: bool,
}

/// `finesse.capture.*` of `log-opened`.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Capture<'a> {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) version: Word,
    pub(super) run: Cow<'a, str>,
    pub(super) settings: Vec<Setting<'a>>,
    #[serde(skip_deserializing)]
    pub(super) policy: Vec<Treatment>,
    pub(super) policy_sha256: String,
    #[serde(skip_deserializing)]
    pub(super) note: Word,
    pub(super) file: u64,
}

/// One setting in force.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Setting<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

/// One row of the redaction policy.
#[derive(Serialize, Default)]
pub struct Treatment {
    pub(super) class: Word,
    pub(super) covers: Word,
    pub(super) treatment: Word,
}

/// `finesse.redaction.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[serde(default)]
pub struct Redaction {
    #[serde(deserialize_with = "vocabulary::one")]
    pub(super) level: Word,
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
