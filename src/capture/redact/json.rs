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
            let mut number = 1;
            for (name, mut value) in std::mem::take(members) {
                let class = match (class, rules::member(&name.to_lowercase())) {
                    (Class::Operational, own) | (Class::Unknown, own @ (Class::Credential | Class::Session)) => own,
                    (class, _) => class,
                };
                redact(scrub, &name, &mut value, Place { class, nesting, depth: depth + 1 });
                let kept = scrub.name(&name);
                let mut free = kept.to_string();
                // Two names may be the same without what was in them; no member may go for that.
                while members.contains_key(&free) {
                    number += 1;
                    free = format!("{kept}-{number}");
                }
                members.insert(free, value);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::guard::Guard;
    use crate::capture::rules::Level;
    use crate::capture::token::Tokens;
    use serde_json::json;

    #[test]
    fn members_whose_names_are_tokens_are_judged_by_them_and_none_is_lost() {
        let (tokens, mut guard) = (Tokens::under(&[7; 32]).unwrap(), Guard::default());
        let mut scrub =
            Scrub { level: Level::Auth, tokens: &tokens, guard: &mut guard, user: None, count: 0, is_clean: false };
        let name = |n| format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{n}");
        let members = json!({
            "[cred:jwt]-2": 1, name("x_token"): "hunter2", name("second"): 2, name("third"): 3, "[cred:jwt]-3": 4,
        });
        let kept = text(&mut scrub, &members.to_string(), 0);
        let expected = json!({
            "[cred:jwt]-2": 1, "[cred:jwt]": "[cred:token]", "[cred:jwt]-3": 2, "[cred:jwt]-4": 3, "[cred:jwt]-3-5": 4,
        });
        assert_eq!(kept, expected.to_string());
    }
}
