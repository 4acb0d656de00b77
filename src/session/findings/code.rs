//! The findings by name: code, weight, title and advice of each, here and nowhere else.
//!
//! Codes are stable: filters and dashboards match them. `docs/findings.md` explains every one; a test compares.

/// Which finding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Code {
    /// `upgrade-refused`
    UpgradeRefused,
    /// `upgrade-stripped`
    UpgradeStripped,
    /// `subprotocol-not-echoed`
    SubprotocolNotEchoed,
    /// `no-plain`
    NoPlain,
    /// `auth-refused`
    AuthRefused,
    /// `token-expired`
    TokenExpired,
    /// `no-finesse-presence`
    NoFinessePresence,
    /// `login-stopped`
    LoginStopped,
    /// `subscription-refused`
    SubscriptionRefused,
    /// `subscription-missing`
    SubscriptionMissing,
    /// `subscription-doubled`
    SubscriptionDoubled,
    /// `no-event`
    NoEvent,
    /// `event-unsubscribed`
    EventUnsubscribed,
    /// `late-event`
    LateEvent,
    /// `ping-slow`
    PingSlow,
    /// `ping-unanswered`
    PingUnanswered,
    /// `hidden-tab`
    HiddenTab,
    /// `computer-slept`
    ComputerSlept,
    /// `conflict`
    Conflict,
    /// `conflict-self`
    ConflictSelf,
    /// `ended-without-close`
    EndedWithoutClose,
    /// `middlebox`
    Middlebox,
    /// `reconnect-storm`
    ReconnectStorm,
    /// `server-restart`
    ServerRestart,
    /// `server-outage`
    ServerOutage,
    /// `forced-logout`
    ForcedLogout,
    /// `host-not-fronted`
    HostNotFronted,
    /// `certificate-refused`
    CertificateRefused,
    /// `decode-error`
    DecodeError,
    /// `api-error`
    ApiError,
    /// `bosh-request-missing`
    BoshRequestMissing,
    /// `bosh-too-many-requests`
    BoshTooManyRequests,
    /// `bosh-session-unknown`
    BoshSessionUnknown,
    /// `bosh-terminated`
    BoshTerminated,
}

/// How much a person should care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// Something is not as it should be.
    Warn,
    /// The agent cannot work, or soon will not.
    Error,
}

impl Code {
    /// All findings.
    pub const ALL: [Self; 34] = [
        Self::UpgradeRefused,
        Self::UpgradeStripped,
        Self::SubprotocolNotEchoed,
        Self::NoPlain,
        Self::AuthRefused,
        Self::TokenExpired,
        Self::NoFinessePresence,
        Self::LoginStopped,
        Self::SubscriptionRefused,
        Self::SubscriptionMissing,
        Self::SubscriptionDoubled,
        Self::NoEvent,
        Self::EventUnsubscribed,
        Self::LateEvent,
        Self::PingSlow,
        Self::PingUnanswered,
        Self::HiddenTab,
        Self::ComputerSlept,
        Self::Conflict,
        Self::ConflictSelf,
        Self::EndedWithoutClose,
        Self::Middlebox,
        Self::ReconnectStorm,
        Self::ServerRestart,
        Self::ServerOutage,
        Self::ForcedLogout,
        Self::HostNotFronted,
        Self::CertificateRefused,
        Self::DecodeError,
        Self::ApiError,
        Self::BoshRequestMissing,
        Self::BoshTooManyRequests,
        Self::BoshSessionUnknown,
        Self::BoshTerminated,
    ];

    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.text().code
    }

    /// One line for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.text().title
    }

    /// What to do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.text().advice
    }

    /// How much it matters.
    #[must_use]
    pub fn weight(self) -> Weight {
        self.text().weight
    }

    /// The finding of this code.
    #[must_use]
    pub fn read(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }

    /// Whether it concerns everybody who uses the server, and not the agent alone in whose traffic it showed.
    #[must_use]
    pub fn is_shared(self) -> bool {
        matches!(self, Self::ServerOutage | Self::ServerRestart | Self::HostNotFronted | Self::Middlebox)
    }

    fn text(self) -> &'static Text {
        match self {
            Self::UpgradeRefused => &UPGRADE_REFUSED,
            Self::UpgradeStripped => &UPGRADE_STRIPPED,
            Self::SubprotocolNotEchoed => &SUBPROTOCOL_NOT_ECHOED,
            Self::NoPlain => &NO_PLAIN,
            Self::AuthRefused => &AUTH_REFUSED,
            Self::TokenExpired => &TOKEN_EXPIRED,
            Self::NoFinessePresence => &NO_FINESSE_PRESENCE,
            Self::LoginStopped => &LOGIN_STOPPED,
            Self::SubscriptionRefused => &SUBSCRIPTION_REFUSED,
            Self::SubscriptionMissing => &SUBSCRIPTION_MISSING,
            Self::SubscriptionDoubled => &SUBSCRIPTION_DOUBLED,
            Self::NoEvent => &NO_EVENT,
            Self::EventUnsubscribed => &EVENT_UNSUBSCRIBED,
            Self::LateEvent => &LATE_EVENT,
            Self::PingSlow => &PING_SLOW,
            Self::PingUnanswered => &PING_UNANSWERED,
            Self::HiddenTab => &HIDDEN_TAB,
            Self::ComputerSlept => &COMPUTER_SLEPT,
            Self::Conflict => &CONFLICT,
            Self::ConflictSelf => &CONFLICT_SELF,
            Self::EndedWithoutClose => &ENDED_WITHOUT_CLOSE,
            Self::Middlebox => &MIDDLEBOX,
            Self::ReconnectStorm => &RECONNECT_STORM,
            Self::ServerRestart => &SERVER_RESTART,
            Self::ServerOutage => &SERVER_OUTAGE,
            Self::ForcedLogout => &FORCED_LOGOUT,
            Self::HostNotFronted => &HOST_NOT_FRONTED,
            Self::CertificateRefused => &CERTIFICATE_REFUSED,
            Self::DecodeError => &DECODE_ERROR,
            Self::ApiError => &API_ERROR,
            Self::BoshRequestMissing => &BOSH_REQUEST_MISSING,
            Self::BoshTooManyRequests => &BOSH_TOO_MANY_REQUESTS,
            Self::BoshSessionUnknown => &BOSH_SESSION_UNKNOWN,
            Self::BoshTerminated => &BOSH_TERMINATED,
        }
    }
}

struct Text {
    code: &'static str,
    weight: Weight,
    title: &'static str,
    advice: &'static str,
}

const UPGRADE_REFUSED: Text = Text {
    code: "upgrade-refused",
    weight: Weight::Error,
    title: "The WebSocket upgrade was refused",
    advice: "The status tells: 200, 400, 404 or 501 means that the request arrived there without its upgrade or \
              subprotocol, which something on the way took out, or that the path is unknown; 502 or 503 means \
              that the notification service is down or not reached. Without the socket the desktop gets no \
              events.",
};

const UPGRADE_STRIPPED: Text = Text {
    code: "upgrade-stripped",
    weight: Weight::Error,
    title: "A request for the WebSocket arrived without its Upgrade header",
    advice: "Something between browser and proxy (a virus scanner, a forward proxy, a load balancer) takes the \
              hop-by-hop headers away. Exempt the Finesse host from inspection or let the middlebox pass \
              WebSockets.",
};

const SUBPROTOCOL_NOT_ECHOED: Text = Text {
    code: "subprotocol-not-echoed",
    weight: Weight::Error,
    title: "The server did not select the subprotocol xmpp",
    advice: "A browser fails such a socket at once. Something between proxy and Finesse drops the Sec-\
              WebSocket-Protocol header: make it pass unchanged.",
};

const NO_PLAIN: Text = Text {
    code: "no-plain",
    weight: Weight::Error,
    title: "The server offers no SASL PLAIN",
    advice: "The desktop can sign in with PLAIN only. Check the notification service's configuration, and that \
              the stream comes from Finesse and no other XMPP server.",
};

const AUTH_REFUSED: Text = Text {
    code: "auth-refused",
    weight: Weight::Error,
    title: "The server refused the password",
    advice: "Check user and password with the administrator; after several attempts the account may be locked. \
              With single sign-on the password is an access token: see token-expired.",
};

const TOKEN_EXPIRED: Text = Text {
    code: "token-expired",
    weight: Weight::Error,
    title: "Credentials that were good before are refused now",
    advice: "With single sign-on the access token has run out and the desktop did not get a new one: look at the \
              calls to /desktop/sso/token before it and at the identity service. Without single sign-on the \
              password was changed while the agent was signed in.",
};

const NO_FINESSE_PRESENCE: Text = Text {
    code: "no-finesse-presence",
    weight: Weight::Error,
    title: "The login succeeded, but the presence of finesse@ never came",
    advice: "The desktop waits for it for ever. Tomcat is not connected to the notification service: restart \
              Cisco Finesse Tomcat (after the notification service is in service), and look for its XMPP \
              connection in its logs.",
};

const LOGIN_STOPPED: Text = Text {
    code: "login-stopped",
    weight: Weight::Error,
    title: "The socket ended before the login was done",
    advice: "Stage is the step that did not happen. Look at the last lines before it, and at who ended the \
              connection.",
};

const SUBSCRIPTION_REFUSED: Text = Text {
    code: "subscription-refused",
    weight: Weight::Error,
    title: "The server refused a subscription",
    advice: "The desktop takes the error for a success and waits for events that never come. The node does not \
              exist or the agent may not see it: check the agent's id and team, then restart Cisco Finesse Tomcat, \
              which creates the nodes.",
};

const SUBSCRIPTION_MISSING: Text = Text {
    code: "subscription-missing",
    weight: Weight::Error,
    title: "The desktop never subscribed to its user's node",
    advice: "State changes will not reach it. The client stopped half-way in its login: look in the browser's \
              console for an error in the same second, and reload the desktop.",
};

const SUBSCRIPTION_DOUBLED: Text = Text {
    code: "subscription-doubled",
    weight: Weight::Warn,
    title: "The same node is subscribed more than once",
    advice: "Every event comes several times and may be acted on several times. A client, often a gadget of its \
              own making, subscribes anew without unsubscribing.",
};

const NO_EVENT: Text = Text {
    code: "no-event",
    weight: Weight::Error,
    title: "The server accepted a request, but no event followed",
    advice: "The answer 202 promises an event with the outcome. Look whether other events arrive on the socket; \
              if none does, the subscription or the server's link to its notification service is broken, else the \
              request was lost behind the REST API.",
};

const EVENT_UNSUBSCRIBED: Text = Text {
    code: "event-unsubscribed",
    weight: Weight::Warn,
    title: "An event came for a node that nobody subscribed to here",
    advice: "A subscription of an earlier session was never removed, or the desktop reads another agent's events. \
              Let the agent sign out and in again.",
};

const LATE_EVENT: Text = Text {
    code: "late-event",
    weight: Weight::Warn,
    title: "An event arrived long after the change it tells of",
    advice: "The time was lost on the server's side or on the way to this proxy, not in the browser. Compare with \
              the round trips of the pings: if those are short, look at the server's load.",
};

const PING_SLOW: Text = Text {
    code: "ping-slow",
    weight: Weight::Warn,
    title: "A ping took more than 5 seconds",
    advice: "At 10 seconds the desktop declares itself disconnected. Look at network and server load at that \
              time; level says whose ping it was.",
};

const PING_UNANSWERED: Text = Text {
    code: "ping-unanswered",
    weight: Weight::Error,
    title: "A ping was not answered within 10 seconds",
    advice: "If the client asked, look at the network behind the proxy and at the notification service; after \
              two more tries the desktop shows that it lost its connection. If the server asked, the browser was \
              not listening: its computer was asleep or overloaded.",
};

const HIDDEN_TAB: Text = Text {
    code: "hidden-tab",
    weight: Weight::Warn,
    title: "The browser sends its pings too rarely",
    advice: "Browsers throttle the timers of a hidden tab to one a minute, and the server wants a ping every 20 \
              seconds. Keep the desktop's tab visible, or exempt the site from tab sleeping and background \
              throttling.",
};

const COMPUTER_SLEPT: Text = Text {
    code: "computer-slept",
    weight: Weight::Warn,
    title: "Nothing passed for more than 90 seconds on a socket that pings every 10",
    advice: "The agent's computer slept or lost its network. After 60 to 180 seconds the server signs the agent \
              out (reason 255). Change the power settings, or let the agent sign out before.",
};

const CONFLICT: Text = Text {
    code: "conflict",
    weight: Weight::Error,
    title: "The agent signed in a second time elsewhere, and this desktop was thrown out",
    advice: "The server allows one desktop an agent. Find the other sign-in (other client and other browser say \
              where) and close one of the two. If both reconnect by themselves, they throw each other out again \
              and again.",
};

const CONFLICT_SELF: Text = Text {
    code: "conflict-self",
    weight: Weight::Warn,
    title: "The desktop threw itself out",
    advice: "It opened a new socket while the server still held the old one. If the old socket answered its \
              pings, the agent has the desktop open in a second tab or window: close one. If a ping of it was \
              without an answer, find out why that socket died. Harmless once.",
};

const ENDED_WITHOUT_CLOSE: Text = Text {
    code: "ended-without-close",
    weight: Weight::Warn,
    title: "A socket ended without a close frame",
    advice: "If the server ended it, the server or something in front of it broke down or cut it off. If the \
              browser did, it was closed, crashed or lost its network, or something before this proxy cut it \
              off. A regular end has a close frame.",
};

const MIDDLEBOX: Text = Text {
    code: "middlebox",
    weight: Weight::Error,
    title: "Something on the way cuts sockets off after a fixed time",
    advice: "A firewall, load balancer or reverse proxy has a time limit: idle is the silence after which it \
              cuts, age the time in all. Raise that limit for the Finesse ports well above 60 seconds, or exempt \
              the host. Hidden browser tabs ping only once a minute and are hit first.",
};

const RECONNECT_STORM: Text = Text {
    code: "reconnect-storm",
    weight: Weight::Error,
    title: "The desktop signs in again and again",
    advice: "Five or more logins within a minute. Each costs the server dearly, with many agents it can keep \
              itself from recovering. Look at the findings at the ends of its sockets for the cause.",
};

const SERVER_RESTART: Text = Text {
    code: "server-restart",
    weight: Weight::Warn,
    title: "The server's process is another one than before",
    advice: "The ids of its events begin with the process's own id, and that has changed: Cisco Finesse Tomcat \
              was restarted. States and calls from before may be stale until the desktop reloads.",
};

const SERVER_OUTAGE: Text = Text {
    code: "server-outage",
    weight: Weight::Error,
    title: "The server's side went out of service",
    advice: "All agents are affected, and nothing is wrong with their browsers. Look at the Finesse services \
              (notification service, Tomcat) and their link to the CTI server.",
};

const FORCED_LOGOUT: Text = Text {
    code: "forced-logout",
    weight: Weight::Error,
    title: "The server took the agent for gone (reason 255)",
    advice: "The server sets it 60 seconds after the agent's presence went away, up to 180 after a crash. Find \
              the end of the agent's socket before it.",
};

const HOST_NOT_FRONTED: Text = Text {
    code: "host-not-fronted",
    weight: Weight::Warn,
    title: "The browser is sent to a server that this proxy does not front",
    advice: "It goes there past the proxy, and that traffic is not seen: a second node at failover, a gadget's server, \
              another port. Front it too: add --route PORT=HOST:PORT with the facts host and port to finesse-tap run, \
              and see that the browser finds the proxy under that name.",
};

const CERTIFICATE_REFUSED: Text = Text {
    code: "certificate-refused",
    weight: Weight::Error,
    title: "The browser did not accept the certificate",
    advice: "It ended the handshake with a TLS alert, so no request followed. Put the proxy's CA (see finesse-tap \
              ca) into the trust store of that browser or profile; for a name of the second node or another port a \
              certificate of its own is accepted on its own.",
};

const DECODE_ERROR: Text = Text {
    code: "decode-error",
    weight: Weight::Warn,
    title: "Something could not be read",
    advice: "The traffic itself was not touched. If it is opaque from here on, findings about this socket are \
              missing. Malformed XML or frames may be what makes the desktop fail, too.",
};

const API_ERROR: Text = Text {
    code: "api-error",
    weight: Weight::Error,
    title: "The server refused a request",
    advice: "The fact meaning says it in plain words; type and code are the server's own.",
};

const BOSH_REQUEST_MISSING: Text = Text {
    code: "bosh-request-missing",
    weight: Weight::Error,
    title: "A BOSH request is missing before one that was answered",
    advice: "The server works through request ids in order: it waits for the missing one or ends the session. The \
              browser lost it (a network change, an extension that blocks requests), or two pages share one session. \
              Look at cut connections just before.",
};

const BOSH_TOO_MANY_REQUESTS: Text = Text {
    code: "bosh-too-many-requests",
    weight: Weight::Warn,
    title: "More BOSH requests are open at once than the server allows",
    advice: "The server may end the session with policy-violation. Either the client does not keep to what was agreed \
              upon, or something on the way holds answers back: compare with the server's own log of the same second.",
};

const BOSH_SESSION_UNKNOWN: Text = Text {
    code: "bosh-session-unknown",
    weight: Weight::Error,
    title: "The server no longer knows the BOSH session",
    advice: "If idle_ms is longer than inactivity_s the client was silent too long: a computer asleep, a throttled tab, \
              a network gone. If it is short, the notification service was restarted, or the request reached another \
              node than the one that granted the session.",
};

const BOSH_TERMINATED: Text = Text {
    code: "bosh-terminated",
    weight: Weight::Error,
    title: "The server ended or refused the BOSH session",
    advice: "The fact condition is the server's reason: remote-stream-error comes with a stream error that says more, \
              policy-violation blames the client, host-unknown the name it asked for. A status without a condition means \
              that no BOSH service answered: look at the path and at what is in front of the server.",
};
