//! A tar archive becomes the texts of its members, names included, one behind the other.
//!
//! Nothing is written anywhere. Limit: [`MAX_MEMBERS`] members. What a member links to is not followed.

use super::Scanner;
use super::file::{Scanned, unseen};
use super::hit::{Hit, Place};
use std::io::{self, Read};

/// Most members looked at.
const MAX_MEMBERS: usize = 1_000_000;

pub(super) fn scan(
    scanner: &Scanner,
    input: &mut dyn Read,
    place: &Place,
    layers: u8,
    tick: &mut dyn FnMut(u64),
    found: &mut dyn FnMut(Hit),
) -> io::Result<Scanned> {
    let mut all = Scanned::default();
    let mut archive = tar::Archive::new(input);
    for (number, member) in archive.entries()?.enumerate() {
        let Ok(mut member) = member else {
            found(unseen(place.clone(), "a damaged archive: what follows in it was not looked at"));
            break;
        };
        if number >= MAX_MEMBERS {
            found(unseen(place.clone(), "it has more members than are looked at"));
            break;
        }
        let name = member.path_bytes().into_owned();
        let inner = String::from_utf8_lossy(&name).escape_debug().to_string();
        let inner = place.member.as_ref().map_or(inner.clone(), |outer| format!("{outer}/{inner}"));
        let place = Place { member: Some(inner), ..place.clone() };
        scanner.name(&name, &place, found);
        if let Some(target) = member.link_name_bytes() {
            scanner.name(&target, &place, found);
        }
        all.add(scanner.layer(&mut member, &place, layers, tick, found)?);
    }
    Ok(all)
}
