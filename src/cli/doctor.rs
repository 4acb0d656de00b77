//! `doctor`: its options, what they become, and its help. The password is not here: it is read when the work begins.

use super::record::DEFAULT_CERTS;
use super::trust::TrustFlags;
use crate::config::value::{self, Wrong};
use crate::conn::Authority;
use clap::{Args, ValueHint};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap doctor uccxpub.example.com
  finesse-tap doctor uccxpub.example.com --upstream-pin sha256:5d0f… \\
    --user 1001
  finesse-tap doctor uccxpub.example.com \\
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

Credentials: on a terminal the password is asked for; with --password-stdin it is read from standard input up to its end, a \
line end behind it aside. It is shown nowhere, and sent only to a server whose certificate is trusted. The login takes the resource `finesse-tap-doctor`, so the agent \
who works on the desktop meanwhile is not thrown out. A refused password is not tried twice. A proxy in between counts what it does here to no session and finds nothing on it.

Environment: FINESSE_TAP_RESOLVE, FINESSE_TAP_CERTS and FINESSE_TAP_UPSTREAM_CA, _PIN, _INSECURE, _CLIENT_CERT, \
_CLIENT_KEY count here as they do for `run`.

Exit codes: 0 nothing failed (there may be warnings), 1 a step failed, 2 the command line cannot be used.

Next: what the last lines of its output say, such as the `finesse-tap run` that would work.";

/// The options of `doctor`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct DoctorFlags {
    /// The Finesse server; port 8445 unless given
    ///
    /// By the name that browsers use for it; of a URL the host and port count.
    #[arg(value_name = "HOST[:PORT]", value_hint = ValueHint::Hostname, value_parser = value::upstream)]
    pub server: Authority,
    /// Try a whole login as this agent
    ///
    /// The agent's ID, as desktops take it. On a terminal the password is asked for and not shown.
    #[arg(long, value_name = "ID", value_parser = user)]
    pub user: Option<String>,
    /// Read the password from standard input; needs --user
    ///
    /// From a file or a pipe.
    #[arg(long, requires = "user")]
    pub password_stdin: bool,
    /// Examine a running proxy, too, and compare
    ///
    /// Where it listens, as an IP address and port. It is asked for HOST as a browser would.
    #[arg(long, value_name = "ADDR:PORT", value_parser = through)]
    pub through: Option<SocketAddr>,
    /// That proxy keeps its CA in DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = DEFAULT_CERTS)]
    pub certs: PathBuf,
    /// Dial ADDR for the name HOST; repeatable
    ///
    /// ADDR is an IP address, IPv6 in brackets. Needed where a hosts file on this machine leads HOST to the proxy.
    #[arg(long, value_name = "HOST=ADDR", value_parser = value::resolve)]
    pub resolve: Vec<(String, IpAddr)>,
    /// Timeout for each step
    ///
    /// Written 5, 5s, 500ms or 1m.
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = value::some_time)]
    pub timeout: Duration,
    /// What to print on standard output
    ///
    /// text: a line per step with its details, as they are done. json: one document at the end.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = value::one_of(&Format::ALL, Format::as_str))]
    pub format: Format,
    /// Whom to believe to be the server.
    #[command(flatten)]
    pub trust: TrustFlags,
}

/// In words or for programs: what `doctor` and `scan` print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A line per step or hit.
    Text,
    /// JSON.
    Json,
}

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::Text, Self::Json];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A localpart: no domain, nothing that XMPP forbids in one (RFC 7622 section 3.3.1).
fn user(text: &str) -> Result<String, Wrong> {
    if let Some((local, _)) = text.split_once('@') {
        let better = (!local.is_empty()).then(|| local.to_owned());
        return Err(Wrong::new(format!("`{text}` has a domain; the server adds its own"), better));
    }
    let taken = |c: char| c.is_control() || c.is_whitespace() || "\"&'/:<>".contains(c);
    if text.is_empty() || text.len() > 255 || text.contains(taken) {
        return Err(format!("`{text}` is not an agent's ID").into());
    }
    Ok(text.to_owned())
}

fn through(text: &str) -> Result<SocketAddr, Wrong> {
    let address = value::listen(text)?;
    if address.port() == 0 { Err(format!("`{text}`: nobody listens on port 0").into()) } else { Ok(address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_id_is_a_localpart() {
        assert_eq!(user("a.b-1001").unwrap(), "a.b-1001");
        assert_eq!(user("1001@h").unwrap_err().better.as_deref(), Some("1001"));
        for bad in ["", "@h", "a b", "a/b", "<a>", "a\nb", &"x".repeat(300)] {
            assert!(user(bad).is_err(), "{bad}");
        }
    }
}
