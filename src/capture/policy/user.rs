//! A user's own rules: `PLACE:NAME[=CLASS]`, such as `header:x-customer`, `json:accountRef=customer`,
//! `xml:dialog/notes`, `variable:callVariable3`, `variable-name:user.tier`.
//!
//! They add to the built-in rules: a denied value is treated as its class (unknown unless named), an allowed one is kept.
//! What opens something or names a session, a person or a telephone cannot be allowed.

use super::Class;
use super::table::{self, Place, What};

/// Where a rule looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RulePlace {
    /// A header field.
    Header,
    /// A field of a query or a form.
    Pair,
    /// A JSON member by its name.
    Json,
    /// An XML element by its name, or the names around it too: `dialog/notes`.
    Xml,
    /// A call variable's value, by its name.
    Variable,
    /// A call variable's name itself.
    VariableName,
}

/// What to do where.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    place: RulePlace,
    name: String,
    class: Option<Class>,
}

/// The rules of a user, in addition to ours.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserRules {
    deny: Vec<Rule>,
    allow: Vec<Rule>,
}

impl UserRules {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deny.is_empty() && self.allow.is_empty()
    }

    /// Adds a rule that removes: `PLACE:NAME[=CLASS]`.
    ///
    /// # Errors
    /// A sentence about what cannot be read.
    pub fn deny(&mut self, text: &str) -> Result<(), String> {
        let rule = read(text)?;
        if rule.class == Some(Class::Operational) {
            return Err(format!("`{text}`: operational values are kept; that is what --allow is for"));
        }
        self.deny.push(Rule { class: rule.class.or(Some(Class::Unknown)), ..rule });
        Ok(())
    }

    /// Adds a rule that keeps: `PLACE:NAME`.
    ///
    /// # Errors
    /// A sentence about what cannot be read, or may not be kept.
    pub fn allow(&mut self, text: &str) -> Result<(), String> {
        let rule = read(text)?;
        if rule.class.is_some() {
            return Err(format!("`{text}`: what is allowed is kept; a class is for --deny"));
        }
        let class = built_in(&rule);
        if matches!(class, Class::Credential | Class::Session | Class::Person | Class::Phone) {
            return Err(format!(
                "`{text}`: a built-in rule removes it as {}, and no rule can undo that",
                class.as_str()
            ));
        }
        self.allow.push(rule);
        Ok(())
    }

    /// The rules as text, for a policy's hash.
    #[must_use]
    pub fn text(&self) -> String {
        let list = |verb: &str, rules: &[Rule]| -> String {
            let line = |rule: &Rule| {
                let class = rule.class.map_or("", Class::as_str);
                format!("{verb} {:?}:{}={class}\n", rule.place, rule.name)
            };
            rules.iter().map(line).collect()
        };
        list("deny", &self.deny) + &list("allow", &self.allow)
    }

    /// Whether some rule keeps the value of what has this name (lower case), wherever it stands.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        let mut of_values = self.allow.iter().filter(|rule| rule.place != RulePlace::VariableName);
        of_values.any(|rule| rule.name.rsplit('/').next() == Some(name))
    }

    /// Whether a rule keeps the value of a call variable, which would mean nothing without its name.
    pub(in crate::capture) fn keeps_variable(&self, name: &str) -> bool {
        self.of(RulePlace::Variable, name) == Some(None)
    }

    /// What a rule says of a thing: removed as a class, or (`None` inside) kept.
    pub(in crate::capture) fn of(&self, place: RulePlace, name: &str) -> Option<Option<Class>> {
        let hit = |rule: &&Rule| {
            rule.place == place
                && (rule.name == name
                    || place == RulePlace::Xml
                        && name.strip_suffix(&*rule.name).is_some_and(|rest| rest.ends_with('/')))
        };
        let denied = self.deny.iter().find(hit).map(|rule| rule.class);
        denied.or_else(|| self.allow.iter().find(hit).map(|_| None))
    }
}

fn read(text: &str) -> Result<Rule, String> {
    let wrong = || {
        format!(
            "`{text}` is not PLACE:NAME[=CLASS] with a place of header, query, form, json, xml, variable or variable-name"
        )
    };
    let (place, rest) = text.split_once(':').ok_or_else(wrong)?;
    let place = match place.trim() {
        "header" => RulePlace::Header,
        "query" | "form" => RulePlace::Pair,
        "json" => RulePlace::Json,
        "xml" => RulePlace::Xml,
        "variable" => RulePlace::Variable,
        "variable-name" => RulePlace::VariableName,
        _ => return Err(wrong()),
    };
    let (name, class) = match rest.rsplit_once('=') {
        Some((name, class)) => {
            let known = Class::ALL.into_iter().find(|known| known.as_str() == class.trim());
            // Operational values are kept anyway.
            let names = Class::ALL.iter().filter(|class| **class != Class::Operational);
            let names: Vec<&str> = names.map(|class| class.as_str()).collect();
            let class = known
                .ok_or_else(|| format!("`{text}`: there is no class `{class}`; there are {}", names.join(", ")))?;
            (name, Some(class))
        }
        None => (rest, None),
    };
    let name = name.trim().to_lowercase();
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.[]/:".contains(c);
    if name.is_empty() || !name.chars().all(fine) {
        return Err(wrong());
    }
    Ok(Rule { place, name: name.trim_matches('/').to_owned(), class })
}

/// The class that our own rules give to a thing.
fn built_in(rule: &Rule) -> Class {
    match rule.place {
        RulePlace::Header => table::judge(Place::Header, "", &rule.name).class(),
        RulePlace::Pair => table::judge(Place::Pair, "", &rule.name).class(),
        // What the name alone says; a name that stands for a person in one place is not kept in any.
        RulePlace::Json | RulePlace::Xml => {
            let mut names = rule.name.rsplit('/');
            let name = names.next().unwrap_or_default();
            let named = table::judge(Place::Member, names.next().unwrap_or_default(), name).class();
            if matches!(name, "id" | "name" | "value") { Class::Person } else { named }
        }
        RulePlace::Variable => match table::judge(Place::Member, "", &rule.name) {
            what @ (What::Credential | What::Session) => what.class(),
            _ => Class::Customer,
        },
        RulePlace::VariableName => Class::Infrastructure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_or_refused_with_a_reason() {
        let mut rules = UserRules::default();
        for good in [
            "header:X-Odd",
            "query:ref=customer",
            "json:accountRef=person",
            "xml:dialog/notes",
            "variable:user.x[0]",
            "variable-name:user.x",
        ] {
            rules.deny(good).unwrap();
        }
        for good in [
            "header:x-trace",
            "variable:callVariable7",
            "variable-name:user.vip",
            "json:odd",
            "xml:teamName",
            "query:odd",
        ] {
            rules.allow(good).unwrap();
        }
        for bad in ["x", "header:", "cookie:x", "header:x=nonsense", "json:a b", "header:x=operational"] {
            assert!(rules.deny(bad).is_err(), "{bad}");
        }
        for bad in [
            "header:authorization",
            "header:cookie",
            "query:code",
            "query:sid",
            "json:access_token",
            "xml:password",
            "xml:user/loginId",
            "xml:extension",
            "variable:user.password",
            "header:x=customer",
        ] {
            assert!(rules.allow(bad).is_err(), "{bad}");
        }
        assert!(rules.deny("json:x=nonsense").unwrap_err().contains("infrastructure"));
    }
}
