//! Metrics over HTTP: what they count is what the capture holds, promtool and Prometheus take them, OpenMetrics' own parser too.

#![cfg(unix)]

use crate::program::day;
use crate::support::program::{Program, captures, run, to};
use crate::support::{Deadline, PATIENCE, have};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Debian's, which sees Debian's python3-prometheus-client.
const PYTHON: &str = "/usr/bin/python3";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0";

/// Status, head and body of one request.
fn ask(address: SocketAddr, method: &str, path: &str, accept: &str) -> (u16, String, String) {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(tcp, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    tcp.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

pub fn metrics(address: SocketAddr) -> String {
    let (status, _, body) = ask(address, "GET", "/metrics", "*/*");
    assert_eq!(status, 200);
    body
}

/// Samples by name and labels, as they stand on the page.
fn samples(page: &str) -> BTreeMap<&str, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

pub fn admin_of(program: &mut Program) -> SocketAddr {
    let line = program.line("metrics http://");
    line.trim_start_matches("metrics http://").trim_end_matches("/metrics").parse().unwrap()
}

/// The program with metrics, after one desktop's day.
async fn after_a_day(dir: &Path, more: &[&str]) -> (Program, SocketAddr) {
    let mut program = day(|pin, port| {
        let mut args = to(([127, 0, 0, 1], port).into());
        args.extend([format!("--upstream-pin=sha256:{pin}"), "--admin=127.0.0.1:0".into()]);
        args.extend(more.iter().map(|more| (*more).to_owned()));
        Program::start(dir, &args.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await;
    let address = admin_of(&mut program);
    (program, address)
}

/// The status and head of a request under a name.
fn ask_as(address: SocketAddr, host: &str) -> (u16, String) {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(tcp, "GET /metrics HTTP/1.1\r\n{host}Connection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    tcp.read_to_string(&mut text).unwrap();
    (text[9..12].parse().unwrap(), text.split("\r\n\r\n").next().unwrap().to_lowercase())
}

/// A page that has a browser of this machine resolve its own name to 127.0.0.1 asks under that name.
#[test]
fn no_page_reads_metrics_under_a_name_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut program =
        Program::start(dir.path(), &["run", "--upstream=127.0.0.1", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"]);
    let address = admin_of(&mut program);
    for fine in [
        "Host: localhost\r\n",
        "Host: LOCALHOST:1\r\n",
        "Host: [::1]:9\r\n",
        "Host: 10.1.2.3\r\n",
        "Host: a.localhost\r\n",
    ] {
        let (status, head) = ask_as(address, fine);
        assert_eq!(status, 200, "{fine}");
        assert!(head.contains("x-content-type-options: nosniff") && !head.contains("access-control"), "{head}");
    }
    for foreign in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a b", ""] {
        assert_eq!(ask_as(address, &format!("Host: {foreign}\r\n")).0, 421, "{foreign}");
    }
    program.stop();
}

/// The metrics once every connection is closed and counted.
fn settled(address: SocketAddr) -> String {
    let deadline = Deadline::after(PATIENCE);
    loop {
        let page = metrics(address);
        let now = samples(&page);
        if now["finesse_tap_connections_total"] > 0.0 && now["finesse_tap_connections_open"] == 0.0 {
            return page;
        }
        assert!(!deadline.is_over(), "connections stay open:\n{page}");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_is_what_the_capture_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (program, address) = after_a_day(dir.path(), &[]).await;
    let page = settled(address);
    let now = samples(&page);
    assert_eq!(program.stop().code, Some(0));
    let lines: Vec<Value> = captures(&dir.path().join("captures")).into_iter().flat_map(|(_, lines)| lines).collect();
    let count = |test: &dyn Fn(&Value) -> bool| lines.iter().filter(|line| test(line)).count() as f64;
    let action = |line: &Value, action: &str| line["event"]["action"] == action;

    for (word, found) in now.iter().filter_map(|(name, found)| {
        Some((name.strip_prefix("finesse_tap_events_total{action=\"")?.trim_end_matches("\"}"), *found))
    }) {
        // The end of the program may still tell something.
        if !["session-summary", "finding", "log-opened"].contains(&word) {
            assert_eq!(found, count(&|line| action(line, word)), "{word}");
        }
    }
    assert_eq!(now["finesse_tap_connections_total"], count(&|line| action(line, "connection-opened")));
    assert_eq!(now["finesse_tap_websockets_total"], 1.0);
    assert_eq!(now["finesse_tap_websockets_open"], 0.0);
    for way in ["c2s", "s2c"] {
        let bytes = lines.iter().filter_map(|line| line["finesse"]["conn"][format!("{way}_bytes")].as_u64());
        let found = now[&*format!("finesse_tap_relayed_bytes_total{{direction=\"{way}\"}}")];
        assert_eq!(found, bytes.sum::<u64>() as f64, "{way}");
        let stanzas = |line: &Value| line["finesse"]["xmpp"]["kind"] == "iq" && line["finesse"]["direction"] == way;
        let found = now[&*format!("finesse_tap_stanzas_total{{direction=\"{way}\",kind=\"iq\"}}")];
        assert_eq!(found, count(&stanzas), "{way}");
        assert!(found > 0.0);
    }
    let status = |line: &Value| line["http"]["response"]["status_code"].as_u64().unwrap_or(0) / 100 == 2;
    assert_eq!(
        now["finesse_tap_http_exchanges_total{status=\"2xx\"}"],
        count(&|line| action(line, "http-exchange") && status(line))
    );
    let keepalive = |line: &Value| line["finesse"]["keepalive"] == true;
    let asked = |line: &Value| line["finesse"]["xmpp"]["rtt_us"].is_u64();
    let rounds = |kind| now[&*format!("finesse_tap_round_trip_seconds_count{{kind=\"{kind}\"}}")];
    assert_eq!(rounds("iq"), count(&|line| asked(line) && !keepalive(line)));
    assert_eq!(rounds("xmpp-ping"), count(&|line| asked(line) && keepalive(line)));
    assert!(rounds("iq") > 0.0);
    let caused = |line: &Value| line["finesse"]["update"]["caused_by"].is_object();
    assert_eq!(now["finesse_tap_update_latency_seconds_count"], count(&caused));
    assert!(count(&caused) > 0.0);
    for zero in ["finesse_tap_redaction_masked_total", "finesse_tap_capture_gaps_total"] {
        assert_eq!(now[zero], 0.0, "{zero}");
    }
    // 1001 is a close code, too.
    let page: String = page.lines().filter(|line| !line.contains("{code=\"1001\"}")).collect();
    for value in ["1001", crate::support::HOST, "127.0.0.1"] {
        assert!(!page.contains(value), "{value} is a label:\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_is_counted_though_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (program, address) = after_a_day(dir.path(), &["--no-capture", "--quiet"]).await;
    let page = settled(address);
    assert!(samples(&page)["finesse_tap_events_total{action=\"finesse-update\"}"] > 0.0);
    assert!(!dir.path().join("captures").exists());
    assert_eq!(program.stop().code, Some(0));
}

#[test]
fn only_get_and_head_are_answered_and_both_formats_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = idle(dir.path(), &[]);
    let address = admin_of(&mut program);
    assert_eq!(ask(address, "GET", "/healthz", "*/*").2, "ok\n");
    let (status, head, _) = ask(address, "GET", "/metrics", "*/*");
    assert!(status == 200 && head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let (_, head, body) = ask(address, "GET", "/metrics", OPENMETRICS);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"));
    let (status, _, body) = ask(address, "HEAD", "/metrics", "*/*");
    assert_eq!((status, &*body), (200, ""));
    assert_eq!(ask(address, "POST", "/metrics", "*/*").0, 405);
    assert_eq!(ask(address, "GET", "/secrets", "*/*").0, 404);
    // What is no HTTP does no harm.
    for garbage in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", &[b'a'; 100_000]] {
        let mut tcp = TcpStream::connect(address).unwrap();
        let _ = tcp.write_all(garbage);
    }
    let (status, _, body) = ask(address, "GET", "/readyz", "*/*");
    assert_eq!((status, &*body), (200, "ready\n"));
    assert_eq!(program.stop().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_capture_that_cannot_be_written_is_not_ready_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut args = to(crate::support::rig::nowhere());
    args.extend(["--upstream-insecure", "--admin=127.0.0.1:0", "--capture=-"].map(str::to_owned));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut program = Program::spawn(dir.path(), &args, Stdio::from(full));
    let address = admin_of(&mut program);
    let deadline = Deadline::after(PATIENCE);
    let body = loop {
        let (status, _, body) = ask(address, "GET", "/readyz", "*/*");
        if status == 503 {
            break body;
        }
        assert!(!deadline.is_over(), "still ready with a full disk");
        std::thread::yield_now();
    };
    assert!(body.starts_with("not ready: the capture (stdout) is not written"), "{body}");
    let page = metrics(address);
    let now = samples(&page);
    assert_eq!(now["finesse_tap_sink_failing{sink=\"stdout\"}"], 1.0);
    assert_eq!(now["finesse_tap_ready"], 0.0);
    assert_eq!(ask(address, "GET", "/healthz", "*/*").0, 200);
}

#[test]
fn other_machines_are_let_in_by_name_only() {
    let dir = tempfile::tempdir().unwrap();
    let address = ["run", "--upstream=finesse.example.test", "--admin=0.0.0.0:9445"];
    let refused = run(dir.path(), &address);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("error: --admin: 0.0.0.0:9445 lets other machines read the metrics"));
    assert!(refused.stderr.contains("--admin 127.0.0.1:9445") && refused.stderr.contains("--admin-exposed"));
    let alone = run(dir.path(), &["run", "--upstream=finesse.example.test", "--admin-exposed"]);
    assert_eq!(alone.code, Some(2));
    assert_eq!(alone.stderr, "error: --admin-exposed: without --admin it has no effect\nhint: add --admin ADDR:PORT");
    let short = run(dir.path(), &["run", "--upstream=finesse.example.test", "--admin=9445"]);
    assert!(short.stderr.contains("--admin 127.0.0.1:9445"), "{}", short.stderr);
    let mut exposed = idle(dir.path(), &["--admin-exposed", "--admin=0.0.0.0:0"]);
    let port = admin_of(&mut exposed).port();
    assert_eq!(ask(([127, 0, 0, 1], port).into(), "GET", "/healthz", "*/*").0, 200);
    let taken = format!("--admin=127.0.0.1:{port}");
    let mut args = to(crate::support::rig::nowhere());
    args.extend(["--upstream-insecure".to_owned(), taken]);
    let second = run(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("hint: something listens there already"), "{}", second.stderr);
}

/// A run without traffic.
fn idle(dir: &Path, more: &[&str]) -> Program {
    let mut args = to(crate::support::rig::nowhere());
    args.push("--upstream-insecure".to_owned());
    if more.is_empty() {
        args.push("--admin=127.0.0.1:0".to_owned());
    }
    args.extend(more.iter().map(|more| (*more).to_owned()));
    Program::start(dir, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_and_the_openmetrics_parser_find_nothing_wrong() {
    if !have("metrics before promtool", &["promtool", PYTHON]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (program, address) = after_a_day(dir.path(), &[]).await;
    let page = settled(address);
    let (ok, told) = fed(Command::new("promtool").args(["check", "metrics"]), &page);
    assert!(ok && told.trim().is_empty(), "promtool: {told}\n{page}");
    let (_, _, page) = ask(address, "GET", "/metrics", OPENMETRICS);
    let parse = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
        families = list(parse(sys.stdin.read()))\n\
        print(len(families), sum(len(family.samples) for family in families))";
    let (ok, told) = fed(Command::new(PYTHON).args(["-c", parse]), &page);
    assert!(ok, "{told}\n{page}");
    let numbers: Vec<usize> = told.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let count = |prefix: &str| page.lines().filter(|line| line.starts_with(prefix)).count();
    assert_eq!(numbers, [count("# TYPE "), page.lines().count() - count("#")]);
    assert_eq!(program.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_scrapes_it() {
    if !have("metrics before Prometheus", &["prometheus"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (program, address) = after_a_day(dir.path(), &[]).await;
    let page = settled(address);
    let mut prometheus = Prometheus::start(dir.path(), address);
    let own = samples(&page);
    let deadline = Deadline::after(PATIENCE);
    while prometheus.query("up") != Some(1.0) {
        assert!(!deadline.is_over(), "never scraped: {}", prometheus.trouble());
        std::thread::sleep(Duration::from_millis(50));
    }
    for name in [
        "finesse_tap_connections_total",
        "finesse_tap_events_total{action=\"finesse-update\"}",
        "finesse_tap_round_trip_seconds_count{kind=\"iq\"}",
        "finesse_tap_round_trip_seconds_bucket{kind=\"iq\",le=\"+Inf\"}",
        "finesse_tap_relayed_bytes_total{direction=\"s2c\"}",
    ] {
        assert_eq!(prometheus.query(name), Some(own[name]), "{name}");
    }
    assert_eq!(prometheus.query("finesse_tap_build_info"), Some(1.0));
    drop(prometheus);
    assert_eq!(program.stop().code, Some(0));
}

/// A program fed on standard input: whether it is content, and what it says.
fn fed(command: &mut Command, text: &str) -> (bool, String) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(told).unwrap())
}

/// A Prometheus of our own on loopback. Killed when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Prometheus {
    fn start(dir: &Path, target: SocketAddr) -> Self {
        let config = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: finesse-tap\n    static_configs:\n      - targets: ['{target}']\n"
        );
        let path = dir.join("prometheus.yml");
        std::fs::write(&path, config).unwrap();
        let address = crate::support::rig::nowhere();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(dir.join("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    /// The one value of a selector; `None` while there is none, or no Prometheus yet.
    fn query(&mut self, selector: &str) -> Option<f64> {
        let answer = self.get(&format!("/api/v1/query?query={}", encoded(selector)))?;
        let answer: Value = serde_json::from_str(answer.get(answer.find('{')?..=answer.rfind('}')?)?).ok()?;
        let result = answer["data"]["result"].as_array()?;
        assert!(result.len() < 2, "{selector}: {answer}");
        result.first()?["value"][1].as_str()?.parse().ok()
    }

    fn trouble(&mut self) -> String {
        self.get("/api/v1/targets").unwrap_or_default()
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut tcp = TcpStream::connect(self.address).ok()?;
        write!(tcp, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).ok()?;
        let mut text = String::new();
        tcp.read_to_string(&mut text).ok()?;
        Some(text.split_once("\r\n\r\n")?.1.to_owned())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
