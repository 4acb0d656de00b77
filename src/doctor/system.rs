//! SystemInfo (`/finesse/api/SystemInfo`): which nodes there are, which XMPP domains, in what state, at what time.
//!
//! Reads the XML leniently and does no I/O. A desktop goes to the other node on failover, so every node that is named
//! there needs to be known.

use super::step::Outcome;
use crate::clock::Moment;
use crate::conn::Authority;
use crate::xmpp::Element;
use crate::xmpp::parse::parse;

/// A clock that differs by more is worth a warning.
const SKEW_WARN_MS: i64 = 60_000;

/// What the server says about itself.
pub(super) struct SystemInfo {
    /// `IN_SERVICE` and others.
    status: Option<String>,
    /// `SSO`, `NON_SSO`, `HYBRID`.
    auth_mode: Option<String>,
    deployment: Option<String>,
    version: Option<String>,
    domain: Option<String>,
    pubsub: Option<String>,
    /// Primary, then secondary.
    nodes: Vec<String>,
    timestamp: Option<String>,
}

/// The XMPP domains to speak to.
#[derive(Clone)]
pub(super) struct Domains {
    pub(super) server: String,
    pub(super) pubsub: String,
}

impl SystemInfo {
    /// Reads the answer's body.
    pub(super) fn read(text: &str) -> Option<Self> {
        let document = parse(text);
        let root = document.roots().find(|root| root.name() == "SystemInfo")?;
        let node = |name| root.child(name).and_then(|node| filled(node, "host"));
        Some(Self {
            status: filled(root, "status"),
            auth_mode: filled(root, "systemAuthMode"),
            deployment: filled(root, "deploymentType"),
            version: filled(root, "finesseVersion"),
            domain: filled(root, "xmppDomain"),
            pubsub: filled(root, "xmppPubSubDomain"),
            nodes: [node("primaryNode"), node("secondaryNode")].into_iter().flatten().collect(),
            timestamp: filled(root, "currentTimestamp"),
        })
    }

    /// What the step that fetched it at `now` says.
    pub(super) fn outcome(&self, now: Moment) -> Outcome {
        let status = self.status.as_deref().unwrap_or("a state it does not tell");
        let ahead_ms = self.ahead_ms(now);
        let outcome = if self.status.as_deref().is_some_and(|status| status != "IN_SERVICE") {
            let advice = "agents cannot work: is Finesse starting, or cut off from CTI? Its log and CTI server tell";
            Outcome::fail(format!("Finesse is {status}"), advice)
        } else if self.auth_mode.as_deref() == Some("SSO") {
            Outcome::warn(
                format!("Finesse is {status}, with single sign-on"),
                "agents sign in with an access token: give one instead of a password to try a login",
            )
        } else if ahead_ms.is_some_and(|ahead| ahead.abs() > SKEW_WARN_MS) {
            let advice = "times in the log and on the server will not match; set this machine's or the server's clock";
            Outcome::warn(format!("Finesse is {status}; its clock and ours differ"), advice)
        } else {
            Outcome::ok(format!("Finesse is {status}"))
        };
        let known = [
            ("release", &self.version),
            ("deployment", &self.deployment),
            ("sign-on", &self.auth_mode),
            ("xmpp domain", &self.domain),
            ("pubsub domain", &self.pubsub),
        ];
        let outcome = known.into_iter().fold(outcome, |outcome, (name, value)| match value {
            Some(value) => outcome.fact(name, value),
            None => outcome,
        });
        match ahead_ms {
            Some(ms) => outcome.passing("clock", format!("{:+.1} s against ours", ms as f64 / 1_000.0)),
            None => outcome,
        }
    }

    /// The hosts it names, against the one that was asked for.
    pub(super) fn nodes(&self, server: &Authority) -> Outcome {
        let others: Vec<&str> = self.others(server).collect();
        let named = self.nodes.iter().any(|node| node.eq_ignore_ascii_case(&server.host));
        let outcome = if self.nodes.is_empty() {
            Outcome::warn("SystemInfo names no host", "is it a Finesse server?")
        } else if !named {
            Outcome::warn(
                format!("{} is not among the hosts of SystemInfo: {}", server.host, others.join(", ")),
                "gadgets, sign-on and failover go to the names above: use those in place of this one",
            )
        } else if others.is_empty() {
            Outcome::ok(format!("{} is the only node", server.host))
        } else {
            Outcome::warn(
                format!("{} has another node: {}", server.host, others.join(", ")),
                "on failover the browser goes there, where a proxy for this node alone sees nothing",
            )
        };
        ["primary", "secondary"]
            .into_iter()
            .zip(&self.nodes)
            .fold(outcome, |outcome, (name, node)| outcome.fact(name, node))
    }

    /// The nodes besides the one that was asked for.
    pub(super) fn others<'a>(&'a self, server: &'a Authority) -> impl Iterator<Item = &'a str> {
        self.nodes.iter().map(String::as_str).filter(|node| !node.eq_ignore_ascii_case(&server.host))
    }

    /// The XMPP domains, as the server names them or as they usually are.
    pub(super) fn domains(system: Option<&Self>, server: &Authority) -> Domains {
        let domain = system.and_then(|system| system.domain.clone()).unwrap_or_else(|| server.host.clone());
        let pubsub = system.and_then(|system| system.pubsub.clone()).unwrap_or_else(|| format!("pubsub.{domain}"));
        Domains { server: domain, pubsub }
    }

    fn ahead_ms(&self, now: Moment) -> Option<i64> {
        let theirs: jiff::Timestamp = self.timestamp.as_ref()?.parse().ok()?;
        Some(theirs.as_millisecond().saturating_sub(now.wall_us / 1_000))
    }
}

fn filled(element: Element<'_, '_>, name: &str) -> Option<String> {
    let text = element.child(name)?.text().trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn system(inner: &str) -> SystemInfo {
        SystemInfo::read(&format!("<?xml version='1.0'?>\n<SystemInfo>{inner}</SystemInfo>")).unwrap()
    }

    #[test]
    fn a_second_node_and_a_foreign_name_are_told() {
        let both = system(
            "<primaryNode><host>a.example.test</host></primaryNode><secondaryNode><host>b.example.test</host></secondaryNode>",
        );
        let verdict = |system: &SystemInfo, host: &str| {
            let step = system.nodes(&Authority::parse(host, 8445).unwrap()).into_step("nodes", 0);
            (step.verdict, step.seen)
        };
        let (at, seen) = verdict(&both, "A.example.test");
        assert!(at == Verdict::Warn && seen.contains("another node: b.example.test"), "{seen}");
        let (at, seen) = verdict(&both, "c.example.test");
        assert!(at == Verdict::Warn && seen.contains("not among"), "{seen}");
        let alone =
            system("<primaryNode><host>a.example.test</host></primaryNode><secondaryNode><host/></secondaryNode>");
        assert_eq!(verdict(&alone, "a.example.test").0, Verdict::Ok);
    }

    #[test]
    fn state_clock_and_sign_on_are_judged() {
        let now = Moment { wall_us: 1_767_225_600_000_000, mono_ns: 0 };
        let judged = |inner: &str| system(inner).outcome(now).into_step("systeminfo", 0);
        let fine = judged("<status>IN_SERVICE</status><currentTimestamp>2026-01-01T00:00:01.500Z</currentTimestamp>");
        assert_eq!((fine.verdict, fine.fact("clock")), (Verdict::Ok, Some("+1.5 s against ours")));
        assert_eq!(judged("<status>OUT_OF_SERVICE</status>").verdict, Verdict::Fail);
        assert_eq!(judged("<currentTimestamp>2026-01-01T01:00:00Z</currentTimestamp>").verdict, Verdict::Warn);
        assert_eq!(judged("<systemAuthMode>SSO</systemAuthMode>").verdict, Verdict::Warn);
    }

    #[test]
    fn domains_fall_back_to_the_usual_ones() {
        let server = Authority::parse("a.example.test", 8445).unwrap();
        assert_eq!(SystemInfo::domains(None, &server).pubsub, "pubsub.a.example.test");
        let said = system("<xmppDomain>x.test</xmppDomain><xmppPubSubDomain>events.x.test</xmppPubSubDomain>");
        let domains = SystemInfo::domains(Some(&said), &server);
        assert_eq!((&*domains.server, &*domains.pubsub), ("x.test", "events.x.test"));
    }
}
