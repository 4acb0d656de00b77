//! `assets` on a terminal: lists, prints, writes.

use crate::assets::Kind;
use crate::cli::AssetsFlags;

/// What is to be printed, once everything is written that is to be.
///
/// # Errors
/// There is no such file, or one cannot be written.
pub fn assets(asked: &AssetsFlags) -> anyhow::Result<Vec<u8>> {
    Ok(match (asked.kind, &asked.file, &asked.output) {
        (None, ..) => list(&Kind::ALL),
        (Some(kind), None, None) => list(&[kind]),
        (Some(kind), Some(path), None) => kind.file(path)?.text.as_bytes().to_vec(),
        (Some(kind), _, Some(dir)) => {
            kind.write(dir)?;
            let written: String =
                kind.files().iter().map(|file| format!("{}\n", dir.join(file.path).display())).collect();
            written.into_bytes()
        }
    })
}

fn list(kinds: &[Kind]) -> Vec<u8> {
    let files = kinds.iter().flat_map(|kind| kind.files().iter().map(move |file| format!("{kind} {}\n", file.path)));
    files.collect::<String>().into_bytes()
}
