//! SASL (RFC 6120 section 6, RFC 4616 PLAIN): what an `<auth/>` says. The password never leaves this module unwrapped.

use crate::xmpp::Element;

/// What a PLAIN (or two-part) initial response holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// Authorization identity: the bare JID, may be empty.
    pub authzid: String,
    /// Authentication identity: the user.
    pub authcid: String,
    /// The password or SSO access token. A secret: for the redactor's leak guard only.
    pub password: String,
}

/// `mechanism` of an `<auth/>`.
#[must_use]
pub fn mechanism<'a>(auth: Element<'_, 'a>) -> Option<std::borrow::Cow<'a, str>> {
    auth.attribute("mechanism")
}

/// Decodes the BASE64 text of a PLAIN `<auth/>` or `<response/>`; `None` if it is not of that shape.
#[must_use]
pub fn plain(text: &str) -> Option<Plain> {
    let _ = text;
    todo!()
}
