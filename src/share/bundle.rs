//! The zip file: written aside, every entry hashed and scanned on its way, renamed when it is whole. Removed if it never
//! becomes so.
//!
//! For a recipient it goes through `age` on its way to the disk, so that it never lies there as it is. The same content gives the
//! same bytes (until they are encrypted): fixed times, fixed modes, entries in the order they are added.

use super::seal::{Recipient, Sealed};
use crate::scan::{Hit, Lines, Place, Scanner};
use crate::stored::Aside;
use anyhow::Context as _;
use ring::digest::{Context as Digest, SHA256};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Collected before it goes to the disk, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// A file of the bundle, as the manifest lists it.
#[derive(serde::Serialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A bundle while it is written.
pub(super) struct Bundle<'s> {
    zip: Zip,
    scanner: &'s Scanner,
    hits: Rc<RefCell<Vec<Hit>>>,
    /// Behind the zip, whose file is to be closed when this one is removed.
    aside: Aside,
    out: PathBuf,
    entries: Vec<Entry>,
    open: Option<Open<'s>>,
}

/// The entry that is being written.
struct Open<'s> {
    name: String,
    bytes: u64,
    digest: Digest,
    lines: Lines<'s>,
    is_text: bool,
}

enum Zip {
    /// Headers are completed when sizes are known.
    Plain(Box<ZipWriter<BufWriter<File>>>),
    /// Nothing goes back: sizes stand behind the entries.
    Sealed(Box<ZipWriter<StreamWriter<BufWriter<Sealed>>>>),
}

impl<'s> Bundle<'s> {
    /// Begins a bundle beside where it is to lie.
    pub(super) fn create(out: &Path, to: Option<&Recipient>, scanner: &'s Scanner) -> anyhow::Result<Self> {
        let failed = || format!("write {}", out.display());
        let aside = Aside::create(out).with_context(failed)?;
        let file = aside.file().with_context(failed)?;
        let zip = match to {
            Some(recipient) => {
                let sealed = BufWriter::with_capacity(BUFFER_BYTES, Sealed::to(recipient, file)?);
                Zip::Sealed(Box::new(ZipWriter::new_stream(sealed)))
            }
            None => Zip::Plain(Box::new(ZipWriter::new(BufWriter::with_capacity(BUFFER_BYTES, file)))),
        };
        let out = out.to_owned();
        Ok(Self { zip, scanner, hits: Rc::default(), aside, out, entries: Vec::new(), open: None })
    }

    /// Begins a file in it.
    pub(super) fn begin(&mut self, name: &str) -> anyhow::Result<()> {
        self.end();
        // Any file may grow beyond 4 GiB; the format has to be chosen before its size is known.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(true);
        match &mut self.zip {
            Zip::Plain(zip) => zip.start_file(name, options)?,
            Zip::Sealed(zip) => zip.start_file(name, options)?,
        }
        let hits = Rc::clone(&self.hits);
        let place = Place { file: name.to_owned(), ..Place::default() };
        let lines = Lines::new(self.scanner, &place, move |hit| hits.borrow_mut().push(hit));
        self.open = Some(Open { name: name.to_owned(), bytes: 0, digest: Digest::new(&SHA256), lines, is_text: true });
        Ok(())
    }

    /// Writes into the file begun last.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        match &mut self.zip {
            Zip::Plain(zip) => zip.write_all(bytes),
            Zip::Sealed(zip) => zip.write_all(bytes),
        }
        .with_context(|| format!("write {}", self.out.display()))?;
        open.bytes += bytes.len() as u64;
        open.digest.update(bytes);
        if open.is_text {
            open.lines.feed(bytes);
        }
        Ok(())
    }

    /// A whole file.
    pub(super) fn add(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        self.begin(name)?;
        self.write(text.as_bytes())?;
        self.end();
        Ok(())
    }

    /// A whole file that lies elsewhere; only text is scanned.
    pub(super) fn copy(&mut self, name: &str, mut from: File, is_text: bool) -> anyhow::Result<()> {
        self.begin(name)?;
        if let Some(open) = &mut self.open {
            open.is_text = is_text;
        }
        let failed = || format!("write {name}");
        from.rewind().with_context(failed)?;
        let mut chunk = vec![0; BUFFER_BYTES];
        loop {
            let read = from.read(&mut chunk).with_context(failed)?;
            if read == 0 {
                self.end();
                return Ok(());
            }
            self.write(chunk.get(..read).unwrap_or_default())?;
        }
    }

    /// The files so far.
    pub(super) fn entries(&mut self) -> &[Entry] {
        self.end();
        &self.entries
    }

    /// What the scan has found in whole lines since it was asked last.
    pub(super) fn hits(&mut self) -> Vec<Hit> {
        std::mem::take(&mut self.hits.borrow_mut())
    }

    /// Ends the zip; the finished file still lies aside, and gets its name from whoever takes it.
    pub(super) fn finish(mut self) -> anyhow::Result<Aside> {
        self.end();
        let Self { zip, aside, out, .. } = self;
        let whole = || -> anyhow::Result<()> {
            match zip {
                Zip::Plain(zip) => drop(zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?),
                Zip::Sealed(zip) => {
                    let sealed = zip.finish()?.into_inner().into_inner().map_err(io::IntoInnerError::into_error)?;
                    sealed.finish()?;
                }
            }
            Ok(())
        };
        whole().with_context(|| format!("write {}", out.display()))?;
        Ok(aside)
    }

    fn end(&mut self) {
        if let Some(Open { name, bytes, digest, lines, .. }) = self.open.take() {
            lines.finish();
            let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            self.entries.push(Entry { name, bytes, sha256 });
        }
    }
}
