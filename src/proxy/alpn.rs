//! Whether a client's ALPN offer (RFC 7301) is handed on to the server, and what stands against it.
//!
//! What a client speaks with the server directly it speaks through the proxy: the server is offered what the client offers,
//! as far as the tap can read it, and the client gets what the server chose. Bytes are relayed either way; nothing here
//! knows more of a protocol than its name.

use super::route::{Gate, Plan, Route};
use crate::conn::Kind;
use crate::tls::Protocol;
use crate::tls::leaf::Identity;

/// What is done about ALPN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Alpn {
    /// The client's offer goes to the server, the server's choice to the client.
    #[default]
    Mirror,
    /// HTTP/1.1 alone on both legs.
    Http1,
}

impl Alpn {
    /// Each, as [`as_str`](Self::as_str) writes it.
    pub const ALL: [Self; 2] = [Self::Mirror, Self::Http1];

    /// `mirror` or `http1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Http1 => "http1",
        }
    }
}

/// What is done about it on one connection.
pub(crate) enum Speech {
    /// The server is offered this, in the client's order. Without any, neither leg has ALPN.
    Mirrored(Vec<Protocol>),
    /// Both legs speak what the listener speaks; why that is so, if the client could have something else.
    Fixed(Option<&'static str>),
}

impl Plan {
    /// What is done about the offer of a client that came to `gate`, asked for `sni` and is led to `route`.
    pub(crate) fn speech<'n>(
        &self,
        gate: &Gate,
        route: &Route,
        sni: Option<&str>,
        offer: Option<impl Iterator<Item = &'n [u8]>>,
    ) -> Speech {
        if route.kind != Kind::Https {
            return Speech::Fixed(None);
        }
        if self.alpn == Alpn::Http1 {
            return Speech::Fixed(Some("option"));
        }
        // The rewriter reads HTTP/1.
        if self.rewrites(route, sni) {
            return Speech::Fixed(Some("rewriting"));
        }
        // With HTTP/2 a browser would send one server's requests over another's connection (RFC 9113 section 9.1.1).
        if matches!(*self.front.identity, Identity::Own(_)) && gate.leads_to_several() {
            return Speech::Fixed(Some("certificate"));
        }
        let Some(offer) = offer else { return Speech::Mirrored(Vec::new()) };
        let readable: Vec<Protocol> = offer.filter_map(Protocol::named).collect();
        // Of an offer without any, rustls says so with the alert of RFC 7301 section 3.2.
        if readable.is_empty() { Speech::Fixed(None) } else { Speech::Mirrored(readable) }
    }
}
