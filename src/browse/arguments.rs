//! What a browser is told on its command line.

use crate::conn::Authority;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// What is opened, and what holds for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The page.
    pub url: String,
    /// Servers by the name and port that pages use, each with the listener to go to instead.
    pub servers: Vec<(Authority, SocketAddr)>,
    /// Keys that vouch for what the listeners show: SHA-256 of a SubjectPublicKeyInfo in base64.
    pub keys: Vec<String>,
    /// What the user adds, behind all that is said here.
    pub arguments: Vec<OsString>,
}

/// No questions, nothing of its own on the wire, nothing that outlives the window.
const QUIET: [&str; 14] = [
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-search-engine-choice-screen",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-background-mode",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--disable-features=Translate,OptimizationHints,MediaRouter,msEdgeStartupBoost",
    // Or it would ask for the key of the user's own keyring.
    "--password-store=basic",
    "--use-mock-keychain",
];

impl Visit {
    /// The arguments of a browser whose profile is in the directory `profile`, the page last.
    pub(super) fn arguments(&self, profile: &Path) -> Vec<OsString> {
        let mut directory = OsString::from("--user-data-dir=");
        directory.push(profile);
        let mut all = vec![directory];
        all.extend(QUIET.map(OsString::from));
        // What goes by way of another proxy is resolved there, and would not come to us.
        all.push("--no-proxy-server".into());
        all.push("--disable-quic".into());
        all.push(format!("--host-resolver-rules={}", self.rules()).into());
        all.push(format!("--ignore-certificate-errors-spki-list={}", self.keys.join(",")).into());
        all.extend(self.arguments.iter().cloned());
        all.push(self.url.clone().into());
        all
    }

    fn rules(&self) -> String {
        let rule = |(server, listener): &(Authority, SocketAddr)| format!("MAP {server} {}", reachable(*listener));
        self.servers.iter().map(rule).collect::<Vec<_>>().join(", ")
    }
}

/// Where a listener is reached from its own machine.
#[must_use]
pub fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_mapped_with_its_port_and_the_page_comes_last() {
        let server = |text| Authority::parse(text, 0).unwrap();
        let visit = Visit {
            url: "https://pub.example.test:8445/desktop/".into(),
            servers: vec![
                (server("pub.example.test:8445"), "127.0.0.1:40001".parse().unwrap()),
                (server("sub.example.test:8445"), "0.0.0.0:40001".parse().unwrap()),
                (server("pub.example.test:7443"), "[::]:40002".parse().unwrap()),
                (server("[fd00::1]:8445"), "[::1]:40003".parse().unwrap()),
            ],
            keys: vec!["a=".into(), "b=".into()],
            arguments: vec!["--headless=new".into(), "--x=a b; $(c)".into()],
        };
        let arguments = visit.arguments(Path::new("/tmp/a b"));
        assert_eq!(arguments[0], "--user-data-dir=/tmp/a b");
        let rules = "--host-resolver-rules=MAP pub.example.test:8445 127.0.0.1:40001, \
                     MAP sub.example.test:8445 127.0.0.1:40001, MAP pub.example.test:7443 [::1]:40002, \
                     MAP [fd00::1]:8445 [::1]:40003";
        let behind_ours =
            [rules, "--ignore-certificate-errors-spki-list=a=,b=", "--headless=new", "--x=a b; $(c)", &visit.url];
        assert_eq!(arguments[arguments.len() - 5..], behind_ours);
    }
}
