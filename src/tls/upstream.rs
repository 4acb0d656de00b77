//! The client side: whom we believe to be Finesse, and in plain words why not.
//!
//! [`Trust`] becomes a rustls configuration; [`Upstream::connect`] makes a handshake whose failure names the certificate
//! that was shown and what would accept it. Self-signed servers are the rule among Finesse installations, hence the pin.
//! A client certificate is sent only if one is configured; that one was asked for is noted either way.

use super::Protocol;
use super::certificate::{describe, hex, sha256};
use super::hello::Hellos;
use super::keylog::KeyLogFile;
use super::proof;
use super::refusal::{self, OtherPin, Shown};
use crate::capture::observation::{Leg, TlsHandshake};
use crate::clock::{self, Moment};
use crate::conn::Kind;
use anyhow::{Context as _, bail, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, HandshakeKind, OtherError, ProtocolVersion,
    RootCertStore, SignatureScheme,
};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom we believe to be Finesse.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trust {
    /// Whom the system's roots vouch for; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    #[default]
    System,
    /// Whom the certificates in this PEM file vouch for.
    Ca(PathBuf),
    /// Who holds the key of one of these very certificates, whatever its name, issuer or age.
    Pins(Vec<Pin>),
    /// Anybody.
    Insecure,
}

/// The SHA-256 of a server's end-entity certificate in DER form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin that accepts this certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(sha256(der))
    }
}

impl FromStr for Pin {
    type Err = String;

    /// Reads `sha256:HEX`, with or without colons between the bytes, in either case.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a pin: write sha256: and 64 hexadecimal digits");
        let digits = text.trim().split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("sha256"));
        let (_, digits) = digits.ok_or_else(wrong)?;
        let digits: Vec<u32> =
            digits.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>().ok_or_else(wrong)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | u8::try_from(*digit).unwrap_or_default()))
            .collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(pin) if digits.len() == 64 => Ok(Self(pin)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

/// A PEM chain and its PEM key, to answer a server that asks who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// The chain, end entity first.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Makes TLS connections to Finesse.
#[derive(Clone)]
pub struct Upstream {
    connector: TlsConnector,
    hellos: Hellos,
}

/// A handshake that went well.
pub struct Connected<IO> {
    /// The connection.
    pub stream: TlsStream<IO>,
    /// How it came about.
    pub handshake: TlsHandshake,
}

/// A handshake that did not.
#[derive(Debug)]
pub struct Refused {
    /// How it went, `failure` included.
    pub handshake: TlsHandshake,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl Upstream {
    /// Reads roots and certificates from disk.
    ///
    /// # Errors
    /// Files that cannot be read or hold no certificate; a system without any root.
    pub fn new(
        trust: &Trust,
        client: Option<&ClientCertificate>,
        keylog: Option<Arc<KeyLogFile>>,
    ) -> anyhow::Result<Self> {
        Self::speaking(super::VERSIONS, trust, client, keylog)
    }

    /// As [`new`](Self::new), but offering these TLS versions only: to find out which a server accepts.
    ///
    /// # Errors
    /// As those of [`new`](Self::new).
    pub fn speaking(
        versions: &[&'static rustls::SupportedProtocolVersion],
        trust: &Trust,
        client: Option<&ClientCertificate>,
        keylog: Option<Arc<KeyLogFile>>,
    ) -> anyhow::Result<Self> {
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::System => by_roots(system_roots()?)?,
            Trust::Ca(path) => by_roots(file_roots(path)?)?,
            Trust::Pins(pins) => Arc::new(ByPin(Some(pins.clone()))),
            Trust::Insecure => Arc::new(ByPin(None)),
        };
        let answer = match client {
            Some(files) => Some(Arc::new(super::leaf::certified_key(&files.cert, &files.key)?.1)),
            None => None,
        };
        let mut config = ClientConfig::builder_with_provider(super::provider())
            .with_protocol_versions(versions)
            .context("set TLS versions")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Witness(verifier)))
            .with_client_cert_resolver(Arc::new(Answer(answer)));
        config.alpn_protocols = super::alpn(Kind::Https);
        if let Some(keylog) = keylog {
            config.key_log = keylog;
        }
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), hellos: Hellos::default() })
    }

    /// The same for servers that speak `kind`.
    #[must_use]
    pub fn with(&self, kind: Kind) -> Self {
        let mut config = ClientConfig::clone(self.connector.config());
        config.alpn_protocols = super::alpn(kind);
        Self { connector: TlsConnector::from(Arc::new(config)), hellos: self.hellos.clone() }
    }

    /// The same, offering these protocols in ALPN, in their order; none, and there is no offer.
    #[must_use]
    pub fn offering(&self, protocols: &[Protocol]) -> Self {
        let mut config = ClientConfig::clone(self.connector.config());
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_str().into()).collect();
        Self { connector: TlsConnector::from(Arc::new(config)), hellos: self.hellos.clone() }
    }

    /// Whether what a connection begins with is the ClientHello of a handshake that is under way here: we have dialled ourselves.
    #[must_use]
    pub(crate) fn is_own_hello(&self, beginning: &[u8]) -> bool {
        self.hellos.contains(beginning)
    }

    /// Makes the handshake with `host` (a DNS name is sent as SNI; an address is not) that began at `since`.
    /// Bounds no time: the caller does.
    ///
    /// # Errors
    /// What went wrong, with the certificate that was shown, if any.
    pub async fn connect<IO>(&self, host: &str, since: Moment, io: IO) -> Result<Connected<IO>, Box<Refused>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match ServerName::try_from(host) {
            Ok(name) => name.to_owned(),
            Err(_) => return Err(refused(host, since, &io::Error::other("not a host name"), Seen::default())),
        };
        let offered = super::offer_names(self.connector.config().alpn_protocols.iter().map(|name| &**name));
        let (outcome, seen) = SEEN
            .scope(RefCell::default(), async {
                let outcome = self.shake(name, io).await;
                (outcome, SEEN.with(RefCell::take))
            })
            .await;
        match outcome {
            Ok(stream) => {
                let (_, session) = stream.get_ref();
                let mut handshake = blank(host, since);
                handshake.offered = offered;
                handshake.version = version_name(session.protocol_version());
                handshake.cipher = session.negotiated_cipher_suite().map(|suite| cipher_name(suite.suite()));
                handshake.alpn = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
                handshake.resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
                handshake.client_certificate_requested = seen.certificate_requested;
                let shown = session.peer_certificates().and_then(<[_]>::first);
                handshake.certificate = shown.map(|der| describe(der));
                Ok(Connected { stream, handshake })
            }
            Err(error) => {
                let mut refused = refused(host, since, &error, seen);
                refused.handshake.offered = offered;
                Err(refused)
            }
        }
    }

    async fn shake<IO>(&self, name: ServerName<'static>, io: IO) -> io::Result<TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut first = None;
        let mut connecting = self.connector.connect_with(name, io, |connection| {
            first = Some(self.hellos.take(connection));
        });
        if let (Some((flight, _)), Some(io)) = (&first, connecting.get_mut()) {
            io.write_all(flight).await?;
            io.flush().await?;
        }
        connecting.await
    }
}

/// `1.2` or `1.3`.
pub(crate) fn version_name(version: Option<rustls::ProtocolVersion>) -> Option<&'static str> {
    match version? {
        rustls::ProtocolVersion::TLSv1_2 => Some("1.2"),
        rustls::ProtocolVersion::TLSv1_3 => Some("1.3"),
        _ => None,
    }
}

/// The IANA name; rustls writes TLS 1.3 suites with another prefix.
pub(crate) fn cipher_name(suite: rustls::CipherSuite) -> String {
    suite.as_str().map_or_else(|| format!("{suite:?}"), |name| name.replacen("TLS13_", "TLS_", 1))
}

/// What a handshake showed before it ended. rustls gives verifiers and resolvers no connection to write it on, but
/// calls them within the handshake's own poll.
#[derive(Default)]
struct Seen {
    certificate: Option<CertificateDer<'static>>,
    certificate_accepted: bool,
    certificate_requested: bool,
    /// One was sent in answer.
    certificate_sent: bool,
}

tokio::task_local! {
    static SEEN: RefCell<Seen>;
}

/// Notes the certificate, then asks another verifier whether to believe it; its proof is the same for all.
#[derive(Debug)]
struct Witness(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let _ = SEEN.try_with(|seen| {
            let mut seen = seen.borrow_mut();
            seen.certificate = Some(end_entity.clone().into_owned());
            seen.certificate_accepted = verdict.is_ok();
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::verify(ProtocolVersion::TLSv1_2, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::verify(ProtocolVersion::TLSv1_3, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Accepts some certificates, or any; its holder still has to prove it holds the key.
#[derive(Debug)]
struct ByPin(Option<Vec<Pin>>);

impl ServerCertVerifier for ByPin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.0 {
            Some(pins) if !pins.contains(&Pin::of(end_entity)) => {
                let other = OtherPin(pins.clone());
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(other)))))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::verify(ProtocolVersion::TLSv1_2, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        proof::verify(ProtocolVersion::TLSv1_3, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        super::provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Answers a CertificateRequest with the configured certificate or with none, and notes it.
#[derive(Debug)]
struct Answer(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Answer {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let _ = SEEN.try_with(|seen| {
            let mut seen = seen.borrow_mut();
            seen.certificate_requested = true;
            seen.certificate_sent = self.0.is_some();
        });
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

fn by_roots(roots: RootCertStore) -> anyhow::Result<Arc<dyn ServerCertVerifier>> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), super::provider());
    Ok(verifier.build().context("use the roots")?)
}

fn system_roots() -> anyhow::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    for error in &found.errors {
        tracing::warn!(%error, "a system root could not be read");
    }
    if added == 0 {
        bail!("the system has no root certificates\nhint: name the server's CA with --upstream-ca FILE, or pin it");
    }
    Ok(roots)
}

fn file_roots(path: &Path) -> anyhow::Result<RootCertStore> {
    let certs: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| super::leaf::unreadable(error, path))?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certs);
    ensure!(
        added > 0,
        "{} holds no usable certificate in PEM form\nhint: openssl x509 -inform der -in FILE makes PEM of DER",
        path.display()
    );
    Ok(roots)
}

fn blank(host: &str, since: Moment) -> TlsHandshake {
    let at = clock::now();
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    TlsHandshake {
        leg: Leg::Upstream,
        at,
        took_us: at.us_since(since),
        version: None,
        cipher: None,
        alpn: None,
        offered: Vec::new(),
        pinned: None,
        sni: (!is_address).then(|| host.to_owned()),
        resumed: false,
        client_certificate_requested: false,
        certificate: None,
        failure: None,
    }
}

fn refused(host: &str, since: Moment, error: &io::Error, seen: Seen) -> Box<Refused> {
    let mut handshake = blank(host, since);
    handshake.client_certificate_requested = seen.certificate_requested;
    let certificate = seen.certificate.as_deref().map(describe);
    let shown = certificate.as_ref().zip(seen.certificate.as_deref()).map(|(certificate, der)| Shown {
        certificate,
        accepted: seen.certificate_accepted,
        unusable_key: proof::unusable_key(der),
    });
    let asked = match (seen.certificate_requested, seen.certificate_sent) {
        (false, _) => refusal::Asked::Nothing,
        (true, false) => refusal::Asked::InVain,
        (true, true) => refusal::Asked::Answered,
    };
    let (failure, hint) = refusal::judge(error, host, shown.as_ref(), asked);
    handshake.certificate = certificate;
    handshake.failure = Some(failure);
    Box::new(Refused { handshake, hint })
}
