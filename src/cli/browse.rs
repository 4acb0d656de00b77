//! `browse`, and `run --browse`: their options, what they become, and the help.

use super::record::DEFAULT_CERTS;
use super::traffic::{Route, Traffic, route, traffic};
use super::trust::{Identity, identity};
use crate::config::value::{self, Wrong};
use crate::config::{Given, Place, Problem, Sources, given};
use crate::conn::Authority;
use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser as _};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The port of URLs that name none.
const HTTPS_PORT: u16 = 443;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap browse --upstream uccxpub.example.com
  finesse-tap browse --config tap.toml
  finesse-tap browse --upstream uccxpub.example.com --listen 127.0.0.1:40001
  finesse-tap run --upstream uccxpub.example.com --browse    both in one

It needs an already running proxy on this machine. Give it the same --upstream, --listen, --route and --certs, or keep them in a \
file for both. If the proxy listens on port 0, give the port that it got.

What is different in this browser: the servers' names lead to the proxy, port by port, so that the address bar shows the real \
ones and no hosts file is needed; the proxy's CA is accepted, and no other stranger; system proxies are not used; there are no \
extensions. It says itself that it was started with unusual options. Its profile (cookies, history) is deleted when it is closed.

Environment and configuration file count here as they do for `run`.

Next: sign in; what passes is in the capture of the running proxy.";

/// The options of `browse`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct BrowseFlags {
    /// Read options from a TOML file, that of `run`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The running proxy.
    #[command(flatten)]
    pub proxy: ProxyFlags,
    /// What it shows browsers.
    #[command(flatten)]
    pub identity: ShownFlags,
    /// The browser, and what it opens.
    #[command(flatten)]
    pub browser: BrowserFlags,
}

/// The running proxy.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "The running proxy")]
pub struct ProxyFlags {
    /// As --upstream
    #[arg(value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, value_parser = given(value::upstream))]
    #[arg(conflicts_with = "upstream")]
    pub server: Vec<Given<Authority>>,
    /// The Finesse server, as given to `run`; repeatable
    #[arg(long, value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, value_parser = given(value::upstream))]
    pub upstream: Vec<Given<Authority>>,
    /// Where the proxy listens; repeatable [default: 127.0.0.1:8445]
    #[arg(long, value_name = "ADDR:PORT", value_parser = given(value::listen))]
    pub listen: Vec<Given<SocketAddr>>,
    /// One more server or port, as given to `run`; repeatable
    #[arg(long, value_name = "LISTEN=[SCHEME://]HOST[:PORT]", value_parser = given(route))]
    pub route: Vec<Given<Route>>,
    /// Where the proxy keeps its CA
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CERTS)]
    pub certs: PathBuf,
}

/// What the running proxy shows browsers.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "The running proxy")]
#[group(id = "whole-shown")]
pub struct ShownFlags {
    /// The certificate chain (PEM) that the proxy shows instead of a minted one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
}

/// The browser, and what it opens.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Browser")]
pub struct BrowserFlags {
    /// Use this browser: Chrome, Edge or Chromium [default: the first that is found]
    ///
    /// A path, or a name to be looked for in PATH. Firefox lacks the options that are needed.
    #[arg(id = "browser", long, value_name = "PATH", value_hint = ValueHint::ExecutablePath)]
    #[arg(value_parser = given(PathBufValueParser::new()))]
    pub program: Option<Given<PathBuf>>,
    /// Give the browser one more argument; repeatable
    ///
    /// Such as --browser-arg=--auto-open-devtools-for-tabs. It is handed over as it is, without a shell.
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    #[arg(value_parser = given(OsStringValueParser::new().try_map(argument)))]
    pub browser_arg: Vec<Given<OsString>>,
    /// Open this page of the first server [default: /desktop/]
    #[arg(long, value_name = "PATH", value_parser = given(page), conflicts_with = "url")]
    pub path: Option<Given<Page>>,
    /// Open this page, of any fronted server
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = given(url))]
    pub url: Option<Given<Page>>,
}

fn argument(text: OsString) -> Result<OsString, Wrong> {
    if text.is_empty() { Err(Wrong::new("is empty", None)) } else { Ok(text) }
}

/// What `browse` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Browse {
    /// Where the proxy stands, and for which servers.
    pub traffic: Traffic,
    /// Where its CA is kept.
    pub certs: PathBuf,
    /// Who it is to browsers, instead of what its CA mints.
    pub own_identity: Option<Identity>,
    /// The browser.
    pub browser: Browser,
}

/// Which browser, and what it opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Browser {
    /// The program; the first that is found otherwise.
    pub program: Option<PathBuf>,
    /// Further arguments.
    pub arguments: Vec<OsString>,
    /// What is opened.
    pub page: Page,
}

/// What a browser opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// A page of the first server: begins with `/`.
    Path(String),
    /// A page of any server: an `https` URL, and whose it is.
    Url(String, Authority),
}

impl BrowseFlags {
    /// The options checked against each other.
    ///
    /// # Errors
    /// They do not go together, or do not tell where the proxy is.
    pub fn check(self, sources: &Sources) -> Result<Browse, Problem> {
        let ProxyFlags { mut server, upstream, listen, route, certs } = self.proxy;
        server.extend(upstream);
        let traffic = traffic(&server, &listen, &route, sources)?;
        // Which port `run` would take for port 0 is not to be guessed.
        let hint = "name the one that the proxy printed: `listening https://ADDR:PORT`";
        let unknown = |problem: Problem| problem.hint(hint);
        let why = "port 0 is another one at each start";
        if let Some(address) = listen.iter().find(|address| address.port() == 0) {
            return Err(unknown(sources.problem(address, why)));
        }
        if let Some(route) = route.iter().find(|route| route.listen.port() == 0) {
            return Err(unknown(sources.problem(route, why)));
        }
        let own_identity = identity(self.identity.cert, self.identity.key);
        Ok(Browse { traffic, certs, own_identity, browser: self.browser.browser() })
    }
}

impl BrowserFlags {
    pub(super) fn browser(self) -> Browser {
        let page = self.path.or(self.url).map(Given::into_inner);
        Browser {
            program: self.program.map(Given::into_inner),
            arguments: self.browser_arg.into_iter().map(Given::into_inner).collect(),
            page: page.unwrap_or_else(|| Page::Path(String::from("/desktop/"))),
        }
    }

    /// The place of one of these that was typed, rather than set for several commands.
    pub(super) fn typed(&self, sources: &Sources) -> Option<Place> {
        let program = self.program.iter().map(|given| sources.of(given));
        let arguments = self.browser_arg.iter().map(|given| sources.of(given));
        let pages = self.path.iter().chain(&self.url).map(|given| sources.of(given));
        program.chain(arguments).chain(pages).find(|place| matches!(place, Place::Option(_)))
    }
}

fn page(text: &str) -> Result<Page, Wrong> {
    if is_clean(text) && text.starts_with('/') && !text.starts_with("//") {
        return Ok(Page::Path(text.to_owned()));
    }
    let better = (is_clean(text) && !text.contains(':')).then(|| format!("/{}", text.trim_start_matches('/')));
    Err(Wrong::new(format!("`{text}` is not a path such as /desktop/"), better))
}

fn url(text: &str) -> Result<Page, Wrong> {
    let rest = text.strip_prefix("https://").filter(|_| is_clean(text));
    let rest = rest.ok_or_else(|| Wrong::from(format!("`{text}` is not a URL that begins with https://")))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Ok(Page::Url(text.to_owned(), Authority::parse(authority, HTTPS_PORT)?))
}

/// Whether a browser takes it for a page and nothing else.
fn is_clean(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
