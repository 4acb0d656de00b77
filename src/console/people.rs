//! Agents by any of their names, and servers, as lines tell of them.
//!
//! An agent has a login id, a login name, sessions and sockets; a User object ties the names together. Two that turn out to
//! be one become one: [`People::root`] says which.

use crate::stored::view::Line;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Agents kept apart; more are nobody.
const MAX_AGENTS: usize = 100_000;
/// Names of one agent.
const MAX_NAMES: usize = 8;

/// An agent.
#[derive(Clone, Default, Debug)]
pub(super) struct Agent {
    /// Every name, the first one first.
    pub(super) names: Vec<String>,
    /// The last state, and since when, microseconds since 1970.
    pub(super) state: Option<(String, i64)>,
    /// Open sockets, by run and id.
    pub(super) sockets: HashSet<(u16, String)>,
    /// The agent that this one turned out to be.
    same_as: Option<u32>,
}

/// A server.
#[derive(Clone, Default, Debug)]
pub(super) struct Server {
    /// What SystemInfo said last: status and why.
    pub(super) status: String,
    /// Whether that is not in service.
    pub(super) trouble: bool,
}

/// Everybody.
#[derive(Default)]
pub(super) struct People {
    agents: Vec<Agent>,
    by_name: HashMap<String, u32>,
    by_session: HashMap<(u16, String), u32>,
    /// By host name.
    pub(super) servers: BTreeMap<String, Server>,
}

impl People {
    /// The number of nobody.
    pub(super) const NOBODY: u32 = u32::MAX;

    /// Takes what a line tells; gives the number of its agent.
    pub(super) fn see(&mut self, run: u16, line: &Line<'_>) -> u32 {
        if let Some(host) = line.server.as_ref().and_then(|server| server.host()) {
            if !self.servers.contains_key(host) {
                self.servers.insert(host.to_owned(), Server::default());
            }
        }
        let name = line.user.as_ref().map(|user| &*user.name).filter(|name| !name.is_empty());
        let session = line.session();
        let agent = match (name, session) {
            (Some(name), _) => self.named(name),
            (None, Some(session)) => *self.by_session.get(&(run, session.to_owned())).unwrap_or(&Self::NOBODY),
            (None, None) => Self::NOBODY,
        };
        if let (Some(session), true) = (session, agent != Self::NOBODY) {
            self.by_session.entry((run, session.to_owned())).or_insert(agent);
        }
        self.update(line);
        if let (Some(agent), Some(ws)) = (self.agents.get_mut(Self::index(agent)), line.ws()) {
            match &*line.event.action {
                "websocket-closed" => {
                    agent.sockets.remove(&(run, ws.to_owned()));
                }
                "websocket-control" => {}
                _ => {
                    agent.sockets.insert((run, ws.to_owned()));
                }
            }
        }
        agent
    }

    fn update(&mut self, line: &Line<'_>) {
        let Some(update) = line.finesse.update.as_ref() else { return };
        if let Some(user) = &update.user {
            let names = [user.id.as_deref(), user.name.as_deref()];
            let mut known = names.iter().flatten().filter(|name| !name.is_empty() && !name.starts_with('['));
            let Some(first) = known.next() else { return };
            let agent = self.named(first);
            if let Some(second) = known.next() {
                self.tie(agent, second);
            }
            let agent = self.root(agent);
            if let (Some(agent), Some(state)) = (self.agents.get_mut(Self::index(agent)), user.state.as_deref())
                && agent.state.as_ref().is_none_or(|(known, _)| known != state)
            {
                agent.state = Some((state.to_owned(), line.at_us));
            }
        }
        if &*update.object == "SystemInfo"
            && &*line.event.action == "finesse-update"
            && let Some(host) = line.server.as_ref().and_then(|server| server.host())
            && let Some(server) = self.servers.get_mut(host)
        {
            server.status = line.message.trim_start_matches("SystemInfo ").to_owned();
            server.trouble = ["OUT_OF_SERVICE", "maintenance"].iter().any(|word| server.status.contains(word));
        }
    }

    fn index(agent: u32) -> usize {
        usize::try_from(agent).unwrap_or(usize::MAX)
    }

    fn named(&mut self, name: &str) -> u32 {
        let bare = name.split(['@', '/']).next().unwrap_or(name);
        let key = bare.to_lowercase();
        if let Some(agent) = self.by_name.get(&key) {
            return self.root(*agent);
        }
        if self.agents.len() >= MAX_AGENTS {
            return Self::NOBODY;
        }
        let agent = u32::try_from(self.agents.len()).unwrap_or(Self::NOBODY);
        self.agents.push(Agent { names: vec![bare.to_owned()], ..Agent::default() });
        self.by_name.insert(key, agent);
        agent
    }

    /// `name` is another name of `agent`.
    fn tie(&mut self, agent: u32, name: &str) {
        let agent = self.root(agent);
        let key = name.to_lowercase();
        match self.by_name.get(&key).map(|other| self.root(*other)) {
            Some(other) if other == agent => {}
            Some(other) => {
                // Whoever came first keeps the number, so that what was shown stays.
                let (kept, gone) = (agent.min(other), agent.max(other));
                let Some(was) = self.agents.get_mut(Self::index(gone)) else { return };
                let Agent { names, state, sockets, .. } =
                    std::mem::replace(was, Agent { same_as: Some(kept), ..Agent::default() });
                let Some(agent) = self.agents.get_mut(Self::index(kept)) else { return };
                for name in names {
                    if !agent.names.contains(&name) && agent.names.len() < MAX_NAMES {
                        agent.names.push(name);
                    }
                }
                agent.sockets.extend(sockets);
                if state.as_ref().is_some_and(|(_, at)| agent.state.as_ref().is_none_or(|(_, known)| known < at)) {
                    agent.state = state;
                }
            }
            None => {
                self.by_name.insert(key, agent);
                if let Some(agent) = self.agents.get_mut(Self::index(agent))
                    && agent.names.len() < MAX_NAMES
                {
                    agent.names.push(name.to_owned());
                }
            }
        }
    }

    /// The agent that `agent` is.
    pub(super) fn root(&self, mut agent: u32) -> u32 {
        while let Some(same) = self.agents.get(Self::index(agent)).and_then(|agent| agent.same_as) {
            agent = same;
        }
        agent
    }

    /// The agent of this number.
    pub(super) fn agent(&self, agent: u32) -> Option<&Agent> {
        self.agents.get(Self::index(self.root(agent)))
    }

    /// The number of the agent that has this name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(&name.to_lowercase()).map(|agent| self.root(*agent))
    }

    /// Every agent with its number.
    pub(super) fn agents(&self) -> impl Iterator<Item = (u32, &Agent)> {
        let numbered = self.agents.iter().enumerate().filter(|(_, agent)| agent.same_as.is_none());
        numbered.map(|(number, agent)| (u32::try_from(number).unwrap_or(Self::NOBODY), agent))
    }
}
