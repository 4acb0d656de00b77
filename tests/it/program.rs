//! The program as its user meets it: the built binary, its standard streams, signals, files and exit codes.

#![cfg(unix)]

use crate::support::frames::{Length, frame};
use crate::support::program::{Program, Upstream, actions, assert_without_holes, captures, run, tapping, to};
use crate::support::{HOST, soon, write_private};
use finesse_tap::clock;
use finesse_tap::demo::{self, Site, Story};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

const KEY: [u8; 4] = [1, 2, 3, 4];
const UPGRADE: &str = "GET /ws/ HTTP/1.1\r\nHost: f\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Sends bytes in at one end and waits for them at the other.
async fn pass(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin), bytes: &[u8]) {
    from.write_all(bytes).await.unwrap();
    from.flush().await.unwrap();
    let mut got = vec![0; bytes.len()];
    soon("bytes pass", to.read_exact(&mut got)).await.unwrap();
    assert_eq!(got, bytes);
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// The two ends of a WebSocket through the program.
async fn upgraded(
    program: &mut Program,
    upstream: &Upstream,
) -> (client::TlsStream<TcpStream>, server::TlsStream<TcpStream>) {
    let (client, server) = tokio::join!(program.client(), upstream.accept());
    let (mut client, mut server) = (client, server.unwrap());
    pass(&mut client, &mut server, UPGRADE.as_bytes()).await;
    pass(&mut server, &mut client, SWITCH.as_bytes()).await;
    (client, server)
}

#[tokio::test]
async fn the_facts_at_the_start_and_the_files() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &["--quiet"]);
    let address = program.address();
    assert_ne!(address.port(), 0);
    assert!(address.ip().is_loopback());
    program.line("browser ");
    let ended = program.stop();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""));
    let facts: Vec<&str> = ended.stderr.lines().take(6).collect();
    assert_eq!(facts[0], format!("listening https://{address}"));
    assert_eq!(facts[1], format!("upstream {HOST}:{} ({})", upstream.address.port(), upstream.address));
    let capture = facts[2].strip_prefix("capture ").unwrap();
    assert!(
        capture.starts_with(&format!("captures/finesse-{HOST}-2")) && capture.ends_with("-0001.ndjson"),
        "{capture}"
    );
    assert_eq!(facts[3], "redaction auth");
    assert!(facts[4].starts_with(&format!("ca certs/{HOST}/")), "{}", facts[4]);
    assert!(facts[5].starts_with("browser chrome ") && facts[5].contains(&format!("MAP {HOST}")), "{}", facts[5]);

    assert_eq!(mode(&dir.path().join("captures")), 0o750);
    assert_eq!(mode(&dir.path().join(capture)), 0o640);
    let certs = dir.path().join("certs").join(HOST);
    let keys: Vec<_> = std::fs::read_dir(certs).unwrap().map(|entry| entry.unwrap().path()).collect();
    let keys: Vec<_> =
        keys.iter().filter(|path| std::fs::read_to_string(path).unwrap().contains("PRIVATE KEY")).collect();
    assert_eq!(keys.len(), 1);
    assert_eq!(mode(keys[0]), 0o600);
}

#[tokio::test]
async fn a_browser_is_told_the_way_with_a_certificate_of_ones_own_too() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    std::fs::write(dir.path().join("own.pem"), made.cert.pem()).unwrap();
    write_private(&dir.path().join("own.key"), &made.signing_key.serialize_pem());
    let mut program = tapping(dir.path(), &upstream, &["--cert", "own.pem", "--key", "own.key", "--no-capture"]);
    assert!(program.line("browser ").contains(&format!("https://{HOST}:{}/desktop", upstream.address.port())));
    program.line("capture off");
    assert_eq!(program.stop().code, Some(0));
    assert!(!dir.path().join("captures").exists() && !dir.path().join("certs").exists());
}

#[test]
fn what_keeps_it_from_starting_is_said_with_a_way_out() {
    let dir = dir();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let here = format!("--resolve=loop.example:{}", free.ip());
    let (listen, looped) = (format!("--listen={free}"), format!("--upstream=loop.example:{}", free.port()));
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = format!("--listen={}", occupied.local_addr().unwrap());
    let cases: [(&[&str], &str, &str); 4] = [
        (
            &["run", "--upstream=h.example", "--resolve=h.example:127.0.0.1", &busy],
            "listen on 127.0.0.1:",
            "choose another --listen",
        ),
        (
            &["run", "--upstream=nobody.invalid", "--listen=127.0.0.1:0"],
            "nobody.invalid cannot be resolved",
            "--resolve nobody.invalid:ADDRESS",
        ),
        (&["run", &looped, &listen, &here], "leads back to this proxy", "--resolve loop.example:ADDRESS"),
        (
            &[
                "run",
                "--upstream=h.example",
                "--resolve=h.example:127.0.0.1",
                "--listen=127.0.0.1:0",
                "--capture=/dev/null/x",
            ],
            "look through /dev/null/x",
            "",
        ),
    ];
    for (args, error, hint) in cases {
        let ended = run(dir.path(), args);
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{args:?}: {}", ended.stderr);
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(lines[0].starts_with("error: ") && lines[0].contains(error), "{args:?}: {}", ended.stderr);
        let hints = lines.get(1).is_some_and(|line| line.starts_with("hint: ") && line.contains(hint));
        assert!(hint.is_empty() && lines.len() == 1 || hints && lines.len() == 2, "{args:?}: {}", ended.stderr);
    }
}

/// The name as a person's hosts file gives it.
#[test]
fn a_loop_through_the_resolver_is_found() {
    let dir = dir();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (upstream, both) = (format!("--upstream=localhost:{port}"), format!("--listen=127.0.0.1:{port}"));
    let mut args = vec!["run", &upstream, &both];
    let six = format!("--listen=[::1]:{port}");
    let has_six = TcpListener::bind("[::1]:0").is_ok();
    args.extend(has_six.then_some(&*six));
    let ended = run(dir.path(), &args);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("hint: name the server's real address with --resolve localhost:ADDRESS"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_cannot_be_used_ends_with_2() {
    let dir = dir();
    std::fs::write(dir.path().join("bad.toml"), "upstraem = 'x'\n").unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["run"], "--upstream"),
        (&["run", "--upstream=h", "--redact=share-me"], "share-me"),
        (&["run", "--upstream=h", "--upstream-pin=sha256:zz"], "pin"),
        (&["run", "--upstream=h", "--max-line-bytes=12"], "4000"),
        (&["run", "--upstream=h", "--config=bad.toml"], "upstraem"),
        (&["run", "--upstream=h", "--nonsense"], "nonsense"),
        (&["dance"], "dance"),
    ];
    for (args, named) in cases {
        let ended = run(dir.path(), args);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains(named), "{args:?}: {}", ended.stderr);
    }
    assert!(!dir.path().join("certs").exists() && !dir.path().join("captures").exists());
}

#[test]
fn the_small_commands_write_to_standard_output() {
    let dir = dir();
    for (args, wanted) in [
        (&["completions", "bash"][..], "complete -F"),
        (&["man"], ".TH"),
        (&["--version"], "finesse-tap "),
        (&["help"], "First steps:"),
        (&["ca", "--upstream=h.example"], "h.example"),
        (&["ca"], "Firefox"),
    ] {
        let ended = run(dir.path(), args);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
        assert!(ended.stdout.contains(wanted), "{args:?}: {}", ended.stdout);
    }
    let ended = run(dir.path(), &["ca", "--export=out"]);
    assert!(ended.code == Some(0) && ended.stdout.contains("Copied:"), "{}{}", ended.stdout, ended.stderr);
    let copies: Vec<_> = std::fs::read_dir(dir.path().join("out")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(copies.len(), 3, "{copies:?}");
    for copy in &copies {
        assert!(!String::from_utf8_lossy(&std::fs::read(copy).unwrap()).contains("PRIVATE"));
    }
    let ended = run(dir.path(), &["man", "--out=pages"]);
    assert!(ended.code == Some(0) && dir.path().join("pages/finesse-tap-run.1").exists(), "{}", ended.stderr);
}

/// A Finesse-like server in this process, the program in between, and a desktop's whole day through it.
pub(crate) async fn day(program_of: impl FnOnce(&str, u16) -> Program) -> Program {
    let agents = demo::agents(1);
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let tls = rustls::ServerConfig::builder_with_provider(crate::support::rig::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site { host: HOST.to_owned(), ..Site::new(agents.clone(), Duration::ZERO) };
    let server = demo::Server::start(listener, Arc::new(tls), site).unwrap();
    let pin = finesse_tap::tls::certificate::sha256_hex(made.cert.der());
    let mut program = program_of(&pin, server.address().port());
    let authority = finesse_tap::conn::Authority { host: HOST.to_owned(), port: program.address().port() };
    let mut story = Story::new(program.address(), authority, program.roots(), agents);
    story.pace = Duration::ZERO;
    for (agent, outcome) in demo::story(&story).await {
        assert!(outcome.is_ok(), "{}: {:?}", agent.id, outcome.err());
    }
    server.stop().await;
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_on_standard_output_is_the_stream_and_nothing_else() {
    let dir = dir();
    let program = day(|pin, port| {
        let (mut args, pin) = (to(([127, 0, 0, 1], port).into()), format!("--upstream-pin=sha256:{pin}"));
        args.extend([pin, "--capture=-".into(), "--log-format=json".into(), "--log-filter=debug".into()]);
        Program::start(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await;
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<serde_json::Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    crate::contract::assert_valid(&ended.stdout);
    assert_eq!(lines[0]["event"]["action"], "log-opened");
    assert_without_holes(&lines);
    for wanted in ["sasl-auth-result", "finesse-update", "http-exchange", "websocket-closed", "connection-closed"] {
        assert!(actions(&lines).contains(&wanted), "{wanted}");
    }
    assert!(ended.stderr.contains("capture standard output"), "{}", ended.stderr);
    assert!(!dir.path().join("captures").exists());
    for secret in demo::secrets(&demo::agents(1), HOST) {
        assert!(!ended.stdout.contains(&secret.text) && !ended.stderr.contains(&secret.text), "{}", secret.what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redaction_it_warns_loudly_and_in_the_first_line() {
    let dir = dir();
    let program = day(|pin, port| {
        let (mut args, pin) = (to(([127, 0, 0, 1], port).into()), format!("--upstream-pin=sha256:{pin}"));
        args.extend([pin, "--redact=off".into()]);
        Program::start(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await;
    let ended = program.stop();
    assert!(ended.stderr.contains("redaction off\nwarning "), "{}", ended.stderr);
    let files = captures(&dir.path().join("captures"));
    let first = files[0].1[0].to_string();
    assert!(first.contains("NOT REDACTED") && first.contains("\"level\":\"warn\""), "{first}");
    let all: String = files[0].1.iter().map(ToString::to_string).collect();
    assert!(all.contains(&demo::agents(1)[0].basic()), "off means off");
}

#[tokio::test]
async fn a_request_to_stop_lets_a_socket_finish_and_writes_everything() {
    for signal in ["TERM", "INT"] {
        let (dir, upstream) = (dir(), Upstream::new().await);
        let mut program = tapping(dir.path(), &upstream, &["--grace=60s"]);
        let (mut client, mut server) = upgraded(&mut program, &upstream).await;
        program.signal(signal);
        program.line("stopping");
        let address = program.address();
        let refused = soon("no new connections", async {
            while TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        });
        refused.await;
        pass(&mut server, &mut client, &frame(0x81, None, Length::Minimal, b"<presence from='last@words'/>")).await;
        pass(&mut client, &mut server, &frame(0x88, Some(KEY), Length::Minimal, &[3, 0xe8])).await;
        pass(&mut server, &mut client, &frame(0x88, None, Length::Minimal, &[3, 0xe8])).await;
        client.shutdown().await.unwrap();
        server.shutdown().await.unwrap();
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{signal}: {}", ended.stderr);
        let files = captures(&dir.path().join("captures"));
        let lines = &files[0].1;
        assert_without_holes(lines);
        assert!(lines.iter().any(|line| line["finesse"]["xmpp"]["from"] == "last@words"), "{signal}");
        assert!(actions(lines).ends_with(&["websocket-closed", "connection-closed"]), "{:?}", actions(lines));
        let closed = lines.iter().find(|line| line["event"]["action"] == "websocket-closed").unwrap();
        assert_eq!(closed["finesse"]["ws"]["close"]["handshake"], "full");
    }
}

#[tokio::test]
async fn what_outlives_the_grace_is_cut_and_told() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &["--grace=100ms"]);
    let (_client, server) = tokio::join!(program.client(), upstream.accept());
    let _server = server.unwrap();
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let files = captures(&dir.path().join("captures"));
    let last = files[0].1.last().unwrap();
    assert_eq!(
        (&last["finesse"]["conn"]["by"], &last["finesse"]["conn"]["how"]),
        (&"proxy".into(), &"shutdown".into())
    );
}

#[tokio::test]
async fn who_does_not_want_to_wait_loses_connections_and_nothing_else() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &["--grace=600s"]);
    let (_client, server) = tokio::join!(program.client(), upstream.accept());
    let _server = server.unwrap();
    let run_file = dir.path().join("certs").join(format!("run-{}.json", program.pid()));
    assert!(run_file.exists());
    while program.is_running() {
        program.signal("INT");
    }
    let ended = program.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopping at once") && ended.stderr.contains("cut=1"), "{}", ended.stderr);
    assert!(ended.stderr.contains("connections_in_all=1"), "{}", ended.stderr);
    assert!(!run_file.exists(), "its file is left behind");
    let files = captures(&dir.path().join("captures"));
    assert_without_holes(&files[0].1);
    let last = files[0].1.last().unwrap();
    assert_eq!(
        (&last["finesse"]["conn"]["by"], &last["finesse"]["conn"]["how"]),
        (&"proxy".into(), &"shutdown".into())
    );
}

/// `timeout` and shells signal a process, and then its group.
#[tokio::test]
async fn two_signals_in_one_moment_are_one_request() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &["--grace=600s"]);
    let (client, server) = tokio::join!(program.client(), upstream.accept());
    let (mut client, mut server) = (client, server.unwrap());
    program.signals(&["INT", "TERM"]);
    program.line("stopping");
    crate::routes::exchange(&mut client, &mut server).await;
    drop((client, server));
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("stopping at once"), "{}", ended.stderr);
}

#[test]
fn classes_are_the_same_in_the_help_and_in_its_errors() {
    let dir = dir();
    let refused = run(dir.path(), &["run", "--upstream=h.example", "--deny=json:x=foo"]);
    assert_eq!(refused.code, Some(2));
    let (_, offered) = refused.stderr.lines().next().unwrap().split_once("; there are ").unwrap();
    let (last, others) = (offered.rsplit(", ").next().unwrap(), offered.rsplit_once(", ").unwrap().0);
    let help = run(dir.path(), &["run", "--help"]).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains(&format!("a class of {others} or {last}")), "{offered}");
}

#[tokio::test]
async fn a_hangup_begins_a_new_file_while_traffic_goes_on() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    let (mut client, mut server) = upgraded(&mut program, &upstream).await;
    let captures_dir = dir.path().join("captures");
    for file in 2..=4 {
        for n in 0..50 {
            let presence = format!("<presence from='{file}-{n}@h'/>");
            pass(&mut server, &mut client, &frame(0x81, None, Length::Minimal, presence.as_bytes())).await;
        }
        program.signal("HUP");
        let begun = async {
            while std::fs::read_dir(&captures_dir).unwrap().count() < file {
                pass(&mut server, &mut client, &frame(0x89, None, Length::Minimal, b"")).await;
            }
        };
        soon("a new file", begun).await;
    }
    drop((client, server));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let files = captures(&captures_dir);
    assert_eq!(files.len(), 4);
    let mut beginnings = Vec::new();
    for (path, lines) in &files {
        assert_eq!(lines[0]["event"]["action"], "log-opened", "{}", path.display());
        let text = std::fs::read_to_string(path).unwrap();
        let first = text.lines().next().unwrap();
        assert!(first.len() >= 1_024);
        beginnings.push(first[..256].to_owned());
        assert!(lines.len() > 1, "{} holds nothing", path.display());
    }
    beginnings.dedup();
    assert_eq!(beginnings.len(), 4);
    assert_without_holes(files.iter().flat_map(|(_, lines)| lines));
    let presences =
        files.iter().flat_map(|(_, lines)| lines).filter(|line| line["finesse"]["xmpp"]["kind"] == "presence");
    assert_eq!(presences.count(), 150);
}

/// One request through the program, and the page that comes back.
async fn page(program: &mut Program) -> String {
    let mut client = program.client().await;
    client.write_all(b"GET /desktop HTTP/1.1\r\nHost: f\r\n\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut page = Vec::new();
    let _ = soon("a page", client.read_to_end(&mut page)).await;
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn an_upstream_that_cannot_be_had_gets_the_browser_a_page() {
    let dir = dir();
    // Nobody there.
    let nobody = crate::support::rig::nowhere();
    let args = to(nobody);
    let mut program = Program::start(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
    let text = page(&mut program).await;
    assert!(text.starts_with("HTTP/1.1 502 ") && text.contains("connection refused"), "{text}");
    assert!(program.line("upstream unreachable").contains("connection refused"));
    assert_eq!(program.stop().code, Some(0));

    // A certificate of no trusted issuer: page and log name the pin that helps, and it does.
    let upstream = Upstream::new().await;
    let args = to(upstream.address);
    let mut program = Program::start(dir.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
    let (text, refused) = tokio::join!(page(&mut program), upstream.accept());
    assert!(refused.is_err() || text.starts_with("HTTP/1.1 502 "));
    let pin = text.split("--upstream-pin ").nth(1).and_then(|rest| rest.get(..71)).unwrap_or_else(|| panic!("{text}"));
    assert!(program.line("upstream unreachable").contains(pin));
    assert_eq!(program.stop().code, Some(0));
    let pinned: Vec<&str> = args.iter().map(String::as_str).chain(["--upstream-pin", pin]).collect();
    let mut program = Program::start(dir.path(), &pinned);
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    pass(&mut client, &mut server.unwrap(), b"GET / HTTP/1.1\r\n\r\n").await;
    drop(client);
    assert_eq!(program.stop().code, Some(0));

    // The right issuer, the wrong name.
    let stranger = Upstream::called("other.example.test").await;
    std::fs::write(dir.path().join("ca.pem"), pem(&stranger.cert)).unwrap();
    let args = to(stranger.address);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(["--upstream-ca", "ca.pem"]).collect();
    let mut program = Program::start(dir.path(), &args);
    let (text, _) = tokio::join!(page(&mut program), stranger.accept());
    assert!(text.contains("other.example.test") && text.contains(&format!("not for {HOST}")), "{text}");
    assert_eq!(program.stop().code, Some(0));
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[tokio::test]
async fn plain_http_is_shown_the_way_in() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    let mut tcp = TcpStream::connect(program.address()).await.unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\nHost: f\r\n\r\n").await.unwrap();
    let mut text = String::new();
    let _ = soon("the page", tcp.read_to_string(&mut text)).await;
    assert!(text.starts_with("HTTP/1.1 400 ") && text.contains("https://"), "{text}");
    assert_eq!(program.stop().code, Some(0));
}

#[tokio::test]
async fn a_kill_in_the_middle_leaves_a_capture_that_the_next_run_mends() {
    let (dir, upstream) = (dir(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    let (mut client, mut server) = upgraded(&mut program, &upstream).await;
    let captures_dir = dir.path().join("captures");
    let written = async {
        loop {
            let path = std::fs::read_dir(&captures_dir).unwrap().next().unwrap().unwrap().path();
            if std::fs::read_to_string(&path).unwrap().contains("websocket-opened") {
                return path;
            }
            pass(&mut server, &mut client, &frame(0x89, None, Length::Minimal, b"")).await;
        }
    };
    let path = soon("something is written", written).await;
    program.signal("KILL");
    assert_eq!(program.end().code, None);
    // A kill does not tear what went out in one write; a crash of the machine does.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 10);
    std::fs::write(&path, &bytes).unwrap();

    let mut program = tapping(dir.path(), &upstream, &[]);
    program.line("torn last line");
    program.line("browser ");
    let ended = program.stop();
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr.matches("torn last line").count(), 1, "said once: {}", ended.stderr);
    bytes.push(b'\n');
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn the_demo_ends_by_itself_and_keeps_its_secrets() {
    demo(1);
}

#[test]
fn the_demo_with_a_team_does_the_same() {
    demo(20);
}

fn demo(count: u16) {
    let dir = dir();
    let started = clock::now();
    let ended = run(dir.path(), &["demo", "--agents", &count.to_string()]);
    let took_ms = clock::now().ms_since(started);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(took_ms < 15_000, "{took_ms} ms");
    assert_eq!(ended.stderr.matches("signed in, took call").count(), usize::from(count), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    let file = last.strip_prefix("capture ").unwrap_or_else(|| panic!("{last}"));
    let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
    let files = captures(&dir.path().join("demo-captures"));
    assert_without_holes(&files[0].1);
    for wanted in ["NOT_READY", "READY", "TALKING", "ALERTING", "auth PLAIN as 1001"] {
        assert!(text.contains(wanted), "{wanted}");
    }
    for secret in demo::secrets(&demo::agents(count), demo::HOST) {
        assert!(!text.contains(&secret.text), "{} is in the capture", secret.what);
        assert!(!ended.stderr.contains(&secret.text), "{} is on standard error", secret.what);
    }
    assert!(!text.contains("\"masked\":"), "the rules were enough");
}
