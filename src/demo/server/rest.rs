//! The HTTP side of the demo server: one request to one answer.
//!
//! Serves the desktop's page, SystemInfo, User, Dialogs, Dialog and one gadget request, and agrees to the `/ws/`
//! upgrade. As with Finesse, a `PUT` that can be read is answered `202` at once and its outcome, good or bad, comes as
//! an event; only what cannot be read is a `400`. Bodies are at most [`MAX_BODY_BYTES`].

use super::call::Action;
use super::center::Next;
use super::user::{ApiError, Change, INVALID_INPUT, PARAMETER_MISSING};
use super::websocket;
use super::{Place, Shared};
use crate::demo::Agent;
use crate::demo::trouble::Trouble;
use crate::demo::xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Largest request body.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;
/// Longest `requestId` that is echoed.
const MAX_REQUEST_ID_BYTES: usize = 128;
const BODY_LIMIT: Duration = Duration::from_secs(10);
const XML: &str = "application/xml;charset=UTF-8";
const HTML: &str = "text/html;charset=UTF-8";
const PAGE: &str = include_str!("desktop/index.html");
/// What the page loads: name, media type, text.
const FILES: [(&str, &str, &str); 3] = [
    ("desktop.css", "text/css;charset=UTF-8", include_str!("desktop/desktop.css")),
    ("desktop.js", "text/javascript;charset=UTF-8", include_str!("desktop/desktop.js")),
    ("stream.js", "text/javascript;charset=UTF-8", include_str!("desktop/stream.js")),
];
/// How long an overloaded server takes over a request.
const OVERLOADED: Duration = Duration::from_secs(3);

type Answer = Response<Full<Bytes>>;

/// Answers one request. Never fails: what is wrong with a request is an answer.
pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let mut answer = match route(&shared, request).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    };
    let headers = answer.headers_mut();
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn route(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let method = request.method().clone();
    if shared.center.is_starting() && segments.first() == Some(&"finesse") {
        return Err(Refusal::OutOfService);
    }
    if shared.center.troubles().is_on(Trouble::Overload) && segments.first() == Some(&"finesse") {
        tokio::time::sleep(OVERLOADED).await;
    }
    match segments.as_slice() {
        [""] => only(&method, &Method::GET).map(|()| redirect("/desktop/")),
        // What the page loads is named beside it.
        ["desktop"] if !path.ends_with('/') => only(&method, &Method::GET).map(|()| redirect("/desktop/")),
        ["desktop"] => only(&method, &Method::GET).map(|()| content(StatusCode::OK, HTML, PAGE.to_owned())),
        ["desktop", file] => {
            only(&method, &Method::GET)?;
            let (kind, text) = FILES
                .iter()
                .find(|(name, ..)| name == file)
                .map(|(_, kind, text)| (kind, text))
                .ok_or(Refusal::NotFound)?;
            Ok(content(StatusCode::OK, kind, (*text).to_owned()))
        }
        ["demo", "troubles"] => only(&method, &Method::GET).map(|()| troubles(shared)),
        ["demo", "troubles", name] => {
            only(&method, &Method::PUT)?;
            let trouble = Trouble::of(name).ok_or(Refusal::NotFound)?;
            shared.center.trouble(trouble, request.uri().query() != Some("off"));
            Ok(troubles(shared))
        }
        ["ws"] => only(&method, &Method::GET).and_then(|()| upgrade(shared, request)),
        ["gadgets", "makeRequest"] => only(&method, &Method::POST).map(|()| gadget()),
        ["finesse", "api", "SystemInfo"] => only(&method, &Method::GET).map(|()| xml(shared.center.system_info_xml())),
        ["finesse", "api", "User", id] => user(shared, request, id).await,
        ["finesse", "api", "User", id, "Dialogs"] => {
            only(&method, &Method::GET)?;
            own(shared, request.headers(), id)?;
            Ok(xml(shared.center.dialogs_xml(id)))
        }
        ["finesse", "api", "Dialog", id] => dialog(shared, request, id).await,
        _ => Err(Refusal::NotFound),
    }
}

/// Why a request is not answered as its sender hoped.
enum Refusal {
    NotFound,
    Unauthenticated,
    /// Signed in as somebody else.
    Unauthorized,
    MethodNotAllowed,
    TooLarge,
    TooSlow,
    OutOfService,
    /// Not an upgrade to RFC 7395's WebSocket subprotocol.
    NotXmpp,
    Api(ApiError),
}

impl Refusal {
    fn answer(self) -> Answer {
        let error = |error_type, message| ApiError { error_type, message, code: "" }.body();
        match self {
            Self::NotFound => {
                content(StatusCode::NOT_FOUND, XML, error("Not Found", "HTTP Status code: 404 (Not Found)"))
            }
            Self::Unauthenticated => {
                let mut answer =
                    content(StatusCode::UNAUTHORIZED, HTML, "<html><body>401 Unauthorized</body></html>".to_owned());
                answer
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Demo Finesse\""));
                answer
            }
            Self::Unauthorized => {
                content(StatusCode::UNAUTHORIZED, XML, error("Authorization Failure", "UNAUTHORIZED"))
            }
            Self::MethodNotAllowed => content(StatusCode::METHOD_NOT_ALLOWED, HTML, String::new()),
            Self::TooLarge => content(StatusCode::PAYLOAD_TOO_LARGE, HTML, String::new()),
            Self::TooSlow => content(StatusCode::REQUEST_TIMEOUT, HTML, String::new()),
            Self::OutOfService => content(
                StatusCode::SERVICE_UNAVAILABLE,
                XML,
                error("Service Unavailable", "HTTP Status code: 503 (Service Unavailable)"),
            ),
            Self::NotXmpp => content(StatusCode::BAD_REQUEST, HTML, "WebSocket subprotocol xmpp expected".to_owned()),
            Self::Api(error) => content(StatusCode::BAD_REQUEST, XML, error.body()),
        }
    }
}

fn only(method: &Method, allowed: &Method) -> Result<(), Refusal> {
    if method == allowed { Ok(()) } else { Err(Refusal::MethodNotAllowed) }
}

async fn user(shared: &Arc<Shared>, request: Request<Incoming>, id: &str) -> Result<Answer, Refusal> {
    let agent = own(shared, request.headers(), id)?;
    match *request.method() {
        Method::GET => {
            let user = shared.center.user_xml(id).ok_or(Refusal::NotFound)?;
            Ok(with_session(xml(user), request.headers(), &agent))
        }
        Method::PUT => {
            let request_id = request_id(request.headers());
            let answer = with_session(accepted(), request.headers(), &agent);
            let change = Change::read(&body(request, "User").await?).map_err(Refusal::Api)?;
            let (later, shared) = (shared.clone(), shared.clone());
            later.tasks.spawn(async move {
                tokio::time::sleep(shared.site.settle).await;
                if shared.center.change(&agent.id, &change, &request_id) == Next::Ring {
                    tokio::time::sleep(shared.site.ring_after).await;
                    shared.center.ring(&agent.id);
                }
            });
            Ok(answer)
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

async fn dialog(shared: &Arc<Shared>, request: Request<Incoming>, id: &str) -> Result<Answer, Refusal> {
    let agent = authenticated(shared, request.headers())?;
    let id: u64 = id.parse().map_err(|_| Refusal::NotFound)?;
    let dialog = shared.center.dialog_xml(id, &agent.id).ok_or(Refusal::NotFound)?;
    match *request.method() {
        Method::GET => Ok(xml(dialog)),
        Method::PUT => {
            let request_id = request_id(request.headers());
            let asked = body(request, "Dialog").await?;
            let to = asked.text_at(&["toAddress"]).unwrap_or_default().to_owned();
            let is_transfer = asked.text_at(&["requestedAction"]) == Some("TRANSFER_SST");
            let action = if is_transfer { None } else { Some(action(&asked)?) };
            let (later, shared) = (shared.clone(), shared.clone());
            later.tasks.spawn(async move {
                tokio::time::sleep(shared.site.settle).await;
                match action {
                    Some(action) => shared.center.act(&agent.id, id, action, &request_id),
                    None => shared.center.transfer(&agent.id, id, &to, &request_id),
                }
            });
            Ok(accepted())
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

fn action(body: &Element) -> Result<Action, Refusal> {
    match body.text_at(&["requestedAction"]).ok_or(Refusal::Api(PARAMETER_MISSING))? {
        "ANSWER" => Ok(Action::Answer),
        "HOLD" => Ok(Action::Hold),
        "RETRIEVE" => Ok(Action::Retrieve),
        "DROP" => Ok(Action::Drop),
        "UPDATE_CALL_DATA" => {
            let reason = body.text_at(&["mediaProperties", "wrapUpReason"]).ok_or(Refusal::Api(PARAMETER_MISSING))?;
            Ok(Action::WrapUp(reason.to_owned()))
        }
        _ => Err(Refusal::Api(INVALID_INPUT)),
    }
}

/// The request's body as XML with this root.
async fn body(request: Request<Incoming>, root: &str) -> Result<Element, Refusal> {
    let collected = tokio::time::timeout(BODY_LIMIT, Limited::new(request.into_body(), MAX_BODY_BYTES).collect()).await;
    let bytes = collected.map_err(|_| Refusal::TooSlow)?.map_err(|_| Refusal::TooLarge)?.to_bytes();
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::Api(INVALID_INPUT))?;
    Element::read(text).ok().filter(|element| element.name == root).ok_or(Refusal::Api(INVALID_INPUT))
}

/// Who sends this, by HTTP Basic (RFC 7617).
fn authenticated(shared: &Shared, headers: &HeaderMap) -> Result<Agent, Refusal> {
    let authenticate = || {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (id, password) = decoded.split_once(':')?;
        shared.center.authenticate(id, password)
    };
    authenticate().ok_or(Refusal::Unauthenticated)
}

/// Who sends this, if it is about himself.
fn own(shared: &Shared, headers: &HeaderMap, id: &str) -> Result<Agent, Refusal> {
    let agent = authenticated(shared, headers)?;
    if agent.id == id { Ok(agent) } else { Err(Refusal::Unauthorized) }
}

fn request_id(headers: &HeaderMap) -> String {
    let value = headers.get("requestId").and_then(|value| value.to_str().ok());
    value.filter(|id| id.len() <= MAX_REQUEST_ID_BYTES).unwrap_or_default().to_owned()
}

/// The `101` that starts a WebSocket (RFC 6455 section 4.2.2), and the task that will serve it.
fn upgrade(shared: &Arc<Shared>, mut request: Request<Incoming>) -> Result<Answer, Refusal> {
    let headers = request.headers();
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(Refusal::NotXmpp)?;
    let accept = derive_accept_key(key.as_bytes());
    let is_upgrade = has_token(headers, header::UPGRADE, "websocket")
        && has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::SEC_WEBSOCKET_VERSION, "13")
        && has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, "xmpp");
    if !is_upgrade {
        return Err(Refusal::NotXmpp);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let place = request.extensions_mut().remove::<Place>();
    let (center, stop) = (shared.center.clone(), shared.stop.clone());
    shared.tasks.spawn(async move {
        let _place = place;
        match upgraded.await {
            Ok(upgraded) => websocket::serve(upgraded, center, stop).await,
            Err(error) => tracing::debug!(%error, "demo upgrade failed"),
        }
    });
    let mut answer = content(StatusCode::SWITCHING_PROTOCOLS, HTML, String::new());
    let headers = answer.headers_mut();
    headers.clear();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(answer)
}

/// Whether a comma-separated header holds this token, in any case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

fn content(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn xml(body: String) -> Answer {
    content(StatusCode::OK, XML, body)
}

fn accepted() -> Answer {
    content(StatusCode::ACCEPTED, XML, String::new())
}

fn redirect(to: &'static str) -> Answer {
    let mut answer = content(StatusCode::FOUND, HTML, String::new());
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    answer
}

/// Tomcat's session cookie, for who does not have it yet.
fn with_session(mut answer: Answer, headers: &HeaderMap, agent: &Agent) -> Answer {
    let cookie = format!("JSESSIONID={}", agent.session_cookie());
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let has_it = sent.into_iter().any(|value| value.contains(&cookie));
    if !has_it && let Ok(value) = HeaderValue::from_str(&format!("{cookie}; Path=/; Secure; HttpOnly")) {
        answer.headers_mut().insert(header::SET_COOKIE, value);
    }
    answer
}

/// The faults that can be played, and which are on.
fn troubles(shared: &Shared) -> Answer {
    let rows: Vec<String> = Trouble::ALL
        .iter()
        .map(|trouble| {
            let on = shared.center.troubles().is_on(*trouble);
            format!(
                "{{\"name\":\"{}\",\"title\":\"{}\",\"once\":{},\"on\":{on}}}",
                trouble.name(),
                trouble.title(),
                trouble.happens_once()
            )
        })
        .collect();
    content(StatusCode::OK, "application/json", format!("[{}]", rows.join(",")))
}

/// What the gadget container fetches on a gadget's behalf: always the same.
fn gadget() -> Answer {
    let body = "throw 1; < don't be evil' >{\"demo\":{\"rc\":200,\"body\":\"{\\\"queue\\\":\\\"Demo Queue\\\",\\\"waiting\\\":2}\"}}";
    content(StatusCode::OK, "application/json;charset=UTF-8", body.to_owned())
}
