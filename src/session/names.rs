//! The names of one agent: login id, login name, user part of a JID. What ties them is a User object that holds both.

use super::recent::Recent;

/// Names remembered.
const MAX_NAMES: usize = 65_536;

/// Which names are one agent's.
#[derive(Debug)]
pub(super) struct Names {
    /// Login name to login id, in lower case.
    ids: Recent<String, String>,
    known: u64,
}

impl Default for Names {
    fn default() -> Self {
        Self { ids: Recent::new(MAX_NAMES), known: 0 }
    }
}

impl Names {
    /// The agent behind a name: its login id if that is known, in lower case.
    pub(super) fn agent(&self, name: &str) -> String {
        let name = bare(name).to_lowercase();
        match self.ids.find(&name) {
            Some(id) => id.clone(),
            None => name,
        }
    }

    /// Grows with every name.
    pub(super) fn known(&self) -> u64 {
        self.known
    }

    /// Both are one agent's; tells the name in lower case if that is news.
    pub(super) fn tie(&mut self, id: &str, name: &str) -> Option<String> {
        if id.eq_ignore_ascii_case(name) || id.is_empty() || name.is_empty() {
            return None;
        }
        let (id, name) = (bare(id).to_lowercase(), bare(name).to_lowercase());
        if id == name || self.ids.find(&name) == Some(&id) {
            return None;
        }
        self.ids.insert(name.clone(), id);
        self.known += 1;
        Some(name)
    }
}

/// The user part of a JID, or a login name as it is.
pub(super) fn bare(user: &str) -> &str {
    user.split(['@', '/']).next().unwrap_or(user)
}
