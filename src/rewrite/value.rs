//! Which header fields are edited, and what in their values.
//!
//! | field | towards the server |
//! |---|---|
//! | `Host` | becomes the server's name |
//! | `Origin`, `Referer` | the authority, where it is ours |
//!
//! | field | towards the browser |
//! |---|---|
//! | `Location`, `Access-Control-Allow-Origin` | the authority, where it is a server's |
//! | `Set-Cookie` | a `Domain` that covers a server goes: the cookie is then the browser's own name's, which is all it may be |
//! | `Content-Security-Policy`, also `-Report-Only` | host sources that are a server's; beside a wildcard that covers one ours is added |
//! | `Strict-Transport-Security` | `max-age` becomes 0: it would force https upon every other program on `localhost`, for a year |
//!
//! Values are what stands on the wire, folded lines and all; what is not understood is left alone.

use super::names::{self, Names};
use crate::conn::{Authority, Direction};
use std::ops::Range;

/// A part of a value and what stands there instead.
type Splice = (Range<usize>, String);

/// What is to change in the value of a field; in order, without overlaps. `called` is what the browser calls the server.
pub(super) fn splices(
    direction: Direction,
    name: &[u8],
    value: &[u8],
    called: &Authority,
    names: &Names,
) -> Vec<Splice> {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    match direction {
        Direction::C2s if is("host") => {
            let differs = names::authority(value).is_some_and(|named| named != names.server);
            differs.then(|| (0..value.len(), names::text(&names.server))).into_iter().collect()
        }
        Direction::C2s if is("origin") || is("referer") => {
            of_url(value, |named| names.real(called, named).cloned()).into_iter().collect()
        }
        Direction::S2c if is("location") || is("access-control-allow-origin") => {
            of_url(value, |named| names.ours(called, named)).into_iter().collect()
        }
        Direction::S2c if is("set-cookie") => cookie_domain(value, called, names),
        Direction::S2c if is("content-security-policy") || is("content-security-policy-report-only") => {
            policy(value, called, names)
        }
        Direction::S2c
            if is("strict-transport-security") && !names.servers().any(|server| server.host == called.host) =>
        {
            max_age(value)
        }
        Direction::C2s | Direction::S2c => Vec::new(),
    }
}

/// Replaces the authority of a URL, or of a reference that begins with `//`.
fn of_url(value: &[u8], replace: impl Fn(&Authority) -> Option<Authority>) -> Option<Splice> {
    let start = ["https://", "wss://", "//"].into_iter().find(|start| starts_with(value, start))?.len();
    let rest = value.get(start..)?;
    let length = rest.iter().position(|byte| b"/?#".contains(byte) || byte.is_ascii_whitespace()).unwrap_or(rest.len());
    let named = names::authority(rest.get(..length)?)?;
    Some((start..start + length, names::text(&replace(&named)?)))
}

/// Takes out `Domain` attributes (RFC 6265 section 5.2.3) that a browser would refuse from us and take from the server.
fn cookie_domain(value: &[u8], called: &Authority, names: &Names) -> Vec<Splice> {
    let mut splices = Vec::new();
    let mut parts = split(value, b";");
    parts.next();
    for part in parts {
        let text = value.get(part.clone()).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', text) else { continue };
        let (name, domain) = (text.get(..equals).unwrap_or_default(), text.get(equals + 1..).unwrap_or_default());
        if !name.trim_ascii().eq_ignore_ascii_case(b"domain") {
            continue;
        }
        let domain = String::from_utf8_lossy(domain.trim_ascii()).to_ascii_lowercase();
        let domain = domain.strip_prefix('.').unwrap_or(&domain);
        if names.servers().any(|server| is_within(&server.host, domain)) && !is_within(&called.host, domain) {
            splices.push((part.start - 1..part.end, String::new()));
        }
    }
    splices
}

/// Whether a cookie of `domain` is for `host` (RFC 6265 section 5.1.3).
fn is_within(host: &str, domain: &str) -> bool {
    !domain.is_empty() && host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Sets `max-age` (RFC 6797 section 6.1.1) to 0, which makes a browser forget.
fn max_age(value: &[u8]) -> Vec<Splice> {
    let mut splices = Vec::new();
    for part in split(value, b";") {
        let text = value.get(part.clone()).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', text) else { continue };
        let (name, age) = (text.get(..equals).unwrap_or_default(), text.get(equals + 1..).unwrap_or_default());
        if name.trim_ascii().eq_ignore_ascii_case(b"max-age")
            && let Some(first) = age.iter().position(u8::is_ascii_digit)
        {
            let digits = age.get(first..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
            let start = part.start + equals + 1 + first;
            if age.get(first..first + digits) != Some(b"0") {
                splices.push((start..start + digits, "0".to_owned()));
            }
        }
    }
    splices
}

/// Host sources of every directive (CSP3 section 2.3.1). Several policies may be joined by commas.
fn policy(value: &[u8], called: &Authority, names: &Names) -> Vec<Splice> {
    let mut splices = Vec::new();
    for directive in split(value, b";,") {
        let start = directive.start;
        let words = split(value.get(directive).unwrap_or_default(), b" \t\r\n").filter(|word| !word.is_empty());
        for word in words.skip(1).map(|word| start + word.start..start + word.end) {
            let text = value.get(word.clone()).unwrap_or_default();
            splices.extend(
                source(text, called, names).map(|(part, now)| (word.start + part.start..word.start + part.end, now)),
            );
        }
    }
    splices
}

/// One host source: `[scheme://][*.]host[:port][/path]`, the port a number or `*`.
fn source(text: &[u8], called: &Authority, names: &Names) -> Option<Splice> {
    let scheme = ["https://", "wss://"].into_iter().find(|scheme| starts_with(text, scheme)).unwrap_or_default();
    let rest = text.get(scheme.len()..)?;
    let length = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    let named = str::from_utf8(rest.get(..length)?).ok()?.to_ascii_lowercase();
    let whole = scheme.len()..scheme.len() + length;
    if let Some(host) = named.strip_suffix(":*") {
        let is_ours = names.servers().any(|server| server.host == host) && host != called.host;
        return is_ours.then(|| (whole, format!("{}:*", host_text(called))));
    }
    if let Some(parent) = named.strip_prefix("*.") {
        let parent = names::authority(parent.as_bytes())?;
        let covers = |server: &&Authority| {
            server.port == parent.port && server.host != parent.host && is_within(&server.host, &parent.host)
        };
        let ours = names.ours(called, names.servers().find(covers)?)?;
        return Some((text.len()..text.len(), format!(" {scheme}{}", names::text(&ours))));
    }
    let ours = names.ours(called, &names::authority(named.as_bytes())?)?;
    Some((whole, names::text(&ours)))
}

fn host_text(authority: &Authority) -> String {
    if authority.host.contains(':') { format!("[{}]", authority.host) } else { authority.host.clone() }
}

fn starts_with(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start.as_bytes()))
}

/// The parts between bytes that are one of `separators`.
fn split<'t>(text: &'t [u8], separators: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let length = text.get(from..).unwrap_or_default().iter().position(|byte| separators.contains(byte));
        start = length.map(|length| from + length + 1);
        Some(from..length.map_or(text.len(), |length| from + length))
    })
}
