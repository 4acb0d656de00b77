//! `Sec-WebSocket-Extensions` values taken apart (RFC 6455 section 9.1) and written back in one normal form.
//!
//! Knows the grammar only: a list of names with parameters, whose values may be quoted. What a name means, and whether
//! an answer fits its offer, is the handshake's to judge. Input is a header value, so its size is the head's limit.

use std::fmt;

/// One extension offered or agreed, with its parameters in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Extension<'v> {
    pub(super) name: &'v str,
    pub(super) params: Vec<(&'v str, Option<String>)>,
}

impl fmt::Display for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (name, value) in &self.params {
            match value {
                None => write!(f, "; {name}")?,
                Some(value) => write!(f, "; {name}={value}")?,
            }
        }
        Ok(())
    }
}

/// Reads a whole value, several field lines joined with commas; `None` if it does not follow the grammar.
pub(super) fn parse(value: &str) -> Option<Vec<Extension<'_>>> {
    let mut scan = Scan { rest: value };
    let mut extensions = Vec::new();
    loop {
        // Empty list elements are to be ignored (RFC 9110 section 5.6.1.2).
        while scan.eat(',') {}
        if scan.at_end() {
            return Some(extensions);
        }
        let name = scan.token()?;
        let mut params = Vec::new();
        while scan.eat(';') {
            let name = scan.token()?;
            let value = if scan.eat('=') { Some(scan.value()?) } else { None };
            params.push((name, value));
        }
        extensions.push(Extension { name, params });
        if !scan.at_end() && !scan.eat(',') {
            return None;
        }
    }
}

/// What is still to be read; white space between elements is skipped.
struct Scan<'v> {
    rest: &'v str,
}

impl<'v> Scan<'v> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn token(&mut self) -> Option<&'v str> {
        self.skip_space();
        let end = self.rest.find(|c| !is_token_char(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A token, or a quoted string that is a token once its escapes are undone (RFC 6455 section 9.1).
    fn value(&mut self) -> Option<String> {
        if !self.eat('"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                plain => value.push(plain),
            }
        }
        self.rest = chars.as_str();
        (!value.is_empty() && value.chars().all(is_token_char)).then_some(value)
    }
}

/// RFC 9110 section 5.6.2.
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(value: &str) -> Option<String> {
        parse(value).map(|list| list.iter().map(Extension::to_string).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn lists_come_out_in_one_form() {
        for (value, expected) in [
            ("", ""),
            (" , ,", ""),
            ("permessage-deflate", "permessage-deflate"),
            ("foo;bar;baz=2,,  x", "foo; bar; baz=2, x"),
            ("foo ; baz = 2\t, bar", "foo; baz=2, bar"),
            (r#"foo; a="10"; b="1\0""#, "foo; a=10; b=10"),
        ] {
            assert_eq!(normal(value).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_refused() {
        for value in [
            ";",
            "foo bar",
            "foo;",
            "foo;a=",
            "foo=1",
            r#"foo;a=""#,
            r#"foo;a="x\"#,
            r#"foo;a="""#,
            r#"foo;a="a,b""#,
            "ü",
        ] {
            assert_eq!(normal(value), None, "{value:?}");
        }
    }
}
