//! Command line, environment and configuration file become one table of what was said, and where.
//!
//! Every layer yields text under the options' names; the highest layer that names an option has said it, lists whole.
//! What an option means is not known here, only whether it is a switch, a list, a number or a text, which the command
//! line's own definition tells.

use super::problem::Problem;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The environment, as [`std::env::vars_os`] gives it.
pub type Environment = BTreeMap<OsString, OsString>;

/// In front of every variable's name.
pub(super) const PREFIX: &str = "FINESSE_TAP_";

/// An option that can be set: its name with underscores, and what it takes.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) name: String,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    Number,
    List,
    Switch,
    /// A text, or `true` for "wherever you like".
    TextOrSwitch,
}

/// The options of a command.
pub(super) fn known(command: &Command) -> Vec<Known> {
    command.get_arguments().map(|arg| Known { name: arg.get_id().to_string(), takes: takes(arg) }).collect()
}

fn takes(arg: &Arg) -> Takes {
    let value = arg.get_value_names().and_then(<[_]>::first).map(|name| name.as_str());
    match arg.get_action() {
        ArgAction::SetTrue => Takes::Switch,
        ArgAction::Append => Takes::List,
        _ if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => Takes::TextOrSwitch,
        _ if matches!(value, Some("N" | "SECONDS")) => Takes::Number,
        _ => Takes::Text,
    }
}

/// Where a value was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Flag,
    Variable,
    File { path: PathBuf, line: usize },
}

/// One value as it was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Value {
    /// The option's name with underscores.
    pub(super) name: String,
    pub(super) text: OsString,
    pub(super) place: Place,
    /// The value of a switch, or of what may stand for one.
    pub(super) switch: Option<bool>,
}

impl Value {
    /// How the option would be set to `text` in this place.
    pub(super) fn set_to(&self, text: &str) -> String {
        let name = &self.name;
        match self.place {
            Place::Flag => format!("--{} {text}", name.replace('_', "-")),
            Place::Variable => format!("{}={text}", variable(name)),
            Place::File { .. } => format!("{name} = \"{text}\""),
        }
    }

    /// That something is wrong with this value.
    pub(super) fn problem(&self, why: impl fmt::Display) -> Problem {
        Problem::new(format!("{self}: {why}"))
    }
}

impl fmt::Display for Value {
    /// Where the option was set: `--grace`, `FINESSE_TAP_GRACE`, `tap.toml:3: grace`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Flag => write!(f, "--{}", self.name.replace('_', "-")),
            Place::Variable => f.write_str(&variable(&self.name)),
            Place::File { path, line } => write!(f, "{}:{line}: {}", path.display(), self.name),
        }
    }
}

/// What was said, by option.
#[derive(Default)]
pub(super) struct Said {
    options: BTreeMap<String, Choice>,
    layers: usize,
}

/// What the highest layer that names an option says of it.
struct Choice {
    layer: usize,
    values: Vec<Value>,
}

impl Said {
    /// Puts a layer under those that are there: it counts for the options that none of them names.
    pub(super) fn add(&mut self, values: Vec<Value>) {
        self.layers += 1;
        for value in values {
            let layer = self.layers;
            let choice = self.options.entry(value.name.clone()).or_insert_with(|| Choice { layer, values: Vec::new() });
            if choice.layer == layer {
                choice.values.push(value);
            }
        }
    }

    /// All values of a list.
    pub(super) fn all(&self, name: &str) -> &[Value] {
        self.options.get(name).map_or(&[], |choice| &choice.values)
    }

    /// The value of an option that has one.
    pub(super) fn one(&self, name: &str) -> Option<&Value> {
        self.all(name).first()
    }

    /// Of options that exclude each other the one that counts: switches that are off aside, the one of the highest layer.
    ///
    /// # Errors
    /// That layer names two.
    pub(super) fn only(&self, names: &[&str]) -> Result<Option<&Value>, Problem> {
        let mut on: Vec<(usize, &Value)> = names
            .iter()
            .filter_map(|name| self.options.get(*name))
            .filter_map(|choice| Some((choice.layer, choice.values.first()?)))
            .filter(|(_, value)| value.switch != Some(false))
            .collect();
        on.sort_by_key(|(layer, _)| *layer);
        match on.as_slice() {
            [(layer, first), (other, second), ..] if layer == other => {
                Err(Problem::new(format!("{first} and {second} exclude each other")).hint("keep one of them"))
            }
            on => Ok(on.first().map(|(_, value)| *value)),
        }
    }

    /// Two options that only make sense together, from the highest layer that names either.
    ///
    /// # Errors
    /// That layer names only one.
    pub(super) fn both(&self, names: [&str; 2]) -> Result<Option<[&Value; 2]>, Problem> {
        let [first, second] = names.map(|name| self.options.get(name));
        let top = [first, second].into_iter().flatten().map(|choice| choice.layer).min();
        let [a, b] = [first, second]
            .map(|choice| choice.filter(|choice| Some(choice.layer) == top).and_then(|choice| choice.values.first()));
        match (a, b) {
            (Some(a), Some(b)) => Ok(Some([a, b])),
            (None, None) => Ok(None),
            (Some(there), None) | (None, Some(there)) => {
                let [one, other] = names;
                let missing = Value { name: (if a.is_some() { other } else { one }).to_owned(), ..there.clone() };
                Err(Problem::new(format!("{there} is set without its other half"))
                    .hint(format!("add {} in the same place", missing.set_to("FILE"))))
            }
        }
    }
}

/// The command line as a layer.
pub(super) fn flags(matches: &ArgMatches, known: &[Known]) -> Result<Vec<Value>, Problem> {
    let mut values = Vec::new();
    for option in known {
        let said = matches.value_source(&option.name) == Some(ValueSource::CommandLine);
        for text in said.then(|| matches.get_raw(&option.name)).flatten().into_iter().flatten() {
            values.push(option.value(text.to_owned(), Place::Flag)?);
        }
    }
    Ok(values)
}

/// The environment as a layer. Empty variables are as good as unset.
pub(super) fn variables(environment: &Environment, known: &[Known]) -> Result<Vec<Value>, Problem> {
    let mut values = Vec::new();
    for option in known {
        let Some(text) = environment.get(OsStr::new(&variable(&option.name))).filter(|text| !text.is_empty()) else {
            continue;
        };
        if option.takes != Takes::List {
            values.push(option.value(text.clone(), Place::Variable)?);
            continue;
        }
        let whole = option.value(text.clone(), Place::Variable)?;
        let text = text.to_str().ok_or_else(|| whole.problem("is not UTF-8"))?;
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            values.push(option.value(item.into(), Place::Variable)?);
        }
    }
    Ok(values)
}

/// Finds variables that look like a slip of the pen.
///
/// # Errors
/// There is one.
pub(super) fn mistyped(environment: &Environment, known: &[Known]) -> Result<(), Problem> {
    for variable_name in environment.keys().filter_map(|name| name.to_str()) {
        let Some(name) = variable_name.strip_prefix(PREFIX).map(str::to_lowercase) else { continue };
        let slip = |option: &&Known| distance(&name, &option.name) <= if name.len() < 6 { 1 } else { 2 };
        if known.iter().any(|option| option.name == name) || is_elsewhere(variable_name) {
            continue;
        }
        if let Some(meant) = known.iter().find(slip) {
            let what = format!("the environment variable {variable_name} is unknown");
            return Err(Problem::new(what).hint(format!("did you mean {}?", variable(&meant.name))));
        }
    }
    Ok(())
}

/// Variables that begin like ours and are no option's.
pub(super) fn unknown(environment: &Environment, known: &[Known]) -> Vec<String> {
    let names = environment.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.to_str());
    let ours = names.filter(|name| name.starts_with(PREFIX) && !is_elsewhere(name));
    ours.filter(|name| !known.iter().any(|option| variable(&option.name) == **name)).map(str::to_owned).collect()
}

/// Variables that are none of an option's and yet no mistake: those that hold a secret, and those that Kubernetes makes for
/// a service called `finesse-tap`, in every container.
fn is_elsewhere(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return true };
    let of_service = rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_");
    of_service || super::ship::SECRETS.contains(&name)
}

/// A configuration file as a layer; `path` is named in problems.
pub(super) fn file(text: &str, path: &Path, known: &[Known]) -> Result<Vec<Value>, Problem> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let at = |at: usize| format!("{}:{}", path.display(), line(at));
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or_else(|| path.display().to_string(), |span| at(span.start));
        let line = error.span().and_then(|span| text.get(..span.end)?.lines().last()).unwrap_or_default();
        let hint = match error.message() {
            // TOML's own word for it.
            "duplicate key" => "write an option once; lists stand in brackets: upstream = [\"HOST\", \"HOST\"]",
            _ if line.contains('\\') => SINGLE_QUOTES,
            _ => "text is written in quotes: upstream = \"HOST\"",
        };
        Problem::new(format!("{place}: {}", error.message())).hint(hint)
    })?;
    let mut values = Vec::new();
    // `[redaction]` may hold `allow` and `deny`, which may as well stand at the top.
    let sections = table.get_ref().iter().flat_map(|(key, value)| match value.get_ref() {
        DeValue::Table(inner) if key.get_ref() == "redaction" => inner.iter().collect::<Vec<_>>(),
        _ => vec![(key, value)],
    });
    for (key, value) in sections {
        let name: &str = key.get_ref();
        let Some(option) = known.iter().find(|option| option.name == name) else {
            let problem = Problem::new(format!("{}: `{name}` is no option", at(key.span().start)));
            return Err(problem.hint(advice(name, value.get_ref(), known)));
        };
        let items = match (value.get_ref(), option.takes) {
            (DeValue::Array(items), Takes::List) => items.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            let place = Place::File { path: path.to_owned(), line: line(item.span().start) };
            values.push(option.file_value(item.get_ref(), place)?);
        }
    }
    Ok(values)
}

impl Known {
    fn value(&self, text: OsString, place: Place) -> Result<Value, Problem> {
        let word = text.to_str().map(str::to_lowercase);
        let switch = match (self.takes, word.as_deref()) {
            (Takes::Switch | Takes::TextOrSwitch, Some("true" | "yes" | "on" | "1")) => Some(true),
            (Takes::Switch | Takes::TextOrSwitch, Some("false" | "no" | "off" | "0")) => Some(false),
            _ => None,
        };
        let value = Value { name: self.name.clone(), text, place, switch };
        if value.text.is_empty() {
            return Err(value.problem("is empty"));
        }
        if self.takes == Takes::Switch && switch.is_none() {
            return Err(value.problem(format!("`{}` is neither true nor false", value.text.display())));
        }
        Ok(value)
    }

    fn file_value(&self, value: &DeValue<'_>, place: Place) -> Result<Value, Problem> {
        let (text, fits) = match value {
            DeValue::String(text) => (text.to_string(), self.takes != Takes::Switch),
            DeValue::Integer(number) => (number.to_string(), self.takes == Takes::Number && number.radix() == 10),
            DeValue::Boolean(on) => (on.to_string(), matches!(self.takes, Takes::Switch | Takes::TextOrSwitch)),
            _ => (value.type_str().to_owned(), false),
        };
        if fits && text.contains(char::is_control) {
            let said = Value { name: self.name.clone(), text: OsString::new(), place, switch: None };
            return Err(said.problem("holds a control character, such as a tab").hint(SINGLE_QUOTES));
        }
        if fits {
            return self.value(text.into(), place);
        }
        let wanted = match self.takes {
            Takes::Text => "a text in quotes",
            Takes::Number => "a whole number or a text in quotes",
            Takes::List => "a text in quotes, or a list of them in brackets",
            Takes::Switch => "true or false",
            Takes::TextOrSwitch => "a text in quotes, true or false",
        };
        let said = Value { name: self.name.clone(), text: OsString::new(), place, switch: None };
        Err(said.problem(format!("expected {wanted}, found {}", value.type_str())))
    }
}

/// What whoever writes a Windows path for the first time needs to know of TOML.
const SINGLE_QUOTES: &str =
    r"in double quotes a backslash begins an escape; write paths in single quotes: capture = 'C:\captures'";

/// The environment variable of an option.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase())
}

/// What to write instead of a key that is no option.
fn advice(name: &str, value: &DeValue<'_>, known: &[Known]) -> String {
    let close = known.iter().min_by_key(|option| distance(name, &option.name));
    match close.filter(|option| distance(name, &option.name) <= 1 + option.name.len() / 3) {
        _ if value.is_table() => "the only section is [redaction]: write options at the top level".to_owned(),
        Some(meant) => format!("did you mean `{}`?", meant.name),
        None => "`finesse-tap run --help` tells the options; keys are their names with underscores".to_owned(),
    }
}

/// How many slips of the pen lie between a name and an option's; dashes count as underscores.
fn distance(name: &str, option: &str) -> usize {
    strsim::osa_distance(&name.replace('-', "_").to_lowercase(), option)
}
