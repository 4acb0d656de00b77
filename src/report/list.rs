//! A list that stops growing.

use serde::{Serialize, Serializer};
use std::ops::Deref;

/// A list that stops growing and counts what it left out.
#[derive(Clone, Debug)]
pub struct List<T> {
    items: Vec<T>,
    /// Entries that were not taken.
    pub left_out: u64,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), left_out: 0 }
    }
}

impl<T> List<T> {
    /// Takes `item` if there are fewer than `limit`; tells its index.
    pub(super) fn push(&mut self, item: T, limit: usize) -> Option<usize> {
        if self.items.len() >= limit {
            self.left_out += 1;
            return None;
        }
        self.items.push(item);
        Some(self.items.len() - 1)
    }

    /// Takes in another list, in order of time.
    pub(super) fn absorb(&mut self, other: Self, limit: usize, at: impl Fn(&T) -> i64) {
        self.left_out += other.left_out;
        self.items.extend(other.items);
        self.items.sort_by_key(at);
        self.left_out += self.items.len().saturating_sub(limit) as u64;
        self.items.truncate(limit);
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.items.get_mut(index)
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}
