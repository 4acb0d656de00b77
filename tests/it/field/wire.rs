//! Bytes as browsers and servers write them: HTTP messages, WebSocket frames, stanzas, Updates.

use crate::support::frames::{Length, frame};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use finesse_tap::conn::Direction;

/// The secrets of every scenario, to be searched for.
pub const PASSWORD: &str = "Canary-Password-1";
pub const TOKEN: &str = "Canary-Token-eyJh";

pub fn base64(text: &str) -> String {
    BASE64.encode(text)
}

/// A request with its header fields, a line each.
pub fn request(method: &str, path: &str, host: &str, fields: &[(&str, String)], body: &str) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}:8445\r\n");
    fields.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    if !body.is_empty() {
        head += &format!("Content-Type: application/xml\r\nContent-Length: {}\r\n", body.len());
    }
    format!("{head}\r\n{body}").into_bytes()
}

pub fn response(status: u16, fields: &[(&str, String)], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\n");
    fields.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    if status != 304 && status != 204 {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// The upgrade of RFC 6455 section 1.3, whose accept is known.
pub fn upgrade(host: &str, browser: &str, cookie: &str) -> Vec<u8> {
    format!(
        "GET /ws/ HTTP/1.1\r\nHost: {host}:8445\r\nUser-Agent: {browser}\r\nOrigin: https://{host}:8445\r\nCookie: {cookie}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n\r\n"
    )
    .into_bytes()
}

pub const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";

/// The same without the subprotocol.
pub const UPGRADED_BARE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub fn text_frame(direction: Direction, text: &str) -> Vec<u8> {
    any_frame(direction, 0x81, text.as_bytes())
}

/// A frame by its first byte: 0x88 close, 0x89 ping, 0x8a pong.
pub fn any_frame(direction: Direction, first: u8, payload: &[u8]) -> Vec<u8> {
    let key = (direction == Direction::C2s).then_some([0x37, 0xfa, 0x21, 0x3d]);
    frame(first, key, Length::Minimal, payload)
}

pub fn close_frame(direction: Direction, code: Option<u16>, reason: &str) -> Vec<u8> {
    let mut payload = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
    payload.extend(reason.bytes());
    any_frame(direction, 0x88, &payload)
}

/// A pub-sub event that carries this text.
pub fn message(host: &str, to: &str, node: &str, item: &str, payload: &str) -> String {
    let payload = payload.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<message xmlns=\"jabber:client\" from=\"pubsub.{host}\" to=\"{to}@{host}\" id=\"QM{}\"><event xmlns=\"http://jabber.org/protocol/pubsub#event\">\
         <items node=\"{node}\"><item id=\"{item}\"><notification xmlns=\"http://jabber.org/protocol/pubsub\">{payload}</notification></item></items>\
         </event></message>",
        &item[36..]
    )
}

pub fn update(data: &str, verb: &str, request: &str, source: &str) -> String {
    format!(
        "<Update><data>{data}</data><event>{verb}</event><requestId>{request}</requestId><source>{source}</source></Update>"
    )
}

/// An element with text, unless there is none to say.
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{text}</{name}>")
}
