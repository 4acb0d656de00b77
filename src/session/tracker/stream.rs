//! Streams as the session layer sees them, whatever carries them: begun, spoken on, announced to end, ended.

use super::{Spot, Stream, Tracker};
use crate::session::findings;
use crate::session::findings::bosh::{Goodbye, Load};
use crate::session::findings::ending::{Announced, By, Cut, Ending};
use crate::session::findings::login::Said;
use crate::session::findings::server::Sign;
use crate::session::stage::Stage;

impl Tracker {
    /// A stream began, with the stage that this reaches.
    pub fn stream_opened(&mut self, spot: &Spot<'_>, stage: Option<Stage>) {
        let Some(id) = spot.stream else { return };
        let mut stream = Stream::new(spot);
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
            self.find_at_server(spot, findings::server::outage(Sign::SystemShutdown, [spot.sequence]));
        } else if let Some(finding) = findings::bosh::ended(goodbye, spot.sequence) {
            self.find(spot, finding);
        }
        if let Some(stream) = self.stream(spot) {
            stream.said = Said::Already;
        }
    }

    /// A message, frame or body passed; tells how long nothing had, milliseconds.
    pub fn passed(&mut self, spot: &Spot<'_>) -> Option<u64> {
        let stream = self.stream(spot)?;
        let idle_ms = stream.passed(spot.at)?;
        let last_ping = stream.last_ping.map(|(sequence, _)| sequence);
        if let Some(finding) = findings::ping::silence(idle_ms, last_ping, spot.sequence) {
            self.find(spot, finding);
        }
        Some(idle_ms)
    }

    /// Its end was announced: by a Close frame, or what stands for one.
    pub fn announced(&mut self, spot: &Spot<'_>) {
        if let Some(stream) = self.stream(spot) {
            stream.announced = Announced::Yes;
        }
    }

    /// A stream ended; the line `spot.sequence` will say so.
    pub fn stream_ended(&mut self, spot: &Spot<'_>, by: By, how: &'static str) {
        let Some(stream) = spot.stream.and_then(|id| self.streams.remove(&id)) else { return };
        let ending = Ending { by, how, announced: stream.announced };
        let (age_ms, idle_ms) = (spot.at.ms_since(stream.opened), stream.idle_ms(spot.at));
        let unannounced = findings::ending::unannounced(ending, age_ms, idle_ms, spot.sequence);
        // Who gave up because of a ping was cut off by nobody's time limit.
        let cut = (unannounced.is_some() && !stream.waits_for_pong()).then_some(Cut {
            age_ms,
            idle_ms,
            sequence: spot.sequence,
        });
        if by != By::Proxy
            && let Some(finding) = findings::login::stopped(&stream.ladder, stream.said, spot.sequence)
        {
            self.find(spot, finding);
        }
        if let Some(finding) = unannounced {
            self.find(spot, finding);
        }
        let Some(desktop) = self.desktop(spot) else { return };
        desktop.open_sockets = desktop.open_sockets.saturating_sub(1);
        desktop.last = spot.at;
        desktop.gone.get_or_insert((spot.sequence, spot.at));
        let (id, is_last) = (desktop.session.id, desktop.open_sockets == 0);
        let pattern = match cut {
            Some(cut) => findings::ending::middlebox(desktop.cut(cut).iter()),
            None => {
                desktop.ended_in_order();
                None
            }
        };
        if is_last {
            self.expect_end(id, spot.at);
        }
        if let Some(finding) = pattern {
            self.find(spot, finding);
        }
        if cut.is_some()
            && by == By::Upstream
            && let Some(all) = self.server(spot.server).and_then(|server| server.cut(id, spot.sequence, spot.at))
        {
            self.find_at_server(spot, findings::server::outage(Sign::AllCut, all));
        }
    }
}
