//! What becomes of what is seen: where the log goes, what is removed from it, what is shown meanwhile.

use crate::capture::line::{DEFAULT_LINE_BYTES, MAX_LINE_BYTES, MIN_LINE_BYTES};
use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::config::Problem;
use crate::config::value::{self, Wrong};
use crate::filter::Filter;
use crate::log::{self, Log};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// Where the CA is kept unless said otherwise.
pub const DEFAULT_CERTS: &str = "certs";
/// Where captures go unless said otherwise.
pub(super) const DEFAULT_CAPTURES: &str = "captures";
/// Longest name of an instance, bytes.
const OBSERVER_BYTES: usize = 64;

/// Where records and certificates go, in `run` and `demo`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct KeepFlags {
    /// Keep the CA in DIR
    ///
    /// The certificate authority is made in DIR/HOST on first use. It can sign for the servers named then, localhost and
    /// loopback addresses only, and its key is never exported. A server added later gets its own. `finesse-tap ca`
    /// says how to trust it.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CERTS)]
    pub certs: PathBuf,
    /// Write the log into DIR, or to standard output with - [default: captures; of `demo` demo-captures]
    ///
    /// One JSON object per line. A file is named finesse-HOST-TIME-RUN-NNNN.ndjson; a new one begins at 64 MiB, at one hour,
    /// and on SIGHUP or `finesse-tap reload`.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub capture: Option<PathBuf>,
}

/// What is removed from the log, in `run`, `demo` and `import`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Redaction")]
pub struct RedactFlags {
    /// What to remove from the log
    ///
    /// It is removed before anything is written or shown.
    ///
    /// auth: passwords, tokens and other credentials; session cookies become tokens that are the same for the same cookie.
    /// Names, telephone numbers and customer data stay.
    ///
    /// share: also customer data; persons, telephones, hosts, teams and queues become tokens. For a vendor.
    ///
    /// minimal: all of those. Only what happened and when stays. For a public tracker.
    ///
    /// off: nothing. The log then holds passwords; every file says so in its first line.
    #[arg(long, alias = "redact", value_name = "LEVEL", default_value = "auth")]
    #[arg(value_parser = value::one_of(&Level::ALL, Level::as_str))]
    pub level: Level,
    /// What the user adds to it.
    #[command(flatten)]
    pub rules: RuleFlags,
    /// Make tokens with the key in FILE, which is made if it is not there
    ///
    /// At level share. The same value then has the same token in every capture and bundle made with that key, and
    /// `finesse-tap resolve` tells what one stands for, from FILE.index.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub stable_tokens: Option<PathBuf>,
}

/// The user's own rules.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct RuleFlags {
    /// Remove this too; repeatable
    ///
    /// RULE is PLACE:NAME[=CLASS]: a place of header, query, form, json, xml, variable (a call variable's value) or
    /// variable-name (its name), and a class of credential, session, person, phone, customer, infrastructure or unknown.
    /// Also `deny` in `[redaction]` of the configuration file.
    #[arg(long, value_name = "RULE", value_parser = deny)]
    pub deny: Vec<String>,
    /// Keep this, though a level would remove it; repeatable
    ///
    /// RULE is PLACE:NAME. What is a credential or session, a person or a telephone by a built-in rule cannot be kept.
    #[arg(long, value_name = "RULE", value_parser = allow)]
    pub allow: Vec<String>,
}

impl RuleFlags {
    /// The rules together.
    pub(super) fn rules(&self) -> Result<UserRules, Problem> {
        let mut rules = UserRules::default();
        self.deny.iter().try_for_each(|rule| rules.deny(rule)).map_err(Problem::new)?;
        self.allow.iter().try_for_each(|rule| rules.allow(rule)).map_err(Problem::new)?;
        Ok(rules)
    }
}

fn deny(text: &str) -> Result<String, Wrong> {
    UserRules::default().deny(text).map(|()| text.to_owned()).map_err(Wrong::from)
}

fn allow(text: &str) -> Result<String, Wrong> {
    UserRules::default().allow(text).map(|()| text.to_owned()).map_err(Wrong::from)
}

/// What only `run` lets you choose about records.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct RecordFlags {
    /// Write no log
    #[arg(long, conflicts_with = "capture")]
    pub no_capture: bool,
    /// Keep at most so much of the log, such as 20GB [default: everything]
    ///
    /// Beyond that the files in the directory that were written longest ago are removed. What --splunk, --elastic or `ship`
    /// had not delivered is then reported as a gap (capture-gap).
    #[arg(long, value_name = "SIZE", value_parser = value::size)]
    pub capture_limit: Option<u64>,
    /// What this instance is called in the log [default: the machine's host name]
    ///
    /// 1 to 64 letters, digits, dots, hyphens and underscores. Tells several instances apart that write into one index.
    #[arg(long, value_name = "NAME", value_parser = observer)]
    pub observer_name: Option<String>,
    /// Longest line of the log
    #[command(flatten)]
    pub line: LineFlags,
    /// Write TLS secrets to FILE, for Wireshark
    ///
    /// Those of both legs. Without FILE, the environment variable SSLKEYLOGFILE names it, which is ignored otherwise. Whoever
    /// has FILE can read all traffic, passwords included.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, num_args = 0..=1)]
    pub keylog: Option<Option<PathBuf>>,
}

/// How long a line may be, in `run` and `import`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct LineFlags {
    /// Longest line of the log
    ///
    /// In bytes, or as 16kB: from 4000 to 16777216. A longer line loses part of its XML, and says so. Many log collectors cut
    /// at 8 KiB or 10,000 bytes.
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_LINE_BYTES, value_parser = line_bytes)]
    pub max_line_bytes: usize,
}

fn line_bytes(text: &str) -> Result<usize, Wrong> {
    value::size_in(text, MIN_LINE_BYTES..=MAX_LINE_BYTES)
}

/// What an instance may be called.
fn observer(text: &str) -> Result<String, Wrong> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if (1..=OBSERVER_BYTES).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    let plainer: String = text.chars().map(|c| if plain(c) { c } else { '-' }).take(OBSERVER_BYTES).collect();
    Err(Wrong::new(
        format!("`{text}` is not 1 to {OBSERVER_BYTES} letters, digits, dots, hyphens and underscores"),
        Some(plainer).filter(|plainer| !plainer.is_empty()),
    ))
}

/// What is shown on standard error, in `run` and `demo`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ShowFlags {
    /// Show keep-alives in the live view too
    #[arg(long)]
    pub verbose: bool,
    /// Form of the operational log on standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = value::one_of(&log::Format::ALL, log::Format::as_str))]
    pub log_format: log::Format,
    /// What the operational log tells
    ///
    /// A level (error, warn, info, debug, off), or levels by module, such as `info,finesse_tap::proxy=debug` (the syntax of
    /// tracing's EnvFilter). Libraries never tell more than info: some would print traffic.
    #[arg(long, value_name = "FILTER", default_value = "info", value_parser = filter)]
    pub log_filter: String,
}

impl ShowFlags {
    pub(super) fn log(self) -> Log {
        Log { format: self.log_format, filter: self.log_filter }
    }
}

fn filter(text: &str) -> Result<String, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("is empty: write a level, such as debug", None));
    }
    log::check(text).map(|()| text.to_owned()).map_err(Wrong::from)
}

/// What becomes of what is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Where the log goes.
    pub capture: CaptureTo,
    /// How much of it is kept, bytes; everything if `None`.
    pub capture_limit_bytes: Option<u64>,
    /// What is removed from it.
    pub redact: Level,
    /// The user's own rules.
    pub rules: UserRules,
    /// What the instance is called; as the machine if `None`.
    pub observer: Option<String>,
    /// The file of the key that `trace.id` is derived under, made where its directory is there.
    pub session_key: Option<PathBuf>,
    /// The file of the token key; a random key otherwise.
    pub stable_tokens: Option<PathBuf>,
    /// Its longest line, LF included, within the bounds of [`capture::line`](crate::capture::line).
    pub max_line_bytes: usize,
    /// What a person is shown meanwhile.
    pub live: Live,
    /// What the live view shows of that.
    pub filter: Filter,
}

/// Where the log goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaptureTo {
    /// Into files in this directory.
    Dir(PathBuf),
    /// To standard output.
    Stdout,
    /// Nowhere.
    Off,
}

impl From<PathBuf> for CaptureTo {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdout } else { Self::Dir(path) }
    }
}

/// What a person is shown on a terminal while traffic passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Live {
    /// Nothing.
    Off,
    /// A line per message, keep-alives aside.
    Messages,
    /// A line per message.
    Everything,
}

impl Recording {
    /// What `demo` and `import` do, and `run` adds to.
    pub(super) fn new(capture: CaptureTo, redact: RedactFlags, live: Live) -> Result<Self, Problem> {
        Ok(Self {
            capture,
            capture_limit_bytes: None,
            redact: redact.level,
            rules: redact.rules.rules()?,
            observer: None,
            session_key: None,
            stable_tokens: redact.stable_tokens,
            max_line_bytes: DEFAULT_LINE_BYTES,
            live,
            filter: Filter::default(),
        })
    }
}

/// What a capture's first line lists: settings as option and value. Paths of keys are among them, no secret is.
#[derive(Default)]
pub(super) struct Rows(pub(super) Vec<(String, String)>);

impl Rows {
    pub(super) fn row(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    pub(super) fn recording(&mut self, record: &Recording) {
        match &record.capture {
            CaptureTo::Dir(path) => self.row("capture", path.display()),
            CaptureTo::Stdout => self.row("capture", "-"),
            CaptureTo::Off => self.row("no-capture", true),
        }
        if let Some(bytes) = record.capture_limit_bytes {
            self.row("capture-limit", bytes);
        }
        self.row("redact", record.redact);
        if !record.rules.is_empty() {
            self.row("redaction-rules", record.rules.text().lines().collect::<Vec<_>>().join(", "));
        }
        if let Some(name) = &record.observer {
            self.row("observer-name", name);
        }
        if let Some(path) = &record.stable_tokens {
            self.row("stable-tokens", path.display());
        }
        self.row("max-line-bytes", record.max_line_bytes);
        match record.live {
            Live::Off => self.row("quiet", true),
            Live::Messages => {}
            Live::Everything => self.row("verbose", true),
        }
    }

    pub(super) fn log(&mut self, log: &Log) {
        self.row("log-format", log.format.as_str());
        self.row("log-filter", &log.filter);
    }
}
