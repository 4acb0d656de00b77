//! What `browse` and `run --browse` need to know.

use super::read::{identity, parsed, path, read_value};
use super::said::{self, Said};
use super::value::{self, Wrong};
use super::{DEFAULT_CERTS, Identity, Problem, Traffic, route};
use crate::conn::Authority;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The port of URLs that name none.
const HTTPS_PORT: u16 = 443;

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

pub(super) fn browse(said: &Said) -> Result<Browse, Problem> {
    let traffic = route::traffic(said)?;
    for value in said.all("listen") {
        is_known(value, read_value(value, value::listen)?)?;
    }
    for value in said.all("route") {
        is_known(value, read_value(value, value::route)?.listen)?;
    }
    Ok(Browse {
        traffic,
        certs: path(said, "certs", DEFAULT_CERTS),
        own_identity: identity(said, ["cert", "key"])?,
        browser: browser(said)?,
    })
}

/// Which port `run` would take for port 0 is not to be guessed.
fn is_known(value: &said::Value, listener: SocketAddr) -> Result<(), Problem> {
    if listener.port() == 0 {
        let hint = "name the one that the proxy printed: `listening https://ADDR:PORT`";
        return Err(value.problem("port 0 is another one at each start").hint(hint));
    }
    Ok(())
}

pub(super) fn browser(said: &Said) -> Result<Browser, Problem> {
    let page = match said.only(&["path", "url"])? {
        Some(value) if value.name == "url" => parsed(said, "url", url)?,
        Some(_) => parsed(said, "path", page)?,
        None => None,
    };
    Ok(Browser {
        program: said.one("browser").map(|value| PathBuf::from(&value.text)),
        arguments: said.all("browser_arg").iter().map(|value| value.text.clone()).collect(),
        page: page.unwrap_or_else(|| Page::Path(String::from("/desktop/"))),
    })
}

fn page(text: &str) -> Result<Page, Wrong> {
    if is_clean(text) && text.starts_with('/') && !text.starts_with("//") {
        return Ok(Page::Path(text.to_owned()));
    }
    let better = (is_clean(text) && !text.contains(':')).then(|| format!("/{}", text.trim_start_matches('/')));
    Err(Wrong { why: format!("`{text}` is not a path such as /desktop/"), better })
}

fn url(text: &str) -> Result<Page, Wrong> {
    let wrong = |why: String| Wrong { why, better: None };
    let rest = text.strip_prefix("https://").filter(|_| is_clean(text));
    let rest = rest.ok_or_else(|| wrong(format!("`{text}` is not a URL that begins with https://")))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Ok(Page::Url(text.to_owned(), Authority::parse(authority, HTTPS_PORT).map_err(wrong)?))
}

/// Whether a browser takes it for a page and nothing else.
fn is_clean(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control())
}
