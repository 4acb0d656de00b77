//! The event: the typed, redacted shape of one line of the log.
//!
//! Declaration order is key order. What is absent is omitted, counts and sizes are integers, a field has one type for
//! ever. Names outside `finesse` are ECS 8.17's; `docs/events.md` tells what each means. Built by
//! [`redact`](super::redact) alone; borrows what it can from the observation.
//!
//! Here stand [`Event`] and its [`Finesse`] part, whose fields lead to the rest:
//!
//! | lines | their fields |
//! |---|---|
//! | all | `ecs` |
//! | `connection-…` | `conn` |
//! | `tls-handshake` | `tls` |
//! | `http-exchange` | `http`, `stream` with BOSH |
//! | `http2-…` | `http2` |
//! | `websocket-…` | `ws`, `http` for the handshake |
//! | `stream-…` | `stream` |
//! | `xmpp-stanza`, `sasl-…` | `xmpp` |
//! | `finesse-update` | `xmpp`, `update` |
//! | `finding`, `session-summary` | `finding` |
//! | `log-opened`, `capture-gap`, `decode-error`, `note` | `capture` |

mod capture;
mod classed;
mod conn;
mod ecs;
mod finding;
mod http;
mod http2;
#[cfg(test)]
#[path = "schema_tests.rs"]
mod schema;
mod stream;
mod tls;
mod update;
mod ws;
mod xmpp;

pub use capture::{Capture, Decode, Gap, Note, Redaction, Setting, Treatment};
pub(in crate::capture) use classed::some;
pub use classed::{Classed, Treat};
pub use conn::{Conn, Upstream};
pub use ecs::{Ecs, Endpoint, Fault, Id, Log, Meta, Network, Observer, Transaction, Url, User, UserAgent};
pub use finding::{Fact, Finding, Summary, SummaryFinding, SummaryPings, SummaryStage, SummaryState};
pub use http::{
    Api, Caused, ClientLog, Gadget, Header, Http, HttpBody, HttpFacts, HttpRequest, HttpResponse, Rewrite, Token,
};
pub use http2::{Http2, Http2Count, Http2Settings};
pub use stream::{Stream, StreamClose, StreamCount};
pub use tls::{Hash, Tls, TlsClient, TlsLeg, TlsServer, X509};
pub use update::{
    ApiError, CausedBy, Participant, Statistics, System, TeamMessage, Thing, Update, UpdateDialog, UpdateUser,
};
pub use ws::{Ws, WsClose, WsCount};
pub use xmpp::{Payload, Pubsub, Sasl, Xmpp};

use super::policy::What;
use super::vocabulary;
use super::walk::{Pass, WEBSOCKET};
use crate::clock::Moment;
use classed::{STANZA, Text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Version of the `finesse` part: a new field is a new minor version.
pub const SCHEMA: &str = "1.1";
/// The ECS version that the other names are taken from.
pub const ECS: &str = "8.17.0";

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
    pub(super) transaction: Option<Transaction<'a>>,
    /// Who wrote the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) observer: Option<Observer<'a>>,
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
    /// What only HTTP/2 tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http2: Option<Box<Http2>>,
    /// The call of the Finesse REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Api<'a>>,
    /// XMPP authentication; never its payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sasl: Option<Sasl<'a>>,
    /// The stanza or stream element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xmpp: Option<Xmpp<'a>>,
    /// The Finesse notification in it; of an exchange, the object that the REST API answered with.
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
    pub(super) gap: Option<Gap<'a>>,
    /// What a person wrote down about this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Note<'a>>,
    /// The file this line opens (`log-opened`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capture: Option<Box<Capture<'a>>>,
    /// What was removed from this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redaction: Option<Redaction>,
    /// Size of the stanza before redaction and cutting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml_bytes: Option<u64>,
    /// `true` if the end of `xml` was cut off, at a tag or member, to keep the line within its limit; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) xml_truncated: bool,
    /// Not written: whether the document breaks off inside the stanza, so that what could not be read must be measured.
    #[serde(skip)]
    pub(super) is_broken: bool,
    /// The stanza, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xml: Text<'a, STANZA>,
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
            http2: None,
            api: None,
            sasl: None,
            xmpp: None,
            update: None,
            decode: None,
            finding: None,
            summary: None,
            gap: None,
            note: None,
            capture: None,
            redaction: None,
            xml_bytes: None,
            xml_truncated: false,
            is_broken: false,
            xml: None,
        }
    }
}

/// Events whose `error` is a sentence of this program's own.
const OWN_ERRORS: [&str; 6] =
    ["decode-error", "capture-gap", "redaction-blocked", "connection-closed", "connection-opened", "tls-handshake"];

impl Treat for Event<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self {
            timestamp: _,
            event,
            log,
            // Made anew of what is left.
            message: _,
            trace,
            transaction,
            observer,
            network,
            client,
            server,
            http,
            tls,
            url,
            user,
            user_agent,
            error,
            finesse,
            ecs: _,
        } = self;
        // The stanza first: if nothing is to be removed from it, nothing is from what the event tells of it.
        pass.is_broken = finesse.is_broken;
        finesse.xml.treat(pass);
        let masks = pass.masks;
        // A WebSocket's query is a credential whatever its keys.
        let used = if event.action == "websocket-opened" { WEBSOCKET } else { "" };
        let query = url.as_mut().and_then(|url| url.query.take_if(|_| !masks)).map(|mut query| {
            query.treat_as(What::Pairs, used, pass);
            query
        });
        let is_own = OWN_ERRORS.contains(&event.action) && !masks;
        let own = error.as_mut().and_then(|error| error.message.take_if(|_| is_own)).map(|mut own| {
            own.treat_as(What::Own, "", pass);
            own
        });
        pass.all(&mut [event, log, trace, transaction, observer, network, client, server, http, tls, url, user]);
        pass.all(&mut [user_agent, error, finesse]);
        if let (Some(url), Some(query)) = (url, query.filter(|query| !query.is_empty())) {
            url.query = Some(query);
        }
        if let (Some(error), Some(own)) = (error, own) {
            error.message = Some(own);
        }
    }
}

impl Treat for Finesse<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self {
            schema,
            session,
            conn,
            ws,
            stream,
            direction,
            stage,
            keepalive,
            tls,
            http,
            http2,
            api,
            sasl,
            xmpp,
            update,
            decode,
            finding,
            summary,
            gap,
            note,
            capture,
            redaction,
            xml_bytes,
            xml_truncated,
            // Treated before everything else.
            is_broken: _,
            xml: _,
        } = self;
        pass.all(&mut [
            schema, session, conn, ws, stream, direction, stage, keepalive, tls, http, http2, api, sasl, xmpp, update,
        ]);
        pass.all(&mut [decode, finding, summary, gap, note, capture, redaction, xml_bytes, xml_truncated]);
    }
}

/// Whether a text is not to be written.
fn is_empty<const WHAT: usize>(text: &Classed<'_, WHAT>) -> bool {
    text.is_empty()
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
