//! A finding with its facts as one sentence: `Connections are cut after 7.0 s of silence (3 of 4)`.
//!
//! Codes that have no sentence here are said by their title, with the facts behind it.

use super::model::{Finding, Report};
use super::page::{Cell, Piece, cell};
use super::words::{count, duration};
use crate::session::findings::Code;

/// Why, as the second half of a sentence.
pub(super) fn reason(finding: &Finding, report: &Report) -> Cell {
    let fact = |name: &str| finding.fact(name);
    let took = |name: &str| took(finding, name);
    let said = || match Code::read(&finding.code)? {
        Code::Middlebox => {
            let share = fact("times").map(|times| format!(" ({times} of {})", report.totals.sockets));
            let share = share.unwrap_or_default();
            match (took("idle_ms"), took("age_ms")) {
                (Some(idle), _) => Some(cell!["connections are cut after ", idle, format!(" of silence{share}")]),
                (None, age) => Some(cell!["connections are cut when they are ", age?, format!(" old{share}")]),
            }
        }
        Code::PingUnanswered => Some(cell![match finding.count {
            1 => String::from("a ping stayed without an answer"),
            more => format!("{} stayed without an answer", count(more, "ping")),
        }]),
        Code::PingSlow => Some(cell!["a ping took ", took("rtt_ms")?]),
        Code::ComputerSlept => {
            Some(cell!["nothing passed for ", took("silence_ms")?, ", the computer slept or lost its network"])
        }
        Code::HiddenTab => Some(cell!["the browser pinged only after ", took("spacing_ms")?, ", as for a hidden tab"]),
        Code::TokenExpired if fact("by") == Some("bearer") => Some(cell!["the access token ran out"]),
        Code::AuthRefused if fact("reason") == Some("temporary-auth-failure") => Some(cell![meaning(finding)?]),
        Code::AuthRefused => Some(cell!["the server refused the password"]),
        Code::NoFinessePresence => Some(cell!["the login succeeded, but the presence of finesse@ never came"]),
        Code::LoginStopped => Some(cell![format!("the socket ended before the login reached {}", fact("stage")?)]),
        Code::UpgradeRefused => Some(cell![format!("the WebSocket upgrade was answered with {}", fact("status")?)]),
        Code::Conflict => {
            let from = fact("other_client").map(|client| format!(" from {client}")).unwrap_or_default();
            Some(cell![format!("the agent signed in a second time{from}, and the server threw this desktop out")])
        }
        Code::EndedWithoutClose => {
            let how = ending(fact("by")?, fact("how"));
            Some(match took("idle_ms") {
                Some(idle) => cell![how, " without a Close frame after ", idle, " of silence"],
                None => cell![how, " without a Close frame"],
            })
        }
        Code::ReconnectStorm => Some(cell![format!("{} logins within ", fact("logins")?), took("within_ms")?]),
        Code::LateEvent => Some(cell!["an event arrived ", took("arrival_ms")?, " after the change"]),
        Code::NoEvent => {
            let what = [fact("operation"), fact("resource")].into_iter().flatten().collect::<Vec<_>>().join(" of ");
            (!what.is_empty()).then(|| cell![format!("the server accepted {what}, but no event followed")])
        }
        Code::SubscriptionRefused => {
            let why = fact("condition").map(|why| format!(" ({why})")).unwrap_or_default();
            Some(cell![format!("the server refused the subscription to {}{why}", fact("node")?)])
        }
        Code::ApiError | Code::LoginRefused => {
            let status = fact("status").map(|status| format!(" ({status})")).unwrap_or_default();
            Some(cell![format!("{}{status}", meaning(finding).or(fact("type").map(str::to_owned))?)])
        }
        Code::CertificateRefused => {
            let alert = fact("alert").map(|alert| format!(" ({alert})")).unwrap_or_default();
            Some(cell![format!("it did not accept the certificate{alert}")])
        }
        code => of_server(code, finding).or_else(|| of_requests(code, finding)).or_else(|| of_events(code, finding)),
    };
    said().unwrap_or_else(|| {
        // What it means stands in the sentence or nowhere, what to do with the advice.
        let facts = finding.facts.iter().filter(|(name, _)| !matches!(&**name, "meaning" | "remedy"));
        let facts = facts.map(|(name, value)| in_words(name, value));
        let facts = facts.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
        let title = first(&finding.title, char::to_lowercase);
        if facts.is_empty() { cell![title] } else { cell![title, Piece::Quiet(format!(" ({facts})"))] }
    })
}

/// What the server's code or condition stands for, as half a sentence.
fn meaning(finding: &Finding) -> Option<String> {
    Some(first(finding.fact("meaning")?, char::to_lowercase).trim_end_matches('.').to_owned())
}

fn took(finding: &Finding, name: &str) -> Option<Piece> {
    finding.fact(name)?.parse::<u64>().ok().map(|ms| Piece::Took(ms.saturating_mul(1_000)))
}

/// What the server or the way to it did.
fn of_server(code: Code, finding: &Finding) -> Option<Cell> {
    let fact = |name: &str| finding.fact(name);
    Some(match code {
        Code::ClosedByServer => {
            let why = fact("message").map(|text| format!(" “{text}”")).unwrap_or_default();
            cell![format!("the server closed the socket with {}{why}: {}", fact("code")?, meaning(finding)?)]
        }
        Code::CloseError => {
            let why = fact("message").map(|text| format!(" “{text}”")).unwrap_or_default();
            cell![format!("the browser closed the socket with {}{why}: {}", fact("code")?, meaning(finding)?)]
        }
        Code::StreamError => {
            cell![format!("the server ended the stream with {}: {}", fact("condition")?, meaning(finding)?)]
        }
        Code::BoshTerminated | Code::BoshSessionUnknown if fact("condition") != Some("none given") => {
            cell![format!("the server ended the BOSH session with {}: {}", fact("condition")?, meaning(finding)?)]
        }
        Code::ServerOutage => {
            let why = fact("message").or(fact("sign")).map(|why| format!(" ({why})")).unwrap_or_default();
            cell![format!("the server's side went out of service{why}")]
        }
        Code::Maintenance => cell!["planned maintenance moved the desktop away, and it did not come back"],
        Code::SiteOutage => {
            let (agents, client) = (fact("agents")?, fact("client")?);
            cell![format!("{agents} agents at {client} were cut off at once, while agents elsewhere went on")]
        }
        Code::UpstreamUnreachable | Code::UpstreamCertificate => {
            let (host, why) = (fact("host")?, fact("message").map(|why| format!(" ({why})")).unwrap_or_default());
            cell![match code {
                Code::UpstreamCertificate => format!("the proxy does not trust {host}{why}"),
                _ => format!("{host} cannot be reached{why}"),
            }]
        }
        Code::ClockSkew => {
            let skew_ms: i64 = fact("skew_ms")?.parse().ok()?;
            let way = if skew_ms > 0 { " behind the proxy's" } else { " ahead of the proxy's" };
            cell!["the server's clock is ", Piece::Took(skew_ms.unsigned_abs().saturating_mul(1_000)), way]
        }
        Code::TapPaused => cell!["the proxy itself stood still for ", took(finding, "paused_ms")?],
        Code::WrongNode => {
            cell![format!("the desktop worked with {} and {} by turns", fact("host")?, fact("other_host")?)]
        }
        _ => return None,
    })
}

/// What became of requests and pages.
fn of_requests(code: Code, finding: &Finding) -> Option<Cell> {
    let fact = |name: &str| finding.fact(name);
    Some(match code {
        Code::CertificateRefusedSilently => {
            cell![format!("it gave up {} TLS handshakes without saying why", fact("times")?)]
        }
        Code::CorsRefused => cell![format!("the server does not allow requests of the page from {}", fact("host")?)],
        Code::RedirectLoop => cell![
            format!("the single sign-on went round in circles, {} redirects within ", fact("times")?),
            took(finding, "within_ms")?
        ],
        Code::DesktopUnavailable => cell![format!("the desktop's page was answered with {}", fact("status")?)],
        Code::GadgetFailed => {
            cell![format!("the gadget's server {} answered with {}", fact("host")?, fact("status")?)]
        }
        Code::RequestUnanswered => {
            let what = [fact("operation"), fact("resource")].into_iter().flatten().collect::<Vec<_>>().join(" of ");
            let who = match fact("by") {
                Some("upstream") => "the server ended the connection",
                Some(_) => "the browser gave up",
                None => "the connection failed",
            };
            cell![format!("{who} without an answer to {what} after "), took(finding, "after_ms")?]
        }
        Code::RestSlow => cell![
            format!("{} of the last answers about {} took up to ", fact("times")?, fact("resource")?),
            took(finding, "rtt_ms")?,
            ", while pings were quick"
        ],
        Code::SlowPath => {
            cell!["answers took up to ", took(finding, "rtt_ms")?, " and pings ", took(finding, "ping_ms")?]
        }
        Code::NoSocket => cell!["the desktop opened no socket within ", took(finding, "after_ms")?, " of its sign-in"],
        _ => return None,
    })
}

/// What events told, or did not.
fn of_events(code: Code, finding: &Finding) -> Option<Cell> {
    let fact = |name: &str| finding.fact(name);
    Some(match code {
        Code::ForcedLogout | Code::ForcedState => {
            cell![format!("{} with reason {}: {}", fact("state")?, fact("code")?, meaning(finding)?)]
        }
        Code::OutOfOrder => cell!["an event came behind one that was ", took(finding, "behind_ms")?, " newer"],
        Code::MissedEvent => {
            cell![format!("the agent became {}, and the last event says {}", fact("state")?, fact("last_state")?)]
        }
        Code::StuckCall => cell!["a call that all had left was still there ", took(finding, "after_ms")?, " later"],
        _ => return None,
    })
}

/// Who ended a connection, and how.
pub(super) fn ending(by: &str, how: Option<&str>) -> String {
    let who = match by {
        "client" => "the browser",
        "upstream" => "the server",
        "proxy" => "this proxy",
        _ => return String::from("the connection ended"),
    };
    let how = match how {
        Some("fin") | None => "closed the connection",
        Some("rst") => "reset the connection",
        Some("timeout") => "let the connection time out",
        Some("tls_alert") => "broke off TLS",
        Some("shutdown") => "shut down",
        Some("terminate") => "ended the session",
        Some("status") => "refused the session",
        Some("inactive") => "did not go on with the session",
        Some("stream-end") => "ended the stream",
        Some(other) => other,
    };
    format!("{who} {how}")
}

/// A text with its first letter changed, unless it begins with an abbreviation.
pub(super) fn first<I: Iterator<Item = char>>(text: &str, change: impl Fn(char) -> I) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => change(first).chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// A fact's name and value in words: `idle_ms 20034` is “idle 20.0 s”.
fn in_words(name: &str, value: &str) -> (String, String) {
    let milliseconds = name.strip_suffix("_ms").and_then(|name| Some((name, value.parse::<u64>().ok()?)));
    if let Some((name, ms)) = milliseconds {
        return (name.replace('_', " "), duration(ms.saturating_mul(1_000)));
    }
    let said = match (name, value) {
        ("by", "upstream") => "the server",
        ("by", "client") => "the browser",
        (_, value) => value,
    };
    (name.replace('_', " "), said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: Code, facts: &[(&str, &str)]) -> Finding {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Finding {
            code: code.as_str().to_owned(),
            title: code.title().to_owned(),
            count: 1,
            facts,
            ..Finding::default()
        }
    }

    fn said(finding: &Finding) -> String {
        let mut report = Report::default();
        report.totals.sockets = 4;
        super::super::words::flat(&reason(finding, &report))
    }

    #[test]
    fn facts_become_sentences() {
        for (code, facts, expected) in [
            (
                Code::Middlebox,
                &[("idle_ms", "7012"), ("times", "3")][..],
                "connections are cut after 7.0 s of silence (3 of 4)",
            ),
            (Code::PingUnanswered, &[], "a ping stayed without an answer"),
            (
                Code::EndedWithoutClose,
                &[("by", "upstream"), ("how", "rst")],
                "the server reset the connection without a Close frame",
            ),
            (Code::LoginStopped, &[("stage", "auth")], "the socket ended before the login reached auth"),
            (Code::LoginStopped, &[], "the socket ended before the login was done"),
            (
                Code::BoshTooManyRequests,
                &[("open", "3"), ("allowed", "2")],
                "more BOSH requests are open at once than the server allows (open 3, allowed 2)",
            ),
        ] {
            assert_eq!(said(&finding(code, facts)), expected);
        }
        let unknown = Finding { code: "later".into(), title: "SASL is new".into(), ..Finding::default() };
        assert_eq!(said(&unknown), "SASL is new");
    }
}
