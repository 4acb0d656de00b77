//! A directory that lives as long as one browser, and what that browser said last.
//!
//! What the browser says goes into a file that this program and, as its standard error, the browser keep locked: on Unix a
//! profile that nobody holds any more is what a killed program left, and the next one deletes it.

use anyhow::{Context as _, anyhow};
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

/// Where the browser's standard error goes, in its profile.
const SAID: &str = "finesse-tap-stderr.txt";

/// Most of it that is read for the last words, bytes.
const LAST_BYTES: u64 = 4_096;

/// Longest last words, bytes.
const WORDS_BYTES: usize = 300;

/// How often deleting is tried, and how long to wait between. The browser's helpers outlive it for a moment, writing.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// What the names of profiles begin with.
const PREFIX: &str = "finesse-tap-browser-";

/// A throwaway profile, readable by its owner only.
pub(super) struct Profile {
    /// Closed before the directory goes: on Windows it could not go otherwise.
    said: File,
    dir: TempDir,
}

impl Profile {
    /// A new directory below `parent`, which is made if it is not there; below the system's temporary one unless given.
    pub(super) fn create(parent: Option<&Path>) -> anyhow::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        #[cfg(unix)]
        sweep(&parent);
        let make = || -> io::Result<Self> {
            fs::create_dir_all(&parent)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(PREFIX);
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let dir = builder.tempdir_in(&parent)?;
            Ok(Self { said: held(&dir.path().join(SAID))?, dir })
        };
        make().with_context(|| format!("make a profile for the browser in {}", parent.display()))
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The file for what the browser says on standard error.
    pub(super) fn said(&self) -> io::Result<File> {
        self.said.try_clone()
    }

    /// The last line that the browser said, if it said something.
    pub(super) fn last_words(&self) -> Option<String> {
        let mut file = File::open(self.path().join(SAID)).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES))).ok()?;
        let mut bytes = vec![0; usize::try_from(length.min(LAST_BYTES)).ok()?];
        file.read_exact(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        Some(line.get(..line.floor_char_boundary(WORDS_BYTES)).unwrap_or_default().to_owned())
    }

    /// Deletes it.
    pub(super) async fn delete(self) -> anyhow::Result<()> {
        let Self { said, dir } = self;
        drop(said);
        let mut tried = 0;
        loop {
            match fs::remove_dir_all(dir.path()) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) if tried >= ATTEMPTS => {
                    let path = dir.keep();
                    return Err(anyhow!(
                        "the browser's profile {} cannot be deleted: {error}\nhint: delete it by hand: cookies of the session are in it",
                        path.display()
                    ));
                }
                Err(_) => {}
            }
            tried += 1;
            sleep(PAUSE).await;
        }
    }
}

/// Makes a file and locks it for whoever has it open. It appears under its name when that is done.
#[cfg(unix)]
fn held(path: &Path) -> io::Result<File> {
    let unlocked = path.with_extension("new");
    let file = File::create(&unlocked)?;
    if let Err(error) = file.try_lock() {
        tracing::debug!(%error, "if this program is killed, the browser's profile stays");
    }
    fs::rename(&unlocked, path)?;
    Ok(file)
}

/// A lock on Windows would keep the browser from writing.
#[cfg(not(unix))]
fn held(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Deletes the profiles in `parent` that are this user's and held by nobody.
#[cfg(unix)]
fn sweep(parent: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_profile = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|entry| entry.is_dir() && entry.uid() == user);
        let is_held = || !File::open(entry.path().join(SAID)).is_ok_and(|said| said.try_lock().is_ok());
        if is_profile && !is_held() && fs::remove_dir_all(entry.path()).is_ok() {
            tracing::info!(profile = %entry.path().display(), "deleted what a killed finesse-tap left");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[tokio::test]
    async fn a_profile_goes_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let profile = Profile::create(Some(&parent.path().join("new/parent"))).unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(profile.path()).unwrap()) & 0o777, 0o700);
        assert_eq!(profile.last_words(), None);
        let mut said = profile.said().unwrap();
        write!(said, "{}\n[1:ERROR] no \u{1b}[1mdisplay\n\n", "x".repeat(10_000)).unwrap();
        assert_eq!(profile.last_words().as_deref(), Some("[1:ERROR] no [1mdisplay"));
        drop(said);
        fs::create_dir_all(profile.path().join("Default/Cache")).unwrap();
        let path = profile.path().to_owned();
        profile.delete().await.unwrap();
        assert!(!path.exists());
    }
}
