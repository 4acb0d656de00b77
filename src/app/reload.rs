//! `reload`: has a running `finesse-tap run` read its configuration again, and prints what changed.

use super::{control, prepare_process, runtime};
use crate::config::Reload;
use anyhow::{anyhow, bail};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;

/// For connecting, and for the answer, which may wait for names to be resolved.
const LIMIT: Duration = Duration::from_secs(60);

/// Has one run reload.
///
/// # Errors
/// There is none, or more than one to choose from, or it could not reload; the text says why.
pub fn reload(config: &Reload) -> anyhow::Result<()> {
    prepare_process();
    runtime()?.block_on(async {
        let mut runs = control::runs(&config.certs)?;
        runs.retain(|(_, run)| config.pid.is_none_or(|pid| run.pid == pid));
        loop {
            if runs.len() > 1 {
                runs = alive(runs).await;
            }
            if runs.len() > 1 {
                let pids: Vec<String> = runs.iter().map(|(_, run)| run.pid.to_string()).collect();
                bail!("several runs keep their CA in {}\nhint: choose one with --pid: {}", config.certs.display(), pids.join(", "));
            }
            let Some((path, run)) = runs.pop() else {
                bail!(
                    "no run is found in {}\nhint: name the directory that the run has as --certs: finesse-tap reload --certs DIR",
                    config.certs.display()
                );
            };
            match control::ask(&run, LIMIT).await? {
                Some(Ok(told)) => {
                    let mut output = anstream::stdout().lock();
                    write!(output, "{told}")?;
                    return Ok(());
                }
                Some(Err(why)) => return Err(anyhow!("nothing was changed: {why}")),
                // It was killed, and could not tidy up.
                None => drop(fs::remove_file(path)),
            }
        }
    })
}

/// Those that still listen; the files of the others go.
async fn alive(runs: Vec<(PathBuf, control::RunFile)>) -> Vec<(PathBuf, control::RunFile)> {
    let mut alive = Vec::new();
    for (path, run) in runs {
        match TcpStream::connect(run.control).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => drop(fs::remove_file(path)),
            _ => alive.push((path, run)),
        }
    }
    alive
}
