//! `demo`: server and desktops of our own with the real proxy in between.
//!
//! Three ways: a story that ends by itself, faults that are played (each in a run of its own, so that all can be
//! played at once), and a desktop to click on with the console beside it.

use super::console::{self, Served};
use super::echo::Silence;
use super::recorder::{Counted, FLUSH_LIMIT, Recorder, Show};
use super::signal::{self, Signals};
use super::{addresses, banner, bind, block_on, browse, captures, minted, prepare_process};
use crate::cli::{CaptureTo, Demo, Live, Opening};
use crate::clock;
use crate::conn::{Authority, Kind};
use crate::console::Pushed;
use crate::demo::{self, Agent, HOST, Server, Site, Story, Trouble};
use crate::proxy::{self, Orders, Route};
use crate::report;
use crate::stored::Sources;
use crate::tls::front::Front;
use crate::tls::leaf::Identity;
use crate::tls::upstream::{Pin, Trust, Upstream};
use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Agents that can sign in where somebody clicks.
const AGENTS_TO_PLAY: usize = 2;

/// Plays the demo: prints what the live view shows, then where the capture lies.
///
/// # Errors
/// What keeps it from starting, or a desktop that did not come through.
pub fn demo(config: Demo) -> anyhow::Result<()> {
    prepare_process();
    block_on(async {
        let orders = Orders::default();
        let signals = Signals::install()?;
        let rotations: Rotations = Arc::default();
        let rotate = Arc::clone(&rotations);
        signals.watch(orders.clone(), move || lock(&rotate).iter().for_each(|rotate| rotate()));
        let scenes = scenes(&config);
        let performed = join_all(scenes.iter().map(|scene| perform(scene, &orders, &rotations))).await;
        if config.troubles.is_empty() || performed.iter().any(Result::is_err) {
            signal::ended(&orders)?;
        }
        for (scene, run) in scenes.iter().zip(performed) {
            tell(scene, &run?)?;
        }
        if !config.troubles.is_empty()
            && let CaptureTo::Dir(dir) = &config.record.capture
        {
            say(&format!("next finesse-tap open {}\n", dir.display()));
        }
        Ok(())
    })
}

/// What begins a new capture file of each run.
type Rotations = Arc<Mutex<Vec<Box<dyn Fn() + Send>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One run: all of a demo, or one fault of several.
struct Scene {
    config: Demo,
    host: String,
    agents: Vec<Agent>,
    /// Whether others are played meanwhile.
    is_one_of_many: bool,
}

/// Several faults are played at once, each with a capture of its own: what one server does must not explain another's.
fn scenes(config: &Demo) -> Vec<Scene> {
    let (host, config) = (HOST.to_owned(), config.clone());
    let agents = |count: usize| demo::agents(u16::try_from(count).unwrap_or(u16::MAX));
    match &*config.troubles {
        [] if config.browse.is_some() => {
            vec![Scene { agents: agents(AGENTS_TO_PLAY), config, host, is_one_of_many: false }]
        }
        [] => vec![Scene { agents: agents(config.agents), config, host, is_one_of_many: false }],
        [_] => vec![Scene { agents: agents(1), config, host, is_one_of_many: false }],
        troubles => {
            let scene = |(trouble, agent): (&Trouble, Agent)| {
                let mut config = Demo { troubles: vec![*trouble], ..config.clone() };
                config.record.live = Live::Off;
                // One port cannot be had twice.
                config.listen.iter_mut().for_each(|address| address.set_port(0));
                let host = format!("{}.{HOST}", trouble.name());
                Scene { config, host, agents: vec![agent], is_one_of_many: true }
            };
            troubles.iter().zip(agents(troubles.len())).map(scene).collect()
        }
    }
}

/// Plays one run, and says which one it was.
async fn perform(scene: &Scene, orders: &Orders, rotations: &Rotations) -> anyhow::Result<String> {
    let Scene { config, host, agents, is_one_of_many } = scene;
    let (server, certificate) = server(host, agents).await?;
    let upstream = Authority { host: host.clone(), port: server.address().port() };
    let listeners = bind(config.listen.iter().copied(), &[]).await?;
    let listening = addresses(&listeners)?;
    let minter = minted(&config.certs, std::slice::from_ref(host), &listening)?;
    let mut roots = rustls::RootCertStore::empty();
    let mut cas = Vec::new();
    for ca in minter.cas() {
        roots.add(ca.der().clone()).context("trust our own CA")?;
        cas.push(ca.listing().clone());
    }
    let routes: Vec<Route> = listening
        .iter()
        .map(|listener| Route { listener: *listener, upstream: upstream.clone(), kind: Kind::Https })
        .collect();
    let fronted: Vec<_> = routes.iter().map(|route| (route.clone(), Ok(vec![server.address()]))).collect();
    let proxy = proxy::Config {
        routes,
        resolve: vec![(host.clone(), server.address().ip())],
        front: Front::new(Identity::Minted(Box::new(minter)), None)?,
        upstream: Upstream::new(&Trust::Pins(vec![Pin::of(&certificate)]), None, None)?,
        rewriting: proxy::Rewriting::default(),
        alpn: proxy::Alpn::default(),
        preface: proxy::Preface::None,
        limits: proxy::Limits::default(),
    };
    let pushed = config.browse.is_some().then(Pushed::default);
    let (servers, settings) = (std::slice::from_ref(&upstream), config.settings());
    let recorder = Recorder::start(&config.record, servers, &settings, Show::Always, Counted::No, pushed.clone())?;
    let (place, run) = (recorder.place(), recorder.run());
    let page = match config.browse {
        Some(_) => Some(console::live(host.clone(), &config.record.capture, &recorder, pushed).await?),
        None => None,
    };
    let keys = proxy.front.identity.spki_sha256();
    if !is_one_of_many {
        banner::print(&banner::Facts {
            fronted: &fronted,
            capture: &place,
            redaction: config.record.redact,
            cas: &cas,
            spki_sha256: &keys,
            admin: None,
            console: page.as_ref().map(Served::address),
        });
    }
    let _silence = Silence::begin();
    lock(rotations).push(Box::new(recorder.rotation()));
    let browser = visit(config, &proxy.routes, &keys, page.as_ref());
    let Some(dial) = listening.first().copied() else { bail!("no address to listen on") };
    let of_run = Orders { drain: orders.drain.child_token(), cut: orders.cut.child_token() };
    let authority = Authority { host: host.clone(), port: dial.port() };
    let story = Story::new(dial, authority, Arc::new(roots), agents.clone());
    let playing = async {
        let told = match (&config.browse, &*config.troubles) {
            (Some(_), _) => {
                browse::beside(browser, orders).await;
                orders.drain.cancelled().await;
                Ok(())
            }
            (None, [trouble, ..]) => {
                endure(&story, *trouble, &server, &orders.drain).await;
                Ok(())
            }
            (None, []) => day(config, &story, &orders.drain).await,
        };
        of_run.drain.cancel();
        told
    };
    let (told, summary) = tokio::join!(playing, proxy::run(listeners, proxy, recorder.intake(), of_run.clone()));
    summary?;
    drop(page);
    server.stop().await;
    recorder.finish(FLUSH_LIMIT)?;
    if !is_one_of_many {
        say(&format!("capture {place}\n"));
    }
    told.map(|()| run)
}

/// What the report says about the fault that was played.
fn tell(scene: &Scene, run: &str) -> anyhow::Result<()> {
    let ([trouble], CaptureTo::Dir(dir)) = (&*scene.config.troubles, &scene.config.record.capture) else {
        return Ok(());
    };
    let sources: Sources = captures::open(std::slice::from_ref(dir), Some(run))?;
    let report = report::build(&sources, &report::Filter::default(), &mut |_, _| ())?;
    let mut text = report::render(&report, report::Format::Text, &report::Zone::default(), REPORT_COLUMNS)?;
    if scene.is_one_of_many {
        text = format!("{:═<REPORT_COLUMNS$}\n{}\n", format!("══ {}: {} ", trouble.name(), trouble.title()), text);
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// How wide the report is.
const REPORT_COLUMNS: usize = 110;

/// The Finesse-like server on a port of its own, and its certificate.
async fn server(host: &str, agents: &[Agent]) -> anyhow::Result<(Server, CertificateDer<'static>)> {
    let (tls, certificate) = tls(host, Duration::days(365))?;
    let (other_tls, _) = self::tls(host, Duration::days(-1))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for the demo server")?;
    let site = Site { host: host.to_owned(), other_tls: Some(other_tls), ..Site::new(agents.to_vec(), demo::PACE) };
    let server = Server::start(listener, tls, site).context("start the demo server")?;
    Ok((server, certificate))
}

/// A certificate that is good for so long from now, or was until so long ago.
fn tls(host: &str, until: Duration) -> anyhow::Result<(Arc<rustls::ServerConfig>, CertificateDer<'static>)> {
    let now = OffsetDateTime::from_unix_timestamp(clock::now().wall_us / 1_000_000).context("what time it is")?;
    let mut parameters = rcgen::CertificateParams::new([host.to_owned()]).context("name the demo server")?;
    (parameters.not_before, parameters.not_after) = (now - Duration::days(30), now + until);
    let key = rcgen::KeyPair::generate().context("make the demo server's key")?;
    let own = parameters.self_signed(&key).context("make the demo server's certificate")?;
    let certificate = own.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(tls), certificate))
}

/// The browser that shows desktop and console; where there can be none, how to open them is said.
fn visit(config: &Demo, routes: &[Route], keys: &[String], page: Option<&Served>) -> Option<browse::Plan> {
    let ((wanted, opening), page) = (config.browse.as_ref()?, page?);
    let found = match opening {
        Opening::Address => Err(anyhow::anyhow!("")),
        Opening::Browser => browse::Plan::new(wanted, routes, keys),
    };
    let why = match found {
        Ok(plan) if browse::may_start(wanted) => return Some(plan.with_page(page.address())),
        Ok(_) => String::from("no browser is started for root"),
        Err(error) => format!("{error:#}").lines().next().unwrap_or_default().to_owned(),
    };
    if !why.is_empty() {
        say(&format!("{why}\n"));
    }
    say(
        "open desktop and console by hand: start a browser as the line `browser` says, and in it the address `console`\n",
    );
    None
}

/// The desktops' day; then, if everything is to stay up, until it ends.
async fn day(config: &Demo, story: &Story, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let outcomes = tokio::select! {
        outcomes = demo::story(story) => outcomes,
        () = shutdown.cancelled() => bail!("stopped before the demo was over"),
    };
    let mut failed = 0;
    for (agent, outcome) in &outcomes {
        match outcome {
            Ok(outcome) => say(&format!("agent {}: {outcome}\n", agent.id)),
            Err(error) => {
                failed += 1;
                say(&format!("agent {}: failed: {error:#}\n", agent.id));
            }
        }
    }
    if config.keep {
        say("server and proxy stay up; Ctrl-C ends them\n");
        shutdown.cancelled().await;
    }
    if failed > 0 {
        bail!("{failed} of {} desktops did not come through", outcomes.len());
    }
    Ok(())
}

/// A desktop through a fault.
async fn endure(story: &Story, trouble: Trouble, server: &Server, shutdown: &CancellationToken) {
    let seconds = demo::shows_after(trouble).as_secs();
    let agent = story.agents.first().map(|agent| &*agent.id).unwrap_or_default();
    say(&format!("playing {}: {} (agent {agent}, {seconds} s)\n", trouble.name(), trouble.title()));
    tokio::select! {
        () = demo::endure(story, trouble, |on| server.trouble(trouble, on)) => {}
        () = shutdown.cancelled() => {}
    }
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
