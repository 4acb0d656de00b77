//! The tap: a copy of the traffic becomes observations, observations become records.
//!
//! [`Intake`] and [`Feed`] are the relay's end, [`Decoder`] is the sans-IO middle, and [`run`] drives it on a thread of its
//! own, so that decoding never competes with the relay for an executor, and publishes on the bus.

mod bosh;
mod content;
mod decoder;
#[cfg(test)]
mod fault;
pub mod feed;
mod http;
mod place;
mod socket;
mod stanza;
mod stream;

pub use decoder::Decoder;
pub use feed::{Attention, Change, Feed, Intake};

use crate::bus::{Bus, Loss};
use crate::capture::observation::{Observation, What};
use crate::clock;
use crate::conn::{ConnId, Direction};
use feed::{Budget, Message};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Default limit of the queue between relay and tap, bytes of payload.
pub const QUEUE_BYTES: usize = 64 << 20;

/// After how many messages a tap with traffic looks the same.
const BUSY_LOOK: usize = 1_024;

/// How often a tap without traffic looks whether a sink has a loss to tell.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// How long messages gather while there is traffic. Waking for each would cost more than decoding it, and would get into
/// the relay's way on a machine with few cores.
const LINGER: Duration = Duration::from_millis(10);

/// Decodes what the feeds deliver and publishes it, until the intake and every feed are gone. From the moment that `hurry`
/// is set, bytes are not decoded any more but counted as lost: what is queued is done with in a moment.
pub fn run(receiver: &Receiver<Message>, budget: &Budget, mut decoder: Decoder, bus: &Bus, hurry: &AtomicBool) {
    decoder.is_live();
    let mut left = HashMap::new();
    let mut taken = 0;
    let mut take = |message: Message, decoder: &mut Decoder| {
        let payload = message.payload_bytes();
        if let Message::Change(change) = message {
            bus.replace(decoder.change(*change));
            return;
        }
        let message = if hurry.load(Ordering::Relaxed) { leave(message, &mut left) } else { Some(message) };
        match &message {
            Some(Message::Bytes { bytes, direction, .. }) => bus.counts().decoded(*direction, bytes.len()),
            Some(Message::Closed(_, _, lost)) => bus.counts().undecoded(lost.iter().sum()),
            _ => {}
        }
        if let Some(message) = message {
            decoder.take(message, &mut |record| bus.publish(&Arc::new(record)));
        }
        budget.settle(payload);
    };
    loop {
        if taken == 0 {
            match receiver.recv_timeout(IDLE_LOOK) {
                Ok(message) => take(message, &mut decoder),
                // While messages come their own times tick.
                Err(RecvTimeoutError::Timeout) => {
                    decoder.tick(clock::now(), &mut |record| bus.publish(&Arc::new(record)));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if taken < BUSY_LOOK {
            std::thread::sleep(LINGER);
        }
        let messages = receiver.try_iter().take(BUSY_LOOK);
        taken = messages.map(|message| take(message, &mut decoder)).count();
        bus.losses().into_iter().for_each(|loss| tell(loss, &mut decoder, bus));
        tell_unrecorded(budget, &mut decoder, bus);
    }
    decoder.finish(clock::now(), &mut |record| bus.publish(&Arc::new(record)));
    tell_unrecorded(budget, &mut decoder, bus);
    bus.remaining_losses().into_iter().for_each(|loss| tell(loss, &mut decoder, bus));
}

/// What of a message is still taken when there is no time to decode: all but bytes, whose first of a direction is its end.
fn leave(message: Message, left: &mut HashMap<ConnId, [u64; 2]>) -> Option<Message> {
    match message {
        Message::Bytes { conn, direction, at, bytes } => {
            let [c2s, s2c] = left.entry(conn).or_default();
            let lost = if direction == Direction::C2s { c2s } else { s2c };
            let is_first = *lost == 0;
            *lost += bytes.len() as u64;
            is_first.then_some(Message::Lost { conn, direction, at })
        }
        Message::Edited(..) => None,
        Message::Closed(conn, closed, lost) => {
            let ([c2s, s2c], [more_c2s, more_s2c]) = (lost, left.remove(&conn).unwrap_or_default());
            Some(Message::Closed(conn, closed, [c2s + more_c2s, s2c + more_s2c]))
        }
        message => Some(message),
    }
}

/// Connections that nobody looked at become an event of the stream.
fn tell_unrecorded(budget: &Budget, decoder: &mut Decoder, bus: &Bus) {
    let connections = budget.take_unrecorded();
    if connections == 0 {
        return;
    }
    tracing::warn!(
        connections,
        "connections came faster than they can be recorded: nothing of these is in the capture"
    );
    let what = What::Gap {
        place: String::from("tap"),
        code: "connections_unrecorded",
        why: "connections came faster than they could be recorded: nothing of them is",
        events: connections,
        bytes: 0,
        sequences: None,
    };
    bus.publish(&Arc::new(decoder.door().admit(&apart(what))));
}

/// A sink's loss becomes an event of the stream.
fn tell(loss: Loss, decoder: &mut Decoder, bus: &Bus) {
    let tally = loss.tally();
    let what = What::Gap {
        place: loss.sink().to_owned(),
        code: loss.why().as_str(),
        why: loss.why().sentence(),
        events: tally.events,
        bytes: tally.bytes,
        sequences: (tally.first > 0).then_some((tally.first, tally.last)),
    };
    let record = decoder.door().admit(&apart(what));
    bus.publish_gap(loss, &Arc::new(record));
}

/// Something about no connection.
fn apart(what: What<'_>) -> Observation<'_> {
    Observation { at: clock::now(), peers: None, session: None, user: None, stream: None, direction: None, what }
}

#[cfg(test)]
mod tests;
