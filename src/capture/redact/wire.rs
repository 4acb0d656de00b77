//! Connections, TLS, HTTP exchanges and WebSocket life as events.

use super::scrub::Scrub;
use super::{Removes, clip, http, stream, url};
use crate::capture::event::{
    self, Event, Fault, Hash, Http, HttpBody, HttpFacts, HttpRequest, HttpResponse, Rewrite, Tls, TlsClient, TlsLeg,
    TlsServer, Upstream, Url, UserAgent, WsClose, X509, stamp_s,
};
use crate::capture::observation::{Closed, End, How, HttpExchange, Opened, QUOTED, TlsHandshake, WebSocketEnd};
use crate::capture::rules::{self, Class};
use crate::conn::Direction;
use crate::http1::{Exchange, Version};
use crate::rewrite::Edit;
use crate::ws::{Control, Handshake, Message, Opcode};
use std::borrow::Cow;

/// Longest Close reason written; RFC 6455 allows 123 bytes.
const MAX_REASON_BYTES: usize = 123;
/// Longest message without XMPP that is looked into, bytes.
const MAX_PACKET_BYTES: usize = 4_096;

pub(super) fn opened<'o>(opened: &'o Opened, event: &mut Event<'o>) -> Removes {
    event.event.action = "connection-opened";
    event.event.category = &["network"];
    event.event.types = &["connection", "start"];
    if let Some(conn) = &mut event.finesse.conn {
        conn.sni = opened.sni.as_deref().map(Cow::Borrowed);
        conn.upstream = Some(Upstream {
            ip: opened.upstream.map(|address| address.ip().to_string()),
            port: opened.upstream.map(|address| address.port()),
            connect_us: opened.connect_us,
        });
    }
    if let (Some(server), Some(address)) = (&mut event.server, opened.upstream) {
        server.ip = Some(Cow::Owned(address.ip().to_string()));
    }
    Removes::Nothing
}

pub(super) fn closed<'o>(
    scrub: &mut Scrub<'_>,
    closed: &'o Closed,
    duration_ns: u64,
    event: &mut Event<'o>,
) -> Removes {
    event.event.action = "connection-closed";
    event.event.category = &["network"];
    event.event.types = &["connection", "end"];
    event.event.duration = Some(duration_ns);
    event.log.level = match closed.how {
        How::Fin | How::Shutdown | How::Unknown => "info",
        How::Unreachable => "error",
        _ => "warn",
    };
    if let Some(conn) = &mut event.finesse.conn {
        conn.by = Some(closed.by.as_str());
        conn.how = Some(closed.how.as_str());
        conn.unclean = closed.unclean;
        conn.c2s_bytes = Some(closed.c2s_bytes);
        conn.s2c_bytes = Some(closed.s2c_bytes);
    }
    event.error = closed.why.as_deref().map(|why| fault(scrub, why));
    removes(closed.why.as_deref())
}

/// Only of an imported record are there a browser's words in it.
fn removes(why: Option<&str>) -> Removes {
    if why.is_some_and(|why| why.starts_with(QUOTED)) { Removes::Payload } else { Removes::Nothing }
}

/// A sentence as an error: a peer's words may be in it.
fn fault<'o>(scrub: &mut Scrub<'_>, why: &'o str) -> Fault<'o> {
    Fault { kind: None, code: None, message: Some(clip(scrub.text(why))) }
}

pub(super) fn tls<'o>(scrub: &mut Scrub<'_>, handshake: &'o TlsHandshake, event: &mut Event<'o>) -> Removes {
    event.event.action = "tls-handshake";
    event.event.category = &["network"];
    event.event.types = &["connection"];
    event.event.duration = Some(handshake.took_us.saturating_mul(1_000));
    event.event.outcome = Some(if handshake.failure.is_some() { "failure" } else { "success" });
    event.tls = Some(Box::new(Tls {
        version: handshake.version,
        version_protocol: handshake.version.map(|_| "tls"),
        cipher: handshake.cipher.as_deref().map(Cow::Borrowed),
        next_protocol: handshake.alpn.as_deref().map(Cow::Borrowed),
        established: handshake.failure.is_none(),
        resumed: handshake.resumed,
        client: handshake.sni.as_deref().map(|name| TlsClient { server_name: Cow::Borrowed(name) }),
        server: handshake.certificate.as_ref().map(|certificate| TlsServer {
            subject: Cow::Borrowed(&certificate.subject),
            issuer: Cow::Borrowed(&certificate.issuer),
            not_before: stamp_s(certificate.not_before),
            not_after: stamp_s(certificate.not_after),
            // ECS wants fingerprints in capitals.
            hash: Hash { sha256: Cow::Owned(certificate.sha256.to_uppercase()) },
            x509: X509 {
                alternative_names: certificate.sans.iter().take(32).map(|san| clip(Cow::Borrowed(&**san))).collect(),
            },
        }),
    }));
    let mut leg = TlsLeg {
        leg: handshake.leg.as_str(),
        failed_by: None,
        client_certificate_requested: handshake.client_certificate_requested,
    };
    if let Some(failure) = &handshake.failure {
        event.log.level = if failure.by == End::Client { "warn" } else { "error" };
        leg.failed_by = Some(failure.by.as_str());
        event.error = Some(Fault { kind: failure.alert.as_deref().map(Cow::Borrowed), ..fault(scrub, &failure.why) });
    }
    event.finesse.tls = Some(leg);
    removes(handshake.failure.as_ref().map(|failure| &*failure.why))
}

pub(super) fn exchange<'o>(scrub: &mut Scrub<'_>, seen: &HttpExchange<'o>, event: &mut Event<'o>) -> Removes {
    let exchange = seen.exchange;
    event.event.action = "http-exchange";
    event.event.category = &["web", "network"];
    event.event.types = &["access"];
    event.event.duration = Some(exchange.ended.ns_since(exchange.started));
    head(scrub, exchange, seen.edits, url::Use::Http, event);
    if let (Some(request), Some(facts)) = (seen.bosh, &mut event.finesse.stream) {
        stream::request(scrub, request, facts);
    }
    let status = exchange.response.as_ref().map(|response| response.status);
    let status = seen.gadget.and_then(|(_, status)| status).or(status);
    event.event.outcome = Some(match status {
        Some(status) if status < 400 => "success",
        Some(_) => "failure",
        None => "unknown",
    });
    event.log.level = match status {
        Some(500..) => "error",
        Some(400..) | None => "warn",
        Some(_) => "info",
    };
    let mut content = |body: Option<&[u8]>, mime: Option<&[u8]>| {
        let mime = String::from_utf8_lossy(mime.unwrap_or_default()).to_lowercase();
        body.filter(|bytes| !bytes.is_empty()).map(|bytes| Cow::Owned(http::body(scrub, &mime, bytes)))
    };
    let request_content = content(seen.request_content, exchange.request.field("content-type"));
    let response_type = exchange.response.as_ref().and_then(|response| response.field("content-type"));
    let response_content = content(seen.response_content, response_type);
    if let Some(http) = &mut event.http {
        http.request.body.content = request_content;
        if let Some(response) = &mut http.response {
            response.body.content = response_content;
        }
    }
    if let Some(facts) = &mut event.finesse.http {
        facts.by_proxy = seen.by_proxy;
        facts.stream = seen.stream;
    }
    if let Some(api) = api(scrub, seen) {
        event.finesse.api = Some(api);
    }
    if let Some(answer) = seen.answer {
        event.error = answer.api_errors.first().map(|error| super::update::fault(scrub, error));
        event.finesse.update = Some(super::update::update(scrub, answer));
    }
    event.error = seen.failure.map(|why| fault(scrub, why));
    if let Some(id) = seen.request_id {
        event.transaction = Some(event::Id { id: crate::session::tracker::transaction(id) });
    }
    Removes::Payload
}

/// The call of the REST API, and what stands in its content.
fn api<'o>(scrub: &mut Scrub<'_>, seen: &HttpExchange<'o>) -> Option<event::Api<'o>> {
    if seen.api.is_none() && seen.gadget.is_none() {
        return None;
    }
    let mut part = |text: &str| -> Cow<'o, str> { Cow::Owned(clip(scrub.text(text)).into_owned()) };
    let request_id = seen.request_id.map(&mut part);
    let mut api = match seen.api {
        Some(api) => event::Api {
            resource: part(&api.resource),
            operation: api.operation,
            object_id: api.object_id.as_deref().map(&mut part),
            state: api.state.as_deref().map(&mut part),
            ..event::Api::default()
        },
        None => event::Api { resource: Cow::Borrowed("Gadget"), ..event::Api::default() },
    };
    api.request_id = request_id;
    api.caused = seen.caused.map(|(sequence, after_ms)| event::Caused { sequence, after_ms });
    api.token = seen.token.map(|token| event::Token {
        expires_in_s: token.expires_in_s,
        issued_at_s: token.issued_at_s,
        expires_at_s: token.expires_at_s,
        refreshable: token.refreshable,
    });
    api.client_log = seen.client_log.map(|log| event::ClientLog {
        lines: log.lines,
        first: log.first.as_deref().map(Cow::Borrowed),
        last: log.last.as_deref().map(Cow::Borrowed),
        disconnects: log.disconnects,
        failures: log.failures,
    });
    api.gadget = seen.gadget.map(|(gadget, status)| event::Gadget {
        method: Some(Cow::Owned(method(scrub, &gadget.method).into_owned())),
        url: Some(Cow::Owned(clip(url::url(scrub, &gadget.url)).into_owned())),
        status_code: status.map(u64::from),
    });
    Some(api)
}

/// Method, URL, sizes, times and header fields of an exchange.
fn head<'o>(scrub: &mut Scrub<'_>, exchange: &'o Exchange, edits: &[Edit], used: url::Use, event: &mut Event<'o>) {
    let request = &exchange.request;
    let (path, query) = url::target(scrub, &request.target, used);
    event.url = Some(Url { path, query });
    event.user_agent = request.field("user-agent").map(|agent| UserAgent {
        original: Cow::Owned(scrub.value(Class::Operational, "user-agent", &lossy(agent)).into_owned()),
    });
    event.http = Some(Box::new(Http {
        version: match request.version {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
            Version::Http2 => "2",
        },
        request: HttpRequest {
            method: Some(method(scrub, &request.method)),
            mime_type: mime_type(request.field("content-type")),
            bytes: request.head_bytes + exchange.request_body.content_bytes,
            body: HttpBody { bytes: exchange.request_body.content_bytes, content: None },
        },
        response: exchange.response.as_ref().map(|response| HttpResponse {
            status_code: response.status,
            mime_type: mime_type(response.field("content-type")),
            bytes: response.head_bytes + exchange.response_body.content_bytes,
            body: HttpBody { bytes: exchange.response_body.content_bytes, content: None },
        }),
    }));
    let complete = exchange.request_body.complete && exchange.response.is_some() && exchange.response_body.complete;
    event.finesse.http = Some(Box::new(HttpFacts {
        stream: None,
        ttfb_us: exchange.answered.map(|at| at.us_since(exchange.started)),
        interim: exchange.interim.clone(),
        cut: !complete,
        by_proxy: false,
        request_headers: http::fields(scrub, &request.fields),
        response_headers: exchange.response.as_ref().map(|r| http::fields(scrub, &r.fields)).unwrap_or_default(),
        rewrite: rewrite(scrub, edits),
        ..HttpFacts::default()
    }));
}

fn rewrite(scrub: &mut Scrub<'_>, edits: &[Edit]) -> Option<Rewrite<'static>> {
    let mut fields = |direction| {
        let fields = edits.iter().filter(|edit| edit.direction == direction).map(|edit| edit.field.clone());
        http::fields(scrub, &fields.collect::<Vec<_>>())
    };
    let (request_headers, response_headers) = (fields(Direction::C2s), fields(Direction::S2c));
    (!edits.is_empty()).then_some(Rewrite { count: edits.len() as u64, request_headers, response_headers })
}

pub(super) fn websocket_opened<'o>(
    scrub: &mut Scrub<'_>,
    exchange: &'o Exchange,
    edits: &[Edit],
    handshake: &'o Handshake,
    event: &mut Event<'o>,
) -> Removes {
    event.event.action = "websocket-opened";
    event.event.category = &["network", "session"];
    event.event.types = &["start"];
    event.event.duration = Some(exchange.ended.ns_since(exchange.started));
    head(scrub, exchange, edits, url::Use::WebSocket, event);
    if let Some(facts) = &mut event.finesse.http {
        facts.cut = false;
    }
    let bad = handshake.accept_valid == Some(false) || handshake.unknown_extension;
    event.log.level = if bad { "warn" } else { "info" };
    event.finesse.stage = Some(crate::session::Stage::Handshake.as_str());
    if let Some(ws) = &mut event.finesse.ws {
        // Some programs carry a token where a subprotocol's name should be.
        let mut name = |text: &'o str| clip(scrub.text(text));
        ws.protocols_offered = handshake.protocols_offered.iter().take(8).map(|text| name(text)).collect();
        ws.protocol = handshake.protocol.as_deref().map(&mut name);
        ws.extensions_offered = handshake.extensions_offered.as_deref().map(&mut name);
        ws.extensions = handshake.extensions.as_deref().map(&mut name);
        ws.accept_valid = handshake.accept_valid;
    }
    Removes::Payload
}

pub(super) fn websocket_closed<'o>(scrub: &mut Scrub<'_>, end: &'o WebSocketEnd, event: &mut Event<'o>) -> Removes {
    event.event.action = "websocket-closed";
    event.event.category = &["network", "session"];
    event.event.types = &["end"];
    event.event.duration = Some(end.duration_ns);
    let close = match &end.close {
        None => WsClose { code: 1006, reason: None, initiator: None, handshake: Some("none") },
        Some((by, code, reason)) => WsClose {
            // RFC 6455 section 7.1.5: no status code in the frame reads as 1005, no frame at all as 1006.
            code: code.unwrap_or(1005),
            reason: (!reason.is_empty()).then(|| reason_text(scrub, reason)),
            initiator: Some(side(*by)),
            handshake: Some(if end.answered { "full" } else { "half" }),
        },
    };
    event.log.level = if matches!(close.code, 1000 | 1001 | 1005) { "info" } else { "warn" };
    if let Some(ws) = &mut event.finesse.ws {
        ws.close = Some(close);
        ws.c2s = Some(end.c2s);
        ws.s2c = Some(end.s2c);
    }
    Removes::Nothing
}

pub(super) fn message(scrub: &mut Scrub<'_>, message: &Message, keepalive: bool, event: &mut Event<'_>) -> Removes {
    event.event.action = "websocket-message";
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    event.finesse.keepalive = keepalive;
    if let Some(ws) = &mut event.finesse.ws {
        ws.opcode = Some(opcode(message.opcode));
        ws.payload_bytes = Some(message.payload_bytes);
        ws.wire_bytes = Some(message.wire_bytes);
        ws.fragments = Some(message.fragments);
        ws.compressed = message.compressed;
        ws.text = packet(scrub, message).map(Cow::Owned);
        if ws.text.is_some() {
            return Removes::Payload;
        }
    }
    Removes::Nothing
}

/// JSON, alone or behind the type, namespace and number of an Engine.IO or Socket.IO packet (`42/live,7["event",{…}]`): what
/// gadgets of Live Data and the like speak. Of other text only the size is told.
fn packet(scrub: &mut Scrub<'_>, message: &Message) -> Option<String> {
    if message.opcode != Opcode::Text || message.truncated || message.payload.len() > MAX_PACKET_BYTES {
        return None;
    }
    let text = str::from_utf8(&message.payload).ok()?;
    let (head, json) = text.split_at(text.find(['{', '['])?);
    let (kind, rest) = head.split_at(head.find(|c: char| !c.is_ascii_digit()).unwrap_or(head.len()));
    let (namespace, number) = rest.rsplit_once(',').unwrap_or(("", rest));
    let is_word = namespace.bytes().all(|b| b.is_ascii_alphabetic() || b"/-_".contains(&b));
    let is_number = |text: &str| text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_word || namespace.len() > 48 || !is_number(kind) || !is_number(number) {
        return None;
    }
    // The first word of an event is its name, not a value.
    let name = json.strip_prefix("[\"").and_then(|rest| rest.split_once('"')).map(|(name, _)| name);
    let is_name =
        |name: &&str| name.len() <= 48 && name.bytes().all(|b| b.is_ascii_alphabetic() || b" ._:-".contains(&b));
    let kept = super::json::unknown(scrub, json)?;
    let kept = match (name.filter(is_name), kept.strip_prefix("[\"").and_then(|rest| rest.split_once('"'))) {
        (Some(name), Some((_, rest))) => format!("[\"{name}\"{rest}"),
        _ => kept,
    };
    Some(format!("{head}{kept}"))
}

pub(super) fn control(
    scrub: &mut Scrub<'_>,
    control: &Control,
    rtt_us: Option<u64>,
    idle_ms: Option<u64>,
    direction: Option<Direction>,
    event: &mut Event<'_>,
) -> Removes {
    event.event.action = "websocket-control";
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    event.finesse.keepalive = matches!(control.opcode, Opcode::Ping | Opcode::Pong);
    if let Some(ws) = &mut event.finesse.ws {
        ws.opcode = Some(opcode(control.opcode));
        ws.payload_bytes = Some(control.payload.len() as u64);
        ws.rtt_us = rtt_us;
        ws.idle_ms = idle_ms;
        if control.opcode == Opcode::Close {
            let (code, reason) = control.close();
            ws.close = Some(WsClose {
                code: code.unwrap_or(1005),
                reason: (!reason.is_empty()).then(|| Cow::Owned(reason_text(scrub, &reason).into_owned())),
                initiator: direction.map(side),
                handshake: None,
            });
        }
    }
    Removes::Nothing
}

/// A Close reason is free text that either side may fill with anything.
fn reason_text<'r>(scrub: &mut Scrub<'_>, reason: &'r str) -> Cow<'r, str> {
    scrub.text(reason.get(..reason.floor_char_boundary(MAX_REASON_BYTES)).unwrap_or(reason))
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::C2s => End::Client.as_str(),
        Direction::S2c => End::Upstream.as_str(),
    }
}

fn opcode(opcode: Opcode) -> Cow<'static, str> {
    match opcode {
        Opcode::Text => Cow::Borrowed("text"),
        Opcode::Binary => Cow::Borrowed("binary"),
        Opcode::Close => Cow::Borrowed("close"),
        Opcode::Ping => Cow::Borrowed("ping"),
        Opcode::Pong => Cow::Borrowed("pong"),
        Opcode::Reserved(code) => Cow::Owned(format!("reserved-{code:x}")),
    }
}

/// A method as it is, or another word in its place.
pub(super) fn method<'o>(scrub: &mut Scrub<'_>, word: &'o str) -> Cow<'o, str> {
    clip(if rules::is_method(word) { Cow::Borrowed(word) } else { scrub.text(word) })
}

fn mime_type(value: Option<&[u8]>) -> Option<Cow<'static, str>> {
    let value = lossy(value?);
    let mime = value.split(';').next().unwrap_or_default().trim();
    let clean = !mime.is_empty()
        && mime.len() <= 100
        && mime.contains('/')
        && mime.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+.-_".contains(&b));
    clean.then(|| Cow::Owned(mime.to_lowercase()))
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
