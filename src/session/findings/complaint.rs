//! From what people say to the findings to look for: the head of `docs/findings.md` is made of it.

use super::Code;
use super::Code::{
    ApiError, AuthRefused, BoshRequestMissing, BoshSessionUnknown, BoshTerminated, BoshTooManyRequests,
    CertificateRefused, CertificateRefusedSilently, ClockSkew, CloseError, ClosedByServer, ComputerSlept, Conflict,
    ConflictSelf, CorsRefused, DecodeError, DesktopUnavailable, EndedWithoutClose, EventUnsubscribed, ForcedLogout,
    ForcedState, GadgetFailed, HiddenTab, HostNotFronted, LateEvent, LoginRefused, LoginStopped, Maintenance,
    Middlebox, MissedEvent, NoEvent, NoFinessePresence, NoPlain, NoSocket, OutOfOrder, PingSlow, PingUnanswered,
    PresenceLate, ReconnectStorm, RedirectLoop, RequestUnanswered, RestSlow, ServerOutage, ServerRestart, SiteOutage,
    SlowPath, StreamError, StuckCall, SubprotocolNotEchoed, SubscriptionDoubled, SubscriptionMissing,
    SubscriptionRefused, TapPaused, TokenExpired, UpgradeRefused, UpgradeStripped, UpstreamCertificate,
    UpstreamUnreachable, WrongNode,
};

/// A complaint, and what it may come from, the likeliest first.
pub const COMPLAINTS: &[(&str, &[Code])] = &[
    (
        "“Lost connection” banner, the desktop reconnects",
        &[
            PingUnanswered,
            ClosedByServer,
            StreamError,
            EndedWithoutClose,
            CloseError,
            PingSlow,
            ReconnectStorm,
            Code::ToldToGoAway,
        ],
    ),
    ("It happens again and again after the same time", &[Middlebox, HiddenTab]),
    ("It happens while the tab is in the background", &[HiddenTab, Middlebox]),
    ("It happens after a break, or when the laptop was closed", &[ComputerSlept]),
    ("It happened to all agents at once", &[ServerOutage, ServerRestart, TapPaused, Middlebox]),
    ("It happened to all agents of one office or VPN", &[SiteOutage, SlowPath]),
    ("Desktops moved to the other side at night", &[Maintenance, ServerOutage]),
    ("Thrown out, signed in twice", &[Conflict, ConflictSelf, ReconnectStorm, ForcedState]),
    (
        "Signed out or not ready by itself (reason 255, 50002, 32765)",
        &[ForcedLogout, ComputerSlept, HiddenTab, EndedWithoutClose],
    ),
    ("Signed out or not ready by itself (another reason)", &[ForcedState]),
    ("Signed out in the middle of the day", &[TokenExpired, ForcedLogout]),
    (
        "The page does not load, or shows an error of the browser",
        &[CertificateRefused, CertificateRefusedSilently, UpstreamUnreachable, UpstreamCertificate, DesktopUnavailable],
    ),
    (
        "The page loads, but there is no connection",
        &[
            NoSocket,
            UpgradeRefused,
            UpgradeStripped,
            SubprotocolNotEchoed,
            LoginStopped,
            BoshTerminated,
            Code::ExtendedConnectRefused,
        ],
    ),
    ("User and password are not taken", &[AuthRefused, LoginRefused, NoPlain]),
    ("The agent or the extension cannot be signed in", &[LoginRefused]),
    ("Single sign-on goes round in circles, or ends at once", &[RedirectLoop, TokenExpired, ClockSkew]),
    ("The login goes through, and the desktop hangs", &[NoFinessePresence, SubscriptionMissing, PresenceLate]),
    ("A click does nothing", &[NoEvent, RequestUnanswered, SubscriptionRefused, CorsRefused]),
    ("A click gives an error", &[ApiError, Code::StreamsReset, Code::HeaderListRefused]),
    ("The desktop shows a wrong state", &[MissedEvent, OutOfOrder, WrongNode, SubscriptionMissing]),
    ("A call stays on the desktop, or none comes any more", &[StuckCall, ForcedState, NoEvent]),
    ("States and calls come late", &[LateEvent, SlowPath, RestSlow, PingSlow]),
    ("Everything is slow", &[RestSlow, SlowPath, PingSlow, Code::FlowControlStall, Code::StreamLimitReached]),
    ("Things happen twice", &[SubscriptionDoubled, EventUnsubscribed]),
    ("A gadget stays empty or shows an error", &[GadgetFailed, CorsRefused, HostNotFronted]),
    ("It fails after a failover only", &[WrongNode, HostNotFronted, CertificateRefused]),
    (
        "An old client over BOSH loses its session",
        &[BoshSessionUnknown, BoshRequestMissing, BoshTooManyRequests, BoshTerminated],
    ),
    ("The capture itself has holes", &[DecodeError, TapPaused, HostNotFronted]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_answers_a_complaint() {
        for code in Code::ALL {
            assert!(COMPLAINTS.iter().any(|(_, codes)| codes.contains(&code)), "nobody complains of {code:?}");
        }
    }
}
