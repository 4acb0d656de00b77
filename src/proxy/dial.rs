//! A name becomes a TCP connection to Finesse, never to ourselves.
//!
//! Resolves (or takes the address it was given), leaves out addresses on which this very proxy listens (the hosts file
//! that sends the browser here sends us here too), and tries the rest in turn within one time limit.

use crate::capture::observation::{End, TlsHandshake};
use crate::clock;
use crate::conn::Authority;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// Dials upstreams.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    /// Addresses to dial for a host instead of asking the resolver.
    pub(crate) resolve: Vec<(String, IpAddr)>,
    /// Where we listen.
    pub(crate) listeners: Vec<SocketAddr>,
    /// Time for resolving and connecting, all addresses together.
    pub(crate) limit: Duration,
}

/// A connected socket.
pub(crate) struct Dialled {
    pub(crate) tcp: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) connect_us: u64,
}

/// Finesse could not be reached, or was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Unreachable {
    /// What happened, one sentence.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Who is to blame: the upstream where it did not answer, the proxy where it refused.
    pub by: End,
    /// The address that was reached before it went wrong.
    pub address: Option<SocketAddr>,
    /// How long the TCP connect took, microseconds.
    pub connect_us: Option<u64>,
    /// The TLS handshake, if it came to one.
    pub handshake: Option<Box<TlsHandshake>>,
}

impl Unreachable {
    fn new(by: End, why: String, hint: Option<String>) -> Self {
        Self { why, hint, by, address: None, connect_us: None, handshake: None }
    }

    /// The proxy reached itself.
    pub(crate) fn looped(server: &Authority, how: &str) -> Self {
        let why = format!("{} leads back to this proxy: {how}", server.host);
        let hint = format!("name the server's real address with --resolve {}:ADDRESS", server.host);
        Self::new(End::Proxy, why, Some(hint))
    }

    /// The client asked one listener for a server that another listener leads to.
    pub(crate) fn not_here(host: &str, here: SocketAddr, elsewhere: SocketAddr) -> Self {
        let why = format!("at {here} this proxy does not stand for {host}, only at {elsewhere}");
        let hint = format!("start with --route {here}={host}:{}, if {host} has that port", here.port());
        Self::new(End::Proxy, why, Some(hint))
    }
}

impl Dialer {
    /// The addresses that would be dialled for `server`, without our own.
    pub(crate) async fn addresses(&self, server: &Authority) -> Result<Vec<SocketAddr>, Unreachable> {
        let given: Vec<_> = self
            .resolve
            .iter()
            .filter(|(host, _)| host.eq_ignore_ascii_case(&server.host))
            .map(|(_, ip)| SocketAddr::new(*ip, server.port))
            .collect();
        let found: Vec<SocketAddr> = if given.is_empty() {
            match lookup_host((server.host.as_str(), server.port)).await {
                Ok(addresses) => addresses.collect(),
                Err(error) => {
                    let hint =
                        format!("if it has no DNS entry here, give its address: --resolve {}:ADDRESS", server.host);
                    let why = format!("the name {} cannot be resolved: {error}", server.host);
                    return Err(Unreachable::new(End::Proxy, why, Some(hint)));
                }
            }
        } else {
            given
        };
        let others: Vec<_> = found.iter().copied().filter(|address| !self.is_own(*address)).collect();
        match (others.is_empty(), found.first()) {
            (false, _) => Ok(others),
            (true, Some(own)) => Err(Unreachable::looped(server, &format!("it resolves to {own}, where it listens"))),
            (true, None) => {
                let why = format!("the name {} has no address", server.host);
                Err(Unreachable::new(End::Proxy, why, None))
            }
        }
    }

    /// Connects to the first address of `server` that answers.
    pub(crate) async fn dial(&self, server: &Authority) -> Result<Dialled, Unreachable> {
        let started = clock::now();
        let deadline = Instant::now() + self.limit;
        let too_late = |what: &str| {
            let why = format!("{what} within {} s", self.limit.as_secs_f32());
            Unreachable::new(End::Upstream, why, Some("is the server up, and is this the right address?".to_owned()))
        };
        let Ok(found) = timeout_at(deadline, self.addresses(server)).await else {
            return Err(too_late(&format!("the name {} was not resolved", server.host)));
        };
        let found = found?;
        let mut last = None;
        for (index, address) in found.iter().enumerate() {
            // An address that swallows packets must leave time for the others.
            let left = deadline.saturating_duration_since(Instant::now());
            let others = u32::try_from(found.len() - index).unwrap_or(u32::MAX);
            let until = Instant::now() + left / others.max(1);
            match timeout_at(until, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => {
                    let _ = tcp.set_nodelay(true);
                    let connect_us = clock::now().us_since(started);
                    return Ok(Dialled { tcp, address: *address, connect_us });
                }
                Ok(Err(error)) => last = Some(refused(*address, &error)),
                Err(_) => last = Some(too_late(&format!("{address} did not answer"))),
            }
        }
        Err(last.unwrap_or_else(|| too_late("nothing answered")))
    }

    /// Whether a connection to `address` would arrive at one of our own listeners.
    fn is_own(&self, address: SocketAddr) -> bool {
        let target = match address.ip().to_canonical() {
            // Connecting to "any" reaches loopback.
            IpAddr::V4(any) if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(any) if any.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        self.listeners.iter().any(|listener| {
            let bound = listener.ip().to_canonical();
            listener.port() == address.port() && (bound == target || bound.is_unspecified() && is_local(target))
        })
    }
}

/// Whether an address is this machine's: the kernel lets a socket be bound to those only.
fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

fn refused(address: SocketAddr, error: &io::Error) -> Unreachable {
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nobody listens at {address} (connection refused)"),
        io::ErrorKind::TimedOut => format!("{address} does not answer"),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            format!("there is no way to {address} from here ({error})")
        }
        _ => format!("no connection to {address}: {error}"),
    };
    Unreachable::new(End::Upstream, why, Some("is the server up, and are address and port right?".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer(listeners: &[&str], resolve: &[(&str, &str)]) -> Dialer {
        Dialer {
            resolve: resolve.iter().map(|(host, ip)| ((*host).to_owned(), ip.parse().unwrap())).collect(),
            listeners: listeners.iter().map(|a| a.parse().unwrap()).collect(),
            limit: Duration::from_secs(5),
        }
    }

    #[test]
    fn an_address_is_our_own_where_our_listener_would_take_the_connection() {
        let one = dialer(&["127.0.0.1:8445"], &[]);
        assert!(one.is_own("127.0.0.1:8445".parse().unwrap()));
        assert!(one.is_own("[::ffff:127.0.0.1]:8445".parse().unwrap()));
        assert!(one.is_own("0.0.0.0:8445".parse().unwrap()), "connecting to 0.0.0.0 reaches loopback");
        assert!(!one.is_own("127.0.0.1:8446".parse().unwrap()));
        assert!(!one.is_own("127.0.0.2:8445".parse().unwrap()), "another loopback address may hold another server");
        let any = dialer(&["0.0.0.0:8445"], &[]);
        assert!(any.is_own("127.0.0.2:8445".parse().unwrap()));
        assert!(!any.is_own("192.0.2.1:8445".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_loop_is_refused_with_the_way_out() {
        let server = Authority::parse("finesse.example", 8445).unwrap();
        let looped = dialer(&["127.0.0.1:8445"], &[("FINESSE.example", "127.0.0.1")]);
        let error = looped.addresses(&server).await.unwrap_err();
        assert!(error.hint.unwrap().contains("--resolve finesse.example:ADDRESS"));
        assert_eq!(error.by, End::Proxy);
        let half = dialer(&["127.0.0.1:8445"], &[("finesse.example", "127.0.0.1"), ("finesse.example", "192.0.2.7")]);
        assert_eq!(half.addresses(&server).await.unwrap(), ["192.0.2.7:8445".parse().unwrap()]);
    }
}
