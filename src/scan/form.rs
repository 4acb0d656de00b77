//! What a file is, by its first bytes.

use crate::stored::is_gzip;

/// How bytes become text.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// They are it, or nothing says otherwise.
    Plain,
    /// UTF-16, in the byte order of this function.
    Wide(fn([u8; 2]) -> u16),
    /// gzip (RFC 1952).
    Gzip,
    /// A tar archive (POSIX ustar).
    Tar,
    /// pcap or pcapng.
    Packets,
    /// Something that is not opened here, in words.
    Closed(&'static str),
}

/// Where a tar archive says what it is.
const USTAR_AT: usize = 257;

impl Form {
    /// Of what begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        const CLOSED: [(&[u8], &str); 10] = [
            (b"PK\x03\x04", "an archive in an archive or a damaged one: unpack it first"),
            (b"PK\x05\x06", "an archive in an archive or a damaged one: unpack it first"),
            (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first"),
            (b"\xfd7zXZ\0", "compressed by xz: unpack it first"),
            (b"BZh", "compressed by bzip2: unpack it first"),
            (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
            (b"Rar!", "a RAR archive: unpack it first"),
            (b"age-encryption.org/", "encrypted by age"),
            (b"-----BEGIN AGE ENCRYPTED FILE-----", "encrypted by age"),
            (b"%PDF-", "a PDF, whose text is compressed"),
        ];
        const PACKETS: [&[u8]; 5] =
            [b"\x0a\x0d\x0d\x0a", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"];
        match head {
            _ if is_gzip(head) => Self::Gzip,
            _ if head.get(USTAR_AT..).is_some_and(|rest| rest.starts_with(b"ustar")) => Self::Tar,
            _ if PACKETS.iter().any(|magic| head.starts_with(magic)) => Self::Packets,
            [0xff, 0xfe, ..] => Self::Wide(u16::from_le_bytes),
            [0xfe, 0xff, ..] => Self::Wide(u16::from_be_bytes),
            _ => match CLOSED.into_iter().find(|(magic, _)| head.starts_with(magic)) {
                Some((_, what)) => Self::Closed(what),
                None => wide_by_looks(head).map_or(Self::Plain, Self::Wide),
            },
        }
    }

    /// Why it cannot be looked at as a whole, if it cannot.
    pub(super) fn unseen(&self) -> Option<&'static str> {
        match self {
            Self::Closed(what) => Some(what),
            Self::Gzip | Self::Tar => Some("packed too many times: unpack it first"),
            Self::Plain | Self::Wide(_) | Self::Packets => None,
        }
    }
}

/// UTF-16 without a byte order mark: of text in most languages the upper byte of many units is 0, the lower of hardly any.
fn wide_by_looks(head: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let units = head.len() / 2;
    let nuls = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    let text = |upper: usize, lower: usize| units >= 4 && upper * 10 >= units * 4 && lower * 50 <= units;
    if text(odd, even) {
        return Some(u16::from_le_bytes);
    }
    text(even, odd).then_some(u16::from_be_bytes)
}
