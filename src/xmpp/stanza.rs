//! One top-level element to what it is on the stream, and its usual parts.
//!
//! Reads leniently: names decide, namespaces only where a name alone says too little. Knows no payload but bind,
//! pub-sub and errors. Parts that do not occur cost nothing.

use crate::xmpp::Element;
use crate::xmpp::parse::unescape;
use crate::xmpp::pubsub::Pubsub;
use std::borrow::Cow;

/// XEP-0198 in any of its versions.
const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:";
/// XEP-0060, `#event` and the like included.
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0199.
const PING: &str = "urn:xmpp:ping";

/// The element's role on the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `<open/>` (RFC 7395) or `<stream:stream>`.
    Open,
    /// `<close/>` (RFC 7395).
    Close,
    /// `<stream:features>`.
    Features,
    /// `<stream:error>`.
    StreamError,
    /// SASL `<auth/>`.
    Auth,
    /// SASL `<challenge/>`.
    Challenge,
    /// SASL `<response/>`.
    Response,
    /// SASL `<success/>`.
    Success,
    /// SASL `<failure/>`.
    Failure,
    /// SASL `<abort/>`.
    Abort,
    /// `<iq/>`.
    Iq,
    /// `<message/>`.
    Message,
    /// `<presence/>`.
    Presence,
    /// XEP-0198: `enable enabled r a resume resumed failed`.
    StreamManagement,
    /// Anything else.
    Other,
}

impl Kind {
    /// As the event stream writes it: `open`, `features`, `stream-error`, `iq`, `stream-management` …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Features => "features",
            Self::StreamError => "stream-error",
            Self::Auth => "auth",
            Self::Challenge => "challenge",
            Self::Response => "response",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Abort => "abort",
            Self::Iq => "iq",
            Self::Message => "message",
            Self::Presence => "presence",
            Self::StreamManagement => "stream-management",
            Self::Other => "other",
        }
    }

    /// The role of a top-level element. SASL names count in any namespace: taking too much for a secret is harmless.
    #[must_use]
    pub fn of(element: Element<'_, '_>) -> Self {
        match element.name() {
            "iq" => Self::Iq,
            "message" => Self::Message,
            "presence" => Self::Presence,
            "open" | "stream" => Self::Open,
            "close" => Self::Close,
            "features" => Self::Features,
            "error" => Self::StreamError,
            "auth" => Self::Auth,
            "challenge" => Self::Challenge,
            "response" => Self::Response,
            "success" => Self::Success,
            "failure" => Self::Failure,
            "abort" => Self::Abort,
            "enable" | "enabled" | "r" | "a" | "resume" | "resumed" | "failed"
                if element.namespace().starts_with(STREAM_MANAGEMENT) =>
            {
                Self::StreamManagement
            }
            _ => Self::Other,
        }
    }
}

/// A stanza or stream element, read.
#[derive(Debug)]
pub struct Stanza<'d, 'a> {
    /// The element itself.
    pub element: Element<'d, 'a>,
    /// Its role.
    pub kind: Kind,
    /// `type` attribute (`get set result error`, `chat`, `unavailable` …).
    pub stanza_type: Option<Cow<'a, str>>,
    /// `id` attribute.
    pub id: Option<Cow<'a, str>>,
    /// `from` attribute.
    pub from: Option<Cow<'a, str>>,
    /// `to` attribute.
    pub to: Option<Cow<'a, str>>,
    /// What it is about: the first child element that is not an error's part.
    pub payload: Option<Payload<'a>>,
    /// XEP-0060 part, if any.
    pub pubsub: Option<Pubsub<'d, 'a>>,
    /// Stanza error, stream error, SASL failure or XEP-0198 `<failed/>`.
    pub error: Option<StanzaError<'a>>,
    /// Bind: the resource asked for, or the full JID given.
    pub bind: Option<Bind<'a>>,
    /// Features: SASL mechanisms offered.
    pub mechanisms: Vec<Cow<'a, str>>,
}

/// Local name and namespace of a payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload<'a> {
    /// Local name: `bind`, `session`, `ping`, `pubsub`, `query`, `event`, `body` …
    pub name: &'a str,
    /// Its namespace.
    pub namespace: Cow<'a, str>,
}

/// An error as RFC 6120 writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StanzaError<'a> {
    /// `cancel`, `auth` …; absent for stream errors and SASL failures.
    pub error_type: Option<Cow<'a, str>>,
    /// The defined condition: `not-authorized`, `conflict`, `item-not-found` …
    pub condition: Option<&'a str>,
    /// Human text, if any.
    pub text: Option<Cow<'a, str>>,
}

/// RFC 6120 resource binding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bind<'a> {
    /// Asked for by the client.
    pub resource: Option<Cow<'a, str>>,
    /// Given by the server.
    pub jid: Option<Cow<'a, str>>,
}

impl<'d, 'a> Stanza<'d, 'a> {
    /// Reads a top-level element.
    #[must_use]
    pub fn read(element: Element<'d, 'a>) -> Self {
        let mut stanza = Self {
            element,
            kind: Kind::of(element),
            stanza_type: None,
            id: None,
            from: None,
            to: None,
            payload: None,
            pubsub: None,
            error: None,
            bind: None,
            mechanisms: Vec::new(),
        };
        for (name, raw) in element.attributes() {
            let field = match name {
                "type" => &mut stanza.stanza_type,
                "id" => &mut stanza.id,
                "from" => &mut stanza.from,
                "to" => &mut stanza.to,
                _ => continue,
            };
            *field = Some(unescape(raw));
        }
        match stanza.kind {
            Kind::Iq | Kind::Message | Kind::Presence => stanza.read_children(),
            Kind::StreamError | Kind::Failure => stanza.error = Some(StanzaError::read(element)),
            Kind::StreamManagement if element.name() == "failed" => stanza.error = Some(StanzaError::read(element)),
            Kind::Features => {
                // What is to be done next says more than what stands first.
                let step = element.children().find(|child| matches!(child.name(), "mechanisms" | "bind"));
                stanza.payload = step.or_else(|| element.children().next()).map(Payload::read);
                stanza.mechanisms = mechanisms(element);
            }
            _ => stanza.payload = element.children().next().map(Payload::read),
        }
        stanza
    }

    /// XEP-0199 `iq get` with `<ping/>`, either way.
    #[must_use]
    pub fn is_ping(&self) -> bool {
        self.kind == Kind::Iq
            && self.stanza_type.as_deref() == Some("get")
            && self.payload.as_ref().is_some_and(|payload| payload.name == "ping" && payload.namespace == PING)
    }

    /// Children of an iq, message or presence.
    fn read_children(&mut self) {
        if self.stanza_type.as_deref() == Some("error") {
            self.error = Some(StanzaError { error_type: None, condition: None, text: None });
        }
        for child in self.element.children() {
            let name = child.name();
            if name == "error" {
                self.error = Some(StanzaError::read(child));
                continue;
            }
            let payload = Payload::read(child);
            match name {
                "pubsub" | "event" if payload.namespace.starts_with(PUBSUB) => {
                    self.pubsub.get_or_insert_with(|| Pubsub::read(child));
                }
                "bind" => self.bind = Some(Bind::read(child)),
                _ => {}
            }
            self.payload.get_or_insert(payload);
        }
    }
}

impl<'a> Payload<'a> {
    fn read(element: Element<'_, 'a>) -> Self {
        Self { name: element.name(), namespace: element.namespace() }
    }
}

impl<'a> StanzaError<'a> {
    /// Reads what holds a condition and perhaps a `<text/>` (RFC 6120 sections 4.9, 6.5, 8.3).
    fn read(element: Element<'_, 'a>) -> Self {
        let mut error = Self { error_type: element.attribute("type"), condition: None, text: None };
        for child in element.children() {
            match child.name() {
                "text" => error.text = filled(child),
                condition => {
                    error.condition.get_or_insert(condition);
                }
            }
        }
        error
    }
}

impl<'a> Bind<'a> {
    fn read(element: Element<'_, 'a>) -> Self {
        Self { resource: element.child("resource").and_then(filled), jid: element.child("jid").and_then(filled) }
    }
}

fn mechanisms<'a>(features: Element<'_, 'a>) -> Vec<Cow<'a, str>> {
    let Some(list) = features.child("mechanisms") else { return Vec::new() };
    list.children().filter(|child| child.name() == "mechanism").filter_map(filled).collect()
}

/// The element's text, unless it is empty.
fn filled<'a>(element: Element<'_, 'a>) -> Option<Cow<'a, str>> {
    Some(element.text()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
