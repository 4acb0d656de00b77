//! One batch on its way to its end: sent, sent again after a while, taken apart to find the event that spoils it.
//!
//! Every event ends as taken, known already, or refused for good with a reason; until then it is tried without limit.
//! A refused batch is halved until the culprit is alone, unless the receiver names it. Where ten events are refused, in
//! batches of which nothing is taken, the receiver is wrong and not the events: delivery stops, and gives up no more of them.

use super::Pace;
use super::backoff::Backoff;
use super::elastic::Elastic;
use super::event::Event;
use super::otlp::Otlp;
use super::splunk::Splunk;
use super::status::{State, Status};
use super::verdict::{Fate, Stop, Verdict};
use crate::clock::{self, Moment};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// So many events that are refused without one that is taken are no accident of theirs.
const SUSPICIOUS_EVENTS: u64 = 10;

/// A receiver that is spoken to.
pub(super) struct Link {
    pub(super) peer: Peer,
    pub(super) pace: Pace,
    /// Give up when nothing has gone well for so long.
    pub(super) give_up: Option<Duration>,
    /// Since when nothing has gone well, whatever the batch; `None` while all is well.
    pub(super) failing_since: Mutex<Option<Moment>>,
}

/// Whom we speak to.
pub(super) enum Peer {
    Splunk(Box<Splunk>),
    Elastic(Box<Elastic>),
    Otlp(Box<Otlp>),
}

/// What became of a batch's events.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) delivered: u64,
    pub(super) duplicates: u64,
    /// Refused for good, with the reasons.
    pub(super) dead: Vec<(Event, String)>,
}

/// Why a batch did not come to its end.
#[derive(Debug)]
pub(super) enum Unsettled {
    /// A person must act.
    Stopped(Stop),
    /// There was no more time.
    Cancelled,
}

impl Peer {
    async fn send(&self, events: &[Event]) -> Verdict {
        match self {
            Self::Splunk(splunk) => splunk.send(events).await,
            Self::Elastic(elastic) => elastic.send(events).await,
            Self::Otlp(otlp) => otlp.send(events).await,
        }
    }

    /// Batches that were sent and only wait for the receiver's word.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Splunk(splunk) => splunk.waiting(),
            Self::Elastic(_) | Self::Otlp(_) => 0,
        }
    }

    /// Ends when one more does.
    pub(super) async fn taken(&self) {
        match self {
            Self::Splunk(splunk) => splunk.taken().await,
            Self::Elastic(_) | Self::Otlp(_) => std::future::pending().await,
        }
    }
}

impl Link {
    /// Delivers `events`. `stop` ends waits between tries, not a request on its way.
    pub(super) async fn deliver(
        &self,
        events: Vec<Event>,
        status: &Status,
        stop: &CancellationToken,
    ) -> Result<Settled, Unsettled> {
        let mut settled = Settled::default();
        let mut parts = VecDeque::from([events]);
        let mut backoff = Backoff::new(self.pace.backoff_base, self.pace.backoff_cap);
        while let Some(mut part) = parts.pop_front() {
            if part.is_empty() {
                continue;
            }
            let wait = match self.peer.send(&part).await {
                Verdict::Taken => {
                    settled.delivered += part.len() as u64;
                    None
                }
                Verdict::Each(fates) => {
                    let before = settled.delivered;
                    let wait = sort_out(part, fates, &mut settled, &mut parts);
                    if settled.delivered > before {
                        // It gets on: what is left need not wait as long as after a refusal of all.
                        backoff.reset();
                    }
                    wait
                }
                Verdict::Refused { why, culprit } => {
                    let alone = (part.len() == 1).then_some(0).or(culprit.filter(|at| *at < part.len()));
                    match alone {
                        Some(at) => {
                            settled.dead.push((part.remove(at), why));
                            parts.push_front(part);
                        }
                        None => {
                            let rest = part.split_off(part.len() / 2);
                            parts.push_front(rest);
                            parts.push_front(part);
                        }
                    }
                    None
                }
                Verdict::Later { why, hint, after } => {
                    parts.push_front(part);
                    Some((why, hint, after))
                }
                Verdict::Stop(stop) => return Err(Unsettled::Stopped(stop)),
            };
            match wait {
                None => {
                    backoff.reset();
                    self.succeeded(status);
                }
                Some((why, hint, after)) => self.wait(backoff.next(after), why, hint, status, stop).await?,
            }
        }
        let refused = status.refused_in_a_row(&settled, SUSPICIOUS_EVENTS);
        match settled.dead.first() {
            Some((_, why)) if refused >= SUSPICIOUS_EVENTS => {
                let why = format!("the last {refused} events were all refused, one with {why}");
                Err(Unsettled::Stopped(Stop::new(
                    why,
                    "so many are not all wrong: look at the receiver's own settings",
                )))
            }
            _ => Ok(settled),
        }
    }

    /// Something went well: the receiver is there.
    fn succeeded(&self, status: &Status) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        status.change(|now| {
            if now.state == State::Retrying {
                tracing::info!(receiver = now.receiver, "delivering again");
            }
            now.state = State::Well;
        });
    }

    async fn wait(
        &self,
        wait: Duration,
        why: String,
        hint: Option<String>,
        status: &Status,
        stop: &CancellationToken,
    ) -> Result<(), Unsettled> {
        let now = clock::now();
        let since = *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        let silent = now.since(since);
        status.change(|now| {
            // Once an outage: a receiver that is away for weeks must not fill the log.
            if now.state != State::Retrying || now.last_error.as_ref() != Some(&why) {
                let receiver = &now.receiver;
                tracing::warn!(receiver, why, hint = hint.as_deref(), "not delivered yet; trying again, captures wait");
            }
            now.state = State::Retrying;
            now.errors += 1;
            now.last_error = Some(why.clone());
        });
        let left = self.give_up.map_or(Duration::MAX, |limit| limit.saturating_sub(silent));
        if left.is_zero() {
            let why = format!("given up after {} s without a success: {why}", silent.as_secs());
            let hint =
                hint.unwrap_or_else(|| "the same command goes on where it stopped, once the receiver is back".into());
            return Err(Unsettled::Stopped(Stop { why, hint: Some(hint) }));
        }
        tokio::select! {
            () = sleep(wait.min(left)) => Ok(()),
            () = stop.cancelled() => Err(Unsettled::Cancelled),
        }
    }
}

/// Sorts a batch by the fates of its events; the rest is to be sent again.
fn sort_out(
    part: Vec<Event>,
    fates: Vec<Fate>,
    settled: &mut Settled,
    parts: &mut VecDeque<Vec<Event>>,
) -> Option<(String, Option<String>, Option<Duration>)> {
    let mut again = Vec::new();
    let mut reason = None;
    for (event, fate) in part.into_iter().zip(fates) {
        match fate {
            Fate::Taken => settled.delivered += 1,
            Fate::Known => {
                settled.delivered += 1;
                settled.duplicates += 1;
            }
            Fate::Refused(why) => settled.dead.push((event, why)),
            Fate::Later(why) => {
                again.push(event);
                reason.get_or_insert(why);
            }
        }
    }
    parts.push_front(again);
    reason.map(|why| (why, None, None))
}
