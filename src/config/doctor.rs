//! What `doctor` needs to know. The password is not here: it is read when the work begins.

use super::read::{identity, parsed, path, read_value, trust};
use super::said::Said;
use super::{DEFAULT_CERTS, Identity, Problem, value};
use crate::conn::Authority;
use crate::tls::upstream::Trust;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// For each step unless said otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

/// Options that may be set in the environment, as they mean the same to `run`.
pub(super) const IN_ENVIRONMENT: [&str; 7] = [
    "resolve",
    "certs",
    "upstream_ca",
    "upstream_pin",
    "upstream_insecure",
    "upstream_client_cert",
    "upstream_client_key",
];

/// What `doctor` needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doctor {
    /// The server.
    pub server: Authority,
    /// Addresses to dial for a name (lower case) instead of asking the system.
    pub resolve: Vec<(String, IpAddr)>,
    /// Whom to believe to be the server.
    pub trust: Trust,
    /// Who we are if the server asks.
    pub client_identity: Option<Identity>,
    /// A running proxy to examine, too.
    pub through: Option<SocketAddr>,
    /// Where that proxy keeps its CA.
    pub certs: PathBuf,
    /// The agent who signs in; the password is on standard input.
    pub user: Option<String>,
    /// For each step.
    pub limit: Duration,
    /// What is printed.
    pub format: Format,
}

/// What is printed on standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A line a step, with details.
    Text,
    /// One JSON document.
    Json,
}

pub(super) fn doctor(server: &OsStr, said: &Said) -> Result<Doctor, Problem> {
    let text = server.to_str().ok_or_else(|| Problem::new("the server's name is not UTF-8"))?;
    let server = value::upstream(text).map_err(|wrong| {
        let problem = Problem::new(wrong.why);
        match wrong.better {
            Some(better) => problem.hint(format!("write finesse-tap doctor {better}")),
            None => problem,
        }
    })?;
    let user = parsed(said, "user", user)?;
    if user.is_some() && std::io::stdin().is_terminal() {
        return Err(Problem::new("--password-stdin: standard input is a terminal, which would show the password")
            .hint("read -rs P; printf %s \"$P\" | finesse-tap doctor …"));
    }
    Ok(Doctor {
        server,
        resolve: said.all("resolve").iter().map(|one| read_value(one, value::resolve)).collect::<Result<_, _>>()?,
        trust: trust(said)?,
        client_identity: identity(said, ["upstream_client_cert", "upstream_client_key"])?,
        through: parsed(said, "through", through)?,
        certs: path(said, "certs", DEFAULT_CERTS),
        user,
        limit: parsed(said, "timeout", value::some_time)?.unwrap_or(DEFAULT_LIMIT),
        format: match said.one("format") {
            Some(value) if value.text == "json" => Format::Json,
            _ => Format::Text,
        },
    })
}

/// A localpart: no domain, nothing that XMPP forbids in one (RFC 7622 section 3.3.1).
fn user(text: &str) -> Result<String, value::Wrong> {
    if let Some((local, _)) = text.split_once('@') {
        return Err(value::Wrong {
            why: format!("`{text}` has a domain; the server adds its own"),
            better: (!local.is_empty()).then(|| local.to_owned()),
        });
    }
    let fits =
        text.len() <= 255 && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"\"&'/:<>".contains(c));
    if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is not an agent's ID").into()) }
}

fn through(text: &str) -> Result<SocketAddr, value::Wrong> {
    let address = value::listen(text)?;
    if address.port() == 0 { Err(format!("`{text}`: nobody listens on port 0").into()) } else { Ok(address) }
}

#[cfg(test)]
mod tests {
    use super::super::{Stop, Task, read};
    use super::*;

    fn doctor(line: &str, variables: &[(&str, &str)]) -> Result<Doctor, String> {
        let arguments = ["finesse-tap", "doctor"].into_iter().chain(line.split_whitespace()).map(Into::into);
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        match read(arguments, &environment) {
            Ok(Task::Doctor(doctor)) => Ok(*doctor),
            Ok(other) => panic!("{other:?}"),
            Err(Stop::Wrong(problem)) => Err(problem.to_string()),
            Err(Stop::Shown(help)) => panic!("{help}"),
        }
    }

    #[test]
    fn a_host_is_enough() {
        let plain = doctor("UCCX.example.test", &[]).unwrap();
        assert_eq!((plain.server.to_string(), plain.user), ("uccx.example.test:8445".into(), None));
        assert_eq!((plain.trust, plain.limit, plain.format), (Trust::System, DEFAULT_LIMIT, Format::Text));
    }

    #[test]
    fn the_environment_says_what_it_says_to_run_and_nothing_else() {
        let said = [
            ("FINESSE_TAP_RESOLVE", "h:10.0.0.1"),
            ("FINESSE_TAP_UPSTREAM_CA", "ca.pem"),
            ("FINESSE_TAP_CERTS", "there"),
            ("FINESSE_TAP_USER", "1001"),
            ("FINESSE_TAP_FORMAT", "json"),
            ("FINESSE_TAP_SERVER", "other"),
        ];
        let read = doctor("h --timeout 500ms --through 127.0.0.1:1", &said).unwrap();
        assert_eq!(read.resolve, [("h".to_owned(), IpAddr::from([10, 0, 0, 1]))]);
        assert_eq!((read.trust, read.certs), (Trust::Ca("ca.pem".into()), "there".into()));
        assert_eq!((read.user, read.format, read.server.host), (None, Format::Text, "h".to_owned()));
        assert_eq!((read.limit, read.through), (Duration::from_millis(500), "127.0.0.1:1".parse().ok()));
    }

    #[test]
    fn an_agents_id_is_a_localpart() {
        assert_eq!(user("a.b-1001").unwrap(), "a.b-1001");
        assert_eq!(user("1001@h").unwrap_err().better.as_deref(), Some("1001"));
        for bad in ["@h", "a b", "a/b", "<a>", "a\nb", &"x".repeat(300)] {
            assert!(user(bad).is_err(), "{bad}");
        }
    }
}
