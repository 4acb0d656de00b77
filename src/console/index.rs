//! What is known of every line without reading it again: some 56 bytes a line, and who and what they are about.
//!
//! Lines come in the order of their source; each gets the next number. [`Index::add`] takes one, with where it lies. What a
//! line says is read when it is shown. Agents, servers and problems are folded as lines come. [`Known`] answers a filter out
//! of it, so that only who asks for a text has the lines read.

use super::ladders::Ladders;
use super::people::People;
use super::problems::Problems;
use super::spans::Spans;
use super::store::Place;
use crate::filter::{Facts, Owners};
use crate::stored::Read;
use crate::stored::view::Line;
use std::collections::HashMap;

/// Different words of one kind (actions, runs) that are kept apart.
const MAX_WORDS: usize = 60_000;
/// Nodes offered for completion.
const MAX_NODES: usize = 200;

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// `@timestamp`, microseconds since 1970.
    pub(super) at_us: i64,
    /// Where it lies.
    pub(super) place: Place,
    /// `event.sequence`, 0 for none; of its run.
    pub(super) sequence: u32,
    /// `event.sequence` of the request behind it, 0 for none.
    pub(super) cause: u32,
    /// How long it took, microseconds; [`u32::MAX`] for what has no length.
    pub(super) took_us: u32,
    /// The longest that it tells of, microseconds, as filters have it.
    slow_us: u32,
    /// Number of its agent among [`People`], [`People::NOBODY`] for none.
    pub(super) agent: u32,
    /// Number of whose it is, among the owners.
    owner: u32,
    /// Number of its run.
    pub(super) run: u16,
    /// Number of its `event.action`.
    pub(super) action: u16,
    /// Number of its node, among nodes.
    node: u16,
    /// 0 info, 1 warn, 2 error.
    pub(super) level: u8,
    /// Whether it is a keep-alive.
    pub(super) keepalive: bool,
    is_trouble: bool,
    is_shared: bool,
}

/// Words that are told apart by number.
#[derive(Default)]
pub(super) struct Words {
    numbers: HashMap<String, u16>,
    words: Vec<String>,
}

impl Words {
    fn number(&mut self, word: &str) -> u16 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        if self.words.len() >= MAX_WORDS {
            return 0;
        }
        let number = u16::try_from(self.words.len()).unwrap_or(0);
        self.words.push(word.to_owned());
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The word of this number.
    pub(super) fn word(&self, number: u16) -> &str {
        self.words.get(usize::from(number)).map_or("", String::as_str)
    }

    /// The number of a word that was seen.
    pub(super) fn find(&self, word: &str) -> Option<u16> {
        self.numbers.get(word).copied()
    }

    /// All of them, but for the empty one.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| !word.is_empty())
    }
}

/// Whose a line is, as it says itself: session, trace, agent, connection, WebSocket, stream.
type Owner = [Option<Box<str>>; 6];

/// Everything that is known of all lines.
#[derive(Default)]
pub(super) struct Index {
    /// By number.
    pub(super) entries: Vec<Entry>,
    /// `event.action`s.
    pub(super) actions: Words,
    /// Runs.
    pub(super) runs: Words,
    nodes: Words,
    owners: Vec<Owner>,
    owner_numbers: HashMap<Owner, u32>,
    /// Whose connections are.
    pub(super) known_owners: Owners,
    /// Agents and servers.
    pub(super) people: People,
    /// What went wrong, net of what was taken back.
    pub(super) problems: Problems,
    /// What lasted.
    pub(super) spans: Spans,
    /// Logins.
    pub(super) ladders: Ladders,
    /// Lines that are none of a capture.
    pub(super) foreign: u64,
    /// The strictest redaction level seen.
    pub(super) level: String,
    /// Bytes read of all sources.
    pub(super) read_bytes: u64,
}

impl Index {
    /// Takes the next line, without its line feed.
    pub(super) fn add(&mut self, place: Place, text: &[u8]) {
        let Ok(line) = Line::read(text) else {
            self.foreign += 1;
            return;
        };
        let read = Read { text, line };
        self.known_owners.learn(&read);
        let (is_trouble, is_shared, slow_us) = (read.is_trouble(), read.is_shared(), read.took_us());
        let (owner, node) = (self.owner(&read), self.nodes.number(read.node().unwrap_or_default()));
        let line = read.line;
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let run = self.runs.number(line.run());
        let action = self.actions.number(&line.event.action);
        let level = match &*line.log.level {
            "error" => 2,
            "warn" => 1,
            _ => 0,
        };
        let agent = self.people.see(run, &line);
        let update = line.finesse.update.as_ref();
        let cause = update.and_then(|update| update.caused_by.as_ref()).and_then(|cause| cause.sequence);
        let took_ns = line.event.duration.filter(|_| &*line.event.action != "session-summary");
        let rtt_us = line.finesse.xmpp.as_ref().and_then(|xmpp| xmpp.rtt_us);
        let took_us = took_ns.map(|ns| ns / 1_000).or(rtt_us);
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX - 1);
        self.entries.push(Entry {
            at_us: line.at_us,
            place,
            sequence: line.event.sequence.map_or(0, small),
            cause: cause.map_or(0, small),
            took_us: took_us.map_or(u32::MAX, small),
            slow_us: small(slow_us),
            agent,
            owner,
            run,
            action,
            node,
            level,
            keepalive: line.finesse.keepalive,
            is_trouble,
            is_shared,
        });
        self.problems.see(number, agent, &line);
        self.spans.see(run, agent, &line);
        self.ladders.see(run, number, &line);
        if let Some(redaction) = &line.finesse.redaction
            && self.level.is_empty()
        {
            self.level = redaction.level.to_string();
        }
    }

    fn owner(&mut self, read: &Read<'_>) -> u32 {
        let [conn, ws, stream] = read.carriers();
        let owner = [read.session(), read.trace(), read.agent(), conn, ws, stream].map(|name| name.map(Box::from));
        if let Some(number) = self.owner_numbers.get(&owner) {
            return *number;
        }
        let number = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        self.owners.push(owner.clone());
        self.owner_numbers.insert(owner, number);
        number
    }

    /// Nodes for completion.
    pub(super) fn nodes(&self) -> Vec<&str> {
        self.nodes.all().take(MAX_NODES).collect()
    }

    /// The number of the line with this `event.sequence` in this run. Sequences grow within a run but for a few that are
    /// told late, so it is looked for around where it should be.
    pub(super) fn find(&self, run: u16, sequence: u32) -> Option<usize> {
        let of_run = |entry: &&Entry| entry.run == run && entry.sequence == sequence;
        let guess = self.entries.partition_point(|entry| (entry.run, entry.sequence) < (run, sequence));
        let from = guess.saturating_sub(2_000);
        let near = self.entries.get(from..(guess + 2_000).min(self.entries.len()))?;
        if let Some(at) = near.iter().position(|entry| of_run(&entry)) {
            return Some(from + at);
        }
        self.entries.iter().position(|entry| of_run(&entry))
    }

    /// The lines that the request `cause` of `run` brought about, as far as they follow soon.
    pub(super) fn effects(&self, number: usize) -> Vec<usize> {
        let Some(cause) = self.entries.get(number).filter(|entry| entry.sequence > 0) else { return Vec::new() };
        let near = number.saturating_sub(200)..self.entries.len().min(number + 20_000);
        let effects = near.filter(|at| {
            self.entries.get(*at).is_some_and(|entry| entry.run == cause.run && entry.cause == cause.sequence)
        });
        effects.take(16).collect()
    }
}

/// A line as a filter asks about it.
pub(super) struct Known<'i, T: Fn(Place, &str) -> bool> {
    /// All lines.
    pub(super) index: &'i Index,
    /// This one.
    pub(super) entry: &'i Entry,
    /// Whether the line at a place holds a text that is in lower case, in any case.
    pub(super) holds: T,
}

impl<T: Fn(Place, &str) -> bool> Known<'_, T> {
    fn owner(&self, at: usize) -> Option<&str> {
        self.index.owners.get(self.entry.owner as usize)?.get(at)?.as_deref()
    }
}

impl<T: Fn(Place, &str) -> bool> Facts for Known<'_, T> {
    fn at_us(&self) -> i64 {
        self.entry.at_us
    }

    fn run(&self) -> &str {
        self.index.runs.word(self.entry.run)
    }

    fn action(&self) -> &str {
        self.index.actions.word(self.entry.action)
    }

    fn session(&self) -> Option<&str> {
        self.owner(0)
    }

    fn trace(&self) -> Option<&str> {
        self.owner(1)
    }

    fn agent(&self) -> Option<&str> {
        self.owner(2)
    }

    fn carriers(&self) -> [Option<&str>; 3] {
        [self.owner(3), self.owner(4), self.owner(5)]
    }

    fn is_trouble(&self) -> bool {
        self.entry.is_trouble
    }

    fn is_shared(&self) -> bool {
        self.entry.is_shared
    }

    fn took_us(&self) -> u64 {
        u64::from(self.entry.slow_us)
    }

    fn node(&self) -> Option<&str> {
        Some(self.index.nodes.word(self.entry.node)).filter(|node| !node.is_empty())
    }

    fn holds(&self, folded: &str) -> bool {
        (self.holds)(self.entry.place, folded)
    }
}
