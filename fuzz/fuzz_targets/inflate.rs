//! Deflate streams in one compressed message: bounded output whatever they claim.
#![no_main]

use bytes::Bytes;
use finesse_tap::conn::Direction;
use finesse_tap::ws::{Decoder, Deflate, Item, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { message_bytes: 4_096, inflate_bytes: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let deflate = Deflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    let mut decoder = Decoder::new(Direction::S2c, Some(deflate), LIMITS);
    // Two messages of the same data, so that the second meets the first one's window.
    for _ in 0..2 {
        let mut frame = vec![0xc1, 127];
        frame.extend((data.len() as u64).to_be_bytes());
        frame.extend(data);
        decoder.feed(Bytes::from(frame));
        while let Some(item) = decoder.next() {
            if let Ok(Item::Message(message)) = item {
                assert!(message.payload.len() <= LIMITS.message_bytes);
                assert!(message.payload_bytes <= LIMITS.inflate_bytes + (64 << 10));
            }
        }
    }
});
