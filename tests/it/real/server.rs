//! Real servers on loopback ports: Prosody as Finesse's notification service, ws as a server that compresses. `ejabberd` and `nginx`
//! add theirs.
//!
//! Each instance has a directory, a self-signed certificate and a port of its own and ends with its value.

use super::process::{Process, run};
use super::{AGENTS, HOST, PASSWORD, scripts};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// How often another port is tried when somebody else was quicker to take the free one.
const PORT_ATTEMPTS: usize = 5;

/// A server with one TLS port for page and WebSocket.
pub(super) struct Server {
    pub(super) port: u16,
    /// XMPP without HTTP: with STARTTLS, and TLS at once.
    pub(super) xmpp: [u16; 2],
    pub(super) certificate: PathBuf,
    pub(super) process: Process,
    pub(super) _directory: TempDir,
}

impl Server {
    /// Prosody: SASL PLAIN only, `/ws/`, `/http-bind/`, XMPP by itself, the page at `/desktop/`, a pubsub component, agents and
    /// `finesse` in each other's roster.
    pub(super) fn prosody() -> Self {
        Self::prosody_called(HOST)
    }

    /// The same under another name.
    pub(super) fn prosody_called(host: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, _) = certificate_for(host, directory.path());
        let pairs = AGENTS.iter().map(|agent| (*agent, &["finesse"][..])).chain([("finesse", &AGENTS[..])]);
        for (user, others) in pairs {
            store(directory.path(), host, "accounts", user, &format!("[\"password\"] = {PASSWORD:?};"));
            let both = |other| format!("[\"{other}@{host}\"] = {{ subscription = \"both\"; groups = {{}} }};");
            store(directory.path(), host, "roster", user, &others.iter().map(both).collect::<String>());
        }
        let site = directory.path().join("site");
        fs::create_dir(&site).expect("make the site");
        for file in [
            "index.html",
            "desktop.js",
            "node_modules/strophe.js-desktop/strophe.js",
            "node_modules/strophe.js/dist/strophe.esm.js",
        ] {
            let from = scripts().join(file);
            fs::copy(&from, site.join(from.file_name().expect("a file")))
                .unwrap_or_else(|error| panic!("copy {}: {error}", from.display()));
        }

        for _ in 0..PORT_ATTEMPTS {
            let [port, starttls, direct] = [(); 3].map(|()| free_port());
            let xmpp = [starttls, direct];
            let configuration = directory.path().join("prosody.cfg.lua");
            fs::write(&configuration, prosody_configuration(directory.path(), host, port, xmpp))
                .expect("write the configuration");
            let mut process = Process::start(Command::new("prosody").arg("--config").arg(&configuration).arg("-F"));
            let ports = process.wait_for("where https listens", |line| {
                line.split_once("Activated service 'https' on ").map(|(_, ports)| ports.to_owned())
            });
            if ports.ends_with(&format!(":{port}")) {
                return Self { port, xmpp, certificate, process, _directory: directory };
            }
        }
        panic!("no port for Prosody after {PORT_ATTEMPTS} attempts");
    }

    /// OpenSSL's test server, which speaks what `options` say.
    pub(super) fn openssl(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, key) = certificate(directory.path());
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-www", "-accept", "127.0.0.1:0"])
            .arg("-cert")
            .arg(&certificate)
            .arg("-key")
            .arg(key);
        let mut process = Process::start(command.args(options));
        let port = process.wait_for("where it listens", |line| line.rsplit_once("ACCEPT 127.0.0.1:")?.1.parse().ok());
        Self { port, xmpp: [0; 2], certificate, process, _directory: directory }
    }

    /// ws with permessage-deflate as `options` say (see `deflate.mjs`).
    pub(super) fn deflate(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, key) = certificate(directory.path());
        let mut command = Command::new("node");
        command
            .arg(scripts().join("deflate.mjs"))
            .arg("serve")
            .arg("--cert")
            .arg(&certificate)
            .arg("--key")
            .arg(key)
            .args(options);
        let mut process = Process::start(&mut command);
        let port =
            process.wait_for("its port", |line| line.strip_prefix("{\"listening\":")?.strip_suffix('}')?.parse().ok());
        Self { port, xmpp: [0; 2], certificate, process, _directory: directory }
    }

    /// Its ports for XMPP without HTTP: with STARTTLS, and TLS at once.
    pub(super) fn xmpp(&self) -> [u16; 2] {
        self.xmpp
    }

    /// Finesse's own client on this server, present for `agents` and ready: it lives as long as the value.
    pub(super) fn finesse(&self, agents: &[&str]) -> Process {
        let mut command = Command::new("node");
        command.arg(scripts().join("finesse.mjs")).env("FINESSE_TAP_TEST_PASSWORD", PASSWORD);
        command.args(["--host", HOST, "--users", &agents.join(","), "--server", &self.port.to_string(), "--server-ca"]);
        let mut process = Process::start(command.arg(&self.certificate));
        process.wait_for("that it is ready", |line| (line == "{\"ready\":true}").then_some(()));
        process
    }

    /// Ends it at once.
    pub(super) fn kill(self) {
        self.process.kill();
    }

    /// Sends the server a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// A server that is particular about its name, in front of `behind` (see `strict.mjs`), and its second port.
    pub(super) fn strict(behind: &Self) -> (Self, u16) {
        Self::strict_called(HOST, behind, &[])
    }

    /// Two such servers, a cluster's nodes called `hosts`, each in front of one of `behind`: on the same port of 127.0.0.1 and
    /// 127.0.0.2.
    pub(super) fn cluster(hosts: [&str; 2], behind: [&Self; 2]) -> [Self; 2] {
        let (primary, _) = Self::strict_called(hosts[0], behind[0], &["--other", hosts[1]]);
        let port = primary.port.to_string();
        let options = ["--other", hosts[0], "--address", "127.0.0.2", "--port", &port];
        let (secondary, _) = Self::strict_called(hosts[1], behind[1], &options);
        [primary, secondary]
    }

    fn strict_called(host: &str, behind: &Self, options: &[&str]) -> (Self, u16) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (certificate, key) = certificate_for(host, directory.path());
        let mut command = Command::new("node");
        command.arg(scripts().join("strict.mjs")).args(["--host", host, "--behind", &behind.port.to_string()]);
        command.arg("--behind-ca").arg(&behind.certificate).arg("--cert").arg(&certificate).arg("--key").arg(key);
        command.args(options);
        let mut process = Process::start(&mut command);
        let [port, second] = process.wait_for("its ports", |line| {
            let (first, second) = line.strip_prefix("{\"listening\":[")?.strip_suffix("]}")?.split_once(',')?;
            Some([first.parse().ok()?, second.parse().ok()?])
        });
        (Self { port, xmpp: [0; 2], certificate, process, _directory: directory }, second)
    }

    /// Its TLS port on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Its self-signed certificate, PEM.
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Certificate and key, self-signed and not a CA, as Finesse makes its own.
pub(super) fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    certificate_for(HOST, directory)
}

fn certificate_for(host: &str, directory: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (directory.join("server.pem"), directory.join("server.key"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", &format!("/CN={host}")]);
    command.args(["-addext", &format!("subjectAltName=DNS:{host}"), "-addext", "basicConstraints=critical,CA:FALSE"]);
    run(command.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
    (certificate, key)
}

/// One record of Prosody's internal storage, which names its directories percent-encoded.
fn store(directory: &Path, host: &str, name: &str, user: &str, fields: &str) {
    let folder = directory.join("data").join(host.replace('.', "%2e")).join(name);
    fs::create_dir_all(&folder).expect("make the store");
    fs::write(folder.join(format!("{user}.dat")), format!("return {{ {fields} }};\n")).expect("write the store");
}

fn prosody_configuration(directory: &Path, host: &str, port: u16, [starttls, direct]: [u16; 2]) -> String {
    let directory = directory.display();
    format!(
        r#"
        run_as_root = true -- or refuses to start where the tests run as root
        data_path = "{directory}/data"
        certificates = "{directory}"
        log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
        modules_enabled = {{ "roster", "saslauth", "disco", "ping", "tls", "websocket", "bosh", "http_files" }}
        modules_disabled = {{ "s2s", "offline" }}
        storage = "internal"
        authentication = "internal_plain"
        disable_sasl_mechanisms = {{ "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS" }}
        c2s_ports = {{ {starttls} }}
        c2s_direct_tls_ports = {{ {direct} }}
        c2s_interfaces = {{ "127.0.0.1" }}
        c2s_direct_tls_interfaces = {{ "127.0.0.1" }}
        c2s_require_encryption = true
        c2s_direct_tls_ssl = {{ key = "{directory}/server.key", certificate = "{directory}/server.pem" }}
        s2s_ports = {{}}
        http_ports = {{}}
        https_ports = {{ {port} }}
        https_interfaces = {{ "127.0.0.1" }}
        https_ssl = {{ key = "{directory}/server.key", certificate = "{directory}/server.pem" }}
        http_paths = {{ websocket = "/ws/", files = "/desktop" }}
        http_files_dir = "{directory}/site"
        VirtualHost "{host}"
            ssl = {{ key = "{directory}/server.key", certificate = "{directory}/server.pem" }}
        Component "pubsub.{host}" "pubsub"
            admins = {{ "finesse@{host}" }}
        "#
    )
}
