//! One WebSocket's memory: questions without an answer yet, how far its login is, what it subscribed to.

use super::findings::ending::{Announced, Health};
use super::findings::ping::Level;
use super::findings::{self, Codes, Finding};
use super::recent::Recent;
use super::spot::Spot;
use super::stage::Ladder;
use crate::clock::Moment;
use crate::conn::{Carrier, ConnId, Direction, SessionId};
use crate::xmpp::{Kind, Stanza};
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Unanswered iq requests remembered per WebSocket and direction.
const MAX_PENDING_IQ: usize = 256;
/// Unanswered pings watched per WebSocket.
const MAX_PINGS: usize = 16;
/// Longest node name remembered; Finesse's are paths with an id.
const MAX_NODE_BYTES: usize = 512;
/// Subscriptions remembered per WebSocket.
const MAX_NODES: usize = 512;
/// Nodes and publishers whose newest change is remembered.
const MAX_PUBLISHED: usize = 32;
/// The resource that only the agent's desktop binds.
const DESKTOP: &str = "desktop";

/// An answer's question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    /// From question to answer as the proxy saw them, microseconds.
    pub rtt_us: u64,
    /// `event.sequence` of the question.
    pub in_reply_to: u64,
    /// The question was an XMPP ping.
    pub to_ping: bool,
}

/// What an iq asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Question {
    /// XEP-0199.
    Ping,
    /// RFC 6120 section 7.
    Bind,
    /// RFC 3921 section 3.
    Session,
    /// XEP-0060: to this node.
    Subscribe(String),
    /// XEP-0060: from this node.
    Unsubscribe(String),
    /// Anything else.
    Other,
}

impl Question {
    fn of(stanza: &Stanza<'_, '_>) -> Self {
        if let Some(pubsub) = &stanza.pubsub {
            let node = pubsub.node.as_deref().unwrap_or_default();
            if node.len() > MAX_NODE_BYTES {
                return Self::Other;
            }
            return match pubsub.action {
                "subscribe" => Self::Subscribe(node.to_owned()),
                "unsubscribe" => Self::Unsubscribe(node.to_owned()),
                _ => Self::Other,
            };
        }
        match stanza.payload.as_ref().map(|payload| payload.name) {
            _ if stanza.is_ping() => Self::Ping,
            Some("bind") => Self::Bind,
            Some("session") => Self::Session,
            _ => Self::Other,
        }
    }
}

#[derive(Debug)]
struct Asked {
    sequence: u64,
    at: Moment,
    question: Question,
}

/// What one WebSocket still waits for, and what it has reached.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) conn: ConnId,
    /// The browser's address, and the server's name as a hash.
    pub(super) client: IpAddr,
    pub(super) server: u64,
    pub(super) session: Option<SessionId>,
    carrier: Carrier,
    /// The resource that its client asked for, as far as that was seen.
    pub(super) resource: Option<String>,
    pub(super) opened: Moment,
    /// Its user agent, as a hash.
    pub(super) browser: u64,
    health: Health,
    pub(super) ladder: Ladder,
    /// The client's last XMPP ping: line and time.
    pub(super) last_ping: Option<(u64, Moment)>,
    /// Its XMPP pings came as often as a desktop's.
    pub(super) pings_often: bool,
    /// The finding that says that the presence of `finesse@` did not come.
    pub(super) no_presence: Option<u64>,
    /// The line that asked for a node of the user's.
    pub(super) asked_for_user: Option<u64>,
    pub(super) announced: Announced,
    /// The page goes away, as its Close frame says, or its login was not seen: how far that came says nothing.
    pub(super) leaves: bool,
    /// What was found on it.
    pub(super) said: Codes,
    /// Node to the line that subscribed to it.
    pub(super) held: Recent<String, u64>,
    /// Nodes that the client wants no more.
    pub(super) left: Recent<String, ()>,
    /// The last item's id, as a hash, and its line.
    pub(super) last_item: Option<(u64, u64)>,
    /// The last item's node and publisher, as a hash.
    pub(super) published: u64,
    /// The newest `stateChangeTime` of each node and publisher, milliseconds, and its line.
    newest: VecDeque<(u64, i64, u64)>,
    asked_c2s: Recent<String, Asked>,
    asked_s2c: Recent<String, Asked>,
    pinged_c2s: Option<(Bytes, u64, Moment)>,
    pinged_s2c: Option<(Bytes, u64, Moment)>,
    pings: VecDeque<(u64, Level)>,
    /// Pings that were given up, and the findings that say so.
    given_up: VecDeque<(u64, u64)>,
    last: Option<Moment>,
}

impl Stream {
    pub(super) fn new(spot: &Spot<'_>) -> Self {
        Self {
            conn: spot.conn,
            client: spot.client,
            server: 0,
            session: None,
            carrier: spot.stream.map_or(Carrier::Tcp, |id| id.carrier),
            resource: None,
            opened: spot.at,
            browser: 0,
            health: Health::Alive,
            ladder: Ladder::default(),
            last_ping: None,
            pings_often: false,
            no_presence: None,
            asked_for_user: None,
            announced: Announced::No,
            leaves: false,
            said: Codes::default(),
            held: Recent::new(MAX_NODES),
            left: Recent::new(MAX_NODES),
            last_item: None,
            published: 0,
            newest: VecDeque::new(),
            asked_c2s: Recent::new(MAX_PENDING_IQ),
            asked_s2c: Recent::new(MAX_PENDING_IQ),
            pinged_c2s: None,
            pinged_s2c: None,
            pings: VecDeque::new(),
            given_up: VecDeque::new(),
            last: None,
        }
    }

    /// Takes an iq; tells what it asks, or the question it answers if that was seen.
    pub(super) fn iq(&mut self, direction: Direction, stanza: &Stanza<'_, '_>, spot: &Spot<'_>) -> Option<Iq> {
        if stanza.kind != Kind::Iq {
            return None;
        }
        let id = stanza.id.as_deref()?;
        match stanza.stanza_type.as_deref()? {
            "get" | "set" => {
                let question = Question::of(stanza);
                if question == Question::Ping {
                    let level = if direction == Direction::C2s { Level::XmppOfClient } else { Level::XmppOfServer };
                    self.watch(spot.sequence, level);
                }
                let asked = Asked { sequence: spot.sequence, at: spot.at, question: question.clone() };
                self.asked(direction).insert(id.to_owned(), asked);
                Some(Iq::Asks(question))
            }
            "result" | "error" => {
                let Asked { sequence, at, question } = self.asked(direction.opposite()).remove(id)?;
                self.pings.retain(|(ping, _)| *ping != sequence);
                let to_ping = question == Question::Ping;
                Some(Iq::Answers(Reply { rtt_us: spot.at.us_since(at), in_reply_to: sequence, to_ping }, question))
            }
            _ => None,
        }
    }

    /// Takes a WebSocket ping.
    pub(super) fn ping(&mut self, direction: Direction, payload: Bytes, spot: &Spot<'_>) {
        let level = if direction == Direction::C2s { Level::WebSocketOfClient } else { Level::WebSocketOfServer };
        if let Some((_, replaced, _)) = self.pinged(direction).replace((payload, spot.sequence, spot.at)) {
            // RFC 6455 section 5.5.3: a pong may answer only the newest ping.
            self.pings.retain(|(ping, _)| *ping != replaced);
        }
        self.watch(spot.sequence, level);
    }

    /// Takes a WebSocket pong; tells the round trip in microseconds and the ping's line if it answers the last ping from
    /// the other side.
    pub(super) fn pong(&mut self, direction: Direction, payload: &[u8], at: Moment) -> Option<(u64, u64)> {
        let pinged = self.pinged(direction.opposite());
        let (_, sequence, sent) = pinged.take_if(|(asked, ..)| asked[..] == *payload)?;
        self.pings.retain(|(ping, _)| *ping != sequence);
        Some((at.us_since(sent), sequence))
    }

    /// Whether the ping sent as this line still waits; it is told once.
    pub(super) fn unanswered(&mut self, sequence: u64) -> Option<Level> {
        let index = self.pings.iter().position(|(ping, _)| *ping == sequence)?;
        self.health = Health::Ailing;
        self.pings.remove(index).map(|(_, level)| level)
    }

    /// The ping sent as this line is given up, as a finding says.
    pub(super) fn given_up(&mut self, sequence: u64, finding: u64) {
        if self.given_up.len() == MAX_PINGS {
            self.given_up.pop_front();
        }
        self.given_up.push_back((sequence, finding));
    }

    /// The finding that gave up the ping sent as this line, which is answered now.
    pub(super) fn answered_late(&mut self, sequence: u64) -> Option<u64> {
        let index = self.given_up.iter().position(|(ping, _)| *ping == sequence)?;
        self.given_up.remove(index).map(|(_, finding)| finding)
    }

    /// Whether an agent's desktop is at its other end, as far as is known, and no other client.
    pub(super) fn is_desktop(&self) -> bool {
        self.carrier != Carrier::Tcp && self.resource.as_deref().is_none_or(|resource| resource == DESKTOP)
    }

    /// The line of the oldest ping of this kind that waits for its answer, or was given up.
    pub(super) fn oldest_ping(&self, level: Level) -> Option<u64> {
        self.pings.iter().find(|(_, known)| *known == level).map(|(ping, _)| *ping)
    }

    /// Whether any ping waits for its answer.
    pub(super) fn waits_for_pong(&self) -> bool {
        !self.pings.is_empty()
    }

    /// Whether its pings are answered.
    pub(super) fn health(&self) -> Health {
        if self.waits_for_pong() { Health::Ailing } else { self.health }
    }

    /// Anything passed; tells how long nothing had, in milliseconds.
    pub(super) fn passed(&mut self, at: Moment) -> Option<u64> {
        self.last.replace(at).map(|last| at.ms_since(last))
    }

    /// How long nothing has passed, milliseconds.
    pub(super) fn idle_ms(&self, at: Moment) -> u64 {
        at.ms_since(self.last.unwrap_or(self.opened))
    }

    /// Something passed within the last `ms`.
    pub(super) fn is_lively(&self, at: Moment, ms: u64) -> bool {
        self.announced == Announced::No && self.idle_ms(at) <= ms
    }

    /// The last item tells of a change at this time; gives how much newer one before it was, milliseconds, and its line.
    pub(super) fn changed(&mut self, changed_ms: i64, sequence: u64) -> Option<(i64, u64)> {
        let published = self.published;
        let Some(index) = self.newest.iter().position(|(known, ..)| *known == published) else {
            if self.newest.len() == MAX_PUBLISHED {
                self.newest.pop_front();
            }
            self.newest.push_back((published, changed_ms, sequence));
            return None;
        };
        let (_, newest_ms, line) = self.newest.get_mut(index)?;
        if changed_ms < *newest_ms {
            return Some((*newest_ms - changed_ms, *line));
        }
        (*newest_ms, *line) = (changed_ms, sequence);
        None
    }

    /// A silence of so long is none of a desktop's that is awake.
    pub(super) fn silence(&self, idle_ms: u64, sequence: u64) -> Option<Finding> {
        let last_ping = self.last_ping.filter(|_| self.is_desktop()).map(|(sequence, _)| sequence);
        findings::ping::silence(idle_ms, last_ping, sequence)
    }

    fn watch(&mut self, sequence: u64, level: Level) {
        if self.pings.len() == MAX_PINGS {
            self.pings.pop_front();
        }
        self.pings.push_back((sequence, level));
    }

    fn asked(&mut self, direction: Direction) -> &mut Recent<String, Asked> {
        match direction {
            Direction::C2s => &mut self.asked_c2s,
            Direction::S2c => &mut self.asked_s2c,
        }
    }

    fn pinged(&mut self, direction: Direction) -> &mut Option<(Bytes, u64, Moment)> {
        match direction {
            Direction::C2s => &mut self.pinged_c2s,
            Direction::S2c => &mut self.pinged_s2c,
        }
    }
}

/// What an iq is to its stream.
pub(super) enum Iq {
    /// A question.
    Asks(Question),
    /// The answer to one that was seen.
    Answers(Reply, Question),
}
