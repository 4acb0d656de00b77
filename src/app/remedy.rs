//! An error that comes without a hint gets one, by what the system said was wrong.
//!
//! Errors of ours carry a hint where there is something particular to do (`hint: …`, on a line of its own). Of files and
//! directories the system's own word tells as much, so that not every place that opens one has to.

use std::io::{self, ErrorKind};

/// The error as a person reads it: its causes in one line, then at most one hint.
#[must_use]
pub fn explained(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    if text.contains("\nhint: ") {
        return text;
    }
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    match cause.and_then(|cause| hint(cause.kind())) {
        Some(hint) => format!("{text}\nhint: {hint}"),
        None => text,
    }
}

fn hint(kind: ErrorKind) -> Option<String> {
    Some(match kind {
        ErrorKind::NotFound => {
            let here = std::env::current_dir().map_or_else(|_| String::from("."), |dir| dir.display().to_string());
            format!("is the path right, and its directory there? It is looked for from {here}")
        }
        ErrorKind::PermissionDenied => String::from("name another path, or run it as a user who may"),
        ErrorKind::IsADirectory => String::from("name a file in it"),
        ErrorKind::NotADirectory => String::from("name a directory: that is a file"),
        ErrorKind::AlreadyExists => String::from("name another path, or remove what is there"),
        ErrorKind::InvalidData => String::from("is it the right file? It has to be text in UTF-8"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => String::from("make room, or name a path on another disk"),
        ErrorKind::ReadOnlyFilesystem => String::from("name a path that can be written to"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn what_the_system_says_gets_a_hint_and_what_has_one_keeps_it() {
        let missing = Err::<(), _>(io::Error::from(ErrorKind::NotFound)).context("read nope").unwrap_err();
        let text = explained(&missing);
        assert!(text.starts_with("read nope: ") && text.contains("\nhint: is the path right"), "{text}");
        let own = anyhow!(io::Error::from(ErrorKind::NotFound)).context("read nope\nhint: do this");
        assert_eq!(explained(&own).matches("hint: ").count(), 1);
        assert_eq!(explained(&anyhow!("left as it is")), "left as it is");
    }
}
