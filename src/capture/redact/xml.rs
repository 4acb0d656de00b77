//! XML through the policy, on the parsed tree: what a rule removes is replaced, what no parser could read is measured.
//!
//! Almost every stanza holds nothing to remove; [`is_clean`] proves that for most of them in one scan, and their text is
//! written as it came. Where a rule did remove something, the text is written anew from the tree: same names, attributes and
//! order, double quotes, without comments and processing instructions.

use super::json;
use super::scrub::Scrub;
use crate::capture::rules::{self, Class, HINTS, Level};
use crate::finesse::Notification;
use crate::xmpp::element::Node;
use crate::xmpp::parse::{escape, parse, unescape};
use crate::xmpp::{Document, Element};
use aho_corasick::{AhoCorasick, MatchKind};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Documents inside documents followed at the most: stanza, Update, a value that is XML again.
const MAX_NESTING: usize = 3;

#[expect(clippy::expect_used, reason = "constant words: the automaton builds or no test passes")]
static HINTED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let hints = HINTS.iter().chain(&["&#"]);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(hints).expect("constant")
});

/// Where an element stands: whether inside a payload known to be Finesse's, and how deep documents are nested.
#[derive(Clone, Copy)]
struct Place {
    known: bool,
    nesting: usize,
}

/// A stanza's text, redacted. `element` is `None` if only the text before it could be read.
pub(super) fn stanza<'x>(scrub: &mut Scrub<'_>, element: Element<'_, 'x>, xml: &'x str, broken: bool) -> Cow<'x, str> {
    if scrub.level == Level::Off || (!broken && is_clean(xml)) {
        return Cow::Borrowed(xml);
    }
    let removed_before = scrub.count;
    let mut out = String::with_capacity(xml.len());
    write_element(scrub, element, Place { known: false, nesting: 0 }, &mut out);
    if broken {
        out.push_str(&scrub.unparsed(xml.len()));
    }
    // What the tree does not hold (comments, processing instructions) nobody has looked at.
    let unseen = ["<!--", "<?"].iter().any(|mark| xml.contains(mark));
    if scrub.count == removed_before && !unseen { Cow::Borrowed(xml) } else { Cow::Owned(out) }
}

/// A whole document known to be Finesse's (a REST body), redacted.
pub(super) fn payload<'x>(scrub: &mut Scrub<'_>, document: &Document<'x>) -> Cow<'x, str> {
    let source = document.source();
    if scrub.level == Level::Off {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    write_document(scrub, document, Place { known: true, nesting: 1 }, &mut out);
    Cow::Owned(out)
}

/// Whether no rule can apply to a stanza's text: no hint at a credential in it, no character reference that could spell
/// one, and no namespace that is not understood.
fn is_clean(xml: &str) -> bool {
    // The search is several times faster on one case than on both; the copy costs next to nothing.
    !HINTED.is_match(&xml.to_ascii_lowercase()) && !names_a_user(xml) && namespaces(xml).all(rules::is_known_namespace)
}

/// Whether a URL names a user (`https://user:password@host`). Namespaces are URLs too, and name none.
fn names_a_user(xml: &str) -> bool {
    memchr::memmem::find_iter(xml.as_bytes(), "://").any(|at| {
        let authority = xml.bytes().skip(at + 3).take_while(|b| !b"/\"'<>& ".contains(b));
        authority.into_iter().any(|b| b == b'@')
    })
}

/// Values of everything that looks like an `xmlns` declaration. An unusual spelling yields an unknown namespace, which
/// only costs the slow way.
fn namespaces(xml: &str) -> impl Iterator<Item = &str> {
    memchr::memmem::find_iter(xml.as_bytes(), "xmlns").map(|at| {
        let rest = xml.get(at..).unwrap_or_default();
        let value = rest.find(['"', '\'']).and_then(|open| {
            let quote = rest.get(open..)?.chars().next()?;
            let value = rest.get(open + 1..)?;
            value.get(..value.find(quote)?)
        });
        value.unwrap_or("?")
    })
}

fn write_document(scrub: &mut Scrub<'_>, document: &Document<'_>, place: Place, out: &mut String) {
    for root in document.roots() {
        write_element(scrub, root, place, out);
    }
    if let Some(malformed) = document.malformed() {
        out.push_str(&scrub.unparsed(document.source().len().saturating_sub(malformed.offset)));
    }
}

fn write_element(scrub: &mut Scrub<'_>, element: Element<'_, '_>, place: Place, out: &mut String) {
    let namespace = element.namespace();
    let known = place.known || rules::is_known_namespace(&namespace);
    let sasl = namespace == "urn:ietf:params:xml:ns:xmpp-sasl";
    out.push('<');
    out.push_str(element.qname());
    for (name, raw) in element.attributes() {
        let class = attribute_class(element.name(), name, &namespace, known);
        let value = unescape(raw);
        let value = scrub.value(class, name, &value);
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(&value, out);
        out.push('"');
    }
    let mut nodes = element.nodes().peekable();
    if nodes.peek().is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let class = if sasl && matches!(element.name(), "auth" | "response" | "challenge" | "success") {
        None
    } else {
        Some(text_class(element.name(), known))
    };
    for node in nodes {
        let (text, cdata) = match node {
            Node::Element(child) => {
                write_element(scrub, child, place, out);
                continue;
            }
            Node::Text(raw) => (unescape(raw), false),
            Node::CData(raw) => (Cow::Borrowed(raw), true),
        };
        let text = match class {
            _ if text.trim().is_empty() => text,
            None => Cow::Owned(sasl_text(scrub, &text)),
            Some(class) => Cow::Owned(write_text(scrub, element.name(), class, &text, place)),
        };
        if cdata && !text.contains("]]>") {
            out.push_str("<![CDATA[");
            out.push_str(&text);
            out.push_str("]]>");
        } else {
            escape(&text, out);
        }
    }
    out.push_str("</");
    out.push_str(element.qname());
    out.push('>');
}

fn attribute_class(element: &str, name: &str, namespace: &str, known: bool) -> Class {
    let lower = name.to_lowercase();
    let stream_management =
        namespace.starts_with("urn:xmpp:sm:") && matches!(element, "enabled" | "resumed" | "resume");
    match rules::member(&lower) {
        Class::Operational if stream_management && lower == "id" => Class::Session,
        Class::Operational if lower == "rid" => Class::Credential,
        Class::Operational if !known && !lower.starts_with("xmlns") => Class::Unknown,
        class => class,
    }
}

fn text_class(name: &str, known: bool) -> Class {
    match rules::member(&name.to_lowercase()) {
        Class::Operational if !known => Class::Unknown,
        class => class,
    }
}

/// SASL data, the password inside PLAIN learned on the way.
fn sasl_text(scrub: &mut Scrub<'_>, text: &str) -> String {
    if let Some(plain) = crate::xmpp::sasl::plain(text) {
        scrub.learn(&plain.password);
    }
    scrub.credential("sasl", text.trim())
}

/// An element's text; a text that is a document again (the notification's, and values inside it) is read as one.
fn write_text(scrub: &mut Scrub<'_>, name: &str, class: Class, text: &str, place: Place) -> String {
    let nested = Place { known: true, nesting: place.nesting + 1 };
    let is_notification = name == "notification";
    let kept = matches!(class, Class::Operational);
    match Notification::of(text) {
        _ if !kept || nested.nesting > MAX_NESTING => scrub.value(class, name, text).into_owned(),
        Notification::Xml => {
            let mut out = String::with_capacity(text.len());
            write_document(scrub, &parse(text), nested, &mut out);
            out
        }
        Notification::Json => json::text(scrub, text),
        Notification::Text if is_notification => scrub.unparsed(text.len()),
        Notification::Text => scrub.value(class, name, text).into_owned(),
    }
}
