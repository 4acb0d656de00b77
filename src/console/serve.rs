//! Serves page and answers over plain HTTP on loopback; hyper speaks it.
//!
//! Whoever may ask is [`Access`]'s matter. What changes is told by server-sent events (WHATWG HTML section 9.2): only how
//! much there is, since rows are asked for by number and nothing can be missed.

use super::access::Verdict;
use super::api::{self, Parameters};
use super::{Shared, page};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 64;
/// How long a request's head may take.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// Longest head and longest body of a request, bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_BODY_BYTES: usize = 16 << 10;
/// How often a page is told that there is more.
const PULSE: Duration = Duration::from_millis(100);
/// How often it is told that nothing is new, so that a dead connection shows.
const STILL_HERE: Duration = Duration::from_secs(5);
/// How long to wait when connections cannot be accepted.
const PAUSE: Duration = Duration::from_millis(200);

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let shared = Arc::clone(&shared);
                        async move { Ok::<_, Infallible>(safe(answer(shared, request).await)) }
                    });
                    let serving = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_LIMIT)
                        .max_buf_size(MAX_HEAD_BYTES)
                        .serve_connection(TokioIo::new(tcp), service);
                    if let Err(error) = serving.await {
                        tracing::debug!(%error, "console connection");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "the console's address cannot accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let parameters: Parameters = parameters(request.uri().query().unwrap_or_default());
    let path = request.uri().path().to_owned();
    if let Some(token) = parameters.get("token").filter(|_| path == "/" && shared.access.is_ours(request.headers())) {
        return entered(&shared, token);
    }
    match shared.access.verdict(request.method(), request.headers()) {
        Verdict::Allowed => {}
        Verdict::Unknown => {
            return plain(
                StatusCode::UNAUTHORIZED,
                "This page belongs to whoever opened the address that finesse-tap printed. It is good once: start the command again for a new one.\n",
            );
        }
        Verdict::Foreign => return plain(StatusCode::FORBIDDEN, "The console is asked by its own page only.\n"),
    }
    match (request.method(), &*path) {
        (&Method::GET | &Method::HEAD, path) if page::file(path).is_some() => {
            let (kind, text) = page::file(path).unwrap_or_default();
            with_type(StatusCode::OK, kind, text)
        }
        (&Method::GET, "/api/events") => events(&shared),
        (&Method::GET, "/api/state") => off_thread(shared, |shared| Ok(Some(api::state(shared)))).await,
        (&Method::GET, "/api/rows") => off_thread(shared, move |s| api::rows(s, &parameters).map(Some)).await,
        (&Method::GET, "/api/line") => off_thread(shared, move |s| Ok(api::line(s, &parameters))).await,
        (&Method::GET, "/api/timeline") => off_thread(shared, move |s| Ok(Some(api::timeline(s, &parameters)))).await,
        (&Method::POST, "/api/mark") => mark(&shared, request).await,
        (&Method::POST, "/api/export") => export(shared, request).await,
        (&Method::GET | &Method::POST | &Method::HEAD, _) => {
            plain(StatusCode::NOT_FOUND, "There is no such thing here.\n")
        }
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and POST.\n"),
    }
}

/// The first visitor: the token goes, a cookie comes, and the address is clean.
fn entered(shared: &Shared, token: &str) -> Answer {
    let Some(cookie) = shared.access.exchange(token).and_then(|cookie| HeaderValue::from_str(&cookie).ok()) else {
        return plain(
            StatusCode::UNAUTHORIZED,
            "This address was used already, or is not complete. It is good once: start the command again for a new one.\n",
        );
    };
    let mut answer = plain(StatusCode::SEE_OTHER, "");
    answer.headers_mut().insert(SET_COOKIE, cookie);
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
    answer
}

/// Questions that read files do not hold up the others.
async fn off_thread(
    shared: Arc<Shared>,
    ask: impl FnOnce(&Shared) -> Result<Option<Value>, String> + Send + 'static,
) -> Answer {
    match tokio::task::spawn_blocking(move || ask(&shared)).await {
        Ok(Ok(Some(value))) => with_type(StatusCode::OK, "application/json", value.to_string()),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "There is no such line.\n"),
        Ok(Err(why)) => plain(StatusCode::BAD_REQUEST, why),
        Err(_) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, "finesse-tap could not answer; its operational log says why.\n")
        }
    }
}

async fn body(request: Request<Incoming>) -> Option<Value> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

async fn mark(shared: &Shared, request: Request<Incoming>) -> Answer {
    let Some(marks) = &shared.marks else {
        return plain(
            StatusCode::CONFLICT,
            "A stored capture is opened read-only: a note can be written only while the proxy runs.\n",
        );
    };
    let said = body(request).await;
    let text = said.as_ref().and_then(|said| said["text"].as_str()).map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return plain(StatusCode::BAD_REQUEST, "A note needs words.\n");
    }
    marks(text.chars().take(500).collect());
    plain(StatusCode::NO_CONTENT, "")
}

async fn export(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let said = body(request).await.unwrap_or_default();
    let (form, expression) =
        (said["form"].as_str().unwrap_or_default().to_owned(), said["q"].as_str().unwrap_or_default().to_owned());
    let made = tokio::task::spawn_blocking(move || {
        let export = shared.exports.iter().find(|export| export.name == form);
        let export = export.ok_or_else(|| anyhow::anyhow!("there is no such form of export"))?;
        (export.make)(&expression)
    });
    match made.await {
        Ok(Ok(file)) => {
            let mut answer = with_type(StatusCode::OK, "application/octet-stream", file.bytes);
            let name = format!("attachment; filename=\"{}\"", file.name);
            if let Ok(name) = HeaderValue::from_str(&name) {
                answer.headers_mut().insert(CONTENT_DISPOSITION, name);
            }
            answer
        }
        Ok(Err(error)) => plain(StatusCode::BAD_REQUEST, format!("{error:#}\n")),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "The export failed; the operational log says why.\n"),
    }
}

/// Tells how much there is, each time it is more.
fn events(shared: &Arc<Shared>) -> Answer {
    let (sender, receiver) = mpsc::channel(1);
    let mut total = shared.total.subscribe();
    shared.tasks.spawn(async move {
        loop {
            let said = format!("id: {0}\ndata: {0}\n\n", *total.borrow_and_update());
            if sender.send(Bytes::from(said)).await.is_err() {
                return;
            }
            tokio::time::sleep(PULSE).await;
            match tokio::time::timeout(STILL_HERE, total.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) if sender.send(Bytes::from_static(b"event: beat\ndata: 0\n\n")).await.is_err() => return,
                Err(_) => continue,
            }
        }
    });
    let mut answer = Response::new(UnsyncBoxBody::new(Events(receiver)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

/// What is told, as a body without an end.
struct Events(mpsc::Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn parameters(query: &str) -> Parameters {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", text)
}

fn with_type(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(UnsyncBoxBody::new(Full::new(text.into())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// What every answer carries.
fn safe(mut answer: Answer) -> Answer {
    for (name, value) in [
        ("content-security-policy", page::POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
