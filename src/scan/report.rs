//! Hits in words, hits as JSON, and how many of which kind.

use super::hit::Hit;
use crate::glyph::tame;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One line: `FILE:LINE:COL kind excerpt (why, certainty)`.
#[must_use]
pub fn text(hit: &Hit) -> String {
    // The names of files are somebody else's, too.
    let line = format!("{} {} {} ({}; {})", hit.place, hit.kind, hit.shown, hit.why, hit.certainty.as_str());
    tame(&line).replace(['\n', '\t'], "\u{fffd}")
}

/// One JSON object.
#[must_use]
pub fn json(hit: &Hit) -> String {
    let place = &hit.place;
    let line = (place.line > 0).then_some(place.line);
    let row = Row {
        file: &place.file,
        member: place.member.as_deref(),
        line,
        column: line.map(|_| place.column),
        offset: place.offset,
        kind: hit.kind,
        class: hit.class.as_str(),
        certainty: hit.certainty.as_str(),
        why: &hit.why,
        shown: &hit.shown,
    };
    serde_json::to_string(&row).unwrap_or_default()
}

/// Hits by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Count {
    kinds: BTreeMap<&'static str, u64>,
}

impl Count {
    /// Counts one.
    pub fn add(&mut self, hit: &Hit) {
        *self.kinds.entry(hit.kind).or_default() += 1;
    }

    /// All hits.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.kinds.values().sum()
    }
}

impl fmt::Display for Count {
    /// `3 host, 1 jwt`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (kind, count)) in self.kinds.iter().enumerate() {
            write!(f, "{}{count} {kind}", if number > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    offset: u64,
    kind: &'static str,
    class: &'static str,
    certainty: &'static str,
    why: &'a str,
    shown: &'a str,
}
