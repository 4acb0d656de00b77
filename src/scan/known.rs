//! Secrets that somebody named, searched for in every form that [`form`](crate::capture::form) knows.
//!
//! A secret shorter than eight bytes must stand as a word of its own, one shorter than four is not searched for. Of a
//! long one its beginning counts. Tells which secret by its number, never by its text; has no `Debug`.

use crate::capture::form::{FREE_SECRET_BYTES, MIN_SECRET_BYTES, forms};
use aho_corasick::AhoCorasick;

/// Longest part of a secret that is searched for, bytes.
const MAX_SECRET_BYTES: usize = 512;

/// Secrets to search for.
pub(super) struct Known {
    search: AhoCorasick,
    whole_word: Vec<bool>,
}

/// Where a known secret stands.
pub(super) struct Match {
    /// Its first byte.
    pub at: usize,
    /// Bytes of its form.
    pub bytes: usize,
}

impl Known {
    /// Nothing if no secret can be searched for.
    pub(super) fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        let mut patterns: Vec<(Vec<u8>, bool)> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= MIN_SECRET_BYTES)
            .map(|secret| secret.get(..secret.floor_char_boundary(MAX_SECRET_BYTES)).unwrap_or(secret))
            .flat_map(|secret| forms(secret).into_iter().map(|form| (form, secret.len() < FREE_SECRET_BYTES)))
            .collect();
        patterns.sort();
        patterns.dedup_by(|one, other| one.0 == other.0);
        let search = AhoCorasick::new(patterns.iter().map(|(form, _)| form)).ok().filter(|_| !patterns.is_empty())?;
        Some(Self { search, whole_word: patterns.into_iter().map(|(_, whole)| whole).collect() })
    }

    /// Every place of a known secret; of forms within one another the first that ends.
    pub(super) fn find(&self, text: &[u8], found: &mut dyn FnMut(Match)) {
        let mut end = 0;
        for hit in self.search.find_overlapping_iter(text) {
            let whole_word = self.whole_word.get(hit.pattern().as_usize()).copied().unwrap_or_default();
            if hit.start() >= end && (!whole_word || is_word(text, hit.start(), hit.end())) {
                end = hit.end();
                found(Match { at: hit.start(), bytes: hit.len() });
            }
        }
    }
}

fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    ![before, text.get(end)].into_iter().flatten().any(u8::is_ascii_alphanumeric)
}
