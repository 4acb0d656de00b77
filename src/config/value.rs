//! The words of options: text becomes addresses, pins, times and numbers, or a sentence about what is wrong with it.

use super::Route;
use crate::conn::{Authority, Kind};
use crate::proxy::Rewriting;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The port of Finesse's desktop.
pub(super) const FINESSE_PORT: u16 = 8445;
/// The port that examples serve metrics on.
const ADMIN_PORT: u16 = 9445;

/// Text that is no value: why, and what was probably meant.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) why: String,
    pub(super) better: Option<String>,
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self { why, better: None }
    }
}

fn wrong(why: String, better: impl Into<Option<String>>) -> Wrong {
    Wrong { why, better: better.into() }
}

/// `HOST[:PORT]`.
pub(super) fn upstream(text: &str) -> Result<Authority, Wrong> {
    let authority = Authority::parse(text, FINESSE_PORT).map_err(|why| wrong(why, host_of_url(text)))?;
    if authority.port == 0 {
        return Err(wrong(format!("`{text}`: nobody listens on port 0"), authority.host));
    }
    Ok(authority)
}

/// What a URL says of host and port, if that is a host.
fn host_of_url(text: &str) -> Option<String> {
    let rest = text.trim().split_once("://").map_or(text.trim(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    (host != text).then(|| Authority::parse(host, FINESSE_PORT).ok()).flatten()?;
    Some(host.to_owned())
}

/// `ADDR:PORT` for browsers.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    address(text, FINESSE_PORT)
}

/// `ADDR:PORT` for metrics.
pub(super) fn admin(text: &str) -> Result<SocketAddr, Wrong> {
    address(text, ADMIN_PORT)
}

fn address(text: &str, usual_port: u16) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let better = match (text.parse::<IpAddr>(), text.trim_start_matches(':').parse::<u16>()) {
            (Ok(ip), _) => Some(SocketAddr::new(ip, usual_port).to_string()),
            (_, Ok(port)) => Some(format!("127.0.0.1:{port}")),
            _ => text
                .strip_prefix("localhost:")
                .and_then(|port| port.parse::<u16>().ok())
                .map(|port| format!("127.0.0.1:{port}")),
        };
        wrong(format!("`{text}` is not ADDR:PORT with an IP address, such as 127.0.0.1:{usual_port}"), better)
    })
}

/// `LISTEN=[SCHEME://]HOST[:PORT]`.
pub(super) fn route(text: &str) -> Result<Route, Wrong> {
    let Some((at, to)) = text.split_once('=') else {
        let why = format!("`{text}` is not LISTEN=HOST[:PORT], such as 7443=uccxpub.example.com:7443");
        let better = Authority::parse(text, FINESSE_PORT).ok().map(|server| format!("{}={text}", server.port));
        return Err(wrong(why, better));
    };
    let listen = match at.parse::<u16>() {
        Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Err(_) => listen(at).map_err(|found| Wrong {
            why: format!("`{at}` is neither a port nor ADDR:PORT with an IP address"),
            better: found.better.map(|at| format!("{at}={to}")),
        })?,
    };
    let (kind, server) = match to.split_once("://") {
        None => (Kind::Https, to),
        Some((scheme, server)) => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.scheme().eq_ignore_ascii_case(scheme));
            (kind.ok_or_else(|| wrong(format!("`{scheme}` is none of https, xmpps and xmpp"), None))?, server)
        }
    };
    if server.is_empty() {
        return Err(wrong(format!("`{text}` names no server: LISTEN=HOST[:PORT]"), None));
    }
    let default_port = if listen.port() == 0 { kind.port() } else { listen.port() };
    let upstream = Authority::parse(server, default_port).map_err(|why| {
        let host = server.split(['/', '?', '#']).next().filter(|host| *host != server && !host.is_empty());
        wrong(why, host.map(|host| format!("{at}={}://{host}", kind.scheme())))
    })?;
    if upstream.port == 0 {
        return Err(wrong(format!("`{text}`: nobody listens on port 0"), format!("{at}={}", upstream.host)));
    }
    Ok(Route { listen, kind, upstream })
}

/// `HOST:ADDR`; the address may be IPv6 in brackets.
pub(super) fn resolve(text: &str) -> Result<(String, IpAddr), Wrong> {
    let not = |better: Option<String>| wrong(format!("`{text}` is not HOST:ADDR with an IP address"), better);
    let (host, address) = text.split_once(':').ok_or_else(|| not(None))?;
    let host = Authority::parse(host, 0).map_err(Wrong::from)?.host;
    let bare = |text: &str| {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        inner.unwrap_or(text).parse::<IpAddr>().ok()
    };
    bare(address).map(|ip| (host.clone(), ip)).ok_or_else(|| {
        // curl writes HOST:PORT:ADDR; others add a port behind.
        let curls =
            address.split_once(':').filter(|(port, _)| port.parse::<u16>().is_ok()).and_then(|(_, ip)| bare(ip));
        let ip = curls.or_else(|| address.parse::<SocketAddr>().ok().map(|address| address.ip()));
        not(ip.map(|ip| if ip.is_ipv6() { format!("{host}:[{ip}]") } else { format!("{host}:{ip}") }))
    })
}

/// `auto`, `always` or `never`.
pub(super) fn rewriting(text: &str) -> Result<Rewriting, Wrong> {
    let found = Rewriting::ALL.into_iter().find(|one| one.as_str() == text);
    found.ok_or_else(|| format!("`{text}` is none of auto, always and never").into())
}

/// Longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Seconds, or a whole number with `ms`, `s`, `m` or `h` behind it; 0 to a day.
pub(super) fn time(text: &str) -> Result<Duration, Wrong> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text.get(digits.len()..).unwrap_or_default().trim();
    let number: Option<u64> = digits.parse().ok();
    let read = number.and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        _ => None,
    });
    read.filter(|time| *time <= LONGEST)
        .ok_or_else(|| format!("`{text}` is not a time of a day at most: write 5, 5s, 500ms or 1m").into())
}

/// As [`time`], but not 0.
pub(super) fn some_time(text: &str) -> Result<Duration, Wrong> {
    let time = time(text)?;
    if time.is_zero() { Err(format!("`{text}` leaves no time at all").into()) } else { Ok(time) }
}

/// Least capture that can be kept: a few files' worth.
const LEAST_BYTES: u64 = 1_000_000;

/// A size such as `20GB`, `512MiB` or plain bytes.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text.get(digits.len()..).unwrap_or_default().trim().to_ascii_lowercase();
    let factor: Option<u64> = match unit.as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" | "g" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        "tib" => Some(1 << 40),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    bytes
        .filter(|bytes| *bytes >= LEAST_BYTES)
        .ok_or_else(|| format!("`{text}` is not a size of 1 MB at least: write 20GB, 512MiB or bytes").into())
}

/// A whole number within bounds.
pub(super) fn count(within: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, Wrong> {
    move |text| {
        let number = text.replace('_', "").parse().ok().filter(|number| within.contains(number));
        number
            .ok_or_else(|| format!("`{text}` is not a whole number from {} to {}", within.start(), within.end()).into())
    }
}

/// A time as options take it: `5s`, `500ms`.
pub(super) fn time_text(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{}s", time.as_secs()) } else { format!("{}ms", time.as_millis()) }
}

/// Longest name of an instance, bytes.
const OBSERVER_BYTES: usize = 64;

/// What an instance may be called.
pub(super) fn observer(text: &str) -> Result<String, Wrong> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.is_empty() && text.len() <= OBSERVER_BYTES && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let better: String = text.chars().map(|c| if plain(c) { c } else { '-' }).take(OBSERVER_BYTES).collect();
    let why = format!("`{text}` is not 1 to {OBSERVER_BYTES} letters, digits, dots, hyphens and underscores");
    Err(wrong(why, Some(better).filter(|better| !better.is_empty())))
}
