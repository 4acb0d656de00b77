//! Text to [`Document`], in one pass: quick-xml splits the markup, memchr jumps over what lies between.
//!
//! quick-xml would cut character data into one event per entity, and a notification holds hundreds, so it only ever sees
//! text that starts at a `<`. It accepts more than XML allows; what would make two readers of one text disagree is
//! refused here: odd names, `<` inside a tag, duplicate or unquoted attributes, mismatched end tags, DOCTYPE.
//!
//! Limits: [`MAX_DEPTH`], [`MAX_ELEMENTS`], [`MAX_NODES`], [`MAX_ATTRIBUTES`]. Not checked: what XML says about
//! characters, comments and processing instructions, and undeclared prefixes.

use crate::xmpp::element::{Document, Entry, EntryKind, Malformed};
use memchr::memchr;
use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;
use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting read; beyond it the document is [`Malformed`].
pub const MAX_DEPTH: usize = 64;
/// Most elements in one document.
pub const MAX_ELEMENTS: usize = 20_000;
/// Most elements, texts and CDATA sections in one document.
pub const MAX_NODES: usize = 3 * MAX_ELEMENTS;
/// Most attributes of one element, namespace declarations included.
pub const MAX_ATTRIBUTES: usize = 256;

/// Reads `text`. Linear in its length; refuses DOCTYPE; never fails.
#[must_use]
pub fn parse(text: &str) -> Document<'_> {
    let mut builder = Builder {
        text,
        // A compact notification has a node every 14 bytes; more is grown into, never reserved by a peer's word.
        entries: Vec::with_capacity((text.len() / 12).min(256)),
        open: None,
        depth: 0,
        elements: 0,
    };
    let malformed = builder.read().err();
    builder.finish(malformed)
}

/// Resolves `&lt; &gt; &amp; &apos; &quot;` and character references in one pass; unknown entities and references to
/// characters XML does not allow stay as they are.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = first;
    while let Some(after) = text.as_bytes().get(at + 1..) {
        let length = match entity(after) {
            Some((character, length)) => {
                out.push_str(text.get(copied..at).unwrap_or_default());
                out.push(character);
                copied = at + 1 + length;
                length
            }
            None => 0,
        };
        // Where there is one there are many, a few bytes apart: too near for a vectorised search to pay.
        let behind = after.get(length..).unwrap_or_default();
        at += 1 + length + behind.iter().position(|byte| *byte == b'&').unwrap_or(behind.len());
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Appends `text` to `out` with `& < > " '` escaped as entities.
pub fn escape(text: &str, out: &mut String) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&apos;",
            _ => continue,
        };
        out.push_str(text.get(copied..at).unwrap_or_default());
        out.push_str(entity);
        copied = at + 1;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
}

/// The attributes of a start tag that [`parse`] accepted. `tag` is all that follows its `<`.
pub(super) fn attributes_of<'a>(tag: &'a str, name_bytes: usize) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let tag = tag.strip_suffix('>').unwrap_or(tag);
    let mut attributes = Attributes::new(tag.strip_suffix('/').unwrap_or(tag), name_bytes);
    attributes.with_checks(false);
    attributes.filter_map(|attribute| match attribute {
        Ok(attribute) => match attribute.value {
            Cow::Borrowed(raw) => Some((attribute.key.into_inner(), raw)),
            Cow::Owned(_) => None,
        },
        Err(_) => None,
    })
}

/// A document while it is read.
struct Builder<'a> {
    text: &'a str,
    entries: Vec<Entry>,
    /// Index of the innermost element whose end tag has not been seen.
    open: Option<usize>,
    depth: usize,
    elements: usize,
}

impl<'a> Builder<'a> {
    fn read(&mut self) -> Result<(), Malformed> {
        let total = self.text.len();
        let mut reader = Reader::from_str(self.text);
        let config = reader.config_mut();
        // The arena knows what is open, and quick-xml does not see every tag.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.check_comments = false;
        loop {
            let rest: &[u8] = reader.get_ref();
            let skipped = memchr(b'<', rest).unwrap_or(rest.len());
            let markup = total - rest.len() + skipped;
            self.push_text(markup - skipped..markup)?;
            let rest = rest.get(skipped..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            if let [b'<', b'!', b'a'..=b'z' | b'A'..=b'Z', ..] = rest {
                return Err(Malformed { why: "document type declarations are refused", offset: markup });
            }
            if let Some(bytes) = self.read_bare_tag(rest, markup)? {
                *reader.get_mut() = rest.get(bytes..).unwrap_or_default();
                continue;
            }
            *reader.get_mut() = rest;
            let event = reader.read_event();
            let span = markup..total - reader.get_ref().len();
            match event {
                Ok(Event::Start(tag)) => {
                    self.push_tag(&tag, span)?;
                    self.open_last();
                }
                Ok(Event::Empty(tag)) => self.push_tag(&tag, span)?,
                Ok(Event::End(tag)) => self.close_element(tag.name().into_inner(), span)?,
                Ok(Event::CData(content)) => {
                    let inner = span.start + "<![CDATA[".len();
                    self.push_leaf(EntryKind::CData, inner..inner + content.len(), span)?;
                }
                Ok(Event::Eof) => break,
                Ok(_) => {} // XML declaration, comment, processing instruction
                Err(quick_xml::Error::Syntax(_)) => {
                    return Err(Malformed { why: "the text ends inside a tag, comment or section", offset: markup });
                }
                Err(_) => return Err(Malformed { why: "not markup", offset: markup }),
            }
        }
        match self.open {
            None => Ok(()),
            Some(_) => Err(Malformed { why: "the text ends inside an element", offset: total }),
        }
    }

    /// Reads `<name>` and `</name>`: nearly all that an Update is made of, at a quarter of what quick-xml takes, which
    /// reads everything else. Returns the tag's length, `None` if it is not one of these.
    fn read_bare_tag(&mut self, rest: &[u8], offset: usize) -> Result<Option<usize>, Malformed> {
        let start = if rest.get(1) == Some(&b'/') { 2 } else { 1 };
        let Some(name) = rest.get(start..) else { return Ok(None) };
        let ends = |byte: &u8| !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | b'0'..=b'9' | b'-' | b'.');
        let Some(name_bytes) = name.iter().position(ends) else { return Ok(None) };
        let plain = name.get(name_bytes) == Some(&b'>') && name.first().is_some_and(starts_name);
        if !plain {
            return Ok(None);
        }
        let span = offset..offset + start + name_bytes + 1;
        if start == 2 {
            let name = self.text.get(offset + start..offset + start + name_bytes).unwrap_or_default();
            self.close_element(name, span.clone())?;
        } else {
            self.push_element(name_bytes, span.clone())?;
            self.open_last();
        }
        Ok(Some(span.len()))
    }

    /// The element just pushed is not empty.
    fn open_last(&mut self) {
        self.open = self.entries.len().checked_sub(1);
        self.depth += 1;
    }

    fn push_text(&mut self, range: Range<usize>) -> Result<(), Malformed> {
        if range.is_empty() { Ok(()) } else { self.push_leaf(EntryKind::Text, range.clone(), range) }
    }

    /// Adds character data; between top-level elements it is ignored.
    fn push_leaf(&mut self, kind: EntryKind, inner: Range<usize>, span: Range<usize>) -> Result<(), Malformed> {
        if self.open.is_none() {
            return Ok(());
        }
        self.push(Entry {
            kind,
            parent: self.open,
            next: self.entries.len() + 1,
            span,
            inner,
            name_end: 0,
            closed: true,
        })
    }

    /// Adds the element of a start tag; `tag` is what stands between its brackets.
    fn push_tag(&mut self, tag: &str, span: Range<usize>) -> Result<(), Malformed> {
        let name_bytes = check_tag(tag).map_err(|why| Malformed { why, offset: span.start })?;
        self.push_element(name_bytes, span)
    }

    /// Adds an element as if it were empty; [`close_element`](Self::close_element) completes it.
    fn push_element(&mut self, name_bytes: usize, span: Range<usize>) -> Result<(), Malformed> {
        let offset = span.start;
        if self.depth == MAX_DEPTH {
            return Err(Malformed { why: "nested too deeply", offset });
        }
        if self.elements == MAX_ELEMENTS {
            return Err(Malformed { why: "too many elements", offset });
        }
        self.elements += 1;
        self.push(Entry {
            kind: EntryKind::Element,
            parent: self.open,
            next: self.entries.len() + 1,
            inner: span.end..span.end,
            name_end: offset + 1 + name_bytes,
            span,
            closed: true,
        })
    }

    fn push(&mut self, entry: Entry) -> Result<(), Malformed> {
        if self.entries.len() == MAX_NODES {
            return Err(Malformed { why: "too many nodes", offset: entry.span.start });
        }
        self.entries.push(entry);
        Ok(())
    }

    fn close_element(&mut self, name: &str, span: Range<usize>) -> Result<(), Malformed> {
        let next = self.entries.len();
        let opened = self.open.and_then(|open| self.entries.get_mut(open));
        let matching = opened.filter(|entry| self.text.get(entry.span.start + 1..entry.name_end) == Some(name));
        let Some(entry) = matching else {
            return Err(Malformed { why: "an end tag without its start tag", offset: span.start });
        };
        entry.inner.end = span.start;
        entry.span.end = span.end;
        entry.next = next;
        self.open = entry.parent;
        self.depth -= 1;
        Ok(())
    }

    /// Ends what is still open where reading ended.
    fn finish(mut self, malformed: Option<Malformed>) -> Document<'a> {
        let end = malformed.map_or(self.text.len(), |malformed| malformed.offset);
        let next = self.entries.len();
        while let Some(entry) = self.open.and_then(|open| self.entries.get_mut(open)) {
            entry.inner.end = end;
            entry.span.end = end;
            entry.next = next;
            entry.closed = false;
            self.open = entry.parent;
        }
        Document { source: self.text, entries: self.entries, malformed }
    }
}

/// Refuses a start tag that another XML reader would read differently. Returns the name's length in bytes.
fn check_tag(tag: &str) -> Result<usize, &'static str> {
    let name_bytes = tag.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(tag.len());
    if !tag.get(..name_bytes).is_some_and(is_name) {
        return Err("not an element name");
    }
    if name_bytes == tag.len() {
        return Ok(name_bytes);
    }
    if memchr(b'<', tag.as_bytes()).is_some() {
        return Err("`<` inside a tag");
    }
    for (index, attribute) in Attributes::new(tag, name_bytes).enumerate() {
        if index == MAX_ATTRIBUTES {
            return Err("too many attributes");
        }
        if !attribute.is_ok_and(|attribute| is_name(attribute.key.into_inner())) {
            return Err("not an attribute, or one given twice");
        }
    }
    Ok(name_bytes)
}

/// An XML name as far as ASCII goes; every other character is let through.
fn is_name(name: &str) -> bool {
    let continues = |byte: u8| starts_name(&byte) || matches!(byte, b'0'..=b'9' | b'-' | b'.');
    name.as_bytes().first().is_some_and(starts_name) && name.bytes().all(continues)
}

fn starts_name(byte: &u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80..)
}

/// The character that `after` (what follows a `&`) stands for, and how many bytes name it, `;` included.
fn entity(after: &[u8]) -> Option<(char, usize)> {
    match after {
        [b'l', b't', b';', ..] => Some(('<', 3)),
        [b'g', b't', b';', ..] => Some(('>', 3)),
        [b'a', b'm', b'p', b';', ..] => Some(('&', 4)),
        [b'q', b'u', b'o', b't', b';', ..] => Some(('"', 5)),
        [b'a', b'p', b'o', b's', b';', ..] => Some(('\'', 5)),
        [b'#', b'x', digits @ ..] => character(digits, 16).map(|(character, length)| (character, length + 2)),
        [b'#', digits @ ..] => character(digits, 10).map(|(character, length)| (character, length + 1)),
        _ => None,
    }
}

/// Most digits of a character reference read: enough for U+10FFFF with leading zeros.
const MAX_REFERENCE_DIGITS: usize = 16;

/// A character reference's digits and `;` (XML 1.0 section 4.1), limited to characters XML allows (section 2.2).
fn character(digits: &[u8], radix: u32) -> Option<(char, usize)> {
    let mut code: u32 = 0;
    for (index, byte) in digits.iter().take(MAX_REFERENCE_DIGITS + 1).enumerate() {
        if *byte == b';' {
            let allowed = matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xFFFD | 0x1_0000..);
            return char::from_u32(code).filter(|_| allowed && index > 0).map(|character| (character, index + 1));
        }
        code = code.checked_mul(radix)?.checked_add(char::from(*byte).to_digit(radix)?)?;
    }
    None
}

#[cfg(test)]
mod tests;
