//! What a finding can be drawn from: the name of each fact, what its value is, and what it says.
//!
//! The names are stable: filters and dashboards match them. A value's [`Value`] tells a reader its unit and the redactor how
//! to treat it, so a new fact needs a row here and nothing elsewhere.

/// What a fact's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A number of these.
    Number(Unit),
    /// A word, or several, of a protocol's or of this program's.
    Word,
    /// A sentence of this program's.
    Sentence,
    /// A host name or address.
    Host,
    /// A pub-sub node: its class tells nothing, its id may name a person.
    Node,
    /// The class of a REST resource.
    Resource,
    /// The name of an XMPP condition, or a status.
    Condition,
    /// SASL mechanisms or subprotocols that a peer offered.
    Offer,
    /// The subprotocol that a peer selected.
    Subprotocol,
    /// The type of an API error: a word or a short sentence.
    ErrorType,
    /// A sentence that a peer wrote.
    Text,
}

/// Of what a number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Things counted.
    Count,
    /// A number that is a name: a status, a port, a code.
    Code,
}

macro_rules! facts {
    ($(#[doc = $about:literal] $fact:ident $name:literal $value:expr;)+) => {
        /// A fact by name.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Fact { $(#[doc = $about] $fact,)+ }

        impl Fact {
            /// All of them, by their names.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$fact),+];

            /// As the event stream writes it; units are in the name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$fact => $name,)+ }
            }

            /// What its value is.
            #[must_use]
            pub const fn value(self) -> Value {
                match self { $(Self::$fact => $value,)+ }
            }

            /// What it says, in a few words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$fact => $about.trim_ascii(),)+ }
            }
        }
    };
}

use Unit::{Code, Count, Milliseconds, Seconds};
use Value::{Condition, ErrorType, Host, Node, Number, Offer, Resource, Sentence, Subprotocol, Text, Word};

facts! {
    /// from the question to what came of it
    AfterMs "after_ms" Number(Milliseconds);
    /// how long it had lasted
    AgeMs "age_ms" Number(Milliseconds);
    /// different agents
    Agents "agents" Number(Count);
    /// the TLS alert (RFC 8446 section 6)
    Alert "alert" Word;
    /// what the server allows
    Allowed "allowed" Number(Count);
    /// from the change to the event's arrival, the clocks' difference taken out
    ArrivalMs "arrival_ms" Number(Milliseconds);
    /// how much older it is than what came before it
    BehindMs "behind_ms" Number(Milliseconds);
    /// who did it, or what said so
    By "by" Word;
    /// the browser's address
    Client "client" Host;
    /// the reason code that the server gave
    Code "code" Number(Code);
    /// the server's reason
    Condition "condition" Condition;
    /// what kind of system it is: UCCE or UCCX
    Deployment "deployment" Word;
    /// the server's `errorData`: the CTI server's code, or what the request lacked
    ErrorData "error_data" Number(Code);
    /// the media routing domain that the error is about
    ErrorMedia "error_media" Number(Code);
    /// since the agent's presence or socket went away
    GoneForMs "gone_for_ms" Number(Milliseconds);
    /// the request's header fields, as HTTP/2 counts them
    HeaderBytes "header_bytes" Number(Count);
    /// the server's name
    Host "host" Host;
    /// how it ended
    How "how" Word;
    /// the error code (RFC 9113 section 7)
    Http2Code "http2_code" Word;
    /// the silence before it
    IdleMs "idle_ms" Number(Milliseconds);
    /// the longest silence that the server bears
    InactivityS "inactivity_s" Number(Seconds);
    /// the agent's state as the last event told it
    LastState "last_state" Word;
    /// the last stream that its sender looks at
    LastStream "last_stream" Number(Code);
    /// the codec that gave up
    Layer "layer" Word;
    /// whose ping, and of which protocol
    Level "level" Word;
    /// logins
    Logins "logins" Number(Count);
    /// the error in plain words
    Meaning "meaning" Sentence;
    /// the peer's own sentence
    Message "message" Text;
    /// how many
    Missing "missing" Number(Count);
    /// the pub-sub node
    Node "node" Node;
    /// what was offered
    Offered "offered" Offer;
    /// how the older socket was
    OldSocket "old_socket" Sentence;
    /// open at once
    Open "open" Number(Count);
    /// what the request asked for
    Operation "operation" Word;
    /// the other desktop
    Other "other" Sentence;
    /// the other desktop's browser, by User-Agent
    OtherBrowser "other_browser" Sentence;
    /// the other desktop's address
    OtherClient "other_client" Host;
    /// the other node's name
    OtherHost "other_host" Host;
    /// how long nothing was looked at
    PausedMs "paused_ms" Number(Milliseconds);
    /// the phone system's code
    PeripheralCode "peripheral_code" Number(Code);
    /// how long a ping took at that time
    PingMs "ping_ms" Number(Milliseconds);
    /// the server's port
    Port "port" Number(Code);
    /// the server's word for it
    Reason "reason" Condition;
    /// what to do about it
    Remedy "remedy" Sentence;
    /// the request's number; 0 is the session's first
    Request "request" Number(Code);
    /// what the request was about
    Resource "resource" Resource;
    /// from question to answer
    RttMs "rtt_ms" Number(Milliseconds);
    /// what was selected
    Selected "selected" Subprotocol;
    /// what shows it
    Sign "sign" Sentence;
    /// how long nothing passed
    SilenceMs "silence_ms" Number(Milliseconds);
    /// how far the proxy's clock is ahead of the server's
    SkewMs "skew_ms" Number(Milliseconds);
    /// the server's name in the ClientHello
    Sni "sni" Host;
    /// from one ping to the next
    SpacingMs "spacing_ms" Number(Milliseconds);
    /// the first stage that is missing
    Stage "stage" Word;
    /// the agent's state
    State "state" Word;
    /// the HTTP status
    Status "status" Number(Code);
    /// how often
    Times "times" Number(Count);
    /// the server's name for the error
    Type "type" ErrorType;
    /// what could not be read
    Why "why" Sentence;
    /// from the first to the last
    WithinMs "within_ms" Number(Milliseconds);
}
