//! A map that remembers a bounded number of keys and forgets the oldest first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Recent<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
    limit: usize,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    /// Remembers at most `limit` keys.
    pub(super) fn new(limit: usize) -> Self {
        Self { map: HashMap::new(), order: VecDeque::new(), limit }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        // Keys that were removed still stand in the order: the order is what is bounded.
        while self.order.len() > self.limit {
            if let Some(oldest) = self.order.pop_front() {
                self.map.remove(&oldest);
            }
        }
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let value = self.map.remove(key)?;
        if self.map.is_empty() {
            self.order.clear();
        }
        Some(value)
    }

    /// All keys, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.map.keys()
    }

    pub(super) fn find_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map.get_mut(key)
    }

    pub(super) fn find<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::new(2);
        for n in 1..=3 {
            recent.insert(n, n * 10);
        }
        assert_eq!((recent.find(&1), recent.find(&2), recent.find(&3)), (None, Some(&20), Some(&30)));
    }

    #[test]
    fn keys_that_come_and_go_do_not_pile_up() {
        let mut recent = Recent::new(4);
        recent.insert(0, ());
        for n in 1..1_000 {
            recent.insert(n, ());
            recent.remove(&n);
        }
        assert!(recent.order.len() <= 4);
    }
}
