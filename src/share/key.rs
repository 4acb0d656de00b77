//! The key that tokens are made with, in a file, and beside it the index of what they stand for.
//!
//! Both are readable by their owner only (on Windows: by whom the directory lets) and never part of a bundle. The index is
//! `KEYFILE.index`, one JSON object a line, sorted; it is written aside and renamed.

use crate::capture::token::{Key, Kind};
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Longest index read, bytes.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// Reads the key in `path`; makes one there if there is none.
///
/// # Errors
/// It cannot be read or made, is no key, or others may read it.
pub fn open(path: &Path) -> anyhow::Result<Key> {
    match fs::read_to_string(path) {
        Ok(text) => {
            private(path)?;
            read(&text).with_context(|| format!("{} is no token key of finesse-tap", path.display()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// What tokens stood for, by token, from the index beside the key.
///
/// # Errors
/// There is no index, or it cannot be read.
pub fn index(key: &Path) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let path = index_path(key);
    let size = fs::metadata(&path).with_context(|| format!("read {}", path.display()))?.len();
    if size > MAX_INDEX_BYTES {
        bail!("{} is larger than {MAX_INDEX_BYTES} bytes", path.display());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut index = BTreeMap::new();
    for line in text.lines() {
        if let Ok([token, kind, value]) = serde_json::from_str::<[String; 3]>(line) {
            index.insert(token, (kind, value));
        }
    }
    Ok(index)
}

/// Adds tokens to the index beside the key.
///
/// # Errors
/// It cannot be written.
pub fn remember<'t>(key: &Path, tokens: impl Iterator<Item = (&'t str, Kind, &'t str)>) -> anyhow::Result<()> {
    let path = index_path(key);
    let mut all = if path.exists() { index(key)? } else { BTreeMap::new() };
    all.extend(tokens.map(|(token, kind, value)| (token.to_owned(), (kind.as_str().to_owned(), value.to_owned()))));
    let aside = path.with_extension("index.part");
    let _ = fs::remove_file(&aside);
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(create_private(&aside)?);
        for (token, (kind, value)) in &all {
            serde_json::to_writer(&mut file, &[token, kind, value])?;
            file.write_all(b"\n")?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&aside, &path)
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Where the index of a key lies.
#[must_use]
pub fn index_path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".index");
    PathBuf::from(name)
}

fn make(path: &Path) -> anyhow::Result<Key> {
    let mut key = Key::random().ok().context("the system gives no random numbers")?;
    key.case = ulid::Ulid::generate().to_string();
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    }
    let hex: String = key.master.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "# finesse-tap token key: whoever has it can test guesses against tokens. Keep it; never hand it out.\ncase {}\nkey {hex}\n",
        key.case
    );
    let write = || -> io::Result<()> {
        let mut file = create_private(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("make {}", path.display()))?;
    Ok(key)
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
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} can be read by others\nhint: chmod 600 {}", path.display(), path.display());
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
fn private(_: &Path) -> anyhow::Result<()> {
    Ok(())
}
