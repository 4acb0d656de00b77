//! HTTP as a desktop begins it: SystemInfo and the desktop's page, asked of the server without credentials.
//!
//! One connection a request, HTTP/1.1 by hyper. Redirects are followed on the same server only; of their targets nothing
//! behind the path is shown, as it may hold tokens. Bodies are read up to [`BODY_MAX_BYTES`], and only where needed.

use super::course::Line;
use super::secure::secured;
use super::step::{Fault, Outcome};
use super::system::SystemInfo;
use super::{Question, clock};
use crate::conn::Authority;
use crate::tls;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::error::Error as _;
use tokio::task::JoinSet;

/// Longest body that is read.
const BODY_MAX_BYTES: usize = 256 * 1024;
/// Longest head that is read.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 5;
/// The port that browsers leave out of the Host field.
const HTTPS_PORT: u16 = 443;
/// Who asks. Begins with [`PROBE_AGENT`](crate::conn::PROBE_AGENT): a proxy in between finds nothing on these connections.
const USER_AGENT: &str = concat!("finesse-tap-doctor/", env!("CARGO_PKG_VERSION"));

/// An answer with the connection it came by.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    /// Drives the connection; ends with the answer.
    _connection: JoinSet<hyper::Result<()>>,
}

/// `GET /finesse/api/SystemInfo`: what the server says about itself.
pub(super) async fn system_info(question: &Question, line: &Line) -> (Outcome, Option<SystemInfo>) {
    let answer = match get(question, line, "/finesse/api/SystemInfo").await {
        Ok(answer) => answer,
        Err(fault) => return (fault.into(), None),
    };
    let status = answer.response.status();
    let facts = headers(status, answer.response.headers());
    if status != StatusCode::OK {
        let seen = format!("/finesse/api/SystemInfo answers {status}");
        let outcome = match status {
            StatusCode::NOT_FOUND => Outcome::warn(seen, "is that a Finesse server, and its desktop's port?"),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Outcome::warn(seen, "it tells nothing about itself without credentials, so its nodes are not known")
            }
            status if status.is_redirection() => {
                let to = target(answer.response.headers()).map_or_else(|| "nowhere".to_owned(), |to| to.shown());
                Outcome::warn(format!("{seen}, to {to}"), "is that the server's own port, and not a portal's?")
            }
            status => Outcome::fail(seen, troubled(status)),
        };
        return (outcome.with(facts), None);
    }
    let at = clock::now();
    let body = match Limited::new(answer.response.into_body(), BODY_MAX_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let fail = Outcome::fail("/finesse/api/SystemInfo answers, but breaks off", "look at the server's log");
            return (fail.with(facts), None);
        }
    };
    match SystemInfo::read(&String::from_utf8_lossy(&body)) {
        Some(system) => (system.outcome(at).with(facts), Some(system)),
        None => {
            let seen = "/finesse/api/SystemInfo answers 200, but not with a SystemInfo";
            (Outcome::warn(seen, "is that a Finesse server, or a portal in between?").with(facts), None)
        }
    }
}

/// `GET /desktop/`, with the redirects that stay on the server.
pub(super) async fn desktop(question: &Question, line: &Line) -> (Outcome, Option<()>) {
    let mut path = "/desktop/".to_owned();
    let mut passed = Vec::new();
    loop {
        let answer = match get(question, line, &path).await {
            Ok(answer) => answer,
            Err(fault) => return (fault.into(), None),
        };
        let (status, fields) = (answer.response.status(), answer.response.headers());
        let mut facts = headers(status, fields);
        if !passed.is_empty() {
            facts.extend(Outcome::ok("").fact("redirects", passed.join(", then ")).into_facts());
        }
        let page = passed.last().cloned().unwrap_or_else(|| "/desktop/".to_owned());
        let outcome = match status {
            StatusCode::OK => Outcome::ok(format!("{page} answers 200 OK")),
            status if status.is_redirection() => match target(fields) {
                Some(Target::Here(next)) if passed.len() < REDIRECTS_MAX => {
                    passed.push(bare(&next));
                    path = next;
                    continue;
                }
                Some(Target::Here(_)) => {
                    Outcome::fail(format!("{page} leads on and on"), "clear cookies and look at the server's log")
                }
                Some(Target::There(to)) if to.starts_with(&format!("https://{}/", host(&question.server))) => {
                    let prefix = format!("https://{}", host(&question.server));
                    let next = to.strip_prefix(&prefix).unwrap_or("/").to_owned();
                    if passed.len() >= REDIRECTS_MAX {
                        Outcome::fail(format!("{page} leads on and on"), "clear cookies and look at the server's log")
                    } else {
                        passed.push(bare(&next));
                        path = next;
                        continue;
                    }
                }
                Some(Target::There(to)) => Outcome::warn(
                    format!("{page} answers {status}, to {}", bare(&to)),
                    "the browser goes on to another server, by single sign-on or failover: the proxy does not see that one",
                ),
                None => Outcome::fail(format!("{page} answers {status} without saying where to"), "is that Finesse?"),
            },
            StatusCode::NOT_FOUND => {
                Outcome::fail(format!("{page} answers {status}"), "is that a Finesse server, and its desktop's port?")
            }
            status => Outcome::fail(format!("{page} answers {status}"), troubled(status)),
        };
        let found = (status == StatusCode::OK).then_some(());
        return (outcome.with(facts), found);
    }
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn ask(question: &Question, line: &Line, request: Request<Empty<Bytes>>) -> Result<Answer, Fault> {
    let stream = TokioIo::new(secured(question, line).await?.stream);
    let made = http1::Builder::new().max_buf_size(HEAD_MAX_BYTES).title_case_headers(true).handshake(stream).await;
    let (mut sender, connection) = made.map_err(|error| unanswered(&error))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.with_upgrades());
    match sender.send_request(request).await {
        Ok(response) => Ok(Answer { response, _connection: tasks }),
        Err(error) => {
            // The request knows that it failed, the connection why.
            let cause = tasks.join_next().await.and_then(Result::ok).and_then(Result::err);
            Err(unanswered(cause.as_ref().unwrap_or(&error)))
        }
    }
}

/// A request for `path` with the fields that every request has.
pub(super) fn request(server: &Authority, path: &str) -> hyper::http::request::Builder {
    Request::get(path).header(header::HOST, host(server)).header(header::USER_AGENT, USER_AGENT)
}

/// The server as the Host field names it.
pub(super) fn host(server: &Authority) -> String {
    let text = server.to_string();
    if server.port == HTTPS_PORT { text.trim_end_matches(":443").to_owned() } else { text }
}

/// Where an answer leads: `https://host/path`, or a path; never what stands behind it.
pub(super) fn leads_to(fields: &HeaderMap) -> Option<String> {
    target(fields).map(|target| target.shown())
}

async fn get(question: &Question, line: &Line, path: &str) -> Result<Answer, Fault> {
    let request = request(&question.server, path).header(header::ACCEPT, "*/*").body(Empty::new());
    match request {
        Ok(request) => ask(question, line, request).await,
        Err(_) => Err(Fault::new("the server leads to what is no address", "look at the redirects")),
    }
}

/// Where a redirect goes.
enum Target {
    /// A path on the same server.
    Here(String),
    /// A URL.
    There(String),
}

impl Target {
    fn shown(&self) -> String {
        match self {
            Self::Here(to) | Self::There(to) => bare(to),
        }
    }
}

fn target(fields: &HeaderMap) -> Option<Target> {
    let to = fields.get(header::LOCATION)?.to_str().ok()?.trim();
    if to.starts_with('/') && !to.starts_with("//") {
        return Some(Target::Here(to.to_owned()));
    }
    Some(Target::There(to.to_owned()))
}

/// Without query, fragment and path parameters, which may hold tokens.
fn bare(url: &str) -> String {
    url.split(['?', '#', ';']).next().unwrap_or_default().to_owned()
}

fn headers(status: StatusCode, fields: &HeaderMap) -> Vec<super::Fact> {
    let text = |name: header::HeaderName| {
        let value = fields.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        value.unwrap_or_else(|| "not said".to_owned())
    };
    Outcome::ok("")
        .fact("status", status.as_str())
        .fact("server", text(header::SERVER))
        .fact("hsts", text(header::STRICT_TRANSPORT_SECURITY))
        .into_facts()
}

fn troubled(status: StatusCode) -> &'static str {
    match status.as_u16() {
        502..=504 => "something stands in front of Finesse and does not reach it, or Finesse is starting",
        500..=599 => "Finesse's Tomcat is in trouble: look at its log, or at the service's state",
        _ => "is that a Finesse server, and its desktop's port?",
    }
}

fn unanswered(error: &hyper::Error) -> Fault {
    let io = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    // A TLS 1.3 server judges the client's certificate only after the handshake.
    if let Some(rustls::Error::AlertReceived(alert)) = io.and_then(tls::cause) {
        let why = format!("the server ended the connection with the TLS alert {}", tls::alert_name(*alert));
        return Fault::new(why, "if it wants a client certificate: --upstream-client-cert and --upstream-client-key");
    }
    let (why, advice) = if error.is_parse() || error.is_parse_too_large() {
        ("the answer is not HTTP/1.1", "is it the HTTPS port of Finesse?")
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        (
            "the server ended the connection instead of an answer",
            "something in between may refuse such requests; look at the server's log",
        )
    } else {
        ("the connection broke before an answer", "does it do so again? Then something in between cuts it")
    };
    Fault::new(why, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lose_what_may_be_secret() {
        let at = |to: &'static str| {
            let mut fields = HeaderMap::new();
            fields.insert(header::LOCATION, header::HeaderValue::from_static(to));
            leads_to(&fields).unwrap()
        };
        assert_eq!(at("https://idp.example.test/sso?SAMLRequest=secret#x"), "https://idp.example.test/sso");
        assert_eq!(at("/desktop/;jsessionid=secret?code=1"), "/desktop/");
    }

    #[test]
    fn the_host_field_names_the_port_unless_it_is_the_usual_one() {
        let host = |text| host(&Authority::parse(text, 8445).unwrap());
        assert_eq!((host("h"), host("h:443"), host("[::1]:443")), ("h:8445".into(), "h".into(), "[::1]".into()));
    }
}
