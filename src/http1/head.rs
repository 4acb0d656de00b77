//! A request's or response's head: start line and header fields (RFC 9112 section 2), read with httparse.
//!
//! Keeps the field lines as they came: names in their own case, values as raw bytes, duplicates in order.

use bytes::Bytes;

/// The protocol version on the start line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// One field line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Name, case as sent.
    pub name: Bytes,
    /// Value without surrounding white space, any bytes.
    pub value: Bytes,
}

/// A request's start line and fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestHead {
    /// Method as sent.
    pub method: String,
    /// Request target as sent (origin form, absolute form, `*`), lossy UTF-8.
    pub target: String,
    /// Version.
    pub version: Version,
    /// Field lines in order.
    pub fields: Vec<Field>,
    /// Bytes of the head on the wire, its blank line included.
    pub head_bytes: u64,
}

/// A response's start line and fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseHead {
    /// Status code.
    pub status: u16,
    /// Reason phrase as sent, lossy UTF-8, possibly empty.
    pub reason: String,
    /// Version.
    pub version: Version,
    /// Field lines in order.
    pub fields: Vec<Field>,
    /// Bytes of the head on the wire, its blank line included.
    pub head_bytes: u64,
}

impl RequestHead {
    /// The first value of the field `name` (ASCII case ignored).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        first(&self.fields, name)
    }
}

impl ResponseHead {
    /// The first value of the field `name` (ASCII case ignored).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        first(&self.fields, name)
    }
}

fn first<'f>(fields: &'f [Field], name: &str) -> Option<&'f [u8]> {
    fields.iter().find(|f| f.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| &f.value[..])
}
