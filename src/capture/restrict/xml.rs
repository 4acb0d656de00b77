//! The text of a stanza or REST body through a stricter level, written anew from the parsed tree.
//!
//! Follows the document inside a notification, XML or JSON. What does not parse (or was cut off) is measured; elements of
//! a namespace that no rule knows are left out with all that is in them.

use super::Restrictor;
use super::known;
use super::names::{self, What};
use super::user::Place;
use crate::capture::rules::{self, Class, Level};
use crate::finesse::Notification;
use crate::xmpp::element::Node;
use crate::xmpp::parse::{escape, parse, unescape};
use crate::xmpp::{Document, Element, Scope, sasl};
use serde_json::Value;
use std::borrow::Cow;

/// Documents inside documents, and levels of JSON, followed at the most.
const MAX_NESTING: usize = 3;
const MAX_JSON_DEPTH: usize = 64;

impl Restrictor {
    /// A stanza, a payload, or the beginning of one.
    pub(super) fn xml(&mut self, text: &str, nesting: usize) -> String {
        if self.level <= Level::Auth && self.rules.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let document = parse(text);
        self.document(&document, nesting, &mut out);
        out
    }

    /// The content of a REST message: XML, JSON, a form, or a measure of it.
    pub(super) fn content(&mut self, text: &str, mime_type: &str) -> String {
        if self.level <= Level::Auth && self.rules.is_empty() {
            return text.to_owned();
        }
        match Notification::of(text) {
            _ if super::value::is_mark(text.trim()) => text.trim().to_owned(),
            _ if mime_type.contains("x-www-form-urlencoded") => self.pairs(text),
            Notification::Xml if !mime_type.contains("html") => self.xml(text, 1),
            Notification::Json => self.json(text),
            _ => self.unparsed(text.len()),
        }
    }

    fn document(&mut self, document: &Document<'_>, nesting: usize, out: &mut String) {
        for root in document.roots() {
            self.element(root, &Scope::around(root), "", "", nesting, out);
        }
        if let Some(malformed) = document.malformed() {
            let rest = document.source().get(malformed.offset..).unwrap_or_default();
            // A measure that stands behind what could be read is no document, and stays.
            let measured =
                if super::value::is_mark(rest.trim()) { rest.trim().to_owned() } else { self.unparsed(rest.len()) };
            out.push_str(&measured);
        }
    }

    fn unparsed(&mut self, bytes: usize) -> String {
        self.removed(Class::Unknown);
        format!("[unparsed:{bytes} bytes]")
    }

    fn element<'x>(
        &mut self,
        element: Element<'_, 'x>,
        outer: &Scope<'_, 'x>,
        parent: &str,
        path: &str,
        nesting: usize,
        out: &mut String,
    ) {
        let scope = outer.on(element);
        let namespace = scope.namespace(element);
        let strict = self.level > Level::Auth;
        if strict && !rules::is_known_namespace(&namespace) {
            self.removed(Class::Unknown);
            return;
        }
        let name = element.name().to_lowercase();
        let path = format!("{path}/{name}");
        if name == "callvariables" && self.level == Level::Minimal {
            let count = element.children().count();
            self.removed(Class::Customer);
            out.push_str(&format!("<{0}>[customer:{count}]</{0}>", element.name()));
            return;
        }
        let tag = self.tag(element, &name);
        out.push('<');
        out.push_str(tag);
        // A prefix that is not written leaves its namespace as the element's own.
        let unprefixed = element.qname().len() > element.name().len() && !tag.contains(':');
        if unprefixed && !namespace.is_empty() {
            out.push_str(" xmlns=\"");
            escape(&namespace, out);
            out.push('"');
        }
        for (attribute, raw) in element.attributes().filter(|(name, _)| !(unprefixed && *name == "xmlns")) {
            self.attribute(element.name(), attribute, raw, &namespace, out);
        }
        let mut nodes = element.nodes().peekable();
        if nodes.peek().is_none() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        let variable = (name == "callvariable").then(|| variable_name(element)).flatten();
        let carries_sasl = namespace == sasl::NAMESPACE && sasl::carries_data(&name);
        for node in nodes {
            let text = match node {
                Node::Element(child) => {
                    let ruled = variable.as_deref().zip(part_of_variable(&child.name().to_lowercase()));
                    match ruled.and_then(|(variable, part)| self.ruled(part, variable, &child.text())) {
                        Some(value) => {
                            out.push_str(&format!("<{}>", child.qname()));
                            escape(&value, out);
                            out.push_str(&format!("</{}>", child.qname()));
                        }
                        None => self.element(child, &scope, &name, &path, nesting, out),
                    }
                    continue;
                }
                Node::Text(raw) => unescape(raw),
                Node::CData(raw) => Cow::Borrowed(raw),
            };
            if text.trim().is_empty() {
                out.push_str(&text);
                continue;
            }
            let kept = if carries_sasl {
                self.credential("sasl", text.trim())
            } else {
                self.element_text(&name, parent, &path, &text, nesting)
            };
            escape(&kept, out);
        }
        out.push_str("</");
        out.push_str(tag);
        out.push('>');
    }

    /// An element's name as it may be written; `name` is its local name in lower case.
    fn tag<'a>(&mut self, element: Element<'a, '_>, name: &str) -> &'a str {
        if self.level <= Level::Auth {
            return element.qname();
        }
        if !known::element(name) {
            self.removed(Class::Unknown);
            return "unknown";
        }
        if element.qname().starts_with("stream:") { element.qname() } else { element.name() }
    }

    fn attribute(&mut self, element: &str, name: &str, raw: &str, namespace: &str, out: &mut String) {
        let value = unescape(raw);
        let declares = name == "xmlns" || name.starts_with("xmlns:");
        let names_a_namespace = matches!(name, "xmlns" | "xmlns:stream") || element == "feature" && name == "var";
        let kept = if self.level <= Level::Auth || names_a_namespace && rules::is_known_namespace(&value) {
            value.into_owned()
        } else if declares {
            self.removed(Class::Unknown);
            return;
        } else {
            let what = names::attribute(element, name, namespace);
            let kept = self.by_name(what, name, &value);
            if what == What::Unknown || kept.is_empty() && !value.is_empty() {
                return;
            }
            kept
        };
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(&kept, out);
        out.push('"');
    }

    fn element_text(&mut self, name: &str, parent: &str, path: &str, text: &str, nesting: usize) -> String {
        if let Some(value) = self.ruled(Place::Xml, path, text) {
            return value;
        }
        if super::value::is_mark(text.trim()) && name == "notification" {
            return text.to_owned();
        }
        match Notification::of(text) {
            Notification::Xml | Notification::Json if nesting >= MAX_NESTING => self.unparsed(text.len()),
            Notification::Xml if name == "notification" => self.xml(text, nesting + 1),
            Notification::Json if name == "notification" => self.json(text),
            _ if self.level <= Level::Auth => text.to_owned(),
            _ if name == "notification" => self.unparsed(text.len()),
            _ => {
                let kept = self.by_name(names::member(name, parent), name, text.trim());
                // White space around a value is part of how a server writes.
                if kept == text.trim() { text.to_owned() } else { kept }
            }
        }
    }

    /// A value by what it is.
    pub(super) fn by_name(&mut self, what: What, name: &str, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        match what {
            What::Credential => self.credential(name, value),
            What::Session => self.session(value),
            What::Login => {
                if value.starts_with('/') {
                    self.path(value)
                } else {
                    self.login(value)
                }
            }
            What::Person => self.person(value),
            What::Phone => self.phone(value),
            What::Customer => self.customer(value),
            What::Label => self.label(value),
            What::Host => self.host(value),
            What::Jid => self.jid(value),
            What::Path => {
                if value.starts_with('/') {
                    self.path(value)
                } else {
                    self.unknown(value)
                }
            }
            What::Url => self.url(value),
            What::Identifier => self.number(value, 12),
            What::Code => self.number(value, 6),
            What::StanzaId => self.identifier(value),
            What::Variable => self.variable(value),
            What::Mechanism => self.mechanism(value),
            What::Resource => self.resource(value),
            What::Word => self.word(value),
            What::Sentence => self.text(value),
            What::Unknown => self.unknown(value),
        }
    }

    fn json(&mut self, text: &str) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.json_value("", "", None, &mut value, 0);
                if value.as_str() == Some(GONE) {
                    value = Value::Null;
                }
                value.to_string()
            }
            Err(_) => self.unparsed(text.len()),
        }
    }

    fn json_value(&mut self, name: &str, parent: &str, variable: Option<&str>, value: &mut Value, depth: usize) {
        match value {
            _ if depth > MAX_JSON_DEPTH => *value = Value::String(self.unparsed(0)),
            Value::Object(members) => {
                if name == "callvariables" && self.level == Level::Minimal {
                    let count = members.values().map(|v| v.as_array().map_or(1, Vec::len)).sum::<usize>();
                    self.removed(Class::Customer);
                    *value = Value::String(format!("[customer:{count}]"));
                    return;
                }
                let variable = (name == "callvariable")
                    .then(|| members.get("name").and_then(Value::as_str).map(str::to_lowercase))
                    .flatten();
                for (member, value) in members.iter_mut() {
                    self.json_value(&member.to_lowercase(), name, variable.as_deref(), value, depth + 1);
                }
                if self.level > Level::Auth {
                    members.retain(|_, value| value.as_str() != Some(GONE));
                    let odd: Vec<String> =
                        members.keys().filter(|key| !known::element(&key.to_lowercase())).cloned().collect();
                    for key in odd {
                        self.removed(Class::Unknown);
                        let inside = members.remove(&key).filter(|value| value.is_object() || value.is_array());
                        if let Some(inside) = inside {
                            members.entry("unknown").or_insert(inside);
                        }
                    }
                }
            }
            Value::Array(values) => {
                for value in values.iter_mut() {
                    self.json_value(name, parent, variable, value, depth + 1);
                }
                if self.level > Level::Auth {
                    values.retain(|value| value.as_str() != Some(GONE));
                }
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let text = match &*value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let ruled = variable.zip(part_of_variable(name));
                let ruled = ruled.and_then(|(variable, part)| self.ruled(part, variable, &text));
                let ruled = ruled.or_else(|| self.ruled(Place::Json, name, &text));
                let kept = ruled.unwrap_or_else(|| self.by_name(names::member(name, parent), name, &text));
                if kept.is_empty() && !text.is_empty() {
                    *value = Value::String(GONE.to_owned());
                } else if kept != text {
                    *value = Value::String(kept);
                }
            }
            Value::Null => {}
        }
    }
}

/// Stands in a JSON value's place until its member is taken out; no text can be it, as it would be of a class.
const GONE: &str = "\u{0}gone";

/// Which rules a member of a call variable falls under, by its name in lower case.
fn part_of_variable(name: &str) -> Option<Place> {
    match name {
        "value" => Some(Place::Variable),
        "name" => Some(Place::VariableName),
        _ => None,
    }
}

fn variable_name(element: Element<'_, '_>) -> Option<String> {
    element.children().find(|child| child.name().eq_ignore_ascii_case("name")).map(|child| child.text().to_lowercase())
}
