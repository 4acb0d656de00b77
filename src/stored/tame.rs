//! Text out of captures and names of files, as they may be shown: whoever made them may have put anything into them.

use std::borrow::Cow;

/// Text as it may be shown on a terminal or in a transcript: what would be obeyed there, or would reorder what stands beside
/// it, becomes U+FFFD. Line ends and tabs stay.
#[must_use]
pub fn tame(text: &str) -> Cow<'_, str> {
    let is_wild = |c: char| !matches!(c, '\n' | '\t') && (c.is_control() || reorders(c));
    if !text.contains(is_wild) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_wild(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
}

/// Separators of lines and paragraphs, and marks that change the direction of what follows.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tame_text_has_lines_and_nothing_else_to_obey() {
        assert_eq!(tame("a\tb\nc ü"), "a\tb\nc ü");
        assert!(matches!(tame("plain"), Cow::Borrowed(_)));
        assert_eq!(tame("a\u{1b}[2Jb\r\u{202e}c\u{9b}"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}");
    }
}
