//! Life of BOSH sessions and of XMPP by itself as events.

use super::Removes;
use crate::bosh::Terms;
use crate::capture::event::{Classed, Event, Stream, StreamClose, Xmpp};
use crate::capture::observation::{BoshRequest, How, StreamEnd, StreamHow};
use crate::session::Stage;

pub(super) fn opened<'o>(sid: Option<&'o str>, terms: Terms, event: &mut Event<'o>) -> Removes {
    event.event.action = "stream-opened";
    event.event.category = &["network", "session"];
    event.event.types = &["start"];
    event.finesse.stage = Some(Stage::Handshake.as_str());
    let Some(stream) = &mut event.finesse.stream else { return Removes::Nothing };
    stream.sid = sid.map(Classed::new);
    stream.wait_s = terms.wait_s;
    stream.hold = terms.hold;
    stream.most_requests = terms.most_requests();
    stream.inactivity_s = terms.inactivity_s;
    stream.polling_s = terms.polling_s;
    if sid.is_some() { Removes::Payload } else { Removes::Nothing }
}

pub(super) fn closed<'o>(end: &'o StreamEnd, event: &mut Event<'o>) -> Removes {
    event.event.action = "stream-closed";
    event.event.category = &["network", "session"];
    event.event.types = &["end"];
    event.event.duration = Some(end.duration_ns);
    let in_order = end.condition.is_none()
        && matches!(
            end.how,
            StreamHow::Terminate | StreamHow::StreamEnd | StreamHow::Shutdown | StreamHow::Connection(How::Shutdown)
        );
    event.log.level = if in_order { "info" } else { "warn" };
    if let Some(stream) = &mut event.finesse.stream {
        let condition = end.condition.as_deref().map(Classed::new);
        stream.close = Some(StreamClose { by: end.by.as_str(), how: end.how.as_str(), condition });
        stream.requests = end.requests;
        stream.c2s = Some(end.c2s);
        stream.s2c = Some(end.s2c);
    }
    Removes::Nothing
}

/// What an HTTP exchange is to its BOSH session.
pub(super) fn request<'o>(seen: &BoshRequest<'o>, stream: &mut Stream<'o>) {
    stream.sid = seen.sid.map(Classed::new);
    stream.request = seen.number;
    stream.repeated = seen.repeated;
    stream.open_requests = Some(seen.open).filter(|open| *open > 0);
}

pub(super) fn space(event: &mut Event<'_>) -> Removes {
    event.event.action = "xmpp-stanza";
    event.event.category = &["network"];
    event.event.types = &["protocol"];
    event.finesse.keepalive = true;
    event.finesse.xmpp = Some(Xmpp { kind: "space", ..Xmpp::default() });
    Removes::Nothing
}
