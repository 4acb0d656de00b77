//! The file sink against disks that fill, fail, and lose what was written.

use super::*;
use crate::bus::{Bus, Done, Duty};
use crate::capture::Record;
use crate::sinks::repair;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use ulid::Ulid;

const LONG: Duration = Duration::from_secs(60);

/// Looks for its file before each write and comes back soon after a failure.
const EAGER: Limits =
    Limits { file_bytes: u64::MAX, file_age: LONG, check_interval: Duration::ZERO, back_off: Duration::from_millis(1) };

fn name(run: u128) -> CaptureName {
    CaptureName::new("lab", Moment::default(), Ulid(run))
}

fn record(sequence: u64) -> Arc<Record> {
    Arc::new(Record::for_test(sequence, &format!("{{\"sequence\":{sequence}}}")))
}

/// A bus with one sink on the real file system.
fn on_disk(dir: &Path, run: u128, limits: Limits) -> Bus {
    let sink = FileSink::create(dir, name(run), 1, Opening::for_test(), limits).unwrap();
    let mut bus = Bus::new();
    bus.attach("file", Duty::Keep, 1 << 20, |receiver| sink.run(receiver)).unwrap();
    bus
}

fn finish(bus: &Bus) -> Done {
    let done = bus.finish(LONG).pop().unwrap();
    assert!(done.returned);
    done
}

/// The sequences in a file, after checking that every line is whole and the first is the opening of file `number`.
fn sequences(content: &[u8], number: u32) -> Vec<u64> {
    let text = std::str::from_utf8(content).unwrap();
    assert!(text.ends_with('\n'), "torn: {text}");
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    let opening = lines.next().unwrap();
    assert_eq!(
        (&opening["event"]["action"], &opening["finesse"]["capture"]["file"]),
        (&"log-opened".into(), &number.into())
    );
    assert!(text.find('\n').unwrap() >= 1_024);
    lines.map(|line| line["sequence"].as_u64().expect("no second opening")).collect()
}

/// The sequences in each file of `run`, in order of their numbers.
fn files(dir: &Path, run: u128) -> Vec<Vec<u64>> {
    let paths = (1..).map(|number| (number, dir.join(name(run).file(number))));
    let existing = paths.take_while(|(_, path)| path.exists());
    existing.map(|(number, path)| sequences(&fs::read(path).unwrap(), number)).collect()
}

fn wait_for(mut what: impl FnMut() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

#[test]
fn a_full_file_is_followed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let opening_bytes = Opening::for_test().line(Moment::default(), 1).len() as u64;
    let bus = on_disk(dir.path(), 1, Limits { file_bytes: opening_bytes + 30, ..EAGER });
    (1..=5).for_each(|sequence| bus.publish(&record(sequence)));
    let done = finish(&bus);
    assert_eq!(files(dir.path(), 1), [vec![1, 2], vec![3, 4], vec![5]]);
    assert_eq!((done.files, done.latest.unwrap()), (3, dir.path().join(name(1).file(3))));
    assert_eq!((done.written.events, done.lost.events), (5, 0));
}

#[test]
fn a_record_larger_than_a_file_gets_one_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let bus = on_disk(dir.path(), 1, Limits { file_bytes: 1, ..EAGER });
    (1..=3).for_each(|sequence| bus.publish(&record(sequence)));
    finish(&bus);
    assert_eq!(files(dir.path(), 1), [[1], [2], [3]]);
}

#[test]
fn an_old_file_is_followed_by_the_next_when_a_record_comes() {
    let dir = tempfile::tempdir().unwrap();
    let bus = on_disk(dir.path(), 1, Limits { file_age: Duration::ZERO, ..EAGER });
    (1..=2).for_each(|sequence| bus.publish(&record(sequence)));
    finish(&bus);
    assert_eq!(files(dir.path(), 1), [[1], [2]]);
}

#[test]
fn a_request_makes_a_new_file_between_the_records_around_it() {
    let dir = tempfile::tempdir().unwrap();
    let bus = on_disk(dir.path(), 1, Limits::default());
    bus.publish(&record(1));
    bus.rotate();
    bus.publish(&record(2));
    bus.rotate();
    finish(&bus);
    assert_eq!(files(dir.path(), 1), [vec![1], vec![2], vec![]]);
}

#[test]
fn a_capture_without_records_has_its_opening() {
    let dir = tempfile::tempdir().unwrap();
    finish(&on_disk(dir.path(), 1, Limits::default()));
    assert_eq!(files(dir.path(), 1), [[] as [u64; 0]]);
}

#[cfg(unix)]
#[test]
fn only_owner_and_group_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("a").join("b");
    finish(&on_disk(&dir, 1, Limits::default()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // Less whatever the umask takes away.
    assert_eq!((mode(&dir) & !0o750, mode(&dir) & 0o700), (0, 0o700));
    let file = dir.join(name(1).file(1));
    assert_eq!((mode(&file) & !0o640, mode(&file) & 0o600), (0, 0o600));
}

#[test]
fn an_existing_file_is_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name(1).file(1)), "earlier").unwrap();
    let sink = FileSink::create(dir.path(), name(1), 1, Opening::for_test(), EAGER).unwrap();
    assert_eq!(sink.path(), dir.path().join(name(1).file(2)));
    assert_eq!(fs::read(dir.path().join(name(1).file(1))).unwrap(), b"earlier");
}

#[test]
fn instances_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let buses = [1, 2].map(|run| on_disk(dir.path(), run, EAGER));
    for sequence in 1..=100 {
        buses.iter().for_each(|bus| bus.publish(&record(sequence)));
        assert_eq!(repair(dir.path()).unwrap(), [] as [PathBuf; 0]);
    }
    buses.iter().map(finish).for_each(drop);
    let all: Vec<u64> = (1..=100).collect();
    assert_eq!((files(dir.path(), 1), files(dir.path(), 2)), (vec![all.clone()], vec![all]));
}

// Windows deletes no file that is open as ours is.
#[cfg(unix)]
#[test]
fn a_vanished_directory_is_made_again_and_its_lines_are_lost() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("capture");
    let bus = on_disk(&dir, 1, EAGER);
    let first = dir.join(name(1).file(1));
    (1..=3).for_each(|sequence| bus.publish(&record(sequence)));
    wait_for(|| fs::read(&first).unwrap().ends_with(b":3}\n"));
    fs::remove_dir_all(&dir).unwrap();
    bus.publish(&record(4));
    let second = dir.join(name(1).file(2));
    wait_for(|| fs::read(&second).is_ok_and(|content| content.ends_with(b":4}\n")));
    let loss = bus.losses().pop().unwrap();
    assert_eq!(loss.why().as_str(), "file_vanished");
    assert_eq!((loss.tally().last, bus.losses().len()), (3, 0));
    bus.publish_gap(loss, &record(5));
    let done = finish(&bus);
    assert_eq!(sequences(&fs::read(&second).unwrap(), 2), [4, 5]);
    assert_eq!(done.written.events + done.lost.events, 5);
}

#[cfg(unix)]
#[test]
fn a_file_put_in_place_of_ours_is_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    let bus = on_disk(dir.path(), 1, EAGER);
    let first = dir.path().join(name(1).file(1));
    bus.publish(&record(1));
    wait_for(|| fs::read(&first).unwrap().ends_with(b":1}\n"));
    fs::rename(&first, dir.path().join("moved")).unwrap();
    fs::write(&first, "foreign\n").unwrap();
    bus.publish(&record(2));
    finish(&bus);
    assert_eq!(fs::read(&first).unwrap(), b"foreign\n");
    assert_eq!(sequences(&fs::read(dir.path().join(name(1).file(2))).unwrap(), 2), [2]);
}

#[cfg(windows)]
#[test]
fn a_file_that_is_written_can_be_read_but_not_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let bus = on_disk(dir.path(), 1, EAGER);
    let first = dir.path().join(name(1).file(1));
    bus.publish(&record(1));
    wait_for(|| fs::read(&first).unwrap().ends_with(b":1}\n"));
    assert!(fs::remove_file(&first).is_err());
    assert!(fs::rename(&first, dir.path().join("moved")).is_err());
    assert!(fs::OpenOptions::new().append(true).open(&first).is_err());
    bus.publish(&record(2));
    let done = finish(&bus);
    assert_eq!(files(dir.path(), 1), [[1, 2]]);
    assert_eq!((done.written.events, done.lost.events), (2, 0));
    fs::remove_file(&first).unwrap();
}

/// A file system that fills up, forgets files and refuses new ones on demand.
#[derive(Clone, Debug, Default)]
struct Fake {
    world: Arc<(Mutex<World>, Condvar)>,
}

#[derive(Debug, Default)]
struct World {
    files: BTreeMap<PathBuf, Content>,
    room_bytes: usize,
    failed_writes: usize,
    refuses_files: bool,
}

type Content = Arc<Mutex<Vec<u8>>>;

impl Fake {
    fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.0.lock().unwrap());
    }

    /// Waits for a write that fails after this call.
    fn await_failure(&self) {
        let world = self.world.0.lock().unwrap();
        let before = world.failed_writes;
        drop(self.world.1.wait_while(world, |world| world.failed_writes == before).unwrap());
    }

    fn await_end(&self, number: u32, end: &str) {
        wait_for(|| self.content(number).ends_with(end.as_bytes()));
    }

    fn content(&self, number: u32) -> Vec<u8> {
        let world = self.world.0.lock().unwrap();
        world.files.get(&PathBuf::from(name(1).file(number))).map_or(Vec::new(), |file| file.lock().unwrap().clone())
    }

    fn sequences(&self, number: u32) -> Vec<u64> {
        sequences(&self.content(number), number)
    }

    fn attach(&self, limits: Limits, queue_bytes: usize) -> Bus {
        let sink = FileSink::create_on(self.clone(), Path::new(""), name(1), 1, Opening::for_test(), limits).unwrap();
        let mut bus = Bus::new();
        bus.attach("file", Duty::Keep, queue_bytes, |receiver| sink.run(receiver)).unwrap();
        bus
    }
}

struct FakeFile {
    content: Content,
    disk: Fake,
}

impl Write for FakeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut world = self.disk.world.0.lock().unwrap();
        let n = bytes.len().min(world.room_bytes);
        if n == 0 {
            world.failed_writes += 1;
            self.disk.world.1.notify_all();
            return Err(ErrorKind::StorageFull.into());
        }
        world.room_bytes -= n;
        self.content.lock().unwrap().extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Fake {
    type Out = FakeFile;

    fn create(&mut self, path: &Path) -> io::Result<FakeFile> {
        let mut world = self.world.0.lock().unwrap();
        if world.refuses_files {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let content = Content::default();
        world.files.insert(path.to_owned(), Arc::clone(&content));
        Ok(FakeFile { content, disk: self.clone() })
    }

    fn holds(&self, path: &Path, out: &FakeFile) -> bool {
        let world = self.world.0.lock().unwrap();
        world.files.get(path).is_some_and(|content| Arc::ptr_eq(content, &out.content))
    }
}

#[test]
fn a_full_disk_costs_counted_records_and_tears_none() {
    let opening_bytes = Opening::for_test().line(Moment::default(), 1).len();
    for room_bytes in [0, 7, opening_bytes, opening_bytes + 7] {
        let disk = Fake::default();
        disk.change(|world| world.room_bytes = room_bytes);
        let bus = disk.attach(EAGER, 4_096);
        bus.publish(&record(1));
        disk.await_failure();
        (2..=100).for_each(|sequence| bus.publish(&record(sequence)));
        disk.await_failure();
        assert!(bus.losses().is_empty(), "nothing to tell while nothing can be written");
        disk.change(|world| world.room_bytes = usize::MAX);
        let mut losses = Vec::new();
        while losses.is_empty() {
            losses = bus.losses();
        }
        let loss = losses.pop().unwrap();
        let kept = loss.tally().first - 1;
        assert_eq!((loss.tally().events, loss.tally().last), (100 - kept, 100));
        bus.publish_gap(loss, &record(101));
        let done = finish(&bus);
        let expected: Vec<u64> = (1..=kept).chain([101]).collect();
        assert_eq!(disk.sequences(1), expected, "room {room_bytes}");
        assert_eq!((done.written.events, done.lost.events), (kept + 1, 100 - kept));
    }
}

#[test]
fn a_disk_that_stays_full_ends_with_the_rest_lost() {
    let disk = Fake::default();
    disk.change(|world| world.room_bytes = Opening::for_test().line(Moment::default(), 1).len() + 20);
    let bus = disk.attach(EAGER, 1 << 20);
    (1..=10).for_each(|sequence| bus.publish(&record(sequence)));
    disk.await_failure();
    let done = bus.finish(Duration::ZERO).pop().unwrap();
    assert!(done.returned);
    assert_eq!((done.written.events, done.lost.events), (1, 9));
    assert_eq!((done.lost.first, done.lost.last), (2, 10));
}

#[test]
fn a_line_half_in_a_vanished_file_is_written_whole_to_the_next() {
    let disk = Fake::default();
    disk.change(|world| world.room_bytes = Opening::for_test().line(Moment::default(), 1).len() + 20);
    let bus = disk.attach(EAGER, 1 << 20);
    (1..=3).for_each(|sequence| bus.publish(&record(sequence)));
    disk.await_failure();
    disk.change(|world| {
        world.files.clear();
        world.room_bytes = usize::MAX;
    });
    disk.await_end(2, ":3}\n");
    let done = finish(&bus);
    assert_eq!(disk.sequences(2), [2, 3]);
    // The first is lost unless the file was seen in its place after that line.
    assert_eq!(done.written.events + done.lost.events, 3);
    assert!(done.lost.events == 0 || (done.lost.events, done.lost.first) == (1, 1));
}

#[test]
fn what_vanishes_before_the_end_is_counted_at_the_end() {
    let disk = Fake::default();
    disk.change(|world| world.room_bytes = usize::MAX);
    let bus = disk.attach(Limits { check_interval: LONG, ..EAGER }, 1 << 20);
    bus.publish(&record(1));
    disk.await_end(1, ":1}\n");
    disk.change(|world| world.files.clear());
    let done = finish(&bus);
    assert_eq!((done.written.events, done.lost.events), (0, 1));
}

#[test]
fn the_old_file_serves_until_a_new_one_can_be_made() {
    let disk = Fake::default();
    disk.change(|world| world.room_bytes = usize::MAX);
    let limits = Limits { file_age: Duration::ZERO, back_off: Duration::ZERO, ..EAGER };
    let bus = disk.attach(limits, 1 << 20);
    bus.publish(&record(1));
    disk.await_end(1, ":1}\n");
    disk.change(|world| world.refuses_files = true);
    bus.publish(&record(2));
    disk.await_end(1, ":2}\n");
    disk.change(|world| world.refuses_files = false);
    bus.publish(&record(3));
    let done = finish(&bus);
    assert_eq!((disk.sequences(1), disk.sequences(2)), (vec![1, 2], vec![3]));
    assert_eq!((done.files, done.lost.events), (2, 0));
}

#[test]
fn a_vanished_directory_that_cannot_be_made_is_waited_for() {
    let disk = Fake::default();
    disk.change(|world| world.room_bytes = usize::MAX);
    let bus = disk.attach(EAGER, 1 << 20);
    bus.publish(&record(1));
    disk.await_end(1, ":1}\n");
    disk.change(|world| {
        world.files.clear();
        world.refuses_files = true;
    });
    bus.publish(&record(2));
    disk.change(|world| world.refuses_files = false);
    bus.publish(&record(3));
    let done = finish(&bus);
    assert_eq!(disk.sequences(2), [2, 3]);
    assert_eq!((done.written.events, done.lost.events), (2, 1));
}

#[test]
fn what_is_removed_undelivered_is_told_as_a_gap_and_what_was_delivered_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let line = |sequence| Arc::new(Record::for_test(sequence, &format!("{{\"event\":{{\"sequence\":{sequence}}}}}")));
    let opening_bytes = Opening::for_test().line(Moment::default(), 1).len() as u64;
    let file_bytes = opening_bytes + line(1).line().len() as u64;
    let first = name(1).file(1);
    let delivered = move || Some(BTreeMap::from([(first.clone(), u64::MAX)]));
    let keep = Keep { limit_bytes: 3 * file_bytes, delivered: Box::new(delivered) };
    let sink = FileSink::create(dir.path(), name(1), 1, Opening::for_test(), Limits { file_bytes, ..EAGER }).unwrap();
    let mut bus = Bus::new();
    bus.attach("file", Duty::Keep, 1 << 20, |receiver| sink.keeping(Some(keep)).run(receiver)).unwrap();
    (1..=6).for_each(|sequence| bus.publish(&line(sequence)));
    let mut told = crate::bus::Tally::default();
    wait_for(|| {
        for loss in bus.losses() {
            assert_eq!(loss.why().as_str(), "removed_undelivered");
            told.merge(loss.tally());
        }
        told.events == 2
    });
    assert_eq!((told.first, told.last), (2, 3), "the first was delivered, the last three are there");
    let done = finish(&bus);
    assert_eq!((done.written.events, done.lost.events), (6, 0), "all were written");
    assert!(!dir.path().join(name(1).file(3)).exists() && dir.path().join(name(1).file(4)).exists());
}
