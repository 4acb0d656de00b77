//! The contract of the event stream: what is written validates, names outside `finesse` are ECS's, and the documentation
//! and mappings made of the schema are those that are committed (`UPDATE=1` rewrites them).
//!
//! The schema itself is generated from the types (`src/capture/event/schema.rs`). Other tests hand the events that they
//! see to [`assert_valid`].

pub mod leaf;

use jsonschema::Validator;
use leaf::{Leaf, leaves, outline};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

const ECS: &str = "8.17.0";

/// Asserts that every line is an event as the schema describes it. The schema is closed: an unknown field is an error.
pub fn assert_valid(lines: &str) {
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_event(&event);
    }
}

/// Asserts that this is an event as the schema describes it.
pub fn assert_event(event: &Value) {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        jsonschema::draft202012::options().should_validate_formats(true).build(&leaf::schema()).expect("a schema")
    });
    let problems: Vec<String> =
        validator.iter_errors(event).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "not as the schema says: {problems:#?}\n{event}");
}

#[test]
fn the_schema_is_closed_and_knows_its_words() {
    let golden = std::fs::read_to_string("tests/playbook/login.ndjson").unwrap();
    let event: Value = serde_json::from_str(golden.lines().next().unwrap()).unwrap();
    assert_event(&event);
    type Spoil = fn(&mut Value);
    let spoils: [(&str, Spoil); 8] = [
        ("a new key", |event| event["finesse"]["new"] = json!(1)),
        ("a new key at the top", |event| event["host"] = json!({"name": "h"})),
        ("another type", |event| event["event"]["sequence"] = json!("1")),
        ("a negative count", |event| event["event"]["sequence"] = json!(-1)),
        ("an unknown word", |event| event["event"]["action"] = json!("dance")),
        ("a null", |event| event["user"] = Value::Null),
        ("no time", |event| event["@timestamp"] = json!("yesterday")),
        ("another version", |event| event["finesse"]["schema"] = json!("2.0")),
    ];
    for (what, spoil) in spoils {
        let mut event = event.clone();
        spoil(&mut event);
        let refused = std::panic::catch_unwind(|| assert_event(&event)).is_err();
        assert!(refused, "{what} was taken");
    }
}

/// An ECS field: its type, whether it is a list, and its allowed values, if it lists any.
struct Ecs {
    kind: String,
    array: bool,
    allowed: Vec<String>,
}

fn ecs() -> BTreeMap<String, Ecs> {
    let text = std::fs::read_to_string(format!("schema/ecs-{ECS}.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let allowed = columns.get(3).map(|words| words.split(' ').map(str::to_owned).collect()).unwrap_or_default();
        (columns[0].to_owned(), Ecs { kind: columns[1].to_owned(), array: columns[2] == "array", allowed })
    });
    rows.collect()
}

fn is_ours(path: &str) -> bool {
    path.starts_with("finesse.")
}

#[test]
fn names_outside_finesse_are_those_of_ecs_with_their_types() {
    let ecs = ecs();
    for leaf in leaves().iter().filter(|leaf| !is_ours(&leaf.path)) {
        let Leaf { path, kind, format, words, many, .. } = leaf;
        let field = ecs.get(path).unwrap_or_else(|| panic!("{path} is no field of ECS {ECS} that is on the list"));
        let fits = match field.kind.as_str() {
            "keyword" | "wildcard" | "match_only_text" | "ip" => kind == "string" && format.is_none(),
            "date" => kind == "string" && format.is_some(),
            "long" => kind == "integer",
            "boolean" => kind == "boolean",
            other => panic!("{path}: ECS type {other}"),
        };
        assert!(fits, "{path}: {kind} is not ECS's {}", field.kind);
        assert_eq!(*many, field.array, "{path}: a list, or not");
        let foreign: Vec<_> = words.iter().filter(|word| !field.allowed.contains(word)).collect();
        let listed = !field.allowed.is_empty();
        assert!(!listed || !words.is_empty() && foreign.is_empty(), "{path}: ECS does not allow {foreign:?}");
    }
}

/// The type of a field in Elasticsearch.
fn mapping(leaf: &Leaf, ecs: &BTreeMap<String, Ecs>) -> Value {
    let kind = match (ecs.get(&leaf.path), leaf.kind.as_str()) {
        (Some(field), _) => field.kind.as_str(),
        _ if leaf.path == "finesse.xml" => "match_only_text",
        _ if leaf.path.ends_with(".ip") => "ip",
        _ if leaf.format.is_some() => "date",
        (None, "integer") => "long",
        (None, "boolean") => "boolean",
        // Sentences: to be searched by word, not to be counted.
        _ if ["finesse.finding.advice", "finesse.capture.note"].contains(&&*leaf.path) => "match_only_text",
        (None, _) => "keyword",
    };
    match kind {
        "keyword" => json!({"type": "keyword", "ignore_above": 1024}),
        "wildcard" => json!({"type": "wildcard", "ignore_above": 8191}),
        kind => json!({"type": kind}),
    }
}

/// A generated file is the committed one.
fn assert_committed(path: &str, generated: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(committed == generated, "{path} is not what the schema says; UPDATE=1 rewrites it");
}

#[test]
fn every_field_is_mapped_for_elasticsearch() {
    let ecs = ecs();
    let mut properties = Map::new();
    let own = leaves();
    let rows = own.iter().map(|leaf| (leaf.path.clone(), mapping(leaf, &ecs)));
    let rows = rows.chain([
        ("event.ingested".to_owned(), json!({"type": "date"})),
        ("data_stream.type".to_owned(), json!({"type": "constant_keyword", "value": "logs"})),
        ("data_stream.dataset".to_owned(), json!({"type": "constant_keyword", "value": "finesse.event"})),
        ("data_stream.namespace".to_owned(), json!({"type": "keyword", "ignore_above": 1024})),
    ]);
    for (path, mapping) in rows {
        let mut at = &mut properties;
        let (parents, name) = path.rsplit_once('.').unwrap_or(("", &path));
        for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
            let object = at.entry(parent).or_insert_with(|| json!({"properties": {}}));
            at = object["properties"].as_object_mut().unwrap();
        }
        at.insert(name.to_owned(), mapping);
    }
    let finesse = properties.get_mut("finesse").unwrap().as_object_mut().unwrap();
    finesse.shift_insert(0, "dynamic".to_owned(), json!(false));
    let template = json!({
        "_meta": {
            "description": "Fields of finesse-tap events, generated from schema/event-1.1.schema.json",
            "schema": "1.0",
            "ecs": ECS,
        },
        "template": {
            "mappings": {"dynamic": false, "date_detection": false, "properties": properties},
        },
    });
    let text = serde_json::to_string_pretty(&template).unwrap() + "\n";
    assert_committed("assets/elastic/component-template.json", &text);
}

#[test]
fn every_field_is_documented() {
    let ecs = ecs();
    let cell = |text: &str| text.replace('|', "\\|");
    // Headings in the order of the stream, each with the fields straight below it.
    let mut groups = vec![(String::new(), String::new(), String::new())];
    for entry in outline() {
        let leaf = match entry {
            Ok(group) => {
                groups.push((group.path, group.description, String::new()));
                continue;
            }
            Err(leaf) => leaf,
        };
        let kind = if leaf.format.is_some() { "time" } else { &leaf.kind };
        let kind = ecs.get(&leaf.path).map_or(kind.to_owned(), |field| format!("{kind} ({})", field.kind));
        let list = if leaf.splunk.ends_with("{}") { "list of " } else { "" };
        let words = leaf.words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ");
        let words = if words.is_empty() { words } else { format!(" One of {words}.") };
        let parent = leaf.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let (_, _, rows) = groups.iter_mut().find(|(path, ..)| path == parent).unwrap();
        let _ = writeln!(rows, "| `{}` | {list}{kind} | {}{words} |", leaf.path, cell(&leaf.description));
    }
    let mut text = String::from(HEAD);
    for (path, description, rows) in groups {
        let level = if path.contains('.') { "###" } else { "##" };
        if !path.is_empty() {
            let _ = write!(text, "\n{level} {path}\n\n{description}\n");
        }
        if !rows.is_empty() {
            let _ = write!(text, "\n| field | type | meaning |\n|---|---|---|\n{rows}");
        }
    }
    assert_committed("docs/fields.md", &text);
}

const HEAD: &str = "\
# Fields of the event stream

Made from `schema/event-1.1.schema.json`, which is made from the program's types; tests hold all three together. What each kind
of event carries is in [events.md](events.md). A field that does not apply is absent. In brackets stands the type that ECS gives
a field; everything below `finesse` is our own. Numbers whose unit is not in their name say it. Text is redacted according to
[redaction.md](redaction.md).
";
