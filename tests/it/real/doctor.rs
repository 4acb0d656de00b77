//! `doctor` against Prosody, directly and through the proxy: what a real server says to it, and what it makes of that.
//!
//! Prosody here has no SystemInfo, no node for the agent's events, and nobody signed in as `finesse`: three failures that
//! must be told as such, between steps that go well.

use super::process::refuses_with;
use super::server::Server;
use super::tap::Tap;
use super::{AGENT, HOST, NODE, PASSWORD, ready};
use serde_json::Value;
use std::process::Command;

/// Verdicts by step.
type Verdicts = Vec<(String, String)>;

#[test]
fn a_doctor_logs_in_and_says_what_is_missing() {
    if !ready("a doctor's login", NODE) {
        return;
    }
    let server = Server::prosody();
    let tap = Tap::before(&server);
    let through = format!("127.0.0.1:{}", tap.endpoint().port);
    let ca = tap.ca();
    let certs = ca.parent().and_then(|host| host.parent()).expect("the CA lies in certs/HOST");
    let mut command = doctor(&server);
    command.args(["--through", &through, "--timeout", "5s"]).arg("--certs").arg(certs);
    let document = diagnosis(&mut command, PASSWORD);

    let expected = [
        ("systeminfo", "warn"),
        ("desktop", "ok"),
        ("upgrade", "ok"),
        ("xmpp", "ok"),
        ("login", "ok"),
        ("bind", "ok"),
        ("presence", "fail"),
        ("subscription", "fail"),
        ("ping", "ok"),
        ("logout", "ok"),
    ];
    let direct = verdicts(&document["ways"][0]);
    for (name, verdict) in expected {
        assert!(direct.contains(&(name.to_owned(), verdict.to_owned())), "{name} is not {verdict} in {direct:?}");
    }
    // It is made for 30 days, the very limit below which an end is worth a warning.
    let certificate = step(&document, "certificate")["seen"].as_str().expect("a text");
    assert!(certificate.starts_with("trusted"), "{certificate}");
    let skipped = ["certificate", "tcp", "tls", "name", "ports"];
    let both = [0, 1].map(|way| {
        let mut verdicts = verdicts(&document["ways"][way]);
        verdicts.retain(|(name, _)| !skipped.contains(&&**name));
        verdicts
    });
    assert_eq!(both[0], both[1], "directly and through the proxy");
    assert_eq!(document["compared"]["verdict"], "ok", "{}", document["compared"]);
    let bound = step(&document, "bind")["seen"].as_str().expect("a text");
    assert_eq!(bound, format!("bound {AGENT}@{HOST}/finesse-tap-doctor"));
    assert_eq!(step(&document, "subscription")["facts"][1]["value"], "item-not-found");
    tap.stop().is_whole();
}

#[test]
fn a_doctor_with_a_wrong_password_is_told_so() {
    if !ready("a doctor's wrong password", NODE) {
        return;
    }
    let server = Server::prosody();
    let document = diagnosis(&mut doctor(&server), "canary-wrong");
    let login = step(&document, "login");
    assert_eq!(login["verdict"], "fail");
    assert_eq!(login["facts"][0]["value"], "not-authorized");
    assert!(!document.to_string().contains("canary"), "{document}");
}

#[test]
fn a_server_that_knows_nothing_newer_than_tls_1_1_is_told() {
    if !ready("a doctor's old TLS", &["openssl"]) {
        return;
    }
    for (version, newest) in [("-tls1_1", "1.1"), ("-tls1", "1.0")] {
        let server = Server::openssl(&[version, "-cipher", "ALL:@SECLEVEL=0"]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        command.args(["doctor", &format!("{HOST}:{}", server.port()), "--resolve", &format!("{HOST}:127.0.0.1")]);
        let document: Value =
            serde_json::from_str(&refuses_with(command.args(["--format", "json"]), "")).expect("JSON");
        let tls = step(&document, "tls");
        assert_eq!(tls["seen"], format!("the server speaks TLS {newest} and nothing newer"), "{tls}");
    }
}

fn doctor(server: &Server) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    command.args(["doctor", &format!("{HOST}:{}", server.port()), "--resolve", &format!("{HOST}:127.0.0.1")]);
    command.arg("--upstream-ca").arg(server.certificate());
    command.args(["--format", "json", "--user", AGENT, "--password-stdin"]);
    command
}

fn diagnosis(command: &mut Command, password: &str) -> Value {
    let output = refuses_with(command, password);
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error} in {output}"))
}

fn verdicts(way: &Value) -> Verdicts {
    let text = |step: &Value, name: &str| step[name].as_str().expect("a text").to_owned();
    let steps = way["steps"].as_array().expect("steps");
    steps.iter().map(|step| (text(step, "name"), text(step, "verdict"))).collect()
}

fn step<'d>(document: &'d Value, name: &str) -> &'d Value {
    let steps = document["ways"][0]["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name} in {document}"))
}
