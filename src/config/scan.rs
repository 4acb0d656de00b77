//! What `scan` needs to know.

use super::Problem;
use crate::capture::rules::Level;
use crate::cli::scan::ScanFlags;
use std::path::PathBuf;

/// What `scan` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Files and directories to look at; `-` is standard input. Not empty.
    pub files: Vec<PathBuf>,
    /// Where the known secrets are, one a line.
    pub secrets_file: Option<PathBuf>,
    /// What the files may hold.
    pub level: Level,
    /// How hits are written.
    pub format: Format,
}

/// How hits are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// In words, a line each, and a summary.
    Text,
    /// A JSON object a line each.
    Json,
}

/// Only what was said on the spot counts: no variable and no file changes what is looked for.
pub(super) fn scan(flags: ScanFlags) -> Result<Scan, Problem> {
    let level = flags.level.as_deref().map(str::parse).transpose().map_err(Problem::new)?;
    let format = if flags.format.as_deref() == Some("json") { Format::Json } else { Format::Text };
    Ok(Scan { files: flags.files, secrets_file: flags.secrets_file, level: level.unwrap_or(Level::Share), format })
}
