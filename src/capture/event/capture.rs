//! The parts of an event that tell of the log itself: a file's first line, what is missing, unreadable or removed.
//!
//! Nothing here comes from traffic.

use super::Word;
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `finesse.gap.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Gap {
    /// `tap`, `redaction`, or the sink that lost them.
    pub(in crate::capture) at: String,
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

/// `finesse.capture.*` of `log-opened`.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Capture<'a> {
    /// Version of finesse-tap.
    #[serde(deserialize_with = "vocabulary::version")]
    pub(in crate::capture) version: Cow<'a, str>,
    /// ULID of the run.
    pub(in crate::capture) run: Cow<'a, str>,
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
}
