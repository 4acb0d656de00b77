//! Captures and bundles that 0.1.0 wrote (`tests/captures-0.1.0`): read, reported, exported and shared without loss.

use super::share::bundle;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const FIXTURES: &str = "tests/captures-0.1.0";

fn program(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_finesse-tap")).args(args).current_dir(dir).output().unwrap()
}

fn all() -> Vec<PathBuf> {
    let inside = |folder: &str| std::fs::read_dir(Path::new(FIXTURES).join(folder)).unwrap();
    let paths = inside("").chain(inside("faults")).map(|entry| std::path::absolute(entry.unwrap().path()).unwrap());
    let mut captures: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "gz")).collect();
    captures.sort();
    assert!(captures.len() > 35, "the fixtures are gone");
    captures
}

fn events(capture: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(capture).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Codes and names of facts of every finding.
fn findings(events: &[Value]) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let finding = |event: &Value| {
        let finding = &event["finesse"]["finding"];
        let facts = finding["facts"].as_array().into_iter().flatten().map(|fact| text(&fact["name"])).collect();
        (text(&finding["code"]), facts)
    };
    events.iter().filter(|event| event["event"]["action"] == "finding").map(finding).collect()
}

#[test]
fn every_capture_is_reported_with_its_findings() {
    let dir = TempDir::new().unwrap();
    for capture in all() {
        let report = program(dir.path(), &["report", capture.to_str().unwrap(), "--format", "json"]);
        let told = String::from_utf8_lossy(&report.stderr).into_owned();
        assert!(!told.contains("error") && !told.contains("left out"), "{}: {told}", capture.display());
        let text = String::from_utf8(report.stdout).unwrap();
        for (code, _) in findings(&events(&capture)) {
            assert!(text.contains(&format!("\"{code}\"")), "{}: {code} is not in the report", capture.display());
        }
    }
}

#[test]
fn every_capture_is_exported_whole() {
    let dir = TempDir::new().unwrap();
    for capture in all() {
        for form in ["text", "har"] {
            let exported = program(dir.path(), &["export", form, capture.to_str().unwrap(), "-o", "-"]);
            let told = String::from_utf8_lossy(&exported.stderr).into_owned();
            assert!(exported.status.success() && !told.contains("left out"), "{}: {told}", capture.display());
            assert!(!exported.stdout.is_empty());
        }
    }
}

#[test]
fn every_capture_is_shared_with_each_event_and_each_fact() {
    let dir = TempDir::new().unwrap();
    // A bundle of `minimal` holds less than `share` would; it is not shared again.
    for capture in all() {
        let path = capture.to_str().unwrap();
        let level = if path.contains("minimal") { "minimal" } else { "share" };
        let shared = program(dir.path(), &["share", path, "-o", "x.zip", "--level", level]);
        let told = String::from_utf8_lossy(&shared.stderr).into_owned();
        assert!(shared.status.success() && !told.contains("left out"), "{path}: {told}");
        let text = bundle(&dir.path().join("x.zip")).remove("captures/0001.ndjson").unwrap();
        let kept: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let before = events(&capture);
        let count = |events: &[Value]| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for event in events {
                *counts.entry(event["event"]["action"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            counts
        };
        assert_eq!(count(&before), count(&kept), "{path}: events");
        // A sentence of the server's may go; what it is about stays on the line that is named as evidence.
        let without = |findings: Vec<(String, Vec<String>)>| -> Vec<_> {
            let sentence = |name: &String| matches!(&**name, "message" | "text");
            findings
                .into_iter()
                .map(|(code, facts)| (code, facts.into_iter().filter(|fact| !sentence(fact)).collect::<Vec<_>>()))
                .collect()
        };
        assert_eq!(without(findings(&before)), without(findings(&kept)), "{path}: findings");
    }
}
