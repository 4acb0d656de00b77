//! The scripted desktop: signs in as the Cisco desktop does, takes one call, wraps it up, signs out.
//!
//! [`story`] lets any number of agents do so at once and says how each fared. A desktop never sleeps to hope: it waits
//! for the event that says what came of its request; the pauses between steps are there for a person to follow and can
//! be zero. Everything ends within [`Story::limit`].

mod endure;
mod line;
mod rest;
mod stream;

pub use endure::{endure, shows_after};

use crate::conn::Authority;
use crate::demo::xml::leaf;
use crate::demo::{Agent, PACE};
use anyhow::{Context, Result};
use line::Line;
use rest::Rest;
use rustls::RootCertStore;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::{Event, Stream};
use tokio::task::JoinSet;

/// The desktops' starts are spread over this many pauses, as people do not arrive all at once.
const ARRIVAL_PAUSES: u32 = 3;

/// What a browser says it is, and what another does.
const USER_AGENT: &str = "Mozilla/5.0 (finesse-tap demo desktop)";
const OTHER_USER_AGENT: &str = "Mozilla/5.0 (finesse-tap demo, another browser)";

/// Who signs in where, and how fast.
#[derive(Clone)]
pub struct Story {
    /// Where to connect to: the proxy, or the server itself.
    pub dial: SocketAddr,
    /// Whom to ask for: SNI, Host, XMPP domain.
    pub server: Authority,
    /// Whose certificates are believed.
    pub roots: Arc<RootCertStore>,
    /// Each gets a desktop of his own; all run at once.
    pub agents: Vec<Agent>,
    /// What the browsers say they are.
    pub user_agent: &'static str,
    /// Pause between two steps. The whole takes about 15 of them.
    pub pace: Duration,
    /// After which a desktop gives up, wherever it is; counted from the call of [`story`].
    pub limit: Duration,
}

impl Story {
    /// At [`PACE`] (about 6 s in all), given up after 14 s.
    #[must_use]
    pub fn new(dial: SocketAddr, server: Authority, roots: Arc<RootCertStore>, agents: Vec<Agent>) -> Self {
        Self { dial, server, roots, agents, user_agent: USER_AGENT, pace: PACE, limit: Duration::from_secs(14) }
    }
}

/// What a desktop lived through. Its `Display` is one line for a person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// States of the agent in the order their events came: `NOT_READY`, `READY`, `RESERVED` …
    pub user_states: Vec<String>,
    /// Verb and state of the call in the order its events came: `POST ALERTING`, `PUT ACTIVE` …
    pub dialog_states: Vec<String>,
    /// Ids of the calls, in order of appearance.
    pub calls: Vec<String>,
    /// REST requests answered as they should be.
    pub requests: u32,
    /// Events received.
    pub events: u32,
    /// XMPP pings answered.
    pub pings: u32,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "signed in, took call {}, signed out ({}): {} requests, {} events, {} pings",
            self.calls.join(" and "),
            self.user_states.join(" → "),
            self.requests,
            self.events,
            self.pings,
        )
    }
}

/// Runs one desktop for each agent, all at once, and says how each fared, in the order of [`Story::agents`].
///
/// An error says which step failed and why; it never holds a password.
pub async fn story(story: &Story) -> Vec<(Agent, Result<Outcome>)> {
    let count = u32::try_from(story.agents.len()).unwrap_or(u32::MAX).max(1);
    let mut desktops = JoinSet::new();
    for (n, agent) in story.agents.iter().cloned().enumerate() {
        let story = story.clone();
        let delay = story.pace * ARRIVAL_PAUSES / count * u32::try_from(n).unwrap_or_default();
        desktops.spawn(async move { (n, run(&story, &agent, delay).await) });
    }
    let mut outcomes: Vec<(Agent, Result<Outcome>)> =
        story.agents.iter().map(|agent| (agent.clone(), Err(anyhow::anyhow!("the desktop crashed")))).collect();
    while let Some(finished) = desktops.join_next().await {
        let Ok((n, outcome)) = finished else { continue };
        if let Some((_, slot)) = outcomes.get_mut(n) {
            *slot = outcome;
        }
    }
    outcomes
}

/// One agent's working day, begun after `delay`.
async fn run(story: &Story, agent: &Agent, delay: Duration) -> Result<Outcome> {
    let day = async {
        tokio::time::sleep(delay).await;
        let mut desktop = Desktop::open(story, agent).await?;
        desktop.sign_in().await?;
        desktop.take_a_call().await?;
        desktop.sign_out().await
    };
    tokio::time::timeout(story.limit, day).await.context("the time was up")?
}

/// A signed-in browser tab: one connection for REST, one WebSocket.
struct Desktop<'a> {
    story: &'a Story,
    agent: &'a Agent,
    rest: Rest,
    stream: Stream,
}

impl<'a> Desktop<'a> {
    /// Loads the page and logs in on XMPP.
    async fn open(story: &'a Story, agent: &'a Agent) -> Result<Self> {
        let line = Line::new(story)?;
        let mut rest = Rest::connect(&line, agent).await.context("connect for REST")?;
        rest.page("/desktop/").await.context("load the page")?;
        let info = rest.object("/finesse/api/SystemInfo").await?;
        let domain = info.text_at(&["xmppDomain"]).context("no xmppDomain in SystemInfo")?.to_owned();
        let pubsub = info.text_at(&["xmppPubSubDomain"]).context("no xmppPubSubDomain in SystemInfo")?.to_owned();
        rest.object(&format!("/finesse/api/User/{}", agent.id)).await?;
        rest.gadget_request().await.context("gadget request")?;
        let stream = Stream::connect(&line, agent, &domain, &pubsub).await.context("log in on XMPP")?;
        Ok(Self { story, agent, rest, stream })
    }

    async fn sign_in(&mut self) -> Result<()> {
        // The server subscribes the agent to its own nodes by itself.
        let user = self.user_uri();
        let dialogs = format!("{user}/Dialogs");
        let object = self.rest.object(&user).await?;
        let team = object.text_at(&["teamId"]).context("no team")?.to_owned();
        self.stream.subscribe(&team_node(&team)).await?;
        self.rest.object(&dialogs).await?;
        self.stream.ping().await?;
        self.pause(1).await;
        self.sign_in_at_phone().await?;
        self.pause(1).await;
        self.put_user(&leaf("state", "READY"), "READY").await
    }

    async fn sign_in_at_phone(&mut self) -> Result<()> {
        let login = [leaf("state", "LOGIN"), leaf("extension", &self.agent.extension)].concat();
        self.put_user(&login, "NOT_READY").await
    }

    async fn take_a_call(&mut self) -> Result<()> {
        let ringing = self.stream.wait("a call", |event| event.state == "ALERTING").await?;
        let dialog = format!("/finesse/api/Dialog/{}", ringing.id);
        self.pause(2).await;
        self.act(&dialog, "ANSWER", "").await?;
        self.wait_for_user("TALKING").await?;
        self.pause(2).await;
        self.stream.ping().await?;
        self.rest.object(&dialog).await?;
        self.pause(1).await;
        self.act(&dialog, "DROP", "").await?;
        self.wait_for_user("WORK").await?;
        self.pause(1).await;
        let wrap_up = format!("<mediaProperties>{}</mediaProperties>", leaf("wrapUpReason", "Refund promised"));
        self.act(&dialog, "UPDATE_CALL_DATA", &wrap_up).await?;
        self.pause(1).await;
        let not_ready = [leaf("state", "NOT_READY"), leaf("reasonCodeId", "12")].concat();
        self.put_user(&not_ready, "NOT_READY").await
    }

    async fn sign_out(mut self) -> Result<Outcome> {
        self.pause(1).await;
        self.stream.ping().await?;
        let logout = [leaf("state", "LOGOUT"), leaf("reasonCodeId", "21")].concat();
        self.put_user(&logout, "LOGOUT").await?;
        self.pause(1).await;
        let seen = self.stream.close().await.context("close the stream")?;
        Ok(Outcome { requests: self.rest.close().await, ..seen })
    }

    /// Asks for a state and waits for the event that says it is so.
    async fn put_user(&mut self, fields: &str, state: &str) -> Result<()> {
        let body = format!("<User>{fields}</User>");
        let request_id = self.rest.put(&self.user_uri(), body).await?;
        let event = self.outcome(state, &request_id).await?;
        anyhow::ensure!(event.state == state, "asked for {state}, became {}", event.state);
        Ok(())
    }

    /// Does something with the call and waits for the event that says it is done.
    async fn act(&mut self, dialog: &str, action: &str, fields: &str) -> Result<()> {
        let target = leaf("targetMediaAddress", &self.agent.extension);
        let body = format!("<Dialog>{target}{}{fields}</Dialog>", leaf("requestedAction", action));
        let request_id = self.rest.put(dialog, body).await?;
        self.outcome(action, &request_id).await.map(|_| ())
    }

    async fn outcome(&mut self, what: &str, request_id: &str) -> Result<Event> {
        let event = self.stream.wait(what, |event| event.request_id == request_id).await?;
        anyhow::ensure!(event.error.is_empty(), "{what} was refused: {}", event.error);
        Ok(event)
    }

    async fn wait_for_user(&mut self, state: &str) -> Result<()> {
        self.stream.wait(state, |event| event.object == "user" && event.state == state).await.map(|_| ())
    }

    fn user_uri(&self) -> String {
        format!("/finesse/api/User/{}", self.agent.id)
    }

    async fn pause(&self, steps: u32) {
        tokio::time::sleep(self.story.pace * steps).await;
    }
}

fn team_node(team: &str) -> String {
    format!("/finesse/api/Team/{team}/Users")
}
