//! Lines whose values are named elsewhere: a table's by its header row (RFC 4180, also with `;` and tabs), YAML's by the key
//! in front, or on the line before.
//!
//! Forgiving: a line of another number of fields is looked at as text. Knows no meaning of names.

use super::name::MAX_NAME_BYTES;
use std::ops::Range;

/// Most columns of a table.
const MAX_COLUMNS: usize = 1_000;

/// A table's header.
pub(super) struct Table {
    delimiter: u8,
    columns: Vec<Vec<u8>>,
}

impl Table {
    /// If the first line of a file is one: names alone, two at least.
    pub(super) fn header(line: &[u8]) -> Option<Self> {
        [b',', b';', b'\t'].into_iter().find_map(|delimiter| {
            let fields = fields(line, delimiter)?;
            let columns: Vec<Vec<u8>> =
                fields.into_iter().map(|field| line.get(field).unwrap_or_default().trim_ascii().to_vec()).collect();
            (columns.len() >= 2 && columns.iter().all(|name| is_name(name))).then_some(Self { delimiter, columns })
        })
    }

    /// The names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &[u8]> {
        self.columns.iter().map(Vec::as_slice)
    }

    /// The names and places of a row's values.
    pub(super) fn row(&self, line: &[u8]) -> Option<Vec<(&[u8], Range<usize>)>> {
        let fields = fields(line, self.delimiter).filter(|fields| fields.len() == self.columns.len())?;
        Some(self.columns().zip(fields).collect())
    }
}

/// The places of a line's fields, without their quotes.
fn fields(line: &[u8], delimiter: u8) -> Option<Vec<Range<usize>>> {
    let mut fields = Vec::new();
    let mut from = 0;
    loop {
        let rest = line.get(from..)?;
        let (field, next) = match rest.strip_prefix(b"\"") {
            Some(inner) => {
                let mut end = 0;
                // A quote in a field is written twice.
                loop {
                    end += memchr::memchr(b'"', inner.get(end..)?)?;
                    if inner.get(end + 1) != Some(&b'"') {
                        break;
                    }
                    end += 2;
                }
                (from + 1..from + 1 + end, from + end + 2)
            }
            None => {
                let end = from + memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                (from..end, end)
            }
        };
        fields.push(field);
        match line.get(next) {
            None => return Some(fields),
            Some(byte) if *byte == delimiter && fields.len() < MAX_COLUMNS => from = next + 1,
            Some(_) => return None,
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.len() <= MAX_NAME_BYTES
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-. #".contains(byte))
}

/// A line of YAML that is a key and its value, or begins a value of several lines.
pub(super) struct Entry<'t> {
    /// The key.
    pub name: &'t [u8],
    /// Where the value stands; empty if it follows on the next line.
    pub value: Range<usize>,
}

/// The whole line as `name: value`, behind any `- `.
pub(super) fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let outer = |byte: &u8| matches!(byte, b' ' | b'-');
    let start = line.iter().position(|byte| !outer(byte))?;
    let colon = start + memchr::memchr(b':', line.get(start..)?)?;
    let name = line.get(start..colon)?;
    let quoted = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\""));
    let name = quoted.unwrap_or(name);
    let behind = line.get(colon + 1..)?;
    if !is_name(name) || name.contains(&b' ') || behind.first().is_some_and(|byte| *byte != b' ') {
        return None;
    }
    let value = behind.trim_ascii();
    let at = colon + 1 + behind.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    if value.is_empty() || matches!(value, b"|" | b">" | b"|-" | b">-" | b"|+" | b">+") {
        return Some(Entry { name, value: at..at });
    }
    // `host: the server's name` is prose; a key of several words is not.
    let compound = name.iter().skip(1).any(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let single = !value.contains(&b' ') || matches!(value.first(), Some(b'"' | b'\''));
    (compound || single).then_some(Entry { name, value: at..at + value.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_by_the_header() {
        let table = Table::header(b"user,\"password\",First Name").unwrap();
        let line = b"1001,\"a \"\"b\"\", c\",Alma";
        let row: Vec<_> = table.row(line).unwrap().into_iter().map(|(name, at)| (name, &line[at])).collect();
        assert_eq!(row, [(&b"user"[..], &b"1001"[..]), (b"password", b"a \"\"b\"\", c"), (b"First Name", b"Alma")]);
        assert!(table.row(b"1,2").is_none() && table.row(b"\"1,2,3").is_none() && table.row(b"\"1\"x,2,3").is_none());
        for not in [&b"one"[..], b"", b"2001,x", b"{\"a\":1,\"b\":2}", b"Hello, you there! yes", b"a,,b"] {
            assert!(Table::header(not).is_none(), "{}", String::from_utf8_lossy(not));
        }
    }

    #[test]
    fn keys_name_what_stands_behind_them() {
        let said = |line: &'static str| {
            let entry = entry(line.as_bytes())?;
            Some((std::str::from_utf8(entry.name).unwrap(), &line[entry.value]))
        };
        assert_eq!(said("  firstName: Alma B"), Some(("firstName", "Alma B")));
        assert_eq!(said("- phone: '+1 415'"), Some(("phone", "'+1 415'")));
        assert_eq!(said("password: |"), Some(("password", "")));
        for not in ["host: the name of it", "http://x", "just text", "a b: c", ""] {
            assert_eq!(said(not), None, "{not}");
        }
    }
}
