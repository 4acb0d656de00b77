//! What was said becomes a [`Task`]: every option gets its type, its default and its bounds.

use super::admin;
use super::browse;
use super::doctor;
use super::hosts;
use super::route;
use super::said::{self, Environment, Known, Said, Value};
use super::share;
use super::value::{self, Wrong};
use super::{
    Ca, CaptureTo, DEFAULT_CAPTURES, DEFAULT_CERTS, Demo, Export, Identity, Import, Live, MAX_AGENTS, MAX_CONNECTIONS,
    Problem, Recording, Reload, Run, SESSION_KEY, Stanzas, Stop, Task,
};
use crate::capture::line::{DEFAULT_LINE_BYTES, MAX_LINE_BYTES, MIN_LINE_BYTES};
use crate::capture::restrict::UserRules;
use crate::capture::rules::Level;
use crate::cli::{Cli, Command};
use crate::log::{self, Log};
use crate::proxy::{Limits, Preface};
use crate::tls::upstream::{Pin, Trust};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

/// Longest configuration file, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads what the program was asked to do, from its arguments (its own name first) and its environment.
///
/// # Errors
/// There is nothing to do, or no telling what.
pub fn read(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Result<Task, Stop> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let help = help_of(arguments.get(1).and_then(|word| word.to_str()));
    let matches = Cli::command().try_get_matches_from(arguments).map_err(|error| stopped(error, &help))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| stopped(error, &help))?;
    let (name, matches) = matches.subcommand().ok_or_else(|| Problem::new("no command was named"))?;
    task(cli.command, name, matches, environment).map_err(|problem| Stop::Wrong(problem.or_hint(help)))
}

/// Where help is for whoever typed this command.
fn help_of(word: Option<&str>) -> String {
    match word.filter(|word| Cli::command().find_subcommand(word).is_some()) {
        Some(command) => format!("`finesse-tap {command} --help` tells what it takes"),
        None => String::from("`finesse-tap --help` tells what there is"),
    }
}

fn task(command: Command, name: &str, matches: &ArgMatches, environment: &Environment) -> Result<Task, Problem> {
    let known = options(name);
    let given = |in_environment: &[Known]| layers(matches, environment, &known, in_environment, &known);
    Ok(match command {
        Command::Run(_) => Task::Run(Box::new(run(&given(&known)?, environment)?)),
        // It reads the file of `run`, of which it knows a part.
        Command::Browse(_) => {
            Task::Browse(browse::browse(&layers(matches, environment, &known, &known, &options("run"))?)?)
        }
        Command::Demo(_) => Task::Demo(demo(&given(&known)?)?),
        Command::Doctor(flags) => {
            let in_environment = known.iter().filter(|option| doctor::IN_ENVIRONMENT.contains(&&*option.name));
            let said = given(&in_environment.cloned().collect::<Vec<_>>())?;
            Task::Doctor(Box::new(doctor::doctor(&flags.server, &said)?))
        }
        // `ca --upstream` makes a CA: that is asked for on the spot or not at all.
        Command::Ca(_) => Task::Ca(ca(&given(&only(&known, "certs"))?)?),
        Command::Scan(flags) => Task::Scan(super::scan::scan(flags)?),
        Command::Share(flags) => Task::Share(Box::new(share::share(&flags)?)),
        Command::Ship(_) => Task::Ship(super::ship::ship(&given(&receivers(&known))?, environment)?),
        Command::Resolve(flags) => Task::Resolve(share::resolve(&flags)),
        Command::Report(_) => Task::Report(super::report::read(&given(&[])?)?),
        Command::Import(flags) => {
            let known: Vec<Known> = known.iter().filter(|option| option.name != "files").cloned().collect();
            let said = layers(matches, environment, &known, &known, &known)?;
            Task::Import(Import { files: flags.files, record: Recording { live: Live::Off, ..recording(&said)? } })
        }
        Command::Export(flags) => Task::Export(Export {
            form: flags.form,
            files: flags.files,
            out: Some(flags.out).filter(|out| out.as_os_str() != "-"),
            stanzas: if flags.xml { Stanzas::Xml } else { Stanzas::Gist },
        }),
        Command::Hosts(flags) => {
            let own = known.iter().filter(|option| option.name == "config" || hosts::OF_RUN.contains(&&*option.name));
            let own: Vec<Known> = own.cloned().collect();
            let said = layers(matches, environment, &own, &own, &options("run"))?;
            Task::Hosts(Box::new(hosts::hosts(*flags, &said)?))
        }
        Command::Reload(flags) => {
            let said = given(&only(&known, "certs"))?;
            Task::Reload(Reload { certs: path(&said, "certs", DEFAULT_CERTS), pid: flags.pid })
        }
        Command::Assets(flags) => Task::Assets(super::assets::read(flags)),
        Command::Completions { shell } => Task::Completions(shell),
        Command::Man { out } => Task::Man(out),
    })
}

/// A command's options.
fn options(command: &str) -> Vec<Known> {
    Cli::command().find_subcommand(command).map(said::known).unwrap_or_default()
}

/// Everything that was said to a command; `in_environment` are those of its options that may be set there, `in_file` those
/// that may stand in a file.
fn layers(
    matches: &ArgMatches,
    environment: &Environment,
    known: &[Known],
    in_environment: &[Known],
    in_file: &[Known],
) -> Result<Said, Problem> {
    said::mistyped(environment, &everywhere())?;
    let mut said = Said::default();
    said.add(said::flags(matches, known)?);
    said.add(said::variables(environment, in_environment)?);
    let file = said.one("config").map(|value| (PathBuf::from(&value.text), value.clone()));
    if let Some((path, value)) = file {
        let text = file_text(&path).map_err(|error| unreadable(&value, &path, &error))?;
        let in_file: Vec<Known> = in_file.iter().filter(|option| option.name != "config").cloned().collect();
        said.add(said::file(&text, &path, &in_file)?);
    }
    Ok(said)
}

/// Every option that may be set in the environment.
fn everywhere() -> Vec<Known> {
    ["run", "demo"].into_iter().flat_map(options).collect()
}

/// Variables that begin like ours and mean nothing, by name: for a warning.
#[must_use]
pub fn unknown_variables(environment: &Environment) -> Vec<String> {
    said::unknown(environment, &everywhere())
}

/// Options that name receivers: they may stand in the environment for `ship` as for `run`.
fn receivers(known: &[Known]) -> Vec<Known> {
    let on_the_spot = ["captures", "follow", "state", "give_up"];
    known.iter().filter(|option| !on_the_spot.contains(&&*option.name)).cloned().collect()
}

fn only(known: &[Known], name: &str) -> Vec<Known> {
    known.iter().filter(|option| option.name == name).cloned().collect()
}

fn file_text(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    std::fs::read_to_string(path)
}

fn unreadable(value: &Value, path: &Path, error: &io::Error) -> Problem {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::InvalidData => value
            .problem(format!("{path} is not UTF-8"))
            .hint("PowerShell's > writes UTF-16; save the file as UTF-8 in an editor"),
        _ => value.problem(format!("{path}: {error}")),
    }
}

fn run(said: &Said, environment: &Environment) -> Result<Run, Problem> {
    let defaults = Limits::default();
    let certs = path(said, "certs", DEFAULT_CERTS);
    let record = Recording { session_key: Some(certs.join(SESSION_KEY)), ..recording(said)? };
    let captures = match &record.capture {
        CaptureTo::Dir(dir) => Some(dir.as_path()),
        CaptureTo::Stdout | CaptureTo::Off => None,
    };
    let ship = super::ship::plans(said, environment, captures)?;
    if let (Level::Off, Some(plan)) = (record.redact, ship.first()) {
        return Err(Problem::new(format!("--redact off: a log with passwords is not sent to {}", plan.receiver.url))
            .hint("leave --redact off or the receiver away"));
    }
    on_the_spot(said)?;
    Ok(Run {
        traffic: route::traffic(said)?,
        resolve: said.all("resolve").iter().map(|one| read_value(one, value::resolve)).collect::<Result<_, _>>()?,
        rewriting: parsed(said, "rewrite", value::rewriting)?.unwrap_or_default(),
        preface: if is_on(said, "accept_proxy_protocol") { Preface::ProxyProtocol } else { Preface::None },
        trust: trust(said)?,
        client_identity: identity(said, ["upstream_client_cert", "upstream_client_key"])?,
        own_identity: identity(said, ["cert", "key"])?,
        certs,
        record,
        ship,
        keylog: keylog(said, environment)?,
        limits: Limits {
            handshake: parsed(said, "handshake_timeout", value::some_time)?.unwrap_or(defaults.handshake),
            connect: parsed(said, "connect_timeout", value::some_time)?.unwrap_or(defaults.connect),
            connections: parsed(said, "max_connections", value::count(1..=MAX_CONNECTIONS))?
                .unwrap_or(defaults.connections),
            grace: parsed(said, "grace", value::time)?.unwrap_or(defaults.grace),
        },
        admin: admin::address(said)?,
        browser: if is_on(said, "browse") { Some(browse::browser(said)?) } else { None },
        log: operational(said)?,
    })
}

/// Options that do nothing alone are a mistake where they are typed; a file may serve `browse` too.
fn on_the_spot(said: &Said) -> Result<(), Problem> {
    let alone = [
        ("--browse", is_on(said, "browse"), &["browser", "browser_arg", "path", "url"][..]),
        ("--admin ADDR:PORT", said.one("admin").is_some(), &["admin_exposed"]),
    ];
    for (base, is_said, options) in alone {
        let typed = options.iter().filter_map(|name| said.one(name)).find(|value| value.place == said::Place::Flag);
        if let Some(value) = typed.filter(|_| !is_said) {
            return Err(value.problem("means nothing without another option").hint(format!("add {base}")));
        }
    }
    Ok(())
}

fn demo(said: &Said) -> Result<Demo, Problem> {
    Ok(Demo {
        agents: parsed(said, "agents", value::count(1..=MAX_AGENTS))?.unwrap_or(1),
        keep: is_on(said, "keep"),
        listen: route::listen(said, 0)?,
        certs: path(said, "certs", DEFAULT_CERTS),
        record: recording(said)?,
        log: operational(said)?,
    })
}

fn ca(said: &Said) -> Result<Ca, Problem> {
    Ok(Ca {
        certs: path(said, "certs", DEFAULT_CERTS),
        upstreams: said.all("upstream").iter().map(|one| read_value(one, value::upstream)).collect::<Result<_, _>>()?,
        export: said.one("export").map(|value| PathBuf::from(&value.text)),
    })
}

pub(super) fn trust(said: &Said) -> Result<Trust, Problem> {
    Ok(match said.only(&["upstream_ca", "upstream_pin", "upstream_insecure"])? {
        None => Trust::System,
        Some(value) if value.name == "upstream_ca" => Trust::Ca(PathBuf::from(&value.text)),
        Some(value) if value.name == "upstream_pin" => {
            let pin = |value| read_value(value, |text| Pin::from_str(text).map_err(Wrong::from));
            Trust::Pins(said.all("upstream_pin").iter().map(pin).collect::<Result<_, _>>()?)
        }
        Some(_) => Trust::Insecure,
    })
}

pub(super) fn identity(said: &Said, names: [&str; 2]) -> Result<Option<Identity>, Problem> {
    let files = said.both(names)?;
    Ok(files.map(|[cert, key]| Identity { cert: PathBuf::from(&cert.text), key: PathBuf::from(&key.text) }))
}

fn recording(said: &Said) -> Result<Recording, Problem> {
    let capture = match said.only(&["capture", "no_capture"])? {
        None => CaptureTo::Dir(PathBuf::from(DEFAULT_CAPTURES)),
        Some(value) if value.name == "no_capture" => CaptureTo::Off,
        Some(value) if value.text == "-" => CaptureTo::Stdout,
        Some(value) => CaptureTo::Dir(PathBuf::from(&value.text)),
    };
    let live = match said.only(&["quiet", "verbose"])? {
        None => Live::Messages,
        Some(value) if value.name == "quiet" => Live::Off,
        Some(_) => Live::Everything,
    };
    let lengths = MIN_LINE_BYTES..=MAX_LINE_BYTES;
    Ok(Recording {
        capture,
        capture_limit_bytes: parsed(said, "capture_limit", value::size)?,
        redact: parsed(said, "redact", |text| Level::from_str(text).map_err(Wrong::from))?.unwrap_or_default(),
        rules: rules(said)?,
        observer: parsed(said, "observer_name", value::observer)?,
        session_key: None,
        stable_tokens: said.one("stable_tokens").map(|value| PathBuf::from(&value.text)),
        max_line_bytes: parsed(said, "max_line_bytes", value::count(lengths))?.unwrap_or(DEFAULT_LINE_BYTES),
        live,
    })
}

fn rules(said: &Said) -> Result<UserRules, Problem> {
    let mut rules = UserRules::default();
    for value in said.all("deny") {
        let text = read_value(value, |text| Ok(text.to_owned()))?;
        rules.deny(&text).map_err(|why| value.problem(why))?;
    }
    for value in said.all("allow") {
        let text = read_value(value, |text| Ok(text.to_owned()))?;
        rules.allow(&text).map_err(|why| value.problem(why))?;
    }
    Ok(rules)
}

fn keylog(said: &Said, environment: &Environment) -> Result<Option<PathBuf>, Problem> {
    let Some(value) = said.one("keylog").filter(|value| value.switch != Some(false)) else { return Ok(None) };
    if value.switch.is_none() {
        return Ok(Some(PathBuf::from(&value.text)));
    }
    match environment.get(OsStr::new("SSLKEYLOGFILE")).filter(|path| !path.is_empty()) {
        Some(path) => Ok(Some(PathBuf::from(path))),
        None => Err(value
            .problem("no file is named, and the environment variable SSLKEYLOGFILE is not set")
            .hint(format!("name one: {}", value.set_to("FILE")))),
    }
}

fn operational(said: &Said) -> Result<Log, Problem> {
    let defaults = Log::default();
    let filter = |text: &str| log::check(text).map(|()| text.to_owned()).map_err(Wrong::from);
    Ok(Log {
        format: parsed(said, "log_format", |text| log::Format::from_str(text).map_err(Wrong::from))?
            .unwrap_or(defaults.format),
        filter: parsed(said, "log_filter", filter)?.unwrap_or(defaults.filter),
    })
}

pub(super) fn is_on(said: &Said, name: &str) -> bool {
    said.one(name).is_some_and(|value| value.switch == Some(true))
}

pub(super) fn path(said: &Said, name: &str, default: &str) -> PathBuf {
    said.one(name).map_or_else(|| PathBuf::from(default), |value| PathBuf::from(&value.text))
}

pub(super) fn parsed<T>(
    said: &Said,
    name: &str,
    parse: impl Fn(&str) -> Result<T, Wrong>,
) -> Result<Option<T>, Problem> {
    said.one(name).map(|value| read_value(value, parse)).transpose()
}

pub(super) fn read_value<T>(value: &said::Value, parse: impl Fn(&str) -> Result<T, Wrong>) -> Result<T, Problem> {
    let text = value.text.to_str().ok_or_else(|| value.problem("is not UTF-8"))?;
    parse(text).map_err(|wrong| {
        let problem = value.problem(wrong.why);
        match wrong.better {
            Some(better) => problem.hint(format!("write {}", value.set_to(&better))),
            None => problem,
        }
    })
}

/// clap's complaint in our form: one line, and its tip or the help as the hint.
fn stopped(error: clap::Error, help: &str) -> Stop {
    use clap::error::ErrorKind;
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return Stop::Shown(error);
    }
    let text = error.render().to_string();
    let (what, more) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what = what.trim_start_matches("error: ").split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let tip = more.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let hint = tip.unwrap_or(help);
    Stop::Wrong(Problem::new(what.trim()).hint(hint))
}
