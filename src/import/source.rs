//! A file that somebody was handed becomes HARs that can be read at any place: as it is, or unpacked.
//!
//! gzip, a zip with HARs in it, and UTF-16 are unpacked into temporary files without a name, which are gone with the
//! program. Limits: those of [`Unpacked`] against what is made to exhaust.

use crate::stored::{Unpacked, is_bomb, is_gzip};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write as _};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// One HAR, readable at any place.
pub(super) struct Source {
    /// What it is called: the file, with the name inside a zip behind it.
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// The HARs in the file at `path`: one, or as many as a zip holds.
pub(super) fn open(path: &Path) -> io::Result<Vec<Source>> {
    let mut file = File::open(path)?;
    let magic = beginning(&mut file, 4)?;
    if magic.starts_with(b"PK\x03\x04") {
        return members(path, file);
    }
    Ok(vec![plain(path.to_owned(), file, &magic)?])
}

fn members(path: &Path, file: File) -> io::Result<Vec<Source>> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(&error))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let name = member.name().map_err(|error| unreadable(&error))?.into_owned();
        let lower = name.to_ascii_lowercase();
        // What macOS adds is no HAR, whatever it is called.
        let is_har = lower.ends_with(".har") || lower.ends_with(".har.gz");
        if !member.is_file() || !is_har || name.starts_with("__MACOSX/") {
            continue;
        }
        let packed_bytes = member.compressed_size();
        let mut unpacked = unpack(Bounded { packed_bytes, bytes: 0, inner: member })?;
        let magic = beginning(&mut unpacked, 4)?;
        found.push(plain(path.join(name), unpacked, &magic)?);
    }
    if found.is_empty() {
        return Err(io::Error::other(
            "no .har is in this zip archive\nhint: what a browser exported is wanted, or a zip of such",
        ));
    }
    Ok(found)
}

fn unreadable(error: &zip::result::ZipError) -> io::Error {
    io::Error::other(format!(
        "a zip archive that cannot be read ({error})\nhint: unpack it, and import the .har that is in it"
    ))
}

/// The first `bytes` of a file, or all of it if it is shorter; it stands at its beginning then.
#[expect(clippy::disallowed_methods, reason = "it is limited: that is what Take does")]
pub(super) fn beginning(mut file: impl Read + Seek, bytes: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.by_ref().take(bytes).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head)
}

/// A file that is no archive, begins with `magic`, and stands at its beginning.
fn plain(path: PathBuf, file: File, magic: &[u8]) -> io::Result<Source> {
    let file = match magic {
        _ if is_gzip(magic) => {
            let mut file = unpack(Unpacked::new(BufReader::new(file)))?;
            let inner = beginning(&mut file, 2)?;
            from_utf16(file, &inner)?
        }
        _ => from_utf16(file, magic)?,
    };
    Ok(Source { path, file })
}

fn unpack(mut packed: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut packed, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Text as Windows PowerShell's `>` writes it, as UTF-8; anything else as it is. RFC 2781 section 3.3; JSON begins with a
/// bracket, which tells the byte order where no mark does.
fn from_utf16(file: File, magic: &[u8]) -> io::Result<File> {
    let unit: fn([u8; 2]) -> u16 = match magic {
        [0xff, 0xfe, ..] | [b'{', 0, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] | [0, b'{', ..] => u16::from_be_bytes,
        _ => return Ok(file),
    };
    let mut out = BufWriter::new(tempfile::tempfile()?);
    let mut bytes = BufReader::new(file).bytes();
    let mut failure = None;
    let units = std::iter::from_fn(|| match (bytes.next()?, bytes.next()?) {
        (Ok(first), Ok(second)) => Some(unit([first, second])),
        (Err(error), _) | (_, Err(error)) => {
            failure = Some(error);
            None
        }
    });
    for c in char::decode_utf16(units) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// A member of a zip, as long as it does not unpack to far more than HARs do.
struct Bounded<R> {
    packed_bytes: u64,
    bytes: u64,
    inner: R,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if is_bomb(self.packed_bytes, self.bytes) {
            return Err(io::Error::other("it unpacks to far more than text does: it may be made to exhaust"));
        }
        Ok(read)
    }
}
