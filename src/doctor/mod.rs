//! `doctor`: can a desktop work with this server, and if not, which step fails and what would help.
//!
//! Walks the way a desktop goes: name, TCP, TLS, certificate, REST, WebSocket, XMPP, and with credentials a login to a
//! subscription and back out. Each [`Step`] has a time, a verdict, what was seen and what to do. The same way can be walked
//! through a running proxy, and both are compared. Goes on after a failure as far as the failure allows; credentials go
//! only to a server whose certificate is trusted, and are not tried again once refused.
//!
//! Limits: each step within [`Question::limit`]; one address is examined beyond TCP; an agent with single sign-on needs an
//! access token in place of the password.

mod advice;
mod compare;
mod course;
mod http;
mod login;
mod old_tls;
mod reach;
mod secure;
pub mod step;
mod stream;
mod system;
pub mod text;
mod upgrade;

pub use step::{Fact, Step, Verdict, Watch};

use crate::clock;
use crate::conn::Authority;
use crate::tls::upstream::{ClientCertificate, Trust};
use course::Course;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The resource bound: not `desktop`, which would throw out the agent who works there.
pub const RESOURCE: &str = "finesse-tap-doctor";

/// What is to be examined. No `Debug`: it may hold a password.
pub struct Question {
    /// The server, by the name that desktops use.
    pub server: Authority,
    /// Addresses to dial for a name (lower case) instead of asking the system.
    pub resolve: Vec<(String, IpAddr)>,
    /// Whom to believe to be the server.
    pub trust: Trust,
    /// Who we are if the server asks.
    pub client: Option<ClientCertificate>,
    /// A running proxy, to go the same way through.
    pub through: Option<SocketAddr>,
    /// The certificate of the proxy's CA, whether it exists or not.
    pub proxy_ca: PathBuf,
    /// Where that CA is kept, if commands have to be told.
    pub certs: Option<PathBuf>,
    /// Who logs in, if anybody.
    pub credentials: Option<Credentials>,
    /// For each step.
    pub limit: Duration,
}

/// Who logs in. No `Debug`, no `Serialize`.
pub struct Credentials {
    /// The agent's ID, the localpart of the JID.
    pub user: String,
    /// The password, or an access token.
    pub password: String,
}

/// By which way the server is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// As the resolver or `--resolve` says.
    Direct,
    /// By way of a proxy that listens here.
    Through(SocketAddr),
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Through(address) => write!(f, "through {address}"),
        }
    }
}

impl Serialize for Way {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was found. Serializes as the document that `--format json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The server, as host and port.
    pub server: String,
    /// When the examination began, RFC 3339.
    pub at: String,
    /// The worst verdict of all steps.
    pub verdict: Verdict,
    /// Every way that was gone, the direct one first.
    pub ways: Vec<Examined>,
    /// Both ways against each other, if there were two.
    pub compared: Option<Step>,
    /// What to do next, in order.
    pub next: Vec<String>,
}

/// One way with its steps.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// Which.
    pub way: Way,
    /// In the order they were taken.
    pub steps: Vec<Step>,
}

impl Diagnosis {
    /// Every step of every way, and the comparison.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.ways.iter().flat_map(|examined| &examined.steps).chain(&self.compared)
    }
}

/// Examines; tells `watch` as it goes.
pub async fn examine(question: &Question, watch: &mut dyn Watch) -> Diagnosis {
    let at = jiff::Timestamp::from_microsecond(clock::now().wall_us).unwrap_or_default();
    let direct = Course::new(question, Way::Direct, watch).walk(None).await;
    let mut ways = vec![direct];
    let mut compared = None;
    if let Some(address) = question.through {
        let through = Course::new(question, Way::Through(address), watch).walk(ways.first()).await;
        if let Some(direct) = ways.first() {
            let step = compare::compare(direct, &through);
            watch.ends(&step);
            compared = Some(step);
        }
        ways.push(through);
    }
    let mut diagnosis = Diagnosis {
        server: question.server.to_string(),
        at: at.to_string(),
        verdict: Verdict::Ok,
        ways: ways.iter().map(course::Walked::examined).collect(),
        compared,
        next: Vec::new(),
    };
    diagnosis.verdict = diagnosis.steps().map(|step| step.verdict).fold(Verdict::Ok, Verdict::worse);
    diagnosis.next = advice::next(question, &diagnosis, ways.first());
    diagnosis
}
