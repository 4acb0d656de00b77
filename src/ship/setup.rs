//! What Elasticsearch needs before the first event: ingest pipeline, component template, index template; for Kibana a data view.
//!
//! The documents are assets of this program, put as they are under fixed names, in the order they refer to one another. To put
//! them again changes nothing. OpenSearch takes the same three; its Dashboards take no Kibana data view.

use super::backoff::Backoff;
use super::elastic::{DATA_STREAM, Login};
use super::http::{Answer, Asked, Client, Limits};
use super::url::Url;
use super::verdict::{Stop, quote};
use super::{Pace, Receiver};
use crate::clock;
use anyhow::Context as _;
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The name of the ingest pipeline.
pub const PIPELINE: &str = "finesse-event";
/// The name of the component template.
pub const COMPONENT: &str = "finesse-event-mappings";
/// The name of the index template.
pub const TEMPLATE: &str = "finesse-event";

const PIPELINE_JSON: &str = include_str!("../../assets/elastic/ingest-pipeline.json");
const COMPONENT_JSON: &str = include_str!("../../assets/elastic/component-template.json");
const TEMPLATE_JSON: &str = include_str!("../../assets/elastic/index-template.json");
const DATA_VIEW_NDJSON: &str = include_str!("../../assets/elastic/data-view.ndjson");

/// Multipart needs a line that occurs in no asset.
const BOUNDARY: &str = "finesse-tap-7b1f0c52d9";

/// What to put where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// Kibana, for the data view.
    pub kibana: Option<Url>,
    /// Give up when nothing has answered for so long.
    pub give_up: Option<Duration>,
}

/// Puts everything, however long it takes until the receiver is there. Once `drain` is ordered nothing is tried again.
///
/// # Errors
/// It is refused, or there is no more time.
pub(super) async fn put(
    receiver: &Receiver,
    setup: &Setup,
    login: &Login,
    stream: &str,
    pace: Pace,
    drain: &CancellationToken,
) -> anyhow::Result<()> {
    let limits = Limits { connect: pace.connect, request: pace.request };
    let elastic = Client::new(receiver.url.clone(), &receiver.trust, limits, "--elastic")?;
    let template = template(stream)?;
    let json = HeaderValue::from_static("application/json");
    let documents = [
        (format!("/_ingest/pipeline/{PIPELINE}"), PIPELINE_JSON.to_owned()),
        (format!("/_component_template/{COMPONENT}"), COMPONENT_JSON.to_owned()),
        (format!("/_index_template/{TEMPLATE}"), template),
    ];
    for (path, body) in documents {
        let mut fields = vec![(CONTENT_TYPE, json.clone())];
        fields.extend(login.field()?);
        let asked = Asked { method: Method::PUT, path, fields, body: Bytes::from(body) };
        sure(&elastic, &asked, setup.give_up, pace, drain).await?;
    }
    if let Some(url) = &setup.kibana {
        let kibana = Client::new(url.clone(), &receiver.trust, limits, "--elastic")?;
        let form = HeaderValue::from_str(&format!("multipart/form-data; boundary={BOUNDARY}"))?;
        let mut fields =
            vec![(CONTENT_TYPE, form), (HeaderName::from_static("kbn-xsrf"), HeaderValue::from_static("true"))];
        fields.extend(login.field()?);
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"data-view.ndjson\"\r\n\
             Content-Type: application/ndjson\r\n\r\n{DATA_VIEW_NDJSON}\r\n--{BOUNDARY}--\r\n"
        );
        let path = "/api/saved_objects/_import?overwrite=true".to_owned();
        let asked = Asked { method: Method::POST, path, fields, body: Bytes::from(body) };
        sure(&kibana, &asked, setup.give_up, pace, drain).await?;
    }
    tracing::info!(receiver = receiver.name(), "pipeline and templates are in place");
    Ok(())
}

/// The index template; for the data stream of this name even where ours is called otherwise.
fn template(stream: &str) -> anyhow::Result<String> {
    let usual = DATA_STREAM.trim_end_matches("default");
    if stream.starts_with(usual) {
        return Ok(TEMPLATE_JSON.to_owned());
    }
    let mut template: serde_json::Value = serde_json::from_str(TEMPLATE_JSON).context("read our own index template")?;
    if let Some(patterns) = template.get_mut("index_patterns").and_then(serde_json::Value::as_array_mut) {
        patterns.push(stream.into());
    }
    Ok(template.to_string())
}

async fn sure(
    client: &Client,
    asked: &Asked,
    give_up: Option<Duration>,
    pace: Pace,
    drain: &CancellationToken,
) -> anyhow::Result<()> {
    let mut backoff = Backoff::new(pace.backoff_base, pace.backoff_cap);
    let since = clock::now();
    loop {
        let (why, hint, after) = match client.ask(asked).await {
            Ok(answer) if answer.status.is_success() => return accepted(&answer, client, asked),
            Ok(answer) if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS => {
                (format!("{} answers {}", client.url(), answer.status), None, answer.retry_after)
            }
            Ok(answer) => return Err(refused(&answer, client, asked)),
            Err(trouble) => (trouble.why, trouble.hint, None),
        };
        tracing::warn!(receiver = %client.url(), why, hint = hint.as_deref(), "not set up yet; trying again");
        let wait = backoff.next(after);
        let tried = clock::now().since(since);
        let left = give_up.map_or(Duration::MAX, |limit| limit.saturating_sub(tried));
        if left.is_zero() {
            return Err(Stop { why: format!("given up after {} s: {why}", tried.as_secs()), hint }.into());
        }
        tokio::select! {
            () = tokio::time::sleep(wait.min(left)) => {}
            () = drain.cancelled() => anyhow::bail!("stopped before {} was set up", client.url()),
        }
    }
}

/// Kibana tells errors of an import in an answer of 200.
fn accepted(answer: &Answer, client: &Client, asked: &Asked) -> anyhow::Result<()> {
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if said.get("success") == Some(&serde_json::Value::Bool(false)) {
        return Err(refused(answer, client, asked));
    }
    Ok(())
}

fn refused(answer: &Answer, client: &Client, asked: &Asked) -> anyhow::Error {
    let path = asked.path.split('?').next().unwrap_or_default();
    let words = quote(&String::from_utf8_lossy(&answer.body));
    let why = format!("{}{path} answers {}: {words}", client.url(), answer.status);
    let hint = match answer.status.as_u16() {
        401 | 403 => {
            "the key needs manage_index_templates and manage_ingest_pipelines; leave --elastic-setup away once it is done"
        }
        404 | 405 => "is that the right address? Elasticsearch is usually on 9200, Kibana on 5601",
        _ => "is it Elasticsearch 8 or 9, or OpenSearch 2.15 or later?",
    };
    Stop::new(why, hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_assets_refer_to_one_another_by_the_names_they_are_put_under() {
        let template = json(TEMPLATE_JSON);
        assert_eq!(template["composed_of"], serde_json::json!([COMPONENT]));
        assert!(template["data_stream"].is_object());
        assert_eq!(template["index_patterns"][0], "logs-finesse.event-*");
        let component = json(COMPONENT_JSON);
        let settings = [&template["template"]["settings"], &component["template"]["settings"]];
        let pipeline = |at: &&Value| {
            let index = if at["index"].is_object() { &at["index"] } else { at };
            index["default_pipeline"].as_str().or(at["index.default_pipeline"].as_str()).map(str::to_owned)
        };
        assert_eq!(settings.iter().find_map(pipeline).as_deref(), Some(PIPELINE));
        assert!(json(PIPELINE_JSON)["processors"].is_array());
        assert_eq!(component["template"]["mappings"]["dynamic"], false);
        for line in DATA_VIEW_NDJSON.lines() {
            assert_eq!(json(line)["type"], "index-pattern");
        }
        assert!(!DATA_VIEW_NDJSON.contains(BOUNDARY));
    }

    #[test]
    fn a_data_stream_of_another_name_is_covered_too() {
        assert_eq!(template("logs-finesse.event-lab").unwrap(), TEMPLATE_JSON);
        let patterns = json(&template("lab-finesse").unwrap())["index_patterns"].clone();
        assert_eq!(patterns, serde_json::json!(["logs-finesse.event-*", "lab-finesse"]));
    }
}
