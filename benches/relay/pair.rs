//! A desktop and the server's end of its socket, held together with the proxy between them.
//!
//! [`Origin`] accepts what the proxy opens and matches it with the client that asked, by a header of the upgrade;
//! [`Pair`] then logs in and exchanges stanzas, checking that each arrives as it was sent. Client certificates,
//! resumption and HTTP beyond the one upgrade are not known here.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::socket::{Role, Socket};
use crate::stanza::{self, HOST};

/// A desktop pings once in so many pushes: about one small message in ten.
const PUSHES_PER_PING: u64 = 20;

const FIRST_AGENT: u32 = 10_001;

type Waiting = Arc<Mutex<HashMap<u32, oneshot::Sender<Socket<server::TlsStream<TcpStream>>>>>>;

/// The server behind the proxy.
pub(crate) struct Origin {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    port: u16,
    next_agent: AtomicU32,
    waiting: Waiting,
}

impl Origin {
    /// Makes a CA and a certificate for [`HOST`], writes `ca.pem`, `bundle.pem` (chain and key) and listens on loopback.
    pub(crate) async fn bind(directory: &Path) -> anyhow::Result<Self> {
        let ca_key = rcgen::KeyPair::generate()?;
        let mut ca = rcgen::CertificateParams::new(Vec::<String>::new())?;
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        ca.distinguished_name.push(rcgen::DnType::CommonName, "relay benchmark CA");
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = rcgen::Issuer::new(ca, ca_key);
        let key = rcgen::KeyPair::generate()?;
        let leaf = rcgen::CertificateParams::new(vec![HOST.to_owned()])?.signed_by(&key, &issuer)?;
        std::fs::write(directory.join("ca.pem"), ca_certificate.pem())?;
        std::fs::write(directory.join("bundle.pem"), format!("{}{}", leaf.pem(), key.serialize_pem()))?;

        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        client.resumption = rustls::client::Resumption::disabled();

        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("bind origin")?;
        let port = listener.local_addr()?.port();
        Ok(Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
            port,
            next_agent: AtomicU32::new(FIRST_AGENT),
            waiting: Waiting::default(),
        })
    }

    /// TCP port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Accepts for ever; a connection that is no upgrade of ours is dropped.
    pub(crate) async fn accept(&self) -> anyhow::Result<Infallible> {
        let mut handshakes = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.context("accept")?;
                    handshakes.spawn(serve(stream, self.acceptor.clone(), Arc::clone(&self.waiting)));
                }
                // A proxy may open a connection just to look; what became of it does not matter.
                Some(_) = handshakes.join_next() => {}
            }
        }
    }

    /// Opens one WebSocket through the proxy on `port` and logs the next agent in.
    pub(crate) async fn pair(&self, port: u16) -> anyhow::Result<Pair> {
        let agent = self.next_agent.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(agent, sender);
        let stream = TcpStream::connect(("127.0.0.1", port)).await.context("connect to proxy")?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(HOST)?;
        let stream = self.connector.connect(name, stream).await.context("TLS with proxy")?;
        let mut client = Socket::new(stream, Role::Client);
        let authority = format!("{HOST}:{}", self.port);
        client
            .send_head(&format!(
                "GET /ws/ HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\
                 User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r\n\
                 Upgrade: websocket\r\nOrigin: https://{authority}\r\nSec-WebSocket-Version: 13\r\n\
                 Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\nX-Bench-Socket: {agent}\r\n\r\n"
            ))
            .await?;
        let head = client.head().await.context("answer to the upgrade")?;
        ensure!(head.starts_with(b"HTTP/1.1 101 "), "upgrade refused");
        let origin = receiver.await.context("the upgrade never reached the origin")?;
        let mut pair = Pair { agent, client, origin, serial: 0, messages: 0, text: String::new() };
        pair.login().await.context("login")?;
        Ok(pair)
    }
}

/// One logged-in desktop and the server's end of its socket.
pub(crate) struct Pair {
    agent: u32,
    client: Socket<client::TlsStream<TcpStream>>,
    origin: Socket<server::TlsStream<TcpStream>>,
    serial: u64,
    /// Messages relayed so far, both ways, login included.
    pub(crate) messages: u64,
    text: String,
}

impl Pair {
    async fn login(&mut self) -> anyhow::Result<()> {
        for step in stanza::login(self.agent) {
            self.client.send(&step.ask).await?;
            ensure!(self.origin.message().await? == step.ask, "the login did not arrive as sent");
            self.messages += 1;
            for answer in step.answers {
                self.origin.send(&answer).await?;
                ensure!(self.client.message().await? == answer, "the login's answer did not arrive as sent");
                self.messages += 1;
            }
        }
        Ok(())
    }

    /// Pushes one Update from server to client, and now and then a ping after it. Returns the push's one-way latency.
    pub(crate) async fn push(&mut self) -> anyhow::Result<Duration> {
        self.serial += 1;
        stanza::update(&mut self.text, self.agent, self.serial);
        let start = now();
        self.origin.send(&self.text).await?;
        let arrived = self.client.message().await?;
        let latency = start.elapsed();
        ensure!(arrived == self.text, "the Update did not arrive as sent");
        self.messages += 1;
        // Agents take turns, so that not all ping at once.
        if (self.serial + u64::from(self.agent)).is_multiple_of(PUSHES_PER_PING) {
            stanza::ping(&mut self.text, self.serial);
            self.up().await?;
            stanza::pong(&mut self.text, self.agent, self.serial);
            self.down().await?;
        }
        Ok(latency)
    }

    /// One chat message up and one down. Returns the round trip.
    pub(crate) async fn echo(&mut self) -> anyhow::Result<Duration> {
        let start = now();
        self.serial += 1;
        stanza::chat(&mut self.text, self.agent, self.serial);
        self.up().await?;
        self.serial += 1;
        stanza::chat(&mut self.text, self.agent, self.serial);
        self.down().await?;
        Ok(start.elapsed())
    }

    /// Sends messages of `message_bytes` down until `total_bytes` have arrived or `limit` is over. Returns the bytes that arrived.
    pub(crate) async fn pour(
        &mut self,
        message_bytes: usize,
        total_bytes: u64,
        limit: Duration,
    ) -> anyhow::Result<u64> {
        let deadline = now() + limit;
        let (origin, client, agent) = (&mut self.origin, &mut self.client, self.agent);
        let mut text = String::new();
        let (count, over) = (total_bytes.div_ceil(message_bytes as u64), std::cell::Cell::new(None));
        let send = async {
            for serial in 0..count {
                if now() >= deadline {
                    over.set(Some(serial));
                    break;
                }
                stanza::long_chat(&mut text, agent, serial, message_bytes);
                origin.send(&text).await?;
            }
            Ok::<(), anyhow::Error>(())
        };
        let receive = async {
            let mut messages = 0;
            while messages < over.get().unwrap_or(count) {
                ensure!(client.message().await?.len() == message_bytes, "a long message did not arrive as sent");
                messages += 1;
            }
            Ok(messages)
        };
        let ((), messages) = tokio::try_join!(send, receive)?;
        self.messages += messages;
        Ok(messages * message_bytes as u64)
    }

    async fn up(&mut self) -> anyhow::Result<()> {
        self.client.send(&self.text).await?;
        ensure!(self.origin.message().await? == self.text, "a message to the server did not arrive as sent");
        self.messages += 1;
        Ok(())
    }

    async fn down(&mut self) -> anyhow::Result<()> {
        self.origin.send(&self.text).await?;
        ensure!(self.client.message().await? == self.text, "a message to the client did not arrive as sent");
        self.messages += 1;
        Ok(())
    }
}

/// The monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the program's clock module is not under test"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Answers one upgrade and hands the socket to whoever waits for its number.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, waiting: Waiting) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = Socket::new(acceptor.accept(stream).await?, Role::Server);
    let head = socket.head().await?;
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(&head)?;
    let value = |name: &str| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| header.value).context("an upgrade lacks a header")
    };
    let accept = tungstenite::handshake::derive_accept_key(value("Sec-WebSocket-Key")?);
    let number: u32 = std::str::from_utf8(value("X-Bench-Socket")?)?.parse()?;
    socket
        .send_head(&format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
        ))
        .await?;
    let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    // A client that has given up meanwhile drops its end; so do we.
    let _ = waiter.context("nobody waits for this socket")?.send(socket);
    Ok(())
}

/// Takes any certificate: which one a proxy shows is not what is measured.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
