//! HTTP/2: any bytes in both directions, behind the client's preface or not; where they are cut must not matter.
#![no_main]

use bytes::Bytes;
use finesse_tap::clock::Moment;
use finesse_tap::conn::Direction;
use finesse_tap::http1::Keep;
use finesse_tap::http2::{Http2, Item, Limits};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const LIMITS: Limits = Limits { head_bytes: 4_096, body_bytes: 256, streams: 8 };
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// All but the bytes of tunnels, which come as they come, and those put together.
type Told = (Vec<String>, BTreeMap<(u32, bool), Vec<u8>>);

// The input is a sequence of (direction and length, bytes).
fuzz_target!(|data: &[u8]| {
    assert!(run(data, usize::MAX) == run(data, 1));
});

fn run(data: &[u8], piece: usize) -> Told {
    let Some((with_preface, mut data)) = data.split_first() else { return Told::default() };
    let mut http = Http2::new(LIMITS, |_| Keep::RequestFirst);
    let mut told = Told::default();
    let at = Moment::default();
    if with_preface & 1 == 0 {
        http.feed(Direction::C2s, at, Bytes::from_static(PREFACE));
    }
    while let [head, rest @ ..] = data {
        let direction = if head & 1 == 0 { Direction::C2s } else { Direction::S2c };
        let (bytes, rest) = rest.split_at(rest.len().min(usize::from(head >> 1)));
        for part in bytes.chunks(piece.min(bytes.len()).max(1)) {
            http.feed(direction, at, Bytes::copy_from_slice(part));
            drain(&mut http, &mut told);
        }
        data = rest;
    }
    for direction in [Direction::C2s, Direction::S2c] {
        http.end(direction, at);
        drain(&mut http, &mut told);
    }
    told
}

fn drain(http: &mut Http2, (items, tunnels): &mut Told) {
    while let Some(item) = http.next() {
        match item {
            Ok(Item::TunnelBytes { stream, direction, bytes, .. }) => {
                tunnels.entry((stream, direction == Direction::C2s)).or_default().extend(bytes);
            }
            item => items.push(format!("{item:?}")),
        }
    }
}
