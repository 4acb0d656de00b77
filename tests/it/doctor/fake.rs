//! A server that answers as it is told: SystemInfo, page, upgrade, and a few stanzas. TLS with a certificate of its own.

use crate::support::HOST;
use crate::support::rig::{provider, self_signed};
use finesse_tap::tls::upstream::Pin;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// How it answers.
#[derive(Clone)]
pub struct Script {
    /// The whole answer to `GET /finesse/api/SystemInfo`.
    pub system_info: String,
    /// The whole answer to `GET /desktop/`.
    pub desktop: String,
    /// To `GET /ws/`.
    pub upgrade: Upgrade,
    /// To a first `<open/>`.
    pub features: &'static str,
    /// To `<auth/>`.
    pub auth: &'static str,
}

/// How it answers an upgrade.
#[derive(Clone)]
pub enum Upgrade {
    /// With this, whole.
    Answer(&'static str),
    /// With 101, these header lines, and an accept key for the client's or for another key.
    Switch { lines: &'static str, honest: bool },
}

impl Default for Script {
    fn default() -> Self {
        Self {
            system_info: answer("404 Not Found", "", ""),
            desktop: answer("200 OK", "Server: Fake\r\n", "<html>"),
            upgrade: Upgrade::Switch { lines: "Sec-WebSocket-Protocol: xmpp\r\n", honest: true },
            features: PLAIN,
            auth: "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
        }
    }
}

/// Features with PLAIN.
pub const PLAIN: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
                         xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";

/// A whole HTTP answer.
pub fn answer(status: &str, lines: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The running server; ends with its value.
pub struct Fake {
    pub address: SocketAddr,
    pub pin: Pin,
    /// Everything that was said on WebSockets.
    pub heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Fake {
    pub async fn start(script: Script) -> Self {
        Self::showing(self_signed(HOST), script, rustls::ALL_VERSIONS).await
    }

    /// With this certificate, speaking these versions.
    pub async fn showing(
        (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
        script: Script,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let pin = Pin::of(&certificate);
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, mut tasks) = (Arc::clone(&heard), JoinSet::new());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, script, all) = (acceptor.clone(), script.clone(), Arc::clone(&all));
                connections.spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        serve(stream, &script, &all).await;
                    }
                });
            }
        });
        Self { address, pin, heard, _tasks: tasks }
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, script: &Script, heard: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let answer = match path {
        "/finesse/api/SystemInfo" => script.system_info.clone(),
        "/ws/" => match &script.upgrade {
            Upgrade::Answer(answer) => (*answer).to_owned(),
            Upgrade::Switch { lines, honest } => {
                let key = field(&head, "Sec-WebSocket-Key").unwrap();
                let accept = derive_accept_key(if *honest { key.as_bytes() } else { b"another" });
                let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
                let switch = format!("{head}{lines}Sec-WebSocket-Accept: {accept}\r\n\r\n");
                stream.write_all(switch.as_bytes()).await.unwrap();
                return converse(stream, script, heard).await;
            }
        },
        "/desktop/" => script.desktop.clone(),
        _ => self::answer("200 OK", "", "elsewhere"),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn converse(stream: TlsStream<TcpStream>, script: &Script, heard: &Mutex<Vec<String>>) {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        heard.lock().unwrap().push(text.to_string());
        let replies: Vec<&str> = if text.starts_with("<open") {
            vec!["<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>", script.features]
        } else if text.starts_with("<auth") {
            vec![script.auth]
        } else if text.starts_with("<close") {
            vec!["<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"]
        } else {
            vec![]
        };
        for reply in replies {
            if socket.send(Message::text(reply)).await.is_err() {
                return;
            }
        }
    }
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
