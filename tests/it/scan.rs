//! The scan as its user meets it: a capture of the demo, for each level, with its exit codes.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// What the demo's capture holds at level `auth`: a customer's telephone, an agent's first name, an agent's JID.
const VALUES: [&str; 3] = ["+14155550118", "Alma", "1001@finesse.demo.test"];

fn tap(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    command.args(arguments).current_dir(dir).env_remove("FINESSE_TAP_REDACT").output().unwrap()
}

/// Where the demo's capture is.
fn capture(dir: &Path) -> String {
    let demo = tap(dir, &["demo", "--capture", "captures", "--redact", "auth"]);
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let mut files = std::fs::read_dir(dir.join("captures")).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "ndjson")).unwrap().display().to_string()
}

#[test]
fn a_capture_holds_persons_and_no_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let capture = capture(dir.path());
    let text = std::fs::read_to_string(&capture).unwrap();
    for value in VALUES {
        assert!(text.contains(value), "the demo has no {value} to be found");
    }

    std::fs::write(dir.path().join("secrets"), "Demo-Secret-1001!\n").unwrap();
    for arguments in
        [&["scan", &capture, "--for", "auth"][..], &["scan", &capture, "--for", "auth", "--secrets-file", "secrets"]]
    {
        let auth = tap(dir.path(), arguments);
        assert_eq!(String::from_utf8_lossy(&auth.stdout), "nothing found\n");
        assert_eq!(auth.status.code(), Some(0));
    }

    let share = tap(dir.path(), &["scan", &capture, "--for", "share", "--format", "json"]);
    assert_eq!(share.status.code(), Some(1), "{}", String::from_utf8_lossy(&share.stderr));
    let hits = String::from_utf8(share.stdout).unwrap();
    let hits: Vec<Value> = hits.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for kind in ["login", "phone", "person-name", "jid", "host", "customer-data"] {
        assert!(hits.iter().any(|hit| hit["kind"] == kind), "no {kind}");
    }
    // Each is where it is said to be, and its excerpt is the two ends of what stands there.
    let lines: Vec<&str> = text.lines().collect();
    for hit in &hits {
        assert!(hit["shown"].as_str().unwrap().chars().count() <= 5, "{hit}");
        let line = lines[usize::try_from(hit["line"].as_u64().unwrap()).unwrap() - 1];
        let at = usize::try_from(hit["column"].as_u64().unwrap()).unwrap() - 1;
        let begins = hit["shown"].as_str().unwrap().split('…').next().unwrap();
        let wrapped = hit["why"].as_str().unwrap().contains(", in ");
        assert!(wrapped || line[at..].starts_with(begins), "{hit} is not at its place");
    }

    let share = tap(dir.path(), &["scan", &capture, "--for", "share"]);
    assert_eq!(share.status.code(), Some(1));
    let told = [share.stdout, share.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    for value in VALUES {
        assert!(!told.contains(value), "{value} is shown");
    }
}

#[test]
fn what_is_left_in_any_file_fails_the_scan_and_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("har"), r#"{"log":{"data":"<auth>AGEAQ2FuYXJ5LTIwMjY=</auth>","pin":"4711pin"}}"#)
        .unwrap();
    std::fs::write(dir.path().join("secrets"), "4711pin\n").unwrap();
    let found = tap(dir.path(), &["scan", "har", "--for", "auth", "--secrets-file", "secrets"]);
    assert_eq!(found.status.code(), Some(1));
    let told = String::from_utf8([found.stdout, found.stderr].concat()).unwrap();
    assert!(told.contains("har:1:23 sasl-plain ") && told.contains(" known-secret "), "{told}");
    for value in ["AGEAQ2FuYXJ5LTIwMjY", "Canary", "4711pin"] {
        assert!(!told.contains(value), "{value} is shown");
    }

    let missing = tap(dir.path(), &["scan", "nowhere"]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(tap(dir.path(), &["scan"]).status.code(), Some(2));
}

#[test]
fn a_directory_is_looked_at_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("case/deep/er")).unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    std::fs::write(dir.path().join("case/b.txt"), "password=hunter2\n").unwrap();
    std::fs::write(dir.path().join("case/deep/er/.hidden"), "call +14155550118\n").unwrap();
    std::fs::write(dir.path().join("case/deep/a.log"), "all is well\n").unwrap();
    std::fs::write(dir.path().join("case/c.7z"), "7z\u{bc}").unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"mail ann@post.example\n").unwrap();
    std::fs::write(dir.path().join("case/deep/x.ndjson.gz"), gzip.finish().unwrap()).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", dir.path().join("case/deep/round")).unwrap();
        assert!(Command::new("mkfifo").arg("case/pipe").current_dir(dir.path()).status().unwrap().success());
    }
    let found = tap(dir.path(), &["scan", "case"]);
    assert_eq!(found.status.code(), Some(1));
    let told = String::from_utf8(found.stdout).unwrap();
    let told = told.replace(std::path::MAIN_SEPARATOR, "/");
    for hit in ["case/b.txt:1:10 password ", "case/deep/er/.hidden:1:6 phone ", "case/deep/x.ndjson.gz:1:6 email "] {
        assert!(told.contains(hit), "{hit}:\n{told}");
    }
    #[cfg(unix)]
    assert!(told.contains("case/pipe:0 not-scanned ") && !told.contains("round"), "{told}");
    let nothing = tap(dir.path(), &["scan", "empty"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8(nothing.stderr).unwrap().contains("there is no file in empty"));
}

#[test]
fn what_is_made_to_exhaust_is_not_unpacked_and_fails_the_scan() {
    let dir = tempfile::tempdir().unwrap();
    let zeros = vec![0; 1 << 20];
    let mut zip = zip::ZipWriter::new(std::fs::File::create(dir.path().join("bomb.zip")).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("bomb", options).unwrap();
    for _ in 0..80 {
        std::io::Write::write_all(&mut zip, &zeros).unwrap();
    }
    zip.start_file("next", options).unwrap();
    std::io::Write::write_all(&mut zip, b"password=hunter2").unwrap();
    zip.finish().unwrap();
    let found = tap(dir.path(), &["scan", "bomb.zip"]);
    let told = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1));
    assert!(told.contains("bomb.zip/bomb:0 not-scanned "), "{told}");
}
