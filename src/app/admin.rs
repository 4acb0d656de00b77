//! The admin address of a run: bound before traffic, served beside it, told when the run stops.

use super::recorder::Recorder;
use super::ship::Shippers;
use crate::admin::{self, Shipped};
use crate::ship::{Snapshot, State};
use anyhow::{Context as _, anyhow};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Metrics being served; no longer when dropped.
pub(super) struct Admin {
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
    tasks: TaskTracker,
}

/// An address to serve on.
pub(super) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Binds the address, if there is one.
pub(super) async fn bind(address: Option<SocketAddr>) -> anyhow::Result<Option<Bound>> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "\nhint: something listens there already; choose another --admin ADDR:PORT (port 0 takes any free one)"
            }
            std::io::ErrorKind::PermissionDenied => "\nhint: the system does not give that port to you; choose another",
            _ => "",
        };
        anyhow!("admin address {address}: {error}{hint}")
    })?;
    let address = listener.local_addr().context("read the admin listener's address")?;
    Ok(Some(Bound { listener, address }))
}

impl Admin {
    /// Begins to serve.
    pub(super) fn start(bound: Bound, recorder: &Recorder, shippers: &Shippers) -> Self {
        let Bound { listener, address } = bound;
        let statuses = shippers.statuses().to_vec();
        let ships = move || statuses.iter().map(|status| shipped(&status.snapshot())).collect();
        let tasks = TaskTracker::new();
        let serving = tasks.spawn(admin::serve(listener, recorder.watched(ships)));
        Self { address, serving, tasks }
    }

    /// Where it is served.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whoever asks shall know when no new connections are taken.
    pub(super) fn told_of(&self, shutdown: &CancellationToken, recorder: &Recorder) {
        let (shutdown, health) = (shutdown.clone(), recorder.health());
        self.tasks.spawn(async move {
            shutdown.cancelled().await;
            health.stopping();
        });
    }
}

fn shipped(now: &Snapshot) -> Shipped {
    Shipped {
        // The name is the kind and an address, which is nobody's label.
        receiver: if now.receiver.starts_with("splunk") { "splunk" } else { "elastic" },
        stopped: now.state == State::Stopped,
        delivered: now.delivered,
        errors: now.errors,
        dead_letters: now.dead_letters,
        lag_bytes: now.lag_bytes,
        lag_events: now.lag_events,
        lag_seconds: now.lag_seconds(),
        lost_bytes: now.lost_bytes,
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
