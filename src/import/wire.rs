//! What an entry would have looked like on the wire: HTTP/1.1 heads and bodies, the upgrade.
//!
//! The browser has undone content codings, chunks, HTTP/2 and compression, so the fields that described them are left out and
//! lengths are those of what the HAR holds. A line break inside a field becomes a space: a HAR cannot smuggle in a request.

use super::har::{Entry, Pair, Url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tungstenite::handshake::derive_accept_key;

/// Fields that say how a message was carried, not what it said.
const CARRIAGE: &[&str] =
    &["connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding"];
/// The key of RFC 6455 section 1.3, where the HAR has left out the browser's.
const SAMPLE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request, head and content.
pub(super) fn request(entry: &Entry, url: &Url) -> Bytes {
    let content = content_sent(entry);
    let mut out = head_sent(entry, url, &["upgrade"]);
    if !content.is_empty() || matches!(entry.request.method.as_str(), "POST" | "PUT" | "PATCH") {
        field(&mut out, "Content-Length", &content.len().to_string());
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend(content);
    out.into()
}

/// Its response.
pub(super) fn response(entry: &Entry, status: u16) -> Bytes {
    let content = &entry.response.content;
    let content = match content.encoding.as_str() {
        "base64" => STANDARD.decode(content.text.as_bytes()).unwrap_or_default(),
        _ => content.text.clone().into_bytes(),
    };
    let mut out = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    fields(&mut out, &entry.response.headers, &["content-encoding", "upgrade"]);
    // RFC 9110 section 6.4.1: these have no content, whatever they say of its length.
    let bare = matches!(status, 100..=199 | 204 | 304) || entry.request.method == "HEAD";
    if !bare {
        field(&mut out, "Content-Length", &content.len().to_string());
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    if !bare {
        out.extend(content);
    }
    out.into()
}

/// The request for an upgrade.
pub(super) fn upgrade_request(entry: &Entry, url: &Url) -> Bytes {
    let mut out = head_sent(entry, url, &["upgrade"]);
    out.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    for (name, value) in [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", SAMPLE_KEY)] {
        if value_of(&entry.request.headers, name).is_none() {
            field(&mut out, name, value);
        }
    }
    out.push_str("\r\n");
    out.into()
}

/// Its acceptance.
pub(super) fn upgrade_response(entry: &Entry) -> Bytes {
    let mut out = String::from("HTTP/1.1 101 Switching Protocols\r\n");
    let headers = &entry.response.headers;
    // Messages in a HAR are what came out of any extension; only the one whose frames may also go without it can be named.
    let extensions = value_of(headers, "sec-websocket-extensions").unwrap_or_default();
    let readable = extensions.split(',').all(|one| one.trim().starts_with("permessage-deflate"));
    fields(&mut out, headers, if readable { &["upgrade"] } else { &["upgrade", "sec-websocket-extensions"] });
    out.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    // Without the browser's own key the right answer is not known to be right: the sample key's belongs to the sample key.
    if value_of(headers, "sec-websocket-accept").is_none()
        && value_of(&entry.request.headers, "sec-websocket-key").is_none()
    {
        field(&mut out, "Sec-WebSocket-Accept", &derive_accept_key(SAMPLE_KEY.as_bytes()));
    }
    out.push_str("\r\n");
    out.into()
}

fn head_sent(entry: &Entry, url: &Url, without: &[&str]) -> String {
    let method = &entry.request.method;
    let method = if is_token(method) { method.as_str() } else { "GET" };
    let mut out = format!("{method} {} HTTP/1.1\r\n", url.target);
    if value_of(&entry.request.headers, "host").is_none() {
        field(&mut out, "Host", &url.server.to_string());
    }
    fields(&mut out, &entry.request.headers, without);
    out
}

fn content_sent(entry: &Entry) -> Vec<u8> {
    let post = &entry.request.post_data;
    if !post.text.is_empty() {
        return post.text.clone().into_bytes();
    }
    // A browser that took the form apart has left its fields, some of them still escaped.
    let pairs: Vec<String> = post.params.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect();
    pairs.join("&").into_bytes()
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
