//! Captures on their way into a server that others have written: osmem, which behaves as OpenSearch does, from PyPI.
//!
//! It has neither ingest pipelines nor data streams, so the index template goes there without them at last; its refusal of a
//! pipeline that it does not have is OpenSearch's own. Everything else is put and sent as users do.

use super::site::{Site, event};
use crate::support::have_file;
use crate::support::program::run;
use finesse_tap::assets::Kind;
use serde_json::{Value, json};
use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

struct Osmem {
    child: Child,
    url: String,
    /// It ends when this is closed.
    _stdin: ChildStdin,
}

impl Osmem {
    fn start() -> Option<Self> {
        let program = Path::new("tests/real/python/osmem_server/bin/osmem-server");
        if !have_file("captures into OpenSearch's like", program) {
            return None;
        }
        let mut command = Command::new(program);
        command.args(["-addr", "127.0.0.1:0"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let stdin = child.stdin.take().unwrap();
        Some(Self { child, url: said["url"].as_str().unwrap().to_owned(), _stdin: stdin })
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let arguments = ["-s", "-X", method, "-H", "content-type: application/json", "--data-binary", body, &url];
        let answer = Command::new("curl").args(arguments).output().unwrap();
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// Everything it has, by id.
    fn documents(&self) -> Vec<(String, Value)> {
        self.ask("POST", "/logs-finesse.event-default/_refresh", "{}");
        let found = self.ask("POST", "/logs-finesse.event-default/_search", r#"{"size":10000}"#);
        let hits = found["hits"]["hits"].as_array().unwrap().iter();
        hits.map(|hit| (hit["_id"].as_str().unwrap().to_owned(), hit["_source"].clone())).collect()
    }
}

impl Drop for Osmem {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_others_take_for_bulk_requests_is_what_we_send() {
    let Some(osmem) = Osmem::start() else { return };
    let text = |path: &str| Kind::Elastic.file(path).unwrap().text;
    let put = osmem.ask("PUT", "/_component_template/finesse-event-mappings", text("component-template.json"));
    assert_eq!(put, json!({"acknowledged": true}), "OpenSearch takes the mappings");
    let put = osmem.ask("PUT", "/_index_template/finesse-event", text("index-template.json"));
    assert_eq!(put, json!({"acknowledged": true}));

    let site = Site::new();
    let played = run(site.dir(), &["demo", "--capture", "captures"]);
    assert_eq!(played.code, Some(0), "{}", played.stderr);
    site.write(1, 1..=2_500);
    let args = ["ship", "captures", "--elastic", &osmem.url];
    let ended = run(site.dir(), &args);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("pipeline with id [finesse-event] does not exist\nhint: "), "{}", ended.stderr);
    assert!(site.kept(".dead.ndjson").is_empty());

    let mut template: Value = serde_json::from_str(text("index-template.json")).unwrap();
    template["template"]["settings"]["index"].as_object_mut().unwrap().remove("default_pipeline");
    template.as_object_mut().unwrap().remove("data_stream");
    osmem.ask("PUT", "/_index_template/finesse-event", &template.to_string());
    // An event of ours that it cannot read: only this one is kept aside.
    let bad = event(9_999).replace("\"ecs\":{", "\"client\":\"no object\",\"ecs\":{");
    site.append(1, &(bad + "\n"));
    let ended = run(site.dir(), &args);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 lines were refused for good"), "{}", ended.stderr);
    assert_eq!(site.kept(".dead.ndjson").len(), 1);

    let mut wanted = Vec::new();
    for entry in std::fs::read_dir(site.path("captures")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "ndjson")
            && path.file_name().unwrap().to_str().unwrap().starts_with('f')
        {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let lines = lines.filter(|line| !line["client"].is_string());
            wanted.extend(lines.map(|line| (line["event"]["id"].as_str().unwrap().to_owned(), line)));
        }
    }
    let mut found = osmem.documents();
    let by_id = |one: &(String, Value), other: &(String, Value)| one.0.cmp(&other.0);
    wanted.sort_by(by_id);
    found.sort_by(by_id);
    assert_eq!(found.len(), wanted.len());
    assert!(found == wanted, "documents differ from the lines");

    site.forget();
    let again = run(site.dir(), &args);
    assert!(again.stderr.contains("were there already"), "{}", again.stderr);
    assert_eq!(osmem.documents().len(), wanted.len(), "none is there twice");
    let query = r#"{"query":{"term":{"event.action":"finesse-update"}}}"#;
    let updates = osmem.ask("POST", "/logs-finesse.event-default/_count", query);
    assert!(updates["count"].as_u64().unwrap() > 0, "the mappings make it a keyword: {updates}");
}
