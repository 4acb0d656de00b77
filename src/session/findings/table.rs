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
        advice "Without the socket the desktop gets no events. 200, 400, 404 or 501 mean that the request arrived there without its upgrade or subprotocol, which something on the way took out, or that the path is unknown: compare with a request past the load balancer. 502 or 503 mean that the notification service is down or not reached: look at it on the server. It is mended when the same GET is answered with 101."
        facts [Status Reason] silences [] explains [ReconnectStorm NoSocket];

    /// a `GET /ws/` without `Upgrade: websocket`, and an answer to it.
    UpgradeStripped "upgrade-stripped" Error Browser CannotSignIn
        title "A request for the WebSocket arrived without its Upgrade header"
        advice "Something between browser and proxy (a virus scanner, a forward proxy, a load balancer) takes the hop-by-hop headers away. Exempt the Finesse host from inspection or let the middlebox pass WebSockets; then the GET of /ws/ is answered with 101."
        facts [Status] silences [] explains [ReconnectStorm NoSocket];

    /// an `OPTIONS` with `Origin` and `Access-Control-Request-Method` of a page from another host, whose answer has no
    /// `Access-Control-Allow-Origin` for it.
    CorsRefused "cors-refused" Error Browser CallControl
        title "A page of another origin may not make its request"
        advice "The browser asked first, and the server did not allow it, so the request itself never follows. Add the page's origin (the fact host) to the allowed origins on the server (utils finesse cors), or load the page from the Finesse server. Then the same OPTIONS is answered with Access-Control-Allow-Origin, and the request follows it."
        facts [Host Status] silences [] explains [];

    /// a 101 without `Sec-WebSocket-Protocol` (or with one that was not offered) to a request that offered some.
    SubprotocolNotEchoed "subprotocol-not-echoed" Error Agent CannotSignIn
        title "The server did not select the subprotocol xmpp"
        advice "A browser fails such a socket at once. Something between proxy and Finesse drops the Sec-WebSocket-Protocol header: make it pass unchanged. It is mended when the 101 names xmpp and the login goes on."
        facts [Offered Selected] silences [LoginStopped EndedWithoutClose] explains [ReconnectStorm];

    /// the first stream features name other mechanisms, or none.
    NoPlain "no-plain" Error Agent CannotSignIn
        title "The server offers no SASL PLAIN"
        advice "The desktop can sign in with PLAIN only. Check the notification service's configuration, and that the stream comes from Finesse and no other XMPP server; the stream features must name PLAIN."
        facts [Offered] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm];

    /// SASL `<failure/>`, or a REST call with credentials answered with 401.
    AuthRefused "auth-refused" Error Agent CannotSignIn
        title "The server did not accept the credentials"
        advice "Check user and password with the administrator; after five attempts the account is locked for five minutes. temporary-auth-failure is no wrong password: then look at the server's user directory, and agents need change nothing. With single sign-on the password is an access token: see token-expired. It is mended when the login reaches the stage auth."
        facts [By Reason Meaning Remedy] silences [LoginStopped] explains [EndedWithoutClose ApiError NoSocket ReconnectStorm];

    /// the same as `auth-refused`, but credentials were accepted earlier in the session, or it was a bearer token. The
    /// evidence names the line that accepted them.
    TokenExpired "token-expired" Error Agent LostConnection
        title "Credentials that were good before are refused now"
        advice "With single sign-on the access token has run out and the desktop did not get a new one: look at the calls to /desktop/sso/token before it and at the identity service. Without single sign-on the password was changed while the agent was signed in. It is mended when a call with new credentials is accepted."
        facts [By Reason Meaning Remedy] silences [LoginStopped] explains [EndedWithoutClose ApiError ForcedLogout ReconnectStorm];

    /// 10 seconds after the client's presence none has come whose localpart is `finesse` (or whose name holds `cuic.`
    /// or `ccx.`).
    NoFinessePresence "no-finesse-presence" Error Agent CannotSignIn
        title "The login succeeded, but the presence of finesse@ never came"
        advice "The desktop waits for it for ever. Tomcat is not connected to the notification service: restart Cisco Finesse Tomcat (after the notification service is in service), and look for its XMPP connection in its logs. It is mended when a login reaches the stage finesse-presence."
        facts [] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm SubscriptionMissing];

    /// the presence of `finesse@` comes more than 10 seconds after the client's own. Takes the place of
    /// `no-finesse-presence`.
    PresenceLate "presence-late" Warn Agent CannotSignIn
        title "The presence of finesse@ came late"
        advice "The desktop showed that it waits, or gave up and began anew. The notification service or Tomcat was slow, as after a restart: look at their load at that time. Later logins should reach finesse-presence within a second."
        facts [AfterMs] silences [] explains [EndedWithoutClose ReconnectStorm];

    /// the connection ends with a stage up to the client's presence not reached, and no other finding says why.
    LoginStopped "login-stopped" Error Agent CannotSignIn
        title "The socket ended before the login was done"
        advice "The fact stage is the step that did not happen. Look at the last lines before it, and at who ended the connection: a server that ends it has a reason in its notification service's log, a browser that does was closed or lost its network. It is mended when the login is complete."
        facts [Stage] silences [] explains [EndedWithoutClose ReconnectStorm];

    /// an error answers a `<subscribe/>`.
    SubscriptionRefused "subscription-refused" Error Agent WrongState
        title "The server refused a subscription"
        advice "The desktop takes the error for a success and waits for events that never come. The node does not exist or the agent may not see it: check the agent's id and team, then restart Cisco Finesse Tomcat, which creates the nodes. After the next sign-in the same subscription must be confirmed."
        facts [Node Condition Meaning Remedy] silences [] explains [NoEvent SubscriptionMissing MissedEvent];

    /// a change of the agent's state or call was accepted, and on its socket no event of the agent has come since it opened,
    /// nor was one asked for. The server subscribes every agent by itself, so a client that asks for nothing is no finding.
    SubscriptionMissing "subscription-missing" Error Agent WrongState
        title "The desktop gets no events of its agent"
        advice "State changes do not reach it: neither did the server subscribe the agent by itself, nor did the desktop ask. Let the agent sign out and in again; if that does not help, restart Cisco Finesse Tomcat, which subscribes the agents. It is mended when an event follows a change of state."
        facts [] silences [] explains [NoEvent MissedEvent];

    /// a node is subscribed on a socket that holds it already (likely), or the same item comes twice in a row
    /// (certain).
    SubscriptionDoubled "subscription-doubled" Warn Agent Odd
        title "The same node is subscribed more than once"
        advice "Every event comes several times and may be acted on several times. A client, often a gadget of its own making, subscribes anew without unsubscribing: make it unsubscribe first. Then every item comes once."
        facts [Node Sign] silences [] explains [];

    /// a `PUT` or `POST` to a user, dialog or media was answered 202, a socket of the session is open and logged in,
    /// and 5 seconds later no Update carried its requestId or was about its object.
    NoEvent "no-event" Error Agent WrongState
        title "The server accepted a request, but no event followed"
        advice "The answer 202 promises an event with the outcome. Look whether other events arrive on the socket: if none does, the subscription or the server's link to its notification service is broken, so restart Cisco Finesse Tomcat; else the request was lost behind the REST API, so look at the server's webservices log and the CTI server at that second. It is mended when the same click is followed by its event."
        facts [Resource Operation] silences [] explains [];

    /// a pub-sub event for a node that no socket of this session subscribed to.
    EventUnsubscribed "event-unsubscribed" Warn Agent Odd
        title "An event came for a node that nobody subscribed to here"
        advice "A subscription of an earlier session was never removed, or the desktop reads another agent's events. Let the agent sign out and in again, and see that events of that node stay away."
        facts [Node] silences [] explains [];

    /// a new `stateChangeTime` more than 5 seconds before arrival. The clocks' difference is taken out: the smallest
    /// difference ever seen, from `stateChangeTime` and the `Date` of REST answers; a difference between -1 and 2
    /// seconds counts as none. Or the event of a request comes after `no-event` was said, whose place it takes.
    LateEvent "late-event" Warn Agent Slow
        title "An event arrived long after the change it tells of"
        advice "The time was lost on the server's side or on the way to this proxy, not in the browser. Compare with the round trips of the pings at that time: if those are short, look at the load of the server and of the CTI server, else at the network behind the proxy. It is mended when arrival_ms is below a second again."
        facts [ArrivalMs SkewMs AfterMs] silences [] explains [];

    /// a User event on one socket, of the same publisher and node as the one before, whose `stateChangeTime` is older.
    OutOfOrder "out-of-order" Warn Agent WrongState
        title "Events arrived in the wrong order"
        advice "The desktop shows the older state as if it were new, until the next change. The server published them in that order: look at the load of Cisco Finesse Tomcat and the notification service at that second, and have the agent reload the page. It is mended when stateChangeTime only grows on the node."
        facts [Node BehindMs State] silences [] explains [MissedEvent];

    /// an answer to a `GET` of the agent says another state than the last event, changed 5 seconds or more later, on a socket that
    /// was open all the time, and no event of it comes within 10 seconds. At UCCX a call of the agent's own sets it to
    /// NOT_READY without an event, which is none.
    MissedEvent "missed-event" Error Agent WrongState
        title "The agent's state changed, and no event told"
        advice "The desktop shows last_state while the server has state. Have the agent reload the page, which reads the state anew. If it happens to several agents, the link of Cisco Finesse Tomcat to its notification service loses events: look at both logs at the time of the change, and restart Tomcat. It is mended when each change of state has its event."
        facts [State LastState AfterMs] silences [] explains [];

    /// an event says that all parties of a call have left it, and a minute later the call was not deleted, with the agent's wrap-up
    /// over and the socket open.
    StuckCall "stuck-call" Error Agent WrongState
        title "A call that is over stays on the desktop"
        advice "No party is active any more, but the server never deleted the call, so the agent may not get the next one. Have the agent reload the page; if the call comes back, it hangs in the CTI server: look there for the call's end, and let the peripheral's administrator clear it. It is mended when the event DELETE of the call comes."
        facts [AfterMs] silences [] explains [];

    /// an XMPP or WebSocket ping whose answer took more than 5 seconds. One behind 10 seconds takes the place of
    /// `ping-unanswered`.
    PingSlow "ping-slow" Warn Agent Slow
        title "A ping took more than 5 seconds"
        advice "At 10 seconds the desktop declares itself disconnected. If REST calls were slow, too, look at the network of that agent; if only pings were, at the notification service's load; level says whose ping it was. It is mended when pings take less than a second."
        facts [Level RttMs] silences [] explains [];

    /// an XMPP or WebSocket ping without answer after 10 seconds.
    PingUnanswered "ping-unanswered" Error Agent LostConnection
        title "A ping was not answered within 10 seconds"
        advice "If the client asked, look at the network behind the proxy and at the notification service; after two more tries the desktop shows that it lost its connection. If the server asked, the browser was not listening: its computer was asleep or overloaded. It is mended when every ping has its answer."
        facts [Level] silences [] explains [PingSlow EndedWithoutClose ConflictSelf ReconnectStorm ForcedLogout NoEvent LateEvent ClosedByServer];

    /// 30 to 90 seconds between two XMPP pings of the client.
    HiddenTab "hidden-tab" Warn Agent LostConnection
        title "The browser sends its pings too rarely"
        advice "Browsers throttle the timers of a hidden tab to one a minute, and the server wants a ping every 20 seconds. Keep the desktop's tab visible, or exempt the site from tab sleeping and background throttling in the browser's policies. It is mended when pings come every 10 seconds while the tab is hidden."
        facts [SpacingMs] silences [] explains [StreamError EndedWithoutClose PingUnanswered ForcedLogout ConflictSelf ClosedByServer];

    /// no frame in either direction for 90 seconds on a socket whose client had pinged, then traffic, or its end
    /// without a close frame.
    ComputerSlept "computer-slept" Warn Agent LostConnection
        title "Nothing passed for more than 90 seconds on a socket that pings every 10"
        advice "The agent's computer slept or lost its network. After 60 to 180 seconds the server signs the agent out (reason 255). Change the computer's power settings, or let the agent sign out before; if it was awake, look at its network. It is mended when pings go on through breaks."
        facts [SilenceMs] silences [] explains [PingUnanswered PingSlow HiddenTab StreamError EndedWithoutClose ConflictSelf ForcedLogout LateEvent NoEvent TokenExpired BoshSessionUnknown ClosedByServer RequestUnanswered MissedEvent];

    /// `<stream:error><conflict/>`, and a later bind of the same agent from another address (certain), by another
    /// browser at the same address (likely), or none that this proxy saw (likely).
    Conflict "conflict" Error Agent LostConnection
        title "The agent signed in a second time elsewhere, and this desktop was thrown out"
        advice "The server allows one desktop an agent. Find the other sign-in (other client and other browser say where) and close one of the two. If both reconnect by themselves, they throw each other out again and again. It is mended when one socket of the agent stays open."
        facts [Client OldSocket OtherClient OtherBrowser Other] silences [LoginStopped ClosedByServer] explains [EndedWithoutClose ReconnectStorm ForcedLogout ForcedState];

    /// `<stream:error><conflict/>`, and a later bind of the same agent by the same browser: at the same address after a
    /// lost ping (likely), at the same address without one (possible: a second tab), or at another address after a lost
    /// ping (possible: a computer that changed its network). Facts: as in conflict.
    ConflictSelf "conflict-self" Warn Agent LostConnection
        title "The desktop threw itself out"
        advice "It opened a new socket while the server still held the old one. If the old socket answered its pings, the agent has the desktop open in a second tab or window: close one. If a ping of it was without an answer, find out why that socket died. Harmless once; it is mended when no further conflict comes."
        facts [Client OldSocket OtherClient OtherBrowser Other] silences [LoginStopped ClosedByServer] explains [EndedWithoutClose ReconnectStorm];

    /// `<stream:error>` of the server with another condition than `conflict` and `system-shutdown`.
    StreamError "stream-error" Error Agent LostConnection
        title "The server ended the stream with an error"
        advice "After connection-timeout find what kept the client silent (a computer asleep, a throttled tab); after not-well-formed and policy-violation look at what the client sent last. Anything else is told in the notification service's log at that second. It is mended when the socket lasts as long as the agent's shift."
        facts [Condition Message Sign Meaning Remedy] silences [LoginStopped ClosedByServer] explains [EndedWithoutClose ReconnectStorm ForcedLogout];

    /// a Close frame of the server, without one of the browser or a `<close/>` before it, whose code is none of 1000 and 1005. 1001
    /// during maintenance is planned.
    ClosedByServer "closed-by-server" Error Agent LostConnection
        title "The server closed the socket"
        advice "For 1009 look at the size of the message in front of it; for 1001, 1011, 1012 and 1013 at the notification service's log of that second. It is mended when the socket's end in the capture is the browser's own."
        facts [Code Message Meaning Remedy] silences [LoginStopped] explains [EndedWithoutClose ReconnectStorm ForcedLogout NoEvent];

    /// a Close frame of the browser whose code says that something went wrong: none of 1000, 1001 and 1005.
    CloseError "close-error" Error Agent LostConnection
        title "The browser closed the socket with an error"
        advice "The browser did not accept what it got: 1002 and 1007 mean that frames or text were broken, by the server or by something on the way. Look at the last message in front of the Close frame, and take what inspects traffic between browser and server out of the way; then the socket stays open."
        facts [By Code Message Meaning Remedy] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

    /// a WebSocket's connection ends by client or upstream with neither Close frame nor `<close/>` before.
    EndedWithoutClose "ended-without-close" Warn Agent LostConnection
        title "A socket ended without a close frame"
        advice "A regular end has a close frame. If the server ended it, the server or something in front of it broke down or cut it off: look at its log at that second. If the browser did, it was closed, crashed or lost its network, or something before this proxy cut it off: ask the agent, and look whether ends come after equal times. It is mended when sockets end with a close frame."
        facts [By How AgeMs IdleMs] silences [] explains [ForcedLogout ReconnectStorm NoEvent];

    /// three sockets in a row end without a close frame, no ping waiting, at ages or after silences that differ by at
    /// most 1.5 seconds: of one agent, 5 seconds or more; or one each of three agents, silences of 11 seconds or more
    /// (longer than pings are apart) or ages whose ends lie more than 5 seconds apart. Counted per server, not per
    /// agent.
    Middlebox "middlebox" Error Server LostConnection
        title "Something on the way cuts sockets off after a fixed time"
        advice "A firewall, load balancer or reverse proxy has a time limit: idle is the silence after which it cuts, age the time in all. Raise that limit for the Finesse ports well above 60 seconds, or exempt the host. Hidden browser tabs ping only once a minute and are hit first. It is mended when a socket outlives that time."
        facts [IdleMs AgeMs Times Agents] silences [] explains [EndedWithoutClose PingUnanswered ReconnectStorm ConflictSelf ForcedLogout BoshSessionUnknown];

    /// three or more agents of one client address lose their sockets within 5 seconds, each ended by its client's side without a
    /// close frame, while an agent elsewhere goes on.
    SiteOutage "site-outage" Error Server LostConnection
        title "The agents of one site lost their connections at once"
        advice "The server is well: agents elsewhere went on. Look at the line, firewall or VPN gateway of the site behind the fact client at that second; if the address is a terminal server's, look at that. It is mended when the sockets of that address live as long as those of others."
        facts [Client Agents] silences [] explains [EndedWithoutClose PingUnanswered ReconnectStorm ConflictSelf ForcedLogout BoshSessionUnknown RequestUnanswered];

    /// five SASL successes of a session within 60 seconds.
    ReconnectStorm "reconnect-storm" Error Agent LostConnection
        title "The desktop signs in again and again"
        advice "Five or more logins within a minute. Each costs the server dearly, with many agents it can keep itself from recovering. Look at the findings at the ends of its sockets for the cause, and close the page until that is found. It is mended when one login lasts."
        facts [Logins WithinMs] silences [] explains [];

    /// the UUID in front of the counter in item ids is another than before, on the same host.
    ServerRestart "server-restart" Warn Server LostConnection
        title "The server's process is another one than before"
        advice "The ids of its events begin with the process's own id, and that has changed: Cisco Finesse Tomcat was restarted. Ask who did it, else look in its log for why it stopped. States and calls from before may be stale until the desktop reloads: let agents whose state looks odd reload the page."
        facts [] silences [] explains [EndedWithoutClose BoshSessionUnknown NoFinessePresence ClosedByServer MissedEvent];

    /// `<system-shutdown/>`, a SystemInfo (event, or polled from the node of the agent's socket) whose status is not `IN_SERVICE`,
    /// a 503 of that node to every request, `unavailable` from `finesse@`, three sessions cut off by the server within 5 seconds
    /// (unless it is a middlebox), or pings of three agents and of all that are connected without an answer.
    ServerOutage "server-outage" Error Server LostConnection
        title "The server's side went out of service"
        advice "All agents are affected, and nothing is wrong with their browsers. Look at the Finesse services (notification service, Tomcat) and their link to the CTI server: utils service list on the server, and SystemInfo, whose statusReason says what is missing. It is mended when SystemInfo says IN_SERVICE and desktops sign in again."
        facts [Sign Message Status Agents] silences [LoginStopped] explains [ServerRestart StreamError ClosedByServer CloseError EndedWithoutClose PingUnanswered PingSlow ReconnectStorm LoginStopped UpgradeRefused NoFinessePresence NoEvent LateEvent MissedEvent StuckCall ApiError LoginRefused ForcedLogout ForcedState BoshSessionUnknown BoshTerminated RequestUnanswered RestSlow DesktopUnavailable UpstreamUnreachable NoSocket];

    /// the server closes a socket while its SystemInfo says that Finesse is in maintenance mode, and a minute later the agent has
    /// signed in nowhere. Who comes back within that time was moved as planned.
    Maintenance "maintenance" Warn Server LostConnection
        title "A desktop did not come back from planned maintenance"
        advice "Somebody put this node into maintenance mode. Desktops go to the other node by themselves, this one did not: have the agent reload the page at the other node, and check that the browser reaches that node and accepts its certificate. It is over when SystemInfo tells no finesseMMode any more."
        facts [Sign] silences [] explains [ServerRestart ClosedByServer EndedWithoutClose UpgradeRefused DesktopUnavailable UpstreamUnreachable];

    /// the proxy (in a HAR the browser) cannot connect to the server, or the server does not finish the TLS handshake.
    UpstreamUnreachable "upstream-unreachable" Error Server CannotSignIn
        title "The server cannot be reached"
        advice "The fact message says how far it came. Check from this proxy's computer that the server's name resolves and the port is open (firewall, service stopped, wrong port), with finesse-tap doctor. It is mended when doctor passes and the page loads."
        facts [Host Port Message] silences [] explains [UpgradeRefused DesktopUnavailable RequestUnanswered EndedWithoutClose NoSocket];

    /// the proxy does not accept the server's certificate, or the server refuses the proxy's handshake by an alert about certificates.
    UpstreamCertificate "upstream-certificate" Error Server CannotSignIn
        title "The proxy does not trust the server's certificate"
        advice "The fact message says what is wrong with it. An expired certificate is to be renewed on the server (Cisco Unified OS Administration, Certificate Management). One signed by a CA of your own: give that CA to the proxy (--upstream-ca), or pin the certificate with finesse-tap pin. It is mended when finesse-tap doctor passes."
        facts [Host Port Message Alert] silences [] explains [UpstreamUnreachable DesktopUnavailable NoSocket];

    /// more than 30 seconds between the proxy's clock and the server's: the median of the differences to the `Date` of at least
    /// nine of its answers that were no cached ones.
    ClockSkew "clock-skew" Warn Server Odd
        title "The clocks of server and proxy differ"
        advice "Tokens of single sign-on, certificates and the desktop's timers depend on the time. Compare both with a third: check NTP on the server (utils ntp status) and on this computer. It is mended when skew_ms is about zero after a restart of the capture."
        facts [SkewMs Times] silences [] explains [];

    /// an Update of the session's own agent that changes to LOGOUT or NOT_READY with reason code 255, 50001 or 50002 (UCCE) or
    /// 32765 (UCCX). A `reasonCodeId` alone is a key of Finesse's database: 255 there counts only behind the end of a socket.
    ForcedLogout "forced-logout" Error Agent LostConnection
        title "The server took the agent for gone and signed it out or set it not ready"
        advice "The server sets it 60 seconds after the agent's presence went away, up to 180 after a crash. Find the end of the agent's socket before it in the capture, and who ended it: that is what is to be mended. It has helped when the agent stays signed in through the same situation."
        facts [State Code GoneForMs Deployment Meaning Remedy] silences [] explains [];

    /// an Update of the session's own agent that changes to LOGOUT or NOT_READY with a reason code that a system sets because of a
    /// fault, read by deployment: at UCCE 50003, 50010, 50020, 50030, 50040, 50042, 51004 and 65533 to 65535, at
    /// UCCX 32740, 32741, 32750, 32753, 32754, 32757, 32759 and 32764. A call that was not answered is none.
    ForcedState "forced-state" Error Agent WrongState
        title "The system changed the agent's state because of a fault"
        advice "Neither the agent nor a supervisor did it. Mostly it is the phone and its registration in CUCM, a second sign-in under the same id, or a peripheral that restarted: look there at that second. It is mended when the agent keeps its state in the same situation."
        facts [State Code Deployment Meaning Remedy] silences [] explains [];

    /// `/finesse/api/SystemInfo` names a node, or a desktop or layout configuration, a `Location` or a gadget's
    /// parameters hold an https URL, whose host and port are none of the proxy's. Once for each host and port. Only ports of Cisco's
    /// servers count, and no redirect to the identity service.
    HostNotFronted "host-not-fronted" Warn Server Odd
        title "The browser is sent to a server that this proxy does not front"
        advice "It goes there past the proxy, and that traffic is not seen: a second node at failover, a gadget's server, another port. Front it too: add --route PORT=HOST:PORT with the facts host and port to finesse-tap run, and see that the browser finds the proxy under that name. Then its lines appear in the capture."
        facts [Host Port By] silences [] explains [];

    /// an agent's desktop works with both nodes for more than a minute: its sockets speak, or its changes go, now to the one, now to
    /// the other. What a page loads from the other node in advance does not count.
    WrongNode "wrong-node" Warn Agent WrongState
        title "The desktop works with both nodes at once"
        advice "Events come from one node and changes go to the other, which tells of them late or not at all. Look for a second page of the agent on the other node, a bookmark or gadget with a fixed server name, or a load balancer in front of both nodes, which Finesse does not support: use one name per node. It is mended when all requests of the agent name the host of its socket."
        facts [Host OtherHost Times WithinMs] silences [] explains [NoEvent LateEvent MissedEvent ConflictSelf ReconnectStorm];

    /// a TLS alert of the browser that is about the certificate (`unknown_ca`, `bad_certificate`, `certificate_unknown`
    /// …).
    CertificateRefused "certificate-refused" Error Browser CannotSignIn
        title "The browser did not accept the certificate"
        advice "It ended the handshake with a TLS alert, so no request followed. Put the proxy's CA (see finesse-tap ca) into the trust store of that browser or profile; for a name of the second node or another port a certificate of its own is accepted on its own. It is mended when a request follows the handshake."
        facts [Alert Sni Port] silences [CertificateRefusedSilently] explains [NoSocket];

    /// three handshakes of one browser for one name and port end on its side without an alert, over five seconds or more, and none
    /// of that browser for that name and port has ever succeeded.
    CertificateRefusedSilently "certificate-refused-silently" Error Browser CannotSignIn
        title "The browser gives up every TLS handshake without saying why"
        advice "Browsers hang up like that when they do not trust the certificate. Open the address in a tab of that browser: it shows why. Put the proxy's CA (see finesse-tap ca) into the trust store of that browser or profile. It is mended when a request follows the handshake."
        facts [Sni Port Times] silences [] explains [NoSocket];

    /// the proxy looked at the time later than it should have, by 5 seconds or more: its process or its computer stood still,
    /// or its clock was set. What took long then is not held against a peer.
    TapPaused "tap-paused" Warn Server LostConnection
        title "The proxy itself stood still"
        advice "Nothing passed through it in that time, and desktops may have lost their connections because of it. Give it a computer that does not sleep and has a processor to spare; look at what else ran there. It is mended when no further pause is told."
        facts [PausedMs] silences [] explains [PingSlow PingUnanswered HiddenTab ComputerSlept EndedWithoutClose Middlebox ConflictSelf ReconnectStorm ForcedLogout NoEvent LateEvent NoFinessePresence PresenceLate BoshSessionUnknown ClosedByServer RequestUnanswered RestSlow SlowPath SiteOutage];

    /// a `decode-error` line.
    DecodeError "decode-error" Warn Agent Odd
        title "Something could not be read"
        advice "The traffic itself was not touched. Malformed XML or frames may be what makes the desktop fail: look at the sender of that line, and at what changes bytes on the way. If it is opaque from here on, findings about this socket are missing; the next socket is read again."
        facts [Layer Why] silences [] explains [];

    /// an `<ApiErrors>` answer, an `apiErrors` Update, or a status of 500 and above from `/finesse/api/`.
    ApiError "api-error" Error Agent CallControl
        title "The server refused a request"
        advice "With the fact remedy done, repeat the click. If it fails again, compare the agent's last event in front of the request with what was asked, and give type, error_data and peripheral_code to whoever runs the phone system. It is mended when the same request is followed by its event."
        facts [Meaning Remedy Type Message ErrorData ErrorMedia PeripheralCode Status] silences [] explains [];

    /// the same as `api-error`, to a request to sign in: the account is locked, the agent is signed in elsewhere, the extension or phone
    /// is in use or not usable.
    LoginRefused "login-refused" Error Agent CannotSignIn
        title "The server refused to sign the agent in"
        advice "With the fact remedy done, sign in again. If it fails again, compare agent id and extension with the administration and give type, error_data and peripheral_code to whoever runs the phone system. It is mended when the sign-in is followed by an event with the state NOT_READY."
        facts [Meaning Remedy Type Message ErrorData PeripheralCode Status] silences [] explains [NoSocket];

    /// six redirects of one agent or browser between `/desktop/sso/` and the identity service within a minute, and no token given out among
    /// them.
    RedirectLoop "redirect-loop" Error Browser CannotSignIn
        title "The single sign-on goes round in circles"
        advice "Neither server nor identity service is content with what the other says. Delete the cookies of both in that browser; then check the clocks of Finesse, identity service and identity provider (minutes apart are too much), and the trust between them (set ids, SAML certificate). It is mended when /desktop/sso/token is answered with 200."
        facts [Times WithinMs] silences [] explains [NoSocket];

    /// a status of 500 and above for the desktop's page or its parts below `/desktop/`, or 404 for the page itself.
    DesktopUnavailable "desktop-unavailable" Error Browser CannotSignIn
        title "The desktop's page cannot be loaded"
        advice "502 and 504 come from the web proxy in front of Tomcat: Cisco Finesse Tomcat is down or starting, so check it with utils service list. 503 means that it is out of service, 404 that the address is wrong. It is mended when the page is answered with 200."
        facts [Status] silences [] explains [NoSocket];

    /// a gadget's request through `/gadgets/makeRequest` to another server than Finesse was answered with 500 or above.
    GadgetFailed "gadget-failed" Warn Agent CallControl
        title "A gadget's own server failed"
        advice "Finesse passed the request on, and the server behind it (the fact host) answered with an error. Look at that server's log at that second; if it is not reached at all, check from the Finesse server that its name, port and certificate are good. It is mended when the same request is answered with 200."
        facts [Host Status] silences [] explains [];

    /// the server ends the connection of a REST request without an answer, or the browser gives up after 30 seconds without one, and
    /// the same request is not answered within 10 seconds. What a page breaks off that is left or reloaded is none.
    RequestUnanswered "request-unanswered" Error Agent CallControl
        title "A request was never answered"
        advice "Whether it was carried out is not known: look at the agent's next event before repeating the click. If the server ended the connection (the fact by), look at its web proxy and Tomcat at that second, and at limits of a load balancer in front of it; if the browser gave up, at the server's load. It is mended when the same request has an answer."
        facts [Resource Operation AfterMs By Reason] silences [] explains [NoEvent];

    /// five of the last ten answers to one resource took 2 seconds and more, while pings of the same agents were quick.
    RestSlow "rest-slow" Warn Server Slow
        title "The server answers REST requests slowly"
        advice "Pings were quick, so the network is not to blame. Look at the load of Cisco Finesse Tomcat, and at what the resource depends on: the database for phone books and reasons, the CTI server for users and calls. It is mended when the resource's answers take less than a second."
        facts [Resource RttMs Times] silences [] explains [LateEvent];

    /// the same, while pings of that agent took more than a second: both are slow.
    SlowPath "slow-path" Warn Agent Slow
        title "The path between the agent and the server is slow"
        advice "REST requests and pings are slow alike, so it is the way, not a service: look at that agent's network, VPN and Wi-Fi, and compare with an agent elsewhere. It is mended when ping_ms and rtt_ms are below a second."
        facts [Resource RttMs PingMs Times] silences [] explains [PingSlow LateEvent];

    /// the desktop's page was loaded and the agent signed in, and 30 seconds later no WebSocket, BOSH session or connection to port
    /// 7443 was tried.
    NoSocket "no-socket" Error Agent CannotSignIn
        title "The desktop opened no socket"
        advice "REST works, but no events can come. The page's EventTunnel did not load or goes past this proxy: look in the browser's console for a blocked script or frame (an extension, a content policy), and front port 7443 too if the server is older than 12.6. It is mended when a GET of /ws/ follows the sign-in."
        facts [AfterMs] silences [] explains [NoEvent MissedEvent];

    /// a response to a BOSH request while one with a lower number never passed.
    BoshRequestMissing "bosh-request-missing" Error Agent LostConnection
        title "A BOSH request is missing before one that was answered"
        advice "The server works through request ids in order: it waits for the missing one or ends the session. The browser lost it (a network change, an extension that blocks requests), or two pages share one session: close one, and look at cut connections just before. It is mended when the numbers follow each other."
        facts [Request Missing] silences [BoshSessionUnknown LoginStopped] explains [BoshTerminated];

    /// a BOSH request that makes more open at once than the server's `requests` (or `hold` and one) allows. A request
    /// sent again does not count.
    BoshTooManyRequests "bosh-too-many-requests" Warn Agent Odd
        title "More BOSH requests are open at once than the server allows"
        advice "The server may end the session with policy-violation. Either the client does not keep to what was agreed upon, or something on the way holds answers back: compare with the server's own log of the same second. It is mended when open stays at allowed or below."
        facts [Open Allowed] silences [] explains [BoshTerminated];

    /// `<body type="terminate" condition="item-not-found"/>`, or a 404 to a session's request, where no request is
    /// missing.
    BoshSessionUnknown "bosh-session-unknown" Error Agent LostConnection
        title "The server no longer knows the BOSH session"
        advice "If idle_ms is longer than inactivity_s the client was silent too long: a computer asleep, a throttled tab, a network gone. If it is short, the notification service was restarted, or the request reached another node than the one that granted the session: a load balancer must keep a session on one node. It is mended when a session lasts as long as the shift."
        facts [Condition Status IdleMs InactivityS Meaning Remedy] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

    /// a `<body type="terminate"/>` of the server that the client did not ask for, a status of 400 or 403, or any
    /// status from 400 on to the request for a session. `system-shutdown` is server-outage.
    BoshTerminated "bosh-terminated" Error Agent LostConnection
        title "The server ended or refused the BOSH session"
        advice "The fact condition is the server's reason. A status without a condition means that no BOSH service answered: look at the path and at what is in front of the server; BOSH is off by default from 12.5. It is mended when the request for a session is granted."
        facts [Condition Status IdleMs AgeMs Meaning Remedy] silences [LoginStopped] explains [ReconnectStorm ForcedLogout];

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
