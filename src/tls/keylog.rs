//! TLS secrets become lines of an NSS key log, for Wireshark.
//!
//! Made only for a path that the user named; the environment alone never switches it on. The file is appended to and,
//! on Unix, readable by its owner only. A line that cannot be written is lost, never the connection.

use super::certificate::hex;
use crate::stored::{Readers, refuse_other_readers};
use anyhow::Context as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

/// An open key log file (`LABEL CLIENT_RANDOM SECRET` lines, hex), shared by both legs.
pub struct KeyLogFile {
    file: Mutex<File>,
}

impl KeyLogFile {
    /// Opens `path` for appending, creating it with mode 0600.
    ///
    /// # Errors
    /// The file cannot be created or opened, or others may read it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(|| format!("open the key log {}", path.display()))?;
        refuse_other_readers(&file, path, Readers::Owner)?;
        Ok(Self { file: Mutex::new(file) })
    }
}

impl rustls::KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        if let Ok(mut file) = self.file.lock()
            && let Err(error) = file.write_all(line.as_bytes())
        {
            tracing::warn!(%error, "key log not written");
        }
    }
}

// The trait asks for Debug; the file's secrets have none.
impl std::fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyLogFile")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_log_is_its_owners_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        for _ in 0..2 {
            drop(KeyLogFile::open(&path).unwrap());
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeyLogFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("can be read by others\nhint: chmod 600"), "{error}");
    }
}
