//! `browse` and `run --browse` with a program in the browser's place: what it is told, how it ends, what is left.

#![cfg(unix)]

use crate::support::program::{Program, Upstream, tapping};
use crate::support::{Deadline, HOST, PATIENCE, soon};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A browser that does what `script` says. Its arguments are in `told`, one a line, beside its profile.
fn browser(dir: &Path, script: &str) -> String {
    let path = dir.join("browser");
    let told = dir.join("told");
    fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new\nmv {0}.new {0}\n{script}\n", told.display()))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// The arguments of the browser, and the profile they name.
fn told(dir: &Path) -> (Vec<String>, PathBuf) {
    let told: Vec<String> = fs::read_to_string(dir.join("told")).unwrap().lines().map(str::to_owned).collect();
    let profile = told.iter().find_map(|argument| argument.strip_prefix("--user-data-dir=")).unwrap();
    let profile = PathBuf::from(profile);
    (told, profile)
}

#[tokio::test]
async fn a_browser_that_is_closed_leaves_the_proxy_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let fake = browser(dir.path(), "echo looking around >&2");
    let more = [
        "--grace=0s",
        "--browse",
        "--browser",
        &fake,
        "--browser-arg=--no-sandbox",
        "--browser-arg",
        "--x=a b",
        "--path",
        "/p",
    ];
    let mut program = tapping(dir.path(), &server, &more);
    let address = program.address();
    program.line("browser closed; the proxy goes on");
    let (told, profile) = told(dir.path());
    assert!(!profile.exists(), "{} was left", profile.display());
    let real = format!("{HOST}:{}", server.address.port());
    let rules = format!("--host-resolver-rules=MAP {real} {address}");
    let keys = told.iter().find(|told| told.starts_with("--ignore-certificate-errors-spki-list=")).unwrap();
    assert_eq!(keys.len(), "--ignore-certificate-errors-spki-list=".len() + 44, "{keys}");
    let url = format!("https://{real}/p");
    assert_eq!(told[told.len() - 5..], [&*rules, keys, "--no-sandbox", "--x=a b", &*url]);

    // The proxy is still there, for `browse` in another terminal too.
    let listen = address.to_string();
    let args = ["browse", "--upstream", &real, "--listen", &listen, "--browser", &fake, "--browser-arg=--no-sandbox"];
    let ended = Program::start(dir.path(), &args).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (told, profile) = self::told(dir.path());
    assert!(told.contains(&rules) && told.contains(keys), "{told:?}");
    assert_eq!(told.last(), Some(&format!("https://{real}/desktop/")));
    assert!(!profile.exists(), "{} was left", profile.display());
    assert_eq!(program.stop().code, Some(0));
}

#[tokio::test]
async fn a_browser_that_fails_is_told_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let fake = browser(dir.path(), "echo no display >&2; exit 7");
    let more = ["--grace=0s", "--browse", "--browser", &fake, "--browser-arg=--no-sandbox"];
    let mut program = tapping(dir.path(), &server, &more);
    let address = program.address().to_string();
    let line = program.line("the proxy goes on without a browser");
    assert!(line.contains("exit status: 7: no display"), "{line}");
    let real = format!("{HOST}:{}", server.address.port());
    let args = ["browse", "--upstream", &real, "--listen", &address, "--browser", &fake, "--browser-arg=--no-sandbox"];
    let ended = Program::start(dir.path(), &args).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("error: the browser ended with exit status: 7: no display"), "{}", ended.stderr);
    assert!(!told(dir.path()).1.exists());
}

#[tokio::test]
async fn a_browser_ends_with_the_program_even_if_it_would_rather_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let fake = browser(dir.path(), "trap '' TERM; echo $$ > pid; while :; do sleep 1; done");
    let more = ["--grace=0s", "--browse", "--browser", &fake, "--browser-arg=--no-sandbox"];
    let mut program = tapping(dir.path(), &server, &more);
    program.line(" opens https://");
    let pid = dir.path().join("pid");
    while !fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')) {
        tokio::task::yield_now().await;
    }
    assert!(told(dir.path()).1.exists());
    assert_eq!(program.stop().code, Some(0));
    assert!(!told(dir.path()).1.exists());
    let pid = fs::read_to_string(&pid).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).join("exe").exists(), "the browser lives on");
}

/// A browser that ignores requests to end. Its process is in `pid` when it is there.
const STUBBORN: &str = "trap '' TERM INT; echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done";

/// Waits for the process of a browser that is [`STUBBORN`].
async fn process(dir: &Path) -> String {
    let written = async {
        loop {
            match fs::read_to_string(dir.join("pid")) {
                Ok(pid) => break pid.trim().to_owned(),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    soon("the browser says its process", written).await
}

fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").exists()
}

#[tokio::test]
async fn an_impatient_stop_leaves_no_browser_no_profile_and_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let fake = browser(dir.path(), STUBBORN);
    let fakes = ["--browser", &*fake, "--browser-arg=--no-sandbox"];
    let mut program = tapping(dir.path(), &server, &[&["--grace=600s", "--browse"], &fakes[..]].concat());
    let (_client, accepted) = tokio::join!(program.client(), server.accept());
    let _server = accepted.unwrap();
    let (address, pid) = (program.address().to_string(), process(dir.path()).await);
    let profile = told(dir.path()).1;

    // Its like in another terminal.
    fs::remove_file(dir.path().join("pid")).unwrap();
    let real = format!("{HOST}:{}", server.address.port());
    let other = ["browse", "--upstream", &real, "--listen", &address];
    let browse = Program::start(dir.path(), &[&other, &fakes[..]].concat());
    let (second, other) = (process(dir.path()).await, told(dir.path()).1);
    for (mut program, pid, profile) in [(browse, second, other), (program, pid, profile)] {
        assert!(profile.exists() && is_alive(&pid));
        while program.is_running() {
            program.signal("INT");
        }
        let ended = program.end();
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        assert!(!profile.exists(), "{} was left", profile.display());
        assert!(!is_alive(&pid), "the browser lives on");
    }
    let left = fs::read_dir(dir.path().join("certs")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with("run-")), "its file is left behind");
}

#[tokio::test]
async fn browse_ends_with_its_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let mut program = tapping(dir.path(), &server, &["--grace=0s"]);
    let address = program.address().to_string();
    let fake = browser(dir.path(), &STUBBORN.replace("trap", ": trap"));
    let real = format!("{HOST}:{}", server.address.port());
    for signals in [&["HUP"][..], &["INT", "INT"], &["INT", "TERM"], &["TERM"]] {
        let args =
            ["browse", "--upstream", &real, "--listen", &address, "--browser", &fake, "--browser-arg=--no-sandbox"];
        let browse = Program::start(dir.path(), &args);
        let (pid, profile) = (process(dir.path()).await, told(dir.path()).1);
        fs::remove_file(dir.path().join("pid")).unwrap();
        browse.signals(signals);
        let ended = browse.end();
        assert_eq!(ended.code, Some(0), "{signals:?}: {}", ended.stderr);
        assert!(!profile.exists() && !is_alive(&pid), "{signals:?}");
    }
}

#[tokio::test]
async fn the_profile_of_a_killed_run_goes_when_its_browser_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let stubborn = browser(dir.path(), STUBBORN);
    let browse = ["--grace=0s", "--browse", "--browser-arg=--no-sandbox", "--browser"];
    let program = tapping(dir.path(), &server, &[&browse[..], &[&stubborn]].concat());
    let (pid, profile) = (process(dir.path()).await, told(dir.path()).1);
    program.signal("KILL");
    program.end();
    let again = || {
        let fake = browser(dir.path(), "");
        let mut program = tapping(dir.path(), &server, &[&browse[..], &[&fake]].concat());
        program.line("browser closed");
        assert_eq!(program.stop().code, Some(0));
    };
    again();
    assert!(profile.exists() && is_alive(&pid), "a browser that is used lost its profile");
    let kill = std::process::Command::new("kill").args(["-KILL", &pid]).status();
    assert!(kill.unwrap().success());
    let deadline = Deadline::after(PATIENCE);
    while profile.exists() {
        assert!(!deadline.is_over(), "{} was left", profile.display());
        again();
    }
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let server = Upstream::new().await;
    let browse = |args: &[&str]| {
        let ended = Program::start(dir.path(), &[&["browse", "--upstream", HOST], args].concat()).end();
        (ended.code, ended.stderr)
    };
    let says = |(code, stderr): (Option<i32>, String), wanted: [&str; 2]| {
        assert_ne!(code, Some(0));
        for wanted in wanted {
            assert!(stderr.contains(wanted), "{wanted} is not in\n{stderr}");
        }
    };
    says(browse(&["--listen", "127.0.0.1:0"]), ["--listen: port 0 is another one", "hint: name the one"]);
    says(browse(&["--url", "http://h/"]), ["--url: `http://h/` is not a URL", ""]);
    says(browse(&["--path", "desktop"]), ["--path: `desktop` is not a path", "hint: write --path /desktop"]);
    says(browse(&[]), ["there is no CA for", "hint: "]);

    let mut program = tapping(dir.path(), &server, &["--grace=0s"]);
    let address = program.address().to_string();
    let listen = ["--listen", &address];
    says(
        browse(&[&listen[..], &["--browser", "/nowhere/at/all"]].concat()),
        ["there is no browser /nowhere", "hint: "],
    );
    says(
        browse(&[&listen[..], &["--url", "https://other.example.test:8445/"]].concat()),
        ["the proxy does not stand for other.example.test:8445, only for", "hint: add --route"],
    );
    // Somebody else listens there, and hangs up.
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = stranger.local_addr().unwrap().to_string();
    std::thread::spawn(move || drop(stranger.accept()));
    says(browse(&["--listen", &at]), ["is no finesse-tap for", "hint: say --listen"]);
    assert_eq!(program.stop().code, Some(0));
    says(browse(&listen), ["no proxy is at", "finesse-tap run --upstream"]);
}
