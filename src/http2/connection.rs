//! Follows one connection's two directions and joins its streams' requests with their responses.
//!
//! Takes bytes in the order they were observed and gives [`Item`]s: the exchanges that HTTP/1 gives, and what only HTTP/2
//! has. A direction that can no longer be read ends with an error, as its header table is lost; streams under way then come
//! out cut when the connection ends. What can be held is bounded by [`Limits`].

use super::fields::{self, Fields};
use super::flow::{DEFAULT_BYTES, Window};
use super::frame::{self, ACK, END_HEADERS, END_STREAM, Frames, Head, Kind, Piece};
use super::hpack;
use super::{Count, Error, Item, Limits, Setting};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::http1::exchange::INTERIM;
use crate::http1::{Body, Exchange, Keep, Request, RequestHead};
use bytes::{Buf as _, Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

/// Pings remembered until they are answered.
const PINGS: usize = 64;

/// Follows one connection's two directions.
pub struct Http2 {
    limits: Limits,
    keep: fn(&RequestHead) -> Keep,
    c2s: Way,
    s2c: Way,
    /// By number.
    streams: BTreeMap<u32, Stream>,
    items: VecDeque<Result<Item, Error>>,
    count: Count,
    /// What the server takes at a time, once it has said so.
    stream_limit: Option<u32>,
    limit_was_reached: bool,
    /// The header list that the server takes.
    header_limit: Option<u32>,
}

/// One direction.
struct Way {
    frames: Frames,
    table: hpack::Decoder,
    /// A header block under way.
    block: Option<Block>,
    pings: VecDeque<([u8; 8], Moment)>,
    /// What may still be sent this way.
    window: Window,
    /// What new streams begin with.
    initial_bytes: i64,
    is_over: bool,
}

struct Block {
    stream: u32,
    /// The stream whose request it is, if the server makes it up (RFC 9113 section 8.4).
    promised: Option<u32>,
    ends_stream: bool,
    began: Moment,
    fragment: BytesMut,
}

struct Stream {
    exchange: Exchange,
    /// The request is wanted by itself and has not been told.
    owes_request: bool,
    keep_bytes: Option<usize>,
    /// An extended CONNECT (RFC 8441) that was accepted: content is another protocol's.
    is_tunnel: bool,
    protocol: String,
    request_over: bool,
    response_over: bool,
    request: Content,
    response: Content,
    /// What either side may still send.
    windows: [Window; 2],
}

#[derive(Default)]
struct Content {
    kept: BytesMut,
    bytes: u64,
    truncated: bool,
}

impl Http2 {
    /// `keep` says from a request's head what is wanted of its exchange.
    #[must_use]
    pub fn new(limits: Limits, keep: fn(&RequestHead) -> Keep) -> Self {
        let way = |preface| Way {
            frames: Frames::new(preface),
            table: hpack::Decoder::new(),
            block: None,
            pings: VecDeque::new(),
            window: Window::new(DEFAULT_BYTES),
            initial_bytes: DEFAULT_BYTES,
            is_over: false,
        };
        let (c2s, s2c) = (way(frame::PREFACE), way(b""));
        Self {
            limits,
            keep,
            c2s,
            s2c,
            streams: BTreeMap::new(),
            items: VecDeque::new(),
            count: Count::default(),
            stream_limit: None,
            limit_was_reached: false,
            header_limit: None,
        }
    }

    /// Takes the next bytes of a direction; after its error or end they are ignored.
    pub fn feed(&mut self, direction: Direction, at: Moment, mut bytes: Bytes) {
        while !self.way(direction).is_over {
            let taken = self.way(direction).frames.next(&mut bytes);
            let outcome = match taken {
                Ok(None) => return,
                Ok(Some(piece)) => self.piece(direction, at, piece),
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                self.fail(direction, why);
            }
        }
    }

    /// That direction has ended; when both have, what is pending comes out cut.
    pub fn end(&mut self, direction: Direction, at: Moment) {
        let way = self.way(direction);
        if !(way.is_over || way.frames.is_between() && way.block.is_none()) {
            self.fail(direction, "the connection ended within a frame");
        }
        self.way(direction).is_over = true;
        if self.c2s.is_over && self.s2c.is_over {
            for direction in [Direction::C2s, Direction::S2c] {
                let waited = self.way(direction).window.over(at);
                self.stalled(direction, at, None, waited);
            }
            for (number, mut stream) in std::mem::take(&mut self.streams) {
                for direction in [Direction::C2s, Direction::S2c] {
                    let waited = stream.window(direction).over(at);
                    self.stalled(direction, at, Some(number), waited);
                }
                self.items.extend(stream.told(number, at).into_iter().map(Ok));
            }
        }
    }

    /// The next item, `None` for more input. After an `Err` nothing more is read in its direction.
    ///
    /// # Errors
    /// Why a direction could not be read any further.
    #[expect(clippy::should_implement_trait, reason = "`None` asks for more input; an iterator's is final")]
    pub fn next(&mut self) -> Option<Result<Item, Error>> {
        self.items.pop_front()
    }

    /// What the connection has amounted to so far.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count
    }

    fn stalled(&mut self, direction: Direction, at: Moment, stream: Option<u32>, waited: Option<Duration>) {
        if let Some(waited) = waited {
            let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            self.items.push_back(Ok(Item::Stalled { direction, at, stream, waited_ms }));
        }
    }

    /// A DATA frame counts with its padding.
    fn used(&mut self, direction: Direction, at: Moment, head: &Head) {
        self.way(direction).window.used(head.bytes, at);
        if let Some(stream) = self.streams.get_mut(&head.stream) {
            let window = stream.window(direction);
            if head.has(END_STREAM) {
                window.over(at);
            } else {
                window.used(head.bytes, at);
            }
        }
    }

    /// The sender of `direction` takes so much more on a stream or (0) on the connection.
    fn window_update(&mut self, direction: Direction, at: Moment, number: u32, bytes: u32) {
        let (data, bytes) = (direction.opposite(), i64::from(bytes & 0x7fff_ffff));
        let waited = match number {
            0 => self.way(data).window.add(bytes, at),
            _ => self.streams.get_mut(&number).and_then(|stream| stream.window(data).add(bytes, at)),
        };
        self.stalled(data, at, (number != 0).then_some(number), waited);
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::C2s => &mut self.c2s,
            Direction::S2c => &mut self.s2c,
        }
    }

    fn fail(&mut self, direction: Direction, why: &'static str) {
        let way = self.way(direction);
        way.is_over = true;
        way.block = None;
        let offset = way.frames.offset;
        self.items.push_back(Err(Error { direction, offset, why }));
    }

    fn piece(&mut self, direction: Direction, at: Moment, piece: Piece) -> Result<(), &'static str> {
        let open = self.way(direction).block.as_ref().map(|block| block.stream);
        let goes_on =
            matches!(&piece, Piece::Frame(head, _) if head.kind == Kind::Continuation && Some(head.stream) == open);
        if open.is_some() && !goes_on {
            return Err("a header block that is not continued");
        }
        match piece {
            Piece::Content(stream, content) => self.content(direction, at, stream, content),
            Piece::DataOver(head) => {
                self.used(direction, at, &head);
                if head.has(END_STREAM) {
                    self.side_over(direction, at, head.stream);
                }
            }
            Piece::Frame(head, payload) => return self.frame(direction, at, &head, payload),
        }
        Ok(())
    }

    fn frame(&mut self, direction: Direction, at: Moment, head: &Head, mut payload: Bytes) -> Result<(), &'static str> {
        match head.kind {
            Kind::Headers | Kind::PushPromise => {
                let mut payload = frame::unpadded(head, payload)?;
                let promised = match head.kind {
                    Kind::PushPromise => Some(number(&mut payload).ok_or("a PUSH_PROMISE that is too short")?),
                    _ => None,
                };
                let block = Block {
                    stream: head.stream,
                    promised,
                    ends_stream: head.kind == Kind::Headers && head.has(END_STREAM),
                    began: at,
                    fragment: BytesMut::new(),
                };
                self.block(direction, at, block, &payload, head.has(END_HEADERS))
            }
            Kind::Continuation => {
                let block = self.way(direction).block.take().ok_or("a CONTINUATION of nothing")?;
                self.block(direction, at, block, &payload, head.has(END_HEADERS))
            }
            Kind::RstStream => {
                let code = number(&mut payload).ok_or("a RST_STREAM that is too short")?;
                let mut was_connect = false;
                if let Some(mut stream) = self.streams.remove(&head.stream) {
                    was_connect = stream.is_tunnel && stream.exchange.response.is_none();
                    let [by_client, by_server] = &mut self.count.resets;
                    *(if direction == Direction::C2s { by_client } else { by_server }) += 1;
                    for data in [Direction::C2s, Direction::S2c] {
                        let waited = stream.window(data).over(at);
                        self.stalled(data, at, Some(head.stream), waited);
                    }
                    self.items.extend(stream.told(head.stream, at).into_iter().map(Ok));
                }
                self.items.push_back(Ok(Item::Reset { direction, at, stream: head.stream, code, was_connect }));
                Ok(())
            }
            Kind::Settings => {
                if !head.has(ACK) {
                    self.settings(direction, at, payload);
                }
                Ok(())
            }
            Kind::Ping => {
                let data = <[u8; 8]>::try_from(&*payload).map_err(|_| "a PING that is not 8 bytes long")?;
                self.ping(direction, at, head.has(ACK), data);
                Ok(())
            }
            Kind::GoAway => {
                let last_stream = number(&mut payload).ok_or("a GOAWAY that is too short")? & 0x7fff_ffff;
                let code = number(&mut payload).ok_or("a GOAWAY that is too short")?;
                self.count.go_aways += 1;
                // Streams that the other side began are odd if that is the client.
                let other = u32::from(direction == Direction::S2c);
                let behind = self.streams.keys().filter(|number| **number > last_stream && **number % 2 == other);
                let left = behind.count() as u64;
                self.items.push_back(Ok(Item::GoAway { direction, at, last_stream, code, left }));
                Ok(())
            }
            Kind::WindowUpdate => {
                let bytes = number(&mut payload).ok_or("a WINDOW_UPDATE that is too short")?;
                self.window_update(direction, at, head.stream, bytes);
                Ok(())
            }
            Kind::Data | Kind::Other => Ok(()),
        }
    }

    fn settings(&mut self, direction: Direction, at: Moment, mut payload: Bytes) {
        let mut settings = Vec::new();
        while payload.len() >= 6 {
            let (id, value) = (payload.get_u16(), payload.get_u32());
            // What one side can hold is how far the other's encoder may go (RFC 9113 section 6.5.2).
            if id == Setting::HEADER_TABLE_SIZE {
                let bytes = usize::try_from(value).unwrap_or(usize::MAX);
                self.way(direction.opposite()).table.allow(bytes);
            }
            match id {
                Setting::INITIAL_WINDOW_SIZE => self.initial_window(direction.opposite(), at, value),
                Setting::MAX_CONCURRENT_STREAMS if direction == Direction::S2c => self.stream_limit = Some(value),
                Setting::MAX_HEADER_LIST_SIZE if direction == Direction::S2c => self.header_limit = Some(value),
                _ => {}
            }
            settings.push(Setting { id, value });
        }
        self.items.push_back(Ok(Item::Settings { direction, at, settings }));
    }

    /// It changes the windows of streams under way, too (RFC 9113 section 6.9.2).
    fn initial_window(&mut self, data: Direction, at: Moment, value: u32) {
        let before = std::mem::replace(&mut self.way(data).initial_bytes, i64::from(value));
        let more = i64::from(value) - before;
        let waited: Vec<(u32, Option<Duration>)> =
            self.streams.iter_mut().map(|(number, stream)| (*number, stream.window(data).add(more, at))).collect();
        waited.into_iter().for_each(|(number, waited)| self.stalled(data, at, Some(number), waited));
    }

    fn ping(&mut self, direction: Direction, at: Moment, is_answer: bool, data: [u8; 8]) {
        if !is_answer {
            let pings = &mut self.way(direction).pings;
            if pings.len() == PINGS {
                pings.pop_front();
            }
            pings.push_back((data, at));
            return;
        }
        let pings = &mut self.way(direction.opposite()).pings;
        if let Some(nth) = pings.iter().position(|(asked, _)| *asked == data)
            && let Some((_, asked_at)) = pings.remove(nth)
        {
            self.count.pings += 1;
            let asker = direction.opposite();
            self.items.push_back(Ok(Item::Ping { asker, at, rtt_us: at.us_since(asked_at) }));
        }
    }

    /// Adds to a header block, and reads it once it is whole.
    fn block(
        &mut self,
        direction: Direction,
        at: Moment,
        mut block: Block,
        fragment: &[u8],
        is_whole: bool,
    ) -> Result<(), &'static str> {
        if block.fragment.len() + fragment.len() > self.limits.head_bytes {
            return Err("a header block larger than the limit");
        }
        block.fragment.extend_from_slice(fragment);
        if !is_whole {
            self.way(direction).block = Some(block);
            return Ok(());
        }
        let mut found = Fields::new(self.limits.head_bytes);
        self.way(direction).table.decode(&block.fragment, &mut |name, value| found.add(name, value))?;
        found.wire_bytes = block.fragment.len() as u64;
        if found.is_too_large() {
            return Err("a header list larger than the limit");
        }
        match (direction, block.promised) {
            (Direction::C2s, _) => self.request(&block, at, found),
            (Direction::S2c, Some(promised)) => {
                self.begin(promised, &block, found)?;
                // Nobody sends a body for it.
                self.side_over(Direction::C2s, at, promised);
                Ok(())
            }
            (Direction::S2c, None) => {
                self.response(&block, at, found);
                Ok(())
            }
        }
    }

    fn request(&mut self, block: &Block, at: Moment, found: Fields) -> Result<(), &'static str> {
        // Behind a body come trailers, which have no pseudo fields.
        if !self.streams.contains_key(&block.stream) && found.has(fields::METHOD) {
            self.begin(block.stream, block, found)?;
        }
        if block.ends_stream {
            self.side_over(Direction::C2s, at, block.stream);
        }
        Ok(())
    }

    fn begin(&mut self, number: u32, block: &Block, found: Fields) -> Result<(), &'static str> {
        if self.streams.len() >= self.limits.streams {
            return Err("more streams at a time than the limit");
        }
        if let Some(limit) = self.header_limit
            && found.list_bytes() > u64::from(limit)
        {
            let bytes = found.list_bytes();
            self.items.push_back(Ok(Item::OverHeaderLimit { at: block.began, stream: number, bytes, limit }));
        }
        let is_extended = found.has(fields::PROTOCOL);
        let protocol = found.text(fields::PROTOCOL).unwrap_or_default();
        let head = found.into_request();
        let keep = (self.keep)(&head);
        let exchange = Exchange {
            request: head,
            request_body: Body::default(),
            interim: Vec::new(),
            response: None,
            response_body: Body::default(),
            started: block.began,
            request_ended: None,
            answered: None,
            ended: block.began,
        };
        let stream = Stream {
            exchange,
            owes_request: keep == Keep::RequestFirst,
            keep_bytes: (keep != Keep::Nothing).then_some(self.limits.body_bytes),
            is_tunnel: is_extended,
            protocol,
            request_over: false,
            response_over: false,
            request: Content::default(),
            response: Content::default(),
            windows: [Window::new(self.c2s.initial_bytes), Window::new(self.s2c.initial_bytes)],
        };
        self.streams.insert(number, stream);
        self.count.streams += 1;
        self.count.most_open = self.count.most_open.max(self.streams.len() as u64);
        if let Some(limit) = self.stream_limit
            && !self.limit_was_reached
            && limit > 1
            && self.streams.len() as u64 >= u64::from(limit)
        {
            self.limit_was_reached = true;
            self.items.push_back(Ok(Item::StreamLimit { at: block.began, limit }));
        }
        Ok(())
    }

    fn response(&mut self, block: &Block, at: Moment, found: Fields) {
        let Some(stream) = self.streams.get_mut(&block.stream) else { return };
        if let (None, Some(head)) = (&stream.exchange.response, found.into_response()) {
            let exchange = &mut stream.exchange;
            if (100..200).contains(&head.status) {
                if exchange.interim.len() < INTERIM {
                    exchange.interim.push(head.status);
                }
                return;
            }
            exchange.answered = Some(block.began);
            stream.is_tunnel &= (200..300).contains(&head.status);
            exchange.response = Some(head);
            if stream.is_tunnel {
                exchange.response_body.complete = true;
                exchange.ended = at;
                let exchange = Box::new(exchange.clone());
                self.items.push_back(Ok(Item::Tunnel {
                    stream: block.stream,
                    protocol: stream.protocol.clone(),
                    exchange,
                }));
            }
        }
        if block.ends_stream {
            self.side_over(Direction::S2c, at, block.stream);
        }
    }

    fn content(&mut self, direction: Direction, at: Moment, number: u32, content: Bytes) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        if stream.is_tunnel && stream.exchange.response.is_some() {
            self.items.push_back(Ok(Item::TunnelBytes { stream: number, direction, at, bytes: content }));
            return;
        }
        let keep_bytes = stream.keep_bytes;
        let body = match direction {
            Direction::C2s => &mut stream.request,
            Direction::S2c => &mut stream.response,
        };
        body.add(&content, keep_bytes);
    }

    /// One side has sent all of its part of a stream.
    fn side_over(&mut self, direction: Direction, at: Moment, number: u32) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let is_open_tunnel = stream.is_tunnel && stream.exchange.response.is_some();
        match direction {
            Direction::C2s => {
                stream.request_over = true;
                stream.exchange.request_ended = Some(at);
                self.items.extend(stream.tell_request(number, at).map(Ok));
            }
            Direction::S2c => stream.response_over = true,
        }
        if is_open_tunnel {
            self.items.push_back(Ok(Item::TunnelEnded { stream: number, direction, at }));
        }
        if stream.request_over && stream.response_over {
            let done = self.streams.remove(&number);
            self.items.extend(done.into_iter().flat_map(|stream| stream.told(number, at)).map(Ok));
        }
    }
}

impl Stream {
    fn window(&mut self, direction: Direction) -> &mut Window {
        let [c2s, s2c] = &mut self.windows;
        match direction {
            Direction::C2s => c2s,
            Direction::S2c => s2c,
        }
    }

    /// The request by itself, if it is wanted and was not told.
    fn tell_request(&mut self, number: u32, at: Moment) -> Option<Item> {
        if !std::mem::take(&mut self.owes_request) {
            return None;
        }
        let body = self.request.body(self.request_over);
        let request =
            Request { head: self.exchange.request.clone(), body, ended: self.exchange.request_ended.unwrap_or(at) };
        Some(Item::Request { stream: number, request: Box::new(request) })
    }

    /// All that is to be told of it when it is over, complete or cut. A tunnel was told when it began.
    fn told(mut self, number: u32, at: Moment) -> Vec<Item> {
        if self.is_tunnel && self.exchange.response.is_some() {
            let open = [(Direction::C2s, self.request_over), (Direction::S2c, self.response_over)];
            let ended = |(direction, is_over): (Direction, bool)| {
                (!is_over).then_some(Item::TunnelEnded { stream: number, direction, at })
            };
            return open.into_iter().filter_map(ended).collect();
        }
        let mut items: Vec<Item> = self.tell_request(number, at).into_iter().collect();
        self.exchange.request_body = self.request.body(self.request_over);
        self.exchange.response_body = self.response.body(self.response_over);
        self.exchange.ended = at;
        items.push(Item::Exchange { stream: number, exchange: Box::new(self.exchange) });
        items
    }
}

impl Content {
    fn add(&mut self, content: &[u8], keep_bytes: Option<usize>) {
        self.bytes = self.bytes.saturating_add(content.len() as u64);
        if let Some(limit) = keep_bytes {
            let room = limit - self.kept.len().min(limit);
            self.kept.extend_from_slice(content.get(..room).unwrap_or(content));
            self.truncated |= room < content.len();
        }
    }

    fn body(&self, complete: bool) -> Body {
        let kept = Bytes::copy_from_slice(&self.kept);
        Body { kept, content_bytes: self.bytes, truncated: self.truncated, complete }
    }
}

/// A number of four bytes.
fn number(payload: &mut Bytes) -> Option<u32> {
    (payload.len() >= 4).then(|| payload.get_u32())
}

impl fmt::Debug for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}
