//! One WebSocket's questions and answers: iq with its result, ping with its pong.

use super::recent::Recent;
use crate::clock::Moment;
use crate::conn::Direction;
use crate::xmpp::{Kind, Stanza};
use bytes::Bytes;

/// Unanswered iq requests remembered per WebSocket.
const MAX_PENDING_IQ: usize = 256;

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

#[derive(Debug)]
struct Asked {
    sequence: u64,
    at: Moment,
    ping: bool,
}

/// What one WebSocket still waits for, per direction.
#[derive(Debug)]
pub struct Stream {
    asked_c2s: Recent<String, Asked>,
    asked_s2c: Recent<String, Asked>,
    pinged_c2s: Option<(Bytes, Moment)>,
    pinged_s2c: Option<(Bytes, Moment)>,
    last: Option<Moment>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            asked_c2s: Recent::new(MAX_PENDING_IQ),
            asked_s2c: Recent::new(MAX_PENDING_IQ),
            pinged_c2s: None,
            pinged_s2c: None,
            last: None,
        }
    }
}

impl Stream {
    /// Takes a stanza that will be event `sequence`; tells the question it answers, if it was seen.
    pub fn stanza(
        &mut self,
        direction: Direction,
        stanza: &Stanza<'_, '_>,
        sequence: u64,
        at: Moment,
    ) -> Option<Reply> {
        if stanza.kind != Kind::Iq {
            return None;
        }
        let id = stanza.id.as_deref()?;
        match stanza.stanza_type.as_deref()? {
            "get" | "set" => {
                let asked = Asked { sequence, at, ping: stanza.is_ping() };
                self.asked(direction).insert(id.to_owned(), asked);
                None
            }
            "result" | "error" => {
                let asked = self.asked(direction.opposite()).remove(id)?;
                Some(Reply { rtt_us: at.us_since(asked.at), in_reply_to: asked.sequence, to_ping: asked.ping })
            }
            _ => None,
        }
    }

    /// Takes a WebSocket ping.
    pub fn ping(&mut self, direction: Direction, payload: Bytes, at: Moment) {
        *self.pinged(direction) = Some((payload, at));
    }

    /// Takes a WebSocket pong; tells the round trip in microseconds if it answers the last ping from the other side.
    pub fn pong(&mut self, direction: Direction, payload: &[u8], at: Moment) -> Option<u64> {
        let pinged = self.pinged(direction.opposite());
        let (_, sent) = pinged.take_if(|(asked, _)| asked[..] == *payload)?;
        Some(at.us_since(sent))
    }

    /// Anything passed; tells how long nothing had, in milliseconds.
    pub fn passed(&mut self, at: Moment) -> Option<u64> {
        self.last.replace(at).map(|last| at.ms_since(last))
    }

    fn asked(&mut self, direction: Direction) -> &mut Recent<String, Asked> {
        match direction {
            Direction::C2s => &mut self.asked_c2s,
            Direction::S2c => &mut self.asked_s2c,
        }
    }

    fn pinged(&mut self, direction: Direction) -> &mut Option<(Bytes, Moment)> {
        match direction {
            Direction::C2s => &mut self.pinged_c2s,
            Direction::S2c => &mut self.pinged_s2c,
        }
    }
}
