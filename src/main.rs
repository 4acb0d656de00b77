//! The program: reads what it was asked to do, has it done, and says how it went by text and exit code.
//!
//! Exit codes: 0 done, 1 failed, 2 the configuration cannot be used, 130 told to stop twice. What goes wrong is one line
//! `error: …` on standard error, then at most one `hint: …`.

use finesse_tap::cli::manual;
use finesse_tap::config::{self, Ca, Environment, Run, Stop, Task};
use finesse_tap::glyph::tame;
use finesse_tap::{app, ca_text, clock, log, report};
use std::io::{self, Write as _};
use std::process::ExitCode;

const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let task = match config::read(std::env::args_os(), &environment) {
        Ok(task) => task,
        Err(Stop::Shown(help)) => {
            // Whoever does not want the rest of the help closes the pipe.
            let _ = help.print();
            return u8::try_from(help.exit_code()).unwrap_or(UNUSABLE).into();
        }
        Err(Stop::Wrong(problem)) => return fail(&problem.to_string(), UNUSABLE),
    };
    warn_of_unknown(&task, &environment);
    match perform(task, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<app::StoppedAtOnce>() => app::STOPPED_AT_ONCE.into(),
        Err(error) => fail(&app::explained(&error), FAILED),
    }
}

fn perform(task: Task, environment: &Environment) -> anyhow::Result<()> {
    match task {
        Task::Run(config) => {
            log::start(&config.log);
            app::run(*config, || again(environment))
        }
        Task::Browse(config) => {
            log::start(&log::Log::default());
            app::browse(&config)
        }
        Task::Demo(config) => {
            log::start(&config.log);
            app::demo(config)
        }
        Task::Doctor(config) => app::doctor(*config),
        Task::Ca(config) => ca(&config),
        Task::Scan(config) => app::scan(&config, &mut io::stdout().lock()),
        Task::Share(plan) => app::share(&plan),
        Task::Ship(config) => {
            log::start(&log::Log::default());
            app::ship(&config)
        }
        Task::Resolve(asked) => print(&app::resolve(&asked)?),
        Task::Report(request) => report::run(&request),
        Task::Import(config) => {
            log::start(&log::Log::default());
            app::import(&config)
        }
        Task::Export(config) => app::export(&config),
        Task::Hosts(config) => app::hosts(&config),
        Task::Reload(config) => app::reload(&config),
        Task::Assets(asked) => print(&app::assets(&asked)?),
        Task::Completions(shell) => print(&manual::completions(shell)),
        Task::Man(None) => print(&manual::page()?),
        Task::Man(Some(dir)) => manual::pages(&dir),
    }
}

/// Says which variables mean nothing, for the tasks that heed any.
fn warn_of_unknown(task: &Task, environment: &Environment) {
    let heeds_any = matches!(
        task,
        Task::Run(_)
            | Task::Demo(_)
            | Task::Ship(_)
            | Task::Import(_)
            | Task::Browse(_)
            | Task::Doctor(_)
            | Task::Hosts(_)
            | Task::Ca(_)
            | Task::Reload(_)
    );
    if heeds_any {
        for name in config::unknown_variables(environment) {
            // Nobody reading standard error is no reason not to work.
            let _ = writeln!(io::stderr(), "warning the environment variable {name} is unknown, and ignored");
        }
    }
}

/// What `run` is configured to do now.
fn again(environment: &Environment) -> Result<Run, String> {
    match config::read(std::env::args_os(), environment) {
        Ok(Task::Run(config)) => Ok(*config),
        Err(Stop::Wrong(problem)) => Err(problem.to_string()),
        Ok(_) | Err(Stop::Shown(_)) => Err(String::from("the configuration is not one of `run` any more")),
    }
}

fn ca(config: &Ca) -> anyhow::Result<()> {
    let cas = app::authorities(config)?;
    let mut text = ca_text::describe(&cas, clock::now().wall_us / 1_000_000);
    if let Some(dir) = &config.export {
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
