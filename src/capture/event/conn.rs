//! What connections tell beside ECS: how they began, what they carried, who ended them and how.

use super::Http2Count;
use super::Word;
use super::classed::{Classed, HOST, OWN_ID, Text, treat_all};
use crate::capture::vocabulary;
use serde::{Deserialize, Serialize};

/// `finesse.conn.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Conn<'a> {
    /// `c7`; counts from 1 in a run.
    pub(in crate::capture) id: Classed<'a, OWN_ID>,
    /// The name the browser asked for in its ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) sni: Text<'a, HOST>,
    /// The connection to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) upstream: Option<Upstream<'a>>,
    /// Who ended it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::END)))]
    pub(in crate::capture) by: Option<Word>,
    /// How it ended. `unreachable`: the browser got a 502 page; `refused`: not TLS, or a name that is not fronted;
    /// `limit`: too many connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "vocabulary::some")]
    #[cfg_attr(test, schemars(extend("enum" = vocabulary::HOW)))]
    pub(in crate::capture) how: Option<Word>,
    /// `true` if the ending side sent no close_notify before its FIN; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::capture) unclean: bool,
    /// Application bytes relayed from browser to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) c2s_bytes: Option<u64>,
    /// Application bytes relayed from server to browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) s2c_bytes: Option<u64>,
    /// What it amounted to in HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) http2: Option<Http2Count>,
}

/// `finesse.conn.upstream.*`
#[derive(Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Upstream<'a> {
    /// The address dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) ip: Option<Classed<'a, HOST>>,
    /// TCP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) port: Option<u16>,
    /// How long the TCP connect took, microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::capture) connect_us: Option<u64>,
}

treat_all! {
    Conn<'_> { id, sni, upstream, by, how, unclean, c2s_bytes, s2c_bytes, http2 }
    Upstream<'_> { ip, port, connect_us }
}
