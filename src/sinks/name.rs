//! Names of capture files: `finesse-<host>-<UTC start>-<run>-<nnnn>.ndjson`.
//!
//! A name occurs once in the world and is never given to another file, so a shipper needs no rename detection. Names sort
//! by host, start and number.

use crate::clock::Moment;
use std::fmt::Write as _;
use ulid::Ulid;

/// Longest host part of a name, bytes: with the rest it stays far below the 255 of common file systems.
const HOST_BYTES: usize = 64;

/// What the files of one run have in common.
#[derive(Clone, Debug)]
pub struct CaptureName {
    stem: String,
}

impl CaptureName {
    /// `host` is this machine's name; characters that some file system dislikes become `_`.
    #[must_use]
    pub fn new(host: &str, start: Moment, run: Ulid) -> Self {
        let mut stem = String::from("finesse-");
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' };
        stem.extend(host.chars().map(plain).take(HOST_BYTES));
        let start = jiff::Timestamp::from_microsecond(start.wall_us).unwrap_or_default();
        // Writing to a String does not fail.
        let _ = write!(stem, "-{}-{run}", start.strftime("%Y%m%dT%H%M%SZ"));
        Self { stem }
    }

    /// What the names of this run's files begin with.
    pub(super) fn stem(&self) -> &str {
        &self.stem
    }

    /// The name of file `number` (1 …).
    #[must_use]
    pub fn file(&self, number: u32) -> String {
        format!("{}-{number:04}.ndjson", self.stem)
    }
}

/// What a name says.
pub(super) struct Parts<'n> {
    /// The run's start: `20260115T091240Z`.
    pub(super) start: &'n str,
    /// The run's ULID.
    pub(super) run: &'n str,
    /// The file's number.
    pub(super) number: u64,
}

/// Takes a name apart, if it is one of ours, of whatever run.
pub(super) fn parse(name: &str) -> Option<Parts<'_>> {
    let stem = name.strip_prefix("finesse-")?.strip_suffix(".ndjson")?;
    let mut parts = stem.rsplitn(4, '-');
    let (number, run, start, _host) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_ours = number.len() >= 4
        && number.bytes().all(|b| b.is_ascii_digit())
        && Ulid::from_string(run).is_ok()
        && jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", start).is_ok();
    is_ours.then_some(Parts { start, run, number: number.parse().ok()? })
}

/// Whether a file of this name is one of ours, of whatever run.
pub(super) fn is_capture_file(name: &str) -> bool {
    parse(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(host: &str) -> CaptureName {
        let start = Moment { wall_us: 1_768_468_360_561_300, mono_ns: 0 };
        CaptureName::new(host, start, Ulid::from_string("01KA9S3Q7E4M8W2Y6Z0T5R1NBC").unwrap())
    }

    #[test]
    fn names_host_start_run_and_number() {
        assert_eq!(
            name("lab-1.example").file(1),
            "finesse-lab-1.example-20260115T091240Z-01KA9S3Q7E4M8W2Y6Z0T5R1NBC-0001.ndjson"
        );
        assert!(name("h").file(10_000).ends_with("-10000.ndjson"));
    }

    #[test]
    fn knows_its_own_names_and_no_others() {
        for host in ["lab", "lab-1.example", "", "../../etc/passwd", "bürö\n", &"x".repeat(500)] {
            let file = name(host).file(12);
            assert!(is_capture_file(&file), "{file}");
            assert!(file.len() < 150 && !file.contains(['/', '\n']), "{file}");
        }
        for foreign in ["finesse-notes.ndjson", "finesse-a-b-c-0001.ndjson", "other.ndjson", "finesse-.ndjson"] {
            assert!(!is_capture_file(foreign), "{foreign}");
        }
        assert!(!is_capture_file(&name("h").file(1).replace(".ndjson", ".ndjson.gz")));
    }
}
