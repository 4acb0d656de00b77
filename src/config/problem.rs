//! What is wrong with a configuration, for a person: one sentence, and at most one hint.

use super::layer::close;
use super::place::{Place, name_of};
use super::value::Wrong;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};
use std::error::Error as _;
use std::fmt;

/// A configuration that cannot be used. Displays as `what`, then on a line of its own `hint: …` if there is one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Problem {
    /// What is wrong, and where that was given.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// The same with this hint if it has none.
    #[must_use]
    pub fn or_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: self.hint.or_else(|| Some(hint.into())), ..self }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for; the error prints it.
    Shown(clap::Error),
    /// The configuration cannot be used.
    Wrong(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Wrong(problem)
    }
}

/// Whether clap was asked for help or the version.
pub(super) fn is_help(error: &clap::Error) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(error.kind(), DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand)
}

/// Whether clap found that a value is none of its option, rather than that options do not go together.
pub(super) fn is_of_value(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
}

/// Everything that clap misses, as it shows it: `--out <FILE>`.
pub(super) fn missing(error: &clap::Error) -> Vec<String> {
    if error.kind() == ErrorKind::MissingRequiredArgument { words(error, ContextKind::InvalidArg) } else { Vec::new() }
}

/// What clap found, in one sentence and a hint; `place` tells where an option was given that value.
pub(super) fn told(error: &clap::Error, command: &Command, place: &dyn Fn(&str, &str) -> Place) -> Problem {
    let value = words(error, ContextKind::InvalidValue).into_iter().next().unwrap_or_default();
    let shown = words(error, ContextKind::InvalidArg).into_iter().next().unwrap_or_default();
    let at = |shown: &str| find(command, shown).map(|arg| of(arg, place, &value));
    match (error.kind(), at(&shown)) {
        (ErrorKind::ValueValidation, Some(at)) => {
            let Some(wrong) = error.source() else { return at.problem("cannot be read") };
            // An argument without a name is known by its value.
            let problem = match at {
                Place::Argument(_) => Problem::new(wrong.to_string()),
                _ => at.problem(wrong),
            };
            match wrong.downcast_ref::<Wrong>().and_then(|wrong| wrong.better.as_deref()) {
                Some(better) => problem.hint(format!("write {}", at.set_to(better))),
                None => problem,
            }
        }
        (ErrorKind::InvalidValue, Some(at)) => {
            let valid = words(error, ContextKind::ValidValue);
            if value.is_empty() || valid.is_empty() {
                return at.problem("a value is missing");
            }
            let problem = at.problem(format!("`{value}` is none of {}", valid.join(", ")));
            match close(&value, valid.iter().cloned()) {
                Some(meant) => problem.hint(format!("write {}", at.set_to(&meant))),
                None => problem,
            }
        }
        (ErrorKind::ArgumentConflict, Some(first)) => {
            let prior = words(error, ContextKind::PriorArg).into_iter().next().unwrap_or_default();
            let order = |shown: &str| command.get_arguments().position(|arg| Some(arg) == find(command, shown));
            match at(&prior) {
                Some(second) if second == first => first.problem("is given twice").hint("keep one of them"),
                Some(second) => {
                    let (one, other) = if order(&prior) < order(&shown) { (second, first) } else { (first, second) };
                    Problem::new(format!("{one} and {other} exclude each other")).hint("keep one of them")
                }
                None => plain(error),
            }
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            Problem::new(format!("{} is missing", words(error, ContextKind::InvalidArg).join(" and ")))
        }
        (ErrorKind::UnknownArgument, _) => {
            let problem = Problem::new(format!("`{shown}` is no option of `{}`", bin(command)));
            let names = command.get_arguments().filter_map(Arg::get_long).map(|long| format!("--{long}"));
            match close(&shown, names) {
                Some(meant) if shown.starts_with('-') => problem.hint(format!("did you mean {meant}?")),
                _ if shown.starts_with('-') => problem,
                _ => Problem::new(format!("`{shown}` is one argument too many")),
            }
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let typed = words(error, ContextKind::InvalidSubcommand).into_iter().next().unwrap_or_default();
            let problem = Problem::new(format!("`{typed}` is no command"));
            match close(&typed, command.get_subcommands().map(|one| one.get_name().to_owned())) {
                Some(meant) => problem.hint(format!("did you mean `finesse-tap {meant}`?")),
                None => problem,
            }
        }
        _ => plain(error),
    }
}

/// clap's own words in one line.
fn plain(error: &clap::Error) -> Problem {
    let text = error.render().to_string();
    let (what, _) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what: Vec<&str> = what.trim_start_matches("error: ").split('\n').map(str::trim).collect();
    Problem::new(what.join(" ").trim())
}

fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

/// The argument that clap shows like this: `--grace <SECONDS>`, `<FILE>...`.
fn find<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    match shown.strip_prefix("--") {
        Some(rest) => {
            let long = rest.split([' ', '=', '[']).next()?;
            command.get_arguments().find(|arg| arg.get_long() == Some(long))
        }
        None => command.get_positionals().find(|arg| shown.contains(&name_of(arg))),
    }
}

fn of(arg: &Arg, place: &dyn Fn(&str, &str) -> Place, value: &str) -> Place {
    match arg.get_long() {
        Some(long) => place(long, value),
        None => Place::Argument(name_of(arg)),
    }
}

/// How a command is called.
fn bin(command: &Command) -> String {
    match command.get_name() {
        root @ "finesse-tap" => root.to_owned(),
        name => format!("finesse-tap {name}"),
    }
}
