//! What a [`Filter`](crate::filter::Filter) asks of a line.

use super::line::Read;
use crate::filter::Facts;
use crate::session::findings::{Code, Scope};

impl Facts for Read<'_> {
    fn at_us(&self) -> i64 {
        self.line.at_us
    }

    fn run(&self) -> &str {
        self.line.run()
    }

    fn action(&self) -> &str {
        &self.line.event.action
    }

    fn session(&self) -> Option<&str> {
        self.line.session()
    }

    fn trace(&self) -> Option<&str> {
        self.line.trace.as_ref().map(|trace| &*trace.id)
    }

    fn agent(&self) -> Option<&str> {
        self.line.user.as_ref().map(|user| &*user.name)
    }

    fn carriers(&self) -> [Option<&str>; 3] {
        [self.line.conn(), self.line.ws(), self.line.stream()]
    }

    fn is_trouble(&self) -> bool {
        let is_loud = matches!(&*self.line.log.level, "warn" | "error");
        let is_failed = self.line.event.outcome.as_deref() == Some("failure");
        is_loud || is_failed || self.line.status().is_some_and(|status| status >= 400)
    }

    fn is_shared(&self) -> bool {
        let code = self.line.finesse.finding.as_ref().map(|finding| &*finding.code);
        code.and_then(Code::read).is_some_and(|code| code.scope() == Scope::Server)
    }

    fn took_us(&self) -> u64 {
        let finesse = &self.line.finesse;
        let caused = finesse.update.as_ref().and_then(|update| update.caused_by.as_ref()?.latency_us);
        let pinged = finesse.ws.as_ref().and_then(|ws| ws.rtt_us);
        let answered = finesse.xmpp.as_ref().and_then(|xmpp| xmpp.rtt_us);
        let took = u64::try_from(self.line.took_us()).unwrap_or(0);
        [caused, pinged, answered].into_iter().flatten().fold(took, u64::max)
    }

    fn node(&self) -> Option<&str> {
        self.line.finesse.xmpp.as_ref()?.pubsub.as_ref()?.node.as_deref()
    }

    fn holds(&self, folded: &str) -> bool {
        String::from_utf8_lossy(self.text).to_lowercase().contains(folded)
    }
}
