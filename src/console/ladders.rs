//! Logins: which steps each socket has reached, and by which lines.

use super::index::Entry;
use crate::session::Stage;
use crate::stored::view::Line;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Sockets whose logins are remembered.
const MAX_LADDERS: usize = 100_000;

/// One login: by step, the number of its line.
type Ladder = [Option<u32>; Stage::ALL.len()];

/// All of them.
#[derive(Default)]
pub(super) struct Ladders {
    by_socket: HashMap<(u16, String), Ladder>,
}

impl Ladders {
    /// Takes what a line tells.
    pub(super) fn see(&mut self, run: u16, number: u32, line: &Line<'_>) {
        let Some(stage) = line.finesse.stage.as_deref().and_then(Stage::read) else { return };
        let Some(socket) = line.ws().or_else(|| line.stream()) else { return };
        let key = (run, socket.to_owned());
        if self.by_socket.len() >= MAX_LADDERS && !self.by_socket.contains_key(&key) {
            return;
        }
        if let Some(rung) = self.by_socket.entry(key).or_default().get_mut(stage as usize) {
            rung.get_or_insert(number);
        }
    }

    /// The login on a line's socket, as the page has it.
    pub(super) fn of(&self, run: u16, line: &Line<'_>, entries: &[Entry]) -> Option<Value> {
        let socket = line.ws().or_else(|| line.stream())?;
        let ladder = self.by_socket.get(&(run, socket.to_owned()))?;
        let at = |number: &u32| entries.get(*number as usize).map(|entry| entry.at_us);
        let began = ladder.iter().flatten().filter_map(at).min()?;
        let last = ladder.iter().rposition(Option::is_some)?;
        let rungs: Vec<Value> = Stage::ALL
            .iter()
            .zip(ladder)
            .map(|(stage, number)| {
                json!({
                    "stage": stage.as_str(), "meaning": stage.meaning(), "required": stage.is_required(), "n": number,
                    "after": number.as_ref().and_then(at).map(|at| at - began),
                })
            })
            .collect();
        let missing = Stage::ALL.iter().zip(ladder).find(|(stage, number)| stage.is_required() && number.is_none());
        let stopped_at = missing.map(|(stage, _)| stage.as_str());
        Some(json!({"socket": socket, "rungs": rungs, "stopped_at": stopped_at, "last": last}))
    }
}
