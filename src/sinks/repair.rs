//! Ends the torn last line that a crash left in a capture file.
//!
//! By a line feed, not by cutting the tail off: a line that lacks nothing but its end is saved, a half one stays a line of
//! its own that no JSON parser takes for an event, and the file does not shrink. (A shipper that finds a file shorter than
//! its position reads it again from the start; Fluent Bit and Splunk do.) Files that a running instance writes are left alone.

use super::disk::open_unclaimed;
use super::name::is_capture_file;
use crate::stored::is_torn;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Repairs the capture files in `dir` and returns those it repaired. A missing directory holds none.
///
/// A file that cannot be read or written is warned about and left.
///
/// # Errors
/// The directory cannot be read.
pub fn repair(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match dir.read_dir() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut repaired = Vec::new();
    for entry in entries {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(is_capture_file);
        // Not following links: a repair must not write outside the directory.
        if !is_ours || !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        match repair_file(&path) {
            Ok(false) => {}
            Ok(true) => {
                tracing::warn!(path = %path.display(), "torn last line of an earlier run ended");
                repaired.push(path);
            }
            Err(error) => tracing::warn!(path = %path.display(), %error, "torn last line cannot be repaired"),
        }
    }
    repaired.sort();
    Ok(repaired)
}

fn repair_file(path: &Path) -> io::Result<bool> {
    if !is_torn(&mut File::open(path)?)? {
        return Ok(false);
    }
    let Some(mut file) = open_unclaimed(path)? else {
        return Ok(false);
    };
    // Another instance may have been quicker.
    if !is_torn(&mut file)? {
        return Ok(false);
    }
    file.write_all(b"\n")?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::sinks::CaptureName;
    use std::fs;
    use ulid::Ulid;

    fn file(dir: &Path, number: u32, content: &str) -> PathBuf {
        let path = dir.join(CaptureName::new("lab", Moment::default(), Ulid::nil()).file(number));
        fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn ends_torn_lines_once_and_touches_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let whole = file(dir.path(), 1, "{\"a\":1}\n");
        let torn = file(dir.path(), 2, "{\"a\":1}\n{\"a\":");
        let lacks_only_its_end = file(dir.path(), 3, "{\"a\":1}");
        let empty = file(dir.path(), 4, "");
        let foreign = dir.path().join("notes.ndjson");
        fs::write(&foreign, "torn").unwrap();
        assert_eq!(repair(dir.path()).unwrap(), [torn.clone(), lacks_only_its_end.clone()]);
        assert_eq!(repair(dir.path()).unwrap(), [] as [PathBuf; 0]);
        let read = |path| fs::read_to_string(path).unwrap();
        assert_eq!(read(whole), "{\"a\":1}\n");
        assert_eq!(read(torn), "{\"a\":1}\n{\"a\":\n");
        assert_eq!(read(lacks_only_its_end), "{\"a\":1}\n");
        assert_eq!(read(empty), "");
        assert_eq!(read(foreign), "torn");
    }

    #[test]
    fn a_missing_directory_needs_no_repair() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(repair(&dir.path().join("none")).unwrap(), [] as [PathBuf; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn follows_no_link_out_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), "torn").unwrap();
        let link = dir.path().join(CaptureName::new("lab", Moment::default(), Ulid::nil()).file(1));
        std::os::unix::fs::symlink(outside.path(), link).unwrap();
        assert_eq!(repair(dir.path()).unwrap(), [] as [PathBuf; 0]);
        assert_eq!(fs::read_to_string(outside.path()).unwrap(), "torn");
    }

    #[test]
    fn a_file_being_written_is_left_alone() {
        use crate::sinks::disk::{Disk, Medium};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CaptureName::new("lab", Moment::default(), Ulid::nil()).file(1));
        let mut writer = Disk.create(&path).unwrap();
        writer.write_all(b"{\"half\":").unwrap();
        assert_eq!(repair(dir.path()).unwrap(), [] as [PathBuf; 0]);
        drop(writer);
        assert_eq!(repair(dir.path()).unwrap(), [path]);
    }
}
