//! From lines to confirmed lines: batches, some of them on their way at once, and a checkpoint that moves in order.
//!
//! Batches end in any order; the checkpoint passes a batch when all before it have ended, after the dead letters among them
//! are on disk. If those cannot be written (a full disk) nothing more is sent until they can: else a crash would send all
//! of it again. Memory: the batches on their way and one in the making.

use super::checkpoint::{Checkpoint, Position, Positions};
use super::dead::{DeadLetters, Letter};
use super::deliver::{Link, Settled, Unsettled};
use super::event::Event;
use super::status::{State, Status};
use super::tail::{Step, Tail};
use super::verdict::Stop;
use super::{End, Orders, Plan, Summary};
use crate::clock::{self, Moment};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Wait after the checkpoint could not be written.
const DISK_RETRY: Duration = Duration::from_secs(1);

/// Lines that go together, and what they move the checkpoint to.
#[derive(Default)]
struct Batch {
    events: Vec<(Arc<str>, u64, Event)>,
    letters: Vec<Letter>,
    ends: Positions,
    lines_bytes: u64,
    since: Option<Moment>,
}

/// A batch on its way: what is needed when it arrives.
struct Way {
    letters: Vec<Letter>,
    ends: Positions,
    places: Vec<(String, Arc<str>, u64)>,
    events: u64,
    bytes: u64,
    oldest_at_us: Option<i64>,
    settled: Option<Settled>,
}

struct Pump<'p> {
    plan: &'p Plan,
    link: Arc<Link>,
    status: &'p Arc<Status>,
    orders: &'p Orders,
    /// Ends waits between tries: ordered, or because all is over.
    stop: CancellationToken,
    tail: Tail,
    checkpoint: Checkpoint,
    dead: DeadLetters,
    batch: Batch,
    ways: BTreeMap<u64, Way>,
    next_number: u64,
    /// Confirmed, and not on disk yet.
    unsaved: Positions,
    unsaved_letters: Vec<Letter>,
    saved: Moment,
    save_failed: Option<Moment>,
}

type Arrived = (u64, Result<Settled, Unsettled>);

/// Delivers until the end.
pub(super) async fn run(
    plan: &Plan,
    link: Link,
    checkpoint: Checkpoint,
    dead: DeadLetters,
    status: &Arc<Status>,
    orders: &Orders,
) -> anyhow::Result<Summary> {
    let tail = Tail::new(plan.captures.clone(), checkpoint.positions()).picking(plan.filter.clone());
    let mut pump = Pump {
        plan,
        link: Arc::new(link),
        status,
        orders,
        stop: orders.stop.child_token(),
        tail,
        checkpoint,
        dead,
        batch: Batch::default(),
        ways: BTreeMap::new(),
        next_number: 0,
        unsaved: Positions::new(),
        unsaved_letters: Vec::new(),
        saved: clock::now(),
        save_failed: None,
    };
    status.change(|now| now.state = State::Well);
    let mut tasks = JoinSet::new();
    let outcome = pump.work(&mut tasks).await;
    // Whatever the reason, what was confirmed is remembered.
    pump.finish(&mut tasks).await;
    pump.tell();
    match outcome {
        Ok(()) => Ok(pump.summary()),
        Err(stop) => {
            status.change(|now| {
                now.state = State::Stopped;
                now.last_error = Some(stop.why.clone());
            });
            Err(stop.into())
        }
    }
}

impl Pump<'_> {
    async fn work(&mut self, tasks: &mut JoinSet<Arrived>) -> Result<(), Stop> {
        loop {
            while let Some(arrived) = tasks.try_join_next() {
                self.arrive(arrived)?;
            }
            self.save_if_due(tasks.is_empty());
            if self.orders.stop.is_cancelled() {
                return Ok(());
            }
            let at_end = if self.has_room(tasks) { self.fill() } else { false };
            let is_last = at_end && (self.plan.end == End::Delivered || self.orders.drain.is_cancelled());
            if self.has_room(tasks) && self.is_due(is_last) {
                self.dispatch(tasks);
                // Requests move while the next batch is read.
                tokio::task::yield_now().await;
                continue;
            }
            self.tell();
            if is_last && tasks.is_empty() && self.batch.is_empty() && self.unsaved.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some(arrived) = tasks.join_next() => self.arrive(arrived)?,
                () = self.link.peer.taken() => {}
                () = sleep(self.plan.pace.poll) => {}
                () = self.orders.stop.cancelled() => {}
                () = self.orders.drain.cancelled(), if !self.orders.drain.is_cancelled() => {}
            }
        }
    }

    /// Puts on disk what was confirmed, at once: there may be no time for more. Then gives what is on its way a little.
    async fn finish(&mut self, tasks: &mut JoinSet<Arrived>) {
        self.stop.cancel();
        self.save();
        let grace = self.plan.pace.grace;
        let arrive = async {
            while let Some(arrived) = tasks.join_next().await {
                // The first reason to stop has been told.
                let _ = self.arrive(arrived);
            }
        };
        let _ = timeout(grace, arrive).await;
        tasks.abort_all();
        self.save();
    }

    fn has_room(&self, tasks: &JoinSet<Arrived>) -> bool {
        // Those that arrived before their turn count too: their order is kept in memory.
        tasks.len().saturating_sub(self.link.peer.waiting()) < self.plan.pace.parallel
            && self.ways.len() < self.plan.pace.unconfirmed
            && self.save_failed.is_none()
    }

    /// Reads until the batch is full; whether there is nothing more for now.
    fn fill(&mut self) -> bool {
        while !self.batch.is_full(self.plan) {
            match self.tail.next() {
                Some(step) => self.batch.add(step),
                None => return true,
            }
        }
        false
    }

    fn is_due(&self, is_last: bool) -> bool {
        let waited = |since: Moment| clock::now().ns_since(since);
        let is_old =
            self.batch.since.is_some_and(|since| u128::from(waited(since)) >= self.plan.pace.linger.as_nanos());
        !self.batch.is_empty() && (is_last || is_old || self.batch.is_full(self.plan))
    }

    fn dispatch(&mut self, tasks: &mut JoinSet<Arrived>) {
        let batch = std::mem::take(&mut self.batch);
        let number = self.next_number;
        self.next_number += 1;
        let places = batch.events.iter().map(|(file, end, event)| (event.id.clone(), Arc::clone(file), *end)).collect();
        let events: Vec<Event> = batch.events.into_iter().map(|(_, _, event)| event).collect();
        let way = Way {
            letters: batch.letters,
            ends: batch.ends,
            places,
            events: events.len() as u64,
            bytes: batch.lines_bytes,
            oldest_at_us: events.iter().map(|event| event.at_us).min(),
            settled: None,
        };
        self.ways.insert(number, way);
        let (link, stop) = (Arc::clone(&self.link), self.stop.clone());
        let status = Arc::clone(self.status);
        tasks.spawn(async move { (number, link.deliver(events, &status, &stop).await) });
    }

    fn arrive(&mut self, arrived: Result<Arrived, tokio::task::JoinError>) -> Result<(), Stop> {
        let (number, outcome) = match arrived {
            Ok(arrived) => arrived,
            Err(_) => return Err(Stop::new("an error in the shipper itself", "please report it")),
        };
        match outcome {
            Ok(settled) => {
                if let Some(way) = self.ways.get_mut(&number) {
                    way.settled = Some(settled);
                }
                self.advance();
                Ok(())
            }
            Err(Unsettled::Stopped(stop)) => Err(stop),
            Err(Unsettled::Cancelled) => Ok(()),
        }
    }

    /// Passes the batches at the front that have ended.
    fn advance(&mut self) {
        while let Some(entry) = self.ways.first_entry().filter(|entry| entry.get().settled.is_some()) {
            let way = entry.remove();
            let Some(settled) = way.settled else { return };
            let mut letters = way.letters;
            for (event, reason) in settled.dead {
                let place = way.places.iter().find(|(id, _, _)| *id == event.id);
                let (file, end) = place.map_or_else(Default::default, |(_, file, end)| (file.to_string(), *end));
                let offset = end.saturating_sub(event.line.len() as u64 + 1);
                letters.push(Letter { file, offset, reason, line: event.line });
            }
            let dead_letters = letters.len() as u64;
            if let Some(first) = letters.first() {
                let path = self.dead.path().display();
                // What follows may quote the event; it is in the file.
                let reason = first.reason.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": ");
                tracing::warn!(%path, letters = dead_letters, reason, "refused for good; kept aside");
            }
            self.unsaved.extend(way.ends);
            self.unsaved_letters.append(&mut letters);
            self.status.change(|now| {
                now.delivered += settled.delivered;
                now.duplicates += settled.duplicates;
                now.dead_letters += dead_letters;
                now.delivered_bytes += way.bytes;
                now.batches += u64::from(way.events > 0);
            });
        }
    }

    fn save_if_due(&mut self, is_idle: bool) {
        let (now, pace) = (clock::now(), &self.plan.pace);
        let is_due = match self.save_failed {
            Some(failed) => now.since(failed) >= DISK_RETRY,
            None => is_idle || now.since(self.saved) >= pace.commit,
        };
        if is_due {
            self.save();
        }
    }

    /// Dead letters first: what the checkpoint has passed is not looked at again.
    fn save(&mut self) {
        if self.unsaved.is_empty() && self.unsaved_letters.is_empty() {
            return;
        }
        let written = self.dead.append(&self.unsaved_letters).and_then(|()| {
            self.unsaved_letters.clear();
            self.checkpoint.save(&self.unsaved)
        });
        self.saved = clock::now();
        match written {
            Ok(()) => {
                self.unsaved.clear();
                if self.save_failed.take().is_some() {
                    tracing::info!(path = %self.checkpoint.path().display(), "the checkpoint is written again");
                }
            }
            Err(error) => {
                if self.save_failed.is_none() {
                    let path = self.checkpoint.path().display();
                    tracing::warn!(%path, %error, "the checkpoint cannot be written; nothing more is sent until it can");
                }
                self.status.change(|now| {
                    now.errors += 1;
                    now.last_error = Some(format!("the checkpoint cannot be written: {error}"));
                });
                self.save_failed = Some(self.saved);
            }
        }
    }

    fn tell(&self) {
        let (in_flight, bytes) = self.ways.values().fold((0, 0), |(n, b), way| (n + way.events, b + way.bytes));
        let in_flight = in_flight + self.batch.events.len() as u64;
        let lag_bytes = self.tail.unread_bytes() + bytes + self.batch.lines_bytes;
        let waiting = self.batch.events.iter().map(|(_, _, event)| event.at_us).min();
        let oldest_at_us = self.ways.values().filter_map(|way| way.oldest_at_us).chain(waiting).min();
        let lost_bytes = self.tail.lost_bytes();
        self.status.change(|now| {
            let mean = now.delivered_bytes.checked_div(now.delivered).unwrap_or(0).max(1);
            now.lag_events = if now.delivered == 0 { in_flight } else { (lag_bytes / mean).max(in_flight) };
            (now.in_flight, now.lag_bytes, now.oldest_at_us, now.lost_bytes) =
                (in_flight, lag_bytes, oldest_at_us, lost_bytes);
        });
    }

    fn summary(&self) -> Summary {
        let faults = self.tail.faults().iter().map(|(name, why)| (name.clone(), why.clone())).collect();
        Summary {
            counts: self.status.snapshot(),
            files: self.tail.files(),
            torn: self.tail.torn(),
            faults,
            dead_letters: self.dead.path().to_owned(),
        }
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn is_full(&self, plan: &Plan) -> bool {
        self.events.len() >= plan.pace.batch_events || self.lines_bytes >= plan.pace.batch_bytes as u64
    }

    fn add(&mut self, step: Step) {
        self.since.get_or_insert_with(clock::now);
        match step {
            Step::Event { file, end, event } => {
                self.lines_bytes += event.line.len() as u64 + 1;
                let position = Position { offset: end, id: Some(event.id.clone()), gz_bytes: None };
                self.ends.insert(file.to_string(), position);
                self.events.push((file, end, event));
            }
            Step::Foreign { file, start, end, line, why } => {
                self.lines_bytes += line.len() as u64 + 1;
                self.ends.entry(file.to_string()).or_default().offset = end;
                let letter = Letter { file: file.to_string(), offset: start, reason: why.to_owned(), line };
                self.letters.push(letter);
            }
            Step::NotPicked { file, start, end } => {
                self.lines_bytes += end - start;
                self.ends.entry(file.to_string()).or_default().offset = end;
            }
            Step::Finished { file, end, gz_bytes } => {
                let position = self.ends.entry(file.to_string()).or_default();
                (position.offset, position.gz_bytes) = (end, Some(gz_bytes));
            }
        }
    }
}
