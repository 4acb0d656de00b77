//! Command line, environment and configuration file become one command line, which clap parses.
//!
//! The derive structs of [`cli`](crate::cli) are the only schema. A variable and a key of the file become the argument that
//! says the same (`FINESSE_TAP_GRACE=5s` and `grace = "5s"` become `--grace=5s`), together with the place it was found in.
//! Options win over variables, variables over the file; lists win as a whole, an option also over those that it excludes.
//! What remains is parsed once. Errors name the place: the option, the variable, or file, line and key.
//!
//! `layer` merges, [`file`] reads TOML, `place` remembers where values came from, `value` knows how they are written,
//! `problem` turns what clap finds into one sentence and one hint. No command is known here.

mod file;
mod layer;
mod place;
mod problem;
pub(crate) mod value;

pub use layer::{Environment, Scope, help_of, read, unknown_variables};
pub use place::{Given, Place, Sources, given};
pub use problem::{Problem, Stop};
pub use value::Wrong;
