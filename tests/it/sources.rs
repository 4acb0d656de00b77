//! Every command that reads captures, on every kind of source: what one of them can read all can, and they read the same.

use crate::support::program::run;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command makes of a source: exit code, what it counted, standard error.
struct Made {
    code: Option<i32>,
    count: Option<u64>,
    stderr: String,
}

/// A command, and how many events its answer says there were.
type Counted = (&'static str, fn(&Output) -> Option<u64>);

const COMMANDS: &[Counted] = &[
    ("report", |made| serde_json::from_str::<Value>(&made.stdout).ok()?["totals"]["lines"].as_u64()),
    ("export", |made| Some(made.stdout.lines().filter(|line| line.contains("  ")).count() as u64)),
    ("share", |made| made.stderr.lines().find_map(|line| line.strip_prefix("events ")?.parse().ok())),
];

/// What a command wrote.
struct Output {
    stdout: String,
    stderr: String,
}

/// Runs a command on a source; `input` is its standard input.
fn make(dir: &Path, command: usize, source: &str, input: Option<&[u8]>) -> Made {
    let (name, count) = COMMANDS[command];
    let args: &[&str] = match name {
        "report" => &["report", source, "--format", "json"],
        "export" => &["export", "text", source, "-o", "-"],
        _ => &["share", source, "-o", "shared.zip"],
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    program.args(args).current_dir(dir).stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let writer = input.map(|input| {
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // Whoever refuses it does not read it all.
        std::thread::spawn(move || drop(stdin.write_all(&input)))
    });
    let ended = child.wait_with_output().unwrap();
    if let Some(writer) = writer {
        writer.join().unwrap();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let made = Output { stdout: text(&ended.stdout), stderr: text(&ended.stderr) };
    Made { code: ended.status.code(), count: count(&made), stderr: made.stderr }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, bytes).unwrap();
    builder.into_inner().unwrap()
}

fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn every_command_reads_every_kind_of_source_alike() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let played = run(dir.path(), &["demo", "--capture", "recorded"]);
    assert_eq!(played.code, Some(0), "{}", played.stderr);
    let recorded = fs::read_dir(at("recorded")).unwrap().next().unwrap().unwrap().path();
    let capture = fs::read(&recorded).unwrap();
    for folder in ["folder", "above/below/it", "empty"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    let files: &[(&str, Vec<u8>)] = &[
        ("a.ndjson", capture.clone()),
        ("named-otherwise.txt", capture.clone()),
        ("folder/a.ndjson", capture.clone()),
        // While it is being compressed both are there.
        ("folder/a.ndjson.gz", gzip(&capture)),
        ("above/below/it/a.ndjson", capture.clone()),
        ("a.ndjson.gz", gzip(&capture)),
        ("a.tar", tar("captures/a.ndjson", &capture)),
        ("a.tar.gz", gzip(&tar("captures/a.ndjson.gz", &gzip(&capture)))),
        ("a.zip", zip("captures/a.ndjson", &capture)),
        ("no-capture.zip", zip("readme.txt", b"hello")),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("packets.pcapng", b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a".to_vec()),
        ("bundle.zip.age", b"age-encryption.org/v1\n-> X25519".to_vec()),
        ("nothing", Vec::new()),
        ("words", b"hello\n".to_vec()),
    ];
    for (name, bytes) in files {
        fs::write(at(name), bytes).unwrap();
    }
    let har = run(dir.path(), &["export", "har", "a.ndjson", "-o", "a.har"]);
    assert_eq!(har.code, Some(0), "{}", har.stderr);
    let har = fs::read(at("a.har")).unwrap();
    fs::write(at("b.har.gz"), gzip(&har)).unwrap();
    let shared = run(dir.path(), &["share", "a.ndjson", "-o", "bundle.zip"]);
    assert_eq!(shared.code, Some(0), "{}", shared.stderr);

    for (command, (name, _)) in COMMANDS.iter().enumerate() {
        let plain = make(dir.path(), command, "a.ndjson", None);
        assert!(plain.code == Some(0) && plain.count.is_some_and(|count| count > 20), "{name}: {}", plain.stderr);
        let same = [
            "named-otherwise.txt",
            "folder",
            "above",
            "above/below/it",
            "a.ndjson.gz",
            "a.tar",
            "a.tar.gz",
            "a.zip",
            "bundle.zip",
            "a.nd*n",
        ];
        for source in same {
            let made = make(dir.path(), command, source, None);
            assert_eq!((made.code, made.count), (Some(0), plain.count), "{name} {source}: {}", made.stderr);
        }
        let packed = gzip(&capture);
        for input in [&capture, &packed] {
            for source in if cfg!(unix) { &["-", "/dev/stdin"][..] } else { &["-"] } {
                let made = make(dir.path(), command, source, Some(input));
                assert_eq!((made.code, made.count), (Some(0), plain.count), "{name} {source}: {}", made.stderr);
            }
        }
        let imported = make(dir.path(), command, "a.har", None);
        assert!(imported.code == Some(0) && imported.count > Some(20), "{name} a.har: {}", imported.stderr);
        for (source, input) in [("b.har.gz", None), ("-", Some(&*har))] {
            let made = make(dir.path(), command, source, input);
            assert_eq!((made.code, made.count), (Some(0), imported.count), "{name} {source}: {}", made.stderr);
        }
        for (source, why) in [
            ("no-capture.zip", "zip archive without a capture"),
            ("picture.png", "a binary file"),
            ("packets.pcapng", "a packet capture"),
            ("bundle.zip.age", "an encrypted bundle"),
            ("nothing", "an empty file"),
            ("words", "text of another kind"),
            ("empty", "no capture in the directory"),
            ("missing.ndjson", "missing.ndjson"),
            ("missing*.ndjson", "no file fits"),
        ] {
            let made = make(dir.path(), command, source, None);
            assert_eq!(made.code, Some(1), "{name} {source}: {}", made.stderr);
            assert!(made.stderr.contains(why), "{name} {source}: {}", made.stderr);
            assert!(made.stderr.contains("hint: ") || source == "missing.ndjson", "{name} {source}: {}", made.stderr);
        }
        assert!(!at("captures").exists(), "{name} leaves nothing behind");
    }
}

/// Lines of a later version: what is unknown about them is passed over, but what is not known at all is told by name.
#[test]
fn lines_of_a_later_version_are_read_and_what_cannot_be_redacted_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["demo", "--capture", "recorded"]);
    let recorded = fs::read_dir(dir.path().join("recorded")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(recorded).unwrap();
    let later = text.replace("\"schema\":\"1.1\"", "\"schema\":\"1.7\",\"later\":{\"secret\":\"canary\"}");
    assert_ne!(later, text);
    fs::write(dir.path().join("later.ndjson"), &later).unwrap();
    let shared = run(dir.path(), &["share", "later.ndjson", "-o", "later.zip"]);
    assert_eq!(shared.code, Some(0), "{}", shared.stderr);
    let export = run(dir.path(), &["export", "text", "later.zip", "-o", "-", "--xml"]);
    assert!(export.code == Some(0) && !export.stdout.contains("canary"), "{}", export.stderr);

    let mut lines: Vec<Value> = later.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last_mut().unwrap();
    last["event"]["action"] = "agent-mood".into();
    let unknown: String = lines.iter().map(|line| line.to_string() + "\n").collect();
    fs::write(dir.path().join("unknown.ndjson"), unknown).unwrap();
    for (args, wants) in [
        (&["report", "unknown.ndjson"][..], 0),
        (&["share", "unknown.ndjson", "-o", "x.zip"], 1),
        (&["export", "text", "unknown.ndjson", "-o", "x.txt"], 1),
    ] {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, Some(wants), "{args:?}: {}", ended.stderr);
        assert!(wants == 0 || ended.stderr.contains("`agent-mood`"), "{args:?}: {}", ended.stderr);
    }
    assert!(!dir.path().join("x.zip").exists() && !dir.path().join("x.txt").exists());
}

#[test]
fn a_name_that_promises_another_form_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["demo", "--capture", "recorded"]);
    for args in [
        &["report", "recorded", "-o", "x.pdf"][..],
        &["share", "recorded", "-o", "x.tar.gz"],
        &["share", "recorded", "-o", "x.pdf"],
        &["export", "har", "recorded", "-o", "x.pcapng"],
        &["export", "text", "recorded", "-o", "x.html"],
    ] {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, Some(1), "{args:?}");
        assert!(
            ended.stderr.contains("is not what its name says") && ended.stderr.contains("hint: name it x."),
            "{args:?}: {}",
            ended.stderr
        );
        assert!(!dir.path().join(args[args.len() - 1]).exists(), "{args:?}");
    }
}

/// What a report says of places, of which the whole has more.
fn without_places(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for place in ["line", "lines", "file", "sequence", "offset_bytes", "evidence", "from", "run"] {
                map.remove(place);
            }
            map.values_mut().for_each(without_places);
        }
        Value::Array(list) => list.iter_mut().for_each(without_places),
        _ => {}
    }
}

#[test]
fn a_bundle_of_one_agent_says_of_the_agent_what_the_whole_capture_says() {
    let dir = tempfile::tempdir().unwrap();
    let tap = |args: &[&str]| {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        ended
    };
    tap(&["demo", "--agents", "3", "--capture", "recorded"]);
    let key = ["--stable-tokens", "tokens.key"];
    tap(&[&["share", "recorded", "-o", "whole.zip"][..], &key].concat());
    let report = |args: &[&str]| -> Value {
        serde_json::from_str(&tap(&[&["report", "--format", "json"][..], args].concat()).stdout).unwrap()
    };
    let whole = report(&["whole.zip"]);
    assert_eq!(whole["sessions"].as_array().unwrap().len(), 3);
    for session in whole["sessions"].as_array().unwrap() {
        let (id, token) = (session["id"].as_str().unwrap(), session["user"].as_str().unwrap());
        let login = tap(&["resolve", token, "--key", "tokens.key"]).stdout;
        let login = login.trim_end().rsplit('\t').next().unwrap().to_owned();
        for pick in [&["--user", &login][..], &["--filter", &format!("session {id}")]] {
            tap(&[&["share", "recorded", "-o", "one.zip"][..], pick, &key].concat());
            let (mut of_bundle, mut of_whole) = (report(&["one.zip"]), report(&["whole.zip", "--user", token]));
            assert_eq!(of_bundle["totals"]["lines_missing"], 0, "{pick:?}");
            for report in [&mut of_bundle, &mut of_whole] {
                without_places(report);
            }
            assert_eq!(of_bundle["sessions"], of_whole["sessions"], "{pick:?}");
            assert_eq!(of_bundle["findings"], of_whole["findings"], "{pick:?}");
            let text = tap(&["report", "one.zip"]).stdout;
            assert!(text.contains("picked") && !text.contains("missing event"), "{text}");
        }
    }
}

#[test]
fn a_bundle_is_for_people_and_opens_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let tap = |args: &[&str]| {
        let ended = run(dir.path(), args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        ended
    };
    tap(&["demo", "--capture", "recorded"]);
    tap(&["share", "recorded", "-o", "case.zip", "--with", "har,pcapng"]);
    let mut zip = zip::ZipArchive::new(fs::File::open(dir.path().join("case.zip")).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    for name in ["captures/0001.ndjson", "report.html", "capture.har", "capture.pcapng", "README.txt", "manifest.json"]
    {
        assert!(names.iter().any(|found| found == name), "{name} is not in {names:?}");
    }
    let mut page = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("report.html").unwrap(), &mut page).unwrap();
    // The demo's agent and server, of whom nothing is left.
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("u-") && !page.contains("1001"),
        "names are in the page"
    );
    // A packet capture inside of an archive is said not to be looked at, so it is left out here.
    tap(&["share", "recorded", "-o", "clean.zip", "--with", "har"]);
    tap(&["scan", "clean.zip", "--for", "share"]);
    tap(&["export", "text", "case.zip", "-o", "-"]);
    for note in ["agent 1001 cannot log in", "ask ann@example.com"] {
        let refused = run(dir.path(), &["share", "recorded", "-o", "noted.zip", "--note", note]);
        assert!(refused.code == Some(1) && refused.stderr.contains("--note"), "{note}: {}", refused.stderr);
    }
    tap(&["share", "recorded", "-o", "noted.zip", "--note", "the login hangs since the update"]);
}

#[test]
fn runs_are_told_and_chosen_and_an_import_is_not_doubled() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(run(dir.path(), &["demo", "--capture", "captures"]).code, Some(0));
    }
    // The usual directory need not be named.
    let both = run(dir.path(), &["report"]);
    assert!(
        both.code == Some(0) && both.stderr.contains("2 runs: ") && both.stderr.contains("--run last"),
        "{}",
        both.stderr
    );
    let count = |args: &[&str]| -> usize {
        let ended = run(dir.path(), &[&["report", "--format", "json"][..], args].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str::<Value>(&ended.stdout).unwrap()["runs"].as_array().unwrap().len()
    };
    assert_eq!((count(&[]), count(&["--run", "last"])), (2, 1));
    let none = run(dir.path(), &["report", "--run", "zzz"]);
    assert!(none.code == Some(1) && none.stderr.contains("hint: there are 01"), "{}", none.stderr);

    assert_eq!(run(dir.path(), &["export", "har", "--run", "last", "-o", "desktop.har"]).code, Some(0));
    assert_eq!(run(dir.path(), &["import", "desktop.har"]).code, Some(0));
    assert!(dir.path().join("desktop-captures").is_dir(), "an import has a directory of its own");
    let again = run(dir.path(), &["import", "desktop.har"]);
    assert!(
        again.code == Some(1) && again.stderr.contains("holds a capture of desktop.har already"),
        "{}",
        again.stderr
    );
    let wrong = run(dir.path(), &["report", "--filter", "agent 1001 and updates"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("at character 16"), "{}", wrong.stderr);
}
