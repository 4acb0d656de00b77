//! Whose connections are: by run, the sessions that were seen on each, and the agents of those.
//!
//! Memory: a name for each session and connection of the capture.

use super::{Facts, Truth};
use std::collections::HashMap;

/// Whose events are.
#[derive(Default)]
pub struct Owners {
    runs: Vec<(String, Run)>,
    learnt: u64,
}

#[derive(Default)]
struct Run {
    /// Names of agents by session: one may be known by a login here and an id there.
    agents: HashMap<String, Vec<String>>,
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
        let mut learnt = 0;
        if let Some(agent) = event.agent() {
            learnt += add(&mut run.agents, session, agent);
        }
        for carrier in event.carriers().into_iter().flatten() {
            learnt += add(&mut run.sessions, carrier, session);
        }
        self.learnt += learnt;
    }

    /// How much was learnt: where it is more than before, what was judged before may be judged otherwise now.
    #[must_use]
    pub fn learnt(&self) -> u64 {
        self.learnt
    }

    /// Whether an event is of a session that is wanted, by its id and one of its agent's names.
    pub(super) fn truth(&self, event: &dyn Facts, wanted: impl Fn(&str, Option<&str>) -> bool) -> Truth {
        let run = self.runs.iter().rfind(|(name, _)| name == event.run()).map(|(_, run)| run);
        let is_wanted = |session: &str| {
            let names = run.and_then(|run| run.agents.get(session)).into_iter().flatten();
            let mut names = names.map(|name| Some(&**name)).chain([event.agent()]);
            names.any(|name| wanted(session, name))
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

/// Adds a name to those that belong together, of which there are few; 1 if it is new.
fn add(to: &mut HashMap<String, Vec<String>>, key: &str, name: &str) -> u64 {
    match to.get_mut(key) {
        Some(known) if known.iter().any(|known| known == name) => return 0,
        Some(known) => known.push(name.to_owned()),
        None => drop(to.insert(key.to_owned(), vec![name.to_owned()])),
    }
    1
}
