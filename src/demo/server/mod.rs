//! A server that behaves like Finesse towards an agent desktop: REST and XMPP over WebSocket on one TLS port.
//!
//! [`Server::start`] takes a bound listener and serves until [`Server::stop`] or until it is dropped. HTTP is hyper's,
//! WebSocket tungstenite's. Nothing a client sends makes it fail: it answers, or it ends that one connection.
//!
//! Limits: [`MAX_CONNECTIONS`] at a time, further ones wait; handshake and each next request within [`PATIENCE`].

mod call;
mod center;
mod conversation;
mod rest;
mod user;
mod websocket;

use crate::demo::{Agent, HOST, Trouble};
use center::Center;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most connections served at a time.
pub const MAX_CONNECTIONS: usize = 1024;
/// For a TLS handshake, and for the next request on a connection.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// For everything to end after [`Server::stop`].
const FAREWELL: Duration = Duration::from_secs(3);
/// After a failed accept (out of descriptors, say) before the next.
const BREATHER: Duration = Duration::from_millis(50);

/// What is served, and how fast.
#[derive(Clone, Debug)]
pub struct Site {
    /// XMPP domain and name in SystemInfo.
    pub host: String,
    /// Who can sign in.
    pub agents: Vec<Agent>,
    /// From a `202` to the event that says what came of it.
    pub settle: Duration,
    /// From READY to the call.
    pub ring_after: Duration,
    /// What is shown instead of `tls` while [`Trouble::Certificate`] is on.
    pub other_tls: Option<Arc<rustls::ServerConfig>>,
}

impl Site {
    /// [`HOST`] with these agents; `pace` is the pause a person needs between two steps, zero for as fast as it goes.
    #[must_use]
    pub fn new(agents: Vec<Agent>, pace: Duration) -> Self {
        Self { host: HOST.to_owned(), agents, settle: pace / 10, ring_after: pace * 2, other_tls: None }
    }
}

/// What every connection shares.
struct Shared {
    site: Site,
    center: Arc<Center>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A connection's share of [`MAX_CONNECTIONS`]; goes along when HTTP hands the connection over to WebSocket.
type Place = Arc<OwnedSemaphorePermit>;

/// A running server. Dropping it stops it without waiting.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Serves `site` on `listener` with `tls` until stopped. Must be called within a tokio runtime. `tls` should offer no
    /// ALPN protocol but `http/1.1`.
    ///
    /// # Errors
    /// If the listener has no local address.
    pub fn start(listener: TcpListener, tls: Arc<rustls::ServerConfig>, site: Site) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let center = Arc::new(Center::new(&site));
        let shared = Arc::new(Shared { site, center, tasks: TaskTracker::new(), stop: CancellationToken::new() });
        shared.tasks.spawn(accept(listener, TlsAcceptor::from(tls), shared.clone()));
        Ok(Self { address, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Switches a fault, or lets it happen.
    pub fn trouble(&self, trouble: Trouble, on: bool) {
        self.shared.center.trouble(trouble, on);
    }

    /// Ends every stream with `system-shutdown` and waits for the connections to end, three seconds at most.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let _ = tokio::time::timeout(FAREWELL, self.shared.tasks.wait()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        while let Ok(place) = places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((tcp, _)) => {
                    shared.tasks.spawn(serve(tcp, tls.clone(), shared.clone(), Arc::new(place)));
                }
                Err(error) => {
                    tracing::warn!(%error, "demo server cannot accept");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    };
    shared.stop.run_until_cancelled(accepting).await;
}

async fn serve(tcp: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>, place: Place) {
    let _ = tcp.set_nodelay(true);
    let other = shared.site.other_tls.as_ref().filter(|_| shared.center.troubles().is_on(Trouble::Certificate));
    let tls = other.map_or(tls, |other| TlsAcceptor::from(Arc::clone(other)));
    let stream = match tokio::time::timeout(PATIENCE, tls.accept(tcp)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "demo TLS handshake failed"),
        Err(_) => return tracing::debug!("demo TLS handshake too slow"),
    };
    let service = service_fn(|mut request| {
        request.extensions_mut().insert(place.clone());
        let shared = shared.clone();
        async { Ok::<_, Infallible>(rest::answer(shared, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = match shared.stop.run_until_cancelled(connection.as_mut()).await {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "demo connection ended");
    }
}
