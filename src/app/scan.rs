//! `scan`: files through the scanner, hits to standard output, progress to standard error.

use super::progress::Progress;
use crate::capture::form::MIN_SECRET_BYTES;
use crate::cli::{Format, ScanFlags};
use crate::glyph::tame;
use crate::scan::{self, Count, Groups, Hit, Place, Scanned, Scanner, hit_as_json, hit_as_text};
use anyhow::{Context as _, bail};
use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Largest file of known secrets, bytes.
const MAX_SECRETS_FILE_BYTES: u64 = 1 << 20;

/// What makes clean files of others.
const CLEAN: &str =
    "`finesse-tap share` makes a clean bundle of captures; a HAR is made a capture by `finesse-tap import`";

/// What to do about what cannot be looked at.
const UNSEEN: &str = "what nobody looked at is not clean: unpack it and scan that, or leave it out";

/// Writes what is found to `output`: the gravest first and grouped, or every hit as it is found.
///
/// # Errors
/// Something is left, or something cannot be read; either way the files are not to be handed over.
pub fn scan(config: &ScanFlags, output: &mut dyn Write) -> anyhow::Result<()> {
    let secrets = config.secrets_file.as_deref().map(known_secrets).transpose()?.unwrap_or_default();
    let scanner = Scanner::new(config.level, secrets.iter().map(String::as_str));
    let files = scan::files(&config.files)
        .map_err(|(path, error)| anyhow::Error::new(error).context(format!("look into {}", path.display())))?;
    if files.is_empty() {
        bail!(
            "there is no file in {}\nhint: name what is to be handed over",
            config.files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    let mut output = BufWriter::new(output);
    let (mut count, mut groups, mut unread) = (Count::default(), Groups::default(), 0);
    for path in &files {
        let mut written = Ok(());
        let progress = RefCell::new(Progress::new(format!("scanning {}", path.display())));
        let mut found = |hit: Hit| {
            count.add(&hit);
            let line = match config.format {
                Format::Text if config.all => hit_as_text(&hit),
                Format::Text => return groups.add(hit),
                Format::Json => hit_as_json(&hit),
            };
            progress.borrow_mut().hide();
            written = std::mem::replace(&mut written, Ok(())).and_then(|()| writeln!(output, "{line}"));
        };
        let mut bytes = 0;
        let mut tick = |read: u64| {
            bytes += read;
            progress.borrow_mut().bytes(bytes);
        };
        let scanned = one(&scanner, path, &mut tick, &mut found);
        drop(progress);
        match written {
            // Whoever closes the pipe has seen enough; the exit code still counts.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
        match scanned {
            Ok(_) => {}
            Err(error) => {
                unread += 1;
                say(&format!("{} cannot be read: {error}\n", path.display().to_string().escape_debug()));
            }
        }
    }
    let total = count.total();
    // As above: a closed pipe changes nothing.
    let _ = groups.lines().try_for_each(|line| writeln!(output, "{line}"));
    if (total, unread, config.format) == (0, 0, Format::Text) {
        let _ = writeln!(output, "nothing found");
    }
    let _ = output.flush();
    let left = format!("not clean for level {}: {total} found: {count}", config.level);
    let unseen = format!("{unread} of {} files cannot be read", files.len());
    match (total, unread) {
        (0, 0) => Ok(()),
        (0, _) => bail!("{unseen}{}\nhint: what nobody looked at is not clean: see above why", {
            if files.len() > unread { ", and nothing is found in the others" } else { "" }
        }),
        (_, 0) if count.is_only_unseen() => bail!("{left}\nhint: {UNSEEN}"),
        (_, 0) => bail!("{left}\nhint: {CLEAN}"),
        _ => bail!("{left}; and {unseen}\nhint: {CLEAN}"),
    }
}

fn one(scanner: &Scanner, path: &Path, tick: &mut dyn FnMut(u64), found: &mut dyn FnMut(Hit)) -> io::Result<Scanned> {
    if path != Path::new("-") {
        return scanner.file(path, tick, found);
    }
    let place = Place { file: "-".to_owned(), ..Place::default() };
    scanner.stream(&mut io::stdin().lock(), &place, tick, found)
}

/// The lines of the file; errors name lines, never their text.
fn known_secrets(path: &Path) -> anyhow::Result<Vec<String>> {
    let place = || format!("secrets file {}", path.display());
    if std::fs::metadata(path).with_context(place)?.len() > MAX_SECRETS_FILE_BYTES {
        bail!("{}: larger than {MAX_SECRETS_FILE_BYTES} bytes", place());
    }
    let text = std::fs::read_to_string(path).with_context(place)?;
    let text = text.trim_start_matches('\u{feff}');
    for (number, line) in text.lines().enumerate() {
        if !line.is_empty() && line.len() < MIN_SECRET_BYTES {
            bail!(
                "{}, line {}: shorter than {MIN_SECRET_BYTES} bytes, which would be found anywhere",
                place(),
                number + 1
            );
        }
    }
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn say(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = io::stderr().write_all(tame(text).as_bytes());
}
