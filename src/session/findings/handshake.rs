//! The upgrade to a WebSocket: refused, stripped, or answered without the subprotocol.

use super::{Code, Confidence, Fact, Finding};

/// A preflight of the CORS protocol and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Preflight<'p> {
    /// The page's `Origin`.
    pub origin: &'p str,
    /// The `Host` that is asked.
    pub host: &'p str,
    /// The answer's `Access-Control-Allow-Origin`.
    pub allows: Option<&'p str>,
}

/// A request for the WebSocket's path that was answered without becoming one.
pub(in crate::session) fn not_upgraded(
    asked: Asked,
    status: Option<u16>,
    failure: Option<&str>,
    sequence: u64,
) -> Option<Finding> {
    let finding = match asked {
        Asked::Upgrade => Finding::new(Code::UpgradeRefused, Confidence::Certain),
        Asked::Connect => Finding::new(Code::ExtendedConnectRefused, Confidence::Certain),
        Asked::PathOnly => Finding::new(Code::UpgradeStripped, Confidence::Likely),
        Asked::Nothing => return None,
    };
    let finding = finding.seen([sequence]);
    match (status, failure) {
        (Some(status), _) => Some(finding.fact(Fact::Status, status)),
        (None, Some(failure)) => Some(finding.fact(Fact::Reason, failure)),
        // Without an answer the connection's end tells the story.
        (None, None) => None,
    }
}

/// A page of another origin asked whether it may make a request, and the server did not say yes.
pub(in crate::session) fn preflight(
    asked: Option<Preflight<'_>>,
    status: Option<u16>,
    sequence: u64,
) -> Option<Finding> {
    let Preflight { origin, host, allows } = asked?;
    let of_origin = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let is_own = of_origin.eq_ignore_ascii_case(host) || of_origin.split(':').next() == host.split(':').next();
    let is_allowed = allows.is_some_and(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin));
    if is_own || is_allowed {
        return None;
    }
    let finding = Finding::new(Code::CorsRefused, Confidence::Certain).about(origin).seen([sequence]);
    Some(finding.fact(Fact::Host, of_origin).fact(Fact::Status, status?))
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// An upgrade to WebSocket.
    Upgrade,
    /// A WebSocket within HTTP/2 (RFC 8441).
    Connect,
    /// The WebSocket's path, without an upgrade.
    PathOnly,
    /// Something else.
    Nothing,
}

/// RFC 6455 section 4.1: a browser that offered subprotocols fails a connection without one of them.
pub(in crate::session) fn subprotocol(offered: &[String], selected: Option<&str>, sequence: u64) -> Option<Finding> {
    let echoed = selected.is_some_and(|selected| offered.iter().any(|offer| offer.eq_ignore_ascii_case(selected)));
    if offered.is_empty() || echoed {
        return None;
    }
    let finding = Finding::new(Code::SubprotocolNotEchoed, Confidence::Certain).seen([sequence]);
    Some(finding.fact(Fact::Offered, offered.join(", ")).maybe(Fact::Selected, selected))
}
