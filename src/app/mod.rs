//! Wires everything together: a configuration becomes a running proxy with its tap, bus and sinks.
//!
//! Start: bind, certificates, upstream, recorder, then the facts on standard error, then traffic. Stop follows the data:
//! stop accepting, connections finish or meet the grace limit, the tap ends, the sinks flush.

mod admin;
mod assets;
mod banner;
mod browse;
mod captures;
mod console;
mod control;
mod demo;
mod doctor;
mod echo;
mod export;
mod hosts;
mod import;
mod notify;
mod pin;
mod progress;
mod recorder;
mod reload;
mod remedy;
mod report;
mod running;
mod scan;
mod share;
mod ship;
mod signal;

pub use assets::assets;
pub use browse::browse;
pub use console::open;
pub use demo::demo;
pub use doctor::doctor;
pub use export::export;
pub use hosts::hosts;
pub use import::import;
pub use reload::reload;
pub use remedy::explained;
pub use report::{compare, report};
pub use scan::scan;
pub use share::{resolve, share};
use ship::Shippers;
pub use ship::ship;
pub use signal::{STOPPED_AT_ONCE, StoppedAtOnce};

use crate::ca_text::CaFacts;
use crate::cli::{CaFlags, Listener, Live, Run};
use crate::clock;
use crate::conn::{Authority, Kind};
use crate::console::Pushed;
use crate::proxy::{self, Orders, Route};
use crate::tls;
use crate::tls::ca::{Ca as Authorities, Listing};
use crate::tls::keylog::KeyLogFile;
use crate::tls::leaf;
use admin::Admin;
use anyhow::{Context as _, anyhow, ensure};
use banner::Fronted;
use control::Control;
use echo::Silence;
use recorder::{Counted, Recorder};
use running::{Fronting, Running};
use signal::Signals;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the end of a run may take beside `--grace`: to decode, write and deliver what is left. With the last look at the
/// shippers it stays within a second.
const END_LIMIT: Duration = Duration::from_millis(700);

/// Reloads that wait for the one under way.
const MAX_ASKED: usize = 4;

/// Runs the proxy until it is told to stop. `again` reads the configuration once more, for a reload.
///
/// # Errors
/// What keeps it from starting: addresses, certificates, the capture directory, an upstream that leads back to us. Or
/// [`StoppedAtOnce`].
pub fn run(mut config: Run, again: impl Fn() -> Result<Run, String>) -> anyhow::Result<()> {
    prepare_process();
    config.ship.iter().try_for_each(|plan| plan.receiver.check())?;
    block_on(async {
        if config.asks_for_pins {
            let trust = pin::settle(&pins(&config)).await?;
            config.trust = trust;
        }
        let admin = admin::bind(config.admin).await?;
        let keylog = config.keylog.as_deref().map(KeyLogFile::open).transpose()?.map(Arc::new);
        let front = Fronting::new(&config, keylog.as_ref(), &[]).await?;
        let fronted = fronted(&front.proxy).await?;
        let browsing = match &config.browser {
            Some(browser) => {
                let keys = front.proxy.front.identity.spki_sha256();
                Some(browse::Plan::new(browser, &front.proxy.routes, &keys)?)
            }
            None => None,
        };
        // Before the facts are printed: whoever waits for them may send a signal at once.
        let signals = Signals::install()?;
        ship::announce(&config.ship);
        let servers = config.traffic.servers();
        let counted = if admin.is_some() { Counted::Yes } else { Counted::No };
        let pushed = config.console.is_some().then(Pushed::default);
        let recorder = Recorder::start(
            &config.record,
            &servers,
            &config.settings(),
            recorder::Show::OnTerminal,
            counted,
            pushed.clone(),
        )?;
        let page = match config.console {
            Some(_) => {
                let hosts: Vec<&str> = servers.iter().map(|server| &*server.host).collect();
                Some(console::live(hosts.join(", "), &config.record.capture, &recorder, pushed).await?)
            }
            None => None,
        };
        let shippers = Shippers::start(&config.ship)?;
        let admin = admin.map(|bound| Admin::start(bound, &recorder, &shippers));
        let (asking, mut asked) = mpsc::channel(MAX_ASKED);
        let control = Control::open(&config.certs, asking.clone()).await;
        banner::print(&banner::Facts {
            fronted: &fronted,
            capture: &recorder.place(),
            redaction: config.record.redact,
            cas: &front.cas,
            spki_sha256: &front.proxy.front.identity.spki_sha256(),
            admin: admin.as_ref().map(Admin::address),
            console: page.as_ref().map(console::Served::address),
        });
        let _silence = (config.record.live != Live::Off).then(Silence::begin);
        if let (Some(page), Some(opening)) = (&page, config.console) {
            page.browse(opening);
        }
        notify::ready();
        let orders = Orders::default();
        // One that finds no room is one of many that ask for the same.
        signals.watch(orders.clone(), move || drop(asking.try_send(None)));
        if let Some(admin) = &admin {
            admin.told_of(&orders.drain, &recorder);
        }
        let beside = browse::beside(browsing, &orders);
        let (changing, changes) = mpsc::channel(1);
        let Fronting { proxy, listeners, bound, .. } = front;
        let mut running = Running { config, keylog, bound, recorder, changing, ending: orders.drain.clone() };
        let intake = running.recorder.intake();
        let proxying = proxy::run_changing(listeners, proxy, intake, changes, orders.clone());
        let over = CancellationToken::new();
        let serving = async {
            let (summary, ()) = tokio::join!(proxying, beside);
            over.cancel();
            summary
        };
        // Beside the rest: a reload waits for names to be resolved, a stop must not.
        let reloading = over.run_until_cancelled(async {
            while let Some(asker) = asked.recv().await {
                control::answer(asker, running.reload(again()).await);
            }
        });
        let stopping = over.run_until_cancelled(async {
            orders.drain.cancelled().await;
            clock::now()
        });
        let (summary, _, stopped) = tokio::join!(serving, reloading, stopping);
        drop((control, page));
        let summary = summary?;
        tracing::info!(connections_in_all = summary.accepted, cut = summary.cut, "stopped");
        let stopped = stopped.unwrap_or_else(clock::now);
        let left = || (running.config.limits.grace + END_LIMIT).saturating_sub(clock::now().since(stopped));
        let kept = running.recorder.finish(left());
        shippers.finish(left(), &orders.cut);
        kept?;
        signal::ended(&orders)
    })
}

/// Whose certificates `run` asks about.
fn pins(config: &Run) -> pin::Wanted<'_> {
    let listeners = config.traffic.listeners().into_iter().filter(|listener| listener.kind != Kind::XmppStartTls);
    let mut servers: Vec<Authority> = Vec::new();
    for server in listeners.flat_map(|listener| listener.servers) {
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    let (resolve, certs, limit) = (&*config.resolve, &*config.certs, config.limits.connect);
    pin::Wanted { servers, resolve, certs, limit, trust: &config.trust }
}

/// The CAs that `ca` is asked about; those for `servers` are made where they are missing.
///
/// # Errors
/// The directory cannot be read or holds none, or a CA cannot be made.
pub fn authorities(config: &CaFlags) -> anyhow::Result<Vec<CaFacts>> {
    let hosts: Vec<&str> = config.servers.iter().map(|server| &*server.host).collect();
    let listings = match &*hosts {
        [] => {
            let listed = tls::ca::list(&config.certs)?;
            ensure!(
                !listed.is_empty(),
                "there is no CA below {} yet\nhint: `finesse-tap ca --upstream HOST` makes one, as does `finesse-tap run`; if there is one, name its directory with --certs DIR",
                config.certs.display()
            );
            listed
        }
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
    for (Listener { kind, servers, .. }, bound) in wanted.iter().zip(addresses) {
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

/// An error's text as the operational log has it: why, and what to do.
fn hinted(told: &str) -> (&str, Option<&str>) {
    told.split_once("\nhint: ").map_or((told, None), |(why, hint)| (why, Some(hint)))
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

fn minted(certs: &Path, hosts: &[String], listening: &[SocketAddr]) -> anyhow::Result<leaf::Minter> {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let listening: Vec<IpAddr> = listening.iter().map(SocketAddr::ip).collect();
    let cas = Authorities::open_all(certs, &hosts, &listening, clock::now())?;
    Ok(leaf::Minter::new(cas, hosts, listening))
}

/// Listens on `addresses`; on `own` we do already.
async fn bind(addresses: impl IntoIterator<Item = SocketAddr>, own: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse if own.iter().any(|own| own.port() == address.port()) => "\nhint: this run has that port itself, at another address; it takes a restart to move it",
                std::io::ErrorKind::AddrInUse => "\nhint: something listens there already; stop it, or choose another --listen or --route (port 0 takes any free one)",
                std::io::ErrorKind::PermissionDenied if cfg!(windows) => "\nhint: Windows keeps some ports for itself (netsh int ipv4 show excludedportrange tcp); choose another --listen or --route",
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

/// Does `work` in a runtime of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    block_in(runtime()?, work)
}

/// Does `work` in this runtime, and nothing more in it.
fn block_in<T>(runtime: Runtime, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let done = runtime.block_on(work);
    // Dropped, it would wait for the system to give up looking up names that nobody wants any more.
    runtime.shutdown_background();
    done
}

fn runtime() -> anyhow::Result<Runtime> {
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
