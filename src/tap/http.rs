//! HTTP on one connection: exchanges become events, REST bodies are decoded, requests are remembered for their updates.
//! What BOSH posts carry is [`bosh`](super::bosh)'s.

use super::bosh::{Asked as BoshAsked, Bosh};
use super::content::{Carries, Contents, Reading};
use super::decoder::Streams;
use super::feed::Unknown;
use super::place::{Exit, Place, Unread};
use crate::capture::observation::{BoshRequest, HttpExchange, What};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::finesse::update::Object;
use crate::finesse::{Node, Notification, Update};
use crate::http1::{
    Body, Exchange, Field, Http1, Item, Keep, Limits, RequestHead, Upgrade, Version, authorization, content as coding,
};
use crate::rewrite::Edit;
use crate::session::findings::handshake::Asked;
use crate::session::findings::handshake::Preflight;
use crate::session::tracker::Rest;
use crate::ws::Handshake;
use crate::xmpp::parse::parse;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Content of one body after undoing its coding, bytes at the most.
const MAX_CONTENT_BYTES: usize = 1 << 20;

/// Why a body is not told.
const TOO_LARGE: &str = "the body is larger than the limit";

/// One connection while it speaks HTTP.
pub(super) struct HttpTap {
    http: Http1,
    /// BOSH requests without their exchange yet, in order.
    asked: VecDeque<BoshAsked>,
    /// Exchanges told: the number of the next.
    told: u64,
    /// Of exchanges to come.
    edits: Vec<Edit>,
    /// Nothing more can be told.
    over: bool,
}

impl Default for HttpTap {
    fn default() -> Self {
        Self {
            http: Http1::new(Limits::default(), keep),
            asked: VecDeque::new(),
            told: 0,
            edits: Vec::new(),
            over: false,
        }
    }
}

impl HttpTap {
    pub(super) fn feed(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        self.http.feed(direction, at, bytes);
    }

    pub(super) fn end(&mut self, direction: Direction, at: Moment) {
        self.http.end(direction, at);
    }

    /// Header fields of exchanges that are not told yet were passed on with other values.
    pub(super) fn edited(&mut self, edits: Vec<Edit>) {
        if !self.over {
            self.edits.extend(edits);
        }
    }

    /// Gives out what is ready. An upgrade, with what was edited in it, ends HTTP and is the caller's.
    pub(super) fn drain(
        &mut self,
        at: Moment,
        place: &mut Place,
        exit: &mut Exit<'_>,
        bosh: &mut Bosh,
        streams: &mut Streams,
    ) -> Option<(Box<Upgrade>, Vec<Edit>)> {
        while let Some(item) = self.http.next() {
            match item {
                Ok(Item::Request(request)) => self.asked.push_back(bosh.asked(&request, place, exit, streams)),
                Ok(Item::Exchange(mut exchange)) if keep(&exchange.request) == Keep::RequestFirst => {
                    complete(&mut exchange, place);
                    let asked = self.asked.pop_front().unwrap_or_default();
                    bosh.answered(&asked, &exchange, &self.next_edits(), place, exit);
                }
                Ok(Item::Exchange(mut exchange)) => {
                    complete(&mut exchange, place);
                    emit_exchange(&exchange, &self.next_edits(), None, place, exit);
                }
                Ok(Item::Upgraded(upgrade)) => return Some((upgrade, self.next_edits())),
                Err(error) => {
                    self.over = true;
                    self.edits = Vec::new();
                    let unread = Unread::new("http", Some(error.offset), error.why).opaque();
                    place.undecoded(exit, at, None, Some(error.direction), unread);
                }
            }
        }
        None
    }

    /// Nothing more is read: open requests stay without an answer.
    pub(super) fn abandon(&mut self, bosh: &mut Bosh) {
        self.asked.drain(..).for_each(|asked| bosh.abandoned(&asked));
    }

    /// What was edited in the next exchange to be told.
    fn next_edits(&mut self) -> Vec<Edit> {
        let exchange = self.told;
        self.told += 1;
        let (now, later): (Vec<_>, Vec<_>) = self.edits.drain(..).partition(|edit| edit.exchange <= exchange);
        self.edits = later;
        now
    }
}

/// Bodies are as large as they are known to have been, also where their content is not.
fn complete(exchange: &mut Exchange, place: &Place) {
    let Unknown { request_bytes, response_bytes, .. } = place.unknown;
    let Exchange { request, request_body, response, response_body, .. } = exchange;
    let response_fields = response.as_mut().map(|response| &mut response.fields);
    for (bytes, body, fields) in
        [(request_bytes, request_body, Some(&mut request.fields)), (response_bytes, response_body, response_fields)]
    {
        let (Some(bytes), Some(fields)) = (bytes, fields) else { continue };
        body.content_bytes = bytes;
        fields.retain(|field| !field.name.eq_ignore_ascii_case(b"content-length"));
    }
}

/// One exchange as an event; whatever of its bodies could not be decoded as another.
pub(super) fn emit_exchange(
    exchange: &Exchange,
    edits: &[Edit],
    bosh: Option<&BoshRequest<'_>>,
    place: &mut Place,
    exit: &mut Exit<'_>,
) {
    let request = &exchange.request;
    #[cfg(test)]
    super::fault::point(&request.target);
    place.asked_by(request.field("user-agent"), exit.tracker);
    // What the answer gives is what the browser has from now on.
    let cookie = session_cookie(request);
    place.carries(
        exchange.response.as_ref().and_then(|response| given_cookie(&response.fields)).or(cookie),
        exit.tracker,
    );
    if let Some(basic) = request.field("authorization").and_then(authorization::basic) {
        place.belongs_to(&basic.user, exchange.started, exit.tracker);
    }
    place.may_belong_to(cookie, exit.tracker);
    // A token does not say whose it is; the first path that it opens does.
    if !place.has_user()
        && let Some(user) = bearer_of(request)
    {
        place.belongs_to(&user, exchange.started, exit.tracker);
        place.may_belong_to(cookie, exit.tracker);
    }
    let contents = Contents::of(exchange);
    let by_proxy = place.answered_by_proxy;
    let response = exchange.response.as_ref().filter(|_| !by_proxy);
    let answered = |name| response.and_then(|response| response.field(name)).and_then(|text| str::from_utf8(text).ok());
    let asks = |name| request.field(name).and_then(|text| str::from_utf8(text).ok());
    let origin =
        asks("origin").filter(|_| request.method == "OPTIONS" && asks("access-control-request-method").is_some());
    let Reading {
        method,
        status,
        request_id,
        authorization,
        api,
        gadget,
        gadget_status,
        token,
        client_log,
        answer: answer_text,
    } = contents.read(request, response.map(|response| response.status));
    let document = answer_text.as_deref().filter(|text| Notification::of(text) == Notification::Xml).map(parse);
    let answer = match (&document, answer_text.as_deref()) {
        (Some(document), _) => Update::read_xml(document),
        (None, Some(json)) => Update::read_json(json),
        (None, None) => None,
    };
    let answer = answer.filter(|answer| answer.object != Object::Other);
    // Some releases take the id from the request and give it back, others make one up.
    let request_id = request_id
        .filter(|id| !id.is_empty())
        .or_else(|| answered("requestid").filter(|id| !id.is_empty()).map(Cow::Borrowed));
    let rest = Rest {
        started: exchange.started,
        method: &method,
        path: path(&request.target),
        port: place.port(),
        asked: if place.unknown.request_head { Asked::Nothing } else { asked(request) },
        failure: place.unknown.failure.as_deref(),
        credentials: authorization.as_deref().map(scheme),
        request_id: request_id.as_deref(),
        api: api.as_ref(),
        status,
        date: answered("date"),
        location: answered("location"),
        retry_after: answered("retry-after"),
        preflight: origin.map(|origin| Preflight {
            origin,
            host: asks("host").unwrap_or_default(),
            allows: answered("access-control-allow-origin"),
        }),
        content: contents.response.as_deref().and_then(|content| str::from_utf8(content).ok()),
        answer: answer.as_ref(),
        gadget: gadget.as_ref().map(|gadget| &*gadget.url),
        lack: place.lack(by_proxy),
    };
    let caused = exit.tracker.exchange(&place.spot(bosh.map(|request| request.id), exchange.ended, exit.door), &rest);
    let failure = place.unknown.failure.clone();
    let faults = [(Direction::C2s, contents.request_fault), (Direction::S2c, contents.response_fault)];
    let (request_content, response_content) = contents.written();
    let seen = HttpExchange {
        exchange,
        edits,
        request_id: request_id.as_deref(),
        caused,
        by_proxy,
        bosh,
        failure: failure.as_deref(),
        stream: place.stream,
        request_content,
        response_content,
        gadget: gadget.as_ref().map(|gadget| (gadget, gadget_status)),
        token,
        client_log: client_log.as_ref(),
        answer: answer.as_ref(),
        api: api.as_ref(),
    };
    let what = What::Exchange(&seen);
    match bosh {
        Some(request) => place.emit_on(exit, exchange.ended, request.id, None, what),
        None => place.emit(exit, exchange.ended, what),
    }
    for (direction, fault) in faults {
        if let Some(why) = fault {
            let unread = Unread::new("content", None, why);
            let unread = if is_own_limit(why) { unread.own_limit() } else { unread };
            place.undecoded(exit, exchange.ended, None, Some(direction), unread);
        }
    }
}

/// What a request asks for, as far as the WebSocket is concerned.
fn asked(request: &RequestHead) -> Asked {
    let is_path = matches!(path(&request.target).split(['?', '#']).next(), Some("/ws" | "/ws/"));
    let connects = is_path && request.version == Version::Http2 && request.method == "CONNECT";
    if connects {
        return Asked::Connect;
    }
    match (Handshake::is_asked_for(request), is_path && request.method == "GET") {
        (true, _) => Asked::Upgrade,
        (false, true) => Asked::PathOnly,
        (false, false) => Asked::Nothing,
    }
}

fn scheme(authorization: &str) -> &'static str {
    let is_basic = authorization.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
    if is_basic { "basic" } else { "bearer" }
}

/// The value of the request's `JSESSIONID` cookie.
pub(super) fn session_cookie(request: &RequestHead) -> Option<&[u8]> {
    let pairs = request.field("cookie")?.split(|byte| *byte == b';');
    let value = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(b"JSESSIONID=")).next()?;
    Some(value).filter(|value| !value.is_empty())
}

/// The value of a `JSESSIONID` cookie that an answer sets.
fn given_cookie(fields: &[Field]) -> Option<&[u8]> {
    let set = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(b"set-cookie"));
    let values = set.filter_map(|field| field.value.strip_prefix(b"JSESSIONID=")?.split(|byte| *byte == b';').next());
    values.map(<[u8]>::trim_ascii).find(|value| !value.is_empty())
}

/// Content after its coding, or why it cannot be told.
pub(super) fn content<'b>(body: &'b Body, fields: &[Field]) -> Result<Cow<'b, [u8]>, &'static str> {
    if body.truncated {
        return Err(TOO_LARGE);
    }
    let coding = fields.iter().find(|field| field.name.eq_ignore_ascii_case(b"content-encoding"));
    let content = coding::decode(coding.map(|field| &field.value[..]), &body.kept, MAX_CONTENT_BYTES);
    content.map_err(|coding::Undecodable(why)| why)
}

/// Whose path a request with a bearer token is for: an agent's own, or its token's.
fn bearer_of(request: &RequestHead) -> Option<String> {
    let path = path(&request.target);
    if let Some(query) = path.strip_prefix("/desktop/sso/token?") {
        let name = query.split('&').find_map(|pair| pair.strip_prefix("cc_username="))?;
        return Some(percent_decode_str(name).decode_utf8_lossy().into_owned()).filter(|name| !name.is_empty());
    }
    if request.field("authorization").and_then(|text| str::from_utf8(text).ok()).map(scheme) != Some("bearer") {
        return None;
    }
    let node = Node::read(path).filter(|node| node.object == "User")?;
    node.id.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned())
}

/// Whether content cannot be told because of a limit of this program's.
fn is_own_limit(why: &str) -> bool {
    why == TOO_LARGE
}

/// What of an exchange is looked into.
pub(super) fn keep(request: &RequestHead) -> Keep {
    if is_bosh(request) {
        Keep::RequestFirst
    } else if Carries::of(request) != Carries::Nothing {
        Keep::Content
    } else {
        Keep::Nothing
    }
}

/// BOSH posts: `/http-bind/` at Finesse; `/http-bind` and `/bosh` at other servers.
fn is_bosh(request: &RequestHead) -> bool {
    let path = path(&request.target).split(['?', '#']).next().unwrap_or_default();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    request.method == "POST" && matches!(name, "http-bind" | "bosh")
}

/// The path of an origin-form or absolute-form target, its query included.
pub(super) fn path(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    }
}
