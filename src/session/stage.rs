//! The login that Cisco documents as a ladder of stages, and how far one WebSocket has climbed.
//!
//! A stage is reached once a socket. Knows no stanza: `Stream` says when a stage is reached.

use crate::clock::Moment;

/// A step of the reference login, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The WebSocket upgrade was answered with 101, the BOSH session granted, or XMPP begun.
    Handshake,
    /// The server's first `<open/>`.
    Open,
    /// Its stream features.
    Features,
    /// SASL `<success/>`.
    Auth,
    /// The server's second `<open/>`, or its second features.
    Restart,
    /// The full JID was given.
    Bind,
    /// The session iq was answered.
    Session,
    /// The client's first presence.
    Presence,
    /// A presence of `finesse@` (or CUIC's or CCX's): only now the desktop counts itself connected.
    FinessePresence,
    /// A node below `/finesse/api/User/` was subscribed.
    UserSubscription,
    /// A node below `/finesse/api/Team/` was subscribed.
    TeamSubscription,
    /// The first pub-sub event.
    FirstEvent,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 12] = [
        Self::Handshake,
        Self::Open,
        Self::Features,
        Self::Auth,
        Self::Restart,
        Self::Bind,
        Self::Session,
        Self::Presence,
        Self::FinessePresence,
        Self::UserSubscription,
        Self::TeamSubscription,
        Self::FirstEvent,
    ];

    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Open => "open",
            Self::Features => "features",
            Self::Auth => "auth",
            Self::Restart => "restart",
            Self::Bind => "bind",
            Self::Session => "session",
            Self::Presence => "presence",
            Self::FinessePresence => "finesse-presence",
            Self::UserSubscription => "user-subscription",
            Self::TeamSubscription => "team-subscription",
            Self::FirstEvent => "first-event",
        }
    }

    /// Whether a login is not done without it. RFC 6121 made the session iq optional; not everybody has a team, and an
    /// event comes when something happens.
    #[must_use]
    pub fn is_required(self) -> bool {
        !matches!(self, Self::Session | Self::TeamSubscription | Self::FirstEvent)
    }

    /// What it means that a login got this far.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Handshake => "the server accepted the connection",
            Self::Open => "the server opened the XMPP stream",
            Self::Features => "the server said how to log in",
            Self::Auth => "the server accepted the credentials",
            Self::Restart => "the stream began anew, authenticated",
            Self::Bind => "the server gave the desktop its address",
            Self::Session => "the server opened the XMPP session",
            Self::Presence => "the desktop said that it is there",
            Self::FinessePresence => "Finesse itself is there: the desktop counts as connected",
            Self::UserSubscription => "events of the agent will come",
            Self::TeamSubscription => "events of the team will come",
            Self::FirstEvent => "the first event came",
        }
    }

    /// The stage of this name in the event stream.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

/// How far one login has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    reached: [Option<(u64, Moment)>; Stage::ALL.len()],
}

impl Ladder {
    /// A stage is reached by the line `sequence`; tells it back the first time.
    pub fn reach(&mut self, stage: Stage, sequence: u64, at: Moment) -> Option<Stage> {
        let slot = self.reached.get_mut(stage as usize)?;
        if slot.is_some() {
            return None;
        }
        *slot = Some((sequence, at));
        Some(stage)
    }

    /// The line and time at which a stage was reached.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Option<(u64, Moment)> {
        self.reached.get(stage as usize).copied().flatten()
    }

    /// Whether a stage was reached.
    #[must_use]
    pub fn has(&self, stage: Stage) -> bool {
        self.at(stage).is_some()
    }

    /// The first stage that a login needs behind the furthest one reached; `None` if it is done (or never began). A server
    /// that leaves a stage out and goes on did not stop there.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Stage> {
        let furthest = Stage::ALL.into_iter().rfind(|stage| self.has(*stage))?;
        Stage::ALL.into_iter().find(|stage| *stage > furthest && stage.is_required())
    }

    /// The stages reached, with the line of each and the milliseconds since the first.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let began = self.reached.iter().flatten().map(|(_, at)| *at).min().unwrap_or_default();
        let step = |stage: Stage| {
            let (sequence, at) = self.at(stage)?;
            Some(Step { stage, sequence, after_ms: at.ms_since(began) })
        };
        Stage::ALL.into_iter().filter_map(step).collect()
    }
}

/// A stage as a summary tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// The line that reached it.
    pub sequence: u64,
    /// Since the first stage, milliseconds.
    pub after_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_stops_behind_the_furthest_stage_it_reached() {
        let mut ladder = Ladder::default();
        assert_eq!(ladder.stopped_at(), None);
        for stage in Stage::ALL.into_iter().filter(|stage| *stage < Stage::Bind) {
            assert_eq!(ladder.reach(stage, 1, Moment::default()), Some(stage));
            assert_eq!(ladder.reach(stage, 2, Moment::default()), None);
        }
        assert_eq!(ladder.stopped_at(), Some(Stage::Bind));
        ladder.reach(Stage::FinessePresence, 3, Moment::default());
        assert_eq!(ladder.stopped_at(), Some(Stage::UserSubscription));
        ladder.reach(Stage::UserSubscription, 3, Moment::default());
        assert_eq!(ladder.stopped_at(), None);
        assert_eq!(ladder.steps().first().map(|step| step.stage), Some(Stage::Handshake));
    }

    #[test]
    fn the_order_is_the_index() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, index);
        }
    }
}
