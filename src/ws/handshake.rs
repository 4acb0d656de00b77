//! The opening handshake (RFC 6455 section 4) judged from both heads: what was offered, agreed, and whether it fits.
//!
//! Decides whether the connection is a WebSocket from here on and what its frames mean (RFC 7692 section 7.1). It judges
//! and never refuses: a wrong `Sec-WebSocket-Accept` is told, not enforced. An extension this crate cannot undo, or
//! parameters that the RFC forbids, are [`unknown_extension`](Handshake::unknown_extension).

use crate::conn::Direction;
use crate::http1::head::Field;
use crate::http1::{RequestHead, ResponseHead, Version};
use crate::ws::extension::{self, Extension};
use tungstenite::handshake::derive_accept_key;

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

impl Deflate {
    /// Whether whoever sends in `direction` may refer to its earlier messages (RFC 7692 section 7.1.1).
    #[must_use]
    pub fn takes_context_over(&self, direction: Direction) -> bool {
        match direction {
            Direction::C2s => !self.client_no_context_takeover,
            Direction::S2c => !self.server_no_context_takeover,
        }
    }

    /// A server's answer; `None` if a parameter is unknown, given twice, or has a value that is not allowed.
    fn agreed(answer: &Extension<'_>) -> Option<Self> {
        let [mut server_no_takeover, mut client_no_takeover, mut server_bits, mut client_bits] = [None; 4];
        for (name, value) in &answer.params {
            let (slot, value) = match *name {
                "server_no_context_takeover" => (&mut server_no_takeover, value.is_none().then_some(0)),
                "client_no_context_takeover" => (&mut client_no_takeover, value.is_none().then_some(0)),
                "server_max_window_bits" => (&mut server_bits, value.as_deref().and_then(window_bits)),
                "client_max_window_bits" => (&mut client_bits, value.as_deref().and_then(window_bits)),
                _ => return None,
            };
            if slot.replace(value?).is_some() {
                return None;
            }
        }
        Some(Self {
            server_no_context_takeover: server_no_takeover.is_some(),
            client_no_context_takeover: client_no_takeover.is_some(),
            server_max_window_bits: server_bits.unwrap_or(15),
            client_max_window_bits: client_bits.unwrap_or(15),
        })
    }
}

/// What was offered, what was agreed, and whether the answer fits the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handshake {
    /// Subprotocols the client offers, in order.
    pub protocols_offered: Vec<String>,
    /// Subprotocol the server selected.
    pub protocol: Option<String>,
    /// Extensions the client offers, as one normalised header value (as sent, lines joined, if it breaks the grammar).
    pub extensions_offered: Option<String>,
    /// Extensions the server agreed to, written likewise.
    pub extensions: Option<String>,
    /// permessage-deflate, if agreed and understood.
    pub deflate: Option<Deflate>,
    /// An extension was agreed that this decoder does not know: messages cannot be read.
    pub unknown_extension: bool,
    /// `Sec-WebSocket-Accept` is what the key asks for; `None` if either is missing.
    pub accept_valid: Option<bool>,
}

impl Handshake {
    /// Whether these heads are a WebSocket upgrade that the server accepted (101, `Upgrade: websocket`; in HTTP/2 an extended
    /// CONNECT), and how.
    #[must_use]
    pub fn read(request: &RequestHead, response: &ResponseHead) -> Option<Self> {
        // RFC 8441 section 5: a CONNECT with `:protocol` websocket and any 2xx; whose stream it is has been looked at.
        let is_tunnel = request.version == Version::Http2 && request.method == "CONNECT" && response.status / 100 == 2;
        if !is_tunnel && (response.status != 101 || !upgrades_to_websocket(&response.fields)) {
            return None;
        }
        let offered = joined(&request.fields, EXTENSIONS);
        let answered = joined(&response.fields, EXTENSIONS);
        let (deflate, unknown_extension) = agreement(answered.as_deref().unwrap_or_default());
        Some(Self {
            protocols_offered: list(&request.fields, PROTOCOL),
            protocol: list(&response.fields, PROTOCOL).into_iter().next(),
            extensions_offered: offered.as_deref().and_then(normalised),
            extensions: answered.as_deref().and_then(normalised),
            deflate,
            unknown_extension,
            accept_valid: accept_valid(request, response),
        })
    }

    /// Whether the request asks for a WebSocket at all, accepted or not.
    #[must_use]
    pub fn is_asked_for(request: &RequestHead) -> bool {
        request.method == "GET" && upgrades_to_websocket(&request.fields)
    }
}

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Other protocols may stand beside it, on the same line or others (RFC 9110 section 7.8).
fn upgrades_to_websocket(fields: &[Field]) -> bool {
    list(fields, "Upgrade").iter().any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// RFC 6455 section 4.2.2, item 5.
fn accept_valid(request: &RequestHead, response: &ResponseHead) -> Option<bool> {
    let key = request.field("Sec-WebSocket-Key")?.trim_ascii();
    let accept = response.field("Sec-WebSocket-Accept")?.trim_ascii();
    Some(accept == derive_accept_key(key).as_bytes())
}

/// What the server's answer means for reading frames: permessage-deflate, and whether anything else is in force.
fn agreement(answered: &str) -> (Option<Deflate>, bool) {
    match extension::parse(answered).as_deref() {
        Some([]) => (None, false),
        Some([only]) if only.name.eq_ignore_ascii_case("permessage-deflate") => {
            let deflate = Deflate::agreed(only);
            (deflate, deflate.is_none())
        }
        _ => (None, true),
    }
}

/// RFC 7692 section 7.1.2.1: 8 to 15, no leading zero.
fn window_bits(value: &str) -> Option<u8> {
    let bits: u8 = value.parse().ok()?;
    ((8..=15).contains(&bits) && value == bits.to_string()).then_some(bits)
}

fn normalised(value: &str) -> Option<String> {
    let text = match extension::parse(value) {
        Some(extensions) => extensions.iter().map(Extension::to_string).collect::<Vec<_>>().join(", "),
        None => value.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// The elements of a comma-separated field over all its lines, empty ones left out.
fn list(fields: &[Field], name: &str) -> Vec<String> {
    let value = joined(fields, name).unwrap_or_default();
    value.split(',').map(str::trim).filter(|element| !element.is_empty()).map(str::to_owned).collect()
}

/// All lines of a field as one value (RFC 9110 section 5.3), lossy UTF-8.
fn joined(fields: &[Field], name: &str) -> Option<String> {
    let lines = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
    let lines: Vec<_> = lines.map(|field| String::from_utf8_lossy(&field.value)).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn fields(lines: &[(&'static str, &'static str)]) -> Vec<Field> {
        let field = |&(name, value): &(&'static str, &'static str)| Field {
            name: Bytes::from_static(name.as_bytes()),
            value: Bytes::from_static(value.as_bytes()),
        };
        lines.iter().map(field).collect()
    }

    fn request(lines: &[(&'static str, &'static str)]) -> RequestHead {
        RequestHead {
            method: "GET".into(),
            target: "/ws/".into(),
            version: Version::Http11,
            fields: fields(lines),
            head_bytes: 0,
        }
    }

    fn response(status: u16, lines: &[(&'static str, &'static str)]) -> ResponseHead {
        ResponseHead { status, reason: String::new(), version: Version::Http11, fields: fields(lines), head_bytes: 0 }
    }

    fn answered(extensions: &'static str) -> Handshake {
        let response = response(101, &[("Upgrade", "websocket"), ("sec-websocket-extensions", extensions)]);
        Handshake::read(&request(&[]), &response).expect("an upgrade")
    }

    /// The heads of RFC 6455 section 1.2, with what a browser and a permessage-deflate server add.
    #[test]
    fn both_heads_are_told() {
        let request = request(&[
            ("Upgrade", "websocket"),
            ("Connection", "keep-alive, Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Protocol", "xmpp, chat"),
            ("sec-websocket-protocol", "superchat"),
            ("Sec-WebSocket-Extensions", "permessage-deflate;client_max_window_bits"),
            ("Sec-WebSocket-Extensions", "foo"),
        ]);
        assert!(Handshake::is_asked_for(&request));
        let response = response(
            101,
            &[
                ("upgrade", "WebSocket"),
                ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                ("Sec-WebSocket-Protocol", "xmpp"),
                (
                    "Sec-WebSocket-Extensions",
                    "permessage-deflate; client_max_window_bits=\"12\";server_no_context_takeover",
                ),
            ],
        );
        assert_eq!(
            Handshake::read(&request, &response),
            Some(Handshake {
                protocols_offered: vec!["xmpp".into(), "chat".into(), "superchat".into()],
                protocol: Some("xmpp".into()),
                extensions_offered: Some("permessage-deflate; client_max_window_bits, foo".into()),
                extensions: Some("permessage-deflate; client_max_window_bits=12; server_no_context_takeover".into()),
                deflate: Some(Deflate {
                    server_no_context_takeover: true,
                    client_no_context_takeover: false,
                    server_max_window_bits: 15,
                    client_max_window_bits: 12,
                }),
                unknown_extension: false,
                accept_valid: Some(true),
            })
        );
    }

    #[test]
    fn only_an_accepted_upgrade_to_websocket_is_one() {
        let asked = request(&[("Upgrade", "h2c"), ("Upgrade", "foo/1, WEBSOCKET")]);
        assert!(Handshake::is_asked_for(&asked));
        assert!(!Handshake::is_asked_for(&RequestHead { method: "POST".into(), ..asked.clone() }));
        assert!(!Handshake::is_asked_for(&request(&[("Upgrade", "websockets, h2c"), ("X-Upgrade", "websocket")])));
        assert_eq!(Handshake::read(&asked, &response(200, &[("Upgrade", "websocket")])), None);
        assert_eq!(Handshake::read(&asked, &response(101, &[("Upgrade", "h2c")])), None);
        assert_eq!(Handshake::read(&asked, &response(101, &[])), None);
        assert!(Handshake::read(&asked, &response(101, &[("Upgrade", "foo/1 , websocket")])).is_some());
    }

    #[test]
    fn the_accept_key_is_checked_if_both_are_there() {
        let key = [("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
        let wrong =
            response(101, &[("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "c3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]);
        let bare = response(101, &[("Upgrade", "websocket")]);
        let accept_valid = |request: &RequestHead, response: &ResponseHead| {
            Handshake::read(request, response).and_then(|h| h.accept_valid)
        };
        assert_eq!(accept_valid(&request(&key), &wrong), Some(false));
        assert_eq!(accept_valid(&request(&key), &bare), None);
        assert_eq!(accept_valid(&request(&[]), &wrong), None);
    }

    #[test]
    fn no_extension_is_neither_deflate_nor_unknown() {
        for value in ["", " ", ","] {
            let handshake = answered(value);
            assert_eq!((handshake.deflate, handshake.unknown_extension, handshake.extensions), (None, false, None));
        }
    }

    #[test]
    fn deflate_parameters_follow_the_rfc() {
        let all = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                   server_max_window_bits=8; client_max_window_bits=\"15\"";
        let deflate = answered(all).deflate.expect("agreed");
        assert_eq!((deflate.server_max_window_bits, deflate.client_max_window_bits), (8, 15));
        assert!(!deflate.takes_context_over(Direction::C2s) && !deflate.takes_context_over(Direction::S2c));
        let deflate = answered("permessage-deflate; client_no_context_takeover").deflate.expect("agreed");
        assert!(!deflate.takes_context_over(Direction::C2s) && deflate.takes_context_over(Direction::S2c));
    }

    #[test]
    fn what_cannot_be_undone_is_unknown() {
        for value in [
            "x-webkit-deflate-frame",
            "permessage-bzip2",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate, foo",
            "permessage-deflate; foo",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08",
            "permessage-deflate; server_max_window_bits=+8",
            "permessage-deflate; server_max_window_bits=\"8",
            "permessage-deflate permessage-deflate",
        ] {
            let handshake = answered(value);
            assert_eq!((handshake.deflate, handshake.unknown_extension), (None, true), "{value}");
            assert!(handshake.extensions.is_some(), "{value}");
        }
    }
}
