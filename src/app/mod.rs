//! Wires everything together: a configuration becomes a running proxy with its tap, bus and sinks.
//!
//! Start: bind, certificates, upstream, recorder, then the facts on standard error, then traffic. Stop follows the data:
//! stop accepting, connections finish or meet the grace limit, the tap ends, the sinks flush.

mod banner;
mod browse;
mod demo;
mod doctor;
mod export;
mod import;
mod progress;
mod recorder;
mod scan;
mod share;
mod ship;
mod signal;

pub use browse::browse;
pub use demo::demo;
pub use doctor::doctor;
pub use export::export;
pub use import::import;
pub use scan::scan;
pub use share::{resolve, share};
use ship::Shippers;
pub use ship::ship;

use crate::ca_text::CaFacts;
use crate::clock;
use crate::config::{Ca, Identity, Listener, Run};
use crate::conn::Kind;
use crate::proxy::{self, Route};
use crate::tls;
use crate::tls::ca::{Ca as Authorities, Listing};
use crate::tls::front::Front;
use crate::tls::keylog::KeyLogFile;
use crate::tls::leaf;
use crate::tls::upstream::{ClientCertificate, Upstream};
use anyhow::{Context as _, anyhow, bail};
use banner::Fronted;
use recorder::Recorder;
use signal::Signals;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Runs the proxy until it is told to stop.
///
/// # Errors
/// What keeps it from starting: addresses, certificates, the capture directory, an upstream that leads back to us.
pub fn run(config: Run) -> anyhow::Result<()> {
    prepare_process();
    let settings = config.settings();
    runtime()?.block_on(async {
        let wanted = config.traffic.listeners();
        let listeners = bind(wanted.iter().map(|listener| listener.address)).await?;
        let addresses = addresses(&listeners)?;
        let hosts = config.traffic.hosts();
        let keylog = config.keylog.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        let certificate = certificate(&config, &hosts, &addresses)?;
        let client =
            config.client_identity.map(|identity| ClientCertificate { cert: identity.cert, key: identity.key });
        let proxy = proxy::Config {
            routes: routes(&wanted, &addresses)?,
            resolve: config.resolve,
            front: Front::new(certificate.identity, keylog.clone())?,
            upstream: Upstream::new(&config.trust, client.as_ref(), keylog)?,
            rewriting: config.rewriting,
            limits: config.limits,
        };
        let fronted = fronted(&proxy).await?;
        let browsing = match &config.browser {
            Some(browser) => Some(browse::Plan::new(browser, &proxy.routes, &proxy.front.identity.spki_sha256())?),
            None => None,
        };
        // Before the facts are printed: whoever waits for them may send a signal at once.
        let signals = Signals::install()?;
        ship::announce(&config.ship);
        let recorder = Recorder::start(&config.record, &hosts, settings, recorder::Show::OnTerminal)?;
        let shippers = Shippers::start(&config.ship)?;
        banner::print(&banner::Facts {
            fronted: &fronted,
            capture: &recorder.place(),
            redaction: config.record.redact,
            cas: &certificate.cas,
            spki_sha256: &proxy.front.identity.spki_sha256(),
        });
        let shutdown = CancellationToken::new();
        signals.watch(shutdown.clone(), recorder.bus());
        let beside = browse::beside(browsing, shutdown.clone());
        let (summary, ()) = tokio::join!(proxy::run(listeners, proxy, recorder.intake(), shutdown), beside);
        let summary = summary?;
        tracing::info!(connections = summary.accepted, cut = summary.cut, "stopped");
        recorder.finish()?;
        shippers.finish();
        Ok(())
    })
}

/// The CAs that `ca` is asked about; those for `upstreams` are made where they are missing.
///
/// # Errors
/// The directory cannot be read, or a CA cannot be made.
pub fn authorities(config: &Ca) -> anyhow::Result<Vec<CaFacts>> {
    let hosts: Vec<&str> = config.upstreams.iter().map(|server| &*server.host).collect();
    let listings = match &*hosts {
        [] => tls::ca::list(&config.certs)?,
        hosts => {
            let cas = Authorities::open_all(&config.certs, hosts, &[], clock::now())?;
            cas.iter().map(|ca| ca.listing().clone()).collect()
        }
    };
    Ok(listings.into_iter().map(facts).collect())
}

/// Listeners as they were asked for, with the addresses they are bound to, become routes.
fn routes(wanted: &[Listener], addresses: &[SocketAddr]) -> anyhow::Result<Vec<Route>> {
    let mut routes = Vec::new();
    for (Listener { address, kind, servers }, bound) in wanted.iter().zip(addresses) {
        if *kind != Kind::Https {
            bail!("{address}: routes of the scheme {} cannot be relayed yet", kind.scheme());
        }
        routes.extend(servers.iter().map(|server| Route { listener: *bound, upstream: server.clone(), kind: *kind }));
    }
    Ok(routes)
}

/// Every route with the addresses that would be dialled now. Those that lead nowhere are warned about.
///
/// # Errors
/// None leads anywhere.
async fn fronted(config: &proxy::Config) -> anyhow::Result<Vec<Fronted>> {
    let found = proxy::upstream_addresses(config).await;
    if found.iter().all(Result::is_err)
        && let Some(Err(unreachable)) = found.first()
    {
        return Err(failed(unreachable.clone()));
    }
    for unreachable in found.iter().filter_map(|found| found.as_ref().err()) {
        // Whoever asks for this server gets a page that says so; the others are served.
        tracing::warn!(why = unreachable.why, hint = unreachable.hint, "an upstream cannot be reached");
    }
    Ok(config.routes.iter().cloned().zip(found).collect())
}

fn failed(unreachable: proxy::Unreachable) -> anyhow::Error {
    match unreachable.hint {
        Some(hint) => anyhow!("{}\nhint: {hint}", unreachable.why),
        None => anyhow!("{}", unreachable.why),
    }
}

fn facts(listing: Listing) -> CaFacts {
    CaFacts {
        path: listing.path,
        names: listing.permitted,
        not_before: listing.certificate.not_before,
        not_after: listing.certificate.not_after,
        sha256: listing.certificate.sha256,
        subject: listing.certificate.subject,
    }
}

/// Who the proxy is to the browser, and its CAs if it has any.
struct Certificate {
    identity: leaf::Identity,
    cas: Vec<Listing>,
}

fn certificate(config: &Run, hosts: &[String], listening: &[SocketAddr]) -> anyhow::Result<Certificate> {
    match &config.own_identity {
        Some(Identity { cert, key }) => {
            Ok(Certificate { identity: leaf::Identity::Own(leaf::Own::load(cert, key)?), cas: Vec::new() })
        }
        None => {
            let minter = minted(&config.certs, hosts, listening)?;
            let cas = minter.cas().map(|ca| ca.listing().clone()).collect();
            Ok(Certificate { identity: leaf::Identity::Minted(Box::new(minter)), cas })
        }
    }
}

fn minted(certs: &Path, hosts: &[String], listening: &[SocketAddr]) -> anyhow::Result<leaf::Minter> {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let listening: Vec<IpAddr> = listening.iter().map(SocketAddr::ip).collect();
    let cas = Authorities::open_all(certs, &hosts, &listening, clock::now())?;
    Ok(leaf::Minter::new(cas, hosts, listening))
}

async fn bind(addresses: impl IntoIterator<Item = SocketAddr>) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => "\nhint: something listens there already; stop it, or choose another --listen or --route (port 0 takes any free one)",
                std::io::ErrorKind::PermissionDenied => "\nhint: ports below 1024 need more rights; choose another --listen or --route",
                std::io::ErrorKind::AddrNotAvailable => "\nhint: no interface of this machine has that address; 127.0.0.1 always works",
                _ => "",
            };
            anyhow!("listen on {address}: {error}{hint}")
        })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn addresses(listeners: &[TcpListener]) -> anyhow::Result<Vec<SocketAddr>> {
    listeners.iter().map(|listener| listener.local_addr().context("read a listener's address")).collect()
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_name("relay").build().context("start the runtime")
}

/// Room for two sockets a connection; no core file and no panic message that would hold what the log must not.
fn prepare_process() {
    std::panic::set_hook(Box::new(|panic| {
        // Only the place: the message may quote what passed through.
        let place = panic.location().map_or_else(|| String::from("an unknown place"), ToString::to_string);
        tracing::error!(place, "an error in finesse-tap itself; please report it");
    }));
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
    #[cfg(unix)]
    if let Err(error) = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0) {
        tracing::debug!(%error, "core files stay possible");
    }
}
