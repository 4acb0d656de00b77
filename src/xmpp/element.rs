//! A parsed document as a flat arena over the source text, and elements as views into it.
//!
//! Nothing is copied at parse time: names, attributes and character data are ranges of the source; attributes are split,
//! entities and namespaces resolved when asked for. Depth, elements and attributes are limited (see
//! [`parse`](super::parse)). Debug output names places, never content.

use crate::xmpp::parse::{attributes_of, unescape};
use memchr::memchr;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// What an undeclared `stream:` prefix stands for (RFC 6120 section 4.8.5).
const STREAMS: &str = "http://etherx.jabber.org/streams";
/// What the `xml:` prefix always stands for (Namespaces in XML section 3).
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Why (and where) a text stops being readable as XML.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// A constant sentence; never a byte of the input.
    pub why: &'static str,
    /// Offset in the text, bytes: where the first unreadable piece of markup begins.
    pub offset: usize,
}

/// A text read as XML: zero or more top-level elements, and how far it could be read.
pub struct Document<'a> {
    pub(super) source: &'a str,
    pub(super) entries: Vec<Entry>,
    pub(super) malformed: Option<Malformed>,
}

/// One node of the arena. An element's descendants follow it directly, in document order.
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// The element around it.
    pub(super) parent: Option<usize>,
    /// Index of the first entry that is not inside this one.
    pub(super) next: usize,
    /// Place in the source, tags included.
    pub(super) span: Range<usize>,
    /// Place in the source, tags (or CDATA brackets) excluded.
    pub(super) inner: Range<usize>,
    /// Elements: where the qualified name ends; it begins one after `span.start`.
    pub(super) name_end: usize,
    /// Elements: the end tag was seen (or there is none to see).
    pub(super) closed: bool,
}

/// What an [`Entry`] is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    Element,
    Text,
    CData,
}

impl<'a> Document<'a> {
    /// The text it was read from.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// Top-level elements in order. With [`malformed`](Self::malformed) set the last may be open-ended.
    pub fn roots(&self) -> impl Iterator<Item = Element<'_, 'a>> {
        self.siblings(0, self.entries.len()).filter_map(Node::element)
    }

    /// Set if the text is not well-formed (or breaks a limit) from some offset on. All nodes lie before that offset.
    #[must_use]
    pub fn malformed(&self) -> Option<Malformed> {
        self.malformed
    }

    fn siblings<'d>(&'d self, first: usize, end: usize) -> impl Iterator<Item = Node<'d, 'a>> + use<'d, 'a> {
        let mut at = first;
        std::iter::from_fn(move || {
            let index = at;
            let entry = self.entries.get(index).filter(|_| index < end)?;
            at = entry.next;
            Some(match entry.kind {
                EntryKind::Element => Node::Element(Element { document: self, entry, index }),
                EntryKind::Text => Node::Text(self.slice(entry.inner.clone())),
                EntryKind::CData => Node::CData(self.slice(entry.inner.clone())),
            })
        })
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.source.get(range).unwrap_or_default()
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.source.len())
            .field("nodes", &self.entries.len())
            .field("malformed", &self.malformed)
            .finish()
    }
}

/// One element.
#[derive(Clone, Copy)]
pub struct Element<'d, 'a> {
    document: &'d Document<'a>,
    entry: &'d Entry,
    index: usize,
}

/// A child in document order.
#[derive(Clone, Copy)]
pub enum Node<'d, 'a> {
    /// An element.
    Element(Element<'d, 'a>),
    /// Character data between two tags, entities not resolved; a slice of the source.
    Text(&'a str),
    /// A CDATA section's content.
    CData(&'a str),
}

impl<'d, 'a> Node<'d, 'a> {
    fn element(self) -> Option<Element<'d, 'a>> {
        match self {
            Self::Element(element) => Some(element),
            Self::Text(_) | Self::CData(_) => None,
        }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Element(_) => None,
            Self::Text(raw) => Some(unescape(raw)),
            Self::CData(content) => Some(Cow::Borrowed(content)),
        }
    }
}

impl<'d, 'a> Element<'d, 'a> {
    /// Local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        split_name(self.qname()).1
    }

    /// Qualified name as written, prefix included.
    #[must_use]
    pub fn qname(&self) -> &'a str {
        self.document.slice(self.entry.span.start + 1..self.entry.name_end)
    }

    /// Namespace in scope (own or inherited `xmlns`, or the prefix's), empty if none. An undeclared `stream:` prefix is
    /// read as `http://etherx.jabber.org/streams`, any other undeclared prefix as no namespace.
    #[must_use]
    pub fn namespace(&self) -> Cow<'a, str> {
        let prefix = split_name(self.qname()).0;
        let declares = |name: &str| match prefix {
            Some(prefix) => name.strip_prefix("xmlns:") == Some(prefix),
            None => name == "xmlns",
        };
        let mut scope = Some(*self);
        while let Some(element) = scope {
            if let Some((_, raw)) = element.attributes().find(|(name, _)| declares(name)) {
                return unescape(raw);
            }
            scope = element.parent();
        }
        Cow::Borrowed(undeclared(prefix))
    }

    /// Value of the attribute whose qualified name is `name`, entities resolved.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(own, _)| *own == name).map(|(_, raw)| unescape(raw))
    }

    /// All attributes as (qualified name, raw value without its quotes), `xmlns` ones included.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        attributes_of(self.document.slice(self.entry.name_end..self.entry.inner.start))
    }

    /// Children in order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'d, 'a>> + use<'d, 'a> {
        self.document.siblings(self.index + 1, self.entry.next)
    }

    /// Child elements in order.
    pub fn children(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        self.nodes().filter_map(Node::element)
    }

    /// The first child element with this local name, any namespace.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<Element<'d, 'a>> {
        self.children().find(|c| c.name() == name)
    }

    /// The element around it; `None` for a top-level one.
    #[must_use]
    pub fn parent(&self) -> Option<Element<'d, 'a>> {
        let index = self.entry.parent?;
        let entry = self.document.entries.get(index)?;
        Some(Element { document: self.document, entry, index })
    }

    /// Own character data (CDATA included) joined and with entities resolved; borrowed where nothing had to change.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        let mut pieces = self.nodes().filter_map(Node::text);
        let mut text = pieces.next().unwrap_or(Cow::Borrowed(""));
        for piece in pieces {
            text.to_mut().push_str(&piece);
        }
        text
    }

    /// Whether its end was seen. Only the last elements of a [`malformed`](Document::malformed) document are open-ended;
    /// their text may be cut short.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.entry.closed
    }

    /// Place in the source, start tag to end tag.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.entry.span.clone()
    }

    /// Place in the source between start tag and end tag; empty at its end for `<a/>`.
    #[must_use]
    pub fn inner_span(&self) -> Range<usize> {
        self.entry.inner.clone()
    }
}

impl fmt::Debug for Element<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({:?})", self.entry.span)
    }
}

impl fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(element) => element.fmt(f),
            Self::Text(raw) => write!(f, "Text({} bytes)", raw.len()),
            Self::CData(content) => write!(f, "CData({} bytes)", content.len()),
        }
    }
}

/// The namespace of a prefix that nothing declares.
pub(super) fn undeclared(prefix: Option<&str>) -> &'static str {
    match prefix {
        Some("stream") => STREAMS,
        Some("xml") => XML,
        _ => "",
    }
}

/// Prefix and local name.
pub(super) fn split_name(qname: &str) -> (Option<&str>, &str) {
    match memchr(b':', qname.as_bytes()).and_then(|colon| Some((qname.get(..colon)?, qname.get(colon + 1..)?))) {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, qname),
    }
}
