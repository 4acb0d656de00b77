//! Which lines pass a filter, found as far as somebody looks.
//!
//! A query remembers which lines pass and how many it has looked at; [`Query::advance`] looks at more for a while. The index
//! answers what it can; for texts, lines are read in large pieces ([`Texts`]). Whose a connection is may be learnt after its
//! first line: then a query that names somebody begins anew ([`Query::refresh`]), which its [`Query::epoch`] tells. A few
//! queries are kept, so that going back to one is free.

use super::index::{Entry, Index, Known};
use super::store::{CHUNK_BYTES, Place, Source};
use crate::clock::{self, Moment};
use crate::filter::Filter;
use regex::bytes::{Regex, RegexBuilder};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// Queries that are kept.
const MAX_QUERIES: usize = 8;
/// Entries looked at at once.
const BATCH: usize = 4_096;
/// What beginning anew may cost, as a part of the time.
const ANEW_SHARE: u32 = 10;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The expression; empty for everything.
    pub(super) expression: String,
    /// Whether keep-alives are wanted.
    pub(super) keepalives: bool,
    /// Microseconds since 1970, the end not included.
    pub(super) time_us: Range<i64>,
    /// How many lines count; for a paused page.
    pub(super) upto: usize,
}

/// One filter over all lines.
pub(super) struct Query {
    wanted: Wanted,
    filter: Filter,
    texts: Texts,
    /// Numbers of the lines that pass.
    pub(super) matches: Vec<u32>,
    /// How many lines were looked at.
    pub(super) scanned: usize,
    /// How often it began anew: places among the matches are of one epoch.
    pub(super) epoch: u32,
    /// How much was known of owners when it began.
    learnt: u64,
    began: Moment,
    spent: Duration,
}

impl Query {
    /// # Errors
    /// The expression is none; says where and why.
    fn new(wanted: Wanted) -> Result<Self, String> {
        let now = clock::now();
        let filter = Filter::parse(&wanted.expression, now.wall_us).map_err(|error| error.to_string())?;
        Ok(Self {
            wanted,
            filter,
            texts: Texts::default(),
            matches: Vec::new(),
            scanned: 0,
            epoch: 0,
            learnt: 0,
            began: now,
            spent: Duration::ZERO,
        })
    }

    /// Begins anew if more is known of whose lines are, unless it has just done so.
    pub(super) fn refresh(&mut self, index: &RwLock<Index>) {
        if !self.filter.names_somebody() {
            return;
        }
        let learnt = super::read(index).known_owners.learnt();
        let now = clock::now();
        if learnt != self.learnt && now.since(self.began) >= self.spent * ANEW_SHARE {
            if self.scanned > 0 {
                self.epoch += 1;
            }
            (self.learnt, self.began, self.spent, self.scanned) = (learnt, now, Duration::ZERO, 0);
            self.matches.clear();
        }
    }

    /// Looks at more lines until `enough` says so, or all were looked at.
    pub(super) fn advance(
        &mut self,
        sources: &[Arc<Source>],
        index: &RwLock<Index>,
        mut enough: impl FnMut(&Self) -> bool,
    ) {
        let began = clock::now();
        loop {
            let index = super::read(index);
            let end = index.entries.len().min(self.wanted.upto).min(self.scanned + BATCH);
            let entries = index.entries.get(self.scanned..end).unwrap_or_default();
            if entries.is_empty() {
                break;
            }
            for (number, entry) in (self.scanned..end).zip(entries) {
                if self.passes(&index, entry, sources) {
                    self.matches.extend(u32::try_from(number).ok());
                }
            }
            self.scanned = end;
            drop(index);
            if enough(self) {
                break;
            }
        }
        self.spent += clock::now().since(began);
    }

    fn passes(&self, index: &Index, entry: &Entry, sources: &[Arc<Source>]) -> bool {
        if entry.keepalive && !self.wanted.keepalives || !self.wanted.time_us.contains(&entry.at_us) {
            return false;
        }
        if self.filter.is_all() {
            return true;
        }
        let holds = |place, folded: &str| self.texts.hold(sources, place, folded);
        let known = Known { index, entry, holds };
        // The first line of a file is part of every capture, but nobody looks for it.
        if index.actions.word(entry.action) == "log-opened" {
            return self.filter.asks_for(&known, &index.known_owners);
        }
        self.filter.takes(&known, &index.known_owners)
    }
}

/// The texts of lines, read in pieces front to back, and what is looked for in them.
#[derive(Default)]
struct Texts {
    piece: RefCell<Piece>,
    wanted: RefCell<Vec<(String, Option<Regex>)>>,
}

/// What was read last.
#[derive(Default)]
struct Piece {
    source: u32,
    offset: u64,
    text: Vec<u8>,
}

impl Texts {
    fn hold(&self, sources: &[Arc<Source>], place: Place, folded: &str) -> bool {
        let mut piece = self.piece.borrow_mut();
        let end = piece.offset + piece.text.len() as u64;
        let is_read = piece.source == place.source
            && place.offset >= piece.offset
            && place.offset + u64::from(place.bytes) <= end;
        if !is_read {
            piece.text.clear();
            (piece.source, piece.offset) = (place.source, place.offset);
            let Some(source) = sources.get(place.source as usize) else { return false };
            let length = (CHUNK_BYTES as u64).max(u64::from(place.bytes));
            if source.read(place.offset..place.offset + length, &mut piece.text).is_err() {
                piece.text.clear();
                return false;
            }
        }
        let from = (place.offset - piece.offset) as usize;
        let line = piece.text.get(from..from + place.bytes as usize).unwrap_or_default();
        let mut wanted = self.wanted.borrow_mut();
        if !wanted.iter().any(|(known, _)| known == folded) {
            let found = RegexBuilder::new(&regex::escape(folded)).case_insensitive(true).build().ok();
            wanted.push((folded.to_owned(), found));
        }
        wanted.iter().any(|(known, found)| known == folded && found.as_ref().is_some_and(|found| found.is_match(line)))
    }
}

/// The queries asked of late, newest last.
#[derive(Default)]
pub(super) struct Queries {
    kept: VecDeque<Query>,
}

impl Queries {
    /// The query for what is wanted, looked at as far as it was.
    ///
    /// # Errors
    /// The expression is none; says where and why.
    pub(super) fn get(&mut self, wanted: &Wanted) -> Result<&mut Query, String> {
        let at = self.kept.iter().position(|query| query.wanted == *wanted);
        let query = match at.and_then(|at| self.kept.remove(at)) {
            Some(query) => query,
            None => Query::new(wanted.clone())?,
        };
        if self.kept.len() >= MAX_QUERIES {
            self.kept.pop_front();
        }
        self.kept.push_back(query);
        self.kept.back_mut().ok_or_else(String::new)
    }
}
