//! XMPP by itself (RFC 6120 section 4): one direction's bytes become the stream's header, its elements one by one, its end.
//!
//! Finds where an element ends and no more: what is inside it [`parse`](super::parse) reads, which also judges it. A stream
//! that begins anew inside the old one (after TLS or SASL, RFC 6120 sections 5.4.3.3 and 6.4.6) is a header again. An element
//! over [`Limits::element_bytes`] is measured and not kept. Bytes that cannot be such a stream end the reading.

use bytes::{Buf as _, BytesMut};
use memchr::memchr;

/// What is kept at the most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest element given out, bytes.
    pub element_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { element_bytes: 1 << 20 }
    }
}

/// What comes out. No `Debug`: it is payload.
#[derive(Clone, PartialEq, Eq)]
pub enum Item {
    /// The header, `<stream:stream …>`, written as an empty element.
    Open(String),
    /// A child of the stream, whole.
    Element(String),
    /// `</stream:stream>`.
    Close,
    /// A character of white space between elements: a keep-alive (RFC 6120 section 4.6.1), or somebody's pretty printing.
    Space,
    /// A child, or header, that is not given out.
    Unread {
        /// A constant sentence.
        why: &'static str,
        /// Its length.
        bytes: u64,
    },
}

/// Why the direction cannot be read any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {offset}: {why}")]
pub struct Error {
    /// Where in the direction, bytes.
    pub offset: u64,
    /// A constant sentence; never a byte of the input.
    pub why: &'static str,
}

/// Reads one direction.
pub struct Decoder {
    limits: Limits,
    /// From the beginning of the item under way on.
    buffer: BytesMut,
    /// Looked at so far, from the buffer's beginning.
    at: usize,
    /// Where the markup under way begins, from the buffer's beginning.
    markup: usize,
    lexer: Lexer,
    /// Elements open: 1 between the stream's children.
    depth: usize,
    /// Bytes of the item under way that were let go because it is too long.
    dropped_bytes: u64,
    /// The buffer's place in the direction.
    offset: u64,
    over: bool,
}

/// Where in the markup the reading stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lexer {
    Text,
    /// Behind `<`.
    Markup,
    /// In a start tag; the quote that is open, and whether the last byte was `/`.
    Start {
        quote: Option<u8>,
        slash: bool,
    },
    End,
    /// Behind `<!`.
    Bang,
    /// Behind `<!-`.
    Dash,
    /// In a comment, section or instruction: how many bytes of its end came last.
    Comment(u8),
    Section(u8),
    Instruction(u8),
}

impl Decoder {
    /// At the beginning of a direction.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            at: 0,
            markup: 0,
            lexer: Lexer::Text,
            depth: 0,
            dropped_bytes: 0,
            offset: 0,
            over: false,
        }
    }

    /// Takes the next bytes; take the items before the next call, or the buffer grows.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.over {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next item, `None` for more input. After an `Err` nothing follows.
    ///
    /// # Errors
    /// Why the direction cannot be read any further.
    #[expect(clippy::should_implement_trait, reason = "`None` asks for more input; an iterator's is final")]
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        while let Some(&byte) = self.buffer.get(self.at) {
            match self.step(byte) {
                Ok(None) => {}
                Ok(Some(item)) => return Some(Ok(item)),
                Err(why) => {
                    let offset = self.offset + self.dropped_bytes + self.at as u64;
                    self.over = true;
                    self.buffer = BytesMut::new();
                    self.at = 0;
                    return Some(Err(Error { offset, why }));
                }
            }
        }
        self.shed();
        None
    }

    /// Whether nothing but white space came behind the last item.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.buffer.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether an element has begun and not ended.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        !self.over && (self.depth > 1 || self.lexer != Lexer::Text)
    }

    fn step(&mut self, byte: u8) -> Result<Option<Item>, &'static str> {
        self.at += 1;
        match self.lexer {
            Lexer::Text if byte == b'<' => {
                self.markup = self.at - 1;
                self.lexer = Lexer::Markup;
            }
            Lexer::Text if self.depth > 1 => {
                let rest = self.buffer.get(self.at..).unwrap_or_default();
                self.at += memchr(b'<', rest).unwrap_or(rest.len());
            }
            Lexer::Text if byte.is_ascii_whitespace() => {
                self.forget();
                return Ok((self.depth == 1).then_some(Item::Space));
            }
            // A byte order mark may open a stream.
            Lexer::Text if self.depth == 0 && matches!(byte, 0xef | 0xbb | 0xbf) => self.forget(),
            Lexer::Text => return Err("what came is not XML between two elements"),
            Lexer::Markup => {
                self.lexer = match byte {
                    b'/' => Lexer::End,
                    b'!' => Lexer::Bang,
                    b'?' => Lexer::Instruction(0),
                    b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80.. => Lexer::Start { quote: None, slash: false },
                    _ => return Err("what came is not XML: no name behind `<`"),
                }
            }
            Lexer::Start { quote: Some(open), .. } => {
                if byte == open {
                    self.lexer = Lexer::Start { quote: None, slash: false };
                }
            }
            Lexer::Start { quote: None, slash } => match byte {
                b'>' => return self.start_tag(slash),
                b'<' => return Err("what came is not XML: `<` inside a tag"),
                b'"' | b'\'' => self.lexer = Lexer::Start { quote: Some(byte), slash: false },
                _ => self.lexer = Lexer::Start { quote: None, slash: byte == b'/' },
            },
            Lexer::End => {
                if byte == b'>' {
                    return self.end_tag();
                }
            }
            Lexer::Bang => {
                self.lexer = match byte {
                    b'-' => Lexer::Dash,
                    b'[' if self.depth > 1 => Lexer::Section(0),
                    _ => return Err("a document type declaration, which a stream may not hold"),
                }
            }
            Lexer::Dash if byte == b'-' => self.lexer = Lexer::Comment(0),
            Lexer::Dash => return Err("what came is not XML: half a comment"),
            Lexer::Comment(came) => match (came, byte) {
                (2, b'>') => self.aside(),
                (2, b'-') => {}
                (came, b'-') => self.lexer = Lexer::Comment(came + 1),
                _ => self.lexer = Lexer::Comment(0),
            },
            Lexer::Section(came) => match (came, byte) {
                (2, b'>') => self.aside(),
                (2, b']') => {}
                (came, b']') => self.lexer = Lexer::Section(came + 1),
                _ => self.lexer = Lexer::Section(0),
            },
            Lexer::Instruction(came) => match (came, byte) {
                (1, b'>') => self.aside(),
                (_, b'?') => self.lexer = Lexer::Instruction(1),
                _ => self.lexer = Lexer::Instruction(0),
            },
        }
        Ok(None)
    }

    /// A comment, section or instruction ended.
    fn aside(&mut self) {
        self.lexer = Lexer::Text;
        if self.depth < 2 {
            self.forget();
        }
    }

    fn start_tag(&mut self, empty: bool) -> Result<Option<Item>, &'static str> {
        self.lexer = Lexer::Text;
        if self.depth > 1 {
            self.depth += usize::from(!empty);
            return Ok(None);
        }
        let tag = self.buffer.get(self.markup + 1..self.at).unwrap_or_default();
        let name = tag.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>')).next();
        let too_long = self.dropped_bytes > 0 || self.at > self.limits.element_bytes;
        let is_header = !too_long && matches!(name.unwrap_or_default(), b"stream" | b"stream:stream");
        match (self.depth, is_header) {
            (0, false) => Err("what came is not an XMPP stream: its first element is another"),
            (_, true) => {
                self.depth = 1;
                Ok(Some(match self.take() {
                    Ok(header) => {
                        let open = header.strip_suffix('>').unwrap_or(&header);
                        Item::Open(format!("{}/>", open.strip_suffix('/').unwrap_or(open)))
                    }
                    Err(unread) => unread,
                }))
            }
            (_, false) if empty => Ok(Some(self.element())),
            (_, false) => {
                self.depth = 2;
                Ok(None)
            }
        }
    }

    fn end_tag(&mut self) -> Result<Option<Item>, &'static str> {
        self.lexer = Lexer::Text;
        match self.depth {
            0 => return Err("an end tag before any stream"),
            1 => {
                self.depth = 0;
                self.forget();
                return Ok(Some(Item::Close));
            }
            _ => self.depth -= 1,
        }
        Ok((self.depth == 1).then(|| self.element()))
    }

    fn element(&mut self) -> Item {
        self.take().map_or_else(|unread| unread, Item::Element)
    }

    /// The item under way, complete.
    fn take(&mut self) -> Result<String, Item> {
        let bytes = self.dropped_bytes + self.at as u64;
        let text = self.buffer.get(..self.at).unwrap_or_default();
        let taken = if self.dropped_bytes > 0 || text.len() > self.limits.element_bytes {
            Err(Item::Unread { why: "an element is larger than the limit", bytes })
        } else {
            let not_text = |_| Item::Unread { why: "an element is not UTF-8", bytes };
            str::from_utf8(text).map(str::to_owned).map_err(not_text)
        };
        self.forget();
        taken
    }

    /// What was looked at is done with.
    fn forget(&mut self) {
        self.offset += self.dropped_bytes + self.at as u64;
        self.dropped_bytes = 0;
        self.buffer.advance(self.at);
        self.at = 0;
        self.markup = 0;
    }

    /// All was looked at: keeps nothing of an item that is too long already, and no room that is not needed.
    fn shed(&mut self) {
        if self.buffer.len() > self.limits.element_bytes || self.dropped_bytes > 0 {
            self.dropped_bytes += self.at as u64;
            self.buffer = BytesMut::new();
            self.at = 0;
            self.markup = 0;
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests;
