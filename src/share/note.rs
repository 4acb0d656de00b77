//! A note for a bundle's receiver, held against what the bundle's level removes: shapes, and the names of the same capture.
//!
//! A name is looked for as a whole, in any case, where no letter or digit stands beside it. Of a person's name of several
//! words each word counts, but for those that no name is known by.

use crate::capture::policy::Level;
use crate::scan::Scanner;
use crate::stored::view::Line;
use anyhow::bail;
use std::collections::BTreeSet;

/// Shortest name looked for, characters.
const MIN_CHARS: usize = 3;
/// Names remembered.
const MAX_NAMES: usize = 200_000;
/// Words of names that are said of anybody.
const COMMON: &[&str] =
    &["agent", "supervisor", "user", "test", "team", "admin", "finesse", "the", "and", "von", "van", "del"];

/// Names of people, numbers and hosts that a capture holds.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Learns those of a line.
    pub(super) fn learn(&mut self, line: &Line<'_>) {
        let finesse = &line.finesse;
        let update = finesse.update.as_ref();
        let agent = update.and_then(|update| update.user.as_ref());
        let dialog = update.and_then(|update| update.dialog.as_ref());
        let hosts = [&line.client, &line.server].map(|end| end.as_ref());
        let hosts = hosts.into_iter().flatten().flat_map(|end| [end.domain.as_deref(), end.ip.as_deref()]);
        let parties = dialog.into_iter().flat_map(|dialog| &dialog.participants).map(|party| party.address.as_deref());
        let people = [
            line.user.as_ref().map(|user| &*user.name),
            agent.and_then(|agent| agent.id.as_deref()),
            agent.and_then(|agent| agent.extension.as_deref()),
            dialog.and_then(|dialog| dialog.from_address.as_deref()),
            dialog.and_then(|dialog| dialog.to_address.as_deref()),
        ];
        for name in people.into_iter().chain(parties).chain(hosts).flatten() {
            self.add(name);
            self.add(name.split('@').next().unwrap_or(name));
        }
        if let Some(name) = agent.and_then(|agent| agent.name.as_deref()) {
            self.add(name);
            let is_telling = |word: &&str| !COMMON.contains(&&*word.to_lowercase());
            name.split_whitespace()
                .filter(is_telling)
                .filter(|word| word.parse::<u64>().is_err())
                .for_each(|word| self.add(word));
        }
    }

    fn add(&mut self, name: &str) {
        let name = name.trim();
        if name.chars().count() >= MIN_CHARS && self.0.len() < MAX_NAMES && !name.starts_with(['[', '(']) {
            let name = name.to_lowercase();
            if !self.0.contains(&name) {
                self.0.insert(name);
            }
        }
    }

    /// An error if a note holds what its level removes.
    ///
    /// # Errors
    /// It does, and where.
    pub(super) fn vet(&self, note: &str, scanner: &Scanner, level: Level) -> anyhow::Result<()> {
        let mut first = None;
        scanner.text("note", note, &mut |hit| {
            first.get_or_insert(hit);
        });
        if let Some(hit) = first {
            bail!(
                "--note is handed over as it is, and holds what level {level} removes: {} at character {} ({})\nhint: say it without, or with a token",
                hit.kind,
                hit.place.column,
                hit.why
            );
        }
        let folded = note.to_lowercase();
        let found = self.0.iter().find_map(|name| place(&folded, name));
        if let Some(at) = found.filter(|_| level > Level::Auth) {
            let column = folded.get(..at).unwrap_or_default().chars().count() + 1;
            bail!(
                "--note is handed over as it is, and holds what level {level} removes: a name, number or host of the capture, at character {column}\nhint: say it without, or with a token"
            );
        }
        Ok(())
    }
}

/// Where `name` stands in `text` by itself.
fn place(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_capture_are_refused_in_a_note_and_other_words_are_not() {
        let line = serde_json::json!({"@timestamp": "2026-01-15T09:00:00Z", "event": {"id": "R-1", "action": "finesse-update"},
            "user": {"name": "1001@fin.test"}, "server": {"domain": "fin.test", "port": 8445},
            "finesse": {"update": {"user": {"id": "1001", "name": "Agent Zoë O'Neil", "extension": "3751"},
                "dialog": {"participants": [{"address": "+4930123"}]}}}});
        let text = line.to_string();
        let mut names = Names::default();
        names.learn(&Line::read(text.as_bytes()).unwrap());
        let scanner = Scanner::new(Level::Share, []);
        for note in ["see Zoë", "o'neil said so", "agent 1001 hangs", "on FIN.TEST", "ext. 3751", "call of +4930123"] {
            let refused = names.vet(note, &scanner, Level::Share).unwrap_err().to_string();
            assert!(refused.starts_with("--note is handed over"), "{note}");
            assert!(!refused.contains("Zo") && !refused.contains("1001"), "{refused}");
        }
        for note in ["login fails for an agent since the update", "line 37510, 10013"] {
            names.vet(note, &scanner, Level::Share).unwrap();
        }
    }
}
