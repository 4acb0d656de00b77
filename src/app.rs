//! Wires everything together: a configuration becomes a running proxy.

use crate::ca_text::CaFacts;
use crate::config::{Ca, Demo, Run};
use anyhow::bail;

/// Runs the proxy until it is told to stop.
///
/// # Errors
/// What keeps it from starting.
pub fn run(_config: Run) -> anyhow::Result<()> {
    bail!("not wired up yet")
}

/// Plays the demo.
///
/// # Errors
/// What keeps it from starting, or a desktop that did not come through.
pub fn demo(_config: Demo) -> anyhow::Result<()> {
    bail!("not wired up yet")
}

/// The CAs that `ca` is asked about; the one for `upstream` is made if it is missing.
///
/// # Errors
/// The directory cannot be read, or the CA cannot be made.
pub fn authorities(_config: &Ca) -> anyhow::Result<Vec<CaFacts>> {
    bail!("not wired up yet")
}
