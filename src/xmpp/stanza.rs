//! What one top-level element is, and its usual parts.

use crate::xmpp::Element;
use crate::xmpp::pubsub::Pubsub;
use std::borrow::Cow;

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
        todo!()
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
    /// What it is about: the first child element that is not `<error/>`.
    pub payload: Option<Payload<'a>>,
    /// XEP-0060 part, if any.
    pub pubsub: Option<Pubsub<'d, 'a>>,
    /// Stanza error, stream error or SASL failure.
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
        let _ = element;
        todo!()
    }

    /// XEP-0199 `iq get` with `<ping/>`, either way.
    #[must_use]
    pub fn is_ping(&self) -> bool {
        todo!()
    }
}
