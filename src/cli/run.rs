//! `run`: its options, what they become, and its help.

use super::browse::{Browser, BrowserFlags};
use super::open::{Opening, PageFlags};
use super::record::{
    CaptureTo, DEFAULT_CAPTURES, KeepFlags, Live, RecordFlags, Recording, RedactFlags, Rows, ShowFlags,
};
use super::share::expression;
use super::ship::{self, ReceiverFlags};
use super::traffic::{Traffic, TrafficFlags, traffic};
use super::trust::{Identity, IdentityFlags, TrustFlags, identity};
use crate::capture::policy::Level;
use crate::config::value::{self, Wrong};
use crate::config::{Environment, Given, Problem, Sources, given};
use crate::filter::Filter;
use crate::log::Log;
use crate::proxy::{Alpn, Limits, Preface, Rewriting};
use crate::tls::upstream::Trust;
use clap::{Args, ValueHint};
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The key that instances share lies beside the CAs, under this name.
const SESSION_KEY: &str = "session.key";
/// Most connections that can be asked for.
const MAX_CONNECTIONS: usize = 1_000_000;
/// The port that examples serve metrics on.
const ADMIN_PORT: u16 = 9445;

pub(super) const NEXT: &str = "`finesse-tap run --help` tells how to point a browser at it.";

pub(super) const MORE: &str = "\
Examples:
  finesse-tap run --upstream uccxpub.example.com --browse
  finesse-tap run --upstream uccxpub.example.com --console
  finesse-tap run --upstream uccxpub.example.com \\
    --resolve uccxpub.example.com:10.1.2.3
  finesse-tap run --upstream uccxpub.example.com --upstream-pin sha256:5d0f…
  finesse-tap run --upstream uccxpub.example.com --upstream uccxsub.example.com
  finesse-tap run --upstream uccxpub.example.com \\
    --route 7443=uccxpub.example.com --route 8444=cuic.example.com
  finesse-tap run --upstream uccxpub.example.com --capture - --quiet |
    jq -r .message

Pointing a browser at it: the browser must ask for the server by its real name and port.
  One browser alone, in a profile of its own:
    --browse, or `finesse-tap browse` in another terminal.
  All programs on this machine:
    by the line `127.0.0.1 uccxpub.example.com` in /etc/hosts or C:\\Windows\\System32\\drivers\\etc\\hosts, which \
`finesse-tap hosts` puts there; then --resolve tells the proxy the real address, and the browser must trust the CA: \
`finesse-tap ca --upstream uccxpub.example.com` says how.
  https://localhost:8445/desktop:
    best effort, see --rewrite.

Environment: every option is also a variable, FINESSE_TAP_ and its name in capitals; lists take commas or lines:
  FINESSE_TAP_UPSTREAM=uccxpub.example.com
  FINESSE_TAP_MAX_LINE_BYTES=16000
  FINESSE_TAP_LISTEN=127.0.0.1:8445,[::1]:8445
  FINESSE_TAP_QUIET=true
An empty variable counts as unset, an unknown one is warned about. Options win over variables, variables over the \
--config file.

Configuration file: the same names with underscores, such as
  upstream = \"uccxpub.example.com\"
  listen = [\"127.0.0.1:8445\", \"[::1]:8445\"]
  route = [\"7443=uccxpub.example.com\", \"8444=cuic.example.com:8444\"]
  max_line_bytes = 16000
  quiet = true

Signals: Ctrl-C and SIGTERM shut it down cleanly; press Ctrl-C again to force (exit code 130). \
SIGHUP (Ctrl-Break on Windows), as `finesse-tap reload`, reads the configuration again, cuts no connection, and begins a \
new capture file; if the configuration is bad, nothing changes, and the log says why.

Next: `finesse-tap ca`, then open the desktop in the browser and watch.";

/// The options of `run`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct RunFlags {
    /// Read options from a TOML file
    ///
    /// Keys are the options' names with underscores; a key that is no option is an error. Options win over the environment,
    /// the environment over the file. Paths are relative to the working directory.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Where traffic comes from and goes to.
    #[command(flatten)]
    pub traffic: TrafficFlags,
    /// Whom to believe to be the server.
    #[command(flatten)]
    pub trust: TrustFlags,
    /// Who the proxy is to the browser.
    #[command(flatten)]
    pub identity: IdentityFlags,
    /// Where records go.
    #[command(flatten)]
    pub keep: KeepFlags,
    /// What is removed from them.
    #[command(flatten)]
    pub redact: RedactFlags,
    /// What only `run` lets you choose about records.
    #[command(flatten)]
    pub record: RecordFlags,
    /// Whom records go to besides.
    #[command(flatten)]
    pub receiver: ReceiverFlags,
    /// Time and number.
    #[command(flatten)]
    pub limit: LimitFlags,
    /// Where metrics are served.
    #[command(flatten)]
    pub admin: AdminFlags,
    /// Open a browser that goes through this proxy
    ///
    /// As `finesse-tap browse` does. When it is closed, the proxy goes on until Ctrl-C, which closes the browser, too.
    #[arg(long, help_heading = "Browser")]
    pub browse: bool,
    /// The browser, and what it opens.
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// Look at the traffic in a browser as it passes
    ///
    /// Serves the page of `finesse-tap open` on 127.0.0.1, prints its address and opens it in the default browser.
    #[arg(long, help_heading = "Console")]
    pub console: bool,
    /// How the page is shown.
    #[command(flatten)]
    pub page: PageFlags,
    /// Show only the events that fit in the live view, such as 'agent 1001 and not kind ping'
    ///
    /// The log holds all of them. The language is that of `finesse-tap report --help`; a connection belongs to nobody before
    /// its agent has logged in.
    #[arg(long, alias = "only", value_name = "EXPR", value_parser = expression)]
    #[arg(help_heading = "Output", conflicts_with = "quiet")]
    pub filter: Option<Filter>,
    /// Show no live view
    ///
    /// The facts at the start and the operational log stay.
    #[arg(long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowFlags,
}

/// Time and number.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// How long connections may go on after Ctrl-C
    ///
    /// Or after SIGTERM; then they are cut. Written 5, 5s, 500ms or 1m, as the other times are.
    #[arg(long, value_name = "SECONDS", default_value = "5s", value_parser = value::time)]
    pub grace: Duration,
    /// Connections at once; more are turned away
    #[arg(long, value_name = "N", default_value = "4096", value_parser = connections)]
    pub max_connections: usize,
    /// Timeout for DNS and TCP connect to the server
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = value::some_time)]
    pub connect_timeout: Duration,
    /// Timeout for either TLS handshake
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = value::some_time)]
    pub handshake_timeout: Duration,
}

/// Where metrics are served.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Metrics")]
pub struct AdminFlags {
    /// Serve /metrics, /healthz and /readyz here
    ///
    /// Over plain HTTP, such as on 127.0.0.1:9445; nothing is served otherwise. /metrics is for Prometheus (its text format or
    /// OpenMetrics, as asked for) and holds numbers only. /readyz says 503 and why when the capture cannot be written.
    #[arg(long, value_name = "ADDR:PORT", value_parser = given(admin))]
    pub admin: Option<Given<SocketAddr>>,
    /// Let --admin be an address that other machines reach
    #[arg(long, requires = "admin")]
    pub admin_exposed: bool,
}

fn connections(text: &str) -> Result<usize, Wrong> {
    value::count(text, 1..=MAX_CONNECTIONS)
}

fn admin(text: &str) -> Result<SocketAddr, Wrong> {
    value::address(text, ADMIN_PORT)
}

/// What `run` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where traffic comes from and goes to.
    pub traffic: Traffic,
    /// Addresses to dial for a name (lower case) instead of asking the system.
    pub resolve: Vec<(String, IpAddr)>,
    /// Which connections have their headers rewritten.
    pub rewriting: Rewriting,
    /// What is done about ALPN.
    pub alpn: Alpn,
    /// What comes before TLS.
    pub preface: Preface,
    /// Whom to believe to be the server.
    pub trust: Trust,
    /// Whether a person is asked about servers that none of its pins fits.
    pub asks_for_pins: bool,
    /// Who we are if the server asks.
    pub client_identity: Option<Identity>,
    /// Who we are to browsers, instead of what our CA mints.
    pub own_identity: Option<Identity>,
    /// Where the CA is kept.
    pub certs: PathBuf,
    /// What becomes of what is seen.
    pub record: Recording,
    /// Where TLS secrets are written.
    pub keylog: Option<PathBuf>,
    /// Where the capture files go besides.
    pub ship: Vec<crate::ship::Plan>,
    /// Time and number.
    pub limits: Limits,
    /// Where metrics are served.
    pub admin: Option<SocketAddr>,
    /// A browser to open.
    pub browser: Option<Browser>,
    /// Whether there is a console, and how it is shown.
    pub console: Option<Opening>,
    /// The operational log.
    pub log: Log,
}

impl RunFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They do not go together.
    pub fn check(self, sources: &Sources, environment: &Environment) -> Result<Run, Problem> {
        let Self { traffic: flags, trust, identity: own, keep, redact, record, limit, .. } = self;
        let live = match (self.quiet, self.show.verbose) {
            (true, _) => Live::Off,
            (_, true) => Live::Everything,
            _ => Live::Messages,
        };
        let capture = if record.no_capture {
            CaptureTo::Off
        } else {
            CaptureTo::from(keep.capture.unwrap_or_else(|| DEFAULT_CAPTURES.into()))
        };
        let recording = Recording {
            capture_limit_bytes: record.capture_limit,
            observer: record.observer_name,
            session_key: Some(keep.certs.join(SESSION_KEY)),
            max_line_bytes: record.line.max_line_bytes,
            filter: self.filter.unwrap_or_default(),
            ..Recording::new(capture, redact, live)?
        };
        let ship = ship::of_run(&self.receiver, sources, environment, &recording.capture)?;
        if let (Level::Off, Some(plan)) = (recording.redact, ship.first()) {
            return Err(Problem::new(format!(
                "--level off: a log with passwords is not sent to {}",
                plan.receiver.url
            ))
            .hint("omit --level off or the receiver"));
        }
        // A file may serve `browse` too.
        if let Some(place) = self.browser.typed(sources).filter(|_| !self.browse) {
            return Err(place.problem("without --browse it has no effect").hint("add --browse"));
        }
        let browser = self.browse.then(|| self.browser.browser());
        Ok(Run {
            traffic: traffic(&flags.upstreams(), &flags.listen, &flags.route, sources)?,
            resolve: flags.resolve,
            rewriting: flags.rewrite,
            alpn: flags.alpn,
            preface: if flags.accept_proxy_protocol { Preface::ProxyProtocol } else { Preface::None },
            trust: trust.trust(),
            asks_for_pins: trust.asks(),
            client_identity: trust.client_identity(),
            own_identity: identity(own.cert, own.key),
            certs: keep.certs,
            record: recording,
            keylog: record.keylog.map(|file| keylog(file, environment)).transpose()?,
            ship,
            limits: Limits {
                handshake: limit.handshake_timeout,
                connect: limit.connect_timeout,
                connections: limit.max_connections,
                grace: limit.grace,
            },
            admin: self.admin.address(sources)?,
            browser,
            console: self.console.then(|| self.page.opening()),
            log: self.show.log(),
        })
    }
}

impl AdminFlags {
    fn address(self, sources: &Sources) -> Result<Option<SocketAddr>, Problem> {
        let Some(address) = self.admin else { return Ok(None) };
        if address.ip().is_loopback() || self.admin_exposed {
            return Ok(Some(*address));
        }
        let instead = sources.set_to(&address, &format!("127.0.0.1:{ADMIN_PORT}"));
        Err(sources
            .problem(&address, format!("{} lets other machines read the metrics", *address))
            .hint(format!("write {instead}, or add --admin-exposed if that is meant")))
    }
}

fn keylog(file: Option<PathBuf>, environment: &Environment) -> Result<PathBuf, Problem> {
    let named = environment.get(OsStr::new("SSLKEYLOGFILE")).filter(|path| !path.is_empty());
    file.or_else(|| named.map(PathBuf::from)).ok_or_else(|| {
        let why = "--keylog: no file is named, and the environment variable SSLKEYLOGFILE is not set";
        Problem::new(why).hint("name one: --keylog FILE")
    })
}

impl Run {
    /// Every setting in force, as option and value, in the order of the help. Holds no secret.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        self.traffic.upstreams.iter().for_each(|server| rows.row("upstream", server));
        self.traffic.listen.iter().for_each(|address| rows.row("listen", address));
        self.traffic.routes.iter().for_each(|route| rows.row("route", route));
        for (host, address) in &self.resolve {
            match address {
                IpAddr::V4(v4) => rows.row("resolve", format!("{host}:{v4}")),
                IpAddr::V6(v6) => rows.row("resolve", format!("{host}:[{v6}]")),
            }
        }
        rows.row("rewrite", self.rewriting.as_str());
        rows.row("alpn", self.alpn.as_str());
        if self.preface == Preface::ProxyProtocol {
            rows.row("accept-proxy-protocol", true);
        }
        match &self.trust {
            Trust::System => rows.row("upstream-trust", "system"),
            Trust::Ca(path) => rows.row("upstream-ca", path.display()),
            Trust::Pins(pins) => pins.iter().for_each(|pin| rows.row("upstream-pin", pin)),
            Trust::Insecure => rows.row("upstream-insecure", true),
        }
        if let Some(identity) = &self.client_identity {
            rows.row("upstream-client-cert", identity.cert.display());
            rows.row("upstream-client-key", identity.key.display());
        }
        if let Some(identity) = &self.own_identity {
            rows.row("cert", identity.cert.display());
            rows.row("key", identity.key.display());
        }
        rows.row("certs", self.certs.display());
        rows.recording(&self.record);
        if let Some(path) = &self.keylog {
            rows.row("keylog", path.display());
        }
        for plan in &self.ship {
            rows.row("ship", plan.receiver.name());
        }
        rows.row("grace", value::time_text(self.limits.grace));
        rows.row("max-connections", self.limits.connections);
        rows.row("connect-timeout", value::time_text(self.limits.connect));
        rows.row("handshake-timeout", value::time_text(self.limits.handshake));
        if let Some(address) = self.admin {
            rows.row("admin", address);
        }
        if self.browser.is_some() {
            rows.row("browse", true);
        }
        if self.console.is_some() {
            rows.row("console", true);
        }
        rows.log(&self.log);
        rows.0
    }
}
