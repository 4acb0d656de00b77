//! A desktop session in numbers: hourly, and when it is over. Counted from the session's beginning each time.

use super::findings::Code;
use super::stage::{Stage, Step};
use crate::conn::SessionId;

/// Why a summary is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The session is over, or the program ends.
    End,
    /// Another hour has passed.
    Hourly,
    /// It turned out to be the same as this older one.
    Merged(SessionId),
}

impl Reason {
    /// As the event stream writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Hourly => "hourly",
            Self::Merged(_) => "merged",
        }
    }
}

/// XMPP pings of the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pings {
    /// Sent by it.
    pub sent: u64,
    /// Answered by the server.
    pub answered: u64,
    /// The longest round trip, milliseconds.
    pub slowest_ms: u64,
}

/// One session's numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Why now.
    pub reason: Reason,
    /// Every name of its agent's: login id, login name.
    pub names: Vec<String>,
    /// From its first sign to its last (or to now), milliseconds.
    pub duration_ms: u64,
    /// WebSockets it had.
    pub sockets: u64,
    /// How far its last login came.
    pub stages: Vec<Step>,
    /// The first stage that login needed and did not reach.
    pub stopped_at: Option<Stage>,
    /// HTTP exchanges.
    pub requests: u64,
    /// Finesse updates.
    pub updates: u64,
    /// Keep-alives.
    pub pings: Pings,
    /// Time in each of the agent's states, milliseconds, in the order they first occurred.
    pub states: Vec<(String, u64)>,
    /// Different dialogs seen.
    pub calls: u64,
    /// What was found, said or not, and how often.
    pub findings: Vec<(Code, u64)>,
}
