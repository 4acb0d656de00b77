//! Connections, TLS, HTTP exchanges and WebSocket life as events.

use super::{Removes, stream};
use crate::capture::event::{
    self, Classed, Event, Fault, Hash, Header, Http, HttpBody, HttpFacts, HttpRequest, HttpResponse, Rewrite, Tls,
    TlsClient, TlsLeg, TlsServer, Upstream, Url, UserAgent, WsClose, X509, some, stamp_s,
};
use crate::capture::observation::{Closed, End, How, HttpExchange, Opened, QUOTED, TlsHandshake, WebSocketEnd};
use crate::capture::policy::{Level, mark};
use crate::conn::Direction;
use crate::http1::head;
use crate::http1::{Exchange, Version};
use crate::rewrite::Edit;
use crate::ws::{Control, Handshake, Message, Opcode};
use std::borrow::Cow;

/// Header fields written per message at the most.
const MAX_FIELDS: usize = 64;
/// Longest message without XMPP that is looked into, bytes.
const MAX_PACKET_BYTES: usize = 4_096;

pub(super) fn opened<'o>(opened: &'o Opened, event: &mut Event<'o>) -> Removes {
    event.event.action = "connection-opened";
    event.event.category = &["network"];
    event.event.types = &["connection", "start"];
    if let Some(conn) = &mut event.finesse.conn {
        conn.sni = some(opened.sni.as_deref());
        conn.upstream = Some(Upstream {
            ip: opened.upstream.map(|address| Classed::new(address.ip().to_string())),
            port: opened.upstream.map(|address| address.port()),
            connect_us: opened.connect_us,
        });
    }
    if let (Some(server), Some(address)) = (&mut event.server, opened.upstream) {
        server.ip = Some(Classed::new(address.ip().to_string()));
    }
    Removes::Nothing
}

pub(super) fn closed<'o>(closed: &'o Closed, duration_ns: u64, event: &mut Event<'o>) -> Removes {
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
    event.error = closed.why.as_deref().map(|why| Fault { kind: None, code: None, message: Some(Classed::new(why)) });
    removes(closed.why.as_deref())
}

/// Only of an imported record are there a browser's words in it.
fn removes(why: Option<&str>) -> Removes {
    if why.is_some_and(|why| why.starts_with(QUOTED)) { Removes::Payload } else { Removes::Nothing }
}

pub(super) fn tls<'o>(handshake: &'o TlsHandshake, event: &mut Event<'o>) -> Removes {
    event.event.action = "tls-handshake";
    event.event.category = &["network"];
    event.event.types = &["connection"];
    event.event.duration = Some(handshake.took_us.saturating_mul(1_000));
    event.event.outcome = Some(if handshake.failure.is_some() { "failure" } else { "success" });
    event.tls = Some(Box::new(Tls {
        version: handshake.version,
        version_protocol: handshake.version.map(|_| "tls"),
        cipher: some(handshake.cipher.as_deref()),
        next_protocol: some(handshake.alpn.as_deref()),
        established: handshake.failure.is_none(),
        resumed: handshake.resumed,
        client: handshake.sni.as_deref().map(|name| TlsClient { server_name: Classed::new(name) }),
        server: handshake.certificate.as_ref().map(|certificate| TlsServer {
            subject: Classed::new(&*certificate.subject),
            issuer: Classed::new(&*certificate.issuer),
            not_before: Classed::new(stamp_s(certificate.not_before)),
            not_after: Classed::new(stamp_s(certificate.not_after)),
            // ECS wants fingerprints in capitals.
            hash: Hash { sha256: Classed::new(certificate.sha256.to_uppercase()) },
            x509: X509 {
                alternative_names: certificate.sans.iter().take(32).map(|san| Classed::new(&**san)).collect(),
            },
        }),
    }));
    let mut leg = TlsLeg {
        leg: handshake.leg.as_str(),
        failed_by: None,
        offered: handshake.offered.clone(),
        pinned: handshake.pinned,
        client_certificate_requested: handshake.client_certificate_requested,
    };
    if let Some(failure) = &handshake.failure {
        event.log.level = if failure.by == End::Client { "warn" } else { "error" };
        leg.failed_by = Some(failure.by.as_str());
        event.error = Some(Fault {
            kind: some(failure.alert.as_deref()),
            code: None,
            message: Some(Classed::new(&*failure.why)),
        });
    }
    event.finesse.tls = Some(leg);
    removes(handshake.failure.as_ref().map(|failure| &*failure.why))
}

pub(super) fn exchange<'o>(level: Level, seen: &HttpExchange<'o>, event: &mut Event<'o>) -> Removes {
    let exchange = seen.exchange;
    event.event.action = "http-exchange";
    event.event.category = &["web", "network"];
    event.event.types = &["access"];
    event.event.duration = Some(exchange.ended.ns_since(exchange.started));
    head(exchange, seen.edits, event);
    if let (Some(request), Some(facts)) = (seen.bosh, &mut event.finesse.stream) {
        stream::request(request, facts);
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
    let content = |body: Option<&[u8]>| {
        body.filter(|bytes| !bytes.is_empty()).map(|bytes| Classed::new(self::content(level, bytes)))
    };
    let (request_content, response_content) = (content(seen.request_content), content(seen.response_content));
    if let Some(http) = &mut event.http {
        http.request.body.content = request_content;
        if let Some(response) = &mut http.response {
            response.body.content = response_content;
        }
    }
    if let Some(facts) = &mut event.finesse.http {
        facts.by_proxy = seen.by_proxy;
        facts.stream = seen.stream.map(u64::from);
    }
    if let Some(api) = api(seen) {
        event.finesse.api = Some(api);
    }
    if let Some(answer) = seen.answer {
        event.error = answer.api_errors.first().map(super::update::fault);
        event.finesse.update = Some(super::update::update(answer));
    }
    if let Some(why) = seen.failure {
        event.error = Some(Fault { kind: None, code: None, message: Some(Classed::new(why)) });
    }
    if let Some(id) = seen.request_id {
        event.transaction = Some(event::Transaction { id: Classed::new(id) });
    }
    Removes::Payload
}

/// The call of the REST API, and what stands in its content.
fn api<'o>(seen: &HttpExchange<'o>) -> Option<event::Api<'o>> {
    if seen.api.is_none() && seen.gadget.is_none() {
        return None;
    }
    let mut api = match seen.api {
        Some(api) => event::Api {
            resource: Classed::new(api.resource.clone()),
            operation: api.operation,
            object_id: api.object_id.clone().map(Classed::new),
            state: api.state.clone().map(Classed::new),
            ..event::Api::default()
        },
        None => event::Api { resource: Classed::new("Gadget"), ..event::Api::default() },
    };
    api.request_id = some(seen.request_id);
    api.caused = seen.caused.map(|(sequence, after_ms)| event::Caused { sequence, after_ms });
    api.token = seen.token.map(|token| event::Token {
        expires_in_s: token.expires_in_s,
        issued_at_s: token.issued_at_s,
        expires_at_s: token.expires_at_s,
        refreshable: token.refreshable,
    });
    api.client_log = seen.client_log.map(|log| event::ClientLog {
        lines: log.lines,
        first: some(log.first.as_deref()),
        last: some(log.last.as_deref()),
        disconnects: log.disconnects,
        failures: log.failures,
    });
    api.gadget = seen.gadget.map(|(gadget, status)| event::Gadget {
        method: Some(Classed::new(gadget.method.to_string())),
        url: Some(Classed::new(gadget.url.to_string())),
        status_code: status.map(u64::from),
    });
    Some(api)
}

/// Method, URL, sizes, times and header fields of an exchange.
fn head<'o>(exchange: &'o Exchange, edits: &[Edit], event: &mut Event<'o>) {
    let request = &exchange.request;
    // No request has a fragment, unless somebody wants to hide something in it.
    let target = request.target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    event.url = Some(Url { path: Classed::new(path), query: some(query) });
    event.user_agent = request.field("user-agent").map(|agent| UserAgent { original: Classed::new(lossy(agent)) });
    event.http = Some(Box::new(Http {
        version: match request.version {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
            Version::Http2 => "2",
        },
        request: HttpRequest {
            method: Some(Classed::new(&*request.method)),
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
        ttfb_us: exchange.answered.map(|at| at.us_since(exchange.started)),
        interim: exchange.interim.clone(),
        cut: !complete,
        by_proxy: false,
        request_headers: fields(&request.fields),
        response_headers: exchange.response.as_ref().map(|r| fields(&r.fields)).unwrap_or_default(),
        rewrite: rewrite(edits),
        ..HttpFacts::default()
    }));
}

fn rewrite<'o>(edits: &[Edit]) -> Option<Rewrite<'o>> {
    let of = |direction| {
        let edited = edits.iter().filter(|edit| edit.direction == direction).map(|edit| &edit.field);
        edited.map(header).collect()
    };
    let (request_headers, response_headers) = (of(Direction::C2s), of(Direction::S2c));
    (!edits.is_empty()).then_some(Rewrite { count: edits.len() as u64, request_headers, response_headers })
}

pub(super) fn websocket_opened<'o>(
    exchange: &'o Exchange,
    edits: &[Edit],
    handshake: &'o Handshake,
    event: &mut Event<'o>,
) -> Removes {
    event.event.action = "websocket-opened";
    event.event.category = &["network", "session"];
    event.event.types = &["start"];
    event.event.duration = Some(exchange.ended.ns_since(exchange.started));
    head(exchange, edits, event);
    if let Some(facts) = &mut event.finesse.http {
        facts.cut = false;
    }
    let bad = handshake.accept_valid == Some(false) || handshake.unknown_extension;
    event.log.level = if bad { "warn" } else { "info" };
    event.finesse.stage = Some(crate::session::Stage::Handshake.as_str());
    if let Some(ws) = &mut event.finesse.ws {
        // Some programs carry a token where a subprotocol's name should be.
        ws.protocols_offered = handshake.protocols_offered.iter().take(8).map(|text| Classed::new(&**text)).collect();
        ws.protocol = some(handshake.protocol.as_deref());
        ws.extensions_offered = some(handshake.extensions_offered.as_deref());
        ws.extensions = some(handshake.extensions.as_deref());
        ws.accept_valid = handshake.accept_valid;
    }
    Removes::Payload
}

pub(super) fn websocket_closed<'o>(end: &'o WebSocketEnd, event: &mut Event<'o>) -> Removes {
    event.event.action = "websocket-closed";
    event.event.category = &["network", "session"];
    event.event.types = &["end"];
    event.event.duration = Some(end.duration_ns);
    let close = match &end.close {
        None => WsClose { code: 1006, reason: None, initiator: None, handshake: Some("none") },
        Some((by, code, reason)) => WsClose {
            // RFC 6455 section 7.1.5: no status code in the frame reads as 1005, no frame at all as 1006.
            code: code.unwrap_or(1005),
            reason: (!reason.is_empty()).then(|| Classed::new(&**reason)),
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

pub(super) fn message<'o>(message: &'o Message, keepalive: bool, event: &mut Event<'o>) -> Removes {
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
        ws.text = packet(message);
        if ws.text.is_some() {
            return Removes::Payload;
        }
    }
    Removes::Nothing
}

/// What may be JSON, alone or in a packet of Socket.IO. Of other text only the size is told.
fn packet<'o, const WHAT: usize>(message: &'o Message) -> Option<Classed<'o, WHAT>> {
    if message.opcode != Opcode::Text || message.truncated || message.payload.len() > MAX_PACKET_BYTES {
        return None;
    }
    let text = str::from_utf8(&message.payload).ok()?;
    text.contains(['{', '[']).then(|| Classed::new(text))
}

pub(super) fn control(
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
                reason: (!reason.is_empty()).then(|| Classed::new(reason)),
                initiator: direction.map(side),
                handshake: None,
            });
        }
    }
    Removes::Nothing
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::C2s => End::Client.as_str(),
        Direction::S2c => End::Upstream.as_str(),
    }
}

fn opcode<'o, const WHAT: usize>(opcode: Opcode) -> Classed<'o, WHAT> {
    Classed::from(match opcode {
        Opcode::Text => Cow::Borrowed("text"),
        Opcode::Binary => Cow::Borrowed("binary"),
        Opcode::Close => Cow::Borrowed("close"),
        Opcode::Ping => Cow::Borrowed("ping"),
        Opcode::Pong => Cow::Borrowed("pong"),
        Opcode::Reserved(code) => Cow::Owned(format!("reserved-{code:x}")),
    })
}

/// The content of a REST message as text; what is none is only measured.
fn content(level: Level, bytes: &[u8]) -> String {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if level == Level::Off => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => mark::unparsed(bytes.len()),
    }
}

/// Header fields, in order.
fn fields<'o>(fields: &[head::Field]) -> Vec<Header<'o>> {
    fields.iter().take(MAX_FIELDS).map(header).collect()
}

fn header<'o>(field: &head::Field) -> Header<'o> {
    let text = |bytes: &[u8]| Cow::Owned(String::from_utf8_lossy(bytes).into_owned());
    Header { name: text(&field.name), value: text(&field.value) }
}

fn mime_type<'o, const WHAT: usize>(value: Option<&[u8]>) -> Option<Classed<'o, WHAT>> {
    let value = lossy(value?);
    let mime = value.split(';').next().unwrap_or_default().trim();
    let clean = !mime.is_empty()
        && mime.len() <= 100
        && mime.contains('/')
        && mime.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+.-_".contains(&b));
    clean.then(|| Classed::new(mime.to_lowercase()))
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
