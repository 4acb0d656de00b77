//! The desktop's XMPP stream over WebSocket: the login Cisco documents, subscriptions, pings, and waiting for events.
//!
//! Writes its frames as strophe.js does, single quotes and attribute order included. Everything read is looked at in
//! order and counted; what nobody waits for yet is kept, at most [`MAX_KEPT`] stanzas.

use super::{Outcome, line::Line};
use crate::demo::xml::Element;
use crate::demo::{Agent, uuid};
use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const MAX_KEPT: usize = 1000;
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Reserved for the desktop.
const RESOURCE: &str = "desktop";

/// A published `<Update>`.
pub(super) struct Event {
    /// Name of the object: `user`, `dialog`, `dialogs`, `apiErrors`.
    pub(super) object: String,
    /// PUT, POST or DELETE.
    verb: String,
    pub(super) request_id: String,
    /// State of the user or dialog, empty if none.
    pub(super) state: String,
    /// Id of the dialog, empty if none.
    pub(super) id: String,
    /// Type of the API error, empty if none.
    pub(super) error: String,
}

impl Event {
    /// Reads a pub-sub message: the payload is a document of its own, escaped once.
    fn read(message: &Element) -> Option<Self> {
        let notification = message.at(&["event", "items", "item", "notification"])?;
        let update = Element::read(&notification.text).ok()?;
        let object = update.child("data")?.children.first()?;
        let inner = object.child("Dialog").unwrap_or(object);
        let text = |element: &Element, path: &[&str]| element.text_at(path).unwrap_or_default().to_owned();
        Some(Self {
            object: object.name.clone(),
            verb: text(&update, &["event"]),
            request_id: text(&update, &["requestId"]),
            state: text(inner, &["state"]),
            id: text(inner, &["id"]),
            error: text(object, &["apiError", "errorType"]),
        })
    }
}

/// What can arrive.
enum Arrival {
    Event(Event),
    Other(Element),
}

/// A logged-in stream.
pub(super) struct Stream {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    domain: String,
    pubsub: String,
    jid: String,
    nodes: Vec<String>,
    kept: VecDeque<Arrival>,
    seen: Outcome,
}

impl Stream {
    /// Opens the WebSocket and logs in; returns when the server's own presence has come.
    pub(super) async fn connect(line: &Line, agent: &Agent, domain: &str, pubsub: &str) -> Result<Self> {
        let host = line.host();
        let uri = format!("wss://{host}/ws/").parse()?;
        let request = ClientRequestBuilder::new(uri)
            .with_header("Origin", format!("https://{host}"))
            .with_header("User-Agent", line.user_agent)
            .with_sub_protocol("xmpp");
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let tls = line.connect().await?;
        let (socket, _) = client_async_with_config(request, tls, Some(config)).await.context("WebSocket upgrade")?;
        let mut stream = Self {
            socket,
            domain: domain.to_owned(),
            pubsub: pubsub.to_owned(),
            jid: String::new(),
            nodes: Vec::new(),
            kept: VecDeque::new(),
            seen: Outcome::default(),
        };
        stream.log_in(agent).await?;
        Ok(stream)
    }

    /// Subscribes to a node.
    pub(super) async fn subscribe(&mut self, node: &str) -> Result<()> {
        let id = self.send_pubsub("subscribe", node).await?;
        self.result(&id).await.with_context(|| format!("subscribe to {node}"))?;
        self.nodes.push(node.to_owned());
        Ok(())
    }

    /// XEP-0199 to the server and back.
    pub(super) async fn ping(&mut self) -> Result<()> {
        let id = format!("{}:ping", uuid());
        let ping = format!(
            "<iq type='get' to='{}' id='{id}' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>",
            self.domain
        );
        self.send(ping).await?;
        self.result(&id).await.context("ping")?;
        self.seen.pings += 1;
        Ok(())
    }

    /// Reads until the stream ends, and forgets what comes.
    pub(super) async fn listen(&mut self) -> Result<()> {
        loop {
            if let Arrival::Other(element) = self.read().await?
                && element.name == "error"
            {
                bail!("stream error: {}", element.children.first().map_or("no reason", |child| child.name.as_str()));
            }
        }
    }

    /// Reads until the server has ended the stream, or for as long as it is waited for.
    pub(super) async fn hold(mut self) {
        let _ = self.listen().await;
    }

    /// The first event not yet taken that `is_it`; `what` it is goes into the error.
    pub(super) async fn wait(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Result<Event> {
        let arrival = self.take(|arrival| matches!(arrival, Arrival::Event(event) if is_it(event))).await;
        match arrival.with_context(|| format!("wait for {what}"))? {
            Arrival::Event(event) => Ok(event),
            Arrival::Other(_) => bail!("wait for {what}: not an event"),
        }
    }

    /// Unsubscribes, goes offline, closes the stream and the WebSocket. Says what has been seen in all.
    pub(super) async fn close(mut self) -> Result<Outcome> {
        for node in std::mem::take(&mut self.nodes) {
            let id = self.send_pubsub("unsubscribe", &node).await?;
            self.result(&id).await.with_context(|| format!("unsubscribe from {node}"))?;
        }
        self.send("<presence xmlns='jabber:client' type='unavailable'/>").await?;
        self.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await?;
        self.named("close").await?;
        self.socket.close(None).await?;
        while let Some(message) = self.socket.next().await {
            message?;
        }
        self.socket.get_mut().shutdown().await?;
        Ok(self.seen)
    }

    async fn log_in(&mut self, agent: &Agent) -> Result<()> {
        self.open_stream("mechanisms").await?;
        let auth = agent.sasl_plain(&self.domain);
        self.send(format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{auth}</auth>")).await?;
        let answer = self.other(|element| matches!(element.name.as_str(), "success" | "failure")).await?;
        if answer.name == "failure" {
            let condition = answer.children.first().map_or("no reason", |child| child.name.as_str());
            bail!("authentication failed: {condition}");
        }
        self.open_stream("bind").await?;
        let bind = format!(
            "<iq type='set' id='_bind_auth_2' xmlns='jabber:client'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{RESOURCE}</resource></bind></iq>"
        );
        self.send(bind).await?;
        let bound = self.result("_bind_auth_2").await.context("bind")?;
        self.jid = bound.text_at(&["bind", "jid"]).context("bind: no JID")?.to_owned();
        let session = "<iq type='set' id='_session_auth_2' xmlns='jabber:client'>\
                       <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
        self.send(session).await?;
        self.result("_session_auth_2").await.context("session")?;
        self.send("<presence xmlns='jabber:client'/>").await?;
        let is_server = |element: &Element| {
            element.name == "presence" && element.attribute("from").is_some_and(|from| from.starts_with("finesse@"))
        };
        self.other(is_server).await.context("wait for the presence of finesse@")?;
        Ok(())
    }

    /// Opens or restarts the stream; `feature` must be offered.
    async fn open_stream(&mut self, feature: &str) -> Result<()> {
        let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{}' version='1.0'/>", self.domain);
        self.send(open).await?;
        self.named("open").await?;
        let features = self.named("features").await?;
        ensure!(features.child(feature).is_some(), "the server does not offer {feature}");
        Ok(())
    }

    async fn send_pubsub(&mut self, verb: &str, node: &str) -> Result<String> {
        let id = format!("{}:{verb}node", uuid());
        let (jid, pubsub) = (&self.jid, &self.pubsub);
        let iq = format!(
            "<iq from='{jid}' to='{pubsub}' type='set' id='{id}' xmlns='jabber:client'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'><{verb} node='{node}' jid='{jid}'/></pubsub></iq>"
        );
        self.send(iq).await?;
        Ok(id)
    }

    async fn send(&mut self, text: impl Into<String>) -> Result<()> {
        Ok(self.socket.send(Message::text(text.into())).await?)
    }

    /// The answer to the request `id`.
    async fn result(&mut self, id: &str) -> Result<Element> {
        let iq = self.other(|element| element.name == "iq" && element.attribute("id") == Some(id)).await?;
        if iq.attribute("type") != Some("result") {
            let condition = iq.child("error").and_then(|error| error.children.first());
            bail!("answered with {}", condition.map_or("an error", |child| child.name.as_str()));
        }
        Ok(iq)
    }

    async fn named(&mut self, name: &str) -> Result<Element> {
        self.other(|element| element.name == name).await.with_context(|| format!("wait for <{name}>"))
    }

    async fn other(&mut self, is_it: impl Fn(&Element) -> bool) -> Result<Element> {
        match self.take(|arrival| matches!(arrival, Arrival::Other(element) if is_it(element))).await? {
            Arrival::Other(element) => Ok(element),
            Arrival::Event(_) => bail!("an event where none was expected"),
        }
    }

    /// The first arrival kept or to come that `is_it`.
    async fn take(&mut self, is_it: impl Fn(&Arrival) -> bool) -> Result<Arrival> {
        if let Some(n) = self.kept.iter().position(&is_it)
            && let Some(arrival) = self.kept.remove(n)
        {
            return Ok(arrival);
        }
        loop {
            let arrival = self.read().await?;
            if is_it(&arrival) {
                return Ok(arrival);
            }
            if let Arrival::Other(element) = &arrival
                && element.name == "error"
            {
                let condition = element.children.first().map_or("no reason", |child| child.name.as_str());
                bail!("stream error: {condition}");
            }
            ensure!(self.kept.len() < MAX_KEPT, "too much arrived that nobody waits for");
            self.kept.push_back(arrival);
        }
    }

    async fn read(&mut self) -> Result<Arrival> {
        loop {
            let Message::Text(text) = self.socket.next().await.context("the WebSocket ended")?? else { continue };
            let element = Element::read(&text).context("server stanza")?;
            let Some(event) = Event::read(&element) else { return Ok(Arrival::Other(element)) };
            self.seen.note(&event);
            return Ok(Arrival::Event(event));
        }
    }
}

impl Outcome {
    fn note(&mut self, event: &Event) {
        self.events += 1;
        match event.object.as_str() {
            "user" => self.user_states.push(event.state.clone()),
            "dialog" | "dialogs" => self.dialog_states.push(format!("{} {}", event.verb, event.state)),
            _ => {}
        }
        if !event.id.is_empty() && !self.calls.contains(&event.id) {
            self.calls.push(event.id.clone());
        }
    }
}
