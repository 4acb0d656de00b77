//! Real servers and real clients on both sides of the real binary: Prosody, ejabberd, nginx, HAProxy, Strophe in Node and in Chromium, ws, curl,
//! OpenSSL.
//!
//! These need programs that are not Rust's. `tests/run` installs them and sets `FINESSE_TAP_REAL`, under which a missing one is a
//! failure; without it each test here says on standard error that it was skipped, and passes. What runs outside cargo is in
//! `tests/real/`. Loopback only. Unix only: the programs are Debian's.
#![cfg(unix)]

mod bosh;
mod browse;
mod client;
mod console;
mod doctor;
mod ejabberd;
mod har;
mod nginx;
mod process;
mod scale;
mod server;
mod stream;
mod tap;
mod trouble;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use client::{Endpoint, Frame, Library, Seen, Trust};
use process::{refuses, run};
use server::Server;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tap::{Capture, Tap};

/// The server's name, to everybody.
const HOST: &str = "finesse.example.test";
/// Its port as clients name it; where that leads is another matter.
const PORT: u16 = 8445;
/// The agent.
const AGENT: &str = "1001";
/// All agents there are.
const AGENTS: [&str; 3] = [AGENT, "1002", "1003"];
/// Everybody's password: with letters that XML, JSON and URLs escape.
const PASSWORD: &str = "canary&7f3a\"q<9";

/// The programs a login in Node needs.
const NODE: &[&str] = &["prosody", "node", "openssl"];
/// The programs a login in a browser needs.
const BROWSER: &[&str] = &["prosody", "node", "openssl", "chromium", "certutil"];

/// The control: without the proxy, two logins differ in nothing that the comparison looks at.
#[test]
fn two_logins_without_the_proxy_compare_equal() {
    if !ready("the comparison's control", NODE) {
        return;
    }
    let server = Server::prosody();
    for library in [Library::Desktop, Library::Current] {
        let [one, two] = [(); 2].map(|()| Endpoint::direct(&server).login_in_node(&server, library));
        is_the_reference_login(&one);
        is_the_same(&one, &two);
    }
}

#[test]
fn a_desktop_in_node_sees_the_same_and_the_capture_holds_it() {
    if !ready("a desktop in Node", NODE) {
        return;
    }
    let server = Server::prosody();
    for library in [Library::Desktop, Library::Current] {
        let direct = Endpoint::direct(&server).login_in_node(&server, library);
        is_the_reference_login(&direct);
        let tap = Tap::before(&server);
        let proxied = tap.endpoint().login_in_node(&server, library);
        is_the_same(&direct, &proxied);
        holds_the_login(&tap.stop(), &proxied);
    }
}

#[test]
fn a_desktop_in_chromium_sees_the_same_and_the_capture_holds_it() {
    if !ready("a desktop in Chromium", BROWSER) {
        return;
    }
    let server = Server::prosody();
    let direct = Endpoint::direct(&server).login_in_chromium(&server, Library::Desktop, Trust::Pin);
    is_the_reference_login(&direct);
    for trust in [Trust::Pin, Trust::Store] {
        let tap = Tap::before(&server);
        let proxied = tap.endpoint().login_in_chromium(&server, Library::Desktop, trust);
        is_the_same(&direct, &proxied);
        holds_the_login(&tap.stop(), &proxied);
    }
}

#[test]
fn compressed_messages_are_decoded_whatever_was_negotiated() {
    if !ready("permessage-deflate in Node", &["node", "openssl"]) {
        return;
    }
    for options in
        [&[][..], &["--takeover", "no"], &["--bits", "9"], &["--bits", "15"], &["--bits", "11", "--takeover", "no"]]
    {
        let server = Server::deflate(options);
        let tap = Tap::before(&server);
        let seen = tap.endpoint().talk_in_node(42);
        holds_the_talk(&tap.stop(), &seen);
    }
}

#[test]
fn compressed_messages_of_a_browser_are_decoded() {
    if !ready("permessage-deflate in Chromium", &["node", "openssl", "chromium"]) {
        return;
    }
    let server = Server::deflate(&[]);
    let tap = Tap::before(&server);
    let seen = tap.endpoint().talk_in_chromium(42);
    holds_the_talk(&tap.stop(), &seen);
}

#[test]
fn curl_and_openssl_accept_the_chain_for_the_name_and_for_no_other() {
    if !ready("the minted chain", &["prosody", "node", "openssl", "curl"]) {
        return;
    }
    let server = Server::prosody();
    let tap = Tap::before(&server);
    let endpoint = tap.endpoint();

    let page = fs::read_to_string(scripts().join("index.html")).expect("the page");
    let fetched = run(curl(&endpoint, HOST).args(["--fail", &format!("https://{HOST}:{PORT}/desktop/index.html")]))
        .stdout
        .join("\n");
    assert_eq!(fetched.trim_end(), page.trim_end(), "the page through the proxy");
    refuses(curl(&endpoint, "other.example.test").arg(format!("https://other.example.test:{PORT}/desktop/index.html")));

    for version in ["-tls1_2", "-tls1_3"] {
        let session = run(s_client(&endpoint, HOST).arg(version)).stdout.join("\n");
        assert!(session.contains("Verify return code: 0 (ok)"), "{version}: {session}");
        // As that server answers.
        assert!(session.contains("No ALPN negotiated"), "{version}: {session}");
    }

    let directory = tempfile::tempdir().expect("a temporary directory");
    let chain = directory.path().join("chain.pem");
    fs::write(&chain, run(s_client(&endpoint, HOST).arg("-showcerts")).stdout.join("\n")).expect("write the chain");
    run(verify(&endpoint).args(["-verify_hostname", HOST]).arg(&chain));
    let refusal = refuses(verify(&endpoint).args(["-verify_hostname", "other.example.test"]).arg(&chain));
    assert!(refusal.contains("hostname mismatch"), "{refusal}");
}

#[test]
fn a_stolen_ca_is_good_for_no_other_name() {
    if !ready("the name constraints", &["prosody", "node", "openssl"]) {
        return;
    }
    let server = Server::prosody();
    let tap = Tap::before(&server);
    let loot = tempfile::tempdir().expect("a temporary directory");
    let (name, address) = ("subjectAltName=DNS:bank.example.org", "subjectAltName=IP:192.0.2.1");

    for foreign in [name, address] {
        let refusal = refuses(verify(&tap.endpoint()).arg(forged(&tap, loot.path(), foreign)));
        assert!(refusal.contains("permitted subtree violation"), "{foreign}: {refusal}");
    }
    // The forgery itself is sound: with a name the CA may sign for, it passes.
    run(verify(&tap.endpoint()).arg(forged(&tap, loot.path(), &format!("subjectAltName=DNS:{HOST}"))));
}

/// The documented login, step by step, as far as this client is concerned.
fn is_the_reference_login(seen: &Seen) {
    let steps: Vec<String> = seen.until_close().iter().filter(|frame| frame.direction == "c2s").map(step).collect();
    let expected = [
        "open",
        "auth",
        "open",
        "bind",
        "session",
        "presence",
        "subscribe",
        "ping",
        "unsubscribe",
        "presence unavailable",
        "close",
    ];
    assert_eq!(steps, expected);
    assert!(
        seen.frames.iter().any(|frame| frame.attribute("from").is_some_and(|from| from.starts_with("finesse@"))),
        "the presence of finesse@"
    );
}

/// The first of the well-known words in a client's stanza.
fn step(frame: &Frame) -> String {
    let payload = ["bind", "session", "unsubscribe", "subscribe", "ping"]
        .into_iter()
        .find(|name| frame.text.contains(&format!("<{name} ")));
    let name = payload.unwrap_or(frame.name());
    frame
        .attribute("type")
        .filter(|_| name == "presence")
        .map_or_else(|| name.to_owned(), |kind| format!("{name} {kind}"))
}

/// Both clients saw the same, but for what the server makes up.
fn is_the_same(direct: &Seen, proxied: &Seen) {
    let normalised = |seen: &Seen| seen.until_close().iter().map(Frame::normalised).collect::<Vec<_>>();
    assert_eq!(normalised(direct), normalised(proxied));
    assert_eq!(direct.extensions, proxied.extensions);
}

/// The capture is the login the client saw, with the Update decoded and without the password.
fn holds_the_login(capture: &Capture, seen: &Seen) {
    let frames = seen.until_close();
    capture.is_whole();
    // The logout's two stanzas go out without waiting; the server may answer the first before it has the second.
    capture.holds(frames, frames.len() - 1);
    capture.quotes(frames);

    let updates: Vec<_> = capture.all("finesse-update").map(|event| &event["finesse"]["update"]).collect();
    let [update] = updates[..] else { panic!("one Update was sent, {} are in the capture", updates.len()) };
    assert_eq!(update["event"], "PUT");
    assert_eq!(update["source"], "/finesse/api/User/1001");
    assert_eq!(update["request_id"], "6f1c2a2e-7a53-4b0e-9a1c-0d2f54f1a001");
    assert_eq!(update["user"]["state"], "READY");

    holds_no_password(capture);
}

/// The password is nowhere in what the proxy wrote, in no encoding.
fn holds_no_password(capture: &Capture) {
    let triple = format!("{AGENT}@{HOST}\0{AGENT}\0{PASSWORD}");
    let pair = format!("\0{AGENT}\0{PASSWORD}");
    let mut secrets = vec![PASSWORD.to_owned(), "canary".to_owned()];
    secrets.extend([triple, pair].map(|plain| BASE64_STANDARD.encode(plain)));
    // Each alignment in which base64 of anything longer can hold it, less the letters that depend on the neighbours.
    secrets.extend((0..3).map(|shift| {
        let encoded = BASE64_STANDARD.encode(format!("{}{PASSWORD}", &"xyz"[..shift]));
        encoded.trim_end_matches('=')[4..encoded.len() - 4].to_owned()
    }));
    capture.is_free_of(&secrets);
}

/// The capture is the exchange the client saw, every message of it inflated.
fn holds_the_talk(capture: &Capture, seen: &Seen) {
    assert!(seen.extensions.contains("permessage-deflate"), "extensions: {}", seen.extensions);
    capture.is_whole();
    capture.holds(&seen.frames, seen.frames.len());
    capture.quotes(&seen.frames);
}

/// A certificate for what `names` says, signed with the proxy's CA key.
fn forged(tap: &Tap, directory: &Path, names: &str) -> PathBuf {
    let path = |name: &str| directory.join(name);
    fs::write(path("extensions"), format!("{names}\nbasicConstraints=CA:FALSE\n")).expect("write the extensions");
    let mut request = Command::new("openssl");
    request.args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Forged"]);
    run(request.arg("-keyout").arg(path("key")).arg("-out").arg(path("request")));
    let mut signature = Command::new("openssl");
    signature
        .args(["x509", "-req", "-days", "5", "-set_serial", "7"])
        .arg("-CA")
        .arg(tap.ca())
        .arg("-CAkey")
        .arg(tap.ca_key());
    run(signature
        .arg("-in")
        .arg(path("request"))
        .arg("-extfile")
        .arg(path("extensions"))
        .arg("-out")
        .arg(path("forged.pem")));
    path("forged.pem")
}

fn curl(endpoint: &Endpoint, host: &str) -> Command {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--connect-to",
        &format!("{host}:{PORT}:127.0.0.1:{}", endpoint.port),
    ]);
    command.arg("--cacert").arg(&endpoint.ca);
    command
}

fn s_client(endpoint: &Endpoint, host: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-connect",
        &format!("127.0.0.1:{}", endpoint.port),
        "-servername",
        host,
        "-alpn",
        "http/1.1",
    ]);
    command.args(["-verify_return_error", "-verify_hostname", host]).arg("-CAfile").arg(&endpoint.ca);
    command
}

fn verify(endpoint: &Endpoint) -> Command {
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile"]).arg(&endpoint.ca);
    command
}

/// The folder of what runs outside cargo.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real")
}

/// Whether `test` shall run; fails where it shall and cannot.
fn ready(test: &str, programs: &[&str]) -> bool {
    if env::var_os("FINESSE_TAP_REAL").is_none() {
        // Written past the test harness, which would keep a passing test's print to itself.
        let line = format!("skipped: {test} needs {} (run tests/run)\n", programs.join(", "));
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
        return false;
    }
    for program in programs {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "{test} needs {program}, which is not there: run tests/run"
        );
    }
    assert!(scripts().join("node_modules/ws").is_dir(), "{test} needs tests/real/node_modules: run tests/run");
    true
}
