//! The demo's two ends against each other, and the server against clients that misbehave.

use super::*;
use crate::conn::Authority;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use xml::Element;

const DAY: [&str; 7] = ["NOT_READY", "READY", "RESERVED", "TALKING", "WORK", "NOT_READY", "LOGOUT"];
const CALL: [&str; 5] = ["POST ALERTING", "PUT ACTIVE", "PUT DROPPED", "PUT DROPPED", "DELETE DROPPED"];

struct Place {
    server: Server,
    roots: Arc<rustls::RootCertStore>,
}

impl Place {
    async fn open(count: u16) -> Self {
        let certified = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let chain = vec![certified.cert.der().clone()];
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key.into())
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(chain[0].clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(listener, Arc::new(tls), Site::new(agents(count), Duration::ZERO)).unwrap();
        Self { server, roots: Arc::new(roots) }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn story(&self, agents: Vec<Agent>) -> Story {
        let server = Authority { host: HOST.into(), port: 8445 };
        let story = Story::new(self.address(), server, self.roots.clone(), agents);
        Story { pace: Duration::ZERO, limit: Duration::from_secs(60), ..story }
    }

    async fn tls(&self) -> TlsStream<TcpStream> {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        let tcp = TcpStream::connect(self.address()).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
    }

    /// Sends a head (without Host and Connection) and a body; gives the whole answer as text.
    async fn http(&self, head: &str, body: &str) -> String {
        let mut tls = self.tls().await;
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let connection = if head.contains("Upgrade") { "" } else { "Connection: close\r\n" };
        let head = head.replace('\n', "\r\n");
        let request = format!("{head}\r\nHost: {HOST}\r\n{connection}{length}\r\n{body}");
        tls.write_all(request.as_bytes()).await.unwrap();
        tls.flush().await.unwrap();
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(n) = tls.read(&mut chunk).await
            && n > 0
        {
            answer.extend_from_slice(&chunk[..n]);
            if !connection.is_empty() {
                continue;
            }
            if answer.windows(4).any(|w| w == b"\r\n\r\n") {
                break;
            }
        }
        String::from_utf8(answer).unwrap()
    }

    async fn put(&self, agent: &Agent, path: &str, request_id: &str, body: &str) -> String {
        let head = format!("PUT {path} HTTP/1.1\nAuthorization: {}\nrequestId: {request_id}", agent.basic());
        self.http(&head, body).await
    }

    async fn socket(&self) -> Socket {
        let request = ClientRequestBuilder::new(format!("wss://{HOST}/ws/").parse().unwrap()).with_sub_protocol("xmpp");
        Socket(client_async(request, self.tls().await).await.unwrap().0)
    }

    async fn logged_in(&self, agent: &Agent) -> Socket {
        let mut socket = self.socket().await;
        socket.open().await;
        assert_eq!(socket.auth(agent).await.name, "success");
        socket.open().await;
        let bound = socket
            .ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desktop</resource></bind></iq>")
            .await;
        assert_eq!(bound.text_at(&["bind", "jid"]), Some(format!("{}@{HOST}/desktop", agent.id).as_str()));
        socket
    }
}

struct Socket(WebSocketStream<TlsStream<TcpStream>>);

impl Socket {
    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn hear(&mut self) -> Element {
        loop {
            if let Message::Text(text) = self.0.next().await.expect("the socket ended").unwrap() {
                return Element::read(&text).unwrap();
            }
        }
    }

    async fn ask(&mut self, text: &str) -> Element {
        self.say(text).await;
        self.hear().await
    }

    async fn open(&mut self) {
        let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{HOST}' version='1.0'/>");
        assert_eq!(self.ask(&open).await.name, "open");
        assert_eq!(self.hear().await.name, "features");
    }

    async fn auth(&mut self, agent: &Agent) -> Element {
        let plain = agent.sasl_plain(HOST);
        self.ask(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")).await
    }

    async fn subscribe(&mut self, node: &str) -> Element {
        let request =
            format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{node}' jid='x'/></pubsub>");
        self.ask(&format!("<iq type='set' to='pubsub.{HOST}' id='s'>{request}</iq>")).await
    }

    /// The `<Update>` of the next message.
    async fn update(&mut self) -> Element {
        let message = self.hear().await;
        Element::read(message.text_at(&["event", "items", "item", "notification"]).unwrap()).unwrap()
    }

    /// Expects a stream error with this condition, `<close/>`, and the end of the socket.
    async fn ends_with(mut self, condition: &str) {
        let error = self.hear().await;
        assert_eq!((error.name.as_str(), error.children[0].name.as_str()), ("error", condition));
        assert_eq!(self.hear().await.name, "close");
        self.0.close(None).await.unwrap();
        while let Some(Ok(message)) = self.0.next().await {
            assert!(message.is_close());
        }
    }
}

#[tokio::test]
async fn a_desktop_lives_through_its_day() {
    let place = Place::open(1).await;
    let mut outcomes = story(&place.story(agents(1))).await;
    let (agent, outcome) = outcomes.remove(0);
    let outcome = outcome.unwrap();
    assert_eq!(agent.id, "1001");
    assert_eq!(outcome.user_states, DAY);
    assert_eq!(outcome.dialog_states, CALL);
    assert_eq!(outcome.calls.len(), 1);
    assert_eq!((outcome.requests, outcome.events, outcome.pings), (14, 12, 3));
    assert!(outcome.to_string().starts_with("signed in, took call 16777217, signed out (NOT_READY → READY"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_desktops_do_not_get_in_each_others_way() {
    let place = Place::open(20).await;
    let mut calls = std::collections::BTreeSet::new();
    for (agent, outcome) in story(&place.story(agents(20))).await {
        let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error:#}", agent.id));
        assert_eq!(outcome.user_states, DAY, "{}", agent.id);
        assert_eq!(outcome.dialog_states, CALL, "{}", agent.id);
        calls.extend(outcome.calls);
    }
    assert_eq!(calls.len(), 20);
    // Everybody has gone, so everybody can come again.
    assert!(story(&place.story(agents(20))).await.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test]
async fn a_wrong_password_is_refused_on_both_ways_and_never_named() {
    let place = Place::open(1).await;
    let wrong = Agent { password: "Wrong-Secret".into(), ..agents(1).remove(0) };
    let error = story(&place.story(vec![wrong.clone()])).await.remove(0).1.unwrap_err();
    assert_eq!(format!("{error:#}"), "GET /finesse/api/User/1001: answered 401 Unauthorized");

    let answer =
        place.http(&format!("GET /finesse/api/User/1001 HTTP/1.1\nAuthorization: {}", wrong.basic()), "").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.to_lowercase().contains("www-authenticate: basic"), "{answer}");

    let mut socket = place.socket().await;
    socket.open().await;
    for _ in 0..3 {
        let failure = socket.auth(&wrong).await;
        assert_eq!((failure.name.as_str(), failure.children[0].name.as_str()), ("failure", "not-authorized"));
    }
    assert_eq!(socket.hear().await.name, "close");
}

#[tokio::test]
async fn a_second_login_takes_the_resource_over() {
    let place = Place::open(1).await;
    let agent = agents(1).remove(0);
    let mut old = place.logged_in(&agent).await;
    assert_eq!(old.subscribe("/finesse/api/User/1001").await.attribute("type"), Some("result"));
    let mut new = place.logged_in(&agent).await;
    old.ends_with("conflict").await;
    assert_eq!(new.subscribe("/finesse/api/User/1001").await.attribute("type"), Some("result"));
    let login = "<User><state>LOGIN</state><extension>2001</extension></User>";
    assert!(place.put(&agent, "/finesse/api/User/1001", "r-1", login).await.starts_with("HTTP/1.1 202 "));
    assert_eq!(new.update().await.text_at(&["requestId"]), Some("r-1"));
}

#[tokio::test]
async fn what_an_agent_may_not_do_now_comes_back_as_an_event() {
    let place = Place::open(1).await;
    let agent = agents(1).remove(0);
    let mut socket = place.logged_in(&agent).await;
    socket.subscribe("/finesse/api/User/1001").await;
    let cases = [
        ("<User><state>READY</state></User>", "Invalid State"),
        ("<User><state>LOGOUT</state></User>", "Invalid State"),
        ("<User><state>LOGIN</state><extension>9</extension></User>", "Invalid Device"),
    ];
    for (body, error) in cases {
        assert!(place.put(&agent, "/finesse/api/User/1001", "r", body).await.starts_with("HTTP/1.1 202 "));
        let update = socket.update().await;
        assert_eq!(update.text_at(&["data", "apiErrors", "apiError", "errorType"]), Some(error));
        assert_eq!(update.text_at(&["requestId"]), Some("r"));
    }
    for body in ["", "x", "<User/>", "<User><state>ASLEEP</state></User>", "<Dialog><state>READY</state></Dialog>"] {
        let answer = place.put(&agent, "/finesse/api/User/1001", "r", body).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("<ErrorType>"), "{answer}");
    }
}

#[tokio::test]
async fn requests_get_the_status_they_deserve() {
    let place = Place::open(2).await;
    let agent = agents(1).remove(0);
    let upgrade = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let basic = format!("Authorization: {}", agent.basic());
    let cases = [
        ("GET /desktop/ HTTP/1.1", "", 200),
        ("GET / HTTP/1.1", "", 302),
        ("GET /finesse/api/SystemInfo HTTP/1.1", "", 200),
        ("GET /finesse/api/User/1001 HTTP/1.1", "", 401),
        ("GET /finesse/api/User/1001 HTTP/1.1", basic.as_str(), 200),
        ("GET /finesse/api/User/1002 HTTP/1.1", basic.as_str(), 401),
        ("GET /finesse/api/User/1001/Dialogs HTTP/1.1", basic.as_str(), 200),
        ("GET /finesse/api/Dialog/1 HTTP/1.1", basic.as_str(), 404),
        ("GET /finesse/api/Dialog/-x HTTP/1.1", basic.as_str(), 404),
        ("DELETE /finesse/api/User/1001 HTTP/1.1", basic.as_str(), 405),
        ("GET /finesse/api/Nothing HTTP/1.1", basic.as_str(), 404),
        ("GET /ws/ HTTP/1.1", "", 400),
        ("GET /ws/ HTTP/1.1", upgrade, 400),
    ];
    for (line, headers, status) in cases {
        let head = if headers.is_empty() { line.to_owned() } else { format!("{line}\n{headers}") };
        let answer = place.http(&head, "").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        assert!(answer.to_lowercase().contains("strict-transport-security"), "{line}: {answer}");
    }
    let answer = place.http(&format!("GET /ws/ HTTP/1.1\nSec-WebSocket-Protocol: xmpp\n{upgrade}"), "").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}"); // RFC 6455 section 1.3
    let huge = format!("<User>{}</User>", " ".repeat(70_000));
    assert!(place.put(&agent, "/finesse/api/User/1001", "r", &huge).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn the_session_cookie_is_set_once() {
    let place = Place::open(1).await;
    let agent = agents(1).remove(0);
    let head = format!("GET /finesse/api/User/1001 HTTP/1.1\nAuthorization: {}", agent.basic());
    let cookie = format!("JSESSIONID={}", agent.session_cookie());
    assert!(place.http(&head, "").await.contains(&cookie));
    assert!(!place.http(&format!("{head}\nCookie: a=b; {cookie}"), "").await.contains(&cookie));
}

#[tokio::test]
async fn agents_hear_only_of_themselves() {
    let place = Place::open(2).await;
    let mut socket = place.logged_in(&agents(1)[0]).await;
    for (node, condition) in [
        ("/finesse/api/User/1002", "forbidden"),
        ("/finesse/api/User/1002/Dialogs", "forbidden"),
        ("/finesse/api/User/999", "item-not-found"),
        ("/finesse/api/Team/77/Users", "item-not-found"),
        ("", "item-not-found"),
    ] {
        let answer = socket.subscribe(node).await;
        assert_eq!(answer.attribute("type"), Some("error"), "{node}");
        assert_eq!(answer.child("error").unwrap().children[0].name, condition, "{node}");
    }
    for node in ["/finesse/api/User/1001/", "/finesse/api/User/1001/Media", "/finesse/api/SystemInfo"] {
        assert_eq!(socket.subscribe(node).await.attribute("type"), Some("result"), "{node}");
    }
    let unknown =
        socket.ask(&format!("<iq type='get' to='{HOST}' id='q'><query xmlns='jabber:iq:roster'/></iq>")).await;
    assert_eq!(unknown.child("error").unwrap().children[0].name, "service-unavailable");
}

#[tokio::test]
async fn the_server_outlives_what_clients_say() {
    let place = Place::open(1).await;
    let deep = "<a>".repeat(1000);
    let cases = [
        ("<", "not-well-formed"),
        (deep.as_str(), "not-well-formed"),
        ("<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", "not-well-formed"),
        ("<open to='elsewhere.test'/>", "host-unknown"),
        ("<open/>", "host-unknown"),
        ("<iq type='set' id='1'><bind/></iq>", "not-authorized"),
        ("<iq/>", "bad-format"),
        ("<presence/>", "not-authorized"),
        ("<message/>", "not-authorized"),
        ("<auth mechanism='PLAIN'>AAA=</auth>", "policy-violation"),
        ("<enable xmlns='urn:xmpp:sm:3'/>", "unsupported-stanza-type"),
    ];
    for (text, condition) in cases {
        let mut socket = place.socket().await;
        socket.say(" ").await;
        socket.say(text).await;
        socket.ends_with(condition).await;
    }
    for (base64, condition) in [("?", "incorrect-encoding"), ("", "malformed-request"), ("AAAA", "malformed-request")] {
        let mut socket = place.socket().await;
        socket.open().await;
        let failure = socket.ask(&format!("<auth mechanism='PLAIN'>{base64}</auth>")).await;
        assert_eq!(failure.children[0].name, condition);
    }
    let mut binary = place.socket().await;
    binary.0.send(Message::binary(vec![0, 159])).await.unwrap();
    assert!(matches!(binary.0.next().await, Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1003));
    let mut huge = place.socket().await;
    let _ = huge.0.send(Message::text("x".repeat(100_000))).await;
    assert!(matches!(huge.0.next().await, None | Some(Err(Error::Io(_) | Error::Protocol(_)) | Ok(Message::Close(_)))));
    let mut garbage = TcpStream::connect(place.address()).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();

    assert!(story(&place.story(agents(1))).await[0].1.is_ok());
}

#[tokio::test]
async fn stopping_tells_everybody() {
    let place = Place::open(1).await;
    let socket = place.logged_in(&agents(1)[0]).await;
    let (address, server) = (place.address(), place.server);
    tokio::join!(server.stop(), socket.ends_with("system-shutdown"));
    assert!(TcpStream::connect(address).await.is_err());
}
