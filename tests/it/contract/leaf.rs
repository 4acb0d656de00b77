//! The schema's fields, flat: `finesse.ws.close.code` with its type, values and description.

use serde_json::Value;

/// One field that holds values.
pub struct Leaf {
    /// Dotted, as Elasticsearch writes it; Splunk has `{}` behind what is a list of objects or values.
    pub path: String,
    pub splunk: String,
    /// `string`, `integer`, `boolean`.
    pub kind: String,
    /// `date-time` for times.
    pub format: Option<String>,
    /// Whether it is a list, or lies in one.
    pub many: bool,
    pub words: Vec<String>,
    pub description: String,
}

/// One object: its path, description, and the leaves straight in it or in its unnamed children.
pub struct Group {
    pub path: String,
    pub description: String,
}

pub fn schema() -> Value {
    let path = "schema/event-1.1.schema.json";
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every leaf, in the order of the stream.
pub fn leaves() -> Vec<Leaf> {
    let mut found = Vec::new();
    walk(&schema(), "", "", false, &mut |_| {}, &mut |leaf| found.push(leaf));
    assert!(found.len() > 150, "the schema is gone");
    found
}

/// Groups and leaves, in the order of the stream.
pub fn outline() -> Vec<Result<Group, Leaf>> {
    let found = std::cell::RefCell::new(Vec::new());
    walk(&schema(), "", "", false, &mut |group| found.borrow_mut().push(Ok(group)), &mut |leaf| {
        found.borrow_mut().push(Err(leaf))
    });
    found.into_inner()
}

fn walk(
    schema: &Value,
    path: &str,
    splunk: &str,
    many: bool,
    group: &mut dyn FnMut(Group),
    leaf: &mut dyn FnMut(Leaf),
) {
    for (name, field) in schema["properties"].as_object().unwrap() {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{name}");
        let list = field["type"] == "array";
        let splunk = format!("{splunk}{dot}{name}{}", if list { "{}" } else { "" });
        let value = if list { &field["items"] } else { field };
        let description = field["description"].as_str().unwrap().to_owned();
        let many = many || list;
        if value["type"] == "object" {
            group(Group { path: path.clone(), description });
            walk(value, &path, &splunk, many, group, leaf);
            continue;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        leaf(Leaf {
            path,
            splunk,
            kind: text(&value["type"]).unwrap(),
            format: text(&value["format"]).filter(|format| format == "date-time"),
            many,
            words: value["enum"].as_array().into_iter().flatten().filter_map(text).collect(),
            description,
        });
    }
}
