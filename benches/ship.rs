//! How fast captures are delivered: events a second from files to a receiver that only answers.
//!
//!     cargo bench --bench ship [-- --write docs/performance.md]
//!
//! `finesse-tap ship`, a process of its own, delivers captures of 2 kB stanzas to a server on a thread of this process that
//! reads requests, throws them away and says yes: in HEC's words, with acknowledgements and without, and in `_bulk`'s; over
//! TLS and plain. What it measures is the shipper: reading, parsing, gzip, HTTP, TLS, the checkpoint. Processor time and
//! memory are the shipper's alone, as /proc tells them: Linux only.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench talks to a person, and stops where it cannot go on"
)]

use anyhow::Context as _;
use bytes::Bytes;
use finesse_tap::clock;
use finesse_tap::tls::upstream::Pin;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// Events in all, in files as large as a run makes them.
const EVENTS: u64 = 150_000;
const FILE_BYTES: usize = 64 << 20;
const ROUNDS: usize = 3;
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hec,
    HecAcks,
    Bulk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Plain,
    Tls,
}

/// Who is asked, and over what.
const CASES: [(&str, Kind, Wire); 6] = [
    ("Splunk HEC, TLS", Kind::Hec, Wire::Tls),
    ("Splunk HEC, plain", Kind::Hec, Wire::Plain),
    ("Splunk HEC with acknowledgements, TLS", Kind::HecAcks, Wire::Tls),
    ("Splunk HEC with acknowledgements, plain", Kind::HecAcks, Wire::Plain),
    ("Elasticsearch `_bulk`, TLS", Kind::Bulk, Wire::Tls),
    ("Elasticsearch `_bulk`, plain", Kind::Bulk, Wire::Plain),
];

/// One delivery of everything.
struct Round {
    seconds: f64,
    cpu_seconds: f64,
    peak_bytes: f64,
    /// What crossed the wire as bodies of requests.
    sent_bytes: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let dir = tempfile::tempdir()?;
    std::fs::create_dir(dir.path().join("captures"))?;
    let bytes = captures(&dir.path().join("captures"))?;
    std::fs::write(dir.path().join("token"), "bench")?;
    let mut table = String::from(
        "| to | events/s | MB/s of lines | CPU µs per event | peak resident MB | sent, of the lines | (lowest–highest events/s) |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    for (name, kind, wire) in CASES {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(measure(dir.path(), kind, wire)?);
        }
        rounds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let median = &rounds[ROUNDS / 2];
        let rate = |round: &Round| EVENTS as f64 / round.seconds;
        let row = format!(
            "| {name} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0}% | ({:.0}–{:.0}) |\n",
            rate(median),
            bytes as f64 / 1e6 / median.seconds,
            median.cpu_seconds * 1e6 / EVENTS as f64,
            rounds.iter().map(|round| round.peak_bytes).fold(0.0, f64::max) / 1e6,
            100.0 * median.sent_bytes / bytes as f64,
            rate(&rounds[ROUNDS - 1]),
            rate(&rounds[0]),
        );
        eprint!("{row}");
        table.push_str(&row);
    }
    let mut text = String::new();
    writeln!(
        text,
        "{EVENTS} events of {} bytes in {}-MiB files, a receiver on the same machine that only answers; medians of {ROUNDS} rounds,\n\
         the process's start and end included. Time and memory are the shipper's own; it uses one thread.\n\n{table}",
        bytes / EVENTS,
        FILE_BYTES >> 20
    )?;
    match arguments.iter().position(|argument| argument == "--write").and_then(|at| arguments.get(at + 1)) {
        Some(path) => write(Path::new(path), text.trim_end()),
        None => {
            println!("{text}");
            Ok(())
        }
    }
}

fn measure(dir: &Path, kind: Kind, wire: Wire) -> anyhow::Result<Round> {
    let sent_bytes = Arc::new(AtomicU64::new(0));
    let (port, pin) = serve(kind, wire, Arc::clone(&sent_bytes))?;
    let scheme = if wire == Wire::Tls { "https" } else { "http" };
    let option = if kind == Kind::Bulk { "elastic" } else { "splunk" };
    let state = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    command.current_dir(dir).env_clear().args(["ship", "captures", "--state"]).arg(state.path());
    command.arg(format!("--{option}")).arg(format!("{scheme}://localhost:{port}"));
    if kind != Kind::Bulk {
        command.args(["--splunk-token-file", "token"]);
    }
    if let Some(pin) = pin {
        command.arg(format!("--{option}-pin")).arg(pin.to_string());
    }
    let began = clock::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let proc = Path::new("/proc").join(child.id().to_string());
    let mut peak_bytes = 0.0;
    let seconds = loop {
        let stat = std::fs::read_to_string(proc.join("stat")).context("this bench needs Linux")?;
        if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')) {
            break clock::now().ns_since(began) as f64 / 1e9;
        }
        let status = std::fs::read_to_string(proc.join("status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak_bytes = peak.and_then(|peak| peak.parse::<f64>().ok()).map_or(peak_bytes, |peak| peak * 1024.0);
        std::thread::sleep(LOOK);
    };
    // It has ended and is not waited for yet: its times are whole.
    let cpu_seconds = cpu_seconds(&std::fs::read_to_string(proc.join("stat"))?);
    let ended = child.wait_with_output()?;
    let told = String::from_utf8_lossy(&ended.stderr);
    anyhow::ensure!(ended.status.success() && told.contains(&format!("delivered {EVENTS} events")), "{told}");
    Ok(Round { seconds, cpu_seconds, peak_bytes, sent_bytes: sent_bytes.load(Ordering::Relaxed) as f64 })
}

/// User and system time in a line of /proc/PID/stat.
fn cpu_seconds(stat: &str) -> f64 {
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // Ticks are hundredths of a second wherever Linux runs (sysconf(_SC_CLK_TCK)).
    (ticks(11) + ticks(12)) / 100.0
}

fn captures(dir: &Path) -> anyhow::Result<u64> {
    let (mut bytes, mut file, mut in_file, mut number) = (0, None, usize::MAX, 0);
    for sequence in 1..=EVENTS {
        let line = line(sequence);
        if in_file + line.len() > FILE_BYTES || file.is_none() {
            number += 1;
            let name = format!("finesse-bench-20260115T091240Z-01KA9S3Q7E4M8W2Y6Z0T5R1NBC-{number:04}.ndjson");
            file = Some(std::io::BufWriter::new(std::fs::File::create(dir.join(name))?));
            in_file = 0;
        }
        if let Some(file) = &mut file {
            file.write_all(line.as_bytes())?;
        }
        in_file += line.len();
        bytes += line.len() as u64;
    }
    Ok(bytes)
}

/// An update as the tap writes it, with what differs from one to the next.
fn line(sequence: u64) -> String {
    let id = sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let agent = 1_000 + sequence % 500;
    let xml = format!(
        "<message from='pubsub.uccxpub.example.test' to='{agent}@uccxpub.example.test' id='{id:016x}'><event \
         xmlns='http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/{agent}'><item id='{id:016x}'>\
         <notification xmlns='http://jabber.org/protocol/pubsub'>&lt;Update&gt;&lt;data&gt;&lt;user&gt;&lt;dialogs&gt;\
         /finesse/api/User/{agent}/Dialogs&lt;/dialogs&gt;&lt;extension&gt;{agent}&lt;/extension&gt;&lt;firstName&gt;Agent\
         &lt;/firstName&gt;&lt;lastName&gt;{agent}&lt;/lastName&gt;&lt;loginId&gt;{agent}&lt;/loginId&gt;&lt;state&gt;READY\
         &lt;/state&gt;&lt;stateChangeTime&gt;2026-01-15T09:12:40.561Z&lt;/stateChangeTime&gt;&lt;/user&gt;&lt;/data&gt;\
         &lt;event&gt;PUT&lt;/event&gt;&lt;requestId&gt;{id:016x}&lt;/requestId&gt;&lt;source&gt;/finesse/api/User/{agent}\
         &lt;/source&gt;&lt;/Update&gt;</notification></item></items></event></message>"
    );
    format!(
        "{{\"@timestamp\":\"2026-01-15T09:12:40.{:06}Z\",\"event\":{{\"sequence\":{sequence},\"id\":\"01KA9S3Q7E4M8W2Y6Z0T5R1NBC-{sequence}\",\
         \"kind\":\"event\",\"category\":[\"network\",\"api\"],\"type\":[\"change\"],\"action\":\"finesse-update\",\"dataset\":\"finesse.event\"}},\
         \"log\":{{\"level\":\"info\"}},\"message\":\"User {agent} NOT_READY → READY\",\"trace\":{{\"id\":\"{id:032x}\"}},\"client\":{{\"ip\":\"127.0.0.1\",\"port\":51734}},\
         \"server\":{{\"domain\":\"uccxpub.example.test\",\"port\":8445}},\"user\":{{\"name\":\"{agent}\"}},\"finesse\":{{\"schema\":\"1.0\",\"session\":{{\"id\":\"s{agent}\"}},\
         \"direction\":\"s2c\",\"update\":{{\"event\":\"PUT\",\"object\":\"User\",\"source\":\"/finesse/api/User/{agent}\",\"user\":{{\"state\":\"READY\"}}}},\
         \"xml\":\"{xml}\"}},\"ecs\":{{\"version\":\"8.17.0\"}}}}\n",
        sequence % 1_000_000
    )
}

/// A receiver that says yes to everything, on a thread of its own; its port and pin.
fn serve(kind: Kind, wire: Wire, sent_bytes: Arc<AtomicU64>) -> anyhow::Result<(u16, Option<Pin>)> {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let is_tls = wire == Wire::Tls;
    let pin = is_tls.then(|| Pin::of(own.cert.der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into()),
        )?;
    let acceptor = is_tls.then(|| TlsAcceptor::from(Arc::new(config)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            let tasks = TaskTracker::new();
            let next_ack = Arc::new(AtomicU64::new(0));
            loop {
                let (tcp, _) = listener.accept().await?;
                let (sent_bytes, next_ack) = (Arc::clone(&sent_bytes), Arc::clone(&next_ack));
                let service = service_fn(move |request| answer(request, kind, sent_bytes.clone(), next_ack.clone()));
                let acceptor = acceptor.clone();
                tasks.spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            let Ok(tls) = acceptor.accept(tcp).await else { return };
                            let _ = http1::Builder::new().serve_connection(TokioIo::new(tls), service).await;
                        }
                        None => drop(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await),
                    }
                });
            }
        })
    });
    Ok((port, pin))
}

async fn answer(
    request: Request<Incoming>,
    kind: Kind,
    sent_bytes: Arc<AtomicU64>,
    next_ack: Arc<AtomicU64>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let is_question = request.uri().path().ends_with("/ack");
    let mut body = request.into_body();
    let mut question = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame?.into_data() else { continue };
        sent_bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
        if is_question {
            question.extend_from_slice(&part);
        }
    }
    let text = match kind {
        Kind::HecAcks if is_question => {
            let asked: serde_json::Value = serde_json::from_slice(&question)?;
            let ids = asked["acks"].as_array().context("no acks")?;
            let acks: serde_json::Map<_, _> = ids.iter().map(|id| (id.to_string(), true.into())).collect();
            serde_json::json!({ "acks": acks }).to_string()
        }
        Kind::HecAcks => {
            let id = next_ack.fetch_add(1, Ordering::Relaxed);
            format!("{{\"text\":\"Success\",\"code\":0,\"ackId\":{id}}}")
        }
        Kind::Hec => "{\"text\":\"Success\",\"code\":0}".to_owned(),
        Kind::Bulk => "{\"errors\":false}".to_owned(),
    };
    Ok(Response::new(Full::new(Bytes::from(text))))
}

/// Puts the table between its marks.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    const MARKS: [&str; 2] = ["<!-- ship:begin -->", "<!-- ship:end -->"];
    let page = std::fs::read_to_string(path)?;
    let parts = page.split_once(MARKS[0]).and_then(|(head, rest)| Some((head, rest.split_once(MARKS[1])?.1)));
    let (head, tail) = parts.ok_or_else(|| anyhow::anyhow!("{} has no {}", path.display(), MARKS.join(" … ")))?;
    std::fs::write(path, format!("{head}{}\n{text}\n{}{tail}", MARKS[0], MARKS[1]))?;
    Ok(())
}
