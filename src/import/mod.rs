//! A browser's own HAR becomes what the wire would have said, for the same decoder and the same door as live traffic.
//!
//! [`Har::open`] reads the file once and remembers where each entry begins; [`Har::play`] then gives
//! [`Message`]s in the order of time, sockets interleaved with requests, holding one entry and one message a socket. The
//! file must be seekable. What a HAR does not know is listed in [`UNKNOWN`] and never made up to look known: connections
//! end `unknown`, by nobody.

mod har;
mod index;
mod place;
mod play;
mod wire;

pub use index::Broken;
pub use play::Tally;

use crate::conn::Authority;
use crate::tap::feed::Message;
use index::Index;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Largest entry without its messages, and largest message, bytes of JSON.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;

/// What no HAR knows, for whoever reads the capture.
pub const UNKNOWN: &str = "addresses of the browser, TLS, pings and pongs, fragments and compression, bytes on the wire, \
                           when and how connections ended; who closed a WebSocket and with which code unless the HAR says; \
                           whatever the browser left out (a \"sanitized\" HAR: cookies and Authorization)";

/// A HAR that was read through once.
pub struct Har {
    path: PathBuf,
    file: Rc<File>,
    index: Index,
    broken: Option<Broken>,
}

impl Har {
    /// Reads through the file at `path`, telling `progress` how many of how many bytes are done.
    ///
    /// A file that breaks off or is damaged gives the entries before that place, and [`Har::broken`] tells where it is.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> io::Result<Self> {
        let file = Rc::new(File::open(path)?);
        let (index, broken) = index::read(&file, progress)?;
        Ok(Self { path: path.to_owned(), file, index, broken })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries that were found.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.index.places.len()
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
        let sockets = self.index.places.iter().filter(|place| place.is_socket);
        let first = sockets.chain(&self.index.places).take(8);
        first
            .filter_map(|place| place::entry(&self.file, place.offset).ok())
            .find_map(|entry| Some(entry.url()?.server))
    }

    /// Gives the messages that the wire would have given, in the order of time, to `feed`. `first_conn` numbers the first
    /// connection.
    ///
    /// # Errors
    /// The file can no longer be read.
    pub fn play(
        &self,
        first_conn: u64,
        feed: &mut dyn FnMut(Message),
        progress: &mut dyn FnMut(u64, u64),
    ) -> io::Result<Tally> {
        play::play(&self.file, &self.index, first_conn, feed, progress)
    }
}
