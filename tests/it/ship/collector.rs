//! Captures read by a real OpenTelemetry Collector with the receiver that the program hands out, from PyPI.
//!
//! That build has no OTLP receiver either, so that `otlp.rs` holds our own delivery against the messages of the protocol. It
//! has no Elasticsearch exporter and no storage: it passes what it has read on over OTLP to a stand-in here.

use super::site::Site;
use crate::support::program::run;
use crate::support::receiver::{Asked, Contract, Receiver, Reply, Wire};
use crate::support::{Deadline, PATIENCE, have_file};
use finesse_tap::assets::Kind;
use finesse_tap::capture::line::MAX_LINE_BYTES;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A stand-in for what takes OTLP over HTTP in JSON: the log records that came, by document id.
#[derive(Default)]
struct Otlp {
    records: BTreeMap<String, (Value, String)>,
}

impl Contract for Otlp {
    fn is_delivery(path: &str) -> bool {
        path == "/v1/logs"
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let request: Value = serde_json::from_slice(&asked.body).unwrap();
        let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        for resource in list(&request, "resourceLogs") {
            for record in list(&resource, "scopeLogs").iter().flat_map(|scope| list(scope, "logRecords")) {
                let [id] = &record["attributes"].as_array().unwrap()[..] else { panic!("{}", record["attributes"]) };
                assert_eq!(id["key"], "elasticsearch.document_id");
                let id = id["value"]["stringValue"].as_str().unwrap().to_owned();
                let at = record["timeUnixNano"].as_str().unwrap().to_owned();
                self.records.insert(id, (plain(&record["body"]), at));
            }
        }
        Reply::json(200, json!({}))
    }
}

/// OTLP's values as the JSON they came from.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else { return Value::Null };
    match kind.as_str() {
        "kvlistValue" => {
            let pairs = value["values"].as_array().into_iter().flatten();
            pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), plain(&pair["value"]))).collect()
        }
        "arrayValue" => value["values"].as_array().into_iter().flatten().map(plain).collect(),
        "doubleValue" => match value.as_f64().unwrap() {
            // JSON's numbers are doubles to the Collector.
            number if number.fract() == 0.0 => json!(number as i64),
            number => json!(number),
        },
        _ => value.clone(),
    }
}

const PROGRAM: &str = "tests/real/python/otel_collector/bin/otelcol-contrib_linux_amd64";

struct Running(Child);

impl Running {
    fn start(site: &Site, config: String) -> Self {
        std::fs::write(site.path("config.yaml"), config).unwrap();
        let log = std::fs::File::create(site.path("collector.log")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(site.path("config.yaml")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self(command.spawn().unwrap())
    }
}

/// Every event that lies there, with its time in nanoseconds, by id.
fn written(site: &Site) -> BTreeMap<String, (Value, String)> {
    let mut wanted = BTreeMap::new();
    for entry in std::fs::read_dir(site.path("captures")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with('.') {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().filter(|line| !line.ends_with("torn")) {
            let event: Value = serde_json::from_str(line).unwrap();
            let at: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
            let id = event["event"]["id"].as_str().unwrap().to_owned();
            wanted.insert(id, (event, at.as_nanosecond().to_string()));
        }
    }
    wanted
}

fn assert_arrived(site: &Site, otlp: &Receiver<Otlp>) {
    let wanted = written(site);
    let deadline = Deadline::after(2 * PATIENCE);
    while otlp.contract.lock().unwrap().records.len() < wanted.len() {
        let log = std::fs::read_to_string(site.path("collector.log")).unwrap();
        let there = otlp.contract.lock().unwrap().records.len();
        assert!(!deadline.is_over(), "{there} of {}: {}", wanted.len(), &log[..log.len().min(3_000)]);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(otlp.contract.lock().unwrap().records == wanted, "records differ from the events");
}

fn exporter(otlp: &Receiver<Otlp>) -> String {
    format!("  otlphttp:\n    endpoint: {}\n    encoding: json\n    compression: none\n", otlp.url())
}

const TELEMETRY: &str = "  telemetry:\n    metrics:\n      level: none\n";

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_collector_reads_every_event_whole_and_passes_over_torn_lines() {
    if !have_file("captures read by the OpenTelemetry Collector", Path::new(PROGRAM)) {
        return;
    }
    let (site, otlp) = (Site::new(), Receiver::start(Otlp::default(), Wire::Plain));
    let played = run(site.dir(), &["demo", "--capture", "captures"]);
    assert_eq!(played.code, Some(0), "{}", played.stderr);
    site.write(1, 1..=500);
    site.append(1, "{\"@timestamp\":\"2026-01-15T09:12:40.561300Z\",\"event\":{\"id\":\"torn\n");
    let short = super::site::event(501);
    let pad = "née ".repeat((MAX_LINE_BYTES - short.len()) / 5 - 10);
    let long = short.replace("\"xml\":\"", &format!("\"xml\":\"{pad}"));
    assert!((MAX_LINE_BYTES - 200..=MAX_LINE_BYTES).contains(&long.len()), "{}", long.len());
    site.append(1, &(long + "\n"));

    let text = Kind::Otelcol.file("config.yaml").unwrap().text;
    let (_, receivers) = text.split_once("\nreceivers:").unwrap();
    let (receivers, rest) = receivers.split_once("\nexporters:").unwrap();
    let (_, service) = rest.split_once("\nservice:").unwrap();
    let replace = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replace(from, to)
    };
    let receivers = replace(receivers, "/var/lib/finesse-tap/captures", site.path("captures").to_str().unwrap());
    let receivers = replace(&receivers, "    storage: file_storage\n", "");
    let service = replace(service, "  extensions: [file_storage]\n", "");
    let service = replace(&service, "[elasticsearch]", "[otlphttp]");
    let config = format!("receivers:{receivers}\nexporters:\n{}\nservice:{service}{TELEMETRY}", exporter(&otlp));
    let _running = Running::start(&site, config);
    assert_arrived(&site, &otlp);
}
