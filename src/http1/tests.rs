//! Plays connections into [`Http1`] whole, byte by byte, and cut in two everywhere: heads, moments, limits, properties.
//! The tables of what either side sends and what must come out are in [`playbook`]. A [`Passage`] goes along on every run.

mod passage;
mod playbook;

use super::*;
use crate::clock::Moment;
use crate::conn::Direction;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::VecDeque;

/// One step of a connection.
#[derive(Clone, Debug)]
enum Step {
    /// Client to server.
    C(Vec<u8>),
    /// Server to client.
    S(Vec<u8>),
    /// The client's direction ends.
    CEnd,
    /// The server's direction ends.
    SEnd,
}

fn c(bytes: impl AsRef<[u8]>) -> Step {
    Step::C(bytes.as_ref().to_vec())
}

fn s(bytes: impl AsRef<[u8]>) -> Step {
    Step::S(bytes.as_ref().to_vec())
}

use Step::{CEnd, SEnd};

/// Everything a connection gave, Moments left out, the bytes behind an upgrade joined with those that came later.
#[derive(Clone, PartialEq, Debug, Default)]
struct Outcome {
    exchanges: Vec<Exchange>,
    upgrade: Option<Exchange>,
    rest: [Vec<u8>; 2],
    error: Option<Error>,
}

#[derive(Clone, Copy, PartialEq)]
enum Take {
    AfterEachFeed,
    AtTheEnd,
}

struct Run {
    http: Http1,
    outcome: Outcome,
    requests: VecDeque<Request>,
    clock: u64,
}

impl Run {
    fn new(limits: Limits) -> Self {
        Self { http: Http1::new(limits, wanted), outcome: Outcome::default(), requests: VecDeque::new(), clock: 0 }
    }

    fn now(&mut self) -> Moment {
        self.clock += 1;
        Moment { wall_us: 0, mono_ns: self.clock }
    }

    fn feed(&mut self, direction: Direction, bytes: &[u8]) {
        if self.outcome.upgrade.is_some() {
            let [c2s, s2c] = &mut self.outcome.rest;
            if direction == Direction::C2s { c2s } else { s2c }.extend_from_slice(bytes);
        }
        let now = self.now();
        self.http.feed(direction, now, Bytes::copy_from_slice(bytes));
    }

    /// The request came by itself before its exchange, once.
    fn was_told(&mut self, exchange: &Exchange) {
        if wanted(&exchange.request) == Keep::RequestFirst {
            let told = self.requests.pop_front().expect("the request by itself");
            assert_eq!((&told.head, &told.body), (&exchange.request, &exchange.request_body));
            assert!(exchange.request_ended.is_none_or(|ended| ended == told.ended));
        }
    }

    fn take(&mut self) {
        while let Some(item) = self.http.next() {
            assert_eq!((&self.outcome.upgrade, &self.outcome.error), (&None, &None), "nothing may follow");
            match item {
                Ok(Item::Request(request)) => self.requests.push_back(*request),
                Ok(Item::Exchange(exchange)) => {
                    self.was_told(&exchange);
                    self.outcome.exchanges.push(without_moments(*exchange));
                }
                Ok(Item::Upgraded(upgrade)) => {
                    let upgrade = *upgrade;
                    self.was_told(&upgrade.exchange);
                    let join = |rest: &[(Moment, Bytes)]| rest.iter().flat_map(|(_, b)| b.to_vec()).collect();
                    self.outcome.rest = [join(&upgrade.c2s_rest), join(&upgrade.s2c_rest)];
                    self.outcome.upgrade = Some(without_moments(upgrade.exchange));
                }
                Err(error) => self.outcome.error = Some(error),
            }
        }
    }
}

fn wanted(head: &RequestHead) -> Keep {
    if head.target.contains("unwanted") { Keep::Nothing } else { Keep::RequestFirst }
}

fn without_moments(exchange: Exchange) -> Exchange {
    let none = Moment::default();
    assert!(exchange.started <= exchange.ended, "{exchange:?}");
    Exchange {
        started: none,
        request_ended: exchange.request_ended.map(|_| none),
        answered: exchange.answered.map(|_| none),
        ended: none,
        ..exchange
    }
}

/// Runs a playbook; `pieces` says how each step's bytes are cut.
fn run_cut(
    limits: Limits,
    steps: &[Step],
    take: Take,
    mut pieces: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>>,
) -> Outcome {
    let mut run = Run::new(limits);
    let mut companion = passage::Companion::new(limits);
    for (index, step) in steps.iter().enumerate() {
        let (direction, bytes) = match step {
            Step::C(bytes) => (Direction::C2s, bytes),
            Step::S(bytes) => (Direction::S2c, bytes),
            CEnd | SEnd => {
                let now = run.now();
                let direction = if matches!(step, CEnd) { Direction::C2s } else { Direction::S2c };
                run.http.end(direction, now);
                companion.end(direction);
                if take == Take::AfterEachFeed {
                    run.take();
                }
                continue;
            }
        };
        for piece in pieces(index, bytes) {
            run.feed(direction, &piece);
            companion.feed(direction, &piece);
            if take == Take::AfterEachFeed {
                run.take();
            }
        }
    }
    run.take();
    companion.agrees_with(&run.outcome);
    run.outcome
}

fn whole(limits: Limits, steps: &[Step]) -> Outcome {
    run_cut(limits, steps, Take::AfterEachFeed, |_, bytes| vec![bytes.to_vec()])
}

fn byte_by_byte(limits: Limits, steps: &[Step]) -> Outcome {
    run_cut(limits, steps, Take::AfterEachFeed, |_, bytes| bytes.chunks(1).map(<[u8]>::to_vec).collect())
}

/// The outcome of a playbook, which is the same for every way it can be cut.
fn play_within(limits: Limits, steps: &[Step]) -> Outcome {
    let outcome = whole(limits, steps);
    assert_eq!(outcome, byte_by_byte(limits, steps), "byte by byte");
    let late = run_cut(limits, steps, Take::AtTheEnd, |_, bytes| bytes.chunks(7).map(<[u8]>::to_vec).collect());
    assert_eq!(outcome, late, "taken at the end");
    for (cut_step, step) in steps.iter().enumerate() {
        let (Step::C(bytes) | Step::S(bytes)) = step else { continue };
        for cut in 1..bytes.len() {
            let cut_in_two =
                run_cut(limits, steps, Take::AfterEachFeed, |index, bytes| match bytes.split_at_checked(cut) {
                    Some((a, b)) if index == cut_step => vec![a.to_vec(), b.to_vec()],
                    _ => vec![bytes.to_vec()],
                });
            assert_eq!(outcome, cut_in_two, "step {cut_step} cut at {cut}");
        }
    }
    outcome
}

fn play(steps: &[Step]) -> Outcome {
    play_within(Limits::default(), steps)
}

/// An exchange in one line: `METHOD target [+body] -> 1xx* status [+body]`. A body shows what was kept, its content bytes
/// if they are more, and `!` if it is cut.
fn line(exchange: &Exchange) -> String {
    fn body(body: &Body) -> String {
        let mut text = String::new();
        if body.content_bytes > 0 {
            text = format!(" +{}", String::from_utf8_lossy(&body.kept));
        }
        if body.content_bytes != body.kept.len() as u64 {
            text += &format!("({}{})", body.content_bytes, if body.truncated { " truncated" } else { "" });
        }
        if !body.complete {
            text += "!";
        }
        text
    }
    let mut text =
        format!("{} {}{} ->", exchange.request.method, exchange.request.target, body(&exchange.request_body));
    for status in &exchange.interim {
        text += &format!(" {status}");
    }
    match &exchange.response {
        Some(response) => text += &format!(" {}{}", response.status, body(&exchange.response_body)),
        None => text += " -",
    }
    assert_eq!(exchange.answered.is_some(), exchange.response.is_some());
    assert_eq!(exchange.request_ended.is_some(), exchange.request_body.complete);
    text
}

/// An outcome, one line an item.
fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<_> = outcome.exchanges.iter().map(line).collect();
    if let Some(exchange) = &outcome.upgrade {
        let [c2s, s2c] = &outcome.rest;
        let (c2s, s2c) = (String::from_utf8_lossy(c2s), String::from_utf8_lossy(s2c));
        lines.push(format!("upgraded {} | c2s {c2s} | s2c {s2c}", line(exchange)));
    }
    lines.extend(outcome.error.as_ref().map(|e| format!("error {e}")));
    lines
}

/// Plays each case in every way and compares its items with the expected lines.
fn check(cases: &[(&str, &[Step], &[&str])]) {
    for (name, steps, expected) in cases {
        assert_eq!(lines(&play(steps)), *expected, "{name}");
    }
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const GET_B: &str = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const WS: &str = "GET /ws/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

fn field(name: &str, value: &[u8]) -> Field {
    Field { name: Bytes::copy_from_slice(name.as_bytes()), value: Bytes::copy_from_slice(value) }
}

#[test]
fn heads_are_kept_as_they_came() {
    let request = b"GET /a\"<>`{|}\xff b HTTP/1.1 \nhOST:  h\t \r\nX:\nEmpty:   \r\nno field line\r\nBlank : b\r\nX: caf\xe9\r\nFold: a\r\n\t b \r\n\r\n";
    let response = b"HTTP/1.0 299  Odd \xe9\r\nB: 1\r\nA: 2\r\nB: 3\r\nContent-Length: 0\r\n\r\n";
    let outcome = play(&[c(request), s(response)]);
    let exchange = &outcome.exchanges[0];
    assert_eq!(exchange.request.target, "/a\"<>`{|}\u{fffd} b");
    assert_eq!(exchange.request.version, Version::Http11);
    assert_eq!(exchange.request.head_bytes, request.len() as u64);
    let expected = [
        field("hOST", b"h"),
        field("X", b""),
        field("Empty", b""),
        field("Blank", b"b"),
        field("X", b"caf\xe9"),
        field("Fold", b"a  \t b"),
    ];
    assert_eq!(exchange.request.fields, expected);
    assert_eq!(exchange.request.field("host"), Some(&b"h"[..]));
    let head = exchange.response.as_ref().unwrap();
    assert_eq!((head.status, &*head.reason, head.version), (299, " Odd \u{fffd}", Version::Http10));
    assert_eq!(head.head_bytes, response.len() as u64);
    assert_eq!(head.fields, [field("B", b"1"), field("A", b"2"), field("B", b"3"), field("Content-Length", b"0")]);

    let short = play(&[c(GET), s("HTTP/1.1 204\r\n\r\n")]);
    assert_eq!(short.exchanges[0].response.as_ref().unwrap().reason, "");
    let newer = play(&[c("GET / HTTP/1.9\r\n\r\n"), s(NO_CONTENT)]);
    assert_eq!(newer.exchanges[0].request.version, Version::Http11);
}

#[test]
fn many_fields() {
    let head = |fields: usize| format!("GET /a HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(fields));
    for fields in [0, 1, 300] {
        let outcome = play(&[c(head(fields)), s(NO_CONTENT)]);
        assert_eq!(outcome.exchanges[0].request.fields.len(), fields);
    }
    let most = byte_by_byte(Limits::default(), &[c(head(head::FIELD_LINES)), s(NO_CONTENT)]);
    assert_eq!(most.exchanges[0].request.fields.len(), head::FIELD_LINES);
    let more = whole(Limits::default(), &[c(head(head::FIELD_LINES + 1))]);
    assert_eq!(more.error.unwrap().why, "more field lines than the limit");
}

#[test]
fn a_megabyte_of_head() {
    let limits = Limits::default();
    let shell = "GET /a HTTP/1.1\r\nA: \r\n\r\n".len();
    let head = |bytes: usize| format!("GET /a HTTP/1.1\r\nA: {}\r\n\r\n", "v".repeat(bytes - shell));
    let fits = [c(head(limits.head_bytes)), s(NO_CONTENT)];
    assert_eq!(lines(&whole(limits, &fits)), ["GET /a -> 204"]);
    assert_eq!(whole(limits, &fits), byte_by_byte(limits, &fits));
    let too_long = [c(GET), c(head(limits.head_bytes + 1))];
    assert_eq!(lines(&whole(limits, &too_long)), ["GET /a -> -", "error c2s byte 28: a head longer than the limit"]);
}

#[test]
fn a_hundred_pipelined_requests() {
    let requests: String = (0..100).map(|n| format!("GET /{n} HTTP/1.1\r\n\r\n")).collect();
    let responses: String = (0..100).map(|n| ok(&n.to_string())).collect();
    let steps = [c(requests), s(responses)];
    let outcome = whole(Limits::default(), &steps);
    let expected: Vec<_> = (0..100).map(|n| format!("GET /{n} -> 200 +{n}")).collect();
    assert_eq!(lines(&outcome), expected);
    assert_eq!(outcome, byte_by_byte(Limits::default(), &steps));
}

#[test]
fn moments_are_those_of_the_bytes() {
    let mut http = Http1::new(Limits::default(), |_| Keep::Nothing);
    let at = |mono_ns| Moment { wall_us: 0, mono_ns };
    let mut feed = |direction, when, text: &'static str| {
        http.feed(direction, at(when), Bytes::from_static(text.as_bytes()));
        http.next().map(Result::unwrap)
    };
    assert_eq!(feed(Direction::C2s, 1, "\r\n"), None);
    assert_eq!(feed(Direction::C2s, 2, "PUT / HTTP/1.1\r\n"), None);
    assert_eq!(feed(Direction::C2s, 3, "Content-Length: 2\r\n\r\na"), None);
    assert_eq!(feed(Direction::S2c, 4, "HTTP/1.1 100 Continue\r\n\r\n"), None);
    assert_eq!(feed(Direction::C2s, 5, "b"), None);
    assert_eq!(feed(Direction::S2c, 6, "HTTP/1.1 200 OK\r\n"), None);
    assert_eq!(feed(Direction::S2c, 7, "Content-Length: 2\r\n\r\na"), None);
    let Some(Item::Exchange(first)) = feed(Direction::S2c, 8, "b") else { panic!("no exchange") };
    assert_eq!(
        (first.started, first.request_ended, first.answered, first.ended),
        (at(2), Some(at(5)), Some(at(6)), at(8))
    );

    // Bytes held behind a refused upgrade keep the time they came at.
    assert_eq!(feed(Direction::C2s, 10, WS), None);
    assert_eq!(feed(Direction::C2s, 11, GET), None);
    assert!(feed(Direction::S2c, 12, NO_CONTENT).is_some());
    let Some(Item::Exchange(second)) = feed(Direction::S2c, 13, NO_CONTENT) else { panic!("no exchange") };
    assert_eq!(
        (second.started, second.request_ended, second.answered, second.ended),
        (at(11), Some(at(11)), Some(at(13)), at(13))
    );

    assert_eq!(feed(Direction::C2s, 20, WS), None);
    assert_eq!(feed(Direction::C2s, 21, "a"), None);
    assert_eq!(feed(Direction::C2s, 22, "b"), None);
    let Some(Item::Upgraded(upgrade)) = feed(Direction::S2c, 23, SWITCHING) else { panic!("no upgrade") };
    let held = [(at(21), Bytes::from_static(b"a")), (at(22), Bytes::from_static(b"b"))];
    assert_eq!((&upgrade.c2s_rest[..], upgrade.exchange.ended), (&held[..], at(23)));
}

#[test]
fn debug_shows_no_payload() {
    let put = "PUT /canary HTTP/1.1\r\nA: canary\r\nUpgrade: x\r\nContent-Length: 6\r\n\r\ncanarycanary";
    let switching = "HTTP/1.1 101 canary\r\nA: canary\r\n\r\ncanary";
    let mut http = Http1::new(Limits::default(), |_| Keep::Content);
    let now = Moment::default();
    http.feed(Direction::C2s, now, Bytes::from_static(put.as_bytes()));
    assert!(!format!("{http:?}").contains("canary"));
    http.feed(Direction::S2c, now, Bytes::from_static(switching.as_bytes()));
    let item = http.next().unwrap().unwrap();
    assert!(matches!(item, Item::Upgraded(_)));
    assert!(!format!("{item:?}").contains("canary"));
}

#[test]
fn a_kept_head_does_not_pin_the_read_buffer() {
    let mut http = Http1::new(Limits::default(), |_| Keep::Content);
    let read = Bytes::from(GET.as_bytes().to_vec());
    http.feed(Direction::C2s, Moment::default(), read.clone());
    assert!(read.is_unique());
}

/// Pieces of HTTP, right and wrong, to make connections of.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: &[&str] = &[
        GET,
        WS,
        NO_CONTENT,
        SWITCHING,
        "HEAD /h HTTP/1.1\r\n\r\n",
        "CONNECT h:1 HTTP/1.1\n\n",
        "PUT /unwanted HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "PUT /p HTTP/1.1\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nTrailer: 1\r\n\r\n",
        "\r\n",
        "A: b\r\n",
        "f;x\n",
    ];
    prop_oneof![
        12 => proptest::sample::select(KNOWN).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || proptest::collection::vec(piece(), 1..4).prop_map(|pieces| pieces.concat());
    prop_oneof![8 => bytes().prop_map(Step::C), 8 => bytes().prop_map(Step::S), 1 => Just(CEnd), 1 => Just(SEnd)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splitting_changes_nothing(steps in proptest::collection::vec(step(), 1..12), widths in proptest::collection::vec(1_usize..30, 1..8)) {
        for limits in [Limits::default(), Limits { head_bytes: 60, body_bytes: 4, pending: 2, early_bytes: 40 }] {
            let expected = whole(limits, &steps);
            prop_assert_eq!(&expected, &byte_by_byte(limits, &steps));
            for take in [Take::AfterEachFeed, Take::AtTheEnd] {
                let mut widths = widths.iter().cycle();
                let cut = run_cut(limits, &steps, take, |_, mut bytes| {
                    let mut pieces = Vec::new();
                    while !bytes.is_empty() {
                        let (piece, rest) = bytes.split_at((*widths.next().unwrap()).min(bytes.len()));
                        pieces.push(piece.to_vec());
                        bytes = rest;
                    }
                    pieces
                });
                prop_assert_eq!(&expected, &cut);
            }
        }
    }

    #[test]
    fn bodies_come_out_as_they_went_in(
        bodies in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..200), 1_usize..50, any::<bool>()), 1..10),
    ) {
        let mut steps = Vec::new();
        for (body, width, is_chunked) in &bodies {
            let mut wire = Vec::new();
            if *is_chunked {
                for chunk in body.chunks(*width) {
                    wire.extend(format!("{:X};e=1\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
                }
                wire.extend(b"0\r\nT: 1\r\n\r\n");
            } else {
                wire.clone_from(body);
            }
            let framing = if *is_chunked { "Transfer-Encoding: chunked".into() } else { format!("Content-Length: {}", body.len()) };
            steps.push(c([format!("PUT / HTTP/1.1\r\n{framing}\r\n\r\n").as_bytes(), &wire].concat()));
            steps.push(s([format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").as_bytes(), &wire].concat()));
        }
        let outcome = whole(Limits::default(), &steps);
        prop_assert_eq!(&outcome, &byte_by_byte(Limits::default(), &steps));
        prop_assert_eq!(outcome.error, None);
        prop_assert_eq!(outcome.exchanges.len(), bodies.len());
        for (exchange, (body, ..)) in outcome.exchanges.iter().zip(&bodies) {
            for read in [&exchange.request_body, &exchange.response_body] {
                prop_assert!(read.complete && read.content_bytes == body.len() as u64);
                prop_assert_eq!(&read.kept[..], &body[..]);
            }
        }
    }
}
