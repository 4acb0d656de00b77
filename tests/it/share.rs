//! The program's own demo, captured and shared: what is in the bundle, what must not be, and what stays useful.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};

/// What the demo's agents and customers are, and may not be in a bundle.
const DEMO: [&str; 27] = [
    "Alma",
    "Example",
    "Bruno",
    "1001",
    "2001",
    "finesse.demo.test",
    "demo.test",
    "Demo Queue",
    "6500",
    "2025550143",
    "4155550118",
    "3125550167",
    "6465550101",
    "O'Quinn",
    "Mara",
    "mara.oquinn",
    "mail.test",
    "4000123456",
    "Invoice",
    "Jörg",
    "jm+hotline",
    "4000771903",
    "lindqvist",
    "山田",
    "4000980022",
    "GOLD|3",
    "127.0.0.1",
];

fn program(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_finesse-tap")).current_dir(dir).args(arguments).output().unwrap()
}

fn bundle(path: &Path) -> HashMap<String, String> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut files = HashMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut text = String::new();
        let name = file.name().unwrap().to_string();
        file.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

/// Whether `word` stands in `text` by itself: digits inside a time stamp, a token or a UUID are nobody's.
fn holds(text: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '-' && c != '.');
    text.match_indices(word).any(|(at, _)| {
        !word.bytes().all(|b| b.is_ascii_digit())
            || edge(text[..at].chars().next_back())
                && edge(text[at + word.len()..].chars().next())
                && !text[..at].ends_with(":") // a count or a port of our own
    })
}

#[test]
fn the_demo_can_be_handed_over() {
    let dir = tempfile::tempdir().unwrap();
    let played = program(dir.path(), &["demo", "--capture", "captures"]);
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let capture = std::fs::read_dir(dir.path().join("captures")).unwrap().next().unwrap().unwrap().path();
    let stored = std::fs::read_to_string(&capture).unwrap();
    assert!(DEMO.iter().filter(|word| holds(&stored, word)).count() > 10, "the demo is not what it was");
    crate::contract::assert_valid(&stored);
    let capture = capture.to_str().unwrap();

    for level in ["share", "minimal"] {
        let out = format!("{level}.zip");
        let shared =
            program(dir.path(), &["share", capture, "-o", &out, "--level", level, "--stable-tokens", "keys/t.key"]);
        assert!(shared.status.success(), "{}", String::from_utf8_lossy(&shared.stderr));
        let files = bundle(&dir.path().join(&out));
        for (name, text) in &files {
            for word in DEMO {
                assert!(!holds(text, word), "{word} is left in {name} at {level}:\n{}", around(text, word));
            }
        }
        let lines = &files["captures/0001.ndjson"];
        crate::contract::assert_valid(lines);
        for useful in [
            "NOT_READY → READY",
            "TALKING",
            "\"latency_us\"",
            "ALERTING",
            "\"status_code\":202",
            "callType",
            "\"rtt_us\"",
            "auth PLAIN",
        ] {
            assert!(lines.contains(useful), "{useful} is gone at {level}");
        }
        assert_eq!(lines.lines().count(), stored.lines().count());
        assert!(files["manifest.json"].contains("\"policy_sha256\""));
        assert!(files["report.txt"].contains("Gaps in the log:\n  none"));
    }

    // Again, the same bytes; and a stranger's line is told and left out.
    let first = std::fs::read(dir.path().join("share.zip")).unwrap();
    let arguments = ["share", capture, "-o", "share.zip", "--stable-tokens", "keys/t.key"];
    program(dir.path(), &arguments);
    assert_eq!(first, std::fs::read(dir.path().join("share.zip")).unwrap());
    std::fs::write(
        dir.path().join("odd.ndjson"),
        format!("{{\"Canary\":1}}\n{}\n{{\"torn", stored.lines().nth(3).unwrap()),
    )
    .unwrap();
    let shared = program(dir.path(), &["share", "odd.ndjson", "-o", "odd.zip"]);
    let told = String::from_utf8_lossy(&shared.stderr).into_owned();
    assert!(
        shared.status.success()
            && told.contains("odd.ndjson:1 is left out")
            && told.contains("odd.ndjson:3 is left out"),
        "{told}"
    );
    let odd = bundle(&dir.path().join("odd.zip"));
    assert!(odd.values().all(|text| !text.contains("Canary") && !text.contains("torn\"")));

    // The owner of the key can tell who was who; nobody else.
    let line = bundle(&dir.path().join("share.zip")).remove("captures/0001.ndjson").unwrap();
    let token = line.split("\"user\":{\"name\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let told = program(dir.path(), &["resolve", &token, "--key", "keys/t.key"]);
    assert_eq!(String::from_utf8_lossy(&told.stdout), format!("{token}\tlogin\t1001\n"));
    assert!(!program(dir.path(), &["resolve", "u-0000000000", "--key", "keys/t.key"]).status.success());
    #[cfg(unix)]
    for file in ["keys/t.key", "keys/t.key.index"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[test]
fn nothing_half_written_stays() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("empty.ndjson"), "").unwrap();
    for arguments in [
        &["share", "empty.ndjson", "-o", "x.zip"][..],
        &["share", "missing.ndjson", "-o", "x.zip"],
        &["share", "empty.ndjson", "-o", "x.zip", "--allow", "header:cookie"],
        &["share", "empty.ndjson", "-o", "x.zip", "--deny", "header:x=nonsense"],
        &["share", "empty.ndjson", "-o", "x.zip", "--since", "yesterday"],
        &["share", "empty.ndjson", "-o", "no/such/place/x.zip"],
    ] {
        let done = program(dir.path(), arguments);
        assert!(!done.status.success(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&done.stderr).starts_with("error: "));
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["empty.ndjson"]);
}

fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap_or_default();
    text[text.floor_char_boundary(at.saturating_sub(300))..text.ceil_char_boundary((at + 100).min(text.len()))]
        .to_owned()
}
