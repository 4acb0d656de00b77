//! Tokens, keys and passwords of receivers: read from a file or a variable, never from the command line, never shown.
//!
//! [`Source`] says where one is and may be logged; [`Secret`] holds it and has neither `Debug` nor `Display`.

use crate::stored::{Readers, refuse_other_readers};
use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Longest secret, bytes.
const SECRET_MAX_BYTES: usize = 16 * 1024;

/// Where a secret is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// All of this file, white space around it aside.
    File(PathBuf),
    /// This environment variable.
    Variable(&'static str),
}

/// A secret as it is sent.
#[derive(Clone)]
pub struct Secret(String);

impl Source {
    /// Reads the secret anew: files may have been replaced.
    ///
    /// # Errors
    /// It is not there, empty, too long, or holds what no header may hold. No part of it is quoted.
    pub fn read(&self) -> anyhow::Result<Secret> {
        let (text, place) = self.text()?;
        Self::checked(&text, &place, |byte| byte.is_ascii_graphic() || byte == b' ')
    }

    /// The same where it may have several lines.
    pub(super) fn read_lines(&self) -> anyhow::Result<Secret> {
        let (text, place) = self.text()?;
        Self::checked(&text, &place, |byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n'))
    }

    fn text(&self) -> anyhow::Result<(String, String)> {
        Ok(match self {
            Self::File(path) => (file(path)?, path.display().to_string()),
            Self::Variable(name) => match std::env::var(name) {
                Ok(text) => (text, (*name).to_owned()),
                Err(_) => bail!("the environment variable {name} is not set"),
            },
        })
    }

    fn checked(text: &str, place: &str, is_sent: fn(u8) -> bool) -> anyhow::Result<Secret> {
        // Windows' editors put a byte order mark first.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            bail!(
                "{place} holds no secret: it is empty\nhint: the token, key or password stands in it alone, in one line"
            );
        }
        if !text.bytes().all(is_sent) {
            bail!(
                "what is in {place} is no secret: only one line of printable ASCII can be sent\nhint: the token, key or password stands in it alone"
            );
        }
        Ok(Secret(text.to_owned()))
    }
}

impl Secret {
    /// The secret itself, to be put into a request and nowhere else.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

fn file(path: &Path) -> anyhow::Result<String> {
    let file = File::open(path).with_context(|| format!("read the secret in {}", path.display()))?;
    refuse_other_readers(&file, path, Readers::Group)?;
    let mut text = String::new();
    let limit = u64::try_from(SECRET_MAX_BYTES).unwrap_or(u64::MAX);
    // The cause is left out on purpose: it could only be about the text.
    if file.take(limit).read_to_string(&mut text).is_err() {
        bail!(
            "the secret in {} cannot be read as text\nhint: save the file as ASCII or UTF-8 (PowerShell's > writes UTF-16); the token, key or password stands in it alone",
            path.display()
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> anyhow::Result<Secret> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        Source::File(path).read()
    }

    #[test]
    fn what_an_editor_puts_around_it_is_no_part_of_it() {
        assert_eq!(secret("abc-def\r\n").unwrap().expose(), "abc-def");
        assert_eq!(secret("\u{feff}abc-def\r\n").unwrap().expose(), "abc-def");
    }

    #[test]
    fn what_cannot_be_one_is_refused_unquoted() {
        for text in ["", " \n", "canary\ncanary", "canary\u{e9}"] {
            let error = secret(text).map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
