//! HTTP exchanges: ECS's part, what ECS has no names for, and the REST call that an exchange was.
//!
//! Values are the peers', redacted; versions and operations are words of this program's own.

use super::{Text, Word};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `http.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Http<'a> {
    /// HTTP version of the request.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::HTTP_VERSION)))]
    pub(in crate::capture) version: Word,
    /// What the browser sent.
    pub(in crate::capture) request: HttpRequest<'a>,
    /// What came back; absent if nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) response: Option<HttpResponse<'a>>,
}

/// `http.request.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpRequest<'a> {
    /// As it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) method: Text<'a>,
    /// Of the `Content-Type`, lower case, without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) mime_type: Text<'a>,
    /// Head and body on the wire.
    pub(in crate::capture) bytes: u64,
    /// The body.
    pub(in crate::capture) body: HttpBody<'a>,
}

/// `http.response.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpResponse<'a> {
    /// The final status.
    pub(in crate::capture) status_code: u16,
    /// Of the `Content-Type`, lower case, without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) mime_type: Text<'a>,
    /// Head and body on the wire.
    pub(in crate::capture) bytes: u64,
    /// The body.
    pub(in crate::capture) body: HttpBody<'a>,
}

/// `http.*.body.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpBody<'a> {
    /// Size on the wire, transfer coding taken off.
    pub(in crate::capture) bytes: u64,
    /// Of REST calls below `/finesse/api/`, `/desktop/api/` and `/desktop/sso/` only, decompressed and redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) content: Text<'a>,
}

/// `finesse.http.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpFacts<'a> {
    /// The stream of an HTTP/2 connection on which it was; absent in HTTP/1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) stream: Option<u32>,
    /// From the request's first byte to the response's, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) ttfb_us: Option<u64>,
    /// Status codes of interim responses (1xx).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) interim: Vec<u16>,
    /// `true` if request or response is incomplete; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) cut: bool,
    /// `true` if the answer is the proxy's own; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) by_proxy: bool,
    /// Header fields of the request, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) request_headers: Vec<Header<'a>>,
    /// Header fields of the response, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) response_headers: Vec<Header<'a>>,
    /// What was passed on with other values; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) rewrite: Option<Rewrite<'a>>,
    /// Length of the request's content, where its end was cut off; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_content_bytes: Option<u64>,
    /// Length of the response's content, where its end was cut off; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) response_content_bytes: Option<u64>,
    /// `true` if something was left out to keep the line within its limit; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) truncated: bool,
}

/// `finesse.http.rewrite.*`: header fields as they were passed on, where that is not as they came.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Rewrite<'a> {
    /// How many fields.
    pub(in crate::capture) count: u64,
    /// Those of the request as the server received them, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) request_headers: Vec<Header<'a>>,
    /// Those of the response as the browser received them, in order, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) response_headers: Vec<Header<'a>>,
}

/// One header field, redacted.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Header<'a> {
    /// Name, lower case.
    pub(in crate::capture) name: Cow<'a, str>,
    /// Value, redacted.
    pub(in crate::capture) value: Cow<'a, str>,
}

/// `finesse.api.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Api<'a> {
    /// Class of the node: `User`, `User/Dialogs`, `SystemInfo` …
    pub(in crate::capture) resource: Cow<'a, str>,
    /// What the call does, from method, path and body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OPERATION)))]
    pub(in crate::capture) operation: Option<Word>,
    /// The object's id in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) object_id: Text<'a>,
    /// The `requestId` that the update will carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_id: Text<'a>,
    /// The state that the request asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a>,
    /// The update that came before the answer to the request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) caused: Option<Caused>,
    /// The request that `/gadgets/makeRequest` sent for a gadget; resource, operation and answer are of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) gadget: Option<Gadget<'a>>,
    /// A token that SSO gave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) token: Option<Token>,
    /// An uploaded log of a desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) client_log: Option<ClientLog<'a>>,
}

/// `finesse.api.gadget.*`: what stands inside a `makeRequest`.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Gadget<'a> {
    /// Its real method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) method: Text<'a>,
    /// Its real URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) url: Text<'a>,
    /// Its real status; absent if none was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) status_code: Option<u64>,
}

/// `finesse.api.token.*`: how long a token lives; the token is never told.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Token {
    /// `expires_in` of the answer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) expires_in_s: Option<u64>,
    /// `iat` inside the token, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) issued_at_s: Option<u64>,
    /// `exp` inside the token, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) expires_at_s: Option<u64>,
    /// `true` if a refresh token came, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) refreshable: bool,
}

/// `finesse.api.client_log.*`: an uploaded client log in numbers; its text, which holds passwords, is not kept.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClientLog<'a> {
    /// Its lines.
    pub(in crate::capture) lines: u64,
    /// Time stamp of the first line that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) first: Text<'a>,
    /// Time stamp of the last line that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) last: Text<'a>,
    /// How often the desktop notes that it lost its connection.
    pub(in crate::capture) disconnects: u64,
    /// Answers that it notes with a status of 400 and above.
    pub(in crate::capture) failures: u64,
}

/// `finesse.api.caused.*`: the event that came before the answer.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Caused {
    /// Its `event.sequence`.
    pub(in crate::capture) sequence: u64,
    /// How long after the request it came, milliseconds.
    pub(in crate::capture) after_ms: u64,
}
