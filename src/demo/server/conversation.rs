//! The server's side of one XMPP stream over WebSocket (RFC 7395): what it answers to each thing the client says.
//!
//! Turns one text message into the messages to send back; does no I/O. SASL PLAIN, bind, session, presence, XEP-0199
//! pings and XEP-0060 subscriptions, as Openfire does them for Finesse. Anything else gets an error (RFC 6120).

use super::center::{Center, Errand, Refusal, SessionKey};
use crate::demo::trouble::Trouble;
use crate::demo::uuid;
use crate::demo::xml::{Element, escape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Wrong passwords before the stream is closed.
const MAX_ATTEMPTS: u32 = 3;
/// Longest resource, bytes.
const MAX_RESOURCE_BYTES: usize = 256;
const CAPS: &str = "<c xmlns=\"http://jabber.org/protocol/caps\" hash=\"sha-1\" \
                    node=\"https://www.igniterealtime.org/projects/openfire/\" ver=\"ZGVtbyBjYXBhYmlsaXRpZXM=\"/>";
const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

/// What to do after a message.
#[derive(Default)]
pub(super) struct Reaction {
    /// To be sent, in order.
    pub(super) replies: Vec<String>,
    /// The stream is over: nothing more is read as XMPP.
    pub(super) end: bool,
    /// The replies go out late.
    pub(super) late: bool,
}

impl Reaction {
    fn reply(text: impl Into<String>) -> Self {
        Self { replies: vec![text.into()], end: false, late: false }
    }

    /// Ends the stream in order.
    pub(super) fn leave() -> Self {
        Self { replies: vec![CLOSE.to_owned()], end: true, late: false }
    }

    /// Ends the stream with an error (RFC 6120 section 4.9).
    pub(super) fn stream_error(condition: &str) -> Self {
        let error = format!(
            "<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\">\
             <{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
        );
        Self { replies: vec![error, CLOSE.to_owned()], end: true, late: false }
    }
}

/// How far the client has come.
enum Stage {
    /// Nothing opened yet.
    Silent,
    /// Opened, not authenticated.
    Unknown {
        attempts: u32,
    },
    /// Authenticated as this agent, stream not yet restarted.
    Known {
        agent: String,
    },
    /// Restarted, no resource yet.
    Unbound {
        agent: String,
    },
    Bound {
        jid: String,
        key: SessionKey,
    },
}

/// One stream.
pub(super) struct Conversation {
    center: Arc<Center>,
    id: String,
    stage: Stage,
    /// Handed to the center when a resource is bound.
    outbox: Option<mpsc::Sender<Errand>>,
}

impl Conversation {
    /// Events for the client will be put into `outbox`; when the center drops it the session is over.
    pub(super) fn new(center: Arc<Center>, outbox: mpsc::Sender<Errand>) -> Self {
        Self { center, id: uuid(), stage: Stage::Silent, outbox: Some(outbox) }
    }

    /// The client says `text`.
    pub(super) fn hear(&mut self, text: &str) -> Reaction {
        if text.trim().is_empty() {
            return Reaction::default(); // white space keeps a connection alive (RFC 6120 section 4.6.1)
        }
        let Ok(element) = Element::read(text) else { return Reaction::stream_error("not-well-formed") };
        match element.name.as_str() {
            "open" => self.open(&element),
            "close" => Reaction { replies: vec![CLOSE.to_owned()], end: true, late: false },
            "auth" => self.auth(&element),
            "iq" => self.iq(&element),
            "presence" => self.presence(&element),
            "message" if matches!(self.stage, Stage::Bound { .. }) => Reaction::default(),
            "message" => Reaction::stream_error("not-authorized"),
            _ => Reaction::stream_error("unsupported-stanza-type"),
        }
    }

    fn open(&mut self, open: &Element) -> Reaction {
        if open.attribute("to") != Some(self.center.host()) {
            return Reaction::stream_error("host-unknown");
        }
        let offer = match &self.stage {
            Stage::Silent => {
                self.stage = Stage::Unknown { attempts: 0 };
                "<mechanisms xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><mechanism>PLAIN</mechanism></mechanisms>"
            }
            Stage::Known { agent } => {
                self.stage = Stage::Unbound { agent: agent.clone() };
                "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\
                 <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"
            }
            _ => return Reaction::stream_error("bad-format"),
        };
        let (host, id) = (self.center.host(), &self.id);
        let opened = format!(
            "<open from='{host}' id='{id}' xmlns='urn:ietf:params:xml:ns:xmpp-framing' xml:lang='en' version='1.0'/>"
        );
        let features =
            format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{offer}{CAPS}</stream:features>");
        Reaction { replies: vec![opened, features], end: false, late: false }
    }

    fn auth(&mut self, auth: &Element) -> Reaction {
        let Stage::Unknown { attempts } = &mut self.stage else { return Reaction::stream_error("policy-violation") };
        *attempts += 1;
        let exhausted = *attempts >= MAX_ATTEMPTS;
        let outcome = match auth.attribute("mechanism") {
            Some("PLAIN") => self.plain(&auth.text),
            _ => Err("invalid-mechanism"),
        };
        match outcome {
            Ok(agent) => {
                self.stage = Stage::Known { agent };
                Reaction::reply("<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>")
            }
            Err(condition) => {
                let failure = format!("<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><{condition}/></failure>");
                let mut reaction = Reaction::reply(failure);
                if exhausted {
                    reaction.replies.push(CLOSE.to_owned());
                    reaction.end = true;
                }
                reaction
            }
        }
    }

    /// The agent a SASL PLAIN message (RFC 4616) proves to be, or the SASL error condition.
    fn plain(&self, base64: &str) -> Result<String, &'static str> {
        let bytes = STANDARD.decode(base64).map_err(|_| "incorrect-encoding")?;
        let text = String::from_utf8(bytes).map_err(|_| "malformed-request")?;
        let mut parts = text.split('\0');
        let (Some(authzid), Some(id), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("malformed-request");
        };
        let agent = self.center.authenticate(id, password).ok_or("not-authorized")?;
        if authzid.is_empty() || authzid == agent.jid(self.center.host()) {
            Ok(agent.id)
        } else {
            Err("invalid-authzid")
        }
    }

    fn presence(&self, presence: &Element) -> Reaction {
        let Stage::Bound { jid, .. } = &self.stage else { return Reaction::stream_error("not-authorized") };
        if presence.attribute("type").is_some() {
            return Reaction::default();
        }
        let host = self.center.host();
        if self.center.troubles().is_on(Trouble::NoPresence) {
            return Reaction::default();
        }
        // The desktop takes itself for connected only when it sees the server's own user.
        Reaction::reply(format!(
            "<presence xmlns=\"jabber:client\" from=\"finesse@{host}/User\" to=\"{jid}\">{CAPS}</presence>"
        ))
    }

    fn iq(&mut self, iq: &Element) -> Reaction {
        let Some(id) = iq.attribute("id") else { return Reaction::stream_error("bad-format") };
        let (Some("get" | "set"), Some(payload)) = (iq.attribute("type"), iq.children.first()) else {
            return Reaction::default(); // an answer to nothing we asked
        };
        let host = self.center.host().to_owned();
        let pubsub = format!("pubsub.{host}");
        let to = iq.attribute("to").unwrap_or(&host).to_owned();
        let (stage, name) = (&self.stage, payload.name.as_str());
        let (jid, outcome) = match stage {
            Stage::Unbound { agent } if name == "bind" => {
                let agent = agent.clone();
                return self.bind(id, &agent, payload.text_at(&["resource"]));
            }
            Stage::Bound { jid, key } => {
                let outcome = match name {
                    "session" | "ping" if to == host => Ok(String::new()),
                    "pubsub" if to == pubsub => self.pubsub(*key, jid, payload),
                    _ => Err(("cancel", "service-unavailable")),
                };
                (jid.as_str(), outcome)
            }
            _ => return Reaction::stream_error("not-authorized"),
        };
        let troubles = self.center.troubles();
        if name == "ping" && troubles.is_on(Trouble::Pings) {
            return Reaction::default();
        }
        let late = name == "ping" && troubles.is_on(Trouble::Overload);
        let head = format!("id=\"{}\" from=\"{}\" to=\"{jid}\"", escape(id), escape(&to));
        let reply = match outcome {
            Ok(inner) if inner.is_empty() => format!("<iq xmlns=\"jabber:client\" type=\"result\" {head}/>"),
            Ok(inner) => format!("<iq xmlns=\"jabber:client\" type=\"result\" {head}>{inner}</iq>"),
            Err((error_type, condition)) => format!(
                "<iq xmlns=\"jabber:client\" type=\"error\" {head}><error type=\"{error_type}\">\
                 <{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error></iq>"
            ),
        };
        Reaction { late, ..Reaction::reply(reply) }
    }

    fn bind(&mut self, id: &str, agent: &str, resource: Option<&str>) -> Reaction {
        let Some(outbox) = self.outbox.take() else { return Reaction::stream_error("internal-server-error") };
        let resource = match resource {
            Some(resource) if resource.len() <= MAX_RESOURCE_BYTES => resource.to_owned(),
            _ => uuid(),
        };
        let host = self.center.host();
        // Escaped once here: the JID is used in attributes and text only.
        let jid = escape(&format!("{agent}@{host}/{resource}"));
        let key = self.center.bind(agent, &jid, outbox);
        let result = format!(
            "<iq xmlns=\"jabber:client\" type=\"result\" id=\"{}\" to=\"{host}/{}\">\
             <bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"><jid>{jid}</jid></bind></iq>",
            escape(id),
            self.id,
        );
        self.stage = Stage::Bound { jid, key };
        Reaction::reply(result)
    }

    /// XEP-0060 section 6: subscribe and unsubscribe. Gives the result's payload, or error type and condition.
    fn pubsub(&self, key: SessionKey, jid: &str, pubsub: &Element) -> Result<String, (&'static str, &'static str)> {
        let request = pubsub.children.first().ok_or(("modify", "bad-request"))?;
        let node = request.attribute("node").ok_or(("modify", "bad-request"))?;
        let outcome = match request.name.as_str() {
            "subscribe" => self.center.subscribe(key, node),
            "unsubscribe" => self.center.unsubscribe(key, node),
            _ => return Err(("cancel", "feature-not-implemented")),
        };
        match outcome {
            Ok(()) if request.name == "unsubscribe" => Ok(String::new()),
            Ok(()) => Ok(format!(
                "<pubsub xmlns=\"http://jabber.org/protocol/pubsub\"><subscription node=\"{}\" jid=\"{jid}\" \
                 subid=\"{}\" subscription=\"subscribed\"><subscribe-options/></subscription></pubsub>",
                escape(node),
                uuid(),
            )),
            Err(Refusal::ItemNotFound) => Err(("cancel", "item-not-found")),
            Err(Refusal::Forbidden) => Err(("auth", "forbidden")),
            Err(Refusal::NotSubscribed) => Err(("cancel", "unexpected-request")),
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if let Stage::Bound { key, .. } = &self.stage {
            self.center.unbind(*key);
        }
    }
}
