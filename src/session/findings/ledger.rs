//! Counts findings, so that the hundredth of the same says so instead of being said again.

use super::{Code, Finding};
use crate::conn::{ConnId, SessionId};
use crate::session::recent::Recent;
use std::net::IpAddr;

/// Occasions remembered; a forgotten one counts from 1 again.
const MAX_OCCASIONS: usize = 16_384;

/// Whose finding it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(in crate::session) enum Whose {
    /// An agent's.
    Session(SessionId),
    /// A connection's that belongs to nobody yet.
    Conn(ConnId),
    /// Everybody's who uses this server.
    Server(String),
    /// Whoever's at this address.
    Browser(IpAddr),
}

/// How often what was found.
#[derive(Debug)]
pub(in crate::session) struct Ledger {
    counts: Recent<(Whose, Code, String), u64>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { counts: Recent::new(MAX_OCCASIONS) }
    }
}

impl Ledger {
    /// Counts a finding; gives it back, with its count, if it is to be said: the 1st, 10th, 100th time and so on, and
    /// whenever it takes the place of others.
    pub(in crate::session) fn count(&mut self, whose: Whose, mut finding: Finding) -> Option<Finding> {
        let key = (whose, finding.code, std::mem::take(&mut finding.subject));
        match self.counts.find_mut(&key) {
            Some(count) => {
                *count += 1;
                finding.count = *count;
            }
            None => self.counts.insert(key, 1),
        }
        let mut rest = finding.count;
        while rest.is_multiple_of(10) {
            rest /= 10;
        }
        (rest == 1 || finding.revises.is_some()).then_some(finding)
    }

    /// A finding that was counted and not said turns out to be none.
    pub(in crate::session) fn take_back(&mut self, whose: Whose, code: Code, subject: String) {
        if let Some(count) = self.counts.find_mut(&(whose, code, subject)) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::findings::Confidence;

    #[test]
    fn repeats_are_counted_and_said_sparingly() {
        let mut ledger = Ledger::default();
        let mut said = |conn| {
            let finding = Finding::new(Code::PingSlow, Confidence::Certain).about("iq");
            ledger.count(Whose::Conn(ConnId(conn)), finding).map(|finding| finding.count)
        };
        let counts: Vec<u64> = (0..1_000).filter_map(|_| said(1)).collect();
        assert_eq!(counts, [1, 10, 100, 1_000]);
        assert_eq!(said(2), Some(1));
    }
}
