//! The facts at the start, one a line on standard error, stable enough to script against.

use crate::capture::rules::Level;
use crate::conn::Authority;
use crate::tls::ca::Listing;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use std::net::SocketAddr;

/// What there is to say.
pub(super) struct Facts<'f> {
    pub(super) listening: &'f [SocketAddr],
    pub(super) upstream: &'f Authority,
    /// Addresses that would be dialled now.
    pub(super) dialled: &'f [SocketAddr],
    pub(super) capture: &'f str,
    pub(super) redaction: Level,
    pub(super) ca: Option<&'f Listing>,
    pub(super) admin: Option<SocketAddr>,
}

/// Writes the facts.
pub(super) fn print(facts: &Facts<'_>) {
    // Nobody reading standard error is no reason not to work.
    let _ = std::io::stderr().write_all(text(facts).as_bytes());
}

fn text(facts: &Facts<'_>) -> String {
    let mut lines: Vec<String> = facts.listening.iter().map(|address| format!("listening https://{address}")).collect();
    let dialled: Vec<String> = facts.dialled.iter().map(ToString::to_string).collect();
    lines.push(format!("upstream {} ({})", facts.upstream, dialled.join(", ")));
    lines.push(format!("capture {}", facts.capture));
    lines.push(format!("redaction {}", facts.redaction));
    if facts.redaction == Level::Off {
        lines.push(String::from("warning the capture holds passwords in the clear: keep it to yourself"));
    }
    if facts.listening.iter().any(|address| !address.ip().is_loopback()) {
        lines.push(String::from(
            "warning other machines can reach this proxy: --listen names an address beyond loopback",
        ));
    }
    if let Some(ca) = facts.ca {
        lines.push(format!("ca {} (to trust it: finesse-tap ca)", ca.path.display()));
    }
    if let Some(admin) = facts.admin {
        lines.push(format!("metrics http://{admin}/metrics"));
    }
    lines.extend(browser(facts));
    lines.join("\n") + "\n"
}

/// How a browser comes to talk to us while it believes to talk to the server.
fn browser(facts: &Facts<'_>) -> Vec<String> {
    let Some(listening) = facts.listening.first() else { return Vec::new() };
    let (host, port) = (&facts.upstream.host, facts.upstream.port);
    let ip =
        if listening.ip().is_unspecified() { "this machine's address".to_owned() } else { listening.ip().to_string() };
    let mut lines = Vec::new();
    if listening.port() == port && facts.upstream.host.parse::<std::net::IpAddr>().is_err() {
        lines.push(format!(
            "browser map {host} to {ip} in the hosts file (and start with --resolve {host}:ADDRESS), open https://{host}:{port}/desktop"
        ));
    }
    let spki = facts.ca.and_then(|ca| base64_of_hex(&ca.spki_sha256));
    let trust = spki.map(|spki| format!(" --ignore-certificate-errors-spki-list={spki}")).unwrap_or_default();
    let upstream = facts.upstream;
    lines.push(format!(
        "browser {}chrome --user-data-dir=NEW-FOLDER --host-resolver-rules=\"MAP {upstream} {listening}\"{trust} \
         https://{upstream}/desktop",
        if lines.is_empty() { "" } else { "or: " },
    ));
    lines
}

fn base64_of_hex(hex: &str) -> Option<String> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    Some(STANDARD.encode(bytes))
}
