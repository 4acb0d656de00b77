//! A hosts file with our lines in it, or without them again.
//!
//! Our lines stand between two markers; every other byte stays what it was, and taking ours out gives the file as it was
//! before. The change appears at once where the file system can rename, and a backup is made first. Knows no routes: it is
//! given addresses with names. Limits: files up to [`MAX_FILE_BYTES`].

mod text;

pub use text::{Torn, with, without};

use anyhow::{Context as _, anyhow, ensure};
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Largest hosts file that is touched, bytes.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// One line: an address and the names that lead to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Where the names lead.
    pub address: IpAddr,
    /// DNS names; not empty.
    pub names: Vec<String>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.address, self.names.join(" "))
    }
}

/// A change to a hosts file that has been thought out and not made.
pub struct Plan {
    /// The file itself, not a link to it.
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
    /// Whether our lines are in the file as it is.
    ours_are_in: bool,
}

/// What a change came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// It was as wanted already.
    Nothing,
    /// Changed; the file as it was without our lines is here, if it was made now or before.
    Changed(PathBuf),
}

/// A change could not be made for lack of rights.
#[derive(Debug, thiserror::Error)]
#[error("no right to change {}: {cause}", path.display())]
pub struct NoRight {
    path: PathBuf,
    cause: io::Error,
}

/// Where this system keeps its hosts file.
#[must_use]
pub fn system_file() -> PathBuf {
    if cfg!(windows) {
        let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        return PathBuf::from(root).join(r"System32\drivers\etc\hosts");
    }
    PathBuf::from("/etc/hosts")
}

impl Plan {
    /// To have `lines` in the file and no others of ours; none takes all of ours out.
    ///
    /// # Errors
    /// The file cannot be read, or its markers are [`Torn`].
    pub fn new(path: &Path, lines: &[Line]) -> anyhow::Result<Self> {
        let path = plain(fs::canonicalize(path).with_context(|| format!("find {}", path.display()))?);
        let size = fs::metadata(&path).with_context(|| format!("read {}", path.display()))?.len();
        ensure!(size <= MAX_FILE_BYTES, "{} is larger than {MAX_FILE_BYTES} bytes", path.display());
        let before = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let bare = without(&before).map_err(|torn| {
            anyhow!("{}: {torn}\nhint: take the lines of finesse-tap out by hand, and try again", path.display())
        })?;
        let ours_are_in = bare != before;
        let after = if lines.is_empty() { bare } else { with(&bare, lines) };
        Ok(Self { path, before, after, ours_are_in })
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.before == self.after
    }

    /// Makes the change.
    ///
    /// # Errors
    /// [`NoRight`], or any other trouble with the file, the backup or the directory.
    pub fn make(&self) -> anyhow::Result<Done> {
        if self.is_idle() {
            return Ok(Done::Nothing);
        }
        let now = fs::read(&self.path).with_context(|| format!("read {}", self.path.display()))?;
        ensure!(now == self.before, "{} has changed in the meantime\nhint: try again", self.path.display());
        let backup = beside(&self.path, ".finesse-tap.bak");
        // With our lines in it, it is no state to go back to.
        if !self.ours_are_in {
            self.put(&backup, &self.before)?;
        }
        self.put(&self.path, &self.after)?;
        Ok(Done::Changed(backup))
    }

    /// Puts a whole file in a place, at once where that is possible.
    fn put(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let fresh = beside(path, &format!(".{}", std::process::id()));
        let renamed = self.write(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
        let Err(error) = renamed else { return Ok(()) };
        let _ = fs::remove_file(&fresh);
        let irreplaceable = matches!(
            error.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::ResourceBusy
                | ErrorKind::CrossesDevices
                | ErrorKind::AlreadyExists
        );
        if !irreplaceable {
            // Written over, the file of a full disk would be left with half of its lines, or none.
            return Err(anyhow::Error::new(error).context(format!("write {}", path.display())));
        }
        tracing::debug!(%error, path = %path.display(), "cannot be replaced, so it is written over");
        // A file that is mounted by itself, as in containers, can be written but not replaced.
        fs::write(path, bytes).map_err(|cause| match cause.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                anyhow::Error::new(NoRight { path: self.path.clone(), cause })
            }
            _ => anyhow::Error::new(cause).context(format!("write {}", path.display())),
        })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        file.set_permissions(fs::metadata(&self.path)?.permissions())?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

/// A path as people write it: Windows puts `\\?\` before those it has found out.
fn plain(path: PathBuf) -> PathBuf {
    let bare = path.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    match bare.filter(|text| text.as_bytes().get(1) == Some(&b':')) {
        Some(bare) => PathBuf::from(bare),
        None => path,
    }
}

fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(more);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        vec![Line {
            address: IpAddr::from([127, 0, 0, 1]),
            names: vec!["a.example.test".into(), "b.example.test".into()],
        }]
    }

    #[test]
    fn a_change_is_made_with_a_backup_and_undone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts");
        let text = b"127.0.0.1 localhost\n# caf\xe9\n";
        fs::write(&path, text).unwrap();
        let plan = Plan::new(&path, &lines()).unwrap();
        assert!(!plan.is_idle());
        assert_eq!(fs::read(&path).unwrap(), text, "thinking changes nothing");
        let Done::Changed(backup) = plan.make().unwrap() else { panic!() };
        assert_eq!(fs::read(&backup).unwrap(), text);
        let changed = fs::read(&path).unwrap();
        assert!(changed.starts_with(text) && changed.ends_with(b"\n"), "{}", String::from_utf8_lossy(&changed));
        assert_eq!(Plan::new(&path, &lines()).unwrap().make().unwrap(), Done::Nothing);
        let one = vec![Line { names: vec!["c.example.test".into()], ..lines().remove(0) }];
        Plan::new(&path, &one).unwrap().make().unwrap();
        let again = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(again.contains("127.0.0.1 c.example.test\n") && !again.contains("a.example.test"), "{again}");
        assert_eq!(fs::read(&backup).unwrap(), text, "the backup is the file without us");
        Plan::new(&path, &[]).unwrap().make().unwrap();
        assert_eq!(fs::read(&path).unwrap(), text);
        assert_eq!(Plan::new(&path, &[]).unwrap().make().unwrap(), Done::Nothing);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left behind");
    }

    #[test]
    fn paths_are_told_as_people_write_them() {
        for (found, told) in [
            (r"\\?\C:\Windows\System32\drivers\etc\hosts", r"C:\Windows\System32\drivers\etc\hosts"),
            (r"\\?\UNC\server\share\hosts", r"\\?\UNC\server\share\hosts"),
            ("/etc/hosts", "/etc/hosts"),
        ] {
            assert_eq!(plain(PathBuf::from(found)), Path::new(told));
        }
    }

    #[cfg(unix)]
    #[test]
    fn rights_and_links_stay_what_they_are() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("real"), dir.path().join("hosts"));
        fs::write(&path, "x\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        Plan::new(&link, &lines()).unwrap().make().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::read_to_string(&path).unwrap().contains("a.example.test"));
        assert!(Plan::new(&dir.path().join("none"), &[]).is_err());
    }
}
