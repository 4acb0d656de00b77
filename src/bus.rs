//! Fans finished records out to the sinks, each on its own thread behind its own queue bounded in bytes.
//!
//! [`Bus::publish`] never blocks: what does not fit a queue is lost for that sink alone, and counted. The publisher asks
//! [`Bus::losses`] now and then, makes a `capture-gap` record of each [`Loss`] and hands both back by
//! [`Bus::publish_gap`]. A `Loss` cannot be copied, so a gap is told at most once; a gap record that is itself lost takes
//! its `Loss` back to the count, so it is told at least once. Every record published is, for each sink, written or lost.
//!
//! Knows neither files nor terminals: a sink is a function that takes batches from its [`Receiver`] until there are none.

mod count;
mod loss;
mod queue;

pub use count::{BOUNDS_US, Counts, Histogram, Labelled};
pub use loss::{Loss, Lot, Tally, Why};
pub use queue::{Abandoned, Item, LINGER, RECORD_COST_BYTES, Receiver};

use crate::capture::Record;
use crate::clock;
use queue::Queue;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use std::time::Duration;

/// Default queue of a sink that keeps the capture, bytes.
pub const CAPTURE_QUEUE_BYTES: usize = 16 << 20;

/// Default queue of a sink that only shows, bytes.
pub const LIVE_QUEUE_BYTES: usize = 1 << 20;

/// How long [`Bus::finish`] waits, once its deadline has passed, for the sinks to notice that they shall give up.
const ABANDON_WAIT: Duration = Duration::from_millis(500);

/// What a sink is for, which decides who is told of its losses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// It keeps the stream: its losses belong into the stream.
    Keep,
    /// It shows the stream to a person: it tells its losses itself, the stream is not concerned.
    Show,
}

/// The fan-out. Share it in an [`Arc`]; every call but [`Bus::finish`] returns at once.
#[derive(Debug, Default)]
pub struct Bus {
    queues: RwLock<Vec<Arc<Queue>>>,
    /// Replaced, and perhaps still writing.
    leaving: Mutex<Vec<Arc<Queue>>>,
    counts: Counts,
}

/// A sink that has its thread and its queue, and waits for [`Bus::attach`] or [`Bus::replace`]. Dropped, it ends.
#[derive(Debug)]
pub struct Sink {
    queue: Arc<Queue>,
    output: Output,
    start: mpsc::Sender<Option<Arc<Queue>>>,
}

/// Whether a sink can begin before its predecessor of the same name has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// It writes to where nobody else does.
    Own,
    /// It writes to what its predecessor may still be writing to.
    Shared,
}

impl Sink {
    /// A thread for `run`, behind a queue of `limit_bytes` (lines and [`RECORD_COST_BYTES`] each).
    ///
    /// `run` returns when [`Receiver::take`] gives `None`. What it has taken and not settled by then counts as lost.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(
        name: &'static str,
        duty: Duty,
        output: Output,
        limit_bytes: usize,
        run: impl FnOnce(&mut Receiver) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, mut receiver) = queue::queue(name, duty, limit_bytes);
        let (start, begin) = mpsc::channel::<Option<Arc<Queue>>>();
        std::thread::Builder::new().name(format!("sink-{name}")).spawn(move || {
            let Ok(predecessor) = begin.recv() else { return };
            if let Some(predecessor) = predecessor {
                predecessor.await_return();
            }
            run(&mut receiver);
        })?;
        Ok(Self { queue, output, start })
    }

    fn begin(self, predecessors: &[Arc<Queue>]) -> Arc<Queue> {
        let rival = predecessors.iter().find(|queue| queue.sink() == self.queue.sink());
        let rival = rival.filter(|_| self.output == Output::Shared).cloned();
        // The thread waits for this, and for nothing else.
        let _ = self.start.send(rival);
        self.queue
    }
}

/// A sink at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// The sink's name.
    pub sink: &'static str,
    /// What it is for.
    pub duty: Duty,
    /// What waits for it or is being written, bytes.
    pub queued_bytes: u64,
    /// The most that may.
    pub limit_bytes: u64,
    /// Written so far.
    pub written: Tally,
    /// Lost so far.
    pub lost: Tally,
    /// Why it does not write, if it does not.
    pub trouble: Option<&'static str>,
}

/// What a sink has done in its life.
#[derive(Debug)]
pub struct Done {
    /// The sink's name, as given to [`Bus::attach`].
    pub sink: &'static str,
    /// Records written, and the bytes of their lines.
    pub written: Tally,
    /// Records lost in all, told or not, and the bytes of their lines.
    pub lost: Tally,
    /// Files opened.
    pub files: u32,
    /// The last file opened.
    pub latest: Option<PathBuf>,
    /// Whether it returned; if not, it hangs in a write and everything it still had is counted as lost.
    pub returned: bool,
}

impl Bus {
    /// A bus without sinks: what is published goes nowhere.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `run` as a [`Sink`] beside those that are there.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn attach(
        &mut self,
        sink: &'static str,
        duty: Duty,
        limit_bytes: usize,
        run: impl FnOnce(&mut Receiver) + Send + 'static,
    ) -> std::io::Result<()> {
        let sink = Sink::new(sink, duty, Output::Own, limit_bytes, run)?;
        self.queues_mut().push(sink.begin(&[]));
        Ok(())
    }

    /// Puts `sinks` in the place of all that are there: records published before go to the old ones, which write what they
    /// have and end, later ones to the new ones.
    pub fn replace(&self, sinks: Vec<Sink>) {
        let mut queues = self.queues_mut();
        let mut leaving = self.leaving();
        queues.iter().for_each(|queue| queue.close());
        let fresh = sinks.into_iter().map(|sink| sink.begin(&queues)).collect();
        leaving.append(&mut std::mem::replace(&mut *queues, fresh));
    }

    /// How many files the sinks of this name have opened so far, replaced ones included.
    #[must_use]
    pub fn files(&self, sink: &str) -> u32 {
        let (queues, leaving) = (self.queues(), self.leaving());
        queues.iter().chain(leaving.iter()).filter(|queue| queue.sink() == sink).map(|queue| queue.files()).sum()
    }

    /// What has passed.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Every sink at this moment.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        self.queues().iter().map(|queue| queue.now()).collect()
    }

    /// Counts `record` and hands it to every sink that has room.
    pub fn publish(&self, record: &Arc<Record>) {
        self.counts.record(record);
        for queue in self.queues().iter() {
            queue.publish(record);
        }
    }

    /// Waits until every sink that keeps the stream has half its queue free: for a source that can wait, such as a file.
    /// The tap of live traffic never calls this.
    pub fn wait_for_room(&self) {
        self.queues().iter().filter(|queue| queue.duty() == Duty::Keep).for_each(|queue| queue.wait_for_room());
    }

    /// The losses of sinks that take records again (queue at most half full), which are now the caller's to tell.
    ///
    /// Cheap; worth asking after each batch, and a second or so after the last record.
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        let left = self.leaving().iter().flat_map(|queue| queue.left_losses()).collect::<Vec<_>>();
        self.queues().iter().flat_map(|queue| queue.losses()).chain(left).collect()
    }

    /// Every loss not told yet, room or not: for the last gap records, once nothing else will be published.
    #[must_use]
    pub fn remaining_losses(&self) -> Vec<Loss> {
        let left = self.leaving().iter().flat_map(|queue| queue.left_losses()).collect::<Vec<_>>();
        self.queues().iter().flat_map(|queue| queue.remaining_losses()).chain(left).collect()
    }

    /// Publishes the record that tells `loss`. The sink concerned takes it above its limit.
    pub fn publish_gap(&self, loss: Loss, record: &Arc<Record>) {
        self.counts.record(record);
        let mut loss = Some(loss);
        for queue in self.queues().iter() {
            match loss.take_if(|loss| loss.sink() == queue.sink()) {
                Some(own) => queue.publish_gap(own, record),
                None => queue.publish(record),
            }
        }
    }

    /// Asks the sinks for a new file: records published before go to the old one, later ones to the new one.
    pub fn rotate(&self) {
        self.queues().iter().for_each(|queue| queue.rotate());
    }

    /// Lets the sinks write what they have and waits for them; after `deadline` those that fail give up.
    ///
    /// Returns at the latest `deadline` and half a second from now, and says of each sink what it has done.
    pub fn finish(&self, deadline: Duration) -> Vec<Done> {
        let start = clock::now();
        let left = |limit: Duration| limit.saturating_sub(clock::now().since(start));
        let mut queues = self.queues().clone();
        queues.extend(self.leaving().iter().cloned());
        for queue in &queues {
            queue.close();
        }
        for queue in &queues {
            if !queue.ended_within(left(deadline)) {
                queue.abandon();
            }
        }
        queues.iter().map(|queue| queue.done(left(deadline + ABANDON_WAIT))).collect()
    }

    // Whoever panicked with a lock held left a list that is whole.
    fn queues(&self) -> RwLockReadGuard<'_, Vec<Arc<Queue>>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<Queue>>> {
        self.queues.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaving(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
