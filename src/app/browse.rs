//! `browse`, and `run --browse`: a browser of its own in front of the proxy.

use super::banner::base64_of_hex;
use super::signal::{self, Signals};
use super::{block_on, hinted, prepare_process, routes};
use crate::browse::{self, Browser, Found, Visit};
use crate::cli::{self, Browse, Identity, Page};
use crate::clock;
use crate::conn::Kind;
use crate::proxy::{Orders, Route};
use crate::tls::ca::{self, Listing};
use crate::tls::leaf::{self, Own};
use crate::tls::upstream::{Trust, Upstream};
use anyhow::{Context as _, anyhow, bail};
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a proxy on this machine may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Opens a browser in front of a proxy that runs already, and waits until it is closed.
///
/// # Errors
/// There is no browser, no proxy, or not the one whose CA this is. Or [`StoppedAtOnce`](signal::StoppedAtOnce).
pub fn browse(config: &Browse) -> anyhow::Result<()> {
    prepare_process();
    block_on(async {
        let listeners = config.traffic.listeners();
        let addresses: Vec<SocketAddr> = listeners.iter().map(|listener| listener.address).collect();
        let mut routes = routes(&listeners, &addresses)?;
        routes.retain(|route| route.kind == Kind::Https);
        let keys = match &config.own_identity {
            Some(Identity { cert, key }) => leaf::Identity::Own(Own::load(cert, key)?).spki_sha256(),
            None => {
                let cas = authorities(config, &routes)?;
                for (route, ca) in routes.iter().zip(&cas) {
                    is_its_proxy(route, ca).await?;
                }
                cas.into_iter().map(|ca| ca.spki_sha256).collect()
            }
        };
        let plan = Plan::new(&config.browser, &routes, &keys)?;
        let orders = Orders::default();
        let hung_up = orders.drain.clone();
        // There is nothing to read again: the terminal is gone, and the browser with it.
        Signals::install()?.watch(orders.clone(), move || hung_up.cancel());
        shown(&plan, &orders).await?;
        signal::ended(&orders)
    })
}

/// The browser of `run --browse`, if there is one to be: from its start until it is closed or the proxy stops. Trouble with it
/// is not the proxy's.
pub(super) async fn beside(plan: Option<Plan>, orders: &Orders) {
    let Some(plan) = plan else { return };
    match shown(&plan, orders).await {
        Ok(()) if orders.drain.is_cancelled() => {}
        Ok(()) => say("browser closed; the proxy goes on until Ctrl-C (finesse-tap browse opens another)\n"),
        Err(error) => {
            let told = format!("{error:#}");
            let (why, hint) = hinted(&told);
            if orders.drain.is_cancelled() {
                tracing::error!(why, hint, "the browser did not end in good order");
            } else {
                tracing::error!(why, hint, "the proxy goes on without a browser");
            }
        }
    }
}

/// A browser from its start until it is closed or ordered to end; nothing is left of it then.
async fn shown(plan: &Plan, orders: &Orders) -> anyhow::Result<()> {
    let mut browser = plan.start()?;
    let closed = tokio::select! {
        closed = browser.closed() => closed,
        () = orders.drain.cancelled() => Ok(()),
    };
    browser.end(orders.cut.cancelled()).await?;
    closed
}

/// Which browser, and what it will show.
pub(super) struct Plan {
    found: Found,
    visit: Visit,
}

impl Plan {
    /// A visit to `routes`, whose certificates the keys with these hashes (hex) vouch for.
    ///
    /// # Errors
    /// There is no browser, or no such page.
    pub(super) fn new(wanted: &cli::Browser, routes: &[Route], keys: &[String]) -> anyhow::Result<Self> {
        let mut servers = Vec::new();
        for Route { listener, upstream, .. } in routes.iter().filter(|route| route.kind == Kind::Https) {
            if !servers.iter().any(|(server, _)| server == upstream) {
                servers.push((upstream.clone(), *listener));
            }
        }
        let Some((first, _)) = servers.first() else {
            bail!("there is no page to open: none of the servers speaks https");
        };
        let url = match &wanted.page {
            Page::Path(path) => format!("https://{first}{path}"),
            Page::Url(url, server) if servers.iter().any(|(fronted, _)| fronted == server) => url.clone(),
            Page::Url(_, server) => {
                let fronted: Vec<String> = servers.iter().map(|(server, _)| server.to_string()).collect();
                bail!("the proxy does not stand for {server}, only for {}\nhint: add --route", fronted.join(", "));
            }
        };
        let found = browse::find(wanted.program.as_deref(), &|name| std::env::var_os(name))?;
        let keys = keys.iter().filter_map(|hex| base64_of_hex(hex)).collect();
        Ok(Self { found, visit: Visit { url, servers, keys, arguments: wanted.arguments.clone() } })
    }

    /// With one more page, in a tab of its own.
    pub(super) fn with_page(mut self, url: &str) -> Self {
        self.visit.arguments.push(url.into());
        self
    }

    fn start(&self) -> anyhow::Result<Browser> {
        let browser = Browser::start(&self.found, &self.visit)?;
        say(&format!("browser {} opens {}\n", self.found.program.display(), self.visit.url));
        tracing::debug!(profile = %browser.profile().display(), "browser started");
        Ok(browser)
    }
}

/// Whether a browser would start for this user.
pub(super) fn may_start(wanted: &cli::Browser) -> bool {
    browse::may_start(&wanted.arguments)
}

/// The CA of each route's server, none made for it.
fn authorities(config: &Browse, routes: &[Route]) -> anyhow::Result<Vec<Listing>> {
    let now = clock::now();
    let known = ca::list(&config.certs)?;
    let of = |route: &Route| {
        let path = ca::certificate_path(&config.certs, &route.upstream.host, now)?;
        known.iter().find(|ca| ca.path == path).cloned().ok_or_else(|| {
            let (host, certs) = (&route.upstream.host, config.certs.display());
            anyhow!("there is no CA for {host} below {certs}: no proxy has stood for it with these --certs\nhint: `finesse-tap run --upstream {host} --browse` starts both; or name the --certs of the one that runs")
        })
    };
    routes.iter().map(of).collect()
}

/// Makes sure that a proxy listens, and that it has this CA: a browser would only tell that something is wrong.
async fn is_its_proxy(route: &Route, ca: &Listing) -> anyhow::Result<()> {
    let address = route.listener;
    // Without an offer in ALPN the proxy answers by itself, be its server there or not.
    let server = Upstream::new(&Trust::Ca(ca.path.clone()), None, None)?.offering(&[]);
    let reach = async {
        let tcp = TcpStream::connect(address).await?;
        std::io::Result::Ok(server.connect(&route.upstream.host, clock::now(), tcp).await)
    };
    match timeout(LIMIT, reach).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Err(error)) => Err(anyhow!(
            "no proxy is at {address}: {error}\nhint: start it first, `finesse-tap run --upstream {0}`, or both in one, `finesse-tap run --upstream {0} --browse`",
            route.upstream
        )),
        Ok(Ok(Err(refused))) => {
            let why = refused.handshake.failure.map(|failure| failure.why).unwrap_or_default();
            let path = ca.path.display();
            Err(anyhow!(
                "what listens at {address} is no finesse-tap for {} with the CA {path}: {why}\nhint: say --listen, --route and --certs as the running proxy was told",
                route.upstream.host
            ))
        }
        Err(_) => Err(anyhow!("what listens at {address} does not answer")).context("look for the proxy"),
    }
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
