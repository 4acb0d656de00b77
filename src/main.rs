//! The program: reads what it was asked to do, has it done, and says how it went by text and exit code.
//!
//! Exit codes: 0 done, 1 failed, 2 the configuration cannot be used, 130 told to stop twice. What goes wrong is one line
//! `error: …` on standard error, then at most one `hint: …`.

use finesse_tap::cli::{self, Asked, CaFlags, Command, Run, manual};
use finesse_tap::config::{Environment, Problem, Sources, Stop};
use finesse_tap::glyph::tame;
use finesse_tap::{app, ca_text, clock, log};
use std::io::{self, Write as _};
use std::process::ExitCode;

const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let asked = match cli::read(std::env::args_os(), &environment) {
        Ok(asked) => asked,
        Err(Stop::Shown(help)) => {
            // Whoever does not want the rest of the help closes the pipe.
            let _ = help.print();
            return u8::try_from(help.exit_code()).unwrap_or(UNUSABLE).into();
        }
        Err(Stop::Wrong(problem)) => return fail(&problem.to_string(), UNUSABLE),
    };
    for name in &asked.unknown {
        // Nobody reading standard error is no reason not to work.
        let _ = writeln!(io::stderr(), "warning the environment variable {name} is unknown, and ignored");
    }
    match perform(asked.command, &asked.sources, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<app::StoppedAtOnce>() => app::STOPPED_AT_ONCE.into(),
        Err(error) => match error.downcast::<Problem>() {
            Ok(problem) => fail(&problem.or_hint(asked.help).to_string(), UNUSABLE),
            Err(error) => fail(&app::explained(&error), FAILED),
        },
    }
}

fn perform(command: Command, sources: &Sources, environment: &Environment) -> anyhow::Result<()> {
    match command {
        Command::Run(flags) => {
            let config = flags.check(sources, environment)?;
            log::start(&config.log);
            app::run(config, || again(environment))
        }
        Command::Browse(flags) => {
            let config = flags.check(sources)?;
            log::start(&log::Log::default());
            app::browse(&config)
        }
        Command::Demo(flags) => {
            let config = flags.check(sources)?;
            log::start(&config.log);
            app::demo(config)
        }
        Command::Doctor(flags) => app::doctor(*flags),
        Command::Ca(flags) => ca(&flags),
        Command::Scan(flags) => app::scan(&flags, &mut io::stdout().lock()),
        Command::Share(flags) => app::share(&flags.check(sources)?),
        Command::Ship(flags) => {
            let config = flags.check(sources, environment)?;
            log::start(&log::Log::default());
            app::ship(&config)
        }
        Command::Resolve(flags) => print(&app::resolve(&flags)?),
        Command::Compare(flags) => app::compare(&flags.request()),
        Command::Report(flags) => app::report(&flags.captures, flags.pick.run.as_deref(), &flags.check(sources)?),
        Command::Open(flags) => {
            log::start(&log::Log::default());
            app::open(&flags)
        }
        Command::Import(flags) => {
            let config = flags.check()?;
            log::start(&log::Log::default());
            app::import(&config)
        }
        Command::Export(flags) => app::export(&flags, &flags.filter(sources)?),
        Command::Hosts(flags) => app::hosts(&flags.check(sources)?),
        Command::Reload(flags) => app::reload(&flags),
        Command::Assets(flags) => print(&app::assets(&flags)?),
        Command::Completions { shell } => print(&manual::completions(shell)),
        Command::Man(flags) => match &flags.output {
            Some(dir) => manual::pages(dir),
            None => print(&manual::page()?),
        },
    }
}

/// What `run` is configured to do now.
fn again(environment: &Environment) -> Result<Run, String> {
    match cli::read(std::env::args_os(), environment) {
        Ok(Asked { command: Command::Run(flags), sources, .. }) => {
            flags.check(&sources, environment).map_err(|problem| problem.to_string())
        }
        Err(Stop::Wrong(problem)) => Err(problem.to_string()),
        Ok(_) | Err(Stop::Shown(_)) => Err(String::from("the configuration is not one of `run` any more")),
    }
}

fn ca(config: &CaFlags) -> anyhow::Result<()> {
    let cas = app::authorities(config)?;
    let mut text = ca_text::describe(&cas, clock::now().wall_us / 1_000_000);
    if let Some(dir) = &config.output {
        text.push_str("\nCopied:\n");
        for path in ca_text::export(&cas, dir)? {
            text.push_str(&format!("  {}\n", path.display()));
        }
    }
    print(text.as_bytes())
}

/// Writes to standard output. A reader that has gone has seen enough.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn fail(text: &str, code: u8) -> ExitCode {
    // Names of files and words of servers may be in it.
    let _ = writeln!(io::stderr(), "error: {}", tame(text));
    code.into()
}
