//! The console in Chromium: what a reader does there, what an attacker's text does not, and 100,000 rows while one looks.

use super::{ready, scripts};
use crate::support::program::{Program, run};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What would run in a page that takes text for markup.
const MARKUP: &str = "<script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\">";

#[test]
fn a_stored_capture_is_looked_at_and_followed() {
    if !ready("the console in Chromium", &["node", "chromium"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let capture = demo(dir.path());
    let mut program = Program::start(dir.path(), &["open", "demo-captures", "--no-browser"]);
    let pid = program.pid().to_string();
    let told = browse(dir.path(), &mut program, &["--grow", &capture.display().to_string(), "--pid", &pid]);
    assert!(told.contains("\"step\":\"flood\"") && told.contains("\"step\":\"export\""), "{told}");
    assert_eq!(program.stop().code, Some(0));
}

#[test]
fn text_in_every_field_stays_text() {
    if !ready("the console in Chromium", &["node", "chromium"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let capture = demo(dir.path());
    let hostile = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("a line");
        poison("", &mut line);
        line.to_string() + "\n"
    };
    let text: String = fs::read_to_string(&capture).expect("the capture").lines().map(hostile).collect();
    fs::write(&capture, text).expect("write the capture");
    let mut program = Program::start(dir.path(), &["open", "demo-captures", "--no-browser"]);
    browse(dir.path(), &mut program, &[]);
    assert_eq!(program.stop().code, Some(0));
}

#[test]
fn a_moment_is_marked_while_it_is_recorded() {
    if !ready("the console in Chromium", &["node", "chromium"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut demo = Program::start(dir.path(), &["demo", "--browse", "--no-browser"]);
    let mut desktop = desktop(dir.path(), &mut demo);
    browse(dir.path(), &mut demo, &["--live"]);
    desktop.kill().expect("end the desktop");
    let _ = desktop.wait();
    assert_eq!(demo.stop().code, Some(0));
}

/// Appends markup to every text that is not read as a name of ours.
fn poison(name: &str, value: &mut Value) {
    const READ: [&str; 11] =
        ["id", "action", "schema", "level", "kind", "dataset", "direction", "@timestamp", "version", "code", "method"];
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| poison(name, value)),
        Value::Array(values) => values.iter_mut().for_each(|value| poison(name, value)),
        Value::String(text) if !READ.contains(&name) => text.push_str(MARKUP),
        _ => {}
    }
}

/// The capture of a demo.
fn demo(dir: &Path) -> PathBuf {
    assert_eq!(run(dir, &["demo"]).code, Some(0));
    let mut files = fs::read_dir(dir.join("demo-captures")).expect("captures");
    files.next().expect("a capture").expect("its name").path()
}

/// Somebody who signs in, for there to be something to look at.
fn desktop(dir: &Path, demo: &mut Program) -> std::process::Child {
    let browser = demo.line("browser ");
    let profile = dir.join("desktop");
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless=new", "--no-sandbox", &format!("--user-data-dir={}", profile.display())]);
    let mut arguments = browser.split_whitespace().filter(|word| word.starts_with("https://"));
    let url = arguments.next_back().expect("an address");
    let quoted = browser.split('"').filter(|part| part.starts_with("MAP "));
    for rules in quoted {
        chromium.arg(format!("--host-resolver-rules={rules}"));
    }
    let keys = browser.split_whitespace().find(|word| word.starts_with("--ignore-certificate-errors-spki-list="));
    chromium.args(keys).arg(url).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    chromium.spawn().expect("Chromium")
}

/// Looks at the console as `console.mjs` does; what that says.
fn browse(dir: &Path, program: &mut Program, more: &[&str]) -> String {
    let line = program.line("console http://");
    let url = line.trim_start_matches("console ");
    let profile = dir.join("browser");
    fs::create_dir_all(&profile).expect("a profile");
    let pictures = std::env::var_os("FINESSE_TAP_PICTURES").map_or_else(|| dir.to_owned(), PathBuf::from);
    let output = Command::new("node")
        .arg(scripts().join("console.mjs"))
        .args(["--url", url])
        .arg("--profile")
        .arg(&profile)
        .arg("--pictures")
        .arg(pictures.join("console"))
        .args(more)
        .output()
        .expect("node");
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{why}");
    println!("{told}");
    told.into_owned()
}
