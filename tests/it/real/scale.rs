//! Several instances behind HAProxy, as docs/scale.md has it: the configuration tested is the one that is shipped.

use super::client::{Endpoint, Frame};
use super::process::Process;
use super::server::{Server, free_port};
use super::tap::{Capture, Tap};
use super::{AGENTS, HOST, ready};
use crate::support::{Deadline, PATIENCE};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PROGRAMS: &[&str] = &["haproxy", "prosody", "node", "openssl"];
/// Where the agents sit. HAProxy's hash of these leads to both instances.
const FROM: [&str; 3] = ["127.0.0.11", "127.0.0.15", "127.0.0.12"];

#[test]
fn agents_of_a_dead_instance_go_on_at_the_other() {
    if !ready("instances behind HAProxy", PROGRAMS) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&AGENTS);
    let first = Tap::instance(&server, "tap-1", None);
    let second = Tap::instance(&server, "tap-2", Some(&first));
    let balancer = Balancer::start("source.cfg", &[&first, &second], &[]);
    let endpoint = balancer.endpoint(&first);
    let mut agents: Vec<Agent> = (0..AGENTS.len()).map(|index| Agent::start(&endpoint, index)).collect();
    let mut instances = [first, second];
    let at: Vec<usize> = agents.iter().map(|agent| agent.instance(&mut instances)).collect();
    let dead = at[0];
    assert!(at.contains(&(1 - dead)), "all agents are at one instance");
    let [first, second] = instances;
    let (victim, survivor) = if dead == 0 { (first, second) } else { (second, first) };
    let before = victim.kill();
    for (agent, _) in agents.iter_mut().zip(&at).filter(|(_, at)| **at == dead) {
        agent.settle();
    }
    agents.iter_mut().for_each(Agent::leave);
    let after = survivor.stop();

    let names = if dead == 0 { ["tap-1", "tap-2"] } else { ["tap-2", "tap-1"] };
    let mut ids = BTreeSet::new();
    for (capture, name) in [&before, &after].into_iter().zip(names) {
        crate::contract::assert_valid(&capture.text);
        assert!(!capture.text.contains("JSESS1ON"), "a cookie is in the capture");
        for event in &capture.events {
            assert_eq!(event["observer"]["name"], name, "{event}");
            assert!(ids.insert(event["event"]["id"].to_string()), "twice: {event}");
        }
        for event in capture.events.iter().filter(|event| event["user"].is_object() && event["client"].is_object()) {
            let agent = AGENTS.iter().position(|agent| event["user"]["name"] == *agent).expect("an agent");
            assert_eq!(event["client"]["ip"], FROM[agent], "{event}");
        }
    }
    let mut traces = BTreeSet::new();
    for (index, agent) in agents.iter().enumerate() {
        let parts = [before.of_client(FROM[index]), after.of_client(FROM[index])];
        let moved = at[index] == dead;
        assert_eq!(!parts[0].events.is_empty(), moved, "{}", AGENTS[index]);
        let events: Vec<Value> = parts.iter().flat_map(|part| part.events.clone()).collect();
        let sockets = events.iter().filter(|event| event["event"]["action"] == "websocket-opened").count();
        assert_eq!(sockets, 1 + usize::from(moved), "sockets of {}", AGENTS[index]);
        let whole = Capture { events, text: String::new(), stderr: String::new() };
        whole.holds(&agent.frames, 0);
        let said = |direction: &str| agent.frames.iter().filter(|frame| frame.direction == direction).count();
        let told =
            |direction: &str| whole.stanzas().filter(|(_, event)| event["finesse"]["direction"] == direction).count();
        assert_eq!(told("c2s"), said("c2s"), "stanzas of {}", AGENTS[index]);
        let own: BTreeSet<String> =
            whole.events.iter().filter_map(|event| Some(event["trace"]["id"].as_str()?.to_owned())).collect();
        assert_eq!(own.len(), 1, "traces of {}: {own:?}", AGENTS[index]);
        assert!(traces.is_disjoint(&own), "{} shares a trace", AGENTS[index]);
        traces.extend(own);
    }
}

#[test]
fn the_name_asked_for_leads_to_its_instance_or_the_spare() {
    if !ready("instances behind HAProxy by SNI", PROGRAMS) {
        return;
    }
    let server = Server::prosody();
    let _finesse = server.finesse(&AGENTS);
    for (name, expected) in [(HOST, 1), ("another.example.test", 0)] {
        let first = Tap::instance(&server, "tap-1", None);
        let second = Tap::instance(&server, "tap-2", Some(&first));
        let balancer = Balancer::start("sni.cfg", &[&first, &second], &[("TAP_SECOND_NAME", name)]);
        let endpoint = balancer.endpoint(&first);
        let mut agent = Agent::start(&endpoint, 0);
        let mut instances = [first, second];
        assert_eq!(agent.instance(&mut instances), expected);
        let [first, second] = instances;
        let (own, spare) = if expected == 0 { (first, second) } else { (second, first) };
        own.kill();
        agent.settle();
        agent.leave();
        spare.stop().is_whole();
    }
}

/// HAProxy with a shipped configuration.
struct Balancer {
    port: u16,
    directory: TempDir,
    _process: Process,
}

impl Balancer {
    fn start(file: &str, instances: &[&Tap; 2], variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/haproxy").join(file);
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(path).env("TAP_BIND", format!("127.0.0.1:{port}"));
        for (variable, instance) in ["TAP_1", "TAP_2"].into_iter().zip(instances) {
            command.env(variable, format!("127.0.0.1:{}", instance.port()));
            command.env(format!("{variable}_ADMIN"), instance.admin().to_string());
        }
        let process = Process::start(command.envs(variables.iter().copied()));
        let deadline = Deadline::after(PATIENCE);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            // It says nothing when it is ready.
            assert!(!deadline.is_over(), "HAProxy does not listen");
            std::thread::yield_now();
        }
        Self { port, directory: tempfile::tempdir().expect("a temporary directory"), _process: process }
    }
}

impl Balancer {
    /// What a client connects to and trusts; the certificate outlives the instance it is from.
    fn endpoint(&self, instance: &Tap) -> Endpoint {
        let ca = self.directory.path().join("ca.pem");
        fs::copy(instance.ca(), &ca).expect("copy the CA");
        Endpoint { port: self.port, ca }
    }
}

/// A desktop that comes back until it is let in.
struct Agent {
    process: Option<Process>,
    address: &'static str,
    frames: Vec<Frame>,
}

impl Agent {
    /// Logged in.
    fn start(endpoint: &Endpoint, index: usize) -> Self {
        let cookie = format!("a=b; JSESSIONID=JSESS1ON{index}");
        let options = ["--ping", "0", "--back", "30", "--from", FROM[index], "--cookie", &cookie];
        let process = Process::start(&mut endpoint.agent(AGENTS[index], &options));
        let mut agent = Self { process: Some(process), address: FROM[index], frames: Vec::new() };
        agent.settle();
        agent
    }

    /// Until it is logged in.
    fn settle(&mut self) {
        let (frames, mut is_open) = (&mut self.frames, false);
        let found = |line: &str| {
            let seen: Value = serde_json::from_str(line).ok()?;
            keep(frames, &mut is_open, &seen);
            (seen["seen"] == "settled").then_some(())
        };
        self.process.as_mut().expect("it runs").wait_for("that it is logged in", found);
    }

    /// At which instance it is, all that it said and heard being written there.
    fn instance(&self, instances: &mut [Tap; 2]) -> usize {
        let heard = self.frames.iter().rev().find(|frame| frame.direction == "s2c").expect("an answer");
        let id = format!("\"id\":\"{}\"", heard.attribute("id").expect("its id"));
        let client = format!("\"ip\":\"{}\"", self.address);
        let last = |line: &str| line.contains(&id) && line.contains(&client) && line.contains("\"direction\":\"s2c\"");
        let deadline = Deadline::after(PATIENCE);
        while !deadline.is_over() {
            if let Some(at) = instances.iter_mut().position(|tap| tap.says(last, Duration::from_millis(100))) {
                return at;
            }
        }
        panic!("{id} is at no instance");
    }

    /// Logs out and ends.
    fn leave(&mut self) {
        let output = self.process.take().expect("it runs").terminate();
        self.frames.clear();
        let mut is_open = false;
        output
            .stdout
            .iter()
            .for_each(|line| keep(&mut self.frames, &mut is_open, &serde_json::from_str(line).expect("JSON")));
    }
}

/// Keeps what was on the wire: the library records its farewell to a socket that is gone.
fn keep(frames: &mut Vec<Frame>, is_open: &mut bool, seen: &Value) {
    let field = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
    match field("seen").as_str() {
        "opened" => *is_open = true,
        "closed" => *is_open = false,
        "frame" if *is_open => frames.push(Frame { direction: field("direction"), text: field("text") }),
        _ => {}
    }
}
