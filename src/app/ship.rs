//! Shippers at work: by themselves (`ship`), or beside a running proxy, each on a thread and a runtime of its own.
//!
//! Beside the proxy a shipper that cannot go on says so, and tries again after a while with its secret read anew; nothing
//! it does ends the proxy. By itself it ends with an error.

use super::progress::Progress;
use super::signal::{Signals, StoppedAtOnce};
use super::{block_in, explained, hinted, prepare_process};
use crate::cli::Ship;
use crate::clock;
use crate::proxy;
use crate::ship::{self, End, Orders, Plan, State, Status, Summary};
use anyhow::{Context as _, anyhow};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a shipper beside the proxy waits when only a person can help.
const STOPPED_WAIT: Duration = Duration::from_secs(60);
/// How long the proxy's end waits for a receiver that does not answer anyway.
const HOPELESS_LIMIT: Duration = Duration::from_secs(1);
/// How often their end is looked for.
const END_LOOK: Duration = Duration::from_millis(50);
/// How long they have to note what was confirmed.
const SAVE_LIMIT: Duration = Duration::from_millis(100);
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Delivers captures until all are there, or until Ctrl-C.
///
/// # Errors
/// Something is not delivered, and why. Or [`StoppedAtOnce`].
pub fn ship(config: &Ship) -> anyhow::Result<()> {
    prepare_process();
    let orders = Orders::default();
    // What drains a proxy stops a shipper: what is left goes the next time.
    let signals = proxy::Orders { drain: orders.stop.clone(), ..proxy::Orders::default() };
    let plans: Vec<Plan> = config.plans.iter().cloned().map(Plan::unpacked).collect();
    let mut outcomes = Vec::new();
    block_in(runtime()?, async {
        let hung_up = orders.stop.clone();
        Signals::install()?.watch(signals.clone(), move || hung_up.cancel());
        let mut tasks = JoinSet::new();
        let mut statuses = Vec::new();
        for (at, plan) in plans.iter().cloned().enumerate() {
            let status = Arc::new(Status::new(plan.receiver.name()));
            statuses.push(Arc::clone(&status));
            let orders = orders.clone();
            tasks.spawn(async move { (at, ship::run(&plan, &status, &orders).await) });
        }
        let mut progress = Progress::new(String::from("delivered"));
        loop {
            tokio::select! {
                done = tasks.join_next() => match done {
                    Some(done) => outcomes.push(done.context("a shipper broke down")?),
                    None => return anyhow::Ok(()),
                },
                () = sleep(LOOK) => show(&mut progress, &statuses),
                () = signals.cut.cancelled() => return Err(StoppedAtOnce.into()),
            }
        }
    })?;
    outcomes.sort_by_key(|(at, _)| *at);
    let mut failed = Vec::new();
    for (plan, (_, outcome)) in plans.iter().zip(outcomes) {
        match outcome {
            Ok(summary) => {
                say(&told(plan, &summary));
                failed.extend(missing(plan, &summary, orders.stop.is_cancelled()));
            }
            Err(error) => failed.push(explained(&error)),
        }
    }
    match failed.split_first() {
        None => Ok(()),
        Some((first, rest)) => {
            rest.iter().for_each(|problem| say(&format!("error: {problem}")));
            Err(anyhow!("{first}"))
        }
    }
}

/// Makes the receivers of a run known before its captures are kept within their limit. What is wrong, shippers tell.
pub(super) fn announce(plans: &[Plan]) {
    for plan in plans {
        if let Err(error) = ship::announce(plan) {
            tracing::debug!(error = %format!("{error:#}"), "no checkpoint yet");
        }
    }
}

/// The shippers beside a running proxy.
pub(super) struct Shippers {
    orders: Orders,
    statuses: Vec<Arc<Status>>,
    ended: Receiver<()>,
}

impl Shippers {
    /// Starts one for each plan.
    pub(super) fn start(plans: &[Plan]) -> anyhow::Result<Self> {
        let orders = Orders::default();
        let mut statuses = Vec::new();
        let (ending, ended) = channel();
        for plan in plans {
            let status = Arc::new(Status::new(plan.receiver.name()));
            statuses.push(Arc::clone(&status));
            let (plan, orders, ending) = (plan.clone(), orders.clone(), ending.clone());
            let runtime = runtime()?;
            let work = move || beside(&runtime, &plan, &status, &orders, ending);
            std::thread::Builder::new().name(String::from("ship")).spawn(work).context("start a shipper")?;
        }
        Ok(Self { orders, statuses, ended })
    }

    /// How they fare.
    pub(super) fn statuses(&self) -> &[Arc<Status>] {
        &self.statuses
    }

    /// Lets them deliver what is there, within `limit` and until `hurry`; the rest goes at the next start. Call when nothing
    /// more is written.
    pub(super) fn finish(self, limit: Duration, hurry: &CancellationToken) {
        self.orders.drain.cancel();
        let since = clock::now();
        while self.ended.recv_timeout(END_LOOK) == Err(RecvTimeoutError::Timeout) {
            let waited = clock::now().since(since);
            let is_well = self.statuses.iter().any(|status| status.snapshot().state == State::Well);
            if waited < if is_well { limit } else { limit.min(HOPELESS_LIMIT) } && !hurry.is_cancelled() {
                continue;
            }
            self.orders.stop.cancel();
            // They note at once what was confirmed; what they have not heard by then is sent again some day.
            let _ = self.ended.recv_timeout(SAVE_LIMIT);
            break;
        }
        for status in &self.statuses {
            let now = status.snapshot();
            let (receiver, events, lag_bytes) = (now.receiver, now.delivered, now.lag_bytes);
            if now.state == State::Stopped {
                // How much was written since nobody knows.
                let why = now.last_error;
                tracing::warn!(
                    receiver,
                    events,
                    why,
                    "delivery had stopped; once that is put right, the next start goes on"
                );
            } else if lag_bytes > 0 {
                tracing::warn!(receiver, events, lag_bytes, "not all is delivered; the next start goes on");
            } else {
                tracing::info!(receiver, events, "delivered");
            }
        }
    }
}

/// Nothing is sent through `ending`: its end tells.
fn beside(runtime: &Runtime, plan: &Plan, status: &Arc<Status>, orders: &Orders, ending: Sender<()>) {
    runtime.block_on(async {
        loop {
            let Err(error) = ship::run(plan, status, orders).await else { break };
            let told = explained(&error);
            let (why, hint) = hinted(&told);
            tracing::error!(receiver = plan.receiver.name(), why, hint, "delivery stopped; captures wait");
            status.stopped(why);
            if orders.drain.is_cancelled() {
                break;
            }
            tokio::select! {
                () = sleep(STOPPED_WAIT) => {}
                () = orders.drain.cancelled() => break,
                () = orders.stop.cancelled() => break,
            }
        }
    });
    drop(ending);
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the shipper's runtime")
}

fn show(progress: &mut Progress, statuses: &[Arc<Status>]) {
    let (done, total) = statuses
        .iter()
        .map(|status| status.snapshot())
        .fold((0, 0), |(done, total), now| (done + now.delivered_bytes, total + now.delivered_bytes + now.lag_bytes));
    if total > 0 {
        progress.at(done, total);
    }
}

fn told(plan: &Plan, summary: &Summary) -> String {
    let counts = &summary.counts;
    let mut text = format!("delivered {} events to {}", counts.delivered, plan.receiver.name());
    if counts.duplicates > 0 {
        text.push_str(&format!(", {} of them were there already", counts.duplicates));
    }
    if counts.dead_letters > 0 {
        text.push_str(&format!("; {} refused for good", counts.dead_letters));
    }
    if summary.files == 0 && plan.end == End::Never {
        text.push_str(&format!("; no capture files are in {}", plan.captures.display()));
    }
    if summary.torn > 0 {
        text.push_str(&format!(
            "; {} with an unfinished last line, to be delivered when it is whole",
            files(summary.torn)
        ));
    }
    text
}

/// Why not everything is delivered, if it is not.
fn missing(plan: &Plan, summary: &Summary, is_stopped: bool) -> Option<String> {
    let counts = &summary.counts;
    if let Some((name, why)) = summary.faults.first() {
        return Some(format!("{} not delivered: {name}: {why}", files(summary.faults.len())));
    }
    if counts.dead_letters > 0 {
        let (letters, path) = (counts.dead_letters, summary.dead_letters.display());
        return Some(format!("{letters} lines were refused for good\nhint: each with its reason is in {path}"));
    }
    if plan.end == End::Never {
        return None;
    }
    if is_stopped && (counts.lag_bytes > 0 || summary.files == 0) {
        let bytes = counts.lag_bytes;
        return Some(format!("stopped with {bytes} bytes to go\nhint: the same command goes on where it stopped"));
    }
    (summary.files == 0).then(|| {
        let captures = plan.captures.display();
        format!(
            "no capture files are in {captures}\nhint: name the directory that they are in; --follow waits for them"
        )
    })
}

fn files(count: usize) -> String {
    if count == 1 { String::from("1 file") } else { format!("{count} files") }
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = writeln!(std::io::stderr(), "{text}");
}
