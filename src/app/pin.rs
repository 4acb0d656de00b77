//! `--upstream-pin ask`: the certificate of a server that is not known yet is shown to a person, and kept once accepted.
//!
//! Kept in `CERTS/upstream.pins`, a line per server: `HOST:PORT sha256:HEX since DATE`. Lines are only added: a server that
//! shows another certificate later is refused until somebody removes its line. Nobody is asked but on a terminal.

use super::hosts::is_agreed;
use crate::capture::observation::Certificate;
use crate::clock;
use crate::conn::Authority;
use crate::glyph::tame;
use crate::tls::certificate::date;
use crate::tls::upstream::{Pin, Trust, Upstream};
use anyhow::{Context as _, anyhow, bail};
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// The file in the directory of the CAs.
const FILE: &str = "upstream.pins";

/// Which servers, and how they are reached.
pub(super) struct Wanted<'w> {
    pub(super) servers: Vec<Authority>,
    pub(super) resolve: &'w [(String, IpAddr)],
    pub(super) certs: &'w Path,
    /// For reaching one of them.
    pub(super) limit: Duration,
    /// What was asked for besides.
    pub(super) trust: &'w Trust,
}

/// A server's certificate that was accepted once.
#[derive(PartialEq, Eq, Debug)]
struct Kept {
    server: String,
    pin: Pin,
    since: String,
}

/// Trust in the certificates that were accepted; who is not known yet is asked about.
///
/// # Errors
/// Nobody is there to be asked, the answer is no, a server cannot be reached, or the file cannot be read or written.
pub(super) async fn settle(wanted: &Wanted<'_>) -> anyhow::Result<Trust> {
    let path = wanted.certs.join(FILE);
    let kept = read(&path)?;
    let mut pins = given(wanted.trust);
    for server in &wanted.servers {
        if let Some(kept) = kept.iter().find(|kept| kept.server == server.to_string()) {
            let path = path.display();
            say(&format!(
                "upstream {server} has the certificate {}, accepted {} (kept in {path})\n",
                kept.pin, kept.since
            ));
            pins.push(kept.pin);
            continue;
        }
        if !io::stdin().is_terminal() {
            bail!(
                "--upstream-pin ask: standard input is no terminal, nobody can be asked about {server}\nhint: name its certificate, --upstream-pin sha256:HEX, which `finesse-tap doctor {server}` shows"
            );
        }
        let (certificate, reason) = shown(wanted, server).await?;
        let pin: Pin = format!("sha256:{}", certificate.sha256).parse().map_err(|why: String| anyhow!(why))?;
        if pins.contains(&pin) {
            continue;
        }
        say(&described(server, &certificate, reason.as_deref()));
        if !is_agreed("Accept this certificate from now on?")? {
            bail!(
                "the certificate of {server} was not accepted\nhint: ask the server's administrator for its SHA-256 fingerprint and compare"
            );
        }
        keep(&path, &Kept { server: server.to_string(), pin, since: date(clock::now().wall_us / 1_000_000) })?;
        say(&format!("kept in {}: remove the line to be asked again\n", path.display()));
        pins.push(pin);
    }
    Ok(Trust::Pins(pins))
}

/// The same without asking: for a run that is under way.
///
/// # Errors
/// A server is not known yet.
pub(super) fn known(wanted: &Wanted<'_>) -> anyhow::Result<Trust> {
    let kept = read(&wanted.certs.join(FILE))?;
    let mut pins = given(wanted.trust);
    for server in &wanted.servers {
        let kept = kept.iter().find(|kept| kept.server == server.to_string());
        let kept = kept.ok_or_else(|| {
            anyhow!("the certificate of {server} was not accepted yet\nhint: start anew to be asked about it")
        })?;
        pins.push(kept.pin);
    }
    Ok(Trust::Pins(pins))
}

fn given(trust: &Trust) -> Vec<Pin> {
    match trust {
        Trust::Pins(pins) => pins.clone(),
        Trust::System | Trust::Ca(_) | Trust::Insecure => Vec::new(),
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Kept>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.with_context(|| format!("read {}", path.display()))?,
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let kept = lines.map(|(at, line)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [server, pin, since @ ..] => {
                pin.parse().ok().map(|pin| Kept { server: (*server).to_owned(), pin, since: since.join(" ") })
            }
            _ => None,
        }
        .ok_or_else(|| {
            let place = format!("{}:{}", path.display(), at + 1);
            anyhow!("{place}: is not HOST:PORT sha256:HEX\nhint: remove the line to be asked again")
        })
    });
    kept.collect()
}

fn keep(path: &Path, kept: &Kept) -> anyhow::Result<()> {
    let write = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(format!("{} {} {}\n", kept.server, kept.pin, kept.since).as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("keep the certificate in {}", path.display()))
}

/// The certificate that a server shows, and why the system does not trust it if it does not.
async fn shown(wanted: &Wanted<'_>, server: &Authority) -> anyhow::Result<(Certificate, Option<String>)> {
    let asking = async {
        let io = TcpStream::connect(&*addresses(wanted, server).await?).await?;
        let upstream =
            Upstream::new(&Trust::System, None, None).or_else(|_| Upstream::new(&Trust::Insecure, None, None));
        let upstream = upstream.map_err(io::Error::other)?;
        Ok::<_, io::Error>(upstream.connect(&server.host, clock::now(), io).await)
    };
    let reached = || format!("reach {server} to see its certificate");
    let answered = timeout(wanted.limit, asking).await.with_context(reached)?.with_context(reached)?;
    let (handshake, reason) = match answered {
        Ok(connected) => (connected.handshake, None),
        Err(refused) => {
            let why = refused.handshake.failure.as_ref().map(|failure| failure.why.clone());
            (refused.handshake, why)
        }
    };
    match handshake.certificate {
        Some(certificate) => Ok((certificate, reason)),
        None => Err(anyhow!(reason.unwrap_or_default())).with_context(|| format!("{server} showed no certificate")),
    }
}

async fn addresses(wanted: &Wanted<'_>, server: &Authority) -> io::Result<Vec<SocketAddr>> {
    let of_host = wanted.resolve.iter().filter(|(host, _)| *host == server.host);
    let told: Vec<SocketAddr> = of_host.map(|(_, ip)| SocketAddr::new(*ip, server.port)).collect();
    if !told.is_empty() {
        return Ok(told);
    }
    Ok(lookup_host((&*server.host, server.port)).await?.collect())
}

/// What a person compares.
fn described(server: &Authority, certificate: &Certificate, reason: Option<&str>) -> String {
    let Certificate { subject, issuer, not_before, not_after, sha256, .. } = certificate;
    let trusted = reason.unwrap_or("this system trusts it");
    let pairs: Vec<String> =
        sha256.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    format!(
        "{server} shows a certificate that is not known here:\n  subject  {subject}\n  issuer   {issuer}\n  valid    {} to {}\n  SHA-256  {}\n  trust    {trusted}\nCompare the fingerprint with what the server's administrator says.\n",
        date(*not_before),
        date(*not_after),
        pairs.join(":"),
    )
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = io::stderr().write_all(tame(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn wanted<'w>(certs: &'w Path, trust: &'w Trust, servers: &[&str]) -> Wanted<'w> {
        let servers = servers.iter().map(|server| Authority::parse(server, 8445).unwrap()).collect();
        Wanted { servers, resolve: &[], certs, limit: Duration::from_secs(1), trust }
    }

    #[test]
    fn what_was_accepted_is_kept_by_server_and_nothing_else_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path: PathBuf = dir.path().join("certs").join(FILE);
        let pins: Vec<Pin> = ["11", "22"].map(|byte| format!("sha256:{}", byte.repeat(32)).parse().unwrap()).into();
        for (server, pin) in [("a:8445", pins[0]), ("b:8445", pins[1])] {
            keep(&path, &Kept { server: server.to_owned(), pin, since: "2026-01-15".to_owned() }).unwrap();
        }
        let none = Trust::Pins(Vec::new());
        let certs = dir.path().join("certs");
        assert_eq!(known(&wanted(&certs, &none, &["b"])).unwrap(), Trust::Pins(vec![pins[1]]));
        let given = Trust::Pins(vec![pins[1]]);
        assert_eq!(known(&wanted(&certs, &given, &["a"])).unwrap(), Trust::Pins(vec![pins[1], pins[0]]));
        let error = known(&wanted(&certs, &none, &["a", "a:7443"])).unwrap_err().to_string();
        assert!(error.starts_with("the certificate of a:7443 was not accepted yet\nhint: "), "{error}");
        std::fs::write(&path, "a:8445 sha256:11\n").unwrap();
        let error = known(&wanted(&certs, &none, &["a"])).unwrap_err().to_string();
        assert!(error.contains("upstream.pins:1: is not HOST:PORT sha256:HEX"), "a torn line was believed: {error}");
    }

    #[test]
    fn a_person_sees_what_to_compare() {
        let certificate = Certificate {
            subject: "CN=uccx".to_owned(),
            issuer: "CN=uccx".to_owned(),
            sans: Vec::new(),
            not_before: 0,
            not_after: 86_400,
            sha256: "ab".repeat(32),
        };
        let text = described(&Authority::parse("uccx", 8445).unwrap(), &certificate, Some("self-signed"));
        for wanted in
            ["uccx:8445 shows", "CN=uccx", "1970-01-01 00:00 UTC to 1970-01-02", &["AB"; 32].join(":"), "self-signed"]
        {
            assert!(text.contains(wanted), "{wanted} is not in {text}");
        }
    }
}
