//! `export`: captures become a file in another form, which appears when it is complete.

use super::captures;
use super::progress::Progress;
use crate::cli::{ExportFlags, Form};
use crate::export::{Captures, Show, Told, har, pcapng, text};
use crate::filter::Filter;
use crate::glyph::tame;
use crate::stored::{self, Aside};
use anyhow::Context as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is written at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes the export of what `filter` takes, and says on standard error what it holds and what was left out.
///
/// # Errors
/// A file cannot be read or written, or holds nothing of ours.
pub fn export(flags: &ExportFlags, filter: &Filter) -> anyhow::Result<()> {
    let sources = captures::open(&flags.captures, flags.pick.run.as_deref())?;
    let out = flags.file();
    if let Some(out) = out {
        sources.apart(out)?;
        let (what, endings): (_, &[&str]) = match flags.form {
            Form::Har => ("a HAR", &["har", "json"]),
            Form::Pcapng => ("a pcapng", &["pcapng"]),
            Form::Text => ("text", &["txt", "text", "log", "md"]),
        };
        stored::promises(out, what, endings)?;
    }
    let captures = Captures { sources: &sources, filter };
    let told = match out {
        None => match write(flags, captures, &mut io::stdout().lock()) {
            // A reader that has gone has seen enough.
            Err(error) if is_broken_pipe(&error) => return Ok(()),
            told => told.context("write to standard output")?,
        },
        Some(out) => {
            let failed = || format!("write {}", out.display());
            let aside = Aside::create(out).with_context(failed)?;
            let told = write(flags, captures, &mut aside.file().with_context(failed)?)?;
            if told.asked_for > 0 {
                aside.name().with_context(failed)?;
            }
            told
        }
    };
    say(&told, out.map(PathBuf::as_path));
    if told.asked_for > 0 {
        return Ok(());
    }
    if told.not_picked > 0 {
        anyhow::bail!(
            "none of {} lines fits {filter}\nhint: `finesse-tap report` shows times, agents and sessions of a capture",
            told.not_picked
        );
    }
    Err(sources.no_capture())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn write(flags: &ExportFlags, captures: Captures<'_>, out: &mut dyn Write) -> anyhow::Result<Told> {
    let mut progress = Progress::new(String::from("exporting"));
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut at = |done, total| progress.at(done, total);
    let told = match (flags.form, flags.xml) {
        (Form::Har, _) => har(captures, &mut out, &mut at),
        (Form::Pcapng, _) => pcapng(captures, &mut out, &mut at),
        (Form::Text, false) => text(captures, Show::Gist, &mut out, &mut at),
        (Form::Text, true) => text(captures, Show::Xml, &mut out, &mut at),
    }?;
    out.flush()?;
    Ok(told)
}

fn say(told: &Told, out: Option<&Path>) {
    let mut text = told.left_out.to_string();
    if told.cut > 0 {
        text += &format!(
            "warning {} stanzas are cut in the capture: make it with a larger --max-line-bytes to have them whole\n",
            told.cut
        );
    }
    if told.is_unredacted {
        text += "warning nothing was removed from this capture: the export holds passwords too, keep it to yourself\n";
    }
    if let Some(out) = out.filter(|_| told.asked_for > 0) {
        text += &format!("wrote {} from {} lines\n", out.display(), told.lines);
    }
    // Nobody reading standard error is no reason not to work.
    let _ = io::stderr().write_all(tame(&text).as_bytes());
}
