//! WebSocket frames and messages: any bytes, plain and with permessage-deflate; where they are cut must not matter.
#![no_main]

use bytes::Bytes;
use finesse_tap::conn::Direction;
use finesse_tap::ws::{Decoder, Deflate, Item, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { message_bytes: 1_024, inflate_bytes: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let [mode, frames @ ..] = data else { return };
    let deflate = (mode & 2 != 0).then_some(Deflate {
        server_no_context_takeover: mode & 4 != 0,
        client_no_context_takeover: mode & 4 != 0,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    });
    let direction = if mode & 1 == 0 { Direction::C2s } else { Direction::S2c };
    assert_eq!(run(frames, direction, deflate, usize::MAX), run(frames, direction, deflate, 1));
});

fn run(frames: &[u8], direction: Direction, deflate: Option<Deflate>, piece: usize) -> Vec<String> {
    let mut decoder = Decoder::new(direction, deflate, LIMITS);
    let mut out = Vec::new();
    for part in frames.chunks(piece.min(frames.len()).max(1)) {
        decoder.feed(Bytes::copy_from_slice(part));
        drain(&mut decoder, &mut out);
    }
    decoder.end();
    drain(&mut decoder, &mut out);
    out
}

fn drain(decoder: &mut Decoder, out: &mut Vec<String>) {
    while let Some(item) = decoder.next() {
        out.push(match item {
            Ok(Item::Message(message)) => {
                assert!(message.payload.len() <= LIMITS.message_bytes);
                format!("{:?} {:?} {}", message.opcode, message.payload, message.payload_bytes)
            }
            Ok(Item::Control(control)) => format!("{:?} {:?} {:?}", control.opcode, control.payload, control.close()),
            Ok(Item::Violation { why, offset }) => format!("{offset}: {why}"),
            Err(error) => error.to_string(),
        });
    }
}
