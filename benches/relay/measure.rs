//! The measures: paced, ceiling, idle, bulk.
//!
//! Turns a [`Command`] into numbers. Each window runs from one quiet moment of the proxy to the next (see [`quiet`]):
//! work a proxy puts off, such as decoding from a queue, is counted to the messages that caused it.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::pair::{Origin, Pair, now};
use crate::stanza::{CHAT_BYTES, UPDATE_BYTES};
use crate::usage::Usage;

/// Time between two messages of one socket at the paced rate.
const PACE: Duration = Duration::from_millis(100);
const WARM_UP: Duration = Duration::from_millis(250);
/// Longest wait for a proxy to become quiet.
const QUIET_LIMIT: Duration = Duration::from_secs(10);
const BULK_MESSAGE_BYTES: usize = 256 * 1024;
const BULK_BYTES: u64 = 1 << 30;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Measure {
    /// Fixed rate, the socket's latency.
    Paced(Load),
    /// As fast as it goes, one message under way a socket.
    Ceiling(Load),
    /// Memory of sockets that say nothing.
    Idle,
    /// One socket, 256 kB messages, 1 GiB.
    Bulk,
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Load {
    /// Updates of [`UPDATE_BYTES`] from the server.
    Push,
    /// Round trips of two messages of [`CHAT_BYTES`].
    Echo,
}

/// One line of standard input: `MEASURE PROXY_PORT PROXY_PID SECONDS SOCKETS`. Process 0 stands for no proxy.
#[derive(Debug)]
pub(crate) struct Command {
    measure: Measure,
    port: u16,
    pid: u32,
    /// How long to measure, or for [`Measure::Bulk`] at most.
    pub(crate) duration: Duration,
    sockets: u32,
}

impl FromStr for Command {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [measure, port, pid, seconds, sockets] = words.as_slice() else { bail!("five words make a command") };
        let measure = match *measure {
            "paced-push" => Measure::Paced(Load::Push),
            "paced-echo" => Measure::Paced(Load::Echo),
            "ceiling-push" => Measure::Ceiling(Load::Push),
            "ceiling-echo" => Measure::Ceiling(Load::Echo),
            "idle" => Measure::Idle,
            "bulk" => Measure::Bulk,
            other => bail!("no such measure: {other}"),
        };
        let duration = Duration::try_from_secs_f64(seconds.parse().context("seconds")?)?;
        Ok(Self { measure, port: port.parse()?, pid: pid.parse()?, duration, sockets: sockets.parse()? })
    }
}

/// Does what `command` says. Times in µs, memory in bytes.
pub(crate) async fn run(origin: &Origin, command: &Command) -> anyhow::Result<Value> {
    match command.measure {
        Measure::Paced(load) => traffic(origin, command, load, Some(PACE)).await,
        Measure::Ceiling(load) => traffic(origin, command, load, None).await,
        Measure::Idle => idle(origin, command).await,
        Measure::Bulk => bulk(origin, command).await,
    }
}

async fn traffic(origin: &Origin, command: &Command, load: Load, pace: Option<Duration>) -> anyhow::Result<Value> {
    let pairs = open(origin, command, command.sockets).await?;
    let (pairs, _) = drive(pairs, load, pace, WARM_UP).await?;
    let before = quiet(command.pid).await?;
    let (own_before, messages_before) = (Usage::of(std::process::id()), messages(&pairs));
    let start = now();
    let (pairs, mut latencies) = drive(pairs, load, pace, command.duration).await?;
    let elapsed = start.elapsed();
    let (own, hurried) = (Usage::of(std::process::id()).since(&own_before), Usage::of(command.pid).since(&before));
    let after = quiet(command.pid).await?;
    let count = messages(&pairs) - messages_before;
    ensure!(count > 0, "not one message was relayed");
    latencies.sort_unstable();
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).map_or(0.0, |ns| *ns as f64 / 1e3);
    Ok(json!({
        "messages": count,
        "messages_in_all": messages(&pairs),
        "messages_per_second": count as f64 / elapsed.as_secs_f64(),
        "cpu_us_per_message": micros(after.since(&before)) / count as f64,
        "proxy_busy": hurried.as_secs_f64() / elapsed.as_secs_f64(),
        "load_busy": own.as_secs_f64() / elapsed.as_secs_f64(),
        "p50_us": at(0.5),
        "p90_us": at(0.9),
        "message_bytes": match load { Load::Push => UPDATE_BYTES, Load::Echo => CHAT_BYTES },
    }))
}

async fn idle(origin: &Origin, command: &Command) -> anyhow::Result<Value> {
    // What a proxy sets up once belongs to its base, not to the sockets.
    let mut first = open(origin, command, 1).await?;
    for pair in &mut first {
        pair.push().await?;
    }
    let before = quiet(command.pid).await?;
    let mut pairs = open(origin, command, command.sockets).await?;
    for pair in &mut pairs {
        pair.push().await?;
    }
    let after = quiet(command.pid).await?;
    let grown = after.resident_bytes.saturating_sub(before.resident_bytes);
    Ok(json!({
        "messages_in_all": messages(&pairs) + messages(&first),
        "resident_base_bytes": before.resident_bytes,
        "resident_bytes_per_socket": grown as f64 / pairs.len() as f64,
    }))
}

async fn bulk(origin: &Origin, command: &Command) -> anyhow::Result<Value> {
    let mut pairs = open(origin, command, 1).await?;
    let Some(pair) = pairs.first_mut() else { bail!("no socket") };
    pair.push().await?;
    let before = quiet(command.pid).await?;
    let start = now();
    let bytes = pair.pour(BULK_MESSAGE_BYTES, BULK_BYTES, command.duration).await?;
    let elapsed = start.elapsed();
    let after = quiet(command.pid).await?;
    Ok(json!({
        "messages_in_all": messages(&pairs),
        "bytes": bytes,
        "megabytes_per_second": bytes as f64 / 1e6 / elapsed.as_secs_f64(),
        "resident_before_bytes": before.resident_bytes,
        "resident_after_bytes": after.resident_bytes,
        "resident_peak_bytes": after.resident_peak_bytes,
        "cpu_us_per_megabyte": micros(after.since(&before)) / (bytes as f64 / 1e6),
    }))
}

/// Opens `count` sockets one after the other, each logged in as another agent.
async fn open(origin: &Origin, command: &Command, count: u32) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for _ in 0..count {
        pairs.push(origin.pair(command.port).await?);
    }
    Ok(pairs)
}

/// Runs all sockets for `duration`. Returns them with the latencies in ns.
async fn drive(
    pairs: Vec<Pair>,
    load: Load,
    pace: Option<Duration>,
    duration: Duration,
) -> anyhow::Result<(Vec<Pair>, Vec<u64>)> {
    let count = u32::try_from(pairs.len())?;
    let deadline = now() + duration;
    let mut tasks = JoinSet::new();
    for (index, mut pair) in (0_u32..).zip(pairs) {
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            // Paced sockets take turns: the messages of all are spread evenly over the pace.
            let mut next = now() + pace.map_or(Duration::ZERO, |pace| pace * index / count);
            while now() < deadline {
                if let Some(pace) = pace {
                    tokio::time::sleep_until(next.into()).await;
                    next += pace;
                }
                let latency = match load {
                    Load::Push => pair.push().await?,
                    Load::Echo => pair.echo().await?,
                };
                latencies.push(u64::try_from(latency.as_nanos())?);
            }
            anyhow::Ok((pair, latencies))
        });
    }
    let (mut pairs, mut latencies) = (Vec::new(), Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (pair, its) = ended??;
        pairs.push(pair);
        latencies.extend(its);
    }
    Ok((pairs, latencies))
}

/// Waits until the proxy has done what it was given: less than 2 ms of processor time in 100 ms.
async fn quiet(pid: u32) -> anyhow::Result<Usage> {
    let deadline = now() + QUIET_LIMIT;
    let mut last = Usage::of(pid);
    loop {
        sleep(Duration::from_millis(100)).await;
        let usage = Usage::of(pid);
        if usage.since(&last) < Duration::from_millis(2) {
            return Ok(usage);
        }
        ensure!(now() < deadline, "the proxy does not become quiet");
        last = usage;
    }
}

fn messages(pairs: &[Pair]) -> u64 {
    pairs.iter().map(|pair| pair.messages).sum()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
