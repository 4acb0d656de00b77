//! JSON: every value by its member's name, and by that of its sibling where they are a pair (`{"name":"…","value":"…"}`).

use super::xml::{Around, is_subject, is_value};
use super::{Pass, clean};
use crate::capture::policy::table::{self, Place, What};
use crate::capture::policy::user::RulePlace;
use crate::capture::policy::{Class, Level};
use serde_json::Value;
use std::borrow::Cow;

/// Nesting followed at the most; serde_json itself stops at 128.
const MAX_DEPTH: usize = 64;
/// Stands in a value's place until its member is taken out; no text can be it.
const GONE: &str = "\u{0}gone";

impl Pass<'_> {
    /// A text inside a stanza that should be JSON; if it is not, only its size is told.
    pub(super) fn json(&mut self, text: &str, around: &Around<'_>) -> String {
        self.known_json(text, around).unwrap_or_else(|| {
            // What the fast path would let through may stay here, too.
            let is_harmless = self.level == Level::Auth && !self.is_broken && clean::is_clean(text);
            if is_harmless { text.to_owned() } else { self.unparsed(text.len()) }
        })
    }

    /// JSON by its names; `None` if it is none.
    pub(super) fn known_json(&mut self, text: &str, around: &Around<'_>) -> Option<String> {
        let mut value = serde_json::from_str::<Value>(text).ok()?;
        let before = self.count;
        self.member("", &mut value, around, 0);
        if value.as_str() == Some(GONE) {
            value = Value::Null;
        }
        // What is written with escapes is written anew, so that whoever searches it sees what it spells.
        Some(if self.count == before && !text.contains('\\') { text.to_owned() } else { value.to_string() })
    }

    /// JSON that no rule knows: names are kept, values reduced to their shape. `None` if it is not JSON.
    fn foreign_json(&mut self, text: &str) -> Option<String> {
        let mut value = serde_json::from_str::<Value>(text).ok()?;
        self.member("", &mut value, &Around::foreign(), 0);
        Some(value.to_string())
    }

    /// A message without XMPP: JSON, alone or behind the type, namespace and number of an Engine.IO or Socket.IO packet
    /// (`42/live,7["event",{…}]`), what gadgets of Live Data and the like speak. Of any other nothing is told.
    pub(super) fn packet<'v>(&mut self, text: &'v str) -> Cow<'v, str> {
        if self.level > Level::Auth {
            return Cow::Owned(self.gone(text));
        }
        Cow::Owned(self.known_packet(text).unwrap_or_default())
    }

    fn known_packet(&mut self, text: &str) -> Option<String> {
        let (head, json) = text.split_at(text.find(['{', '['])?);
        let (kind, rest) = head.split_at(head.find(|c: char| !c.is_ascii_digit()).unwrap_or(head.len()));
        let (namespace, number) = rest.rsplit_once(',').unwrap_or(("", rest));
        let is_word = namespace.bytes().all(|b| b.is_ascii_alphabetic() || b"/-_".contains(&b));
        let is_number = |text: &str| text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
        if !is_word || namespace.len() > 48 || !is_number(kind) || !is_number(number) {
            return None;
        }
        // The first word of an event is its name, not a value.
        let name = json.strip_prefix("[\"").and_then(|rest| rest.split_once('"')).map(|(name, _)| name);
        let is_name =
            |name: &&str| name.len() <= 48 && name.bytes().all(|b| b.is_ascii_alphabetic() || b" ._:-".contains(&b));
        let kept = self.foreign_json(json)?;
        let kept = match (name.filter(is_name), kept.strip_prefix("[\"").and_then(|rest| rest.split_once('"'))) {
            (Some(name), Some((_, rest))) => format!("[\"{name}\"{rest}"),
            _ => kept,
        };
        Some(format!("{head}{kept}"))
    }

    fn member(&mut self, name: &str, value: &mut Value, around: &Around<'_>, depth: usize) {
        match value {
            _ if depth > MAX_DEPTH => *value = Value::String(self.unparsed(0)),
            Value::Object(members) => {
                if self.level == Level::Minimal && name.eq_ignore_ascii_case("callvariables") {
                    let count = members.values().map(|v| v.as_array().map_or(1, Vec::len)).sum::<usize>();
                    self.removed(Class::Customer);
                    *value = Value::String(format!("[customer:{count}]"));
                    return;
                }
                let subject = members.iter().find(|(name, _)| is_subject(name)).and_then(|(_, value)| value.as_str());
                let subject = subject.filter(|_| members.keys().any(|name| is_value(name))).map(str::to_owned);
                let inside = around.inside(name, subject.as_deref());
                let mut number = 1;
                for (name, mut value) in std::mem::take(members) {
                    let what = self.judge(Place::Member, inside.parent, &name);
                    let what = if is_subject(&name) && inside.subject.is_some() { What::Structure } else { what };
                    let inside = inside.holding(what, &name, self.level);
                    self.member(&name, &mut value, &inside, depth + 1);
                    let Some(kept) = self.member_name(&name, &value) else { continue };
                    let mut free = kept.clone();
                    // Two names may be the same without what was in them; no member may go for that.
                    while members.contains_key(&free) {
                        number += 1;
                        free = format!("{kept}-{number}");
                    }
                    members.insert(free, value);
                }
            }
            Value::Array(values) => {
                values.iter_mut().for_each(|value| self.member(name, value, around, depth + 1));
                if self.level > Level::Auth {
                    values.retain(|value| value.as_str() != Some(GONE));
                }
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let text = match &*value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let kept = self.member_value(name, &text, around);
                if kept.is_empty() && !text.is_empty() {
                    *value = Value::String(GONE.to_owned());
                } else if kept != text {
                    *value = Value::String(kept);
                }
            }
            Value::Null => {}
        }
    }

    fn member_value(&mut self, name: &str, text: &str, around: &Around<'_>) -> String {
        if let Some(value) = self.ruled_pair(name, text, around) {
            return value;
        }
        if let Some(value) = self.ruled(RulePlace::Json, &name.to_lowercase(), text) {
            return value;
        }
        if let Some(kind) = around.secret {
            return self.credential(kind, text);
        }
        if let Some(subject) = around.subject.filter(|_| is_value(name)) {
            let what = table::judge(Place::Member, "", subject);
            if matches!(what, What::Credential | What::Session) {
                return self.value(what, subject, text).into_owned();
            }
        }
        let what = match self.judge(Place::Member, around.parent, name) {
            // `{"key":"locale","value":"en"}`
            What::Credential if is_subject(name) && around.subject.is_some() => What::Structure,
            what => what,
        };
        self.document_or_value(what, name, text, around)
    }

    /// A member's name as it may be written; `None` if it and its value go.
    fn member_name(&mut self, name: &str, value: &Value) -> Option<String> {
        if self.level <= Level::Auth {
            return Some(self.name(name).into_owned());
        }
        if value.as_str() == Some(GONE) {
            return None;
        }
        if table::is_known_member(name) || self.rules.allows(&name.to_lowercase()) {
            return Some(name.to_owned());
        }
        self.removed(Class::Unknown);
        (value.is_object() || value.is_array()).then(|| String::from("unknown"))
    }
}
