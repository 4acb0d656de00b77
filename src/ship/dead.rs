//! Dead letters: what no receiver will ever take, in a file with the reason, so that nothing disappears in silence.
//!
//! `.ship-<receiver>.dead.ndjson` beside the checkpoint, mode 0640, one JSON object a line with `receiver`, `file`, `offset`,
//! `reason` and the `event`, or `text` where the line is none. Its content comes from the capture, so it is redacted as that
//! is. Synced before the checkpoint passes it by; after a crash in between it may hold a letter twice.

use super::checkpoint::private;
use crate::stored::is_torn;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Longest part of a line that is no event, bytes: it may be anything of any length.
const TEXT_MAX_BYTES: usize = 64 << 10;

/// A line that will not be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Letter {
    /// The capture file.
    pub(super) file: String,
    /// Where the line begins or, for an event, before where it ends, bytes.
    pub(super) offset: u64,
    /// Why.
    pub(super) reason: String,
    /// The line.
    pub(super) line: Bytes,
}

/// The file of one receiver.
#[derive(Debug)]
pub(super) struct DeadLetters {
    path: PathBuf,
    receiver: String,
}

#[derive(Serialize)]
struct Written<'a> {
    receiver: &'a str,
    file: &'a str,
    offset: u64,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
}

impl DeadLetters {
    /// Made with the first letter.
    pub(super) fn new(dir: &Path, hash: &str, receiver: &str) -> Self {
        Self { path: dir.join(format!(".ship-{hash}.dead.ndjson")), receiver: receiver.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends letters and syncs them.
    pub(super) fn append(&self, letters: &[Letter]) -> io::Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut file = private(OpenOptions::new().create(true).read(true).append(true)).open(&self.path)?;
        let mut bytes = Vec::new();
        if is_torn(&mut file)? {
            bytes.push(b'\n');
        }
        for letter in letters {
            let event = std::str::from_utf8(&letter.line).ok().and_then(|text| serde_json::from_str(text).ok());
            let text = event
                .is_none()
                .then(|| String::from_utf8_lossy(letter.line.get(..TEXT_MAX_BYTES).unwrap_or(&letter.line)));
            let (file, reason) = (letter.file.as_str(), letter.reason.as_str());
            let written = Written { receiver: &self.receiver, file, offset: letter.offset, reason, event, text };
            serde_json::to_writer(&mut bytes, &written)?;
            bytes.push(b'\n');
        }
        file.write_all(&bytes)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(line: &'static str) -> Letter {
        Letter { file: "f".into(), offset: 7, reason: "why".into(), line: Bytes::from_static(line.as_bytes()) }
    }

    #[test]
    fn letters_are_whole_lines_even_behind_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let dead = DeadLetters::new(dir.path(), "aa", "splunk https://s");
        dead.append(&[]).unwrap();
        assert!(!dead.path().exists());
        dead.append(&[letter("{\"a\": 1}"), letter("{\"torn")]).unwrap();
        std::fs::OpenOptions::new().append(true).open(dead.path()).unwrap().write_all(b"{\"half").unwrap();
        dead.append(&[letter("{}")]).unwrap();
        let text = std::fs::read_to_string(dead.path()).unwrap();
        let lines: Vec<Option<serde_json::Value>> = text.lines().map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0].as_ref().unwrap()["event"]["a"], 1);
        assert_eq!(lines[1].as_ref().unwrap()["text"], "{\"torn");
        assert!(lines[2].is_none());
        assert_eq!(lines[3].as_ref().unwrap()["reason"], "why");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let dead = DeadLetters::new(dir.path(), "aa", "x");
        dead.append(&[letter("{}")]).unwrap();
        assert_eq!(dead.path().metadata().unwrap().permissions().mode() & 0o027, 0);
    }
}
