//! XMPP by itself: any bytes; where they are cut must not matter, and what is given out as an element is within the limit.
#![no_main]

use finesse_tap::xmpp::stream::{Decoder, Item, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { element_bytes: 256 };

fuzz_target!(|data: &[u8]| {
    assert_eq!(run(data, usize::MAX), run(data, 1));
    let stream = [b"<stream:stream>", data].concat();
    assert_eq!(run(&stream, usize::MAX), run(&stream, 7));
});

fn run(data: &[u8], piece: usize) -> Vec<String> {
    let mut decoder = Decoder::new(LIMITS);
    let mut out = Vec::new();
    for part in data.chunks(piece.min(data.len()).max(1)) {
        decoder.feed(part);
        while let Some(item) = decoder.next() {
            out.push(match item {
                Ok(Item::Open(text)) => format!("open {text}"),
                Ok(Item::Element(text)) => {
                    assert!(text.len() <= LIMITS.element_bytes);
                    text
                }
                Ok(Item::Close) => String::from("close"),
                Ok(Item::Space) => String::from("space"),
                Ok(Item::Unread { why, bytes }) => format!("{why} {bytes}"),
                Err(error) => error.to_string(),
            });
        }
    }
    out
}
