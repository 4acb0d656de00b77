//! How fast captures are delivered: events a second from files to a receiver that only answers.
//!
//!     cargo bench --bench ship [-- --write docs/performance.md]
//!
//! Captures of 2 kB stanzas go to a server on a thread of this process that reads requests and says yes, in HEC's words and
//! in `_bulk`'s, over TLS and without. What it measures is the shipper: reading, parsing, gzip, HTTP, the checkpoint.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench talks to a person, and stops where it cannot go on"
)]

use bytes::Bytes;
use finesse_tap::clock;
use finesse_tap::ship::{self, Ack, End, Kind, Login, Orders, Pace, Plan, Receiver, Status, Url};
use finesse_tap::tls::upstream::{Pin, Trust};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

/// Events in all, in files as large as a run makes them.
const EVENTS: u64 = 200_000;
const FILE_BYTES: usize = 64 << 20;
const ROUNDS: usize = 3;

/// Who is asked, and over what.
const CASES: [(&str, bool, bool); 4] = [
    ("Splunk HEC, TLS", true, true),
    ("Splunk HEC, plain", true, false),
    ("Elasticsearch `_bulk`, TLS", false, true),
    ("Elasticsearch `_bulk`, plain", false, false),
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let dir = tempfile::tempdir()?;
    let bytes = captures(dir.path())?;
    std::fs::write(dir.path().join("token"), "bench")?;
    let mut table = String::from(
        "| to | events/s | MB/s of lines | CPU µs per event | (lowest–highest events/s) |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for (name, is_splunk, is_tls) in CASES {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(measure(dir.path(), is_splunk, is_tls)?);
        }
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (seconds, cpu_us) = rounds[ROUNDS / 2];
        let rate = |seconds: f64| EVENTS as f64 / seconds;
        let row = format!(
            "| {name} | {:.0} | {:.0} | {cpu_us:.1} | ({:.0}–{:.0}) |\n",
            rate(seconds),
            bytes as f64 / 1e6 / seconds,
            rate(rounds[ROUNDS - 1].0),
            rate(rounds[0].0),
        );
        eprint!("{row}");
        table.push_str(&row);
    }
    let mut text = String::new();
    writeln!(
        text,
        "{EVENTS} events of {} bytes in {}-MiB files, a receiver on the same machine that only answers; medians of {ROUNDS} rounds.\n\
         CPU is that of the whole process, the answering side included.\n\n{table}",
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

/// Seconds, and CPU microseconds an event.
fn measure(dir: &Path, is_splunk: bool, is_tls: bool) -> anyhow::Result<(f64, f64)> {
    let (port, pin) = serve(is_splunk, is_tls)?;
    let scheme = if is_tls { "https" } else { "http" };
    let url = Url::parse(&format!("{scheme}://localhost:{port}")).map_err(anyhow::Error::msg)?;
    let trust = pin.map_or(Trust::System, |pin| Trust::Pins(vec![pin]));
    let kind = if is_splunk {
        let token = ship::secret::Source::File(dir.join("token"));
        Kind::Splunk { token, index: None, ack: Ack::IfOffered }
    } else {
        Kind::Elastic { login: Login::None, stream: ship::elastic::DATA_STREAM.into(), setup: None }
    };
    let state = tempfile::tempdir()?;
    let plan = Plan {
        captures: dir.to_owned(),
        state: state.path().to_owned(),
        receiver: Receiver { url, trust, kind },
        end: End::Delivered,
        give_up: None,
        pace: Pace::default(),
    };
    let status = Arc::new(Status::new(plan.receiver.name()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (began, cpu) = (clock::now(), cpu_us());
    let summary = runtime.block_on(ship::run(&plan, &status, &Orders::default()))?;
    let (seconds, cpu) = (clock::now().ns_since(began) as f64 / 1e9, cpu_us() - cpu);
    anyhow::ensure!(summary.counts.delivered == EVENTS, "{} events were delivered", summary.counts.delivered);
    Ok((seconds, cpu / EVENTS as f64))
}

/// User and system time of this process, microseconds; 0 where /proc does not tell.
fn cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // Ticks are hundredths of a second wherever Linux runs (sysconf(_SC_CLK_TCK)).
    (ticks(11) + ticks(12)) * 10_000.0
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
fn serve(is_splunk: bool, is_tls: bool) -> anyhow::Result<(u16, Option<Pin>)> {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
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
    let answer = if is_splunk { "{\"text\":\"Success\",\"code\":0}" } else { "{\"errors\":false}" };
    std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            let tasks = TaskTracker::new();
            loop {
                let (tcp, _) = listener.accept().await?;
                let service = service_fn(move |request: Request<Incoming>| async move {
                    let mut body = request.into_body();
                    while let Some(frame) = body.frame().await {
                        frame?;
                    }
                    anyhow::Ok(Response::new(Full::new(Bytes::from_static(answer.as_bytes()))))
                });
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

/// Puts the table between its marks.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    const MARKS: [&str; 2] = ["<!-- ship:begin -->", "<!-- ship:end -->"];
    let page = std::fs::read_to_string(path)?;
    let parts = page.split_once(MARKS[0]).and_then(|(head, rest)| Some((head, rest.split_once(MARKS[1])?.1)));
    let (head, tail) = parts.ok_or_else(|| anyhow::anyhow!("{} has no {}", path.display(), MARKS.join(" … ")))?;
    std::fs::write(path, format!("{head}{}\n{text}\n{}{tail}", MARKS[0], MARKS[1]))?;
    Ok(())
}
