//! Real streams and scripted ones, whole and in pieces: curl, nghttp and h2load against nghttpd, and a pair of Python's `h2`
//! for what those do not send. Recorded as `>>` and `<<` with the bytes in hexadecimal, in the order they were read.

use super::*;
use crate::http1::{Keep, Version};
use bytes::Bytes;

const CURL: &str = include_str!("tests/curl.txt");
const NGHTTP: &str = include_str!("tests/nghttp.txt");
const H2LOAD: &str = include_str!("tests/h2load.txt");
const SCRIPTED: &str = include_str!("tests/scripted.txt");

fn at(ms: u64) -> Moment {
    Moment { wall_us: 0, mono_ns: ms * 1_000_000 }
}

fn recorded(text: &str) -> Vec<(Direction, Bytes)> {
    let line = |line: &str| {
        let (mark, hex) = line.split_once(' ').unwrap();
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(digit).collect();
        (if mark == ">>" { Direction::C2s } else { Direction::S2c }, bytes.into())
    };
    text.lines().map(line).collect()
}

/// What comes of a recording, each read cut into pieces of at most so many bytes.
fn read(text: &str, piece: usize) -> Vec<Result<Item, Error>> {
    let mut http =
        Http2::new(Limits::default(), |head| if head.target == "/late" { Keep::RequestFirst } else { Keep::Content });
    let mut items = Vec::new();
    let mut ms = 0;
    for (direction, bytes) in recorded(text) {
        ms += 1;
        for piece in bytes.chunks(piece) {
            http.feed(direction, at(ms), Bytes::copy_from_slice(piece));
            items.extend(std::iter::from_fn(|| http.next()));
        }
    }
    for direction in [Direction::C2s, Direction::S2c] {
        http.end(direction, at(ms + 1));
        items.extend(std::iter::from_fn(|| http.next()));
    }
    joined(items)
}

/// Pieces of a tunnel are as they come.
fn joined(items: Vec<Result<Item, Error>>) -> Vec<Result<Item, Error>> {
    let mut out: Vec<Result<Item, Error>> = Vec::new();
    for item in items {
        if let (
            Ok(Item::TunnelBytes { stream, direction, bytes, .. }),
            Some(Ok(Item::TunnelBytes { stream: to, direction: way, bytes: all, .. })),
        ) = (&item, out.last_mut())
            && (stream, direction) == (&*to, &*way)
        {
            *all = [&all[..], &bytes[..]].concat().into();
        } else {
            out.push(item);
        }
    }
    out
}

fn exchanges(items: &[Result<Item, Error>]) -> Vec<(u32, &Exchange)> {
    items
        .iter()
        .filter_map(|item| match item {
            Ok(Item::Exchange { stream, exchange }) => Some((*stream, &**exchange)),
            _ => None,
        })
        .collect()
}

#[test]
fn curls_request_is_read_as_one_of_http_1_is() {
    let items = read(CURL, usize::MAX);
    let [(1, exchange)] = exchanges(&items)[..] else { panic!("{items:?}") };
    let head = &exchange.request;
    assert_eq!((&*head.method, &*head.target, head.version), ("GET", "/a.txt", Version::Http2));
    assert!(head.field("host").is_some_and(|host| host.starts_with(b"127.0.0.1:")));
    assert_eq!(head.field("cookie"), Some(&b"JSESSIONID=abc"[..]));
    let response = exchange.response.as_ref().unwrap();
    assert_eq!((response.status, response.field("server").is_some()), (200, true));
    assert_eq!((&exchange.response_body.kept[..], exchange.response_body.complete), (&b"hello"[..], true));
    assert!(items.iter().all(Result::is_ok), "{items:?}");
}

#[test]
fn many_streams_are_told_apart() {
    let items = read(NGHTTP, usize::MAX);
    let mut found: Vec<_> = exchanges(&items)
        .into_iter()
        .map(|(_, exchange)| {
            (
                &*exchange.request.target,
                exchange.response.as_ref().unwrap().status,
                exchange.response_body.content_bytes,
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found[..2], [("/a.txt", 200, 5), ("/big.txt", 200, 30_000)]);
    assert_eq!((found[2].0, found[2].1), ("/missing", 404));
    let items = read(H2LOAD, usize::MAX);
    let found = exchanges(&items);
    assert_eq!(found.len(), 40);
    assert!(
        found.iter().all(|(_, exchange)| exchange.response_body.content_bytes == 5 && exchange.response_body.complete)
    );
}

#[test]
fn what_only_http_2_has_is_told() {
    let items = read(SCRIPTED, usize::MAX);
    assert!(items.iter().all(Result::is_ok), "{items:?}");
    let found = exchanges(&items);
    // Padding, CONTINUATION, crumbs of a cookie, an interim response, trailers.
    let (1, posted) = found[0] else { panic!("{found:?}") };
    assert_eq!(posted.request.field("cookie"), Some(&b"a=1; b=2"[..]));
    assert_eq!(posted.request.field("x-39").map(<[u8]>::len), Some(900));
    assert_eq!((&posted.request_body.kept[..], posted.request_body.complete), (&b"<User></User>"[..], true));
    assert_eq!((&posted.interim[..], posted.response.as_ref().unwrap().status), (&[103][..], 202));
    assert_eq!((&posted.response_body.kept[..], posted.response_body.complete), (&b"accepted"[..], true));
    // Cut: reset by either side, and open when the connection ends.
    let cut: Vec<_> = found[1..].iter().map(|(stream, exchange)| (*stream, exchange.response.is_some())).collect();
    assert_eq!(cut, [(5, false), (7, false), (9, false)]);

    let mut others =
        items.iter().flatten().filter(|item| !matches!(item, Item::Exchange { .. } | Item::Settings { .. }));
    let tunnel = others.next().unwrap();
    assert!(
        matches!(tunnel, Item::Tunnel { stream: 3, protocol, exchange } if protocol == "websocket" && exchange.request.target == "/ws/"
        && exchange.response.as_ref().unwrap().field("sec-websocket-protocol") == Some(b"xmpp"))
    );
    let bytes = |item: &Item| match item {
        Item::TunnelBytes { stream: 3, direction, bytes, .. } => (*direction, bytes.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(bytes(others.next().unwrap()), (Direction::C2s, Bytes::from_static(b"\x81\x85\0\0\0\0hello")));
    assert_eq!(bytes(others.next().unwrap()), (Direction::S2c, Bytes::from_static(b"\x81\x05world")));
    for direction in [Direction::C2s, Direction::S2c] {
        assert!(
            matches!(others.next(), Some(Item::TunnelEnded { stream: 3, direction: way, .. }) if *way == direction)
        );
    }
    assert!(matches!(others.next(), Some(Item::Ping { asker: Direction::C2s, rtt_us: 1_000, .. })));
    assert!(matches!(others.next(), Some(Item::Reset { direction: Direction::C2s, stream: 5, code: 8, .. })));
    assert!(matches!(others.next(), Some(Item::Reset { direction: Direction::S2c, stream: 7, code: 7, .. })));
    // Its request was wanted as soon as it was over.
    assert!(matches!(others.next(), Some(Item::Request { stream: 9, request }) if request.head.target == "/late"));
    assert!(matches!(others.next(), Some(Item::GoAway { direction: Direction::S2c, last_stream: 7, code: 11, .. })));
    assert!(others.next().is_none());
    let connects = items.iter().flatten().any(|item| {
        let enabled = Setting { id: Setting::ENABLE_CONNECT_PROTOCOL, value: 1 };
        matches!(item, Item::Settings { direction: Direction::S2c, settings, .. } if settings.contains(&enabled))
    });
    assert!(connects, "the server allows extended CONNECT");
}

/// Splitting the input anywhere changes nothing.
#[test]
fn pieces_of_any_size_give_the_same() {
    for text in [CURL, NGHTTP, H2LOAD, SCRIPTED] {
        let whole = read(text, usize::MAX);
        for piece in [1, 2, 3, 8, 9, 10, 100, 1_000] {
            assert!(read(text, piece) == whole, "in pieces of {piece}");
        }
    }
}

/// A decoder that has not seen the beginning says so, for that direction alone, and does not pretend.
#[test]
fn a_lost_table_makes_its_direction_opaque() {
    let mut http = Http2::new(Limits::default(), |_| Keep::Nothing);
    let reads = recorded(H2LOAD);
    let (_, late) = reads.iter().filter(|(direction, _)| *direction == Direction::C2s).nth(1).unwrap();
    http.feed(Direction::C2s, at(1), late.clone());
    let error = std::iter::from_fn(|| http.next()).find_map(Result::err).unwrap();
    assert_eq!((error.direction, error.why), (Direction::C2s, "the client's preface of HTTP/2 is missing"));
    let (_, answers) = reads.iter().find(|(direction, _)| *direction == Direction::S2c).unwrap();
    http.feed(Direction::S2c, at(2), answers.clone());
    assert!(std::iter::from_fn(|| http.next()).all(|item| item.is_ok()));
}

#[test]
fn limits_are_faults_by_name() {
    let why = |limits: Limits, text: &str| {
        let mut http = Http2::new(limits, |_| Keep::Nothing);
        recorded(text).into_iter().for_each(|(direction, bytes)| http.feed(direction, at(1), bytes));
        std::iter::from_fn(|| http.next()).find_map(Result::err).map(|error| error.why)
    };
    assert_eq!(why(Limits { streams: 3, ..Limits::default() }, H2LOAD), Some("more streams at a time than the limit"));
    assert_eq!(
        why(Limits { head_bytes: 20_000, ..Limits::default() }, SCRIPTED),
        Some("a header block larger than the limit")
    );
    assert_eq!(why(Limits { head_bytes: 60, ..Limits::default() }, CURL), Some("a header list larger than the limit"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]
    #[test]
    fn never_panics(noise: Vec<u8>, cut in 0_usize..3_000, flip in 0_usize..3_000, is_answer: bool) {
        let mut http = Http2::new(Limits::default(), |_| Keep::RequestFirst);
        let aimed = if is_answer { Direction::S2c } else { Direction::C2s };
        for (direction, bytes) in recorded(H2LOAD) {
            let mut bytes = bytes.to_vec();
            if direction == aimed {
                if let Some(byte) = bytes.get_mut(flip) {
                    *byte ^= 0x55;
                }
                if cut < bytes.len() {
                    bytes.splice(cut..cut, noise.iter().copied());
                }
            }
            http.feed(direction, at(1), bytes.into());
        }
        http.end(Direction::C2s, at(2));
        http.end(Direction::S2c, at(2));
        while http.next().is_some() {}
    }
}
