//! The way to a receiver: straight, or through the HTTP proxy that the environment names.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl reads them; loopback addresses are never
//! proxied. To an `https://` receiver the proxy opens a tunnel (RFC 9110 section 9.3.6), so that it sees no event and no
//! secret; requests to an `http://` receiver name their target in full (RFC 9112 section 3.2.2). Proxies that speak TLS or
//! SOCKS themselves are refused by name.

use super::http::{Trouble, broken};
use super::url::{Scheme, Url};
use crate::clock;
use crate::conn::Authority;
use crate::tls::upstream::{Trust, Upstream};
use anyhow::bail;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_util::task::TaskTracker;

/// Where a connection leads.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<IO: AsyncRead + AsyncWrite + Unpin + Send> Wire for IO {}

/// Opens connections to one receiver.
pub(super) struct Dialer {
    to: Authority,
    tls: Option<Upstream>,
    proxy: Option<Proxy>,
    /// What hints call the options of this receiver: `--splunk`.
    option: &'static str,
}

/// A proxy between.
struct Proxy {
    at: Authority,
    login: Option<HeaderValue>,
    tunnels: TaskTracker,
}

impl Dialer {
    /// Reads the trusted certificates and the environment; connects to nobody yet.
    pub(super) fn new(url: &Url, trust: &Trust, option: &'static str) -> anyhow::Result<Self> {
        let tls = match url.scheme {
            Scheme::Https => Some(Upstream::new(trust, None, None)?),
            Scheme::Http => None,
        };
        Ok(Self { to: url.authority.clone(), tls, proxy: Proxy::to(url, &Matcher::from_env())?, option })
    }

    /// Who we are to a proxy that reads our requests, if one does.
    pub(super) fn reading_proxy(&self) -> Option<Option<&HeaderValue>> {
        self.proxy.as_ref().filter(|_| self.tls.is_none()).map(|proxy| proxy.login.as_ref())
    }

    /// A connection to the receiver, its identity proven where it is to be.
    pub(super) async fn connect(&self) -> Result<Box<dyn Wire>, Trouble> {
        let since = clock::now();
        let io: Box<dyn Wire> = match (&self.proxy, &self.tls) {
            (None, _) => Box::new(dial(&self.to).await?),
            (Some(proxy), None) => Box::new(proxy.dial().await?),
            (Some(proxy), Some(_)) => proxy.tunnel(&self.to).await?,
        };
        let Some(tls) = &self.tls else { return Ok(io) };
        match tls.connect(&self.to.host, since, io).await {
            Ok(connected) => Ok(Box::new(connected.stream)),
            Err(refused) => {
                let why = refused.handshake.failure.map_or_else(|| "TLS failed".to_owned(), |failure| failure.why);
                // The hints are about the proxy's upstream; ours has options of the same kinds.
                let hint = refused.hint.and_then(|hint| match () {
                    () if hint.contains("-pin") => Some(hint.replace("--upstream", self.option)),
                    () if hint.contains("HTTPS port") => {
                        Some("is TLS off there? Then its URL begins with http://".into())
                    }
                    () => None,
                });
                Err(Trouble { why, hint })
            }
        }
    }
}

impl Proxy {
    fn to(url: &Url, environment: &Matcher) -> anyhow::Result<Option<Self>> {
        let Ok(target) = url.to_string().parse::<Uri>() else { return Ok(None) };
        let Some(found) = environment.intercept(&target).filter(|_| !url.is_loopback()) else { return Ok(None) };
        let (scheme, at) = (found.uri().scheme_str().unwrap_or("http"), found.uri().authority());
        let Some(at) = at.and_then(|at| Authority::parse(at.as_str(), 80).ok()).filter(|_| scheme == "http") else {
            bail!(
                "the proxy that the environment names for {url} speaks {scheme}\nhint: only proxies that are spoken to over plain http:// are supported (the tunnel through them is encrypted); NO_PROXY={} goes without one",
                url.authority.host
            );
        };
        tracing::info!(receiver = %url, proxy = %at, "through the proxy that the environment names");
        Ok(Some(Self { at, login: found.basic_auth().cloned(), tunnels: TaskTracker::new() }))
    }

    async fn dial(&self) -> Result<TcpStream, Trouble> {
        dial(&self.at).await.map_err(|trouble| Trouble {
            why: format!("the proxy {}", trouble.why),
            hint: Some(String::from("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY=HOST goes without it")),
        })
    }

    async fn tunnel(&self, to: &Authority) -> Result<Box<dyn Wire>, Trouble> {
        let io = TokioIo::new(self.dial().await?);
        let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(io).await.map_err(|error| broken(&error))?;
        // Ends with the tunnel; whoever uses that is told.
        self.tunnels.spawn(async move { drop(connection.with_upgrades().await) });
        let target = to.to_string();
        let mut request = Request::builder().method(Method::CONNECT).uri(&target).header(HOST, &target);
        if let Some(login) = &self.login {
            request = request.header(PROXY_AUTHORIZATION, login);
        }
        let request = request.body(Empty::new()).map_err(|_| Trouble::new(format!("{target} makes no request")))?;
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        if !answer.status().is_success() {
            let hint = match answer.status().as_u16() {
                407 => "it wants a login: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
                _ => "ask who runs it to let us through, or go without it: NO_PROXY=HOST",
            };
            let why = format!("the proxy {} opens no tunnel to {target}: it answers {}", self.at, answer.status());
            return Err(Trouble { why, hint: Some(hint.to_owned()) });
        }
        match hyper::upgrade::on(answer).await {
            Ok(tunnel) => Ok(Box::new(TokioIo::new(tunnel))),
            Err(error) => Err(broken(&error)),
        }
    }
}

async fn dial(to: &Authority) -> Result<TcpStream, Trouble> {
    let found = lookup_host((to.host.as_str(), to.port)).await;
    let found = found.map_err(|error| Trouble::new(format!("{} is not found: {error}", to.host)))?;
    let mut last = Trouble::new(format!("{} has no address", to.host));
    for address in found {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => last = Trouble::new(format!("{address} is not reached: {error}")),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, matcher: &Matcher) -> Option<(String, bool)> {
        let found = Proxy::to(&Url::parse(url).unwrap(), matcher).unwrap()?;
        Some((found.at.to_string(), found.login.is_some()))
    }

    #[test]
    fn the_environment_names_the_proxy_and_who_goes_without() {
        let matcher = Matcher::builder().https("http://u:p@proxy.test:3128").no("splunk.lan,10.0.0.0/8").build();
        assert_eq!(proxy("https://hec.test:8088", &matcher), Some(("proxy.test:3128".to_owned(), true)));
        for direct in ["https://splunk.lan:8088", "https://x.splunk.lan", "https://10.1.2.3", "http://hec.test"] {
            assert_eq!(proxy(direct, &matcher), None, "{direct}");
        }
        let matcher = Matcher::builder().all("proxy.test").build();
        assert_eq!(proxy("http://es.test:9200", &matcher), Some(("proxy.test:80".to_owned(), false)));
        for own in ["http://127.0.0.1:9200", "http://localhost:9200", "https://[::1]:9200"] {
            assert_eq!(proxy(own, &matcher), None, "{own}");
        }
    }

    #[test]
    fn a_proxy_that_is_spoken_to_otherwise_is_refused_by_name() {
        let matcher = Matcher::builder().all("socks5://u:canary@proxy.test:1080").build();
        let why = Proxy::to(&Url::parse("https://hec.test").unwrap(), &matcher).err().unwrap().to_string();
        assert!(why.contains("socks5") && why.contains("NO_PROXY=hec.test") && !why.contains("canary"), "{why}");
    }
}
