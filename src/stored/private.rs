//! Files with secrets in them: who else may read them.
//!
//! What this program made itself is repaired; what somebody else made is refused with the command that puts it right, as
//! ssh does. Where there are no modes (Windows) both let everything pass.

use anyhow::Context as _;
use std::fs::File;
use std::path::Path;

/// Who may not read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Nobody but its owner may.
    Owner,
    /// Its group may too: services get their secrets that way.
    Group,
}

/// An error if others may read the `file` that was opened at `path`.
///
/// # Errors
/// They may, or it cannot be told.
#[cfg(unix)]
pub fn refuse_other_readers(file: &File, path: &Path, allowed: Readers) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = file.metadata().with_context(|| format!("look at {}", path.display()))?;
    // A pipe of the shell's has a mode that says nothing.
    if !meta.is_file() || meta.permissions().mode() & mask(allowed) == 0 {
        return Ok(());
    }
    let (who, mode) = match allowed {
        Readers::Owner => ("others", "600"),
        Readers::Group => ("everybody on this machine", "o-rwx"),
    };
    anyhow::bail!("{0} can be read by {who}\nhint: chmod {mode} {0}", path.display());
}

/// Takes the right to read a `file` of ours from others, and says so.
///
/// # Errors
/// They have it, and it cannot be taken from them.
#[cfg(unix)]
pub fn keep_from_others(file: &File, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if refuse_other_readers(file, path, Readers::Owner).is_ok() {
        return Ok(());
    }
    if file.set_permissions(std::fs::Permissions::from_mode(0o600)).is_err() {
        return refuse_other_readers(file, path, Readers::Owner);
    }
    tracing::warn!(path = %path.display(), "others could read this secret: its mode is 600 now; whoever has read it can still use it");
    Ok(())
}

#[cfg(unix)]
fn mask(allowed: Readers) -> u32 {
    match allowed {
        Readers::Owner => 0o077,
        Readers::Group => 0o007,
    }
}

/// Nobody is refused here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub fn refuse_other_readers(_: &File, _: &Path, _: Readers) -> anyhow::Result<()> {
    Ok(())
}

/// Nothing is repaired here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub fn keep_from_others(_: &File, _: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn modes_decide() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = |mode, allowed| {
            file.as_file().set_permissions(Permissions::from_mode(mode)).unwrap();
            refuse_other_readers(file.as_file(), file.path(), allowed).err().map(|error| error.to_string())
        };
        assert_eq!(refused(0o600, Readers::Owner), None);
        assert_eq!(refused(0o640, Readers::Group), None);
        assert!(refused(0o640, Readers::Owner).unwrap().contains("can be read by others\nhint: chmod 600 /"));
        assert!(refused(0o644, Readers::Group).unwrap().contains("everybody on this machine\nhint: chmod o-rwx /"));
        keep_from_others(file.as_file(), file.path()).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
