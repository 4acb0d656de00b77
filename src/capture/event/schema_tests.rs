//! The contract: a JSON Schema (draft 2020-12) of the event, generated from its types and held against the committed file.
//!
//! A field's doc comment is its description, [`vocabulary`] its words. Every object is closed. `UPDATE=1` rewrites the file.
//! Compiled for tests only: the program carries the file.

use super::{ECS, Event, SCHEMA};
use crate::capture::vocabulary::{self, LISTS};
use crate::session::Stage;
use crate::session::findings::{Code, Fact};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Items of `event.category`.
pub(super) fn categories(_: &mut SchemaGenerator) -> Schema {
    list(|word| matches!(word, "authentication" | "network" | "api" | "session" | "web"))
}

/// Items of `event.type`.
pub(super) fn types(_: &mut SchemaGenerator) -> Schema {
    list(|word| !matches!(word, "authentication" | "network" | "api" | "session" | "web"))
}

/// A login stage.
pub(super) fn stages(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Stage::ALL.map(Stage::as_str)})
}

/// The names of an ALPN offer.
pub(super) fn offered(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "enum": vocabulary::ALPN}})
}

/// A finding's code.
pub(super) fn codes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Code::ALL.map(Code::as_str).to_vec()})
}

/// A fact's name.
pub(super) fn facts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Fact::ALL.map(Fact::as_str).to_vec()})
}

fn list(takes: impl Fn(&str) -> bool) -> Schema {
    let words: BTreeSet<&str> = LISTS.iter().copied().flatten().copied().filter(|word| takes(word)).collect();
    json_schema!({"type": "array", "items": {"type": "string", "enum": words}})
}

fn generate() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Event<'_>>().to_value();
    close(&mut schema);
    let mut root = Map::new();
    root.insert("$schema".into(), schema["$schema"].take());
    root.insert("$id".into(), json!(format!("urn:finesse-tap:event:{SCHEMA}")));
    root.insert("title".into(), json!(format!("An event of finesse-tap, schema {SCHEMA}")));
    let description = format!(
        "One line of NDJSON, UTF-8, at most 8,000 bytes unless set otherwise. What is absent is omitted, never null. Names outside `finesse` are those of ECS {ECS}."
    );
    root.insert("description".into(), json!(description));
    for key in ["type", "properties", "required", "additionalProperties"] {
        root.insert(key.into(), schema[key].take());
    }
    Value::Object(root)
}

/// No null, no unknown key, no name of a Rust type; recursively.
fn close(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    map.remove("title");
    map.remove("default");
    if let Some(Value::Array(choices)) = map.remove("anyOf") {
        let some = choices.into_iter().find(|choice| choice["type"] != "null").expect("an alternative to null");
        for (key, value) in some.as_object().expect("a schema").clone() {
            map.entry(key).or_insert(value);
        }
    }
    if let Some(kind @ Value::Array(_)) = map.get_mut("type") {
        *kind = kind[0].take();
    }
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(close);
        map.insert("additionalProperties".into(), json!(false));
    }
    if let Some(items) = map.get_mut("items") {
        close(items);
    }
}

fn properties<'s>(schema: &'s Value, path: &str, visit: &mut dyn FnMut(&str, &'s Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        visit(&path, property);
        properties(property, &path, visit);
        properties(&property["items"], &path, visit);
    }
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let path = format!("schema/event-{SCHEMA}.schema.json");
    let generated = serde_json::to_string_pretty(&generate()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{path} is not what the types say; UPDATE=1 rewrites it");
}

#[test]
fn every_field_is_described_and_every_object_closed() {
    let schema = generate();
    assert_eq!(schema["additionalProperties"], false);
    properties(&schema, "", &mut |path, property| {
        assert!(property["description"].as_str().is_some_and(|text| !text.is_empty()), "{path} is not described");
        let kind = property["type"].as_str().unwrap_or_else(|| panic!("{path} has no one type"));
        let object = if kind == "array" { &property["items"] } else { property };
        assert!(object["type"].is_string(), "{path}: items of no one type");
        if object["type"] == "object" {
            assert_eq!(object["additionalProperties"], false, "{path} is open");
        }
    });
}

#[test]
fn words_of_the_vocabulary_are_words_of_the_schema() {
    let schema = generate();
    let mut taken: BTreeSet<&str> = ["", env!("CARGO_PKG_VERSION")].into();
    let mut take =
        |words: &'static Value| taken.extend(words.as_array().into_iter().flatten().filter_map(Value::as_str));
    let schema: &'static Value = Box::leak(Box::new(schema));
    properties(schema, "", &mut |_, property| {
        take(&property["enum"]);
        take(&property["items"]["enum"]);
    });
    let known: BTreeSet<&str> = vocabulary::words_known().collect();
    let missing: Vec<_> = known.difference(&taken).collect();
    assert!(missing.is_empty(), "no field of the schema takes {missing:?}");
}
