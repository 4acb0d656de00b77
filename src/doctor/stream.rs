//! One XMPP stream over a WebSocket (RFC 7395), as a client: says a stanza, waits for the one that answers.
//!
//! Stanzas that nobody waits for are dropped: presences of others, pings of the server. The end of the stream, by error or
//! without, is a [`Fault`] in plain words. Bounds no time; the caller does.

use super::step::Fault;
use super::system::Domains;
use super::upgrade::Socket;
use crate::xmpp::parse::parse;
use crate::xmpp::stanza::{Kind, Stanza};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

/// The stream.
pub(super) struct Stream {
    socket: Socket,
    pub(super) domains: Domains,
    /// The full JID, once bound.
    pub(super) jid: String,
    last_id: u32,
}

impl Stream {
    pub(super) fn new(socket: Socket, domains: Domains) -> Self {
        Self { socket, domains, jid: String::new(), last_id: 0 }
    }

    /// An id for the next request.
    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        format!("doctor-{}", self.last_id)
    }

    /// Says `<open/>`.
    pub(super) async fn say_open(&mut self) -> Result<(), Fault> {
        let to = escape(&self.domains.server);
        self.say(format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{to}' version='1.0'/>")).await
    }

    /// Says one stanza.
    pub(super) async fn say(&mut self, text: String) -> Result<(), Fault> {
        self.socket.send(Message::text(text)).await.map_err(|_| broken())
    }

    /// The first of the stanzas to come in which `wanted` finds something.
    pub(super) async fn hear<T>(&mut self, wanted: impl Fn(&Stanza<'_, '_>) -> Option<T>) -> Result<T, Fault> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or_else(String::new, |frame| format!(" with code {}", u16::from(frame.code)));
                    return Err(Fault::new(format!("the server closed the WebSocket{code}"), "its log tells why"));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(broken()),
            };
            let document = parse(&text);
            for root in document.roots() {
                let stanza = Stanza::read(root);
                if let Some(found) = wanted(&stanza) {
                    return Ok(found);
                }
                match stanza.kind {
                    Kind::StreamError => return Err(ended(stanza.error.and_then(|error| error.condition))),
                    Kind::Close => return Err(Fault::new("the server closed the stream", "its log tells why")),
                    _ => {}
                }
            }
        }
    }

    /// Says an iq and waits for its answer: `found` in the result, or the error's condition.
    pub(super) async fn ask<T>(
        &mut self,
        id: &str,
        iq: String,
        found: impl Fn(&Stanza<'_, '_>) -> T,
    ) -> Result<Result<T, String>, Fault> {
        self.say(iq).await?;
        self.hear(|stanza| {
            if stanza.kind != Kind::Iq || stanza.id.as_deref() != Some(id) {
                return None;
            }
            match stanza.stanza_type.as_deref() {
                Some("result") => Some(Ok(found(stanza))),
                Some("error") => {
                    let condition = stanza.error.as_ref().and_then(|error| error.condition);
                    Some(Err(condition.unwrap_or("an error without a reason").to_owned()))
                }
                _ => None,
            }
        })
        .await
    }

    /// Closes the stream, then the WebSocket, and waits for the server to agree (RFC 7395 section 3.6).
    pub(super) async fn close(&mut self) -> Result<(), Fault> {
        self.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".to_owned()).await?;
        self.hear(|stanza| (stanza.kind == Kind::Close).then_some(())).await?;
        // The stream is over: what becomes of the socket is no matter any more.
        let _ = self.socket.close(None).await;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }
}

/// `text` as an attribute or character data holds it.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn broken() -> Fault {
    Fault::new(
        "the connection broke without a word",
        "is it always at the same step or age? Then something in between cuts WebSockets",
    )
}

/// A stream error in plain words (RFC 6120 section 4.9.3).
fn ended(condition: Option<&str>) -> Fault {
    let condition = condition.unwrap_or("no reason");
    let advice = match condition {
        "host-unknown" | "host-gone" | "improper-addressing" => {
            "the XMPP domain is another: use the name that SystemInfo gives, or the primary node's"
        }
        "conflict" => "somebody else signed in with the same resource",
        "system-shutdown" | "reset" => "the notification service is being restarted; look again in some minutes",
        "connection-timeout" => "the server thinks the client is gone: are messages held back in between?",
        "policy-violation" | "resource-constraint" => "the server has had enough: too many sessions or attempts?",
        _ => "the notification service's log tells more",
    };
    Fault::new(format!("the server ended the stream: {condition}"), advice)
}
