//! A stand-in for Elasticsearch, not Elasticsearch: it enforces what Elastic documents of `_bulk` into data streams, and of templates.
//!
//! Credentials (401), media type, framing with its last LF (400), `create` only, a data stream that has an index template
//! (404), ids that are there (409), the length (413), `filter_path`; templates that refer to what is there already (400), and
//! pipelines and mappings that OpenSearch refuses. `ship/opensearch.rs` holds its words against another's server, and
//! `rsyslog.rs` against another's client.

use super::receiver::{Asked, Contract, Reply};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

pub const API_KEY: &str = "id-canary:key-canary";

/// What an Elasticsearch is like, and what it has.
pub struct Bulk {
    pub authorization: Option<String>,
    pub max_bytes: usize,
    /// Events whose line holds this cannot be parsed.
    pub poison: Option<&'static str>,
    /// Of so many items one is told to come later; 0 for none.
    pub rejects_one_in: usize,
    /// What the next items are told, one each: status, type and reason.
    pub faults: VecDeque<(u16, &'static str, &'static str)>,
    /// So many documents fail and go into the failure store.
    pub failure_store: usize,
    /// By path.
    pub put: BTreeMap<String, Value>,
    /// Objects that Kibana has imported, and how often.
    pub imports: Vec<String>,
    /// By `_id`: the document as it came.
    pub documents: BTreeMap<String, String>,
    /// Creations of what was there already.
    pub conflicts: usize,
    pub items: usize,
}

impl Default for Bulk {
    fn default() -> Self {
        let authorization = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, API_KEY);
        Self {
            authorization: Some(format!("ApiKey {authorization}")),
            max_bytes: 100_000_000,
            poison: None,
            rejects_one_in: 0,
            faults: VecDeque::new(),
            failure_store: 0,
            put: BTreeMap::new(),
            imports: Vec::new(),
            documents: BTreeMap::new(),
            conflicts: 0,
            items: 0,
        }
    }
}

impl Bulk {
    /// One whose templates are in place.
    pub fn ready() -> Self {
        let mut bulk = Self::default();
        bulk.put.insert("/_index_template/test".into(), json!({"index_patterns": ["logs-*"], "data_stream": {}}));
        bulk
    }

    fn fault(status: u16, kind: &str, reason: &str) -> Reply {
        Reply::json(status, json!({"error": {"type": kind, "reason": reason}, "status": status}))
    }

    fn bulk(&mut self, stream: &str, asked: &Asked) -> Result<Reply, Reply> {
        let media_type = asked.fields["content-type"].to_str().unwrap().split(';').next().unwrap();
        if !matches!(media_type, "application/x-ndjson" | "application/json") {
            return Err(Self::fault(406, "media_type_header_exception", "Invalid media-type"));
        }
        if asked.body.len() > self.max_bytes {
            return Err(Reply { status: 413, fields: Vec::new(), body: String::new() });
        }
        if !stream.is_empty() && !self.is_covered(stream) {
            return Err(Self::fault(404, "index_not_found_exception", "no such index and no template for it"));
        }
        let Some(body) = std::str::from_utf8(&asked.body).ok().and_then(|body| body.strip_suffix('\n')) else {
            return Err(Self::fault(
                400,
                "illegal_argument_exception",
                "The bulk request must be terminated by a newline",
            ));
        };
        let lines: Vec<&str> = body.split('\n').collect();
        if !lines.len().is_multiple_of(2) {
            return Err(Self::fault(400, "illegal_argument_exception", "Malformed action/metadata line"));
        }
        let mut items = Vec::new();
        for pair in lines.chunks(2) {
            let action: Value = serde_json::from_str(pair[0])
                .map_err(|_| Self::fault(400, "illegal_argument_exception", "Malformed action/metadata line"))?;
            let Some(id) = action["create"]["_id"].as_str() else {
                let reason = "only write ops with an op_type of create are allowed in data streams";
                return Err(Self::fault(400, "illegal_argument_exception", reason));
            };
            let named = action["create"]["_index"].as_str().unwrap_or(stream);
            let created = match self.is_covered(named) {
                true => self.create(id, pair[1]),
                false => {
                    json!({"status": 404, "error": {"type": "index_not_found_exception", "reason": "no such index"}})
                }
            };
            items.push(json!({"create": created}));
        }
        let errors = items.iter().any(|item| item["create"].get("error").is_some());
        let is_ours = !stream.is_empty();
        assert!(!is_ours || asked.query.contains("items.*.error"), "{}", asked.query);
        Ok(Reply::json(200, json!({"errors": errors, "items": items})))
    }

    fn is_covered(&self, stream: &str) -> bool {
        self.put.iter().any(|(path, template)| path.starts_with("/_index_template/") && covers(template, stream))
    }

    fn create(&mut self, id: &str, document: &str) -> Value {
        let told = |status: u16, kind: &str, reason: &str| json!({"status": status, "error": {"type": kind, "reason": reason}});
        let fault = |status, kind| told(status, kind, "as it says");
        self.items += 1;
        if let Some((status, kind, reason)) = self.faults.pop_front() {
            return told(status, kind, reason);
        }
        if self.rejects_one_in > 0 && self.items.is_multiple_of(self.rejects_one_in) {
            return fault(429, "es_rejected_execution_exception");
        }
        #[derive(serde::Deserialize)]
        struct Document {
            #[serde(rename = "@timestamp")]
            _timestamp: String,
        }
        let is_whole = serde_json::from_str::<Document>(document).is_ok();
        if !is_whole || self.poison.is_some_and(|poison| document.contains(poison)) {
            return fault(400, "document_parsing_exception");
        }
        if self.documents.contains_key(id) {
            self.conflicts += 1;
            return fault(409, "version_conflict_engine_exception");
        }
        if self.failure_store > 0 {
            self.failure_store -= 1;
            return json!({"status": 201, "failure_store": "used"});
        }
        self.documents.insert(id.to_owned(), document.to_owned());
        json!({"status": 201, "failure_store": "not_applicable_or_unknown"})
    }

    fn template(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let document: Value = serde_json::from_slice(&asked.body)
            .map_err(|_| Self::fault(400, "parse_exception", "request body is no JSON"))?;
        let text = document.to_string();
        if asked.path.starts_with("/_ingest/pipeline/") && text.contains("\"copy_from\"") {
            return Err(Self::fault(400, "parse_exception", "processor [set] doesn't support [copy_from]"));
        }
        if text.contains("{\"type\":\"constant_keyword\"}") {
            return Err(Self::fault(400, "mapper_parsing_exception", "missing required parameter [value]"));
        }
        if asked.path.starts_with("/_index_template/") {
            for part in document["composed_of"].as_array().unwrap() {
                if !self.put.contains_key(&format!("/_component_template/{}", part.as_str().unwrap())) {
                    return Err(Self::fault(400, "illegal_argument_exception", "a component template does not exist"));
                }
            }
        }
        self.put.insert(asked.path.clone(), document);
        Ok(Reply::json(200, json!({"acknowledged": true})))
    }

    fn import(&mut self, asked: &Asked) -> Reply {
        if asked.fields.get("kbn-xsrf").is_none() {
            return Reply::json(400, json!({"message": "Request must contain a kbn-xsrf header."}));
        }
        let text = String::from_utf8(asked.body.clone()).unwrap();
        let boundary = asked.fields["content-type"].to_str().unwrap().split("boundary=").nth(1).unwrap();
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), parts[0], parts[2]), (3, "", "--\r\n"), "multipart framing");
        let (head, content) = parts[1].split_once("\r\n\r\n").unwrap();
        assert!(head.contains("name=\"file\"") && head.contains(".ndjson\""), "{head}");
        for line in content.trim_end().lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            self.imports.push(object["id"].as_str().unwrap().to_owned());
        }
        Reply::json(200, json!({"success": true, "successCount": 1}))
    }
}

fn covers(template: &Value, stream: &str) -> bool {
    let patterns = template["index_patterns"].as_array().unwrap();
    template["data_stream"].is_object()
        && patterns.iter().filter_map(Value::as_str).any(|pattern| match pattern.strip_suffix('*') {
            Some(begin) => stream.starts_with(begin),
            None => stream == pattern,
        })
}

impl Contract for Bulk {
    fn is_delivery(path: &str) -> bool {
        path.ends_with("/_bulk")
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let shown = asked.fields.get("authorization").map(|field| field.to_str().unwrap().to_owned());
        if shown != self.authorization {
            return Self::fault(401, "security_exception", "unable to authenticate");
        }
        let reply = match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", path) if path.ends_with("/_bulk") => {
                self.bulk(path.trim_end_matches("/_bulk").trim_start_matches('/'), asked)
            }
            ("PUT", path) if path.starts_with("/_ingest/pipeline/") || path.contains("_template/") => {
                self.template(asked)
            }
            ("POST", "/api/saved_objects/_import") => Ok(self.import(asked)),
            ("GET", "/_cat/health") => Ok(Reply { status: 200, fields: Vec::new(), body: "green\n".into() }),
            _ => Err(Self::fault(405, "", "Incorrect HTTP method")),
        };
        reply.unwrap_or_else(|refused| refused)
    }
}
