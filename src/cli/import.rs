//! `import`: its options, what they become, and its help.

use super::record::{CaptureTo, LineFlags, Live, Recording, RedactFlags, Rows, RuleFlags};
use crate::capture::policy::Level;
use crate::config::Problem;
use clap::{Args, ValueHint};
use std::path::{Path, PathBuf};

pub(super) const MORE: &str = "\
Examples:
  finesse-tap import desktop.har
  finesse-tap import *.har -o case-1234 --max-line-bytes 1000000
  finesse-tap import desktop.har -o - | jq -r .message

How to get a HAR that holds the login: open DevTools (F12), Network, \"Preserve log\", then load the desktop and sign in, then \
\"Export HAR\". The WebSocket must be opened while DevTools is: of one that was open before, nothing is recorded.

What Chrome's \"sanitized\" HAR leaves in: it drops Cookie, Set-Cookie and Authorization. WebSocket messages stay as they \
were, so the SASL message with the agent's password is in it, and so are tokens in URLs and in bodies. Do not mail a HAR.

What a HAR cannot tell, and the capture does not make up: pings and pongs, fragments, compression, TLS, the browser's address, \
bytes on the wire, when and how connections ended; HTTP Toolkit alone notes close codes. Setting `unknown` in the first line of \
the capture lists it. Sizes are those of what the HAR holds.

Exit code 1 if a file is damaged; what could be read of it is in the capture all the same. \
The variables of these options count here too, such as FINESSE_TAP_REDACT.

Next: `finesse-tap report desktop-captures`. (`finesse-tap report desktop.har` does both.)";

/// The options of `import`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct ImportFlags {
    /// The HAR files
    ///
    /// Uncompressed, and files rather than pipes: they are read twice.
    #[arg(value_name = "HAR", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Write the capture into DIR, or to standard output with - [default: FILE-captures]
    ///
    /// A directory that holds a capture of the same file already is refused: everything would be there twice.
    #[arg(long, short, alias = "capture", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// How long lines may be.
    #[command(flatten)]
    pub line: LineFlags,
    /// What is removed.
    #[command(flatten)]
    pub redact: RedactFlags,
}

/// What `import` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The HAR files; not empty.
    pub files: Vec<PathBuf>,
    /// What becomes of them; there is no live view.
    pub record: Recording,
}

impl ImportFlags {
    /// The options checked.
    ///
    /// # Errors
    /// The user's rules do not go together.
    pub fn check(self) -> Result<Import, Problem> {
        let named = self.files.first().and_then(|file| file.file_stem()).unwrap_or_default().to_string_lossy();
        let output = self.output.unwrap_or_else(|| PathBuf::from(format!("{named}-captures")));
        let record = Recording::new(CaptureTo::from(output), self.redact, Live::Off)?;
        Ok(Import { files: self.files, record: Recording { max_line_bytes: self.line.max_line_bytes, ..record } })
    }
}

impl Import {
    /// One HAR into a directory, credentials removed.
    ///
    /// # Errors
    /// None in practice: there are no rules that contradict each other.
    pub fn aside(har: &Path, dir: &Path) -> Result<Self, Problem> {
        let rules = RuleFlags { deny: Vec::new(), allow: Vec::new() };
        let redact = RedactFlags { level: Level::Auth, rules, stable_tokens: None };
        let record = Recording::new(CaptureTo::Dir(dir.to_owned()), redact, Live::Off)?;
        Ok(Self { files: vec![har.to_owned()], record })
    }

    /// Every setting in force, as option and value. A file's folder is nobody's business.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        rows.row("source", "har");
        for file in &self.files {
            rows.row("file", file.file_name().unwrap_or_default().display());
        }
        rows.recording(&self.record);
        rows.0.retain(|(name, _)| name != "quiet");
        rows.0
    }
}
