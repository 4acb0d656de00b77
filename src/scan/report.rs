//! Hits in words, hits as JSON, and how many of which kind.

use super::hit::{Certainty, Hit, Place};
use crate::capture::policy::Class;
use crate::glyph::tame;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// One line: `FILE:LINE:COL kind excerpt (why; certainty)`, and where in a HAR that is.
#[must_use]
pub fn text(hit: &Hit) -> String {
    let within = hit.within.as_ref().map_or_else(String::new, |within| format!(", in {within}"));
    let line = format!("{} {} {} ({}; {}){within}", hit.place, hit.kind, hit.shown, hit.why, hit.certainty.as_str());
    one_line(&line)
}

/// The names of files and members are somebody else's, and may hold what ends a line.
fn one_line(text: &str) -> String {
    tame(text).replace(['\n', '\t'], "\u{fffd}")
}

/// Most groups told apart; hits beyond count, in the group of their kind or none.
const MAX_GROUPS: usize = 10_000;

/// Hits of one kind in one file, member and entry of a HAR are told as one; the gravest come first.
#[derive(Debug, Default)]
pub struct Groups {
    groups: BTreeMap<Key, Group>,
    /// Hits that no group was made for.
    beyond: u64,
}

/// How grave, where, and what; in this order.
type Key = (Reverse<Certainty>, u8, String, Option<String>, Option<String>, &'static str);

#[derive(Debug)]
struct Group {
    first: Hit,
    hits: u64,
    last: Place,
}

impl Groups {
    /// Takes one.
    pub fn add(&mut self, hit: Hit) {
        let place = &hit.place;
        let key = (
            Reverse(hit.certainty),
            rank(hit.class),
            place.file.clone(),
            place.member.clone(),
            hit.within.clone(),
            hit.kind,
        );
        if let Some(group) = self.groups.get_mut(&key) {
            group.hits += 1;
            group.last = hit.place;
        } else if self.groups.len() < MAX_GROUPS {
            self.groups.insert(key, Group { last: hit.place.clone(), first: hit, hits: 1 });
        } else {
            self.beyond += 1;
        }
    }

    /// A line for each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let beyond = (self.beyond > 0).then(|| format!("and {} more: --all lists them", self.beyond));
        self.groups.values().map(Group::line).chain(beyond)
    }
}

impl Group {
    fn line(&self) -> String {
        let Self { first, hits, last } = self;
        match (hits - 1, last.line) {
            (0, _) => text(first),
            (more, 0) => format!("{}, and {more} more", text(first)),
            (more, line) => format!("{}, and {more} more up to line {line}", text(first)),
        }
    }
}

/// What does most harm first.
fn rank(class: Class) -> u8 {
    match class {
        Class::Credential => 0,
        Class::Session => 1,
        // What nobody could look at may hold either.
        Class::Unknown => 2,
        Class::Customer => 3,
        Class::Phone => 4,
        Class::Person => 5,
        _ => 6,
    }
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
        within: hit.within.as_deref(),
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

    /// Whether all there is could not be looked at.
    #[must_use]
    pub fn is_only_unseen(&self) -> bool {
        self.kinds.keys().all(|kind| *kind == "not-scanned")
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
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<&'a str>,
    kind: &'static str,
    class: &'static str,
    certainty: &'static str,
    why: &'a str,
    shown: &'a str,
}
