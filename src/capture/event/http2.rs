//! What only HTTP/2 tells (RFC 9113): settings, connections told to go away, streams reset, pings, windows that stayed shut.

use super::Word;
use super::classed::Treat;
use crate::capture::vocabulary;
use crate::capture::walk::Pass;
use serde::{Deserialize, Serialize};

/// `finesse.http2.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Http2 {
    /// The stream that was reset, or whose window stayed shut; absent if that was the connection's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) stream: Option<u32>,
    /// The error code by its name; `UNKNOWN` if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = crate::http2::CODES)))]
    pub(in crate::capture) code: Option<Word>,
    /// The last stream that the sender of a GOAWAY looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) last_stream: Option<u32>,
    /// Streams under way that it does not look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) left_streams: Option<u64>,
    /// From a PING to its answer, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) rtt_us: Option<u64>,
    /// How long data waited for its receiver to open the window, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) waited_ms: Option<u64>,
    /// What the server takes: streams at a time, or bytes of a header list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) limit: Option<u32>,
    /// The header list that is larger, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) header_bytes: Option<u64>,
    /// What the server takes and can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) settings: Option<Http2Settings>,
}

/// `finesse.http2.settings.*`; absent is what the server did not say.
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Http2Settings {
    /// Streams at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) max_concurrent_streams: Option<u32>,
    /// What a new stream's window begins with, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) initial_window_bytes: Option<u32>,
    /// The largest header list, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) max_header_list_bytes: Option<u32>,
    /// Whether WebSockets may be opened by extended CONNECT (RFC 8441).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) extended_connect: Option<bool>,
}

/// `finesse.conn.http2.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Http2Count {
    /// Streams that were opened.
    pub(in crate::capture) streams: u64,
    /// The most at a time.
    pub(in crate::capture) most_open: u64,
    /// Streams that the client reset.
    pub(in crate::capture) resets_c2s: u64,
    /// Streams that the server reset.
    pub(in crate::capture) resets_s2c: u64,
    /// GOAWAY frames, of both sides.
    pub(in crate::capture) goaways: u64,
    /// PINGs that were answered.
    pub(in crate::capture) pings: u64,
}

impl Treat for Http2 {
    fn treat(&mut self, _: &mut Pass<'_>) {
        // Numbers, and names of this program's own.
        let Self { stream: _, code: _, last_stream: _, left_streams: _, rtt_us: _, waited_ms: _, .. } = self;
        let Self { limit: _, header_bytes: _, settings: _, .. } = self;
    }
}

impl Treat for Http2Count {
    fn treat(&mut self, _: &mut Pass<'_>) {
        let Self { streams: _, most_open: _, resets_c2s: _, resets_s2c: _, goaways: _, pings: _ } = self;
    }
}
