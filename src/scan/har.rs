//! Where in a HAR something stands: the number of its entry, of its WebSocket message, and the path of its URL.
//!
//! Follows the tokens of the JSON reader; outside a HAR it stays empty. Of a path only words are kept, as ids, tokens and
//! logins stand there too.

/// Longest path kept, bytes.
const MAX_PATH_BYTES: usize = 200;

/// A place in a HAR.
#[derive(Clone, Default)]
pub(super) struct Within {
    entry: u64,
    message: u64,
    path: String,
    /// Counts changes.
    changes: u64,
}

impl Within {
    /// An object begins in the array of this name.
    pub(super) fn begins(&mut self, array: &[u8]) {
        match array {
            b"entries" => {
                self.entry += 1;
                self.message = 0;
                self.path.clear();
            }
            b"_webSocketMessages" => self.message += 1,
            b"headers" | b"queryString" | b"cookies" => self.message = 0,
            _ => return,
        }
        self.changes += 1;
    }

    /// The entry's request has this URL.
    pub(super) fn at(&mut self, url: &[u8]) {
        let url = String::from_utf8_lossy(url.get(..MAX_PATH_BYTES).unwrap_or(url));
        let path = url.split_once("://").map_or(&*url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let path = path.split(['?', '#', ';']).next().unwrap_or_default();
        let mut user = false;
        let segments = path.split('/').map(|segment| {
            let is_id = std::mem::replace(&mut user, segment == "User");
            let is_word = segment.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '.' | '-' | '_'));
            if is_word && !is_id && segment.len() <= 32 { segment } else { "…" }
        });
        self.path = segments.collect::<Vec<_>>().join("/");
        self.changes += 1;
    }

    /// Becomes what another is.
    pub(super) fn follow(&mut self, other: &Self) {
        if self.changes != other.changes {
            self.clone_from(other);
        }
    }

    /// In words, if this is a HAR.
    pub(super) fn text(&self) -> Option<String> {
        if self.entry == 0 {
            return None;
        }
        let mut text = format!("entry {}", self.entry);
        if self.message > 0 {
            text.push_str(&format!(", message {}", self.message));
        }
        if !self.path.is_empty() {
            text.push_str(&format!(", {}", self.path));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_only_words_are_kept() {
        let mut within = Within::default();
        assert_eq!(within.text(), None);
        within.begins(b"entries");
        within.begins(b"_webSocketMessages");
        within.at(b"wss://uccx.test:8445/ws/;jsessionid=ABC?x=secret");
        assert_eq!(within.text().unwrap(), "entry 1, message 1, /ws/");
        within.at(b"https://h/finesse/api/User/alma/Dialogs/4711");
        assert_eq!(within.text().unwrap(), "entry 1, message 1, /finesse/api/User/…/Dialogs/…");
        within.begins(b"entries");
        assert_eq!(within.text().unwrap(), "entry 2");
    }
}
