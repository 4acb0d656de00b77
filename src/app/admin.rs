//! The admin address of a run: bound before traffic, served beside it, told when the run stops.

use super::recorder::Recorder;
use crate::admin;
use anyhow::{Context as _, anyhow};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Metrics being served; no longer when dropped.
pub(super) struct Admin {
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
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
            std::io::ErrorKind::PermissionDenied => "\nhint: ports below 1024 need more rights; choose another",
            _ => "",
        };
        anyhow!("admin address {address}: {error}{hint}")
    })?;
    let address = listener.local_addr().context("read the admin listener's address")?;
    Ok(Some(Bound { listener, address }))
}

/// Begins to serve.
pub(super) fn start(bound: Bound, recorder: &Recorder) -> Admin {
    let Bound { listener, address } = bound;
    let serving = tokio::spawn(admin::serve(listener, recorder.watched(Vec::new)));
    Admin { address, serving }
}

impl Admin {
    /// Where it is served.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whoever asks shall know when no new connections are taken.
    pub(super) fn told_of(&self, shutdown: &CancellationToken, recorder: &Recorder) {
        let (shutdown, health) = (shutdown.clone(), recorder.health());
        tokio::spawn(async move {
            shutdown.cancelled().await;
            health.stopping();
        });
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
