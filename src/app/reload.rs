//! `reload`: has a running `finesse-tap run` read its configuration again, and prints what changed.

use super::{block_on, control, prepare_process};
use crate::cli::ReloadFlags;
use anyhow::{anyhow, bail};
use std::fs;
use std::io::Write as _;
use std::time::Duration;

/// For connecting, and for the answer, which may wait for names to be resolved.
const LIMIT: Duration = Duration::from_secs(60);

/// Has one run reload.
///
/// # Errors
/// There is none, or more than one to choose from, or it could not reload; the text says why.
pub fn reload(config: &ReloadFlags) -> anyhow::Result<()> {
    prepare_process();
    block_on(async {
        let mut runs = control::runs(&config.certs).await?;
        let pids: Vec<String> = runs.iter().map(|(_, run)| run.pid.to_string()).collect();
        let (certs, pids) = (config.certs.display(), pids.join(", "));
        runs.retain(|(_, run)| config.pid.is_none_or(|pid| run.pid == pid));
        if runs.len() > 1 {
            bail!("several runs keep their CA in {certs}\nhint: choose one with --pid: {pids}");
        }
        if let (Some(pid), true, false) = (config.pid, runs.is_empty(), pids.is_empty()) {
            bail!("process {pid} is no run that keeps its CA in {certs}\nhint: name one that is, with --pid: {pids}");
        }
        if let Some((path, run)) = runs.pop() {
            match control::ask(&run, LIMIT).await? {
                Some(Ok(told)) => {
                    let mut output = anstream::stdout().lock();
                    write!(output, "{told}")?;
                    return Ok(());
                }
                Some(Err(why)) => return Err(anyhow!("nothing was changed: {why}")),
                None => drop(fs::remove_file(path)),
            }
        }
        bail!(
            "no run is found in {certs}\nhint: name the directory that the run has as --certs: finesse-tap reload --certs DIR"
        )
    })
}
