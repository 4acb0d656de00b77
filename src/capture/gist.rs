//! An event's gist in plain words: `User 1001 NOT_READY → READY, 87 ms after its PUT`.
//!
//! Made from the redacted [`Event`], never from what was seen, so that a gist says nothing a field may not.

mod update;

use super::event::{Event, WsClose};
use crate::finesse::dictionary::{self, List};
use crate::session::findings::Code;
use std::fmt::Write as _;

/// Longest gist, bytes.
const MAX_GIST_BYTES: usize = 400;

/// The `message` of an event.
pub(super) fn gist(event: &Event<'_>) -> String {
    let mut out = String::with_capacity(80);
    // Writing to a String cannot fail.
    let _ = write(event, &mut out);
    if out.contains(char::is_control) {
        out = out.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    }
    out.truncate(out.floor_char_boundary(MAX_GIST_BYTES));
    out
}

fn write(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let why = event.error.as_ref().and_then(|error| error.message.as_deref());
    match event.event.action {
        "connection-opened" => opened(event, out),
        "connection-closed" => closed(event, why, out),
        "tls-handshake" => tls(event, why, out),
        "http-exchange" => exchange(event, out),
        "http2-settings" | "http2-goaway" | "http2-reset" | "http2-ping" | "http2-stalled" | "http2-limit" => {
            http2(event, out)
        }
        "websocket-opened" => {
            let ws = event.finesse.ws.as_ref();
            out.push_str("WebSocket open");
            match ws.and_then(|ws| ws.protocol.as_deref()) {
                Some(protocol) => write!(out, ", subprotocol {protocol}")?,
                None => out.push_str(", no subprotocol"),
            }
            if let Some(extensions) = ws.and_then(|ws| ws.extensions.as_deref()) {
                write!(out, ", {extensions}")?;
            }
            if ws.is_some_and(|ws| ws.accept_valid == Some(false)) {
                out.push_str(", Sec-WebSocket-Accept is wrong");
            }
            Ok(())
        }
        "websocket-closed" => {
            let close = event.finesse.ws.as_ref().and_then(|ws| ws.close.as_ref());
            let Some(close) = close else { return Ok(()) };
            out.push_str("WebSocket closed ");
            close_code(close, out)?;
            match (close.initiator, close.handshake) {
                (Some(by), Some(handshake)) => write!(out, " by {by}, {handshake} handshake")?,
                _ => out.push_str(": no Close frame was seen"),
            }
            if let Some(reason) = &close.reason {
                write!(out, ": {reason}")?;
            }
            Ok(())
        }
        "stream-opened" => stream_opened(event, out),
        "stream-closed" => stream_closed(event, out),
        "websocket-control" => {
            let Some(ws) = &event.finesse.ws else { return Ok(()) };
            write!(out, "WebSocket {}", ws.opcode.as_deref().unwrap_or("control"))?;
            if let Some(rtt) = ws.rtt_us {
                write!(out, " {}", duration_us(rtt))?;
            }
            if let Some(close) = &ws.close {
                out.push(' ');
                close_code(close, out)?;
                if let Some(reason) = &close.reason {
                    write!(out, " {reason}")?;
                }
            }
            Ok(())
        }
        "websocket-message" => {
            let Some(ws) = &event.finesse.ws else { return Ok(()) };
            if event.finesse.keepalive {
                return write!(out, "white space (keep-alive)");
            }
            let bytes = ws.payload_bytes.unwrap_or_default();
            write!(out, "{} message, {bytes} bytes, not XMPP", ws.opcode.as_deref().unwrap_or("data"))?;
            ws.text.as_deref().map_or(Ok(()), |text| write!(out, ": {text}"))
        }
        "sasl-auth-sent" => {
            let mechanism = event.finesse.sasl.as_ref().and_then(|sasl| sasl.mechanism.as_deref());
            write!(out, "auth {}", mechanism.unwrap_or("without mechanism"))?;
            event.user.as_ref().map_or(Ok(()), |user| write!(out, " as {}", user.name))
        }
        "sasl-auth-result" => {
            let reason = event.finesse.sasl.as_ref().and_then(|sasl| sasl.reason.as_deref());
            match event.event.outcome {
                Some("success") => write!(out, "auth succeeded"),
                _ => write!(out, "auth failed: {}", reason.unwrap_or("no reason given")),
            }
        }
        "finesse-update" => match &event.finesse.update {
            Some(update) => self::update::update(update, node_id(event), out),
            None => Ok(()),
        },
        "xmpp-stanza" => stanza(event, why, out),
        "decode-error" => {
            let Some(decode) = &event.finesse.decode else { return Ok(()) };
            write!(out, "cannot read {}: {}", decode.layer, why.unwrap_or_default())?;
            if decode.opaque {
                out.push_str("; nothing more is read in this direction");
            }
            Ok(())
        }
        "finding" => {
            let Some(finding) = &event.finesse.finding else { return Ok(()) };
            write!(out, "{}: {}", finding.code, finding.title)?;
            match (&finding.revises, finding.count) {
                (_, 0) => return write!(out, ": taken back"),
                (Some(_), _) => write!(out, ", in place of what was said before")?,
                (None, _) => {}
            }
            if finding.count > 1 {
                write!(out, ", {} times", finding.count)?;
            }
            let fact = |name: &str| finding.facts.iter().find(|fact| fact.name == name).map(|fact| &fact.value);
            // Sentences stand behind the facts, and what to do has a place of its own.
            let facts = finding.facts.iter().filter(|fact| !matches!(fact.name, "meaning" | "remedy"));
            for fact in facts {
                write!(out, ", {} {}", fact.name, fact.value)?;
            }
            if let Some(meaning) = fact("meaning") {
                write!(out, ". {meaning}")?;
            }
            match (fact("host"), fact("port")) {
                (Some(host), Some(port)) if finding.code == Code::HostNotFronted.as_str() => {
                    let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
                    write!(out, "; add --route {port}={host}:{port}")
                }
                _ => Ok(()),
            }
        }
        "session-summary" => summary(event, out),
        "note" => event.finesse.note.as_ref().map_or(Ok(()), |note| write!(out, "{}", note.text)),
        "capture-gap" | "redaction-blocked" => {
            let Some(gap) = &event.finesse.gap else { return Ok(()) };
            write!(out, "{}, {} ", counted(gap.events, "event"), counted(gap.bytes, "byte"))?;
            write!(out, "missing from the log at {}: ", gap.at)?;
            write!(out, "{}; the traffic was not touched", why.unwrap_or_default())
        }
        _ => Ok(()),
    }
}

fn summary(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let Some(summary) = &event.finesse.summary else { return Ok(()) };
    let so_far = if summary.reason == "hourly" { "so far" } else { "in all" };
    write!(out, "{so_far} {}", duration_us(summary.duration_ms.saturating_mul(1_000)))?;
    let parts = [
        ("socket", summary.sockets),
        ("request", summary.requests),
        ("update", summary.updates),
        ("call", summary.calls),
    ];
    parts.into_iter().try_for_each(|(noun, count)| write!(out, ", {}", counted(count, noun)))?;
    if let Some(stage) = summary.stopped_at {
        write!(out, ", login stopped at {stage}")?;
    }
    let findings: u64 = summary.findings.iter().map(|finding| finding.count).sum();
    if findings > 0 {
        write!(out, ", {}", counted(findings, "finding"))?;
    }
    Ok(())
}

fn stream_opened(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let Some(stream) = &event.finesse.stream else { return Ok(()) };
    if stream.sid.is_none() {
        return out.write_str("XMPP stream open");
    }
    out.push_str("BOSH session open");
    let terms = [
        ("wait", stream.wait_s, " s"),
        ("hold", stream.hold, ""),
        ("requests", stream.most_requests, ""),
        ("inactivity", stream.inactivity_s, " s"),
    ];
    let mut said = terms.iter().filter_map(|(name, value, unit)| Some((name, (*value)?, unit)));
    said.try_for_each(|(name, value, unit)| write!(out, ", {name} {value}{unit}"))
}

fn stream_closed(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let Some(stream) = &event.finesse.stream else { return Ok(()) };
    let Some(close) = &stream.close else { return Ok(()) };
    let what = if stream.requests.is_some() { "BOSH session" } else { "XMPP stream" };
    write!(out, "{what} closed by {}, {}", close.by, close.how)?;
    if let Some(condition) = &close.condition {
        write!(out, " {condition}")?;
    }
    write!(out, " after {}", duration_us(event.event.duration.unwrap_or_default() / 1_000))?;
    stream.requests.map_or(Ok(()), |requests| write!(out, ", {requests} requests"))
}

fn opened(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let client = event.client.as_ref();
    write!(out, "connection from {}", client.and_then(|c| c.ip.as_deref()).unwrap_or("?"))?;
    write!(out, ":{}", client.map_or(0, |c| c.port))?;
    let upstream = event.finesse.conn.as_ref().and_then(|conn| conn.upstream.as_ref());
    match upstream {
        Some(upstream) if upstream.ip.is_some() => {
            let ip = upstream.ip.as_deref().unwrap_or_default();
            write!(out, " to {ip}:{}", upstream.port.unwrap_or_default())?;
            upstream.connect_us.map_or(Ok(()), |us| write!(out, " in {}", duration_us(us)))
        }
        _ => write!(out, ", no upstream"),
    }
}

fn closed(event: &Event<'_>, why: Option<&str>, out: &mut String) -> std::fmt::Result {
    let Some(conn) = &event.finesse.conn else { return Ok(()) };
    match (conn.by, conn.how) {
        (_, Some("unknown")) => out.push_str("connection not followed further"),
        (by, how) => write!(out, "connection closed by {}, {}", by.unwrap_or("?"), how.unwrap_or("?"))?,
    }
    if conn.unclean {
        out.push_str(" without close_notify");
    }
    let (up, down) = (conn.c2s_bytes.unwrap_or_default(), conn.s2c_bytes.unwrap_or_default());
    write!(
        out,
        " after {}, {up} bytes up, {down} down",
        duration_us(event.event.duration.unwrap_or_default() / 1_000)
    )?;
    why.map_or(Ok(()), |why| write!(out, ": {why}"))
}

fn tls(event: &Event<'_>, why: Option<&str>, out: &mut String) -> std::fmt::Result {
    let leg = event.finesse.tls.as_ref().map_or("?", |tls| tls.leg);
    let Some(tls) = &event.tls else { return Ok(()) };
    if !tls.established {
        let alert = event.error.as_ref().and_then(|error| error.kind.as_deref());
        write!(out, "TLS with {leg} failed: {}", why.unwrap_or("no reason known"))?;
        return alert.map_or(Ok(()), |alert| write!(out, " ({alert})"));
    }
    write!(out, "TLS {} with {leg}, {}", tls.version.unwrap_or("?"), tls.cipher.as_deref().unwrap_or("?"))?;
    if tls.resumed {
        out.push_str(", resumed");
    }
    Ok(())
}

fn exchange(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let Some(http) = &event.http else { return Ok(()) };
    let gadget = event.finesse.api.as_ref().and_then(|api| api.gadget.as_ref());
    let method = gadget.and_then(|gadget| gadget.method.as_deref()).or(http.request.method.as_deref()).unwrap_or("?");
    let path = event.url.as_ref().map_or("?", |url| &*url.path);
    let path = gadget.and_then(|gadget| gadget.url.as_deref()).map_or(path, |url| url_path(url));
    write!(out, "{method} {}", path.strip_prefix("/finesse/api/").unwrap_or(path))?;
    let inner = gadget.and_then(|gadget| gadget.status_code);
    match inner.or(http.response.as_ref().map(|response| response.status_code.into())) {
        Some(status) => write!(out, " {status}")?,
        None => out.push_str(" unanswered"),
    }
    write!(out, " {}", duration_us(event.event.duration.unwrap_or_default() / 1_000))?;
    let facts = event.finesse.http.as_ref();
    if facts.is_some_and(|facts| facts.cut) {
        out.push_str(", cut off");
    }
    if let Some((stream, number)) = event.finesse.stream.as_ref().and_then(|stream| Some((stream, stream.request?))) {
        write!(out, ", request {number}{}", if stream.repeated { " again" } else { "" })?;
    }
    if let Some(rewrite) = facts.and_then(|facts| facts.rewrite.as_ref()) {
        write!(out, ", {} rewritten", counted(rewrite.count, "header"))?;
    }
    let api = event.finesse.api.as_ref();
    if let Some(operation) = api.and_then(|api| api.operation).filter(|operation| *operation != "read") {
        write!(out, " ({operation})")?;
    }
    let Some(api) = api else { return Ok(()) };
    if api.gadget.is_some() {
        out.push_str(", by a gadget");
    }
    if let Some(seconds) = api.token.as_ref().and_then(|token| token.expires_in_s) {
        write!(out, ", token for {seconds} s")?;
    }
    if let Some(log) = &api.client_log {
        write!(out, ", {}", counted(log.lines, "line"))?;
    }
    match event.finesse.update.as_ref().and_then(|update| update.api_error.as_ref()) {
        Some(error) => {
            // A sentence of the server's is in the finding and in the body.
            self::update::api_error(error, ": ", out)?;
            let status = http.response.as_ref().map(|response| response.status_code);
            self::update::meaning(error, Some(&api.resource), status, out)
        }
        None => Ok(()),
    }
}

/// `1000`, `1009 (message too big)`: what is no end in order has its name.
fn close_code(close: &WsClose<'_>, out: &mut String) -> std::fmt::Result {
    write!(out, "{}", close.code)?;
    if matches!(close.code, 1000 | 1001 | 1005 | 1006) {
        return Ok(());
    }
    let name = dictionary::look_up(List::Close, &close.code.to_string()).and_then(|entry| entry.name);
    name.map_or(Ok(()), |name| write!(out, " ({name})"))
}

fn node_id<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let node = event.finesse.xmpp.as_ref()?.pubsub.as_ref()?.node.as_deref()?;
    crate::finesse::Node::read(node)?.id
}

fn stanza(event: &Event<'_>, why: Option<&str>, out: &mut String) -> std::fmt::Result {
    let Some(xmpp) = &event.finesse.xmpp else { return Ok(()) };
    if let (true, Some(rtt)) = (event.finesse.keepalive, xmpp.rtt_us) {
        return write!(out, "ping answered in {}", duration_us(rtt));
    }
    if xmpp.kind == "space" {
        return out.write_str("white space (keep-alive)");
    }
    out.push_str(xmpp.name.as_deref().unwrap_or(xmpp.kind));
    if let Some(stanza_type) = &xmpp.stanza_type {
        write!(out, " {stanza_type}")?;
    }
    if let Some(pubsub) = &xmpp.pubsub {
        write!(out, " {}", pubsub.action)?;
        if let Some(node) = &pubsub.node {
            write!(out, " {node}")?;
        }
    } else if let Some(payload) = xmpp.payload.as_ref().filter(|_| xmpp.kind != "presence") {
        write!(out, " {}", payload.name)?;
    }
    if xmpp.kind == "presence"
        && let Some(from) = &xmpp.from
    {
        write!(out, " from {from}")?;
    }
    if let Some(jid) = xmpp.jid.as_deref().or(xmpp.resource.as_deref()) {
        write!(out, " {jid}")?;
    }
    if !xmpp.mechanisms.is_empty() {
        for mechanism in &xmpp.mechanisms {
            write!(out, " {mechanism}")?;
        }
    }
    if let Some(rtt) = xmpp.rtt_us {
        write!(out, " {}", duration_us(rtt))?;
    }
    if let Some(error) = &event.error {
        write!(out, " error {}", error.code.as_deref().unwrap_or("without condition"))?;
        why.map_or(Ok(()), |why| write!(out, ": {why}"))?;
    }
    Ok(())
}

/// The path of a URL, without its query.
fn url_path(url: &str) -> &str {
    let path =
        url.split_once("://").map_or(url, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(url));
    path.split('?').next().unwrap_or(path)
}

/// `1 call`, `2 calls`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A duration as a person reads it: `350 µs`, `38 ms`, `2.4 s`.
fn duration_us(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

fn http2(event: &Event<'_>, out: &mut String) -> std::fmt::Result {
    let Some(http2) = &event.finesse.http2 else { return Ok(()) };
    let by = if event.finesse.direction == Some("c2s") { "client" } else { "server" };
    let code = http2.code.unwrap_or_default();
    match event.event.action {
        "http2-settings" => {
            out.push_str("HTTP/2 settings of the server:");
            let Some(settings) = &http2.settings else { return Ok(()) };
            match settings.max_concurrent_streams {
                Some(streams) => write!(out, " {streams} streams at a time")?,
                None => out.push_str(" no limit of streams"),
            }
            if let Some(bytes) = settings.max_header_list_bytes {
                write!(out, ", header lists up to {bytes} bytes")?;
            }
            let connect = if settings.extended_connect == Some(true) { "may" } else { "may not" };
            write!(out, ", WebSockets {connect} be opened within it")
        }
        "http2-goaway" => {
            let last = http2.last_stream.unwrap_or_default();
            write!(out, "HTTP/2 the {by} takes no more streams: {code}, last stream {last}")?;
            match http2.left_streams.unwrap_or_default() {
                0 => Ok(()),
                left => write!(out, ", {left} under way not looked at"),
            }
        }
        "http2-reset" => {
            write!(out, "HTTP/2 stream {} reset by the {by}: {code}", http2.stream.unwrap_or_default())
        }
        "http2-limit" => {
            let limit = http2.limit.unwrap_or_default();
            match http2.header_bytes {
                Some(bytes) => write!(out, "HTTP/2 header list of {bytes} bytes, where the server takes {limit}"),
                None => write!(out, "HTTP/2 {limit} streams are open, as many as the server takes"),
            }
        }
        "http2-ping" => write!(out, "HTTP/2 ping {}", duration_us(http2.rtt_us.unwrap_or_default())),
        _ => {
            let receiver = if by == "client" { "server" } else { "client" };
            write!(out, "HTTP/2 data waited {} ms for the {receiver}", http2.waited_ms.unwrap_or_default())?;
            match http2.stream {
                Some(stream) => write!(out, ", stream {stream}"),
                None => write!(out, ", the whole connection"),
            }
        }
    }
}
