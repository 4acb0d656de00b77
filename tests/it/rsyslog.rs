//! Events over two real rsyslogs, with the very configurations that the program hands out: from the capture files of one
//! machine to a file on another, every line as it was; over RELP also while one of them is killed.
#![cfg(target_os = "linux")]

use crate::ship::site::Site;
use crate::support::bulk::Bulk;
use crate::support::program::run;
use crate::support::receiver::{Mishap, Receiver, Wire};
use crate::support::stage::Stage;
use crate::support::{Deadline, PATIENCE, frames, have, have_file};
use finesse_tap::assets::Kind;
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{C2s, S2c};
use std::io::Write as _;
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
        std::fs::create_dir_all(&work).unwrap();
        let path = dir.join(format!("{name}.conf"));
        std::fs::write(&path, format!("global(workDirectory=\"{}\")\n{config}", work.display())).unwrap();
        let checked = Command::new("rsyslogd").args(["-N1", "-f"]).arg(&path).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{told}");
        for bad in ["error", "warning"] {
            assert!(!told.to_lowercase().contains(bad), "{told}");
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join(format!("{name}.log"))).unwrap();
        let child = Command::new("rsyslogd")
            .args(["-n", "-iNONE", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
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

/// The files for receiver and sender, for a port of this machine.
fn configured(names: [&str; 2], usual: &str, captures: &Path, received: &Path) -> [String; 2] {
    let port = crate::support::rig::nowhere().port().to_string();
    let [receiver, sender] = names.map(|name| Kind::Rsyslog.file(name).unwrap().text);
    let usual = format!("port=\"{usual}\"");
    let (listens, dials) = (format!("port=\"{port}\" address=\"127.0.0.1\""), format!("port=\"{port}\""));
    let receiver_here = [(usual.as_str(), listens.as_str()), ("/var/log/finesse-tap", received.to_str().unwrap())];
    let sender_here = [
        (usual.as_str(), dials.as_str()),
        ("logs.example.com", "127.0.0.1"),
        ("/var/lib/finesse-tap/captures", captures.to_str().unwrap()),
        ("action.resumeInterval=\"5\"", "action.resumeInterval=\"1\""),
    ];
    [replaced(receiver, &receiver_here), replaced(sender, &sender_here)]
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

    let received = dir.path().join("received");
    let [receiver, sender] = configured(["receiver.conf", "sender.conf"], "10514", &captures, &received);
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

/// Where Debian keeps rsyslog's modules.
fn module(name: &str) -> PathBuf {
    let kinds = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = kinds.map(|kind| kind.path().join("rsyslog").join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from(name))
}

#[test]
fn over_relp_no_event_is_lost_while_either_side_is_killed() {
    let name = "events over RELP";
    if !have(name, &["rsyslogd"]) || !have_file(name, &module("omrelp.so")) {
        return;
    }
    const LINES: usize = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let (captures, received) = (dir.path().join("captures"), dir.path().join("received"));
    std::fs::create_dir(&captures).unwrap();
    let names = ["receiver-relp.conf", "sender-relp.conf"];
    let [receiver_config, sender_config] = configured(names, "20514", &captures, &received);
    let mut receiver = Rsyslog::start(dir.path(), "receiver", &receiver_config);
    let mut sender = Rsyslog::start(dir.path(), "sender", &sender_config);
    let got = || only_file(&received).and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    let deadline = Deadline::after(2 * PATIENCE);
    let until = |what: &str, is_so: &dyn Fn(&[u8]) -> bool| {
        while !is_so(&got()) {
            assert!(!deadline.is_over(), "{what}: {} bytes are there", got().len());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let line = |number: usize| format!("{{\"number\":{number},\"pad\":\"{}\"}}\n", "née ".repeat(number % 200));
    let mut file = std::fs::File::create(captures.join("finesse-x-0001.ndjson")).unwrap();
    for (round, numbers) in (0..LINES).collect::<Vec<_>>().chunks(LINES / 4).enumerate() {
        let before = got().len();
        file.write_all(numbers.iter().map(|number| line(*number)).collect::<String>().as_bytes()).unwrap();
        // In the middle of it, one side goes.
        until("some of it", &|got| got.len() > before);
        if round % 2 == 0 {
            drop(receiver);
            receiver = Rsyslog::start(dir.path(), "receiver", &receiver_config);
        } else {
            drop(sender);
            sender = Rsyslog::start(dir.path(), "sender", &sender_config);
        }
    }
    let wanted: std::collections::BTreeSet<String> = (0..LINES).map(line).collect();
    until("all of it", &|got| {
        let text = String::from_utf8_lossy(got);
        text.split_inclusive('\n')
            .filter(|line| wanted.contains(*line))
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            == LINES
    });
    drop((receiver, sender));
}

/// Not a way that the program hands out: rsyslog's own client holds our stand-in for Elasticsearch to what such clients send
/// and understand.
#[test]
fn the_stand_in_for_elasticsearch_is_one_to_a_client_of_others() {
    let name = "the stand-in for Elasticsearch with rsyslog's client";
    if !have(name, &["rsyslogd"]) || !have_file(name, &module("omelasticsearch.so")) {
        return;
    }
    let user = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "agent:secret");
    let contract =
        Bulk { authorization: Some(format!("Basic {user}")), poison: Some("\"sequence\":77,"), ..Bulk::ready() };
    let elastic = Receiver::start(contract, Wire::Plain);
    elastic.suffer([Mishap::CutBeforeAnswer, Mishap::CutInBody]);
    let site = Site::new();
    let port = elastic.address.port();
    let (captures, errors) = (site.path("captures"), site.path("errors"));
    let (captures, errors_path) = (captures.to_str().unwrap(), errors.to_str().unwrap());
    let config = format!(
        r#"
global(maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
module(load="omelasticsearch")
input(type="imfile" File="{captures}/*.ndjson" Tag="finesse-tap" Ruleset="to-elastic" freshStartTail="off")
template(name="line" type="list") {{ property(name="msg") }}
template(name="id" type="list") {{ property(name="$!event!id") }}
ruleset(name="to-elastic") {{
  action(type="mmjsonparse" cookie="")
  action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="line" searchIndex="logs-finesse.event-default"
         searchType="" bulkmode="on" dynBulkId="on" bulkid="id" writeoperation="create" uid="agent" pwd="secret"
         esVersion.major="8" errorFile="{errors_path}" action.resumeRetryCount="-1" action.resumeInterval="1")
}}
"#
    );
    let _rsyslog = Rsyslog::start(site.dir(), "elastic", &config);
    site.write(1, 1..=300);
    let deadline = Deadline::after(2 * PATIENCE);
    let kept_aside = || std::fs::read_to_string(&errors).unwrap_or_default();
    while elastic.contract.lock().unwrap().documents.len() < 299 || !kept_aside().contains("document_parsing_exception")
    {
        let log = std::fs::read_to_string(site.path("elastic.log")).unwrap();
        let there = elastic.contract.lock().unwrap().documents.len();
        assert!(!deadline.is_over(), "{there} of 299 documents; errors {:.300}; {log}", kept_aside());
        std::thread::sleep(Duration::from_millis(50));
    }
    let contract = elastic.contract.lock().unwrap();
    assert!(contract.conflicts > 0, "what was taken and not answered was sent again");
    for (id, line) in &contract.documents {
        let number = id.rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(*line, crate::ship::site::event(number));
    }
}
