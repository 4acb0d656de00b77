//! Values through the policy: one walker for each syntax, one treatment for all of them.
//!
//! A walker takes a text apart, asks the [table] what each value is by where it stands and what it is
//! called, has `Pass::value` treat it, and puts the text together again. Documents in documents go through the same walkers.
//! What no walker can read is measured, not written. Does no I/O and reads no clock.
//!
//! | file | syntax |
//! |---|---|
//! | `xml`, `json` | documents, each in the other; name–value pairs in them |
//! | `url` | paths with their parameters, queries, forms, whole URLs |
//! | `header` | header fields: credentials, challenges, cookies, lists |
//! | `sentence` | text that people or servers wrote |
//! | `value` | single values: hosts, JIDs, ids, states |
//! | `looks`, `spelling` | credentials by their looks; escapes |

pub mod clean;
mod header;
mod json;
pub mod looks;
mod sentence;
mod spelling;
mod url;
mod value;
mod xml;

use super::guard::Guard;
use super::policy::mark::{self, shape};
use super::policy::table::{self, Place, What};
use super::policy::user::{RulePlace, UserRules};
use super::policy::{Class, Level, Treatment, name};
use super::token::{Kind, Tokens, is_token};
use crate::session::findings::{
    self,
    fact::{Unit, Value},
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Distinct kept texts remembered for the report.
const MAX_TEXTS: usize = 2_000;
/// From this length on a name is looked at like a text, bytes.
const MIN_TOKEN_BYTES: usize = 40;
/// Documents inside documents followed at the most: stanza, Update, a value that is a document again.
const MAX_NESTING: usize = 3;
/// Words in a name whose value is a URL's query of a WebSocket's: a credential whatever its keys.
pub const WEBSOCKET: &str = "websocket";

/// What was removed, and what free text was kept.
#[derive(Default)]
pub struct Tally {
    /// Values removed, by class.
    pub removed: BTreeMap<Class, u64>,
    /// Distinct sentences kept, with how often.
    pub texts: BTreeMap<String, u64>,
    /// Sentences beyond the limit of what is remembered.
    pub more_texts: u64,
}

impl Tally {
    fn keep_text(&mut self, text: &str) {
        if let Some(count) = self.texts.get_mut(text) {
            *count += 1;
        } else if self.texts.len() < MAX_TEXTS {
            self.texts.insert(text.to_owned(), 1);
        } else {
            self.more_texts += 1;
        }
    }
}

/// Which rule judged a value, for who asks why it is gone or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// Where the name stood.
    pub place: Place,
    /// The name around it, and the name.
    pub name: String,
    /// What the value is by them.
    pub what: What,
    /// What says so.
    pub by: By,
}

/// What gives a value its class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// A row of the table.
    Table,
    /// The words in its name.
    Words,
    /// Nothing: no rule knows the name.
    Nothing,
}

impl By {
    /// As an explanation writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "by the table",
            Self::Words => "by the words in its name",
            Self::Nothing => "no rule knows it",
        }
    }
}

/// The policy at work on one event: what it removes it counts, what opens something the guard learns.
pub struct Pass<'r> {
    pub(in crate::capture) level: Level,
    pub(in crate::capture) tokens: &'r mut Tokens,
    pub(in crate::capture) rules: &'r UserRules,
    pub(in crate::capture) tally: &'r mut Tally,
    pub(in crate::capture) guard: &'r mut Guard,
    /// The agent, whose name is no secret.
    pub(in crate::capture) user: Option<&'r str>,
    /// Values removed.
    pub(in crate::capture) count: u64,
    /// Whether nothing was found in a text as a whole, so that nothing need be looked for in its parts.
    pub(in crate::capture) is_clean: bool,
    /// Whether the stanza's document breaks off inside it.
    pub(in crate::capture) is_broken: bool,
    /// Instead of treating, mask what the guard knows.
    pub(in crate::capture) masks: bool,
    /// Values masked so.
    pub(in crate::capture) masked: u64,
    /// What was judged, if somebody asks.
    pub(in crate::capture) judged: Option<Vec<Judgement>>,
}

impl Pass<'_> {
    /// A value by what it is; `name` says what it is called. Empty if it may not be written at all.
    pub(in crate::capture) fn value<'v>(&mut self, what: What, name: &str, text: &'v str) -> Cow<'v, str> {
        if what == What::Transaction && !text.is_empty() {
            return Cow::Owned(self.transaction(text));
        }
        if self.level == Level::Off || text.trim().is_empty() {
            return Cow::Borrowed(text);
        }
        let kept = match what {
            What::Credential => self.credential(name, text),
            What::Session => self.session(text),
            What::Authorization => self.authorization(text),
            What::Challenge => self.challenge(text),
            What::Cookies => self.cookies(text),
            What::SetCookie => self.set_cookie(text),
            What::Subprotocols => self.subprotocols(text),
            What::Pairs => self.pairs(text, name),
            What::Url => self.url(text),
            What::Path => self.path(text),
            What::Stanza => return self.whole_stanza(text),
            What::Content => return self.content(text, name),
            What::Packet => return self.packet(text),
            What::OwnId => self.own_id(text),
            What::RunId if self.level > Level::Auth && !is_run_id(text) => self.gone(text),
            What::Unknown | What::Structure if self.level == Level::Auth => {
                if looks::is_flag(text) || mark::is_mark(text) {
                    return Cow::Borrowed(text);
                }
                self.removed(Class::Unknown);
                shape(text)
            }
            _ if self.level == Level::Auth => return self.text(text),
            _ => self.strict(what, name, text),
        };
        if kept == text { Cow::Borrowed(text) } else { Cow::Owned(kept) }
    }

    /// What ties lines together is made of a request's id, anew at each stricter level.
    fn transaction(&mut self, id: &str) -> String {
        let is_made = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        // What passes live is made as a stored line's is: of what stands in a capture at `auth`.
        let made = if is_made { id.to_owned() } else { self.tokens.transaction(id) };
        match self.level {
            Level::Off | Level::Auth => made,
            Level::Share if is_token(id) => id.to_owned(),
            Level::Share => self.tokens.session(&format!("transaction\0{made}")),
            Level::Minimal => self.tokens.transaction(&made),
        }
    }

    /// `s3`, `c7`, a ULID, hexadecimal digits: ids of this program's own, or somebody edited the line.
    fn own_id(&mut self, id: &str) -> String {
        let own = (2..=40).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric())
            && (matches!(id.len(), 2..=8 | 26 | 32));
        if own || self.level <= Level::Auth { id.to_owned() } else { self.gone(id) }
    }

    /// A stanza; if it is as it came, nothing need be looked for in the parts of it that the event tells by themselves.
    fn whole_stanza<'v>(&mut self, xml: &'v str) -> Cow<'v, str> {
        let kept = self.stanza(xml);
        self.is_clean = self.level == Level::Auth && matches!(kept, Cow::Borrowed(_));
        kept
    }

    /// A value of a name that no rule knows, in a document that is known to be Finesse's or XMPP's: at `auth` it stays unless
    /// it looks random.
    fn unknown_here<'v>(&mut self, name: &str, text: &'v str) -> Cow<'v, str> {
        if self.level == Level::Auth && looks::is_random(text) {
            return Cow::Owned(self.credential(name, text));
        }
        self.value(if self.level == Level::Auth { What::Sentence } else { What::Unknown }, name, text)
    }

    /// What the value under a name is. The judgement is noted for who asks.
    fn judge(&mut self, place: Place, within: &str, name: &str) -> What {
        let what = table::judge(place, within, name);
        if let Some(judged) = &mut self.judged {
            let name = if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") };
            let by = match table::find(place, within, name.rsplit('/').next().unwrap_or_default()) {
                Some(row) if row == what => By::Table,
                _ if matches!(what, What::Unknown | What::Structure) => By::Nothing,
                _ => By::Words,
            };
            judged.push(Judgement { place, name, what, by });
        }
        what
    }

    pub(in crate::capture) fn removed(&mut self, class: Class) {
        self.count += 1;
        *self.tally.removed.entry(class).or_default() += 1;
    }

    /// A credential: masked, and learnt by the guard.
    fn credential(&mut self, name: &str, value: &str) -> String {
        if self.level == Level::Off || looks::is_flag(value) || mark::is_mark(value.trim()) {
            return value.to_owned();
        }
        self.guard.learn_credential(value, self.user);
        self.removed(Class::Credential);
        format!("[cred:{}]", name::kind_of(name))
    }

    /// A session identifier: a token, and learnt by the guard if it is worth it.
    fn session(&mut self, value: &str) -> String {
        let is_done =
            self.level > Level::Auth && (mark::is_mark(value) || self.level == Level::Share && is_token(value));
        if self.level == Level::Off || value.trim().is_empty() || is_done {
            return value.to_owned();
        }
        self.guard.learn_session(value, self.user);
        self.removed(Class::Session);
        if self.level == Level::Minimal { String::from("[session]") } else { self.tokens.session(value) }
    }

    /// Free text: kept but for what looks like a credential wherever it stands.
    pub(in crate::capture) fn text<'v>(&mut self, text: &'v str) -> Cow<'v, str> {
        if self.level == Level::Off || self.is_clean {
            return Cow::Borrowed(text);
        }
        let Self { guard, tokens, user, level, .. } = self;
        let guard = std::cell::RefCell::new(guard);
        let (scrubbed, found) = looks::scrub(
            text,
            |session| {
                guard.borrow_mut().learn_session(session, *user);
                match level {
                    Level::Minimal => String::from("[session]"),
                    Level::Share if is_token(session) => session.to_owned(),
                    _ => tokens.session(session),
                }
            },
            |secret| guard.borrow_mut().learn_credential(secret, *user),
        );
        for _ in 0..found {
            self.removed(Class::Credential);
        }
        scrubbed
    }

    /// The name of a field, an element or a member. No name of any protocol is as long as a token that stands in its place.
    pub(in crate::capture) fn name<'v>(&mut self, name: &'v str) -> Cow<'v, str> {
        if name.len() < MIN_TOKEN_BYTES { Cow::Borrowed(name) } else { self.text(name) }
    }

    /// Content no rule can read: only its size is written.
    pub(in crate::capture) fn unparsed(&mut self, bytes: usize) -> String {
        self.removed(Class::Unknown);
        mark::unparsed(bytes)
    }

    /// A value that a token stands for, or at the strictest level its class.
    fn token(&mut self, class: Class, kind: Kind, value: &str) -> String {
        if value.trim().is_empty() {
            return value.to_owned();
        }
        let marks = self.level.treatment(class) != Treatment::Token;
        if mark::is_mark(value) || !marks && is_token(value) {
            return value.to_owned();
        }
        self.removed(class);
        if marks { format!("[{}]", class.as_str()) } else { self.tokens.token(kind, value) }
    }

    /// A value to which a rule of the user's applies; `name` in lower case.
    fn ruled(&mut self, place: RulePlace, name: &str, value: &str) -> Option<String> {
        if self.rules.is_empty() || self.level == Level::Off {
            return None;
        }
        let Some(class) = self.rules.of(place, name)? else { return Some(value.to_owned()) };
        if value.is_empty() || mark::is_mark(value) {
            return Some(value.to_owned());
        }
        Some(match class {
            Class::Credential => self.credential(name, value),
            Class::Session => self.session(value),
            // Kept by the level, but not by the user; or only told by its shape.
            _ if self.level == Level::Auth || self.level.treatment(class) == Treatment::Shape => {
                self.removed(class);
                shape(value)
            }
            Class::Person => self.strict(What::Person, name, value),
            Class::Phone => self.strict(What::Phone, name, value),
            Class::Customer => self.strict(What::Customer, name, value),
            Class::Infrastructure => self.strict(What::Label, name, value),
            Class::Operational | Class::Unknown => self.strict(What::Unknown, name, value),
        })
    }

    /// The same for the name or value of a call variable, which its sibling names.
    fn ruled_pair(&mut self, part: &str, value: &str, around: &xml::Around<'_>) -> Option<String> {
        if self.rules.is_empty() || !around.parent.eq_ignore_ascii_case("callvariable") {
            return None;
        }
        let variable = around.subject?.to_lowercase();
        match &*part.to_lowercase() {
            "value" => self.ruled(RulePlace::Variable, &variable, value),
            "name" => self.ruled(RulePlace::VariableName, &variable, value),
            _ => None,
        }
    }

    /// A fact of a finding: what its value is, its name tells; one that no row names must be a number. `None` if it stays.
    pub(in crate::capture) fn fact(&mut self, name: &str, value: &str) -> Option<String> {
        // Milliseconds of some years; a code that is longer may be a telephone's or an agent's number.
        const MAX_DIGITS: usize = 12;
        const MAX_CODE_DIGITS: usize = 6;
        // A rule for a JSON member or an element of that name is meant for what a finding says of it, too.
        let ruled = self.ruled(RulePlace::Json, name, value).or_else(|| self.ruled(RulePlace::Xml, name, value));
        if ruled.is_some() {
            return ruled;
        }
        let known = findings::Fact::ALL.into_iter().find(|fact| fact.as_str() == name).map(findings::Fact::value);
        let most = if known == Some(Value::Number(Unit::Code)) { MAX_CODE_DIGITS } else { MAX_DIGITS };
        let digits = value.strip_prefix('-').unwrap_or(value);
        let is_number = (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let what = match known {
            _ if self.level <= Level::Auth => What::Sentence,
            Some(Value::Host) => What::Host,
            Some(Value::Node) => What::Path,
            Some(Value::Resource) => What::Node,
            Some(Value::ErrorType) => What::Sentence,
            Some(Value::Word | Value::Offer | Value::Sentence) => What::Own,
            Some(Value::Subprotocol) => What::Subprotocols,
            Some(Value::Condition) => What::Condition,
            Some(Value::Number(_) | Value::Text) | None if is_number => return None,
            Some(Value::Number(_) | Value::Text) | None => What::Unknown,
        };
        match self.value(what, name, value) {
            Cow::Borrowed(_) => None,
            Cow::Owned(kept) => Some(kept),
        }
    }
}

/// `ULID-SEQUENCE` or `ULID-file-NUMBER`.
pub(in crate::capture) fn is_run_id(id: &str) -> bool {
    id.len() <= 64 && id.contains('-') && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The longest beginning of `text` that is at most `limit_bytes` long and ends between characters. Only for texts that were
/// treated: half a credential looks like none.
pub(in crate::capture) fn cut(text: Cow<'_, str>, limit_bytes: usize) -> Cow<'_, str> {
    if text.len() <= limit_bytes {
        return text;
    }
    let end = text.floor_char_boundary(limit_bytes);
    Cow::Owned(text.get(..end).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
