//! What a file is, told by its first bytes, so that whoever was given the wrong one is told which to give.
//!
//! A guess made of at most [`HEAD_BYTES`], by which [`Sources`](super::Sources) opens what is named. Looks into gzip, into
//! nothing else.

use super::ReadToEndOf as _;
use super::line::Positioned;
use super::unpack::{Unpacked, is_gzip};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How much of a file is looked at.
const HEAD_BYTES: u64 = 4 << 10;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing is in it.
    Empty,
    /// It begins with a line of finesse-tap.
    Capture,
    /// What a browser exported.
    Har,
    /// Packets, as tcpdump and Wireshark write them.
    Packets,
    /// A zip archive, such as a bundle.
    Zip,
    /// A tar archive.
    Tar,
    /// A bundle that is encrypted.
    Age,
    /// Compressed by zstd, which is not unpacked here.
    Zstd,
    /// Text as Windows PowerShell's `>` writes it.
    Utf16,
    /// Text of another kind.
    Text,
    /// None of these.
    Binary,
}

impl Kind {
    /// What the file at `path` is.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::sniffed(&File::open(path)?)?.0)
    }

    /// What a file is, whatever was read of it, and whether that is packed by gzip.
    pub(super) fn sniffed(file: &File) -> io::Result<(Self, bool)> {
        let mut head = Vec::new();
        Positioned::whole(file).take(HEAD_BYTES).read_to_end_of(&mut head)?;
        if !is_gzip(&head) {
            return Ok((Self::beginning_with(&head), false));
        }
        head.clear();
        // What cannot be unpacked is found out, and told, by whoever reads it.
        let _ = Unpacked::new(Positioned::whole(file)).take(HEAD_BYTES).read_to_end_of(&mut head);
        Ok((if head.is_empty() { Self::Binary } else { Self::beginning_with(&head) }, true))
    }

    fn beginning_with(head: &[u8]) -> Self {
        let is_in_it = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match head {
            [] => Self::Empty,
            // pcapng, and pcap in both byte orders with micro- and nanoseconds.
            [0x0a, 0x0d, 0x0d, 0x0a, ..]
            | [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Self::Packets,
            [b'P', b'K', 3..=6, ..] => Self::Zip,
            // POSIX and GNU both (POSIX.1-1988, the header's magic).
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Utf16,
            _ if head.starts_with(b"age-encryption.org/") => Self::Age,
            _ if text.starts_with(b"{\"@timestamp\"") && is_in_it("\"finesse\"") => Self::Capture,
            _ if text.starts_with(b"{")
                && is_in_it("\"log\"")
                && (is_in_it("\"entries\"") || is_in_it("\"creator\"")) =>
            {
                Self::Har
            }
            _ if head.contains(&0) || std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some()) => {
                Self::Binary
            }
            _ => Self::Text,
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "an empty file",
            Self::Capture => "a capture",
            Self::Har => "a HAR",
            Self::Packets => "a packet capture (pcap)",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Age => "an encrypted bundle",
            Self::Zstd => "compressed by zstd",
            Self::Utf16 => "UTF-16, as PowerShell's > writes it",
            Self::Text => "text of another kind",
            Self::Binary => "a binary file",
        }
    }

    /// Whether no line of a capture can be in it.
    pub(super) fn is_foreign(self) -> bool {
        matches!(self, Self::Packets | Self::Age | Self::Zstd | Self::Utf16 | Self::Binary)
    }

    /// What to do with the file at `path` where a capture was wanted.
    #[must_use]
    pub fn instead_of_a_capture(self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::Har => format!("`finesse-tap import {path}` makes a capture of it"),
            Self::Packets => PACKETS.to_owned(),
            Self::Age => format!("decrypt and unpack it first: age -d -i key.txt -o bundle.zip {path}"),
            Self::Zstd => format!("unpack it first: zstd -d {path}"),
            Self::Utf16 => String::from("save it as UTF-8, and let --capture DIR write the next one"),
            Self::Empty | Self::Capture | Self::Zip | Self::Tar | Self::Text | Self::Binary => super::WHERE.to_owned(),
        }
    }

    /// What to do with the file at `path` where a HAR was wanted.
    #[must_use]
    pub fn instead_of_a_har(self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::Capture => format!("it needs no import: finesse-tap report {path}"),
            Self::Packets => PACKETS.to_owned(),
            Self::Zip | Self::Tar | Self::Age | Self::Zstd => {
                String::from("unpack it first, and import the .har that is in it")
            }
            Self::Utf16 => String::from("save it as UTF-8"),
            Self::Empty | Self::Har | Self::Text | Self::Binary => {
                String::from("a HAR is what \"Export HAR\" saves, in the Network panel of a browser's DevTools (F12)")
            }
        }
    }
}

/// What to do with packets.
const PACKETS: &str = "TLS in packets cannot be read afterwards: record with `finesse-tap run`, or import a HAR that the \
                       browser exported";

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn files_are_known_by_how_they_begin() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let capture = b"{\"@timestamp\":\"2026-01-15T09:00:00Z\",\"finesse\":{}}\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(capture).unwrap();
        let cases: [(&[u8], Kind); 14] = [
            (b"", Kind::Empty),
            (capture, Kind::Capture),
            (&gzip.finish().unwrap(), Kind::Capture),
            (b"\x1f\x8bnonsense", Kind::Binary),
            (b"\xef\xbb\xbf{\n  \"log\": {\n \"version\": \"1.2\", \"creator\": {", Kind::Har),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", Kind::Packets),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", Kind::Packets),
            (b"PK\x03\x04rest", Kind::Zip),
            (b"age-encryption.org/v1\n-> X25519", Kind::Age),
            (b"\x28\xb5\x2f\xfd..", Kind::Zstd),
            (b"\xff\xfe{\0", Kind::Utf16),
            ("hällo\n".as_bytes(), Kind::Text),
            // Cut within a character.
            (&"hä".as_bytes()[..2], Kind::Text),
            (b"\x7fELF\0", Kind::Binary),
        ];
        for (bytes, kind) in cases {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Kind::of(&path).unwrap(), kind, "{bytes:?}");
        }
    }
}
