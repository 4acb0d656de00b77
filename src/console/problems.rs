//! Findings as they stand: repeats counted together, what was taken back left out.

use super::people::People;
use crate::stored::view::Line;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Problems kept apart; more are counted with the last.
const MAX_PROBLEMS: usize = 5_000;

/// One problem of one agent or server.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// Number of its latest line.
    pub(super) line: u32,
    /// Number of its agent.
    pub(super) agent: u32,
    server: String,
    code: String,
    title: String,
    advice: String,
    level: String,
    facts: Vec<(String, Value)>,
    evidence: Vec<u64>,
    since_us: i64,
    until_us: i64,
    /// How often, less what was taken back.
    count: u64,
}

/// All of them.
#[derive(Default)]
pub(super) struct Problems {
    problems: Vec<Problem>,
    by_what: HashMap<(String, u32, String), usize>,
    /// Which problem a finding's `event.id` counts for, and how often.
    by_id: HashMap<String, (usize, u64)>,
}

impl Problems {
    /// Takes what a line tells.
    pub(super) fn see(&mut self, number: u32, agent: u32, line: &Line<'_>) {
        let Some(finding) = line.finesse.finding.as_ref() else { return };
        if let Some((before, count)) = finding.revises.as_ref().and_then(|id| self.by_id.remove(&**id))
            && let Some(problem) = self.problems.get_mut(before)
        {
            problem.count = problem.count.saturating_sub(count);
        }
        // What only takes something back is told as information.
        if &*line.log.level == "info" && finding.revises.is_some() {
            return;
        }
        let server = line.server.as_ref().and_then(|server| server.host()).unwrap_or_default().to_owned();
        let what = (finding.code.to_string(), agent, server.clone());
        let at = match self.by_what.get(&what) {
            Some(at) => *at,
            None if self.problems.len() >= MAX_PROBLEMS => return,
            None => {
                self.by_what.insert(what, self.problems.len());
                self.problems.push(Problem {
                    line: number,
                    agent,
                    server,
                    code: finding.code.to_string(),
                    title: String::new(),
                    advice: String::new(),
                    level: String::new(),
                    facts: Vec::new(),
                    evidence: Vec::new(),
                    since_us: line.at_us,
                    until_us: line.at_us,
                    count: 0,
                });
                self.problems.len() - 1
            }
        };
        let Some(problem) = self.problems.get_mut(at) else { return };
        let count = finding.count.unwrap_or(1).max(1);
        problem.count += count;
        problem.line = number;
        problem.until_us = line.at_us;
        problem.title = finding.title.to_string();
        problem.advice = finding.advice.to_string();
        problem.level = line.log.level.to_string();
        problem.facts = finding.facts.iter().map(|fact| (fact.name.to_string(), fact.value.clone())).collect();
        problem.evidence.clone_from(&finding.evidence);
        self.by_id.insert(line.event.id.to_string(), (at, count));
    }

    /// Those that stand, the gravest and newest first, as the page has them. `line` gives a line's number by its sequence
    /// beside another line's number.
    pub(super) fn standing(&self, people: &People, line: impl Fn(u32, u64) -> Option<usize>) -> Vec<Value> {
        let mut standing: Vec<&Problem> = self.problems.iter().filter(|problem| problem.count > 0).collect();
        let grave = |problem: &Problem| problem.level == "error";
        standing.sort_by_key(|problem| (!grave(problem), std::cmp::Reverse(problem.until_us)));
        standing.into_iter().take(200).map(|problem| problem.value(people, &line)).collect()
    }

    /// How many stand for an agent.
    pub(super) fn of(&self, people: &People, agent: u32) -> usize {
        self.problems.iter().filter(|problem| problem.count > 0 && people.root(problem.agent) == agent).count()
    }
}

impl Problem {
    fn value(&self, people: &People, line: &impl Fn(u32, u64) -> Option<usize>) -> Value {
        let agent = people.agent(self.agent).and_then(|agent| agent.names.first());
        let facts: Vec<_> = self.facts.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let evidence: Vec<_> = self
            .evidence
            .iter()
            .filter_map(|sequence| Some(json!({"n": line(self.line, *sequence)?, "sequence": sequence})))
            .collect();
        json!({
            "key": format!("{}/{}/{}", self.code, self.agent, self.server), "n": self.line, "agent": agent, "server": self.server,
            "code": self.code, "title": self.title, "advice": self.advice, "level": self.level, "facts": facts,
            "evidence": evidence, "since": self.since_us, "until": self.until_us, "count": self.count,
        })
    }
}
