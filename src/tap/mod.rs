//! The tap: a copy of the traffic becomes observations, observations become records.
//!
//! [`Intake`] and [`Feed`] are the relay's end, [`Decoder`] is the sans-IO middle, and [`run`] drives it on a thread of its
//! own, so that decoding never competes with the relay for an executor, and publishes on the bus.

mod bosh;
mod decoder;
pub mod feed;
mod http;
mod place;
mod socket;
mod stanza;
mod stream;

pub use decoder::Decoder;
pub use feed::{Attention, Change, Feed, Intake};
pub use http::OWN_SERVER_NAME;

use crate::bus::{Bus, Loss};
use crate::capture::observation::{Observation, What};
use crate::clock;
use feed::{Budget, Message};
use std::sync::Arc;
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

/// Decodes what the feeds deliver and publishes it, until the intake and every feed are gone.
pub fn run(receiver: &Receiver<Message>, budget: &Budget, mut decoder: Decoder, bus: &Bus) {
    let mut taken = 0;
    loop {
        if taken == 0 {
            match receiver.recv_timeout(IDLE_LOOK) {
                Ok(message) => take(message, budget, &mut decoder, bus),
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
        taken = messages.map(|message| take(message, budget, &mut decoder, bus)).count();
        bus.losses().into_iter().for_each(|loss| tell(loss, &mut decoder, bus));
    }
    decoder.finish(clock::now(), &mut |record| bus.publish(&Arc::new(record)));
    bus.remaining_losses().into_iter().for_each(|loss| tell(loss, &mut decoder, bus));
}

fn take(message: Message, budget: &Budget, decoder: &mut Decoder, bus: &Bus) {
    let message = match message {
        Message::Change(change) => {
            bus.replace(decoder.change(*change));
            return;
        }
        message => message,
    };
    match &message {
        Message::Bytes { bytes, direction, .. } => bus.counts().decoded(*direction, bytes.len()),
        Message::Closed(_, _, lost) => bus.counts().undecoded(lost.iter().sum()),
        _ => {}
    }
    let payload = message.payload_bytes();
    decoder.take(message, &mut |record| bus.publish(&Arc::new(record)));
    if let Some(bytes) = payload {
        budget.give_back(bytes);
    }
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
    let seen =
        Observation { at: clock::now(), peers: None, session: None, user: None, stream: None, direction: None, what };
    let record = decoder.door().admit(&seen);
    bus.publish_gap(loss, &Arc::new(record));
}
