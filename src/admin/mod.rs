//! What tells machines how the program fares: `/metrics`, `/healthz`, `/readyz` over plain HTTP.
//!
//! Reads counts that are kept anyway and takes no part in the traffic. Answers GET and HEAD, holds no secret, and sends
//! nothing of the traffic but numbers. What comes over loopback must ask by an address or as `localhost`, so that no page in a
//! browser on this machine reads it under a name of its own (DNS rebinding). Knows neither proxy nor shippers: whoever wires
//! it says what to ask.

mod metrics;
mod page;

pub use page::Format;

use crate::bus::{Bus, Duty};
use crate::clock::Moment;
use crate::conn::Authority;
use crate::tap::feed::Budget;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 32;
/// How long a connection may take over a request's head, or idle.
const HEAD_LIMIT: Duration = Duration::from_secs(75);
/// Longest head of a request, bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long to wait when connections cannot be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// What is asked when somebody asks.
pub struct Watched {
    /// Counts and sinks.
    pub bus: Arc<Bus>,
    /// The queue to the tap.
    pub queue: Arc<Budget>,
    /// Whether all is still as it should be.
    pub health: Arc<Health>,
    /// When the run began.
    pub start: Moment,
    /// How delivery fares, a row a receiver.
    pub ships: Box<dyn Fn() -> Vec<Shipped> + Send + Sync>,
}

/// What only the wiring knows.
#[derive(Debug, Default)]
pub struct Health {
    tap_failed: AtomicBool,
    stopping: AtomicBool,
}

impl Health {
    /// The tap has ended before its time: nothing more is recorded.
    pub fn tap_failed(&self) {
        self.tap_failed.store(true, Ordering::Relaxed);
    }

    /// No new connections are taken.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// How delivery to one receiver fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shipped {
    /// Its kind, `splunk` or `elastic`: a label, so no address.
    pub receiver: &'static str,
    /// Whether a person must change something before it goes on.
    pub stopped: bool,
    /// Events confirmed.
    pub delivered: u64,
    /// Requests that failed and are tried again.
    pub errors: u64,
    /// Events that will never be delivered.
    pub dead_letters: u64,
    /// Lines not confirmed yet, bytes.
    pub lag_bytes: u64,
    /// About how many events those are.
    pub lag_events: u64,
    /// How long ago the oldest event was seen that is not confirmed.
    pub lag_seconds: u64,
    /// Capture files removed before they were delivered, bytes.
    pub lost_bytes: u64,
}

impl Watched {
    /// Why nobody should send traffic here now.
    fn not_ready(&self) -> Option<String> {
        if self.health.stopping.load(Ordering::Relaxed) {
            return Some(String::from("stopping: no new connections are taken"));
        }
        if self.health.tap_failed.load(Ordering::Relaxed) {
            return Some(String::from("the tap has failed: traffic flows, nothing is recorded; restart the program"));
        }
        let states = self.bus.states();
        let mut failing = states.iter().filter(|sink| sink.duty == Duty::Keep);
        let (sink, trouble) = failing.find_map(|sink| Some((sink.sink, sink.trouble?)))?;
        Some(format!("the capture ({sink}) is not written: {trouble}; traffic flows, the operational log says more"))
    }
}

/// Serves for ever.
pub async fn serve(listener: TcpListener, watched: Watched) {
    let watched = Arc::new(watched);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let is_local = tcp.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
                let watched = Arc::clone(&watched);
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let answer = answer(&watched, &request, is_local);
                        async { Ok::<_, Infallible>(answer) }
                    });
                    let serving = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_LIMIT)
                        .max_buf_size(MAX_HEAD_BYTES)
                        .serve_connection(TokioIo::new(tcp), service);
                    if let Err(error) = serving.await {
                        tracing::debug!(%error, "admin connection");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "admin address cannot accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn answer(watched: &Watched, request: &Request<Incoming>, is_local: bool) -> Response<Full<Bytes>> {
    if is_local && !is_asked_by_address(request) {
        return plain(
            StatusCode::MISDIRECTED_REQUEST,
            "over loopback this is asked by address or as localhost, and under no other name\n",
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refused.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/metrics" => {
            let accept: Vec<&str> =
                request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
            let format = Format::accepted(&accept.join(","));
            with_type(StatusCode::OK, format.content_type(), metrics::text(watched, format))
        }
        "/healthz" => plain(StatusCode::OK, "ok\n"),
        "/readyz" => match watched.not_ready() {
            None => plain(StatusCode::OK, "ready\n"),
            Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
        },
        "/" => plain(StatusCode::OK, "finesse-tap\n/metrics\n/healthz\n/readyz\n"),
        _ => plain(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n"),
    }
}

/// Whether the name that was asked for, if there is one, is this machine's in every browser.
fn is_asked_by_address(request: &Request<Incoming>) -> bool {
    let said = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
    let Some(said) = request.uri().authority().map(|authority| authority.as_str()).or(said) else { return true };
    let Ok(Authority { host, .. }) = Authority::parse(said, 80) else { return false };
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok()
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    with_type(status, "text/plain; charset=utf-8", text)
}

fn with_type(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, hyper::header::HeaderValue::from_static("nosniff"));
    response
}
