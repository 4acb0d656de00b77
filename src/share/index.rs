//! What tokens stand for, in a file beside their key, while they are made: for a bundle, a live run and an import alike.
//!
//! `KEYFILE.index` is one JSON array a line, `[token, kind, value]`, only ever appended to, readable by its owner only (on
//! Windows: by whom the directory lets), and never part of a bundle. A thread of its own writes it, so that whoever makes
//! tokens does not wait for a disk. Limits: `MAX_INDEX_BYTES` are read.

use super::key::open_private;
use crate::capture::token::Note;
use crate::stored::{Readers, is_torn, refuse_other_readers};
use anyhow::{Context as _, anyhow, bail};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Longest index read, bytes.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// An index that is being added to.
pub struct Index {
    path: PathBuf,
    notes: Sender<Note>,
    writer: JoinHandle<io::Result<()>>,
}

impl Index {
    /// Opens the index beside `key`, or makes it.
    ///
    /// # Errors
    /// It cannot be read or written, or others may read it.
    pub fn beside(key: &Path) -> anyhow::Result<Self> {
        let path = index_path(key);
        let mut known = HashSet::new();
        let file = open_private(&path).with_context(|| format!("write {}", path.display()))?;
        refuse_other_readers(&file, &path, Readers::Owner)?;
        known.extend(read(key)?.into_keys());
        let (notes, received) = channel();
        let write = move || write(&received, file, &mut known);
        let writer =
            std::thread::Builder::new().name(String::from("index")).spawn(write).context("start the index's thread")?;
        Ok(Self { path, notes, writer })
    }

    /// Where tokens are told.
    #[must_use]
    pub fn notes(&self) -> Sender<Note> {
        self.notes.clone()
    }

    /// Waits until everybody who got [`notes`](Self::notes) is gone and everything is on disk.
    ///
    /// # Errors
    /// It could not be written.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self { path, notes, writer } = self;
        drop(notes);
        let written = writer.join().map_err(|_| anyhow!("the index's thread failed"))?;
        written.with_context(|| format!("write {}", path.display()))
    }
}

/// What tokens stood for, as kind and value by token, from the index beside `key`.
///
/// # Errors
/// There is no index, or it cannot be read.
pub fn read(key: &Path) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let path = index_path(key);
    let size = fs::metadata(&path).with_context(|| format!("read {}", path.display()))?.len();
    if size > MAX_INDEX_BYTES {
        bail!("{} is larger than {MAX_INDEX_BYTES} bytes", path.display());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut index = BTreeMap::new();
    for line in text.lines() {
        // A line that was cut off by a full disk or a crash is no reason to lose the others.
        if let Ok([token, kind, value]) = serde_json::from_str::<[String; 3]>(line) {
            index.insert(token, (kind, value));
        }
    }
    Ok(index)
}

/// Where the index of a key lies.
#[must_use]
pub fn index_path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".index");
    PathBuf::from(name)
}

fn write(received: &Receiver<Note>, mut file: File, known: &mut HashSet<String>) -> io::Result<()> {
    let mut batch = Vec::new();
    if is_torn(&mut file)? {
        batch.push(b'\n');
    }
    while let Ok(note) = received.recv() {
        for note in std::iter::once(note).chain(received.try_iter()) {
            if known.insert(note.token.clone()) {
                serde_json::to_writer(&mut batch, &[&note.token, note.kind.as_str(), &note.value])?;
                batch.push(b'\n');
            }
        }
        // Whole lines at once: another run may use the same key.
        match file.write_all(&batch) {
            Ok(()) => batch.clear(),
            Err(error) => {
                tracing::warn!(%error, "the index of tokens cannot be written; tried again with the next token");
                // Part of a line may stand there.
                if batch.first() != Some(&b'\n') {
                    batch.insert(0, b'\n');
                }
            }
        }
    }
    file.write_all(&batch)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::token::{Key, Kind, Tokens};

    #[test]
    fn what_is_noted_is_found_again_once_and_in_spite_of_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("t.key");
        let mut tokens = Vec::new();
        for (round, value) in ["ann", "ann", "bob"].into_iter().enumerate() {
            let index = Index::beside(&key).unwrap();
            let case = Key { master: [3; 32], case: "x".into() };
            let mut made = Tokens::of(&case).unwrap().noting(index.notes());
            tokens.push(made.token(Kind::Login, value));
            assert!(made.token(Kind::Login, value).starts_with("u-"));
            drop(made);
            index.finish().unwrap();
            if round == 1 {
                let mut file = fs::OpenOptions::new().append(true).open(index_path(&key)).unwrap();
                file.write_all(b"[\"torn").unwrap();
            }
        }
        let found = read(&key).unwrap();
        assert_eq!(found[&tokens[0]], ("login".into(), "ann".into()));
        assert_eq!(found[&tokens[2]], ("login".into(), "bob".into()));
        assert_eq!(fs::read_to_string(index_path(&key)).unwrap().lines().count(), 3);
    }
}
