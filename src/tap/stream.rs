//! XMPP on a connection of its own: both directions' bytes become elements, and they events.
//!
//! The connection's TLS, direct or begun by STARTTLS, is the proxy's affair: here come the bytes inside it, one stream
//! behind the other.

use super::place::{Exit, Place, Unread};
use super::stanza::Scope;
use crate::bosh::Terms;
use crate::capture::event::StreamCount;
use crate::capture::observation::{Closed, End, StreamEnd, StreamHow, What};
use crate::clock::Moment;
use crate::conn::{Direction, StreamId};
use crate::session::Stage;
use crate::session::findings::ending::By;
use crate::xmpp::parse::parse;
use crate::xmpp::stream::{Decoder, Item, Limits};
use crate::xmpp::{Kind, Stanza};

/// The end of a stream as the log tells it (RFC 6120 section 4.4).
const END: &str = "</stream:stream>";

/// Both directions of one connection that speaks XMPP.
pub(super) struct XmppStream {
    id: StreamId,
    /// The client's first header.
    opened: Option<Moment>,
    c2s: Way,
    s2c: Way,
    /// Who said `</stream:stream>` first.
    goodbye: Option<Direction>,
}

struct Way {
    decoder: Decoder,
    count: StreamCount,
    /// When the last element came: white space in the same breath is pretty printing, no keep-alive.
    last: Option<Moment>,
}

impl Way {
    fn new() -> Self {
        Self { decoder: Decoder::new(Limits::default()), count: StreamCount::default(), last: None }
    }
}

impl XmppStream {
    pub(super) fn new(id: StreamId) -> Self {
        Self { id, opened: None, c2s: Way::new(), s2c: Way::new(), goodbye: None }
    }

    pub(super) fn feed(
        &mut self,
        direction: Direction,
        at: Moment,
        bytes: &[u8],
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        let way = self.way(direction);
        way.count.bytes += bytes.len() as u64;
        way.decoder.feed(bytes);
        while let Some(item) = self.way(direction).decoder.next() {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    let offset = Some(error.offset);
                    let unread = Unread::new("xmpp", offset, error.why).opaque();
                    return place.undecoded(exit, at, Some(self.id), Some(direction), unread);
                }
            };
            exit.tracker.passed(&place.spot(Some(self.id), at, exit.door));
            self.item(&item, direction, at, place, exit);
        }
    }

    pub(super) fn end(&mut self, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        if self.way(direction).decoder.is_inside() {
            self.way(direction).decoder = Decoder::new(Limits::default());
            let why = "the connection ended inside an element";
            let unread = Unread::new("xmpp", None, why).own_limit();
            place.undecoded(exit, at, Some(self.id), Some(direction), unread);
        }
    }

    /// Its connection is over, as a line will say.
    pub(super) fn closed(&mut self, closed: &Closed, place: &mut Place, exit: &mut Exit<'_>) {
        let Some(opened) = self.opened else { return };
        let (by, how) = match self.goodbye {
            Some(Direction::C2s) => (End::Client, StreamHow::StreamEnd),
            Some(Direction::S2c) => (End::Upstream, StreamHow::StreamEnd),
            None => (closed.by, StreamHow::Connection(closed.how)),
        };
        let end = StreamEnd {
            by,
            how,
            condition: None,
            duration_ns: closed.at.ns_since(opened),
            requests: None,
            c2s: self.c2s.count,
            s2c: self.s2c.count,
        };
        let spot = place.spot(Some(self.id), closed.at, exit.door);
        let by = match by {
            End::Client => By::Client,
            End::Upstream => By::Upstream,
            End::Proxy | End::Unknown => By::Proxy,
        };
        exit.tracker.stream_ended(&spot, by, how.as_str());
        place.emit_on(exit, closed.at, self.id, None, What::StreamClosed(&end));
    }

    fn item(&mut self, item: &Item, direction: Direction, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        if matches!(item, Item::Open(_)) && self.opened.is_none() {
            self.opened = Some(at);
            exit.tracker.stream_opened(&place.spot(Some(self.id), at, exit.door), Some(Stage::Handshake), b"");
            place.emit_on(exit, at, self.id, None, What::StreamOpened { sid: None, terms: Terms::default() });
        }
        let id = self.id;
        let way = self.way(direction);
        let last = way.last.replace(at);
        let mut scope = Scope { id, direction, at, place, exit };
        match item {
            Item::Open(text) => element(text, None, &mut scope),
            Item::Element(text) => {
                way.count.stanzas += 1;
                element(text, None, &mut scope);
            }
            Item::Close => {
                self.goodbye.get_or_insert(direction);
                element("<stream/>", Some(END), &mut scope);
            }
            Item::Space if last == Some(at) => {}
            Item::Space => scope.emit(What::Space),
            Item::Unread { why, .. } => scope.undecoded("xmpp", None, why),
        }
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::C2s => &mut self.c2s,
            Direction::S2c => &mut self.s2c,
        }
    }
}

/// One element; `end` if it stands for the stream's end and that is what was written.
fn element(text: &str, end: Option<&str>, scope: &mut Scope<'_, '_>) {
    let document = parse(text);
    if let Some(malformed) = document.malformed() {
        // Where an element ends was found without reading it, so nothing of one that does not read is told.
        return scope.undecoded("xmpp", Some(malformed.offset), malformed.why);
    }
    let Some(root) = document.roots().next() else { return };
    let mut stanza = Stanza::read(root);
    if end.is_some() {
        stanza.kind = Kind::Close;
    }
    scope.stanza(&stanza, end.unwrap_or(text), false);
}
