//! A zip archive becomes the texts of its members, names included.
//!
//! Unpacks as it reads, so memory does not grow with what a member claims to be. Limits: [`MAX_MEMBERS`] members,
//! [`MAX_MEMBER_BYTES`] of each, and what [`stored`](crate::stored) allows to unpack from so little, of each and in all. What
//! is beyond, encrypted, or an archive itself is a hit, as it may hold anything.

use super::Scanner;
use super::file::{Scanned, unseen};
use super::finding::Finding;
use super::har::Within;
use super::hit::{Hit, Place};
use super::lines;
use super::look::{Look, Memory, Origin};
use crate::stored::{ReadToEndOf as _, is_bomb};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use zip::ZipArchive;

/// Most members looked at.
const MAX_MEMBERS: usize = 100_000;
/// What an archive ends with, and the longest comment behind it, bytes.
const MAX_END_BYTES: u64 = 22 + 65_535;
/// Most of a member that is looked at, bytes.
const MAX_MEMBER_BYTES: u64 = 16 << 30;

pub(super) fn scan(
    scanner: &Scanner,
    mut archive: ZipArchive<impl Read + Seek>,
    place: &Place,
    tick: &mut dyn FnMut(u64),
    found: &mut dyn FnMut(Hit),
) -> io::Result<Scanned> {
    let mut packed_bytes: u64 = 0;
    for number in 0..archive.len().min(MAX_MEMBERS) {
        packed_bytes += archive.by_index_raw(number).map_or(0, |member| member.compressed_size());
    }
    let mut all = Scanned::default();
    if archive.len() > MAX_MEMBERS {
        found(unseen(place.clone(), "it has more members than are looked at"));
    }
    scanner.name(archive.comment(), &Place { member: Some("(comment)".to_owned()), ..place.clone() }, found);
    for number in 0..archive.len().min(MAX_MEMBERS) {
        let member = match archive.by_index(number) {
            Ok(member) => member,
            Err(_) => {
                let place = Place { member: Some(format!("(member {})", number + 1)), ..place.clone() };
                found(unseen(place, "a member that cannot be unpacked: encrypted, or compressed in an unknown way"));
                continue;
            }
        };
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let place = Place { member: Some(name.escape_debug().to_string()), ..place.clone() };
        scanner.name(name.as_bytes(), &place, found);
        scanner.name(member.comment().as_bytes(), &place, found);
        if member.is_dir() {
            continue;
        }
        let mut member = Measured { packed_bytes: member.compressed_size(), member, bytes: 0, is_over: false };
        match scanner.stream(&mut member, &place, tick, found) {
            Ok(scanned) => all.lines += scanned.lines,
            Err(_) => found(unseen(place.clone(), "a damaged member")),
        }
        all.bytes += member.bytes;
        if member.is_over {
            found(unseen(place.clone(), "it unpacks to more than is looked at"));
        }
        // Members may share what they unpack, so that each by itself is within its limits.
        if is_bomb(packed_bytes, all.bytes) {
            found(unseen(place, "the archive unpacks to more than is looked at"));
            break;
        }
    }
    Ok(all)
}

impl Scanner {
    /// Names and comments of members.
    pub(super) fn name(&self, text: &[u8], place: &Place, found: &mut dyn FnMut(Hit)) {
        let mut memory = Memory::default();
        let mut tell = |_at: usize, finding: &Finding<'_>, encoding: &'static str, _: &Within| {
            found(lines::hit(place.clone(), finding, encoding, None));
        };
        Look::new(self, &mut memory, &mut tell).text(text, Origin::Straight(0));
    }
}

/// The archive at the end of a file, and how much stands in front of it; `None` if there is none. Leaves the file at its
/// beginning.
pub(super) fn open(file: &mut File) -> io::Result<Option<(u64, ZipArchive<File>)>> {
    // What cannot be sought in is read as a stream.
    let Ok(length) = file.seek(SeekFrom::End(0)) else { return Ok(None) };
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_END_BYTES)))?;
    let mut end = Vec::new();
    (&mut *file).take(MAX_END_BYTES).read_to_end_of(&mut end)?;
    file.rewind()?;
    if memchr::memmem::rfind(&end, b"PK\x05\x06").is_none() {
        return Ok(None);
    }
    let Ok(archive) = ZipArchive::new(file.try_clone()?) else {
        file.rewind()?;
        return Ok(None);
    };
    let is_empty = archive.is_empty();
    Ok(Some((archive.offset(), archive)).filter(|(offset, _)| !is_empty || *offset == 0))
}

/// A member that ends where it unpacks to more than is believed.
struct Measured<R> {
    member: R,
    packed_bytes: u64,
    bytes: u64,
    is_over: bool,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let read = self.member.read(buffer)?;
        self.bytes += read as u64;
        self.is_over = self.bytes > MAX_MEMBER_BYTES || is_bomb(self.packed_bytes, self.bytes);
        Ok(read)
    }
}
