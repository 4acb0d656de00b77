//! Shippers: from our own capture files into Splunk (HEC), Elasticsearch (`_bulk`) or any receiver of OTLP, now or later,
//! here or elsewhere.
//!
//! A shipper reads files, never the bus, so the relay cannot feel it: the files are its queue, and weeks without the
//! receiver cost disk alone. `tail` gives whole lines, `pump` makes batches and keeps some on their way at once,
//! `deliver` brings each to its end, [`checkpoint`] remembers in order what the receiver has confirmed. At least once:
//! a crash may send again what was confirmed and not remembered; `event.id` tells.

mod acks;
mod backoff;
pub mod checkpoint;
mod dead;
mod deliver;
mod dial;
pub mod elastic;
mod event;
mod http;
mod otlp;
mod pump;
pub mod secret;
pub mod setup;
pub mod splunk;
pub mod status;
mod sticky;
mod tail;
pub mod url;
mod verdict;

pub use checkpoint::delivered;
pub use elastic::Login;
pub use splunk::Ack;
pub use status::{Snapshot, State, Status};
pub use url::Url;
pub use verdict::Stop;

use crate::filter::Filter;
use crate::tls::upstream::Trust;
use anyhow::Context as _;
use bytes::Bytes;
use checkpoint::Checkpoint;
use dead::DeadLetters;
use deliver::{Link, Peer};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Client, Limits};
use secret::Source;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What to deliver, and where to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The directory of the capture files.
    pub captures: PathBuf,
    /// Where checkpoint and dead letters are kept.
    pub state: PathBuf,
    /// Which events.
    pub filter: Filter,
    /// Whom they go to.
    pub receiver: Receiver,
    /// When there is nothing more to deliver.
    pub end: End,
    /// Give up when nothing has gone well for so long.
    pub give_up: Option<Duration>,
    /// Times and sizes.
    pub pace: Pace,
}

/// When there is nothing more to deliver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Everything that is there has been delivered.
    Delivered,
    /// Never: more may be written.
    Never,
}

/// Whom events go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Its address.
    pub url: Url,
    /// Whom to believe to be it.
    pub trust: Trust,
    /// What it is.
    pub kind: Kind,
}

/// What a receiver is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Splunk's HTTP Event Collector.
    Splunk {
        /// Where the token is.
        token: Source,
        /// Another index than the token's own.
        index: Option<String>,
        /// Whether acknowledgements must be had.
        ack: Ack,
    },
    /// Elasticsearch or OpenSearch.
    Elastic {
        /// How we say who we are.
        login: Login,
        /// The data stream.
        stream: String,
        /// What to put there first.
        setup: Option<setup::Setup>,
    },
    /// Whatever takes OpenTelemetry's logs over HTTP.
    Otlp {
        /// Where the headers are that it knows us by.
        headers: Option<Source>,
    },
}

/// Times and sizes of delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// A batch is full at so many bytes of lines: HEC in older Splunks takes no more than 1,000,000.
    pub batch_bytes: usize,
    /// A batch is full at so many events.
    pub batch_events: usize,
    /// A batch that is not full goes after so long.
    pub linger: Duration,
    /// Batches being sent at once.
    pub parallel: usize,
    /// Batches kept until all before them are confirmed: those that HEC has taken and not acknowledged among them.
    pub unconfirmed: usize,
    /// The directory is looked at so often.
    pub poll: Duration,
    /// The checkpoint is written at most so often while more is delivered.
    pub commit: Duration,
    /// For reaching the receiver.
    pub connect: Duration,
    /// For one request.
    pub request: Duration,
    /// For HEC's acknowledgement, before events are sent again.
    pub ack: Duration,
    /// HEC is asked for an acknowledgement so often.
    pub ack_poll: Duration,
    /// First wait after a failure, at most.
    pub backoff_base: Duration,
    /// Longest wait after a failure.
    pub backoff_cap: Duration,
    /// For batches on their way when there is no more time.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch_bytes: 800_000,
            batch_events: 2_000,
            linger: Duration::from_secs(1),
            parallel: 4,
            unconfirmed: 32,
            poll: Duration::from_millis(500),
            commit: Duration::from_millis(250),
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            ack: Duration::from_secs(120),
            ack_poll: Duration::from_millis(500),
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// How delivery went, when it ended well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// The counts.
    pub counts: Snapshot,
    /// Capture files that are there.
    pub files: usize,
    /// Files whose last line has no end: torn by a crash, or still being written.
    pub torn: usize,
    /// Files that could not be read, and why.
    pub faults: Vec<(String, String)>,
    /// Where dead letters are.
    pub dead_letters: PathBuf,
}

impl Plan {
    /// The same for an unpacked bundle of `share`: where `captures` holds no capture files, and a directory `captures` in it
    /// is there, that one.
    #[must_use]
    pub fn unpacked(mut self) -> Self {
        let inner = self.captures.join("captures");
        if inner.is_dir() && !tail::holds_captures(&self.captures) {
            if self.state == self.captures {
                self.state.clone_from(&inner);
            }
            self.captures = inner;
        }
        self
    }
}

impl Receiver {
    /// Whether its secret can be read: better known before traffic than at the first delivery.
    ///
    /// # Errors
    /// It cannot, and why.
    pub fn check(&self) -> anyhow::Result<()> {
        match &self.kind {
            Kind::Splunk { token, .. } => token.read().map(drop),
            Kind::Elastic { login, .. } => login.field().map(drop),
            Kind::Otlp { headers } => headers.as_ref().map_or(Ok(()), |headers| headers.read_lines().map(drop)),
        }
    }

    /// `splunk https://…` or `elastic https://… logs-…`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Splunk { index: Some(index), .. } => format!("splunk {} index {index}", self.url),
            Kind::Splunk { .. } => format!("splunk {}", self.url),
            Kind::Elastic { stream, .. } => format!("elastic {} {stream}", self.url),
            Kind::Otlp { .. } => format!("otlp {}", self.url),
        }
    }

    /// What tells its checkpoint from others': 12 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.name().as_bytes());
        digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    fn option(&self) -> &'static str {
        match self.kind {
            Kind::Splunk { .. } => "--splunk",
            Kind::Elastic { .. } => "--elastic",
            Kind::Otlp { .. } => "--otlp",
        }
    }

    /// Reads certificates and secrets, and connects to nobody yet.
    fn peer(&self, pace: Pace) -> anyhow::Result<Peer> {
        let limits = Limits { connect: pace.connect, request: pace.request };
        let client = Client::new(self.url.clone(), &self.trust, limits, self.option())?;
        Ok(match &self.kind {
            Kind::Splunk { token, index, ack } => {
                Peer::Splunk(Box::new(splunk::Splunk::new(client, index.clone(), *ack, &token.read()?, pace)?))
            }
            Kind::Elastic { login, stream, .. } => {
                Peer::Elastic(Box::new(elastic::Elastic::new(client, stream, login)?))
            }
            Kind::Otlp { headers } => {
                let headers = headers.as_ref().map(Source::read_lines).transpose()?;
                Peer::Otlp(Box::new(otlp::Otlp::new(client, headers.as_ref())?))
            }
        })
    }
}

const FILE_HINT: &str = "name the directory that it is in; what is packed is unpacked first, but for .ndjson.gz";

/// When a shipper shall end.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Nothing more is written: deliver what is there, then end.
    pub drain: CancellationToken,
    /// End at once: what is on its way may arrive.
    pub stop: CancellationToken,
}

/// Delivers as planned until the end, or until `orders` say so. For a runtime of its own: it reads files as it goes.
///
/// # Errors
/// What keeps it from delivering until a person acts; what was confirmed by then is remembered.
pub async fn run(plan: &Plan, status: &Arc<Status>, orders: &Orders) -> anyhow::Result<Summary> {
    let (hash, name) = (plan.receiver.hash(), plan.receiver.name());
    if plan.captures.is_file() {
        anyhow::bail!("{} is a file, not a directory\nhint: {FILE_HINT}", plan.captures.display());
    }
    plan.captures.read_dir().with_context(|| format!("read the captures in {}", plan.captures.display()))?;
    let checkpoint = Checkpoint::open(&plan.state, &plan.captures, &hash, &name)?;
    let peer = plan.receiver.peer(plan.pace)?;
    let dead = DeadLetters::new(&plan.state, &hash, &name);
    if let Kind::Elastic { login, stream, setup: Some(setup) } = &plan.receiver.kind {
        let put = setup::put(&plan.receiver, setup, login, stream, plan.pace, &orders.drain);
        match orders.stop.run_until_cancelled(put).await {
            Some(done) => done?,
            None => anyhow::bail!("stopped before {name} was set up"),
        }
    }
    let link = Link { peer, pace: plan.pace, give_up: plan.give_up, failing_since: Mutex::default() };
    pump::run(plan, link, checkpoint, dead, status, orders).await
}

/// Makes the plan known beside the captures that are there already, before anybody removes some of them: what its receiver
/// does not have would be no loss otherwise.
///
/// # Errors
/// The checkpoint cannot be read or written, or another shipper has it.
pub fn announce(plan: &Plan) -> anyhow::Result<()> {
    if plan.captures.is_dir() {
        Checkpoint::open(&plan.state, &plan.captures, &plan.receiver.hash(), &plan.receiver.name())?;
    }
    Ok(())
}

/// As a request carries it.
fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    Bytes::from(encoder.finish().unwrap_or_default())
}
