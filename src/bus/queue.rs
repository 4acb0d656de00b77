//! One sink's queue: bounded in bytes, never blocking for the publisher, emptied in batches by the sink.
//!
//! What a sink has taken stays charged to the limit until the sink says what became of it, so a stuck sink costs no more
//! memory than its limit. The books (`written`, `lost`, `charged`) are kept here, on the shared side, so that they are
//! right even about a sink that hangs or panics.

use super::{Done, Duty, Loss, Lot, Tally, Why};
use crate::capture::Record;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a sink that has just taken a batch lets the next one grow. A lone record is written at once; under load one
/// wake-up and one write serve 20 ms of traffic, which nobody watching notices.
pub const LINGER: Duration = Duration::from_millis(20);

/// Bookkeeping cost of one queued record beside its line, bytes.
pub const RECORD_COST_BYTES: usize = 256;

/// What waits in a queue.
#[derive(Debug)]
pub enum Item {
    /// A record.
    Record(Arc<Record>),
    /// The record that tells a loss of this very sink, and the loss.
    Gap(Box<(Arc<Record>, Loss)>),
    /// From here on a new file.
    Rotate,
}

impl Item {
    /// The record, if it is one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Gap(gap) => Some(&gap.0),
            Self::Rotate => None,
        }
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        if let Some(record) = self.record() {
            tally.add(record.sequence(), record.line().len());
        }
        tally
    }
}

/// The publisher's side.
#[derive(Debug)]
pub(super) struct Queue {
    sink: &'static str,
    duty: Duty,
    limit_bytes: usize,
    state: Mutex<State>,
    /// Something for the sink: work, or the end.
    work: Condvar,
    /// The sink has returned.
    end: Condvar,
    /// The sink has settled something.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// Cost of `items`.
    queued_bytes: usize,
    /// What the sink has taken and not settled.
    taken: Tally,
    /// `queued_bytes` at which the publisher wakes the sink; `None` while it is awake.
    wake_at_bytes: Option<usize>,
    written: Tally,
    lost: Tally,
    untold: Vec<Loss>,
    files: u32,
    latest: Option<PathBuf>,
    closed: bool,
    abandoned: bool,
    /// Nobody reads the output: nothing is queued any more.
    stopped: bool,
    ended: bool,
    /// The last attempt to write failed.
    failing: bool,
}

/// A queue and its receiving end.
pub(super) fn queue(sink: &'static str, duty: Duty, limit_bytes: usize) -> (Arc<Queue>, Receiver) {
    let (state, work, end, room) = <(Mutex<State>, Condvar, Condvar, Condvar)>::default();
    let queue = Arc::new(Queue { sink, duty, limit_bytes, state, work, end, room });
    (Arc::clone(&queue), Receiver { queue, lingers: false })
}

impl Queue {
    pub(super) fn sink(&self) -> &'static str {
        self.sink
    }

    pub(super) fn duty(&self) -> Duty {
        self.duty
    }

    pub(super) fn now(&self) -> super::State {
        let state = self.lock();
        let trouble = [
            (state.stopped, "nobody reads its output any more"),
            (state.ended && !state.closed, "it has ended"),
            (state.failing, "its output cannot be written to"),
        ];
        super::State {
            sink: self.sink,
            duty: self.duty,
            queued_bytes: state.charged_bytes() as u64,
            limit_bytes: self.limit_bytes as u64,
            written: state.written,
            lost: state.lost,
            trouble: trouble.into_iter().find(|(is, _)| *is).map(|(_, why)| why),
        }
    }

    pub(super) fn publish(&self, record: &Arc<Record>) {
        let mut state = self.lock();
        let fits = state.charged_bytes() + cost_bytes(record) <= self.limit_bytes;
        if let Some(why) = state.refusal().or((!fits).then_some(Why::QueueFull)) {
            let begins = state.untold.is_empty();
            let mut tally = Tally::default();
            tally.add(record.sequence(), record.line().len());
            state.lose(self.sink, why, tally);
            drop(state);
            if begins {
                tracing::warn!(sink = self.sink, why = why.as_str(), "events lost");
            }
            return;
        }
        self.push(state, Item::Record(Arc::clone(record)));
    }

    pub(super) fn publish_gap(&self, loss: Loss, record: &Arc<Record>) {
        let mut state = self.lock();
        let item = Item::Gap(Box::new((Arc::clone(record), loss)));
        if let Some(why) = state.refusal() {
            let mut lot = Lot::default();
            lot.add(item);
            state.lose_lot(self.sink, why, lot);
            return;
        }
        self.push(state, item);
    }

    pub(super) fn losses(&self) -> Vec<Loss> {
        let mut state = self.lock();
        let takes_again = state.refusal().is_none() && state.charged_bytes() <= self.limit_bytes / 2;
        if self.duty == Duty::Keep && takes_again { std::mem::take(&mut state.untold) } else { Vec::new() }
    }

    pub(super) fn remaining_losses(&self) -> Vec<Loss> {
        let mut state = self.lock();
        let hopeless = state.refusal().is_some();
        if self.duty == Duty::Keep && !hopeless { std::mem::take(&mut state.untold) } else { Vec::new() }
    }

    /// The losses of a sink that has been replaced and will write nothing more.
    pub(super) fn left_losses(&self) -> Vec<Loss> {
        let mut state = self.lock();
        if self.duty == Duty::Keep && state.ended { std::mem::take(&mut state.untold) } else { Vec::new() }
    }

    /// Files the sink has opened.
    pub(super) fn files(&self) -> u32 {
        self.lock().files
    }

    /// Waits for the sink's return, however long it takes.
    pub(super) fn await_return(&self) {
        let wait = self.end.wait_while(self.lock(), |state| !state.ended);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until half the queue is free, or nothing will be taken any more.
    pub(super) fn wait_for_room(&self) {
        let full = |state: &mut State| state.refusal().is_none() && state.charged_bytes() > self.limit_bytes / 2;
        let wait = self.room.wait_while(self.lock(), full);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn rotate(&self) {
        let mut state = self.lock();
        if state.refusal().is_none() && !matches!(state.items.back(), Some(Item::Rotate)) {
            state.items.push_back(Item::Rotate);
            self.work.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        self.work.notify_one();
    }

    pub(super) fn ended_within(&self, time: Duration) -> bool {
        self.await_end(time).ended
    }

    /// The books, closed. Waits for the sink's return at most `time`.
    pub(super) fn done(&self, time: Duration) -> Done {
        let mut state = self.await_end(time);
        state.lose_rest(self.sink);
        Done {
            sink: self.sink,
            written: state.written,
            lost: state.lost,
            files: state.files,
            latest: state.latest.clone(),
            returned: state.ended,
        }
    }

    fn push(&self, mut state: MutexGuard<'_, State>, item: Item) {
        state.queued_bytes += item.record().map_or(0, cost_bytes);
        state.items.push_back(item);
        if state.wake_at_bytes.is_some_and(|at| state.queued_bytes >= at) {
            state.wake_at_bytes = None;
            drop(state);
            self.work.notify_one();
        }
    }

    fn await_end(&self, time: Duration) -> MutexGuard<'_, State> {
        let wait = self.end.wait_timeout_while(self.lock(), time, |state| !state.ended);
        wait.unwrap_or_else(PoisonError::into_inner).0
    }

    /// A panic elsewhere leaves counts at worst one record off; that is no reason to stop capturing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn charged_bytes(&self) -> usize {
        let taken = self.taken.bytes + self.taken.events * RECORD_COST_BYTES as u64;
        self.queued_bytes + usize::try_from(taken).unwrap_or(usize::MAX / 2)
    }

    /// Why nothing is taken at all, room or not.
    fn refusal(&self) -> Option<Why> {
        if self.stopped {
            return Some(Why::OutputClosed);
        }
        (self.closed || self.ended).then_some(Why::Shutdown)
    }

    fn lose(&mut self, sink: &'static str, why: Why, tally: Tally) {
        self.lost.merge(tally);
        self.untold(Loss { sink, why, tally });
    }

    /// A lot is lost, and with it what it told is untold again.
    fn lose_lot(&mut self, sink: &'static str, why: Why, lot: Lot) {
        self.lose(sink, why, lot.tally);
        for loss in lot.told {
            self.untold(loss);
        }
    }

    fn untold(&mut self, loss: Loss) {
        if loss.tally.events == 0 {
            return;
        }
        match self.untold.iter_mut().find(|known| known.why == loss.why) {
            Some(known) => known.tally.merge(loss.tally),
            None => self.untold.push(loss),
        }
    }

    /// Whatever is queued or taken will not be written any more.
    fn lose_rest(&mut self, sink: &'static str) {
        let mut rest = Lot::default();
        rest.tally.merge(std::mem::take(&mut self.taken));
        self.items.drain(..).for_each(|item| rest.add(item));
        self.queued_bytes = 0;
        let why = if self.stopped { Why::OutputClosed } else { Why::Shutdown };
        self.lose_lot(sink, why, rest);
    }
}

/// The sink gives up: the program ends and has waited long enough.
#[derive(Clone, Copy, Debug)]
pub struct Abandoned;

/// The sink's side. Dropping it tells the bus that the sink has returned.
#[derive(Debug)]
pub struct Receiver {
    queue: Arc<Queue>,
    lingers: bool,
}

impl Receiver {
    /// Waits for records and takes all there are, in order; `None` once the bus is closed and empty.
    ///
    /// Whatever is taken must be settled by [`Receiver::written`], or counts as lost in the end.
    pub fn take(&mut self) -> Option<VecDeque<Item>> {
        let mut state = self.queue.lock();
        if self.lingers {
            let half = self.queue.limit_bytes / 2;
            state.wake_at_bytes = Some(half);
            let full_enough = |state: &mut State| state.closed || state.queued_bytes >= half;
            let wait = self.queue.work.wait_timeout_while(state, LINGER, |state| !full_enough(state));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wake_at_bytes = Some(0);
        let idle = |state: &mut State| state.items.is_empty() && !state.closed;
        state = self.queue.work.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.wake_at_bytes = None;
        if state.items.is_empty() {
            return None;
        }
        let mut taken = Tally::default();
        state.items.iter().for_each(|item| taken.merge(item.tally()));
        state.taken.merge(taken);
        state.queued_bytes = 0;
        self.lingers = true;
        Some(std::mem::take(&mut state.items))
    }

    /// A lot of what was taken has been written.
    pub fn written(&mut self, lot: &Lot) {
        let mut state = self.queue.lock();
        state.taken.take_out(lot.tally);
        state.written.merge(lot.tally);
        state.failing &= lot.tally.events == 0;
        drop(state);
        self.queue.room.notify_all();
    }

    /// A lot reported as written turns out to be lost after all.
    pub fn vanished(&mut self, lot: Lot) {
        let mut state = self.queue.lock();
        state.written.take_out(lot.tally);
        state.lose_lot(self.queue.sink, Why::FileVanished, lot);
    }

    /// Records written earlier, by this run or another, were removed before their receivers had them.
    pub fn removed(&mut self, tally: Tally) {
        self.queue.lock().untold(Loss { sink: self.queue.sink, why: Why::Removed, tally });
    }

    /// Nobody reads the output any more: all that was taken, is queued or will be published is lost.
    pub fn stop(&mut self) {
        let mut state = self.queue.lock();
        state.stopped = true;
        state.lose_rest(self.queue.sink);
        drop(state);
        self.queue.room.notify_all();
    }

    /// The sink has opened a file.
    pub fn opened(&mut self, path: PathBuf) {
        let mut state = self.queue.lock();
        state.files += 1;
        state.failing = false;
        state.latest = Some(path);
    }

    /// Waits before another attempt to write, as the last one failed; less if the bus closes meanwhile.
    ///
    /// # Errors
    /// There shall be no other attempt. (Only an output that fails is given up; one that works empties its queue.)
    pub fn pause(&mut self, time: Duration) -> Result<(), Abandoned> {
        let mut state = self.queue.lock();
        state.failing = true;
        let closed = state.closed;
        let wait = self.queue.work.wait_timeout_while(state, time, |state| !state.abandoned && state.closed == closed);
        let state = wait.unwrap_or_else(PoisonError::into_inner).0;
        if state.abandoned { Err(Abandoned) } else { Ok(()) }
    }

    /// What this sink has lost, for one that tells it itself ([`Duty::Show`]).
    #[must_use]
    pub fn own_losses(&mut self) -> Vec<Loss> {
        match self.queue.duty {
            Duty::Show => std::mem::take(&mut self.queue.lock().untold),
            Duty::Keep => Vec::new(),
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.lose_rest(self.queue.sink);
        state.ended = true;
        drop(state);
        self.queue.room.notify_all();
        self.queue.end.notify_all();
    }
}

fn cost_bytes(record: &Record) -> usize {
    record.line().len() + RECORD_COST_BYTES
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
