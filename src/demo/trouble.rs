//! Faults that the demo server plays on purpose, so that a person sees what they look like.
//!
//! [`Trouble`] is one; [`Troubles`] says which are on, for every part of the server. Some are states (pings swallowed as long
//! as it is on), some happen once ([`Trouble::happens_once`]).

use std::sync::atomic::{AtomicU32, Ordering};

/// A fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// XMPP pings get no answer.
    Pings,
    /// Sockets are cut after seconds of silence, without a Close frame.
    Middlebox,
    /// Every password is refused.
    WrongPassword,
    /// Somebody signs in under the same name elsewhere.
    SecondLogin,
    /// The presence of `finesse@` never comes.
    NoPresence,
    /// Subscriptions are refused.
    RefusedSubscription,
    /// A request is accepted, and no event follows.
    LostEvent,
    /// Events come seconds late.
    LateEvent,
    /// The server restarts.
    ServerRestart,
    /// The server shows another certificate, which has expired.
    Certificate,
    /// Planned maintenance: agents are moved away one after another.
    Maintenance,
    /// REST and pings are slow.
    Overload,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Pings,
        Self::Middlebox,
        Self::WrongPassword,
        Self::SecondLogin,
        Self::NoPresence,
        Self::RefusedSubscription,
        Self::LostEvent,
        Self::LateEvent,
        Self::ServerRestart,
        Self::Certificate,
        Self::Maintenance,
        Self::Overload,
    ];

    /// Its name on the command line and in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pings => "pings",
            Self::Middlebox => "middlebox",
            Self::WrongPassword => "wrong-password",
            Self::SecondLogin => "second-login",
            Self::NoPresence => "no-presence",
            Self::RefusedSubscription => "refused-subscription",
            Self::LostEvent => "lost-event",
            Self::LateEvent => "late-event",
            Self::ServerRestart => "server-restart",
            Self::Certificate => "certificate",
            Self::Maintenance => "maintenance",
            Self::Overload => "overload",
        }
    }

    /// What goes wrong, for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Pings => "Pings get no answer",
            Self::Middlebox => "A middlebox cuts silent sockets",
            Self::WrongPassword => "Every password is refused",
            Self::SecondLogin => "The agent signs in a second time elsewhere",
            Self::NoPresence => "The presence of finesse@ never comes",
            Self::RefusedSubscription => "Subscriptions are refused",
            Self::LostEvent => "Requests are accepted, but no event follows",
            Self::LateEvent => "Events come 7 seconds late",
            Self::ServerRestart => "The server restarts",
            Self::Certificate => "The server shows another certificate, which has expired",
            Self::Maintenance => "Planned maintenance",
            Self::Overload => "The server is overloaded",
        }
    }

    /// The fault of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.name() == name)
    }

    /// Whether it happens and is over, rather than lasting until it is switched off.
    #[must_use]
    pub fn happens_once(self) -> bool {
        matches!(self, Self::SecondLogin | Self::ServerRestart | Self::Maintenance)
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Which faults are on.
#[derive(Default, Debug)]
pub(super) struct Troubles(AtomicU32);

impl Troubles {
    /// Whether this one is.
    #[must_use]
    pub(super) fn is_on(&self, trouble: Trouble) -> bool {
        self.0.load(Ordering::Relaxed) & trouble.bit() != 0
    }

    /// Switches one.
    pub(super) fn set(&self, trouble: Trouble, on: bool) {
        if on {
            self.0.fetch_or(trouble.bit(), Ordering::Relaxed);
        } else {
            self.0.fetch_and(!trouble.bit(), Ordering::Relaxed);
        }
    }
}
