//! Stanzas as the session layer sees them: the login's stages, subscriptions, pings, conflicts.

use super::stream::moved;
use super::{PATIENCE, Session, Spot, Tracker, hash};
use crate::clock::Moment;
use crate::conn::{Carrier, Direction};
use crate::finesse::Node;
use crate::session::findings::ending::{Announced, Health, Rival};
use crate::session::findings::login::Refusal;
use crate::session::findings::ping::Level;
use crate::session::findings::server::Sign;
use crate::session::findings::{self, Code, Fact};
use crate::session::names::bare;
use crate::session::server::{Process, process};
use crate::session::stage::Stage;
use crate::session::stream::{Iq, Question, Reply};
use crate::session::timer::Due;
use crate::xmpp::{Kind, Pubsub, Stanza};
use std::time::Duration;

/// Longest resource remembered, characters.
const MAX_RESOURCE: usize = 64;
/// Binds of one agent remembered.
const MAX_RIVALS: usize = 4;
/// A subscription follows the presence; an event of an older one may come before it.
const SUBSCRIBES: Duration = Duration::from_secs(30);
/// A process that published before and is not heard of for so long is gone.
const RESTARTED: Duration = Duration::from_secs(30);
/// Refused credentials are renewed by then, or the agent was asked for new ones.
pub(super) const RENEWED: Duration = Duration::from_secs(60);

/// What the line about a stanza should say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StanzaRead {
    /// The question it answers.
    pub reply: Option<Reply>,
    /// The stage of the login that it reaches.
    pub stage: Option<Stage>,
}

impl Tracker {
    /// A stanza passed; the line `spot.sequence` will say so.
    pub fn stanza(&mut self, spot: &Spot<'_>, direction: Direction, stanza: &Stanza<'_, '_>) -> StanzaRead {
        self.adopt(spot);
        let mut read = StanzaRead::default();
        match (stanza.kind, direction) {
            (Kind::Message, Direction::S2c) => {
                if let Some(pubsub) = stanza.pubsub.as_ref().filter(|pubsub| pubsub.action == "event") {
                    read.stage = self.event(spot, pubsub);
                }
            }
            (Kind::Iq, _) => self.iq(spot, direction, stanza, &mut read),
            (Kind::Open, Direction::S2c) => {
                let again = self.stream(spot).is_some_and(|stream| stream.ladder.has(Stage::Auth));
                read.stage = self.reach(spot, if again { Stage::Restart } else { Stage::Open });
            }
            // What is offered before TLS says only how to get there (RFC 6120 section 5.3.1).
            (Kind::Features, Direction::S2c) if offers_tls_alone(stanza) => {}
            (Kind::Features, Direction::S2c) => {
                let again = self.stream(spot).is_some_and(|stream| stream.ladder.has(Stage::Auth));
                read.stage = self.reach(spot, if again { Stage::Restart } else { Stage::Features });
                if read.stage == Some(Stage::Features)
                    && is_desktop(spot)
                    && let Some(finding) = findings::login::mechanisms(&stanza.mechanisms, spot.sequence)
                {
                    self.find(spot, finding);
                }
            }
            (Kind::Success, Direction::S2c) => {
                read.stage = self.reach(spot, Stage::Auth);
                self.logged_in(spot);
            }
            (Kind::Failure, Direction::S2c) => {
                let reason = stanza.error.as_ref().and_then(|error| error.condition).unwrap_or("none given");
                self.refused(spot, "sasl", reason);
            }
            (Kind::Presence, _) => read.stage = self.presence(spot, direction, stanza),
            (Kind::StreamError, Direction::S2c) => self.stream_error(spot, stanza),
            (Kind::Close, _) => {
                if let Some(stream) = self.stream(spot) {
                    stream.announced = Announced::Yes;
                    // Its login passed before anybody looked.
                    stream.leaves |= !stream.ladder.has(Stage::Open);
                }
            }
            _ => {}
        }
        read
    }

    /// The socket turns out to be this session's.
    pub(super) fn adopt(&mut self, spot: &Spot<'_>) {
        let Some(session) = spot.session else { return };
        let Some(stream) = spot.stream.and_then(|id| self.streams.get_mut(&id)) else { return };
        if stream.session == Some(session.id) {
            return;
        }
        let before = stream.session.replace(session.id);
        let ladder = stream.ladder;
        if let Some(desktop) = before.and_then(|id| self.desktops.find_mut(&id)) {
            desktop.open_sockets = desktop.open_sockets.saturating_sub(1);
            desktop.sockets = desktop.sockets.saturating_sub(1);
        }
        if let Some(desktop) = self.desktops.find_mut(&session.id) {
            desktop.open_sockets += 1;
            desktop.sockets += 1;
            desktop.ladder = ladder;
        }
    }

    fn reach(&mut self, spot: &Spot<'_>, stage: Stage) -> Option<Stage> {
        let stream = self.stream(spot)?;
        let reached = stream.ladder.reach(stage, spot.sequence, spot.at)?;
        let ladder = stream.ladder;
        if let Some(desktop) = self.desktop(spot) {
            desktop.ladder = ladder;
        }
        Some(reached)
    }

    fn logged_in(&mut self, spot: &Spot<'_>) {
        let Some(desktop) = self.desktop(spot) else { return };
        desktop.accepted = Some(spot.sequence);
        desktop.last = spot.at;
        self.accepted(spot);
    }

    /// Credentials were refused. A client that had good ones gets new ones, and all is well.
    pub(super) fn refused(&mut self, spot: &Spot<'_>, how: &'static str, reason: &str) {
        let accepted = self.desktop(spot).and_then(|desktop| desktop.accepted);
        let refusal = Refusal { how, reason, accepted, sequence: spot.sequence };
        let finding = findings::login::refused(refusal);
        match (finding.code, spot.session) {
            (Code::TokenExpired, session) => {
                let key = session.map_or(hash(&["token", &spot.conn.to_string()]), renewal);
                self.hold(spot, RENEWED, key, finding);
            }
            _ => self.find(spot, finding),
        }
    }

    /// Credentials were accepted: those refused before were renewed.
    pub(super) fn accepted(&mut self, spot: &Spot<'_>) {
        self.release(spot.session.map_or(hash(&["token", &spot.conn.to_string()]), renewal));
    }

    fn iq(&mut self, spot: &Spot<'_>, direction: Direction, stanza: &Stanza<'_, '_>, read: &mut StanzaRead) {
        let Some(iq) = self.stream(spot).and_then(|stream| stream.iq(direction, stanza, spot)) else { return };
        match iq {
            Iq::Asks(question) => self.asks(spot, direction, stanza, question),
            Iq::Answers(reply, question) => {
                self.answers(spot, direction, stanza, (&question, reply), read);
                read.reply = Some(reply);
            }
        }
    }

    fn asks(&mut self, spot: &Spot<'_>, direction: Direction, stanza: &Stanza<'_, '_>, question: Question) {
        match question {
            Question::Ping => self.asks_ping(spot, direction),
            Question::Bind => self.binds(spot, stanza),
            Question::Subscribe(node) => {
                let Some(stream) = self.stream(spot) else { return };
                let held_since = stream.held.find(&node).copied();
                stream.held.insert(node.clone(), spot.sequence);
                stream.left.remove(&node);
                if class(&node) == Some(Stage::UserSubscription) {
                    stream.asked_for_user.get_or_insert(spot.sequence);
                }
                if let Some(desktop) = self.desktop(spot)
                    && desktop.nodes.find(&node).is_none()
                {
                    desktop.nodes.insert(node.clone(), ());
                }
                self.release(unsubscribed(spot, &node));
                if let Some(finding) = findings::subscription::again(&node, held_since, spot.sequence) {
                    self.find(spot, finding);
                }
            }
            Question::Unsubscribe(node) => {
                if let Some(stream) = self.stream(spot) {
                    stream.held.remove(&node);
                    stream.left.insert(node, ());
                }
            }
            Question::Session | Question::Other => {}
        }
    }

    fn asks_ping(&mut self, spot: &Spot<'_>, direction: Direction) {
        let Some(id) = spot.stream else { return };
        self.timers.set(spot.at, PATIENCE, Due::IqPing(id, spot.sequence));
        if direction == Direction::S2c {
            return;
        }
        if let Some(desktop) = self.desktop(spot) {
            desktop.pings.sent += 1;
        }
        let Some(stream) = self.stream(spot) else { return };
        let Some((before, at)) = stream.last_ping.replace((spot.sequence, spot.at)) else { return };
        let spacing_ms = spot.at.ms_since(at);
        let finding = findings::ping::spacing(spacing_ms, stream.pings_often, before, spot.sequence);
        stream.pings_often |= spacing_ms <= findings::ping::OFTEN_MS;
        if !stream.is_desktop() {
            return;
        }
        if let Some(finding) = finding
            && !self.stood_still(at)
        {
            self.find(spot, finding);
        }
        self.works_with(spot);
    }

    /// An agent's client asks for its resource: whoever else holds it is thrown out.
    fn binds(&mut self, spot: &Spot<'_>, stanza: &Stanza<'_, '_>) {
        let Some(id) = spot.stream else { return };
        let resource = stanza.bind.as_ref().and_then(|bind| bind.resource.as_deref()).unwrap_or_default();
        let resource: String = resource.chars().take(MAX_RESOURCE).collect();
        if let Some(stream) = self.stream(spot) {
            stream.resource = Some(resource.clone());
        }
        let Some(user) = self.desktop(spot).map(|desktop| bare(&desktop.user).to_lowercase()) else { return };
        let browser = self.stream(spot).map_or(0, |stream| stream.browser);
        let rival = Rival { client: spot.client, browser, sequence: spot.sequence };
        // Only the same full JID throws out another.
        let user = format!("{user}/{resource}");
        match self.rivals.find_mut(&user) {
            Some(rivals) => {
                if rivals.len() == MAX_RIVALS {
                    rivals.pop_front();
                }
                rivals.push_back((id, rival));
            }
            None => self.rivals.insert(user, [(id, rival)].into()),
        }
    }

    fn answers(
        &mut self,
        spot: &Spot<'_>,
        direction: Direction,
        stanza: &Stanza<'_, '_>,
        (question, reply): (&Question, Reply),
        read: &mut StanzaRead,
    ) {
        let failed = stanza.stanza_type.as_deref() == Some("error");
        match question {
            Question::Ping => {
                let level = match direction {
                    Direction::C2s => Level::XmppOfServer,
                    Direction::S2c => Level::XmppOfClient,
                };
                if level == Level::XmppOfClient
                    && let Some(desktop) = self.desktop(spot)
                {
                    desktop.pings.answered += 1;
                    desktop.pings.slowest_ms = desktop.pings.slowest_ms.max(reply.rtt_us / 1_000);
                    desktop.ping_ms = Some(reply.rtt_us / 1_000);
                }
                self.pong_came(spot, level, reply.rtt_us, reply.in_reply_to);
            }
            Question::Subscribe(node) if failed => {
                if let Some(stream) = self.stream(spot) {
                    stream.held.remove(node);
                }
                if let Some(desktop) = self.desktop(spot) {
                    desktop.nodes.remove(node);
                }
                let condition = stanza.error.as_ref().and_then(|error| error.condition);
                self.find(spot, findings::subscription::refused(node, condition, reply.in_reply_to, spot.sequence));
            }
            Question::Subscribe(node) => read.stage = class(node).and_then(|stage| self.reach(spot, stage)),
            Question::Bind if !failed => {
                read.stage = self.reach(spot, Stage::Bind);
                self.bound(spot);
            }
            Question::Session if !failed => read.stage = self.reach(spot, Stage::Session),
            _ => {}
        }
    }

    /// A ping's answer came, perhaps behind the time when it was given up.
    pub(super) fn pong_came(&mut self, spot: &Spot<'_>, level: Level, rtt_us: u64, asked: u64) {
        let Some(finding) = findings::ping::slow(level, rtt_us, asked, spot.sequence) else { return };
        let given_up = self.stream(spot).and_then(|stream| stream.answered_late(asked));
        let sent = Moment { mono_ns: spot.at.mono_ns.saturating_sub(rtt_us.saturating_mul(1_000)), ..spot.at };
        if given_up.is_some() || !self.stood_still(sent) {
            self.revise(given_up.as_slice(), spot, finding);
        }
    }

    /// The agent's client has its address: one more login, if the one before has ended.
    fn bound(&mut self, spot: &Spot<'_>) {
        let resource = self.stream(spot).and_then(|stream| stream.resource.clone()).unwrap_or_default();
        let Some(desktop) = self.desktop(spot) else { return };
        let (logins, span_ms) = desktop.login(&resource, spot.sequence, spot.at);
        let key = moved(&desktop.user);
        self.release(key);
        if let Some(finding) = findings::reconnect::storm(&logins, span_ms) {
            self.find(spot, finding);
        }
    }

    fn presence(&mut self, spot: &Spot<'_>, direction: Direction, stanza: &Stanza<'_, '_>) -> Option<Stage> {
        let id = spot.stream?;
        match (direction, stanza.stanza_type.as_deref()) {
            (Direction::C2s, None) if stanza.to.is_none() => {
                let stage = self.reach(spot, Stage::Presence);
                if stage.is_some() && is_desktop(spot) {
                    self.timers.set(spot.at, PATIENCE, Due::FinessePresence(id));
                }
                if let Some(desktop) = self.desktop(spot) {
                    desktop.gone = None;
                }
                stage
            }
            (Direction::C2s, Some("unavailable")) => {
                if let Some(desktop) = self.desktop(spot) {
                    desktop.gone = Some((spot.sequence, spot.at));
                }
                None
            }
            (Direction::S2c, kind) if stanza.from.as_deref().is_some_and(is_finesse) => match kind {
                None => {
                    let stage = self.reach(spot, Stage::FinessePresence);
                    if stage.is_some() {
                        self.presence_came(spot);
                    }
                    stage
                }
                Some("unavailable") => {
                    self.outage(spot, Sign::PresenceGone, None);
                    None
                }
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// The presence of `finesse@` came after it was said that it did not.
    fn presence_came(&mut self, spot: &Spot<'_>) {
        let Some(stream) = self.stream(spot) else { return };
        let Some(number) = stream.no_presence.take() else { return };
        let ladder = stream.ladder;
        let sent = ladder.at(Stage::Presence).map_or(spot.at, |(_, at)| at);
        let finding = findings::login::late_presence(&ladder, spot.at.ms_since(sent), spot.sequence);
        self.revise(&[number], spot, finding);
    }

    /// Something says that the server's side is out. In its maintenance that is planned.
    pub(super) fn outage(&mut self, spot: &Spot<'_>, sign: Sign, reason: Option<&str>) {
        let is_planned = self.server(spot.server).is_some_and(|server| server.is_in_maintenance);
        if !is_planned {
            self.find(spot, findings::server::outage(sign, [spot.sequence]).maybe(Fact::Message, reason));
        }
    }

    fn stream_error(&mut self, spot: &Spot<'_>, stanza: &Stanza<'_, '_>) {
        let condition = stanza.error.as_ref().and_then(|error| error.condition);
        match condition {
            // A page that is closing makes way for its successor.
            Some("conflict") if self.stream(spot).is_some_and(|stream| stream.announced == Announced::Yes) => {}
            Some("conflict") => {
                let resource = self.stream(spot).and_then(|stream| stream.resource.clone()).unwrap_or_default();
                let user = self.desktop(spot).map(|desktop| bare(&desktop.user).to_lowercase());
                let user = user.map(|user| format!("{user}/{resource}"));
                let rivals = user.and_then(|user| self.rivals.find(&user));
                let own = spot.stream;
                let rival = rivals.and_then(|rivals| rivals.iter().rev().find(|(id, _)| Some(*id) > own));
                let rival = rival.map(|(_, rival)| *rival);
                let (browser, health) =
                    self.stream(spot).map_or((0, Health::Alive), |stream| (stream.browser, stream.health()));
                let own = Rival { client: spot.client, browser, sequence: spot.sequence };
                self.find(spot, findings::ending::conflict(own, rival, health));
            }
            Some("system-shutdown") => self.outage(spot, Sign::SystemShutdown, None),
            _ => {
                let text = stanza.error.as_ref().and_then(|error| error.text.as_deref());
                let unanswered = self.stream(spot).and_then(|stream| stream.oldest_ping(Level::XmppOfServer));
                self.find(spot, findings::ending::stream_error(condition, text, unanswered, spot.sequence));
            }
        }
    }

    /// A pub-sub event: whose process made it, whether it came before, whether anybody wanted it. Tells the stage that it
    /// reaches. On the hot path.
    fn event(&mut self, spot: &Spot<'_>, pubsub: &Pubsub<'_, '_>) -> Option<Stage> {
        let node = pubsub.node.as_deref().unwrap_or_default();
        let known = Node::read(node);
        let first = self.reach(spot, Stage::FirstEvent);
        let own = known.filter(|known| self.is_own(spot, known));
        // The server subscribes every agent to its own nodes by itself: no stanza tells, but the events do.
        let subscribed = own.filter(|own| own.object == "User").and_then(|_| self.reach(spot, Stage::UserSubscription));
        if let Some(id) = pubsub.item_id.as_deref() {
            self.item(spot, node, known.map_or("", |known| known.object), id);
        }
        if own.is_none() && self.is_unsubscribed(spot, node) {
            self.hold(spot, SUBSCRIBES, unsubscribed(spot, node), findings::event::unsubscribed(node, spot.sequence));
        }
        subscribed.or(first)
    }

    /// Whether the server subscribes the agent to this node by itself.
    fn is_own(&mut self, spot: &Spot<'_>, node: &Node<'_>) -> bool {
        match node.object {
            "SystemInfo" => true,
            "User" if node.aspect.is_none_or(|aspect| !aspect.starts_with("Queues")) => {
                let id = percent_encoding::percent_decode_str(node.id.unwrap_or_default()).decode_utf8_lossy();
                self.desktop(spot).is_none_or(|desktop| desktop.is(&id))
            }
            _ => false,
        }
    }

    /// Whether nobody asked for the node in this session, all of whose login on this stream was seen.
    fn is_unsubscribed(&mut self, spot: &Spot<'_>, node: &str) -> bool {
        let saw_login = self.stream(spot).is_some_and(|stream| stream.ladder.has(Stage::Presence));
        saw_login && self.desktop(spot).is_some_and(|desktop| desktop.nodes.find(node).is_none())
    }

    /// An item's id: the same as before, or another process's.
    fn item(&mut self, spot: &Spot<'_>, node: &str, object: &str, id: &str) {
        let item = hash(&[node, id]);
        if let Some(stream) = self.stream(spot) {
            // Only a user's changes have an order.
            if object == "User" || object == "Team" {
                stream.published = hash(&[node, process(id).unwrap_or_default()]);
            }
            if let Some((before, line)) = stream.last_item.replace((item, spot.sequence))
                && before == item
            {
                self.find(spot, findings::subscription::delivered_twice(node, line, spot.sequence));
            }
        }
        let process = self.server(spot.server).and_then(|server| server.item(hash(&[object]), id, spot.sequence));
        match process {
            None => {}
            Some(Process::Back) => self.release(hash(&["restart", spot.server])),
            Some(Process::New(last)) => {
                let finding = findings::server::restart(last, spot.sequence);
                self.hold(spot, RESTARTED, hash(&["restart", spot.server]), finding);
            }
        }
    }
}

/// What is held back until the session's credentials are renewed.
fn renewal(session: Session) -> u64 {
    hash(&["token", &session.id.to_string()])
}

/// What is held back until the session subscribes to the node.
fn unsubscribed(spot: &Spot<'_>, node: &str) -> u64 {
    hash(&["unsubscribed", &spot.session.map(|session| session.id.to_string()).unwrap_or_default(), node])
}

/// Desktops speak over WebSocket or BOSH; who speaks XMPP by itself has other needs.
fn is_desktop(spot: &Spot<'_>) -> bool {
    spot.stream.is_some_and(|id| id.carrier != Carrier::Tcp)
}

fn offers_tls_alone(features: &Stanza<'_, '_>) -> bool {
    features.mechanisms.is_empty() && features.element.child("starttls").is_some()
}

/// The localparts whose presence makes the desktop count itself connected.
fn is_finesse(from: &str) -> bool {
    from.starts_with("finesse@") || from.contains("cuic.") || from.contains("ccx.")
}

/// The stage that a subscription to this node reaches.
fn class(node: &str) -> Option<Stage> {
    match Node::read(node)?.object {
        "User" => Some(Stage::UserSubscription),
        "Team" => Some(Stage::TeamSubscription),
        _ => None,
    }
}
