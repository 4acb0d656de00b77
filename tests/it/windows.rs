//! The program on Windows: what a command prompt does not do for it, and what the file system there refuses.
//!
//! Nobody can be asked there to end a console program from outside in good order: runs end by being killed, as from the task
//! manager. What is the same everywhere is tested everywhere else.

#![cfg(windows)]

use crate::support::HOST;
use crate::support::program::{Program, Upstream, captures, run, tapping};
use std::fs;
use std::path::Path;

/// The directory's files whose names begin so.
fn named(dir: &Path, begin: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.starts_with(begin)).collect()
}

#[test]
fn a_capture_goes_through_every_command_by_patterns_and_backslashes() {
    let dir = tempfile::tempdir().unwrap();
    let demo = run(dir.path(), &["demo", "--capture", r"the log\today"]);
    assert_eq!(demo.code, Some(0), "{}", demo.stderr);
    assert_eq!(captures(&dir.path().join(r"the log\today")).len(), 1);
    for (args, wanted) in [
        (&["report", r"the log\today\*.ndjson"][..], "agent 1001"),
        (&["scan", r"the log\today\*.ndjson", "--for", "auth"], "nothing found"),
        (&["export", "text", r"the log\*\none.ndjson", r"the log\today", "-o", "-"], ""),
        (&["export", "text", r"the log\today", "-o", "-"], "GET User/1001"),
        (&["export", "har", r"the log\today", "-o", r"the log\case.har"], ""),
        (&["import", r"the log\*.har", "-o", r"the log\again"], ""),
        (&["share", r".\the log\today\*.ndjson", "-o", r"the log\case.zip"], ""),
        (&["scan", r"the log\case.zip"], "nothing found"),
        (&["ca"], "certutil -addstore"),
    ] {
        let ended = run(dir.path(), args);
        let is_missing = args.iter().any(|arg| arg.contains("none.ndjson"));
        assert_eq!(ended.code, Some(i32::from(is_missing)), "{args:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(wanted), "{args:?}: {}", ended.stdout);
    }
    assert_eq!(captures(&dir.path().join(r"the log\again")).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_reloaded_keeps_its_file_to_itself_and_is_missed_when_killed() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::new().await;
    let text = format!(
        "\u{feff}upstream = '{HOST}:{}'\r\nresolve = '{HOST}:127.0.0.1'\r\nlisten = '127.0.0.1:0'\r\nquiet = true\r\n\
         capture = '{}'\r\ncerts = '.\\the certs'\r\n",
        upstream.address.port(),
        dir.path().join("the log").display()
    );
    fs::write(dir.path().join("tap.toml"), text).unwrap();
    let mut program = Program::start(dir.path(), &["run", "--config", r".\tap.toml", &upstream.pin()]);
    let (_client, server) = tokio::join!(program.client(), upstream.accept());
    let _server = server.unwrap();

    let certs = dir.path().join("the certs");
    assert_eq!(named(&certs, "run-"), [format!("run-{}.json", program.pid())]);
    let reload = || run(dir.path(), &["reload", "--certs", "the certs"]);
    let reloaded = tokio::task::block_in_place(reload);
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.stderr);
    let log = dir.path().join("the log");
    let [_, second] = &named(&log, "finesse-")[..] else { panic!("{:?}", named(&log, "finesse-")) };
    assert!(fs::remove_file(log.join(second)).is_err(), "it is being written");

    drop(program);
    let missed = tokio::task::block_in_place(reload);
    assert_eq!(missed.code, Some(1));
    assert!(missed.stderr.contains("no run is found in the certs\nhint: "), "{}", missed.stderr);
    assert_eq!(named(&certs, "run-"), [] as [String; 0]);
    assert_eq!(captures(&log).len(), 2);
}

/// This program in the browser's place: it does not know a browser's options, and says so.
#[tokio::test]
async fn a_browser_that_fails_is_quoted_and_its_profile_goes() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::new().await;
    let browser = dir.path().join("a browser.exe");
    fs::copy(env!("CARGO_BIN_EXE_finesse-tap"), &browser).unwrap();
    let more = ["--browse", "--browser", browser.to_str().unwrap(), "--log-filter=finesse_tap=debug"];
    let mut program = tapping(dir.path(), &upstream, &more);
    let started = program.line("browser started");
    let profile = started.split("profile=").nth(1).unwrap().trim();
    let told = program.line("the proxy goes on without a browser");
    assert!(told.contains("the browser ended with exit code: 2: "), "{told}");
    assert!(!Path::new(profile).exists(), "{profile}");
}
