//! `report` on captures of any kind.

use super::captures;
use crate::report::{self, Request};
use std::path::PathBuf;

/// Makes the report, and writes it where it belongs.
///
/// # Errors
/// A capture cannot be read, nothing that was asked for is in it, or the report cannot be written.
pub fn report(captures: &[PathBuf], run: Option<&str>, request: &Request) -> anyhow::Result<()> {
    report::run(request, &captures::open(captures, run)?)
}
