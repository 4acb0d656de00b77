//! A tolerant reader of JSON for what is read a line or a window at a time: strings with the names above them.
//!
//! Checks tokens, not grammar, so a line of an indented document is JSON too. Remembers across lines what names mean:
//! the member, the object around it, and the `name` of a `{"name": …, "value": …}` pair. Limits: [`MAX_DEPTH`] levels.

use super::har::Within;
use super::name::MAX_NAME_BYTES;

/// Longest word that a window may end in without its text being no JSON, bytes.
const MAX_BARE_BYTES: usize = 64;
/// Levels whose names are remembered.
const MAX_DEPTH: usize = 64;

/// What the names so far say about the next value.
#[derive(Default)]
pub(super) struct Names {
    /// The members that the open objects and arrays are values of.
    above: Vec<Vec<u8>>,
    key: Vec<u8>,
    /// The value of the last member `name` in the innermost object.
    pair: Vec<u8>,
    /// Whether the last member `resource` was `User`, whose id is a login.
    of_user: bool,
    /// Where in a HAR this is.
    pub(super) within: Within,
}

/// A stretch of a text with its meaning.
pub(super) enum Token {
    /// `{`, `[`, `}`, `]`, `,` or `:`.
    Mark(u8),
    /// A string's content: from, to.
    Text(usize, usize),
    /// A number, `true`, `false` or `null`: from, to.
    Bare(usize, usize),
}

impl Names {
    /// The names above the value that comes next: parent and its own.
    pub(super) fn current(&self) -> (&[u8], &[u8]) {
        let parent = self.above.iter().rev().find(|name| !name.is_empty()).map_or(&b""[..], |name| name);
        match &*self.key {
            b"value" if !self.pair.is_empty() => (parent, &self.pair),
            b"object_id" if self.of_user => (b"user", b"id"),
            // A value in an array is what the array is.
            b"" => (b"", parent),
            key => (parent, key),
        }
    }

    /// Takes the next token; `is_key`: a string with a colon behind it.
    pub(super) fn take(&mut self, text: &[u8], token: &Token) {
        match *token {
            Token::Mark(mark @ (b'{' | b'[')) => {
                if mark == b'{' && self.key.is_empty() {
                    self.within.begins(self.above.last().map_or(&[], Vec::as_slice));
                }
                if self.above.len() < MAX_DEPTH {
                    self.above.push(std::mem::take(&mut self.key));
                }
                self.key.clear();
                self.pair.clear();
                self.of_user = false;
            }
            Token::Mark(b'}' | b']') => {
                self.above.pop();
                self.key.clear();
                self.pair.clear();
            }
            Token::Mark(b',') => self.key.clear(),
            Token::Text(from, to) => {
                let value = text.get(from..to).unwrap_or_default();
                let short = value.get(..MAX_NAME_BYTES).unwrap_or(value);
                if is_key(text, to) {
                    self.key.clear();
                    self.key.extend_from_slice(short);
                } else if self.key == b"url" && self.above.last().is_some_and(|name| name == b"request") {
                    self.within.at(value);
                } else if self.key == b"name" {
                    self.pair.clear();
                    self.pair.extend_from_slice(short);
                } else if self.key == b"resource" {
                    self.of_user = value == b"User";
                }
            }
            Token::Mark(_) | Token::Bare(..) => {}
        }
    }
}

/// Whether the string that ends at `to` is a member's name.
pub(super) fn is_key(text: &[u8], to: usize) -> bool {
    let behind = text.get(to + 1..).unwrap_or_default();
    behind.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The next token from `from` on and where it ends. `Ok(None)` is the end, or a string that does not end here; `Err` is
/// what no JSON has.
pub(super) fn next(text: &[u8], from: usize) -> Result<Option<(Token, usize)>, NotJson> {
    let rest = text.get(from..).unwrap_or_default();
    let Some(skip) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) else { return Ok(None) };
    let start = from + skip;
    Ok(match text.get(start).copied().unwrap_or_default() {
        mark @ (b'{' | b'[' | b'}' | b']' | b',' | b':') => Some((Token::Mark(mark), start + 1)),
        b'"' => end_of_string(text, start + 1).map(|end| (Token::Text(start + 1, end), end + 1)),
        _ => {
            let bare = text.get(start..).unwrap_or_default();
            let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
            let length = bare.iter().position(|byte| !is_bare(byte)).unwrap_or(bare.len());
            let bare = bare.get(..length).unwrap_or_default();
            let number = bare.iter().all(|byte| byte.is_ascii_digit() || b".+-eE".contains(byte)) && !bare.is_empty();
            if !number && !matches!(bare, b"true" | b"false" | b"null") {
                return Err(NotJson);
            }
            Some((Token::Bare(start, start + length), start + length))
        }
    })
}

/// What no JSON has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotJson;

/// Whether a text begins as no other text than JSON does, or a line of it.
pub(super) fn begins(text: &[u8]) -> bool {
    text.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| b"{[}]\",".contains(first))
}

/// Whether a text has JSON's tokens, and if so where the last whole one ends.
pub(super) fn extent(text: &[u8]) -> Option<usize> {
    let mut end = 0;
    while let Some((_, next_at)) = next(text, end).ok()? {
        end = next_at;
    }
    (end > 0).then_some(end)
}

/// The same of a text that goes on: what ends at its end, or is a name until a colon comes, may not be whole.
pub(super) fn extent_so_far(text: &[u8]) -> Option<usize> {
    let (mut end, mut sure) = (0, 0);
    // A torn `tru` is no token, and what is torn is always last.
    while let Ok(Some((token, next_at))) = next(text, end) {
        end = next_at;
        if matches!(token, Token::Mark(mark) if mark != b':') {
            sure = end;
        }
    }
    let torn = text.len().saturating_sub(end) <= MAX_BARE_BYTES || next(text, end).is_ok();
    (sure > 0 && torn).then_some(sure)
}

fn end_of_string(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(lines: &[&str]) -> Vec<String> {
        let mut names = Names::default();
        let mut values = Vec::new();
        for line in lines {
            let line = line.as_bytes();
            let mut at = 0;
            while let Some((token, end)) = next(line, at).unwrap() {
                if let Token::Text(from, to) | Token::Bare(from, to) = token
                    && !is_key(line, to)
                {
                    let (parent, name) = names.current();
                    let part = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    values.push(format!("{}.{}={}", part(parent), part(name), part(&line[from..to])));
                }
                names.take(line, &token);
                at = end;
            }
        }
        values
    }

    #[test]
    fn values_have_the_names_above_them() {
        let line = r#"{"a":1,"user":{"name":"x\"y"},"h":[{"name":"Cookie","value":"c"}],"m":["p",true]}"#;
        assert_eq!(walk(&[line]), [".a=1", r#"user.name=x\"y"#, "h.name=Cookie", "h.Cookie=c", ".m=p", ".m=true"]);
        let indented =
            ["{", "  \"headers\": [", "    {", "      \"name\": \"Cookie\",", "      \"value\": \"c\"", "    }"];
        assert_eq!(walk(&indented), ["headers.name=Cookie", "headers.Cookie=c"]);
    }

    #[test]
    fn what_goes_on_is_taken_up_to_a_mark() {
        for (text, expected) in [
            (r#"{"a":1,"b":2"#, Some(7)),
            (r#"{"a":1,"b""#, Some(7)),
            (r#"{"a":1,"b"#, Some(7)),
            (r#"{"a":1,"b":"#, Some(7)),
            (r#"1,tru"#, Some(2)),
            (r#""a"#, None),
        ] {
            assert_eq!(extent_so_far(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn json_is_told_from_text() {
        for (text, expected) in [
            (r#"{"a":1}"#, Some(7)),
            (r#"  "a": "b","#, Some(11)),
            (r#"{"a":"torn"#, Some(5)),
            ("[12:00] INFO x", None),
            ("plain", None),
            ("", None),
            ("[2026-01-01T00:00] x", None),
        ] {
            let found = Some(text.as_bytes()).filter(|text| begins(text)).and_then(extent);
            assert_eq!(found, expected, "{text}");
        }
    }
}
