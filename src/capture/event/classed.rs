//! Texts of an event that carry in their type what they are, and how every part of an event is treated.
//!
//! A field that holds text of others is a [`Classed`] one: no other text implements [`Treat`], and a structure hands all of its
//! fields to [`Pass::all`], so that a new field does not compile until somebody has said what it is. Events read back from a
//! line have the same types, so live traffic and stored captures are treated by the same code.

use crate::capture::policy::{Level, Treatment, What};
use crate::capture::walk::Pass;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Longest identifier (JID, stanza id, node, state …) written, bytes: no honest peer sends longer ones.
const MAX_NAME_BYTES: usize = 256;
/// Longest sentence of a peer's written, bytes.
const MAX_SENTENCE_BYTES: usize = 512;

/// A text that is `WHAT`, one of [`What`] by its number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Classed<'a, const WHAT: usize>(Cow<'a, str>);

/// Such a text, where there is one.
pub(in crate::capture) type Text<'a, const WHAT: usize> = Option<Classed<'a, WHAT>>;

pub(in crate::capture) const CONTENT: usize = What::Content as usize;
pub(in crate::capture) const CUSTOMER: usize = What::Customer as usize;
pub(in crate::capture) const RUN_ID: usize = What::RunId as usize;
pub(in crate::capture) const URL: usize = What::Url as usize;
pub(in crate::capture) const CONDITION: usize = What::Condition as usize;
pub(in crate::capture) const DISTINGUISHED_NAME: usize = What::DistinguishedName as usize;
pub(in crate::capture) const EXTENSIONS: usize = What::Extensions as usize;
pub(in crate::capture) const HOST: usize = What::Host as usize;
pub(in crate::capture) const ID: usize = What::Id as usize;
pub(in crate::capture) const JID: usize = What::Jid as usize;
pub(in crate::capture) const LABEL: usize = What::Label as usize;
pub(in crate::capture) const LOGIN: usize = What::Login as usize;
pub(in crate::capture) const MECHANISM: usize = What::Mechanism as usize;
pub(in crate::capture) const MEDIA: usize = What::Media as usize;
pub(in crate::capture) const METHOD: usize = What::Method as usize;
pub(in crate::capture) const NAMESPACE: usize = What::Namespace as usize;
pub(in crate::capture) const NODE: usize = What::Node as usize;
pub(in crate::capture) const NUMBER: usize = What::Number as usize;
pub(in crate::capture) const OWN_ID: usize = What::OwnId as usize;
pub(in crate::capture) const PACKET: usize = What::Packet as usize;
pub(in crate::capture) const PAIRS: usize = What::Pairs as usize;
pub(in crate::capture) const PATH: usize = What::Path as usize;
pub(in crate::capture) const PHONE: usize = What::Phone as usize;
pub(in crate::capture) const RESOURCE: usize = What::Resource as usize;
pub(in crate::capture) const SENTENCE: usize = What::Sentence as usize;
pub(in crate::capture) const SESSION: usize = What::Session as usize;
pub(in crate::capture) const STANZA: usize = What::Stanza as usize;
pub(in crate::capture) const SUBPROTOCOLS: usize = What::Subprotocols as usize;
pub(in crate::capture) const TRANSACTION: usize = What::Transaction as usize;
pub(in crate::capture) const USER_AGENT: usize = What::UserAgent as usize;
pub(in crate::capture) const WORD: usize = What::Word as usize;

impl<'a, const WHAT: usize> Classed<'a, WHAT> {
    /// What it is.
    pub(in crate::capture) fn what() -> What {
        What::ALL.get(WHAT).copied().unwrap_or(What::Unknown)
    }

    /// A text, not treated yet.
    pub(in crate::capture) fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// Treated as something else than its type says, or under a name.
    pub(in crate::capture) fn treat_as(&mut self, what: What, name: &str, pass: &mut Pass<'_>) {
        let kept = pass.value(what, name, &self.0);
        if kept != self.0 {
            self.0 = Cow::Owned(kept.into_owned());
        }
        let limit_bytes = match what {
            What::Sentence | What::Own => MAX_SENTENCE_BYTES,
            // Cut by the line, or by their walkers.
            What::Stanza | What::Content | What::Packet | What::Path | What::Pairs | What::Url => return,
            _ => MAX_NAME_BYTES,
        };
        self.cut(limit_bytes);
    }

    /// The text without the secrets that the guard knows, if it holds any.
    fn mask(&mut self, pass: &mut Pass<'_>) {
        if let Some(masked) = pass.guard.mask(&self.0) {
            self.0 = Cow::Owned(masked);
            pass.masked += 1;
        }
    }

    /// At most `limit_bytes` of it, and a sign that there was more.
    pub(in crate::capture) fn cut(&mut self, limit_bytes: usize) {
        if self.0.len() > limit_bytes {
            let end = self.0.floor_char_boundary(limit_bytes);
            self.0 = Cow::Owned(format!("{}…", self.0.get(..end).unwrap_or_default()));
        }
    }
}

/// A text where there is one, not treated yet.
pub(in crate::capture) fn some<'a, const WHAT: usize>(text: Option<&'a str>) -> Text<'a, WHAT> {
    text.map(Classed::new)
}

impl<const WHAT: usize> Deref for Classed<'_, WHAT> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const WHAT: usize> fmt::Display for Classed<'_, WHAT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a, const WHAT: usize> From<Cow<'a, str>> for Classed<'a, WHAT> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl<const WHAT: usize> Serialize for Classed<'_, WHAT> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const WHAT: usize> Deserialize<'de> for Classed<'_, WHAT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::Owned(String::deserialize(deserializer)?)))
    }
}

#[cfg(test)]
impl<const WHAT: usize> schemars::JsonSchema for Classed<'_, WHAT> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// A part of an event: treated at the pass's level, in place.
pub trait Treat {
    /// Treats every text in it, or masks in every text what the guard finds.
    fn treat(&mut self, pass: &mut Pass<'_>);

    /// Whether nothing of it may be written.
    fn is_gone(&self) -> bool {
        false
    }
}

/// Treats every field of these structures, in this order. A field that is not named does not compile.
macro_rules! treat_all {
    ($($part:ty { $($field:ident),+ $(,)? })+) => {$(
        impl $crate::capture::event::classed::Treat for $part {
            fn treat(&mut self, pass: &mut $crate::capture::walk::Pass<'_>) {
                let Self { $($field),+ } = self;
                pass.all(&mut [$($field),+]);
            }
        }
    )+};
}
pub(in crate::capture) use treat_all;

impl Pass<'_> {
    /// Treats all fields of a structure.
    pub(in crate::capture) fn all(&mut self, fields: &mut [&mut dyn Treat]) {
        fields.iter_mut().for_each(|field| field.treat(self));
    }

    /// Whether values of something are dropped at this level.
    fn drops(&self, what: What) -> bool {
        self.level == Level::Minimal && self.level.treatment(what.class()) == Treatment::Drop
    }
}

impl<const WHAT: usize> Treat for Classed<'_, WHAT> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        if pass.masks {
            return self.mask(pass);
        }
        if pass.drops(Self::what()) && !self.0.is_empty() {
            pass.removed(Self::what().class());
            self.0 = Cow::Borrowed("");
            return;
        }
        self.treat_as(Self::what(), "", pass);
    }

    fn is_gone(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Treat> Treat for Option<T> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        if let Some(inside) = self {
            let was_gone = inside.is_gone();
            inside.treat(pass);
            if inside.is_gone() && !was_gone {
                *self = None;
            }
        }
    }
}

impl<T: Treat> Treat for Box<T> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        (**self).treat(pass);
    }

    fn is_gone(&self) -> bool {
        (**self).is_gone()
    }
}

impl<T: Treat> Treat for Vec<T> {
    fn treat(&mut self, pass: &mut Pass<'_>) {
        self.retain_mut(|one| {
            one.treat(pass);
            !one.is_gone()
        });
    }
}

/// Words of this program's own, times, sizes and counts tell of nobody.
impl Treat for &'static str {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}

impl Treat for bool {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}

impl Treat for u64 {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}

impl Treat for i64 {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}

impl Treat for u16 {
    fn treat(&mut self, _: &mut Pass<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_has_its_number() {
        for (number, what) in What::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, number);
        }
    }
}
