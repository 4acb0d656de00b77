//! Splunk's HTTP Event Collector: events become one body of JSON objects, an answer becomes a `Verdict`.
//!
//! `/services/collector/event` with the capture line as the `event` object, its time, host and source beside it. A token
//! with indexer acknowledgement answers with an `ackId`, and the events count as delivered only when
//! `/services/collector/ack` says so; without, HEC's 200 is its word. Acknowledgements take seconds, so others are sent
//! meanwhile, and one question asks for all of a session: behind a balancer they mean something to the node only that took
//! the batch. Every request names a channel, which such tokens demand and others ignore.
//! Codes: Splunk, "Troubleshoot HTTP Event Collector".

use super::Pace;
use super::acks::{Acks, Fate, Ticket};
use super::event::Event;
use super::http::{Answer, Asked, Client, sensitive};
use super::sticky::{Cookies, Habit, Node};
use super::verdict::{Stop, Verdict, quote, redirected};
use crate::clock::{self, Moment};
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

/// What our events are called in Splunk.
pub const SOURCETYPE: &str = "finesse:event";

const CHANNEL: HeaderName = HeaderName::from_static("x-splunk-request-channel");

/// Whether an answer must promise an acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ack {
    /// It is waited for where the token has it.
    IfOffered,
    /// A token without it is an error.
    Required,
}

pub(super) struct Splunk {
    client: Client,
    index: Option<String>,
    ack: Ack,
    fields: Vec<(HeaderName, HeaderValue)>,
    pace: Pace,
    /// Batches being sent at once: those whose acknowledgements are lost together would all be sent again together. One
    /// until the first answer: it says which node of several the others are to go to.
    sending: Semaphore,
    is_answered: AtomicBool,
    /// What the next batch goes with.
    current: Mutex<Arc<Session>>,
    /// How the cookies of a balancer in between behave.
    habit: Mutex<Habit>,
    /// Batches that wait for their acknowledgement, in all sessions.
    waiting: AtomicUsize,
    taken: Notify,
}

/// Batches on one channel of one node: their `ackId`s mean nothing to another.
struct Session {
    channel: String,
    /// What keeps a balancer with the node.
    cookies: Mutex<Cookies>,
    acks: Mutex<Acks>,
    /// When acknowledgements were last asked for; held while they are.
    asked: tokio::sync::Mutex<Option<Moment>>,
}

/// What stands before the event in an element of a request.
#[derive(Serialize)]
struct Envelope<'a> {
    /// Seconds with six decimals; HEC takes epoch time as a number or a text.
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    source: &'static str,
    sourcetype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    text: String,
    code: u32,
    #[serde(rename = "invalid-event-number")]
    culprit: Option<usize>,
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
}

impl Splunk {
    pub(super) fn new(
        client: Client,
        index: Option<String>,
        ack: Ack,
        token: &super::secret::Secret,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let fields = vec![
            (AUTHORIZATION, sensitive(&format!("Splunk {}", token.expose()))?),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ];
        let (sending, is_answered) = (Semaphore::new(1), AtomicBool::new(false));
        let current = Mutex::new(Session::new(guid()?, Cookies::default()));
        let (habit, waiting, taken) = (Mutex::default(), AtomicUsize::new(0), Notify::new());
        Ok(Self { client, index, ack, fields, pace, sending, is_answered, current, habit, waiting, taken })
    }

    /// Batches that were taken and wait for their acknowledgement: they need neither connection nor time.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Ends when one more batch waits so.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Sends events and waits for the word that they are kept.
    pub(super) async fn send(&self, events: &[Event]) -> Verdict {
        let (path, body) = ("/services/collector/event".to_owned(), Bytes::from(self.body(events)));
        let turn = self.sending.acquire().await;
        let session = lock(&self.current).clone();
        let answer = self.ask(session, path, body, Packing::Gzip).await;
        drop(turn);
        let (answer, session) = match answer {
            Ok(answered) => answered,
            Err(trouble) => return trouble,
        };
        if !self.is_answered.swap(true, Ordering::Relaxed) {
            self.sending.add_permits(self.pace.parallel.saturating_sub(1));
        }
        let said = Said::read(&answer.body);
        match (judge(&answer, said.as_ref()), said.and_then(|said| said.ack_id)) {
            (Verdict::Taken, Some(id)) => self.acknowledged(&session, id).await,
            (Verdict::Taken, None) if self.ack == Ack::Required => Verdict::Stop(Stop::new(
                "HEC took events without an ackId: indexer acknowledgement is off for this token",
                "enable it on the token, or omit --splunk-ack",
            )),
            (verdict, _) => verdict,
        }
    }

    /// The answer, and the session that it belongs to.
    async fn ask(
        &self,
        session: Arc<Session>,
        path: String,
        body: Bytes,
        packing: Packing,
    ) -> Result<(Answer, Arc<Session>), Verdict> {
        let sent = lock(&session.cookies).clone();
        let mut fields = self.fields.clone();
        fields.push((CHANNEL, HeaderValue::from_str(&session.channel).unwrap_or(HeaderValue::from_static(""))));
        fields.extend(sent.field().map(|field| (COOKIE, field)));
        let asked = Asked { method: Method::POST, path, fields, body };
        let answer = match packing {
            Packing::Gzip => self.client.ask_packed(&asked).await,
            Packing::Plain => self.client.ask(&asked).await,
        };
        let answer = answer.map_err(|trouble| Verdict::Later { why: trouble.why, hint: trouble.hint, after: None })?;
        if let Some(stop) = redirected(&answer, &asked.path, "--splunk") {
            return Err(stop);
        }
        let session = self.answered(session, &sent, &answer.cookies);
        Ok((answer, session))
    }

    /// The session of an answer to a request with the cookies `sent`, by the cookies it sets.
    fn answered(&self, session: Arc<Session>, sent: &Cookies, set: &Cookies) -> Arc<Session> {
        match lock(&self.habit).judge(sent, set) {
            Node::Same(now) => {
                *lock(&session.cookies) = now;
                session
            }
            Node::First(now) if now.is_empty() => session,
            Node::First(now) => {
                let mut cookies = lock(&session.cookies);
                if cookies.is_empty() || *cookies == now {
                    *cookies = now;
                    drop(cookies);
                    return session;
                }
                // Several were sent at once without a cookie, and went to several nodes.
                Session::new(session.channel.clone(), now)
            }
            Node::Other(now) => {
                // That node knows nothing of what waits; what it says of those numbers is about other events.
                lock(&session.acks).give_up_all();
                let mut current = lock(&self.current);
                if *lock(&current.cookies) != now {
                    *current = Session::new(session.channel.clone(), now);
                }
                Arc::clone(&current)
            }
        }
    }

    fn body(&self, events: &[Event]) -> Vec<u8> {
        let mut body = Vec::with_capacity(events.iter().map(|event| event.line.len() + 160).sum());
        for event in events {
            let envelope = Envelope {
                time: format!("{}.{:06}", event.at_us.div_euclid(1_000_000), event.at_us.rem_euclid(1_000_000)),
                host: event.host.as_deref(),
                source: "finesse-tap",
                sourcetype: SOURCETYPE,
                index: self.index.as_deref(),
            };
            // Texts always encode. The line was found to be one JSON object when it was read.
            let _ = serde_json::to_writer(&mut body, &envelope);
            body.pop();
            body.extend_from_slice(br#","event":"#);
            body.extend_from_slice(&event.line);
            body.extend_from_slice(b"}\n");
        }
        body
    }

    /// Waits until the events behind `id` are indexed, or long enough.
    async fn acknowledged(&self, session: &Arc<Session>, id: u64) -> Verdict {
        let ticket = lock(&session.acks).wait(id);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.taken.notify_one();
        let since = clock::now();
        let verdict = loop {
            sleep(self.pace.ack_poll).await;
            if let Some(verdict) = self.fate(session, ticket).await {
                break verdict;
            }
            if clock::now().since(since) > self.pace.ack {
                self.leave(session);
                break Verdict::later(format!("not acknowledged within {} s: sent again", self.pace.ack.as_secs()));
            }
        };
        lock(&session.acks).give_up(ticket);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        verdict
    }

    /// What is sent next goes without the cookies of a node that acknowledges nothing: a balancer then chooses anew.
    fn leave(&self, session: &Arc<Session>) {
        let mut current = lock(&self.current);
        if Arc::ptr_eq(&current, session)
            && !lock(&session.cookies).is_empty()
            && let Ok(channel) = guid()
        {
            *current = Session::new(channel, Cookies::default());
        }
    }

    /// What became of a batch, after asking for all that wait unless somebody has just done so; `None` if it waits.
    async fn fate(&self, session: &Arc<Session>, ticket: Ticket) -> Option<Verdict> {
        let mut asked = session.asked.lock().await;
        let is_due = asked.is_none_or(|last| clock::now().since(last) >= self.pace.ack_poll);
        if is_due && lock(&session.acks).is_waiting(ticket) {
            let path = format!("/services/collector/ack?channel={}", session.channel);
            let question = Bytes::from(lock(&session.acks).question());
            let answer = self.ask(Arc::clone(session), path, question, Packing::Plain).await;
            *asked = Some(clock::now());
            match answer {
                Ok((_, from)) if !Arc::ptr_eq(&from, session) => {
                    // Whatever it says, it is another node that says it.
                    lock(&session.acks).give_up_all();
                }
                Ok((answer, _)) if answer.status == StatusCode::OK => lock(&session.acks).heard(&answer.body),
                Ok((answer, _)) => {
                    if let stop @ Verdict::Stop(_) = judge(&answer, Said::read(&answer.body).as_ref()) {
                        return Some(stop);
                    }
                }
                Err(verdict) => {
                    lock(&session.acks).give_up_all();
                    return Some(verdict);
                }
            }
        }
        match lock(&session.acks).fate(ticket) {
            Fate::Waits => None,
            Fate::Indexed => Some(Verdict::Taken),
            Fate::Lost => Some(Verdict::later("the acknowledgement is lost: sent again")),
        }
    }
}

/// How a body goes.
enum Packing {
    Gzip,
    Plain,
}

impl Session {
    fn new(channel: String, cookies: Cookies) -> Arc<Self> {
        let (acks, asked) = (Mutex::default(), tokio::sync::Mutex::default());
        Arc::new(Self { channel, cookies: Mutex::new(cookies), acks, asked })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Said {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

fn judge(answer: &Answer, said: Option<&Said>) -> Verdict {
    let status = answer.status;
    let words = said.map(|said| quote(&said.text)).unwrap_or_default();
    let code = said.map(|said| said.code);
    let told = match code {
        Some(code) => format!("HEC answers {}, code {code}: {words}", status.as_u16()),
        None => format!("the receiver answers {status}, and not as HEC does"),
    };
    let stop = |hint: &str| Verdict::Stop(Stop::new(told.clone(), hint));
    let later = || Verdict::Later { why: told.clone(), hint: None, after: answer.retry_after };
    match (code, status.as_u16()) {
        (Some(0), 200) => Verdict::Taken,
        (Some(8 | 9 | 18..=20 | 23 | 26 | 27), _) => later(),
        (Some(1), _) => stop("enable the token in Splunk: Settings, Data inputs, HTTP Event Collector"),
        (Some(2..=4), _) => stop("is that the token's value, from the same Splunk? Look at the token's file"),
        (Some(7), _) => stop("allow the index for the token, or name another with --splunk-index"),
        (Some(10 | 11), _) => stop("something between takes the channel's header away"),
        (Some(14), _) => stop("enable indexer acknowledgement on the token, or omit --splunk-ack"),
        (Some(16 | 21 | 22), _) => stop("look at the token's settings in Splunk"),
        (Some(6 | 12 | 13 | 15), _) => {
            Verdict::Refused { why: told.clone(), culprit: said.and_then(|said| said.culprit) }
        }
        (_, 413) => Verdict::refused(told),
        (_, 408 | 425 | 429 | 500..=599 | 200) => later(),
        (_, 401 | 403) => stop("is that the token's value, from the same Splunk?"),
        (_, 300..=399 | 404 | 405) => {
            stop("is that HEC's own address? It is usually https://HOST:8088, without a path")
        }
        _ => stop("is that HEC's address, and does nothing stand between?"),
    }
}

/// A version 4 UUID (RFC 9562).
fn guid() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let number = u128::from_be_bytes(bytes) & !(0xF << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let mut text = String::new();
    for (at, digit) in hex.chars().enumerate() {
        let dash = if matches!(at, 8 | 12 | 16 | 20) { "-" } else { "" };
        let _ = write!(text, "{dash}{digit}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn verdict(status: u16, body: &str) -> Verdict {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let said = Said::read(&body);
        let status = StatusCode::from_u16(status).unwrap();
        judge(&Answer { status, retry_after: Some(Duration::from_secs(3)), body, ..Answer::default() }, said.as_ref())
    }

    #[test]
    fn every_documented_code_has_its_consequence() {
        let of = |status, code: u32| verdict(status, &format!("{{\"text\":\"words\",\"code\":{code}}}"));
        assert_eq!(of(200, 0), Verdict::Taken);
        for (status, codes) in [(500, &[8][..]), (503, &[9, 18, 19, 20, 23]), (429, &[26, 27])] {
            for &code in codes {
                assert!(matches!(of(status, code), Verdict::Later { after: Some(_), .. }), "{code}");
            }
        }
        for (status, code) in [(403, 1), (401, 2), (401, 3), (403, 4), (400, 7), (400, 14), (400, 21), (400, 22)] {
            assert!(matches!(of(status, code), Verdict::Stop(_)), "{code}");
        }
        for code in [6, 12, 13, 15] {
            assert!(matches!(of(400, code), Verdict::Refused { culprit: None, .. }), "{code}");
        }
    }

    #[test]
    fn the_culprit_is_heard() {
        let body = r#"{"text":"Invalid data format","code":6,"invalid-event-number":7}"#;
        assert!(matches!(verdict(400, body), Verdict::Refused { culprit: Some(7), .. }));
    }

    #[test]
    fn an_answer_that_is_not_hec_s_is_no_delivery() {
        assert!(matches!(verdict(200, "<html>log in first</html>"), Verdict::Later { .. }));
        assert!(matches!(verdict(200, "{}"), Verdict::Later { .. }));
        assert!(matches!(verdict(302, ""), Verdict::Stop(_)));
        assert!(matches!(verdict(404, "not found"), Verdict::Stop(_)));
        assert!(matches!(verdict(413, "too large"), Verdict::Refused { .. }));
        assert!(matches!(verdict(502, "bad gateway"), Verdict::Later { .. }));
    }

    #[test]
    fn channels_are_version_4_uuids() {
        let (one, other) = (guid().unwrap(), guid().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
