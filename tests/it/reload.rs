//! Another configuration for a running program: what changes, what is said, and that nobody's connection notices.

#![cfg(unix)]

use crate::routes::{ask, exchange, page};
use crate::support::program::{Ended, Program, Upstream, assert_without_holes, captures, run};
use crate::support::{HOST, soon};
use finesse_tap::clock;
use finesse_tap::conn::Authority;
use finesse_tap::demo::{self, Agent, Site, Story};
use finesse_tap::tls::certificate::sha256_hex;
use rustls::RootCertStore;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const PUB: &str = "uccxpub.example.test";
const SUB: &str = "uccxsub.example.test";

/// What is said where nothing is different.
const SAME: &str = "no setting changed; certificates and keys were read again\n";

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn configure(dir: &Path, lines: &[&str]) {
    std::fs::write(dir.join("tap.toml"), lines.join("\n")).unwrap();
}

async fn reload(dir: &Path) -> Ended {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || run(&dir, &["reload"])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_come_and_go_and_a_bad_file_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (primary, secondary) = (Upstream::called(PUB).await, Upstream::called(SUB).await);
    let [a, b] = [&primary, &secondary].map(|server| server.address.port());
    let (first, second) = (free(), free());
    let common = [
        format!("resolve = ['{PUB}:127.0.0.1', '{SUB}:127.0.0.1']"),
        format!("upstream_pin = ['sha256:{}', 'sha256:{}']", sha256_hex(&primary.cert), sha256_hex(&secondary.cert)),
        "quiet = true".to_owned(),
    ];
    let write = |lines: &[String]| {
        let lines: Vec<&str> = common.iter().chain(lines).map(String::as_str).collect();
        configure(dir.path(), &lines);
    };
    write(&[format!("route = ['{first}={PUB}:{a}']")]);
    let mut program = Program::start(dir.path(), &["run", "--config=tap.toml", "--grace=60s"]);
    let roots = program.roots();
    program.line("browser ");
    let (old, server) = tokio::join!(ask(PUB, first, &roots), primary.accept());
    let (mut old, mut server) = (old.unwrap(), server.unwrap());
    exchange(&mut old, &mut server).await;

    // Nothing new: said so, and a new file all the same.
    let same = reload(dir.path()).await;
    assert_eq!((same.code, &*same.stdout, &*same.stderr), (Some(0), SAME, ""));

    // The second node comes, on the first one's listener and on one of its own; the level changes.
    write(&[
        format!("route = ['{first}={PUB}:{a}', '{first}={SUB}:{b}', '{second}={SUB}:{b}']"),
        "redact = 'share'".to_owned(),
        "log_filter = 'debug'".to_owned(),
        "grace = 7".to_owned(),
        "max_connections = 7".to_owned(),
    ]);
    let wider = reload(dir.path()).await;
    assert_eq!((wider.code, &*wider.stderr), (Some(0), ""));
    for told in [
        format!("route: + {first}=https://{SUB}:{b}\n"),
        format!("route: + {second}=https://{SUB}:{b}\n"),
        "redact: auth → share\n".to_owned(),
        "log-filter: info → debug\n".to_owned(),
        "capture captures/finesse-redacted-".to_owned(),
        format!("listening at {second}\n"),
        "only after a restart: max-connections: 4096 → 7\n".to_owned(),
    ] {
        assert!(wider.stdout.contains(&told), "{told} is not in {}", wider.stdout);
    }
    assert!(!wider.stdout.contains("grace"), "the command line still says 60 s: {}", wider.stdout);
    // A CA for the newcomer beside the one that is trusted.
    let mut both = RootCertStore::clone(&roots);
    use rustls::pki_types::pem::PemObject as _;
    let new = rustls::pki_types::CertificateDer::from_pem_file(dir.path().join("certs").join(SUB).join("ca.pem"));
    both.add(new.unwrap()).unwrap();
    let both = Arc::new(both);
    for (name, address, server) in [(PUB, first, &primary), (SUB, first, &secondary), (SUB, second, &secondary)] {
        let (client, accepted) = tokio::join!(ask(name, address, &both), server.accept());
        exchange(client.unwrap(), accepted.unwrap()).await;
    }
    exchange(&mut old, &mut server).await;

    // Bad files change nothing, whatever is bad about them, and say why.
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = occupied.local_addr().unwrap();
    for (line, why) in [
        (
            format!("redact = 'some'\nroute = '{first}={PUB}'"),
            "tap.toml:4: redact: `some` is none of off, auth, share, minimal",
        ),
        ("upstraem = 'h'".to_owned(), "`upstraem` is no option\nhint: did you mean `upstream`?"),
        (format!("route = ['{busy}={PUB}']"), "Address already in use"),
        (format!("route = ['{first}={PUB}']\ncert = 'none.pem'\nkey = 'none.key'"), "none.pem"),
        (format!("route = ['{first}={PUB}']\ncapture = '/dev/null/x'"), "/dev/null/x"),
        (format!("route = ['{first}={PUB}']\nstable_tokens = '/dev/null/x'"), "/dev/null/x"),
        (format!("route = ['[::]:{}={PUB}:{a}']", first.port()), "hint: this run has that port itself"),
    ] {
        write(std::slice::from_ref(&line));
        let refused = reload(dir.path()).await;
        assert_eq!((refused.code, &*refused.stdout), (Some(1), ""), "{line}");
        assert!(refused.stderr.starts_with("error: nothing was changed: "), "{line}: {}", refused.stderr);
        assert!(refused.stderr.contains(why), "{line}: {}", refused.stderr);
        program.line("reload failed, nothing was changed");
    }
    let (client, accepted) = tokio::join!(ask(SUB, second, &both), secondary.accept());
    let (mut kept, mut keeper) = (client.unwrap(), accepted.unwrap());
    exchange(&mut kept, &mut keeper).await;

    // The first node goes, and with it the connection that it has already does not.
    write(&[format!("route = ['{second}={SUB}:{b}']")]);
    let narrower = reload(dir.path()).await;
    assert_eq!(narrower.code, Some(0), "{}", narrower.stderr);
    assert!(narrower.stdout.contains(&format!("route: − {first}=https://{PUB}:{a}\n")), "{}", narrower.stdout);
    exchange(&mut old, &mut server).await;
    exchange(&mut kept, &mut keeper).await;
    let closed = async { while std::net::TcpStream::connect(first).is_ok() {} };
    soon("the old listener is closed", closed).await;
    assert!(ask(PUB, second, &both).await.is_err(), "the first node is fronted no more");
    let (client, accepted) = tokio::join!(ask("localhost", second, &both), secondary.accept());
    exchange(client.unwrap(), accepted.unwrap()).await;

    drop((old, server, kept, keeper));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("is no option\" hint=\"did you mean `upstream`?\""), "{}", ended.stderr);
    let left = std::fs::read_dir(dir.path().join("certs")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with("run-")), "its file is left behind");
    let files = captures(&dir.path().join("captures"));
    assert_eq!(files.len(), 4, "the first, and one for each reload that did not fail");
    levels_are_as_announced(&files);
    let mut numbered: Vec<&Value> = files.iter().flat_map(|(_, lines)| lines).collect();
    numbered.sort_by_key(|line| line["event"]["sequence"].as_u64());
    assert_without_holes(numbered);
}

/// Every line of a file was redacted as its first line says, and hosts are in none that says they are not.
fn levels_are_as_announced(files: &[(std::path::PathBuf, Vec<Value>)]) {
    let mut levels = Vec::new();
    for (path, lines) in files {
        let setting = |name: &str| {
            let settings = lines[0]["finesse"]["capture"]["settings"].as_array().unwrap();
            settings.iter().find(|setting| setting["name"] == name).map(|setting| setting["value"].clone())
        };
        let level = setting("redact").unwrap();
        for line in lines {
            let own = &line["finesse"]["redaction"]["level"];
            assert!(own.is_null() || *own == level, "{}: {line}", path.display());
            assert!(level != "share" || !line.to_string().contains(".example.test"), "{}: {line}", path.display());
        }
        levels.push(level.as_str().unwrap().to_owned());
    }
    for level in ["auth", "share"] {
        assert!(levels.iter().any(|one| one == level), "{levels:?}");
    }
}

#[test]
fn a_run_is_found_or_its_absence_told() {
    let dir = tempfile::tempdir().unwrap();
    let none = run(dir.path(), &["reload"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("no run is found in certs\nhint: name the directory"), "{}", none.stderr);

    let args = ["run", "--upstream=h.example", "--resolve=h.example:127.0.0.1", "--listen=127.0.0.1:0", "--quiet"];
    let mut runs = [Program::start(dir.path(), &args), Program::start(dir.path(), &args)];
    runs.iter_mut().for_each(|run| drop(run.line("browser ")));
    let file = dir.path().join("certs").join(format!("run-{}.json", runs[0].pid()));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let several = run(dir.path(), &["reload"]);
    assert!(several.stderr.contains("hint: choose one with --pid: "), "{}", several.stderr);
    let pids = [&runs[0], &runs[1]].map(Program::pid);
    let unknown = run(dir.path(), &["reload", "--pid", "1"]);
    assert_eq!(unknown.code, Some(1));
    let (first, second) = (pids[0].min(pids[1]), pids[0].max(pids[1]));
    assert_eq!(
        unknown.stderr,
        format!(
            "error: process 1 is no run that keeps its CA in certs\nhint: name one that is, with --pid: {first}, {second}"
        )
    );
    let pid = runs[1].pid().to_string();
    assert_eq!(run(dir.path(), &["reload", "--pid", &pid]).stdout, SAME);
    runs[1].line("a new capture file was asked for");

    // Who does not know the token is not answered, and nobody is kept from asking by him.
    let text = std::fs::read_to_string(&file).unwrap();
    let control: SocketAddr =
        serde_json::from_str::<Value>(&text).unwrap()["control"].as_str().unwrap().parse().unwrap();
    for question in ["", "reload \n", "reload 00000000000000000000000000000000\n", "GET / HTTP/1.1\r\n\r\n"] {
        use std::io::Write as _;
        let mut tcp = std::net::TcpStream::connect(control).unwrap();
        let _ = tcp.write_all(question.as_bytes()).and_then(|()| tcp.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        let _ = std::io::copy(&mut tcp, &mut answer);
        assert_eq!(answer, b"", "{question}");
    }
    let [first, second] = runs;
    // One that was killed leaves its file: it is passed over and removed.
    first.signal("KILL");
    first.end();
    assert!(file.exists());
    let alone = run(dir.path(), &["reload"]);
    assert_eq!(alone.code, Some(0), "{}", alone.stderr);
    let left = run(dir.path(), &["reload", "--pid", &pid]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    assert_eq!(second.stop().code, Some(0));
    assert_eq!(run(dir.path(), &["reload"]).code, Some(1));
    assert!(!file.exists());
}

/// Fifty desktops sign in, take a call and sign out, again and again for 60 s under `FINESSE_TAP_LONG`; otherwise ten do, twice
/// or more. Meanwhile everything that can change changes, by the command and by SIGHUP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn desktops_do_not_notice_reloads() {
    let long = std::env::var_os("FINESSE_TAP_LONG").is_some_and(|value| value == "1");
    let dir = tempfile::tempdir().unwrap();
    let agents = demo::agents(if long { 50 } else { 10 });
    let (server, cert) = finesse(&agents);
    let port = server.address().port();
    let (listen, extra) = (free(), free());
    let common = format!(
        "upstream = '{HOST}:{port}'\nlisten = '{listen}'\nresolve = ['{HOST}:127.0.0.1', 'other.example.test:127.0.0.1']\nupstream_pin = 'sha256:{}'\n",
        sha256_hex(&cert)
    );
    let variants = [
        "quiet = true\n".to_owned(),
        format!("redact = 'share'\nroute = ['{extra}={HOST}:{port}', '0=other.example.test']\nlog_filter = 'warn'\n"),
        format!("capture = 'elsewhere'\nroute = '{listen}=other.example.test'\ndeny = 'header:x-canary=person'\n"),
        "redact = 'minimal'\nmax_line_bytes = 4000\nverbose = true\n".to_owned(),
    ];
    configure(dir.path(), &[&common, &variants[0]]);
    let mut program = Program::start(dir.path(), &["run", "--config=tap.toml", "--grace=60s"]);
    let roots = program.roots();
    program.line("browser ");

    let over = Arc::new(AtomicBool::new(false));
    let rounds = Arc::new(AtomicU32::new(0));
    let mut desktops = JoinSet::new();
    for agent in agents.clone() {
        let mut story =
            Story::new(listen, Authority { host: HOST.to_owned(), port: listen.port() }, roots.clone(), vec![agent]);
        story.pace = if long { Duration::from_millis(100) } else { Duration::ZERO };
        story.limit = crate::support::PATIENCE;
        let (over, rounds) = (Arc::clone(&over), Arc::clone(&rounds));
        desktops.spawn(async move {
            let mut own = 0;
            while own < 2 || !over.load(Ordering::Relaxed) {
                for (agent, outcome) in demo::story(&story).await {
                    assert!(outcome.is_ok(), "round {own} of {}: {:?}", agent.id, outcome.err());
                }
                own += 1;
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let began = clock::now();
    let mut reloads = 0;
    let mut variant = variants.iter().cycle().skip(1);
    while reloads < 4 || long && clock::now().ms_since(began) < 60_000 {
        configure(dir.path(), &[&common, variant.next().unwrap()]);
        if reloads % 4 == 3 {
            program.signal("HUP");
        }
        let told = reload(dir.path()).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        if reloads % 3 == 2 {
            configure(dir.path(), &[&common, "redact = 'some'"]);
            assert_eq!(reload(dir.path()).await.code, Some(1));
        }
        reloads += 1;
    }
    over.store(true, Ordering::Relaxed);
    let mut failed = Vec::new();
    while let Some(done) = desktops.join_next().await {
        failed.extend(done.err().map(|error| error.to_string()));
    }
    assert!(failed.is_empty(), "{} desktops noticed: {failed:#?}", failed.len());
    server.stop().await;
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("events were lost"), "{}", ended.stderr);
    let mut files = captures(&dir.path().join("captures"));
    files.extend(captures(&dir.path().join("elsewhere")));
    let mut numbered: Vec<&Value> = files.iter().flat_map(|(_, lines)| lines).collect();
    numbered.sort_by_key(|line| line["event"]["sequence"].as_u64());
    assert_without_holes(numbered.iter().copied());
    let logins = numbered.iter().filter(|line| line["event"]["action"] == "sasl-auth-result").count();
    assert_eq!(logins, usize::try_from(rounds.load(Ordering::Relaxed)).unwrap());
    let secrets = demo::secrets(&agents, HOST);
    let search = aho_corasick::AhoCorasick::new(secrets.iter().map(|secret| &secret.text)).unwrap();
    for (path, lines) in &files {
        let found =
            search.find(&std::fs::read(path).unwrap()).map(|hit| secrets[hit.pattern().as_usize()].what.clone());
        assert_eq!(found, None, "{}", path.display());
        assert_eq!(lines[0]["event"]["action"], "log-opened", "{}", path.display());
    }
    let (logins, files) = (rounds.load(Ordering::Relaxed), files.len());
    eprintln!(
        "{} desktops, {logins} logins, {reloads} reloads, {files} files, {} events",
        agents.len(),
        numbered.len()
    );
}

/// A Finesse-like server in this process.
fn finesse(agents: &[Agent]) -> (demo::Server, rustls::pki_types::CertificateDer<'static>) {
    let (cert, key) = crate::support::rig::self_signed(HOST);
    let tls = rustls::ServerConfig::builder_with_provider(crate::support::rig::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let site = Site { host: HOST.to_owned(), ..Site::new(agents.to_vec(), Duration::ZERO) };
    (demo::Server::start(listener, Arc::new(tls), site).unwrap(), cert)
}

/// A configuration for one server, on any free port.
fn in_front_of(upstream: &Upstream) -> String {
    format!(
        "upstream = '{HOST}:{}'\nlisten = '127.0.0.1:0'\nresolve = '{HOST}:127.0.0.1'\nupstream_pin = 'sha256:{}'\n",
        upstream.address.port(),
        sha256_hex(&upstream.cert)
    )
}

/// A reload comes too late for a run that is ending, and what is no reload's matter stays until the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reload_cannot_do_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::new().await;
    let common = in_front_of(&upstream);
    configure(dir.path(), &[&common, "grace = 600"]);
    let mut program = Program::start(dir.path(), &["run", "--config=tap.toml", "--quiet"]);
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();

    let later = free();
    configure(dir.path(), &[&common, "grace = 600\nadmin = '127.0.0.1:0'\nadmin_exposed = true\ncerts = 'elsewhere'"]);
    for _ in 0..2 {
        let told = reload(dir.path()).await;
        for restart in ["only after a restart: certs: certs → elsewhere", "only after a restart: admin: + 127.0.0.1:0"]
        {
            assert!(told.stdout.contains(restart), "{}", told.stdout);
        }
        assert!(told.stdout.starts_with(SAME), "{}", told.stdout);
    }
    assert!(!dir.path().join("elsewhere").exists());

    configure(dir.path(), &[&common, "grace = 600\nredact = 'off'\nroute = '0.0.0.0:0=h.example.test'"]);
    let harmful = reload(dir.path()).await.stdout;
    assert!(harmful.contains("warning: the capture holds passwords in the clear"), "{harmful}");
    assert!(harmful.contains("warning: other machines can reach this proxy"), "{harmful}");
    assert!(!reload(dir.path()).await.stdout.contains("passwords"), "it is known by now");

    program.signal("TERM");
    program.line("stopping");
    configure(dir.path(), &[&common, &format!("grace = 600\nroute = '{later}={HOST}'")]);
    let late = reload(dir.path()).await;
    assert_eq!((late.code, &*late.stderr), (Some(1), "error: nothing was changed: the run is ending"));
    exchange(&mut client, &mut server).await;
    drop((client, server));
    assert_eq!(program.end().code, Some(0));
}

/// A connection is recorded from its beginning or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_is_switched_on_and_off_while_connections_live() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::new().await;
    let common = in_front_of(&upstream);
    configure(dir.path(), &[&common, "no_capture = true"]);
    let mut program = Program::start(dir.path(), &["run", "--config=tap.toml", "--quiet"]);
    program.line("browser ");
    let (mut unseen, server) = tokio::join!(program.client(), upstream.accept());
    let mut unseens = server.unwrap();
    exchange(&mut unseen, &mut unseens).await;

    configure(dir.path(), &[&common]);
    let on = reload(dir.path()).await;
    assert!(
        on.stdout.contains("no-capture: − true\ncapture: + captures\n".trim_end())
            || on.stdout.contains("capture: + captures"),
        "{}",
        on.stdout
    );
    let (mut seen, server) = tokio::join!(program.client(), upstream.accept());
    let mut seens = server.unwrap();
    for _ in 0..2 {
        exchange(&mut seen, &mut seens).await;
        exchange(&mut unseen, &mut unseens).await;
    }

    configure(dir.path(), &[&common, "no_capture = true"]);
    assert_eq!(reload(dir.path()).await.code, Some(0));
    exchange(&mut seen, &mut seens).await;
    drop((seen, seens, unseen, unseens));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let files = captures(&dir.path().join("captures"));
    assert_eq!(files.len(), 1);
    let count = |action: &str| files[0].1.iter().filter(|line| line["event"]["action"] == action).count();
    assert_eq!((count("connection-opened"), count("http-exchange")), (1, 2));
}

/// A client that comes to a listener whose server has changed gets the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_stays_leads_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (primary, secondary) = (Upstream::called(PUB).await, Upstream::called(SUB).await);
    let listen = free();
    let write = |name: &str, server: &Upstream| {
        let line = format!(
            "upstream = '{name}:{}'\nlisten = '{listen}'\nresolve = '{name}:127.0.0.1'\nupstream_insecure = true",
            server.address.port()
        );
        configure(dir.path(), &[&line]);
    };
    write(PUB, &primary);
    let mut program = Program::start(dir.path(), &["run", "--config=tap.toml", "--quiet"]);
    let roots = program.roots();
    program.line("browser ");
    write(SUB, &secondary);
    program.signal("HUP");
    program.line("reloaded");
    let ca = std::fs::read(dir.path().join("certs").join(SUB).join("ca.pem")).unwrap();
    use rustls::pki_types::pem::PemObject as _;
    let mut both = RootCertStore::clone(&roots);
    both.add(rustls::pki_types::CertificateDer::from_pem_slice(&ca).unwrap()).unwrap();
    let both = Arc::new(both);
    let led = async {
        loop {
            // The signal was heard; when it has been heeded is for the listener to show.
            let Ok(client) = ask(SUB, listen, &both).await else { continue };
            exchange(client, secondary.accept().await.unwrap()).await;
            break;
        }
    };
    soon("the listener leads to the other node", led).await;
    drop(secondary);
    let page = page(ask("localhost", listen, &both).await.unwrap()).await;
    assert!(page.contains("502"), "{page}");
    assert_eq!(program.stop().code, Some(0));
}
