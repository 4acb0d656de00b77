//! Names of persons, teams and queues, learnt before anything is restricted, so that a sentence ahead of them is rid of them
//! too.
//!
//! A stored line is restricted and thrown away if what follows a name's element or member in it was not seen before. Limits:
//! [`MAX_SEEN`] such places.

use super::{Picked, Restrictor};
use crate::capture::rules::Level;
use regex::bytes::Regex;
use std::hash::BuildHasher as _;
use std::sync::LazyLock;

/// Places remembered at the most; names beyond are learnt when they are restricted.
const MAX_SEEN: usize = 500_000;

/// Elements and members with a name in them, and the beginning of what follows.
#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?s-u)(?:firstName|lastName|nickName|loginName|loginId|displayName|fullName|agentName|teamName|queueName)(?:>|&gt;|\\?":).{0,40}"#)
        .expect("constant")
});

impl Restrictor {
    /// Learns the names in a stored line; does nothing but where tokens stand for them.
    pub fn learn(&mut self, stored: &[u8]) {
        if self.level != Level::Share || self.seen.len() >= MAX_SEEN {
            return;
        }
        let mut is_new = false;
        for place in NAMED.find_iter(stored) {
            is_new |= self.seen.insert(self.hasher.hash_one(place.as_bytes()));
        }
        if is_new {
            let tally = std::mem::take(&mut self.tally);
            // A line that is not ours is told when its turn comes.
            let _ = self.line(stored, &Picked::default());
            self.tally = tally;
        }
    }
}
