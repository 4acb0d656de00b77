//! JSON through the policy: by member name, and by looks inside strings.

use super::scrub::Scrub;
use crate::capture::rules;
use serde_json::Value;

/// Nesting followed at the most; serde_json itself stops at 128.
const MAX_DEPTH: usize = 64;

/// A text that should be JSON; if it is not, only its size is told.
pub(super) fn text(scrub: &mut Scrub<'_>, text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            redact(scrub, "", &mut value, 0);
            value.to_string()
        }
        Err(_) => scrub.unparsed(text.len()),
    }
}

fn redact(scrub: &mut Scrub<'_>, name: &str, value: &mut Value, depth: usize) {
    match value {
        _ if depth > MAX_DEPTH => *value = Value::String(scrub.unparsed(0)),
        Value::Object(members) => {
            for (name, value) in members {
                redact(scrub, name, value, depth + 1);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redact(scrub, name, value, depth + 1)),
        Value::String(text) => *text = scrub.value(rules::member(&name.to_lowercase()), name, text).into_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            let kept = scrub.value(rules::member(&name.to_lowercase()), name, &text);
            if kept != text {
                *value = Value::String(kept.into_owned());
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}
