//! What is made of captures, written aside: it appears when it is whole, and is no more readable than they are.
//!
//! Aside is a new file of a name that nobody can know before, so that a link or a file that lies in wait is neither followed
//! nor written to. Where a pipe or a device is named, it is written to as it is. Nothing is left of what gets no name.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file under way.
pub struct Aside {
    out: PathBuf,
    written: Written,
}

enum Written {
    /// Beside where it is to lie.
    New(NamedTempFile),
    /// A pipe or a device, which is written to and never replaced.
    Through(File),
}

impl Aside {
    /// Begins a file that is to lie at `out`, whatever file or link is there by then.
    ///
    /// # Errors
    /// Nothing can be made in its directory.
    pub fn create(out: &Path) -> io::Result<Self> {
        let is_special = std::fs::metadata(out).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        let written = if is_special {
            Written::Through(OpenOptions::new().write(true).open(out)?)
        } else {
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut builder = tempfile::Builder::new();
            builder.prefix(".finesse-tap-").suffix(".part");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640));
            Written::New(builder.tempfile_in(folder)?)
        };
        Ok(Self { out: out.to_owned(), written })
    }

    /// What to write to. All of these share one place in the file.
    ///
    /// # Errors
    /// The system gives no more handles.
    pub fn file(&self) -> io::Result<File> {
        match &self.written {
            Written::New(file) => file.as_file().try_clone(),
            Written::Through(file) => file.try_clone(),
        }
    }

    /// Gives it its name, once all of it is on the disk.
    ///
    /// # Errors
    /// It does not get there, or something that cannot be replaced has the name.
    pub fn name(self) -> io::Result<()> {
        let Written::New(file) = self.written else { return Ok(()) };
        file.as_file().sync_all()?;
        file.persist(&self.out).map(drop).map_err(|failed| failed.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write as _;

    fn write(out: &Path, text: &str) -> io::Result<()> {
        let aside = Aside::create(out)?;
        aside.file()?.write_all(text.as_bytes())?;
        aside.name()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("x");
        drop(Aside::create(&out).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        write(&out, "one").unwrap();
        write(&out, "two").unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("none/x"), "").is_err() && write(dir.path(), "").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_in_wait_is_neither_followed_nor_written_to() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (out, theirs) = (dir.path().join("x.zip"), dir.path().join("theirs"));
        fs::write(&theirs, "theirs").unwrap();
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o666)).unwrap();
        for wait in [&out, &dir.path().join("x.zip.part")] {
            symlink(&theirs, wait).unwrap();
        }
        write(&out, "ours").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
        let meta = fs::symlink_metadata(&out).unwrap();
        assert!(meta.is_file() && meta.mode() & 0o027 == 0, "{:o}", meta.mode());
        write(Path::new("/dev/null"), "away").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
