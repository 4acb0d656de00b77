//! Captures to read, for every command that reads some: HARs among them are imported first, and runs are told and chosen.

use super::import;
use crate::glyph::tame;
use crate::stored::{Run, Sources};
use std::io::Write as _;
use std::path::PathBuf;

/// Runs that are told one by one.
const MAX_TOLD: usize = 5;

/// Opens what is named, and says on standard error of which runs it is where they are several.
///
/// # Errors
/// Something is no capture, or there is no such run.
pub(super) fn open(named: &[PathBuf], run: Option<&str>) -> anyhow::Result<Sources> {
    let mut sources = Sources::open(named, &mut |har| import::aside(har))?;
    match run {
        Some(run) => sources.keep_run(run)?,
        None => {
            // Nobody reading standard error is no reason not to work.
            let _ = std::io::stderr().write_all(tame(&told(&sources.runs())).as_bytes());
        }
    }
    Ok(sources)
}

fn told(runs: &[Run]) -> String {
    let newest: Vec<String> = runs
        .iter()
        .rev()
        .take(MAX_TOLD)
        .map(|Run { id, first_us, files }| {
            let at = jiff::Timestamp::from_microsecond(*first_us).map(|at| format!("{at:.0}")).unwrap_or_default();
            format!("{id} of {at} ({files} file{})", if *files == 1 { "" } else { "s" })
        })
        .collect();
    match runs.len().checked_sub(MAX_TOLD) {
        _ if runs.len() < 2 => String::new(),
        None | Some(0) => format!("{} runs: {}; --run last takes the newest alone\n", runs.len(), newest.join(", ")),
        Some(more) => {
            format!("{} runs: {} and {more} older; --run last takes the newest alone\n", runs.len(), newest.join(", "))
        }
    }
}
