//! gzip unpacked within limits, whatever it claims: in all, and in proportion to what was read.
//!
//! Deflate reaches about 1,030 to one; text of ours stays far below [`MAX_RATIO`], so that more than that is made to
//! exhaust whoever unpacks it. The first [`MAX_FREE_BYTES`] are not judged.

use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// Most that a compressed file is unpacked to, bytes.
pub const MAX_UNPACKED_BYTES: u64 = 64 << 30;
/// Most that a byte may unpack to, bytes.
pub const MAX_RATIO: u64 = 300;
/// What anything may unpack to, bytes.
pub const MAX_FREE_BYTES: u64 = 64 << 20;

/// Whether a file that begins so is gzip (RFC 1952 section 2.3.1).
#[must_use]
pub fn is_gzip(magic: &[u8]) -> bool {
    magic.starts_with(&[0x1f, 0x8b])
}

/// Whether so much from so little is made to exhaust.
#[must_use]
pub fn is_bomb(packed_bytes: u64, unpacked_bytes: u64) -> bool {
    unpacked_bytes > MAX_UNPACKED_BYTES
        || unpacked_bytes > MAX_FREE_BYTES && unpacked_bytes / MAX_RATIO > packed_bytes.max(1)
}

/// What a gzip file of one or more members holds.
pub struct Unpacked<R> {
    decoder: MultiGzDecoder<Count<R>>,
    unpacked_bytes: u64,
}

impl<R: Read> Unpacked<R> {
    /// Unpacks `packed`.
    pub fn new(packed: R) -> Self {
        Self { decoder: MultiGzDecoder::new(Count { packed, bytes: 0 }), unpacked_bytes: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.unpacked_bytes += read as u64;
        if is_bomb(self.decoder.get_ref().bytes, self.unpacked_bytes) {
            return Err(io::Error::other("it unpacks to far more than text does: it may be made to exhaust"));
        }
        Ok(read)
    }
}

struct Count<R> {
    packed: R,
    bytes: u64,
}

impl<R: Read> Read for Count<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.packed.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_grows_beyond_reason_is_refused() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
        // One member after the other (RFC 1952 section 2.2).
        let bomb = gzip.finish().unwrap().repeat(usize::try_from(MAX_FREE_BYTES >> 20).unwrap() + 2);
        let mut out = io::sink();
        assert!(io::copy(&mut Unpacked::new(&*bomb), &mut out).is_err());
        assert!(!is_bomb(1, MAX_FREE_BYTES) && !is_bomb(1 << 30, MAX_UNPACKED_BYTES));
        assert!(is_bomb(u64::MAX, MAX_UNPACKED_BYTES + 1) && is_bomb(1 << 20, (MAX_RATIO + 1) << 20));
    }
}
