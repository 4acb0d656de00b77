//! A configuration file (TOML) becomes settings: keys are options' long names with underscores.
//!
//! Numbers and words are alike where the option takes a number, a size or a time; a list stands in brackets. `deny` and
//! `allow` may stand in a section `[redaction]`. Anything else is an error with its line.

use super::layer::{Setting, Takes, close, keys, settings_text};
use super::place::Place;
use super::problem::Problem;
use clap::Arg;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Longest configuration file, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What whoever writes a Windows path for the first time needs to know of TOML.
const SINGLE_QUOTES: &str =
    r"in double quotes a backslash begins an escape; write paths in single quotes: capture = 'C:\captures'";

/// Reads the file that `named` tells of.
pub(super) fn text(path: &Path, named: &Place) -> Result<String, Problem> {
    let read = || {
        if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
        }
        std::fs::read_to_string(path)
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => named
            .problem(format!("{} is not UTF-8", path.display()))
            .hint("PowerShell's > writes UTF-16; save the file as UTF-8 in an editor"),
        _ => named.problem(format!("{}: {error}", path.display())),
    })
}

/// The settings in `text`; `options` are those that a file may set, `path` is named in problems.
pub(super) fn settings<'a>(text: &str, path: &Path, options: &[&'a Arg]) -> Result<Vec<Setting<'a>>, Problem> {
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
    let entries = table.get_ref().iter().flat_map(|(key, value)| match value.get_ref() {
        DeValue::Table(inner) if key.get_ref() == "redaction" => inner.iter().collect::<Vec<_>>(),
        _ => vec![(key, value)],
    });
    let mut settings = Vec::new();
    for (key, value) in entries {
        let name: &str = key.get_ref();
        let Some(arg) = options.iter().find(|arg| keys(arg).any(|key| key == name)) else {
            let problem = Problem::new(format!("{}: `{name}` is no option", at(key.span().start)));
            return Err(problem.hint(advice(name, value.get_ref(), options)));
        };
        let items = match (value.get_ref(), Takes::of(arg)) {
            (DeValue::Array(items), Takes::List) => items.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            let place = Place::Key { path: path.to_owned(), line: line(item.span().start), key: name.to_owned() };
            let text = value_text(item.get_ref(), Takes::of(arg), &place)?;
            settings.push(settings_text(arg, text, place)?);
        }
    }
    Ok(settings)
}

fn value_text(value: &DeValue<'_>, takes: Takes, place: &Place) -> Result<OsString, Problem> {
    let (text, fits) = match value {
        DeValue::String(text) => (text.to_string(), takes != Takes::Switch),
        DeValue::Integer(number) => (number.to_string(), takes == Takes::Number && number.radix() == 10),
        DeValue::Float(number) => (number.to_string(), takes == Takes::Number),
        DeValue::Boolean(on) => (on.to_string(), matches!(takes, Takes::Switch | Takes::TextOrSwitch)),
        _ => (String::new(), false),
    };
    if !fits {
        let wanted = match takes {
            Takes::Text => "a text in quotes",
            Takes::Number => "a whole number or a text in quotes",
            Takes::List => "a text in quotes, or a list of them in brackets",
            Takes::Switch => "true or false",
            Takes::TextOrSwitch => "a text in quotes, true or false",
        };
        return Err(place.problem(format!("expected {wanted}, found {}", value.type_str())));
    }
    if text.contains(char::is_control) {
        return Err(place.problem("holds a control character, such as a tab").hint(SINGLE_QUOTES));
    }
    Ok(text.into())
}

/// What to write instead of a key that is no option.
fn advice(name: &str, value: &DeValue<'_>, options: &[&Arg]) -> String {
    if value.is_table() {
        return "the only section is [redaction]: write options at the top level".to_owned();
    }
    match close(name, options.iter().flat_map(|arg| keys(arg))) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`finesse-tap run --help` lists the options; keys are their names with underscores".to_owned(),
    }
}
