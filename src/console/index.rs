//! What is known of every line without reading it again: some 48 bytes a line, and who and what they are about.
//!
//! Lines come in the order of their source; each gets the next number. [`Index::add`] takes one, with where it lies. What a
//! line says is read when it is shown. Agents, servers and problems are folded as lines come.

use super::people::People;
use super::problems::Problems;
use super::spans::Spans;
use super::store::Place;
use crate::stored::view::Line;
use std::collections::HashMap;

/// Different words of one kind (actions, runs) that are kept apart.
const MAX_WORDS: usize = 60_000;

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
    /// Number of its agent among [`People`], [`People::NOBODY`] for none.
    pub(super) agent: u32,
    /// Number of its run.
    pub(super) run: u16,
    /// Number of its `event.action`.
    pub(super) action: u16,
    /// 0 info, 1 warn, 2 error.
    pub(super) level: u8,
    /// Whether it is a keep-alive.
    pub(super) keepalive: bool,
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
}

/// Everything that is known of all lines.
#[derive(Default)]
pub(super) struct Index {
    /// By number.
    pub(super) entries: Vec<Entry>,
    /// `event.action`s.
    pub(super) actions: Words,
    /// Runs.
    pub(super) runs: Words,
    /// Agents and servers.
    pub(super) people: People,
    /// What went wrong, net of what was taken back.
    pub(super) problems: Problems,
    /// What lasted.
    pub(super) spans: Spans,
    /// Lines that are none of a capture.
    pub(super) foreign: u64,
    /// The strictest redaction level seen.
    pub(super) level: String,
    /// Pub-sub nodes seen, for completion.
    pub(super) nodes: Vec<String>,
    /// Bytes read of all sources.
    pub(super) read_bytes: u64,
}

/// Nodes offered for completion.
const MAX_NODES: usize = 200;

impl Index {
    /// Takes the next line, without its line feed.
    pub(super) fn add(&mut self, place: Place, text: &[u8]) {
        let Ok(line) = Line::read(text) else {
            self.foreign += 1;
            return;
        };
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
            agent,
            run,
            action,
            level,
            keepalive: line.finesse.keepalive,
        });
        self.problems.see(number, agent, &line);
        self.spans.see(run, agent, &line);
        if let Some(redaction) = &line.finesse.redaction
            && self.level.is_empty()
        {
            self.level = redaction.level.to_string();
        }
        let node = line.finesse.xmpp.as_ref().and_then(|xmpp| xmpp.pubsub.as_ref()).and_then(|p| p.node.as_ref());
        if let Some(node) = node
            && self.nodes.len() < MAX_NODES
            && !self.nodes.iter().any(|known| **known == **node)
        {
            self.nodes.push(node.to_string());
        }
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
