//! The proxy as its user runs it: the built binary, its options, its standard error, its capture files.

use super::HOST;
use super::client::{Endpoint, Frame};
use super::process::{Process, run};
use super::server::Server;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A running proxy in front of one server.
pub(super) struct Tap {
    process: Process,
    port: u16,
    admin: Option<u16>,
    directory: TempDir,
    record: Record,
}

/// Where its capture goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Files,
    Stream,
}

/// What a proxy left behind.
pub(super) struct Capture {
    /// Every event of every file, in order.
    pub(super) events: Vec<Value>,
    /// The files as they are.
    pub(super) text: String,
    /// What it wrote on standard error.
    pub(super) stderr: String,
}

/// One stanza in the capture, as far as a client can tell: direction, `event.action`, id of an iq, message or presence.
pub(super) type Line = (String, &'static str, Option<String>);

const STANZA_ACTIONS: [&str; 4] = ["sasl-auth-sent", "sasl-auth-result", "finesse-update", "xmpp-stanza"];

impl Tap {
    /// Starts in front of `server`, which it trusts by its certificate.
    pub(super) fn before(server: &Server) -> Self {
        Self::start(server, Record::Files)
    }

    /// The same with the capture on its standard output, where one can wait for what it [`shows`](Self::shows).
    pub(super) fn streaming(server: &Server) -> Self {
        Self::start(server, Record::Stream)
    }

    /// One instance of several, behind a balancer, with a copy of the certificates of another if there is one. It streams.
    pub(super) fn instance(server: &Server, name: &str, other: Option<&Self>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        if let Some(other) = other {
            run(Command::new("cp").arg("-rp").arg(other.directory.path().join("certs")).arg(directory.path()));
        }
        let options = ["--observer-name", name, "--accept-proxy-protocol", "--admin", "127.0.0.1:0"];
        Self::start_in(directory, server, &plain(server), Record::Stream, &options)
    }

    /// Starts with one route, to `server`, which it trusts by its certificate.
    pub(super) fn leading(server: &Server, route: &str) -> Self {
        Self::on(server, route, Record::Files)
    }

    fn start(server: &Server, record: Record) -> Self {
        Self::on(server, &plain(server), record)
    }

    fn on(server: &Server, route: &str, record: Record) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), server, route, record, &[])
    }

    fn start_in(directory: TempDir, server: &Server, route: &str, record: Record, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        command.args(["run", "--route", route, "--resolve", &format!("{HOST}:127.0.0.1")]);
        command.arg("--upstream-ca").arg(server.certificate()).args(options);
        command.arg("--certs").arg(directory.path().join("certs")).arg("--capture").arg(match record {
            Record::Files => directory.path().join("capture"),
            Record::Stream => PathBuf::from("-"),
        });
        let mut process = Process::start(&mut command);
        let port = process.wait_for("where it listens", |line| {
            line.split_once("listening ")?.1.split_once("://127.0.0.1:")?.1.trim().parse().ok()
        });
        let admin = options.contains(&"--admin").then(|| {
            process.wait_for("its admin address", |line| {
                let (_, rest) = line.split_once("metrics http://127.0.0.1:")?;
                rest.strip_suffix("/metrics")?.parse().ok()
            })
        });
        Self { process, port, admin, directory, record }
    }

    /// What a client connects to and trusts.
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint { port: self.port, ca: self.ca() }
    }

    /// The CA's certificate.
    pub(super) fn ca(&self) -> PathBuf {
        self.certs().join("ca.pem")
    }

    /// The CA's key.
    pub(super) fn ca_key(&self) -> PathBuf {
        self.certs().join("ca.key")
    }

    /// Waits until so many lines of a streamed capture have held `text`.
    pub(super) fn shows(&mut self, text: &str, times: usize) {
        for _ in 0..times {
            self.process.wait_for(text, |line| line.contains(text).then_some(()));
        }
    }

    /// Ends the proxy as Ctrl-C would and reads what it wrote.
    pub(super) fn stop(self) -> Capture {
        let output = self.process.terminate();
        let stderr = output.stderr.join("\n");
        match self.record {
            Record::Files => Capture::in_directory(&self.directory.path().join("capture"), stderr),
            Record::Stream => Capture::of(output.stdout.iter().map(|line| format!("{line}\n")).collect(), stderr),
        }
    }

    /// The port it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The port of its metrics, if it is an [`instance`](Self::instance).
    pub(super) fn admin(&self) -> u16 {
        self.admin.expect("an instance")
    }

    /// Whether it says a line of which `found` is true before `within` is over; said already counts.
    pub(super) fn says(&mut self, found: impl Fn(&str) -> bool, within: Duration) -> bool {
        self.process.says(found, within)
    }

    /// Kills it; what it had written.
    pub(super) fn kill(self) -> Capture {
        let output = self.process.kill();
        let text = output.stdout.iter().map(|line| format!("{line}\n")).collect();
        Capture::of(text, output.stderr.join("\n"))
    }

    fn certs(&self) -> PathBuf {
        self.directory.path().join("certs").join(HOST)
    }
}

impl Capture {
    /// What lies in `directory`, with what was said while it was written.
    pub(super) fn in_directory(directory: &Path, stderr: String) -> Self {
        Self::of(ndjson_in(directory), stderr)
    }

    fn of(text: String, stderr: String) -> Self {
        let events = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
            .collect();
        Self { events, text, stderr }
    }

    /// The events of the browser at this address.
    pub(super) fn of_client(&self, address: &str) -> Self {
        let events = self.events.iter().filter(|event| event["client"]["ip"] == address).cloned().collect();
        Self { events, text: String::new(), stderr: String::new() }
    }

    /// The events of the server of this name.
    pub(super) fn of_server(&self, name: &str) -> Self {
        let events = self.events.iter().filter(|event| event["server"]["domain"] == name).cloned().collect();
        Self { events, text: String::new(), stderr: String::new() }
    }

    /// The events called `action`.
    pub(super) fn all<'c>(&'c self, action: &'c str) -> impl Iterator<Item = &'c Value> {
        self.events.iter().filter(move |event| event["event"]["action"] == action)
    }

    /// The events that are stanzas, in order.
    pub(super) fn stanzas(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.events.iter().filter_map(|event| {
            let action = STANZA_ACTIONS.into_iter().find(|action| event["event"]["action"] == *action)?;
            Some((action, event))
        })
    }

    /// The capture holds exactly `frames`, each as one event: all in order a direction, and as far as `serial` frames say,
    /// in order altogether (there nobody spoke before the other had answered).
    pub(super) fn holds(&self, frames: &[Frame], serial: usize) {
        let captured: Vec<Line> = self.stanzas().map(|(action, event)| captured_line(action, event)).collect();
        let expected: Vec<Line> = frames.iter().map(expected_line).collect();
        starts_with(&captured, &expected[..serial], "in order altogether");
        for direction in ["c2s", "s2c"] {
            let of = |lines: &[Line]| lines.iter().filter(|line| line.0 == direction).cloned().collect::<Vec<_>>();
            // After its <close/> a client may no longer look; the proxy does, and may hold more.
            starts_with(&of(&captured), &of(&expected), direction);
        }
    }

    /// Where an event holds a whole and unredacted stanza, it is the client's, to the letter.
    pub(super) fn quotes(&self, frames: &[Frame]) {
        let mut quoted = 0;
        for direction in ["c2s", "s2c"] {
            let events = self.stanzas().filter(|(_, event)| event["finesse"]["direction"] == direction);
            let frames = frames.iter().filter(|frame| frame.direction == direction);
            for ((_, event), frame) in events.zip(frames) {
                let ours = &event["finesse"];
                let whole = ours["redaction"]["count"].as_u64().unwrap_or(0) == 0 && ours["xml_truncated"] != true;
                if let (true, Some(xml)) = (whole, ours["xml"].as_str()) {
                    assert_eq!(xml, frame.text, "event {}", event["event"]["sequence"]);
                    quoted += 1;
                }
            }
        }
        assert!(quoted * 2 > frames.len(), "{quoted} of {} stanzas are quoted", frames.len());
    }

    /// The capture is unbroken, and a WebSocket or another stream is in it.
    pub(super) fn is_whole(&self) {
        self.is_unbroken();
        let mut streams = self.all("websocket-opened").chain(self.all("stream-opened"));
        assert!(streams.next().is_some(), "no WebSocket and no other stream");
    }

    /// The stream is numbered without holes, opened and closed in pairs, nothing undecoded, nothing lost.
    pub(super) fn is_unbroken(&self) {
        assert_eq!(self.events[0]["event"]["action"], "log-opened");
        for (event, number) in self.events[1..].iter().zip(1_u64..) {
            assert_eq!(event["event"]["sequence"], number, "the stream's numbers");
        }
        let opened = ["connection", "websocket", "stream"].map(|thing| {
            let [opened, closed] = ["opened", "closed"].map(|end| self.all(&format!("{thing}-{end}")).count());
            assert_eq!(opened, closed, "{thing}s opened and closed");
            opened
        });
        assert!(opened.iter().sum::<usize>() > 0, "nothing was opened: {opened:?}");
        for action in ["decode-error", "capture-gap", "redaction-blocked"] {
            assert_eq!(self.all(action).next(), None, "{action}");
        }
    }

    /// None of `secrets` occurs in what the proxy wrote, whatever it wrote.
    pub(super) fn is_free_of(&self, secrets: &[String]) {
        for secret in secrets {
            assert!(!self.text.contains(secret), "{secret} is in the capture");
            assert!(!self.stderr.contains(secret), "{secret} is on standard error");
        }
    }
}

/// The route to a server.
fn plain(server: &Server) -> String {
    format!("0=https://{HOST}:{}", server.port())
}

/// `captured` begins with all of `expected`; the message shows the first stanza that does not fit.
fn starts_with(captured: &[Line], expected: &[Line], what: &str) {
    for (index, line) in expected.iter().enumerate() {
        let before = &expected[index.saturating_sub(3)..index];
        assert_eq!(captured.get(index), Some(line), "stanza {index} {what}, after {before:?}");
    }
}

fn captured_line(action: &'static str, event: &Value) -> Line {
    let ours = &event["finesse"];
    let stanza = matches!(ours["xmpp"]["kind"].as_str(), Some("iq" | "message" | "presence"));
    let id = ours["xmpp"]["id"].as_str().filter(|_| stanza).map(str::to_owned);
    (ours["direction"].as_str().expect("a direction").to_owned(), action, id)
}

fn expected_line(frame: &Frame) -> Line {
    let action = match frame.name() {
        "auth" => "sasl-auth-sent",
        "success" | "failure" => "sasl-auth-result",
        "message" if frame.text.contains("&lt;Update&gt;") => "finesse-update",
        _ => "xmpp-stanza",
    };
    let stanza = matches!(frame.name(), "iq" | "message" | "presence");
    (frame.direction.clone(), action, frame.attribute("id").filter(|_| stanza).map(str::to_owned))
}

/// All capture files as one text, in the order of their names, which is the order they were written in.
fn ndjson_in(directory: &Path) -> String {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("no capture: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a capture is UTF-8")).collect()
}
