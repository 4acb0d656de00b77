//! Whose connections are: by run, the sessions that were seen on each, and the agents of those.
//!
//! Memory: a name for each session and connection of the capture.

use super::{Facts, Truth};
use std::collections::HashMap;

/// Whose events are.
#[derive(Default)]
pub struct Owners {
    runs: Vec<(String, Run)>,
}

#[derive(Default)]
struct Run {
    /// Agents by session.
    agents: HashMap<String, Option<String>>,
    /// Sessions by connection, WebSocket or stream.
    sessions: HashMap<String, Vec<String>>,
}

impl Owners {
    /// Learns from an event. For all of a capture, before the first of its events is judged; of live events, as they come.
    pub fn learn(&mut self, event: &dyn Facts) {
        let Some(session) = event.session() else { return };
        let at = match self.runs.iter().rposition(|(name, _)| name == event.run()) {
            Some(at) => at,
            None => {
                self.runs.push((event.run().to_owned(), Run::default()));
                self.runs.len() - 1
            }
        };
        let Some((_, run)) = self.runs.get_mut(at) else { return };
        match run.agents.get_mut(session) {
            Some(agent @ None) => *agent = event.agent().map(str::to_owned),
            Some(Some(_)) => {}
            None => drop(run.agents.insert(session.to_owned(), event.agent().map(str::to_owned))),
        }
        for carrier in event.carriers().into_iter().flatten() {
            match run.sessions.get_mut(carrier) {
                Some(known) if known.iter().any(|known| known == session) => {}
                Some(known) => known.push(session.to_owned()),
                None => drop(run.sessions.insert(carrier.to_owned(), vec![session.to_owned()])),
            }
        }
    }

    /// Whether an event is of a session, and its agent, that is wanted.
    pub(super) fn truth(&self, event: &dyn Facts, wanted: impl Fn(&str, Option<&str>) -> bool) -> Truth {
        let run = self.runs.iter().rfind(|(name, _)| name == event.run()).map(|(_, run)| run);
        let is_wanted = |session: &str| {
            let agent = run.and_then(|run| run.agents.get(session)).and_then(Option::as_deref);
            wanted(session, agent.or(event.agent()))
        };
        let carriers = event.carriers();
        let is_its = match event.session() {
            _ if event.is_shared() => return Truth::Open,
            Some(session) => is_wanted(session),
            None if event.agent().is_some() => wanted("", event.agent()),
            None if carriers.iter().all(Option::is_none) => return Truth::Open,
            None => {
                let sessions = |carrier: &&str| run.and_then(|run| run.sessions.get(*carrier));
                let mut seen = carriers.iter().flatten().filter_map(sessions).flatten();
                seen.any(|session| is_wanted(session))
            }
        };
        if is_its { Truth::Yes } else { Truth::No }
    }
}
