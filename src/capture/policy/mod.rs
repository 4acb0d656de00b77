//! The redaction policy as data: classes, levels, what a level does with a class, and the table that gives names their class.
//!
//! The one place to look when asking "is this a secret?". A name is judged by [`table`], then by the words in it
//! ([`name`]); what neither knows is [`Class::Unknown`]. Words that sentences may keep are in [`words`]. Does no I/O and knows
//! no protocol's bytes.

pub mod mark;
pub mod name;
pub mod table;
pub mod user;
pub mod words;

pub use table::{Place, What};

use std::fmt;
use std::str::FromStr;

/// How much is removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Nothing. Must be asked for by name.
    Off,
    /// Credentials masked, session identifiers tokenised.
    #[default]
    Auth,
    /// For a vendor: persons, telephones, machines and teams as tokens, customer data as its shape, unknown things dropped.
    Share,
    /// For a public tracker: only what happened, when.
    Minimal,
}

impl Level {
    /// All levels, the least removed first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Auth, Self::Share, Self::Minimal];

    /// As options and events write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auth => "auth",
            Self::Share => "share",
            Self::Minimal => "minimal",
        }
    }

    /// What this level does with a class.
    #[must_use]
    pub fn treatment(self, class: Class) -> Treatment {
        match (self, class) {
            (Self::Off, _) => Treatment::Keep,
            (Self::Auth, Class::Credential) => Treatment::Mask,
            (Self::Auth, Class::Session) => Treatment::Token,
            (Self::Auth, Class::Unknown) => Treatment::Shape,
            (Self::Auth, _) | (_, Class::Operational) => Treatment::Keep,
            (_, Class::Credential) => Treatment::Mask,
            (_, Class::Unknown) | (Self::Minimal, Class::Infrastructure) => Treatment::Drop,
            (Self::Share, Class::Customer) => Treatment::Shape,
            (Self::Share, _) => Treatment::Token,
            (Self::Minimal, _) => Treatment::Mark,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "auth" => Ok(Self::Auth),
            "share" => Ok(Self::Share),
            "minimal" => Ok(Self::Minimal),
            _ => Err(format!("`{text}` is not a redaction level: use auth (the default), share, minimal or off")),
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Opens something: passwords, tokens, SASL data, SSO codes.
    Credential,
    /// Names a session: cookies, `JSESSIONID`, BOSH `sid`, stream-management ids.
    Session,
    /// Names a person.
    Person,
    /// Names a telephone.
    Phone,
    /// Customer data.
    Customer,
    /// Names a machine, team or queue.
    Infrastructure,
    /// Tells what happened.
    Operational,
    /// No rule knows it.
    Unknown,
}

impl Class {
    /// All classes, in the policy's order.
    pub const ALL: [Self; 8] = [
        Self::Credential,
        Self::Session,
        Self::Person,
        Self::Phone,
        Self::Customer,
        Self::Infrastructure,
        Self::Operational,
        Self::Unknown,
    ];

    /// As the policy table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Person => "person",
            Self::Phone => "phone",
            Self::Customer => "customer",
            Self::Infrastructure => "infrastructure",
            Self::Operational => "operational",
            Self::Unknown => "unknown",
        }
    }

    /// What falls under it, for the policy that every file opens with.
    #[must_use]
    pub fn covers(self) -> &'static str {
        match self {
            Self::Credential => "SASL data, Authorization, passwords, tokens, JWTs, SSO codes, WebSocket query strings",
            Self::Session => "cookies, JSESSIONID, BOSH sid, XEP-0198 ids",
            Self::Person => "login ids, names, JID localparts, e-mail",
            Self::Phone => "addresses, DNIS, extensions",
            Self::Customer => "call variables, ECC values, wrap-up texts, messages",
            Self::Infrastructure => "hosts, IP addresses, certificates, team and queue names",
            Self::Operational => "states, codes, types, nodes, status codes, timings, request ids",
            Self::Unknown => "elements, attributes, headers and keys that no rule knows",
        }
    }
}

/// What is done with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// Written as it is.
    Keep,
    /// `[cred:kind]`: that it was there, and what.
    Mask,
    /// `k-…`: equal values stay equal.
    Token,
    /// `[text:8-15]`: kind of characters and length bucket.
    Shape,
    /// `[person]`: its class alone.
    Mark,
    /// Not written at all.
    Drop,
}

impl Treatment {
    /// As the policy table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "kept",
            Self::Mask => "replaced by [cred:kind]",
            Self::Token => "replaced by a token that is the same for the same value within a run",
            Self::Shape => "replaced by kind of characters and length bucket",
            Self::Mark => "replaced by the name of the class",
            Self::Drop => "dropped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_only_gets_stricter() {
        for class in Class::ALL {
            assert_eq!(Level::Off.treatment(class), Treatment::Keep);
        }
        assert_eq!(Level::Auth.treatment(Class::Credential), Treatment::Mask);
        assert_eq!("auth".parse(), Ok(Level::Auth));
        assert!("none".parse::<Level>().is_err());
    }
}
