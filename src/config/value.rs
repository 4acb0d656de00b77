//! How values are written: text becomes addresses, pins, times, sizes and numbers, or a sentence about what is wrong with it
//! and what was probably meant.

use crate::conn::Authority;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The port of Finesse's desktop.
pub(crate) const FINESSE_PORT: u16 = 8445;

/// Text that is no value: why, and what was probably meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub(crate) why: String,
    pub(crate) better: Option<String>,
}

impl Wrong {
    pub(crate) fn new(why: impl Into<String>, better: impl Into<Option<String>>) -> Self {
        Self { why: why.into(), better: better.into() }
    }
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self { why, better: None }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Wrong {}

/// The parser of an option that takes one of a few words, which completion offers.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let find = move |text: String| all.iter().copied().find(|one| name(*one) == text).ok_or("unknown word");
    PossibleValuesParser::new(all.iter().map(|one| name(*one))).try_map(find)
}

/// `HOST[:PORT]`, or a URL whose host and port are meant.
pub(crate) fn upstream(text: &str) -> Result<Authority, Wrong> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let named = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = Authority::parse(named, FINESSE_PORT)?;
    // A port of plain HTTP is not the one that is meant.
    let http = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
    let has_port =
        named.parse::<std::net::Ipv6Addr>().is_err() && named.rsplit(']').next().is_some_and(|end| end.contains(':'));
    match scheme {
        Some(scheme) if !http && !scheme.eq_ignore_ascii_case("https") => {
            Err(Wrong::new(format!("`{text}` is no address of a web server"), named.to_owned()))
        }
        _ if http && has_port => {
            Err(Wrong::new(format!("`{text}` is a port without TLS, which no desktop uses"), authority.host))
        }
        _ if authority.port == 0 => Err(Wrong::new(format!("`{text}`: nobody listens on port 0"), authority.host)),
        _ => Ok(authority),
    }
}

/// `ADDR:PORT` for browsers.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    address(text, FINESSE_PORT)
}

/// `ADDR:PORT`; `usual_port` is the one in examples.
pub(crate) fn address(text: &str, usual_port: u16) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let better = match (text.parse::<IpAddr>(), text.trim_start_matches(':').parse::<u16>()) {
            (Ok(ip), _) => Some(SocketAddr::new(ip, usual_port).to_string()),
            (_, Ok(port)) => Some(format!("127.0.0.1:{port}")),
            _ => text
                .strip_prefix("localhost:")
                .and_then(|port| port.parse::<u16>().ok())
                .map(|port| format!("127.0.0.1:{port}")),
        };
        Wrong::new(format!("`{text}` is not ADDR:PORT with an IP address, such as 127.0.0.1:{usual_port}"), better)
    })
}

/// `HOST=ADDR` or `HOST:ADDR`; the address may be IPv6 in brackets, the host is lower-cased.
pub(crate) fn resolve(text: &str) -> Result<(String, IpAddr), Wrong> {
    let not = |better: Option<String>| Wrong::new(format!("`{text}` is not HOST=ADDR with an IP address"), better);
    let (host, address) = text.split_once('=').or_else(|| text.split_once(':')).ok_or_else(|| not(None))?;
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
        not(ip.map(|ip| format!("{host}={ip}")))
    })
}

/// Longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Seconds, or a number with `ms`, `s`, `m` or `h` behind it; 0 to a day.
pub(crate) fn time(text: &str) -> Result<Duration, Wrong> {
    let (number, unit) = measure(text);
    let unit_s = match unit.as_str() {
        "ms" => Some(0.001),
        "" | "s" => Some(1.0),
        "m" | "min" => Some(60.0),
        "h" => Some(3_600.0),
        _ => None,
    };
    let seconds = number.zip(unit_s).map(|(number, unit_s)| number * unit_s);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| format!("`{text}` is not a time of a day at most: write 5, 5s, 500ms or 1m").into())
}

/// As [`time`], but not 0.
pub(crate) fn some_time(text: &str) -> Result<Duration, Wrong> {
    let time = time(text)?;
    if time.is_zero() { Err(format!("`{text}` leaves no time at all").into()) } else { Ok(time) }
}

/// A number and the unit behind it, in lower case.
fn measure(text: &str) -> (Option<f64>, String) {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text.get(digits.len()..).unwrap_or_default().trim().to_ascii_lowercase();
    let plain = digits.starts_with(|c: char| c.is_ascii_digit());
    (digits.replace('_', "").parse().ok().filter(|_| plain), unit)
}

/// Least capture that can be kept: a few files' worth.
const LEAST_BYTES: u64 = 1_000_000;

/// A size such as `20GB`, `512MiB` or plain bytes.
fn bytes(text: &str) -> Option<u64> {
    let (_, unit) = measure(text);
    let digits = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ').replace('_', "");
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "tb" | "t" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size of a capture.
pub(crate) fn size(text: &str) -> Result<u64, Wrong> {
    bytes(text)
        .filter(|bytes| *bytes >= LEAST_BYTES)
        .ok_or_else(|| format!("`{text}` is not a size of 1 MB at least: write 20GB, 512MiB or bytes").into())
}

/// A size within bounds.
pub(crate) fn size_in(text: &str, within: RangeInclusive<usize>) -> Result<usize, Wrong> {
    let size = bytes(text).and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| within.contains(bytes));
    size.ok_or_else(|| {
        let (least, most) = within.into_inner();
        format!("`{text}` is not a size from {least} to {most} bytes: write 16000 or 16kB").into()
    })
}

/// A whole number within bounds.
pub(crate) fn count(text: &str, within: RangeInclusive<usize>) -> Result<usize, Wrong> {
    let number = text.replace('_', "").parse().ok().filter(|number| within.contains(number));
    number.ok_or_else(|| format!("`{text}` is not a whole number from {} to {}", within.start(), within.end()).into())
}

/// A time as options take it: `5s`, `500ms`.
pub(crate) fn time_text(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{}s", time.as_secs()) } else { format!("{}ms", time.as_millis()) }
}
