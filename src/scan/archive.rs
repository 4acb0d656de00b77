//! A zip archive becomes the texts of its members, names included.
//!
//! Unpacks as it reads, so memory does not grow with what a member claims to be. Limits: [`MAX_MEMBERS`] members,
//! [`MAX_UNPACKED_BYTES`] in all; what is beyond, encrypted, or an archive itself is a hit, as it may hold anything.

use super::Scanner;
use super::file::{MAX_UNPACKED_BYTES, Scanned, unseen};
use super::finding::Finding;
use super::hit::{Hit, Place};
use super::lines;
use super::look::{Look, Memory, Origin};
use std::io::{self, Read, Seek};
use zip::ZipArchive;

/// Most members looked at.
const MAX_MEMBERS: usize = 100_000;

pub(super) fn scan(
    scanner: &Scanner,
    archive: impl Read + Seek,
    place: &Place,
    tick: &mut dyn FnMut(u64),
    found: &mut dyn FnMut(Hit),
) -> io::Result<Scanned> {
    let mut archive = ZipArchive::new(archive).map_err(io::Error::from)?;
    let mut all = Scanned::default();
    if archive.len() > MAX_MEMBERS {
        found(unseen(place.clone(), "it has more members than are looked at"));
    }
    text(scanner, archive.comment(), &Place { member: Some("(comment)".to_owned()), ..place.clone() }, found);
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
        text(scanner, name.as_bytes(), &place, found);
        text(scanner, member.comment().as_bytes(), &place, found);
        if member.is_dir() {
            continue;
        }
        let left = MAX_UNPACKED_BYTES.saturating_sub(all.bytes);
        let mut member = member.take(left);
        match scanner.stream(&mut member, &place, tick, found) {
            Ok(scanned) => {
                all.bytes += scanned.bytes;
                all.lines += scanned.lines;
                all.binary += scanned.binary;
            }
            Err(_) => found(unseen(place.clone(), "a damaged member")),
        }
        if all.bytes >= MAX_UNPACKED_BYTES {
            found(unseen(place, "the archive unpacks to more than is looked at"));
            break;
        }
    }
    Ok(all)
}

/// Names and comments.
fn text(scanner: &Scanner, text: &[u8], place: &Place, found: &mut dyn FnMut(Hit)) {
    let mut memory = Memory::default();
    let mut tell = |_at: usize, finding: &Finding<'_>, encoding: &'static str| {
        found(lines::hit(place.clone(), finding, encoding));
    };
    Look::new(scanner, &mut memory, &mut tell).text(text, Origin::Straight(0));
}
