//! Keeps a directory of captures within a total size: the oldest files go, and what goes undelivered is counted.
//!
//! A file is as old as its last line: of a run that began long ago the latest files may be the newest. Looked at when a file
//! is begun, so that the next one has its room. Files that are being written stay, by whatever run.
//! Who delivers captures, and how far that has come, is asked of others; where nobody does, removing is no loss.

use super::disk::open_unclaimed;
use super::name::parse;
use crate::bus::Tally;
use flate2::bufread::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// By capture file (named without `.gz`) the offset behind what every receiver has; `None` if there are no receivers.
pub type Delivered = Box<dyn Fn() -> Option<BTreeMap<String, u64>> + Send>;

/// How much is kept.
pub struct Keep {
    /// All capture files of the directory together, bytes.
    pub limit_bytes: u64,
    /// How far delivery has come.
    pub delivered: Delivered,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").field("limit_bytes", &self.limit_bytes).finish_non_exhaustive()
    }
}

/// Age first, then path, form and size.
struct Found {
    age: (SystemTime, String, String, u64),
    path: PathBuf,
    stem: String,
    bytes: u64,
}

impl Keep {
    /// Removes the oldest files in `dir` until there is room for `room_bytes` more; never `current`. Returns what was not
    /// delivered of them: with sequences where they are of the run whose files begin with `run`.
    pub(super) fn make_room(&self, dir: &Path, current: &Path, run: &str, room_bytes: u64) -> Tally {
        let mut lost = Tally::default();
        let mut found = match list(dir) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(path = %dir.display(), %error, "captures cannot be counted; none is removed");
                return lost;
            }
        };
        found.sort_by(|a, b| a.age.cmp(&b.age));
        let mut total_bytes: u64 = found.iter().map(|file| file.bytes).sum();
        let mut delivered = None;
        for file in found {
            if total_bytes.saturating_add(room_bytes) <= self.limit_bytes {
                break;
            }
            if file.path == current || is_written(&file.path) {
                continue;
            }
            let delivered = delivered.get_or_insert_with(|| (self.delivered)());
            let rest = delivered.as_ref().map(|positions| {
                rest(&file.path, positions.get(&file.stem).copied().unwrap_or(0), file.stem.starts_with(run))
            });
            if let Err(error) = std::fs::remove_file(&file.path) {
                tracing::warn!(path = %file.path.display(), %error, "a capture file cannot be removed");
                continue;
            }
            total_bytes -= file.bytes;
            let rest = rest.unwrap_or_default();
            if rest.events > 0 {
                let events = rest.events;
                tracing::warn!(path = %file.path.display(), events, "removed before all of it was delivered");
            } else {
                tracing::info!(path = %file.path.display(), "removed: captures are at their limit");
            }
            lost.merge(rest);
        }
        lost
    }
}

fn list(dir: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let stem = name.strip_suffix(".gz").unwrap_or(name);
        let Some(parts) = parse(stem) else { continue };
        // Not following links; and it may be gone since. Asked of the file: what a directory says on Windows of one that is
        // being written is old.
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        if metadata.is_file() {
            // Where the system does not say, names do.
            let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let age = (written, parts.start.to_owned(), parts.run.to_owned(), parts.number);
            found.push(Found { age, path: entry.path(), stem: stem.to_owned(), bytes: metadata.len() });
        }
    }
    Ok(found)
}

/// Whether a running instance writes it, or may: who cannot look does not know.
fn is_written(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension != "gz") && !matches!(open_unclaimed(path), Ok(Some(_)))
}

/// The events of a file from `offset` on. What cannot be read counts as nothing: it was no use to a receiver either.
fn rest(path: &Path, offset: u64, is_own: bool) -> Tally {
    let mut tally = Tally::default();
    let Ok(file) = File::open(path) else { return tally };
    let file = BufReader::with_capacity(256 << 10, file);
    let mut content: Box<dyn BufRead> = match path.extension() {
        Some(extension) if extension == "gz" => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        _ => Box::new(file),
    };
    if io::copy(&mut content.by_ref().take(offset), &mut io::sink()).is_err() {
        return tally;
    }
    let mut line = Vec::new();
    while content.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Opening lines have none: they are no part of the numbered stream.
        if let Some(sequence) = sequence(&line) {
            tally.add(if is_own { sequence } else { 0 }, line.len());
        }
        line.clear();
    }
    tally
}

/// `event.sequence`, which stands near a line's beginning.
fn sequence(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"sequence\":";
    let head = line.get(..line.len().min(128))?;
    let at = memchr::memmem::find(head, KEY)? + KEY.len();
    let digits: Vec<u8> = line.get(at..)?.iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::sinks::CaptureName;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;
    use ulid::Ulid;

    const DAY_US: i64 = 86_400_000_000;

    fn name(day: i64, run: u128) -> CaptureName {
        CaptureName::new("lab", Moment { wall_us: day * DAY_US, mono_ns: 0 }, Ulid(run))
    }

    fn line(sequence: u64) -> String {
        format!(
            "{{\"@timestamp\":\"2026-01-15T09:12:40.561300Z\",\"event\":{{\"sequence\":{sequence},\"id\":\"x\"}}}}\n"
        )
    }

    fn write(path: &Path, sequences: std::ops::RangeInclusive<u64>) -> u64 {
        let text: String =
            std::iter::once("{\"event\":{\"id\":\"x-file-1\"}}\n".to_owned()).chain(sequences.map(line)).collect();
        std::fs::write(path, &text).unwrap();
        text.len() as u64
    }

    fn keep(limit_bytes: u64, positions: Option<&[(&str, u64)]>) -> Keep {
        let positions =
            positions.map(|list| list.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect::<BTreeMap<_, _>>());
        Keep { limit_bytes, delivered: Box::new(move || positions.clone()) }
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: String| dir.path().join(name);
        let files = [name(3, 3).file(1), name(1, 1).file(1), name(1, 1).file(2), name(2, 2).file(10_000)];
        let bytes = write(&path(files[0].clone()), 1..=10);
        files.iter().skip(1).for_each(|file| assert_eq!(write(&path(file.clone()), 1..=10), bytes));
        std::fs::write(path("notes.ndjson".into()), vec![0; 10_000]).unwrap();
        let current = path(files[0].clone());
        let lost = keep(3 * bytes, None).make_room(dir.path(), &current, "-", bytes);
        assert_eq!(lost, Tally::default(), "nobody delivers");
        let there: Vec<bool> = files.iter().map(|file| path(file.clone()).exists()).collect();
        assert_eq!(there, [true, false, false, true]);
        keep(1, None).make_room(dir.path(), &current, "-", bytes);
        assert!(current.exists() && path("notes.ndjson".into()).exists() && !path(files[3].clone()).exists());
    }

    #[test]
    fn what_was_written_last_stays_whenever_its_run_began() {
        let dir = tempfile::tempdir().unwrap();
        let hour = |hour: u64| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + hour * 3600);
        let write = |name: &str, written: SystemTime| {
            let path = dir.path().join(name);
            let bytes = write(&path, 1..=10);
            File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
            (path, bytes)
        };
        // Two runs that go on side by side, and files written in the same moment.
        let (one, bytes) = write(&name(1, 1).file(1), hour(1));
        let (two, _) = write(&name(2, 2).file(1), hour(2));
        let (three, _) = write(&name(1, 1).file(2), hour(3));
        let (five, _) = write(&name(2, 2).file(2), hour(4));
        let (four, _) = write(&name(1, 1).file(3), hour(4));
        let files = [&one, &two, &three, &four, &five];
        for kept in (0..5).rev() {
            keep(kept * bytes, None).make_room(dir.path(), Path::new("none"), "-", 0);
            let there: Vec<bool> = files.iter().map(|file| file.exists()).collect();
            let wanted: Vec<bool> = (0..5).map(|age| age >= 5 - kept).collect();
            assert_eq!(there, wanted);
        }
    }

    #[test]
    fn what_goes_undelivered_is_counted_from_the_receivers_position_on() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (name(1, 1).file(1), name(1, 1).file(2));
        let bytes = write(&dir.path().join(&one), 1..=10);
        write(&dir.path().join(&two), 11..=20);
        let current = dir.path().join(name(1, 1).file(3));
        write(&current, 21..=30);
        let own = one.split_at(one.len() - "0001.ndjson".len()).0.to_owned();
        let delivered = bytes - 2 * line(10).len() as u64 + 1;
        let all = bytes + dir.path().join(&two).metadata().unwrap().len();
        let lost = keep(1, Some(&[(&one, delivered), (&two, all)])).make_room(dir.path(), &current, &own, 0);
        assert_eq!((lost.events, lost.first, lost.last), (2, 9, 10));
        assert!(lost.bytes >= line(10).len() as u64);
    }

    #[test]
    fn sequences_of_another_run_are_not_told_and_compressed_files_count_too() {
        let dir = tempfile::tempdir().unwrap();
        let old = name(1, 1).file(1);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        (1..=5).for_each(|sequence| encoder.write_all(line(sequence).as_bytes()).unwrap());
        std::fs::write(dir.path().join(format!("{old}.gz")), encoder.finish().unwrap()).unwrap();
        let lost = keep(1, Some(&[])).make_room(dir.path(), Path::new("none"), "finesse-other", 0);
        assert_eq!((lost.events, lost.first, lost.last), (5, 0, 0));
        assert!(!dir.path().join(format!("{old}.gz")).exists());
    }

    #[test]
    fn a_file_that_another_run_writes_stays() {
        use crate::sinks::disk::{Disk, Medium};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name(1, 1).file(1));
        let mut writer = Disk.create(&path).unwrap();
        writer.write_all(line(1).as_bytes()).unwrap();
        keep(1, None).make_room(dir.path(), Path::new("none"), "-", 0);
        assert!(path.exists());
        drop(writer);
        keep(1, None).make_room(dir.path(), Path::new("none"), "-", 0);
        assert!(!path.exists());
    }
}
