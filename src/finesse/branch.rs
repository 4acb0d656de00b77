//! One reading for both forms Finesse sends: XML elements and JSON members as named branches.
//!
//! A JSON array stands for as many branches of its name as it has items, which is how the same list looks in XML.
//! Texts are trimmed; an empty one is absent, and so is one whose element is cut off.

use crate::xmpp::Element;
use serde_json::Value;
use std::borrow::Cow;

/// Something with a name that holds either branches or a text living for `'t`.
pub(super) trait Branch<'t>: Copy {
    /// As written; XML prefixes left out.
    fn name(&self) -> &str;
    /// What it holds, in order.
    fn branches(self) -> impl Iterator<Item = Self>;
    /// Its text, unless there is none.
    fn text(&self) -> Option<Cow<'t, str>>;
    /// Its name as a value.
    fn owned_name(&self) -> Cow<'t, str>;
}

impl<'a> Branch<'a> for Element<'_, 'a> {
    fn name(&self) -> &str {
        Element::name(self)
    }

    fn branches(self) -> impl Iterator<Item = Self> {
        self.children()
    }

    fn text(&self) -> Option<Cow<'a, str>> {
        if !self.is_closed() {
            return None;
        }
        trimmed(Element::text(self))
    }

    fn owned_name(&self) -> Cow<'a, str> {
        Cow::Borrowed(Element::name(self))
    }
}

/// A member of a JSON object, or one item of a member that is an array.
#[derive(Clone, Copy)]
pub(super) struct Member<'v> {
    pub(super) name: &'v str,
    pub(super) value: &'v Value,
}

impl Member<'_> {
    /// Whether it is an object without members.
    pub(super) fn is_empty(&self) -> bool {
        self.value.as_object().is_some_and(serde_json::Map::is_empty)
    }
}

impl Branch<'static> for Member<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn branches(self) -> impl Iterator<Item = Self> {
        let members = self.value.as_object().into_iter().flatten();
        members.flat_map(|(name, value)| {
            let items = match value {
                Value::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            items.iter().map(move |value| Member { name, value })
        })
    }

    fn text(&self) -> Option<Cow<'static, str>> {
        match self.value {
            Value::String(text) => trimmed(Cow::Owned(text.clone())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn owned_name(&self) -> Cow<'static, str> {
        Cow::Owned(self.name.to_owned())
    }
}

fn trimmed(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    Some(text).filter(|text| !text.is_empty())
}
