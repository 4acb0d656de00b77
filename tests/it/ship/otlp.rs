//! Events delivered over OTLP to a stand-in that takes requests apart by the protocol's own messages.

use super::site::Site;
use crate::support::program::run;
use crate::support::receiver::{Asked, Contract, Receiver, Reply, Wire};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use prost::Message as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What came, by `log.record.uid`: body, time in nanoseconds, and how often.
#[derive(Default)]
struct Otlp {
    records: BTreeMap<String, (Value, u64, usize)>,
    /// A header that requests must have.
    wants: Option<(&'static str, &'static str)>,
}

impl Contract for Otlp {
    fn is_delivery(path: &str) -> bool {
        path == "/v1/logs"
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let refused = |status| Reply { status, fields: Vec::new(), body: String::new() };
        if self.wants.is_some_and(|(name, value)| asked.fields.get(name).is_none_or(|found| found != value)) {
            return refused(401);
        }
        if (&*asked.method, &*asked.path) != ("POST", "/v1/logs") {
            return refused(404);
        }
        assert_eq!(asked.fields["content-type"], "application/x-protobuf");
        let request = ExportLogsServiceRequest::decode(&*asked.body).unwrap();
        for resource in request.resource_logs {
            let names: Vec<String> = resource.resource.unwrap().attributes.into_iter().map(|pair| pair.key).collect();
            assert_eq!(names, ["service.name", "host.name"]);
            for record in resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                let id = record.attributes.iter().find(|pair| pair.key == "log.record.uid").unwrap();
                let Value::String(id) = plain(id.value.clone()) else { panic!("no text") };
                assert!(!record.event_name.is_empty() && record.severity_number > 0);
                let entry = self.records.entry(id).or_insert((plain(record.body), record.time_unix_nano, 0));
                entry.2 += 1;
            }
        }
        Reply { status: 200, fields: vec![("content-type", "application/x-protobuf".into())], body: String::new() }
    }
}

/// A value of the protocol as JSON.
fn plain(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        None => Value::Null,
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::BoolValue(truth)) => truth.into(),
        Some(Kind::IntValue(number)) => number.into(),
        Some(Kind::DoubleValue(number)) => json!(number),
        Some(Kind::ArrayValue(list)) => list.values.into_iter().map(|value| plain(Some(value))).collect(),
        Some(Kind::KvlistValue(map)) => map.values.into_iter().map(|pair| (pair.key, plain(pair.value))).collect(),
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn every_event_arrives_once_and_whole_as_a_log_record() {
    let (site, otlp) = (Site::new(), Receiver::start(Otlp::default(), Wire::Plain));
    let played = run(site.dir(), &["demo", "--capture", "captures"]);
    assert_eq!(played.code, Some(0), "{}", played.stderr);
    site.write(1, 1..=3_000);
    let mut wanted = BTreeMap::new();
    for entry in std::fs::read_dir(site.path("captures")).unwrap() {
        for line in std::fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let at: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
            let id = event["event"]["id"].as_str().unwrap().to_owned();
            wanted.insert(id, (event, u64::try_from(at.as_nanosecond()).unwrap(), 1));
        }
    }
    let ended = run(site.dir(), &["ship", "captures", "--otlp", &otlp.url()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("delivered {} events to otlp http://127.0.0.1:", wanted.len())),
        "{}",
        ended.stderr
    );
    assert!(otlp.contract.lock().unwrap().records == wanted, "records differ from the events");
}

#[test]
fn headers_come_from_a_file_and_their_lack_is_told() {
    let wants = Some(("x-scope", "tenant-canary"));
    let (site, otlp) = (Site::new(), Receiver::start(Otlp { wants, ..Otlp::default() }, Wire::Plain));
    site.write(1, 1..=10);
    let url = format!("{}/v1/logs", otlp.url());
    let ended = run(site.dir(), &["ship", "captures", "--otlp", &url]);
    assert!(ended.code == Some(1) && ended.stderr.contains("--otlp-headers-file"), "{}", ended.stderr);
    site.secret("headers", "X-Scope: tenant-canary\n");
    let ended = run(site.dir(), &["ship", "captures", "--otlp", &url, "--otlp-headers-file", "headers"]);
    assert!(ended.code == Some(0) && !ended.stderr.contains("canary"), "{}", ended.stderr);
    assert_eq!(otlp.contract.lock().unwrap().records.len(), 10);
}
