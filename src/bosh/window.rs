//! The request ids of one session (XEP-0124 sections 9 and 14): which are open, which were left out, which came twice.
//!
//! Ids count up by one from a random first one; what is shown of them is the number behind the first, never the id. Holds at
//! most [`MAX_REQUESTS`] of each kind, whatever the peers do.

use std::collections::{BTreeSet, VecDeque};

/// Requests remembered as open, as missing and as answered.
const MAX_REQUESTS: usize = 64;

/// Follows the requests of one session.
#[derive(Clone, Default)]
pub struct Window {
    first: Option<u64>,
    highest: u64,
    open: Vec<u64>,
    missing: BTreeSet<u64>,
    answered: VecDeque<u64>,
}

/// What a request is to its session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Its number, from 0 for the first one seen.
    pub number: u64,
    /// It was sent before: what it carries was seen.
    pub repeated: bool,
    /// Requests without an answer, this one included.
    pub open: u64,
}

impl Window {
    /// A request came.
    pub fn ask(&mut self, rid: u64) -> Asked {
        let first = *self.first.get_or_insert(rid);
        if self.highest == 0 {
            self.highest = rid.saturating_sub(1);
        }
        let repeated = rid <= self.highest && !self.missing.remove(&rid) && rid >= first;
        if rid > self.highest {
            self.missing.extend((self.highest + 1..rid).take(MAX_REQUESTS.saturating_sub(self.missing.len())));
            self.highest = rid;
        }
        if !self.open.contains(&rid) && self.open.len() < MAX_REQUESTS {
            self.open.push(rid);
        }
        Asked { number: rid.saturating_sub(first), repeated, open: self.open.len() as u64 }
    }

    /// An answer came; whether it is the first to this request.
    pub fn answer(&mut self, rid: u64) -> bool {
        self.cut(rid);
        if self.answered.contains(&rid) {
            return false;
        }
        if self.answered.len() == MAX_REQUESTS {
            self.answered.pop_front();
        }
        self.answered.push_back(rid);
        true
    }

    /// A request ended without an answer.
    pub fn cut(&mut self, rid: u64) {
        self.open.retain(|open| *open != rid);
    }

    /// Whether no request is open.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// The numbers of requests that were left out before this one, as a range's first and how many.
    #[must_use]
    pub fn missing_before(&self, rid: u64) -> Option<(u64, u64)> {
        let first = *self.missing.first().filter(|missing| **missing < rid)?;
        let count = self.missing.range(..rid).count() as u64;
        Some((first.saturating_sub(self.first?), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(window: &mut Window, rid: u64) -> (u64, bool, u64) {
        let Asked { number, repeated, open } = window.ask(rid);
        (number, repeated, open)
    }

    #[test]
    fn requests_count_from_the_first() {
        let mut window = Window::default();
        assert_eq!(number(&mut window, 1_000), (0, false, 1));
        assert_eq!(number(&mut window, 1_001), (1, false, 2));
        assert!(window.answer(1_000));
        assert_eq!(number(&mut window, 1_002), (2, false, 2));
        assert_eq!(window.missing_before(1_002), None);
    }

    #[test]
    fn a_repeat_is_one_and_its_second_answer_too() {
        let mut window = Window::default();
        window.ask(7);
        assert_eq!(number(&mut window, 7), (0, true, 1));
        assert!(window.answer(7));
        assert!(!window.answer(7));
        assert!(window.is_idle());
    }

    #[test]
    fn a_late_request_is_no_repeat_and_fills_its_gap() {
        let mut window = Window::default();
        window.ask(10);
        window.ask(13);
        assert_eq!(window.missing_before(13), Some((1, 2)));
        assert_eq!(window.missing_before(11), None);
        assert_eq!(number(&mut window, 11), (1, false, 3));
        assert_eq!(number(&mut window, 12), (2, false, 4));
        assert_eq!(window.missing_before(13), None);
        assert_eq!(number(&mut window, 11), (1, true, 4));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_ids_are_taken_within_the_limits(rids in proptest::collection::vec(any::<u64>(), 0..300)) {
            let mut window = Window::default();
            for rid in rids {
                let asked = window.ask(rid);
                prop_assert!(asked.open <= MAX_REQUESTS as u64);
                prop_assert!(window.missing.len() <= MAX_REQUESTS && window.answered.len() <= MAX_REQUESTS);
                if rid % 3 == 0 {
                    window.answer(rid);
                }
            }
        }
    }
}
