//! What HEC has taken and not yet indexed: numbers that wait, and what an answer says of them. No I/O.
//!
//! `ackId`s count up on a channel from 0, from 0 again once Splunk has been restarted, and an acknowledgement is told once.
//! So every batch that waits has a ticket of its own, and a number that comes again means that the batch which waited under
//! it is lost. Splunk, "About HTTP Event Collector Indexer Acknowledgment".

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Batches that wait for their acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// Tickets by `ackId`.
    waiting: BTreeMap<u64, Ticket>,
    indexed: BTreeSet<Ticket>,
    next: u64,
}

/// One batch that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ticket {
    number: u64,
    id: u64,
}

/// How a batch fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Waits,
    Indexed,
    /// Nobody will ever tell.
    Lost,
}

impl Acks {
    /// A batch was taken under this `ackId`.
    pub(super) fn wait(&mut self, id: u64) -> Ticket {
        let ticket = Ticket { number: self.next, id };
        self.next += 1;
        self.waiting.insert(id, ticket);
        ticket
    }

    /// Whether this one waits.
    pub(super) fn is_waiting(&self, ticket: Ticket) -> bool {
        self.waiting.get(&ticket.id) == Some(&ticket)
    }

    /// The body of the question for all that wait.
    pub(super) fn question(&self) -> String {
        let ids: Vec<String> = self.waiting.keys().map(u64::to_string).collect();
        format!("{{\"acks\":[{}]}}", ids.join(","))
    }

    /// Takes an answer. What it does not tell of, waits on.
    pub(super) fn heard(&mut self, body: &[u8]) {
        #[derive(Deserialize)]
        struct Answer {
            acks: BTreeMap<String, bool>,
        }
        let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return };
        for (id, is_indexed) in answer.acks {
            if let (true, Ok(id)) = (is_indexed, id.parse())
                && let Some(ticket) = self.waiting.remove(&id)
            {
                self.indexed.insert(ticket);
            }
        }
    }

    /// How the batch fares; one that does not wait any longer is forgotten.
    pub(super) fn fate(&mut self, ticket: Ticket) -> Fate {
        if self.indexed.remove(&ticket) {
            Fate::Indexed
        } else if self.is_waiting(ticket) {
            Fate::Waits
        } else {
            Fate::Lost
        }
    }

    /// The batch is waited for no longer.
    pub(super) fn give_up(&mut self, ticket: Ticket) {
        if self.is_waiting(ticket) {
            self.waiting.remove(&ticket.id);
        }
    }

    /// Whoever answers next may have begun anew, and give these numbers to other events.
    pub(super) fn give_up_all(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_batch_hears_its_own_word_once() {
        let mut acks = Acks::default();
        let (one, two) = (acks.wait(0), acks.wait(1));
        assert_eq!(acks.question(), r#"{"acks":[0,1]}"#);
        acks.heard(br#"{"acks":{"0":false,"1":true,"7":true,"x":true}}"#);
        assert_eq!((acks.fate(one), acks.fate(two)), (Fate::Waits, Fate::Indexed));
        acks.heard(b"<html>");
        acks.heard(br#"{"text":"as it says","code":9}"#);
        assert_eq!((acks.fate(one), acks.fate(two)), (Fate::Waits, Fate::Lost));
    }

    #[test]
    fn a_number_that_comes_again_is_another_batch_s() {
        let mut acks = Acks::default();
        let before = acks.wait(0);
        let after = acks.wait(0);
        acks.heard(br#"{"acks":{"0":true}}"#);
        assert_eq!((acks.fate(before), acks.fate(after)), (Fate::Lost, Fate::Indexed));
    }

    #[test]
    fn what_is_given_up_is_lost_and_nothing_else() {
        let mut acks = Acks::default();
        let before = acks.wait(0);
        let (after, other) = (acks.wait(0), acks.wait(1));
        acks.give_up(before);
        assert_eq!(acks.fate(after), Fate::Waits);
        acks.give_up(after);
        assert_eq!((acks.fate(after), acks.fate(other)), (Fate::Lost, Fate::Waits));
        acks.give_up_all();
        assert_eq!(acks.fate(other), Fate::Lost);
    }
}
