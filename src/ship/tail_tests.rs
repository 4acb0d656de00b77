//! Tests of the tail: files that grow, come, go, are compressed, torn, foreign.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write as _;
use std::path::Path;

const ONE: &str = "finesse-lab-20260115T091240Z-01KA9S3Q7E4M8W2Y6Z0T5R1NBC-0001.ndjson";
const TWO: &str = "finesse-lab-20260115T091240Z-01KA9S3Q7E4M8W2Y6Z0T5R1NBC-0002.ndjson";

fn line(number: u64) -> String {
    format!(
        "{{\"@timestamp\":\"2026-01-15T09:12:40.000001Z\",\"event\":{{\"id\":\"R-{number}\",\"action\":\"a\"}},\"finesse\":{{}}}}\n"
    )
}

fn lines(numbers: std::ops::RangeInclusive<u64>) -> String {
    numbers.map(line).collect()
}

fn append(dir: &Path, name: &str, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(dir.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn zip(dir: &Path, name: &str, text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    std::fs::write(dir.join(format!("{name}.gz")), &bytes).unwrap();
    bytes
}

/// What there is for now: ids of events, `!` and the reason for others, `.` for the end of a compressed file.
fn read(tail: &mut Tail) -> Vec<String> {
    std::iter::from_fn(|| tail.next())
        .map(|step| match step {
            Step::Event { event, .. } => event.id,
            Step::Foreign { why, .. } => format!("! {why}"),
            Step::NotPicked { .. } => String::from("-"),
            Step::Finished { .. } => String::from("."),
        })
        .collect()
}

/// The same, with positions as a checkpoint would have them.
fn read_to(tail: &mut Tail, positions: &mut Positions, most: usize) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < most {
        let Some(step) = tail.next() else { break };
        let (file, offset, gz_bytes) = match &step {
            Step::Event { file, end, event } => {
                found.push(event.id.clone());
                (file, *end, None)
            }
            Step::Foreign { file, end, .. } | Step::NotPicked { file, end, .. } => (file, *end, None),
            Step::Finished { file, end, gz_bytes } => (file, *end, Some(*gz_bytes)),
        };
        positions.insert(file.to_string(), Position { offset, id: None, gz_bytes });
    }
    found
}

fn ids(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|number| format!("R-{number}")).collect()
}

#[test]
fn files_are_read_in_the_order_of_their_names_and_as_they_grow() {
    let dir = tempfile::tempdir().unwrap();
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    append(dir.path(), TWO, &lines(3..=4));
    append(dir.path(), ONE, &lines(1..=2));
    append(dir.path(), "other.ndjson", &line(99));
    append(dir.path(), ".ship-aa.dead.ndjson", &line(98));
    assert_eq!(read(&mut tail), ids(1..=4));
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    append(dir.path(), TWO, &line(6));
    append(dir.path(), ONE, &line(5));
    assert_eq!(read(&mut tail), ids(5..=6));
    assert_eq!((tail.torn(), tail.unread_bytes(), tail.lost_bytes()), (0, 0, 0));
}

#[test]
fn a_line_without_its_end_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let text = lines(1..=2);
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    append(dir.path(), ONE, &text[..text.len() - 1]);
    assert_eq!(read(&mut tail), ids(1..=1));
    assert_eq!(tail.torn(), 1);
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    append(dir.path(), ONE, "\n");
    assert_eq!(read(&mut tail), ids(2..=2));
    assert_eq!(tail.torn(), 0);
}

#[test]
fn a_torn_line_that_was_ended_is_foreign_and_those_behind_it_are_not() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), ONE, &format!("{}{{\"@timestamp\":\"2026\n{}", line(1), line(2)));
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    let found = read(&mut tail);
    assert_eq!((found.len(), &*found[0], &*found[2]), (3, "R-1", "R-2"));
    assert!(found[1].starts_with("! "), "{found:?}");
}

#[test]
fn a_line_longer_than_any_of_ours_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), ONE, &line(1));
    append(dir.path(), ONE, &"x".repeat(usize::try_from(MAX_LINE_BYTES).unwrap() + 10));
    append(dir.path(), ONE, &format!("\n{}", line(2)));
    let mut positions = Positions::new();
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read_to(&mut tail, &mut positions, 9), ids(1..=2));
    assert_eq!(positions[ONE].offset, dir.path().join(ONE).metadata().unwrap().len());
}

#[test]
fn a_compressed_file_goes_on_where_the_plain_one_was_left_and_is_not_read_twice() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), ONE, &lines(1..=5));
    let mut positions = Positions::new();
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read_to(&mut tail, &mut positions, 3), ids(1..=3));
    drop(tail);
    zip(dir.path(), ONE, &lines(1..=5));
    let both = Tail::new(dir.path().into(), &positions).next();
    assert!(matches!(both, Some(Step::Event { event, .. }) if event.id == "R-4"), "both forms are there");
    std::fs::remove_file(dir.path().join(ONE)).unwrap();
    let mut tail = Tail::new(dir.path().into(), &positions);
    assert_eq!(read_to(&mut tail, &mut positions, 9), ids(4..=5));
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert_eq!(read(&mut Tail::new(dir.path().into(), &positions)), [] as [&str; 0], "remembered over a restart");
}

#[test]
fn a_compressed_file_that_is_still_being_copied_is_named_and_read_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let whole = zip(dir.path(), ONE, &lines(1..=400));
    std::fs::write(dir.path().join(format!("{ONE}.gz")), &whole[..whole.len() / 2]).unwrap();
    append(dir.path(), TWO, &line(401));
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    let mut found = read(&mut tail);
    assert_eq!(found.last().unwrap(), "R-401", "others are not held up");
    assert!(tail.faults()[ONE].contains("unpacked"));
    found.pop();
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    std::fs::write(dir.path().join(format!("{ONE}.gz")), &whole).unwrap();
    found.extend(read(&mut tail));
    assert_eq!(found.pop().unwrap(), ".");
    assert_eq!(found, ids(1..=400));
    assert!(tail.faults().is_empty());
}

#[test]
fn a_file_that_disappears_unread_is_counted_and_one_that_was_read_is_not() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), ONE, &lines(1..=2));
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read(&mut tail), ids(1..=2));
    append(dir.path(), TWO, &lines(3..=3));
    tail.list();
    tail.todo.clear();
    std::fs::remove_file(dir.path().join(ONE)).unwrap();
    std::fs::remove_file(dir.path().join(TWO)).unwrap();
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert_eq!(tail.lost_bytes(), line(3).len() as u64);
}

#[test]
fn a_file_that_was_cut_is_named_and_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), ONE, &lines(1..=3));
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read(&mut tail), ids(1..=3));
    std::fs::write(dir.path().join(ONE), line(1)).unwrap();
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert!(tail.faults()[ONE].contains("cut"));
}

#[test]
fn a_capture_that_was_not_redacted_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let opening = r#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":"R-file-1","action":"log-opened"},"finesse":{"capture":{"settings":[{"name":"redact","value":"off"}]}}}"#;
    append(dir.path(), ONE, &format!("{opening}\n{}", line(1)));
    append(dir.path(), TWO, &line(2));
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read(&mut tail), ids(2..=2));
    append(dir.path(), ONE, &line(3));
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert!(tail.faults()[ONE].contains("--level off"));
}

#[test]
fn a_directory_that_is_away_for_a_while_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    let captures = dir.path().join("captures");
    std::fs::create_dir(&captures).unwrap();
    append(&captures, ONE, &lines(1..=2));
    let mut tail = Tail::new(captures.clone(), &Positions::new());
    assert_eq!(read(&mut tail), ids(1..=2));
    std::fs::rename(&captures, dir.path().join("away")).unwrap();
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert!(tail.faults().contains_key("."));
    std::fs::rename(dir.path().join("away"), &captures).unwrap();
    append(&captures, ONE, &line(3));
    assert_eq!(read(&mut tail), ids(3..=3));
    assert!(tail.faults().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Wherever writes are cut, and wherever the reader begins anew, each line comes once and in order.
    #[test]
    fn every_line_comes_once_however_it_is_written(
        cuts in prop::collection::vec(1..120usize, 1..40),
        restarts in prop::collection::vec(any::<bool>(), 40),
        takes in prop::collection::vec(0..4usize, 40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let text = lines(1..=12);
        let (mut at, mut positions, mut found) = (0, Positions::new(), Vec::new());
        let mut tail = Tail::new(dir.path().into(), &positions);
        for ((cut, restart), take) in cuts.iter().zip(&restarts).zip(&takes) {
            let end = (at + cut).min(text.len());
            append(dir.path(), ONE, &text[at..end]);
            at = end;
            found.extend(read_to(&mut tail, &mut positions, *take));
            if *restart {
                tail = Tail::new(dir.path().into(), &positions);
            }
        }
        append(dir.path(), ONE, &text[at..]);
        while let more @ [_, ..] = &*read_to(&mut tail, &mut positions, 99) {
            found.extend(more.iter().cloned());
        }
        prop_assert_eq!(found, ids(1..=12));
    }
}

#[test]
fn thousands_of_files_that_are_not_to_be_read_are_passed_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let opening = r#"{"@timestamp":"2026-01-15T09:12:40Z","event":{"id":"R-file-1","action":"log-opened"},"finesse":{"capture":{"settings":[{"name":"redact","value":"off"}]}}}"#;
    for number in 1..=3_000 {
        let name = ONE.replace("-0001.", &format!("-{number:04}."));
        std::fs::write(dir.path().join(name), format!("{opening}\n")).unwrap();
    }
    let mut tail = Tail::new(dir.path().into(), &Positions::new());
    assert_eq!(read(&mut tail), [] as [&str; 0]);
    assert_eq!(tail.faults().len(), 3_000);
}

#[test]
fn what_is_not_picked_is_passed_by_with_all_that_belongs_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let event = |id: &str, more: &str, finesse: &str| {
        format!(
            r#"{{"@timestamp":"2026-01-15T09:12:40Z","event":{{"id":"R-{id}","action":"a"}}{more},"finesse":{{{finesse}}}}}"#
        ) + "\n"
    };
    let (hers, his) = (r#""conn":{"id":"c1"}"#, r#""conn":{"id":"c2"}"#);
    let text = event("1", "", hers)
        + &event("2", "", his)
        + &event("3", r#","user":{"name":"1001"}"#, &format!(r#""session":{{"id":"s1"}},{hers}"#))
        + &event("4", r#","user":{"name":"1002"}"#, &format!(r#""session":{{"id":"s2"}},{his}"#))
        + &event("5", "", "");
    append(dir.path(), ONE, &text);
    let filter = Filter::parse("agent 1001", 0).unwrap();
    let mut tail = Tail::new(dir.path().into(), &Positions::new()).picking(filter);
    assert_eq!(read(&mut tail), ["R-1", "-", "R-3", "-", "R-5"]);
}
