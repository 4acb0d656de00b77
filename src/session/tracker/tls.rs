//! TLS as the session layer sees it: what browsers refuse, and servers that are not reached.

use super::{MAX_REMEMBERED, Spot, Tracker};
use crate::clock::Moment;
use crate::session::findings;
use crate::session::findings::tls::{SILENT, Unreached};
use crate::session::recent::Recent;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Handshakes of one browser for one name and port.
#[derive(Debug, Default)]
struct Handshakes {
    /// Those that it ended without a word: line and time.
    silent: VecDeque<(u64, Moment)>,
    /// One was made.
    succeeded: bool,
}

/// By browser, name and port.
#[derive(Debug)]
pub(super) struct Shaken(Recent<(IpAddr, String, u16), Handshakes>);

impl Default for Shaken {
    fn default() -> Self {
        Self(Recent::new(MAX_REMEMBERED))
    }
}

impl Shaken {
    fn of(&mut self, client: IpAddr, sni: &str, port: u16) -> Option<&mut Handshakes> {
        let key = (client, sni.to_owned(), port);
        if self.0.find(&key).is_none() {
            self.0.insert(key.clone(), Handshakes::default());
        }
        self.0.find_mut(&key)
    }
}

impl Tracker {
    /// The browser ended a TLS handshake, with an alert or without.
    pub fn tls_refused(&mut self, spot: &Spot<'_>, alert: Option<&str>, sni: Option<&str>, port: u16) {
        if let Some(finding) = findings::tls::refused(alert, sni, port, spot.sequence) {
            return self.find(spot, finding);
        }
        // Who names no server is a probe, or never came to see the certificate.
        let (None, Some(sni)) = (alert, sni) else { return };
        let Some(known) = self.shaken.of(spot.client, sni, port).filter(|known| !known.succeeded) else { return };
        known.silent.push_back((spot.sequence, spot.at));
        // The first one says since when.
        if known.silent.len() > SILENT * 2 {
            known.silent.remove(1);
        }
        let span_ms = known.silent.front().map_or(0, |(_, first)| spot.at.ms_since(*first));
        let lines: Vec<u64> = known.silent.iter().map(|(line, _)| *line).collect();
        if let Some(finding) = findings::tls::refused_silently(&lines, span_ms, sni, port) {
            known.silent.clear();
            self.find(spot, finding);
        }
    }

    /// A browser made a TLS handshake.
    pub fn tls_made(&mut self, client: IpAddr, sni: Option<&str>, port: u16) {
        if let Some(known) = sni.and_then(|sni| self.shaken.of(client, sni, port)) {
            known.succeeded = true;
        }
    }

    /// The proxy could not make its connection to the server.
    pub fn unreached(&mut self, spot: &Spot<'_>, told: Unreached<'_>) {
        self.find(spot, findings::tls::unreached(spot.server, told, spot.sequence));
    }
}
