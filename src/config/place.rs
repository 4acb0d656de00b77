//! Where a value was given: on the command line, in the environment, or in a line of the configuration file.

use super::problem::Problem;
use clap::builder::TypedValueParser;
use clap::{Arg, Command};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;

/// In front of every variable's name.
pub(super) const PREFIX: &str = "FINESSE_TAP_";

/// The environment variable of an option, by its long name.
pub(super) fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_uppercase())
}

/// A place that an option was given in. Displays as `--grace`, `FINESSE_TAP_GRACE` or `tap.toml:3: grace`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// An option of the command line, by its long name.
    Option(String),
    /// An argument without a name, by what stands for it in the help.
    Argument(String),
    /// An environment variable.
    Variable(String),
    /// A key of the configuration file.
    Key {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
}

impl Place {
    /// That of an option on the command line, or of an argument, by what stands for it in the help.
    pub(super) fn typed(name: &str) -> Self {
        let is_option = name.starts_with(|c: char| c.is_ascii_lowercase());
        if is_option { Self::Option(name.to_owned()) } else { Self::Argument(name.to_owned()) }
    }

    /// How the option would be set to `text` here.
    pub(super) fn set_to(&self, text: &str) -> String {
        match self {
            Self::Option(name) => format!("--{name} {text}"),
            Self::Argument(_) => text.to_owned(),
            Self::Variable(name) => format!("{name}={text}"),
            Self::Key { key, .. } => format!("{key} = \"{text}\""),
        }
    }

    /// The place of `option` in the same source.
    pub(super) fn of(&self, option: &str) -> Self {
        match self {
            Self::Option(_) | Self::Argument(_) => Self::Option(option.to_owned()),
            Self::Variable(_) => Self::Variable(variable(option)),
            Self::Key { path, line, .. } => {
                Self::Key { path: path.clone(), line: *line, key: option.replace('-', "_") }
            }
        }
    }

    /// That something is wrong with what was given here.
    #[must_use]
    pub fn problem(&self, why: impl fmt::Display) -> Problem {
        Problem::new(format!("{self}: {why}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "--{name}"),
            Self::Argument(name) | Self::Variable(name) => f.write_str(name),
            Self::Key { path, line, key } => write!(f, "{}:{line}: {key}", path.display()),
        }
    }
}

/// A value that remembers which option it is of, for checks against other options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given<T> {
    value: T,
    option: String,
    text: String,
}

impl<T> Given<T> {
    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The parser of a [`Given`] value, from that of the value alone.
#[must_use]
pub fn given<P: TypedValueParser>(parser: P) -> GivenParser<P> {
    GivenParser(parser)
}

/// See [`given`].
#[derive(Clone)]
pub struct GivenParser<P>(P);

impl<P: TypedValueParser> TypedValueParser for GivenParser<P> {
    type Value = Given<P::Value>;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Self::Value, clap::Error> {
        let option = arg.map(name_of).unwrap_or_default();
        let text = value.to_string_lossy().into_owned();
        self.0.parse_ref(command, arg, value).map(|value| Given { value, option, text })
    }
}

/// The long name of an option, or what stands for the value of an argument that has none.
pub(super) fn name_of(arg: &Arg) -> String {
    let shown = || arg.get_value_names().and_then(<[_]>::first).map_or(arg.get_id().as_str(), |name| name.as_str());
    arg.get_long().unwrap_or_else(shown).to_owned()
}

/// Where the values that count come from, as far as that is not the command line.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sources(pub(super) Vec<(String, OsString, Place)>);

impl Sources {
    /// The place of this value of `option`; that of its first value if there is no such one.
    pub(super) fn place(&self, option: &str, text: &OsStr) -> Place {
        let of_option = || self.0.iter().filter(|(name, ..)| name == option);
        let found = of_option().find(|(_, value, _)| value == text).or_else(|| of_option().next());
        found.map_or_else(|| Place::typed(option), |(.., place)| place.clone())
    }

    /// The place that a value was given in.
    #[must_use]
    pub fn of<T>(&self, given: &Given<T>) -> Place {
        self.place(&given.option, OsStr::new(&given.text))
    }

    /// That something is wrong with a value beside the others.
    pub fn problem<T>(&self, given: &Given<T>, why: impl fmt::Display) -> Problem {
        self.of(given).problem(why)
    }

    /// How the same option would be set to `text` in the same place.
    #[must_use]
    pub fn set_to<T>(&self, given: &Given<T>, text: &str) -> String {
        self.of(given).set_to(text)
    }
}
