//! A stand-in for Splunk's HTTP Event Collector, not Splunk: it enforces what Splunk documents of HEC.
//!
//! Token and scheme (codes 1 to 4), the channel where acknowledgements are on (10, 11), the index (7), the framing of events
//! (5, 6 with `invalid-event-number`, 12, 13), the length (413), `ackId` and `/services/collector/ack`. Events before an
//! invalid one of the same request are indexed, the rest is not: the worse of what Splunk may do.

use super::receiver::{Asked, Contract, Reply};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const TOKEN: &str = "0f8b3c5e-hec-token-canary";

/// What a HEC is like, and what it has.
pub struct Hec {
    pub indexes: Vec<&'static str>,
    pub max_bytes: usize,
    pub acks: Option<Acks>,
    /// Events whose line holds this are invalid.
    pub poison: Option<&'static str>,
    /// Whether the answer says which one is.
    pub names_culprit: bool,
    /// By `event.id`: the event as it came, and how often.
    pub events: BTreeMap<String, (String, usize)>,
    /// The envelope of the last event.
    pub last: Option<String>,
}

/// Indexer acknowledgement.
#[derive(Default)]
pub struct Acks {
    /// Asked so often, it says yes.
    pub after_polls: usize,
    /// Batches that are taken, lost before they are indexed, and never acknowledged.
    pub lost_batches: usize,
    /// Nothing is indexed before so many batches wait at once.
    pub until_waiting: usize,
    /// Splunk begins anew at the so manieth question, without what was not indexed yet.
    pub restart_at_question: usize,
    /// The first question while so many batches wait gets no answer.
    pub mute_at_waiting: usize,
    /// What the next questions are answered, one each: status and code.
    pub faults: VecDeque<(u16, u32)>,
    pub questions: usize,
    pub next: u64,
    pub waiting: BTreeMap<u64, (usize, Vec<(String, String)>)>,
    pub acknowledged: BTreeSet<u64>,
}

impl Default for Hec {
    fn default() -> Self {
        Self {
            indexes: vec!["main"],
            max_bytes: 1_000_000,
            acks: None,
            poison: None,
            names_culprit: true,
            events: BTreeMap::new(),
            last: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    time: Value,
    #[serde(default)]
    host: Option<String>,
    source: String,
    sourcetype: String,
    #[serde(default)]
    index: Option<String>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Inner {
    event: InnerEvent,
}

#[derive(Deserialize)]
struct InnerEvent {
    id: String,
}

impl Hec {
    fn refused(status: u16, code: u32, text: &str) -> Reply {
        Reply::json(status, serde_json::json!({"text": text, "code": code}))
    }

    fn authorized(asked: &Asked) -> Result<(), Reply> {
        let Some(field) = asked.fields.get("authorization") else {
            return Err(Self::refused(401, 2, "Token is required"));
        };
        match field.to_str().unwrap().strip_prefix("Splunk ") {
            None => Err(Self::refused(401, 3, "Invalid authorization")),
            Some(token) if token != TOKEN => Err(Self::refused(403, 4, "Invalid token")),
            Some(_) => Ok(()),
        }
    }

    fn channel(asked: &Asked) -> Result<(), Reply> {
        let query = asked.query.strip_prefix("channel=").map(str::to_owned);
        let field = asked.fields.get("x-splunk-request-channel").map(|field| field.to_str().unwrap().to_owned());
        let Some(channel) = query.or(field) else { return Err(Self::refused(400, 10, "Data channel is missing")) };
        let dashes: Vec<usize> = channel.match_indices('-').map(|(at, _)| at).collect();
        if channel.len() != 36 || dashes != [8, 13, 18, 23] {
            return Err(Self::refused(400, 11, "Invalid data channel"));
        }
        Ok(())
    }

    fn collect(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        Self::authorized(asked)?;
        if self.acks.is_some() {
            Self::channel(asked)?;
        }
        if asked.body.len() > self.max_bytes {
            return Err(Reply { status: 413, fields: Vec::new(), body: "Content-Length too large".into() });
        }
        let mut taken = Vec::new();
        let mut wrong = None;
        let stream = serde_json::Deserializer::from_slice(&asked.body).into_iter::<&RawValue>();
        for (number, raw) in stream.enumerate() {
            match raw.map_err(|_| (6, "Invalid data format")).and_then(|raw| self.read(raw.get())) {
                Ok(event) => taken.push(event),
                Err((code, text)) => {
                    wrong = Some((number, code, text));
                    break;
                }
            }
        }
        if taken.is_empty() && wrong.is_none() {
            return Err(Self::refused(400, 5, "No data"));
        }
        let Some((number, code, text)) = wrong else {
            return Ok(self.take(taken));
        };
        if code == 7 {
            return Err(Self::refused(400, 7, "Incorrect index"));
        }
        taken.into_iter().for_each(|(id, line)| self.index(id, line));
        let mut said = serde_json::json!({"text": text, "code": code});
        if self.names_culprit {
            said["invalid-event-number"] = number.into();
        }
        Err(Reply::json(400, said))
    }

    fn read(&mut self, text: &str) -> Result<(String, String), (u32, &'static str)> {
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| (6, "Invalid data format"))?;
        let event = envelope.event.ok_or((12, "Event field is required"))?.get();
        if event == "\"\"" || event == "null" {
            return Err((13, "Event field cannot be blank"));
        }
        let time = envelope.time.as_f64().or_else(|| envelope.time.as_str()?.parse().ok());
        let time = time.ok_or((6, "Invalid data format"))?;
        if envelope.index.as_deref().is_some_and(|index| !self.indexes.contains(&index)) {
            return Err((7, "Incorrect index"));
        }
        if self.poison.is_some_and(|poison| event.contains(poison)) {
            return Err((6, "Invalid data format"));
        }
        let inner: Inner = serde_json::from_str(event).map_err(|_| (6, "Invalid data format"))?;
        assert!(time > 1e9 && envelope.source == "finesse-tap" && envelope.sourcetype == "finesse:event");
        assert!(envelope.host.is_some_and(|host| !host.is_empty()));
        self.last = Some(text.to_owned());
        Ok((inner.event.id, event.to_owned()))
    }

    fn take(&mut self, taken: Vec<(String, String)>) -> Reply {
        let Some(acks) = &mut self.acks else {
            taken.into_iter().for_each(|(id, line)| self.index(id, line));
            return Reply::json(200, serde_json::json!({"text": "Success", "code": 0}));
        };
        let id = acks.next;
        acks.next += 1;
        if acks.lost_batches > 0 {
            acks.lost_batches -= 1;
        } else {
            acks.waiting.insert(id, (acks.after_polls, taken));
        }
        Reply::json(200, serde_json::json!({"text": "Success", "code": 0, "ackId": id}))
    }

    fn index(&mut self, id: String, line: String) {
        self.events.entry(id).or_insert((line, 0)).1 += 1;
    }

    fn acknowledge(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        #[derive(Deserialize)]
        struct Wanted {
            acks: Vec<u64>,
        }
        Self::authorized(asked)?;
        let Some(acks) = &mut self.acks else { return Err(Self::refused(400, 14, "ACK is disabled")) };
        Self::channel(asked)?;
        let wanted: Wanted =
            serde_json::from_slice(&asked.body).map_err(|_| Self::refused(400, 6, "Invalid data format"))?;
        acks.questions += 1;
        if let Some((status, code)) = acks.faults.pop_front() {
            return Err(Self::refused(status, code, "as it says"));
        }
        if acks.mute_at_waiting > 0 && acks.waiting.len() >= acks.mute_at_waiting {
            acks.mute_at_waiting = 0;
            return Err(Reply::none());
        }
        if acks.questions == acks.restart_at_question {
            acks.next = 0;
            acks.waiting.clear();
            acks.acknowledged.clear();
        }
        let (mut said, mut indexed) = (serde_json::Map::new(), Vec::new());
        if acks.waiting.len() >= acks.until_waiting {
            acks.until_waiting = 0;
        }
        let is_held_back = acks.until_waiting > 0;
        for id in wanted.acks {
            let is_indexed = acks.waiting.get_mut(&id).is_some_and(|(polls, _)| {
                *polls = polls.saturating_sub(1);
                *polls == 0 && !is_held_back
            });
            if is_indexed {
                indexed.extend(acks.waiting.remove(&id).unwrap().1);
                acks.acknowledged.insert(id);
            }
            // Splunk forgets an acknowledgement once it has told it.
            said.insert(id.to_string(), acks.acknowledged.remove(&id).into());
        }
        indexed.into_iter().for_each(|(id, line)| self.index(id, line));
        Ok(Reply::json(200, serde_json::json!({"acks": said})))
    }
}

impl Contract for Hec {
    fn is_delivery(path: &str) -> bool {
        path == "/services/collector/event"
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let reply = match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/services/collector/event") => self.collect(asked),
            ("POST", "/services/collector/ack") => self.acknowledge(asked),
            _ => Err(Reply { status: 404, fields: Vec::new(), body: "not found".into() }),
        };
        reply.unwrap_or_else(|refused| refused)
    }
}
