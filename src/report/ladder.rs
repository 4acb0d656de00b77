//! The login as a ladder: which stages of the reference flow a socket reached, when, and where it stopped.
//!
//! Stages come from `finesse.stage` where the capture has it; for captures without it they are derived from the stanzas. A
//! ladder does not know why a server stays silent, only which step was the last.

use super::model::{Mark, Place};
use super::words;
pub use crate::session::Stage;
use crate::stored::view::Line;
use serde::{Serialize, Serializer};

/// How long a desktop waits for the presence of `finesse@` before it must be said to hang.
const PATIENCE_US: u64 = 10_000_000;

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A stage that was reached.
#[derive(Clone, Debug, Serialize)]
pub struct Rung {
    /// The stage.
    pub stage: Stage,
    /// When.
    #[serde(serialize_with = "words::serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// Since the stage before, or since the upgrade was asked for.
    pub after_previous_us: u64,
    /// Since the upgrade was asked for.
    pub after_start_us: u64,
    /// The line.
    pub line: Mark,
}

/// How a login went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// To the agent's subscription.
    Complete,
    /// It stopped.
    Stopped,
    /// It was under way when the capture ended.
    Unfinished,
    /// It happened before the capture began.
    Unseen,
}

/// The ladder of one socket.
#[derive(Clone, Debug, Serialize)]
pub struct Ladder {
    /// The stages reached, in order of time.
    pub rungs: Vec<Rung>,
    /// How it went; set when all is read.
    pub login: Login,
    /// The stage that was not reached, if it stopped or is unfinished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Stage>,
    /// Why, as far as a line says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// That line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_line: Option<Mark>,
    /// The stage that line refuses.
    #[serde(skip)]
    refused: Option<Stage>,
    #[serde(skip)]
    began_us: Option<i64>,
    /// The capture names the stages itself.
    #[serde(skip)]
    named: bool,
    /// Names of persons are tokens: `finesse@` may not be known by name.
    #[serde(skip)]
    veiled: bool,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            rungs: Vec::new(),
            login: Login::Unseen,
            stopped_at: None,
            why: None,
            why_line: None,
            refused: None,
            began_us: None,
            named: false,
            veiled: false,
        }
    }
}

impl Ladder {
    /// Takes a line of its socket. `subscribed` is what the line answers: the node of a subscription, `bind`, `session`.
    pub(super) fn feed(&mut self, line: &Line<'_>, place: Place, subscribed: Option<&str>) {
        if &*line.event.action == "websocket-opened" {
            self.began_us = Some(line.start_us());
        }
        if let Some(redaction) = &line.finesse.redaction {
            self.veiled |= !matches!(&*redaction.level, "auth" | "off");
        }
        if let Some(stage) = line.finesse.stage.as_deref().and_then(Stage::read) {
            self.named = true;
            self.reach(stage, place);
        } else if !self.named
            && let Some(stage) = self.derive(line, subscribed)
        {
            self.reach(stage, place);
        }
        self.listen(line, place, subscribed);
    }

    /// Whether this stage was reached.
    #[must_use]
    pub fn reached(&self, stage: Stage) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.stage == stage)
    }

    /// How long the login took, if it is complete: to the last of what a desktop needs.
    #[must_use]
    pub fn took_us(&self) -> Option<u64> {
        let needed = self.rungs.iter().filter(|rung| rung.stage.is_required());
        needed.map(|rung| rung.after_start_us).max().filter(|_| self.login == Login::Complete)
    }

    /// When the login was complete.
    #[must_use]
    pub fn done_us(&self) -> Option<i64> {
        let needed = self.rungs.iter().filter(|rung| rung.stage.is_required());
        needed.map(|rung| rung.at_us).max().filter(|_| self.login == Login::Complete)
    }

    /// All is read: `ended_us` is when the socket ended if it did, `last_us` when it was last heard of.
    pub(super) fn conclude(&mut self, ended_us: Option<i64>, last_us: i64) {
        if self.began_us.is_none() {
            self.login = Login::Unseen;
            return;
        }
        let missing = Stage::ALL.into_iter().filter(|stage| stage.is_required() && self.reached(*stage).is_none());
        // A stage that was passed over unseen stopped nothing, except that a desktop waits for `finesse@` for ever.
        let furthest = self.rungs.iter().map(|rung| rung.stage).max();
        let hangs = self.reached(Stage::Presence).is_some_and(|rung| {
            words::between_us(rung.at_us, ended_us.unwrap_or(last_us)) > PATIENCE_US && (self.named || !self.veiled)
        });
        let next = missing
            .into_iter()
            .find(|stage| furthest.is_none_or(|far| *stage > far) || (*stage == Stage::FinessePresence && hangs));
        self.stopped_at = next.map(|next| self.refused.unwrap_or(next).max(next));
        self.login = match self.stopped_at {
            None => Login::Complete,
            Some(_) if ended_us.is_some() || hangs || self.why.is_some() => Login::Stopped,
            Some(_) => Login::Unfinished,
        };
        if self.login == Login::Complete {
            (self.why, self.why_line) = (None, None);
        }
    }

    fn reach(&mut self, stage: Stage, place: Place) {
        if self.reached(stage).is_some() {
            return;
        }
        let start = *self.began_us.get_or_insert(place.at_us);
        let previous = self.rungs.last().map_or(start, |rung| rung.at_us);
        self.rungs.push(Rung {
            stage,
            at_us: place.at_us,
            after_previous_us: words::between_us(previous, place.at_us),
            after_start_us: words::between_us(start, place.at_us),
            line: place.mark,
        });
    }

    fn derive(&self, line: &Line<'_>, subscribed: Option<&str>) -> Option<Stage> {
        // Without the beginning there is no telling a first `<open/>` from a second.
        self.began_us?;
        let xmpp = line.finesse.xmpp.as_ref();
        let kind = xmpp.map_or("", |xmpp| &*xmpp.kind);
        let from_server = line.is_received();
        let authenticated = self.reached(Stage::Auth).is_some();
        match (&*line.event.action, kind, from_server) {
            ("websocket-opened" | "stream-opened", ..) => Some(Stage::Handshake),
            ("sasl-auth-result", ..) => (line.event.outcome.as_deref() == Some("success")).then_some(Stage::Auth),
            ("finesse-update", ..) => Some(Stage::FirstEvent),
            (_, "open", true) => Some(if authenticated { Stage::Restart } else { Stage::Open }),
            (_, "features", true) => Some(if authenticated { Stage::Restart } else { Stage::Features }),
            (_, "presence", false) => xmpp?.stanza_type.is_none().then_some(Stage::Presence),
            (_, "presence", true) => {
                let local = xmpp?.from.as_deref()?.split('@').next()?.to_ascii_lowercase();
                let there = xmpp?.stanza_type.is_none();
                let is_finesse = local == "finesse" || local.contains("cuic.") || local.contains("ccx.");
                (there && is_finesse).then_some(Stage::FinessePresence)
            }
            (_, "iq", true) if xmpp?.stanza_type.as_deref() == Some("result") => {
                let node = subscribed.unwrap_or_default();
                match xmpp?.payload.as_ref().map(|payload| &*payload.name) {
                    Some("bind") => Some(Stage::Bind),
                    _ if subscribed == Some("session") => Some(Stage::Session),
                    _ if node.contains("/User/") => Some(Stage::UserSubscription),
                    _ if node.contains("/Team/") => Some(Stage::TeamSubscription),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Remembers the first line that says why things go wrong.
    fn listen(&mut self, line: &Line<'_>, place: Place, subscribed: Option<&str>) {
        if self.why.is_some() || self.reached(Stage::UserSubscription).is_some() {
            return;
        }
        let kind = line.finesse.xmpp.as_ref().map_or("", |xmpp| &*xmpp.kind);
        let refused = &*line.event.action == "sasl-auth-result" && line.event.outcome.as_deref() != Some("success");
        let stream_error = kind == "stream-error";
        let iq_error = subscribed.is_some()
            && line.finesse.xmpp.as_ref().is_some_and(|xmpp| xmpp.stanza_type.as_deref() == Some("error"));
        if refused || stream_error || iq_error {
            self.why = Some(words::plain(&line.message));
            self.why_line = Some(place.mark);
            self.refused = match subscribed {
                _ if refused => Some(Stage::Auth),
                Some("bind") => Some(Stage::Bind),
                Some(node) if node.contains("/User/") => Some(Stage::UserSubscription),
                _ => None,
            };
        }
    }
}
