//! Both ends of the relay benchmark: the desktops and the server behind the proxy under test, in one thread.
//!
//! Turns command lines on standard input (`MEASURE PROXY_PORT PROXY_PID SECONDS SOCKETS`) into one JSON line each on
//! standard output. Since client and server share a thread and a clock, one-way latency needs no second clock and a
//! closed loop no message back. It knows no proxy: starting, pinning and comparing them is the part of the script
//! `benches/relay/run`, which is how this program is meant to be started.
//!
//! Limits: Linux (`/proc`), loopback, TLS 1.3 on both legs, every command bounded by [`COMMAND_LIMIT`].

mod measure;
mod pair;
mod socket;
mod stanza;
mod usage;

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

/// Longest time a command may take beyond the seconds it was given.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [word, directory] if word == "both-ends" => both_ends(Path::new(directory)),
        _ => {
            writeln!(std::io::stdout(), "relay: compares proxies; start it with benches/relay/run")?;
            Ok(())
        }
    }
}

/// Writes the origin's certificates to `directory`, says where the origin listens, then answers commands until
/// standard input ends.
fn both_ends(directory: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start tokio")?;
    let origin = runtime.block_on(pair::Origin::bind(directory))?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::json!({ "origin_port": origin.port() }))?;
    for line in std::io::stdin().lock().lines() {
        let command: measure::Command = line?.parse()?;
        let limit = command.duration + COMMAND_LIMIT;
        let answer = runtime.block_on(async {
            tokio::select! {
                done = tokio::time::timeout(limit, measure::run(&origin, &command)) => {
                    done.context("command took too long")?
                }
                ended = origin.accept() => ended.map(|never| match never {}),
            }
        });
        let answer = answer.unwrap_or_else(|error| serde_json::json!({ "error": format!("{error:#}") }));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
