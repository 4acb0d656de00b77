//! Keep-alives: slow, unanswered, too rare, and the silence of a computer asleep.

use super::{Code, Confidence, Fact, Finding};

/// A round trip longer than this is slow, microseconds. The desktop gives up at twice that.
const SLOW_US: u64 = 5_000_000;
/// The desktop pings every 10 s; browsers throttle a hidden tab's timers to one a minute.
const RARE_MS: std::ops::Range<u64> = 30_000..90_000;
/// A client that has always pinged more seldom than a desktop is throttled only if it pings once a minute.
const MINUTE_MS: std::ops::Range<u64> = 50_000..90_000;
/// As often as a desktop pings, or somewhat more seldom.
pub(in crate::session) const OFTEN_MS: u64 = 20_000;
/// Nothing either way for so long, with pings due every 10 s, is no throttling any more, milliseconds.
const ASLEEP_MS: u64 = 90_000;

/// Which keep-alive, and whose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::session) enum Level {
    /// XEP-0199, asked by the client.
    XmppOfClient,
    /// XEP-0199, asked by the server.
    XmppOfServer,
    /// RFC 6455, asked by the client.
    WebSocketOfClient,
    /// RFC 6455, asked by the server.
    WebSocketOfServer,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::XmppOfClient => "xmpp, asked by the client",
            Self::XmppOfServer => "xmpp, asked by the server",
            Self::WebSocketOfClient => "websocket, asked by the client",
            Self::WebSocketOfServer => "websocket, asked by the server",
        }
    }
}

/// A ping's answer came; if it was given up before, however late.
pub(in crate::session) fn slow(level: Level, rtt_us: u64, asked: u64, answered: u64) -> Option<Finding> {
    if rtt_us <= SLOW_US {
        return None;
    }
    let finding = Finding::new(Code::PingSlow, Confidence::Certain).about(level.as_str()).seen([asked, answered]);
    Some(finding.fact(Fact::Level, level.as_str()).fact(Fact::RttMs, rtt_us / 1_000))
}

/// 10 s after a ping without an answer.
pub(in crate::session) fn unanswered(level: Level, asked: u64) -> Finding {
    let finding = Finding::new(Code::PingUnanswered, Confidence::Certain).about(level.as_str()).seen([asked]);
    finding.fact(Fact::Level, level.as_str())
}

/// Two pings of the client in a row.
pub(in crate::session) fn spacing(spacing_ms: u64, often: bool, before: u64, sequence: u64) -> Option<Finding> {
    if !if often { RARE_MS } else { MINUTE_MS }.contains(&spacing_ms) {
        return None;
    }
    let finding = Finding::new(Code::HiddenTab, Confidence::Likely).seen([before, sequence]);
    Some(finding.fact(Fact::SpacingMs, spacing_ms))
}

/// Something passes after a silence, or the socket ends, where the client had pinged before.
pub(in crate::session) fn silence(idle_ms: u64, last_ping: Option<u64>, sequence: u64) -> Option<Finding> {
    let last_ping = last_ping?;
    if idle_ms < ASLEEP_MS {
        return None;
    }
    let finding = Finding::new(Code::ComputerSlept, Confidence::Likely).seen([last_ping, sequence]);
    Some(finding.fact(Fact::SilenceMs, idle_ms))
}
