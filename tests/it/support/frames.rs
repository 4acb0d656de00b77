//! WebSocket frames in raw bytes, odd ones included (RFC 6455 section 5.2).

use super::Dice;
use flate2::{Compress, Compression, FlushCompress};

/// How a frame writes its length.
#[derive(Clone, Copy)]
pub enum Length {
    Minimal,
    /// 16 bits even where 7 would do.
    Two,
    /// 64 bits even where fewer would do.
    Eight,
}

/// A frame: first byte as given, masked if a key is.
pub fn frame(first: u8, key: Option<[u8; 4]>, length: Length, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    match (length, payload.len()) {
        (Length::Minimal, n @ 0..126) => out.push(mask_bit | n as u8),
        (Length::Minimal | Length::Two, n @ 0..=0xffff) => {
            out.push(mask_bit | 126);
            out.extend((n as u16).to_be_bytes());
        }
        (_, n) => {
            out.push(mask_bit | 127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    match key {
        None => out.extend_from_slice(payload),
        Some(key) => {
            out.extend(key);
            out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
    }
    out
}

/// permessage-deflate payload (RFC 7692 section 7.2.1) in one context.
pub fn deflate(context: &mut Compress, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 1024);
    context.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(out.split_off(out.len() - 4), [0, 0, 0xff, 0xff]);
    out
}

/// A stream with everything that other proxies were seen to change.
pub fn odd_stream(masked: bool, seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut out = Vec::new();
    let mut add = |first, length, payload: &[u8], dice: &mut Dice| {
        let key = masked.then(|| (dice.next() as u32).to_le_bytes());
        out.extend(frame(first, key, length, payload));
    };
    for size in [0, 1, 125, 126, 127, 0xffff - 1, 0xffff, 0x1_0000, 0x1_0001] {
        let payload = dice.bytes(size);
        add(0x82, Length::Minimal, &payload, &mut dice);
    }
    // Non-minimal lengths.
    add(0x81, Length::Two, b"short", &mut dice);
    add(0x81, Length::Eight, b"short", &mut dice);
    add(0x82, Length::Eight, &[7; 300], &mut dice);
    // Fragments around control frames, empty ones among them.
    add(0x01, Length::Minimal, b"<mess", &mut dice);
    add(0x89, Length::Minimal, b"ping", &mut dice);
    add(0x00, Length::Minimal, b"", &mut dice);
    add(0x8a, Length::Minimal, b"", &mut dice);
    add(0x00, Length::Minimal, b"age/", &mut dice);
    add(0x80, Length::Minimal, b">", &mut dice);
    // Reserved bits, reserved opcodes, fragmented and oversized control frames, a continuation of nothing.
    for first in [0xc1, 0xa1, 0x91, 0x83, 0x8b, 0x8f, 0x09, 0x80] {
        add(first, Length::Minimal, b"reserved", &mut dice);
    }
    add(0x89, Length::Two, &[b'p'; 200], &mut dice);
    // Invalid UTF-8 as text.
    add(0x81, Length::Minimal, &[0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80], &mut dice);
    // permessage-deflate with context takeover.
    let mut context = Compress::new(Compression::default(), false);
    for n in 0..3 {
        let payload = deflate(&mut context, format!("<message n='{n}'>{}</message>", "again ".repeat(50)).as_bytes());
        add(0xc1, Length::Minimal, &payload, &mut dice);
    }
    // A close with a code, then data that must not be there.
    add(0x88, Length::Minimal, &[0x03, 0xe8, b'b', b'y', b'e'], &mut dice);
    add(0x81, Length::Minimal, b"after the close", &mut dice);
    out
}
