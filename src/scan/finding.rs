//! What a detector yields: a stretch of the text it was given, and what that is. Has a value, so it has no `Debug`.

use super::hit::Certainty;
use crate::capture::policy::Class;

/// Something found in a text.
#[derive(Clone, Copy)]
pub(super) struct Finding<'t> {
    /// Where it begins in the text, bytes.
    pub at: usize,
    /// What stands there.
    pub value: &'t [u8],
    /// As reports write it.
    pub kind: &'static str,
    /// Its class in the policy.
    pub class: Class,
    /// How sure that is.
    pub certainty: Certainty,
    /// By what it was recognised.
    pub why: &'static str,
}
