//! What only HTTP/2 can do to a desktop: connections told to go away, streams reset, windows that stay shut, limits.

use super::{Code, Confidence, Fact, Finding};
use crate::conn::Direction;
use crate::http2::code_name;

/// No error (RFC 9113 section 7).
const NO_ERROR: u32 = 0;
/// Whoever asked no longer wants the answer.
const CANCEL: u32 = 8;

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A side takes no more streams.
    GoAway {
        /// Of its sender.
        direction: Direction,
        /// The last stream that it looks at.
        last_stream: u32,
        /// The error code.
        code: u32,
        /// Streams under way that it does not look at.
        left: u64,
    },
    /// A stream was reset.
    Reset {
        /// Of its sender.
        direction: Direction,
        /// The error code.
        code: u32,
        /// It was to become a WebSocket.
        was_connect: bool,
    },
    /// Data waited long for its receiver.
    Stalled {
        /// Of the data.
        direction: Direction,
        /// How long.
        waited_ms: u64,
    },
    /// As many streams are open as the server takes.
    StreamLimit {
        /// How many.
        limit: u32,
    },
    /// A request's header list is larger than the server takes.
    OverHeaderLimit {
        /// Its size.
        bytes: u64,
        /// What the server takes.
        limit: u32,
    },
}

/// What is wrong with it, if anything is.
pub(in crate::session) fn seen(seen: Seen, sequence: u64) -> Option<Finding> {
    let new = |code, confidence| Finding::new(code, confidence).seen([sequence]);
    match seen {
        // A server that ends an idle connection, or one that has served enough, says so first: nothing is lost.
        Seen::GoAway { code: NO_ERROR, left: 0, .. } => None,
        Seen::GoAway { direction, last_stream, code, left } => Some(
            new(Code::ToldToGoAway, Confidence::Certain)
                .about(code_name(code))
                .fact(Fact::By, sender(direction))
                .fact(Fact::Http2Code, code_name(code))
                .fact(Fact::LastStream, last_stream)
                .maybe(Fact::Missing, (left > 0).then_some(left)),
        ),
        Seen::Reset { direction: Direction::S2c, code, was_connect: true } => {
            Some(new(Code::ExtendedConnectRefused, Confidence::Certain).fact(Fact::Http2Code, code_name(code)))
        }
        Seen::Reset { code: NO_ERROR, .. } | Seen::Reset { direction: Direction::C2s, code: CANCEL, .. } => None,
        Seen::Reset { direction, code, .. } => Some(
            new(Code::StreamsReset, Confidence::Certain)
                .about(code_name(code))
                .fact(Fact::By, sender(direction))
                .fact(Fact::Http2Code, code_name(code)),
        ),
        Seen::Stalled { direction, waited_ms } => Some(
            new(Code::FlowControlStall, Confidence::Likely)
                .about(sender(direction))
                .fact(Fact::By, sender(direction.opposite()))
                .fact(Fact::SilenceMs, waited_ms),
        ),
        Seen::StreamLimit { limit } => {
            Some(new(Code::StreamLimitReached, Confidence::Likely).fact(Fact::Open, limit).fact(Fact::Allowed, limit))
        }
        Seen::OverHeaderLimit { bytes, limit } => Some(
            new(Code::HeaderListRefused, Confidence::Likely).fact(Fact::HeaderBytes, bytes).fact(Fact::Allowed, limit),
        ),
    }
}

/// Who sends this way.
fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::C2s => "client",
        Direction::S2c => "server",
    }
}
