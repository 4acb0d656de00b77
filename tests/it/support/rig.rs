//! The rig: upstream listener, proxy, trusting client, and the tap's messages.

use super::{HOST, soon};
use finesse_tap::capture::observation::{Closed, Opened, TlsHandshake};
use finesse_tap::clock;
use finesse_tap::conn::{Authority, Direction, Kind};
use finesse_tap::proxy::{self, Alpn, Config, Limits, Preface, Rewriting, Route, Summary};
use finesse_tap::tap::Intake;
use finesse_tap::tap::feed::Message;
use finesse_tap::tls::ca::{Ca, Scope};
use finesse_tap::tls::front::Front;
use finesse_tap::tls::leaf::{Identity, Minter};
use finesse_tap::tls::upstream::{Pin, Trust, Upstream};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub type ClientEnd = client::TlsStream<TcpStream>;
pub type UpstreamEnd = server::TlsStream<TcpStream>;

/// What a test may want to be different.
pub struct Setup {
    pub limits: Limits,
    pub rewriting: Rewriting,
    pub alpn: Alpn,
    pub preface: Preface,
    /// `None` pins the upstream's certificate.
    pub trust: Option<Trust>,
    /// `false` runs the relay without a tap.
    pub tapped: bool,
    /// Limit of the queue to the tap, bytes.
    pub queue_bytes: usize,
    /// Dial this address instead of the scripted upstream's.
    pub upstream: Option<Target>,
    pub keylog: Option<std::path::PathBuf>,
    /// What the route speaks.
    pub kind: Kind,
    /// What the client and the server have in ALPN, instead of what the route's kind speaks.
    pub alpns: Option<[&'static [&'static str]; 2]>,
    /// TLS configuration of the scripted upstream.
    pub tls_versions: &'static [&'static rustls::SupportedProtocolVersion],
}

/// Where to dial instead.
pub enum Target {
    Address(SocketAddr),
    /// The proxy's own listener.
    Itself,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            rewriting: Rewriting::default(),
            alpn: Alpn::default(),
            preface: Preface::default(),
            trust: None,
            tapped: true,
            queue_bytes: 1 << 31,
            upstream: None,
            keylog: None,
            kind: Kind::Https,
            alpns: None,
            tls_versions: rustls::ALL_VERSIONS,
        }
    }
}

pub struct Rig {
    /// What clients offer in ALPN.
    offer: Vec<Vec<u8>>,
    pub address: SocketAddr,
    pub ca: CertificateDer<'static>,
    /// The scripted upstream's certificate.
    pub upstream_cert: CertificateDer<'static>,
    pub certs: TempDir,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    messages: Arc<Mutex<Receiver<Message>>>,
    shutdown: CancellationToken,
    running: JoinHandle<std::io::Result<Summary>>,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let certs = tempfile::tempdir().unwrap();
        let scope = Scope::of([HOST]);
        let ca = Ca::open(certs.path(), HOST, &scope, clock::now()).unwrap();
        let ca_der = ca.der().clone();
        let keylog =
            setup.keylog.as_deref().map(|path| Arc::new(finesse_tap::tls::keylog::KeyLogFile::open(path).unwrap()));
        let identity = Identity::Minted(Box::new(Minter::new(vec![ca], [HOST], [])));
        let front = Front::new(identity, keylog.clone()).unwrap();

        let (upstream_cert, key) = self_signed(HOST);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream_at = listener.local_addr().unwrap();
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(setup.tls_versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![upstream_cert.clone()], key)
            .unwrap();
        let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        match setup.alpns {
            Some([_, of_server]) => server.alpn_protocols = names(of_server),
            None if setup.kind == Kind::Https => {}
            None => server.alpn_protocols = finesse_tap::tls::alpn(setup.kind),
        }
        let offer = setup.alpns.map_or_else(|| finesse_tap::tls::alpn(setup.kind), |[of_client, _]| names(of_client));

        let front_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front_listener.local_addr().unwrap();
        let target = match setup.upstream {
            None => upstream_at,
            Some(Target::Address(address)) => address,
            Some(Target::Itself) => address,
        };
        let trust = setup.trust.unwrap_or(Trust::Pins(vec![Pin::of(&upstream_cert)]));
        let config = Config {
            routes: vec![Route { kind: setup.kind, ..route(address, HOST, target.port()) }],
            resolve: vec![(HOST.to_owned(), target.ip())],
            front,
            upstream: Upstream::new(&trust, None, keylog).unwrap(),
            rewriting: setup.rewriting,
            alpn: setup.alpn,
            preface: setup.preface,
            limits: setup.limits,
        };
        let (intake, messages, _) = Intake::new(setup.queue_bytes);
        let intake = if setup.tapped { intake } else { Intake::off() };
        let shutdown = CancellationToken::new();
        let orders = proxy::Orders { drain: shutdown.clone(), ..proxy::Orders::default() };
        let running = TaskTracker::new().spawn(proxy::run(vec![front_listener], config, intake, orders));
        Self {
            offer,
            address,
            ca: ca_der,
            upstream_cert,
            certs,
            listener,
            acceptor: TlsAcceptor::from(Arc::new(server)),
            messages: Arc::new(Mutex::new(messages)),
            shutdown,
            running,
        }
    }

    /// The server as the proxy knows it.
    pub fn server(&self) -> Authority {
        Authority { host: HOST.to_owned(), port: self.listener.local_addr().unwrap().port() }
    }

    /// A TCP connection to the proxy.
    pub async fn tcp(&self) -> TcpStream {
        soon("connect to the proxy", TcpStream::connect(self.address)).await.unwrap()
    }

    /// A TLS connection to the proxy under `name`, by a client that trusts the proxy's CA.
    pub async fn client_as(&self, name: &str) -> std::io::Result<ClientEnd> {
        self.client_offering(name, rustls::ALL_VERSIONS).await
    }

    pub async fn client_offering(
        &self,
        name: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<ClientEnd> {
        self.secure(self.tcp().await, name, versions).await
    }

    /// The client's TLS handshake over any connection.
    pub async fn secure(
        &self,
        tcp: TcpStream,
        name: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<ClientEnd> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = self.offer.clone();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        soon("TLS with the proxy", TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
    }

    /// Both ends of one relayed connection.
    pub async fn pair(&self) -> (ClientEnd, UpstreamEnd) {
        let (client, upstream) = tokio::join!(self.client_as(HOST), self.upstream());
        (client.unwrap(), upstream)
    }

    /// The upstream's end of the next connection.
    pub async fn upstream(&self) -> UpstreamEnd {
        let tcp = self.upstream_tcp().await;
        soon("TLS with the upstream", self.acceptor.accept(tcp)).await.unwrap()
    }

    /// The same before TLS.
    pub async fn upstream_tcp(&self) -> TcpStream {
        let (tcp, _) = soon("the proxy dials", self.listener.accept()).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// The upstream's TLS handshake over any connection.
    pub async fn accept_tls(&self, tcp: TcpStream) -> std::io::Result<UpstreamEnd> {
        soon("TLS with the upstream", self.acceptor.accept(tcp)).await
    }

    /// What the tap got of the next connection to end.
    pub async fn closed(&self) -> Capture {
        let messages = Arc::clone(&self.messages);
        let collect = tokio::task::spawn_blocking(move || {
            let messages = messages.lock().unwrap();
            let mut capture = Capture::default();
            loop {
                let message = messages.recv_timeout(super::PATIENCE).expect("the connection never closed");
                if capture.take(message) {
                    return capture;
                }
            }
        });
        collect.await.unwrap()
    }

    /// The next connection's end, whatever else is told meanwhile.
    pub async fn closed_any(&self) -> Closed {
        let messages = Arc::clone(&self.messages);
        let wait = tokio::task::spawn_blocking(move || {
            let messages = messages.lock().unwrap();
            loop {
                if let Message::Closed(_, closed, _) = messages.recv_timeout(super::PATIENCE).expect("nothing closed") {
                    return *closed;
                }
            }
        });
        wait.await.unwrap()
    }

    /// Begins the shutdown.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Waits for the proxy to end.
    pub async fn finished(self) -> (Summary, Vec<Message>) {
        self.shutdown.cancel();
        let summary = soon("the proxy ends", self.running).await.unwrap().unwrap();
        let messages = self.messages.lock().unwrap().try_iter().collect();
        (summary, messages)
    }
}

/// What the tap got of one connection. Taking messages checks that they come in order and of one connection.
#[derive(Default)]
pub struct Capture {
    pub opened: Option<Opened>,
    pub tls: Vec<TlsHandshake>,
    pub c2s: Vec<u8>,
    pub s2c: Vec<u8>,
    pub ended: Vec<Direction>,
    pub closed: Option<Closed>,
}

impl Capture {
    /// True when the connection is closed.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Opened(opened) => {
                assert!(self.opened.is_none(), "opened twice, or two connections at once");
                self.opened = Some(*opened);
                return false;
            }
            _ => assert!(self.opened.is_some(), "something came before `opened`"),
        }
        match message {
            Message::Opened(_) | Message::Answered(_) => {}
            Message::Tls(_, handshake) => self.tls.push(*handshake),
            Message::Bytes { direction, bytes, .. } => {
                assert!(!self.ended.contains(&direction), "bytes after the end of {direction}");
                match direction {
                    Direction::C2s => self.c2s.extend_from_slice(&bytes),
                    Direction::S2c => self.s2c.extend_from_slice(&bytes),
                }
            }
            Message::Ended { direction, .. } => {
                assert!(!self.ended.contains(&direction), "{direction} ended twice");
                self.ended.push(direction);
            }
            Message::Change(_) | Message::Note(..) => panic!("nobody changed anything"),
            Message::Unknown(..) => panic!("the wire leaves nothing out"),
            Message::Edited(..) | Message::Unedited { .. } => panic!("headers were rewritten"),
            Message::Lost { direction, .. } => panic!("{direction} lost bytes"),
            Message::Closed(_, closed, lost) => {
                assert_eq!(lost, [0, 0]);
                assert_eq!(closed.c2s_bytes, self.c2s.len() as u64);
                assert_eq!(closed.s2c_bytes, self.s2c.len() as u64);
                self.closed = Some(*closed);
                return true;
            }
        }
        false
    }

    pub fn ending(&self) -> &Closed {
        self.closed.as_ref().unwrap()
    }
}

pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A self-signed server certificate, as most Finesse servers have one.
pub fn self_signed(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.der().clone(), PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()))
}

/// What a listener stands for.
pub fn route(listener: SocketAddr, host: &str, port: u16) -> Route {
    Route { listener, upstream: Authority { host: host.to_owned(), port }, kind: Kind::Https }
}

/// A configuration that dials `upstream`.
pub fn config(certs: &std::path::Path, listener: SocketAddr, upstream: SocketAddr) -> Config {
    let scope = Scope::of([HOST]);
    let ca = Ca::open(certs, HOST, &scope, clock::now()).unwrap();
    Config {
        routes: vec![route(listener, HOST, upstream.port())],
        resolve: vec![(HOST.to_owned(), upstream.ip())],
        front: Front::new(Identity::Minted(Box::new(Minter::new(vec![ca], [HOST], []))), None).unwrap(),
        upstream: Upstream::new(&Trust::Insecure, None, None).unwrap(),
        rewriting: Rewriting::default(),
        alpn: Alpn::default(),
        preface: Preface::default(),
        limits: Limits::default(),
    }
}

/// An address of nothing that listens.
pub fn nowhere() -> SocketAddr {
    let listener = std::net::TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).unwrap();
    listener.local_addr().unwrap()
}
