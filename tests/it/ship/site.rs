//! A directory with captures of known events and the secrets of the stand-ins, and what has to arrive of them.

use crate::support::bulk::{API_KEY, Bulk};
use crate::support::hec::{Hec, TOKEN};
use crate::support::program::{Ended, Program, run};
use crate::support::receiver::Receiver;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub struct Site(TempDir);

impl Site {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("captures")).unwrap();
        let site = Self(dir);
        site.secret("token", TOKEN);
        site.secret("key", API_KEY);
        site
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, number: u32) -> PathBuf {
        let name = format!("finesse-lab.example-20260115T091240Z-01KA9S3Q7E4M8W2Y6Z0T5R1NBC-{number:04}.ndjson");
        self.path("captures").join(name)
    }

    pub fn secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Appends events to a file.
    pub fn write(&self, file: u32, numbers: RangeInclusive<u64>) {
        let text: String = numbers.map(|number| event(number) + "\n").collect();
        self.append(file, &text);
    }

    pub fn append(&self, file: u32, text: &str) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.file(file)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub fn compress(&self, file: u32) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&std::fs::read(self.file(file)).unwrap()).unwrap();
        let path = self.file(file);
        std::fs::write(path.with_extension("ndjson.gz"), encoder.finish().unwrap()).unwrap();
        std::fs::remove_file(path).unwrap();
    }

    /// Removes what shippers keep.
    pub fn forget(&self) {
        for path in self.kept("") {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// Files of shippers whose name ends so.
    pub fn kept(&self, end: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("captures")).unwrap().map(|entry| entry.unwrap().path());
        let is_kept = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(".ship-") && name.ends_with(end)
        };
        entries.filter(is_kept).collect()
    }

    pub fn splunk(splunk: &Receiver<Hec>, more: &[&str]) -> Vec<String> {
        let (url, token) = (splunk.url(), "token");
        let args = ["ship", "captures", "--splunk", &url, "--splunk-token-file", token];
        args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }

    pub fn elastic(elastic: &Receiver<Bulk>, more: &[&str]) -> Vec<String> {
        let url = elastic.url();
        let args = ["ship", "captures", "--elastic", &url, "--elastic-api-key-file", "key"];
        args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }

    pub fn start(&self, args: &[String]) -> Program {
        Program::start(self.dir(), &args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn run(&self, args: &[String]) -> Ended {
        let ended = run(self.dir(), &args.iter().map(String::as_str).collect::<Vec<_>>());
        let secrets = [TOKEN, API_KEY, "key-canary"];
        assert!(!secrets.iter().any(|secret| ended.stderr.contains(secret)), "{}", ended.stderr);
        ended
    }

    pub fn ship_to_splunk(&self, splunk: &Receiver<Hec>, more: &[&str]) -> Ended {
        self.run(&Self::splunk(splunk, more))
    }

    pub fn ship_to_elastic(&self, elastic: &Receiver<Bulk>, more: &[&str]) -> Ended {
        self.run(&Self::elastic(elastic, more))
    }

    /// These events and no other, each as it was written.
    pub fn assert_indexed(&self, splunk: &Receiver<Hec>, numbers: RangeInclusive<u64>) {
        let contract = splunk.contract.lock().unwrap();
        let found = contract.events.iter().map(|(id, (line, _))| (id.clone(), line.clone()));
        assert_complete(found, numbers);
    }

    /// These events and no other, each as it was written.
    pub fn assert_stored(&self, elastic: &Receiver<Bulk>, numbers: RangeInclusive<u64>) {
        let contract = elastic.contract.lock().unwrap();
        assert_complete(contract.documents.iter().map(|(id, line)| (id.clone(), line.clone())), numbers);
    }
}

fn assert_complete(found: impl Iterator<Item = (String, String)>, numbers: RangeInclusive<u64>) {
    let mut count = 0;
    for (id, line) in found {
        let number: u64 = id.strip_prefix("01KA9S3Q7E4M8W2Y6Z0T5R1NBC-").unwrap().parse().unwrap();
        assert!(numbers.contains(&number), "{id}");
        assert_eq!(line, event(number));
        count += 1;
    }
    assert_eq!(count, numbers.end() + 1 - numbers.start(), "events that arrived");
}

/// The line of an event, without its LF, with what escapes and what does not.
pub fn event(number: u64) -> String {
    let pad = "<presence to='a&amp;b'/>".repeat(usize::try_from(number % 23).unwrap());
    format!(
        r#"{{"@timestamp":"2026-01-15T09:12:40.{:06}Z","event":{{"sequence":{number},"id":"01KA9S3Q7E4M8W2Y6Z0T5R1NBC-{number}","action":"xmpp-stanza"}},"message":"\"№{number}\" \\ \u0001","finesse":{{"xml":"{pad}"}},"ecs":{{"version":"8.17.0"}}}}"#,
        number % 1_000_000
    )
}
