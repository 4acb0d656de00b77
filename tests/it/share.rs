//! The program's own demo, captured and shared: what is in the bundle, what must not be, and what stays useful.

use crate::support::have;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
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

pub fn bundle(path: &Path) -> HashMap<String, String> {
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
        let scanned = program(dir.path(), &["scan", &out, "--for", level]);
        assert_eq!(String::from_utf8_lossy(&scanned.stdout), "nothing found\n", "at {level}");
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
        shared.status.success() && told.contains("left out odd.ndjson:1: ") && told.contains("left out odd.ndjson:3: "),
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

/// A capture's line with `more` in it.
fn stored(action: &str, sequence: u64, more: Value) -> String {
    let mut event = json!({
        "@timestamp": "2026-01-15T09:12:40.561300Z",
        "event": {"sequence": sequence, "id": format!("01TEST-{sequence}"), "kind": "event", "action": action, "dataset": "finesse.event"},
        "log": {"level": "info"}, "message": "", "finesse": {"schema": "1.0"}, "ecs": {"version": "8.17.0"},
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event.to_string() + "\n"
}

fn xml(sequence: u64, xml: &str) -> String {
    stored("xmpp-stanza", sequence, json!({"finesse": {"schema": "1.0", "xml": format!("<User>{xml}</User>")}}))
}

fn error_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn left_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_the_scan_finds_keeps_the_bundle_from_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let headers = json!([{"name": "X-Route", "value": "via 10.20.30.40 to nobody"}]);
    let line = stored("http-exchange", 1, json!({"finesse": {"schema": "1.0", "http": {"request_headers": headers}}}));
    std::fs::write(dir.path().join("a.ndjson"), line).unwrap();
    // Kept because the user says so, and by its looks it is an address all the same.
    for level in ["share", "minimal"] {
        let refused =
            program(dir.path(), &["share", "a.ndjson", "-o", "x.zip", "--level", level, "--allow", "header:x-route"]);
        let told = error_of(&refused);
        assert_eq!(refused.status.code(), Some(1), "{told}");
        assert!(told.contains("a.ndjson:1: ip-address ") && told.contains("error: no bundle was written"), "{told}");
        assert!(!told.contains("10.20.30.40") && left_in(dir.path()) == ["a.ndjson"], "{told}");
    }
    // What only its name calls personal is the user's to keep.
    let variable =
        "<callvariables><CallVariable><name>callVariable7</name><value>EN gold</value></CallVariable></callvariables>";
    std::fs::write(dir.path().join("a.ndjson"), xml(1, variable)).unwrap();
    let kept = program(dir.path(), &["share", "a.ndjson", "-o", "x.zip", "--allow", "variable:callVariable7"]);
    assert!(kept.status.success(), "{}", error_of(&kept));
    assert!(bundle(&dir.path().join("x.zip"))["captures/0001.ndjson"].contains("EN gold"));
    assert!(!program(dir.path(), &["scan", "x.zip"]).status.success());
}

#[test]
fn a_note_with_a_secret_in_it_is_refused_by_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.ndjson"), xml(1, "<state>READY</state>")).unwrap();
    for (note, kind) in [
        ("ask 1001@uccx.example.com", "email"),
        ("password=hunter2", "password"),
        ("it was 10.1.2.3", "ip-address"),
        ("call +1 415 555 0118", "phone"),
    ] {
        let refused = program(dir.path(), &["share", "a.ndjson", "-o", "x.zip", "--note", note]);
        let told = error_of(&refused);
        let expected = format!("error: --note is handed over as it is, and holds what level share removes: {kind} ");
        assert!(told.starts_with(&expected), "{told}");
        assert!(!told.contains(note) && left_in(dir.path()) == ["a.ndjson"], "{told}");
    }
    let note = "login fails since the upgrade to 12.6(1)";
    assert!(program(dir.path(), &["share", "a.ndjson", "-o", "x.zip", "--note", note]).status.success());
    assert!(bundle(&dir.path().join("x.zip"))["README.txt"].starts_with(&format!("Note: {note}\n")));
}

#[test]
fn sentences_lose_the_names_and_numbers_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let sentence = "Zelda Quist (ext2001) is not at 4155, nor 030 1234567; team Night Owls on 2026-01-15 with 12.5.1.10000 is no 17";
    // The names come behind the sentence that holds them; a token has no U and no L.
    let capture = xml(1, &format!("<ApiError><ErrorMessage>{sentence}</ErrorMessage></ApiError>"))
        + &xml(
            2,
            "<loginId>zul</loginId><firstName>Zelda</firstName><lastName>Quist</lastName><teamName>Night Owls</teamName>",
        )
        + &stored("http-exchange", 3, json!({"error": {"message": "quist's desktop: 98765 and zul"}}));
    std::fs::write(dir.path().join("a.ndjson"), capture).unwrap();
    let shared = program(dir.path(), &["share", "a.ndjson", "-o", "x.zip"]);
    assert!(shared.status.success(), "{}", error_of(&shared));
    let files = bundle(&dir.path().join("x.zip"));
    for (name, text) in &files {
        for gone in ["zelda", "quist", "ext2001", "2001", "4155", "1234567", "night owls", "98765", "zul"] {
            assert!(!text.to_lowercase().contains(gone), "{gone} is left in {name}:\n{text}");
        }
    }
    for kept in ["is not at t-", "on 2026-01-15 with 12.5.1.10000 is no 17"] {
        assert!(
            files["captures/0001.ndjson"].contains(kept) && files["report.txt"].contains(kept),
            "{kept}: {files:?}"
        );
    }
}

#[test]
fn a_finding_of_another_version_is_ours_and_rules_reach_its_facts() {
    let dir = tempfile::tempdir().unwrap();
    let facts = json!([{"name": "state", "value": "READY"}, {"name": "stage", "value": "bind"}, {"name": "message", "value": "be kind"}]);
    let finding = json!({"code": "decode-error", "title": "As it was called once", "confidence": "certain", "count": 1,
        "evidence": [1], "facts": facts, "advice": "Do as was done once."});
    let opened =
        json!({"finesse": {"schema": "1.0", "capture": {"version": "0.0.9-rc.1", "run": "01TEST", "file": 1}}});
    let capture = stored("log-opened", 0, opened)
        + &stored("finding", 2, json!({"finesse": {"schema": "1.0", "finding": finding}}));
    std::fs::write(dir.path().join("a.ndjson"), capture).unwrap();
    let rules = ["--deny", "json:state", "--allow", "json:message"];
    let shared = program(dir.path(), &[&["share", "a.ndjson", "-o", "x.zip"][..], &rules].concat());
    let told = error_of(&shared);
    assert!(shared.status.success() && !told.contains("left out"), "{told}");
    let text = bundle(&dir.path().join("x.zip")).remove("captures/0001.ndjson").unwrap();
    for kept in ["Something could not be read", "0.0.9-rc.1", "\"bind\"", "be kind"] {
        assert!(text.contains(kept), "{kept} is gone: {text}");
    }
    for gone in ["once", "READY"] {
        assert!(!text.contains(gone), "{gone} is left: {text}");
    }
}

#[test]
fn a_compressed_capture_is_read_by_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let played = program(dir.path(), &["demo", "--capture", "captures"]);
    assert!(played.status.success(), "{}", error_of(&played));
    let plain = std::fs::read_dir(dir.path().join("captures")).unwrap().next().unwrap().unwrap().path();
    let stored = std::fs::read(&plain).unwrap();
    let outputs = |capture: &str| {
        let share = ["share", capture, "-o", "x.zip", "--stable-tokens", "t.key"];
        let shared = program(dir.path(), &share);
        assert!(shared.status.success(), "{}", error_of(&shared));
        let report = program(dir.path(), &["report", capture]).stdout;
        let report = String::from_utf8(report).unwrap().replace(".ndjson.gz", ".ndjson");
        let text = program(dir.path(), &["export", "text", capture, "-o", "-"]).stdout;
        let har = program(dir.path(), &["export", "har", capture, "-o", "-"]).stdout;
        let hits = program(dir.path(), &["scan", capture, "--format", "json"]).stdout;
        let hits = String::from_utf8(hits).unwrap().lines().count();
        assert!(report.contains("1001") && text.len() > 1_000 && har.len() > 10_000 && hits > 100);
        (bundle(&dir.path().join("x.zip")), report, text, har, hits)
    };
    let expected = outputs("captures");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&stored).unwrap();
    std::fs::write(format!("{}.gz", plain.display()), gzip.finish().unwrap()).unwrap();
    std::fs::remove_file(plain).unwrap();
    let compressed = outputs("captures");
    let same = |one: &str, other: &str| {
        let sizes = |text: &str| text.lines().filter(|line| !line.contains("bytes")).count();
        assert_eq!(sizes(one), sizes(other));
    };
    same(&expected.1, &compressed.1);
    assert_eq!(expected.0, compressed.0);
    assert_eq!((expected.2, expected.4), (compressed.2, compressed.4));
    assert_eq!(expected.3, compressed.3);
}

#[test]
fn an_encrypted_bundle_is_what_age_decrypts() {
    if !have("share --encrypt-to", &["age", "age-keygen"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new("age-keygen").args(["-o", "id.txt"]).current_dir(dir.path()).output().unwrap();
    let told = String::from_utf8(made.stderr).unwrap();
    let recipient = told.split_whitespace().last().unwrap();
    // Does not compress well: more than one chunk, and an end within one.
    let noise = |number: u64| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % 1_000_000;
    let line = |n: u64| xml(n, &(0..12).map(|m| format!("<code>{}</code>", noise(12 * n + m))).collect::<String>());
    let lines: String = (0..4_000).map(line).collect();
    std::fs::write(dir.path().join("a.ndjson"), lines).unwrap();
    let share = ["share", "a.ndjson", "-o", "x.zip", "--stable-tokens", "t.key"];
    assert!(program(dir.path(), &share).status.success());
    let sealed = program(dir.path(), &[&share[..], &["--encrypt-to", recipient]].concat());
    assert!(sealed.status.success(), "{}", error_of(&sealed));
    let age = std::fs::read(dir.path().join("x.zip.age")).unwrap();
    assert!(age.starts_with(b"age-encryption.org/v1\n-> X25519 ") && age.len() > 64 << 10, "{}", age.len());
    let opened =
        Command::new("age").args(["-d", "-i", "id.txt", "-o", "y.zip", "x.zip.age"]).current_dir(dir.path()).output();
    let opened = opened.unwrap();
    assert!(opened.status.success(), "{}", error_of(&opened));
    assert_eq!(bundle(&dir.path().join("x.zip")), bundle(&dir.path().join("y.zip")));
    assert_eq!(left_in(dir.path()), ["a.ndjson", "id.txt", "t.key", "t.key.index", "x.zip", "x.zip.age", "y.zip"]);
    let sealed_for = |recipient| program(dir.path(), &["share", "a.ndjson", "-o", "z.zip", "--encrypt-to", recipient]);
    let wrong = sealed_for("nonsense");
    assert_eq!(wrong.status.code(), Some(2), "{}", error_of(&wrong));
    let wrong = sealed_for("age1nonsense");
    assert_eq!(wrong.status.code(), Some(1), "{}", error_of(&wrong));
    assert!(error_of(&wrong).contains("--encrypt-to: age says: "), "{}", error_of(&wrong));
    assert!(!left_in(dir.path()).iter().any(|name| name.starts_with("z.zip")));
}

#[test]
fn tokens_of_live_captures_and_imports_can_be_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--redact", "share", "--stable-tokens", "keys/t.key"];
    let played = program(dir.path(), &[&["demo", "--capture", "captures"][..], &more].concat());
    assert!(played.status.success(), "{}", error_of(&played));
    let user = json!({"startedDateTime": "2026-01-15T09:00:00.000Z", "time": 5, "request": {"method": "GET", "url":
        "https://uccx.example.test:8445/finesse/api/User/ann.smith", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [],
        "queryString": [], "headersSize": -1, "bodySize": 0}, "response": {"status": 200, "statusText": "OK", "httpVersion":
        "HTTP/1.1", "headers": [], "cookies": [], "content": {"size": 0, "mimeType": "text/plain"}, "redirectURL": "",
        "headersSize": -1, "bodySize": 0}, "cache": {}, "timings": {"send": 1, "wait": 1, "receive": 1}});
    let har = json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [user]}});
    std::fs::write(dir.path().join("a.har"), har.to_string()).unwrap();
    let imported = program(dir.path(), &[&["import", "a.har", "-o", "imported"][..], &more].concat());
    assert!(imported.status.success(), "{}", error_of(&imported));
    for (captures, login) in [("captures", "1001"), ("imported", "ann.smith")] {
        let capture = std::fs::read_dir(dir.path().join(captures)).unwrap().next().unwrap().unwrap().path();
        let text = std::fs::read_to_string(capture).unwrap();
        let token = text.split("/finesse/api/User/").nth(1).unwrap().split(['/', '"', ' ', '<', '&']).next().unwrap();
        let told = program(dir.path(), &["resolve", token, "--key", "keys/t.key"]);
        assert_eq!(String::from_utf8_lossy(&told.stdout), format!("{token}\tlogin\t{login}\n"), "{captures}");
    }
    #[cfg(unix)]
    for file in ["keys/t.key", "keys/t.key.index"] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(dir.path().join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    // The same rules as for `run`.
    let refused = program(dir.path(), &["import", "a.har", "-o", "x", "--allow", "header:cookie"]);
    assert_eq!(refused.status.code(), Some(2), "{}", error_of(&refused));
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
