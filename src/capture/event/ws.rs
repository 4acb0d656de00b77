//! WebSockets: their handshake, messages without XMPP, control frames, their end.

use super::Word;
use super::classed::{Classed, EXTENSIONS, OWN_ID, PACKET, SENTENCE, SUBPROTOCOLS, Text, WORD, treat_all};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.ws.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Ws<'a> {
    /// `w2`; counts from 1 in a run.
    pub(in crate::capture) id: Classed<'a, OWN_ID>,
    /// Subprotocols in the request, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::capture) protocols_offered: Vec<Classed<'a, SUBPROTOCOLS>>,
    /// Subprotocol selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) protocol: Text<'a, SUBPROTOCOLS>,
    /// `Sec-WebSocket-Extensions` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extensions_offered: Text<'a, EXTENSIONS>,
    /// `Sec-WebSocket-Extensions` of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extensions: Text<'a, EXTENSIONS>,
    /// Whether `Sec-WebSocket-Accept` is right (RFC 6455 section 4.2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) accept_valid: Option<bool>,
    /// `text`, `binary`, `close`, `ping`, `pong` or `reserved-X`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("pattern" = "^(text|binary|close|ping|pong|reserved-[0-9a-f])$")))]
    pub(in crate::capture) opcode: Text<'a, WORD>,
    /// Size of the payload, inflated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) payload_bytes: Option<u64>,
    /// Size of the payload on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) wire_bytes: Option<u64>,
    /// Frames that carried the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) fragments: Option<u64>,
    /// `true` for permessage-deflate; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) compressed: bool,
    /// Of JSON and Socket.IO: the message with its names, and of values their shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) text: Text<'a, PACKET>,
    /// Of a pong: since its ping, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) rtt_us: Option<u64>,
    /// How long nothing had passed on the socket before, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) idle_ms: Option<u64>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) close: Option<WsClose<'a>>,
    /// What passed from browser to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) c2s: Option<WsCount>,
    /// What passed from server to browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) s2c: Option<WsCount>,
}

/// `finesse.ws.close.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct WsClose<'a> {
    /// Close code (RFC 6455 section 7.4); 1005: none in the frame; 1006: no frame.
    pub(in crate::capture) code: u16,
    /// Close reason, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) reason: Text<'a, SENTENCE>,
    /// Who sent the first Close frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(in crate::capture) initiator: Option<Word>,
    /// `full`: answered, `half`: not, `none`: no Close frame at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::CLOSE_HANDSHAKE)))]
    pub(in crate::capture) handshake: Option<Word>,
}

/// `finesse.ws.c2s.*`, `finesse.ws.s2c.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct WsCount {
    /// Data messages.
    pub messages: u64,
    /// Their payload, inflated.
    pub payload_bytes: u64,
    /// Their payload on the wire.
    pub wire_bytes: u64,
    /// Control frames.
    pub controls: u64,
}

treat_all! {
    Ws<'_> {
        id, protocols_offered, protocol, extensions_offered, extensions, accept_valid, opcode, payload_bytes,
        wire_bytes, fragments, compressed, text, rtt_us, idle_ms, close, c2s, s2c,
    }
    WsClose<'_> { code, reason, initiator, handshake }
    WsCount { messages, payload_bytes, wire_bytes, controls }
}
