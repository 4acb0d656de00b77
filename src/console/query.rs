//! Which lines pass a filter, found as far as somebody looks.
//!
//! A query remembers which lines pass and how many it has looked at; [`Query::advance`] looks at more for a while. What the
//! index knows is asked first, and lines are read in large pieces. A few queries are kept, so that going back to one is free.

use super::index::{Entry, Index};
use super::store::{CHUNK_BYTES, Source};
use crate::filter::Filter;
use crate::stored::view::Line;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, RwLock};

/// Queries that are kept.
const MAX_QUERIES: usize = 8;
/// Entries taken from the index at once.
const BATCH: usize = 4_096;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The expression; empty for everything.
    pub(super) expression: String,
    /// Whether keep-alives are wanted.
    pub(super) keepalives: bool,
    /// Microseconds since 1970, both ends included.
    pub(super) time_us: Range<i64>,
    /// How many lines count; for a paused page.
    pub(super) upto: usize,
}

/// One filter over all lines.
pub(super) struct Query {
    wanted: Wanted,
    filter: Option<Filter>,
    /// Numbers of the lines that pass.
    pub(super) matches: Vec<u32>,
    /// How many lines were looked at.
    pub(super) scanned: usize,
}

impl Query {
    /// # Errors
    /// The expression is none; says where and why.
    fn new(wanted: Wanted) -> Result<Self, String> {
        let filter = match wanted.expression.trim() {
            "" => None,
            expression => Some(Filter::parse(expression).map_err(|error| error.to_string())?),
        };
        Ok(Self { wanted, filter, matches: Vec::new(), scanned: 0 })
    }

    /// Looks at more lines until `enough` says so, or all were looked at.
    pub(super) fn advance(
        &mut self,
        sources: &[Arc<Source>],
        index: &RwLock<Index>,
        mut enough: impl FnMut(&Self) -> bool,
    ) {
        let mut text = Vec::new();
        loop {
            let batch: Vec<(usize, Entry)> = {
                let index = super::read(index);
                let end = index.entries.len().min(self.wanted.upto).min(self.scanned + BATCH);
                let entries = index.entries.get(self.scanned..end).unwrap_or_default();
                (self.scanned..end).zip(entries.iter().copied()).collect()
            };
            let Some((last, _)) = batch.last() else { return };
            let end = last + 1;
            let candidates: Vec<_> = batch.into_iter().filter(|(_, entry)| self.may_pass(entry)).collect();
            match self.filter.as_ref() {
                None => self.matches.extend(candidates.iter().filter_map(|(number, _)| u32::try_from(*number).ok())),
                Some(filter) => Self::read_and_judge(&mut self.matches, filter, &candidates, sources, &mut text),
            }
            self.scanned = end;
            if enough(self) {
                return;
            }
        }
    }

    fn may_pass(&self, entry: &Entry) -> bool {
        (self.wanted.keepalives || !entry.keepalive) && self.wanted.time_us.contains(&entry.at_us)
    }

    /// Reads the candidates, neighbours together, and keeps those that pass.
    fn read_and_judge(
        matches: &mut Vec<u32>,
        filter: &Filter,
        candidates: &[(usize, Entry)],
        sources: &[Arc<Source>],
        text: &mut Vec<u8>,
    ) {
        let mut rest = candidates;
        while let Some((_, first)) = rest.first() {
            let source = first.place.source;
            let start = first.place.offset;
            let fits = |(_, entry): &&(usize, Entry)| {
                let end = entry.place.offset + u64::from(entry.place.bytes);
                entry.place.source == source && entry.place.offset >= start && end - start <= CHUNK_BYTES as u64
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (now, later) = rest.split_at(count);
            rest = later;
            let end = now.last().map_or(start, |(_, entry)| entry.place.offset + u64::from(entry.place.bytes));
            text.clear();
            let read = sources.get(source as usize).map(|source| source.read(start..end, text));
            if !matches!(read, Some(Ok(()))) {
                continue;
            }
            for (number, entry) in now {
                let from = (entry.place.offset - start) as usize;
                let line = text.get(from..from + entry.place.bytes as usize).unwrap_or_default();
                if Line::read(line).is_ok_and(|line| filter.passes(&line)) {
                    matches.extend(u32::try_from(*number));
                }
            }
        }
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
