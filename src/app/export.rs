//! `export`: captures become a file in another form, which appears when it is complete.

use super::progress::Progress;
use crate::cli::{ExportFlags, Form};
use crate::export::{Show, Sources, Told, har, pcapng, text};
use crate::glyph::tame;
use crate::stored::{self, Aside};
use anyhow::Context as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is written at once, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes the export and says on standard error what it holds and what was left out.
///
/// # Errors
/// A file cannot be read or written, or holds nothing of ours.
pub fn export(config: &ExportFlags) -> anyhow::Result<()> {
    let files = stored::paths(&config.files)?;
    config.file().map_or(Ok(()), |out| stored::apart(out, files.iter().map(PathBuf::as_path)))?;
    let sources = Sources::open(&files)
        .map_err(|(path, error)| anyhow::Error::new(error).context(format!("read {}", path.display())))?;
    let told = match config.file() {
        None => match write(config, &sources, &mut io::stdout().lock()) {
            // A reader that has gone has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            told => told.context("write to standard output")?,
        },
        Some(out) => {
            let failed = || format!("write {}", out.display());
            let aside = Aside::create(out).with_context(failed)?;
            let told = write(config, &sources, &mut aside.file().with_context(failed)?).with_context(failed)?;
            if told.lines > 0 {
                aside.name().with_context(failed)?;
            }
            told
        }
    };
    say(&told, config.file().map(PathBuf::as_path));
    if told.lines == 0 {
        return Err(stored::no_capture(&files));
    }
    Ok(())
}

fn write(config: &ExportFlags, sources: &Sources, out: &mut dyn Write) -> io::Result<Told> {
    let mut progress = Progress::new(String::from("exporting"));
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut at = |done, total| progress.at(done, total);
    let told = match (config.form, config.xml) {
        (Form::Har, _) => har(sources, &mut out, &mut at),
        (Form::Pcapng, _) => pcapng(sources, &mut out, &mut at),
        (Form::Text, false) => text(sources, Show::Gist, &mut out, &mut at),
        (Form::Text, true) => text(sources, Show::Xml, &mut out, &mut at),
    }?;
    out.flush()?;
    Ok(told)
}

fn say(told: &Told, out: Option<&Path>) {
    let mut text = String::new();
    for problem in &told.problems {
        text += &format!("left out {problem}\n");
    }
    if told.left_out > told.problems.len() as u64 {
        text += &format!("left out {} lines in all\n", told.left_out);
    }
    if told.cut > 0 {
        text += &format!(
            "warning {} stanzas are cut in the capture: make it with a larger --max-line-bytes to have them whole\n",
            told.cut
        );
    }
    if told.is_unredacted {
        text += "warning nothing was removed from this capture: the export holds passwords too, keep it to yourself\n";
    }
    if let Some(out) = out.filter(|_| told.lines > 0) {
        text += &format!("wrote {} from {} lines\n", out.display(), told.lines);
    }
    // Nobody reading standard error is no reason not to work.
    let _ = io::stderr().write_all(tame(&text).as_bytes());
}
