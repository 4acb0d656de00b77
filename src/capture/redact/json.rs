//! JSON through the policy: by member name, and by looks inside strings.

use super::scrub::Scrub;
use super::xml;
use crate::capture::rules::{self, Class};
use serde_json::Value;

/// Nesting followed at the most; serde_json itself stops at 128.
const MAX_DEPTH: usize = 64;

/// A text that should be JSON; if it is not, only its size is told. `nesting` counts the documents around it.
pub(super) fn text(scrub: &mut Scrub<'_>, text: &str, nesting: usize) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            let place = Place { class: Class::Operational, nesting, depth: 0 };
            redact(scrub, "", &mut value, place);
            value.to_string()
        }
        Err(_) => scrub.unparsed(text.len()),
    }
}

/// JSON that no rule knows: names are kept, values reduced to their shape. `None` if it is not JSON.
pub(super) fn unknown(scrub: &mut Scrub<'_>, text: &str) -> Option<String> {
    let mut value = serde_json::from_str::<Value>(text).ok()?;
    redact(scrub, "", &mut value, Place { class: Class::Unknown, nesting: 0, depth: 0 });
    Some(value.to_string())
}

/// Where a value stands. What a credential's name holds is a credential, however it is divided.
#[derive(Clone, Copy)]
struct Place {
    class: Class,
    nesting: usize,
    depth: usize,
}

fn redact(scrub: &mut Scrub<'_>, name: &str, value: &mut Value, place: Place) {
    let Place { class, nesting, depth } = place;
    match value {
        _ if depth > MAX_DEPTH => *value = Value::String(scrub.unparsed(0)),
        Value::Object(members) => {
            let named = std::mem::take(members).into_iter();
            members.extend(named.map(|(name, value)| (scrub.name(&name).into_owned(), value)));
            for (name, value) in members {
                let class = match (class, rules::member(&name.to_lowercase())) {
                    (Class::Operational, own) | (Class::Unknown, own @ (Class::Credential | Class::Session)) => own,
                    (class, _) => class,
                };
                redact(scrub, name, value, Place { class, nesting, depth: depth + 1 });
            }
        }
        Value::Array(values) => {
            values.iter_mut().for_each(|value| redact(scrub, name, value, Place { depth: depth + 1, ..place }));
        }
        Value::String(text) => *text = xml::value(scrub, class, name, text, nesting).into_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            let kept = scrub.value(class, name, &text);
            if kept != text {
                *value = Value::String(kept.into_owned());
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}
