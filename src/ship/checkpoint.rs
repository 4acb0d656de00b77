//! How far each receiver has come: `.ship-<receiver>.json` beside the captures, replaced as a whole after its word.
//!
//! For every capture file the offset behind the last line the receiver has, and that line's id. Written aside, synced and
//! renamed, so that a crash leaves the old one or the new one. Several files are listed because several runs may write
//! into one directory at once. A lock keeps a second shipper for the same receiver away.

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Files beyond this number are forgotten if they have gone: a directory that is away for a while must not be sent again.
const REMEMBERED_MAX: usize = 20_000;
/// Longest checkpoint that is read, bytes.
const FILE_MAX_BYTES: u64 = 64 << 20;
const VERSION: u32 = 1;

/// How far into one capture file a receiver has come.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Behind the last line delivered, bytes; of a compressed file within its content.
    pub offset: u64,
    /// `event.id` of that line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Length of the compressed file whose end was reached.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gz_bytes: Option<u64>,
}

/// Positions by capture file, named without `.gz`.
pub type Positions = BTreeMap<String, Position>;

/// One receiver's checkpoint, locked for this process.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    captures: PathBuf,
    content: Content,
    /// Number of files at which those that have gone are looked for.
    prune_at: usize,
    _lock: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// For people.
    receiver: String,
    files: Positions,
}

impl Checkpoint {
    /// Takes the lock and reads the checkpoint; without one, makes it, so that others know who reads these files.
    pub(super) fn open(dir: &Path, captures: &Path, hash: &str, receiver: &str) -> anyhow::Result<Self> {
        let lock_path = dir.join(format!(".ship-{hash}.lock"));
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&lock_path)
            .with_context(|| format!("keep a checkpoint in {}", dir.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another shipper delivers {} to {receiver}\nhint: end that one first; it holds {}",
                dir.display(),
                lock_path.display()
            ),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(path = %lock_path.display(), %error, "no file locks here: see to it that one shipper runs");
            }
        }
        let path = dir.join(format!(".ship-{hash}.json"));
        let content = match read(&path)? {
            Some(content) => content,
            None => Content { version: VERSION, receiver: receiver.to_owned(), files: Positions::new() },
        };
        let captures = captures.to_owned();
        let mut checkpoint = Self { path, captures, content, prune_at: REMEMBERED_MAX, _lock: lock };
        checkpoint.save(&BTreeMap::new()).with_context(|| format!("write {}", checkpoint.path.display()))?;
        Ok(checkpoint)
    }

    pub(super) fn positions(&self) -> &Positions {
        &self.content.files
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves on to `ends` and puts that on disk.
    pub(super) fn save(&mut self, ends: &Positions) -> io::Result<()> {
        self.content.files.extend(ends.iter().map(|(name, position)| (name.clone(), position.clone())));
        self.prune();
        let aside = self.path.with_extension("json.new");
        let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&aside)?;
        file.write_all(&serde_json::to_vec(&self.content)?)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&aside, &self.path)?;
        sync_dir(&self.path)
    }
}

impl Checkpoint {
    /// Forgets files that have gone, once there are many, and never those that are there: they would be sent again.
    fn prune(&mut self) {
        if self.content.files.len() <= self.prune_at || !self.captures.is_dir() {
            return;
        }
        let is_there =
            |name: &str| self.captures.join(name).exists() || self.captures.join(format!("{name}.gz")).exists();
        self.content.files.retain(|name, _| is_there(name));
        self.prune_at = REMEMBERED_MAX.max(2 * self.content.files.len());
    }
}

/// For each capture file how far the receiver that is furthest behind has come; `None` if nobody ships from `dir`.
/// A file that a receiver has not begun is missing: nothing of it is delivered.
///
/// # Errors
/// The directory or a checkpoint cannot be read.
pub fn delivered(dir: &Path) -> anyhow::Result<Option<Positions>> {
    let mut least: Option<Positions> = None;
    for entry in dir.read_dir().with_context(|| format!("look for checkpoints in {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(".ship-") && name.ends_with(".json")) else {
            continue;
        };
        let Some(content) = read(&dir.join(name))? else { continue };
        least = Some(match least {
            None => content.files,
            Some(mut least) => {
                least.retain(|file, _| content.files.contains_key(file));
                for (file, position) in &mut least {
                    if let Some(other) = content.files.get(file).filter(|other| other.offset < position.offset) {
                        *position = other.clone();
                    }
                }
                least
            }
        });
    }
    Ok(least)
}

fn read(path: &Path) -> anyhow::Result<Option<Content>> {
    let bytes = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        Ok(metadata) => {
            ensure!(metadata.len() <= FILE_MAX_BYTES, "{} is too large for a checkpoint", path.display());
            std::fs::read(path).with_context(|| format!("read {}", path.display()))?
        }
    };
    let damaged = || {
        format!(
            "{} is no checkpoint of this version\nhint: remove it to deliver everything once more; Elasticsearch knows \
             the events by their id, in Splunk they would be there twice",
            path.display()
        )
    };
    let content: Content = serde_json::from_slice(&bytes).map_err(|_| anyhow::anyhow!(damaged()))?;
    ensure!(content.version == VERSION, damaged());
    Ok(Some(content))
}

/// The same options with mode 0640, less the umask.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o640);
    options
}

/// A rename is on disk when its directory is.
#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

/// Windows syncs no directories; its file system journals renames.
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path, hash: &str) -> anyhow::Result<Checkpoint> {
        Checkpoint::open(dir, dir, hash, "splunk https://s")
    }

    fn at(offset: u64) -> Position {
        Position { offset, id: Some(format!("R-{offset}")), gz_bytes: None }
    }

    fn ends(list: &[(&str, u64)]) -> Positions {
        list.iter().map(|(name, offset)| ((*name).to_owned(), at(*offset))).collect()
    }

    #[test]
    fn what_was_saved_is_there_after_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let mut checkpoint = open(dir.path(), "aa").unwrap();
        checkpoint.save(&ends(&[("one", 10), ("two", 20)])).unwrap();
        checkpoint.save(&ends(&[("two", 30)])).unwrap();
        drop(checkpoint);
        let checkpoint = open(dir.path(), "aa").unwrap();
        assert_eq!(*checkpoint.positions(), ends(&[("one", 10), ("two", 30)]));
        assert!(!dir.path().join(".ship-aa.json.new").exists());
    }

    #[test]
    fn what_a_crash_left_aside_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let mut checkpoint = open(dir.path(), "aa").unwrap();
        checkpoint.save(&ends(&[("one", 10)])).unwrap();
        drop(checkpoint);
        std::fs::write(dir.path().join(".ship-aa.json.new"), "{\"version\":1,\"rec").unwrap();
        let mut checkpoint = open(dir.path(), "aa").unwrap();
        assert_eq!(checkpoint.positions()["one"].offset, 10);
        checkpoint.save(&ends(&[("one", 11)])).unwrap();
    }

    #[test]
    fn only_files_that_have_gone_are_forgotten_and_only_when_there_are_many() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("there-1"), "").unwrap();
        std::fs::write(dir.path().join("there-2.gz"), "").unwrap();
        let mut checkpoint = open(dir.path(), "aa").unwrap();
        checkpoint.prune_at = 3;
        checkpoint.save(&ends(&[("gone-1", 1), ("there-1", 2), ("there-2", 3)])).unwrap();
        assert_eq!(checkpoint.positions().len(), 3);
        checkpoint.save(&ends(&[("gone-2", 4)])).unwrap();
        assert_eq!(*checkpoint.positions(), ends(&[("there-1", 2), ("there-2", 3)]));
    }

    #[test]
    fn a_second_shipper_for_the_same_receiver_is_turned_away() {
        let dir = tempfile::tempdir().unwrap();
        let _one = open(dir.path(), "aa").unwrap();
        let error = open(dir.path(), "aa").unwrap_err().to_string();
        assert!(error.contains("another shipper") && error.contains("hint:"), "{error}");
        open(dir.path(), "bb").unwrap();
    }

    #[test]
    fn a_damaged_checkpoint_is_an_error_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "{}", "{\"version\":2,\"receiver\":\"x\",\"files\":{}}"] {
            std::fs::write(dir.path().join(".ship-aa.json"), text).unwrap();
            let error = open(dir.path(), "aa").unwrap_err().to_string();
            assert!(error.contains("hint: remove it"), "{error}");
        }
    }

    #[test]
    fn a_file_is_delivered_as_far_as_the_last_receiver_has_it() {
        let dir = tempfile::tempdir().unwrap();
        assert!(delivered(dir.path()).unwrap().is_none());
        let mut one = open(dir.path(), "aa").unwrap();
        one.save(&ends(&[("f1", 10), ("f2", 20)])).unwrap();
        assert_eq!(delivered(dir.path()).unwrap().unwrap()["f2"].offset, 20);
        let mut other = open(dir.path(), "bb").unwrap();
        assert!(delivered(dir.path()).unwrap().unwrap().is_empty(), "the other has nothing yet");
        other.save(&ends(&[("f2", 5), ("f3", 1)])).unwrap();
        let least = delivered(dir.path()).unwrap().unwrap();
        assert_eq!(least.keys().collect::<Vec<_>>(), ["f2"]);
        assert_eq!(least["f2"].offset, 5);
    }
}
