//! A browser in front of a server that is particular about its name: under that name, in a browser that the program opens, and
//! as `localhost`, with rewriting. Either way a whole login, HSTS, a Content-Security-Policy, a redirect and CORS.

use super::client::{Endpoint, Seen};
use super::process::Process;
use super::server::Server;
use super::tap::Capture;
use super::{BROWSER, HOST, holds_no_password, holds_the_login, is_the_reference_login, ready};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A proxy before both ports of a strict server.
struct Proxy {
    process: Process,
    /// Where it listens for either.
    ports: [u16; 2],
    /// The server's own.
    real: [u16; 2],
    directory: TempDir,
    /// Which it is stopped before.
    _strict: Server,
}

impl Proxy {
    fn before(behind: &Server, more: &[&str]) -> Self {
        let (strict, second) = Server::strict(behind);
        let real = [strict.port(), second];
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(directory.path().join("profiles")).expect("make a directory for profiles");
        let mut command = program(directory.path(), "run");
        command.args(["--upstream", &format!("{HOST}:{}", real[0]), "--listen", "127.0.0.1:0"]);
        command.args(["--route", &format!("0={HOST}:{}", real[1]), "--resolve", &format!("{HOST}:127.0.0.1")]);
        command.arg("--upstream-ca").arg(strict.certificate()).args(["--capture", "capture"]).args(more);
        let mut process = Process::start(&mut command);
        let ports = [(); 2].map(|()| {
            process.wait_for("where it listens", |line| {
                line.split_once("listening https://127.0.0.1:")?.1.trim().parse().ok()
            })
        });
        Self { process, ports, real, directory, _strict: strict }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint { port: self.ports[0], ca: self.directory.path().join("certs").join(HOST).join("ca.pem") }
    }

    fn profiles(&self) -> PathBuf {
        self.directory.path().join("profiles")
    }

    /// What passed, in a capture that is whole.
    fn stop(self, seen: &Seen) -> Capture {
        let stderr = self.process.terminate().stderr.join("\n");
        let capture = Capture::in_directory(&self.directory.path().join("capture"), stderr);
        holds_the_login(&capture, seen);
        capture
    }
}

/// The program, in a directory in which everything of it lies, browsers' profiles too.
fn program(directory: &Path, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    program.arg(command).args(["--certs", "certs"]).current_dir(directory).env("TMPDIR", directory.join("profiles"));
    program
}

/// What a browser needs without a screen, and for root; and a way to be driven.
const UNSEEN: [&str; 3] =
    ["--browser-arg=--headless=new", "--browser-arg=--no-sandbox", "--browser-arg=--remote-debugging-port=0"];

#[test]
fn a_login_over_localhost_with_a_server_that_insists_on_its_name() {
    if !ready("a login over localhost", BROWSER) {
        return;
    }
    let behind = Server::prosody();
    let proxy = Proxy::before(&behind, &[]);
    let [first, second] = proxy.ports;
    let (page, cross) = (format!("https://localhost:{first}/desktop"), format!("https://localhost:{second}/cross"));
    let seen = proxy.endpoint().login_in_chromium_at(&behind, &page, &cross);
    is_the_reference_login(&seen);
    assert_eq!(seen.url, format!("https://localhost:{first}/desktop/index.html"), "the redirect");
    assert_eq!(seen.cookies, ["JSESSIONID localhost"]);
    assert_eq!(seen.crossed, "crossed", "CORS");
    let real = proxy.real[0];
    let capture = proxy.stop(&seen);

    let names = |list: &str| -> Vec<String> {
        let facts = capture.events.iter().map(|event| &event["finesse"]["http"]["rewrite"]);
        let fields = facts.flat_map(|rewrite| rewrite[list].as_array().cloned().unwrap_or_default());
        fields.map(|field| field["name"].as_str().unwrap_or_default().to_lowercase()).collect()
    };
    for name in ["host", "origin", "referer"] {
        assert!(names("request_headers").contains(&name.to_owned()), "no {name} was rewritten");
    }
    for name in [
        "location",
        "set-cookie",
        "strict-transport-security",
        "content-security-policy",
        "access-control-allow-origin",
    ] {
        assert!(names("response_headers").contains(&name.to_owned()), "no {name} was rewritten");
    }
    let upgrade = capture.all("websocket-opened").next().expect("an upgrade");
    let host = &upgrade["finesse"]["http"]["rewrite"]["request_headers"][0];
    assert_eq!(host["value"], format!("{HOST}:{real}"));
}

#[test]
fn without_rewriting_that_server_refuses() {
    if !ready("a request over localhost", BROWSER) {
        return;
    }
    let behind = Server::prosody();
    let proxy = Proxy::before(&behind, &["--rewrite", "never"]);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--cacert"]).arg(proxy.endpoint().ca);
    curl.args(["--write-out", "%{http_code}", &format!("https://localhost:{}/desktop", proxy.ports[0])]);
    let said = super::run(&mut curl).stdout.join("\n");
    assert!(said.ends_with("421"), "{said}");
}

#[test]
fn a_browser_of_its_own_logs_in_under_the_real_name() {
    if !ready("a browser of the program's own", BROWSER) {
        return;
    }
    let behind = Server::prosody();
    let mut proxy = Proxy::before(&behind, &[&["--browse", "--path", "/desktop"], &UNSEEN[..]].concat());
    let [first, second] = proxy.real;
    let cross = format!("https://{HOST}:{second}/cross");
    let seen = proxy.endpoint().login_in_running(&behind, &proxy.profiles(), &cross);
    is_the_reference_login(&seen);
    assert_eq!(seen.url, format!("https://{HOST}:{first}/desktop/index.html"));
    assert_eq!((&seen.cookies[..], &*seen.crossed), (&[format!("JSESSIONID .{HOST}")][..], "crossed"));

    // Closed by its user: the proxy goes on, and nothing is left of the browser.
    proxy.process.wait_for("that the browser was closed", |line| line.starts_with("browser closed").then_some(()));
    assert!(is_empty(&proxy.profiles()), "a profile was left");

    // Another one in front of the same proxy, which ends when it is told to.
    let mut command = program(proxy.directory.path(), "browse");
    command.args(["--upstream", &format!("{HOST}:{first}"), "--listen", &format!("127.0.0.1:{}", proxy.ports[0])]);
    command.args(["--route", &format!("{}={HOST}:{second}", proxy.ports[1]), "--path", "/desktop"]).args(UNSEEN);
    let mut browse = Process::start(&mut command);
    browse.wait_for("what it opens", |line| line.starts_with("browser ").then_some(()));
    let again = proxy.endpoint().login_in_running(&behind, &proxy.profiles(), &cross);
    is_the_reference_login(&again);
    browse.finish();
    assert!(is_empty(&proxy.profiles()), "a profile was left");

    let stderr = proxy.process.terminate().stderr.join("\n");
    let capture = Capture::in_directory(&proxy.directory.path().join("capture"), stderr);
    capture.is_whole();
    assert!(
        capture.events.iter().all(|event| event["finesse"]["http"]["rewrite"].is_null()),
        "something was rewritten"
    );
    assert_eq!(capture.all("websocket-opened").count(), 2);
}

/// The second node of a cluster.
const SECOND: &str = "finesse2.example.test";

/// Both nodes are behind one listener, and called by the same port: only the name that the browser asks for tells them apart.
#[test]
fn a_desktop_goes_on_to_the_second_node_when_the_first_fails() {
    if !ready("a browser at two nodes", BROWSER) {
        return;
    }
    let [behind, beyond] = [HOST, SECOND].map(Server::prosody_called);
    let cluster = Server::cluster([HOST, SECOND], [&behind, &beyond]);
    let port = cluster[0].port();
    let both = [HOST, SECOND].map(|host| format!("{host}:{port}"));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let profiles = directory.path().join("profiles");
    fs::create_dir(&profiles).expect("make a directory for profiles");
    let certificates = directory.path().join("nodes.pem");
    let pems = cluster.each_ref().map(|node| fs::read_to_string(node.certificate()).expect("a certificate"));
    fs::write(&certificates, pems.concat()).expect("write the certificates");

    let mut command = program(directory.path(), "run");
    command.args(["--listen", "127.0.0.1:0", "--capture", "capture", "--upstream-ca"]).arg(certificates);
    for ((host, node), address) in [HOST, SECOND].iter().zip(&both).zip(["127.0.0.1", "127.0.0.2"]) {
        command.args(["--upstream", node, "--resolve", &format!("{host}:{address}")]);
    }
    let mut proxy = Process::start(&mut command);
    let listening =
        proxy.wait_for("where it listens", |line| line.strip_prefix("listening https://").map(str::to_owned));
    let mut command = program(directory.path(), "browse");
    command.args(["--upstream", &both[0], "--upstream", &both[1], "--listen", &listening, "--path", "/desktop"]);
    let mut browse = Process::start(command.args(UNSEEN));
    browse.wait_for("what it opens", |line| line.starts_with("browser ").then_some(()));

    let endpoint = Endpoint { port: 0, ca: PathBuf::new() };
    let mut desktop = Process::start(&mut endpoint.failover_in_running(&behind, SECOND, &beyond, &profiles));
    desktop.wait_for("that it is logged in", |line| (line == r#"{"seen":"settled"}"#).then_some(()));
    behind.kill();
    let lines = desktop.finish().stdout;
    browse.finish();
    let stderr = proxy.terminate().stderr.join("\n");

    for (node, status) in both.iter().zip(["OUT_OF_SERVICE", "IN_SERVICE"]) {
        let told = format!(r#"{{"seen":"system","origin":"https://{node}","status":"{status}"}}"#);
        assert!(lines.contains(&told), "no {told} in {lines:#?}");
    }
    let [before, after] = Seen::before_and_after(&lines);
    is_the_reference_login(&after);
    assert_eq!(after.url, format!("https://{}/desktop/index.html", both[1]));
    assert_eq!(after.cookies, [format!("JSESSIONID .{SECOND}")]);

    let capture = Capture::in_directory(&directory.path().join("capture"), stderr);
    capture.is_whole();
    holds_no_password(&capture);
    assert_eq!(capture.all("websocket-opened").count(), 2);
    for event in &capture.events {
        assert!(event["finesse"]["http"]["rewrite"].is_null(), "something was rewritten: {event}");
    }
    let [first, second] = [HOST, SECOND].map(|host| capture.of_server(host));
    for (node, address) in [(&first, "127.0.0.1"), (&second, "127.0.0.2")] {
        assert_eq!(node.all("websocket-opened").count(), 1, "a socket to each node");
        for event in node.events.iter().filter(|event| !event["server"]["ip"].is_null()) {
            assert_eq!((&event["server"]["ip"], &event["server"]["port"]), (&address.into(), &port.into()), "{event}");
        }
        let asked = node.all("http-exchange").filter(|event| event["url"]["path"] == "/finesse/api/SystemInfo");
        assert!(asked.count() > 0, "SystemInfo of {address}");
    }
    first.holds(&before.frames, 0);
    first.quotes(&before.frames);
    let frames = after.until_close();
    second.holds(frames, frames.len() - 1);
    second.quotes(frames);
    assert_eq!(second.all("finesse-update").count(), 1);
    // One agent, one story; and nothing is said of a server that the browser goes to past the proxy.
    let session = |node: &Capture| node.all("websocket-closed").map(|event| event["trace"].clone()).next();
    assert!(session(&first).is_some_and(|trace| trace["id"].is_string()) && session(&first) == session(&second));
    let findings: Vec<_> = capture.all("finding").map(|event| &event["finesse"]["finding"]["code"]).collect();
    assert_eq!(findings, ["ended-without-close"], "what the first node's end is told as");
}

#[test]
fn a_browser_ends_with_its_proxy() {
    if !ready("a browser of the program's own", BROWSER) {
        return;
    }
    let behind = Server::prosody();
    let mut proxy = Proxy::before(&behind, &[&["--browse"], &UNSEEN[..]].concat());
    proxy.process.wait_for("what is opened", |line| line.contains(" opens https://").then_some(()));
    assert!(!is_empty(&proxy.profiles()));
    let profiles = proxy.profiles();
    proxy.process.terminate();
    assert!(is_empty(&profiles), "a profile was left");
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).expect("a directory").next().is_none()
}
