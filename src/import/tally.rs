//! What came of a HAR, in numbers and in words: what was used, what was read with a grain of salt, what was left out.

use std::fmt;

/// What came of a HAR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// HTTP exchanges.
    pub exchanges: u64,
    /// WebSockets.
    pub sockets: u64,
    /// Their messages.
    pub messages: u64,
    /// Connections made.
    pub connections: u64,
    /// Requests and sockets without an answer of which the HAR says why, and errors among a socket's messages.
    pub failures: u64,
    /// Entries and messages with bytes or escapes that are no Unicode, read as U+FFFD.
    pub repaired: u64,
    /// Dates without a time zone, taken for UTC.
    pub zoneless: u64,
    /// Bodies whose size is known and whose content the HAR does not hold.
    pub bodies_absent: u64,
    /// Tunnels (CONNECT), whose requests are entries of their own.
    pub tunnels: u64,
    /// Entries of what went over no network: `data:`, `blob:`, extensions.
    pub local: u64,
    /// Left out: entries without a date that can be read.
    pub undated: u64,
    /// Left out: entries that are no request of HTTP, or not of HAR's form.
    pub malformed: u64,
    /// Left out: WebSocket messages without a known type or opcode, or not of HAR's form.
    pub odd_messages: u64,
}

impl Tally {
    /// Entries and messages that are not in the capture and should be.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.undated + self.malformed + self.odd_messages
    }
}

/// What was read; behind semicolons what is to be known of it.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, one: &'static str, many: &'static str| (count, if count == 1 { one } else { many });
        let (exchanges, requests) = counted(self.exchanges, "request", "requests");
        let (sockets, web_sockets) = counted(self.sockets, "WebSocket", "WebSockets");
        let (messages, words) = counted(self.messages, "message", "messages");
        write!(f, "{exchanges} {requests}, {sockets} {web_sockets}, {messages} {words}")?;
        let notes = [
            counted(self.failures, "failure noted by the browser", "failures noted by the browser"),
            counted(
                self.repaired,
                "entry or message with bytes that are no Unicode, read as U+FFFD",
                "entries or messages with bytes that are no Unicode, read as U+FFFD",
            ),
            counted(
                self.zoneless,
                "date without a time zone, taken for UTC",
                "dates without a time zone, taken for UTC",
            ),
            counted(
                self.bodies_absent,
                "body that the HAR does not hold (only its size)",
                "bodies that the HAR does not hold (only their size)",
            ),
            counted(
                self.tunnels,
                "CONNECT passed over: what went through it is listed by itself",
                "CONNECTs passed over: what went through them is listed by itself",
            ),
            counted(self.local, "entry passed over that used no network", "entries passed over that used no network"),
            counted(
                self.undated,
                "entry left out: no startedDateTime that can be read",
                "entries left out: no startedDateTime that can be read",
            ),
            counted(
                self.malformed,
                "entry left out: no HTTP request of HAR's form",
                "entries left out: no HTTP request of HAR's form",
            ),
            counted(
                self.odd_messages,
                "WebSocket message left out: no known type or opcode",
                "WebSocket messages left out: no known type or opcode",
            ),
        ];
        notes.into_iter().filter(|(count, _)| *count > 0).try_for_each(|(count, note)| write!(f, "; {count} {note}"))
    }
}
