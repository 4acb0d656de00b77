//! A stored line read back and treated: the same rules as for live traffic.
//!
//! A line that is no event of this program's is an error and never passed through, not even in part.

use super::Redactor;
use crate::capture::event::Event;
use crate::capture::event::Treat as _;
use crate::capture::guard::{Guard, Guards};
use crate::capture::policy::Level;
use crate::capture::walk::Judgement;
use crate::capture::{gist, line, log_opened_policy};
use crate::session::findings::Code;
use memchr::memmem;
use serde_json::Value;
use std::collections::BTreeMap;

/// A line that is not one of ours. Says nothing of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a line of a finesse-tap capture")]
pub struct Foreign;

/// A line as it may be handed on.
pub struct Kept {
    /// The NDJSON line, LF included.
    pub line: Vec<u8>,
    /// `event.action`.
    pub action: &'static str,
    /// `@timestamp`, microseconds since 1970.
    pub at_us: i64,
    /// Values that were gone before.
    pub removed_before: u64,
    /// For a gap: events lost, and the sentence about it.
    pub gap: Option<(u64, String)>,
}

/// What became of a line, and why.
pub struct Explained {
    /// `event.action`.
    pub action: &'static str,
    /// Fields that are not as they were: path, before, after (nothing: gone).
    pub changed: Vec<(String, String, String)>,
    /// Names in headers, queries and documents, in the order in which they were judged.
    pub judged: Vec<Judgement>,
}

/// What a line is chosen by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Picked {
    /// Not before, microseconds since 1970.
    pub since_us: Option<i64>,
    /// Before, microseconds since 1970.
    pub until_us: Option<i64>,
    /// Only of this user.
    pub user: Option<String>,
    /// Only of this session (`s3`) or trace id.
    pub session: Option<String>,
}

impl Picked {
    fn takes(&self, event: &Event<'_>) -> bool {
        let at = event.timestamp.wall_us;
        let named = |wanted: &Option<String>, found: &[Option<&str>]| {
            wanted.as_ref().is_none_or(|wanted| found.iter().flatten().any(|one| one.eq_ignore_ascii_case(wanted)))
        };
        let opening = event.event.action == "log-opened";
        let session = event.finesse.session.as_ref().map(|id| &*id.id);
        let trace = event.trace.as_ref().map(|id| &*id.id);
        let user = event.user.as_ref().map(|user| &*user.name);
        opening
            || self.since_us.is_none_or(|since| at >= since)
                && self.until_us.is_none_or(|until| at < until)
                && named(&self.user, &[user])
                && named(&self.session, &[session, trace])
    }
}

impl Redactor {
    /// A stored line as this level allows it; `None` if it was not picked. What the capture held in the clear, `guards` know.
    ///
    /// # Errors
    /// The line is not one of ours.
    pub fn line(&mut self, stored: &[u8], picked: &Picked, guards: &mut Guards) -> Result<Option<Kept>, Foreign> {
        let mut event = read(stored)?;
        if !picked.takes(&event) {
            return Ok(None);
        }
        let removed_before = event.finesse.redaction.map_or(0, |redaction| redaction.count);
        let guard = guards.between(&event);
        let user = event.user.as_ref().map(|user| user.name.to_string());
        if self.level > Level::Auth || !self.rules.is_empty() {
            self.treat(&mut event, user.as_deref(), guard);
        }
        self.word(&mut event);
        let mut line = Vec::with_capacity(stored.len());
        line::encode(&mut event, line::MAX_LINE_BYTES, &mut line);
        if guard.finds_leak(&line) && self.mask(&mut event, guard) > 0 {
            self.word(&mut event);
            line::encode(&mut event, line::MAX_LINE_BYTES, &mut line);
        }
        let gap = event.finesse.gap.as_ref().map(|gap| (gap.events, event.message.clone()));
        Ok(Some(Kept { line, action: event.event.action, at_us: event.timestamp.wall_us, removed_before, gap }))
    }

    /// Learns what a stored line holds in the clear, for the lines ahead of it: only a capture that was made at `off` does.
    pub fn learn(&mut self, stored: &[u8], guards: &mut Guards) {
        if memmem::find(stored, br#""level":"off""#).is_none() {
            return;
        }
        // A line that is not ours is told when its turn comes.
        let Ok(mut event) = read(stored) else { return };
        let tally = std::mem::take(&mut self.tally);
        let user = event.user.as_ref().map(|user| user.name.to_string());
        let guard = guards.between(&event);
        self.treat(&mut event, user.as_deref(), guard);
        self.tally = tally;
    }

    /// What this level makes of a stored line, field by field.
    ///
    /// # Errors
    /// The line is not one of ours.
    pub fn explain(&mut self, stored: &[u8]) -> Result<Explained, Foreign> {
        let mut event = read(stored)?;
        let leaves = |event: &Event<'_>| {
            let mut leaves = BTreeMap::new();
            let value = serde_json::to_value(event).unwrap_or_default();
            leaves_of(String::new(), &value, &mut leaves);
            leaves
        };
        let before = leaves(&event);
        let user = event.user.as_ref().map(|user| user.name.to_string());
        let mut guard = Guard::default();
        let mut pass = self.pass(user.as_deref(), &mut guard);
        pass.judged = Some(Vec::new());
        event.treat(&mut pass);
        let judged = pass.judged.take().unwrap_or_default();
        let mut after = leaves(&event);
        let changed = before.into_iter().filter_map(|(path, before)| {
            let after = after.remove(&path).unwrap_or_default();
            (before != after).then_some((path, before, after))
        });
        Ok(Explained { action: event.event.action, changed: changed.collect(), judged })
    }

    /// What a line says in words, of what is left in it.
    fn word(&self, event: &mut Event<'_>) {
        if let Some(capture) = &mut event.finesse.capture {
            event.message = format!("capture file {} of run {}, redaction {}", capture.file, &*capture.run, self.level);
            log_opened_policy(capture, self.level);
        } else {
            event.message = gist::gist(event);
        }
    }
}

/// Texts and numbers by their paths: `finesse.http.request_headers.2.value`.
fn leaves_of(path: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| leaves_of(below(name), value, leaves)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| leaves_of(below(&at.to_string()), value, leaves));
        }
        Value::String(text) => drop(leaves.insert(path, text.clone())),
        other => drop(leaves.insert(path, other.to_string())),
    }
}

/// A stored line as an event.
fn read(stored: &[u8]) -> Result<Event<'_>, Foreign> {
    let text = simdutf8::basic::from_utf8(stored).map_err(|_| Foreign)?;
    let mut event: Event<'_> = serde_json::from_str(text).map_err(|_| Foreign)?;
    let ours = event.event.dataset == "finesse.event" && !event.event.action.is_empty() && own_id(&event.event.id);
    if !ours {
        return Err(Foreign);
    }
    if let Some(finding) = &mut event.finesse.finding {
        // Another version may have said the same in other words.
        let code = Code::ALL.into_iter().find(|code| code.as_str() == finding.code).ok_or(Foreign)?;
        (finding.title, finding.advice) = (code.title(), code.advice());
    }
    Ok(event)
}

/// `ULID-SEQUENCE` or `ULID-file-NUMBER`.
fn own_id(id: &str) -> bool {
    id.len() <= 64 && id.contains('-') && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
