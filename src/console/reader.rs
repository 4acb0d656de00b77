//! Reads the sources front to back and indexes their lines, then looks for more until the console is dropped.
//!
//! A line that has no line feed yet waits until it has one. A file that cannot be read is told once and left alone.

use super::store::{CHUNK_BYTES, Place, Source};
use super::{Lines, Shared};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long to wait when there is nothing new.
const POLL: Duration = Duration::from_millis(50);
/// How many waits until new files are looked for.
const LOOK_EVERY: u32 = 10;
/// Longest line that is indexed, bytes; a longer one is none of ours, and is passed over.
const MAX_LINE_BYTES: usize = 8 << 20;

pub(super) struct Reader {
    shared: Arc<Shared>,
    sources: Vec<Progress>,
}

/// How far a source was read.
struct Progress {
    source: Arc<Source>,
    offset: u64,
    /// It cannot be read.
    given_up: bool,
    /// In a line that is too long, until its line feed.
    skipping: bool,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, sources: Vec::new() }
    }

    /// One source more.
    pub(super) fn take(&mut self, source: Source) {
        let source = Arc::new(source);
        self.shared.sources.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&source));
        self.sources.push(Progress { source, offset: 0, given_up: false, skipping: false });
    }

    /// Until the console is dropped.
    pub(super) fn run(mut self, more: &mut dyn FnMut() -> Vec<Lines>) {
        let mut text = Vec::new();
        let mut waited = 0;
        while !self.shared.stop.load(Ordering::Relaxed) {
            let mut read_some = false;
            for number in 0..self.sources.len() {
                read_some |= self.advance(number, &mut text);
            }
            if read_some {
                continue;
            }
            waited += 1;
            if waited % LOOK_EVERY == 0 {
                more().into_iter().for_each(|Lines { path, file }| self.take(Source::file(&path, file)));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Indexes the next lines of a source; whether there were any.
    fn advance(&mut self, number: usize, text: &mut Vec<u8>) -> bool {
        let Some(progress) = self.sources.get_mut(number).filter(|progress| !progress.given_up) else { return false };
        text.clear();
        // What has left the ring before it was read is gone; the next line begins where the oldest does.
        progress.offset = progress.offset.max(progress.source.begin());
        let mut wanted = CHUNK_BYTES as u64;
        loop {
            let start = progress.offset + text.len() as u64;
            if let Err(error) = progress.source.read(start..progress.offset + wanted, text) {
                tracing::warn!(%error, file = progress.source.name(), "a capture cannot be read any further");
                progress.given_up = true;
                return false;
            }
            if memchr::memrchr(b'\n', text).is_some() || (text.len() as u64) < wanted {
                break;
            }
            if text.len() >= MAX_LINE_BYTES {
                progress.offset += text.len() as u64;
                progress.skipping = true;
                return true;
            }
            wanted *= 2;
        }
        let Some(end) = memchr::memrchr(b'\n', text) else { return false };
        let whole = text.get(..=end).unwrap_or_default();
        let source = u32::try_from(number).unwrap_or(u32::MAX);
        let mut index = self.shared.index.write().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        for feed in memchr::memchr_iter(b'\n', whole) {
            let line = whole.get(at..feed).unwrap_or_default();
            let bytes = u32::try_from(line.len()).unwrap_or(0);
            if !std::mem::take(&mut progress.skipping) && !line.is_empty() {
                index.add(Place { source, offset: progress.offset + at as u64, bytes }, line);
            }
            at = feed + 1;
        }
        progress.offset += at as u64;
        index.read_bytes += at as u64;
        let total = index.entries.len();
        drop(index);
        self.shared.total.send_replace(total);
        true
    }
}
