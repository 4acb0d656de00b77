//! Stand-ins for Splunk and Elasticsearch share this: an HTTP/1.1 server on loopback, with mishaps on demand and a hook at each step.
//!
//! What a request means is the [`Contract`]'s; this reads it, lets things go wrong as told, and writes the answer. It runs
//! on a thread of its own and ends with the test.

use super::rig::{provider, self_signed};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use std::collections::VecDeque;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request, read whole.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub fields: HeaderMap,
    pub body: Vec<u8>,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub fields: Vec<(&'static str, String)>,
    pub body: String,
}

impl Reply {
    /// None: the connection ends instead.
    pub fn none() -> Self {
        Self { status: 0, fields: Vec::new(), body: String::new() }
    }

    pub fn json(status: u16, body: impl ToString) -> Self {
        Self { status, fields: vec![("content-type", "application/json".into())], body: body.to_string() }
    }
}

/// What a kind of receiver makes of requests.
pub trait Contract: Send + 'static {
    /// Whether this request brings events: mishaps befall no other.
    fn is_delivery(path: &str) -> bool;
    fn answer(&mut self, asked: &Asked) -> Reply;
}

/// What goes wrong with one delivery.
#[derive(Clone)]
pub enum Mishap {
    /// This answer instead of the contract's.
    Say(u16, Vec<(&'static str, String)>, String),
    /// The connection ends within the body.
    CutInBody,
    /// It ends when all is read and nothing is taken.
    CutBeforeTaking,
    /// It ends when all is taken and nothing is answered.
    CutBeforeAnswer,
    /// It ends when all is taken and half of the answer is sent.
    CutInAnswer,
    /// Everything takes so long.
    Slow(Duration),
}

/// Where a delivery has got to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Begun,
    Read,
    Taken,
    Answered,
}

type Hook = Box<dyn FnMut(Step) + Send>;

/// A running stand-in.
pub struct Receiver<C> {
    pub address: SocketAddr,
    /// Its certificate in PEM, and the pin of it, if it speaks TLS.
    pub certificate: Option<(String, String)>,
    pub contract: Arc<Mutex<C>>,
    shared: Arc<Shared>,
    end: CancellationToken,
}

#[derive(Default)]
struct Shared {
    mishaps: Mutex<VecDeque<Mishap>>,
    hook: Mutex<Option<Hook>>,
    is_away: AtomicBool,
    connections: AtomicUsize,
    deliveries: AtomicUsize,
}

/// How it is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Plain,
    Tls,
}

impl<C: Contract> Receiver<C> {
    pub fn start(contract: C, wire: Wire) -> Self {
        let contract = Arc::new(Mutex::new(contract));
        let shared = Arc::new(Shared::default());
        let end = CancellationToken::new();
        let (acceptor, certificate) = match wire {
            Wire::Plain => (None, None),
            Wire::Tls => {
                let (cert, key) = self_signed("localhost");
                let pem = format!(
                    "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &cert)
                );
                let pin = format!("sha256:{}", finesse_tap::tls::certificate::sha256_hex(&cert));
                let config = ServerConfig::builder_with_provider(provider())
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_no_client_auth()
                    .with_single_cert(vec![cert], key)
                    .unwrap();
                (Some(TlsAcceptor::from(Arc::new(config))), Some((pem, pin)))
            }
        };
        let (told, address) = std::sync::mpsc::channel();
        let (to, with, until) = (Arc::clone(&contract), Arc::clone(&shared), end.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let serve = serve(listener, acceptor, to, with);
                tokio::select! { () = serve => {}, () = until.cancelled() => {} }
            });
        });
        Self { address: address.recv().unwrap(), certificate, contract, shared, end }
    }

    pub fn url(&self) -> String {
        match self.certificate {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// Lets these befall the next deliveries, one each.
    pub fn suffer(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.shared.mishaps.lock().unwrap().extend(mishaps);
    }

    /// Calls `hook` at each step of each delivery, which goes on when it returns.
    pub fn on_step(&self, hook: impl FnMut(Step) + Send + 'static) {
        *self.shared.hook.lock().unwrap() = Some(Box::new(hook));
    }

    pub fn no_hook(&self) {
        *self.shared.hook.lock().unwrap() = None;
    }

    /// While it is away it takes connections and drops them.
    pub fn away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::SeqCst);
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub fn deliveries(&self) -> usize {
        self.shared.deliveries.load(Ordering::SeqCst)
    }
}

impl<C> Drop for Receiver<C> {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

async fn serve<C: Contract>(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    contract: Arc<Mutex<C>>,
    shared: Arc<Shared>,
) {
    let tasks = TaskTracker::new();
    loop {
        let Ok((tcp, _)) = listener.accept().await else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        if shared.is_away.load(Ordering::SeqCst) {
            continue;
        }
        let _ = tcp.set_nodelay(true);
        let (contract, shared) = (Arc::clone(&contract), Arc::clone(&shared));
        let service = service_fn(move |request| answer(request, Arc::clone(&contract), Arc::clone(&shared)));
        match acceptor.clone() {
            Some(acceptor) => tasks.spawn(async move {
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(tls), service).await;
                }
            }),
            None => tasks.spawn(async move {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
            }),
        };
    }
}

/// An error ends the connection without an answer, or within it.
type Cut = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Cut>;

async fn answer<C: Contract>(
    request: Request<Incoming>,
    contract: Arc<Mutex<C>>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Cut> {
    if shared.is_away.load(Ordering::SeqCst) {
        return Err("away".into());
    }
    let (head, mut body) = request.into_parts();
    let is_delivery = C::is_delivery(head.uri.path());
    let mishap = is_delivery.then(|| shared.mishaps.lock().unwrap().pop_front()).flatten();
    let step = |at| {
        if is_delivery && let Some(hook) = &mut *shared.hook.lock().unwrap() {
            hook(at);
        }
    };
    step(Step::Begun);
    if matches!(mishap, Some(Mishap::CutInBody)) {
        let _ = body.frame().await;
        return Err("cut in the body".into());
    }
    assert!(body.size_hint().upper().is_some(), "bodies come with their length");
    let raw = body.collect().await?.to_bytes();
    step(Step::Read);
    match mishap {
        Some(Mishap::CutBeforeTaking) => return Err("cut before taking".into()),
        Some(Mishap::Say(status, fields, body)) => return Ok(response(&Reply { status, fields, body })),
        Some(Mishap::Slow(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let body = match head.headers.get("content-encoding").map(|value| value.to_str().unwrap()) {
        Some("gzip") => {
            let mut body = Vec::new();
            std::io::copy(&mut GzDecoder::new(&raw[..]).take(1 << 30), &mut body)?;
            body
        }
        None => raw.to_vec(),
        Some(other) => return Ok(response(&Reply::json(415, format!("no {other} here")))),
    };
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        fields: head.headers,
        body,
    };
    let reply = contract.lock().unwrap().answer(&asked);
    if is_delivery {
        shared.deliveries.fetch_add(1, Ordering::SeqCst);
    }
    step(Step::Taken);
    if matches!(mishap, Some(Mishap::CutBeforeAnswer)) {
        return Err("cut before the answer".into());
    }
    if reply.status == 0 {
        return Err("no answer".into());
    }
    let response = response(&reply);
    step(Step::Answered);
    if matches!(mishap, Some(Mishap::CutInAnswer)) {
        let half = Bytes::copy_from_slice(&reply.body.as_bytes()[..reply.body.len() / 2]);
        let frames = [Ok(Frame::data(half)), Err(Cut::from("cut in the answer"))];
        let mut cut = Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync());
        cut.headers_mut().insert("content-length", reply.body.len().into());
        return Ok(cut);
    }
    Ok(response)
}

fn response(reply: &Reply) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.fields {
        response = response.header(*name, value);
    }
    let body = Full::new(Bytes::from(reply.body.clone())).map_err(|never| match never {});
    response.body(body.boxed_unsync()).unwrap()
}
