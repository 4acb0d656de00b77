//! HARs become what the wire would have said, for the same decoder and the same door as live traffic.
//!
//! [`open`] reads a file once and remembers where each entry begins; [`play`] then gives [`Message`](crate::tap::feed::Message)s of all HARs in the
//! order of time, sockets interleaved with requests, holding one entry and one message a socket. A file is a HAR of any
//! maker, plain or gzip, or a zip of HARs. What a HAR does not know is listed in [`UNKNOWN`] and never made up to look
//! known; what could not be used is counted in [`Tally`].

mod failure;
mod har;
mod index;
mod json;
mod lenient;
mod place;
mod play;
mod source;
mod tally;
mod wire;

pub use index::Broken;
pub use play::play;
pub use tally::Tally;

use crate::conn::Authority;
use index::Index;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Largest entry without its messages, and largest message, bytes of JSON.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;

/// What no HAR knows, for whoever reads the capture.
pub const UNKNOWN: &str = "addresses of the browser, TLS unless it failed, pings and pongs, fragments and compression, bytes on \
                           the wire, when and how connections ended unless the HAR says; who closed a WebSocket and with which \
                           code unless the HAR says; whatever the browser left out (a \"sanitized\" HAR: cookies and Authorization)";

/// A HAR that was read through once.
pub struct Har {
    path: PathBuf,
    file: Rc<File>,
    index: Index,
    broken: Option<Broken>,
}

/// Reads through the HARs in the file at `path`, telling `progress` how many of how many bytes are done.
///
/// A HAR that breaks off or is damaged gives the entries before that place, and [`Har::broken`] tells where it is.
///
/// # Errors
/// It cannot be read or unpacked, or is a zip without a HAR.
pub fn open(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> io::Result<Vec<Har>> {
    let sources = source::open(path)?;
    let read = |source: source::Source| {
        let (index, broken) = index::read(&source.file, progress)?;
        Ok(Har { path: source.path, file: Rc::new(source.file), index, broken })
    };
    sources.into_iter().map(read).collect()
}

impl Har {
    /// The file, and behind it the name inside a zip.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries that were found.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.index.entries.len()
    }

    /// Who wrote it: `WebInspector 537.36`; empty if it does not say.
    #[must_use]
    pub fn creator(&self) -> &str {
        &self.index.creator
    }

    /// Where it cannot be read any further, and why.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// The server of the first WebSocket, or of the first entry if there is none.
    #[must_use]
    pub fn server(&self) -> Option<Authority> {
        let sockets = self.index.entries.iter().filter(|entry| entry.is_socket);
        let first = sockets.chain(&self.index.entries).take(8);
        first
            .filter_map(|extent| place::entry(&self.file, extent).ok()?)
            .find_map(|(entry, _)| Some(entry.url()?.server))
    }
}
