//! The zip file: written aside, every entry hashed on its way, renamed when it is whole. Removed if it never becomes so.
//!
//! The same content gives the same bytes: fixed times, fixed modes, entries in the order they are added.

use anyhow::Context as _;
use ring::digest::{Context as Digest, SHA256};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file of the bundle, as the manifest lists it.
#[derive(serde::Serialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A bundle while it is written.
pub(super) struct Bundle {
    zip: Option<ZipWriter<BufWriter<File>>>,
    aside: PathBuf,
    entries: Vec<Entry>,
    open: Option<(String, u64, Digest)>,
}

impl Bundle {
    /// Begins a bundle beside where it is to lie.
    pub(super) fn create(out: &Path) -> anyhow::Result<Self> {
        let mut name = out.as_os_str().to_owned();
        name.push(".part");
        let aside = PathBuf::from(name);
        let file = File::create(&aside).with_context(|| format!("write {}", aside.display()))?;
        let zip = Some(ZipWriter::new(BufWriter::new(file)));
        Ok(Self { zip, aside, entries: Vec::new(), open: None })
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
        if let Some(zip) = &mut self.zip {
            zip.start_file(name, options)?;
        }
        self.open = Some((name.to_owned(), 0, Digest::new(&SHA256)));
        Ok(())
    }

    /// Writes into the file begun last.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if let (Some(zip), Some((_, size, digest))) = (&mut self.zip, &mut self.open) {
            zip.write_all(bytes).with_context(|| format!("write {}", self.aside.display()))?;
            *size += bytes.len() as u64;
            digest.update(bytes);
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

    /// The files so far.
    pub(super) fn entries(&mut self) -> &[Entry] {
        self.end();
        &self.entries
    }

    /// Ends the zip; the finished file still lies aside.
    pub(super) fn finish(mut self) -> anyhow::Result<Finished> {
        self.end();
        if let Some(zip) = self.zip.take() {
            let file = zip.finish()?.into_inner().map_err(|error| error.into_error())?;
            file.sync_all().with_context(|| format!("write {}", self.aside.display()))?;
        }
        Ok(Finished(self.aside.clone()))
    }

    fn end(&mut self) {
        if let Some((name, bytes, digest)) = self.open.take() {
            let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            self.entries.push(Entry { name, bytes, sha256 });
        }
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        // Not finished: nothing half-written stays.
        if self.zip.take().is_some() {
            let _ = fs::remove_file(&self.aside);
        }
    }
}

/// A whole bundle that has no name yet; removed unless it gets one.
pub(super) struct Finished(PathBuf);

impl Finished {
    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives it its name.
    pub(super) fn name(self, out: &Path) -> anyhow::Result<()> {
        fs::rename(&self.0, out).with_context(|| format!("write {}", out.display()))
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
