//! A session in two or three sentences: what a colleague would say who has read the capture.

use super::ladder::Login;
use super::model::{Ending, Session, Socket};
use super::words;

/// Ends of a socket that lie this close to the end of the capture are no news.
const SLOW_PING_US: u64 = 5_000_000;

/// The sentences. `capture_to_us` is when the capture ends.
pub(super) fn tell(session: &Session, capture_to_us: i64) -> Vec<String> {
    let mut story = vec![login(session)];
    story.extend(work(session));
    story.extend(pings(session));
    story.extend(session.sockets.last().map(|socket| end(socket, capture_to_us)));
    story.extend(trouble(session));
    story
}

fn login(session: &Session) -> String {
    let (Some(first), Some(last)) = (session.sockets.first(), session.sockets.last()) else {
        let requests = words::count(session.requests.rest + session.requests.other, "HTTP request");
        return format!("No WebSocket was seen, only {requests}.");
    };
    let sockets = session.sockets.len() as u64;
    let stopped = session.sockets.iter().filter(|socket| socket.ladder.login == Login::Stopped).count() as u64;
    let mut said = match last.ladder.login {
        Login::Complete => match last.ladder.took_us() {
            Some(took) => format!("Logged in within {}", words::duration(took)),
            None => String::from("Logged in"),
        },
        Login::Stopped => {
            let stage = last.ladder.stopped_at.map_or("?", |stage| stage.as_str());
            let why = last.ladder.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("The login stopped at “{stage}”{why}")
        }
        Login::Unfinished => String::from("The login was still under way when the capture ended"),
        Login::Unseen => String::from("Was logged in already when the capture began"),
    };
    if sockets > 1 {
        let span = words::duration(words::between_us(first.from_us, last.from_us));
        said = format!("{said}; {sockets} sockets in a row, the last opened {span} after the first");
        if stopped > 0 {
            said = format!("{said}, {} of {sockets} logins stopped early", stopped);
        }
    }
    said + "."
}

fn work(session: &Session) -> Option<String> {
    let states = session.states.len() as u64;
    let calls = session.calls.len() as u64;
    if states + calls == 0 {
        let events = words::count(session.updates, "Finesse event");
        return Some(format!("{}{} came.", events.get(..1)?.to_uppercase(), events.get(1..)?));
    }
    let last = session.states.last().map(|state| format!(", the last one {}", state.state)).unwrap_or_default();
    let said = format!("{}{last}, and {}.", words::count(states, "agent state"), words::count(calls, "call"));
    Some(said.get(..1)?.to_uppercase() + said.get(1..)?)
}

fn pings(session: &Session) -> Option<String> {
    let lost = session.pings.lost.len() as u64 + session.pings.lost.left_out;
    let slow = session.pings.xmpp.slowest.filter(|slowest| slowest.rtt_us >= SLOW_PING_US);
    match (lost, slow) {
        (0, None) => None,
        (0, Some(slow)) => Some(format!("The slowest ping took {}.", words::duration(slow.rtt_us))),
        (lost, _) => Some(format!("{} stayed without an answer.", words::count(lost, "ping"))),
    }
}

fn end(socket: &Socket, capture_to_us: i64) -> String {
    let age = words::duration(words::between_us(socket.from_us, socket.to_us));
    match &socket.ending {
        None => {
            let open = words::duration(words::between_us(socket.from_us, capture_to_us));
            format!("The socket was still open when the capture ended, {open} old.")
        }
        Some(ending) => format!("The socket ended after {age}: {}.", ending_words(ending)),
    }
}

/// How a socket ended, in words.
pub(super) fn ending_words(ending: &Ending) -> String {
    let who = |name: &str| match name {
        "client" => "the browser",
        "upstream" => "the server",
        "proxy" => "this proxy",
        _ => "an unknown side",
    };
    let reason = ending.reason.as_ref().map(|reason| format!(" “{reason}”")).unwrap_or_default();
    let below = match (ending.by.as_deref(), ending.how.as_deref()) {
        (Some(by), Some(how)) => {
            let how = match how {
                "fin" => "closed the connection",
                "rst" => "reset the connection",
                "timeout" => "let the connection time out",
                "tls_alert" => "broke off TLS",
                "shutdown" => "shut down",
                "terminate" => "ended the session",
                "status" => "refused the session",
                "inactive" => "did not go on with the session",
                "stream-end" => "ended the stream",
                other => other,
            };
            format!("{} {how}", who(by))
        }
        _ => String::new(),
    };
    let Some(code) = ending.code else { return format!("{below}{reason}") };
    let said = match (ending.initiator.as_deref(), ending.handshake.as_deref()) {
        (Some(by), Some("full")) => format!("closed by {} and confirmed (code {code}{reason})", who(by)),
        (Some(by), _) => format!("closed by {} (code {code}{reason}), not confirmed", who(by)),
        (None, _) => format!("no Close frame (code {code})"),
    };
    match (ending.initiator.is_some(), below.is_empty()) {
        (false, false) => format!("{below} without a Close frame (code {code})"),
        _ => said,
    }
}

fn trouble(session: &Session) -> Option<String> {
    let findings = session.findings.len() as u64;
    let warnings = session.troubles.len() as u64 + session.troubles.left_out;
    let refused = session.subscriptions.iter().filter(|subscription| subscription.refused > 0).count() as u64;
    let mut parts = Vec::new();
    if findings > 0 {
        parts.push(words::count(findings, "finding"));
    }
    if refused > 0 {
        parts.push(words::count(refused, "refused subscription"));
    }
    if warnings > 0 {
        parts.push(format!("{} in the log", words::count(warnings, "warning")));
    }
    (!parts.is_empty()).then(|| format!("To look at: {}.", parts.join(", ")))
}
