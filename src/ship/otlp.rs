//! OTLP over HTTP (OpenTelemetry Protocol 1.x): events become log records in protobuf, an answer becomes a `Verdict`.
//!
//! `POST /v1/logs`, which an OpenTelemetry Collector, Loki, Elasticsearch, Splunk's Collector and most others take. The body
//! of a record is the capture line as a map, so that nobody has to parse it again; the record's own time, severity, event
//! name and trace id are filled from it, `log.record.uid` is `event.id`, by which a record that came twice is known.
//! <https://opentelemetry.io/docs/specs/otlp/>: which answers are final, and that a partial success is.

use super::event::Event;
use super::http::{Answer, Asked, Client, sensitive};
use super::secret::Secret;
use super::verdict::{Fate, Stop, Verdict, quote, redirected};
use anyhow::{Context as _, bail};
use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use serde_json::Value;

/// Where logs are posted.
const PATH: &str = "/v1/logs";
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

pub(super) struct Otlp {
    client: Client,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl Otlp {
    /// `headers` holds what the receiver wants to know us by, `Name: value` in every line.
    pub(super) fn new(client: Client, headers: Option<&Secret>) -> anyhow::Result<Self> {
        let mut fields = vec![(CONTENT_TYPE, PROTOBUF), (ACCEPT, PROTOBUF)];
        for line in headers.map(Secret::expose).unwrap_or_default().lines().filter(|line| !line.trim().is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                bail!("the file of --otlp-headers-file holds a line that is no header\nhint: write `Name: value`");
            };
            let name = name.trim().parse().ok().context("--otlp-headers-file: a header has no valid name")?;
            fields.push((name, sensitive(value.trim())?));
        }
        Ok(Self { client, fields })
    }

    /// Sends events and hears what became of them.
    pub(super) async fn send(&self, events: &[Event]) -> Verdict {
        // Whoever gives the whole address is understood, too.
        let path = if self.client.url().prefix.ends_with(PATH) { "" } else { PATH };
        let body = Bytes::from(request(events).encode_to_vec());
        let asked = Asked { method: Method::POST, path: path.to_owned(), fields: self.fields.clone(), body };
        match self.client.ask_packed(&asked).await {
            Ok(answer) => redirected(&answer, &asked.path, "--otlp").unwrap_or_else(|| judge(&answer, events.len())),
            Err(trouble) => Verdict::Later { why: trouble.why, hint: trouble.hint, after: None },
        }
    }
}

fn request(events: &[Event]) -> ExportLogsServiceRequest {
    let mut resource_logs: Vec<ResourceLogs> = Vec::new();
    let mut last = None;
    for event in events {
        if last != Some(&event.host) {
            last = Some(&event.host);
            let mut attributes = vec![text("service.name", "finesse-tap")];
            attributes.extend(event.host.as_deref().map(|host| text("host.name", host)));
            let scope = InstrumentationScope {
                name: String::from("finesse-tap"),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..InstrumentationScope::default()
            };
            let logs = ScopeLogs { scope: Some(scope), ..ScopeLogs::default() };
            resource_logs.push(ResourceLogs {
                resource: Some(Resource { attributes, ..Resource::default() }),
                scope_logs: vec![logs],
                ..ResourceLogs::default()
            });
        }
        if let Some(logs) = resource_logs.last_mut().and_then(|last| last.scope_logs.last_mut()) {
            logs.log_records.push(record(event));
        }
    }
    ExportLogsServiceRequest { resource_logs }
}

fn record(event: &Event) -> LogRecord {
    // It was found to be one JSON object when it was read.
    let line: Value = serde_json::from_slice(&event.line).unwrap_or_default();
    let at = |pointer: &str| line.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let level = at("/log/level");
    let severity = match &*level {
        "error" => SeverityNumber::Error,
        "warn" => SeverityNumber::Warn,
        "debug" => SeverityNumber::Debug,
        "trace" => SeverityNumber::Trace,
        _ => SeverityNumber::Info,
    };
    let at_ns = u64::try_from(event.at_us).unwrap_or(0).saturating_mul(1_000);
    let trace_id = hex(&at("/trace/id")).filter(|id| id.len() == 16).unwrap_or_default();
    LogRecord {
        time_unix_nano: at_ns,
        observed_time_unix_nano: at_ns,
        severity_number: severity.into(),
        severity_text: level,
        event_name: at("/event/action"),
        attributes: vec![text("log.record.uid", &event.id)],
        trace_id,
        body: Some(any(line)),
        ..LogRecord::default()
    }
}

fn any(value: Value) -> AnyValue {
    let value = match value {
        Value::Null => None,
        Value::Bool(truth) => Some(Kind::BoolValue(truth)),
        // OTLP has no unsigned numbers; none of ours is so large.
        Value::Number(number) => number.as_i64().map(Kind::IntValue).or(number.as_f64().map(Kind::DoubleValue)),
        Value::String(text) => Some(Kind::StringValue(text)),
        Value::Array(list) => Some(Kind::ArrayValue(ArrayValue { values: list.into_iter().map(any).collect() })),
        Value::Object(map) => {
            let pair = |(key, value)| KeyValue { key, value: Some(any(value)), ..KeyValue::default() };
            Some(Kind::KvlistValue(KeyValueList { values: map.into_iter().map(pair).collect() }))
        }
    };
    AnyValue { value }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any(value.into())), ..KeyValue::default() }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn judge(answer: &Answer, sent: usize) -> Verdict {
    let status = answer.status;
    let words = || quote(&String::from_utf8_lossy(&answer.body));
    match status.as_u16() {
        200 => match ExportLogsServiceResponse::decode(answer.body.clone()) {
            Err(_) => Verdict::later("the receiver answers 200, and not as OTLP does"),
            Ok(said) => match said.partial_success.filter(|partial| partial.rejected_log_records > 0) {
                None => Verdict::Taken,
                Some(partial) => {
                    let why = format!(
                        "the receiver rejects {} of {sent} log records sent together, and does not say which: {}",
                        partial.rejected_log_records,
                        quote(&partial.error_message)
                    );
                    Verdict::Each(vec![Fate::Refused(why); sent])
                }
            },
        },
        408 | 429 | 500..=599 => {
            let why = format!("the receiver answers {status}");
            Verdict::Later { why, hint: None, after: answer.retry_after }
        }
        400 | 413 | 422 => Verdict::refused(format!("the receiver answers {status}: {}", words())),
        401 | 403 => Verdict::Stop(Stop::new(
            format!("the receiver answers {status}: {}", words()),
            "does it want a header? --otlp-headers-file FILE holds it: Authorization: Bearer …",
        )),
        404 | 405 => Verdict::Stop(Stop::new(
            format!("the receiver answers {status} to POST {PATH}"),
            "is that an OTLP/HTTP endpoint? A Collector's is http://HOST:4318, Loki's http://HOST:3100/otlp",
        )),
        415 => Verdict::Stop(Stop::new(
            "the receiver takes no protobuf (415)",
            "is that an OTLP/HTTP endpoint? gRPC (usually port 4317) is another one",
        )),
        _ => Verdict::Stop(Stop::new(format!("the receiver answers {status}"), "is that an OTLP/HTTP endpoint?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::StatusCode;
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsPartialSuccess;

    fn verdict(status: u16, body: Vec<u8>) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        judge(&Answer { status, body: Bytes::from(body), ..Answer::default() }, 3)
    }

    #[test]
    fn an_answer_says_whether_every_record_was_taken() {
        assert_eq!(verdict(200, Vec::new()), Verdict::Taken);
        let partial = |rejected_log_records| ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess { rejected_log_records, error_message: "old".into() }),
        };
        assert_eq!(verdict(200, partial(0).encode_to_vec()), Verdict::Taken);
        let Verdict::Each(fates) = verdict(200, partial(2).encode_to_vec()) else { panic!("taken") };
        assert!(fates.iter().all(|fate| matches!(fate, Fate::Refused(why) if why.contains("2 of 3"))), "{fates:?}");
        assert!(matches!(verdict(200, b"<html>".to_vec()), Verdict::Later { .. }));
        for (status, is_later) in [(429, true), (503, true), (400, false), (413, false)] {
            assert_eq!(matches!(verdict(status, Vec::new()), Verdict::Later { .. }), is_later, "{status}");
        }
        for status in [302, 401, 403, 404, 415] {
            assert!(matches!(verdict(status, Vec::new()), Verdict::Stop(_)), "{status}");
        }
    }

    #[test]
    fn a_record_holds_all_of_a_line_and_what_backends_look_for() {
        let line = r#"{"@timestamp":"2026-01-15T09:12:40.561300Z","log":{"level":"warn"},"trace":{"id":"0af7651916cd43dd8448eb211c80319c"},"event":{"id":"R-7","action":"finding","sequence":7},"finesse":{},"x":[true,null,1.5,"née"]}"#.as_bytes();
        let event = Event::read(Bytes::from_static(line), None, &mut |_| ()).unwrap();
        let record = record(&event);
        assert_eq!((record.time_unix_nano, &*record.event_name), (1_768_468_360_561_300_000, "finding"));
        assert_eq!((record.severity_number, record.trace_id.len()), (SeverityNumber::Warn as i32, 16));
        assert_eq!(record.attributes, [text("log.record.uid", "R-7")]);
        assert_eq!(record.body, Some(any(serde_json::from_slice(line).unwrap())));
    }
}
