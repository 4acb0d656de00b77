//! What was said to `report` becomes a [`Request`].

use super::Problem;
use super::read::{parsed, read_value};
use super::said::Said;
use super::value::Wrong;
use crate::report::{self, Filter, Format, Request};
use std::path::PathBuf;
use std::str::FromStr as _;

/// Everything is asked for on the spot: nothing of it belongs into the environment or a file.
pub(super) fn read(said: &Said) -> Result<Request, Problem> {
    let time = |text: &str| report::time_us(text).map_err(Wrong::from);
    let text = |text: &str| Ok::<_, Wrong>(text.to_owned());
    let filter = Filter {
        user: parsed(said, "user", text)?,
        session: parsed(said, "session", text)?,
        since_us: parsed(said, "since", time)?,
        until_us: parsed(said, "until", time)?,
    };
    if let (Some(since), Some(until), Some(value)) = (filter.since_us, filter.until_us, said.one("until"))
        && until <= since
    {
        return Err(value.problem(format!("`{}` is not later than --since", value.text.display())));
    }
    let output = said.one("output").map(|value| PathBuf::from(&value.text));
    let format = match said.one("format") {
        Some(value) => read_value(value, |text| Format::from_str(text).map_err(Wrong::from))?,
        None => output.as_deref().map(Format::of).unwrap_or_default(),
    };
    Ok(Request {
        captures: said.all("captures").iter().map(|value| PathBuf::from(&value.text)).collect(),
        filter,
        format,
        output,
    })
}
