//! Namespace declarations in force while a tree is walked from the root down.
//!
//! [`Element::namespace`](super::Element::namespace) reads the attributes of all elements around one; asked of every element
//! that is a product of depth, attributes and elements. A walk that carries a [`Scope`] reads each attribute once.

use crate::xmpp::element::{Element, split_name, undeclared};
use crate::xmpp::parse::unescape;
use std::borrow::Cow;
use std::collections::HashMap;

/// What one element declares, and what those around it do.
pub struct Scope<'o, 'a> {
    outer: Option<&'o Scope<'o, 'a>>,
    /// Raw values by prefix; `None` is the default namespace. Empty, and without memory, for most elements.
    declared: HashMap<Option<&'a str>, &'a str>,
}

impl<'o, 'a> Scope<'o, 'a> {
    /// Around an element that a walk begins with.
    #[must_use]
    pub fn around(element: Element<'_, 'a>) -> Self {
        let mut declared = HashMap::new();
        let mut around = element.parent();
        while let Some(outer) = around {
            for (prefix, namespace) in declarations(outer) {
                declared.entry(prefix).or_insert(namespace);
            }
            around = outer.parent();
        }
        Self { outer: None, declared }
    }

    /// On an element for which this is what stands around it.
    #[must_use]
    pub fn on(&'o self, element: Element<'_, 'a>) -> Self {
        Self { outer: Some(self), declared: declarations(element).collect() }
    }

    /// The namespace of the element that this is the scope on, as [`Element::namespace`] gives it.
    #[must_use]
    pub fn namespace(&self, element: Element<'_, 'a>) -> Cow<'a, str> {
        let prefix = split_name(element.qname()).0;
        let mut scopes = std::iter::successors(Some(self), |scope| scope.outer);
        let raw = scopes.find_map(|scope| scope.declared.get(&prefix).copied());
        raw.map_or(Cow::Borrowed(undeclared(prefix)), unescape)
    }
}

fn declarations<'a>(element: Element<'_, 'a>) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    element.attributes().filter_map(|(name, raw)| match name.strip_prefix("xmlns")? {
        "" => Some((None, raw)),
        prefixed => Some((Some(prefixed.strip_prefix(':')?), raw)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::parse::parse;

    #[test]
    fn a_walk_finds_what_each_element_says_of_itself() {
        let text = "<a xmlns='u:a' xmlns:p='u:p&amp;1'><b><p:c xmlns=''><d/><p:e xmlns:p='u:q'><p:f/><stream:g/></p:e></p:c></b>\
                    <q:h/><xml:i/><b xmlns='u:b'><c/></b><d xmlnsx='u:x'/><:j xmlns:='u:j'/></a><k/>";
        let document = parse(text);
        let mut seen = Vec::new();
        for root in document.roots() {
            walk(root, &Scope::around(root), &mut seen);
        }
        let expected = [
            "u:a",
            "u:a",
            "u:p&1",
            "",
            "u:q",
            "u:q",
            "http://etherx.jabber.org/streams",
            "",
            "http://www.w3.org/XML/1998/namespace",
            "u:b",
            "u:b",
            "u:a",
            "u:j",
            "",
        ];
        assert_eq!(seen, expected);
    }

    fn walk<'a>(element: Element<'_, 'a>, outer: &Scope<'_, 'a>, seen: &mut Vec<String>) {
        let scope = outer.on(element);
        let namespace = scope.namespace(element);
        assert_eq!(namespace, element.namespace());
        assert_eq!(namespace, Scope::around(element).on(element).namespace(element));
        seen.push(namespace.into_owned());
        for child in element.children() {
            walk(child, &scope, seen);
        }
    }
}
