//! What an entry would have looked like on the wire: HTTP/1.1 heads and bodies, the upgrade.
//!
//! The browser has undone content codings, chunks, HTTP/2 and compression, so the fields that described them are left out
//! and lengths are those of what the HAR holds; [`unknown`] tells what it does not. A line break inside a field becomes a
//! space: a HAR cannot smuggle in a request.

use super::har::{Body, Entry, Pair, Url};
use crate::tap::feed::Unknown;
use bytes::Bytes;
use std::borrow::Cow;

/// Fields that say how a message was carried, not what it said.
const CARRIAGE: &[&str] =
    &["connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding"];
/// The key of RFC 6455 section 1.3, where the HAR has left out the browser's.
const SAMPLE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What the HAR does not tell of this entry.
pub(super) fn unknown(entry: &Entry, is_upgrade: bool) -> Unknown {
    let size = |body| match body {
        Body::Size(bytes) if !is_upgrade => Some(bytes),
        _ => None,
    };
    let answered = &entry.response.headers;
    Unknown {
        request_head: entry.request.headers.is_empty(),
        // Of an upgrade some makers keep what the page could see, and nothing of the handshake.
        response_head: answered.is_empty()
            || is_upgrade && value_of(answered, "upgrade").or(value_of(answered, "sec-websocket-accept")).is_none(),
        request_bytes: size(entry.sent()),
        response_bytes: size(entry.received()).filter(|_| entry.status().is_some_and(|status| !is_bare(entry, status))),
        failure: entry.failure().map(str::to_owned),
    }
}

/// A request, head and content; `upgrade` says whether it asks for a WebSocket.
pub(super) fn request(entry: &Entry, url: &Url, is_upgrade: bool) -> Bytes {
    let mut out = head_sent(entry, url);
    if is_upgrade {
        out.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\n");
        for (name, value) in [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", SAMPLE_KEY)] {
            if value_of(&entry.request.headers, name).is_none() {
                field(&mut out, name, value);
            }
        }
        out.push_str("\r\n");
        return out.into();
    }
    let content = content(entry.sent());
    if !content.is_empty() || matches!(entry.request.method.as_str(), "POST" | "PUT" | "PATCH") {
        field(&mut out, "Content-Length", &content.len().to_string());
    }
    message(out, &content)
}

/// Its response.
pub(super) fn response(entry: &Entry, status: u16) -> Bytes {
    let mut out = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    fields(&mut out, &entry.response.headers, &["content-encoding", "upgrade"]);
    if is_bare(entry, status) {
        return message(out, &[]);
    }
    let content = content(entry.received());
    field(&mut out, "Content-Length", &content.len().to_string());
    message(out, &content)
}

/// RFC 9110 section 6.4.1: these have no content, whatever they say of its length.
fn is_bare(entry: &Entry, status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304) || entry.request.method == "HEAD"
}

/// The acceptance of an upgrade. What the HAR does not have of it is not made up, but for what makes it one.
pub(super) fn upgrade_response(entry: &Entry) -> Bytes {
    let mut out = String::from("HTTP/1.1 101 Switching Protocols\r\n");
    let headers = &entry.response.headers;
    // Messages in a HAR are what came out of any extension; only the one whose frames may also go without it can be named.
    let extensions = value_of(headers, "sec-websocket-extensions").unwrap_or_default();
    let readable = extensions.split(',').all(|one| one.trim().starts_with("permessage-deflate"));
    fields(&mut out, headers, if readable { &["upgrade"] } else { &["upgrade", "sec-websocket-extensions"] });
    out.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    message(out, &[])
}

fn head_sent(entry: &Entry, url: &Url) -> String {
    let method = &entry.request.method;
    let method = if is_token(method) { method.as_str() } else { "GET" };
    let mut out = format!("{method} {} HTTP/1.1\r\n", url.target);
    if value_of(&entry.request.headers, "host").is_none() {
        field(&mut out, "Host", &url.server.to_string());
    }
    fields(&mut out, &entry.request.headers, &["upgrade"]);
    out
}

fn message(mut head: String, content: &[u8]) -> Bytes {
    head.push_str("\r\n");
    let mut out = head.into_bytes();
    out.extend(content);
    out.into()
}

fn content(body: Body<'_>) -> Cow<'_, [u8]> {
    match body {
        Body::Known(content) => content,
        Body::Size(_) => Cow::Borrowed(&[]),
    }
}

fn fields(out: &mut String, pairs: &[Pair], without: &[&str]) {
    for pair in pairs {
        let lower = pair.name.to_ascii_lowercase();
        if CARRIAGE.contains(&&*lower) || without.contains(&&*lower) || !is_token(&pair.name) {
            continue;
        }
        // Chrome joins the values of a repeated field by line breaks.
        for value in pair.value.split('\n') {
            field(out, &pair.name, value);
        }
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.extend(value.trim().chars().map(|c| if c.is_control() { ' ' } else { c }));
    out.push_str("\r\n");
}

fn value_of<'p>(pairs: &'p [Pair], name: &str) -> Option<&'p str> {
    pairs.iter().find(|pair| pair.name.eq_ignore_ascii_case(name)).map(|pair| &*pair.value)
}

/// RFC 9110 section 5.6.2. Leaves out HTTP/2's pseudo fields, which begin with a colon.
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= 256 && text.bytes().all(is_char)
}

/// The phrase that usually goes with a status; HTTP/2 has none, and nothing depends on it.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        304 => "Not Modified",
        401 => "Unauthorized",
        404 => "Not Found",
        _ => "-",
    }
}
