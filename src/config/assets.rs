//! What `assets` was asked to do.

use crate::assets::Kind;
use crate::cli::assets::AssetsFlags;
use std::path::PathBuf;

/// What `assets` is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assets {
    /// List all files.
    List,
    /// List those of a kind.
    Of(Kind),
    /// Print one.
    Print(Kind, String),
    /// Write those of a kind into a directory.
    Write(Kind, PathBuf),
}

pub(super) fn read(flags: AssetsFlags) -> Assets {
    match (flags.kind, flags.file, flags.out) {
        (None, ..) => Assets::List,
        (Some(kind), _, Some(dir)) => Assets::Write(kind, dir),
        (Some(kind), Some(path), None) => Assets::Print(kind, path),
        (Some(kind), None, None) => Assets::Of(kind),
    }
}
