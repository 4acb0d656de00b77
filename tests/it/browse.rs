//! `browse` and `run --browse` with a program in the browser's place: what it is told, how it ends, what is left.

#![cfg(unix)]

use crate::support::HOST;
use crate::support::program::{Program, Upstream, tapping};
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
