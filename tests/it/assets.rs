//! What the program carries for others: whole, well-formed, and naming no field that events do not have.
//!
//! Of the programs these files are for, rsyslog runs in `rsyslog.rs` and the OpenTelemetry Collector's reading half in
//! `ship/collector.rs`; the others could not be had, so here their files are held against their syntax, against the schema,
//! and against what must be set because the usual value cuts lines or drops events.

use crate::contract::leaf::{Leaf, leaves};
use crate::support::program::run;
use finesse_tap::assets::Kind;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every file of `assets/` and what the program carries of it.
fn files() -> Vec<(String, &'static str)> {
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Schema);
    kinds.flat_map(|kind| kind.files().iter().map(move |file| (format!("{kind}/{}", file.path), file.text))).collect()
}

#[test]
fn every_file_is_carried() {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from("assets")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let parts: Vec<_> = path.iter().skip(1).map(|part| part.to_str().unwrap()).collect();
                found.insert(parts.join("/"));
            }
        }
    }
    let carried: BTreeSet<String> = files().into_iter().map(|(path, _)| path).collect();
    assert_eq!(carried, found);
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Schema) {
        assert!(kind.file("README.md").is_ok(), "{kind} has no README");
    }
}

/// Fields in a text, with what they are compared to: `finesse.conn.how`, `fin`.
struct Named<'t> {
    field: &'t str,
    words: Vec<&'t str>,
}

fn named(text: &str) -> Vec<Named<'_>> {
    let tops = "event|log|trace|transaction|network|client|server|http|tls|url|user|user_agent|error|finesse|ecs";
    let field = Regex::new(&format!(r"(?:^|[^\w.$/-])((?:{tops})(?:\.[a-z0-9_]+)+(?:\{{\}})?)")).unwrap();
    let compared = Regex::new(r#"^'?\s*(?:==?|!=|:|NOT IN|IN)\s*(?:\(([^)]*)\)|"?([\w-]+))"#).unwrap();
    let word = Regex::new(r#""([\w-]+)""#).unwrap();
    // Inside JSON texts quotes are escaped; for this they are not.
    let found = field.captures_iter(text).map(|found| {
        let field = found.get(1).unwrap();
        let mut words = Vec::new();
        if let Some(said) = compared.captures(&text[field.end()..]) {
            let list = said.get(1).map_or("", |list| list.as_str());
            let (start, _) = (said.get(1).map_or(0, |list| list.start()), ());
            let list = if list.is_empty() { "" } else { &text[field.end() + start..field.end() + start + list.len()] };
            words.extend(word.captures_iter(list).map(|word| word.get(1).unwrap().as_str()));
            words.extend(said.get(2).map(|one| &text[field.end() + one.start()..field.end() + one.end()]));
        }
        Named { field: field.as_str(), words }
    });
    found.collect()
}

#[test]
fn every_field_they_name_is_one_of_the_schema() {
    let leaves = leaves();
    let added = ["event.ingested"];
    let by = |name: fn(&Leaf) -> &str| leaves.iter().map(|leaf| (name(leaf), leaf)).collect::<BTreeMap<_, _>>();
    let (plain, splunk) = (by(|leaf| &leaf.path), by(|leaf| &leaf.splunk));
    let mut count = 0;
    for (path, text) in files() {
        let text = text.replace("\\\"", "\"");
        for Named { field, words } in named(&text) {
            if field == "finesse.event" || added.contains(&field) {
                continue;
            }
            let known = if path.starts_with("splunk/") { &splunk } else { &plain };
            let leaf = known.get(field).unwrap_or_else(|| panic!("{path}: {field} is no field of the schema"));
            count += 1;
            for word in words {
                let fits = leaf.words.is_empty() || leaf.words.iter().any(|known| known == word);
                assert!(fits, "{path}: {field} is never {word}");
            }
        }
    }
    assert!(count > 250, "only {count} fields were found");
}

#[test]
fn fields_and_words_are_found_where_they_stand() {
    let text = r#"search event.action="a" NOT finesse.conn.how IN ("b", "c") 'http.request.bytes' + user.name : ("d" or "e-f") category{} event.category{} logs-finesse.event-x"#;
    let found: Vec<_> = named(text).into_iter().map(|named| (named.field, named.words)).collect();
    let wanted = [
        ("event.action", vec!["a"]),
        ("finesse.conn.how", vec!["b", "c"]),
        ("http.request.bytes", vec![]),
        ("user.name", vec!["d", "e-f"]),
        ("event.category{}", vec![]),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn they_are_well_formed() {
    let mut seen = BTreeMap::<&str, usize>::new();
    for (path, text) in files() {
        let ending = path.rsplit_once('.').unwrap().1.to_owned();
        let kind = match ending.as_str() {
            "json" => {
                let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
                assert!(value.is_object(), "{path}");
                "JSON"
            }
            "ndjson" => {
                saved_objects(&path, text);
                "NDJSON"
            }
            "xml" => {
                xml(&path, text);
                "XML"
            }
            "toml" => {
                text.parse::<toml::Table>().unwrap_or_else(|error| panic!("{path}: {error}"));
                "TOML"
            }
            "yml" | "yaml" => {
                use saphyr::LoadableYamlNode as _;
                let documents = saphyr::Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
                assert!(documents.len() == 1 && documents[0].is_mapping(), "{path}");
                "YAML"
            }
            "conf" | "meta" if path.starts_with("splunk/") => {
                stanzas(&path, text);
                "stanzas"
            }
            _ => "text",
        };
        *seen.entry(kind).or_default() += 1;
        assert!(text.ends_with('\n') && !text.contains('\t') && !text.contains('\r'), "{path}");
    }
    for kind in ["JSON", "NDJSON", "XML", "TOML", "YAML", "stanzas"] {
        assert!(seen.contains_key(kind), "no {kind} was looked at");
    }
}

/// Splunk's `.conf`: stanzas of `key = value`.
fn stanzas(path: &str, text: &str) {
    let mut stanza = false;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            assert!(line.ends_with(']'), "{path}: {line}");
            stanza = true;
        } else {
            assert!(stanza && line.contains(" = "), "{path}: {line}");
        }
    }
}

/// Well-formed, and every `$token$` comes from an input.
fn xml(path: &str, text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{path}: {error}")) {
            quick_xml::events::Event::Start(_) => depth += 1,
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{path}");
    for used in Regex::new(r"\$(\w+)(?:\.\w+)?\$").unwrap().captures_iter(text) {
        assert!(text.contains(&format!("token=\"{}\"", &used[1])), "{path}: nobody sets {}", &used[0]);
    }
}

/// Kibana's: every reference leads to an object before or in the file, texts within are JSON.
fn saved_objects(path: &str, text: &str) {
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: BTreeSet<_> =
        objects.iter().map(|object| (object["type"].clone().to_string(), object["id"].to_string())).collect();
    assert_eq!(ids.len(), objects.len(), "{path}: an id twice");
    for object in &objects {
        for reference in object["references"].as_array().unwrap() {
            let leads = (reference["type"].to_string(), reference["id"].to_string());
            assert!(ids.contains(&leads), "{path}: {} refers to nothing by {reference}", object["id"]);
        }
        let attributes = &object["attributes"];
        let texts = [
            &attributes["panelsJSON"],
            &attributes["optionsJSON"],
            &attributes["kibanaSavedObjectMeta"]["searchSourceJSON"],
        ];
        for text in texts.into_iter().filter_map(Value::as_str) {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

/// At least twenty, the same ones for both, each with its text.
#[test]
fn there_are_twenty_searches_for_each() {
    let searches = |kind: Kind| kind.file("searches.md").unwrap().text;
    let titles = |text: &'static str| text.lines().filter(|line| line.starts_with("## ")).collect::<Vec<_>>();
    let (splunk, elastic) = (searches(Kind::Splunk), searches(Kind::Elastic));
    assert_eq!(titles(splunk), titles(elastic));
    let count = titles(splunk).len();
    assert!(count >= 20);
    for (text, fences) in [(splunk, &["```spl"][..]), (elastic, &["```kql", "```esql"])] {
        for fence in fences {
            assert_eq!(text.matches(fence).count(), count, "{fence}");
        }
    }
}

/// What Splunk takes for the time of an event is where every line has it.
#[test]
fn splunk_finds_the_time_of_every_line() {
    let props = Kind::Splunk.file("TA-finesse-tap/default/props.conf").unwrap().text;
    let setting = |name: &str| props.lines().find_map(|line| line.strip_prefix(&format!("{name} = "))).unwrap();
    let prefix = Regex::new(setting("TIME_PREFIX")).unwrap();
    let lookahead: usize = setting("MAX_TIMESTAMP_LOOKAHEAD").parse().unwrap();
    let truncate: usize = setting("TRUNCATE").parse().unwrap();
    assert!(truncate >= finesse_tap::capture::line::MAX_LINE_BYTES);
    let text = std::fs::read_to_string("tests/playbook/login.ndjson").unwrap();
    for line in text.lines() {
        let end = prefix.find(line).unwrap().end();
        let stamp = &line[end..end + lookahead];
        assert!(stamp.ends_with('Z') && stamp.parse::<jiff::Timestamp>().is_ok(), "{stamp}");
    }
}

/// What a collector drops, cuts or gives up unless told otherwise, each by its own documentation: `max_line_bytes` of Vector
/// is 100 KiB, `max_log_size` of the Collector 1 MiB, `message_max_bytes` of Filebeat 10 MiB, `buffer_max_size` of Fluent Bit
/// 32 kB; Fluent Bit retries once, the Collector twice, Vector no single event of a request.
#[test]
fn collectors_take_the_longest_line_and_wait_for_as_long_as_it_takes() {
    let text = |kind: Kind, path: &str| kind.file(path).unwrap().text;
    let number = |text: &str, name: &str| -> usize {
        let digits = text.split_once(name).unwrap_or_else(|| panic!("no {name}")).1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap();
        let unit = digits[end..].lines().next().unwrap();
        // Fluent Bit counts in thousands.
        let factor = match unit {
            "" => 1,
            "m" => 1_000_000,
            "MiB" => 1 << 20,
            other => panic!("{other} is no unit"),
        };
        digits[..end].parse::<usize>().unwrap() * factor
    };
    let vector = text(Kind::Vector, "vector.toml");
    let filebeat = text(Kind::Filebeat, "filebeat.yml");
    let fluent_bit = text(Kind::FluentBit, "fluent-bit.yaml");
    let otelcol = text(Kind::Otelcol, "config.yaml");
    for limit in [
        number(vector, "max_line_bytes = "),
        number(filebeat, "message_max_bytes: "),
        number(fluent_bit, "buffer_max_size: "),
        number(otelcol, "max_log_size: "),
    ] {
        assert!(limit > finesse_tap::capture::line::MAX_LINE_BYTES, "{limit}");
    }
    let room = |name: &str| text(Kind::Rsyslog, name).contains("maxMessageSize=\"64k\"");
    assert!(["sender.conf", "receiver.conf", "sender-relp.conf", "receiver-relp.conf"].into_iter().all(room));

    // For both receivers each: Elasticsearch, and Splunk in comments.
    assert_eq!(fluent_bit.matches("retry_limit: no_limits").count(), 2);
    assert_eq!(vector.matches("acknowledgements.enabled = true").count(), 2);
    assert!(vector.contains("request_retry_partial = true"));
    assert_eq!(otelcol.matches("block_on_overflow: true").count(), 2);
    assert!(otelcol.contains("max_retries: 1000000") && otelcol.contains("503") && !otelcol.contains("max_requests"));
    // What would take event.id out of the event.
    assert!(!filebeat.contains("document_id: "));
}

/// OpenSearch knows neither `copy_from` in pipelines nor a constant keyword without its value.
#[test]
fn opensearch_takes_what_elasticsearch_takes() {
    assert!(!Kind::Elastic.file("ingest-pipeline.json").unwrap().text.contains("copy_from"));
    let component: Value = serde_json::from_str(Kind::Elastic.file("component-template.json").unwrap().text).unwrap();
    let mut todo = vec![&component];
    while let Some(value) = todo.pop() {
        if value["type"] == "constant_keyword" {
            assert!(value["value"].is_string(), "{value}");
        }
        todo.extend(value.as_object().into_iter().flat_map(|object| object.values()));
    }
}

#[test]
fn the_program_lists_prints_and_writes_them() {
    let dir = tempfile::tempdir().unwrap();
    let all = run(dir.path(), &["assets"]);
    assert_eq!(all.code, Some(0));
    for (path, _) in files() {
        assert!(all.stdout.contains(&path.replacen('/', " ", 1)), "{path} is not listed");
    }
    let schema = run(dir.path(), &["assets", "schema", "event-1.1.schema.json"]);
    assert_eq!(schema.stdout, std::fs::read_to_string("schema/event-1.1.schema.json").unwrap());
    for kind in Kind::ALL {
        let out = kind.as_str();
        let written = run(dir.path(), &["assets", out, "-o", out]);
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        for file in kind.files() {
            assert_eq!(std::fs::read_to_string(dir.path().join(out).join(file.path)).unwrap(), file.text);
        }
        assert_eq!(written.stdout.lines().count(), kind.files().len());
    }
    // The same again is fine; what somebody has changed stays.
    assert_eq!(run(dir.path(), &["assets", "rsyslog", "-o", "rsyslog"]).code, Some(0));
    let own = dir.path().join("rsyslog").join("sender.conf");
    std::fs::write(&own, "mine").unwrap();
    let refused = run(dir.path(), &["assets", "rsyslog", "-o", "rsyslog"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("sender.conf is there and different; nothing was written"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(own).unwrap(), "mine");
    let missing = run(dir.path(), &["assets", "vector", "vector.yaml"]);
    assert!(
        missing.code == Some(1) && missing.stderr.contains("hint: `finesse-tap assets vector` lists"),
        "{}",
        missing.stderr
    );
    assert!(!Path::new("finesse-splunk").exists());
}
