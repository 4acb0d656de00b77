//! `assets`: its options and its help.

use crate::assets::Kind;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const MORE: &str = "\
Examples:
  finesse-tap assets                              what there is
  finesse-tap assets rsyslog                      its files
  finesse-tap assets rsyslog sender.conf          print one
  finesse-tap assets splunk -o finesse-splunk     write all of them
  finesse-tap assets schema event-1.1.schema.json the contract of the events

Next: the README.md among the files tells how to install them.";

/// The options of `assets`.
#[derive(Clone, PartialEq, Eq, Debug, Args)]
pub struct AssetsFlags {
    /// What they are for; without it, all are listed
    #[arg(value_enum)]
    pub kind: Option<Kind>,
    /// Print this file of it
    #[arg(value_name = "FILE", conflicts_with = "output")]
    pub file: Option<String>,
    /// Write all files of it into DIR
    ///
    /// DIR is made if it is not there. A file that is there already and different is not overwritten.
    #[arg(long, short, alias = "out", value_name = "DIR", value_hint = ValueHint::DirPath, requires = "kind")]
    pub output: Option<PathBuf>,
}
