//! The options of `doctor`. What stands below them in `--help` is here, too.

use super::TrustFlags;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use std::ffi::OsString;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap doctor uccxpub.example.com
  finesse-tap doctor uccxpub.example.com --upstream-pin sha256:5d0f… \\
    --user 1001 --password-stdin < password.txt
  finesse-tap doctor uccxpub.example.com --through 127.0.0.1:8445
  finesse-tap doctor uccxpub.example.com --format json |
    jq '.ways[].steps[] | select(.verdict != \"ok\")'

What it looks at, in this order:
  name         the name's addresses; whether a hosts file leads back here
  tcp          whether they answer
  tls          version, cipher, ALPN; which of TLS 1.0 to 1.3 are accepted
  certificate  its chain, names and dates; is it trusted, and which pin would do
  systeminfo   GET /finesse/api/SystemInfo: state, release, clock
  nodes        the hosts that SystemInfo names against the one asked for
  desktop      GET /desktop/, with its redirects
  upgrade      /ws/ to a WebSocket with the subprotocol xmpp; compression
  xmpp         stream and features: is PLAIN offered?
  login        with credentials: PLAIN, bind, presence, subscription, ping, logout
  ports        whether 7443, 8444, 12005 and 8553 are open
  compared     with --through: the same by way of a running proxy

Credentials: the password is read from standard input up to its end, a line end behind it aside; it is shown nowhere, \
and sent only to a server whose certificate is trusted. The login takes the resource `finesse-tap-doctor`, so the agent \
who works on the desktop meanwhile is not thrown out. A refused password is not tried twice. To type one unseen:
  read -rs P; printf %s \"$P\" |
    finesse-tap doctor uccxpub.example.com --user 1001 --password-stdin

Environment: FINESSE_TAP_RESOLVE, FINESSE_TAP_CERTS and FINESSE_TAP_UPSTREAM_CA, _PIN, _INSECURE, _CLIENT_CERT, \
_CLIENT_KEY count here as they do for `run`.

Exit codes: 0 nothing failed (there may be warnings), 1 a step failed, 2 the command line cannot be used.

Next: what the last lines of its output say, such as the `finesse-tap run` that would work.";

/// The options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorFlags {
    /// The Finesse server; port 8445 unless given
    ///
    /// By the name that browsers use for it: a host, not a URL.
    #[arg(value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname)]
    pub server: OsString,
    /// Try a whole login as this agent; needs --password-stdin
    ///
    /// The agent's ID, as desktops take it.
    #[arg(long, value_name = "ID", requires = "password_stdin")]
    pub user: Option<OsString>,
    /// Read the password from standard input; needs --user
    ///
    /// From a file or a pipe, not from a terminal, which would show it.
    #[arg(long, requires = "user")]
    pub password_stdin: bool,
    /// Examine a running proxy, too, and compare
    ///
    /// Where it listens, as an IP address and port. It is asked for HOST as a browser would.
    #[arg(long, value_name = "ADDR:PORT")]
    pub through: Option<OsString>,
    /// That proxy keeps its CA in DIR [default: certs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub certs: Option<OsString>,
    /// Dial ADDR for the name HOST; repeatable
    ///
    /// ADDR is an IP address, IPv6 in brackets. Needed where a hosts file on this machine leads HOST to the proxy.
    #[arg(long, value_name = "HOST:ADDR")]
    pub resolve: Vec<OsString>,
    /// For each step [default: 10s]
    ///
    /// Written 5, 5s, 500ms or 1m.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<OsString>,
    /// What to print on standard output [default: text]
    ///
    /// text: a line a step with its details, as they are done. json: one document at the end.
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub format: Option<String>,
    /// Whom to believe to be the server.
    #[command(flatten)]
    pub trust: TrustFlags,
}
