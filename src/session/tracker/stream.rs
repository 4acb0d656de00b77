//! Streams as the session layer sees them, whatever carries them: begun, spoken on, announced to end, ended.

use super::{Spot, Stream, Tracker, hash};
use crate::session::findings::bosh::{Goodbye, Load};
use crate::session::findings::ending::{ALIKE, Announced, By, Cut, Ending};
use crate::session::findings::server::Sign;
use crate::session::findings::{self, Code};
use crate::session::names::bare;
use crate::session::stage::Stage;
use std::time::Duration;

/// A desktop that is moved to the other node is there by then.
const MOVED: Duration = Duration::from_secs(60);
/// An agent elsewhere goes on if something passed within this, milliseconds.
const LIVELY_MS: u64 = 15_000;
/// How long after a standstill of the proxy ends are put down to it, milliseconds.
const BLAMED_MS: u64 = 60_000;

impl Tracker {
    /// A stream began, with the stage that this reaches, and what the client's program calls itself.
    pub fn stream_opened(&mut self, spot: &Spot<'_>, stage: Option<Stage>, user_agent: &[u8]) {
        let Some(id) = spot.stream else { return };
        let mut stream = Stream::new(spot);
        stream.browser = hash(&[&String::from_utf8_lossy(user_agent)]);
        stream.server = hash(&[spot.server]);
        self.tries(spot);
        if let Some(stage) = stage {
            stream.ladder.reach(stage, spot.sequence, spot.at);
        }
        self.streams.insert(id, stream);
        self.adopt(spot);
    }

    /// A response to a BOSH request, as the line `spot.sequence` will say.
    pub fn bosh_answered(&mut self, spot: &Spot<'_>, load: Load) {
        let found = [findings::bosh::missing(load, spot.sequence), findings::bosh::too_many(load, spot.sequence)];
        found.into_iter().flatten().for_each(|finding| self.find(spot, finding));
    }

    /// A server ends a BOSH session or refuses it, as the line `spot.sequence` will say.
    pub fn bosh_ended(&mut self, spot: &Spot<'_>, goodbye: Goodbye<'_>) {
        if goodbye.condition == Some("system-shutdown") {
            self.outage(spot, Sign::SystemShutdown, None);
        } else {
            self.find(spot, findings::bosh::ended(goodbye, spot.sequence));
        }
    }

    /// A message, frame or body passed; tells how long nothing had, milliseconds.
    pub fn passed(&mut self, spot: &Spot<'_>) -> Option<u64> {
        let stream = self.stream(spot)?;
        let idle_ms = stream.passed(spot.at)?;
        let slept = stream.silence(idle_ms, spot.sequence);
        if let Some(finding) = slept.filter(|_| !self.stood_still_for(spot.at, idle_ms)) {
            self.find(spot, finding);
        }
        Some(idle_ms)
    }

    /// Its end was announced: by a Close frame, with its code and reason, or by what stands for one.
    pub fn announced(&mut self, spot: &Spot<'_>, close: Option<(By, u16, &str)>) {
        let Some(stream) = self.stream(spot) else { return };
        stream.announced = Announced::Yes;
        stream.leaves |= matches!(close, Some((By::Client, 1001, _)));
        let Some((by, code, reason)) = close else { return };
        let finding = findings::ending::close(by, code, reason, spot.sequence);
        if by == By::Upstream && self.server(spot.server).is_some_and(|server| server.is_in_maintenance) {
            // Who signs in anywhere within that time was moved as planned.
            if let Some(key) = self.desktop(spot).map(|desktop| moved(&desktop.user)) {
                self.hold(spot, MOVED, key, findings::server::maintenance(spot.sequence));
            }
        } else if let Some(finding) = finding {
            self.find(spot, finding);
        }
    }

    /// A stream ended; the line `spot.sequence` will say so.
    pub fn stream_ended(&mut self, spot: &Spot<'_>, by: By, how: &'static str) {
        let Some(stream) = spot.stream.and_then(|id| self.streams.get(&id)) else { return };
        let ending = Ending { by, how, announced: stream.announced, waits_for_pong: stream.waits_for_pong() };
        let (age_ms, idle_ms) = (spot.at.ms_since(stream.opened), stream.idle_ms(spot.at));
        let unannounced = findings::ending::unannounced(ending, age_ms, idle_ms, spot.sequence);
        let is_cut = ending.is_cut() && !stream.said.silence(Code::EndedWithoutClose);
        let stopped = (by != By::Proxy && !stream.leaves && stream.last_ping.is_none())
            .then(|| findings::login::stopped(&stream.ladder, spot.sequence))
            .flatten();
        let slept = stream.silence(idle_ms, spot.sequence).filter(|_| unannounced.is_some());
        let resource = stream.resource.clone().unwrap_or_default();
        // Who gives up after the proxy stood still is not to blame.
        let is_ours = self.stood_still_for(spot.at, idle_ms.max(BLAMED_MS));
        for finding in [stopped, slept, unannounced].into_iter().flatten().filter(|_| !is_ours) {
            self.find(spot, finding);
        }
        spot.stream.and_then(|id| self.streams.remove(&id));
        let Some(desktop) = self.desktop(spot) else { return };
        desktop.open_sockets = desktop.open_sockets.saturating_sub(1);
        desktop.last = spot.at;
        desktop.gone.get_or_insert((spot.sequence, spot.at));
        desktop.has_ended(&resource);
        let (session, is_last) = (desktop.session.id, desktop.open_sockets == 0);
        if is_last {
            self.expect_end(session, spot.at);
        }
        if is_cut && !is_ours {
            let cut = Cut { session, client: spot.client, by, at: spot.at, age_ms, idle_ms, sequence: spot.sequence };
            self.cut(spot, cut);
        } else if let Some(desktop) = self.desktop(spot) {
            desktop.ended_in_order();
        }
    }

    /// A socket was cut off: one more of the same kind, of this session's or of several?
    fn cut(&mut self, spot: &Spot<'_>, cut: Cut) {
        let own = self.desktop(spot).and_then(|desktop| findings::ending::middlebox(desktop.cut(cut).iter()));
        let here = hash(&[spot.server]);
        let elsewhere = self.streams.values().any(|stream| {
            stream.server == here && stream.client != spot.client && stream.is_lively(spot.at, LIVELY_MS)
        });
        let Some(server) = self.server(spot.server) else { return };
        let cuts = server.cut(cut);
        let site = findings::ending::site(cuts.iter(), &cut).filter(|_| elsewhere);
        let shared = findings::ending::middlebox(cuts.iter().skip(cuts.len().saturating_sub(ALIKE)));
        let outage = findings::server::all_cut(cuts.iter(), spot.at).filter(|_| own.is_none() && shared.is_none());
        let outage = outage.or(site.filter(|_| own.is_none() && shared.is_none()));
        if outage.is_some() {
            // Said once for all of them.
            server.forget_cuts();
        }
        let finding = own.or(shared).or(outage);
        if let Some(finding) = finding {
            self.find(spot, finding);
        }
    }
}

/// What is held back until the agent signs in anywhere.
pub(super) fn moved(user: &str) -> u64 {
    hash(&["moved", &bare(user).to_lowercase()])
}
