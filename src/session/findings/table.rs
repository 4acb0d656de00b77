//! The findings as one table: adding one is adding a row, its rule in one of this module's files, and its scenario in
//! `tests/field`. The schema, the vocabulary and `docs/findings.md` follow from it (`UPDATE=1 cargo test`).
//!
//! A row holds, behind what it looks like on the wire: code, gravity, [`Scope`], [`Trouble`], title, advice, the facts its rule
//! may give, `silences` (not said any more on a stream that has had this) and `explains` (said, but as symptoms of this).

use super::code::{Gravity, Row, Scope, Trouble};
use super::fact::Fact;

macro_rules! findings {
    ($($(#[doc = $looks:literal])+ $code:ident $name:literal $gravity:ident $scope:ident $trouble:ident
        title $title:literal
        advice $advice:literal
        facts [$($fact:ident)*] silences [$($silenced:ident)*] explains [$($symptom:ident)*];)+
    ) => {
        /// A finding by name. Codes are stable: filters and dashboards match them.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Code { $($(#[doc = $looks])+ $code,)+ }

        impl Code {
            /// All findings.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$code),+];

            pub(super) const fn row(self) -> &'static Row {
                match self {
                    $(Self::$code => &Row {
                        name: $name,
                        gravity: Gravity::$gravity,
                        scope: Scope::$scope,
                        trouble: Trouble::$trouble,
                        title: $title,
                        advice: $advice,
                        looks: concat!($($looks),+),
                        facts: &[$(Fact::$fact),*],
                        silences: &[$(Self::$silenced),*],
                        explains: &[$(Self::$symptom),*],
                    },)+
                }
            }
        }
    };
}

findings! {
    /// a `GET` with `Upgrade: websocket` whose answer is another status than 101, or (in a HAR) of which the browser says why none came.
    UpgradeRefused "upgrade-refused" Error Agent CannotSignIn
        title "The WebSocket upgrade was refused"
        advice "The status tells: 200, 400, 404 or 501 means that the request arrived there without its upgrade or subprotocol, which something on the way took out, or that the path is unknown; 502 or 503 means that the notification service is down or not reached. Without the socket the desktop gets no events."
        facts [Status Reason] silences [] explains [ReconnectStorm];

    /// a `GET /ws/` without `Upgrade: websocket`, and an answer to it.
    UpgradeStripped "upgrade-stripped" Error Browser CannotSignIn
        title "A request for the WebSocket arrived without its Upgrade header"
        advice "Something between browser and proxy (a virus scanner, a forward proxy, a load balancer) takes the hop-by-hop headers away. Exempt the Finesse host from inspection or let the middlebox pass WebSockets."
        facts [Status] silences [] explains [ReconnectStorm];

    /// an `OPTIONS` with `Origin` and `Access-Control-Request-Method` of a page from another host, whose answer has no
    /// `Access-Control-Allow-Origin` for it.
    PreflightRefused "preflight-refused" Error Browser CallControl
        title "A page of another origin may not make its request"
        advice "The browser asked first, and the server did not allow it, so the request itself never follows. Add the page's origin (the fact host) to the allowed origins on the server (utils finesse cors), or load the page from the Finesse server."
        facts [Host Status] silences [] explains [];

    /// a 101 without `Sec-WebSocket-Protocol` (or with one that was not offered) to a request that offered some.
    SubprotocolNotEchoed "subprotocol-not-echoed" Error Agent CannotSignIn
        title "The server did not select the subprotocol xmpp"
        advice "A browser fails such a socket at once. Something between proxy and Finesse drops the Sec-WebSocket-Protocol header: make it pass unchanged."
        facts [Offered Selected] silences [LoginStopped EndedWithoutClose] explains [ReconnectStorm];

    /// the first stream features name other mechanisms, or none.
    NoPlain "no-plain" Error Agent CannotSignIn
        title "The server offers no SASL PLAIN"
        advice "The desktop can sign in with PLAIN only. Check the notification service's configuration, and that the stream comes from Finesse and no other XMPP server."
        facts [Offered] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm];

    /// SASL `<failure/>`, or a REST call with credentials answered with 401.
    AuthRefused "auth-refused" Error Agent CannotSignIn
        title "The server refused the password"
        advice "Check user and password with the administrator; after several attempts the account may be locked. With single sign-on the password is an access token: see token-expired."
        facts [By Reason] silences [LoginStopped] explains [EndedWithoutClose ApiError];

    /// the same as `auth-refused`, but credentials were accepted earlier in the session, or it was a bearer token. The
    /// evidence names the line that accepted them.
    TokenExpired "token-expired" Error Agent LostConnection
        title "Credentials that were good before are refused now"
        advice "With single sign-on the access token has run out and the desktop did not get a new one: look at the calls to /desktop/sso/token before it and at the identity service. Without single sign-on the password was changed while the agent was signed in."
        facts [By Reason] silences [LoginStopped] explains [EndedWithoutClose ApiError ForcedLogout];

    /// 10 seconds after the client's presence none has come whose localpart is `finesse` (or whose name holds `cuic.`
    /// or `ccx.`).
    NoFinessePresence "no-finesse-presence" Error Agent CannotSignIn
        title "The login succeeded, but the presence of finesse@ never came"
        advice "The desktop waits for it for ever. Tomcat is not connected to the notification service: restart Cisco Finesse Tomcat (after the notification service is in service), and look for its XMPP connection in its logs."
        facts [] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm SubscriptionMissing];

    /// the presence of `finesse@` comes more than 10 seconds after the client's own. Takes the place of
    /// `no-finesse-presence`.
    PresenceLate "presence-late" Warn Agent CannotSignIn
        title "The presence of finesse@ came late"
        advice "The desktop showed that it waits, or gave up and began anew. The notification service or Tomcat was slow, as after a restart: look at their load at that time."
        facts [AfterMs] silences [] explains [EndedWithoutClose ReconnectStorm];

    /// the connection ends with a stage up to the client's presence not reached, and no other finding says why.
    LoginStopped "login-stopped" Error Agent CannotSignIn
        title "The socket ended before the login was done"
        advice "Stage is the step that did not happen. Look at the last lines before it, and at who ended the connection."
        facts [Stage] silences [] explains [EndedWithoutClose ReconnectStorm];

    /// an error answers a `<subscribe/>`.
    SubscriptionRefused "subscription-refused" Error Agent WrongState
        title "The server refused a subscription"
        advice "The desktop takes the error for a success and waits for events that never come. The node does not exist or the agent may not see it: check the agent's id and team, then restart Cisco Finesse Tomcat, which creates the nodes."
        facts [Node Condition] silences [] explains [NoEvent SubscriptionMissing];

    /// a change of the agent's state or call was accepted, and on its socket no event of the agent has come since it opened,
    /// nor was one asked for. The server subscribes every agent by itself, so a client that asks for nothing is no finding.
    SubscriptionMissing "subscription-missing" Error Agent WrongState
        title "The desktop gets no events of its agent"
        advice "State changes do not reach it: neither did the server subscribe the agent by itself, nor did the desktop ask. Let the agent sign out and in again; if that does not help, restart Cisco Finesse Tomcat, which subscribes the agents."
        facts [] silences [] explains [NoEvent];

    /// a node is subscribed on a socket that holds it already (likely), or the same item comes twice in a row
    /// (certain).
    SubscriptionDoubled "subscription-doubled" Warn Agent Odd
        title "The same node is subscribed more than once"
        advice "Every event comes several times and may be acted on several times. A client, often a gadget of its own making, subscribes anew without unsubscribing."
        facts [Node Sign] silences [] explains [];

    /// a `PUT` or `POST` to a user, dialog or media was answered 202, a socket of the session is open and logged in,
    /// and 5 seconds later no Update carried its requestId or was about its object.
    NoEvent "no-event" Error Agent WrongState
        title "The server accepted a request, but no event followed"
        advice "The answer 202 promises an event with the outcome. Look whether other events arrive on the socket; if none does, the subscription or the server's link to its notification service is broken, else the request was lost behind the REST API."
        facts [Resource Operation] silences [] explains [];

    /// a pub-sub event for a node that no socket of this session subscribed to.
    EventUnsubscribed "event-unsubscribed" Warn Agent Odd
        title "An event came for a node that nobody subscribed to here"
        advice "A subscription of an earlier session was never removed, or the desktop reads another agent's events. Let the agent sign out and in again."
        facts [Node] silences [] explains [];

    /// a new `stateChangeTime` more than 5 seconds before arrival. The clocks' difference is taken out: the smallest
    /// difference ever seen, from `stateChangeTime` and the `Date` of REST answers; a difference between -1 and 2
    /// seconds counts as none. Or the event of a request comes after `no-event` was said, whose place it takes.
    LateEvent "late-event" Warn Agent Slow
        title "An event arrived long after the change it tells of"
        advice "The time was lost on the server's side or on the way to this proxy, not in the browser. Compare with the round trips of the pings: if those are short, look at the server's load."
        facts [ArrivalMs SkewMs AfterMs] silences [] explains [];

    /// an XMPP or WebSocket ping whose answer took more than 5 seconds. One behind 10 seconds takes the place of
    /// `ping-unanswered`.
    PingSlow "ping-slow" Warn Agent Slow
        title "A ping took more than 5 seconds"
        advice "At 10 seconds the desktop declares itself disconnected. Look at network and server load at that time; level says whose ping it was."
        facts [Level RttMs] silences [] explains [];

    /// an XMPP or WebSocket ping without answer after 10 seconds.
    PingUnanswered "ping-unanswered" Error Agent LostConnection
        title "A ping was not answered within 10 seconds"
        advice "If the client asked, look at the network behind the proxy and at the notification service; after two more tries the desktop shows that it lost its connection. If the server asked, the browser was not listening: its computer was asleep or overloaded."
        facts [Level] silences [] explains [PingSlow EndedWithoutClose ConflictSelf ReconnectStorm ForcedLogout NoEvent LateEvent];

    /// 30 to 90 seconds between two XMPP pings of the client.
    HiddenTab "hidden-tab" Warn Agent LostConnection
        title "The browser sends its pings too rarely"
        advice "Browsers throttle the timers of a hidden tab to one a minute, and the server wants a ping every 20 seconds. Keep the desktop's tab visible, or exempt the site from tab sleeping and background throttling."
        facts [SpacingMs] silences [] explains [StreamError EndedWithoutClose PingUnanswered ForcedLogout ConflictSelf];

    /// no frame in either direction for 90 seconds on a socket whose client had pinged, then traffic, or its end
    /// without a close frame.
    ComputerSlept "computer-slept" Warn Agent LostConnection
        title "Nothing passed for more than 90 seconds on a socket that pings every 10"
        advice "The agent's computer slept or lost its network. After 60 to 180 seconds the server signs the agent out (reason 255). Change the power settings, or let the agent sign out before."
        facts [SilenceMs] silences [] explains [PingUnanswered PingSlow HiddenTab StreamError EndedWithoutClose ConflictSelf ForcedLogout LateEvent NoEvent TokenExpired BoshSessionUnknown];

    /// `<stream:error><conflict/>`, and a later bind of the same agent from another address (certain), by another
    /// browser at the same address (likely), or none that this proxy saw (likely).
    Conflict "conflict" Error Agent LostConnection
        title "The agent signed in a second time elsewhere, and this desktop was thrown out"
        advice "The server allows one desktop an agent. Find the other sign-in (other client and other browser say where) and close one of the two. If both reconnect by themselves, they throw each other out again and again."
        facts [Client OldSocket OtherClient OtherBrowser Other] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm ForcedLogout];

    /// `<stream:error><conflict/>`, and a later bind of the same agent by the same browser: at the same address after a
    /// lost ping (likely), at the same address without one (possible: a second tab), or at another address after a lost
    /// ping (possible: a computer that changed its network). Facts: as in conflict.
    ConflictSelf "conflict-self" Warn Agent LostConnection
        title "The desktop threw itself out"
        advice "It opened a new socket while the server still held the old one. If the old socket answered its pings, the agent has the desktop open in a second tab or window: close one. If a ping of it was without an answer, find out why that socket died. Harmless once."
        facts [Client OldSocket OtherClient OtherBrowser Other] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm];

    /// `<stream:error>` of the server with another condition than `conflict` and `system-shutdown`.
    StreamError "stream-error" Error Agent LostConnection
        title "The server ended the stream with an error"
        advice "The fact condition is the server's reason: connection-timeout means that nothing came from the client for too long, so look at what kept it silent (a computer asleep, a throttled tab); not-well-formed and invalid-xml mean that it sent broken XML; internal-server-error is told in the notification service's logs."
        facts [Condition Message Sign] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm ForcedLogout];

    /// a Close frame whose code says that something went wrong: none of 1000, 1001 and 1005.
    CloseError "close-error" Error Agent LostConnection
        title "A socket was closed with an error"
        advice "The fact by says who closed it, code and message why (RFC 6455 section 7.4.1): 1002 and 1007 blame the other side's frames, 1009 a message that is too large, 1011 means that a server failed, 1012 and 1013 that it restarts or is overloaded."
        facts [By Code Message] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

    /// a WebSocket's connection ends by client or upstream with neither Close frame nor `<close/>` before.
    EndedWithoutClose "ended-without-close" Warn Agent LostConnection
        title "A socket ended without a close frame"
        advice "If the server ended it, the server or something in front of it broke down or cut it off. If the browser did, it was closed, crashed or lost its network, or something before this proxy cut it off. A regular end has a close frame."
        facts [By How AgeMs IdleMs] silences [] explains [ForcedLogout ReconnectStorm NoEvent];

    /// three sockets in a row end without a close frame, no ping waiting, at ages or after silences that differ by at
    /// most 1.5 seconds: of one agent, 5 seconds or more; or one each of three agents, silences of 11 seconds or more
    /// (longer than pings are apart) or ages whose ends lie more than 5 seconds apart. Counted per server, not per
    /// agent.
    Middlebox "middlebox" Error Server LostConnection
        title "Something on the way cuts sockets off after a fixed time"
        advice "A firewall, load balancer or reverse proxy has a time limit: idle is the silence after which it cuts, age the time in all. Raise that limit for the Finesse ports well above 60 seconds, or exempt the host. Hidden browser tabs ping only once a minute and are hit first."
        facts [IdleMs AgeMs Times Agents] silences [] explains [EndedWithoutClose PingUnanswered ReconnectStorm ConflictSelf ForcedLogout BoshSessionUnknown];

    /// five SASL successes of a session within 60 seconds.
    ReconnectStorm "reconnect-storm" Error Agent LostConnection
        title "The desktop signs in again and again"
        advice "Five or more logins within a minute. Each costs the server dearly, with many agents it can keep itself from recovering. Look at the findings at the ends of its sockets for the cause."
        facts [Logins WithinMs] silences [] explains [];

    /// the UUID in front of the counter in item ids is another than before, on the same host.
    ServerRestart "server-restart" Warn Server LostConnection
        title "The server's process is another one than before"
        advice "The ids of its events begin with the process's own id, and that has changed: Cisco Finesse Tomcat was restarted. States and calls from before may be stale until the desktop reloads."
        facts [] silences [] explains [EndedWithoutClose BoshSessionUnknown NoFinessePresence];

    /// `<system-shutdown/>`, a SystemInfo event whose status is not `IN_SERVICE`, `unavailable` from `finesse@`, or
    /// three sessions cut off by the server within 5 seconds (unless it is a middlebox).
    ServerOutage "server-outage" Error Server LostConnection
        title "The server's side went out of service"
        advice "All agents are affected, and nothing is wrong with their browsers. Look at the Finesse services (notification service, Tomcat) and their link to the CTI server."
        facts [Sign Message] silences [LoginStopped] explains [ServerRestart StreamError CloseError EndedWithoutClose PingUnanswered PingSlow ReconnectStorm LoginStopped UpgradeRefused NoFinessePresence NoEvent LateEvent ApiError ForcedLogout BoshSessionUnknown BoshTerminated];

    /// an Update of the session's own agent that changes to LOGOUT or NOT_READY with reason code 255, 50001 or 50002 (UCCE) or
    /// 32765 (UCCX).
    ForcedLogout "forced-logout" Error Agent LostConnection
        title "The server took the agent for gone and signed it out or set it not ready"
        advice "The server sets it 60 seconds after the agent's presence went away, up to 180 after a crash. Find the end of the agent's socket before it."
        facts [State Code GoneForMs] silences [] explains [];

    /// `/finesse/api/SystemInfo` names a node, or a desktop or layout configuration, a `Location` or a gadget's
    /// parameters hold an https URL, whose host and port are none of the proxy's. Once for each host and port. Only ports of Cisco's
    /// servers count, and no redirect to the identity service.
    HostNotFronted "host-not-fronted" Warn Server Odd
        title "The browser is sent to a server that this proxy does not front"
        advice "It goes there past the proxy, and that traffic is not seen: a second node at failover, a gadget's server, another port. Front it too: add --route PORT=HOST:PORT with the facts host and port to finesse-tap run, and see that the browser finds the proxy under that name."
        facts [Host Port By] silences [] explains [];

    /// a TLS alert of the browser that is about the certificate (`unknown_ca`, `bad_certificate`, `certificate_unknown`
    /// …).
    CertificateRefused "certificate-refused" Error Browser CannotSignIn
        title "The browser did not accept the certificate"
        advice "It ended the handshake with a TLS alert, so no request followed. Put the proxy's CA (see finesse-tap ca) into the trust store of that browser or profile; for a name of the second node or another port a certificate of its own is accepted on its own."
        facts [Alert Sni Port] silences [] explains [];

    /// the proxy looked at the time later than it should have, by 5 seconds or more: its process or its computer stood still,
    /// or its clock was set. What took long then is not held against a peer.
    TapPaused "tap-paused" Warn Server LostConnection
        title "The proxy itself stood still"
        advice "Nothing passed through it in that time, and desktops may have lost their connections because of it. Give it a computer that does not sleep and has a processor to spare; look at what else ran there."
        facts [PausedMs] silences [] explains [PingSlow PingUnanswered HiddenTab ComputerSlept EndedWithoutClose Middlebox ConflictSelf ReconnectStorm ForcedLogout NoEvent LateEvent NoFinessePresence PresenceLate BoshSessionUnknown];

    /// a `decode-error` line.
    DecodeError "decode-error" Warn Agent Odd
        title "Something could not be read"
        advice "The traffic itself was not touched. If it is opaque from here on, findings about this socket are missing. Malformed XML or frames may be what makes the desktop fail, too."
        facts [Layer Why] silences [] explains [];

    /// an `<ApiErrors>` answer, an `apiErrors` Update, or a status of 500 and above from `/finesse/api/`.
    ApiError "api-error" Error Agent CallControl
        title "The server refused a request"
        advice "Do what remedy says, then repeat the click. If it fails again, compare the agent's last event in front of the request with what was asked, and give type, error_data and peripheral_code to whoever runs the phone system."
        facts [Meaning Remedy Type Message ErrorData ErrorMedia PeripheralCode Status] silences [] explains [];

    /// a response to a BOSH request while one with a lower number never passed.
    BoshRequestMissing "bosh-request-missing" Error Agent LostConnection
        title "A BOSH request is missing before one that was answered"
        advice "The server works through request ids in order: it waits for the missing one or ends the session. The browser lost it (a network change, an extension that blocks requests), or two pages share one session. Look at cut connections just before."
        facts [Request Missing] silences [BoshSessionUnknown LoginStopped] explains [BoshTerminated];

    /// a BOSH request that makes more open at once than the server's `requests` (or `hold` and one) allows. A request
    /// sent again does not count.
    BoshTooManyRequests "bosh-too-many-requests" Warn Agent Odd
        title "More BOSH requests are open at once than the server allows"
        advice "The server may end the session with policy-violation. Either the client does not keep to what was agreed upon, or something on the way holds answers back: compare with the server's own log of the same second."
        facts [Open Allowed] silences [] explains [BoshTerminated];

    /// `<body type="terminate" condition="item-not-found"/>`, or a 404 to a session's request, where no request is
    /// missing.
    BoshSessionUnknown "bosh-session-unknown" Error Agent LostConnection
        title "The server no longer knows the BOSH session"
        advice "If idle_ms is longer than inactivity_s the client was silent too long: a computer asleep, a throttled tab, a network gone. If it is short, the notification service was restarted, or the request reached another node than the one that granted the session."
        facts [Condition Status IdleMs InactivityS] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

    /// a `<body type="terminate"/>` of the server that the client did not ask for, a status of 400 or 403, or any
    /// status from 400 on to the request for a session. `system-shutdown` is server-outage.
    BoshTerminated "bosh-terminated" Error Agent LostConnection
        title "The server ended or refused the BOSH session"
        advice "The fact condition is the server's reason: remote-stream-error comes with a stream error that says more, policy-violation blames the client, host-unknown the name it asked for. A status without a condition means that no BOSH service answered: look at the path and at what is in front of the server."
        facts [Condition Status IdleMs AgeMs] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

    /// a GOAWAY of HTTP/2 with an error code, or one that leaves streams under way unanswered.
    ToldToGoAway "told-to-go-away" Error Agent LostConnection
        title "A side ended the HTTP/2 connection with an error"
        advice "http2_code is its reason: ENHANCE_YOUR_CALM is a limit of requests, PROTOCOL_ERROR and COMPRESSION_ERROR mean that something on the way changed the stream, INTERNAL_ERROR is in the sender's own log. All requests of the connection, and WebSockets within it, end together: look at what was open then."
        facts [By Http2Code LastStream Missing] silences [] explains [ReconnectStorm EndedWithoutClose];

    /// RST_STREAM of HTTP/2 with another code than NO_ERROR, or than the client's CANCEL.
    StreamsReset "streams-reset" Warn Agent CallControl
        title "A request was ended by a stream reset"
        advice "The request has no answer, or half of one; other requests of the connection go on. http2_code is the reason: REFUSED_STREAM may be sent again, INTERNAL_ERROR and CANCEL of the server mean that what is behind it failed or took too long: look into its log at that second."
        facts [By Http2Code] silences [] explains [];

    /// a window of HTTP/2 was used up for 5 seconds or longer, so that data waited. Told when it was over.
    FlowControlStall "flow-control-stall" Warn Agent Slow
        title "Data waited because its receiver opened no window"
        advice "By is who did not read: the client (a computer that is overloaded or asleep, a page that reads no further), or the server (a request body that nobody takes). A window of the whole connection holds up everything on it, WebSockets included."
        facts [By SilenceMs] silences [] explains [];

    /// as many streams of an HTTP/2 connection are open as the server's SETTINGS_MAX_CONCURRENT_STREAMS allows.
    StreamLimitReached "stream-limit-reached" Warn Agent Slow
        title "As many requests are open as the server takes on a connection"
        advice "Whatever the desktop asks next waits until one is answered. Requests that stay open for long (polling, event streams of gadgets) use them up; a server's limit below 100 is unusual."
        facts [Open Allowed] silences [] explains [];

    /// a request whose header list is larger than the server's SETTINGS_MAX_HEADER_LIST_SIZE.
    HeaderListRefused "header-list-refused" Warn Agent CallControl
        title "A request's header fields are larger than the server takes"
        advice "It is likely to be refused with 431 or a stream reset. Cookies make such headers: delete those of the host in the browser, and look at what sets them."
        facts [HeaderBytes Allowed] silences [] explains [];

    /// a CONNECT with `:protocol` (RFC 8441) for the WebSocket over HTTP/2 whose answer is no 2xx, or that is reset.
    ExtendedConnectRefused "extended-connect-refused" Error Agent CannotSignIn
        title "The WebSocket was refused because the client opened it within HTTP/2"
        advice "The server says by SETTINGS_ENABLE_CONNECT_PROTOCOL that it can, and what is behind it cannot: a load balancer that speaks HTTP/2 in front of a server that does not know extended CONNECT. Switch that off there, or HTTP/2 altogether; --alpn http1 shows whether it helps."
        facts [Status Http2Code Reason] silences [] explains [ReconnectStorm];
}
