//! `doctor` against the demo's server, directly and through a running proxy, and against servers that are wrong in one way.

mod fake;

use crate::support::rig::{self, nowhere, self_signed};
use crate::support::{HOST, soon};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake::{Fake, Script, Upgrade, answer};
use finesse_tap::conn::Authority;
use finesse_tap::demo::{self, Server, Site};
use finesse_tap::doctor::{Credentials, Diagnosis, Question, Step, Verdict, Watch, Way, examine};
use finesse_tap::proxy;
use finesse_tap::tap::Intake;
use finesse_tap::tls::upstream::{Pin, Trust};
use rustls::ServerConfig;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The steps of a whole login from `login` on.
const LOGIN: [&str; 6] = ["login", "bind", "presence", "subscription", "ping", "logout"];

/// Counts what it is told.
#[derive(Default)]
struct Told {
    ways: usize,
    begun: Vec<&'static str>,
    ended: Vec<&'static str>,
}

impl Watch for Told {
    fn way(&mut self, _: &str, _: Way) {
        self.ways += 1;
    }

    fn begins(&mut self, step: &'static str) {
        self.begun.push(step);
    }

    fn ends(&mut self, step: &Step) {
        self.ended.push(step.name);
    }
}

fn question(address: SocketAddr, trust: Trust) -> Question {
    Question {
        server: Authority { host: HOST.to_owned(), port: address.port() },
        resolve: vec![(HOST.to_owned(), address.ip())],
        trust,
        client: None,
        through: None,
        proxy_ca: "nowhere".into(),
        certs: None,
        credentials: None,
        limit: crate::support::PATIENCE,
    }
}

fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials { user: "1001".to_owned(), password: password.to_owned() })
}

async fn diagnose(question: &Question) -> Diagnosis {
    let mut told = Told::default();
    let diagnosis = soon("the examination", examine(question, &mut told)).await;
    assert_eq!(told.ways, diagnosis.ways.len());
    let ended: Vec<&str> = diagnosis.steps().map(|step| step.name).collect();
    assert_eq!(told.ended.len(), ended.len(), "every step is told once");
    assert!(told.begun.iter().all(|name| ended.contains(name)), "what began ends");
    diagnosis
}

/// The step `name` of the direct way.
fn step<'d>(diagnosis: &'d Diagnosis, name: &str) -> &'d Step {
    let found = diagnosis.ways[0].steps.iter().find(|step| step.name == name);
    found.unwrap_or_else(|| panic!("no step {name} in {diagnosis:#?}"))
}

/// Steps of a way that are not `ok`.
fn troubles(diagnosis: &Diagnosis, way: usize) -> Vec<(&'static str, Verdict)> {
    let steps = diagnosis.ways[way].steps.iter().filter(|step| step.verdict != Verdict::Ok);
    steps.map(|step| (step.name, step.verdict)).collect()
}

/// The demo's server under our name.
async fn demo_server() -> (Server, Pin) {
    let (certificate, key) = self_signed(HOST);
    let pin = Pin::of(&certificate);
    let tls = ServerConfig::builder_with_provider(rig::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site { host: HOST.to_owned(), ..Site::new(demo::agents(1), Duration::ZERO) };
    (Server::start(listener, Arc::new(tls), site).unwrap(), pin)
}

/// A proxy in front of `upstream` whose CA is in `certs`.
async fn proxy(certs: &Path, upstream: SocketAddr, running: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = rig::config(certs, address, upstream);
    running.spawn(async move {
        proxy::run(vec![listener], config, Intake::off(), proxy::Orders::default()).await.unwrap();
    });
    address
}

#[tokio::test]
async fn a_whole_login_goes_well_directly_and_through_the_proxy() {
    let (server, pin) = demo_server().await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), server.address(), &mut running).await;
    let question = Question {
        credentials: credentials(&demo::agents(1)[0].password),
        through: Some(through),
        proxy_ca: certs.path().join(HOST).join("ca.pem"),
        certs: Some(certs.path().to_owned()),
        ..question(server.address(), Trust::Pins(vec![pin]))
    };
    let diagnosis = diagnose(&question).await;
    assert_eq!(troubles(&diagnosis, 0), []);
    // The proxy's CA is unknown to the system, which is worth saying.
    assert_eq!(troubles(&diagnosis, 1), [("certificate", Verdict::Warn)]);
    assert_eq!(diagnosis.verdict, Verdict::Warn);
    for name in LOGIN {
        step(&diagnosis, name);
    }
    assert_eq!(step(&diagnosis, "bind").seen, format!("bound 1001@{HOST}/finesse-tap-doctor"));
    let compared = diagnosis.compared.as_ref().unwrap();
    assert_eq!(
        (compared.verdict, &*compared.seen),
        (Verdict::Ok, "11 steps are the same directly and through the proxy")
    );
    // The proxy runs: what is left to do is to use it, with its own directory and port.
    let certs = format!(" --certs {}", certs.path().display());
    let next = diagnosis.next.join("\n");
    let browse = format!("finesse-tap browse --upstream {HOST}:{} --listen {through}{certs}", server.address().port());
    assert!(next.contains(&browse) && !next.contains("finesse-tap run"), "{next}");
    let trust = format!("finesse-tap ca --upstream {HOST}{certs}");
    assert!(next.contains(&trust), "{next}");
    let certificate = diagnosis.ways[1].steps.iter().find(|step| step.name == "certificate").unwrap();
    assert!(certificate.advice.as_ref().unwrap().contains(&trust), "{certificate:?}");
}

#[tokio::test]
async fn the_proxy_that_it_advises_to_run_is_the_one_that_it_would_look_for() {
    let (server, pin) = demo_server().await;
    let (port, nobody) = (server.address().port(), nowhere());
    for through in [None, Some(nobody)] {
        let question = Question {
            through,
            certs: Some("some where".into()),
            ..question(server.address(), Trust::Pins(vec![pin]))
        };
        let next = diagnose(&question).await.next;
        let run = format!(
            "finesse-tap run --upstream {HOST}:{port} --resolve {HOST}:127.0.0.1 --upstream-pin {pin} \
             --listen 127.0.0.1:{port} --certs \"some where\""
        );
        assert!(next.iter().any(|next| next.ends_with(&run)), "{next:?}");
        let compare = format!("--through 127.0.0.1:{port} --certs \"some where\"");
        assert_eq!(next.iter().any(|next| next.ends_with(&compare)), through.is_none(), "{next:?}");
    }
}

#[tokio::test]
async fn without_trust_everything_is_looked_at_but_no_password_goes_out() {
    let server = Fake::start(Script::default()).await;
    let question = Question {
        credentials: credentials("canary"),
        ..question(server.address, Trust::Pins(vec![Pin::of(b"another")]))
    };
    let diagnosis = diagnose(&question).await;
    let certificate = step(&diagnosis, "certificate");
    assert_eq!(certificate.verdict, Verdict::Fail);
    assert!(certificate.seen.contains("not the pinned certificate"), "{}", certificate.seen);
    assert_eq!(certificate.fact("pin"), Some(&*format!("--upstream-pin {}", server.pin)));
    assert_eq!(step(&diagnosis, "xmpp").verdict, Verdict::Ok);
    assert_eq!(step(&diagnosis, "login").verdict, Verdict::Skipped);
    assert!(
        diagnosis.next.iter().any(|next| next.contains(&server.pin.to_string()) && next.contains("if the fingerprint"))
    );
    let heard = server.heard.lock().unwrap().join("\n");
    assert!(heard.contains("<open") && !heard.contains("<auth"), "{heard}");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let server = Fake::start(Script::default()).await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), server.address, &mut running).await;
    let question = Question {
        credentials: credentials("canary"),
        through: Some(through),
        proxy_ca: certs.path().join(HOST).join("ca.pem"),
        ..question(server.address, Trust::Pins(vec![server.pin]))
    };
    let diagnosis = diagnose(&question).await;
    let login = step(&diagnosis, "login");
    assert_eq!((login.verdict, login.fact("condition")), (Verdict::Fail, Some("not-authorized")));
    let again = diagnosis.ways[1].steps.iter().find(|step| step.name == "login").unwrap();
    assert_eq!(again.verdict, Verdict::Skipped);
    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.iter().filter(|text| text.starts_with("<auth")).count(), 1);
    assert_eq!(heard.iter().filter(|text| text.starts_with("<close")).count(), 2, "streams are left in good order");
}

#[tokio::test]
async fn through_a_proxy_whose_ca_is_unknown_no_password_goes_out() {
    let server = Fake::start(Script::default()).await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), server.address, &mut running).await;
    let question = Question {
        // Believed directly, so only the proxy's certificate stands in the way.
        credentials: credentials("canary"),
        through: Some(through),
        ..question(server.address, Trust::Pins(vec![server.pin]))
    };
    let diagnosis = diagnose(&question).await;
    let troubles = troubles(&diagnosis, 1);
    assert!(troubles.contains(&("certificate", Verdict::Fail)) && troubles.contains(&("login", Verdict::Skipped)));
    let certificate = diagnosis.ways[1].steps.iter().find(|step| step.name == "certificate").unwrap();
    assert!(certificate.advice.as_ref().unwrap().contains("--certs DIR"), "{certificate:?}");
    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.iter().filter(|text| text.starts_with("<auth")).count(), 1, "the direct one");
}

#[tokio::test]
async fn a_server_that_is_another_one_behind_the_proxy_is_told() {
    let server = Fake::start(Script::default()).await;
    let other = Script { desktop: answer("200 OK", "Server: Other\r\n", "<html>"), ..Script::default() };
    let other = Fake::start(other).await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), other.address, &mut running).await;
    let question = Question {
        through: Some(through),
        proxy_ca: certs.path().join(HOST).join("ca.pem"),
        ..question(server.address, Trust::Pins(vec![server.pin]))
    };
    let compared = diagnose(&question).await.compared.unwrap();
    assert_eq!(compared.verdict, Verdict::Warn);
    assert_eq!(compared.fact("desktop"), Some("server is `Fake` directly, `Other` through the proxy"));
}

#[tokio::test]
async fn a_refused_port_ends_it_with_advice() {
    let diagnosis = diagnose(&question(nowhere(), Trust::System)).await;
    let tcp = step(&diagnosis, "tcp");
    assert_eq!(tcp.verdict, Verdict::Fail);
    assert!(tcp.seen.contains("connection refused"), "{}", tcp.seen);
    assert!(diagnosis.next[0].starts_with("first see to `tcp`"), "{:?}", diagnosis.next);
    assert!(diagnosis.ways[0].steps.iter().all(|step| step.name != "tls"));
}

/// The upgrade step against a server that answers `/ws/` so.
async fn upgraded(upgrade: Upgrade) -> (Step, Diagnosis) {
    let server = Fake::start(Script { upgrade, ..Script::default() }).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    (step(&diagnosis, "upgrade").clone(), diagnosis)
}

#[tokio::test]
async fn a_refused_upgrade_is_said_in_plain_words() {
    for (answer, words) in [
        ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "400: the request does not look like an upgrade"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200: an ordinary page"),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://portal.example.test/?token=canary\r\nContent-Length: 0\r\n\r\n",
            "302, to https://portal.example.test/:",
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404: there is no WebSocket"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502: something in front"),
        ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "101: no upgrade"),
        ("garbage\r\n\r\n", "not HTTP/1.1"),
        ("", "ended the connection instead of an answer"),
    ] {
        let (step, diagnosis) = upgraded(Upgrade::Answer(answer)).await;
        assert_eq!(step.verdict, Verdict::Fail, "{answer}");
        assert!(step.seen.contains(words), "{answer}: {}", step.seen);
        assert!(step.advice.as_ref().is_some_and(|advice| !advice.is_empty()), "{answer}");
        assert!(!serde_json::to_string(&diagnosis).unwrap().contains("canary"), "{answer}");
    }
}

#[tokio::test]
async fn an_upgrade_that_a_browser_would_not_take_fails() {
    for (lines, honest, words, goes_on) in [
        ("", true, "subprotocol xmpp is not echoed", true),
        ("Sec-WebSocket-Protocol: chat\r\n", true, "a subprotocol that was not offered", true),
        ("Sec-WebSocket-Protocol: xmpp\r\n", false, "Sec-WebSocket-Accept that is wrong", false),
        (
            "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            true,
            "an extension that was not offered",
            false,
        ),
    ] {
        let (step, diagnosis) = upgraded(Upgrade::Switch { lines, honest }).await;
        assert_eq!(step.verdict, Verdict::Fail);
        assert!(step.seen.contains(words), "{}", step.seen);
        assert_eq!(diagnosis.ways[0].steps.iter().any(|step| step.name == "xmpp"), goes_on, "{words}");
    }
}

#[tokio::test]
async fn a_server_without_plain_gets_no_password() {
    let features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";
    let server = Fake::start(Script { features, ..Script::default() }).await;
    let question =
        Question { credentials: credentials("canary"), ..question(server.address, Trust::Pins(vec![server.pin])) };
    let diagnosis = diagnose(&question).await;
    assert_eq!(step(&diagnosis, "xmpp").verdict, Verdict::Fail);
    assert_eq!(step(&diagnosis, "xmpp").fact("mechanisms"), Some("SCRAM-SHA-1"));
    assert_eq!(step(&diagnosis, "login").verdict, Verdict::Skipped);
}

#[tokio::test]
async fn a_stream_error_is_told_with_its_condition() {
    let features = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let server = Fake::start(Script { features, ..Script::default() }).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    let xmpp = step(&diagnosis, "xmpp");
    assert!(xmpp.verdict == Verdict::Fail && xmpp.seen.contains("host-unknown"), "{}", xmpp.seen);
    assert!(xmpp.advice.as_ref().unwrap().contains("XMPP domain is another"));
}

#[tokio::test]
async fn redirects_are_followed_on_the_server_and_told_beyond() {
    let system_info = answer(
        "200 OK",
        "",
        "<SystemInfo><status>OUT_OF_SERVICE</status><primaryNode><host>other.example.test</host></primaryNode>\
         <secondaryNode><host>x;canary</host></secondaryNode></SystemInfo>",
    );
    let here = Script {
        desktop: answer("302 Found", "Location: /desktop/container?x=canary\r\n", ""),
        system_info,
        ..Script::default()
    };
    let server = Fake::start(here).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    let desktop = step(&diagnosis, "desktop");
    assert_eq!((desktop.verdict, desktop.fact("redirects")), (Verdict::Ok, Some("/desktop/container")));
    assert_eq!(step(&diagnosis, "systeminfo").verdict, Verdict::Fail);
    assert_eq!(step(&diagnosis, "nodes").verdict, Verdict::Warn);
    assert!(diagnosis.next.iter().any(|next| next.contains("finesse-tap doctor other.example.test:")));
    // What a server calls its node may be pasted into a shell.
    assert!(diagnosis.next.iter().all(|next| !next.contains("canary")), "{:?}", diagnosis.next);

    let there = answer("302 Found", "Location: https://ids.example.test/saml?SAMLRequest=canary\r\n", "");
    let server = Fake::start(Script { desktop: there, ..Script::default() }).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    let desktop = step(&diagnosis, "desktop");
    assert!(
        desktop.verdict == Verdict::Warn && desktop.seen.contains("https://ids.example.test/saml"),
        "{}",
        desktop.seen
    );
    assert!(!serde_json::to_string(&diagnosis).unwrap().contains("canary"));

    let round = answer("302 Found", "Location: /desktop/\r\n", "");
    let server = Fake::start(Script { desktop: round, ..Script::default() }).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    assert_eq!(step(&diagnosis, "desktop").verdict, Verdict::Fail);
}

#[tokio::test]
async fn garbage_and_silence_in_place_of_tls_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let garbage = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut tcp, _)) = listener.accept().await {
            tcp.write_all(b"220 smtp.example.test ESMTP\r\n").await.unwrap();
            kept.push(tcp);
        }
    });
    let diagnosis = diagnose(&question(garbage, Trust::System)).await;
    let tls = step(&diagnosis, "tls");
    assert!(tls.verdict == Verdict::Fail && tls.seen.contains("not TLS"), "{}", tls.seen);

    // Nobody accepts here, so the handshake goes nowhere.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let question =
        Question { limit: Duration::from_millis(200), ..question(silent.local_addr().unwrap(), Trust::System) };
    let diagnosis = diagnose(&question).await;
    let tls = step(&diagnosis, "tls");
    assert!(tls.verdict == Verdict::Fail && tls.seen.contains("within 0.2 s"), "{}", tls.seen);
    assert!(tls.advice.as_ref().unwrap().contains("says nothing"));
}

#[tokio::test]
async fn age_and_versions_are_told_of_a_certificate_that_is_trusted() {
    let mut params = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let old = params.self_signed(&key).unwrap().der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let server = Fake::showing((old, key), Script::default(), &[&rustls::version::TLS12]).await;
    let diagnosis = diagnose(&question(server.address, Trust::Pins(vec![server.pin]))).await;
    let certificate = step(&diagnosis, "certificate");
    assert!(
        certificate.verdict == Verdict::Warn && certificate.seen.contains("expired on 2002-01-01"),
        "{certificate:?}"
    );
    assert_eq!(certificate.fact("names"), Some(&*format!("DNS:{HOST}")));
    let tls = step(&diagnosis, "tls");
    assert!(tls.seen.starts_with("TLS 1.2, TLS_ECDHE_"), "{}", tls.seen);
    assert_eq!(tls.fact("accepts TLS 1.2"), Some("yes"));
    for version in ["1.3", "1.1", "1.0"] {
        assert!(tls.fact(&format!("accepts TLS {version}")).unwrap().starts_with("no: "), "{tls:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_back_is_found_out() {
    // As a hosts file does it: the name is this machine, and there the proxy listens.
    let (server, _) = demo_server().await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), server.address(), &mut running).await;
    let looped = Question {
        server: Authority { host: "localhost".to_owned(), port: through.port() },
        resolve: Vec::new(),
        ..question(through, Trust::Insecure)
    };
    let diagnosis = diagnose(&looped).await;
    let name = step(&diagnosis, "name");
    assert!(name.verdict == Verdict::Warn && name.seen.contains("this very machine"), "{}", name.seen);
    let certificate = step(&diagnosis, "certificate");
    assert!(
        certificate.verdict == Verdict::Fail && certificate.seen.contains("finesse-tap itself"),
        "{}",
        certificate.seen
    );
    assert!(certificate.advice.as_ref().unwrap().contains("--resolve localhost:ADDRESS"));
    assert!(diagnosis.next.iter().all(|next| !next.contains("finesse-tap run")), "{:?}", diagnosis.next);
}

#[tokio::test]
async fn a_proxy_to_nowhere_goes_worse() {
    let (server, pin) = demo_server().await;
    let (certs, mut running) = (tempfile::tempdir().unwrap(), JoinSet::new());
    let through = proxy(certs.path(), nowhere(), &mut running).await;
    let question = Question {
        through: Some(through),
        proxy_ca: certs.path().join(HOST).join("ca.pem"),
        ..question(server.address(), Trust::Pins(vec![pin]))
    };
    let diagnosis = diagnose(&question).await;
    assert_eq!(troubles(&diagnosis, 0), [("login", Verdict::Skipped)]);
    let compared = diagnosis.compared.as_ref().unwrap();
    assert_eq!(compared.verdict, Verdict::Fail);
    assert!(compared.fact("upgrade").unwrap().starts_with("ok directly, fail through the proxy"), "{compared:?}");
}

/// The program itself, `password` on its standard input.
async fn program(arguments: Vec<String>, password: &'static str) -> Output {
    let run = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FINESSE_TAP_")) {
            command.env_remove(name);
        }
        let mut child = command
            .arg("doctor")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Where it does not read, the pipe may be gone.
        let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
        child.wait_with_output().unwrap()
    });
    soon("the program", run).await.unwrap()
}

fn arguments(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_program_says_it_in_text_json_and_exit_code() {
    let (server, pin) = demo_server().await;
    let port = server.address().port();
    let line = format!("{HOST}:{port} --resolve {HOST}:127.0.0.1 --upstream-pin {pin}");

    let fine =
        program(arguments(&format!("{line} --user 1001 --password-stdin")), "\u{feff}Demo-Secret-1001!\r\n").await;
    let text = String::from_utf8(fine.stdout).unwrap();
    assert_eq!(fine.status.code(), Some(0), "{text}");
    assert!(text.contains("\n  ok      logout ") && text.contains("\nWhat to do next:\n"), "{text}");
    assert!(text.lines().all(|line| !line.contains('\u{1b}')), "no colours in a pipe");
    assert!(fine.stderr.is_empty(), "{}", String::from_utf8_lossy(&fine.stderr));

    let wrong = program(arguments(&format!("{line} --user 1001 --password-stdin --format json")), "canary-7f3a").await;
    assert_eq!(wrong.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!(document["verdict"], "fail");
    let steps = document["ways"][0]["steps"].as_array().unwrap();
    let login = steps.iter().find(|step| step["name"] == "login").unwrap();
    assert_eq!(login["facts"][0], serde_json::json!({"name": "condition", "value": "not-authorized"}));
    assert_eq!(
        String::from_utf8_lossy(&wrong.stderr),
        "error: failed: login\nhint: what to do is in the document, in `advice` and `next`\n"
    );
    for output in [&wrong.stdout, &wrong.stderr] {
        let output = String::from_utf8_lossy(output);
        assert!(!output.contains("canary") && !output.contains("Y2FuYXJ5"), "{output}");
    }
}

#[tokio::test]
async fn a_password_that_the_server_says_back_is_in_no_output() {
    const PASSWORD: &str = "Canary-7f3a";
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><Canary-7f3a/><text>Canary-7f3a</text></failure>";
    let error = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><Canary-7f3a/><text>Canary-7f3a</text></stream:error>";
    let redirect = answer("302 Found", "Location: https://h/Canary-7f3a\r\nServer: Canary-7f3a\r\n", "Canary-7f3a");
    for auth in [failure, error, "<success/><Canary-7f3a/>", "Canary-7f3a"] {
        let script = Script { auth, desktop: redirect.clone(), system_info: redirect.clone(), ..Script::default() };
        let server = Fake::start(script).await;
        let line = format!("{HOST}:{} --resolve {HOST}:127.0.0.1 --timeout 2s", server.address.port());
        for format in ["text", "json"] {
            let line = format!("{line} --upstream-pin {} --user 1001 --password-stdin --format {format}", server.pin);
            let output = program(arguments(&line), PASSWORD).await;
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(text.contains("login") && !text.contains(PASSWORD), "{text}");
            for shift in ["", "x", "xy"] {
                let encoded = STANDARD.encode(format!("{shift}{PASSWORD}"));
                assert!(!text.contains(&encoded[4..encoded.len() - 4]), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_before_anything_is_done() {
    for (line, word) in [
        ("", "HOST"),
        ("wss://h/desktop", "web server"),
        ("h --user 1001", "--password-stdin"),
        ("h --password-stdin", "--user"),
        ("h --user 1001@h --password-stdin", "domain"),
        ("h --through localhost", "ADDR:PORT"),
        ("h --through 127.0.0.1:0", "port 0"),
        ("h --timeout 0", "no time"),
        ("h --format xml", "xml"),
        ("h --upstream-pin sha256:00", "pin"),
        ("h --upstream-insecure --upstream-ca f", "exclude"),
    ] {
        let output = program(arguments(line), "").await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(text.contains(word), "{line}: {text}");
    }
    let empty = program(arguments("h --user 1001 --password-stdin"), "\n").await;
    assert_eq!(empty.status.code(), Some(1));
    assert!(String::from_utf8(empty.stderr).unwrap().contains("no password"));
}
