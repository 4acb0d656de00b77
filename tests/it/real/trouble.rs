//! Real troubles: each must be found, and nothing else; its report must open from disk, and say the same of a shared capture.
//!
//! Captures, reports and pictures of the reports are left in `target/tmp/trouble/`, to be looked at.

use super::client::Endpoint;
use super::nginx::Fault;
use super::process::{Process, run};
use super::server::Server;
use super::tap::{Capture, Tap};
use super::{AGENT, AGENTS, ready, scripts};
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs a trouble with Prosody and its report need.
const PROSODY: &[&str] = &["prosody", "node", "openssl", "chromium"];
/// With ejabberd.
const EJABBERD: &[&str] = &["ejabberdctl", "curl", "node", "openssl", "chromium"];
/// With nginx in between.
const NGINX: &[&str] = &["nginx", "prosody", "node", "openssl", "chromium"];

#[test]
fn nothing_is_found_in_a_day_without_trouble() {
    if !ready("a day without trouble", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let mut tap = Tap::streaming(&server);
    let agent = settled(&tap.endpoint(), AGENT, &["--ping", "1"]);
    tap.shows("xmpp-stanza", 30);
    agent.terminate();
    Case::new("quiet", tap).finds(&[]);
}

#[test]
fn a_wrong_password_is_found() {
    if !ready("a wrong password", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let tap = Tap::before(&server);
    run(tap.endpoint().agent(AGENT, &["--back", "2"]).env("FINESSE_TAP_TEST_PASSWORD", "canary-wrong"));
    let case = Case::new("wrong-password", tap).finds(&["auth-refused"]);
    assert!(!case.capture.text.contains("canary"), "the wrong password is a password too");
    assert!(case.page.contains("not-authorized"), "{}", case.page);
}

#[test]
fn another_client_of_the_same_agent_is_found() {
    if !ready("a conflict", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let tap = Tap::before(&server);
    let first = settled(&tap.endpoint(), AGENT, &["--agent", "Mozilla/5.0 Firefox/140.0"]);
    let second = settled(&tap.endpoint(), AGENT, &["--agent", "Mozilla/5.0 Chrome/140.0", "--from", "127.0.0.2"]);
    first.finish();
    second.terminate();
    let case = Case::new("conflict", tap).finds(&["conflict"]);
    let facts = case.facts("conflict");
    assert!(facts.contains(&("other_client".into(), "127.0.0.2".into())), "{facts:?}");
}

#[test]
fn a_desktop_that_throws_itself_out_is_found() {
    if !ready("a desktop's conflict with itself", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let tap = Tap::before(&server);
    let first = settled(&tap.endpoint(), AGENT, &[]);
    let second = settled(&tap.endpoint(), AGENT, &[]);
    first.finish();
    second.terminate();
    Case::new("conflict-self", tap).finds(&["conflict-self"]);
}

#[test]
fn a_server_that_is_shut_down_is_found() {
    if !ready("a server's shutdown", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let tap = Tap::before(&server);
    let agent = settled(&tap.endpoint(), AGENT, &[]);
    server.signal("TERM");
    agent.finish();
    Case::new("shutdown", tap).finds(&["server-outage"]);
}

#[test]
fn a_server_that_is_killed_is_found() {
    if !ready("a server's death", PROSODY) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&AGENTS);
    let tap = Tap::before(&server);
    let agents = AGENTS.map(|agent| settled(&tap.endpoint(), agent, &[]));
    server.signal("KILL");
    agents.into_iter().for_each(|agent| drop(agent.finish()));
    Case::new("killed", tap).finds(&["ended-without-close", "server-outage"]);
}

#[test]
fn a_server_that_does_not_answer_pings_is_found() {
    if !ready("a paused server", PROSODY) || !long("a paused server") {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let mut tap = Tap::streaming(&server);
    let agent = settled(&tap.endpoint(), AGENT, &["--ping", "2"]);
    server.signal("STOP");
    tap.shows("\"code\":\"ping-unanswered\"", 1);
    server.signal("CONT");
    tap.shows("\"code\":\"ping-slow\"", 1);
    agent.terminate();
    Case::new("paused-server", tap).finds(&["ping-slow", "ping-unanswered"]);
}

#[test]
fn a_browser_that_does_not_answer_pings_is_found() {
    if !ready("a paused browser", EJABBERD) || !long("a paused browser") {
        return;
    }
    let server = Server::ejabberd();
    let _finesse = server.finesse(&[AGENT]);
    let mut tap = Tap::streaming(&server);
    let agent = settled(&tap.endpoint(), AGENT, &["--ping", "2"]);
    agent.signal("STOP");
    tap.shows("\"code\":\"ping-unanswered\"", 1);
    agent.signal("CONT");
    agent.terminate();
    let case = Case::new("paused-browser", tap).finds(&["ping-slow", "ping-unanswered"]);
    assert!(case.facts("ping-unanswered").iter().any(|(_, value)| value == "websocket, asked by the server"));
}

#[test]
fn a_time_limit_in_between_is_found() {
    if !ready("a time limit in between", NGINX) || !long("a time limit in between") {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&[AGENT]);
    let middlebox = Server::nginx(server.port(), Fault::ReadTimeout);
    let tap = Tap::before(&middlebox);
    // As a hidden tab pings.
    run(&mut tap.endpoint().agent(AGENT, &["--ping", "60", "--back", "2"]));
    let case = Case::new("middlebox", tap).finds(&["ended-without-close", "middlebox"]);
    let idle = case.facts("middlebox").into_iter().find(|(name, _)| name == "idle_ms").expect("the silence").1;
    assert!((19_500..21_500).contains(&idle.parse::<u64>().expect("a number")), "{idle}");
}

#[test]
fn a_time_limit_for_everybody_is_found_once() {
    if !ready("a time limit for everybody", NGINX) || !long("a time limit for everybody") {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&AGENTS);
    let middlebox = Server::nginx(server.port(), Fault::ReadTimeout);
    let tap = Tap::before(&middlebox);
    let agents = AGENTS.map(|agent| settled(&tap.endpoint(), agent, &["--ping", "0"]));
    agents.into_iter().for_each(|agent| drop(agent.finish()));
    let case = Case::new("middlebox-for-all", tap).finds(&["ended-without-close", "middlebox"]);
    assert_eq!(case.capture.all("finding").filter(|event| code(event) == "middlebox").count(), 1);
}

#[test]
fn a_subprotocol_taken_away_is_found() {
    if !ready("a subprotocol taken away", NGINX) {
        return;
    }
    let server = Server::prosody();
    for (name, fault, expected) in [
        ("subprotocol-request", Fault::RequestSubprotocol, "upgrade-refused"),
        ("subprotocol-answer", Fault::AnswerSubprotocol, "subprotocol-not-echoed"),
    ] {
        let middlebox = Server::nginx(server.port(), fault);
        let tap = Tap::before(&middlebox);
        run(&mut tap.endpoint().agent(AGENT, &[]));
        Case::new(name, tap).finds(&[expected]);
    }
}

#[test]
fn an_upgrade_taken_away_is_found_on_either_side() {
    if !ready("an upgrade taken away", EJABBERD) || !ready("an upgrade taken away", NGINX) {
        return;
    }
    // Prosody would take a request without an upgrade for one.
    let server = Server::ejabberd();
    let behind = Server::nginx(server.port(), Fault::Upgrade);
    let tap = Tap::before(&behind);
    run(&mut tap.endpoint().agent(AGENT, &[]));
    Case::new("upgrade-behind", tap).finds(&["upgrade-refused"]);

    let tap = Tap::before(&server);
    let before = Server::nginx(tap.endpoint().port, Fault::Upgrade);
    run(&mut Endpoint::direct(&before).agent(AGENT, &[]));
    Case::new("upgrade-before", tap).finds(&["upgrade-stripped"]);
}

#[test]
fn another_server_has_no_false_findings_and_the_same_true_ones() {
    if !ready("ejabberd", EJABBERD) {
        return;
    }
    let server = Server::ejabberd();
    let _finesse = server.finesse(&[AGENT]);
    let mut tap = Tap::streaming(&server);
    // It asks by itself where nothing else passes.
    let agent = settled(&tap.endpoint(), AGENT, &["--ping", "0"]);
    tap.shows("\"action\":\"websocket-control\"", 4);
    agent.terminate();
    let case = Case::new("ejabberd-quiet", tap).finds(&[]);
    assert!(case.capture.text.contains("urn:xmpp:sm:3"), "stream management is offered");

    let tap = Tap::before(&server);
    let first = settled(&tap.endpoint(), AGENT, &[]);
    let second = settled(&tap.endpoint(), AGENT, &["--from", "127.0.0.2"]);
    first.finish();
    server.signal("TERM");
    second.finish();
    Case::new("ejabberd", tap).finds(&["conflict", "server-outage"]);
}

/// A trouble's capture, found and told.
struct Case {
    name: &'static str,
    capture: Capture,
    /// What the page says, as a reader sees it.
    page: String,
}

impl Case {
    /// Ends the proxy and makes the reports.
    fn new(name: &'static str, tap: Tap) -> Self {
        let capture = tap.stop();
        capture.is_unbroken();
        let stored = place(name, "ndjson");
        fs::write(&stored, &capture.text).expect("write the capture");
        let narrow = run(ours("report").arg(&stored).env("COLUMNS", "80")).stdout;
        for (number, line) in narrow.iter().enumerate() {
            assert!(line.chars().count() <= 80, "{name} line {}: {line}", number + 1);
        }
        for form in ["html", "txt", "json"] {
            run(ours("report").arg(&stored).arg("-o").arg(place(name, form)));
        }
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut browser = Command::new("node");
        browser.arg(scripts().join("report.mjs")).arg("--page").arg(place(name, "html"));
        let seen = run(browser.arg("--profile").arg(profile.path())).stdout;
        let page: Value = serde_json::from_str(seen.last().expect("what it saw")).expect("JSON");
        Self { name, capture, page: page["text"].as_str().expect("the page's text").to_owned() }
    }

    /// Exactly these were found; the page says each of them that was not taken back, and a shared capture the same.
    fn finds(self, expected: &[&str]) -> Self {
        let found: BTreeSet<&str> = self.capture.all("finding").map(code).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{}", self.name);
        let revised: Vec<&Value> =
            self.capture.all("finding").map(|finding| &finding["finesse"]["finding"]["revises"]).collect();
        let is_told = |finding: &&Value| !revised.contains(&&finding["event"]["id"]);
        for finding in self.capture.all("finding").filter(is_told) {
            let title = finding["finesse"]["finding"]["title"].as_str().expect("a title");
            assert!(self.page.contains(title), "{}: the page does not say “{title}”", self.name);
        }
        let text = fs::read_to_string(place(self.name, "txt")).expect("the text");
        for (number, line) in text.lines().enumerate() {
            assert!(line.chars().count() <= 110, "{} line {}: {line}", self.name, number + 1);
        }
        assert_eq!(told(&place(self.name, "json")), self.shared(), "{}: the report of a shared capture", self.name);
        self
    }

    /// What the report tells of what a colleague is given.
    fn shared(&self) -> Vec<String> {
        let bundle = place(self.name, "zip");
        run(ours("share").arg(place(self.name, "ndjson")).arg("-o").arg(&bundle));
        let mut zip = zip::ZipArchive::new(fs::File::open(bundle).expect("the bundle")).expect("a ZIP");
        let mut text = String::new();
        zip.by_name("captures/0001.ndjson").expect("the capture").read_to_string(&mut text).expect("UTF-8");
        let name = format!("{}-shared", self.name);
        fs::write(place(&name, "ndjson"), text).expect("write what is shared");
        run(ours("report").arg(place(&name, "ndjson")).arg("-o").arg(place(&name, "json")));
        told(&place(&name, "json"))
    }

    /// Names and values of the first finding of this code.
    fn facts(&self, wanted: &str) -> Vec<(String, String)> {
        let finding = self.capture.all("finding").find(|event| code(event) == wanted).expect("the finding");
        let facts = finding["finesse"]["finding"]["facts"].as_array().expect("facts");
        let text = |fact: &Value, name: &str| fact[name].as_str().expect("a text").to_owned();
        facts.iter().map(|fact| (text(fact, "name"), text(fact, "value"))).collect()
    }
}

/// Findings and ladders of a report in JSON, without times and names.
fn told(report: &Path) -> Vec<String> {
    let text = fs::read_to_string(report).expect("the report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let finding = |finding: Value| format!("{} × {}", finding["code"], finding["count"]);
    let mut told: Vec<String> = list(&report["findings"]).into_iter().map(finding).collect();
    for session in list(&report["sessions"]) {
        told.push(format!("session {}", session["id"]));
        told.extend(list(&session["findings"]).into_iter().map(finding));
        for socket in list(&session["sockets"]) {
            let rungs = list(&socket["ladder"]["rungs"]);
            let stages: Vec<String> = rungs.iter().map(|rung| rung["stage"].to_string()).collect();
            told.push(format!("{} {}", socket["ladder"]["login"], stages.join(" ")));
        }
    }
    told
}

/// A desktop that has logged in.
fn settled(endpoint: &Endpoint, agent: &str, options: &[&str]) -> Process {
    let mut process = Process::start(&mut endpoint.agent(agent, options));
    process.wait_for("that it is logged in", |line| (line == "{\"seen\":\"settled\"}").then_some(()));
    process
}

fn code(event: &Value) -> &str {
    event["finesse"]["finding"]["code"].as_str().expect("a code")
}

fn ours(task: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    command.arg(task);
    command
}

/// Where a case's file lies.
fn place(name: &str, form: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trouble");
    fs::create_dir_all(&directory).expect("make the directory");
    directory.join(format!("{name}.{form}"))
}

/// Whether what takes its time shall run.
fn long(test: &str) -> bool {
    let wanted = env::var_os("FINESSE_TAP_LONG").is_some_and(|value| value == "1");
    if !wanted {
        let line = format!("skipped: {test} takes its time (FINESSE_TAP_LONG=1)\n");
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
    }
    wanted
}
