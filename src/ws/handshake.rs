//! The opening handshake (RFC 6455 section 4) judged from both heads.

use crate::http1::{RequestHead, ResponseHead};

/// permessage-deflate as agreed (RFC 7692 section 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deflate {
    /// `server_no_context_takeover` was agreed.
    pub server_no_context_takeover: bool,
    /// `client_no_context_takeover` was agreed.
    pub client_no_context_takeover: bool,
    /// Window bits of the server's compressor, 8 to 15.
    pub server_max_window_bits: u8,
    /// Window bits of the client's compressor, 8 to 15.
    pub client_max_window_bits: u8,
}

/// What was offered, what was agreed, and whether the answer fits the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handshake {
    /// Subprotocols the client offers, in order.
    pub protocols_offered: Vec<String>,
    /// Subprotocol the server selected.
    pub protocol: Option<String>,
    /// Extensions the client offers, as one normalised header value.
    pub extensions_offered: Option<String>,
    /// Extensions the server agreed to, as one normalised header value.
    pub extensions: Option<String>,
    /// permessage-deflate, if agreed and understood.
    pub deflate: Option<Deflate>,
    /// An extension was agreed that this decoder does not know: messages cannot be read.
    pub unknown_extension: bool,
    /// `Sec-WebSocket-Accept` is what the key asks for; `None` if either is missing.
    pub accept_valid: Option<bool>,
}

impl Handshake {
    /// Whether these heads are a WebSocket upgrade that the server accepted (101, `Upgrade: websocket`), and how.
    #[must_use]
    pub fn read(request: &RequestHead, response: &ResponseHead) -> Option<Self> {
        let _ = (request, response);
        todo!()
    }

    /// Whether the request asks for a WebSocket at all, accepted or not.
    #[must_use]
    pub fn is_asked_for(request: &RequestHead) -> bool {
        let _ = request;
        todo!()
    }
}
