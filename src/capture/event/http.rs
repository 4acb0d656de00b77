//! HTTP exchanges: ECS's part, what ECS has no names for, and the REST call that an exchange was.
//!
//! Values are the peers', redacted; versions and operations are words of this program's own.

use super::Word;
use super::classed::{CONTENT, Classed, ID, MEDIA, METHOD, NODE, Text, Treat, URL, WORD, treat_all};
use crate::capture::policy::What;
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
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
    pub(in crate::capture) method: Text<'a, METHOD>,
    /// Of the `Content-Type`, lower case, without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) mime_type: Text<'a, MEDIA>,
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
    pub(in crate::capture) mime_type: Text<'a, MEDIA>,
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
    pub(in crate::capture) content: Text<'a, CONTENT>,
}

/// `finesse.http.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HttpFacts<'a> {
    /// The stream of an HTTP/2 connection on which it was; absent in HTTP/1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) stream: Option<u64>,
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
    pub(in crate::capture) resource: Classed<'a, NODE>,
    /// What the call does, from method, path and body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::OPERATION)))]
    pub(in crate::capture) operation: Option<Word>,
    /// The object's id in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) object_id: Text<'a, ID>,
    /// The `requestId` that the update will carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) request_id: Text<'a, ID>,
    /// The state that the request asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) state: Text<'a, WORD>,
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
    pub(in crate::capture) method: Text<'a, METHOD>,
    /// Its real URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) url: Text<'a, URL>,
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
    pub(in crate::capture) first: Text<'a, WORD>,
    /// Time stamp of the last line that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) last: Text<'a, WORD>,
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

treat_all! {
    Http<'_> { version, request, response }
    HttpBody<'_> { bytes, content }
    HttpFacts<'_> {
        stream, ttfb_us, interim, cut, by_proxy, request_headers, response_headers, rewrite, request_content_bytes,
        response_content_bytes, truncated,
    }
    Rewrite<'_> { count, request_headers, response_headers }
}

impl Treat for Api<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { resource, operation, object_id, request_id, state, caused, gadget, token, client_log } = self;
        if let Some(id) = object_id.as_mut().filter(|_| !pass.masks) {
            id.treat_as(if resource.starts_with("User") { What::Login } else { What::Number }, "", pass);
        } else {
            object_id.treat(pass);
        }
        pass.all(&mut [resource, operation, request_id, state, caused, gadget, token, client_log]);
    }
}

treat_all! {
    Caused { sequence, after_ms }
}

impl Treat for HttpRequest<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { method, mime_type, bytes, body } = self;
        body.treat_by(mime_type.as_deref(), pass);
        pass.all(&mut [method, mime_type, bytes]);
    }
}

impl Treat for HttpResponse<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { status_code, mime_type, bytes, body } = self;
        body.treat_by(mime_type.as_deref(), pass);
        pass.all(&mut [status_code, mime_type, bytes]);
    }
}

impl HttpBody<'_> {
    /// What a body is, its message's media type says.
    fn treat_by(&mut self, mime_type: Option<&str>, pass: &mut Pass<'_>) {
        match &mut self.content {
            Some(content) if !pass.masks => content.treat_as(What::Content, mime_type.unwrap_or_default(), pass),
            _ => self.treat(pass),
        }
    }
}

impl Treat for Header<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { name, value } = self;
        if pass.masks {
            if let Some(masked) = pass.guard.mask(value) {
                *value = Cow::Owned(masked);
                pass.masked += 1;
            }
            return;
        }
        let kept = pass.header(std::mem::take(name), std::mem::take(value));
        (*name, *value) = kept.unwrap_or_default();
    }

    /// Whether neither its name nor its value may be written.
    fn is_gone(&self) -> bool {
        self.name.is_empty()
    }
}

treat_all! {
    Gadget<'_> { method, url, status_code }
    Token { expires_in_s, issued_at_s, expires_at_s, refreshable }
    ClientLog<'_> { lines, first, last, disconnects, failures }
}
