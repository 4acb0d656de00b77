//! `report` and `compare` on captures of any kind.

use super::captures;
use crate::report::{self, Request, compare};
use std::path::PathBuf;
use std::slice;

/// Makes the report, and writes it where it belongs.
///
/// # Errors
/// A capture cannot be read, nothing that was asked for is in it, or the report cannot be written.
pub fn report(captures: &[PathBuf], run: Option<&str>, request: &Request) -> anyhow::Result<()> {
    report::run(request, &captures::open(captures, run)?)
}

/// Lays two sessions side by side, and writes that where it belongs.
///
/// # Errors
/// A capture cannot be read, a session is not in it, or the comparison cannot be written.
pub fn compare(request: &compare::Request) -> anyhow::Result<()> {
    let open = |wanted: &compare::Wanted| captures::open(slice::from_ref(&wanted.capture), None);
    compare::run(request, &open(&request.good)?, &open(&request.bad)?)
}
