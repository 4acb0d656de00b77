//! Faults that the demo plays, and what the report says of each.

use serde_json::Value;
use std::fs;
use std::process::Command;

/// What is found in each; nothing for what is no fault of anybody's.
const FOUND: [(&str, Option<&str>); 12] = [
    ("pings", Some("ping-unanswered")),
    ("middlebox", Some("middlebox")),
    ("wrong-password", Some("auth-refused")),
    ("second-login", Some("conflict")),
    ("no-presence", Some("no-finesse-presence")),
    ("refused-subscription", Some("subscription-refused")),
    ("lost-event", Some("no-event")),
    ("late-event", Some("late-event")),
    ("server-restart", Some("server-restart")),
    // Nobody got as far as a session: the report lists the connections.
    ("certificate", None),
    // Agents were moved away and came back, as planned.
    ("maintenance", None),
    ("overload", Some("ping-slow")),
];

#[test]
fn every_fault_shows_its_finding_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let ours = |args: &[&str]| {
        let ours = Command::new(env!("CARGO_BIN_EXE_finesse-tap")).current_dir(dir.path()).args(args).output().unwrap();
        assert!(ours.status.success(), "{}", String::from_utf8_lossy(&ours.stderr));
        String::from_utf8(ours.stdout).unwrap()
    };
    let told = ours(&["demo", "--trouble", "all"]);
    for (name, found) in FOUND {
        assert!(told.contains(&format!("══ {name}: ")), "{name} is not told");
        let file = fs::read_dir(dir.path().join("demo-captures"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("finesse-{name}.")))
            .unwrap_or_else(|| panic!("no capture of {name}"));
        let report: Value =
            serde_json::from_str(&ours(&["report", &file.display().to_string(), "--format", "json"])).unwrap();
        let sessions = report["sessions"].as_array().unwrap();
        let codes: Vec<&str> = sessions
            .iter()
            .flat_map(|session| session["findings"].as_array().unwrap())
            .chain(report["findings"].as_array().unwrap())
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        match found {
            Some(code) => assert!(codes.contains(&code), "{name}: {codes:?}"),
            None => assert!(codes.is_empty(), "{name}: {codes:?}"),
        }
        match name {
            "certificate" => {
                let strangers = report["strangers"].to_string();
                assert!(strangers.contains("the server's certificate was refused"), "{strangers}");
            }
            "maintenance" => assert!(sessions[0]["sockets"].as_array().unwrap().len() > 1, "nobody was moved"),
            _ => {}
        }
    }
}
