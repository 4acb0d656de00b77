//! Wires everything together: a configuration becomes a running proxy with its tap, bus and sinks.
//!
//! Start: bind, certificates, upstream, recorder, then the facts on standard error, then traffic. Stop follows the data:
//! stop accepting, connections finish or meet the grace limit, the tap ends, the sinks flush.

mod admin;
mod assets;
mod banner;
mod demo;
mod doctor;
mod export;
mod import;
mod progress;
mod recorder;
mod scan;
mod share;
mod signal;

pub use assets::assets;
pub use demo::demo;
pub use doctor::doctor;
pub use export::export;
pub use import::import;
pub use scan::scan;
pub use share::{resolve, share};

use crate::ca_text::CaFacts;
use crate::clock;
use crate::config::{Ca, Identity, Run};
use crate::conn::Authority;
use crate::proxy;
use crate::tls;
use crate::tls::ca::{Ca as Authorities, Listing, Scope};
use crate::tls::front::Front;
use crate::tls::keylog::KeyLogFile;
use crate::tls::leaf;
use crate::tls::upstream::{ClientCertificate, Upstream};
use admin::Admin;
use anyhow::{Context as _, anyhow};
use recorder::{Counted, Recorder};
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
        let listeners = bind(&config.listen).await?;
        let addresses = addresses(&listeners)?;
        let admin = admin::bind(config.admin).await?;
        let keylog = config.keylog.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        let certificate = certificate(&config, &addresses)?;
        let client =
            config.client_identity.map(|identity| ClientCertificate { cert: identity.cert, key: identity.key });
        let proxy = proxy::Config {
            fronted: vec![config.upstream.clone()],
            resolve: config.resolve,
            front: Front::new(certificate.identity, keylog.clone())?,
            upstream: Upstream::new(&config.trust, client.as_ref(), keylog)?,
            limits: config.limits,
        };
        let dialled = proxy::upstream_addresses(&proxy, &addresses).await.map_err(failed)?;
        // Before the facts are printed: whoever waits for them may send a signal at once.
        let signals = Signals::install()?;
        let counted = if admin.is_some() { Counted::Yes } else { Counted::No };
        let recorder =
            Recorder::start(&config.record, &config.upstream.host, settings, recorder::Show::OnTerminal, counted)?;
        let admin = admin.map(|listener| admin::start(listener, &recorder));
        banner::print(&banner::Facts {
            listening: &addresses,
            upstream: &config.upstream,
            dialled: &dialled,
            capture: &recorder.place(),
            redaction: config.record.redact,
            ca: certificate.ca.as_ref(),
            admin: admin.as_ref().map(Admin::address),
        });
        let shutdown = CancellationToken::new();
        signals.watch(shutdown.clone(), recorder.bus());
        if let Some(admin) = &admin {
            admin.told_of(&shutdown, &recorder);
        }
        let summary = proxy::run(listeners, proxy, recorder.intake(), shutdown).await?;
        tracing::info!(connections = summary.accepted, cut = summary.cut, "stopped");
        recorder.finish()
    })
}

/// The CAs that `ca` is asked about; the one for `upstream` is made if it is missing.
///
/// # Errors
/// The directory cannot be read, or the CA cannot be made.
pub fn authorities(config: &Ca) -> anyhow::Result<Vec<CaFacts>> {
    let listings = match &config.upstream {
        Some(server) => {
            let scope = Scope::of([&*server.host]);
            vec![Authorities::open(&config.certs, &server.host, &scope, clock::now())?.listing().clone()]
        }
        None => tls::ca::list(&config.certs)?,
    };
    Ok(listings.into_iter().map(facts).collect())
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

/// Who the proxy is to the browser, and its CA if it has one.
struct Certificate {
    identity: leaf::Identity,
    ca: Option<Listing>,
}

fn certificate(config: &Run, listening: &[SocketAddr]) -> anyhow::Result<Certificate> {
    match &config.own_identity {
        Some(Identity { cert, key }) => {
            Ok(Certificate { identity: leaf::Identity::Own(leaf::Own::load(cert, key)?), ca: None })
        }
        None => {
            let minter = minted(&config.certs, &config.upstream, listening)?;
            let ca = Some(minter.ca().listing().clone());
            Ok(Certificate { identity: leaf::Identity::Minted(Box::new(minter)), ca })
        }
    }
}

fn minted(certs: &Path, server: &Authority, listening: &[SocketAddr]) -> anyhow::Result<leaf::Minter> {
    let mut scope = Scope::of([&*server.host]);
    listening.iter().map(SocketAddr::ip).for_each(|ip: IpAddr| scope.add_address(ip));
    let ca = Authorities::open(certs, &server.host, &scope, clock::now())?;
    Ok(leaf::Minter::new(ca, &server.host, &scope))
}

async fn bind(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => "\nhint: something listens there already; stop it, or choose another --listen ADDR:PORT (port 0 takes any free one)",
                std::io::ErrorKind::PermissionDenied => "\nhint: ports below 1024 need more rights; choose another --listen ADDR:PORT",
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
