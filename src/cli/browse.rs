//! The options of `browse`, and those of `run --browse`. What stands below them in `--help` is here, too.

use clap::{Args, ValueHint};
use std::ffi::OsString;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap browse --upstream uccxpub.example.com
  finesse-tap browse --config tap.toml
  finesse-tap browse --upstream uccxpub.example.com --listen 127.0.0.1:40001
  finesse-tap run --upstream uccxpub.example.com --browse    both in one

The proxy has to run already, on this machine and with the same --upstream, --listen, --route and --certs: say them here, too, or \
keep them in a file for both. If it listens on port 0, say the port that it got.

What is different in this browser: the servers' names lead to the proxy, port by port, so that the address bar shows the real \
ones and no hosts file is needed; the proxy's CA is accepted, and no other stranger; system proxies are not used; there are no \
extensions. It says itself that it was started with unusual options. Its profile (cookies, history) is deleted when it is closed.

Environment and configuration file count here as they do for `run`.

Next: sign in; what passes is in the capture of the running proxy.";

/// The options of `browse`.
#[derive(Debug, Args)]
pub struct BrowseFlags {
    /// Read options from a TOML file, that of `run`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<OsString>,
    /// The Finesse server, as `run` was told; repeatable
    #[arg(long, value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, help_heading = "The running proxy")]
    pub upstream: Vec<OsString>,
    /// Where the proxy listens; repeatable [default: 127.0.0.1:8445]
    #[arg(long, value_name = "ADDR:PORT", help_heading = "The running proxy")]
    pub listen: Vec<OsString>,
    /// One more server or port, as `run` was told; repeatable
    #[arg(long, value_name = "LISTEN=[SCHEME://]HOST[:PORT]", help_heading = "The running proxy")]
    pub route: Vec<OsString>,
    /// Where the proxy keeps its CA [default: certs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "The running proxy")]
    pub certs: Option<OsString>,
    /// The certificate chain (PEM) that the proxy shows instead of a minted one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "The running proxy")]
    pub cert: Option<OsString>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "The running proxy")]
    pub key: Option<OsString>,
    /// The browser, and what it opens.
    #[command(flatten)]
    pub browser: BrowserFlags,
}

/// The browser, and what it opens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Browser")]
pub struct BrowserFlags {
    /// Use this browser: Chrome, Edge or Chromium [default: the first that is found]
    ///
    /// A path, or a name to be looked for in PATH. Firefox lacks the options that are needed.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::ExecutablePath)]
    pub browser: Option<OsString>,
    /// Give the browser one more argument; repeatable
    ///
    /// Such as --browser-arg=--auto-open-devtools-for-tabs. It is handed over as it is, without a shell.
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub browser_arg: Vec<OsString>,
    /// Open this page of the first server [default: /desktop/]
    #[arg(long, value_name = "PATH")]
    pub path: Option<OsString>,
    /// Open this page, of any fronted server
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<OsString>,
}
