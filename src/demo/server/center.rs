//! Everything the demo server remembers, behind one lock: users, calls, XMPP sessions, who listens to which node.
//!
//! Turns what agents ask for into new state and into events for those who subscribed. Does no I/O: an event is a stanza
//! put into the outbox of a session. An outbox holds [`OUTBOX`] stanzas; who lets it run full loses the session, as with
//! a real server. The time is read from [`clock`].

use super::Site;
use super::call::{Action, Call};
use super::user::{ApiError, Change, INVALID_STATE, State, TEAM, User, iso};
use crate::clock;
use crate::demo::trouble::{Trouble, Troubles};
use crate::demo::xml::{escape, escape_text, leaf};
use crate::demo::{Agent, uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Stanzas waiting for one client.
pub(super) const OUTBOX: usize = 256;
/// Its path and its node.
const SYSTEM_INFO: &str = "/finesse/api/SystemInfo";
/// How long REST says that the server is starting, microseconds.
const STARTING_US: i64 = 4_000_000;
/// The id the first call gets.
const FIRST_CALL: u64 = 16_777_217;

/// What a session is told from outside.
pub(super) enum Errand {
    /// Send this stanza.
    Stanza(String),
    /// Send this stanza, but late.
    Late(String),
    /// Another client took the resource over: say so and end.
    Conflict,
    /// The server goes down: say so and end.
    Shutdown,
    /// Maintenance: end the stream in order.
    Leave,
}

/// One bound XMPP session; the key to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SessionKey(u64);

/// What one `PUT` or `ring` leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The agent waits for a call.
    Ring,
    Nothing,
}

/// Why a subscription is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    ItemNotFound,
    Forbidden,
    NotSubscribed,
}

struct Session {
    agent: String,
    jid: String,
    outbox: mpsc::Sender<Errand>,
    nodes: BTreeSet<String>,
}

/// The contact centre.
pub(super) struct Center {
    host: String,
    /// What goes wrong on purpose.
    troubles: Troubles,
    floor: Mutex<Floor>,
}

#[derive(Default)]
struct Floor {
    /// Starts every item id: tells one life of the server from the next.
    process: String,
    /// Until when REST says that the server is starting, microseconds.
    starting_until_us: i64,
    /// Planned maintenance has begun.
    is_in_maintenance: bool,
    users: BTreeMap<String, User>,
    calls: BTreeMap<u64, Call>,
    sessions: BTreeMap<SessionKey, Session>,
    items: u64,
    next_call: u64,
    next_session: u64,
}

/// An event before it is addressed.
struct Update<'a> {
    node: String,
    data: String,
    verb: &'static str,
    request_id: &'a str,
    source: String,
}

impl Center {
    pub(super) fn new(site: &Site) -> Self {
        let now_us = clock::now().wall_us;
        let users = site.agents.iter().map(|agent| (agent.id.clone(), User::new(agent.clone(), now_us))).collect();
        let floor = Mutex::new(Floor { process: uuid(), users, next_call: FIRST_CALL, ..Floor::default() });
        Self { host: site.host.clone(), troubles: Troubles::default(), floor }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// What goes wrong on purpose.
    pub(super) fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// Switches a fault, or lets it happen.
    pub(super) fn trouble(&self, trouble: Trouble, on: bool) {
        if !trouble.happens_once() {
            self.troubles.set(trouble, on);
            return;
        }
        let mut floor = self.floor();
        match trouble {
            Trouble::Maintenance => {
                floor.is_in_maintenance = on;
                let (data, source) = (self.system_info(&floor, "systemInfo"), String::from(SYSTEM_INFO));
                self.publish(&mut floor, &Update { node: source.clone(), data, verb: "PUT", request_id: "", source });
                if !on {
                    return;
                }
                floor.sessions.values().for_each(|session| drop(session.outbox.try_send(Errand::Leave)));
            }
            // What happens once is over by itself.
            _ if !on => {}
            Trouble::ServerRestart => {
                floor.process = uuid();
                floor.starting_until_us = clock::now().wall_us + STARTING_US;
                floor.sessions.values().for_each(|session| drop(session.outbox.try_send(Errand::Shutdown)));
            }
            _ => floor.sessions.values().for_each(|session| drop(session.outbox.try_send(Errand::Conflict))),
        }
    }

    /// Whether the server is starting again, and refuses requests.
    pub(super) fn is_starting(&self) -> bool {
        clock::now().wall_us < self.floor().starting_until_us
    }

    /// `<SystemInfo>`.
    pub(super) fn system_info_xml(&self) -> String {
        self.system_info(&self.floor(), "SystemInfo")
    }

    fn system_info(&self, floor: &Floor, root: &str) -> String {
        let now = iso(clock::now().wall_us);
        let node = |name: &str, host: &str| format!("<{name}>{}</{name}>", leaf("host", host));
        let fields = [
            leaf("currentTimestamp", &now),
            leaf("deploymentType", "UCCE"),
            leaf("finesseMMode", if floor.is_in_maintenance { "IN_PROGRESS" } else { "" }),
            leaf("lastCTIHeartbeatStatus", "success"),
            node("primaryNode", &self.host),
            leaf("status", "IN_SERVICE"),
            leaf("statusReason", ""),
            leaf("systemAuthMode", "NON_SSO"),
            leaf("timezoneOffset", "0"),
            leaf("uri", SYSTEM_INFO),
            leaf("xmppDomain", &self.host),
            leaf("xmppPubSubDomain", &format!("pubsub.{}", self.host)),
        ];
        format!("<{root}>{}</{root}>", fields.concat())
    }

    /// The agent whose id and password these are.
    pub(super) fn authenticate(&self, id: &str, password: &str) -> Option<Agent> {
        if self.troubles.is_on(Trouble::WrongPassword) {
            return None;
        }
        self.floor().users.get(id).map(|user| &user.agent).filter(|agent| agent.password == password).cloned()
    }

    /// A new session under `jid` (full); an older one under the same is told to go.
    pub(super) fn bind(&self, agent: &str, jid: &str, outbox: mpsc::Sender<Errand>) -> SessionKey {
        let mut floor = self.floor();
        let older: Vec<_> = floor.sessions.iter().filter(|(_, s)| s.jid == jid).map(|(key, _)| *key).collect();
        for key in older {
            if let Some(session) = floor.sessions.remove(&key) {
                let _ = session.outbox.try_send(Errand::Conflict);
            }
        }
        floor.next_session += 1;
        let key = SessionKey(floor.next_session);
        let (agent, jid) = (agent.to_owned(), jid.to_owned());
        // Finesse subscribes every agent to these by itself.
        let own = format!("/finesse/api/User/{agent}");
        let nodes = [String::from(SYSTEM_INFO), format!("{own}/Dialogs"), format!("{own}/Media"), own];
        floor.sessions.insert(key, Session { agent, jid, outbox, nodes: nodes.into() });
        key
    }

    /// The session is over, its subscriptions with it.
    pub(super) fn unbind(&self, key: SessionKey) {
        self.floor().sessions.remove(&key);
    }

    pub(super) fn subscribe(&self, key: SessionKey, node: &str) -> Result<(), Refusal> {
        if self.troubles.is_on(Trouble::RefusedSubscription) {
            return Err(Refusal::Forbidden);
        }
        let mut floor = self.floor();
        let node = node.trim_end_matches('/');
        if !floor.has_node(node) {
            return Err(Refusal::ItemNotFound);
        }
        let session = floor.sessions.get_mut(&key).ok_or(Refusal::Forbidden)?;
        let own = format!("/finesse/api/User/{}", session.agent);
        let foreign = node.starts_with("/finesse/api/User/") && node != own && !node.starts_with(&format!("{own}/"));
        if foreign {
            return Err(Refusal::Forbidden);
        }
        session.nodes.insert(node.to_owned());
        Ok(())
    }

    pub(super) fn unsubscribe(&self, key: SessionKey, node: &str) -> Result<(), Refusal> {
        let mut floor = self.floor();
        let session = floor.sessions.get_mut(&key).ok_or(Refusal::Forbidden)?;
        if session.nodes.remove(node.trim_end_matches('/')) { Ok(()) } else { Err(Refusal::NotSubscribed) }
    }

    /// `<User>` of an agent.
    pub(super) fn user_xml(&self, id: &str) -> Option<String> {
        self.floor().users.get(id).map(|user| user.xml("User"))
    }

    /// `<Dialogs>` of an agent.
    pub(super) fn dialogs_xml(&self, id: &str) -> String {
        let floor = self.floor();
        let dialogs: String =
            floor.calls.values().filter(|call| call.agent == id).map(|call| call.xml("Dialog")).collect();
        format!("<Dialogs>{dialogs}</Dialogs>")
    }

    /// `<Dialog>` of one of the agent's calls.
    pub(super) fn dialog_xml(&self, id: u64, agent: &str) -> Option<String> {
        self.floor().calls.get(&id).filter(|call| call.agent == agent).map(|call| call.xml("Dialog"))
    }

    /// Carries out a change of state and publishes what came of it.
    pub(super) fn change(&self, agent: &str, change: &Change, request_id: &str) -> Next {
        let now_us = clock::now().wall_us;
        let mut floor = self.floor();
        let Some(user) = floor.users.get_mut(agent) else { return Next::Nothing };
        if let Err(error) = user.change(change, now_us) {
            let node = user.uri();
            self.refuse(&mut floor, node.clone(), node, error, request_id);
            return Next::Nothing;
        }
        self.end_wrap_up(&mut floor, agent);
        self.publish_user(&mut floor, agent, request_id);
        if *change == Change::Ready { Next::Ring } else { Next::Nothing }
    }

    /// A customer calls `agent`, unless he is no longer ready.
    pub(super) fn ring(&self, agent: &str) {
        let now_us = clock::now().wall_us;
        let mut floor = self.floor();
        let id = floor.next_call;
        let Some(user) = floor.users.get_mut(agent).filter(|user| user.state == State::Ready) else { return };
        user.set(State::Reserved, now_us);
        let call = Call::new(id, agent, &user.agent.extension, now_us);
        floor.calls.insert(id, call);
        floor.next_call += 1;
        self.publish_dialog(&mut floor, id, "POST", "");
        self.publish_user(&mut floor, agent, "");
    }

    /// Hands a call to whoever has the phone `extension`: a single-step transfer.
    pub(super) fn transfer(&self, agent: &str, call: u64, extension: &str, request_id: &str) {
        let now_us = clock::now().wall_us;
        let mut floor = self.floor();
        let ready = |user: &&User| user.agent.extension == extension && user.state == State::Ready;
        let to = floor.users.values().find(ready).map(|user| user.agent.id.clone());
        let talking = floor.calls.get(&call).is_some_and(|call| call.agent == agent && call.is_active());
        let Some(to) = to.filter(|_| talking) else {
            let node = format!("/finesse/api/User/{agent}/Dialogs");
            self.refuse(&mut floor, node, format!("/finesse/api/Dialog/{call}"), INVALID_STATE, request_id);
            return;
        };
        if let Some(call) = floor.calls.get_mut(&call) {
            call.leave(now_us);
        }
        self.publish_dialog(&mut floor, call, "PUT", request_id);
        self.publish_dialog(&mut floor, call, "DELETE", "");
        if let Some(call) = floor.calls.get_mut(&call) {
            call.ring_at(&to, extension, now_us);
        }
        for (id, state) in [(agent, State::Work), (&to, State::Reserved)] {
            if let Some(user) = floor.users.get_mut(id) {
                user.set(state, now_us);
            }
            self.publish_user(&mut floor, id, "");
        }
        self.publish_dialog(&mut floor, call, "POST", "");
    }

    /// Does something with a call and publishes what came of it; a call the agent does not have is a refusal.
    pub(super) fn act(&self, agent: &str, call: u64, action: Action, request_id: &str) {
        let now_us = clock::now().wall_us;
        let mut floor = self.floor();
        let outcome = match floor.calls.get_mut(&call).filter(|call| call.agent == agent) {
            Some(call) => call.act(action, now_us),
            None => Err(INVALID_STATE),
        };
        match outcome {
            Err(error) => {
                let node = format!("/finesse/api/User/{agent}/Dialogs");
                self.refuse(&mut floor, node, format!("/finesse/api/Dialog/{call}"), error, request_id);
            }
            Ok(state) => {
                self.publish_dialog(&mut floor, call, "PUT", request_id);
                if let Some(state) = state {
                    if let Some(user) = floor.users.get_mut(agent) {
                        user.set(state, now_us);
                    }
                    self.publish_user(&mut floor, agent, "");
                }
            }
        }
    }

    /// Wrap-up ends with the next state: calls that are over go.
    fn end_wrap_up(&self, floor: &mut Floor, agent: &str) {
        let over: Vec<u64> = floor.calls.values().filter(|call| call.agent == agent).map(|call| call.id).collect();
        for id in over {
            self.publish_dialog(floor, id, "DELETE", "");
            floor.calls.remove(&id);
        }
    }

    fn publish_user(&self, floor: &mut Floor, agent: &str, request_id: &str) {
        let Some(user) = floor.users.get(agent) else { return };
        let (uri, data) = (user.uri(), user.xml("user"));
        self.publish(floor, &Update { node: uri.clone(), data, verb: "PUT", request_id, source: uri });
    }

    /// A call that comes or goes changes the agent's list of dialogs, one that lives changes itself.
    fn publish_dialog(&self, floor: &mut Floor, id: u64, verb: &'static str, request_id: &str) {
        let Some(call) = floor.calls.get(&id) else { return };
        let node = format!("/finesse/api/User/{}/Dialogs", call.agent);
        let (data, source) = match verb {
            "PUT" => (call.xml("dialog"), call.uri()),
            _ => (format!("<dialogs>{}</dialogs>", call.xml("Dialog")), node.clone()),
        };
        self.publish(floor, &Update { node, data, verb, request_id, source });
    }

    fn refuse(&self, floor: &mut Floor, node: String, source: String, error: ApiError, request_id: &str) {
        self.publish(floor, &Update { node, data: error.event(), verb: "PUT", request_id, source });
    }

    fn publish(&self, floor: &mut Floor, update: &Update<'_>) {
        if self.troubles.is_on(Trouble::LostEvent) {
            return;
        }
        let is_late = self.troubles.is_on(Trouble::LateEvent);
        floor.items += 1;
        let item_id = format!("{}{}", floor.process, floor.items);
        let text = format!(
            "<Update><data>{}</data>{}{}{}</Update>",
            update.data,
            leaf("event", update.verb),
            leaf("requestId", update.request_id),
            leaf("source", &update.source),
        );
        let (host, node, notification) = (&self.host, escape(&update.node), escape_text(&text));
        floor.sessions.retain(|key, session| {
            if !session.nodes.contains(&update.node) {
                return true;
            }
            let to = format!("{}@{host}", session.agent);
            let stanza = format!(
                "<message xmlns=\"jabber:client\" from=\"pubsub.{host}\" to=\"{to}\" id=\"{node}__{to}__{}-{}\">\
                 <event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"{node}\"><item id=\"{item_id}\">\
                 <notification xmlns=\"http://jabber.org/protocol/pubsub\">{notification}</notification>\
                 </item></items></event></message>",
                key.0, floor.items,
            );
            let errand = if is_late { Errand::Late(stanza) } else { Errand::Stanza(stanza) };
            session.outbox.try_send(errand).is_ok()
        });
    }

    /// A panic elsewhere leaves the floor usable: every change is made in one go.
    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Floor {
    /// Whether there is such a node (without `/` at its end).
    fn has_node(&self, node: &str) -> bool {
        let Some(path) = node.strip_prefix("/finesse/api/") else { return false };
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["SystemInfo"] => true,
            ["Team", id] | ["Team", id, "Users"] => *id == TEAM.0,
            ["User", id] | ["User", id, "Dialogs" | "Media" | "Queues"] | ["User", id, "Dialogs", "Media"] => {
                self.users.contains_key(*id)
            }
            _ => false,
        }
    }
}
