//! HTTP/1: any bytes in both directions; where they are cut must not matter.
#![no_main]

use bytes::Bytes;
use finesse_tap::clock::Moment;
use finesse_tap::conn::Direction;
use finesse_tap::http1::{Http1, Item, Keep, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { head_bytes: 4_096, body_bytes: 256, pending: 8, early_bytes: 64 };

// The input is a sequence of (direction and length, bytes).
fuzz_target!(|data: &[u8]| {
    assert_eq!(run(data, usize::MAX), run(data, 1));
});

fn run(mut data: &[u8], piece: usize) -> Vec<String> {
    let mut http = Http1::new(LIMITS, |_| Keep::RequestFirst);
    let mut out = Vec::new();
    let at = Moment::default();
    while let [head, rest @ ..] = data {
        let direction = if head & 1 == 0 { Direction::C2s } else { Direction::S2c };
        let (bytes, rest) = rest.split_at(rest.len().min(usize::from(head >> 1)));
        for part in bytes.chunks(piece.min(bytes.len()).max(1)) {
            http.feed(direction, at, Bytes::copy_from_slice(part));
            drain(&mut http, &mut out);
        }
        data = rest;
    }
    for direction in [Direction::C2s, Direction::S2c] {
        http.end(direction, at);
        drain(&mut http, &mut out);
    }
    out
}

fn drain(http: &mut Http1, out: &mut Vec<String>) {
    while let Some(item) = http.next() {
        out.push(match item {
            Ok(Item::Request(request)) => format!("asked {} {:?}", request.head.target, request.body.kept),
            Ok(Item::Exchange(exchange)) => format!(
                "{} {} {:?} {:?} {:?} {:?}",
                exchange.request.method,
                exchange.request.target,
                exchange.request_body.kept,
                exchange.response.as_ref().map(|response| response.status),
                exchange.response_body.kept,
                (exchange.request_body.content_bytes, exchange.response_body.content_bytes),
            ),
            Ok(Item::Upgraded(upgrade)) => format!("upgraded {}", upgrade.exchange.request.target),
            Err(error) => error.to_string(),
        });
    }
}
