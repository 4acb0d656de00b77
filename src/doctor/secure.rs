//! TLS and the server's certificate: what is spoken, what is shown, whether we believe it, and what would make us.
//!
//! The handshake is made with a client that believes anybody, so that an untrusted server still gets examined; trust is
//! judged by a second one. Nothing secret is sent on either. What [`crate::tls::upstream`] says about refusals is passed on.

use super::advice::ca_command;
use super::course::Line;
use super::old_tls::{self, Version};
use super::reach::connect;
use super::step::{Fault, Outcome};
use super::{Question, Way};
use crate::capture::observation::Certificate;
use crate::clock;
use crate::tls::certificate::{date, describe};
use crate::tls::leaf::COMMON_NAME;
use crate::tls::upstream::{Connected, Pin, Trust, Upstream};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// A certificate that ends sooner than this is worth a warning.
const EXPIRY_WARN_DAYS: i64 = 30;
/// For finding out by the way what else the server takes.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
const DAY_S: i64 = 86_400;

/// One version alone.
const TLS12: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
/// One version alone.
const TLS13: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// What the server showed.
pub(super) struct Shown {
    /// The chain as sent, end entity first.
    chain: Vec<Certificate>,
    pin: Pin,
}

impl Shown {
    /// What accepts this very certificate.
    pub(super) fn pin(&self) -> Pin {
        self.pin
    }
}

/// A connection as far as TLS.
pub(super) type Secured = Connected<TcpStream>;

/// What is spoken.
pub(super) async fn tls(question: &Question, address: SocketAddr) -> (Outcome, Option<Shown>) {
    let connected = match handshake(question, address, crate::tls::VERSIONS, &Trust::Insecure).await {
        Ok(connected) => connected,
        Err(fault) => return (too_old(question, address).await.unwrap_or_else(|| fault.into()), None),
    };
    let shown = chain(&connected);
    // One connection at a time: there are servers, and middleboxes, that take no more.
    let Connected { mut stream, handshake: seen } = connected;
    if seen.client_certificate_requested
        && let Some(fault) = refused_ours(question, &mut stream).await
    {
        return (fault.into(), None);
    }
    let _ = stream.shutdown().await;
    let tls13 = accepted(question, address, TLS13).await;
    let tls12 = accepted(question, address, TLS12).await;
    let tls11 = old(question, address, Version::Tls11).await;
    let tls10 = old(question, address, Version::Tls10).await;
    let said = format!(
        "TLS {}, {}, ALPN {}",
        seen.version.unwrap_or("of an unknown version"),
        seen.cipher.as_deref().unwrap_or("unknown cipher"),
        seen.alpn.as_deref().unwrap_or("not answered"),
    );
    let asked = if seen.client_certificate_requested { "asked for" } else { "not asked for" };
    let outcome = Outcome::ok(said)
        .passing("handshake", format!("{:.1} ms", seen.took_us as f64 / 1_000.0))
        .passing("accepts TLS 1.3", tls13)
        .passing("accepts TLS 1.2", tls12)
        .passing("accepts TLS 1.1", tls11)
        .passing("accepts TLS 1.0", tls10)
        .passing("client certificate", asked);
    match shown {
        Some(shown) => (outcome, Some(shown)),
        None => (Outcome::fail("the server showed no certificate", "is it a web server?"), None),
    }
}

/// A server that asked for a certificate judges it behind the handshake in TLS 1.3 (RFC 8446 section 4.4.2.4): what it said of
/// ours, or of there being none, if that is the end.
async fn refused_ours(question: &Question, stream: &mut TlsStream<TcpStream>) -> Option<Fault> {
    let mut first = [0];
    let ended = match timeout((question.limit / 4).min(PROBE_LIMIT), stream.read(&mut first)).await {
        // It waits for a request, or is not waiting for one.
        Err(_) | Ok(Ok(1..)) => return None,
        Ok(Ok(0)) => "by closing the connection".to_owned(),
        Ok(Err(error)) => match crate::tls::cause(&error) {
            Some(rustls::Error::AlertReceived(alert)) => {
                format!("with the TLS alert {}", crate::tls::alert_name(*alert))
            }
            _ => format!("by ending the connection ({error})"),
        },
    };
    Some(match &question.client {
        None => Fault::new(
            format!("the server wants a client certificate, and refused us {ended}"),
            "give it one that it knows: --upstream-client-cert FILE and --upstream-client-key FILE",
        ),
        Some(_) => Fault::new(
            format!("the server refused the client certificate {ended}"),
            "is its issuer known to the server, and is it still valid?",
        ),
    })
}

/// Whether one version alone is taken.
async fn accepted(
    question: &Question,
    address: SocketAddr,
    version: &[&'static rustls::SupportedProtocolVersion],
) -> String {
    match timeout((question.limit / 4).min(PROBE_LIMIT), attempt(question, address, version, &Trust::Insecure)).await {
        Ok(Ok(())) => "yes".to_owned(),
        Ok(Err(fault)) => format!("no: {}", fault.why),
        Err(_) => "no answer".to_owned(),
    }
}

/// Whether the server takes a version that neither we nor today's browsers speak.
async fn old(question: &Question, address: SocketAddr, version: Version) -> String {
    old_tls::accepted(question, address, version, (question.limit / 8).min(PROBE_LIMIT)).await
}

/// After a failed handshake: that the server knows nothing newer, if that is why.
async fn too_old(question: &Question, address: SocketAddr) -> Option<Outcome> {
    let (tls11, tls10) = (old(question, address, Version::Tls11).await, old(question, address, Version::Tls10).await);
    if tls11 != "yes" && tls10 != "yes" {
        return None;
    }
    let newest = if tls11 == "yes" { "1.1" } else { "1.0" };
    let advice = "no browser of today takes that, nor does this proxy: TLS 1.2 must be switched on at the server, \
                  or a newer release installed";
    let outcome = Outcome::fail(format!("the server speaks TLS {newest} and nothing newer"), advice);
    Some(outcome.passing("accepts TLS 1.1", tls11).passing("accepts TLS 1.0", tls10))
}

/// Whether the certificate is trusted; if so, how later connections are made.
pub(super) async fn certificate(
    question: &Question,
    way: Way,
    address: SocketAddr,
    shown: &Shown,
) -> (Outcome, Option<Upstream>) {
    let Some(leaf) = shown.chain.first() else { return (Outcome::skipped("there is none"), None) };
    let facts = facts(shown).into_facts();
    let own = leaf.subject.contains(COMMON_NAME);
    if own && way == Way::Direct {
        let advice = format!(
            "the name leads back to the proxy: name the server's real address, --resolve {}:ADDRESS",
            question.server.host
        );
        return (Outcome::fail("this is finesse-tap itself, not the server", advice).with(facts), None);
    }
    let (outcome, upstream) = match way {
        Way::Direct => directly(question, address).await,
        Way::Through(_) => through(question, address, shown).await,
    };
    let left_days = (leaf.not_after - clock::now().wall_us / 1_000_000).div_euclid(DAY_S);
    let outcome = match (upstream.is_some(), left_days) {
        (true, ..0) => Outcome::warn(
            format!("trusted, but it expired on {}", date(leaf.not_after)),
            "renew the server's certificate: browsers refuse it",
        ),
        (true, 0..EXPIRY_WARN_DAYS) if !own => Outcome::warn(
            format!("trusted, but it expires in {left_days} days, on {}", date(leaf.not_after)),
            "the server will need a new one; a pin ends with the old one",
        ),
        _ => outcome,
    };
    (outcome.with(facts), upstream)
}

async fn directly(question: &Question, address: SocketAddr) -> (Outcome, Option<Upstream>) {
    if let Err(fault) = attempt(question, address, crate::tls::VERSIONS, &question.trust).await {
        return (fault.into(), None);
    }
    let outcome = match &question.trust {
        Trust::System => Outcome::ok("trusted: the system's roots vouch for it"),
        Trust::Ca(path) => Outcome::ok(format!("trusted: {} vouches for it", path.display())),
        Trust::Pins(_) => Outcome::ok("trusted: it is the pinned one"),
        Trust::Insecure => Outcome::warn(
            "not looked at: --upstream-insecure trusts anybody",
            "for test networks only; --upstream-pin with the pin below is as easy and safe",
        ),
    };
    (outcome, upstream(question, &question.trust).ok())
}

/// Through a proxy the certificate is the proxy's: of its own CA, or one that somebody brought along.
async fn through(question: &Question, address: SocketAddr, shown: &Shown) -> (Outcome, Option<Upstream>) {
    if attempt(question, address, crate::tls::VERSIONS, &Trust::System).await.is_ok() {
        let outcome = Outcome::ok("trusted: the system's roots vouch for it");
        return (outcome, upstream(question, &Trust::System).ok());
    }
    let ca = Trust::Ca(question.proxy_ca.clone());
    if question.proxy_ca.exists() && attempt(question, address, crate::tls::VERSIONS, &ca).await.is_ok() {
        let outcome = Outcome::warn(
            format!(
                "trusted by us: {} vouches for it; this system does not trust that CA",
                question.proxy_ca.display()
            ),
            format!("where the browser runs it must be trusted: `{}` says how", ca_command(question)),
        );
        return (outcome, upstream(question, &ca).ok());
    }
    match attempt(question, address, crate::tls::VERSIONS, &question.trust).await {
        Ok(()) if question.trust == Trust::Insecure => {
            let outcome = Outcome::warn("not looked at: --upstream-insecure trusts anybody", "for test networks only");
            (outcome, upstream(question, &question.trust).ok())
        }
        Ok(()) => {
            let outcome = Outcome::ok("trusted: it is a certificate of the server's own");
            (outcome, upstream(question, &question.trust).ok())
        }
        Err(_) => {
            let minted = shown.chain.first().is_some_and(|leaf| leaf.subject.contains(COMMON_NAME));
            let seen = if minted {
                format!("finesse-tap's, but not of the CA in {}", question.proxy_ca.display())
            } else {
                "neither the system's roots nor the proxy's CA vouch for it".to_owned()
            };
            let advice = "name the directory in which that proxy keeps its CA: --certs DIR";
            (Outcome::fail(seen, advice), None)
        }
    }
}

/// The way to make connections that this trust accepts.
pub(super) fn upstream(question: &Question, trust: &Trust) -> anyhow::Result<Upstream> {
    Upstream::new(trust, question.client.as_ref(), None)
}

/// A connection by this line; what stands in its way is a fault.
pub(super) async fn secured(question: &Question, line: &Line) -> Result<Secured, Fault> {
    over(question, line.address, &line.upstream).await
}

/// A handshake for its own sake, left in good order.
async fn attempt(
    question: &Question,
    address: SocketAddr,
    versions: &[&'static rustls::SupportedProtocolVersion],
    trust: &Trust,
) -> Result<(), Fault> {
    let mut connected = handshake(question, address, versions, trust).await?;
    let _ = connected.stream.shutdown().await;
    Ok(())
}

async fn handshake(
    question: &Question,
    address: SocketAddr,
    versions: &[&'static rustls::SupportedProtocolVersion],
    trust: &Trust,
) -> Result<Secured, Fault> {
    let upstream =
        Upstream::speaking(versions, trust, question.client.as_ref(), None).map_err(|error| Fault::of(&error))?;
    over(question, address, &upstream).await
}

async fn over(question: &Question, address: SocketAddr, upstream: &Upstream) -> Result<Secured, Fault> {
    let tcp = connect(address, question.limit)
        .await
        .map_err(|why| Fault::new(format!("no connection to {address}: {why}"), "did the server just go down?"))?;
    upstream.connect(&question.server.host, clock::now(), tcp).await.map_err(|refused| Fault {
        why: refused.handshake.failure.map_or_else(|| "the TLS handshake failed".to_owned(), |failure| failure.why),
        advice: refused.hint,
    })
}

fn chain(connected: &Secured) -> Option<Shown> {
    let (_, session) = connected.stream.get_ref();
    let ders = session.peer_certificates()?;
    let chain = ders.iter().map(|der| describe(der)).collect();
    Some(Shown { chain, pin: Pin::of(ders.first()?) })
}

fn facts(shown: &Shown) -> Outcome {
    let mut outcome = Outcome::ok("");
    for (index, certificate) in shown.chain.iter().enumerate() {
        let names = if certificate.sans.is_empty() { "none".to_owned() } else { certificate.sans.join(", ") };
        outcome = outcome.passing(if index == 0 { "subject" } else { "above it" }, &certificate.subject);
        outcome = outcome.passing("issuer", &certificate.issuer);
        if index == 0 {
            outcome = outcome.passing("names", names);
        }
        let valid = format!("{} to {}", date(certificate.not_before), date(certificate.not_after));
        outcome = outcome.passing("valid", valid).passing("sha256", &certificate.sha256);
    }
    outcome.passing("pin", format!("--upstream-pin {}", shown.pin))
}
