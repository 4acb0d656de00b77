//! A parsed document as a flat arena over the source text, and elements as views into it.
//!
//! Nothing is copied at parse time: names, attributes and character data are ranges of the source; entities are resolved
//! when asked for. Depth, elements and attributes are limited (see [`parse`](super::parse)).

use std::borrow::Cow;
use std::ops::Range;

/// Why (and where) a text stops being readable as XML.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// A constant sentence; never a byte of the input.
    pub why: &'static str,
    /// Offset in the text, bytes.
    pub offset: usize,
}

/// A text read as XML: zero or more top-level elements, and how far it could be read.
#[derive(Debug)]
pub struct Document<'a> {
    source: &'a str,
}

impl<'a> Document<'a> {
    /// The text it was read from.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// Top-level elements in order. With [`malformed`](Self::malformed) set the last may be open-ended.
    pub fn roots(&self) -> impl Iterator<Item = Element<'_, 'a>> {
        std::iter::empty()
    }

    /// Set if the text is not well-formed (or breaks a limit) from some offset on. All nodes lie before that offset.
    #[must_use]
    pub fn malformed(&self) -> Option<Malformed> {
        todo!()
    }
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub struct Element<'d, 'a> {
    document: &'d Document<'a>,
    index: usize,
}

/// A child in document order.
#[derive(Clone, Copy, Debug)]
pub enum Node<'d, 'a> {
    /// An element.
    Element(Element<'d, 'a>),
    /// Character data between two tags, entities not resolved; the range is its place in the source.
    Text(&'a str),
    /// A CDATA section's content.
    CData(&'a str),
}

impl<'d, 'a> Element<'d, 'a> {
    /// Local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        todo!()
    }

    /// Qualified name as written, prefix included.
    #[must_use]
    pub fn qname(&self) -> &'a str {
        todo!()
    }

    /// Namespace in scope (own or inherited `xmlns`, or the prefix's), empty if none. An undeclared `stream:` prefix is
    /// read as `http://etherx.jabber.org/streams`, any other undeclared prefix as no namespace.
    #[must_use]
    pub fn namespace(&self) -> Cow<'a, str> {
        todo!()
    }

    /// Value of the attribute whose qualified name is `name`, entities resolved.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let _ = name;
        todo!()
    }

    /// All attributes as (qualified name, raw value without its quotes), `xmlns` ones included.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        std::iter::empty()
    }

    /// Children in order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'d, 'a>> + use<'d, 'a> {
        std::iter::empty()
    }

    /// Child elements in order.
    pub fn children(&self) -> impl Iterator<Item = Element<'d, 'a>> + use<'d, 'a> {
        std::iter::empty()
    }

    /// The first child element with this local name, any namespace.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<Element<'d, 'a>> {
        self.children().find(|c| c.name() == name)
    }

    /// Own character data (CDATA included) joined and with entities resolved; borrowed where nothing had to change.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        todo!()
    }

    /// Place in the source, start tag to end tag.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let _ = (self.document, self.index);
        todo!()
    }

    /// Place in the source between start tag and end tag; empty at its end for `<a/>`.
    #[must_use]
    pub fn inner_span(&self) -> Range<usize> {
        todo!()
    }
}
