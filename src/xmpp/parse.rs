//! Text to [`Document`], in one pass with quick-xml.

use crate::xmpp::Document;

/// Deepest nesting read; beyond it the document is [`Malformed`](crate::xmpp::Malformed).
pub const MAX_DEPTH: usize = 64;
/// Most elements in one document.
pub const MAX_ELEMENTS: usize = 20_000;

/// Reads `text`. Linear in its length; refuses DOCTYPE; never fails.
#[must_use]
pub fn parse(text: &str) -> Document<'_> {
    let _ = text;
    todo!()
}

/// Resolves `&lt; &gt; &amp; &apos; &quot;` and character references in one pass; unknown entities stay as they are.
#[must_use]
pub fn unescape(text: &str) -> std::borrow::Cow<'_, str> {
    let _ = text;
    todo!()
}

/// Appends `text` to `out` with `& < > " '` escaped as entities.
pub fn escape(text: &str, out: &mut String) {
    let _ = (text, out);
    todo!()
}
