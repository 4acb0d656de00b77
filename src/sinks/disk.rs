//! What the file sink needs of a file system: create a file, write to it, notice that it has gone.
//!
//! [`Disk`] is the real one; tests bring a [`Medium`] that fills up on demand.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// What a file's other handles may do meanwhile (`CreateFileW`): read, and nothing else.
#[cfg(windows)]
const FILE_SHARE_READ: u32 = 1;

/// Where capture files are made.
pub trait Medium {
    /// An open file.
    type Out: Write;

    /// Makes the file `path` and its directory if need be.
    ///
    /// # Errors
    /// The system's; `AlreadyExists` if there is such a file.
    fn create(&mut self, path: &Path) -> io::Result<Self::Out>;

    /// Whether what is written to `out` can still be found at `path`.
    fn holds(&self, path: &Path, out: &Self::Out) -> bool;
}

/// The file system. Directories are made with mode 0750, files with 0640, less the umask.
#[derive(Debug)]
pub struct Disk;

impl Medium for Disk {
    type Out = File;

    fn create(&mut self, path: &Path) -> io::Result<File> {
        if let Some(dir) = path.parent() {
            directory().create(dir)?;
        }
        let file = new_file().open(path)?;
        claim(&file, path);
        Ok(file)
    }

    fn holds(&self, path: &Path, out: &File) -> bool {
        match path.metadata() {
            Ok(found) => is_same(&found, out),
            // Any other error leaves the question open, and the next write answers it.
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }
}

/// Opens `path` to append to it, unless a running instance writes it.
pub(super) fn open_unclaimed(path: &Path) -> io::Result<Option<File>> {
    #[cfg(unix)]
    {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const ERROR_SHARING_VIOLATION: i32 = 32;
        // Refused while another handle may write; no lock, because on Windows a lock would keep log shippers from reading.
        match OpenOptions::new().read(true).append(true).share_mode(FILE_SHARE_READ).open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Marks `file` as being written, for [`open_unclaimed`] of another instance; lasts until it is closed.
#[cfg(unix)]
fn claim(file: &File, path: &Path) {
    // Whoever looks holds it for a moment.
    if let Err(error) = file.lock() {
        tracing::debug!(path = %path.display(), %error, "no file locks here");
    }
}

/// The open handle itself is the mark: see [`new_file`].
#[cfg(windows)]
fn claim(_file: &File, _path: &Path) {}

#[cfg(unix)]
fn is_same(found: &std::fs::Metadata, out: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    out.metadata().is_ok_and(|out| (out.dev(), out.ino()) == (found.dev(), found.ino()))
}

/// Nobody can put another file in the place of one that is open as [`new_file`] opens it.
#[cfg(windows)]
fn is_same(_found: &std::fs::Metadata, _out: &File) -> bool {
    true
}

fn directory() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o750);
    builder
}

fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    // Others may read. Whoever would delete or rename it is told that it is in use, so that nothing vanishes with it.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, FILE_SHARE_READ);
    options
}
