//! The parts of an event that tell of the log itself: a file's first line, what is missing, unreadable or removed.
//!
//! Nothing here comes from traffic; a note is what a person wrote beside it.

use super::Word;
use super::classed::{Classed, OWN_ID, SENTENCE, Treat, WORD, treat_all};
use crate::capture::policy::{Level, What};
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.gap.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Gap<'a> {
    /// `tap`, `redaction`, or the sink that lost them.
    pub(in crate::capture) at: Classed<'a, WORD>,
    /// Events lost; for `tap` connections of which nothing is recorded.
    pub(in crate::capture) events: u64,
    /// Bytes lost: of their lines, or for `tap` of traffic that was not decoded.
    pub(in crate::capture) bytes: u64,
    /// Lowest sequence lost. Others up to the last may have been written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) first_sequence: Option<u64>,
    /// Highest sequence lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) last_sequence: Option<u64>,
    /// Always `false`: a gap in the log never touches the traffic.
    pub(in crate::capture) relay_affected: bool,
}

/// `finesse.note.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Note<'a> {
    /// What the person at the proxy wrote down about this moment: free text.
    pub(in crate::capture) text: Classed<'a, SENTENCE>,
}

/// `finesse.capture.*` of `log-opened`.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Capture<'a> {
    /// Version of finesse-tap.
    #[serde(deserialize_with = "vocabulary::version")]
    pub(in crate::capture) version: Cow<'a, str>,
    /// ULID of the run.
    pub(in crate::capture) run: Classed<'a, OWN_ID>,
    /// Settings in force, without secrets.
    pub(in crate::capture) settings: Vec<Setting<'a>>,
    /// The redaction policy.
    #[serde(skip_deserializing)]
    pub(in crate::capture) policy: Vec<Treatment>,
    /// SHA-256 of its rows, `class=treatment` a line, hexadecimal.
    pub(in crate::capture) policy_sha256: String,
    /// What this level keeps, in words.
    #[serde(skip_deserializing)]
    pub(in crate::capture) note: Word,
    /// Number of the file in its run, from 1.
    pub(in crate::capture) file: u64,
}

/// One setting in force.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Setting<'a> {
    /// Option.
    pub(in crate::capture) name: Cow<'a, str>,
    /// Value.
    pub(in crate::capture) value: Cow<'a, str>,
}

/// One row of the redaction policy.
#[derive(Serialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Treatment {
    /// Class of data.
    pub(in crate::capture) class: Word,
    /// What belongs to it.
    pub(in crate::capture) covers: Word,
    /// What becomes of it.
    pub(in crate::capture) treatment: Word,
}

/// `finesse.decode.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Decode {
    /// Which decoder.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::LAYER)))]
    pub(in crate::capture) layer: Word,
    /// Where, bytes from the start of what that decoder was reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) offset: Option<u64>,
    /// Whether nothing more is read in that direction.
    pub(in crate::capture) opaque: bool,
}

/// `finesse.redaction.*`
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Redaction {
    /// The level in force.
    #[serde(deserialize_with = "vocabulary::one")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::REDACTION_LEVEL)))]
    pub(in crate::capture) level: Word,
    /// Values removed or replaced in this line.
    pub(in crate::capture) count: u64,
    /// Values in which the leak guard found, and masked, a secret seen elsewhere; absent if none.
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::capture) masked: u64,
    /// `true`, once for each client and server, if a password seen there is a public word, which cannot be searched for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) unsearchable: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

treat_all! {
    Gap<'_> { at, events, bytes, first_sequence, last_sequence, relay_affected }
}

impl Treat for Note<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { text } = self;
        text.treat(pass);
    }
}

treat_all! {
    Decode { layer, offset, opaque }
    Redaction { level, count, masked, unsearchable }
}

impl Treat for Capture<'_> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        let Self { version: _, run, settings, policy: _, policy_sha256: _, note: _, file } = self;
        pass.all(&mut [run, file]);
        if !pass.masks {
            settings.retain_mut(|Setting { name, value }| pass.setting(name, value));
        }
    }
}

impl Pass<'_> {
    /// A setting of a run; `false` if it says where it ran. Names and values are this program's and its user's.
    fn setting(&mut self, name: &str, value: &mut Cow<'_, str>) -> bool {
        const KEPT: &str = "redact max-line-bytes quiet verbose alpn grace max-connections connect-timeout handshake-timeout log-format agents \
            keep no-capture upstream-insecure source";
        if self.level <= Level::Auth {
            return true;
        }
        let what = match name {
            _ if value.is_empty() => return false,
            _ if KEPT.split_ascii_whitespace().any(|kept| kept == name) => What::Word,
            "unknown" => What::Own,
            "upstream" | "listen" if self.level == Level::Share => What::Host,
            _ => {
                self.removed(What::Host.class());
                return false;
            }
        };
        if let Cow::Owned(kept) = self.value(what, name, value) {
            *value = Cow::Owned(kept);
        }
        true
    }
}
