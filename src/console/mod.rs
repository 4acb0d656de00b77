//! A place to look: one page for traffic as it passes and for captures, served on loopback.
//!
//! [`Console`] is given sources of lines and what it may hand out; it indexes them on a thread of its own (`index`), keeps
//! reading files that grow, and answers the page (`api`) whoever may ask (`access`). The files are the store: memory holds
//! some 64 bytes a line. Read-only, but for a note that whoever wires it may let it write. Shows what the capture's level
//! lets it, and nothing else: it sees finished lines only.
//!
//! Limits: [`RING_BYTES`] of lines where there are no files, 500 rows an answer, 64 connections.

mod access;
mod api;
mod index;
mod ladders;
mod page;
mod people;
mod problems;
mod query;
mod reader;
mod serve;
mod spans;
mod store;
#[cfg(test)]
mod tests;

pub use store::{Pushed, RING_BYTES};

use access::Access;
use index::{Entry, Index};
use query::Queries;
use reader::Reader;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use store::{Place, Source};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// A file that an export has made.
pub struct Made {
    /// Its name, of letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// One form in which what the filter shows can be taken along.
pub struct Export {
    /// Its name in requests.
    pub name: &'static str,
    /// What the button says.
    pub title: &'static str,
    /// Makes it of the lines that pass the expression; empty for all. Of `compare` it is two sessions, with a space between.
    pub make: Maker,
}

/// What makes a file of an expression.
pub type Maker = Box<dyn Fn(&str) -> anyhow::Result<Made> + Send + Sync>;

/// Finds files that have come.
pub type More = Box<dyn FnMut() -> Vec<Lines> + Send>;

/// Writes a note into the capture.
pub type Marks = Box<dyn Fn(String) + Send + Sync>;

/// A file of lines, and whether more may come.
pub struct Lines {
    /// Where it lies, for a person.
    pub path: PathBuf,
    /// Open for reading; a compressed one is given unpacked.
    pub file: File,
}

/// Where lines come from.
pub enum Input {
    /// These files, and whatever `more` finds when it is asked again.
    Files {
        /// What is there.
        files: Vec<Lines>,
        /// Files that have come since; asked now and then.
        more: More,
    },
    /// Lines handed over.
    Pushed(Pushed),
}

struct Shared {
    title: String,
    access: Access,
    sources: RwLock<Vec<Arc<Source>>>,
    index: RwLock<Index>,
    queries: Mutex<Queries>,
    exports: Vec<Export>,
    marks: Option<Marks>,
    /// Lines indexed.
    total: watch::Sender<usize>,
    tasks: TaskTracker,
    stop: AtomicBool,
}

impl Shared {
    fn sources(&self) -> Vec<Arc<Source>> {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn total_bytes(&self) -> u64 {
        self.sources().iter().filter_map(|source| source.bytes().ok()).sum()
    }

    /// A line's text; empty where it is gone.
    fn text(&self, entry: &Entry) -> Vec<u8> {
        let Place { source, offset, bytes } = entry.place;
        let mut text = Vec::with_capacity(bytes as usize);
        if let Some(source) = self.sources().get(source as usize) {
            let _ = source.read(offset..offset + u64::from(bytes), &mut text);
        }
        text
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// A console that listens. Dropped, it reads no more.
pub struct Console {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl Console {
    /// Listens on a free loopback port (or `port`) and begins to read. `title` is what the page is called.
    ///
    /// # Errors
    /// The port cannot be had, or the system gives no thread or random numbers.
    pub async fn open(
        port: u16,
        title: String,
        input: Input,
        exports: Vec<Export>,
        marks: Option<Marks>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            title,
            access: Access::new(address)?,
            sources: RwLock::default(),
            index: RwLock::default(),
            queries: Mutex::default(),
            exports,
            marks,
            total: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: AtomicBool::new(false),
        });
        let mut reader = Reader::new(Arc::clone(&shared));
        let mut more: More = match input {
            Input::Pushed(pushed) => {
                reader.take(Source::Memory(pushed));
                Box::new(Vec::new)
            }
            Input::Files { files, more } => {
                files.into_iter().for_each(|Lines { path, file }| reader.take(Source::file(&path, file)));
                more
            }
        };
        std::thread::Builder::new().name("console".into()).spawn(move || reader.run(&mut more))?;
        Ok(Self { shared, address, listener: Some(listener) })
    }

    /// The address that lets the first visitor in.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}/{}", self.address, self.shared.access.query())
    }

    /// Answers for ever.
    pub async fn serve(&mut self) {
        if let Some(listener) = self.listener.take() {
            serve::serve(listener, Arc::clone(&self.shared)).await;
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}
