//! One way from the name to the subscription, step by step, each within its time.
//!
//! Decides what can still be examined after a failure. Credentials need a trusted certificate; where they were refused
//! once they are not tried by another way, because servers lock accounts.

use super::secure::{self, Shown};
use super::step::{Outcome, Step, Verdict, Watch};
use super::stream::Stream;
use super::system::SystemInfo;
use super::{Examined, Question, Way, http, login, reach, upgrade};
use crate::clock;
use crate::tls::upstream::{Pin, Trust, Upstream};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// For closing a stream that goes no further.
const FAREWELL: Duration = Duration::from_secs(1);

/// One way under examination.
pub(super) struct Course<'q, 'w> {
    question: &'q Question,
    way: Way,
    watch: &'w mut dyn Watch,
    walked: Walked,
}

/// One way, gone.
pub(super) struct Walked {
    pub(super) way: Way,
    pub(super) steps: Vec<Step>,
    /// Of the certificate that was shown.
    pub(super) pin: Option<Pin>,
    /// That certificate is trusted as things are configured.
    pub(super) trusted: bool,
    /// What the server says about itself.
    pub(super) system: Option<SystemInfo>,
}

/// How connections are made on this way.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    pub(super) upstream: Upstream,
}

impl Walked {
    pub(super) fn examined(&self) -> Examined {
        Examined { way: self.way, steps: self.steps.clone() }
    }

    pub(super) fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The server said no to the credentials, as opposed to nothing.
    fn refused(&self) -> bool {
        self.step("login").is_some_and(|step| step.verdict == Verdict::Fail && step.fact("condition").is_some())
    }
}

impl<'q, 'w> Course<'q, 'w> {
    pub(super) fn new(question: &'q Question, way: Way, watch: &'w mut dyn Watch) -> Self {
        let walked = Walked { way, steps: Vec::new(), pin: None, trusted: false, system: None };
        Self { question, way, watch, walked }
    }

    /// Goes the way; `before` is the one that was gone earlier.
    pub(super) async fn walk(mut self, before: Option<&Walked>) -> Walked {
        self.watch.way(&self.question.server.to_string(), self.way);
        self.go(before).await;
        self.walked
    }

    async fn go(&mut self, before: Option<&Walked>) -> Option<()> {
        let question = self.question;
        let addresses = match self.way {
            Way::Direct => self.step("name", reach::name(question)).await?,
            Way::Through(address) => vec![address],
        };
        let address = self.untimed("tcp", reach::tcp(&addresses, self.way, question.limit)).await?;
        if let Some(line) = self.secure(address).await {
            self.converse(&line, before).await;
        }
        if self.way == Way::Direct {
            self.untimed("ports", reach::ports(address.ip(), question.server.port, question.limit)).await;
        }
        Some(())
    }

    /// TLS and certificate. Without trust it goes on for a look, by the very certificate that was shown.
    async fn secure(&mut self, address: SocketAddr) -> Option<Line> {
        let question = self.question;
        let shown: Shown = self.step("tls", secure::tls(question, address)).await?;
        self.walked.pin = Some(shown.pin());
        let trusted = self.step("certificate", secure::certificate(question, self.way, address, &shown)).await;
        self.walked.trusted = trusted.is_some();
        let look = || secure::upstream(question, &Trust::Pins(vec![shown.pin()])).ok();
        Some(Line { address, upstream: trusted.or_else(look)? })
    }

    async fn converse(&mut self, line: &Line, before: Option<&Walked>) {
        let question = self.question;
        self.walked.system = self.step("systeminfo", http::system_info(question, line)).await;
        if let Some(system) = &self.walked.system {
            let outcome = system.nodes(&question.server);
            self.note("nodes", outcome);
        }
        self.step("desktop", http::desktop(question, line)).await;
        let Some(socket) = self.step("upgrade", upgrade::upgrade(question, line)).await else { return };
        let domains = SystemInfo::domains(self.walked.system.as_ref(), &question.server);
        let mut stream = Stream::new(socket, domains);
        let offered = self.step("xmpp", login::open(&mut stream)).await;
        let left = match (&question.credentials, self.hindrance(offered, before)) {
            (Some(credentials), None) => self.log_in(&mut stream, credentials).await,
            (_, hindrance) => {
                let how = "no credentials: with --user and --password-stdin a whole login is tried";
                self.note("login", Outcome::skipped(hindrance.unwrap_or(how)));
                None
            }
        };
        if left.is_none() {
            // A stream that is merely dropped looks like a fault to whoever reads the server's log.
            let _ = timeout(question.limit.min(FAREWELL), stream.close()).await;
        }
    }

    /// Why credentials are not sent.
    fn hindrance(&self, offered: Option<()>, before: Option<&Walked>) -> Option<&'static str> {
        if self.question.credentials.is_none() {
            None
        } else if !self.walked.trusted {
            Some("the password goes to no server whose certificate is not trusted")
        } else if offered.is_none() {
            Some("the server does not get as far as taking a password")
        } else if before.is_some_and(Walked::refused) {
            Some("the password was refused already; another try might lock the account")
        } else {
            None
        }
    }

    /// From the password to the logout. `None` if the stream was not left in good order.
    async fn log_in(&mut self, stream: &mut Stream, credentials: &super::Credentials) -> Option<()> {
        self.step("login", login::authenticate(stream, credentials)).await?;
        self.step("bind", login::bind(stream)).await?;
        self.step("presence", login::presence(stream, self.question.limit)).await;
        let subscribed = self.step("subscription", login::subscribe(stream, credentials)).await;
        self.step("ping", login::ping(stream)).await;
        self.step("logout", login::log_out(stream, credentials, subscribed)).await
    }

    /// Takes a step that must end in time.
    async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = (Outcome, Option<T>)>) -> Option<T> {
        let limit = self.question.limit;
        let timed = async {
            timeout(limit, work).await.unwrap_or_else(|_| {
                let seen = format!("nothing came of it within {}", reach::seconds(limit));
                (Outcome::fail(seen, late(name)), None)
            })
        };
        self.untimed(name, timed).await
    }

    /// Takes a step that minds its own time.
    async fn untimed<T>(&mut self, name: &'static str, work: impl Future<Output = (Outcome, Option<T>)>) -> Option<T> {
        self.watch.begins(name);
        let since = clock::now();
        let (outcome, found) = work.await;
        self.keep(outcome.into_step(name, clock::now().us_since(since)));
        found
    }

    /// A step that needs nobody's answer.
    fn note(&mut self, name: &'static str, outcome: Outcome) {
        self.keep(outcome.into_step(name, 0));
    }

    fn keep(&mut self, step: Step) {
        // We never say it; a server may say it back.
        let step = match &self.question.credentials {
            Some(credentials) => step.without(&login::secrets(credentials, &self.question.server.host)),
            None => step,
        };
        self.watch.ends(&step);
        self.walked.steps.push(step);
    }
}

/// What it may mean that nothing came in time.
fn late(name: &str) -> &'static str {
    match name {
        "name" => "does this machine reach its DNS server?",
        "tls" | "certificate" => {
            "something accepts the connection and says nothing: is it the HTTPS port, is a firewall or proxy in between?"
        }
        "systeminfo" | "desktop" => "Finesse's Tomcat hangs or is starting; look again in some minutes",
        "upgrade" => "something in between may hold WebSockets back, or the notification service hangs",
        _ => "the notification service (Openfire) hangs; a desktop would time out as well",
    }
}
