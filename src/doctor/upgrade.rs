//! The upgrade of `/ws/` to a WebSocket with the subprotocol `xmpp` (RFC 6455 section 4, RFC 7395 section 3.1).
//!
//! The request goes out by hyper rather than by a WebSocket library, which would hide what it refuses; the answer is judged
//! by [`crate::ws::Handshake`]. A second request offers permessage-deflate as browsers do, only to see what is agreed.

use super::Question;
use super::course::Line;
use super::http::{ask, host, leads_to, request};
use super::step::{Fault, Outcome};
use crate::http1::head::Field;
use crate::http1::{RequestHead, ResponseHead, Version};
use crate::ws::Handshake;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Largest message taken from the server.
const MESSAGE_MAX_BYTES: usize = 4 << 20;
/// For finding out by the way what becomes of compression.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
const PATH: &str = "/ws/";
/// What browsers offer.
const DEFLATE: &str = "permessage-deflate; client_max_window_bits";

/// A WebSocket to the server.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Upgrades.
pub(super) async fn upgrade(question: &Question, line: &Line) -> (Outcome, Option<Socket>) {
    let probe = timeout((question.limit / 4).min(PROBE_LIMIT), compression(question, line)).await;
    let extensions = probe.unwrap_or_default();
    let (head, response, answer) = match attempt(question, line, None).await {
        Ok(tried) => tried,
        Err(fault) => return (fault.into(), None),
    };
    let server = response.field("Server").map(|value| String::from_utf8_lossy(value).into_owned());
    let Some(handshake) = Handshake::read(&head, &response) else {
        let outcome = refused(response.status, leads_to(answer.response.headers()));
        let outcome = outcome.fact("status", response.status.to_string());
        return (outcome.fact("server", server.unwrap_or_else(|| "not said".to_owned())), None);
    };
    let accept = match handshake.accept_valid {
        Some(true) => "valid",
        Some(false) => "wrong",
        None => "missing",
    };
    let facts = Outcome::ok("")
        .fact("subprotocol", handshake.protocol.as_deref().unwrap_or("none"))
        .fact("accept", accept)
        .fact("compression", extensions.unwrap_or_else(|| "could not be seen".to_owned()))
        .into_facts();
    let cache = "something in between answers in the server's place: a cache, or a proxy that reads WebSockets";
    if handshake.accept_valid != Some(true) {
        let seen = format!("101, but with a Sec-WebSocket-Accept that is {accept}: a browser gives up");
        return (Outcome::fail(seen, cache).with(facts), None);
    }
    if handshake.extensions.is_some() {
        let seen = "101, but with an extension that was not offered: a browser gives up";
        return (Outcome::fail(seen, cache).with(facts), None);
    }
    let outcome = match handshake.protocol.as_deref() {
        Some("xmpp") => Outcome::ok("101 Switching Protocols, subprotocol xmpp"),
        Some(_) => Outcome::fail(
            "101, but with a subprotocol that was not offered: a browser gives up",
            "is /ws/ served by something else than Finesse's notification service?",
        ),
        None => Outcome::fail(
            "101, but the subprotocol xmpp is not echoed: a browser gives up",
            "something in between strips Sec-WebSocket-Protocol: let it pass that field both ways",
        ),
    };
    match hyper::upgrade::on(answer.response).await {
        Ok(upgraded) => {
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_MAX_BYTES))
                .max_frame_size(Some(MESSAGE_MAX_BYTES));
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
            (outcome.with(facts), Some(socket))
        }
        Err(_) => {
            let fail = Outcome::fail("101, and then the connection broke", "something in between cuts WebSockets");
            (fail.with(facts), None)
        }
    }
}

/// What becomes of the offer of permessage-deflate.
async fn compression(question: &Question, line: &Line) -> Option<String> {
    let (head, response, answer) = attempt(question, line, Some(DEFLATE)).await.ok()?;
    let handshake = Handshake::read(&head, &response)?;
    if let Ok(upgraded) = hyper::upgrade::on(answer.response).await {
        let mut socket: Socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
        // In good order, for the sake of whoever reads the server's log; a close frame is never compressed.
        let _ = socket.close(None).await;
    }
    Some(handshake.extensions.unwrap_or_else(|| "not agreed".to_owned()))
}

async fn attempt(
    question: &Question,
    line: &Line,
    extensions: Option<&str>,
) -> Result<(RequestHead, ResponseHead, super::http::Answer), Fault> {
    let mut nonce = [0_u8; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut nonce)
        .map_err(|_| Fault::new("this system has no randomness to give", "that is beyond this program"))?;
    let mut request = request(&question.server, PATH)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Origin", format!("https://{}", host(&question.server)))
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", STANDARD.encode(nonce))
        .header("Sec-WebSocket-Protocol", "xmpp");
    if let Some(extensions) = extensions {
        request = request.header("Sec-WebSocket-Extensions", extensions);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|_| Fault::new("no request can be made for that name", "is it a host name?"))?;
    let head = request_head(&request);
    let answer = ask(question, line, request).await?;
    let response = response_head(&answer.response);
    Ok((head, response, answer))
}

/// A refusal in plain words.
fn refused(status: u16, to: Option<String>) -> Outcome {
    let proxy = "something in between does not pass WebSockets: let it pass Upgrade, Connection and Sec-WebSocket-*";
    let (meaning, advice) = match status {
        200..=299 => ("an ordinary page instead of a WebSocket", proxy),
        300..=399 => {
            let seen = format!("/ws/ answers {status}, to {}", to.as_deref().unwrap_or("nowhere"));
            return Outcome::fail(
                format!("{seen}: browsers follow no redirect here"),
                "is that the server's own name and port, and not a portal's?",
            );
        }
        400 => ("the request does not look like an upgrade by the time it arrives", proxy),
        401 | 403 => (
            "it is forbidden",
            "is the name that of the server? It may check Origin and Host; something in between may filter WebSockets",
        ),
        404 | 405 => (
            "there is no WebSocket",
            "before release 12.6 notifications are on port 7443: examine HOST:7443; before 12.0 there are none but BOSH",
        ),
        426 => ("another protocol or version is wanted", proxy),
        502..=504 => ("something in front of it does not reach the notification service", "is Openfire up?"),
        500..=599 => ("the notification service is in trouble", "is Openfire up? Its log tells"),
        _ => ("no upgrade", proxy),
    };
    Outcome::fail(format!("/ws/ answers {status}: {meaning}"), advice)
}

fn request_head(request: &Request<Empty<Bytes>>) -> RequestHead {
    RequestHead {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        version: Version::Http11,
        fields: fields(request.headers()),
        head_bytes: 0,
    }
}

fn response_head<B>(response: &Response<B>) -> ResponseHead {
    ResponseHead {
        status: response.status().as_u16(),
        reason: String::new(),
        version: Version::Http11,
        fields: fields(response.headers()),
        head_bytes: 0,
    }
}

fn fields(headers: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| Field {
        name: Bytes::copy_from_slice(name.as_str().as_bytes()),
        value: Bytes::copy_from_slice(value.as_bytes()),
    };
    headers.iter().map(field).collect()
}
