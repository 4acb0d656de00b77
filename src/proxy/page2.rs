//! The same page in HTTP/2 (RFC 9113), for clients that offer nothing else: settings, the page on each stream, GOAWAY.
//!
//! Written by hand as there is so little of it. What was asked is read by the tap's own decoder; header fields are literals
//! that enter no table (RFC 7541 section 6.2.2).

use super::page::{Page, Status};
use crate::clock::Moment;
use crate::conn::Direction;
use crate::http1::Keep;
use crate::http2::{Http2, Item, Limits};
use bytes::Bytes;

/// Types (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags.
const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
/// What every peer takes as one frame (RFC 9113 section 4.2), bytes.
const FRAME_BYTES: usize = 16_384;

/// The whole answer to the requests in what a client has sent so far; none before there is one.
pub(super) fn response(page: &Page, status: Status, sent: &[u8]) -> Option<Vec<u8>> {
    let asked = requests(sent);
    let last = asked.iter().map(|(stream, _)| *stream).max()?;
    let mut out = Vec::new();
    frame(&mut out, SETTINGS, 0, 0, &[]);
    frame(&mut out, SETTINGS, ACK, 0, &[]);
    let html = page.html(status);
    for (stream, wants_body) in asked {
        let body = if wants_body { html.as_bytes() } else { b"" };
        let end = if body.is_empty() { END_STREAM } else { 0 };
        frame(&mut out, HEADERS, END_HEADERS | end, stream, &head(status, html.len()));
        let mut pieces = body.chunks(FRAME_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            frame(&mut out, DATA, if pieces.peek().is_none() { END_STREAM } else { 0 }, stream, piece);
        }
    }
    let [a, b, c, d] = last.to_be_bytes();
    frame(&mut out, GOAWAY, 0, 0, &[a, b, c, d, 0, 0, 0, 0]);
    Some(out)
}

/// The streams with a request whose head is whole, and whether a body is wanted (not for `HEAD`, RFC 9110 section 9.3.2).
fn requests(sent: &[u8]) -> Vec<(u32, bool)> {
    let mut http = Http2::new(Limits::default(), |_| Keep::Nothing);
    let now = Moment::default();
    http.feed(Direction::C2s, now, Bytes::copy_from_slice(sent));
    // Bodies are not waited for: what there is comes out at the end.
    http.end(Direction::C2s, now);
    http.end(Direction::S2c, now);
    let items = std::iter::from_fn(|| http.next());
    items
        .filter_map(|item| match item {
            Ok(Item::Exchange { stream, exchange }) => Some((stream, exchange.request.method != "HEAD")),
            _ => None,
        })
        .collect()
}

fn head(status: Status, length: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let fields = [
        (":status", status.code().to_owned()),
        ("server", "finesse-tap".to_owned()),
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-length", length.to_string()),
        ("cache-control", "no-store".to_owned()),
    ];
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_bytes(), value.as_bytes()] {
            // All of them are shorter than 127 bytes.
            block.push(u8::try_from(text.len()).unwrap_or(0));
            block.extend_from_slice(text);
        }
    }
    block
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    out.extend_from_slice(&[a, b, c, kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `GET` or `HEAD` on a stream, as a client begins.
    fn asks(method: &str, stream: u32) -> Vec<u8> {
        let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frame(&mut out, SETTINGS, 0, 0, &[]);
        let mut block = vec![0x84, 0x87, 0x02, u8::try_from(method.len()).unwrap()];
        block.extend_from_slice(method.as_bytes());
        frame(&mut out, HEADERS, END_HEADERS | END_STREAM, stream, &block);
        out
    }

    #[test]
    fn the_answer_is_one_that_a_client_can_read() {
        let page = Page { why: "it is away".into(), hint: None, facts: vec![("long", "x".repeat(20_000))] };
        for (method, length) in [("GET", page.html(Status::BadGateway).len()), ("HEAD", 0)] {
            let sent = asks(method, 3);
            let answer = response(&page, Status::BadGateway, &sent).unwrap();
            let mut http = Http2::new(Limits::default(), |_| Keep::Content);
            http.feed(Direction::C2s, Moment::default(), sent.into());
            http.feed(Direction::S2c, Moment::default(), answer.into());
            let items: Vec<Item> = std::iter::from_fn(|| http.next()).map(Result::unwrap).collect();
            let exchange = items.iter().find_map(|item| match item {
                Item::Exchange { stream: 3, exchange } => Some(exchange),
                _ => None,
            });
            let exchange = exchange.unwrap();
            assert_eq!(exchange.response.as_ref().map(|head| head.status), Some(502));
            assert_eq!((exchange.response_body.content_bytes, exchange.response_body.complete), (length as u64, true));
            assert!(matches!(items.last(), Some(Item::GoAway { last_stream: 3, code: 0, .. })));
        }
    }

    #[test]
    fn a_request_is_waited_for() {
        let sent = asks("GET", 1);
        for cut in 0..sent.len() {
            assert!(response(&Page::default(), Status::BadGateway, &sent[..cut]).is_none(), "{cut}");
        }
    }
}
