//! `open`: its options and its help.

use super::record::DEFAULT_CAPTURES;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap open                       captures/, also while it is written
  finesse-tap open case-1234.zip         a bundle, or desktop.har
  finesse-tap open captures --run last
  finesse-tap open captures --no-browser | tee address.txt

The page opens in the default browser. Its address is printed in any case, and only printed without a terminal, over SSH, as \
root and without a display. It is good for one browser, on this machine: on another, forward the port, such as with \
ssh -L PORT:127.0.0.1:PORT, and open the printed address there.

In the page: problems first, each with what to do and its evidence. `f` filters with the expressions below, `/` searches, `j` and \
`k` go through the messages, `?` tells the rest. What is opened is only read, and shows what its redaction level left.

Ends with Ctrl-C.

Next: export from the page what belongs to a case, or `finesse-tap report`.";

/// What stands below the options.
pub(super) fn more() -> String {
    format!("{MORE}\n\nFilters:\n{}", crate::filter::HELP)
}

/// The options of `open`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct OpenFlags {
    /// Captures: files, directories and those below, .gz, .tar.gz, bundles (.zip), HARs, or - for standard input
    #[arg(value_name = "SOURCE", default_value = DEFAULT_CAPTURES, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,
    /// Only the run with this id, or the beginning of it; `last` is the newest
    #[arg(long, value_name = "RUN", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub run: Option<String>,
    /// How the page is shown.
    #[command(flatten)]
    pub show: PageFlags,
}

/// How the console's page is shown, in `open`, `run` and `demo`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
#[command(next_help_heading = "Console")]
pub struct PageFlags {
    /// Print the console's address, and open no browser
    #[arg(long)]
    pub no_browser: bool,
}

/// Whether a browser is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// Where there is somebody to look at it.
    Browser,
    /// The address is printed, that is all.
    Address,
}

impl PageFlags {
    /// What to do.
    #[must_use]
    pub fn opening(&self) -> Opening {
        if self.no_browser { Opening::Address } else { Opening::Browser }
    }
}
