//! `demo`: server and desktops of our own with the real proxy in between.

use super::echo::Silence;
use super::recorder::{Counted, FLUSH_LIMIT, Recorder, Show};
use super::signal::{self, Signals};
use super::{addresses, banner, bind, block_on, minted, prepare_process};
use crate::cli::Demo;
use crate::conn::{Authority, Kind};
use crate::demo::{self, HOST, Server, Site, Story};
use crate::proxy::{self, Route};
use crate::tls::front::Front;
use crate::tls::leaf::Identity;
use crate::tls::upstream::{Pin, Trust, Upstream};
use anyhow::{Context as _, bail};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Plays the demo: prints what the live view shows, then where the capture lies.
///
/// # Errors
/// What keeps it from starting, or a desktop that did not come through.
pub fn demo(config: Demo) -> anyhow::Result<()> {
    prepare_process();
    let settings = config.settings();
    block_on(async {
        let agents = demo::agents(u16::try_from(config.agents).unwrap_or(u16::MAX));
        let (server, certificate) = server(&agents).await?;
        let upstream = Authority { host: HOST.to_owned(), port: server.address().port() };

        let listeners = bind(config.listen.iter().copied(), &[]).await?;
        let listening = addresses(&listeners)?;
        let hosts = [HOST.to_owned()];
        let minter = minted(&config.certs, &hosts, &listening)?;
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
            resolve: vec![(HOST.to_owned(), server.address().ip())],
            front: Front::new(Identity::Minted(Box::new(minter)), None)?,
            upstream: Upstream::new(&Trust::Pins(vec![Pin::of(&certificate)]), None, None)?,
            rewriting: proxy::Rewriting::default(),
            alpn: proxy::Alpn::default(),
            preface: proxy::Preface::None,
            limits: proxy::Limits::default(),
        };
        let signals = Signals::install()?;
        let servers = std::slice::from_ref(&upstream);
        let recorder = Recorder::start(&config.record, servers, &settings, Show::Always, Counted::No)?;
        let place = recorder.place();
        banner::print(&banner::Facts {
            fronted: &fronted,
            capture: &place,
            redaction: config.record.redact,
            cas: &cas,
            spki_sha256: &proxy.front.identity.spki_sha256(),
            admin: None,
        });
        let _silence = Silence::begin();
        let orders = proxy::Orders::default();
        signals.watch(orders.clone(), recorder.rotation());
        let story = play(&config, &listening, agents, roots, orders.drain.clone());
        let (told, summary) = tokio::join!(story, proxy::run(listeners, proxy, recorder.intake(), orders.clone()));
        summary?;
        server.stop().await;
        recorder.finish(FLUSH_LIMIT)?;
        say(&format!("capture {place}\n"));
        signal::ended(&orders)?;
        told
    })
}

/// The Finesse-like server on a port of its own, and its certificate.
async fn server(agents: &[demo::Agent]) -> anyhow::Result<(Server, CertificateDer<'static>)> {
    let own = rcgen::generate_simple_self_signed([HOST.to_owned()]).context("make the demo server's certificate")?;
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for the demo server")?;
    let site = Site::new(agents.to_vec(), demo::PACE);
    let server = Server::start(listener, Arc::new(tls), site).context("start the demo server")?;
    Ok((server, certificate))
}

/// The desktops' day; then, unless everything is to stay up, the end of the proxy.
async fn play(
    config: &Demo,
    listening: &[SocketAddr],
    agents: Vec<demo::Agent>,
    roots: rustls::RootCertStore,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let Some(dial) = listening.first().copied() else { bail!("no address to listen on") };
    let server = Authority { host: HOST.to_owned(), port: dial.port() };
    let story = Story::new(dial, server, Arc::new(roots), agents);
    let outcomes = tokio::select! {
        outcomes = demo::story(&story) => outcomes,
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
    shutdown.cancel();
    if failed > 0 {
        bail!("{failed} of {} desktops did not come through", outcomes.len());
    }
    Ok(())
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
