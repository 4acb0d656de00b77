//! Text of strangers as it may be shown: without what a terminal or viewer would obey rather than draw.
//!
//! Whoever made a capture, a file's name or a server's answer may have put anything into it. Says which characters those are
//! and replaces them. Joiners within words and emoji (U+200C, U+200D) reorder nothing and stay; so do letters that look like
//! others.

use std::borrow::Cow;

/// Whether a character moves a cursor, breaks a line, reorders what stands beside it, or is nothing to see: C0 and C1
/// controls, separators of lines and paragraphs, marks of direction (UAX #9), and those that take no room.
#[must_use]
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text with U+FFFD for every such character. Line ends and tabs stay.
#[must_use]
pub fn tame(text: &str) -> Cow<'_, str> {
    let is_wild = |c: char| !matches!(c, '\n' | '\t') && is_obeyed(c);
    if !text.contains(is_wild) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_wild(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
}

/// The same on one line: controls, line ends and tabs among them, become spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    tame(&text.replace(char::is_control, " ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tame_text_has_lines_and_nothing_else_to_obey() {
        assert_eq!(tame("a\tb\nc ü"), "a\tb\nc ü");
        assert!(matches!(tame("plain"), Cow::Borrowed(_)));
        assert_eq!(tame("a\u{1b}[2Jb\r\u{202e}c\u{9b}"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}");
        assert_eq!(one_line("a\tb\nc\u{1b}\u{2028}d"), "a b c \u{fffd}d");
    }

    #[test]
    fn what_reorders_or_hides_is_obeyed_and_letters_are_not() {
        for obeyed in
            ['\u{7f}', '\u{85}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{feff}']
        {
            assert!(is_obeyed(obeyed), "{obeyed:?}");
        }
        assert!(!"aü“…→\u{200c}\u{200d}界".contains(is_obeyed));
    }
}
