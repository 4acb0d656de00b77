//! Header fields: credentials behind their scheme, challenges, cookies, and lists of words.

use super::value::is_weight;
use super::{Pass, cut, looks};
use crate::capture::policy::mark::{is_mark, shape};
use crate::capture::policy::table::{self, Place, What};
use crate::capture::policy::user::RulePlace;
use crate::capture::policy::{Class, Level, name, words};
use std::borrow::Cow;

/// Longest header value written, bytes.
const MAX_VALUE_BYTES: usize = 1_024;
/// Schemes of RFC 9110 section 11 that are told by name.
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "negotiate", "ntlm", "splunk"];
/// Longest name of a subprotocol, bytes.
const MAX_SUBPROTOCOL_BYTES: usize = 40;

impl Pass<'_> {
    /// A field's name and value as they may be written; `None` if neither may.
    pub(in crate::capture) fn header<'v>(
        &mut self,
        name: Cow<'v, str>,
        value: Cow<'v, str>,
    ) -> Option<(Cow<'v, str>, Cow<'v, str>)> {
        if self.level == Level::Off {
            return Some((name, cut(value, MAX_VALUE_BYTES)));
        }
        let kept = if let Some(value) = self.ruled(RulePlace::Header, &name.to_lowercase(), &value) {
            value
        } else {
            let strict = self.level > Level::Auth;
            match self.judge(Place::Header, "", &name) {
                What::Label | What::Sentence if strict => self.gone(&value),
                What::Credential | What::Session if strict && !name::is_telling(&name) => self.gone(&value),
                what => self.value(what, &name, &value).into_owned(),
            }
        };
        if kept.is_empty() && !value.is_empty() {
            return None;
        }
        let value = cut(if kept == value { value } else { Cow::Owned(kept) }, MAX_VALUE_BYTES);
        let name = match self.name(&name) {
            Cow::Borrowed(_) => name,
            Cow::Owned(kept) => Cow::Owned(kept),
        };
        Some((name, value))
    }

    /// `SCHEME credentials` (RFC 9110 section 11.4): the scheme stays.
    pub(super) fn authorization(&mut self, value: &str) -> String {
        let Some((scheme, credentials)) = value.trim().split_once([' ', '\t']) else {
            return self.credential("authorization", value);
        };
        match SCHEMES.into_iter().find(|known| scheme.eq_ignore_ascii_case(known)) {
            Some(kind) => format!("{scheme} {}", self.credential(kind, credentials.trim())),
            None => self.credential("authorization", credentials.trim()),
        }
    }

    /// Challenges (RFC 9110 section 11.6.1), several in one field perhaps: schemes stay, at `auth` with what parameters say in
    /// words; a bare blob behind a scheme is one side of a credential.
    pub(super) fn challenge(&mut self, value: &str) -> String {
        let items = split_list(value);
        let mut kept = Vec::new();
        let mut scheme = "authorization";
        for item in items {
            let item = item.trim();
            let parameter = |text: &str| {
                text.split_once('=')
                    .filter(|(name, rest)| is_name(name.trim()) && !rest.trim_matches('=').is_empty())
                    .is_some()
            };
            if parameter(item) {
                kept.extend(self.challenge_parameter(scheme, item));
                continue;
            }
            let (written, rest) = item.split_once([' ', '\t']).unwrap_or((item, ""));
            let known = SCHEMES.into_iter().find(|known| written.eq_ignore_ascii_case(known));
            scheme = known.unwrap_or("authorization");
            let written = if known.is_some() || self.level == Level::Auth && !looks::is_random(written) {
                written.to_owned()
            } else {
                self.removed(Class::Unknown);
                String::from("[cred:header]")
            };
            let rest = rest.trim();
            let behind = match rest {
                "" => None,
                _ if parameter(rest) => self.challenge_parameter(scheme, rest),
                _ => Some(self.credential(scheme, rest)),
            };
            kept.push(behind.map_or_else(|| written.clone(), |behind| format!("{written} {behind}")));
        }
        kept.join(", ")
    }

    fn challenge_parameter(&mut self, scheme: &str, item: &str) -> Option<String> {
        const TOLD: [&str; 11] = [
            "realm",
            "qop",
            "algorithm",
            "stale",
            "charset",
            "error",
            "error_description",
            "error_uri",
            "scope",
            "domain",
            "title",
        ];
        let (name, value) = item.split_once('=')?;
        if self.level > Level::Auth {
            self.removed(Class::Unknown);
            return None;
        }
        let bare = value.trim().trim_matches('"');
        let is_told = TOLD.contains(&&*name.trim().to_lowercase());
        let kept = match table::judge(Place::Pair, "", name.trim()) {
            what @ (What::Credential | What::Session) if !is_told => self.value(what, name, bare).into_owned(),
            _ if looks::is_random(bare) => self.credential(scheme, bare),
            _ => self.text(bare).into_owned(),
        };
        Some(if value.trim().starts_with('"') { format!("{name}=\"{kept}\"") } else { format!("{name}={kept}") })
    }

    /// `name=value; name=value` (RFC 6265 section 4.2).
    pub(super) fn cookies(&mut self, value: &str) -> String {
        value.split(';').map(|pair| self.cookie(pair.trim())).collect::<Vec<_>>().join("; ")
    }

    /// `name=value; Attribute; …` (RFC 6265 section 4.1). What the standards do not name is treated as a cookie.
    pub(super) fn set_cookie(&mut self, value: &str) -> String {
        const KNOWN: [&str; 9] =
            ["path", "domain", "expires", "max-age", "secure", "httponly", "samesite", "partitioned", "priority"];
        let mut parts = value.split(';').map(str::trim);
        let mut kept = vec![self.cookie(parts.next().unwrap_or_default())];
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let lower = name.trim().to_lowercase();
            // Some join cookies by commas: then there is another one in the value.
            let is_attribute = KNOWN.contains(&&*lower) && !value.contains('=');
            if is_attribute && self.level == Level::Auth {
                kept.push(self.text(part).into_owned());
            } else if is_attribute && !matches!(&*lower, "path" | "domain") {
                kept.push(self.attribute_of_a_cookie(part, &lower, value));
            } else if self.level == Level::Auth {
                kept.push(self.cookie(part));
            } else {
                self.removed(Class::Unknown);
            }
        }
        kept.join("; ")
    }

    fn attribute_of_a_cookie(&mut self, part: &str, name: &str, value: &str) -> String {
        let what = if name == "expires" { What::Date } else { What::Directives };
        let kept = self.strict(what, name, value);
        if kept == value { part.to_owned() } else { name.to_owned() }
    }

    fn cookie(&mut self, pair: &str) -> String {
        if pair.is_empty() {
            return String::new();
        }
        // A value without a name may end in base64's padding.
        let named =
            pair.split_once('=').filter(|(name, value)| name.len() <= 64 && !value.trim_matches('=').is_empty());
        let Some((name, value)) = named else { return self.session(pair) };
        let value = value.trim_matches('"');
        let what = self.judge(Place::Cookie, "", name);
        if self.level == Level::Auth {
            // Some join cookies by commas: then there is another one in the value.
            let what = if value.contains('=') { What::Session } else { what };
            return format!("{name}={}", self.value(what, name, value));
        }
        let prefix = table::is_cookie_of_a_person(name).and_then(|at| name.split_at_checked(at));
        let name = match prefix {
            Some((prefix, who)) => Cow::Owned(format!("{prefix}{}", self.login(who))),
            None if table::is_known_cookie(name) => Cow::Borrowed(name),
            None => Cow::Owned(self.session(name)),
        };
        format!("{name}={}", self.value(what, &name, value))
    }

    /// The names of WebSocket subprotocols, separated by commas; some programs carry a token in their place.
    pub(super) fn subprotocols(&mut self, value: &str) -> String {
        let mut is_announced = false;
        let mut one = |text: &str| {
            let text = text.trim();
            let announced = std::mem::replace(&mut is_announced, name::secret(text).is_some());
            let is_plain = text.len() <= MAX_SUBPROTOCOL_BYTES && !looks::is_random(text) && !announced;
            if words::is_subprotocol(text) || is_mark(text) || self.level == Level::Auth && is_plain {
                return self.text(text).into_owned();
            }
            if self.level == Level::Auth {
                return self.credential("token", text);
            }
            self.guard.learn_credential(text, self.user);
            self.removed(Class::Unknown);
            shape(text)
        };
        value.split(',').map(&mut one).collect::<Vec<_>>().join(", ")
    }

    /// A list of which only those items stay that are known.
    pub(super) fn listed(&mut self, value: &str, separator: char, is_known: impl Fn(&str) -> bool) -> String {
        let mut kept = Vec::new();
        for item in value.split(separator).map(str::trim) {
            if item == "*" || item.is_empty() || is_known(item) {
                kept.push(item);
            } else {
                self.removed(Class::Unknown);
            }
        }
        if kept.len() == value.split(separator).count() {
            return value.to_owned();
        }
        kept.join(if separator == ',' { ", " } else { " " })
    }

    /// Media types, encodings and brands with their parameters: `text/html;q=0.9, application/xml; charset=utf-8`.
    pub(super) fn media(&mut self, value: &str) -> String {
        let is_type = |text: &str| {
            let text = text.trim_matches('"');
            text.split(['/', '+', '.', '-', '_'])
                .all(|part| matches!(part, "*" | "x" | "vnd" | "") || words::is_word(part))
                || text.split(' ').all(words::is_agent_word)
                || matches!(
                    text,
                    "Not A(Brand" | "Not;A=Brand" | "Not_A Brand" | "Google Chrome" | "?0" | "?1" | "Microsoft Edge"
                )
        };
        let mut items = Vec::new();
        for item in split_list(value) {
            let mut parts = item.split(';');
            let kind = parts.next().unwrap_or_default().trim();
            if !is_type(kind) {
                self.removed(Class::Unknown);
                continue;
            }
            let mut kept = kind.to_owned();
            for parameter in parts {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                let value = value.trim().trim_matches('"');
                let fine = match &*name.trim().to_ascii_lowercase() {
                    "q" | "v" | "level" => is_weight(value),
                    "charset" => words::is_form(value) || words::is_listed(value),
                    "" => value.is_empty(),
                    _ => false,
                };
                if fine {
                    kept = format!("{kept};{parameter}");
                } else {
                    self.removed(Class::Unknown);
                }
            }
            items.push(kept);
        }
        items.join(", ")
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-*".contains(&b))
}

/// The items of a list, commas within quotes aside.
fn split_list(value: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    value.split(split).map(str::trim).filter(|item| !item.is_empty()).collect()
}
