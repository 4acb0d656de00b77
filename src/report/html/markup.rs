//! HTML under way: markup is ours by its type, everything else is escaped.
//!
//! Names of elements and attributes are `&'static str`, so that nothing out of a capture can become one; what is given as text
//! or as a value is escaped wherever it comes from. What is written is XML too: every element is closed.

use crate::glyph::tame;
use std::fmt::{Display, Write};

/// Attributes: names that are ours, values that may be anybody's.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// Markup under way.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Opens an element; [`close`](Self::close) ends it.
    pub(super) fn open(&mut self, element: &'static str, attributes: Attributes<'_>) {
        self.tag(element, attributes, ">");
    }

    /// An element without content.
    pub(super) fn void(&mut self, element: &'static str, attributes: Attributes<'_>) {
        self.tag(element, attributes, "/>");
    }

    /// Ends an element.
    pub(super) fn close(&mut self, element: &'static str) {
        self.0.extend(["</", element, ">"]);
        if !matches!(element, "span" | "a" | "b" | "text" | "g" | "title" | "pre") {
            self.0.push('\n');
        }
    }

    /// An element with nothing but text.
    pub(super) fn element(&mut self, element: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(element, attributes);
        self.text(text);
        self.close(element);
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// An element whose content is neither text nor markup: style and script, ours.
    pub(super) fn own(&mut self, element: &'static str, content: &'static str) {
        self.open(element, &[]);
        self.0.push_str(content);
        self.close(element);
    }

    /// What was made apart.
    pub(super) fn append(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn tag(&mut self, element: &'static str, attributes: Attributes<'_>, end: &'static str) {
        self.0.extend(["<", element]);
        for (name, value) in attributes {
            self.0.extend([" ", name, "=\""]);
            // Writing into memory does not fail.
            let _ = write!(Escaped(&mut self.0), "{value}");
            self.0.push('"');
        }
        self.0.push_str(end);
    }
}

/// Escapes what is written to it.
struct Escaped<'m>(&'m mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

fn escape(out: &mut String, text: &str) {
    for c in tame(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_are_no_markup() {
        let mut markup = Markup::default();
        markup.element("p", &[("title", &"\"><b onclick='x'")], "<script>&\u{202e}");
        assert_eq!(markup.finish(), "<p title=\"&quot;&gt;&lt;b onclick='x'\">&lt;script&gt;&amp;\u{fffd}</p>\n");
    }
}
