//! What to do next, in order: the failed step first, then the very command that would work.
//!
//! Commands can be pasted into a shell: names are checked ones, paths are quoted where they need to be.

use super::course::Walked;
use super::{Diagnosis, Question, Verdict, Way};
use crate::conn::Authority;
use crate::tls::upstream::Trust;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

/// Where `run` listens unless it is told otherwise.
const USUAL_PORT: u16 = 8445;

/// The next steps, for a person.
pub(super) fn next(question: &Question, diagnosis: &Diagnosis, direct: Option<&Walked>) -> Vec<String> {
    let mut next = Vec::new();
    let Some(direct) = direct else { return next };
    let is_bad = |name: &str| direct.step(name).is_some_and(|step| step.verdict == Verdict::Fail);
    if let Some(first) = diagnosis.steps().find(|step| step.verdict == Verdict::Fail)
        && let Some(advice) = &first.advice
    {
        next.push(format!("fix `{}` first: {advice}", first.name));
    }
    if is_bad("upgrade") && port_open(direct, "port 7443") {
        next.push(format!("try the port of older releases: finesse-tap doctor {}", at_port(question, 7443)));
    }
    if let Some(pin) = direct.pin.filter(|_| !leads_back(direct) && !lacks_socket(direct)) {
        let (trust, condition) = if direct.trusted && question.trust != Trust::Insecure {
            (trust(&question.trust), "")
        } else {
            (format!(" --upstream-pin {pin}"), ", if the fingerprint is the one that the server's administrator names")
        };
        let common = format!("{}{}{trust}{}", question.server, resolve(question), client(question));
        let certs = certs(question);
        // A browser asks for the server's own port, so that is where the proxy should listen.
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, question.server.port));
        let listen = if at.port() == USUAL_PORT { String::new() } else { format!(" --listen {at}") };
        match running(diagnosis) {
            Some(proxy) if diagnosis.verdict != Verdict::Fail && proxy.ip().is_loopback() => {
                let listen = if proxy.port() == USUAL_PORT { String::new() } else { format!(" --listen {proxy}") };
                let browse = format!("finesse-tap browse --upstream {}{listen}{certs}", question.server);
                next.push(format!("open the desktop through the proxy: {browse}"));
            }
            Some(_) => {}
            None => {
                let run = format!("finesse-tap run --upstream {common}{listen}{certs} --browse");
                next.push(format!("run the proxy{condition}, and open a browser for which it is the server: {run}"));
            }
        }
        if question.credentials.is_none() {
            next.push(format!("try a whole login: finesse-tap doctor {common} --user ID --password-stdin < FILE"));
        }
        if question.through.is_none() {
            next.push(format!("once the proxy runs, compare: finesse-tap doctor {common} --through {at}{certs}"));
        }
    }
    if let Some(system) = &direct.system {
        // The server's own words: only what is a host name may end up in somebody's shell.
        let nodes =
            system.others(&question.server).filter_map(|node| Authority::parse(node, question.server.port).ok());
        next.extend(nodes.map(|node| format!("look at the other node, too: finesse-tap doctor {node}")));
    }
    let through_unknown = diagnosis.ways.iter().filter(|examined| matches!(examined.way, Way::Through(_)));
    if through_unknown
        .flat_map(|examined| &examined.steps)
        .any(|step| step.name == "certificate" && step.verdict == Verdict::Warn)
    {
        next.push(format!("make the browser trust the proxy: {}", ca_command(question)));
    }
    next
}

/// What tells how to trust the proxy's CA.
pub(super) fn ca_command(question: &Question) -> String {
    format!("finesse-tap ca --upstream {}{}", question.server.host, certs(question))
}

/// The proxy that was gone through, if anybody was there.
fn running(diagnosis: &Diagnosis) -> Option<SocketAddr> {
    diagnosis.ways.iter().find_map(|examined| match examined.way {
        Way::Through(address) => {
            examined.steps.iter().any(|step| step.name == "tcp" && step.verdict != Verdict::Fail).then_some(address)
        }
        Way::Direct => None,
    })
}

/// There is no WebSocket at this server: a desktop finds nothing there, with the proxy or without.
fn lacks_socket(direct: &Walked) -> bool {
    let status = direct.step("upgrade").and_then(|step| step.fact("status")?.parse::<u16>().ok());
    status.is_some_and(|status| matches!(status, 200..=499) && !matches!(status, 401 | 403))
}

/// What was examined is this program itself.
fn leads_back(direct: &Walked) -> bool {
    direct.step("certificate").is_some_and(|step| step.seen.contains("finesse-tap itself"))
}

fn port_open(direct: &Walked, name: &str) -> bool {
    direct.step("ports").and_then(|step| step.fact(name)).is_some_and(|state| state.starts_with("open"))
}

fn at_port(question: &Question, port: u16) -> String {
    Authority { host: question.server.host.clone(), port }.to_string()
}

fn resolve(question: &Question) -> String {
    let given = question.resolve.iter().filter(|(host, _)| host.eq_ignore_ascii_case(&question.server.host));
    given.fold(String::new(), |said, (host, ip)| match ip {
        IpAddr::V4(v4) => format!("{said} --resolve {host}:{v4}"),
        IpAddr::V6(v6) => format!("{said} --resolve {host}:[{v6}]"),
    })
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::System => String::new(),
        Trust::Ca(path) => format!(" --upstream-ca {}", quoted(path)),
        Trust::Pins(pins) => pins.iter().map(|pin| format!(" --upstream-pin {pin}")).collect(),
        // Its place is taken by the pin.
        Trust::Insecure => String::new(),
    }
}

fn certs(question: &Question) -> String {
    question.certs.as_deref().map_or_else(String::new, |dir| format!(" --certs {}", quoted(dir)))
}

fn client(question: &Question) -> String {
    let files = question.client.as_ref();
    files.map_or_else(String::new, |files| {
        let (cert, key) = (quoted(&files.cert), quoted(&files.key));
        format!(" --upstream-client-cert {cert} --upstream-client-key {key}")
    })
}

/// A path as shells take it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/\\:._-".contains(c));
    if plain { path } else { format!("\"{path}\"") }
}
