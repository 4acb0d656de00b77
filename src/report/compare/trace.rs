//! What one session did, step by step, in words that another session's steps can be laid beside.
//!
//! Names of the agent and numbers in paths are taken out of a step's name, so that `User/1001` of one agent is `User/{agent}`
//! of the other. A step counts where it comes first: polling is one step.

use super::super::model::Mark;
use super::super::words::{bare, plain};
use crate::stored::view::{Header, Line};
use serde::Serialize;
use std::collections::HashMap;

/// Steps kept of a connection.
const MAX_STEPS: usize = 2_000;
/// Connections followed.
const MAX_CONNECTIONS: usize = 65_536;
/// Names of an agent.
const MAX_NAMES: usize = 8;
/// Headers that differ each time: whether they are there is all that counts.
const VOLATILE: [&str; 20] = [
    "age",
    "authorization",
    "content-length",
    "cookie",
    "date",
    "etag",
    "expires",
    "if-modified-since",
    "if-none-match",
    "last-modified",
    "referer",
    "requestid",
    "sec-websocket-accept",
    "sec-websocket-key",
    "set-cookie",
    "traceparent",
    "x-correlation-id",
    "x-forwarded-for",
    "x-request-id",
    "x-transaction-id",
];

/// A step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What it is, the same for every agent.
    pub name: String,
    /// Since the first step, microseconds.
    pub after_us: u64,
    /// How long it took, microseconds, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// What can differ: status, certificate, headers.
    pub facts: Vec<(String, String)>,
    /// The line.
    pub line: Mark,
    #[serde(skip)]
    at_us: i64,
}

impl Step {
    /// A step of no line.
    #[cfg(test)]
    pub(super) fn new(name: String, took_us: Option<u64>, facts: Vec<(String, String)>) -> Self {
        Self { name, after_us: 0, took_us, facts, line: Mark::default(), at_us: 0 }
    }
}

/// A session as far as steps go.
#[derive(Default)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) run: String,
    pub(super) names: Vec<String>,
    /// Warnings, errors and findings.
    pub(super) troubles: u64,
    pub(super) is_signed_in: bool,
    /// Steps of lines that belong to no connection.
    own: Vec<Step>,
}

/// All that is in some captures.
#[derive(Default)]
pub(super) struct Traces {
    pub(super) sessions: Vec<Session>,
    /// By run and number, with whose it is.
    connections: HashMap<(String, String), Connection>,
}

#[derive(Default)]
struct Connection {
    session: Option<usize>,
    steps: Vec<Step>,
    /// When the stage of its login before was reached.
    stage_us: Option<i64>,
}

impl Traces {
    /// Takes a line.
    pub(super) fn line(&mut self, line: &Line<'_>, mut mark: Mark) {
        mark.sequence = line.event.sequence.unwrap_or(0);
        let session = line.session().map(|id| self.session(line.run(), id));
        if let Some(session) = session.and_then(|index| self.sessions.get_mut(index)) {
            session.learn(line);
        }
        let Some(id) = line.stream().or(line.conn()) else { return };
        let key = (line.run().to_owned(), id.to_owned());
        if self.connections.len() >= MAX_CONNECTIONS && !self.connections.contains_key(&key) {
            return;
        }
        let connection = self.connections.entry(key).or_default();
        connection.session = connection.session.or(session);
        let before_us = connection.stage_us;
        if line.finesse.stage.is_some() || &*line.event.action == "websocket-opened" {
            connection.stage_us = Some(line.at_us);
        }
        let Some((name, took_us)) = named(line, before_us) else { return };
        let step = Step { name, after_us: 0, took_us, facts: facts(line), line: mark, at_us: line.at_us };
        // Another agent may come on the same connection, as behind a proxy.
        let owner = session.filter(|session| connection.session != Some(*session));
        let steps = match owner.and_then(|index| self.sessions.get_mut(index)) {
            Some(session) => &mut session.own,
            None => &mut connection.steps,
        };
        if steps.len() < MAX_STEPS {
            steps.push(step);
        }
    }

    /// A session's steps in order of time, each where it came first.
    pub(super) fn steps(&self, index: usize) -> Vec<Step> {
        let Some(session) = self.sessions.get(index) else { return Vec::new() };
        let theirs = self.connections.values().filter(|connection| connection.session == Some(index));
        let mut steps: Vec<Step> =
            theirs.flat_map(|connection| &connection.steps).chain(&session.own).cloned().collect();
        steps.sort_by_key(|step| (step.at_us, step.line));
        let first_us = steps.first().map_or(0, |step| step.at_us);
        let mut seen: Vec<String> = Vec::new();
        steps.retain_mut(|step| {
            step.after_us = u64::try_from(step.at_us - first_us).unwrap_or(0);
            step.name = general(&step.name, &session.names);
            for (_, value) in &mut step.facts {
                *value =
                    session.names.iter().fold(std::mem::take(value), |value, name| value.replace(&**name, "{agent}"));
            }
            let is_new = !seen.contains(&step.name);
            if is_new {
                seen.push(step.name.clone());
            }
            is_new
        });
        steps
    }

    fn session(&mut self, run: &str, id: &str) -> usize {
        if let Some(index) = self.sessions.iter().position(|session| session.id == id && session.run == run) {
            return index;
        }
        self.sessions.push(Session { id: plain(id), run: run.to_owned(), ..Session::default() });
        self.sessions.len() - 1
    }
}

impl Session {
    fn learn(&mut self, line: &Line<'_>) {
        let user = line.finesse.update.as_ref().and_then(|update| update.user.as_ref());
        let own = user.filter(|user| user.id.as_deref().is_some_and(|id| self.goes_by(id)));
        let other = own.and_then(|user| user.name.as_deref()).map(str::to_owned);
        let login = line.user.as_ref().map(|user| user.name.to_string());
        let jid = line.finesse.xmpp.as_ref().and_then(|xmpp| xmpp.jid.as_deref()).map(str::to_owned);
        for name in [login, jid, other].into_iter().flatten().map(|name| bare(&name)) {
            if !name.is_empty() && self.names.len() < MAX_NAMES && !self.goes_by(&name) {
                self.names.push(name);
            }
        }
        self.is_signed_in |= line.finesse.stage.as_deref() == Some("finesse-presence");
        self.troubles += u64::from(matches!(&*line.log.level, "warn" | "error"));
    }

    /// Whether it is the session, or its agent, of that name.
    pub(super) fn goes_by(&self, name: &str) -> bool {
        self.id == name || self.names.iter().any(|known| known.eq_ignore_ascii_case(&bare(name)))
    }
}

/// What a line is as a step, and how long it took.
fn named(line: &Line<'_>, before_us: Option<i64>) -> Option<(String, Option<u64>)> {
    let took_us = line.event.duration.map(|ns| ns / 1_000);
    let since_us = before_us.and_then(|before_us| u64::try_from(line.at_us - before_us).ok());
    if let Some(stage) = line.finesse.stage.as_deref() {
        return Some((format!("login: {stage}"), since_us.or(took_us)));
    }
    let update = line.finesse.update.as_ref();
    let name = match &*line.event.action {
        "tls-handshake" => match line.finesse.tls.as_ref().map(|tls| &*tls.leg) {
            Some("client") => String::from("TLS with the browser"),
            _ => String::from("TLS with the server"),
        },
        "http-exchange" => {
            let operation = line.finesse.api.as_ref().and_then(|api| api.operation.as_deref());
            let operation =
                operation.filter(|word| *word != "read").map(|word| format!(" ({word})")).unwrap_or_default();
            format!("{} {}{operation}", line.method().unwrap_or("?"), line.url.as_ref().map_or("?", |url| &*url.path))
        }
        "websocket-opened" => String::from("WebSocket handshake"),
        "xmpp-stanza" if line.is_sent() => {
            let pubsub = line.finesse.xmpp.as_ref()?.pubsub.as_ref()?;
            format!("{} {}", pubsub.action, pubsub.node.as_deref().unwrap_or_default())
        }
        "finesse-update" => {
            let state =
                update.and_then(|update| update.user.as_ref()?.state.as_deref()).map(|state| format!("state {state}"));
            let call =
                update.and_then(|update| update.dialog.as_ref()?.state.as_deref()).map(|state| format!("call {state}"));
            let error = update.and_then(|update| update.api_error.as_ref()).map(|_| String::from("event: error"));
            state.or(call).or(error)?
        }
        "sasl-auth-result" if line.event.outcome.as_deref() != Some("success") => String::from("login: refused"),
        "websocket-closed" => String::from("WebSocket closed"),
        "connection-closed" => String::from("connection closed"),
        _ => return None,
    };
    let latency_us = update.and_then(|update| update.caused_by.as_ref()?.latency_us);
    Some((plain(&name), if update.is_some() { latency_us } else { took_us }))
}

/// A name without what is of one agent or one call.
fn general(name: &str, names: &[String]) -> String {
    let word = |word: &str| {
        if names.iter().any(|name| name.eq_ignore_ascii_case(word)) {
            String::from("{agent}")
        } else if word.contains(|c: char| c.is_ascii_digit()) && !matches!(word, "1.0" | "2.0") {
            String::from("{id}")
        } else {
            word.to_owned()
        }
    };
    name.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// What can differ between two steps of one name.
fn facts(line: &Line<'_>) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, value: &str| facts.push((name, plain(value)));
    if let Some(tls) = &line.tls {
        add(String::from("established"), if tls.established { "yes" } else { "no" });
        add(String::from("TLS version"), tls.version.as_deref().unwrap_or_default());
        add(String::from("cipher"), tls.cipher.as_deref().unwrap_or_default());
        if let Some(server) = &tls.server {
            let print = server.hash.sha256.get(..16).unwrap_or(&server.hash.sha256);
            add(String::from("certificate"), &format!("{} by {}, SHA-256 {print}…", server.subject, server.issuer));
        }
    }
    if line.http.is_some() {
        add(String::from("status"), &line.status().map_or_else(|| String::from("none"), |status| status.to_string()));
    }
    if let Some(http) = &line.finesse.http {
        for (side, headers) in [("request", &http.request_headers), ("response", &http.response_headers)] {
            for Header { name, value } in headers {
                let is_volatile = VOLATILE.iter().any(|volatile| name.eq_ignore_ascii_case(volatile));
                let value = if is_volatile { "(there)" } else { value };
                add(format!("{side} header {}", name.to_lowercase()), value);
            }
        }
    }
    if let Some(close) = line.finesse.ws.as_ref().and_then(|ws| ws.close.as_ref()) {
        add(String::from("close code"), &close.code.to_string());
        add(String::from("closed by"), close.initiator.as_deref().unwrap_or("nobody"));
    }
    if let Some(conn) = line.finesse.conn.as_ref().filter(|conn| conn.by.is_some()) {
        add(String::from("ended by"), conn.by.as_deref().unwrap_or_default());
        add(String::from("how"), conn.how.as_deref().unwrap_or_default());
    }
    if let Some(error) = line.error.as_ref().and_then(|error| error.code.as_deref().or(error.kind.as_deref())) {
        add(String::from("error"), error);
    }
    facts
}
