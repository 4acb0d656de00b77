//! Where and when something was seen: what every fact brings along when it enters the session layer.

use super::Session;
use crate::clock::Moment;
use crate::conn::{ConnId, StreamId};
use std::net::IpAddr;

/// One observation's place. `sequence` is the number its line will have: evidence refers to it.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'s> {
    /// The connection.
    pub conn: ConnId,
    /// The browser's address.
    pub client: IpAddr,
    /// The server's name as the browser knows it.
    pub server: &'s str,
    /// The stream, if it is on one.
    pub stream: Option<StreamId>,
    /// The desktop session, once known.
    pub session: Option<Session>,
    /// `event.sequence` of the line.
    pub sequence: u64,
    /// When.
    pub at: Moment,
}
