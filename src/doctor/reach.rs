//! From a name to addresses to TCP: who answers where.
//!
//! Finds the loop that a hosts file makes (the name leads to this very machine). Speaks nothing on the connections it
//! makes. All addresses and ports are tried at once, at most [`ADDRESSES_MAX`] of them.

use super::step::Outcome;
use super::{Question, Way};
use futures_util::future::join_all;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 16;
/// For each of the other ports.
const PORT_LIMIT: Duration = Duration::from_secs(3);

/// The other ports that a desktop may need, and what for.
const PORTS: [(u16, &str, &str); 4] = [
    (7443, "port 7443", "notifications before release 12.6"),
    (8444, "port 8444", "CUIC reports"),
    (12005, "port 12005", "live data"),
    (8553, "port 8553", "single sign-on"),
];

/// The addresses of the server's name.
pub(super) async fn name(question: &Question) -> (Outcome, Option<Vec<SocketAddr>>) {
    let server = &question.server;
    let given: Vec<SocketAddr> = question
        .resolve
        .iter()
        .filter(|(host, _)| host.eq_ignore_ascii_case(&server.host))
        .map(|(_, ip)| SocketAddr::new(*ip, server.port))
        .collect();
    if !given.is_empty() {
        return (Outcome::ok(format!("{}, by --resolve", list(&given))), Some(given));
    }
    if let Ok(ip) = server.host.parse::<IpAddr>() {
        let outcome = Outcome::warn(
            format!("{ip} is an address, not a name"),
            "desktops, certificates and XMPP go by the server's name: give that, and --resolve NAME:ADDRESS if need be",
        );
        return (outcome, Some(vec![SocketAddr::new(ip, server.port)]));
    }
    let way_out = format!("name the server's real address: --resolve {}:ADDRESS", server.host);
    let mut found: Vec<SocketAddr> = match lookup_host((server.host.as_str(), server.port)).await {
        Ok(found) => found.take(ADDRESSES_MAX).collect(),
        Err(error) => {
            let advice = format!("is the name right? If it has no DNS entry here, {way_out}");
            return (Outcome::fail(format!("{} cannot be resolved: {error}", server.host), advice), None);
        }
    };
    found.dedup();
    if found.is_empty() {
        return (Outcome::fail(format!("{} has no address", server.host), way_out), None);
    }
    let own: Vec<SocketAddr> = found.iter().copied().filter(|address| is_local(address.ip())).collect();
    if own.is_empty() {
        return (Outcome::ok(list(&found)), Some(found));
    }
    let seen = format!("{}: {} is this very machine", list(&found), list(&own));
    let advice = format!("a hosts file leads the name here, so what follows may meet the proxy itself; {way_out}");
    (Outcome::warn(seen, advice), Some(found))
}

/// Connects to each address and gives the first, in the resolver's order, that answered.
pub(super) async fn tcp(addresses: &[SocketAddr], way: Way, limit: Duration) -> (Outcome, Option<SocketAddr>) {
    let tries = join_all(addresses.iter().map(|address| connect(*address, limit))).await;
    let mut outcome = Outcome::ok("");
    for (address, tried) in addresses.iter().zip(&tries) {
        let said = tried.as_ref().map_or_else(|why| why.clone(), |_| "connected".to_owned());
        outcome = outcome.passing("address", format!("{address}  {said}"));
    }
    let facts = outcome.into_facts();
    let answered: Vec<SocketAddr> =
        addresses.iter().zip(&tries).filter(|(_, tried)| tried.is_ok()).map(|(address, _)| *address).collect();
    let first = answered.first().copied();
    let outcome = match (first, tries.iter().find_map(|tried| tried.as_ref().err())) {
        (Some(first), None) => Outcome::ok(format!("connected to {first}")),
        (Some(first), Some(_)) => Outcome::warn(
            format!("{} of {} addresses answer; going on with {first}", answered.len(), addresses.len()),
            "desktops that pick one of the others wait or fail: is its DNS entry stale?",
        ),
        (None, why) => Outcome::fail(
            why.map_or_else(|| "no address answers".to_owned(), |why| format!("no connection: {why}")),
            match way {
                Way::Direct => "is the server up, is the port right (8445 unless changed), is a firewall in between?",
                Way::Through(_) => "does the proxy run, and does it listen there? Its first lines say where",
            },
        ),
    };
    (outcome.with(if addresses.len() > 1 || first.is_none() { facts } else { Vec::new() }), first)
}

/// Which other ports of the server are open.
pub(super) async fn ports(ip: IpAddr, own: u16, limit: Duration) -> (Outcome, Option<()>) {
    let ports: Vec<_> = PORTS.into_iter().filter(|(port, ..)| *port != own).collect();
    let limit = limit.min(PORT_LIMIT);
    let tries = join_all(ports.iter().map(|(port, ..)| connect(SocketAddr::new(ip, *port), limit))).await;
    let open: Vec<String> =
        ports.iter().zip(&tries).filter(|(_, tried)| tried.is_ok()).map(|((port, ..), _)| port.to_string()).collect();
    let seen = if open.is_empty() { "none of them is open".to_owned() } else { format!("open: {}", open.join(", ")) };
    let facts = ports.iter().zip(&tries).fold(Outcome::ok(seen), |outcome, ((_, name, purpose), tried)| {
        let state = tried.as_ref().map_or_else(|why| why.clone(), |_| "open".to_owned());
        outcome.passing(name, format!("{state} ({purpose})"))
    });
    (facts, Some(()))
}

/// A connection, or in a few words why not.
pub(super) async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, String> {
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(tcp)) => {
            let _ = tcp.set_nodelay(true);
            Ok(tcp)
        }
        Ok(Err(error)) => Err(match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused, nobody listens there".to_owned(),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "no way there from here".to_owned(),
            io::ErrorKind::TimedOut => "no answer".to_owned(),
            _ => error.to_string(),
        }),
        Err(_) => Err(format!("no answer within {}", seconds(limit))),
    }
}

/// `10 s`, `0.2 s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}

/// Whether an address is this machine's: the kernel lets a socket be bound to those only.
fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}
