//! The key that tokens, or traces, are made with, in a file readable by its owner only (on Windows: by whom the directory lets).
//!
//! What its tokens stand for is in the [`index`](super::index) beside it. Neither is ever part of a bundle.

use crate::capture::token::Key;
use crate::stored::{Readers, refuse_other_readers};
use anyhow::Context as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Longest key file read, bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// Reads the key in `path`; makes one there if there is none.
///
/// # Errors
/// It cannot be read or made, is no key, or others may read it.
pub fn open(path: &Path) -> anyhow::Result<Key> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        opened => in_file(opened, path),
    }
}

fn in_file(opened: io::Result<File>, path: &Path) -> anyhow::Result<Key> {
    let file = opened.with_context(|| format!("read {}", path.display()))?;
    refuse_other_readers(&file, path, Readers::Owner)?;
    let mut text = String::new();
    file.take(MAX_KEY_BYTES).read_to_string(&mut text).with_context(|| format!("read {}", path.display()))?;
    read(&text).with_context(|| {
        format!(
            "{} is no key of finesse-tap\nhint: name one that --stable-tokens made, or a path where there is nothing yet",
            path.display()
        )
    })
}

fn make(path: &Path) -> anyhow::Result<Key> {
    let mut key = Key::random().ok().context("the system gives no random numbers")?;
    key.case = ulid::Ulid::generate().to_string();
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    }
    let hex: String = key.master.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "# finesse-tap key: whoever has it can test guesses against what was made with it. Keep it; never hand it out.\ncase {}\nkey {hex}\n",
        key.case
    );
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", key.case));
    let aside = PathBuf::from(aside);
    let write = || -> io::Result<()> {
        let mut file = create_private(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // Whole or not at all; and unlike a rename, a link never takes the place of a key that another has just made.
        fs::hard_link(&aside, path)
    };
    let written = write();
    let _ = fs::remove_file(&aside);
    match written {
        // Of a link that leads nowhere this is an error, as it is not made through one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => in_file(File::open(path), path),
        written => written.with_context(|| format!("make {}", path.display())).map(|()| key),
    }
}

fn read(text: &str) -> Option<Key> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::trim);
    let hex = field("key")?;
    let mut master = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in master.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(Key { master, case: field("case")?.to_owned() })
}

fn create_private(path: &Path) -> io::Result<File> {
    private_options().write(true).create_new(true).open(path)
}

/// Opens a file to read and append to, or makes it.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    private_options().read(true).append(true).create(true).open(path)
}

fn private_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "its twin sets the mode"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokens.key");
        std::os::unix::fs::symlink(dir.path().join("gone"), &path).unwrap();
        assert!(open(&path).is_err_and(|error| format!("{error:#}").contains("tokens.key")));
        assert_eq!(dir.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn whoever_begins_at_the_same_time_has_the_same_key() {
        for _ in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("session.key");
            let barrier = Barrier::new(8);
            let keys: Vec<Key> = std::thread::scope(|scope| {
                let begin = || {
                    barrier.wait();
                    open(&path).unwrap()
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let kept = open(&path).unwrap();
            assert!(keys.iter().all(|key| key.master == kept.master && key.case == kept.case));
            assert_eq!(dir.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
        }
    }
}
