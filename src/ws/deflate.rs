//! Inflating permessage-deflate messages (RFC 7692 section 7.2.2) within a limit.
//!
//! [`Inflater`] takes a message's compressed payload in any pieces and hands the inflated bytes on through a small fixed
//! buffer, so that a message may be counted and dropped while the window stays in step with the sender's. It reads every
//! window size the handshake can agree on, knows nothing of frames, and costs some 48 KB of heap while it lives.

use flate2::{Decompress, FlushDecompress, Status};

/// Inflated bytes handed on at a time.
const OUTPUT_BYTES: usize = 4096;

/// What a sender takes off the end of each message (RFC 7692 section 7.2.1, step 3).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Why a message, and with it the rest of the direction, cannot be inflated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InflateError {
    /// Not DEFLATE (RFC 1951), or it refers to bytes before the window.
    #[error("{}", self.as_str())]
    Corrupt,
    /// One message inflates to more than the limit.
    #[error("{}", self.as_str())]
    TooLarge,
}

impl InflateError {
    /// A constant sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "a compressed message is not valid DEFLATE (RFC 7692 section 7.2.2)",
            Self::TooLarge => "a compressed message inflates beyond the limit",
        }
    }
}

/// One direction's decompressor with its window.
pub struct Inflater {
    stream: Decompress,
    /// The stream has taken bits since the last message or final block ended, so the message needs its tail.
    underway: bool,
    message_bytes: u64,
    limit_bytes: u64,
}

impl Inflater {
    /// `limit_bytes`: the size after inflating beyond which a message is an error.
    #[must_use]
    pub fn new(limit_bytes: u64) -> Self {
        Self { stream: Decompress::new(false), underway: false, message_bytes: 0, limit_bytes }
    }

    /// Inflates the next piece of the current message into `keep`, which is called with at most 4 KiB at a time.
    ///
    /// # Errors
    /// [`InflateError`]; the inflater is of no use afterwards.
    pub fn feed(&mut self, piece: &[u8], keep: &mut impl FnMut(&[u8])) -> Result<(), InflateError> {
        let mut piece = piece;
        let mut output = [0; OUTPUT_BYTES];
        let mut full = false;
        while !piece.is_empty() || full {
            self.underway |= !piece.is_empty();
            let (in_before, out_before) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(piece, &mut output, FlushDecompress::Sync);
            let taken = (self.stream.total_in() - in_before) as usize;
            let made = (self.stream.total_out() - out_before) as usize;
            // The limit comes before any error behind it, so that one read or many of the same bytes end alike.
            self.message_bytes += made as u64;
            if self.message_bytes > self.limit_bytes {
                return Err(InflateError::TooLarge);
            }
            keep(output.get(..made).unwrap_or_default());
            piece = piece.get(taken..).unwrap_or_default();
            full = made == OUTPUT_BYTES;
            match status {
                // A block with BFINAL set ends the DEFLATE stream but not the message (RFC 7692 section 7.2.3.4).
                Ok(Status::StreamEnd) => {
                    self.stream.reset(false);
                    self.underway = false;
                    full = false;
                }
                Ok(_) if taken == 0 && made == 0 && !piece.is_empty() => return Err(InflateError::Corrupt),
                Ok(_) => {}
                Err(_) => return Err(InflateError::Corrupt),
            }
        }
        Ok(())
    }

    /// The current message is complete: what was held back comes out, the next [`feed`](Self::feed) is another message.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub fn end_message(&mut self, keep: &mut impl FnMut(&[u8])) -> Result<(), InflateError> {
        // Behind a final block, or after no bytes at all, a tail would be read as the start of another block.
        if self.underway {
            self.feed(&TAIL, keep)?;
        }
        self.underway = false;
        self.message_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(inflater: &mut Inflater, message: &[u8], piece_bytes: usize) -> Result<Vec<u8>, InflateError> {
        let mut out = Vec::new();
        let mut keep = |bytes: &[u8]| out.extend_from_slice(bytes);
        for piece in message.chunks(piece_bytes) {
            inflater.feed(piece, &mut keep)?;
        }
        inflater.end_message(&mut keep)?;
        Ok(out)
    }

    /// RFC 7692 sections 7.2.3.1 to 7.2.3.6.
    #[test]
    fn examples_of_the_rfc() {
        let cases: [(&str, &[&[u8]]); 5] = [
            ("one block", &[&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]]),
            ("shared window", &[&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], &[0xf2, 0x00, 0x11, 0x00, 0x00]]),
            ("stored block", &[&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]]),
            ("final block", &[&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]]),
            ("two blocks", &[&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]]),
        ];
        for (name, messages) in cases {
            for piece_bytes in 1..=16 {
                let mut inflater = Inflater::new(5);
                for message in messages {
                    assert_eq!(inflate(&mut inflater, message, piece_bytes), Ok(b"Hello".to_vec()), "{name}");
                }
                assert_eq!(inflate(&mut inflater, &[0x00], piece_bytes), Ok(vec![]), "{name}, then an empty message");
            }
        }
    }

    #[test]
    fn a_final_block_or_an_empty_payload_without_its_tail_leaves_the_next_message_readable() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let mut inflater = Inflater::new(100);
        assert_eq!(inflate(&mut inflater, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 3), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(&mut inflater, &hello, 3), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(&mut inflater, &[], 3), Ok(vec![]));
        assert_eq!(inflate(&mut inflater, &hello, 3), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn the_limit_is_per_message_and_exact() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let mut inflater = Inflater::new(5);
        for _ in 0..10 {
            assert_eq!(inflate(&mut inflater, &hello, 7), Ok(b"Hello".to_vec()));
        }
        assert_eq!(inflate(&mut Inflater::new(4), &hello, 7), Err(InflateError::TooLarge));
        assert_eq!(inflate(&mut Inflater::new(4), &hello, 1), Err(InflateError::TooLarge));
    }

    #[test]
    fn corrupt_input_is_an_error() {
        // Block type 3 does not exist; a distance may not reach before the window.
        assert_eq!(inflate(&mut Inflater::new(100), &[0x07], 1), Err(InflateError::Corrupt));
        assert_eq!(inflate(&mut Inflater::new(100), &[0xf2, 0x00, 0x11, 0x00, 0x00], 9), Err(InflateError::Corrupt));
    }
}
