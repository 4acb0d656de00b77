//! A header list (RFC 9113 section 8) becomes a head as HTTP/1 has it: pseudo fields turned into method, target and status.
//!
//! Cookie crumbs are joined again (section 8.2.3), and `:authority` becomes `Host` where that is missing, so that whoever
//! reads heads needs to know one form only.

use crate::http1::{Field, RequestHead, ResponseHead, Version};
use bytes::Bytes;

pub(super) const METHOD: &[u8] = b":method";
/// Of an extended CONNECT (RFC 8441 section 4).
pub(super) const PROTOCOL: &[u8] = b":protocol";
const PATH: &[u8] = b":path";
const AUTHORITY: &[u8] = b":authority";
const STATUS: &[u8] = b":status";
/// What a field counts beside its name and value, bytes (RFC 9113 section 6.5.2).
const FIELD_BYTES: usize = 32;

/// The fields of one block.
pub(super) struct Fields {
    pseudo: Vec<Field>,
    regular: Vec<Field>,
    left_bytes: Option<usize>,
    list_bytes: u64,
    /// Of the block as it was sent.
    pub(super) wire_bytes: u64,
}

impl Fields {
    /// At most so many bytes, counted as RFC 9113 counts them.
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { pseudo: Vec::new(), regular: Vec::new(), left_bytes: Some(limit_bytes), list_bytes: 0, wire_bytes: 0 }
    }

    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) {
        let bytes = name.len() + value.len() + FIELD_BYTES;
        self.list_bytes = self.list_bytes.saturating_add(bytes as u64);
        self.left_bytes = self.left_bytes.and_then(|left| left.checked_sub(bytes));
        if self.left_bytes.is_none() {
            return;
        }
        if name.eq_ignore_ascii_case(b"cookie")
            && let Some(crumbs) = self.regular.iter_mut().find(|field| field.name.eq_ignore_ascii_case(b"cookie"))
        {
            crumbs.value = [&crumbs.value[..], b"; ", value].concat().into();
            return;
        }
        let field = Field { name: Bytes::copy_from_slice(name), value: Bytes::copy_from_slice(value) };
        let list = if name.starts_with(b":") { &mut self.pseudo } else { &mut self.regular };
        list.push(field);
    }

    /// As RFC 9113 counts it.
    pub(super) fn list_bytes(&self) -> u64 {
        self.list_bytes
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.left_bytes.is_none()
    }

    pub(super) fn has(&self, pseudo: &[u8]) -> bool {
        self.pseudo(pseudo).is_some()
    }

    fn pseudo(&self, name: &[u8]) -> Option<&Bytes> {
        self.pseudo.iter().find(|field| field.name == name).map(|field| &field.value)
    }

    pub(super) fn text(&self, name: &[u8]) -> Option<String> {
        self.pseudo(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    pub(super) fn into_request(mut self) -> RequestHead {
        let method = self.text(METHOD).unwrap_or_default();
        let authority = self.pseudo(AUTHORITY).cloned();
        // A plain CONNECT has an authority and no path.
        let target = self.text(PATH).or_else(|| self.text(AUTHORITY)).unwrap_or_default();
        let has_host = self.regular.iter().any(|field| field.name.eq_ignore_ascii_case(b"host"));
        if let Some(value) = authority.filter(|_| !has_host) {
            self.regular.insert(0, Field { name: Bytes::from_static(b"host"), value });
        }
        RequestHead { method, target, version: Version::Http2, fields: self.regular, head_bytes: self.wire_bytes }
    }

    /// `None` for trailers.
    pub(super) fn into_response(self) -> Option<ResponseHead> {
        let status = self.text(STATUS)?.parse().ok()?;
        let (fields, head_bytes) = (self.regular, self.wire_bytes);
        Some(ResponseHead { status, reason: String::new(), version: Version::Http2, fields, head_bytes })
    }
}
