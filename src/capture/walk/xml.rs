//! XML: stanzas, Updates and REST bodies, on the parsed tree.
//!
//! Almost every stanza holds nothing to remove at `auth`; [`clean`](super::clean) proves that for most of them in one scan, and
//! their text is written as it came. Where a rule did remove something, the text is written anew from the tree: same names,
//! attributes and order, double quotes, without comments and processing instructions, which nobody has looked at. What does not
//! parse is measured.

use super::{MAX_NESTING, Pass, clean};
use crate::capture::policy::mark::is_mark;
use crate::capture::policy::table::{self, Place, What};
use crate::capture::policy::user::RulePlace;
use crate::capture::policy::{Class, Level, name, words};
use crate::finesse::Notification;
use crate::xmpp::element::Node;
use crate::xmpp::parse::{escape, parse, unescape};
use crate::xmpp::{Document, Element, Scope, sasl};
use std::borrow::Cow;

/// What stands around a value.
#[derive(Clone)]
pub(super) struct Around<'a> {
    /// The document is XMPP's or Finesse's, so that an unknown name is a new release's.
    known: bool,
    /// The document is nobody's that we know: only the shape of values stays.
    foreign: bool,
    /// Documents around this one.
    pub(super) nesting: usize,
    /// What a credential's name masks all that is inside it as.
    pub(super) secret: Option<&'static str>,
    /// The name around.
    pub(super) parent: &'a str,
    /// What a sibling calls the value: `{"name":"…","value":"…"}`.
    pub(super) subject: Option<&'a str>,
    /// Names from the root, if the user has rules.
    path: String,
}

impl Around<'static> {
    /// Around a stanza: namespaces tell what is known.
    fn stanza() -> Self {
        Self { known: false, foreign: false, nesting: 0, secret: None, parent: "", subject: None, path: String::new() }
    }

    /// Around a document that is Finesse's, `nesting` documents deep.
    pub(super) fn finesse(nesting: usize) -> Self {
        Self { known: true, nesting, ..Self::stanza() }
    }

    /// Around a document of somebody else's.
    pub(super) fn foreign() -> Self {
        Self { foreign: true, ..Self::stanza() }
    }
}

impl Around<'_> {
    /// Inside an element or member.
    pub(super) fn inside<'b>(&self, name: &'b str, subject: Option<&'b str>) -> Around<'b> {
        let Self { known, foreign, nesting, secret, .. } = *self;
        let path = format!("{}/{}", self.path, name.to_lowercase());
        Around { known, foreign, nesting, secret, parent: name, subject, path }
    }

    /// The same for what a credential's name holds, however it is divided.
    pub(super) fn holding(&self, what: What, name: &str, level: Level) -> Self {
        let secret = self.secret.or((what == What::Credential && level > Level::Off).then(|| name::kind_of(name)));
        Self { secret, ..self.clone() }
    }
}

/// Whether a member's or attribute's text says what its sibling [`is_value`] is.
pub(super) fn is_subject(name: &str) -> bool {
    ["name", "var", "key"].iter().any(|subject| name.eq_ignore_ascii_case(subject))
}

/// Whether a name says only that this is a value.
pub(super) fn is_value(name: &str) -> bool {
    ["value", "values", "val"].iter().any(|value| name.eq_ignore_ascii_case(value))
}

impl Pass<'_> {
    /// A stanza, or the beginning of one; borrowed if there was nothing to remove.
    pub(in crate::capture) fn stanza<'x>(&mut self, xml: &'x str) -> Cow<'x, str> {
        let fast = self.level == Level::Auth && !self.is_broken && self.rules.is_empty() && self.judged.is_none();
        if self.level == Level::Off || fast && clean::is_clean(xml) {
            return Cow::Borrowed(xml);
        }
        self.xml(xml, &Around::stanza())
    }

    /// The content of a REST message by its media type: XML, JSON, a form, or a measure of it.
    pub(in crate::capture) fn content<'x>(&mut self, text: &'x str, mime_type: &str) -> Cow<'x, str> {
        if self.level == Level::Off || text.trim().is_empty() || is_mark(text.trim()) {
            return Cow::Borrowed(text);
        }
        match Notification::of(text) {
            _ if text.contains('\0') => Cow::Owned(self.unparsed(text.len())),
            _ if mime_type.contains("x-www-form-urlencoded") => Cow::Owned(self.pairs(text, "")),
            Notification::Xml if !mime_type.contains("html") => self.xml(text, &Around::finesse(1)),
            Notification::Json => {
                let known = self.known_json(text, &Around::finesse(1));
                Cow::Owned(known.unwrap_or_else(|| self.unparsed(text.len())))
            }
            _ => Cow::Owned(self.unparsed(text.len())),
        }
    }

    fn xml<'x>(&mut self, text: &'x str, around: &Around<'_>) -> Cow<'x, str> {
        let before = self.count;
        let mut out = String::with_capacity(text.len());
        self.document(&parse(text), around, &mut out);
        if self.count == before && self.level <= Level::Auth && !spells_ascii(text) {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(out)
        }
    }

    fn document(&mut self, document: &Document<'_>, around: &Around<'_>, out: &mut String) {
        let source = document.source();
        let (mut read_bytes, mut end) = (0, 0);
        for root in document.roots() {
            read_bytes += root.span().len();
            end = root.span().end;
            self.element(root, &Scope::around(root), around, out);
        }
        let has_unseen = ["<!--", "<!D", "<?"].iter().any(|mark| source.contains(mark));
        let is_outside = document.malformed().is_none() && source.trim().len() > read_bytes;
        // What the fast path would let through may stay here, too.
        let is_harmless = self.level == Level::Auth && !self.is_broken && clean::is_clean(source);
        self.count += u64::from(has_unseen || is_outside && !is_harmless);
        let tail = source.get(end..).unwrap_or_default().trim();
        if self.is_broken && around.nesting == 0 {
            out.push_str(&self.unparsed(source.len()));
        } else if is_mark(tail) {
            // A measure that stands behind what could be read is no document, and stays.
            out.push_str(tail);
        } else if let Some(malformed) = document.malformed() {
            let rest = source.get(malformed.offset..).unwrap_or_default();
            let measured = match rest.trim() {
                mark if is_mark(mark) => mark.to_owned(),
                _ if is_harmless => rest.to_owned(),
                _ => self.unparsed(rest.len()),
            };
            out.push_str(&measured);
        }
    }

    fn element<'x>(&mut self, element: Element<'_, 'x>, outer: &Scope<'_, 'x>, around: &Around<'_>, out: &mut String) {
        let scope = outer.on(element);
        let namespace = scope.namespace(element);
        let is_known = words::is_known_namespace(&namespace);
        let strict = self.level > Level::Auth;
        if strict && !is_known {
            self.removed(Class::Unknown);
            return;
        }
        let name = element.name();
        if self.level == Level::Minimal && name.eq_ignore_ascii_case("callvariables") {
            self.removed(Class::Customer);
            out.push_str(&format!("<{0}>[customer:{1}]</{0}>", name, element.children().count()));
            return;
        }
        let subject = self.subject(element);
        let mut inside = around.inside(name, subject.as_deref());
        inside.known |= is_known;
        let what = self.judge(Place::Member, around.parent, name);
        inside = if carries_sasl(name, &namespace, around.nesting) {
            Around { secret: inside.secret.or(Some("sasl")), ..inside }
        } else {
            inside.holding(what, name, self.level)
        };
        // What is foreign inside a stanza is foreign, however well the stanza is known.
        let children = Around { known: around.known, ..inside.clone() };
        let tag = self.tag(element);
        out.push('<');
        out.push_str(tag);
        // A prefix that is not written leaves its namespace as the element's own.
        let unprefixed = element.qname().len() > name.len() && !tag.contains(':');
        if unprefixed && !namespace.is_empty() {
            push_attribute("xmlns", &namespace, out);
        }
        for (attribute, raw) in element.attributes().filter(|(name, _)| !(unprefixed && *name == "xmlns")) {
            self.attribute(element, attribute, raw, &inside, out);
        }
        let mut nodes = element.nodes().peekable();
        if nodes.peek().is_none() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        while let Some(node) = nodes.next() {
            let (mut text, mut cdata) = match node {
                Node::Element(child) => {
                    self.element(child, &scope, &children, out);
                    continue;
                }
                Node::Text(raw) => (unescape(raw), false),
                Node::CData(raw) => (Cow::Borrowed(raw), true),
            };
            // A text in pieces is one text: a rule must see all of it.
            while let Some(more) = nodes.next_if(|node| !matches!(node, Node::Element(_))) {
                cdata = false;
                match more {
                    Node::Text(raw) => text.to_mut().push_str(&unescape(raw)),
                    Node::CData(raw) => text.to_mut().push_str(raw),
                    Node::Element(_) => {}
                }
            }
            let kept = if text.trim().is_empty() {
                text.into_owned()
            } else {
                self.element_text(element, what, &text, around, &inside)
            };
            if cdata && !kept.contains("]]>") {
                out.push_str("<![CDATA[");
                out.push_str(&kept);
                out.push_str("]]>");
            } else {
                escape(&kept, out);
            }
        }
        out.push_str("</");
        out.push_str(tag);
        out.push('>');
    }

    /// What an element's attribute or child calls its value, if it has both.
    fn subject(&self, element: Element<'_, '_>) -> Option<String> {
        let attributes = || element.attributes().map(|(name, raw)| (local(name), raw));
        let by_attribute = attributes().find(|(name, _)| is_subject(name)).map(|(_, raw)| unescape(raw).into_owned());
        let named = by_attribute.or_else(|| {
            let child = element.children().find(|child| is_subject(child.name()))?;
            element.children().any(|child| is_value(child.name())).then(|| child.text().into_owned())
        });
        named.filter(|name| !name.trim().is_empty())
    }

    /// An element's name as it may be written.
    fn tag<'a>(&mut self, element: Element<'a, '_>) -> &'a str {
        let (qname, local) = (element.qname(), element.name());
        if self.level <= Level::Auth {
            // Unless a token stands in its place.
            return if matches!(self.name(qname), Cow::Borrowed(_)) { qname } else { "unknown" };
        }
        if !table::is_known_member(local) {
            self.removed(Class::Unknown);
            return "unknown";
        }
        if qname.starts_with("stream:") { qname } else { local }
    }

    fn attribute(&mut self, element: Element<'_, '_>, qname: &str, raw: &str, inside: &Around<'_>, out: &mut String) {
        let value = unescape(raw);
        let name = local(qname);
        let declares = qname == "xmlns" || qname.starts_with("xmlns:");
        let strict = self.level > Level::Auth;
        let is_feature = name == "var" && element.name() == "feature";
        if declares || is_feature && words::is_known_namespace(&value) {
            if strict && !(words::is_known_namespace(&value) && matches!(qname, "xmlns" | "xmlns:stream" | "var")) {
                self.removed(Class::Unknown);
                return;
            }
            let kept = self.text(&value).into_owned();
            push_attribute(qname, &kept, out);
            return;
        }
        // Data of SASL may stand in an attribute, the mechanism's name is told.
        let is_told = matches!(&*name.to_ascii_lowercase(), "mechanism" | "lang" | "version");
        let paired = || {
            let named = inside.subject.unwrap_or(element.name());
            let what = table::judge(Place::Member, "", named);
            (is_value(name) && matches!(what, What::Credential | What::Session)).then(|| (what, named.to_owned()))
        };
        let has_value = || element.attributes().any(|(name, _)| is_value(local(name)));
        let kept = if let Some(kind) = inside.secret.filter(|_| !is_told && !is_subject(name)) {
            self.credential(kind, &value)
        } else if let Some((what, named)) = paired() {
            self.value(what, &named, &value).into_owned()
        } else {
            let what = match self.judge(Place::Attribute, element.name(), name) {
                What::Credential if is_subject(name) && has_value() => What::Structure,
                what => what,
            };
            let kept = self.document_or_value(what, name, &value, inside);
            if strict && kept.is_empty() && !value.is_empty()
                || strict && matches!(what, What::Unknown | What::Structure)
            {
                return;
            }
            kept
        };
        if strict && table::find(Place::Attribute, element.name(), name).is_none() && !name::is_telling(name) {
            return;
        }
        // Two attributes of one name would be no XML: one whose name may not be written is left out.
        if matches!(self.name(qname), Cow::Borrowed(_)) {
            push_attribute(qname, &kept, out);
        }
    }

    fn element_text(
        &mut self,
        element: Element<'_, '_>,
        what: What,
        text: &str,
        around: &Around<'_>,
        inside: &Around<'_>,
    ) -> String {
        let name = element.name();
        if let Some(value) = self.ruled_pair(name, text, around) {
            return value;
        }
        if let Some(value) = self.ruled(RulePlace::Xml, &inside.path, text) {
            return value;
        }
        match inside.secret {
            Some("sasl") => return self.sasl(text),
            Some(kind) => return self.credential(kind, text),
            None => {}
        }
        // `<field var='password'><value>…`, `<property name='password'>…`
        let named =
            around.subject.filter(|_| is_value(name)).or(inside.subject.filter(|_| !element.children().any(|_| true)));
        if let Some(subject) = named {
            let by_subject = table::judge(Place::Member, "", subject);
            if matches!(by_subject, What::Credential | What::Session) {
                return self.value(by_subject, subject, text).into_owned();
            }
        }
        let trimmed = text.trim();
        let kept = self.document_or_value(what, name, if self.level > Level::Auth { trimmed } else { text }, inside);
        // White space around a value is part of how a server writes.
        if kept == trimmed { text.to_owned() } else { kept }
    }

    /// SASL data, the password inside learnt on the way.
    fn sasl(&mut self, text: &str) -> String {
        self.credential("sasl", text.trim())
    }

    /// A value that may be a document again, XML or JSON: then it is treated by its structure.
    pub(super) fn document_or_value(&mut self, what: What, name: &str, text: &str, around: &Around<'_>) -> String {
        let opens = matches!(what, What::Credential | What::Session);
        let form = Notification::of(text);
        let is_notification = name.eq_ignore_ascii_case("notification");
        if self.level == Level::Off || is_notification && is_mark(text.trim()) {
            return text.to_owned();
        }
        if around.foreign && !opens {
            return self.value(What::Unknown, name, text).into_owned();
        }
        let follows = !opens && form != Notification::Text && (self.level == Level::Auth || is_notification);
        if follows && around.nesting >= MAX_NESTING || is_notification && form == Notification::Text {
            return self.unparsed(text.len());
        }
        if follows {
            let inside = Around { path: around.path.clone(), ..Around::finesse(around.nesting + 1) };
            return match form {
                Notification::Xml => self.xml(text, &inside).into_owned(),
                _ => self.json(text, &inside),
            };
        }
        match what {
            What::Unknown | What::Structure if around.known => self.unknown_here(name, text).into_owned(),
            _ => self.value(what, name, text).into_owned(),
        }
    }
}

/// Whether an element carries data of a SASL mechanism: by its name, whatever its case, namespace and wrapper in a stanza.
/// Inside a document of Finesse's the namespace must say so.
fn carries_sasl(name: &str, namespace: &str, nesting: usize) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_named = sasl::carries_data(&lower) || matches!(&*lower, "handshake" | "authenticate");
    is_named && (nesting == 0 || namespace == sasl::NAMESPACE)
}

/// Whether a character of ASCII is written as a reference, once or more often escaped. Servers do so with letters beyond ASCII
/// only; whoever spells a password like this hides it from every search, so the text is written as it reads.
fn spells_ascii(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), "#").any(|at| {
        let (before, number) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |hex| (hex, 16));
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let code = u32::from_str_radix(digits.get(..end).unwrap_or_default(), radix);
        (before.ends_with('&') || before.ends_with("amp;")) && code.is_ok_and(|code| code < 0x80)
    })
}

fn local(qname: &str) -> &str {
    qname.rsplit_once(':').map_or(qname, |(_, local)| local)
}

fn push_attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}
