//! Rewriting: any bytes in both directions; where they are cut must not matter, and undoing the edits gives them back.
#![no_main]

use bytes::Bytes;
use finesse_tap::conn::{Authority, Direction};
use finesse_tap::rewrite::{Edit, Names, Rewriter};
use libfuzzer_sys::fuzz_target;

// The input is a sequence of (direction and length, bytes).
fuzz_target!(|data: &[u8]| {
    let whole = run(data, usize::MAX);
    assert_eq!(whole, run(data, 1));
    for (direction, fed, came) in whole.0 {
        assert!(undone(&came, whole.1.iter().filter(|edit| edit.direction == direction)) == fed);
    }
});

type Way = (Direction, Vec<u8>, Vec<u8>);

fn run(mut data: &[u8], piece: usize) -> ([Way; 2], Vec<Edit>) {
    let server = |port| Authority { host: "fin.example.test".into(), port };
    let names = Names { server: server(8445), ports: vec![(8445, server(8445)), (7443, server(7444))] };
    let mut rewriter = Rewriter::new(names);
    let mut ways = [Direction::C2s, Direction::S2c].map(|direction| (direction, Vec::new(), Vec::new()));
    let mut edits = Vec::new();
    let mut take = |rewriter: &mut Rewriter, ways: &mut [Way; 2]| {
        for (direction, _, came) in ways {
            came.extend_from_slice(&rewriter.take(*direction));
        }
        edits.extend(rewriter.edits());
    };
    while let [head, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(rest.len().min(usize::from(head >> 1)));
        let way = usize::from(head & 1);
        for part in bytes.chunks(piece.min(bytes.len()).max(1)) {
            ways[way].1.extend_from_slice(part);
            rewriter.feed(ways[way].0, Bytes::copy_from_slice(part));
            take(&mut rewriter, &mut ways);
        }
        data = rest;
    }
    for direction in [Direction::C2s, Direction::S2c] {
        rewriter.end(direction);
        take(&mut rewriter, &mut ways);
    }
    edits.sort_by_key(|edit| (edit.direction == Direction::S2c, edit.splices.first().map(|splice| splice.offset)));
    (ways, edits)
}

fn undone<'e>(came: &[u8], edits: impl Iterator<Item = &'e Edit>) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), came);
    for splice in edits.flat_map(|edit| &edit.splices) {
        let (before, after) = rest.split_at(splice.offset as usize - out.len());
        out.extend_from_slice(before);
        out.extend_from_slice(&splice.was);
        rest = after.strip_prefix(&splice.now[..]).expect("what is said to be there");
    }
    out.extend_from_slice(rest);
    out
}
