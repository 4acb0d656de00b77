//! HTTP on one connection: exchanges become events, REST bodies are decoded, requests are remembered for their updates.

use super::place::{Exit, Place};
use crate::capture::observation::{HttpExchange, What};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::finesse::Api;
use crate::http1::{Body, Exchange, Field, Http1, Item, Limits, RequestHead, Upgrade, authorization, content};
use crate::session::Tracker;
use bytes::Bytes;
use std::borrow::Cow;

/// Content of one REST body after undoing its coding, bytes at the most.
const MAX_CONTENT_BYTES: usize = 1 << 20;

/// The name this program gives itself in the only responses it makes.
pub const OWN_SERVER_NAME: &str = "finesse-tap";

/// One connection while it speaks HTTP.
pub(super) struct HttpTap {
    http: Http1,
}

impl Default for HttpTap {
    fn default() -> Self {
        Self { http: Http1::new(Limits::default(), is_rest) }
    }
}

impl HttpTap {
    pub(super) fn feed(&mut self, direction: Direction, at: Moment, bytes: Bytes) {
        self.http.feed(direction, at, bytes);
    }

    pub(super) fn end(&mut self, direction: Direction, at: Moment) {
        self.http.end(direction, at);
    }

    /// Gives out what is ready. An upgrade ends HTTP and is the caller's.
    pub(super) fn drain(
        &mut self,
        at: Moment,
        place: &mut Place,
        tracker: &mut Tracker,
        exit: &mut Exit<'_>,
    ) -> Option<Box<Upgrade>> {
        while let Some(item) = self.http.next() {
            match item {
                Ok(Item::Exchange(exchange)) => emit_exchange(&exchange, place, tracker, exit),
                Ok(Item::Upgraded(upgrade)) => return Some(upgrade),
                Err(error) => {
                    let what =
                        What::Undecoded { layer: "http", offset: Some(error.offset), why: error.why, opaque: true };
                    place.emit_towards(exit, at, error.direction, what);
                }
            }
        }
        None
    }
}

/// One exchange as an event; whatever of its bodies could not be decoded as another.
pub(super) fn emit_exchange(exchange: &Exchange, place: &mut Place, tracker: &mut Tracker, exit: &mut Exit<'_>) {
    let request = &exchange.request;
    if let Some(basic) = request.field("authorization").and_then(authorization::basic) {
        place.belongs_to(&basic.user, tracker);
    }
    let rest = is_rest(request);
    let response_fields = exchange.response.as_ref().map(|response| &response.fields[..]).unwrap_or_default();
    let (request_content, request_fault) = decoded(&exchange.request_body, &request.fields, rest);
    let (response_content, response_fault) = decoded(&exchange.response_body, response_fields, rest);
    let request_text = request_content.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
    let api = Api::read(&request.method, path(&request.target), request_text);
    let request_id = request.field("requestid").and_then(|id| str::from_utf8(id).ok()).filter(|id| !id.is_empty());
    if let Some(id) = request_id {
        tracker.request(id, &request.method, exchange.started, Some(exit.door.next_sequence()));
    }
    let server = exchange.response.as_ref().and_then(|response| response.field("server"));
    let seen = HttpExchange {
        exchange,
        api,
        request_id,
        by_proxy: server == Some(OWN_SERVER_NAME.as_bytes()),
        request_content,
        response_content,
    };
    place.emit(exit, exchange.ended, What::Exchange(&seen));
    for (direction, fault) in [(Direction::C2s, request_fault), (Direction::S2c, response_fault)] {
        if let Some(why) = fault {
            let what = What::Undecoded { layer: "content", offset: None, why, opaque: false };
            place.emit_towards(exit, exchange.ended, direction, what);
        }
    }
}

/// Content after its coding, or why it cannot be told.
fn decoded<'b>(body: &'b Body, fields: &[Field], rest: bool) -> (Option<Cow<'b, [u8]>>, Option<&'static str>) {
    if !rest || body.content_bytes == 0 {
        return (None, None);
    }
    if body.truncated {
        return (None, Some("the body is larger than the limit"));
    }
    let coding = fields.iter().find(|field| field.name.eq_ignore_ascii_case(b"content-encoding"));
    match content::decode(coding.map(|field| &field.value[..]), &body.kept, MAX_CONTENT_BYTES) {
        Ok(content) => (Some(content), None),
        Err(content::Undecodable(why)) => (None, Some(why)),
    }
}

/// REST calls, whose bodies are kept; uploads of client logs hold anything and are only counted.
fn is_rest(request: &RequestHead) -> bool {
    let path = path(&request.target);
    path.starts_with("/finesse/api/") && !path.contains("ClientLog")
}

/// The path of an origin-form or absolute-form target, its query included.
fn path(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    }
}
