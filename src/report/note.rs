//! A note of somebody who was there.

use super::model::Mark;
use super::words::serialize_stamp;
use serde::Serialize;

/// What a person wrote down while it happened.
#[derive(Debug, Serialize)]
pub struct Note {
    /// When.
    #[serde(serialize_with = "serialize_stamp", rename = "at")]
    pub at_us: i64,
    /// The words.
    pub text: String,
    /// The line.
    pub line: Mark,
}
