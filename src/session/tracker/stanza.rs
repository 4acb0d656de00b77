//! Stanzas as the session layer sees them: the login's stages, subscriptions, pings, conflicts.

use super::{PATIENCE, Spot, Tracker, bare, hash};
use crate::conn::{Carrier, Direction};
use crate::finesse::Node;
use crate::session::findings;
use crate::session::findings::ending::{Announced, Health, Rival};
use crate::session::findings::login::Refusal;
use crate::session::findings::ping::Level;
use crate::session::findings::server::Sign;
use crate::session::stage::Stage;
use crate::session::stream::{Iq, Question, Reply};
use crate::session::timer::Due;
use crate::xmpp::{Kind, Pubsub, Stanza};

/// Binds of one agent remembered.
const MAX_RIVALS: usize = 4;

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
                    read.stage = self.reach(spot, Stage::FirstEvent);
                    self.event(spot, pubsub);
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
                let accepted = self.desktop(spot).and_then(|desktop| desktop.accepted);
                let refusal = Refusal { how: "sasl", reason, accepted, sequence: spot.sequence };
                self.find(spot, findings::login::refused(refusal));
            }
            (Kind::Presence, _) => read.stage = self.presence(spot, direction, stanza),
            (Kind::StreamError, Direction::S2c) => self.stream_error(spot, stanza),
            (Kind::Close, _) => {
                if let Some(stream) = self.stream(spot) {
                    stream.announced = Announced::Yes;
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
        let (logins, span_ms) = desktop.login(spot.sequence, spot.at);
        if let Some(finding) = findings::reconnect::storm(&logins, span_ms) {
            self.find(spot, finding);
        }
    }

    fn iq(&mut self, spot: &Spot<'_>, direction: Direction, stanza: &Stanza<'_, '_>, read: &mut StanzaRead) {
        let Some(iq) = self.stream(spot).and_then(|stream| stream.iq(direction, stanza, spot)) else { return };
        match iq {
            Iq::Asks(question) => self.asks(spot, direction, question),
            Iq::Answers(reply, question) => {
                self.answers(spot, direction, stanza, (&question, reply), read);
                read.reply = Some(reply);
            }
        }
    }

    fn asks(&mut self, spot: &Spot<'_>, direction: Direction, question: Question) {
        match question {
            Question::Ping => self.asks_ping(spot, direction),
            Question::Bind => self.binds(spot),
            Question::Subscribe(node) => {
                let Some(stream) = self.stream(spot) else { return };
                let held_since = stream.held.find(&node).copied();
                stream.held.insert(node.clone(), spot.sequence);
                if class(&node) == Some(Stage::UserSubscription) {
                    stream.asked_for_user.get_or_insert(spot.sequence);
                }
                if let Some(desktop) = self.desktop(spot)
                    && desktop.nodes.find(&node).is_none()
                {
                    desktop.nodes.insert(node.clone(), ());
                }
                if let Some(finding) = findings::subscription::again(&node, held_since, spot.sequence) {
                    self.find(spot, finding);
                }
            }
            Question::Unsubscribe(node) => {
                if let Some(stream) = self.stream(spot) {
                    stream.held.remove(&node);
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
        if let Some((before, at)) = stream.last_ping.replace((spot.sequence, spot.at))
            && let Some(finding) = findings::ping::spacing(spot.at.ms_since(at), before, spot.sequence)
        {
            self.find(spot, finding);
        }
    }

    /// An agent's client asks for its resource: whoever else holds it is thrown out.
    fn binds(&mut self, spot: &Spot<'_>) {
        let Some(id) = spot.stream else { return };
        let Some(user) = self.desktop(spot).map(|desktop| bare(&desktop.user).to_lowercase()) else { return };
        let browser = self.stream(spot).map_or(0, |stream| stream.browser);
        let rival = Rival { client: spot.client, browser, sequence: spot.sequence };
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
                }
                if let Some(finding) = findings::ping::slow(level, reply.rtt_us, reply.in_reply_to, spot.sequence) {
                    self.find(spot, finding);
                }
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
            Question::Bind if !failed => read.stage = self.reach(spot, Stage::Bind),
            Question::Session if !failed => read.stage = self.reach(spot, Stage::Session),
            _ => {}
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
                    if stage.is_some() && is_desktop(spot) {
                        self.timers.set(spot.at, PATIENCE, Due::Subscription(id));
                    }
                    stage
                }
                Some("unavailable") => {
                    self.find(spot, findings::server::outage(Sign::PresenceGone, [spot.sequence]));
                    None
                }
                Some(_) => None,
            },
            _ => None,
        }
    }

    fn stream_error(&mut self, spot: &Spot<'_>, stanza: &Stanza<'_, '_>) {
        let condition = stanza.error.as_ref().and_then(|error| error.condition);
        match condition {
            Some("conflict") => {
                let user = self.desktop(spot).map(|desktop| bare(&desktop.user).to_lowercase());
                let rivals = user.and_then(|user| self.rivals.find(&user));
                let own = spot.stream;
                let rival = rivals.and_then(|rivals| rivals.iter().rev().find(|(id, _)| Some(*id) > own));
                let rival = rival.map(|(_, rival)| *rival);
                let (browser, health) =
                    self.stream(spot).map_or((0, Health::Alive), |stream| (stream.browser, stream.health()));
                let own = Rival { client: spot.client, browser, sequence: spot.sequence };
                self.find(spot, findings::ending::conflict(own, rival, health));
            }
            Some("system-shutdown") => {
                self.find(spot, findings::server::outage(Sign::SystemShutdown, [spot.sequence]));
            }
            _ => {}
        }
    }

    /// A pub-sub event: whose process made it, whether it came before, whether anybody wanted it. On the hot path.
    fn event(&mut self, spot: &Spot<'_>, pubsub: &Pubsub<'_, '_>) {
        let node = pubsub.node.as_deref().unwrap_or_default();
        let mut found = [None, None];
        if let Some(id) = pubsub.item_id.as_deref() {
            let item = hash(&[node, id]);
            if let Some(stream) = self.stream(spot)
                && let Some((before, line)) = stream.last_item.replace((item, spot.sequence))
                && before == item
            {
                found[0] = Some(findings::subscription::delivered_twice(node, line, spot.sequence));
            }
            if let Some((before, now)) = self.server(spot.server).and_then(|server| server.item(id, spot.sequence)) {
                let before = before.as_ref().map(|(process, line)| (&**process, *line));
                if let Some(finding) = findings::server::restart(before, now, spot.sequence) {
                    self.find(spot, finding);
                }
            }
        }
        if self.desktop(spot).is_some_and(|desktop| desktop.nodes.find(node).is_none()) {
            found[1] = Some(findings::event::unsubscribed(node, spot.sequence));
        }
        for finding in found.into_iter().flatten() {
            self.find(spot, finding);
        }
    }
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
