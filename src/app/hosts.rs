//! `hosts`: routes become lines of a hosts file, shown, put in or taken out.

use super::prepare_process;
use crate::cli::{Action, Hosts, Names};
use crate::hosts::{Done, Line, NoRight, Plan, system_file};
use anyhow::{Context as _, bail};
use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _};
use std::path::Path;

/// Shows or changes a hosts file.
///
/// # Errors
/// It cannot be read or changed, or nobody can be asked.
pub fn hosts(config: &Hosts) -> anyhow::Result<()> {
    prepare_process();
    let path = config.file.clone().unwrap_or_else(system_file);
    match &config.action {
        Action::Show(names) => {
            let lines = lines(names)?;
            note(&format!("for {} (finesse-tap hosts --apply puts them there):", path.display()));
            print(&lines)?;
            advise(names);
            Ok(())
        }
        Action::Apply(names) => {
            let lines = lines(names)?;
            let plan = Plan::new(&path, &lines)?;
            if plan.is_idle() {
                note(&format!("{} holds these lines already:", path.display()));
                print(&lines)?;
                return Ok(());
            }
            note(&format!("into {}:", path.display()));
            print(&lines)?;
            // Afterwards the names lead to the proxy.
            advise(names);
            agreed(config, "Put them in?")?;
            tell(&path, make(&plan)?, "finesse-tap hosts --undo takes them out")
        }
        Action::Undo => {
            let plan = Plan::new(&path, &[])?;
            if plan.is_idle() {
                note(&format!("{} holds no lines of finesse-tap", path.display()));
                return Ok(());
            }
            agreed(config, &format!("Take the lines of finesse-tap out of {}?", path.display()))?;
            tell(&path, make(&plan)?, "the names lead to the servers again")
        }
    }
}

/// The lines for all names: each leads to the first of its listeners.
fn lines(Names { traffic, .. }: &Names) -> anyhow::Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    for listener in traffic.listeners() {
        let ip = listener.address.ip();
        let address = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
        for server in listener.servers {
            let known = lines.iter().any(|line| line.names.contains(&server.host));
            if known || server.host.parse::<IpAddr>().is_ok() {
                continue;
            }
            match lines.iter_mut().find(|line| line.address == address) {
                Some(line) => line.names.push(server.host),
                None => lines.push(Line { address, names: vec![server.host] }),
            }
        }
    }
    if lines.is_empty() {
        bail!(
            "no server has a name that a hosts file could map\nhint: --upstream names it as browsers do, not by its address"
        );
    }
    Ok(lines)
}

/// What a hosts file cannot do, and what `run` needs beside it.
fn advise(Names { traffic, resolve }: &Names) {
    for listener in traffic.listeners() {
        for server in listener.servers.iter().filter(|server| server.port != listener.address.port()) {
            let at = listener.address;
            note(&format!("note: a hosts file maps no ports: {server} is not reached by it, the proxy has it at {at}"));
        }
    }
    let mut options = Vec::new();
    for host in traffic.hosts() {
        if host.parse::<IpAddr>().is_ok() || resolve.iter().any(|(known, _)| *known == host) {
            continue;
        }
        options.push(format!("--resolve {host}:{}", real_address(&host).unwrap_or_else(|| String::from("ADDRESS"))));
    }
    if !options.is_empty() {
        note(&format!(
            "note: the proxy on this machine then needs the real addresses: finesse-tap run … {}",
            options.join(" ")
        ));
    }
}

/// Where a name leads now, unless to this machine.
fn real_address(host: &str) -> Option<String> {
    let address = (host, 0).to_socket_addrs().ok()?.map(|address| address.ip()).find(|ip| !ip.is_loopback())?;
    Some(if address.is_ipv6() { format!("[{address}]") } else { address.to_string() })
}

/// Asks, unless told not to.
fn agreed(config: &Hosts, question: &str) -> anyhow::Result<()> {
    if config.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        bail!("nobody is there to be asked: standard input is no terminal\nhint: add --yes to go ahead without asking");
    }
    if !is_agreed(question)? {
        bail!("left as it is\nhint: answer y to go ahead, or add --yes");
    }
    Ok(())
}

/// Asks whoever sits there; everything but a yes is a no.
pub(super) fn is_agreed(question: &str) -> anyhow::Result<bool> {
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Makes the change; without the right to, says by which command it would be made.
fn make(plan: &Plan) -> anyhow::Result<Done> {
    plan.make().map_err(|error| match error.downcast::<NoRight>() {
        Ok(no_right) => {
            let program = std::env::current_exe().map_or_else(|_| OsString::from("finesse-tap"), OsString::from);
            let words: Vec<String> = [program]
                .into_iter()
                .chain(std::env::args_os().skip(1))
                .map(|word| quoted(&word.to_string_lossy()))
                .collect();
            let how = if cfg!(windows) {
                format!("in a terminal opened as administrator: {}", words.join(" "))
            } else {
                format!("sudo {}", words.join(" "))
            };
            anyhow::anyhow!("{no_right}\nhint: {how}")
        }
        Err(error) => error,
    })
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,\\".contains(c);
    match () {
        () if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        () if cfg!(windows) => format!("\"{word}\""),
        () => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn tell(path: &Path, done: Done, next: &str) -> anyhow::Result<()> {
    if let Done::Changed(backup) = done {
        note(&format!("{} is changed; {next}", path.display()));
        if backup.exists() {
            note(&format!("the file without our lines is kept as {}", backup.display()));
        }
    }
    Ok(())
}

fn print(lines: &[Line]) -> anyhow::Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn note(text: &str) {
    // Nobody reading standard error is no reason not to work.
    let _ = writeln!(io::stderr(), "{text}");
}
