//! The report of a day without trouble: the demo's. Nothing may be found in it, as captured and as shared.

use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

#[test]
fn nothing_is_found_in_the_demo() {
    nothing_is_found(1);
}

#[test]
fn nothing_is_found_in_the_demo_of_a_team() {
    nothing_is_found(20);
}

fn nothing_is_found(agents: usize) {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["demo", "--agents", &agents.to_string(), "--capture", "captures"]);
    is_clean(dir.path(), "captures/*.ndjson", agents);
    let page = run(dir.path(), &["report", "captures", "--format", "html"]);
    assert!(page.contains("no problems found."));

    for level in ["share", "minimal"] {
        let bundle = format!("{level}.zip");
        run(dir.path(), &["share", "captures", "--level", level, "-o", &bundle]);
        let mut zip = zip::ZipArchive::new(std::fs::File::open(dir.path().join(&bundle)).unwrap()).unwrap();
        let mut text = String::new();
        zip.by_name("captures/0001.ndjson").unwrap().read_to_string(&mut text).unwrap();
        let shared = format!("{level}.ndjson");
        std::fs::write(dir.path().join(&shared), text).unwrap();
        is_clean(dir.path(), &shared, agents);
    }
}

/// Every agent's login is complete, there are calls and states, and nothing is found or missing.
fn is_clean(dir: &Path, captures: &str, agents: usize) {
    let report: Value = serde_json::from_str(&run(dir, &["report", captures, "--format", "json"])).unwrap();
    let sessions = report["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), agents, "{captures}");
    assert_eq!(report["findings"], Value::Array(Vec::new()), "{captures}");
    assert_eq!(report["oddities"], Value::Array(Vec::new()), "{captures}");
    for session in sessions {
        let who = format!("{captures}: {}", session["id"]);
        assert_eq!(session["findings"], Value::Array(Vec::new()), "{who}");
        assert_eq!(session["troubles"], Value::Array(Vec::new()), "{who}");
        assert!(session["states"].as_array().unwrap().len() >= 3, "{who}");
        for socket in session["sockets"].as_array().unwrap() {
            assert_eq!(socket["ladder"]["login"], "complete", "{who}");
            // All but the subscription to dialogs, which the server makes by itself.
            assert_eq!(socket["ladder"]["rungs"].as_array().unwrap().len(), 11, "{who}: every stage");
        }
    }
    assert!(sessions.iter().any(|session| !session["calls"].as_array().unwrap().is_empty()), "{captures}: calls");
}

fn run(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_finesse-tap")).current_dir(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
