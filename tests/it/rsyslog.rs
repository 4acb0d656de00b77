//! Events over two real rsyslogs, with the very configurations that the program hands out: from the capture files of one
//! machine to a file on another, every line as it was.
#![cfg(target_os = "linux")]

use crate::support::program::run;
use crate::support::stage::Stage;
use crate::support::{Deadline, PATIENCE, frames, have};
use finesse_tap::assets::Kind;
use finesse_tap::capture::rules::Level;
use finesse_tap::conn::Direction::{C2s, S2c};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest line that is written unless asked for, and one that the configurations have room for.
const LIMITS_BYTES: [usize; 2] = [finesse_tap::capture::line::DEFAULT_LINE_BYTES, 60_000];

/// A private rsyslog: own configuration, own working directory, no pid file. Killed when dropped.
struct Rsyslog(Child);

impl Rsyslog {
    fn start(dir: &Path, name: &str, config: &str) -> Self {
        let work = dir.join(format!("{name}.work"));
        std::fs::create_dir(&work).unwrap();
        let path = dir.join(format!("{name}.conf"));
        std::fs::write(&path, format!("global(workDirectory=\"{}\")\n{config}", work.display())).unwrap();
        let checked = Command::new("rsyslogd").args(["-N1", "-f"]).arg(&path).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{told}");
        for bad in ["error", "warning"] {
            assert!(!told.to_lowercase().contains(bad), "{told}");
        }
        let child = Command::new("rsyslogd")
            .args(["-n", "-iNONE", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.join(format!("{name}.log"))).unwrap())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text.replace(from, to)
    })
}

/// Events of this program, among them lines as long as lines get, with letters of two to four bytes and what JSON escapes.
fn events(long: usize, short: usize, limit_bytes: usize) -> String {
    let mut stage = Stage::new(Level::Auth, limit_bytes);
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: xmpp";
    stage.say(C2s, format!("GET /ws/ HTTP/1.1\r\nHost: f\r\n{key}\r\n{upgrade}\r\n\r\n").as_bytes());
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    stage.say(S2c, format!("HTTP/1.1 101 Switching Protocols\r\n{accept}\r\n{upgrade}\r\n\r\n").as_bytes());
    for at in 0..long + short {
        let times = if at < long { limit_bytes / 20 } else { 1 };
        let body = "<p>née – 東京 – 😀 &quot;so&quot; \\ it is</p>".repeat(times);
        let stanza = format!("<message id='m{at}{}'>{body}</message>", "x".repeat(at % 40));
        stage.say(S2c, &frames::frame(0x81, None, frames::Length::Minimal, stanza.as_bytes()));
    }
    let text = stage.end().concat();
    let longest = text.lines().map(|line| line.len() + 1).max().unwrap();
    assert!(longest <= limit_bytes && longest > limit_bytes - 80, "{longest} bytes is not the longest there is");
    text
}

fn only_file(dir: &Path) -> Option<PathBuf> {
    std::fs::read_dir(dir).ok()?.next()?.ok().map(|entry| entry.path())
}

#[test]
fn every_event_arrives_as_it_was_and_none_is_cut() {
    if !have("events over rsyslog", &["rsyslogd"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let played = run(dir.path(), &["demo", "--capture", "captures"]);
    assert_eq!(played.code, Some(0), "{}", played.stderr);
    let captures = dir.path().join("captures");
    let mut sent = std::fs::read_to_string(only_file(&captures).unwrap()).unwrap();

    let port = crate::support::rig::nowhere().port().to_string();
    let received = dir.path().join("received");
    let file = |path: &str| Kind::Rsyslog.file(path).unwrap().text;
    let (listens, dials) = (format!("port=\"{port}\" address=\"127.0.0.1\""), format!("port=\"{port}\""));
    let receiver = replaced(
        file("receiver.conf"),
        &[("port=\"10514\"", &listens), ("/var/log/finesse-tap", received.to_str().unwrap())],
    );
    let sender = replaced(
        file("sender.conf"),
        &[
            ("port=\"10514\"", &dials),
            ("logs.example.com", "127.0.0.1"),
            ("/var/lib/finesse-tap/captures", captures.to_str().unwrap()),
        ],
    );
    let _receiver = Rsyslog::start(dir.path(), "receiver", &receiver);
    let _sender = Rsyslog::start(dir.path(), "sender", &sender);

    // What is there already, and what comes while it is watched, in files of its own.
    let files = if std::env::var_os("FINESSE_TAP_LONG").is_some() { 100 } else { 4 };
    let more = LIMITS_BYTES.map(|limit_bytes| events(20, 480, limit_bytes)).concat();
    for number in 0..files {
        let text = format!("{{\"@timestamp\":\"2026-01-15T09:12:40.000000Z\",\"file\":{number}}}\n{more}");
        std::fs::write(captures.join(format!("finesse-more-{number:04}.ndjson")), &text).unwrap();
        sent.push_str(&text);
    }

    let deadline = Deadline::after(2 * PATIENCE);
    let got = loop {
        let got = only_file(&received).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        if got.len() >= sent.len() {
            break got;
        }
        let log = std::fs::read_to_string(dir.path().join("sender.log")).unwrap();
        assert!(!deadline.is_over(), "{} of {} bytes arrived\n{log}", got.len(), sent.len());
        std::thread::sleep(Duration::from_millis(50));
    };
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let (sent, got) = (sorted(&sent), sorted(&got));
    assert_eq!(got.len(), sent.len());
    let differs = sent.iter().zip(&got).find(|(sent, got)| sent != got);
    assert!(differs.is_none(), "{differs:?}");
}
