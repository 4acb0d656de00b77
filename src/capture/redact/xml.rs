//! XML through the policy, on the parsed tree: what a rule removes is replaced, what no parser could read is measured.
//!
//! Almost every stanza holds nothing to remove; [`is_clean`] proves that for most of them in one scan, and their text is
//! written as it came. Where a rule did remove something, the text is written anew from the tree: same names, attributes and
//! order, double quotes, without comments and processing instructions.

use super::json;
use super::scrub::Scrub;
use crate::capture::rules::{self, Class, ENCODED_HINTS, HINTS, KEY_HINTS, Level, SHORT_HINTS};
use crate::finesse::Notification;
use crate::xmpp::element::Node;
use crate::xmpp::parse::{escape, parse, unescape};
use crate::xmpp::{Document, Element, Scope, sasl};
use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Documents inside documents followed at the most: stanza, Update, a value that is XML again.
const MAX_NESTING: usize = 3;

/// From `xmlns` to behind the quote that opens its value, at the most; whatever is longer takes the slow way.
const MAX_DECLARATION_BYTES: usize = 64;

/// Two searches, as one for words of three bytes too would be several times slower.
static HINTED: LazyLock<[AhoCorasick; 2]> = LazyLock::new(|| [HINTS, SHORT_HINTS].map(search));
static AUTHORITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));
/// JSON may write a slash so, and one of an authority too.
static ESCAPED_SLASH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\/"));
static DECLARATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("xmlns"));

#[expect(clippy::expect_used, reason = "constant words: the automaton builds or no test passes")]
fn search(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).expect("constant")
}

/// Where an element stands.
#[derive(Clone, Copy)]
struct Place {
    /// Inside a payload known to be Finesse's.
    known: bool,
    /// How many documents stand around this one.
    nesting: usize,
    /// What a credential's element is masked as, for all that is inside it.
    secret: Option<&'static str>,
}

/// A stanza's text, redacted; borrowed if there was nothing to remove. Of a `broken` one only what could be read is
/// written.
pub(super) fn stanza<'x>(scrub: &mut Scrub<'_>, element: Element<'_, 'x>, xml: &'x str, broken: bool) -> Cow<'x, str> {
    let carries_sasl = sasl::carries_data(element.name());
    if scrub.level == Level::Off || (!broken && !carries_sasl && is_clean(xml) && inherits_nothing(element)) {
        return Cow::Borrowed(xml);
    }
    let removed_before = scrub.count;
    let mut out = String::with_capacity(xml.len());
    // The header of a stream over TCP may declare the prefix, which no stanza repeats.
    let secret = (carries_sasl && element.namespace() != sasl::NAMESPACE).then_some("sasl");
    let place = Place { known: false, nesting: 0, secret };
    write_element(scrub, element, &Scope::around(element), place, &mut out);
    if broken {
        out.push_str(&scrub.unparsed(xml.len()));
    }
    drop_unseen(scrub, xml);
    // The leak guard knows no character references: it looks at what they spell.
    let unspelled = ["&#", "amp;#"].iter().any(|mark| xml.contains(mark)) && scrub.guard.finds_leak(out.as_bytes());
    if scrub.count == removed_before && !unspelled { Cow::Borrowed(xml) } else { Cow::Owned(out) }
}

/// A whole document known to be Finesse's (a REST body), redacted.
pub(super) fn payload<'x>(scrub: &mut Scrub<'_>, document: &Document<'x>) -> Cow<'x, str> {
    let source = document.source();
    if scrub.level == Level::Off {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    write_document(scrub, document, Place { known: true, nesting: 1, secret: None }, &mut out);
    Cow::Owned(out)
}

/// A value that may be a document again, XML or JSON: then it is redacted by its structure. `nesting` counts the documents
/// around it; what lies too deep to be read is only measured.
pub(super) fn value<'t>(
    scrub: &mut Scrub<'_>,
    class: Class,
    name: &str,
    text: &'t str,
    nesting: usize,
) -> Cow<'t, str> {
    let form = Notification::of(text);
    if class != Class::Operational || form == Notification::Text || scrub.level == Level::Off {
        return scrub.value(class, name, text);
    }
    let nesting = nesting + 1;
    Cow::Owned(match form {
        _ if nesting > MAX_NESTING => scrub.unparsed(text.len()),
        Notification::Xml => {
            let mut out = String::with_capacity(text.len());
            write_document(scrub, &parse(text), Place { known: true, nesting, secret: None }, &mut out);
            out
        }
        _ => json::text(scrub, text, nesting),
    })
}

/// Whether no rule can apply to a stanza's text: no hint at a credential in it, no character reference that could spell
/// one, no comment, declaration or processing instruction, and no namespace that is not understood.
fn is_clean(xml: &str) -> bool {
    // The searches are several times faster on one case than on both; the copy costs next to nothing.
    let lower = xml.to_ascii_lowercase();
    !HINTED.iter().any(|words| words.is_match(&lower))
        && !has_key(lower.as_bytes())
        && !has_mark(lower.as_bytes())
        && !names_a_user(xml)
        && ESCAPED_SLASH.find(xml.as_bytes()).is_none()
        && namespaces(xml).all(rules::is_known_namespace)
}

/// Whether no namespace declared around a stanza, on a BOSH body, can let a rule apply to its text.
fn inherits_nothing(stanza: Element<'_, '_>) -> bool {
    stanza.parent().is_none_or(|body| {
        let mut declarations = body.attributes().filter(|(name, _)| name.starts_with("xmlns"));
        declarations.all(|(_, namespace)| is_clean(namespace) && rules::is_known_namespace(namespace))
    })
}

/// Whether a key in front of its `=` is a credential's, or something is percent-encoded that may be a token.
fn has_key(lower: &[u8]) -> bool {
    memchr::memchr2_iter(b'=', b'%', lower).any(|at| {
        let (before, from) = lower.split_at(at);
        let is_encoded =
            from.first() == Some(&b'%') && ENCODED_HINTS.iter().any(|hint| before.ends_with(hint.as_bytes()));
        let key = before.trim_ascii_end();
        is_encoded || KEY_HINTS.iter().any(|hint| key.ends_with(hint.as_bytes()))
    })
}

/// Whether there is a declaration, comment, processing instruction or character reference, escaped or not.
fn has_mark(lower: &[u8]) -> bool {
    memchr::memchr3_iter(b'!', b'?', b'#', lower).any(|at| {
        let (before, from) = lower.split_at(at);
        let openings = if from.first() == Some(&b'#') { ["&", "amp;"] } else { ["<", "&lt;"] };
        openings.iter().any(|opening| before.ends_with(opening.as_bytes()))
    })
}

/// Whether a URL names a user (`https://user:password@host`). Namespaces are URLs too, and name none. A `&` is an escaped
/// character, of a password perhaps.
fn names_a_user(xml: &str) -> bool {
    AUTHORITY.find_iter(xml.as_bytes()).any(|at| {
        let authority = xml.bytes().skip(at + 3).take_while(|b| !b"/\"'<> ".contains(b));
        authority.into_iter().any(|b| b == b'@')
    })
}

/// Values of everything that looks like an `xmlns` declaration. An unusual spelling yields an unknown namespace, which
/// only costs the slow way.
fn namespaces(xml: &str) -> impl Iterator<Item = &str> {
    DECLARATION.find_iter(xml.as_bytes()).map(|at| {
        let rest = xml.get(at..).unwrap_or_default();
        let name = rest.as_bytes().get(..rest.len().min(MAX_DECLARATION_BYTES)).unwrap_or_default();
        let value = memchr::memchr2(b'"', b'\'', name).and_then(|open| {
            let quote = *rest.as_bytes().get(open)?;
            let value = rest.get(open + 1..)?;
            value.get(..memchr::memchr(quote, value.as_bytes())?)
        });
        value.unwrap_or("?")
    })
}

fn write_document(scrub: &mut Scrub<'_>, document: &Document<'_>, place: Place, out: &mut String) {
    let mut read_bytes = 0;
    for root in document.roots() {
        read_bytes += root.span().len();
        write_element(scrub, root, &Scope::around(root), place, out);
    }
    let outside = document.source().trim().len().saturating_sub(read_bytes);
    scrub.count += u64::from(outside > 0);
    drop_unseen(scrub, document.source());
    if let Some(malformed) = document.malformed() {
        out.push_str(&scrub.unparsed(document.source().len().saturating_sub(malformed.offset)));
    }
}

/// What the tree does not hold (comments, processing instructions, declarations) nobody has looked at: it is left out.
fn drop_unseen(scrub: &mut Scrub<'_>, source: &str) {
    scrub.count += u64::from(["<!--", "<!D", "<?"].iter().any(|mark| source.contains(mark)));
}

fn write_element<'x>(
    scrub: &mut Scrub<'_>,
    element: Element<'_, 'x>,
    outer: &Scope<'_, 'x>,
    place: Place,
    out: &mut String,
) {
    let scope = outer.on(element);
    let namespace = scope.namespace(element);
    let known = place.known || rules::is_known_namespace(&namespace);
    let carries_sasl = namespace == sasl::NAMESPACE && sasl::carries_data(element.name());
    let class = text_class(element.name(), known);
    let inside = match place.secret {
        None if carries_sasl => Some("sasl"),
        None if class == Class::Credential => Some(rules::kind_of(&element.name().to_lowercase())),
        outer => outer,
    };
    let tag = tag(scrub, element.qname()).unwrap_or("unknown");
    out.push('<');
    out.push_str(tag);
    for (name, raw) in element.attributes() {
        let class = attribute_class(element.name(), name, &namespace, known);
        let value = unescape(raw);
        let value = match place.secret {
            Some(kind) if !name.starts_with("xmlns") => Cow::Owned(scrub.credential(kind, &value)),
            _ => self::value(scrub, class, name, &value, place.nesting),
        };
        // Two attributes of one name would be no XML: one whose name may not be written is left out.
        let Some(name) = self::tag(scrub, name) else { continue };
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
    while let Some(node) = nodes.next() {
        let (mut text, mut cdata) = match node {
            Node::Element(child) => {
                write_element(scrub, child, &scope, Place { secret: inside, ..place }, out);
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
        let text = match inside {
            _ if text.trim().is_empty() => text,
            Some("sasl") => Cow::Owned(sasl_text(scrub, &text)),
            Some(kind) => Cow::Owned(scrub.credential(kind, &text)),
            None if element.name() == "notification" && Notification::of(&text) == Notification::Text => {
                Cow::Owned(scrub.unparsed(text.len()))
            }
            None => Cow::Owned(value(scrub, class, element.name(), &text, place.nesting).into_owned()),
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
    out.push_str(tag);
    out.push('>');
}

/// The name of an element or attribute, unless something in it may not be written.
fn tag<'n>(scrub: &mut Scrub<'_>, name: &'n str) -> Option<&'n str> {
    matches!(scrub.name(name), Cow::Borrowed(_)).then_some(name)
}

fn attribute_class(element: &str, name: &str, namespace: &str, known: bool) -> Class {
    let lower = name.to_lowercase();
    match rules::attribute(namespace, element, &lower) {
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
    if let Some(plain) = sasl::plain(text) {
        scrub.learn(&plain.password);
    }
    scrub.credential("sasl", text.trim())
}

#[cfg(test)]
mod tests;
