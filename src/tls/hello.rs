//! The ClientHellos that are under way to servers, by their random numbers: one that arrives here is our own.
//!
//! Where a load balancer or a forwarded port leads a server's address back to this proxy, each connection would dial the
//! next, and as the browser is answered only when the server has been, none would ever end.

use rustls::ClientConnection;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a record up to and with the random number (RFC 8446 sections 4.1.2 and 5.1).
pub(crate) const SEEN_BYTES: usize = 43;
/// Where the random number begins in it.
const RANDOM_AT: usize = 11;

type Random = [u8; SEEN_BYTES - RANDOM_AT];

/// Those that are under way.
#[derive(Clone, Default)]
pub(crate) struct Hellos(Arc<Mutex<HashSet<Random>>>);

/// One of them, until its handshake is over.
pub(super) struct UnderWay<'h> {
    hellos: &'h Hellos,
    random: Option<Random>,
}

impl Hellos {
    /// Whether what a connection begins with is one of these.
    pub(crate) fn contains(&self, beginning: &[u8]) -> bool {
        random(beginning).is_some_and(|random| self.lock().contains(&random))
    }

    /// The first flight of a connection, which is no longer the connection's to send.
    pub(super) fn take(&self, connection: &mut ClientConnection) -> (Vec<u8>, UnderWay<'_>) {
        let mut flight = Vec::new();
        // Writing to memory cannot fail.
        while connection.wants_write() && connection.write_tls(&mut flight).is_ok_and(|written| written > 0) {}
        let random = random(&flight);
        self.lock().extend(random);
        (flight, UnderWay { hellos: self, random })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Random>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(random) = &self.random {
            self.hellos.lock().remove(random);
        }
    }
}

/// A handshake record (22) with a ClientHello (1).
fn random(record: &[u8]) -> Option<Random> {
    let is_hello = record.first() == Some(&22) && record.get(5) == Some(&1);
    record.get(RANDOM_AT..SEEN_BYTES).filter(|_| is_hello)?.try_into().ok()
}
