//! Environment and configuration file become arguments in front of those that were typed; what a higher source says, or
//! excludes, is left out.

use super::file;
use super::place::{PREFIX, Place, Sources, name_of, variable};
use super::problem::{Problem, Stop, is_help, is_of_value, missing, told};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// The environment, as [`std::env::vars_os`] gives it.
pub type Environment = BTreeMap<OsString, OsString>;

/// What may be said elsewhere than on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Commands that read the environment: of their options those that one of `owners` has, too.
    pub readers: &'static [&'static str],
    /// Commands whose options all have a variable.
    pub owners: &'static [&'static str],
    /// The command whose options are keys of the configuration file.
    pub file: &'static str,
    /// Variables that hold a secret, which no option takes.
    pub secrets: &'static [&'static str],
}

/// An option with one of its values, and where that was given.
pub(super) struct Setting<'a> {
    pub(super) arg: &'a Arg,
    pub(super) place: Place,
    pub(super) text: OsString,
    /// What says so on a command line; nothing does for a switch that is off.
    argument: Option<OsString>,
}

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Takes {
    Text,
    /// A number, a size or a time.
    Number,
    List,
    Switch,
    /// A text, or `true` for "wherever you like".
    TextOrSwitch,
}

impl Takes {
    pub(super) fn of(arg: &Arg) -> Self {
        let numbers = [TypeId::of::<Duration>(), TypeId::of::<usize>(), TypeId::of::<u64>(), TypeId::of::<u32>()];
        match arg.get_action() {
            ArgAction::SetTrue => Self::Switch,
            ArgAction::Append => Self::List,
            _ if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => Self::TextOrSwitch,
            _ if numbers.iter().any(|number| arg.get_value_parser().type_id() == *number) => Self::Number,
            _ => Self::Text,
        }
    }
}

/// Reads the command line (the program's own name first) under `root`, with what environment and file add to it.
///
/// # Errors
/// There is nothing to do, or no telling what.
pub fn read(
    root: &Command,
    arguments: &[OsString],
    environment: &Environment,
    scope: &Scope,
) -> Result<(ArgMatches, Sources), Stop> {
    let mut root = root.clone();
    root.build();
    let word = arguments.get(1).and_then(|word| word.to_str());
    let Some(command) = word.and_then(|word| root.find_subcommand(word)).filter(|one| one.get_name() != "help") else {
        let plain = root.clone().try_get_matches_from(arguments);
        let found = plain.map_err(|error| stopped(error, &root, &Sources::default(), &[]).or_hint(ROOT_HELP));
        return found.map(|matches| (matches, Sources::default()));
    };
    let help = help_of(command.get_name());
    merged(&root, command, arguments, environment, scope).map_err(|stop| stop.or_hint(&help))
}

/// Where help is for whoever typed this command.
#[must_use]
pub fn help_of(command: &str) -> String {
    format!("`finesse-tap {command} --help` lists its options")
}

/// Where help is for whoever typed none.
const ROOT_HELP: &str = "`finesse-tap --help` lists the commands";

impl Stop {
    fn or_hint(self, hint: &str) -> Self {
        match self {
            Self::Wrong(problem) => Self::Wrong(problem.or_hint(hint)),
            shown @ Self::Shown(_) => shown,
        }
    }
}

fn merged(
    root: &Command,
    command: &Command,
    arguments: &[OsString],
    environment: &Environment,
    scope: &Scope,
) -> Result<(ArgMatches, Sources), Stop> {
    let own = arguments.get(1..).unwrap_or_default();
    // What was typed, whether or not it can stand without the rest.
    let typed = command.clone().ignore_errors(true).try_get_matches_from(own);
    let typed = typed.map_err(|error| stopped(error, command, &Sources::default(), own))?;
    let mut merging = Merging { command, probe: command.clone(), named: BTreeMap::new(), kept: Vec::new() };
    let is_typed = |arg: &&Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    merging.typed(command.get_arguments().filter(is_typed))?;
    if scope.readers.contains(&command.get_name()) {
        let everywhere = everywhere(root, scope);
        mistyped(environment, &everywhere, scope)?;
        let variables = merging.variables(environment, &everywhere)?;
        let config = variables.iter().find(|setting| setting.arg.get_long() == Some("config"));
        let config = config.map(|setting| (PathBuf::from(&setting.text), setting.place.clone()));
        merging.add(variables)?;
        let named = if command.get_arguments().any(|arg| arg.get_id() == "config") {
            let typed = typed.get_one::<PathBuf>("config").filter(|_| typed_is(&typed, "config"));
            typed.map(|path| (path.clone(), Place::Option("config".to_owned()))).or(config)
        } else {
            None
        };
        if let (Some((path, place)), Some(owner)) = (named, root.find_subcommand(scope.file)) {
            merging.file(&path, &place, owner)?;
        }
    }
    let Merging { kept, .. } = merging;
    let mut line: Vec<OsString> = arguments.iter().take(2).cloned().collect();
    line.extend(kept.iter().filter_map(|setting| setting.argument.clone()));
    line.extend(arguments.iter().skip(2).cloned());
    let places = kept.into_iter().map(|setting| (name_of(setting.arg), setting.text, setting.place)).collect();
    let sources = Sources(places);
    let matches = root.clone().try_get_matches_from(&line);
    let matches = matches.map_err(|error| match needed(&error, command, &line, &sources) {
        Some(problem) => Stop::Wrong(problem),
        None => stopped(error, command, &sources, own),
    })?;
    Ok((matches, sources))
}

fn typed_is(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Groups with this in front of their names are set as a whole, in one place.
const WHOLE: &str = "whole";

/// The sources so far, the highest first.
struct Merging<'a> {
    command: &'a Command,
    /// For parsing one argument by itself.
    probe: Command,
    /// Options that a source named, by id, and whether they are on.
    named: BTreeMap<String, bool>,
    kept: Vec<Setting<'a>>,
}

impl<'a> Merging<'a> {
    fn typed(&mut self, args: impl Iterator<Item = &'a Arg>) -> Result<(), Problem> {
        let typed: Vec<(&Arg, Place)> = args.map(|arg| (arg, Place::typed(&name_of(arg)))).collect();
        self.halves(&typed)?;
        self.named.extend(typed.iter().map(|(arg, _)| (arg.get_id().to_string(), true)));
        Ok(())
    }

    /// Puts a source under those that are there.
    fn add(&mut self, settings: Vec<Setting<'a>>) -> Result<(), Problem> {
        let given: Vec<(&Arg, Place)> = settings.iter().map(|one| (one.arg, one.place.clone())).collect();
        let mut named = BTreeMap::new();
        for setting in settings {
            named.insert(setting.arg.get_id().to_string(), setting.argument.is_some());
            if !self.is_overruled(setting.arg) {
                self.kept.push(setting);
            }
        }
        self.halves(&given)?;
        for (name, on) in named {
            self.named.entry(name).or_insert(on);
        }
        Ok(())
    }

    /// Whether a higher source says it already, says what excludes it, or says a part of what counts as a whole.
    fn is_overruled(&self, arg: &Arg) -> bool {
        let of = |id: &str| self.command.get_arguments().find(|other| other.get_id() == id);
        let excludes = |one: &Arg, other: &Arg| {
            self.command.get_arg_conflicts_with(one).iter().any(|found| found.get_id() == other.get_id())
        };
        self.named.iter().any(|(id, on)| {
            let Some(other) = of(id) else { return false };
            other.get_id() == arg.get_id()
                || *on && (excludes(arg, other) || excludes(other, arg))
                || self.wholes().any(|whole| whole.contains(&arg.get_id().as_str()) && whole.contains(&id.as_str()))
        })
    }

    fn wholes(&self) -> impl Iterator<Item = Vec<&'a str>> {
        let groups = self.command.get_groups().filter(|group| group.get_id().as_str().starts_with(WHOLE));
        groups.map(|group| group.get_args().map(clap::Id::as_str).collect())
    }

    /// Refuses a source that says one half of what counts as a whole, unless a higher one says both.
    fn halves(&self, given: &[(&Arg, Place)]) -> Result<(), Problem> {
        for whole in self.wholes().filter(|whole| !whole.iter().any(|id| self.named.contains_key(*id))) {
            let here = |id: &&&str| given.iter().any(|(arg, _)| arg.get_id() == **id);
            let Some((arg, place)) = given.iter().find(|(arg, _)| whole.contains(&arg.get_id().as_str())) else {
                continue;
            };
            if let Some(missing) = whole.iter().find(|id| !here(id)) {
                let missing = place.of(&missing.replace('_', "-")).set_to("FILE");
                return Err(Problem::new(format!("{} is set without its other half", place.of(&name_of(arg))))
                    .hint(format!("add {missing} in the same place")));
            }
        }
        Ok(())
    }

    fn variables(&mut self, environment: &Environment, known: &BTreeSet<String>) -> Result<Vec<Setting<'a>>, Problem> {
        let mut settings = Vec::new();
        for arg in self.command.get_arguments().filter(|arg| is_settable(arg)) {
            let set = |key: String| {
                let name = variable(&key);
                let text = environment.get(OsStr::new(&name)).filter(|text| !text.is_empty())?;
                Some((name, text.clone()))
            };
            let Some((name, text)) = keys(arg).filter(|key| known.contains(key)).find_map(set) else { continue };
            let place = Place::Variable(name);
            match (Takes::of(arg), text.to_str()) {
                (Takes::List, Some(lines)) => {
                    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
                        settings.extend(self.items(arg, line, &place)?);
                    }
                }
                _ => settings.push(self.checked(settings_text(arg, text, place)?)?),
            }
        }
        Ok(settings)
    }

    /// What a line of a list's variable holds: one value if the option takes it so, else several between commas.
    fn items(&mut self, arg: &'a Arg, line: &str, place: &Place) -> Result<Vec<Setting<'a>>, Problem> {
        let whole = settings_text(arg, line.into(), place.clone()).and_then(|setting| self.checked(setting));
        if whole.is_ok() || !line.contains(',') {
            return whole.map(|setting| vec![setting]);
        }
        let items = line.split(',').map(str::trim).filter(|item| !item.is_empty());
        items
            .map(|item| settings_text(arg, item.into(), place.clone()).and_then(|setting| self.checked(setting)))
            .collect()
    }

    fn file(&mut self, path: &std::path::Path, place: &Place, owner: &Command) -> Result<(), Problem> {
        let text = file::text(path, place)?;
        // The keys are those of the owner, of which this command may know a part.
        let options: Vec<&Arg> =
            owner.get_arguments().filter(|arg| is_settable(arg) && arg.get_id() != "config").collect();
        let mut settings = Vec::new();
        for setting in file::settings(&text, path, &options)? {
            let own = self.command.get_arguments().find(|arg| arg.get_id() == setting.arg.get_id());
            if let Some(arg) = own {
                settings.push(self.checked(Setting { arg, ..setting })?);
            }
        }
        self.add(settings)
    }

    /// A setting whose value its option takes.
    fn checked(&mut self, setting: Setting<'a>) -> Result<Setting<'a>, Problem> {
        let argument = setting.argument.iter().map(OsString::as_os_str);
        let line = std::iter::once(OsStr::new("finesse-tap")).chain(argument);
        match self.probe.try_get_matches_from_mut(line) {
            Err(error) if error.kind() == ErrorKind::InvalidUtf8 => Err(setting.place.problem("is not UTF-8")),
            Err(error) if is_of_value(&error) => {
                Err(told(&error, self.command, &|_: &str, _: &str| setting.place.clone()))
            }
            _ => Ok(setting),
        }
    }
}

/// The setting of an option to this text.
pub(super) fn settings_text(arg: &Arg, text: OsString, place: Place) -> Result<Setting<'_>, Problem> {
    if text.is_empty() {
        return Err(place.problem("is empty"));
    }
    let takes = Takes::of(arg);
    let word = text.to_str().map(str::to_lowercase);
    let switch = match word.as_deref() {
        Some("true" | "yes" | "on" | "1") => Some(true),
        Some("false" | "no" | "off" | "0") => Some(false),
        _ => None,
    };
    let mut argument = OsString::from(format!("--{}", name_of(arg)));
    let argument = match (takes, switch) {
        (Takes::Switch | Takes::TextOrSwitch, Some(on)) => on.then_some(argument),
        (Takes::Switch, None) => {
            return Err(place.problem(format!("`{}` is neither true nor false", text.display())));
        }
        _ => {
            argument.push("=");
            argument.push(&text);
            Some(argument)
        }
    };
    Ok(Setting { arg, place, text, argument })
}

/// Whether an option may stand in environment or file: its field is named as it is.
fn is_settable(arg: &Arg) -> bool {
    arg.get_long().is_some_and(|long| long.replace('-', "_") == arg.get_id().as_str()) && arg.get_id() != "help"
}

/// The names of an option, those of old last, with underscores.
pub(super) fn keys(arg: &Arg) -> impl Iterator<Item = String> {
    let old = arg.get_all_aliases().unwrap_or_default();
    arg.get_long().into_iter().chain(old).map(|name| name.replace('-', "_"))
}

fn everywhere(root: &Command, scope: &Scope) -> BTreeSet<String> {
    let owners = scope.owners.iter().filter_map(|name| root.find_subcommand(name));
    owners.flat_map(Command::get_arguments).filter(|arg| is_settable(arg)).flat_map(keys).collect()
}

/// Finds variables that look like a slip of the pen.
fn mistyped(environment: &Environment, known: &BTreeSet<String>, scope: &Scope) -> Result<(), Problem> {
    for name in strange(environment, known, scope) {
        let key = name.trim_start_matches(PREFIX).to_lowercase();
        let slip = |option: &&String| strsim::osa_distance(&key, option) <= if key.len() < 6 { 1 } else { 2 };
        if let Some(meant) = known.iter().find(slip) {
            let what = format!("the environment variable {name} is unknown");
            return Err(Problem::new(what).hint(format!("did you mean {}?", variable(meant))));
        }
    }
    Ok(())
}

/// Variables that begin like ours and have no meaning to this command line, by name: for a warning. None if it reads no
/// variables at all.
#[must_use]
pub fn unknown_variables(root: &Command, command: &str, environment: &Environment, scope: &Scope) -> Vec<String> {
    if !scope.readers.contains(&command) {
        return Vec::new();
    }
    let set: Environment =
        environment.iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
    strange(&set, &everywhere(root, scope), scope)
}

fn strange(environment: &Environment, known: &BTreeSet<String>, scope: &Scope) -> Vec<String> {
    let ours = environment.keys().filter_map(|name| name.to_str()).filter(|name| {
        // Kubernetes makes such variables for a service called `finesse-tap`, in every container.
        let service = |rest: &str| rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
        name.strip_prefix(PREFIX).is_some_and(|rest| !service(rest) && !known.contains(&rest.to_lowercase()))
    });
    ours.filter(|name| !scope.secrets.contains(name)).map(str::to_owned).collect()
}

/// The name among `names` that was probably meant by `word`, if one is near; dashes count as underscores.
pub(super) fn close(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let plain = |name: &str| name.replace('-', "_").to_lowercase();
    let word = plain(word);
    let far = |name: &String| strsim::osa_distance(&word, &plain(name));
    names.min_by_key(far).filter(|name| far(name) <= 1 + name.trim_start_matches('-').len() / 4)
}

/// Which of the options that were given makes another necessary, if that is what is wrong.
fn needed(error: &clap::Error, command: &Command, line: &[OsString], sources: &Sources) -> Option<Problem> {
    let missing_now = missing(error);
    let mut probe = command.clone();
    let mut alone = |argument: Option<&OsString>| {
        let line = std::iter::once(OsStr::new("finesse-tap")).chain(argument.map(OsString::as_os_str));
        probe.try_get_matches_from_mut(line).err().map(|error| missing(&error)).unwrap_or_default()
    };
    let always = alone(None);
    let wanted = missing_now.iter().find(|shown| !always.contains(shown))?;
    // An option may stand as `--name=value` or `--name value`: its name and any value will do here.
    let name = |argument: &OsString| Some(argument.to_str()?.strip_prefix("--")?.split('=').next()?.to_owned());
    let culprit = line.iter().skip(2).filter_map(name).find(|name| {
        let takes_value = command.get_arguments().find(|arg| arg.get_long() == Some(name)).map(Takes::of);
        let argument = match takes_value {
            Some(Takes::Switch | Takes::TextOrSwitch) => format!("--{name}"),
            Some(_) => line_argument(line, name),
            None => return false,
        };
        alone(Some(&argument.into())).contains(wanted)
    })?;
    let place = sources.place(&culprit, OsStr::new(""));
    let option = wanted.split([' ', '=']).next().unwrap_or(wanted);
    let add = wanted.replace(['<', '>'], "");
    Some(place.problem(format!("without {option} it has no effect")).hint(format!("add {add}")))
}

/// `--name=value` as the line says it.
fn line_argument(line: &[OsString], name: &str) -> String {
    let long = format!("--{name}");
    let at =
        line.iter().position(|argument| argument.to_str().is_some_and(|text| text.split('=').next() == Some(&long)));
    let text = |at: usize| line.get(at).and_then(|argument| argument.to_str()).unwrap_or_default();
    match at {
        Some(at) if text(at) == long => format!("{long}={}", text(at + 1)),
        Some(at) => text(at).to_owned(),
        None => long,
    }
}

fn stopped(error: clap::Error, command: &Command, sources: &Sources, own: &[OsString]) -> Stop {
    if is_help(&error) {
        return Stop::Shown(error);
    }
    let strange = own.iter().position(|word| word.to_str().is_none());
    if let (ErrorKind::InvalidUtf8, Some(at)) = (error.kind(), strange) {
        let option =
            at.checked_sub(1).and_then(|at| own.get(at)).filter(|word| word.as_encoded_bytes().starts_with(b"--"));
        let word = option.or_else(|| own.get(at)).map(|word| word.to_string_lossy()).unwrap_or_default();
        return Stop::Wrong(Problem::new(format!("{word}: is not UTF-8")));
    }
    Stop::Wrong(told(&error, command, &|option: &str, text: &str| sources.place(option, OsStr::new(text))))
}
