//! Elasticsearch and OpenSearch: events become a `_bulk` body, an answer becomes a `Verdict` for each of them.
//!
//! `create` with `_id` = `event.id` into a data stream: an event that is already there answers 409, which is a delivery, so
//! sending twice stores once. (Exactly so within one backing index: an event sent again after a rollover is stored again,
//! and told by its `event.id`.) The answer is trimmed by `filter_path`; items come in the order they were sent in.

use super::event::Event;
use super::http::{Answer, Asked, Client, sensitive};
use super::secret::Secret;
use super::verdict::{Fate, Stop, Verdict, quote, redirected};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The data stream unless another is named.
pub const DATA_STREAM: &str = "logs-finesse.event-default";

/// How we say who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Login {
    /// Not at all: security is off there.
    None,
    /// With an API key: `ID:KEY`, or the same in base64 as Kibana shows it.
    ApiKey(super::secret::Source),
    /// With a user name and a password.
    Basic {
        /// The user.
        user: String,
        /// Where the password is.
        password: super::secret::Source,
    },
}

impl Login {
    /// The Authorization field, secrets read anew.
    pub(super) fn field(&self) -> anyhow::Result<Option<(HeaderName, HeaderValue)>> {
        let text = match self {
            Self::None => return Ok(None),
            Self::ApiKey(source) => format!("ApiKey {}", encoded(&source.read()?)),
            Self::Basic { user, password } => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.read()?.expose())))
            }
        };
        Ok(Some((AUTHORIZATION, sensitive(&text)?)))
    }
}

/// Keys are shown in both forms; base64 knows no colon.
fn encoded(key: &Secret) -> String {
    let key = key.expose();
    if key.contains(':') { STANDARD.encode(key) } else { key.to_owned() }
}

/// Whether a data stream may be called that.
///
/// # Errors
/// A sentence about the rule it breaks.
pub fn data_stream(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 255 || !name.chars().all(plain) || name.starts_with(['-', '_', '.']) {
        return Err(format!(
            "`{name}` is no name of a data stream: lower-case letters, digits, - _ . such as {DATA_STREAM}"
        ));
    }
    Ok(name.to_owned())
}

pub(super) struct Elastic {
    client: Client,
    path: String,
    fields: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Deserialize)]
struct Bulk {
    #[serde(default)]
    errors: Option<bool>,
    #[serde(default)]
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    #[serde(default)]
    error: Option<Fault>,
    /// `used`: the document failed, and lies in the data stream's failure store (Elasticsearch 8.19 and later).
    #[serde(default)]
    failure_store: Option<String>,
}

#[derive(Deserialize, Default)]
struct Fault {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    caused_by: Option<Box<Fault>>,
}

impl Elastic {
    pub(super) fn new(client: Client, stream: &str, login: &Login) -> anyhow::Result<Self> {
        let mut fields = vec![(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))];
        fields.extend(login.field()?);
        let path = format!(
            "/{stream}/_bulk?filter_path=errors,error,status,items.*.status,items.*.error,items.*.failure_store"
        );
        Ok(Self { client, path, fields })
    }

    /// Sends events and hears what became of each.
    pub(super) async fn send(&self, events: &[Event]) -> Verdict {
        let body = Bytes::from(body(events));
        let asked = Asked { method: Method::POST, path: self.path.clone(), fields: self.fields.clone(), body };
        match self.client.ask_packed(&asked).await {
            Ok(answer) => redirected(&answer, &asked.path, "--elastic").unwrap_or_else(|| judge(&answer, events.len())),
            Err(trouble) => Verdict::Later { why: trouble.why, hint: trouble.hint, after: None },
        }
    }
}

fn body(events: &[Event]) -> Vec<u8> {
    let mut body = Vec::with_capacity(events.iter().map(|event| event.line.len() + 80).sum());
    for event in events {
        body.extend_from_slice(br#"{"create":{"_id":"#);
        // A string always encodes.
        let _ = serde_json::to_writer(&mut body, &event.id);
        body.extend_from_slice(b"}}\n");
        body.extend_from_slice(&event.line);
        body.push(b'\n');
    }
    body
}

fn judge(answer: &Answer, sent: usize) -> Verdict {
    let status = answer.status;
    if status.as_u16() == 200 {
        return match serde_json::from_slice::<Bulk>(&answer.body) {
            Ok(bulk) if bulk.items.len() == sent => each(bulk),
            Ok(bulk) if bulk.errors == Some(false) && bulk.items.is_empty() => Verdict::Taken,
            _ => Verdict::later(NOT_BULK),
        };
    }
    let fault = top_fault(&answer.body);
    let why = match &fault {
        Some(fault) => format!("the receiver answers {}: {}", status.as_u16(), fault.told()),
        None => format!("the receiver answers {status}"),
    };
    match (status.as_u16(), &fault) {
        (408 | 425 | 429 | 500..=599, _) => Verdict::Later { why, hint: None, after: answer.retry_after },
        (413, _) => Verdict::refused(why),
        (400, Some(_)) => Verdict::refused(why),
        (401 | 403, _) => Verdict::Stop(Stop::new(
            why,
            "look at the API key or password; it needs the privileges create_doc and auto_configure on the data stream",
        )),
        (404, Some(_)) => Verdict::Stop(Stop::new(why, NO_STREAM)),
        _ => Verdict::Stop(Stop::new(why, "is that Elasticsearch's own address? It is usually https://HOST:9200")),
    }
}

const FAILURE_STORE: &str = "failure_store used: pipeline or mapping failed, and Elasticsearch put it into the failure store, where no search of \
     the data stream finds it; GET /DATA-STREAM::failures/_search says why";
const NOT_BULK: &str = "the receiver answers 200, and not as _bulk does";
const NO_STREAM: &str = "make its index template first: --elastic-setup, with a key that may do that";

fn each(bulk: Bulk) -> Verdict {
    let mut fates = Vec::with_capacity(bulk.items.len());
    for item in bulk.items {
        let Some(item) = item.into_values().next() else { return Verdict::later(NOT_BULK) };
        let fault = item.error.unwrap_or_default();
        let why = || format!("{}: {}", item.status, fault.told());
        fates.push(match (item.status, fault.kind.as_str()) {
            (200..=299, _) if item.failure_store.as_deref() == Some("used") => Fate::Refused(FAILURE_STORE.to_owned()),
            (200..=299, _) => Fate::Taken,
            (409, _) => Fate::Known,
            (429 | 500..=599, _) => Fate::Later(why()),
            // A disk above its flood stage makes indices read-only for a while.
            (_, "cluster_block_exception") => Fate::Later(why()),
            (401 | 403, _) => return Verdict::Stop(Stop::new(why(), "give the key create_doc on the data stream")),
            (404, _) => return Verdict::Stop(Stop::new(why(), NO_STREAM)),
            // The cluster's trouble, not the event's.
            (400, "validation_exception" | "index_closed_exception") => {
                return Verdict::Stop(Stop::new(why(), "look at the cluster: nothing is wrong with the events"));
            }
            (400, "illegal_argument_exception")
                if fault.reason.as_deref().is_some_and(|reason| reason.starts_with("pipeline with id")) =>
            {
                return Verdict::Stop(Stop::new(why(), NO_STREAM));
            }
            _ => Fate::Refused(why()),
        });
    }
    Verdict::Each(fates)
}

impl Fault {
    fn told(&self) -> String {
        let mut text = format!("{}: {}", self.kind, self.reason.as_deref().unwrap_or_default());
        if let Some(cause) = &self.caused_by {
            text.push_str(&format!(", caused by {}", cause.told()));
        }
        quote(&text)
    }
}

fn top_fault(body: &[u8]) -> Option<Fault> {
    #[derive(Deserialize)]
    struct Failed {
        error: Fault,
    }
    serde_json::from_slice::<Failed>(body).ok().map(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::StatusCode;

    fn verdict(status: u16, body: &str, sent: usize) -> Verdict {
        let body = Bytes::copy_from_slice(body.as_bytes());
        judge(&Answer { status: StatusCode::from_u16(status).unwrap(), body, ..Answer::default() }, sent)
    }

    #[test]
    fn every_item_has_its_own_fate() {
        let body = r#"{"errors":true,"items":[{"create":{"status":201}},
            {"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"there"}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue"}}},
            {"create":{"status":503,"error":{"type":"unavailable_shards_exception","reason":"none"}}},
            {"create":{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}},
            {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"failed [x]",
                "caused_by":{"type":"illegal_argument_exception","reason":"no number"}}}},
            {"create":{"status":201,"failure_store":"used"}}]}"#;
        let Verdict::Each(fates) = verdict(200, body, 7) else { panic!("not each") };
        assert_eq!(fates[..2], [Fate::Taken, Fate::Known]);
        assert!(fates[2..5].iter().all(|fate| matches!(fate, Fate::Later(_))), "{fates:?}");
        let Fate::Refused(why) = &fates[5] else { panic!("{fates:?}") };
        assert!(matches!(&fates[6], Fate::Refused(why) if why.contains("failure store")), "{fates:?}");
        assert!(why.contains("failed [x]") && why.contains("no number"), "{why}");
    }

    #[test]
    fn fewer_items_than_events_are_no_delivery() {
        assert!(matches!(
            verdict(200, r#"{"errors":false,"items":[{"create":{"status":201}}]}"#, 2),
            Verdict::Later { .. }
        ));
        assert!(matches!(verdict(200, "<html>", 1), Verdict::Later { .. }));
        assert!(matches!(verdict(200, "{}", 1), Verdict::Later { .. }));
    }

    #[test]
    fn whole_answers_have_their_consequence() {
        assert!(matches!(verdict(429, "", 1), Verdict::Later { .. }));
        assert!(matches!(verdict(503, "", 1), Verdict::Later { .. }));
        assert!(matches!(verdict(413, "", 1), Verdict::Refused { .. }));
        let malformed = r#"{"error":{"type":"illegal_argument_exception","reason":"Malformed action"},"status":400}"#;
        assert!(matches!(verdict(400, malformed, 1), Verdict::Refused { .. }));
        assert!(matches!(verdict(400, "<html>", 1), Verdict::Stop(_)), "not Elasticsearch: no event is to blame");
        for status in [301, 401, 403, 404, 405] {
            assert!(matches!(verdict(status, "", 1), Verdict::Stop(_)), "{status}");
        }
    }

    #[test]
    fn data_streams_are_named_as_elasticsearch_names_them() {
        assert!(data_stream(DATA_STREAM).is_ok());
        for name in ["", "Logs", "a/b", "a*", "-a", "_bulk", "a b", "a,b", ".."] {
            assert!(data_stream(name).is_err(), "{name}");
        }
    }
}
