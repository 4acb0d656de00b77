//! The scan: any bytes, as lines cut anywhere, as a file of any kind, as an archive. A secret that it was given is found.
#![no_main]

use finesse_tap::capture::policy::Level;
use finesse_tap::scan::{Hit, Lines, Place, Scanner};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

const SECRET: &str = "Canary-Secret-9f3a";

fuzz_target!(|data: &[u8]| {
    let scanner = Scanner::new(Level::Share, [SECRET]);
    assert_eq!(lines(&scanner, data, usize::MAX), lines(&scanner, data, 3));
    let mut hits = 0;
    let _ = scanner.stream(&mut &*data, &Place::default(), &mut |_| (), &mut |_| hits += 1);
    let _ = scanner.archive("x", Cursor::new(data), &mut |_| hits += 1);
    let mut with = data.to_vec();
    with.extend_from_slice(b"\n");
    with.extend_from_slice(SECRET.as_bytes());
    assert!(lines(&scanner, &with, usize::MAX).iter().any(|hit| hit.contains("known-secret")), "not found");
});

fn lines(scanner: &Scanner, data: &[u8], part_bytes: usize) -> Vec<String> {
    let mut hits = Vec::new();
    let place = Place::default();
    let mut lines = Lines::new(scanner, &place, |Hit { place, kind, why, shown, .. }| {
        assert!(!shown.contains(SECRET));
        hits.push(format!("{}:{} {kind} {why} {shown}", place.line, place.column));
    });
    for part in data.chunks(part_bytes.min(data.len()).max(1)) {
        lines.feed(part);
    }
    lines.finish();
    hits
}
