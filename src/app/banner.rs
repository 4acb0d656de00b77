//! The facts at the start, one a line on standard error, stable enough to script against.

use crate::browse::reachable;
use crate::capture::policy::Level;
use crate::cli::DEFAULT_CERTS;
use crate::conn::Kind;
use crate::proxy::{Route, Unreachable};
use crate::tls::ca::Listing;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// A route, and the addresses that would be dialled for it now.
pub(super) type Fronted = (Route, Result<Vec<SocketAddr>, Unreachable>);

/// What there is to say.
pub(super) struct Facts<'f> {
    /// Listener by listener.
    pub(super) fronted: &'f [Fronted],
    pub(super) capture: &'f str,
    pub(super) redaction: Level,
    pub(super) cas: &'f [Listing],
    /// Keys that vouch for what browsers are shown, hex.
    pub(super) spki_sha256: &'f [String],
    pub(super) admin: Option<SocketAddr>,
    /// The address of the console, for one browser.
    pub(super) console: Option<&'f str>,
}

/// Writes the facts.
pub(super) fn print(facts: &Facts<'_>) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text(facts).as_bytes());
}

fn text(facts: &Facts<'_>) -> String {
    let mut lines = Vec::new();
    let mut listener = None;
    for (route, dialled) in facts.fronted {
        if listener != Some(route.listener) {
            listener = Some(route.listener);
            lines.push(format!("listening {}://{}", route.kind.scheme(), route.listener));
        }
        let dialled = match dialled {
            Ok(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Err(unreachable) => unreachable.why.clone(),
        };
        lines.push(format!("upstream {} ({dialled})", route.upstream));
    }
    lines.push(format!("capture {}", facts.capture));
    lines.push(format!("redaction {}", facts.redaction));
    let listeners = facts.fronted.iter().map(|(route, _)| route.listener);
    lines.extend(dangers(facts.redaction, listeners).map(|danger| format!("warning {danger}")));
    for ca in facts.cas {
        let certs = ca.path.ancestors().nth(2).filter(|certs| *certs != Path::new(DEFAULT_CERTS));
        let option = certs.map(|certs| format!(" --certs {}", certs.display())).unwrap_or_default();
        lines.push(format!("ca {} (to trust it: finesse-tap ca{option})", ca.path.display()));
    }
    if let Some(admin) = facts.admin {
        lines.push(format!("metrics http://{admin}/metrics"));
    }
    if let Some(console) = facts.console {
        lines.push(format!("console {console}"));
    }
    lines.extend(browser(facts));
    lines.join("\n") + "\n"
}

/// What may do harm, though it was asked for.
pub(super) fn dangers(
    redaction: Level,
    mut listeners: impl Iterator<Item = SocketAddr>,
) -> impl Iterator<Item = &'static str> {
    let is_clear = redaction == Level::Off;
    let is_exposed = listeners.any(|listener| !listener.ip().is_loopback());
    let clear = is_clear.then_some("the capture holds passwords in the clear: keep it to yourself");
    let exposed = is_exposed.then_some("other machines can reach this proxy: it listens on an address beyond loopback");
    clear.into_iter().chain(exposed)
}

/// How a browser comes to talk to us while it believes to talk to the server.
fn browser(facts: &Facts<'_>) -> Vec<String> {
    let desktops = || facts.fronted.iter().map(|(route, _)| route).filter(|route| route.kind == Kind::Https);
    let Some(first) = desktops().next() else { return Vec::new() };
    let upstream = &first.upstream;
    let mut lines = Vec::new();
    // A hosts file maps names, not ports.
    let mut hosts: Vec<&str> = Vec::new();
    for Route { listener, upstream, .. } in facts.fronted.iter().map(|(route, _)| route) {
        let reached = listener.ip() == first.listener.ip() && listener.port() == upstream.port;
        if reached && upstream.host.parse::<IpAddr>().is_err() && !hosts.contains(&&*upstream.host) {
            hosts.push(&upstream.host);
        }
    }
    if hosts.contains(&&*upstream.host) {
        let ip = first.listener.ip();
        let ip = if ip.is_unspecified() { "this machine's address".to_owned() } else { ip.to_string() };
        let resolve: Vec<String> = hosts.iter().map(|host| format!("--resolve {host}:ADDRESS")).collect();
        lines.push(format!(
            "browser map {} to {ip} in the hosts file (and start with {}), open https://{upstream}/desktop",
            hosts.join(" and "),
            resolve.join(" ")
        ));
    }
    let keys: Vec<String> = facts.spki_sha256.iter().filter_map(|hex| base64_of_hex(hex)).collect();
    let trust = if keys.is_empty() {
        String::new()
    } else {
        format!(" --ignore-certificate-errors-spki-list={}", keys.join(","))
    };
    let rules: Vec<String> =
        desktops().map(|route| format!("MAP {} {}", route.upstream, reachable(route.listener))).collect();
    lines.push(format!(
        "browser {}chrome --user-data-dir=NEW-FOLDER --host-resolver-rules=\"{}\"{trust} https://{upstream}/desktop",
        if lines.is_empty() { "" } else { "or: " },
        rules.join(", "),
    ));
    lines
}

/// A hash as browsers take it.
pub(super) fn base64_of_hex(hex: &str) -> Option<String> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    Some(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conn::Authority;

    #[test]
    fn a_browser_is_not_sent_to_the_address_that_means_all() {
        let upstream = Authority::parse("pub.example.test:8445", 0).unwrap();
        let route = Route { listener: "0.0.0.0:9000".parse().unwrap(), upstream, kind: Kind::Https };
        let facts = Facts {
            console: None,
            fronted: &[(route, Ok(Vec::new()))],
            capture: "captures",
            redaction: Level::Auth,
            cas: &[],
            spki_sha256: &[],
            admin: None,
        };
        let text = text(&facts);
        assert!(text.contains("listening https://0.0.0.0:9000\n"), "{text}");
        assert!(text.contains("MAP pub.example.test:8445 127.0.0.1:9000\""), "{text}");
    }
}
