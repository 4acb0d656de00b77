//! Whole lines on their way to a writer that may take them in pieces, or not at all for a while.
//!
//! Remembers how much has gone out, so that a line the writer took half of is finished before anything else follows, and
//! which records have gone out whole. Knows neither files nor back-off.

use crate::bus::{Item, Lot};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};

/// Size at which a sink sends what it has gathered, bytes: large enough that the system call no longer counts.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// Lines in one buffer, sent from the front.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    sent_bytes: usize,
    /// Where each line not yet sent whole ends, and its record; none for an opening line.
    lines: VecDeque<(usize, Option<Item>)>,
}

impl Pending {
    /// Appends a file's opening line.
    pub(super) fn push_opening(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.lines.push_back((self.bytes.len(), None));
    }

    /// Appends a record's line.
    pub(super) fn push(&mut self, item: Item) {
        if let Some(record) = item.record() {
            self.bytes.extend_from_slice(record.line());
            self.lines.push_back((self.bytes.len(), Some(item)));
        }
    }

    /// Bytes not sent yet.
    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len() - self.sent_bytes
    }

    /// Whether a record is among them.
    pub(super) fn has_records(&self) -> bool {
        self.lines.iter().any(|(_, item)| item.is_some())
    }

    /// Writes until all is sent or the writer fails, and returns the records whose lines went out whole, failure or not.
    pub(super) fn send(&mut self, writer: &mut impl Write) -> (Lot, io::Result<()>) {
        let result = self.send_bytes(writer);
        let mut lot = Lot::default();
        let whole = self.lines.partition_point(|(end, _)| *end <= self.sent_bytes);
        self.lines.drain(..whole).filter_map(|(_, item)| item).for_each(|item| lot.add(item));
        if self.lines.is_empty() {
            self.bytes.clear();
            self.sent_bytes = 0;
        }
        (lot, result)
    }

    /// Starts again with another file: `opening`, then every record not sent whole, a half-sent one from its beginning.
    pub(super) fn restart(&mut self, opening: &[u8]) {
        let unsent = std::mem::take(self);
        self.push_opening(opening);
        unsent.lines.into_iter().filter_map(|(_, item)| item).for_each(|item| self.push(item));
    }

    fn send_bytes(&mut self, writer: &mut impl Write) -> io::Result<()> {
        while let Some(rest) = self.bytes.get(self.sent_bytes..).filter(|rest| !rest.is_empty()) {
            match writer.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => self.sent_bytes += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Record;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Takes what `pieces` allow, fails in between, and everything after the last.
    struct Balky {
        pieces: Vec<usize>,
        taken: Vec<u8>,
    }

    impl Write for Balky {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = match self.pieces.pop() {
                Some(0) => return Err(ErrorKind::StorageFull.into()),
                Some(room) => room.min(bytes.len()),
                None => bytes.len(),
            };
            self.taken.extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn item(sequence: u64, len: usize) -> Item {
        Item::Record(Arc::new(Record::for_test(sequence, &"x".repeat(len))))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn lines_come_out_whole_whatever_the_writer_does(
            lens in prop::collection::vec(0..40usize, 1..20),
            pieces in prop::collection::vec(0..30usize, 0..60),
        ) {
            let (mut pending, mut expected) = (Pending::default(), b"opening\n".to_vec());
            pending.push_opening(b"opening\n");
            for (sequence, len) in (1..).zip(&lens) {
                let item = item(sequence, *len);
                expected.extend_from_slice(item.record().unwrap().line());
                pending.push(item);
            }
            let mut writer = Balky { pieces, taken: Vec::new() };
            let mut events = 0;
            loop {
                let (lot, result) = pending.send(&mut writer);
                events += lot.tally().events;
                let ends = writer.taken.iter().filter(|b| **b == b'\n').count() as u64;
                prop_assert_eq!(events, ends.saturating_sub(1), "records reported as sent");
                if result.is_ok() {
                    break;
                }
            }
            prop_assert_eq!(writer.taken, expected);
            prop_assert_eq!(pending.len_bytes(), 0);
        }
    }

    #[test]
    fn another_file_begins_with_the_line_that_was_half_sent() {
        let mut pending = Pending::default();
        pending.push_opening(b"opening 1\n");
        (1..=3).for_each(|sequence| pending.push(item(sequence, 4)));
        let mut full = Balky { pieces: vec![0, 17], taken: Vec::new() };
        assert!(pending.send(&mut full).1.is_err());
        assert_eq!(full.taken, b"opening 1\nxxxx\nxx");
        pending.restart(b"opening 2\n");
        let mut next = Balky { pieces: Vec::new(), taken: Vec::new() };
        let (lot, result) = pending.send(&mut next);
        assert!(result.is_ok());
        assert_eq!((lot.tally().events, lot.tally().first, lot.tally().last), (2, 2, 3));
        assert_eq!(next.taken, b"opening 2\nxxxx\nxxxx\n");
    }
}
