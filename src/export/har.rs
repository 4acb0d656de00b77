//! A HAR 1.2 with Chrome's extension for WebSockets, as Chrome DevTools imports it.
//!
//! Chrome refuses a file in which a number is missing, so what is not known is -1. Two passes: the first remembers which
//! lines belong to which socket, the second writes entry by entry, so that a socket open since the morning is not held.

use super::line::{Before, Captures, Place, Told, not_kept, payload, reason, stamp};
use crate::stored::Read;
use crate::stored::view::{Endpoint, Header, Http, Line, Url};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};

/// Writes a HAR of `captures` to `out`.
///
/// # Errors
/// Reading or writing failed, or an event is not known.
pub fn har(captures: Captures<'_>, out: &mut dyn Write, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Told> {
    let mut outline = Outline::default();
    let told = captures.each(progress, &mut |place, line| {
        outline.add(place, line);
        Ok(())
    })?;
    let mut entries = outline.entries;
    entries.sort_by_key(|(start_us, _)| *start_us);
    let creator = json!({ "name": "finesse-tap", "version": env!("CARGO_PKG_VERSION") });
    let comment = "Made from a redacted capture. Numbers that are not known are -1. What finesse-tap decoded is under _xmpp and _finesse.";
    write!(
        out,
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"pages\":[],\"comment\":{},\"entries\":[",
        json!(comment)
    )?;
    let mut writer = Writer { captures, out, buffer: Vec::new() };
    for (number, (start_us, entry)) in entries.into_iter().enumerate() {
        writer.out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        match entry {
            Entry::Exchange(place) => writer.exchange(place)?,
            Entry::Socket(key) => {
                if let Some(socket) = outline.sockets.remove(&key) {
                    writer.socket(start_us, &socket)?;
                }
            }
        }
    }
    writer.out.write_all(b"\n]}}\n")?;
    Ok(told)
}

/// What the first pass finds.
#[derive(Default)]
struct Outline {
    entries: Vec<(i64, Entry)>,
    sockets: HashMap<Key, Socket>,
}

/// A run and a socket in it.
type Key = (String, String);

enum Entry {
    Exchange(Place),
    Socket(Key),
}

struct Socket {
    /// The line that opened it, or the first one that is there.
    first: Place,
    closed: Option<Place>,
    last_us: i64,
    messages: Vec<Place>,
}

impl Outline {
    fn add(&mut self, place: Place, line: &Line<'_>) {
        if &*line.event.action == "http-exchange" {
            self.entries.push((line.start_us(), Entry::Exchange(place)));
        }
        let Some(ws) = line.ws() else { return };
        let key = (line.run().to_owned(), ws.to_owned());
        let entries = &mut self.entries;
        let socket = self.sockets.entry(key).or_insert_with_key(|key| {
            entries.push((line.start_us(), Entry::Socket(key.clone())));
            Socket { first: place, closed: None, last_us: 0, messages: Vec::new() }
        });
        socket.last_us = socket.last_us.max(line.at_us);
        if line.is_message() {
            socket.messages.push(place);
        } else if &*line.event.action == "websocket-closed" {
            socket.closed = Some(place);
        }
    }
}

struct Writer<'w> {
    captures: Captures<'w>,
    out: &'w mut dyn Write,
    buffer: Vec<u8>,
}

impl Writer<'_> {
    fn exchange(&mut self, place: Place) -> io::Result<()> {
        let Some(Read { text, line }) = self.captures.line(place, &mut self.buffer)? else { return Ok(()) };
        let is_rest = line.finesse.api.is_some();
        let took_us = line.at_us.saturating_sub(line.start_us());
        let mut entry = entry(&line, text, "https", line.start_us(), took_us);
        set(&mut entry, "_resourceType", json!(if is_rest { "xhr" } else { "other" }));
        write!(self.out, "{entry}")
    }

    fn socket(&mut self, start_us: i64, socket: &Socket) -> io::Result<()> {
        let close = match socket.closed {
            Some(place) => self.captures.line(place, &mut self.buffer)?.and_then(|read| closing(&read.line)),
            None => None,
        };
        let Some(Read { text, line }) = self.captures.line(socket.first, &mut self.buffer)? else { return Ok(()) };
        let mut entry = entry(&line, text, "wss", start_us, socket.last_us.saturating_sub(start_us));
        set(&mut entry, "_resourceType", json!("websocket"));
        if line.http.is_none()
            && let Some(response) = entry.get_mut("response")
        {
            // Its beginning is in an earlier file; a socket with messages was accepted all the same.
            set(response, "status", json!(101));
            set(response, "statusText", json!(reason(101)));
        }
        if let Some(close) = close {
            set(&mut entry, "_webSocketClose", close);
        }
        let head = entry.to_string();
        write!(self.out, "{},\"_webSocketMessages\":[", head.strip_suffix('}').unwrap_or(&head))?;
        let mut before = Before::default();
        let mut is_first = true;
        for place in &socket.messages {
            let Some(Read { text, line }) = self.captures.line(*place, &mut self.buffer)? else { continue };
            if before.is_same(&line) {
                continue;
            }
            self.out.write_all(if is_first { b"\n " } else { b",\n " })?;
            is_first = false;
            write!(self.out, "{}", message(&line, text))?;
        }
        self.out.write_all(b"]}")
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(name.to_owned(), value);
    }
}

/// What every entry has; a line without HTTP gives one whose heads are unknown.
fn entry(line: &Line<'_>, text: &[u8], scheme: &str, start_us: i64, took_us: i64) -> Value {
    let server = line.server.as_ref();
    let host = server.and_then(Endpoint::host).unwrap_or("unknown.invalid");
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let target = line.url.as_ref().map_or_else(|| String::from("/"), Url::target);
    let url = format!("{scheme}://{host}:{}{target}", server.map_or(0, |server| server.port));
    let facts = line.finesse.http.as_ref();
    let query = line.url.as_ref().and_then(|url| url.query.as_deref()).unwrap_or_default();
    let wait_us = facts.and_then(|facts| facts.ttfb_us).and_then(|us| i64::try_from(us).ok());
    let timings = json!({
        "blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0,
        "wait": wait_us.map_or(json!(-1), ms),
        "receive": wait_us.map_or(json!(-1), |wait| ms(took_us.saturating_sub(wait).max(0))),
    });
    let conn = line.conn().map(|conn| format!("{}-{conn}", line.run()));
    let mut entry = json!({
        "startedDateTime": stamp(start_us),
        "time": ms(took_us),
        "request": request(line.http.as_ref(), &url, query, facts.map_or(&[], |facts| &facts.request_headers)),
        "response": response(line.http.as_ref(), facts.map_or(&[], |facts| &facts.response_headers)),
        "cache": {},
        "timings": timings,
        "_finesse": decoded(line, &whole(text)),
    });
    if let Some(conn) = conn {
        set(&mut entry, "connection", json!(conn));
    }
    if facts.is_some_and(|facts| facts.cut) {
        set(&mut entry, "comment", json!("the exchange was cut off"));
    }
    entry
}

fn request(http: Option<&Http<'_>>, url: &str, query: &str, headers: &[Header]) -> Value {
    let sent = http.map(|http| &http.request);
    let mut request = json!({
        "method": sent.and_then(|sent| sent.method.as_deref()).unwrap_or("GET"),
        "url": url,
        "httpVersion": version(http),
        "cookies": [],
        "headers": pairs(headers),
        "queryString": query.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect::<Vec<_>>(),
        "headersSize": sent.map_or(json!(-1), |sent| json!(sent.bytes.saturating_sub(sent.body.bytes))),
        "bodySize": sent.map_or(json!(-1), |sent| json!(sent.body.bytes)),
    });
    if let Some(sent) = sent.filter(|sent| sent.body.bytes > 0) {
        let text = sent.body.content.as_ref().map_or_else(|| not_kept(sent.body.bytes), ToString::to_string);
        set(&mut request, "postData", json!({ "mimeType": sent.mime_type.as_deref().unwrap_or(""), "text": text }));
    }
    request
}

fn response(http: Option<&Http<'_>>, headers: &[Header]) -> Value {
    let answer = http.and_then(|http| http.response.as_ref());
    let status = answer.and_then(|answer| answer.status_code).unwrap_or(0);
    let location = headers.iter().find(|header| header.name.eq_ignore_ascii_case("location"));
    let bytes = answer.map_or(0, |answer| answer.body.bytes);
    let mut content = json!({ "size": bytes, "mimeType": answer.and_then(|answer| answer.mime_type.as_deref()).unwrap_or("x-unknown") });
    match answer.and_then(|answer| answer.body.content.as_deref()) {
        Some(text) => set(&mut content, "text", json!(text)),
        None if bytes > 0 => set(&mut content, "comment", json!("not kept")),
        None => {}
    }
    json!({
        "status": status,
        "statusText": if status == 0 { "" } else { reason(status) },
        "httpVersion": version(http),
        "cookies": [],
        "headers": pairs(headers),
        "content": content,
        "redirectURL": location.map_or("", |location| &*location.value),
        "headersSize": answer.map_or(json!(-1), |answer| json!(answer.bytes.saturating_sub(answer.body.bytes))),
        "bodySize": answer.map_or(json!(-1), |answer| json!(answer.body.bytes)),
    })
}

fn version(http: Option<&Http<'_>>) -> String {
    format!("HTTP/{}", http.map_or("1.1", |http| &http.version))
}

fn pairs(headers: &[Header]) -> Vec<Value> {
    headers.iter().map(|header| json!({ "name": &*header.name, "value": &*header.value })).collect()
}

fn parameter(pair: &str) -> Value {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    json!({ "name": plain(name), "value": plain(value) })
}

/// A WebSocket message as Chrome writes it, with what we made of it.
fn message(line: &Line<'_>, text: &[u8]) -> Value {
    let is_binary = line.finesse.ws.as_ref().is_some_and(|ws| ws.opcode.as_deref() == Some("binary"));
    let mut message = json!({
        "type": if line.is_sent() { "send" } else { "receive" },
        "time": seconds(line.at_us),
        "opcode": if is_binary { 2 } else { 1 },
        // Binary content is written in base64, and was never kept.
        "data": if is_binary { "".into() } else { payload(line) },
    });
    let whole = whole(text);
    if let Some(xmpp) = whole.pointer("/finesse/xmpp") {
        set(&mut message, "_xmpp", xmpp.clone());
    }
    set(&mut message, "_finesse", decoded(line, &whole));
    message
}

/// A line with the fields that are handed on as they are.
fn whole(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_default()
}

/// What finesse-tap knows beside what a HAR has a place for.
fn decoded(line: &Line<'_>, whole: &Value) -> Value {
    let mut ours = json!({ "action": line.event.action, "gist": line.message });
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            set(&mut ours, name, value);
        }
    };
    add("sequence", line.event.sequence.map(Value::from));
    add("session", line.session().map(Value::from));
    add("ws", line.ws().map(Value::from));
    add("user", line.user.as_ref().map(|user| json!(user.name)));
    add("api", whole.pointer("/finesse/api").cloned());
    add("update", whole.pointer("/finesse/update").cloned());
    add("keepalive", line.finesse.keepalive.then_some(json!(true)));
    add("truncated", line.finesse.xml_truncated.then_some(json!(true)));
    add("bytes", line.finesse.xml_bytes.map(Value::from));
    ours
}

/// HTTP Toolkit's form, and who began.
fn closing(line: &Line<'_>) -> Option<Value> {
    let close = line.finesse.ws.as_ref()?.close.as_ref()?;
    Some(json!({
        "code": close.code,
        "reason": close.reason.as_deref().unwrap_or(""),
        "timestamp": seconds(line.at_us),
        "_initiator": close.initiator.as_deref().unwrap_or("unknown"),
    }))
}

/// Microseconds as seconds; a double holds them to the microsecond until the year 2255.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn seconds(us: i64) -> Value {
    json!(us as f64 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "durations are short")]
fn ms(us: i64) -> Value {
    json!(us as f64 / 1e3)
}
