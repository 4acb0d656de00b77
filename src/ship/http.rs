//! HTTP/1.1 towards a receiver: requests with a body, answers read whole, connections kept alive and used again.
//!
//! hyper over what [`dial`](super::dial) connects. Every request has time limits, every answer a size limit. Bodies go in
//! gzip unless the receiver refuses that. Knows no kind of receiver, does not repeat a request that may have arrived, follows
//! no redirect (the secret would follow too), and shows no header.

use super::backoff::retry_after;
use super::dial::Dialer;
use super::sticky::Cookies;
use super::url::Url;
use crate::capture::form::FREE_SECRET_BYTES;
use crate::clock;
use crate::tls::upstream::Trust;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Longest answer that is read: a `_bulk` answer that refuses every item of a batch stays below.
const ANSWER_MAX_BYTES: usize = 32 << 20;
/// Longest head of an answer.
const HEAD_MAX_BYTES: usize = 64 << 10;
/// Connections kept for later.
const IDLE_MAX: usize = 16;
/// Who asks.
const USER_AGENT: &str = concat!("finesse-tap/", env!("CARGO_PKG_VERSION"));

/// Time limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    /// For finding and reaching the receiver, TLS included.
    pub(super) connect: Duration,
    /// For one request, from its first byte to the answer's last.
    pub(super) request: Duration,
}

/// Speaks to one receiver.
pub(super) struct Client {
    url: Url,
    dialer: Dialer,
    limits: Limits,
    /// What the receiver has said to compressed bodies.
    gzip: Mutex<Gzip>,
    idle: Mutex<Vec<Sender>>,
    connections: TaskTracker,
}

type Sender = SendRequest<Full<Bytes>>;

/// What a receiver thinks of `Content-Encoding: gzip`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Gzip {
    #[default]
    Untried,
    Taken,
    Refused,
}

/// A request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Behind the URL's prefix, with its query.
    pub(super) path: String,
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

/// An answer, read whole.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// What it asks for in `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// Where it sends us instead.
    pub(super) location: Option<String>,
    /// What it sets.
    pub(super) cookies: Cookies,
    pub(super) body: Bytes,
}

/// There is no answer; the request may have arrived or not.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) why: String,
    pub(super) hint: Option<String>,
}

impl Client {
    /// Reads the trusted certificates; connects to nobody yet.
    pub(super) fn new(url: Url, trust: &Trust, limits: Limits, option: &'static str) -> anyhow::Result<Self> {
        let dialer = Dialer::new(&url, trust, option)?;
        let (gzip, idle, connections) = (Mutex::default(), Mutex::default(), TaskTracker::new());
        Ok(Self { url, dialer, limits, gzip, idle, connections })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends a request and reads the answer.
    pub(super) async fn ask(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let limit = self.limits.request + self.limits.connect;
        match timeout(limit, self.ask_unbounded(asked)).await {
            Ok(answer) => answer.map(|answer| Answer { body: masked(answer.body, &asked.fields), ..answer }),
            Err(_) => Err(Trouble::new(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    /// The same with its body in gzip, unless the receiver takes it in the clear only: a 415 says so (RFC 9110 section
    /// 15.5.16), and to the first request some answer with another error that the plain body does not get.
    pub(super) async fn ask_packed(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let known = *self.gzip.lock().unwrap_or_else(PoisonError::into_inner);
        let learn = |gzip| *self.gzip.lock().unwrap_or_else(PoisonError::into_inner) = gzip;
        let mut packed = None;
        if known != Gzip::Refused {
            let mut asked = Asked { body: super::gzip(&asked.body), ..asked.clone() };
            asked.fields.push((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            let answer = self.ask(&asked).await?;
            let may_be_gzip = match answer.status.as_u16() {
                415 => true,
                400 | 406 | 422 | 501 => known == Gzip::Untried,
                _ => false,
            };
            if !may_be_gzip {
                if answer.status.is_success() {
                    learn(Gzip::Taken);
                }
                return Ok(answer);
            }
            packed = Some(answer);
        }
        let plain = self.ask(asked).await?;
        match packed {
            Some(packed) if !plain.status.is_success() => Ok(packed),
            Some(_) => {
                tracing::info!(receiver = %self.url, "it refuses gzip: sent uncompressed from now on");
                learn(Gzip::Refused);
                Ok(plain)
            }
            None => Ok(plain),
        }
    }

    async fn ask_unbounded(&self, asked: &Asked) -> Result<Answer, Trouble> {
        let mut request = self.request(asked)?;
        // A kept connection that the receiver has closed meanwhile took nothing: the next one may.
        while let Some(mut sender) = self.kept() {
            match sender.try_send_request(request).await {
                Ok(response) => return self.read(sender, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(&error.into_error())),
                },
            }
        }
        let mut sender = match timeout(self.limits.connect, self.connect()).await {
            Ok(sender) => sender?,
            Err(_) => {
                return Err(Trouble::new(format!("not reached within {} s", self.limits.connect.as_secs())));
            }
        };
        match sender.send_request(request).await {
            Ok(response) => self.read(sender, response).await,
            Err(error) => Err(broken(&error)),
        }
    }

    async fn read(&self, sender: Sender, response: hyper::Response<hyper::body::Incoming>) -> Result<Answer, Trouble> {
        let status = response.status();
        let now_s = clock::now().wall_us / 1_000_000;
        let field = response.headers().get(header::RETRY_AFTER).and_then(|field| field.to_str().ok());
        let retry_after = field.and_then(|field| retry_after(field, now_s));
        let location = response.headers().get(header::LOCATION).and_then(|field| field.to_str().ok());
        let location = location.map(str::to_owned);
        let cookies = Cookies::set_by(response.headers());
        let body = match Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return Err(Trouble::new(format!("the answer ({status}) breaks off or is too long"))),
        };
        self.keep(sender);
        Ok(Answer { status, retry_after, location, cookies, body })
    }

    fn request(&self, asked: &Asked) -> Result<Request<Full<Bytes>>, Trouble> {
        let reading_proxy = self.dialer.reading_proxy();
        let uri = match reading_proxy {
            Some(_) => self.url.whole(&asked.path),
            None => self.url.path(&asked.path),
        };
        let mut request = Request::builder()
            .method(asked.method.clone())
            .uri(uri)
            .header(header::HOST, self.url.host_field())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/json");
        if let Some(login) = reading_proxy.flatten() {
            request = request.header(header::PROXY_AUTHORIZATION, login);
        }
        for (name, value) in &asked.fields {
            request = request.header(name, value);
        }
        // The cause could quote a header.
        request.body(Full::new(asked.body.clone())).map_err(|_| Trouble::new("the URL makes no request".to_owned()))
    }

    async fn connect(&self) -> Result<Sender, Trouble> {
        let io = self.dialer.connect().await?;
        let made = http1::Builder::new().max_buf_size(HEAD_MAX_BYTES.max(1 << 20)).handshake(TokioIo::new(io)).await;
        let (sender, connection) = made.map_err(|error| broken(&error))?;
        self.connections.spawn(async move {
            // The request that breaks with it tells.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn kept(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(sender) = idle.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < IDLE_MAX {
            idle.push(sender);
        }
    }
}

impl Trouble {
    pub(super) fn new(why: String) -> Self {
        Self { why, hint: None }
    }
}

/// An answer without what the request authenticated with: some servers quote it when they refuse it, and their words are logged.
fn masked(body: Bytes, fields: &[(HeaderName, HeaderValue)]) -> Bytes {
    let mut secrets = Vec::new();
    for value in fields.iter().filter(|(_, value)| value.is_sensitive()).filter_map(|(_, value)| value.to_str().ok()) {
        let credential = value.split_once(' ').map_or(value, |(_, credential)| credential).to_owned();
        // Of `USER:PASSWORD` and `ID:KEY` the second half is the secret.
        let decoded = STANDARD.decode(&credential).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        secrets.extend(decoded.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, secret)| secret.to_owned()));
        secrets.push(credential);
    }
    let mut body = body;
    for secret in secrets.iter().filter(|secret| secret.len() >= FREE_SECRET_BYTES) {
        let quoted = serde_json::to_string(secret).unwrap_or_default();
        for form in [secret, quoted.trim_matches('"')] {
            if memmem::find(&body, form.as_bytes()).is_some() {
                body = String::from_utf8_lossy(&body).replace(form, "[cred]").into();
            }
        }
    }
    body
}

/// A header's value that no debug output shows.
pub(super) fn sensitive(text: &str) -> anyhow::Result<HeaderValue> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| anyhow::anyhow!("the secret cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn broken(error: &hyper::Error) -> Trouble {
    let why = if error.is_parse() || error.is_parse_too_large() {
        "the answer is not HTTP/1.1"
    } else if error.is_timeout() {
        "the connection timed out"
    } else {
        "the connection broke before an answer"
    };
    Trouble::new(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_quoted_back_is_masked() {
        let basic = format!("Basic {}", STANDARD.encode("shipper:Hunter\"2"));
        for (field, said) in [
            ("Splunk 4f2a9c1d-canary", "no such token: 4f2a9c1d-canary!"),
            (&*basic, r#"{"error":"wrong password Hunter\"2"}"#),
            (&*basic, &format!("what is {basic}?")),
        ] {
            let fields = [(header::AUTHORIZATION, sensitive(field).unwrap())];
            let told = masked(Bytes::copy_from_slice(said.as_bytes()), &fields);
            let told = str::from_utf8(&told).unwrap();
            assert!(told.contains("[cred]") && !told.contains("canary") && !told.contains("Hunter"), "{told}");
            assert!(!told.contains(&STANDARD.encode("shipper:Hunter\"2")), "{told}");
        }
        let fields = [(header::AUTHORIZATION, sensitive("Splunk abc").unwrap())];
        assert_eq!(masked(Bytes::from_static(b"abc"), &fields), "abc", "no secret is so short");
    }
}
