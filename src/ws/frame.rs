//! Frame headers (RFC 6455 section 5.2) read from bytes that may be split anywhere, payload unmasking (section 5.3), and whole
//! frames made.
//!
//! Knows the layout only: reserved opcodes, set reserved bits, over-long lengths and lengths beyond 63 bits all come out
//! as they are, for [`Decoder`](crate::ws::Decoder) to judge. tungstenite's `FrameHeader::parse` refuses reserved opcodes
//! without telling their length, after which a passive reader would be lost; it serves as oracle in the tests instead.

use crate::conn::Direction;
use bytes::Bytes;

/// The longest header: two bytes, a 64-bit length, a mask.
pub const MAX_HEADER_BYTES: usize = 14;

/// A frame header, nothing judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Last frame of its message.
    pub fin: bool,
    /// First reserved bit: "compressed" under permessage-deflate (RFC 7692 section 6).
    pub rsv1: bool,
    /// Second reserved bit.
    pub rsv2: bool,
    /// Third reserved bit.
    pub rsv3: bool,
    /// The four opcode bits, 0x0 to 0xF.
    pub opcode: u8,
    /// Payload length as claimed, bytes, all 64 bits of it.
    pub payload_bytes: u64,
    /// The length is written in the shortest of its three forms.
    pub minimal: bool,
    /// The masking key, if the frame is masked.
    pub mask: Option<[u8; 4]>,
}

impl Header {
    /// Reads the header at the start of `bytes`; `None` while it is incomplete.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (payload_bytes, minimal, rest) = match second & 0x7F {
            126 => {
                let (&length, rest) = rest.split_first_chunk()?;
                let length = u16::from_be_bytes(length);
                (u64::from(length), length > 125, rest)
            }
            127 => {
                let (&length, rest) = rest.split_first_chunk()?;
                let length = u64::from_be_bytes(length);
                (length, length > 0xFFFF, rest)
            }
            length => (u64::from(length), true, rest),
        };
        let mask = if second & 0x80 == 0 { None } else { Some(*rest.first_chunk()?) };
        Some(Self {
            fin: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode: first & 0x0F,
            payload_bytes,
            minimal,
            mask,
        })
    }

    /// A control frame: the opcode's top bit is set (RFC 6455 section 5.5).
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }
}

/// Gathers one header from as many pieces as it comes in; holds no heap memory.
#[derive(Clone, Copy, Default)]
pub struct HeaderReader {
    bytes: [u8; MAX_HEADER_BYTES],
    held: usize,
}

impl HeaderReader {
    /// Whether no byte of a header is held: the next one fed is a frame's first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Takes what the header still lacks from the start of `input`: how many bytes that was, and the header once complete.
    pub fn feed(&mut self, input: &[u8]) -> (usize, Option<Header>) {
        for (index, &byte) in input.iter().enumerate() {
            if let Some(slot) = self.bytes.get_mut(self.held) {
                *slot = byte;
                self.held += 1;
            }
            if let Some(header) = self.bytes.get(..self.held).and_then(Header::parse) {
                self.held = 0;
                return (index + 1, Some(header));
            }
        }
        (input.len(), None)
    }
}

/// `piece` of a payload in clear; `at` is how many payload bytes of its frame came before it. Copies only if masked.
#[must_use]
pub fn unmask(piece: Bytes, mask: Option<[u8; 4]>, at: u64) -> Bytes {
    let Some(mut key) = mask else { return piece };
    key.rotate_left((at % 4) as usize);
    let mut clear = piece.to_vec();
    let [a, b, c, d] = key;
    let long_key = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, tail) = clear.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ long_key).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    clear.into()
}

/// One unfragmented frame; the client's is masked, as it must be, but with zeros, so that its payload can be read.
#[must_use]
pub fn encode(direction: Direction, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + MAX_HEADER_BYTES);
    out.push(0x80 | opcode);
    let mask_bit = if direction == Direction::C2s { 0x80 } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => out.push(mask_bit | length),
        (_, Ok(length)) => {
            out.push(mask_bit | 126);
            out.extend(length.to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    if direction == Direction::C2s {
        out.extend([0; 4]);
    }
    out.extend(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use tungstenite::protocol::frame::FrameHeader;
    use tungstenite::protocol::frame::coding::OpCode;

    #[test]
    fn what_is_encoded_is_parsed_again() {
        for payload_bytes in [0, 125, 126, 65_535, 65_536] {
            for (direction, mask) in [(Direction::C2s, Some([0; 4])), (Direction::S2c, None)] {
                let frame = encode(direction, 2, &vec![7; payload_bytes]);
                let header = Header::parse(&frame).unwrap();
                assert!(header.fin && header.minimal && header.opcode == 2 && header.mask == mask);
                assert_eq!(header.payload_bytes, payload_bytes as u64);
                assert!(frame.ends_with(&vec![7; payload_bytes]));
            }
        }
    }

    /// Every header of up to 14 bytes that differs in its two first bytes, over three tails.
    #[test]
    fn every_first_two_bytes_agree_with_tungstenite() {
        for (first, second, fill) in
            (0..=255u8).flat_map(|a| (0..=255u8).flat_map(move |b| [(a, b, 0), (a, b, 1), (a, b, 0xFF)]))
        {
            let mut bytes = [fill; MAX_HEADER_BYTES];
            bytes[0] = first;
            bytes[1] = second;
            let ours = Header::parse(&bytes).expect("14 bytes hold any header");
            assert_eq!(ours.opcode, first & 0x0F);
            let mut cursor = Cursor::new(&bytes[..]);
            let Ok(theirs) = FrameHeader::parse(&mut cursor) else {
                assert!(matches!(ours.opcode, 3..=7 | 0xB..=0xF), "they refuse reserved opcodes only");
                continue;
            };
            let (theirs, length) = theirs.expect("complete");
            assert_eq!(
                (ours.fin, ours.rsv1, ours.rsv2, ours.rsv3, OpCode::from(ours.opcode), ours.mask, ours.payload_bytes),
                (theirs.is_final, theirs.rsv1, theirs.rsv2, theirs.rsv3, theirs.opcode, theirs.mask, length)
            );
            assert_eq!(ours.minimal, theirs.len(length) as u64 == cursor.position(), "{first:x} {second:x} {fill:x}");
            let size = cursor.position() as usize;
            for cut in 0..size {
                assert_eq!(Header::parse(&bytes[..cut]), None);
                let mut reader = HeaderReader::default();
                assert_eq!(reader.feed(&bytes[..cut]), (cut, None));
                assert_eq!(reader.feed(&bytes[cut..]), (size - cut, Some(ours)));
            }
        }
    }

    #[test]
    fn unmasking_matches_the_rule_bytewise_wherever_it_is_cut() {
        let mask = [0x37, 0xFA, 0x21, 0x3D];
        let masked: Vec<u8> = (0..100u8).collect();
        let clear: Vec<u8> = masked.iter().enumerate().map(|(i, b)| b ^ mask[i % 4]).collect();
        for cut in 0..=masked.len() {
            let head = unmask(Bytes::copy_from_slice(&masked[..cut]), Some(mask), 0);
            let tail = unmask(Bytes::copy_from_slice(&masked[cut..]), Some(mask), cut as u64);
            assert_eq!([head, tail].concat(), clear);
        }
    }

    #[test]
    fn what_is_not_masked_is_not_copied() {
        let piece = Bytes::from(vec![1, 2, 3]);
        assert_eq!(unmask(piece.clone(), None, 5).as_ptr(), piece.as_ptr());
    }
}
