//! `demo`: server and desktops of our own with the real proxy in between.
//!
//! Three ways: a story that ends by itself, faults that are played (each by a server of its own, so that all can be played at
//! once), and a desktop to click on with the console beside it.

use super::console::{self, Served};
use super::echo::Silence;
use super::recorder::{Counted, FLUSH_LIMIT, Recorder, Show};
use super::signal::{self, Signals};
use super::{addresses, banner, bind, block_on, browse, captures, minted, prepare_process};
use crate::cli::{CaptureTo, Demo};
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
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Agents that can sign in where somebody clicks.
const AGENTS_TO_PLAY: u16 = 2;

/// One server of the demo and who signs in there.
struct Stage {
    server: Server,
    certificate: CertificateDer<'static>,
    host: String,
    agents: Vec<Agent>,
    trouble: Option<Trouble>,
}

/// Plays the demo: prints what the live view shows, then where the capture lies.
///
/// # Errors
/// What keeps it from starting, or a desktop that did not come through.
pub fn demo(config: Demo) -> anyhow::Result<()> {
    prepare_process();
    let settings = config.settings();
    block_on(async {
        let stages = stages(&config).await?;
        let upstreams: Vec<Authority> = stages
            .iter()
            .map(|stage| Authority { host: stage.host.clone(), port: stage.server.address().port() })
            .collect();
        let listeners = bind(config.listen.iter().copied(), &[]).await?;
        let listening = addresses(&listeners)?;
        let hosts: Vec<String> = upstreams.iter().map(|upstream| upstream.host.clone()).collect();
        let minter = minted(&config.certs, &hosts, &listening)?;
        let mut roots = rustls::RootCertStore::empty();
        let mut cas = Vec::new();
        for ca in minter.cas() {
            roots.add(ca.der().clone()).context("trust our own CA")?;
            cas.push(ca.listing().clone());
        }
        let route = |listener: &SocketAddr, upstream: &Authority| Route {
            listener: *listener,
            upstream: upstream.clone(),
            kind: Kind::Https,
        };
        let routes: Vec<Route> =
            listening.iter().flat_map(|listener| upstreams.iter().map(move |upstream| route(listener, upstream))).collect();
        let at = |host: &str| stages.iter().find(|stage| stage.host == host).map(|stage| stage.server.address());
        let fronted: Vec<_> =
            routes.iter().map(|route| (route.clone(), Ok(at(&route.upstream.host).into_iter().collect()))).collect();
        let proxy = proxy::Config {
            resolve: stages.iter().map(|stage| (stage.host.clone(), stage.server.address().ip())).collect(),
            front: Front::new(Identity::Minted(Box::new(minter)), None)?,
            upstream: Upstream::new(
                &Trust::Pins(stages.iter().map(|stage| Pin::of(&stage.certificate)).collect()),
                None,
                None,
            )?,
            routes,
            rewriting: proxy::Rewriting::default(),
            preface: proxy::Preface::None,
            limits: proxy::Limits::default(),
        };
        let signals = Signals::install()?;
        let pushed = config.browse.is_some().then(Pushed::default);
        let recorder =
            Recorder::start(&config.record, &upstreams, &settings, Show::Always, Counted::No, pushed.clone())?;
        let (place, run) = (recorder.place(), recorder.run());
        let page = match config.browse {
            Some(_) => Some(console::live(HOST.to_owned(), &config.record.capture, &recorder, pushed).await?),
            None => None,
        };
        let keys = proxy.front.identity.spki_sha256();
        banner::print(&banner::Facts {
            fronted: &fronted,
            capture: &place,
            redaction: config.record.redact,
            cas: &cas,
            spki_sha256: &keys,
            admin: None,
            console: page.as_ref().map(Served::address),
        });
        let _silence = Silence::begin();
        let orders = Orders::default();
        signals.watch(orders.clone(), recorder.rotation());
        let browser = visit(&config, &proxy.routes, &keys, page.as_ref());
        let Some(dial) = listening.first().copied() else { bail!("no address to listen on") };
        let play = Play { dial, roots: Arc::new(roots), shutdown: orders.drain.clone() };
        let story = async {
            let told = match (&config.browse, &*config.troubles) {
                (Some(_), _) => {
                    browse::beside(browser, &orders).await;
                    orders.drain.cancelled().await;
                    Ok(())
                }
                (None, []) => play.day(&config, &stages).await,
                (None, _) => play.troubles(&stages).await,
            };
            orders.drain.cancel();
            told
        };
        let (told, summary) = tokio::join!(story, proxy::run(listeners, proxy, recorder.intake(), orders.clone()));
        summary?;
        drop(page);
        for stage in stages {
            stage.server.stop().await;
        }
        recorder.finish(FLUSH_LIMIT)?;
        say(&format!("capture {place}\n"));
        signal::ended(&orders).or_else(|stopped| if config.troubles.is_empty() { Err(stopped) } else { Ok(()) })?;
        told?;
        if !config.troubles.is_empty() {
            tell(&config.record.capture, &run)?;
        }
        Ok(())
    })
}

/// What the report says about the faults that were played.
fn tell(capture: &CaptureTo, run: &str) -> anyhow::Result<()> {
    let CaptureTo::Dir(dir) = capture else { return Ok(()) };
    let sources: Sources = captures::open(std::slice::from_ref(dir), Some(run))?;
    let report = report::build(&sources, &report::Filter::default(), &mut |_, _| ())?;
    let text = report::render(&report, report::Format::Text, &report::Zone::default(), REPORT_COLUMNS)?;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    say(&format!("next finesse-tap open {} --run {run}\n", dir.display()));
    Ok(())
}

/// How wide the report is.
const REPORT_COLUMNS: usize = 110;

/// The servers: one, or for all faults at once one each, with an agent of its own.
async fn stages(config: &Demo) -> anyhow::Result<Vec<Stage>> {
    let count = match (&config.browse, config.troubles.len()) {
        (Some(_), _) => AGENTS_TO_PLAY,
        (None, 0) => u16::try_from(config.agents).unwrap_or(u16::MAX),
        (None, faults) => u16::try_from(faults).unwrap_or(u16::MAX),
    };
    let agents = demo::agents(count);
    if config.troubles.is_empty() {
        return Ok(vec![stage(HOST.to_owned(), agents, None).await?]);
    }
    let mut stages = Vec::new();
    for (trouble, agent) in config.troubles.iter().zip(agents) {
        let host = match config.troubles.len() {
            1 => HOST.to_owned(),
            _ => format!("{}.{HOST}", trouble.name()),
        };
        stages.push(stage(host, vec![agent], Some(*trouble)).await?);
    }
    Ok(stages)
}

/// The Finesse-like server on a port of its own, and its certificate.
async fn stage(host: String, agents: Vec<Agent>, trouble: Option<Trouble>) -> anyhow::Result<Stage> {
    let (tls, certificate) = tls(&host, Duration::days(365))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for the demo server")?;
    let site = Site::new(agents.clone(), demo::PACE);
    let (other_tls, _) = self::tls(&host, Duration::days(-1))?;
    let site = Site { host: host.clone(), other_tls: Some(other_tls), ..site };
    let server = Server::start(listener, tls, site).context("start the demo server")?;
    Ok(Stage { server, certificate, host, agents, trouble })
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
        crate::cli::Opening::Address => Err(anyhow::anyhow!("")),
        crate::cli::Opening::Browser => browse::Plan::new(wanted, routes, keys),
    };
    let why = match found {
        Ok(plan) if browse::may_start(wanted) => return Some(plan.with_page(page.address())),
        Ok(_) => String::from("no browser is started for root"),
        Err(error) => format!("{error:#}").lines().next().unwrap_or_default().to_owned(),
    };
    if !why.is_empty() {
        say(&format!("{why}\n"));
    }
    say("open desktop and console by hand: start a browser as the line `browser` says, and in it the address `console`\n");
    None
}

/// Where desktops dial, and until when.
struct Play {
    dial: SocketAddr,
    roots: Arc<rustls::RootCertStore>,
    shutdown: CancellationToken,
}

impl Play {
    fn story(&self, stage: &Stage) -> Story {
        let server = Authority { host: stage.host.clone(), port: self.dial.port() };
        Story::new(self.dial, server, Arc::clone(&self.roots), stage.agents.clone())
    }

    /// The desktops' day; then, if everything is to stay up, until it ends.
    async fn day(&self, config: &Demo, stages: &[Stage]) -> anyhow::Result<()> {
        let Some(stage) = stages.first() else { return Ok(()) };
        let story = self.story(stage);
        let outcomes = tokio::select! {
            outcomes = demo::story(&story) => outcomes,
            () = self.shutdown.cancelled() => bail!("stopped before the demo was over"),
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
            self.shutdown.cancelled().await;
        }
        if failed > 0 {
            bail!("{failed} of {} desktops did not come through", outcomes.len());
        }
        Ok(())
    }

    /// A desktop through each fault, all at once.
    async fn troubles(&self, stages: &[Stage]) -> anyhow::Result<()> {
        let played = stages.iter().filter_map(|stage| Some((stage, stage.trouble?))).map(|(stage, trouble)| async move {
            let seconds = demo::shows_after(trouble).as_secs();
            let agent = stage.agents.first().map(|agent| &*agent.id).unwrap_or_default();
            say(&format!("playing {}: {} (agent {agent}, {seconds} s)\n", trouble.name(), trouble.title()));
            demo::endure(&self.story(stage), trouble, |on| stage.server.trouble(trouble, on)).await;
        });
        tokio::select! {
            _ = join_all(played) => {}
            () = self.shutdown.cancelled() => {}
        }
        Ok(())
    }
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
