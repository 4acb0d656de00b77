//! BOSH sessions: bodies of HTTP posts become stanzas of one stream, over however many connections they come.
//!
//! A request's stanzas are told when the request is over, a response's when the response is; a request that comes twice is
//! told once. A body that cannot be read whole is measured and nothing of it is told. A session that nobody continues is
//! kept for a while, so that a client that comes back to it is recognised.

use super::decoder::Streams;
use super::http::{content, emit_exchange};
use super::place::{Exit, Place, Unread};
use super::stanza::Scope;
use crate::bosh::{Body, Kind as BodyKind, Terms, Window};
use crate::capture::event::StreamCount;
use crate::capture::observation::{BoshRequest, End, StreamEnd, StreamHow, What};
use crate::clock::Moment;
use crate::conn::{Carrier, Direction, Peers, StreamId};
use crate::http1::{self, Exchange, Field, Request};
use crate::rewrite::Edit;
use crate::session::Stage;
use crate::session::findings::bosh::{Goodbye, Load};
use crate::session::findings::ending::By;
use crate::xmpp::parse::parse;
use crate::xmpp::stanza::StanzaError;
use crate::xmpp::{Document, Kind, Stanza};
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Sessions known at once, those that ended lately included.
const MAX_SESSIONS: usize = 16_384;
/// A session without an open request for so long is over where the server did not say, seconds.
const DEFAULT_INACTIVITY_S: u64 = 60;
/// What a last request may need on its way, seconds.
const SLACK_S: u64 = 5;
/// How long a session that ended is remembered.
const LINGER: Duration = Duration::from_secs(1_800);
/// How often sessions are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// All BOSH sessions.
#[derive(Default)]
pub(super) struct Bosh {
    sessions: BTreeMap<StreamId, Session>,
    /// By server and sid.
    ids: HashMap<(String, String), StreamId>,
    looked: Moment,
}

struct Session {
    peers: Peers,
    user: Option<String>,
    user_agent: Bytes,
    sid: Option<String>,
    window: Window,
    /// Requests may have passed unread.
    is_blind: bool,
    terms: Terms,
    pause_s: Option<u64>,
    phase: Phase,
    opened: Moment,
    /// The last request or response.
    last: Moment,
    /// How long nothing had passed before the last request, milliseconds.
    idle_ms: u64,
    requests: u64,
    c2s: StreamCount,
    s2c: StreamCount,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Asked for, not granted.
    Asked,
    Open,
    /// The client ended it, the server has not answered.
    Leaving,
    Ended,
}

/// A request that waits for its response.
#[derive(Default)]
pub(super) struct Asked {
    /// Its session, unless its body could not be read.
    id: Option<StreamId>,
    rid: Option<u64>,
    number: Option<u64>,
    repeated: bool,
    open: u64,
}

impl Bosh {
    /// A request is over: tells what it carries. Its response will be [`answered`](Self::answered) with what this gives.
    pub(super) fn asked(
        &mut self,
        request: &Request,
        place: &mut Place,
        exit: &mut Exit<'_>,
        streams: &mut Streams,
    ) -> Asked {
        let at = request.ended;
        if !request.body.complete {
            self.missed(place.peers());
            return Asked::default();
        }
        let read = read(&request.body, &request.head.fields);
        let asked = match &read {
            Ok(text) => {
                let document = parse(text);
                let user_agent = request.head.field("user-agent").unwrap_or_default();
                Body::read(&document)
                    .and_then(|body| self.request(&body, &document, user_agent, at, place, exit, streams))
            }
            Err(why) => Err(*why),
        };
        asked.unwrap_or_else(|why| {
            self.missed(place.peers());
            unread(Direction::C2s, at, why, None, place, exit);
            Asked::default()
        })
    }

    /// The exchange is over: tells it and what the response carries.
    pub(super) fn answered(
        &mut self,
        asked: &Asked,
        exchange: &Exchange,
        edits: &[Edit],
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        let at = exchange.ended;
        let Some((id, session)) = asked.id.and_then(|id| Some((id, self.sessions.get_mut(&id)?))) else {
            emit_exchange(exchange, edits, None, place, exit);
            return;
        };
        session.last = at;
        session.recognise(place, at, exit);
        let seen = BoshRequest {
            id,
            sid: session.sid.as_deref(),
            number: asked.number,
            repeated: asked.repeated,
            open: asked.open,
        };
        let allowed = session.terms.most_requests();
        let response = exchange.response.as_ref().filter(|_| !place.answered_by_proxy);
        let sees_all = response.is_some() && !session.is_blind;
        let missing = asked.rid.filter(|_| sees_all).and_then(|rid| session.window.missing_before(rid));
        let load = Load { open: asked.open, allowed, missing };
        let spot = place.spot(Some(id), at, exit.door);
        exit.tracker.bosh_answered(&spot, load);
        let status = response.map(|response| response.status);
        // Before XEP-0124 1.6 conditions were HTTP's status codes (section 17.1).
        let condition = match status {
            Some(400) => Some("bad-request"),
            Some(403) => Some("policy-violation"),
            Some(404) => Some("item-not-found"),
            _ => None,
        };
        let refused = session.phase == Phase::Asked && status.is_some_and(|status| status >= 400);
        let gone = refused || condition.is_some() && session.phase != Phase::Ended;
        if gone {
            exit.tracker.bosh_ended(&spot, session.goodbye(condition, status, at));
        }
        emit_exchange(exchange, edits, Some(&seen), place, exit);
        let response = response.filter(|_| exchange.response_body.complete);
        let (Some(rid), Some(response)) = (asked.rid, response) else {
            asked.rid.into_iter().for_each(|rid| session.window.cut(rid));
            return self.leave(id, at, place, exit);
        };
        let is_first = session.window.answer(rid);
        if gone {
            return self.close(id, (End::Upstream, StreamHow::Status), condition, at, place, exit);
        }
        // The answer to a repeated request repeats the answer that was seen.
        if is_first && (200..300).contains(&response.status) && exchange.response_body.content_bytes > 0 {
            let read = read(&exchange.response_body, &response.fields);
            let told = match &read {
                Ok(text) => {
                    let document = parse(text);
                    Body::read(&document).map(|body| {
                        self.response(&body, &document, id, at, place, exit);
                    })
                }
                Err(why) => Err(*why),
            };
            if let Err(why) = told {
                unread(Direction::S2c, at, why, Some(id), place, exit);
            }
        }
        self.leave(id, at, place, exit);
    }

    /// A request passed that could not be read: what this client's sessions seem to miss may be just that.
    pub(super) fn missed(&mut self, peers: &Peers) {
        for session in self.sessions.values_mut() {
            session.is_blind |= session.peers.client.ip() == peers.client.ip() && session.peers.server == peers.server;
        }
    }

    /// Its response will never be told.
    pub(super) fn abandoned(&mut self, asked: &Asked) {
        if let (Some(session), Some(rid)) = (asked.id.and_then(|id| self.sessions.get_mut(&id)), asked.rid) {
            session.window.cut(rid);
        }
    }

    /// Time passes: sessions that nobody continues are over.
    pub(super) fn tick(&mut self, at: Moment, exit: &mut Exit<'_>) {
        if at.ns_since(self.looked) < LOOK.as_nanos() as u64 {
            return;
        }
        self.looked = at;
        let lapsed: Vec<StreamId> =
            self.sessions.iter().filter(|(_, session)| session.has_lapsed(at)).map(|(id, _)| *id).collect();
        for id in lapsed {
            self.close_apart(id, (End::Client, StreamHow::Inactive), at, exit);
        }
        let Self { sessions, ids, .. } = self;
        sessions.retain(|id, session| {
            // To what was never granted nobody comes back.
            let lingers = session.sid.is_some() && at.ns_since(session.last) < LINGER.as_nanos() as u64;
            let keeps = session.phase != Phase::Ended || lingers;
            if !keeps && let Some(key) = session.key() {
                // The sid may be another session's by now.
                if ids.get(&key) == Some(id) {
                    ids.remove(&key);
                }
            }
            keeps
        });
    }

    /// The program ends.
    pub(super) fn finish(&mut self, at: Moment, exit: &mut Exit<'_>) {
        let all: Vec<StreamId> = self.sessions.keys().copied().collect();
        for id in all {
            self.close_apart(id, (End::Proxy, StreamHow::Shutdown), at, exit);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a body, who sends it and where it is seen")]
    fn request(
        &mut self,
        body: &Body<'_, '_>,
        document: &Document<'_>,
        user_agent: &[u8],
        at: Moment,
        place: &mut Place,
        exit: &mut Exit<'_>,
        streams: &mut Streams,
    ) -> Result<Asked, &'static str> {
        let (id, is_new) = self.find(body, at, place, streams)?;
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(Asked::default()) };
        session.peers = place.peers().clone();
        session.idle_ms = at.ms_since(session.last);
        session.last = at;
        session.requests += 1;
        session.pause_s = body.pause_s;
        if session.user_agent != user_agent {
            session.user_agent = Bytes::copy_from_slice(user_agent);
        }
        session.terms = body.terms.or(session.terms);
        session.recognise(place, at, exit);
        if body.sid.is_some() && matches!(session.phase, Phase::Ended | Phase::Asked) {
            // It began before anybody looked, or goes on after all.
            session.phase = Phase::Open;
            exit.tracker.stream_opened(&place.spot(Some(id), at, exit.door), None, &session.user_agent);
        }
        exit.tracker.passed(&place.spot(Some(id), at, exit.door));
        let asked = body.rid.map(|rid| session.window.ask(rid));
        let repeated = asked.is_some_and(|asked| asked.repeated);
        if !repeated {
            let count = Scope { id, direction: Direction::C2s, at, place, exit };
            tell(body, document, is_new, count, &mut session.c2s);
            session.user = place.user().map(str::to_owned);
            if body.kind == BodyKind::Terminate && session.phase == Phase::Open {
                session.phase = Phase::Leaving;
            }
        }
        Ok(Asked {
            id: Some(id),
            rid: body.rid,
            number: asked.map(|asked| asked.number),
            repeated,
            open: asked.map_or(0, |asked| asked.open),
        })
    }

    /// The session a request belongs to, and whether the request asks for it.
    fn find(
        &mut self,
        body: &Body<'_, '_>,
        at: Moment,
        place: &Place,
        streams: &mut Streams,
    ) -> Result<(StreamId, bool), &'static str> {
        let server = &place.peers().server.host;
        let key = body.sid.as_deref().map(|sid| (server.clone(), sid.to_owned()));
        if let Some(id) = key.as_ref().and_then(|key| self.ids.get(key)) {
            return Ok((*id, false));
        }
        if self.sessions.len() >= MAX_SESSIONS {
            return Err("more BOSH sessions at once than the limit");
        }
        let id = streams.next(Carrier::Bosh);
        let sid = body.sid.as_deref().map(str::to_owned);
        self.sessions.insert(id, Session::new(place.peers().clone(), sid, at));
        let is_new = key.is_none();
        if let Some(key) = key {
            self.ids.insert(key, id);
        }
        Ok((id, is_new))
    }

    fn response(
        &mut self,
        body: &Body<'_, '_>,
        document: &Document<'_>,
        id: StreamId,
        at: Moment,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.terms = body.terms.or(session.terms);
        exit.tracker.passed(&place.spot(Some(id), at, exit.door));
        let grants = session.phase == Phase::Asked && body.sid.is_some();
        if grants {
            session.phase = Phase::Open;
            session.opened = at;
            session.sid = body.sid.as_deref().map(str::to_owned);
            if let Some(key) = session.key() {
                self.ids.insert(key, id);
            }
            let spot = place.spot(Some(id), at, exit.door);
            exit.tracker.stream_opened(&spot, Some(Stage::Handshake), &session.user_agent);
            let what = What::StreamOpened { sid: session.sid.as_deref(), terms: session.terms };
            place.emit_on(exit, at, id, None, what);
        }
        let by_server = body.kind == BodyKind::Terminate && matches!(session.phase, Phase::Open | Phase::Asked);
        let goodbye = session.goodbye(body.condition.as_deref(), None, at);
        let scope = Scope { id, direction: Direction::S2c, at, place, exit };
        if by_server {
            scope.exit.tracker.bosh_ended(&scope.place.spot(Some(id), at, scope.exit.door), goodbye);
        }
        tell(body, document, grants, scope, &mut session.s2c);
        session.user = place.user().map(str::to_owned);
        if by_server {
            let how = (End::Upstream, StreamHow::Terminate);
            self.close(id, how, body.condition.as_deref(), at, place, exit);
        }
    }

    /// The client said goodbye, and that was answered or never will be.
    fn leave(&mut self, id: StreamId, at: Moment, place: &mut Place, exit: &mut Exit<'_>) {
        let leaves = |session: &Session| session.phase == Phase::Leaving && session.window.is_idle();
        if self.sessions.get(&id).is_some_and(leaves) {
            self.close(id, (End::Client, StreamHow::Terminate), None, at, place, exit);
        }
    }

    /// Ends a session from outside any exchange.
    fn close_apart(&mut self, id: StreamId, how: (End, StreamHow), at: Moment, exit: &mut Exit<'_>) {
        let Some(session) = self.sessions.get(&id) else { return };
        let mut place = Place::new(session.peers.clone(), at);
        session.recognise(&mut place, at, exit);
        self.close(id, how, None, at, &mut place, exit);
    }

    fn close(
        &mut self,
        id: StreamId,
        (by, how): (End, StreamHow),
        condition: Option<&str>,
        at: Moment,
        place: &mut Place,
        exit: &mut Exit<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let was = std::mem::replace(&mut session.phase, Phase::Ended);
        if was == Phase::Ended {
            return;
        }
        let end = StreamEnd {
            by,
            how,
            condition: condition.map(str::to_owned),
            duration_ns: at.ns_since(session.opened),
            requests: Some(session.requests),
            c2s: session.c2s,
            s2c: session.s2c,
        };
        let spot = place.spot(Some(id), at, exit.door);
        if how == StreamHow::Status {
            exit.tracker.announced(&spot, None);
        }
        let by = match by {
            End::Client => By::Client,
            End::Upstream => By::Upstream,
            End::Proxy | End::Unknown => By::Proxy,
        };
        exit.tracker.stream_ended(&spot, by, how.as_str());
        place.emit_on(exit, at, id, None, What::StreamClosed(&end));
    }
}

impl Session {
    fn new(peers: Peers, sid: Option<String>, at: Moment) -> Self {
        Self {
            peers,
            user: None,
            user_agent: Bytes::new(),
            sid,
            window: Window::default(),
            is_blind: false,
            terms: Terms::default(),
            pause_s: None,
            phase: Phase::Asked,
            opened: at,
            last: at,
            idle_ms: 0,
            requests: 0,
            c2s: StreamCount::default(),
            s2c: StreamCount::default(),
        }
    }

    fn key(&self) -> Option<(String, String)> {
        Some((self.peers.server.host.clone(), self.sid.clone()?))
    }

    /// Whoever logged in on this session has the connection now.
    fn recognise(&self, place: &mut Place, at: Moment, exit: &mut Exit<'_>) {
        if let Some(user) = &self.user {
            place.belongs_to(user, at, exit.tracker);
        }
    }

    /// Longest silence the server bears, seconds.
    fn patience_s(&self) -> u64 {
        self.pause_s.or(self.terms.inactivity_s).unwrap_or(DEFAULT_INACTIVITY_S)
    }

    fn has_lapsed(&self, at: Moment) -> bool {
        let limit_ms = self.patience_s().saturating_add(SLACK_S).saturating_mul(1_000);
        self.phase != Phase::Ended && self.window.is_idle() && at.ms_since(self.last) > limit_ms
    }

    fn goodbye<'g>(&self, condition: Option<&'g str>, status: Option<u16>, at: Moment) -> Goodbye<'g> {
        let is_granted = self.sid.is_some();
        let (age_ms, idle_ms) = (at.ms_since(self.opened), self.idle_ms);
        Goodbye { condition, status, is_granted, age_ms, idle_ms, patience_s: self.patience_s() }
    }
}

/// A body's stanzas, and the body itself where it opens, restarts or ends the stream.
fn tell(body: &Body<'_, '_>, document: &Document<'_>, opens: bool, mut scope: Scope<'_, '_>, count: &mut StreamCount) {
    count.bytes += document.source().len() as u64;
    if opens || body.kind == BodyKind::Restart {
        wrapper(body, document, Kind::Open, &mut scope);
    }
    for child in body.element.children() {
        count.stanzas += 1;
        let xml = document.source().get(child.span()).unwrap_or_default();
        scope.stanza(&Stanza::read(child), xml, false);
    }
    if body.kind == BodyKind::Terminate {
        wrapper(body, document, Kind::Close, &mut scope);
    }
}

/// The body without what it carries, as the stream's header or end that it stands for.
fn wrapper(body: &Body<'_, '_>, document: &Document<'_>, kind: Kind, scope: &mut Scope<'_, '_>) {
    let text = body.wrapper(document.source());
    let alone = parse(&text);
    let Some(root) = alone.roots().next() else { return };
    let mut stanza = Stanza::read(root);
    stanza.kind = kind;
    if let Some(condition) = body.condition.as_deref() {
        stanza.error = Some(StanzaError { error_type: None, condition: Some(condition), text: None });
    }
    scope.stanza(&stanza, &text, false);
}

/// A body's text, its codings undone.
fn read<'b>(body: &'b http1::Body, fields: &[Field]) -> Result<Cow<'b, str>, &'static str> {
    match content(body, fields)? {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| NOT_TEXT),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| NOT_TEXT),
    }
}

const NOT_TEXT: &str = "the body is not UTF-8";

fn unread(
    direction: Direction,
    at: Moment,
    why: &'static str,
    id: Option<StreamId>,
    place: &mut Place,
    exit: &mut Exit<'_>,
) {
    place.undecoded(exit, at, id, Some(direction), Unread::new("bosh", None, why));
}
