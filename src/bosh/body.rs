//! One `<body/>` (XEP-0124 section 4 on, XEP-0206 section 5): its attributes, read leniently.

use crate::xmpp::{Document, Element};
use std::borrow::Cow;

/// The namespace of `<body/>`.
pub const NAMESPACE: &str = "http://jabber.org/protocol/httpbind";

/// Longest session id taken for one, bytes.
const MAX_SID_BYTES: usize = 256;

/// What a body does to its session, besides carrying stanzas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Carries stanzas, or nothing at all.
    Plain,
    /// Restarts the XML stream, as after SASL (XEP-0206 section 5).
    Restart,
    /// Ends the session (XEP-0124 sections 13 and 17.2).
    Terminate,
}

/// What the two ends agreed upon; `None` where nobody said (XEP-0124 sections 7 and 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// Longest time a request is held back, seconds.
    pub wait_s: Option<u64>,
    /// Requests held back at once.
    pub hold: Option<u64>,
    /// Requests that the client may have open at once.
    pub requests: Option<u64>,
    /// Longest time without an open request, seconds; then the server forgets the session.
    pub inactivity_s: Option<u64>,
    /// Shortest time between two polls, seconds.
    pub polling_s: Option<u64>,
}

/// A body's attributes. No `Debug`: a `sid` is a secret.
pub struct Body<'d, 'a> {
    /// The element, with the stanzas as its children.
    pub element: Element<'d, 'a>,
    /// What it does.
    pub kind: Kind,
    /// The session; absent when one is asked for, and in most responses.
    pub sid: Option<Cow<'a, str>>,
    /// Request id; in requests only.
    pub rid: Option<u64>,
    /// Why the session ends, as the server says (XEP-0124 section 17.2): one of its words, not any text.
    pub condition: Option<Cow<'a, str>>,
    /// What it agrees upon.
    pub terms: Terms,
    /// The client asks for this long a silence, seconds (XEP-0124 section 10).
    pub pause_s: Option<u64>,
}

impl<'d, 'a> Body<'d, 'a> {
    /// Reads a document that is one body and nothing else.
    ///
    /// # Errors
    /// A constant sentence: it is malformed, it is something else, or a `sid` is too long to be one.
    pub fn read(document: &'d Document<'a>) -> Result<Self, &'static str> {
        if let Some(malformed) = document.malformed() {
            return Err(malformed.why);
        }
        let mut roots = document.roots();
        let element = match (roots.next(), roots.next()) {
            (Some(root), None) if root.name() == "body" => root,
            _ => return Err("the content is not one <body/>"),
        };
        let mut body = Self {
            element,
            kind: Kind::Plain,
            sid: None,
            rid: None,
            condition: None,
            terms: Terms::default(),
            pause_s: None,
        };
        for (name, _) in element.attributes() {
            let value = || element.attribute(name);
            let number = || value().and_then(|text| text.trim().parse().ok());
            match name {
                "sid" => body.sid = value(),
                "rid" => body.rid = number(),
                "condition" => body.condition = value().filter(|condition| is_condition(condition)),
                "wait" => body.terms.wait_s = number(),
                "hold" => body.terms.hold = number(),
                "requests" => body.terms.requests = number(),
                "inactivity" => body.terms.inactivity_s = number(),
                "polling" => body.terms.polling_s = number(),
                "pause" => body.pause_s = number(),
                "type" if value().as_deref() == Some("terminate") => body.kind = Kind::Terminate,
                // The prefix is the writer's choice; in practice it is always `xmpp`.
                _ if name.ends_with(":restart") && matches!(value().as_deref(), Some("true" | "1")) => {
                    body.kind = Kind::Restart;
                }
                _ => {}
            }
        }
        if body.sid.as_ref().is_some_and(|sid| sid.len() > MAX_SID_BYTES) {
            return Err("a session id longer than any server makes");
        }
        Ok(body)
    }

    /// Its start tag made an empty element: the body without what it carries.
    #[must_use]
    pub fn wrapper(&self, source: &str) -> String {
        let (tag, inside) = (self.element.span(), self.element.inner_span());
        let start = source.get(tag.start..inside.start).unwrap_or_default();
        let open = start.strip_suffix("/>").or_else(|| start.strip_suffix('>')).unwrap_or(start);
        format!("{open}/>")
    }
}

impl Terms {
    /// These, and where they say nothing the `earlier` ones.
    #[must_use]
    pub fn or(self, earlier: Self) -> Self {
        Self {
            wait_s: self.wait_s.or(earlier.wait_s),
            hold: self.hold.or(earlier.hold),
            requests: self.requests.or(earlier.requests),
            inactivity_s: self.inactivity_s.or(earlier.inactivity_s),
            polling_s: self.polling_s.or(earlier.polling_s),
        }
    }

    /// Requests that may be open at once: as said, else one more than are held back (XEP-0124 section 7.2).
    #[must_use]
    pub fn most_requests(self) -> Option<u64> {
        self.requests.or_else(|| self.hold.map(|hold| hold.saturating_add(1)))
    }
}

fn is_condition(text: &str) -> bool {
    (1..=48).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::parse::parse;

    #[test]
    fn a_session_is_asked_for_and_granted() {
        let document =
            parse("<body xmlns='http://jabber.org/protocol/httpbind' rid='9007199254740991' wait='60' hold='1'/>");
        let body = Body::read(&document).ok().unwrap();
        assert_eq!((body.rid, body.kind, body.sid.is_some()), (Some(9_007_199_254_740_991), Kind::Plain, false));
        assert_eq!(body.terms.most_requests(), Some(2));
        let granted = parse("<body sid='s&amp;1' wait='30' requests='3' inactivity='45'><a/></body>");
        let granted = Body::read(&granted).ok().unwrap();
        assert_eq!(granted.sid.as_deref(), Some("s&1"));
        let terms = granted.terms.or(body.terms);
        assert_eq!((terms.wait_s, terms.hold, terms.requests), (Some(30), Some(1), Some(3)));
        assert_eq!(granted.element.children().count(), 1);
    }

    #[test]
    fn kinds() {
        let kind = |text: &str| Body::read(&parse(text)).ok().map(|body| body.kind);
        assert_eq!(kind("<body xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>"), Some(Kind::Restart));
        assert_eq!(kind("<body xmpp:restart='false'/>"), Some(Kind::Plain));
        assert_eq!(kind("<body type='terminate' condition='x'/>"), Some(Kind::Terminate));
        for wrong in ["", "text", "<html/>", "<body/><body/>", "<body><a></body>", "<body", "<body rid='1' rid='2'/>"] {
            assert_eq!(kind(wrong), None, "{wrong}");
        }
        assert!(Body::read(&parse(&format!("<body sid='{}'/>", "x".repeat(257)))).is_err());
    }

    #[test]
    fn a_wrapper_holds_no_stanza() {
        for (text, expected) in [
            ("<body a='1'><auth>x</auth></body>", "<body a='1'/>"),
            ("<body a='1'/>", "<body a='1'/>"),
            ("<body a='/>' ></body>", "<body a='/>' />"),
        ] {
            assert_eq!(Body::read(&parse(text)).ok().unwrap().wrapper(text), expected);
        }
    }
}
