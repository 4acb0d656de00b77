//! Content codings (RFC 9110 section 8.4): gzip, deflate and br undone on a kept body, within a limit.

use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;
use std::io::Read;

/// Why a body's content cannot be told. A constant sentence, never a byte of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Undecodable(pub &'static str);

/// Undoes `coding` (a `Content-Encoding` value; `None` is identity) on a complete body, giving at most `limit_bytes`.
///
/// # Errors
/// An unknown coding, damaged data, or content over the limit.
pub fn decode<'b>(coding: Option<&[u8]>, body: &'b [u8], limit_bytes: usize) -> Result<Cow<'b, [u8]>, Undecodable> {
    let coding = coding.unwrap_or_default().trim_ascii().to_ascii_lowercase();
    match &coding[..] {
        b"" | b"identity" => Ok(Cow::Borrowed(body)),
        b"gzip" | b"x-gzip" => {
            read_limited(flate2::bufread::MultiGzDecoder::new(body), limit_bytes, "the gzip content is damaged")
        }
        // "deflate" is zlib by the book and raw deflate in the wild (RFC 9110 section 8.4.1.2).
        b"deflate" => inflate(Decompress::new(true), body, limit_bytes)
            .or_else(|_| inflate(Decompress::new(false), body, limit_bytes))
            .map(Cow::Owned),
        b"br" => {
            read_limited(brotli_decompressor::Decompressor::new(body, 4_096), limit_bytes, "the br content is damaged")
        }
        _ => Err(Undecodable("the content coding is not one of gzip, deflate, br")),
    }
}

fn read_limited(
    reader: impl Read,
    limit_bytes: usize,
    damaged: &'static str,
) -> Result<Cow<'static, [u8]>, Undecodable> {
    let mut content = Vec::new();
    let mut limited = reader.take(limit_bytes as u64 + 1);
    std::io::copy(&mut limited, &mut content).map_err(|_| Undecodable(damaged))?;
    if content.len() > limit_bytes {
        return Err(Undecodable("the content is larger than the limit"));
    }
    Ok(Cow::Owned(content))
}

fn inflate(mut inflater: Decompress, body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Undecodable> {
    const DAMAGED: Undecodable = Undecodable("the deflate content is damaged");
    let mut content = Vec::new();
    loop {
        let consumed = usize::try_from(inflater.total_in()).map_err(|_| DAMAGED)?;
        let rest = body.get(consumed..).unwrap_or_default();
        content.reserve(16 * 1_024);
        let before = content.len();
        let status = inflater.decompress_vec(rest, &mut content, FlushDecompress::None).map_err(|_| DAMAGED)?;
        if content.len() > limit_bytes {
            return Err(Undecodable("the content is larger than the limit"));
        }
        match status {
            Status::StreamEnd => return Ok(content),
            _ if rest.is_empty() || content.len() == before => return Err(DAMAGED),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    #[test]
    fn every_coding_gives_back_the_content() {
        let text = b"<User><state>READY</state></User>".repeat(50);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        for encoder in [&mut gzip as &mut dyn Write, &mut zlib, &mut raw] {
            encoder.write_all(&text).unwrap();
        }
        // A br stream of one uncompressed metablock, by hand after RFC 7932 section 9.2: "hello".
        let br = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        for (coding, body, expected) in [
            ("gzip", gzip.finish().unwrap(), &text[..]),
            ("deflate", zlib.finish().unwrap(), &text),
            ("Deflate", raw.finish().unwrap(), &text),
            ("br", br.to_vec(), b"hello"),
        ] {
            assert_eq!(decode(Some(coding.as_bytes()), &body, 1 << 20).as_deref(), Ok(expected), "{coding}");
            let cut = &body[..body.len() - 1];
            assert!(decode(Some(coding.as_bytes()), cut, 1 << 20).is_err(), "{coding} cut");
            assert!(decode(Some(coding.as_bytes()), &body, 3).is_err(), "{coding} over the limit");
        }
        assert_eq!(decode(None, b"x", 10).as_deref(), Ok(&b"x"[..]));
        assert!(decode(Some(b"compress"), b"x", 10).is_err());
    }
}
