//! What is known of one server: its clock against ours, its process, its newest endings.

use super::findings::ending::Cut;
use super::findings::rest::{Answer, LAST};
use super::findings::server::ALL_SILENT;
use crate::clock::Moment;
use crate::conn::SessionId;
use std::collections::VecDeque;

/// Differences in here are network and rounding (a `Date` has whole seconds), milliseconds: the clocks count as equal.
const SAME_CLOCK_MS: std::ops::Range<i64> = -1_000..2_000;
/// Answers whose `Date` is compared.
const DATES: usize = 15;
/// So many tell a median.
const FEW_DATES: usize = 9;
/// Resources whose times are kept.
const MAX_RESOURCES: usize = 32;
/// Unanswered pings remembered.
const MAX_SILENT: usize = 256;
/// Ends remembered, one a session.
const MAX_CUTS: usize = 32;
/// Processes of one server told apart.
const MAX_PROCESSES: usize = 8;
/// Nodes of one process remembered.
const MAX_NODES: usize = 64;
/// Length of the UUID that item ids begin with.
const UUID_BYTES: usize = 36;

/// What an item's id tells of the process that published it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Process {
    /// It is new; the last line of the one whose place it takes.
    New(u64),
    /// It goes on, though others are younger.
    Back,
}

/// The process id that an item's id begins with.
pub(super) fn process(id: &str) -> Option<&str> {
    let (process, counter) = id.split_at_checked(UUID_BYTES)?;
    let is_uuid = process.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let is_counter = !counter.is_empty() && counter.bytes().all(|byte| byte.is_ascii_digit());
    (is_uuid && is_counter).then_some(process)
}

/// One server, by the name the browser knows.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// The smallest difference seen between our clock at arrival and a time the server stamped: the clocks' difference
    /// plus the fastest delivery.
    smallest_ms: Option<i64>,
    /// Processes that published: id, the nodes they published to as hashes, last line. The newest is the last.
    processes: VecDeque<(String, VecDeque<u64>, u64)>,
    cuts: VecDeque<Cut>,
    /// SystemInfo said so last.
    pub(super) is_in_maintenance: bool,
    /// UCCE or UCCX, as SystemInfo says.
    pub(super) deployment: Option<String>,
    /// Differences to the newest answers' `Date`, milliseconds.
    dates: VecDeque<i64>,
    clock_is_told: bool,
    /// The newest answers of each resource.
    answers: Vec<(String, VecDeque<Answer>)>,
    /// Pings that were given up: whose, when, their lines.
    silent: VecDeque<(SessionId, Moment, u64)>,
}

impl Server {
    /// The server stamped `stamped_ms` (since 1970) on something that arrived at `at`.
    pub(super) fn stamped(&mut self, stamped_ms: i64, at: Moment) {
        let difference = at.wall_us.div_euclid(1_000).saturating_sub(stamped_ms);
        self.smallest_ms = Some(self.smallest_ms.map_or(difference, |smallest| smallest.min(difference)));
    }

    /// An answer's `Date`. Gives how many there were and the median of their differences, once there are enough; the clock is
    /// judged once.
    pub(super) fn dated(&mut self, date_ms: i64, at: Moment) -> Option<(usize, i64)> {
        if self.clock_is_told {
            return None;
        }
        if self.dates.len() == DATES {
            self.dates.pop_front();
        }
        self.dates.push_back(at.wall_us.div_euclid(1_000).saturating_sub(date_ms));
        if self.dates.len() < FEW_DATES {
            return None;
        }
        let mut sorted: Vec<i64> = self.dates.iter().copied().collect();
        sorted.sort_unstable();
        Some((sorted.len(), *sorted.get(sorted.len() / 2)?))
    }

    /// What is wrong with the clock was said.
    pub(super) fn clock_is_told(&mut self) {
        self.clock_is_told = true;
    }

    /// One more answer to a request for this resource; gives the last ones.
    pub(super) fn answered(&mut self, resource: &str, answer: Answer) -> Option<&mut VecDeque<Answer>> {
        let index = match self.answers.iter().position(|(known, _)| known == resource) {
            Some(index) => index,
            None if self.answers.len() < MAX_RESOURCES => {
                self.answers.push((resource.to_owned(), VecDeque::new()));
                self.answers.len() - 1
            }
            None => return None,
        };
        let (_, last) = self.answers.get_mut(index)?;
        if last.len() == LAST {
            last.pop_front();
        }
        last.push_back(answer);
        Some(last)
    }

    /// A session's ping was given up; gives the sessions whose pings were at about that time, with their lines.
    pub(super) fn silent(&mut self, session: SessionId, at: Moment, line: u64) -> Vec<(SessionId, u64)> {
        self.silent.retain(|(other, since, _)| *other != session && since.plus(ALL_SILENT).mono_ns >= at.mono_ns);
        if self.silent.len() == MAX_SILENT {
            self.silent.pop_front();
        }
        self.silent.push_back((session, at, line));
        self.silent.iter().map(|(session, _, line)| (*session, *line)).collect()
    }

    /// How far our clock is ahead of the server's, milliseconds; 0 if they are about equal.
    pub(super) fn skew_ms(&self) -> i64 {
        self.smallest_ms.filter(|ms| !SAME_CLOCK_MS.contains(ms)).unwrap_or(0)
    }

    /// An item id came on a node. Tells when the node's items came from another process before, with that one's last line.
    /// Ids of another shape tell nothing.
    ///
    /// Several processes may publish to one server: only one that is new to the server takes another's place, and only if
    /// that one is not heard of again.
    pub(super) fn item(&mut self, node: u64, id: &str, sequence: u64) -> Option<Process> {
        let process = process(id)?;
        let known = self.processes.iter().position(|(known, ..)| known == process);
        let Some(index) = known else {
            let before =
                self.processes.iter().rev().find(|(_, nodes, _)| nodes.contains(&node)).map(|(_, _, last)| *last);
            if self.processes.len() == MAX_PROCESSES {
                self.processes.pop_front();
            }
            self.processes.push_back((process.to_owned(), VecDeque::from([node]), sequence));
            return before.map(Process::New);
        };
        let newest = index + 1 == self.processes.len();
        let (_, nodes, last) = self.processes.get_mut(index)?;
        *last = sequence;
        if !nodes.contains(&node) {
            if nodes.len() == MAX_NODES {
                nodes.pop_front();
            }
            nodes.push_back(node);
        }
        (!newest).then_some(Process::Back)
    }

    /// A session's socket was cut off; gives the newest of each session, the oldest first.
    pub(super) fn cut(&mut self, cut: Cut) -> &VecDeque<Cut> {
        self.cuts.retain(|other| other.session != cut.session);
        if self.cuts.len() == MAX_CUTS {
            self.cuts.pop_front();
        }
        self.cuts.push_back(cut);
        &self.cuts
    }

    /// What was cut off before counts no more.
    pub(super) fn forget_cuts(&mut self) {
        self.cuts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: i64) -> Moment {
        Moment { wall_us: ms * 1_000, mono_ns: 0 }
    }

    #[test]
    fn the_fastest_delivery_tells_the_skew() {
        let mut server = Server::default();
        server.stamped(1_000, at_ms(1_080));
        assert_eq!(server.skew_ms(), 0);
        server.stamped(2_000, at_ms(1_500));
        assert_eq!(server.skew_ms(), 0);
        server.stamped(100_000, at_ms(40_000));
        assert_eq!(server.skew_ms(), -60_000);
        let mut server = Server::default();
        server.stamped(0, at_ms(9_000));
        server.stamped(10_000, at_ms(18_500));
        assert_eq!(server.skew_ms(), 8_500);
    }

    #[test]
    fn a_process_is_known_by_the_uuid_before_the_counter() {
        let mut server = Server::default();
        let (one, two) = ("a6ca891f-8b34-443f-8c7d-dac020d41838", "b6ca891f-8b34-443f-8c7d-dac020d41838");
        assert_eq!(server.item(1, &format!("{one}330"), 7), None);
        assert_eq!(server.item(1, &format!("{one}331"), 8), None);
        assert_eq!(server.item(1, "whatever", 9), None);
        assert_eq!(server.item(1, two, 9), None, "a UUID alone is somebody else's scheme");
        assert_eq!(server.item(1, &format!("{two}1"), 10), Some(Process::New(8)));
        assert_eq!(server.item(1, &format!("{two}2"), 11), None);
        assert_eq!(server.item(1, &format!("{one}332"), 12), Some(Process::Back));
        let mut server = Server::default();
        assert_eq!(server.item(1, &format!("{one}330"), 7), None);
        assert_eq!(server.item(2, &format!("{two}330"), 8), None, "another publisher, of its own node");
    }
}
