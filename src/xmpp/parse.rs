//! Text to [`Document`], in one pass: plain tags are read here, quick-xml reads the rest, memchr jumps over what lies between.
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
    let (before, mut rest) = text.split_at(first);
    // No entity is shorter than what it stands for, so this is enough.
    let mut out = String::with_capacity(text.len());
    out.push_str(before);
    let mut is_changed = false;
    while let Some(after) = rest.strip_prefix('&') {
        let (character, bytes) = entity(after.as_bytes()).unwrap_or(('&', 0));
        is_changed |= bytes > 0;
        out.push(character);
        let behind = after.get(bytes..).unwrap_or_default();
        // Where there is one there are many, a few bytes apart: too near for a vectorised search to pay.
        let (plain, next) = behind.split_at(behind.bytes().position(|byte| byte == b'&').unwrap_or(behind.len()));
        out.push_str(plain);
        rest = next;
    }
    if is_changed { Cow::Owned(out) } else { Cow::Borrowed(text) }
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

/// The attributes of a start tag that [`parse`] accepted, as names and raw values. `behind_name` is all of the tag that
/// follows its name.
pub(super) fn attributes_of(behind_name: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = behind_name;
    std::iter::from_fn(move || {
        let (name, raw, behind) = attribute(rest)?;
        rest = behind;
        Some((name, raw))
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
        let mut reader = Reader::from_str("");
        let config = reader.config_mut();
        // The arena knows what is open, and quick-xml does not see every tag.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.check_comments = false;
        let mut at = 0;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let (text, rest) = rest.split_at(memchr(b'<', rest.as_bytes()).unwrap_or(rest.len()));
            self.push_text(at..at + text.len())?;
            let markup = at + text.len();
            if rest.is_empty() {
                break;
            }
            if let Some(bytes) = self.read_plain_tag(rest, markup)? {
                at = markup + bytes;
                continue;
            }
            if let [b'<', b'!', b'a'..=b'z' | b'A'..=b'Z', ..] = rest.as_bytes() {
                return Err(Malformed { why: "document type declarations are refused", offset: markup });
            }
            *reader.get_mut() = rest.as_bytes();
            let event = reader.read_event();
            at = total - reader.get_ref().len();
            let span = markup..at;
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

    /// Reads a tag as everybody writes it: an ASCII name, some quoted attributes, the end tag of what is open. That is at a
    /// fraction of what quick-xml takes, which reads everything else and says what is wrong with it. Returns the tag's length,
    /// `None` if it is not one of these.
    fn read_plain_tag(&mut self, rest: &str, offset: usize) -> Result<Option<usize>, Malformed> {
        if let Some(rest) = rest.strip_prefix("</") {
            let open = self.open.and_then(|open| self.entries.get(open));
            let name = open.and_then(|entry| self.text.get(entry.span.start + 1..entry.name_end));
            let Some(name) = name.filter(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('>')))
            else {
                return Ok(None);
            };
            let bytes = "</>".len() + name.len();
            self.close_last(offset..offset + bytes);
            return Ok(Some(bytes));
        }
        let Some(name_bytes) = plain_name(rest.get(1..).unwrap_or_default()) else { return Ok(None) };
        let behind_name = rest.get(1 + name_bytes..).unwrap_or_default();
        let Some(end) = behind_plain_attributes(behind_name) else { return Ok(None) };
        let (closing, is_empty) = if end.starts_with('>') { (1, false) } else { (2, true) };
        let bytes = rest.len() - end.len() + closing;
        self.push_element(name_bytes, offset..offset + bytes)?;
        if !is_empty {
            self.open_last();
        }
        Ok(Some(bytes))
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
        let open = self.open.and_then(|open| self.entries.get(open));
        if open.and_then(|entry| self.text.get(entry.span.start + 1..entry.name_end)) != Some(name) {
            return Err(Malformed { why: "an end tag without its start tag", offset: span.start });
        }
        self.close_last(span);
        Ok(())
    }

    /// `span` is the end tag of the innermost open element.
    fn close_last(&mut self, span: Range<usize>) {
        let next = self.entries.len();
        let Some(entry) = self.open.and_then(|open| self.entries.get_mut(open)) else { return };
        entry.inner.end = span.start;
        entry.span.end = span.end;
        entry.next = next;
        self.open = entry.parent;
        self.depth -= 1;
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

/// Most attributes of a tag that is plain: each is compared with those before it.
const PLAIN_ATTRIBUTES: usize = 8;

/// Length of the name at the beginning of `text`, if it is one of ASCII.
fn plain_name(text: &str) -> Option<usize> {
    let name_bytes = text
        .bytes()
        .position(|byte| !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | b'0'..=b'9' | b'-' | b'.'))?;
    text.as_bytes().first().is_some_and(starts_name).then_some(name_bytes)
}

/// What follows the attributes of a start tag, from its `>` or `/>` on; `None` if there is anything else in the tag than
/// attributes with different names.
fn behind_plain_attributes(behind_name: &str) -> Option<&str> {
    let mut names = [""; PLAIN_ATTRIBUTES];
    let mut rest = behind_name;
    for count in 0..=PLAIN_ATTRIBUTES {
        let trimmed = skip_space(rest);
        if trimmed.starts_with('>') || trimmed.starts_with("/>") {
            return Some(trimmed);
        }
        if count == 0 && trimmed.len() == rest.len() {
            return None; // No space: it is no plain name.
        }
        let (name, raw, behind) = attribute(trimmed)?;
        let (known, free) = names.split_at_mut_checked(count)?;
        if !is_name(name) || known.contains(&name) || memchr(b'<', raw.as_bytes()).is_some() {
            return None;
        }
        *free.first_mut()? = name;
        rest = behind;
    }
    None
}

/// The attribute at the beginning of `text`: name, raw value without its quotes, and what follows. `None` if there is none.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = skip_space(text);
    let name_bytes = text.bytes().position(|byte| byte == b'=' || is_space(byte))?;
    let (name, rest) = text.split_at(name_bytes);
    let value = skip_space(skip_space(rest).strip_prefix('=')?);
    let quote = *value.as_bytes().first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let value = value.get(1..)?;
    let (raw, rest) = value.split_at(memchr(quote, value.as_bytes())?);
    Some((name, raw, rest.get(1..)?))
}

fn skip_space(text: &str) -> &str {
    text.get(text.bytes().position(|byte| !is_space(byte)).unwrap_or(text.len())..).unwrap_or_default()
}

/// White space as XML knows it (section 2.3).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
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
