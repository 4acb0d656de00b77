//! The proxy itself: bound listeners become relayed connections, until told to stop.
//!
//! [`run`] accepts, `route` tells which server is meant, `connection` makes both TLS legs, `relay` moves bytes, `dial`
//! finds the server, `preface` reads what a balancer puts in front, `alpn` says what either leg may speak, `page` speaks when there is none, `account` tells the tap. Decodes nothing and writes no log lines of
//! its own but operational ones.

mod account;
mod alpn;
mod answer;
mod connection;
mod dial;
mod filter;
mod page;
mod page2;
mod preface;
mod relay;
mod route;
mod starttls;

pub use alpn::Alpn;
pub use dial::Unreachable;
pub use filter::Rewriting;
pub use preface::Preface;
pub use route::Route;

use crate::capture::observation::{End, How};
use crate::clock::{self, Moment};
use crate::conn::ConnId;
use crate::tap::Intake;
use crate::tls::front::Front;
use crate::tls::upstream::Upstream;
use account::Ending;
use connection::Arrival;
use dial::Dialer;
use route::Plan;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait before accepting again when the system is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The operational log says at most this often that connections are turned away.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// What a proxy needs to know.
pub struct Config {
    /// The servers it stands for; the first of a listener is meant when a browser there names none of them.
    pub routes: Vec<Route>,
    /// Addresses to dial for a host instead of asking the resolver (`--resolve`).
    pub resolve: Vec<(String, IpAddr)>,
    /// TLS towards the browser.
    pub front: Front,
    /// TLS towards the servers.
    pub upstream: Upstream,
    /// Which connections have their headers rewritten.
    pub rewriting: Rewriting,
    /// What is done about ALPN.
    pub alpn: Alpn,
    /// What comes before TLS.
    pub preface: Preface,
    /// Time and number.
    pub limits: Limits,
}

/// Limits of one run, times below a year. There is no idle limit: a quiet WebSocket lives as long as its ends do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// From accepting to the end of the browser's TLS handshake; and the upstream's handshake by itself.
    pub handshake: Duration,
    /// Resolving and connecting to the upstream, all its addresses together.
    pub connect: Duration,
    /// Connections at once; more are accepted, told to the tap and dropped.
    pub connections: usize,
    /// How long connections may go on after shutdown began.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            connections: 4096,
            grace: Duration::from_secs(5),
        }
    }
}

/// Another configuration for a running proxy. Connections that are there keep theirs to their end, those of removed routes
/// included.
pub struct Change {
    /// Listeners that are new.
    pub listeners: Vec<TcpListener>,
    /// What holds from now on, but for its [`Limits`], of which only `connect` counts. Listeners without a route are closed.
    pub config: Config,
}

/// When a proxy shall end.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Accept nobody any more; connections may finish.
    pub drain: CancellationToken,
    /// Connections need not finish. Means nothing without the other.
    pub cut: CancellationToken,
}

/// What a run amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Connections accepted, those over the limit included.
    pub accepted: u64,
    /// Connections turned away over the limit.
    pub over_limit: u64,
    /// Connections cut because they had not finished.
    pub cut: usize,
}

/// The addresses that would be dialled for each route, in their order. For use at start: it finds the loop that a hosts
/// file makes before any browser does.
pub async fn upstream_addresses(config: &Config) -> Vec<Result<Vec<SocketAddr>, Unreachable>> {
    let listeners = config.routes.iter().map(|route| route.listener).collect();
    let dialer = Dialer { resolve: config.resolve.clone(), listeners, limit: config.limits.connect };
    let mut found = Vec::new();
    for route in &config.routes {
        found.push(dialer.addresses(&route.upstream).await);
    }
    found
}

/// Serves `listeners` until it is ordered to drain, then lets connections finish for the grace period and cuts the
/// rest. Every connection's end has been told to the tap when this returns.
///
/// # Errors
/// A listener without an address or without a route. Trouble with single connections is the tap's to tell.
pub async fn run(listeners: Vec<TcpListener>, config: Config, intake: Intake, orders: Orders) -> io::Result<Summary> {
    let (_, changes) = mpsc::channel(1);
    run_changing(listeners, config, intake, changes, orders).await
}

/// As [`run`], with other routes and TLS settings whenever `changes` brings them.
///
/// # Errors
/// As those of [`run`].
pub async fn run_changing(
    listeners: Vec<TcpListener>,
    config: Config,
    intake: Intake,
    mut changes: mpsc::Receiver<Change>,
    orders: Orders,
) -> io::Result<Summary> {
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let limits = config.limits;
    let plan = Arc::new(Plan::new(config));
    if let Some(bare) = addresses.iter().find(|address| plan.gate(**address).is_none()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no route leads on from {bare}")));
    }
    let shared = Arc::new(Shared {
        plan: RwLock::new(plan),
        limits,
        intake,
        cut: CancellationToken::new(),
        slots: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
        accepted: AtomicU64::new(0),
        over_limit: AtomicU64::new(0),
    });
    let accepting = TaskTracker::new();
    let connections = TaskTracker::new();
    let mut open: HashMap<SocketAddr, CancellationToken> = HashMap::new();
    let begin = |listener: TcpListener, address: SocketAddr, stop: CancellationToken| {
        let (shared, connections) = (Arc::clone(&shared), connections.clone());
        accepting.spawn(async move {
            stop.run_until_cancelled(accept(&listener, address, &shared, &connections)).await;
        });
    };
    let mut added: Vec<_> = addresses.into_iter().zip(listeners).collect();
    loop {
        for (address, listener) in added {
            let stop = orders.drain.child_token();
            open.insert(address, stop.clone());
            begin(listener, address, stop);
        }
        let change = tokio::select! {
            biased;
            () = orders.drain.cancelled() => break,
            Some(change) = changes.recv() => change,
            else => {
                orders.drain.cancelled().await;
                break;
            }
        };
        let plan = Arc::new(Plan::new(change.config));
        open.retain(|address, stop| {
            let stays = plan.gate(*address).is_some();
            if !stays {
                stop.cancel();
            }
            stays
        });
        shared.change(plan);
        added = change.listeners.into_iter().filter_map(|one| Some((one.local_addr().ok()?, one))).collect();
    }
    accepting.close();
    accepting.wait().await;
    connections.close();
    let grace = orders.cut.run_until_cancelled(timeout(shared.limits.grace, connections.wait()));
    if let Some(Ok(())) = grace.await {
        return Ok(shared.summary(0));
    }
    let open = connections.len();
    if !orders.cut.is_cancelled() {
        tracing::info!(open, "grace period over, cutting connections");
    }
    shared.cut.cancel();
    connections.wait().await;
    Ok(shared.summary(open))
}

/// What all connections of a run share.
pub(crate) struct Shared {
    /// What holds for connections that arrive now.
    plan: RwLock<Arc<Plan>>,
    limits: Limits,
    intake: Intake,
    /// Cancelled when the grace period is over, or not granted.
    cut: CancellationToken,
    slots: Arc<Semaphore>,
    accepted: AtomicU64,
    over_limit: AtomicU64,
}

impl Shared {
    fn plan(&self) -> Arc<Plan> {
        // Nobody panics with the lock held.
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, plan: Arc<Plan>) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    fn summary(&self, cut: usize) -> Summary {
        let accepted = self.accepted.load(Ordering::Relaxed);
        Summary { accepted, over_limit: self.over_limit.load(Ordering::Relaxed), cut }
    }
}

/// Accepts for ever.
async fn accept(listener: &TcpListener, address: SocketAddr, shared: &Arc<Shared>, connections: &TaskTracker) {
    let mut warned = None;
    loop {
        match listener.accept().await {
            Ok((tcp, client)) => {
                let at = clock::now();
                let plan = shared.plan();
                let Some(gate) = plan.gate(address).cloned() else { continue };
                let conn = ConnId(shared.accepted.fetch_add(1, Ordering::Relaxed) + 1);
                admit(tcp, Arrival { conn, client, at, plan, gate }, shared, connections, &mut warned);
            }
            // One visitor that left before it was let in.
            Err(error) if is_visitors_own(&error) => tracing::debug!(%error, "accept"),
            Err(error) => {
                if due(&mut warned, clock::now()) {
                    tracing::error!(%error, listener = %address, "connections cannot be accepted, trying again");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(
    tcp: TcpStream,
    arrival: Arrival,
    shared: &Arc<Shared>,
    connections: &TaskTracker,
    warned: &mut Option<Moment>,
) {
    let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
        shared.over_limit.fetch_add(1, Ordering::Relaxed);
        let limit = shared.limits.connections;
        if due(warned, arrival.at) {
            tracing::warn!(limit, client = %arrival.client, "connection limit reached, turning connections away");
        }
        let why = format!("{limit} connections are open already, which is the limit");
        arrival.account(shared).close(Ending::new(End::Proxy, How::Limit, why));
        return;
    };
    // Small messages must not wait for each other's acknowledgements. (Keep-alive probes stay off: between the ends
    // there would be packets that neither of them sent.)
    let _ = tcp.set_nodelay(true);
    let shared = Arc::clone(shared);
    connections.spawn(async move {
        connection::serve(tcp, arrival, &shared).await;
        drop(slot);
    });
}

/// Whether it is time to say so again.
fn due(last: &mut Option<Moment>, now: Moment) -> bool {
    let due = last.is_none_or(|last| now.ns_since(last) >= WARN_EVERY.as_nanos() as u64);
    if due {
        *last = Some(now);
    }
    due
}

fn is_visitors_own(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
