//! Command line, environment and configuration file become one typed, checked [`Task`], or a [`Stop`].
//!
//! Options win over `FINESSE_TAP_*` variables, those over the `--config` file, that over defaults. Whatever cannot be used
//! is reported with the place it was said in. Does not look at the files it names, except for the configuration itself.
//!
//! `said` merges the sources without knowing what options mean, `value` knows the words of each, [`read`] puts both together.

mod admin;
mod assets;
mod browse;
mod doctor;
mod hosts;
mod problem;
mod read;
mod report;
mod route;
mod said;
mod scan;
mod settings;
mod share;
mod ship;
mod value;

#[cfg(test)]
mod tests;

pub use assets::Assets;
pub use browse::{Browse, Browser, Page};
pub use doctor::{Doctor, Format};
pub use hosts::{Deed, Hosts, Names};
pub use problem::Problem;
pub use read::{read, unknown_variables};
pub use route::{Listener, Route, Traffic};
pub use said::Environment;
pub use scan::{Format as ScanFormat, Scan};
pub use ship::Ship;

use crate::capture::restrict::UserRules;
use crate::capture::rules::Level;
pub use crate::cli::Form;
use crate::conn::Authority;
use crate::log::Log;
use crate::proxy::{Limits, Preface, Rewriting};
use crate::tls::upstream::Trust;
use clap_complete::Shell;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Where the CA is kept unless said otherwise.
pub const DEFAULT_CERTS: &str = "certs";
/// Where the key of tokens is kept unless said otherwise.
pub const DEFAULT_TOKEN_KEY: &str = "certs/tokens.key";
/// The key that instances share lies beside the CAs, under this name.
pub const SESSION_KEY: &str = "session.key";
/// Where captures go unless said otherwise.
pub const DEFAULT_CAPTURES: &str = "captures";
/// Most connections that can be asked for.
pub const MAX_CONNECTIONS: usize = 1_000_000;
/// Most desktops in the demo.
pub const MAX_AGENTS: usize = 200;

/// What the program was asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// `run`.
    Run(Box<Run>),
    /// `browse`.
    Browse(Browse),
    /// `demo`.
    Demo(Demo),
    /// `doctor`.
    Doctor(Box<Doctor>),
    /// `ca`.
    Ca(Ca),
    /// `scan`.
    Scan(Scan),
    /// `share`.
    Share(Box<crate::share::Plan>),
    /// `ship`.
    Ship(Ship),
    /// `resolve`.
    Resolve(Resolve),
    /// `report`.
    Report(crate::report::Request),
    /// `import`.
    Import(Import),
    /// `export`.
    Export(Export),
    /// `hosts`.
    Hosts(Box<Hosts>),
    /// `reload`.
    Reload(Reload),
    /// `assets`.
    Assets(Assets),
    /// `completions`.
    Completions(Shell),
    /// `man`, into a directory or to standard output.
    Man(Option<PathBuf>),
}

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for; the error prints it.
    Shown(clap::Error),
    /// The configuration cannot be used.
    Wrong(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Wrong(problem)
    }
}

/// What `run` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where traffic comes from and goes to.
    pub traffic: Traffic,
    /// Addresses to dial for a name (lower case) instead of asking the system.
    pub resolve: Vec<(String, IpAddr)>,
    /// Which connections have their headers rewritten.
    pub rewriting: Rewriting,
    /// What comes before TLS.
    pub preface: Preface,
    /// Whom to believe to be the server.
    pub trust: Trust,
    /// Who we are if the server asks.
    pub client_identity: Option<Identity>,
    /// Who we are to browsers, instead of what our CA mints.
    pub own_identity: Option<Identity>,
    /// Where the CA is kept.
    pub certs: PathBuf,
    /// What becomes of what is seen.
    pub record: Recording,
    /// Where TLS secrets are written.
    pub keylog: Option<PathBuf>,
    /// Where the capture files go besides.
    pub ship: Vec<crate::ship::Plan>,
    /// Time and number.
    pub limits: Limits,
    /// Where metrics are served.
    pub admin: Option<SocketAddr>,
    /// A browser to open.
    pub browser: Option<Browser>,
    /// The operational log.
    pub log: Log,
}

/// What `demo` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demo {
    /// How many desktops, 1 to [`MAX_AGENTS`].
    pub agents: usize,
    /// Leave server and proxy up afterwards.
    pub keep: bool,
    /// Where to accept browsers; not empty.
    pub listen: Vec<SocketAddr>,
    /// Where the CA is kept.
    pub certs: PathBuf,
    /// What becomes of what is seen.
    pub record: Recording,
    /// The operational log.
    pub log: Log,
}

/// What `ca` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ca {
    /// Where CAs are kept.
    pub certs: PathBuf,
    /// Only the CAs for these servers, to be made where there is none.
    pub upstreams: Vec<Authority>,
    /// Where to copy the certificates.
    pub export: Option<PathBuf>,
}

/// What `reload` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// Where the run keeps its CA, and its own file.
    pub certs: PathBuf,
    /// Its process, where there are several.
    pub pid: Option<u32>,
}

/// What `resolve` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolve {
    /// Tokens, as they stand in a bundle.
    pub tokens: Vec<String>,
    /// The key's file; the index lies beside it.
    pub key: PathBuf,
}

/// What `import` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// The HAR files; not empty.
    pub files: Vec<PathBuf>,
    /// What becomes of them; there is no live view.
    pub record: Recording,
}

/// What `export` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// What to make.
    pub form: Form,
    /// The capture files; not empty.
    pub files: Vec<PathBuf>,
    /// Where to; `None` is standard output.
    pub out: Option<PathBuf>,
    /// What a transcript shows of stanzas.
    pub stanzas: Stanzas,
}

/// What a transcript shows of stanzas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stanzas {
    /// The gist.
    Gist,
    /// Their XML too.
    Xml,
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

/// What a person is shown on a terminal while traffic passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Live {
    /// Nothing.
    Off,
    /// A line a message, keep-alives aside.
    Messages,
    /// A line a message.
    Everything,
}

/// A certificate chain and its key, both PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The chain, end entity first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}
